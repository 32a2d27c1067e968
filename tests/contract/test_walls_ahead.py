"""Processes that are started before it is known which function they will keep."""

import datetime
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.functions import Environments, FunctionSpec, Invocation
from tests.contract.test_walls import invocation, spec
from tests.contract.test_walls_fallback import boot_with, needs_kernel


def run(pool: Environments, key: str) -> bytes:
    """Run a function of its own and return what it says."""
    return pool.run(spec(f"def handler(event, context): return {key!r}", key=key), invocation()).payload


def kept(folder: Path) -> int:
    """Return how many functions' folders there are."""
    return len(list(folder.glob("lab-functions-*/f-*")))


def test_functions_take_the_processes_that_wait_and_what_is_left_over_ends(tmp_path: Path) -> None:
    """A function that needs one when none is left gets a new one; the others go with the end of the time they were meant for."""
    pool = Environments(folder=tmp_path)
    with pool.ahead(2):
        waiting = {launched.process.pid for launched in pool._waiting}
        assert [run(pool, key) for key in ("a", "b", "c")] == [b'"a"', b'"b"', b'"c"']
        taken = {environment._launched.process.pid for environment in pool._live.values() if environment._launched}
        assert waiting < taken and len(taken) == 3
    with pool.ahead(3):
        assert kept(tmp_path) == 6
    assert kept(tmp_path) == 3
    pool.close()
    assert kept(tmp_path) == 0


def test_those_that_died_while_they_waited_are_no_ones(tmp_path: Path) -> None:
    """The function gets one that lives, however many did not."""
    pool = Environments(folder=tmp_path)
    with pool.ahead(3):
        for launched in pool._waiting:
            launched.process.kill()
            launched.process.wait()
        assert run(pool, "a") == b'"a"'
    pool.close()


@needs_kernel
def test_where_the_kernel_refuses_its_walls_those_that_wait_to_put_them_up_are_done_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first one finds out; the next function's has an audit hook instead."""
    boot_with("import _lab.seccomp; del _lab.seccomp.confine; ", monkeypatch)
    pool = Environments(folder=tmp_path)
    with pool.ahead(3):
        assert [run(pool, key) for key in ("a", "b")] == [b'"a"', b'"b"']
    pool.close()


def test_a_new_configuration_does_not_wait_for_the_end_of_the_older_process_and_it_ends(tmp_path: Path) -> None:
    """The run is the new one's, and nothing is left of the old one."""
    pool = Environments(folder=tmp_path)
    assert run(pool, "a") == b'"a"'
    changed: FunctionSpec = spec("def handler(event, context): return 'new'", key="a")
    asked = Invocation(request_id="r", payload=b"null", now=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    assert pool.run(changed, asked).payload == b'"new"'
    end = time.monotonic() + 20
    while kept(tmp_path) > 1 and time.monotonic() < end:
        time.sleep(0.02)
    assert kept(tmp_path) == 1
    pool.close()
    assert kept(tmp_path) == 0


def test_nothing_is_left_of_those_that_waited_when_the_simulator_was_killed(tmp_path: Path) -> None:
    """They notice by themselves, as those with a function do."""
    code = (
        "import os, pathlib, signal, sys; from simulator.functions import Environments;"
        " pool = Environments(folder=pathlib.Path(sys.argv[1])); ahead = pool.ahead(2); ahead.__enter__();"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    end = time.monotonic() + 20
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    assert list(tmp_path.iterdir()) == []
