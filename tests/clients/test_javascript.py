"""The JavaScript SDK (v3) walks the lab: REST-JSON, JSON, query, REST-XML with checksums and streams, and CBOR for CloudWatch."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.conftest import RunningLab
from tests.e2e.conftest import missing

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with walk.mjs and its packages: LAB_CLIENTS_MODULES names one that has them already."""
    if not shutil.which("node") or not shutil.which("npm"):
        missing("there is no Node.js here")
    folder = Path(os.environ.get("LAB_CLIENTS_MODULES") or tmp_path_factory.mktemp("javascript"))
    for name in ("package.json", "walk.mjs"):
        shutil.copy(HERE / name, folder / name)
    if not (folder / "node_modules").exists():
        install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=240)
        if done.returncode:
            missing(f"npm could not install the clients: {done.stderr[-300:]}")
    return folder


@pytest.fixture(scope="module")
def told(running: RunningLab, modules: Path) -> dict[str, Any]:
    """Return what the walk told, step by step."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    walked = subprocess.run(
        ["node", "walk.mjs"],
        cwd=modules,
        env={**kept, **running.environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert walked.returncode == 0, walked.stderr
    result: dict[str, Any] = json.loads(walked.stdout)
    return result


def test_no_step_breaks(told: dict[str, Any]) -> None:
    """Every step came to its end."""
    assert told.get("broken") is None


def test_the_investigation_is_the_same(running: RunningLab, told: dict[str, Any]) -> None:
    """Identity, finding, list, oldest event and items, as boto3 tells them."""
    assert told["identity"].endswith(":assumed-role/WSParticipantRole/Participant")
    theirs, ours = told["finding"], running.finding()
    assert theirs["Id"] == ours["Id"]
    assert theirs["Service"]["AdditionalInfo"] == ours["Service"]["AdditionalInfo"]
    assert theirs["Severity"] == 5
    assert theirs["Resource"]["LambdaDetails"]["LastModifiedAt"].endswith("Z")
    assert told["list"]["Status"] == "ACTIVE"
    assert told["oldestEvent"][:2] == ["CreateFunction20150331", "System"]
    assert told["items"] == 10


@pytest.mark.parametrize(
    ("step", "name", "status"),
    [
        ("unknownDetector", "BadRequestException", 400),
        ("tooMany", "BadRequestException", 400),
        ("badLookup", "InvalidNextTokenException", 400),
        ("unknownResource", "ResourceNotDiscoveredException", 400),
        ("throttled", "TooManyRequestsException", 429),
        ("unknownFunction", "ResourceNotFoundException", 404),
        ("badPattern", "InvalidEventPatternException", 400),
        ("missing", "NoSuchKey", 404),
        ("missingHead", "NotFound", 404),
        ("unknownQueue", "QueueDoesNotExist", 400),
    ],
)
def test_errors_are_the_client_s_own_exceptions(told: dict[str, Any], step: str, name: str, status: int) -> None:
    """The SDK makes of each error the exception that it makes of AWS's."""
    assert (told[step]["name"], told[step]["status"]) == (name, status)


def test_functions_run_and_are_contained(told: dict[str, Any]) -> None:
    """An invocation with its log's tail, the code's download, concurrency, the rule."""
    assert told["invoked"]["status"] == 200
    assert told["invoked"]["log"].startswith("START RequestId")
    assert (told["codeStatus"], told["concurrency"], told["rule"], told["failedEntries"]) == (200, 0, "ENABLED", 0)
    assert told["stacks"] >= 3


def test_objects_of_every_kind_come_back_as_they_were(told: dict[str, Any]) -> None:
    """Odd keys, an empty folder, a stream in signed chunks with a trailer, parts, a range, a copy, presigned URLs."""
    assert len(told["keys"]) == 7
    for key, body in told["keys"]:
        assert body == ("" if key.endswith("/") else f"body of {key}")
    assert told["listed"] == sorted(key for key, _ in told["keys"])
    assert told["stream"] == {"whole": True, "colour": "blue"}
    assert told["head"] == {"length": 300_000, "encoding": None}
    assert (told["range"], told["copy"]) == ("56789", "body of with space")
    assert (told["presignedPut"], told["presignedGet"]) == (200, "by URL")
    assert told["deleted"] == 7


def test_cloudwatch_speaks_cbor(told: dict[str, Any]) -> None:
    """Metrics of the function's runs, one's own, an alarm, an error: numbers and times keep their types."""
    assert told["metrics"] >= 1
    assert told["invocations"] > 10
    assert told["isDate"] is True
    assert told["alarm"] == 1
    assert told["badMetric"]["status"] == 400


def test_a_long_poll_returns_with_the_message(told: dict[str, Any]) -> None:
    """It waits for a message that comes, and no longer."""
    assert told["longPoll"]["body"] == "late"
    assert 500 < told["longPoll"]["milliseconds"] < 8000
