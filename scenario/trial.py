"""Playing a scenario's fixes, and saying where the grader disagrees with the author.

The lab that they are played against is handed in; `stage` makes the one that `lab scenario test` uses.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from scenario.model import Call, Fix, Scenario, TemptingWrongFix, Wait
from scenario.steps import Zipped, render, saved


class CallFailed(Exception):
    """A call of a fix that the lab refused, or that did not answer what the fix saves of it. The text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the grader says of the remediation: passed or not, its points, and why in the trainee's words."""

    passed: bool
    score: int
    why: str


class TrialLab(Protocol):
    """A lab of a trainee's, fresh: nothing was done in it yet."""

    @property
    def values(self) -> Mapping[str, str]:
        """The placeholders that this lab fills, `Variant.values`."""

    @property
    def zipped(self) -> Zipped:
        """How a folder of the scenario is zipped for this lab."""

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make an API call as the trainee. Returns the result under botocore's names. Raises CallFailed."""

    def advance(self, by: timedelta) -> None:
        """Let lab time pass."""

    def remediation(self) -> Verdict:
        """Grade what was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one fix went. `disagreement` is empty where grader and author agree."""

    exercise: Fix | TemptingWrongFix
    verdict: Verdict
    disagreement: str


def trials(
    scenario: Scenario,
    fresh: Callable[[], AbstractContextManager[TrialLab]],
    *,
    only: str | None = None,
) -> Iterator[Result]:
    """Play every fix and tempting wrong fix (or `only` the one of that id), each in a lab of its own; yield how each went."""
    exercises: tuple[Fix | TemptingWrongFix, ...] = (*scenario.fixes, *scenario.tempting_wrong_fixes)
    for exercise in exercises:
        if only is None or exercise.id == only:
            with fresh() as lab:
                result = trial(exercise, lab)
            yield result


def trial(exercise: Fix | TemptingWrongFix, lab: TrialLab) -> Result:
    """Play one exercise in a fresh lab and return how it went."""
    try:
        play(exercise.steps, lab)
    except CallFailed as failed:
        nothing = Verdict(passed=False, score=0, why="It was not graded.")
        return Result(exercise=exercise, verdict=nothing, disagreement=f"It cannot be played: {failed}.")
    verdict = lab.remediation()
    return Result(exercise=exercise, verdict=verdict, disagreement=disagreement(exercise, verdict))


def play(steps: tuple[Call | Wait, ...], lab: TrialLab) -> None:
    """Make the calls one after another, each with what the ones before it saved. Raises CallFailed."""
    values = dict(lab.values)
    for step in steps:
        if isinstance(step, Wait):
            lab.advance(step.advance)
        else:
            result = lab.call(step.service, step.operation, render(step.params, values, lab.zipped))
            try:
                values |= saved(step.save, result)
            except LookupError as missing:
                raise CallFailed(f"{step.service} {step.operation} answered without {missing}") from missing


def disagreement(exercise: Fix | TemptingWrongFix, verdict: Verdict) -> str:
    """Return how the verdict differs from what the author says of the exercise; empty where it does not."""
    if isinstance(exercise, TemptingWrongFix):
        return "the grader accepts it, and it is no fix" if verdict.passed else ""
    if not verdict.passed:
        return "the grader refuses it, and it is a fix"
    if exercise.score is not None and verdict.score != exercise.score:
        return f"the grader gives {verdict.score} points, the author {exercise.score}"
    return ""
