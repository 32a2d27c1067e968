"""What goes wrong around a lab: each time one clear sentence, the documented exit code, no traceback, and nothing lost."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import BIN, LabCommand, NewLab, missing

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
REAL_LOOKING = ("AKIAQYLPMN5HFIQR7XYA", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ8Wv3TkLm")


def one_sentence(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Assert that stderr's last line says `words`, and that nothing of Python shows."""
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("lab: ") or len(last) < 400
    for word in words:
        assert word in done.stderr, done.stderr


def user_of(lab: LabCommand) -> list[str]:
    """Return the names of users that the account owner sees."""
    return sorted(user["UserName"] for user in lab.aws("iam", "list-users")["Users"])


def process_of(lab: LabCommand) -> int:
    """Return the simulator's process."""
    return int(json.loads((lab.home / "server.json").read_text("utf-8"))["pid"])


def gone(pid: int) -> bool:
    """Return whether a process has ended, waiting for it a while."""
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def battered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCommand]:
    """Return a started lab for tests of what happens to its process or its file about it; each leaves it running."""
    lab = LabCommand(tmp_path_factory.mktemp("battered"))
    lab.start("--seed", "edges", "--history", "1h")
    yield lab
    lab("stop", code=None)


def test_starting_twice_and_stopping_twice(new_lab: NewLab) -> None:
    """Each says how it stands and is no failure; the state is kept over the stop."""
    lab = new_lab()
    first = lab.start("--seed", "edges")
    again = lab("start")
    assert "running already" in again.stderr
    assert first["endpoint_url"] in again.stdout
    before = lab.count()
    lab("stop")
    assert "not running" in lab("stop").stderr
    assert "Going on with the lab" in lab("start", "--port", "0").stderr
    assert lab.count() >= before
    other = lab("start", "--seed", "other")
    assert "running already" in other.stderr


def test_another_seed_does_not_replace_the_lab_that_is_there(new_lab: NewLab) -> None:
    """It is bad usage and says how to replace it, and where else a second lab could live."""
    lab = new_lab()
    lab.start("--seed", "edges", "--history", "1h")
    lab("stop")
    one_sentence(lab("start", "--seed", "other", code=2), "lab reset", "LAB_HOME")


def test_a_busy_port(new_lab: NewLab) -> None:
    """Another port is proposed, and nothing was made."""
    lab = new_lab()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = lab("start", "--port", str(taken.getsockname()[1]), code=3)
    one_sentence(done, "in use", "--port")
    assert not (lab.home / "journal.db").exists()


def test_a_home_that_cannot_be_written(new_lab: NewLab, tmp_path: Path) -> None:
    """LAB_HOME below a file: told, with what to set."""
    (tmp_path / "file").write_text("")
    lab = new_lab("file/home")
    for command in ("start", "reset"):
        one_sentence(lab(command, code=3), "LAB_HOME")


@posix
def test_a_simulator_that_was_killed(battered: LabCommand) -> None:
    """Commands say that none runs; a start goes on with all that was acknowledged."""
    lab = battered
    lab.aws("s3api", "create-bucket", "--bucket", "kept-over-the-kill")
    pid = process_of(lab)
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    one_sentence(lab("check", "--no-input", code=3), "lab start")
    assert json.loads(lab("status", "--json").stdout)["running"] is False
    lab.start()
    assert "kept-over-the-kill" in [each["Name"] for each in lab.aws("s3api", "list-buckets")["Buckets"]]


@posix
def test_a_corrupt_server_file(battered: LabCommand) -> None:
    """It is told; `lab stop` ends the simulator that it still names, and the lab goes on."""
    lab = battered
    pid = process_of(lab)
    for damaged in (f'{{"pid": {pid}, "of_another_version": true}}', f'{{"pid": {pid}, "endpoint_u'):
        (lab.home / "server.json").write_text(damaged)
        one_sentence(lab("status", code=3), "server.json", "lab stop")
        one_sentence(lab("check", "--no-input", code=3), "lab stop")
    assert str(pid) in lab("stop").stderr
    assert gone(pid)
    (lab.home / "server.json").write_text("not JSON")
    lab("stop")
    lab.start()
    assert lab.count() > 0


def test_fields_of_another_version_in_the_server_file_do_no_harm(battered: LabCommand) -> None:
    """What a newer kit tells beside is left out, and the lab is reached."""
    lab = battered
    told = json.loads((lab.home / "server.json").read_text("utf-8"))
    (lab.home / "server.json").write_text(json.dumps({**told, "of_a_newer_version": 1}))
    assert json.loads(lab("status", "--json").stdout)["running"] is True


@posix
def test_a_simulator_that_hangs_is_ended_by_stop(battered: LabCommand) -> None:
    """A stopped process answers nothing: it is not taken for gone, and `lab stop` ends it."""
    lab = battered
    pid = process_of(lab)
    os.kill(pid, signal.SIGSTOP)
    try:
        one_sentence(lab("status", code=3), "does not answer", "lab stop")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert json.loads(lab("status", "--json").stdout)["running"] is True


def damage(path: Path, seq: int) -> None:
    """Change an entry of a journal."""
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET body = replace(body, 'a', 'b') WHERE seq = ?", (seq,))
    db.close()


def test_a_corrupt_journal_is_kept_and_repaired_up_to_the_first_bad_entry(new_lab: NewLab) -> None:
    """The bad entry is named; `lab repair` recovers what comes before it and keeps the damaged file."""
    lab = new_lab()
    lab.start("--seed", "edges", "--history", "1h")
    lab.aws("s3api", "create-bucket", "--bucket", "before-the-damage")
    lab.aws("s3api", "create-bucket", "--bucket", "after-the-damage")
    lab("stop")
    journal = lab.home / "journal.db"
    with sqlite3.connect(journal) as db:
        (bad,) = db.execute("SELECT seq FROM entries WHERE body LIKE '%after-the-damage%'").fetchone()
    db.close()
    damage(journal, bad)
    damaged = journal.read_bytes()
    one_sentence(lab("start", "--port", "0", code=3), f"entry {bad} ", "lab repair", "lab reset")
    assert journal.read_bytes() == damaged
    done = lab("repair")
    assert "recovered up to entry" in done.stdout
    assert (lab.home / "journal.damaged-001.db").read_bytes() == damaged
    assert "nothing was changed" in lab("repair").stdout
    lab.start()
    names = [each["Name"] for each in lab.aws("s3api", "list-buckets")["Buckets"]]
    assert "before-the-damage" in names
    assert "after-the-damage" not in names


def test_a_journal_that_is_no_journal(new_lab: NewLab) -> None:
    """Told with the ways out; a reset works and keeps the file beside the new lab."""
    lab = new_lab()
    lab.home.mkdir()
    (lab.home / "journal.db").write_bytes(b"nothing of the kind" * 1000)
    one_sentence(lab("start", "--port", "0", code=3), "damaged", "lab reset")
    one_sentence(lab("repair", code=3), "lab reset")
    lab("reset", "--yes", "--port", "0")
    assert (lab.home / "journal.damaged-001.db").read_bytes().startswith(b"nothing of the kind")
    assert lab.count() > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("hint", "no-such-task"), 2, ("creator",)),
        (("check", "--no-input", "--malicious-ip", "not-an-ip"), 2, ("192.0.2.1",)),
        (("check", "--no-input", "--creator", "  "), 2, ("empty",)),
        (("advance", "soon"), 2, ("30m",)),
        (("advance", "0s"), 2, ("30m",)),
        (("advance", "91d"), 2, ("90 days",)),
        (("shell", "--", "no-such-program"), 2, ("no-such-program",)),
    ],
)
def test_bad_usage_of_a_running_lab(
    shared_lab: LabCommand, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    """What is wrong and what would be right."""
    one_sentence(shared_lab(*arguments, code=code), *words)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "--no-input"), 3),
        (("hint", "creator"), 3),
        (("advance", "30m"), 3),
        (("env",), 3),
        (("shell", "--", "true"), 3),
        (("open",), 3),
        (("rewind", "30m"), 3),
        (("repair",), 3),
        (("start", "--ip", "999.1.2.3"), 2),
        (("start", "--history", "0h"), 2),
        (("start", "--history", "long"), 2),
        (("rewind",), 2),
        (("verify", "--csv", "--json", "x"), 2),
    ],
)
def test_commands_where_no_lab_runs(new_lab: NewLab, arguments: tuple[str, ...], code: int) -> None:
    """Each says what to do; none makes a lab."""
    lab = new_lab()
    one_sentence(lab(*arguments, code=code))
    assert not (lab.home / "journal.db").exists()


def test_a_simulator_that_dies_at_once_is_told_at_once(new_lab: NewLab, tmp_path: Path) -> None:
    """A child that cannot even import ends the start, with the reason, although another process holds its pipe open."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import subprocess, sys\n"
        "if 'simulator.server' in ' '.join(sys.orig_argv):\n"
        "    subprocess.Popen(['sleep', '20'])\n"
        "    raise SystemExit('this Python is broken on purpose')\n"
    )
    lab = new_lab(PYTHONPATH=str(broken))
    began = time.monotonic()
    done = lab("start", "--port", "0", code=3)
    assert time.monotonic() - began < 15
    one_sentence(done, "starting the simulator")


def test_a_lab_is_paused_and_goes_on(new_lab: NewLab) -> None:
    """Over a restart its time stands still but for advances, and polls and waits come to their end there."""
    lab = new_lab()
    lab.start("--seed", "edges", "--history", "1h", "--paused")
    stands = json.loads(lab("status", "--json").stdout)["lab_time"]
    url = lab.aws("sqs", "create-queue", "--queue-name", "q", "--attributes", "ReceiveMessageWaitTimeSeconds=2")[
        "QueueUrl"
    ]
    assert lab.aws("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "1") is None
    assert lab.aws("sqs", "receive-message", "--queue-url", url) is None
    lab("stop")
    assert "stands still" in lab("start", "--port", "0").stderr
    assert json.loads(lab("status", "--json").stdout)["lab_time"] == stands
    before = lab.count()
    lab("advance", "30m")
    assert lab.count() == before + 3
    lab("start", "--no-paused")
    assert json.loads(lab("status", "--json").stdout)["paused"] is False


def test_a_rewound_lab_is_what_it_was_and_the_other_is_kept(new_lab: NewLab) -> None:
    """By an entry's number: the fix is undone, the branch goes on by itself, and the rewind can be taken back."""
    lab = new_lab()
    lab.start("--seed", "edges", "--history", "2h")
    lab.aws("s3api", "create-bucket", "--bucket", "before-the-moment")
    seq = json.loads(lab("status", "--json").stdout)["entries"]
    lab.aws("lambda", "delete-function", "--function-name", "traffic-simulation")
    assert f"entry {seq} of" in lab("rewind", str(seq)).stdout
    lab.start()
    assert lab.aws("lambda", "get-function-configuration", "--function-name", "traffic-simulation")
    assert "before-the-moment" in [each["Name"] for each in lab.aws("s3api", "list-buckets")["Buckets"]]
    before = lab.count()
    lab("advance", "30m")
    assert lab.count() == before + 3
    lab("rewind", "--undo")
    lab.start()
    gone_again = lab(
        "shell", "--", "aws", "lambda", "get-function-configuration", "--function-name", "traffic-simulation", code=None
    )
    assert "ResourceNotFoundException" in gone_again.stderr
    one_sentence(lab("rewind", "1", code=2), "history")
    one_sentence(lab("rewind", "99999999", code=2), "nothing happened after")
    one_sentence(lab("rewind", "2026-13-45T00:00:00Z", code=2), "2026-11-24T10:20:00Z")


def test_a_reset_that_fails_gives_the_lab_back(new_lab: NewLab) -> None:
    """The new lab cannot listen: the old one is there as it was."""
    lab = new_lab()
    lab.start("--seed", "edges", "--history", "1h")
    lab.aws("s3api", "create-bucket", "--bucket", "kept-over-the-reset")
    lab("stop")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        one_sentence(lab("reset", "--yes", "--port", str(taken.getsockname()[1]), code=3), "--port")
    lab.start()
    assert "kept-over-the-reset" in [each["Name"] for each in lab.aws("s3api", "list-buckets")["Buckets"]]


@contextmanager
def sink() -> Iterator[tuple[str, list[bytes]]]:
    """Listen on loopback, as a proxy or an endpoint from outside would; yield its address and what came in."""
    came: list[bytes] = []
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0.2)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listening.accept()
                except TimeoutError:
                    continue
                connection.settimeout(1)
                with connection:
                    came.append(connection.recv(1000))

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", came
        stop.set()
        thread.join()


def test_a_hostile_environment_reaches_nothing_but_the_lab(new_lab: NewLab, tmp_path: Path) -> None:
    """Proxies, a profile, a service's endpoint and real-looking credentials outside: untouched, unused, never written down."""
    key, secret = REAL_LOOKING
    config = tmp_path / "config"
    with sink() as (address, came):
        config.write_text(
            f"[profile outside]\nregion = eu-west-1\nendpoint_url = {address}\n"
            f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
        )
        lab = new_lab(
            HTTP_PROXY=address, HTTPS_PROXY=address, http_proxy=address, ALL_PROXY=address, AWS_PROFILE="outside",
            AWS_CONFIG_FILE=str(config), AWS_ENDPOINT_URL_GUARDDUTY=address, AWS_ENDPOINT_URL=address,
            AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true", AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret,
            AWS_SESSION_TOKEN="outside-token", AWS_CA_BUNDLE="/nowhere", AWS_REGION="eu-west-1",
        )  # fmt: skip
        told = lab.start("--seed", "edges", "--history", "1h")
        identity = lab.aws("sts", "get-caller-identity")
        assert identity["Account"] == told["account_id"]
        assert lab.aws("guardduty", "list-detectors")["DetectorIds"]
        assert lab.check("--creator", "WSSystemRole")["tasks"]
        text = lab("env", "--shell", "sh").stdout
        assert "unset AWS_ENDPOINT_URL_GUARDDUTY" in text
        assert "unset AWS_PROFILE" in text
        # whoever sends a real-looking key to the lab all the same: it acts as the trainee and is not kept
        named = {**lab.env(), "AWS_ENDPOINT_URL": told["endpoint_url"], "NO_PROXY": "127.0.0.1"}
        for name in ("AWS_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE"):
            del named[name]
        made = subprocess.run(
            [BIN / "aws", "s3api", "create-bucket", "--bucket", "by-a-real-looking-key"], env=named, capture_output=True, text=True
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        lab("stop")
    assert came == []
    kept = b"".join(file.read_bytes() for file in lab.home.rglob("*") if file.is_file())
    assert b"by-a-real-looking-key" in kept
    for trace in (key, secret, "outside-token"):
        assert trace.encode() not in kept


@pytest.mark.parametrize(
    "arguments",
    [("sqs", "list-queues"), ("rds", "describe-db-instances"), ("emr", "list-clusters"), ("health", "describe-events")],
)
def test_services_for_which_the_cli_knows_an_address_of_its_own_stay_in_the_lab(
    shared_lab: LabCommand, arguments: tuple[str, ...]
) -> None:
    """Version 1 of the AWS CLI takes these to amazonaws.com although AWS_ENDPOINT_URL names the lab."""
    done = shared_lab("shell", "--", "aws", *arguments, "--debug", code=None)
    connections = set(
        re.findall(r"(?:Starting new HTTPS? connection.*?: |Making request .*?'url': ')(\S+)", done.stderr)
    )
    assert connections
    assert all("127.0.0.1" in each for each in connections), connections


def test_what_else_would_go_out_of_the_shell_is_refused(shared_lab: LabCommand) -> None:
    """boto3 with an address of its own choosing: the lab is its proxy and lets nothing through."""
    code = (
        "import boto3, botocore.config\n"
        "config = botocore.config.Config(retries={'total_max_attempts': 1})\n"
        "boto3.client('sqs', endpoint_url='https://sqs.us-east-1.amazonaws.com', config=config).list_queues()\n"
    )
    done = shared_lab("shell", "--", "python", "-c", code, code=None)
    assert "ProxyConnectionError" in done.stderr, done.stderr[-500:]


def test_help_imports_no_sdk() -> None:
    """`lab --help` pays for typer alone."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "lab", "--help"], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"boto3", "botocore", "moto", "pydantic", "yaml", "troposphere", "flask", "sqlite3"}
    cut_off = [line for line in done.stdout.splitlines()[1:] if line.endswith("...")]
    assert cut_off == []  # eighty columns wide


@posix
def test_an_interactive_shell_is_in_the_lab(shared_lab: LabCommand, tmp_path: Path) -> None:
    """bash on a terminal: the prompt names the lab, and what the user's own start-up file exports does not lead out."""
    import pty

    bash = shutil.which("bash")
    if bash is None:
        missing("there is no bash here")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bashrc").write_text("export AWS_PROFILE=outside HTTPS_PROXY=http://127.0.0.1:9\n")
    env = {
        **shared_lab.env(),
        "SHELL": bash,
        "HOME": str(home),
        "TERM": "dumb",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    }
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [BIN / "lab", "shell"], env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    os.write(
        ours,
        b'aws sts get-caller-identity --query Account; echo "profile=[$AWS_PROFILE$HTTPS_PROXY$AWS_ENDPOINT_URL_S3]"; exit\n',
    )
    seen = b""
    while True:
        try:
            got = os.read(ours, 4096)
        except OSError:  # the terminal is closed when the shell ends
            break
        if not got:
            break
        seen += got
    os.close(ours)
    assert process.wait(30) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode("utf-8", "replace"))
    status = json.loads(shared_lab("status", "--json").stdout)
    assert f"(lab {status['lab_id']})" in text
    assert f'"{status["account_id"]}"' in text
    assert f"profile=[{status['endpoint_url']}]" in text  # HTTPS goes to the lab, which refuses it
