"""What is left of the walls on other kernels and platforms, tried here by pretending to be one."""

import datetime
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.functions import Environments, FunctionSpec, Invocation, Outcome, host
from simulator.functions import environments as pool_module
from simulator.functions.model import Cold

NOW = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
needs_kernel = pytest.mark.skipif(not host.has_kernel_walls(), reason="these walls are Linux's")


def boot_with(patch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every child run `patch` before anything else of it does."""
    before, found, after = pool_module._BOOT.partition("from _lab.{} import")
    assert found
    monkeypatch.setattr(pool_module, "_BOOT", before + patch + found + after)


@pytest.fixture(params=["forks", "does not fork"])
def weak(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Environments]:
    """A pool on a platform without kernel walls, one that forks like macOS and one that does not like Windows."""
    monkeypatch.setattr(host, "FORKS", request.param == "forks")
    monkeypatch.setattr(host, "has_kernel_walls", lambda: False)
    pool = Environments(folder=tmp_path)
    yield pool
    pool.close()


@pytest.fixture(params=[0, 1, 4])
def old(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Environments]:
    """A pool on a Linux with an older Landlock, or none."""
    boot_with(f"import _lab.seccomp; _lab.seccomp.landlock_version = lambda: {request.param}; ", monkeypatch)
    pool = Environments(folder=tmp_path)
    yield pool
    pool.close()


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Environments]:
    """A pool without kernel walls, whose keeper hears of everything late, as on a busy machine."""
    if not host.FORKS:
        pytest.skip("Windows: nothing forks there, so the function's process has no keeper that could be late")
    monkeypatch.setattr(host, "has_kernel_walls", lambda: False)
    boot_with(
        "import time, _lab.keeper as k; on = k.Keeper._wait; k.Keeper._wait = lambda *a: time.sleep(0.3) or on(*a); ",
        monkeypatch,
    )
    pool = Environments(folder=tmp_path)
    yield pool
    pool.close()


def spec(code: str) -> FunctionSpec:
    """Return a function with `code`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", code)
    return FunctionSpec(
        key="lab/weak",
        code_zip=packed.getvalue(),
        code_sha256=str(hash(code)),
        runtime="python3.12",
        handler="app.handler",
        timeout_s=3,
        memory_mb=128,
        environment={},
        function_name="f",
        function_arn="arn",
        version="1",
        log_group="g",
        region="us-east-1",
        account_id="123456789012",
    )


def run(pool: Environments, code: str, event: object = None, minutes: int = 0) -> Outcome:
    """Run `code` once."""
    now = NOW + datetime.timedelta(minutes=minutes)
    return pool.run(spec(code), Invocation(request_id="r", payload=json.dumps(event).encode(), now=now))


def test_python_code_is_recorded_and_refused(weak: Environments) -> None:
    """Connections of sockets and libraries are told and time out, in lab time."""
    code = """
import socket, time, urllib.request
def attempt(action):
    try: action()
    except TimeoutError as failed: return failed.errno
    except OSError as failed: return failed.reason.errno
def handler(event, context):
    time.sleep(1)
    return [
        attempt(lambda: socket.socket().connect(("198.51.100.7", 443))),
        attempt(lambda: urllib.request.urlopen("http://203.0.113.5/")),
        attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("198.51.100.9", 514))),
    ]
"""
    outcome = run(weak, code)
    assert json.loads(outcome.payload) == [110, 110, 110], outcome
    assert [(each.ip, each.port, each.protocol) for each in outcome.connections] == [
        ("198.51.100.7", 443, "TCP"),
        ("203.0.113.5", 80, "TCP"),
        ("198.51.100.9", 514, "UDP"),
    ]
    assert all(1000 <= each.offset_ms < 3000 for each in outcome.connections)


def test_subprocesses_foreign_code_and_names_are_refused(weak: Environments) -> None:
    """What would pass the hook by is not possible at all."""
    code = """
import os, socket, subprocess, sys
def handler(event, context):
    refused = []
    for attempt in (lambda: subprocess.run([sys.executable]), lambda: os.system("true"), lambda: os.fork(),
                    lambda: __import__("ctypes").CDLL(None), lambda: os.kill(os.getppid(), 0),
                    lambda: socket.getaddrinfo("malicious.example", 443)):
        try: attempt()
        except OSError: refused.append(True)
    return len(refused)
"""
    assert run(weak, code).payload == b"6"


def test_runs_end_and_the_next_one_works(weak: Environments) -> None:
    """Timeouts, exits and crashes are told as on Linux, and nothing is left over."""
    assert run(weak, "import time\ndef handler(event, context): time.sleep(9)").status == "timeout"
    assert run(weak, "import sys\ndef handler(event, context): sys.exit(3)").status == "exited"
    assert run(weak, "import os\ndef handler(event, context): os._exit(3)").status == "exited"
    assert run(weak, "def handler(event, context): return 1 / 0").status == "error"
    started = time.monotonic()
    assert run(weak, "def handler(event, context):\n    while True: pass").status == "timeout"
    assert time.monotonic() - started < 30
    counting = "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    return n"
    assert [run(weak, counting).payload for _ in range(3)] == [b"1", b"2", b"3"]


def test_dry_runs_leave_the_warm_process_alone(weak: Environments) -> None:
    """With a fork or in a process of its own."""
    code = """
import datetime, socket
n = 0
def handler(event, context):
    global n
    n += 1
    if datetime.datetime.now().hour == 13:
        try: socket.socket().connect(("198.51.100.7", 443))
        except OSError: pass
    return n
"""
    run(weak, code)
    moments = [NOW + datetime.timedelta(minutes=each) for each in (30, 90)]
    coming = [Invocation(request_id="r", payload=b"null", now=moment) for moment in moments]
    look = weak.rehearse(spec(code), coming, samples=2, budget_s=10)
    assert look.determinable
    assert [bool(found) for found in look.connections] == [False, True]
    assert run(weak, code).payload == b"2"


@pytest.mark.parametrize("cold", ["", "once", "each"])
def test_a_keeper_that_listens_late_knows_when_a_connection_was_made(cold: Cold, late: Environments) -> None:
    """On a busy machine it hears of a connection when the dry run is invocations further, or over, and its process gone."""
    code = """
import datetime, socket
def handler(event, context):
    if datetime.datetime.now().hour == 13:
        try: socket.socket().connect(("198.51.100.7", 443))
        except OSError: pass
"""
    moments = [NOW + datetime.timedelta(minutes=each) for each in (30, 90, 150, 210)]
    coming = [Invocation(request_id="r", payload=b"null", now=moment) for moment in moments]
    look = late.rehearse(spec(code), coming, samples=1, budget_s=30, cold=cold)
    assert [len(found) for found in look.connections] == [0, 1, 0, 0], look


def test_what_a_keeper_hears_late_of_a_run_that_is_over_counts_too(late: Environments) -> None:
    """The run connected and ended its process before anybody listened."""
    code = """
import os, socket
def handler(event, context):
    try: socket.socket().connect(("198.51.100.7", 443))
    except OSError: pass
    os._exit(3)
"""
    outcome = run(late, code)
    assert outcome.status == "exited"
    assert [each.ip for each in outcome.connections] == ["198.51.100.7"]


def test_a_handler_that_tampers_with_its_place_in_a_dry_run_hides_nothing(weak: Environments) -> None:
    """It shares the page that says which invocation runs; a place that is none counts for the last."""
    code = """
import gc, mmap, socket, struct
def handler(event, context):
    for holder in gc.get_objects():
        if type(holder).__module__.startswith("_lab"):
            for page in [value for value in vars(holder).values() if isinstance(value, mmap.mmap)]:
                struct.pack_into("q", page, 16, 99)
    try: socket.socket().connect(("198.51.100.7", 443))
    except OSError: pass
"""
    coming = [Invocation(request_id="r", payload=b"null", now=NOW) for _ in range(2)]
    look = weak.rehearse(spec(code), coming, samples=1, budget_s=20)
    assert any(look.connections), look


def test_what_is_missing_is_said(weak: Environments) -> None:
    """The walls' description does not promise what is not there."""
    walls = weak.walls()
    assert not walls.kernel
    assert "audit hook" in walls.recorded
    assert walls.blocked


@needs_kernel
def test_older_kernels_record_and_block_all_the_same(old: Environments) -> None:
    """Connections and signals do not depend on Landlock."""
    code = """
import os, socket, subprocess, sys
def handler(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    child.kill()
    refused = []
    for pid in (os.getppid(), event, -1):
        try: os.kill(pid, 9)
        except OSError: refused.append(pid)
    return [socket.socket().connect_ex(("198.51.100.7", 443)), len(refused), child.wait()]
"""
    outcome = run(old, code, os.getpid())
    assert json.loads(outcome.payload) == [110, 3, -9], outcome
    assert [each.ip for each in outcome.connections] == ["198.51.100.7"]


@needs_kernel
def test_a_kernel_that_refuses_its_walls_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a container forbids the filter, functions still run, and `walls()` says what is left."""
    boot_with("import _lab.seccomp; del _lab.seccomp.confine; ", monkeypatch)
    pool = Environments(folder=tmp_path)
    assert pool.walls().kernel
    assert run(pool, "def handler(event, context): return 1").payload == b"1"
    assert not pool.walls().kernel
    pool.close()


def test_the_walls_here_are_described(tmp_path: Path) -> None:
    """For `lab doctor`: one clause for what is recorded, one for what is blocked."""
    pool = Environments(folder=tmp_path)
    walls = pool.walls()
    assert walls.kernel == host.has_kernel_walls()
    assert walls.recorded and walls.blocked
    pool.close()
