"""Dry runs of functions in real processes: they tell what would be connected to, and change nothing."""

import datetime
import io
import json
import time
import zipfile
from collections.abc import Iterator, Sequence

import pytest

from simulator.functions import Environments, FunctionSpec, Invocation, Rehearsal
from simulator.functions.host import has_kernel_walls

pytestmark = pytest.mark.skipif(not has_kernel_walls(), reason="these walls are Linux's")

MIDNIGHT = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
DIAL = """
import socket
def dial(ip):
    socket.socket().connect_ex((ip, 443))
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """One pool for all tests of this module."""
    pool = Environments(folder=tmp_path_factory.mktemp("functions"))
    yield pool
    pool.close()


def function(environments: Environments, code: str) -> FunctionSpec:
    """Return a function with `code`, without a warm process yet."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", DIAL + code)
    environments.forget("lab/rehearsed")
    return FunctionSpec(
        key="lab/rehearsed",
        code_zip=packed.getvalue(),
        code_sha256=str(hash(code)),
        runtime="python3.13",
        handler="app.handler",
        timeout_s=3,
        memory_mb=128,
        environment={},
        function_name="f",
        function_arn="arn:aws:lambda:us-east-1:123456789012:function:f",
        version="$LATEST",
        log_group="/aws/lambda/f",
        region="us-east-1",
        account_id="123456789012",
    )


def at(minutes: int, event: object = None) -> Invocation:
    """Return an invocation `minutes` after midnight."""
    now = MIDNIGHT + datetime.timedelta(minutes=minutes)
    return Invocation(request_id=f"r{minutes}", payload=json.dumps(event).encode(), now=now)


def day() -> list[Invocation]:
    """Return the invocations of a day, one every ten minutes."""
    return [at(minutes) for minutes in range(0, 24 * 60, 10)]


def hits(rehearsal: Rehearsal) -> list[int]:
    """Return the places of the invocations that would connect to anything."""
    return [place for place, found in enumerate(rehearsal.connections) if found]


def test_each_invocation_of_a_day_is_judged_at_its_own_time(environments: Environments) -> None:
    """A handler that connects at odd hours only is found out, whether or not it is warm."""
    spec = function(
        environments,
        "import datetime\ndef handler(event, context):\n    if datetime.datetime.now().hour == 3: dial('198.51.100.7')",
    )
    cold = environments.rehearse(spec, day(), samples=2, budget_s=20)
    assert cold.determinable, cold
    assert hits(cold) == list(range(18, 24))
    environments.run(spec, at(0))
    assert hits(environments.rehearse(spec, day(), samples=2, budget_s=20)) == list(range(18, 24))


COUNTING = """
import os
runs = 0
def handler(event, context):
    global runs
    runs += 1
    with open("/tmp/runs", "a") as file: file.write("x")
    if runs % 5 == 0: dial("198.51.100.7")
    return [runs, os.stat("/tmp/runs").st_size, os.listdir("/tmp")]
"""


def test_a_handler_that_counts_is_judged_right_and_goes_on_counting(environments: Environments) -> None:
    """The dry run starts from the warm state, memory and files, and a hundred of them leave it as it is."""
    spec = function(environments, COUNTING)
    for minutes in (0, 10, 20):
        environments.run(spec, at(minutes))
    for _ in range(20):
        rehearsal = environments.rehearse(spec, [at(30), at(40), at(50)], samples=2, budget_s=10)
        assert rehearsal.determinable, rehearsal
        assert hits(rehearsal) == [1]
    real = [environments.run(spec, at(minutes)) for minutes in (30, 40, 50)]
    assert [json.loads(outcome.payload) for outcome in real] == [[n, n, ["runs"]] for n in (4, 5, 6)]
    assert [bool(outcome.connections) for outcome in real] == [False, True, False]


def test_the_first_sample_draws_what_the_process_will_draw(environments: Environments) -> None:
    """Random choices are foretold from the process's own generator; other samples show what else may happen."""
    spec = function(
        environments,
        "import random\nrandom.seed(7)\ndef handler(event, context):\n"
        "    ip = f'198.51.100.{random.randrange(256)}'\n    dial(ip)\n    return ip",
    )
    environments.run(spec, at(0))
    one = environments.rehearse(spec, [at(10)], samples=1, budget_s=5)
    many = environments.rehearse(spec, [at(10)], samples=4, budget_s=20)
    real = environments.run(spec, at(10))
    assert [each.ip for each in one.connections[0]] == [json.loads(real.payload)]
    assert len({each.ip for each in many.connections[0]}) > 1
    assert json.loads(real.payload) in {each.ip for each in many.connections[0]}


def test_an_invocation_that_ends_its_process_is_followed_by_a_cold_start(environments: Environments) -> None:
    """What the handler counted is gone after a crash, so it never gets to its tenth run."""
    spec = function(
        environments,
        "import os\nruns = 0\ndef handler(event, context):\n    global runs\n    runs += 1\n"
        "    if runs == 10: dial('198.51.100.7')\n    if runs == 3: os._exit(1)",
    )
    rehearsal = environments.rehearse(spec, day()[:30], samples=1, budget_s=20)
    assert rehearsal.determinable, rehearsal
    assert hits(rehearsal) == []
    assert len(rehearsal.connections) == 30


def test_loading_the_handler_counts_for_the_first_invocation(environments: Environments) -> None:
    """Code beside the handler connects once, at the cold start, in the dry run and then in the real one."""
    spec = function(environments, "dial('203.0.113.5')\ndef handler(event, context): return 1")
    environments.prepare(spec)
    assert hits(environments.rehearse(spec, [at(0), at(10)], samples=1, budget_s=10)) == [0]
    first, second = environments.run(spec, at(0)), environments.run(spec, at(10))
    assert [each.ip for each in first.connections] == ["203.0.113.5"]
    assert second.connections == ()
    assert hits(environments.rehearse(spec, [at(20)], samples=1, budget_s=10)) == []


def test_sleeping_past_the_timeout_hides_nothing_and_costs_nothing(environments: Environments) -> None:
    """What comes after a sleep that is too long never happens; after a short one it does."""
    code = "import time\ndef handler(event, context):\n    time.sleep(event)\n    dial('198.51.100.7')"
    spec = function(environments, code)
    started = time.monotonic()
    rehearsal = environments.rehearse(spec, [at(0, 2), at(10, 60), at(20, 2.5)], samples=1, budget_s=30)
    assert hits(rehearsal) == [0, 2]
    assert rehearsal.connections[0][0].offset_ms >= 2000
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("end", ["time.sleep(900)", "os._exit(1)", "sys.exit()", "bytearray(1 << 30)"])
@pytest.mark.parametrize("warm", [False, True])
def test_a_day_of_runs_that_all_end_their_process_can_be_foretold(
    environments: Environments, end: str, warm: bool
) -> None:
    """Each is followed by a cold start, which is cheap, so that what comes before the end is seen for the whole day."""
    code = (
        "import os, sys, time\ndef handler(event, context):\n    if event == 'warm': return 1\n"
        f"    if event: dial('198.51.100.7')\n    {end}\n    dial('203.0.113.1')"
    )
    spec = function(environments, code)
    if warm:
        environments.run(spec, at(0, "warm"))
    coming = [at(minutes, minutes % 60 == 0) for minutes in range(10, 24 * 60, 10)]
    rehearsal = environments.rehearse(spec, coming, samples=1, budget_s=30)
    assert rehearsal.determinable, rehearsal
    assert hits(rehearsal) == list(range(5, 143, 6))
    assert {each.ip for found in rehearsal.connections for each in found} == {"198.51.100.7"}


def test_a_handler_that_never_ends_is_not_determinable(environments: Environments) -> None:
    """The budget ends it, what was seen until then stands, and the warm process is as it was."""
    code = "runs = 0\ndef handler(event, context):\n    global runs\n    runs += 1\n    dial('198.51.100.7')\n    while event: pass\n    return runs"
    spec = function(environments, code)
    environments.run(spec, at(0))
    started = time.monotonic()
    rehearsal = environments.rehearse(spec, [at(10), at(20, "loop"), at(30)], samples=2, budget_s=1)
    assert time.monotonic() - started < 6
    assert not rehearsal.determinable
    assert "used up" in rehearsal.why
    assert hits(rehearsal)[:2] == [0, 1]
    assert json.loads(environments.run(spec, at(40)).payload) == 2


def test_background_work_of_the_warm_process_is_not_the_dry_runs(environments: Environments) -> None:
    """A thread that the real process left running is not blamed on the invocations that are tried out."""
    code = """
import threading, time
def background():
    while True: dial("203.0.113.99")
def handler(event, context):
    if event: threading.Thread(target=background, daemon=True).start()
"""
    spec = function(environments, code)
    environments.run(spec, at(0, "start"))
    rehearsal = environments.rehearse(spec, [at(10), at(20)], samples=1, budget_s=5)
    assert hits(rehearsal) == []


def test_an_unknown_runtime_is_not_determinable(environments: Environments) -> None:
    """What is not run cannot be foretold, and the answer says so."""
    spec = function(environments, "")
    changed = {name: getattr(spec, name) for name in FunctionSpec.__dataclass_fields__} | {"runtime": "nodejs22.x"}
    rehearsal = environments.rehearse(FunctionSpec(**changed), [at(0)], samples=1, budget_s=1)
    assert not rehearsal.determinable
    assert "nodejs22.x" in rehearsal.why


def run_all(environments: Environments, spec: FunctionSpec, invocations: Sequence[Invocation]) -> list[int]:
    """Return the places of the invocations that really connect."""
    return [place for place, each in enumerate(invocations) if environments.run(spec, each).connections]


def test_what_was_foretold_is_what_then_happens(environments: Environments) -> None:
    """State, time and sleep together: the dry run of a day agrees with the day."""
    spec = function(
        environments,
        "import time\nlast = 0\ndef handler(event, context):\n    global last\n"
        "    if time.time() - last > 3600 and time.gmtime().tm_hour % 2:\n        dial('198.51.100.7')\n        last = time.time()\n"
        "    time.sleep(1)",
    )
    environments.run(spec, at(0))
    coming = day()[1:]
    foretold = hits(environments.rehearse(spec, coming, samples=2, budget_s=30))
    assert foretold
    assert foretold == run_all(environments, spec, coming)
