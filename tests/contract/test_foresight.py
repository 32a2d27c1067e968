"""Looking ahead: it changes nothing, leaves no run out, blocks nobody, and says when it cannot tell."""

import gc
import io
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lab import TrialBench, benches
from simulator import foresight
from simulator.foresight import acts_when_loaded, look_ahead
from simulator.functions import FunctionSpec, Invocation, Rehearsal
from simulator.world import Lab
from tests.e2e.trial import FUNCTION, SCENARIO, SEED, Trial

Opener = Callable[[], AbstractContextManager[TrialBench]]
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
COUNTING = """
import os
runs = 0
def handler(event, context):
    global runs
    runs += 1
    with open('/tmp/runs', 'a') as file: file.write('x')
    if runs % 4 == 0 or os.stat('/tmp/runs').st_size % 7 == 0: dial(BAD)
"""


@pytest.fixture(scope="module")
def opened() -> Iterator[Opener]:
    """Return what opens fresh labs, one at a time."""
    with benches(SCENARIO, SEED) as opener:
        yield opener


@pytest.fixture
def trial(opened: Opener) -> Iterator[Trial]:
    """Return a fresh lab."""
    with opened() as bench:
        yield Trial(bench)


def lab_of(trial: Trial) -> Lab:
    """Return the lab itself."""
    return trial.bench.here.lab


def next_runs(trial: Trial, count: int = 40) -> list[bool]:
    """Let that many runs happen; return which of them connected."""
    runs = []
    for _ in range(count):
        trial.flows.clear()
        trial.advance(minutes=10)
        runs.append(any(trial.listed(flow.ip) for flow in trial.flows))
    return runs


def test_a_hundred_looks_change_nothing(opened: Opener) -> None:
    """State digest, journal, finding and the coming real runs are those of a twin that nobody looked ahead in."""
    runs = []
    for looks in (0, 100):
        with opened() as bench:
            trial = Trial(bench)
            trial.code(COUNTING)
            trial.advance(minutes=30)
            lab = lab_of(trial)
            lab.pause(True)
            lab.tick()
            before = (lab.state_digest(), lab.journal.next_seq, lab.clock.now())
            for _ in range(looks):
                look_ahead(lab, HOUR / 2)
            assert (lab.state_digest(), lab.journal.next_seq, lab.clock.now()) == before
            lab.pause(False)
            runs.append(next_runs(trial, 12))
    assert runs[0] == runs[1]
    assert True in runs[0]
    assert False in runs[0]


def test_what_is_foretold_is_what_happens_first(trial: Trial) -> None:
    """For a handler that counts in memory and on disk: the moment of its next connection, to the second."""
    trial.code(COUNTING)
    trial.advance(minutes=20)
    lab = lab_of(trial)
    foretold = next(each for each in look_ahead(lab, DAY)["connections"] if each["ip"] == trial.ip)
    while not any(flow.ip == trial.ip for flow in trial.flows):
        trial.advance(minutes=10)
    happened = next(flow for flow in trial.flows if flow.ip == trial.ip)
    assert f"{happened.at:%Y-%m-%dT%H:%M}" == foretold["at"][:16]


@pytest.mark.parametrize("hour", [5, 13, 23])
def test_one_run_a_minute_is_looked_through_to_the_last_hour(trial: Trial, hour: int) -> None:
    """1,440 runs a day and a connection in the minutes of one: found, whichever hour it is."""
    trial.aws("events").put_rule(Name="traffic-simulation-schedule", ScheduleExpression="rate(1 minute)")
    trial.code(
        f"import time\ndef handler(event, context):\n    if time.gmtime().tm_hour == {hour} and time.gmtime().tm_min == 59: dial(BAD)"
    )
    outlook = look_ahead(lab_of(trial), DAY)
    assert outlook["determinable"], outlook["why"]
    assert any(each["ip"] == trial.ip and each["at"][11:16] == f"{hour:02}:59" for each in outlook["connections"])


def test_what_takes_too_long_is_not_determinable_and_never_stopped(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten rules a minute each, a handler that works hard and connects at the end of the day: an honest answer, in bounded time."""
    monkeypatch.setattr(foresight, "BUDGET_SECONDS", 2.0)
    monkeypatch.setattr(foresight, "FURTHER_SECONDS", 0.5)
    for number in range(10):
        rule = trial.rule(f"rule-{number}", "rate(1 minute)", trial.function_arn)
        trial.aws("lambda").add_permission(
            FunctionName=FUNCTION, StatementId=f"rule-{number}", Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com", SourceArn=rule,
        )  # fmt: skip
    trial.code(
        "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    sum(range(3_000_000))\n    if n == 14_000: dial(BAD)"
    )
    began = time.monotonic()
    outlook = look_ahead(lab_of(trial), DAY)
    assert time.monotonic() - began < 60
    assert not outlook["determinable"]
    assert any(FUNCTION in why for why in outlook["why"])
    assert trial.remediation()["status"] == "failed"


def test_the_lab_answers_while_it_is_looked_ahead_in(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a function is tried nobody holds the lab's lock: whoever asks is answered."""
    lab = lab_of(trial)
    rehearse = lab.environments.rehearse
    answered: list[bool] = []

    def slow(spec: FunctionSpec, invocations: list[Invocation], **settings: Any) -> Rehearsal:
        def ask() -> None:
            answered.append(lab.lock.acquire(timeout=10))
            lab.lock.release()

        asker = threading.Thread(target=ask)
        asker.start()
        asker.join()
        return rehearse(spec, invocations, **settings)

    monkeypatch.setattr(lab.environments, "rehearse", slow)
    look_ahead(lab, HOUR)
    assert answered
    assert all(answered)


def test_an_old_configuration_is_tried_out_apart(trial: Trial) -> None:
    """A function that is changed while it is looked at keeps its new process, and what that has counted."""
    lab = lab_of(trial)
    old = lab.service("lambda").rehearsal(trial.function_arn)
    trial.code(COUNTING)
    trial.advance(minutes=30)
    coming = [Invocation(request_id="r", payload=b"{}", now=lab.clock.now())]
    assert lab.environments.rehearse(old, coming, samples=1).connections[0]
    assert next_runs(trial, 1) == [True], "the fourth run of the new code, had it started anew the first"


def test_the_next_run_of_every_schedule_is_told_however_far(trial: Trial) -> None:
    """A look of an hour tells of a run in a month."""
    trial.disable_rule()
    trial.permit("events.amazonaws.com", trial.rule("monthly", "rate(30 days)", trial.function_arn))
    far = [each for each in look_ahead(lab_of(trial), HOUR)["connections"] if each["ip"] == trial.ip]
    assert [each["source"] for each in far] == ["rule monthly, rate(30 days)"]


def test_a_cold_start_may_come_at_any_time(trial: Trial) -> None:
    """Code that connects when it is loaded is loaded already; an environment is never promised to stay."""
    trial.code("dial(BAD)\ndef handler(event, context): return None")
    trial.advance(minutes=30)
    assert any(each["ip"] == trial.ip for each in look_ahead(lab_of(trial), DAY)["connections"])
    trial.code(
        "import time\nif time.gmtime().tm_hour == 4: dial(BAD)\ndef handler(event, context): return None"
    )  # fmt: skip
    trial.advance(minutes=30)
    assert any(
        each["at"][11:13] == "04" for each in look_ahead(lab_of(trial), DAY)["connections"] if each["ip"] == trial.ip
    )


@pytest.mark.parametrize(
    ("source", "acts"),
    [
        ("import socket\nBAD = ('192.0.2.1', 443)\ndef f(a, b=1, *, c=(1, -2)):\n    return socket.socket()", False),
        ("'''Words.'''", False),
        ("def f(", False),
        ("import socket\nsocket.socket()", True),
        ("def f(a=print()): pass", True),
        ("@print\ndef f(): pass", True),
        ("class A(metaclass=B): pass", True),
        ("x = y.z", True),
        ("if x: pass", True),
        ("[f() for f in g]", True),
    ],
)
def test_only_definitions_are_known_to_do_nothing_when_loaded(trial: Trial, source: str, acts: bool) -> None:
    """Whatever might run code at import time is tried as a cold start at many times; the rest need not be."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", source)
    spec = lab_of(trial).service("lambda").rehearsal(trial.function_arn)
    assert acts_when_loaded(replace(spec, code_zip=packed.getvalue())) == acts


def test_functions_are_read_by_several_threads_at_once(trial: Trial) -> None:
    """Several functions are looked at together, and CPython before 3.11.8 and 3.12.2 fails at two parses at once.

    What lets go of the interpreter within a parse is Python code that the collector calls; here it is called often.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def f():\n" + "    x = [1, (2, 3), {'a': 4}]\n" * 200)
    spec = replace(lab_of(trial).service("lambda").rehearsal(trial.function_arn), code_zip=packed.getvalue())
    often, threshold = sys.getswitchinterval(), gc.get_threshold()

    def called(*_: object) -> None:
        for _each in range(50):
            pass

    gc.callbacks.append(called)
    gc.set_threshold(20)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert not any(pool.map(acts_when_loaded, [spec] * 160))
    finally:
        sys.setswitchinterval(often)
        gc.set_threshold(*threshold)
        gc.callbacks.remove(called)
