"""Fixes are played as written, and disagreement between grader and author is told apart."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from scenario import load
from scenario.cli import commands
from scenario.model import Call, Fix, TemptingWrongFix, Wait
from scenario.stage import Bench
from scenario.steps import Zipped
from scenario.trial import CallFailed, Verdict, disagreement, play, trials

SCENARIO = load.load("lambda-malicious-ip")
PASSED = Verdict(passed=True, score=35, why="stopped")
FAILED = Verdict(passed=False, score=0, why="it goes on")


@dataclass
class FakeLab:
    """A lab that notes what is asked of it and answers every call with the same result."""

    verdict: Verdict = PASSED
    done: list[object] = field(default_factory=list)

    @property
    def values(self) -> Mapping[str, str]:
        """The account alone."""
        return {"account_id": "147736087487"}

    @property
    def zipped(self) -> Zipped:
        """A folder's name instead of its archive."""
        return str.encode

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Note the call."""
        self.done.append((service, operation, params))
        return {"Ids": ["first"]}

    def advance(self, by: timedelta) -> None:
        """Note the wait."""
        self.done.append(by)

    def remediation(self) -> Verdict:
        """Return what it was made with."""
        return self.verdict


FIX = Fix(
    id="fix",
    title="t",
    why="w",
    steps=(
        Call(service="a", operation="List", save={"found": "Ids.0"}),
        Wait(advance=timedelta(minutes=30)),
        Call(service="b", operation="Do", params={"Id": "{found} of {account_id}", "Zip": {"$zip": "code/x"}}),
    ),
)
WRONG = TemptingWrongFix(id="wrong", title="t", why="w", steps=(Call(service="a", operation="List"),))


def test_steps_are_played_in_order_with_what_was_saved() -> None:
    """A later call gets what an earlier one found, the lab's values and the archive."""
    lab = FakeLab()
    play(FIX.steps, lab)
    assert lab.done == [
        ("a", "List", {}),
        timedelta(minutes=30),
        ("b", "Do", {"Id": "first of 147736087487", "Zip": b"code/x"}),
    ]


@pytest.mark.parametrize(
    ("exercise", "verdict", "expected"),
    [
        (FIX, PASSED, ""),
        (replace(FIX, score=35), PASSED, ""),
        (replace(FIX, score=40), PASSED, "the grader gives 35 points, the author 40"),
        (FIX, FAILED, "the grader refuses it, and it is a fix"),
        (WRONG, FAILED, ""),
        (WRONG, PASSED, "the grader accepts it, and it is no fix"),
    ],
)
def test_grader_and_author_are_compared(exercise: Fix | TemptingWrongFix, verdict: Verdict, expected: str) -> None:
    """A fix must pass, with its points where they are pinned; a wrong one must not."""
    assert disagreement(exercise, verdict) == expected


def test_every_exercise_gets_a_lab_of_its_own() -> None:
    """One opened and closed for each, in order; `only` picks one."""
    opened: list[FakeLab] = []

    @contextmanager
    def fresh() -> Iterator[FakeLab]:
        opened.append(FakeLab())
        yield opened[-1]

    scenario = replace(SCENARIO, fixes=(FIX,), tempting_wrong_fixes=(WRONG,))
    assert [result.disagreement for result in trials(scenario, fresh)] == [
        "",
        "the grader accepts it, and it is no fix",
    ]
    assert len(opened) == 2
    assert [result.exercise.id for result in trials(scenario, fresh, only="wrong")] == ["wrong"]


def test_a_fix_that_cannot_be_played_is_a_disagreement_and_the_others_go_on() -> None:
    """A refused call, or an answer without what is saved of it, is the author's to mend."""

    @dataclass
    class Refusing(FakeLab):
        def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            if operation == "Do":
                raise CallFailed("b Do: it is refused")
            return super().call(service, operation, params)

    @contextmanager
    def fresh() -> Iterator[FakeLab]:
        yield Refusing(verdict=FAILED)

    misread = replace(WRONG, id="misread", steps=(Call(service="a", operation="List", save={"x": "Nothing"}),))
    scenario = replace(SCENARIO, fixes=(FIX,), tempting_wrong_fixes=(misread, WRONG))
    assert [result.disagreement for result in trials(scenario, fresh)] == [
        "It cannot be played: b Do: it is refused.",
        "It cannot be played: a List answered without 'Nothing'.",
        "",
    ]


def no_benches(scenario_id: str, seed: str) -> AbstractContextManager[Callable[[], AbstractContextManager[Bench]]]:
    """Open no lab: none is needed for looking."""
    raise AssertionError((scenario_id, seed))


def test_an_author_lists_shows_and_lints() -> None:
    """The commands print what there is and leave with 0."""
    runner, app = CliRunner(), commands(no_benches)
    listed = runner.invoke(app, ["list"])
    assert (listed.exit_code, listed.stdout.split()[0]) == (0, "lambda-malicious-ip")
    shown = runner.invoke(app, ["show"])
    assert shown.exit_code == 0
    assert "disable-rule" in shown.stdout
    linted = runner.invoke(app, ["lint"])
    assert (linted.exit_code, linted.stdout) == (0, "")
    assert "Nothing to mend" in linted.stderr
