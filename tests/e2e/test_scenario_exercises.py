"""The author's own fixes and tempting wrong ones: the grader agrees, and so does what then happens."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from lab import TrialBench
from scenario import load
from scenario.model import Fix, TemptingWrongFix
from scenario.stage import StagedLab
from scenario.trial import trial as played
from scenario.variant import variant
from tests.e2e.conftest import LabCommand, NewLab
from tests.e2e.trial import SCENARIO, SEED, Trial

CASE = load.load(SCENARIO)
ALL: tuple[Fix | TemptingWrongFix, ...] = (*CASE.fixes, *CASE.tempting_wrong_fixes)
EXERCISES = {each.id: each for each in ALL}
TESTED_WITH_PROCESSES = ("disable-rule", "concurrency-lifted-early", "renamed-copy")


@pytest.mark.parametrize("name", EXERCISES)
def test_the_grader_agrees_with_the_author_and_with_what_happens(trial: Trial, name: str) -> None:
    """The verdict and the pinned points are the author's; in the next day a listed address is reached where it was refused."""
    exercise = EXERCISES[name]
    result = played(exercise, staged(trial.bench))
    assert not result.disagreement, result.verdict.why
    assert trial.connects(hours=25) == (not result.verdict.passed)


def staged(bench: Any) -> StagedLab:
    """Return a lab on the bench as the exercises play it."""
    return StagedLab(scenario=CASE, variant=variant(CASE, SEED), bench=bench)


class Processes:
    """A lab that runs as a process, reached by the command and over HTTP."""

    def __init__(self, command: LabCommand) -> None:
        self._command = command
        self._command.start("--seed", SEED)
        self.client = command.client

    def advance(self, by: timedelta) -> None:
        """Let lab time pass."""
        self._command("advance", f"{int(by.total_seconds())}s")

    def check(self) -> Mapping[str, Any]:
        """Check the lab."""
        return self._command.check()


@pytest.mark.parametrize("name", TESTED_WITH_PROCESSES)
def test_the_real_commands_say_the_same(new_lab: NewLab, name: str) -> None:
    """A sample of the exercises, played against `lab start` with its 40 hours and graded by `lab check`."""
    exercise = EXERCISES[name]
    result = played(exercise, staged(Processes(new_lab())))
    assert not result.disagreement, result.verdict.why


def test_lab_scenario_test_plays_one_and_says_how_it_went(new_lab: NewLab) -> None:
    """The author's command leaves with 0, says the verdict, and needs no running lab."""
    command = new_lab()
    told = command("scenario", "test", "--only", "archive-finding").stdout
    assert told == "archive-finding: refused, 0 points.\n"
    assert "Choose of" in command("scenario", "test", "--only", "nothing", code=2).stderr
    assert not command.home.exists() or not list(command.home.glob("*.db"))


def test_a_bench_says_what_lab_check_says(trial: Trial) -> None:
    """The report of the fast path is the published one."""
    assert isinstance(trial.bench, TrialBench)
    report = json.loads(json.dumps(trial.check()))
    assert [task["id"] for task in report["tasks"]] == [task.id for task in CASE.tasks]
    assert report["target"] == "simulator"
