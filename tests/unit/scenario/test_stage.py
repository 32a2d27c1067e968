"""A trial's lab is driven by the command, and ended whatever happens in it."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from scenario import load, stage
from scenario.errors import LabError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for Python is a script with a shebang")

SCENARIO = load.load("lambda-malicious-ip")

STAND_IN = """#!{python}
import json, os, sys
from pathlib import Path
arguments = sys.argv[3:]
with open({log!r}, "a") as log:
    log.write(json.dumps([os.environ["LAB_HOME"], *arguments]) + "\\n")
if arguments[0] == {refuses!r}:
    sys.exit("lab: it will not")
if arguments[0] == "env":
    print(json.dumps({{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}}))
if arguments[0] == "check":
    tasks = [{{"status": "passed", "score": 15, "why": "a"}}, {{"status": "failed", "score": 10, "why": "it goes on"}}]
    print(json.dumps({{"tasks": tasks}}))
    sys.exit(1)
"""


class Command:
    """A stand-in for `python -m lab` that notes what it is asked and answers as the command does."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, refuses: str = "") -> None:
        self.log = folder / "log"
        script = folder / "python"
        script.write_text(STAND_IN.format(python=sys.executable, log=str(self.log), refuses=refuses))
        script.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(script))

    @property
    def asked(self) -> list[list[str]]:
        """Everything asked so far: arguments, without the home."""
        return [json.loads(line)[1:] for line in self.log.read_text().splitlines()]

    @property
    def homes(self) -> set[str]:
        """The homes it was asked for."""
        return {json.loads(line)[0] for line in self.log.read_text().splitlines()}


def test_a_trial_starts_plays_grades_and_ends_a_lab_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a home that is gone afterwards; the last task's verdict is the trial's, and code 1 is no error."""
    command = Command(tmp_path, monkeypatch)
    with stage.fresh(SCENARIO, "trial") as lab:
        lab.advance(timedelta(minutes=30))
        verdict = lab.remediation()
        assert lab.values["account_id"].isdigit()
    assert (verdict.passed, verdict.score, verdict.why) == (False, 10, "it goes on")
    assert [each[0] for each in command.asked] == ["start", "env", "advance", "check", "stop"]
    assert command.asked[0] == ["start", "--port", "0", "--seed", "trial"]
    assert command.asked[2] == ["advance", "1800s"]
    (home,) = command.homes
    assert not Path(home).exists()


def test_a_lab_is_ended_when_a_trial_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is left behind by a call that AWS refuses."""
    command = Command(tmp_path, monkeypatch)
    with pytest.raises(ZeroDivisionError), stage.fresh(SCENARIO, "trial"):
        raise ZeroDivisionError
    assert command.asked[-1] == ["stop"]


def test_a_lab_that_was_started_is_ended_when_it_cannot_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process may run already."""
    command = Command(tmp_path, monkeypatch, refuses="env")
    with pytest.raises(LabError, match="it will not"), stage.fresh(SCENARIO, "trial"):
        pass
    assert [each[0] for each in command.asked] == ["start", "env", "stop"]


def test_a_command_that_leaves_otherwise_is_an_error_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote to stderr is passed on."""
    Command(tmp_path, monkeypatch, refuses="advance")
    with stage.fresh(SCENARIO, "trial") as lab, pytest.raises(LabError, match="it will not"):
        lab.advance(timedelta(minutes=1))
