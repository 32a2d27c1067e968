"""`lab ... --target localstack` as a command, against a server that answers as LocalStack 2026.3.0 did without Docker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[2]
WHO = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<UserId>000000000000</UserId><Account>000000000000</Account><Arn>arn:aws:iam::000000000000:root</Arn>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
NO_STACK = (
    '<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>'
    "<Code>ValidationError</Code><Message>Stack with id x does not exist</Message></Error></ErrorResponse>"
)
LICENCE = "The API for service {} is either not included in your current license plan or has not yet been emulated by LocalStack."


class LocalStack(BaseHTTPRequestHandler):
    """Knows STS, CloudFormation, Config, Lambda and EventBridge, with nothing in them, and no other service."""

    def do_GET(self) -> None:
        """Answer as to POST."""
        self.do_POST()

    def do_POST(self) -> None:
        """Answer by the service that the signature names."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service = self.headers["Authorization"].split("/")[3]
        status, text = {
            "sts": (200, WHO),
            "cloudformation": (400, NO_STACK),
            "config": (200, json.dumps({"ConfigurationRecorders": []})),
            "lambda": (404, json.dumps({"__type": "ResourceNotFoundException", "message": "Function not found"})),
            "events": (400, json.dumps({"__type": "ResourceNotFoundException", "message": "Rule does not exist"})),
        }.get(service, (501, json.dumps({"__type": "InternalFailure", "message": LICENCE.format(service)})))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def emulator() -> Iterator[str]:
    """The address of an emulator."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), LocalStack)
    serving = Thread(target=server.serve_forever)
    serving.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


def lab(emulator: str, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an instructor does, with a real account's key in the environment, which stays there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCALSTACK"))}
    more = {"LOCALSTACK_HOST": emulator, "LAB_HOME": str(home), "AWS_ACCESS_KEY_ID": "AKIAREAL", "USE_SSL": ""}
    command = [sys.executable, "-m", "lab", *arguments, "--target", "localstack"]
    return subprocess.run(command, env=kept | more, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_plan_for_localstack_leaves_out_what_it_does_not_have(emulator: str, tmp_path: Path) -> None:
    """And says in a sentence what that means."""
    told = lab(emulator, tmp_path, "deploy", "--dry-run")
    assert told.returncode == 0, told.stderr
    assert f"localstack at http://{emulator}: account 000000000000" in told.stderr
    assert "no finding will arise and lab check cannot grade" in told.stderr
    assert "create stack guardduty-labs-workload as WSSystemRole/System" in told.stdout
    assert "guardduty-labs-detection" not in told.stdout


def test_a_check_on_localstack_is_neither_passed_nor_failed(emulator: str, tmp_path: Path) -> None:
    """It is not known: the environment's exit code, and no traceback."""
    told = lab(emulator, tmp_path, "check", "--no-input", "--function-name", "traffic-simulation")
    assert told.returncode == 3
    assert "it has no GuardDuty and no CloudTrail" in told.stderr
    assert "not known (function: Function not found; rule: Rule does not exist)" in told.stderr
    assert told.stdout == ""


@pytest.mark.parametrize("command", [("deploy", "--dry-run"), ("destroy", "--yes"), ("check", "--no-input")])
def test_where_nothing_answers_it_is_said_how_to_name_the_address(command: tuple[str, ...], tmp_path: Path) -> None:
    """Port 1 of this machine has no server."""
    told = lab("127.0.0.1:1", tmp_path, *command)
    assert told.returncode == 3
    assert "asking localstack: Could not connect" in told.stderr
    assert "LOCALSTACK_HOST=HOST:PORT" in told.stderr
