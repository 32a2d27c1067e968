"""`lab check`, `lab hint`, `lab guide`: options, exit codes, what is remembered."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from checker.cli import build, next_hint, run, task_of
from checker.grade import legible
from checker.rules.samples import IP, NAME, outlook
from scenario.errors import LabError
from scenario.load import load

RIGHT = ("--function-name", NAME, "--malicious-ip", IP, "--creator", "WSSystemRole")


def lab(world: Any, *arguments: str, input: str | None = None) -> Any:
    """Run a command of the room in a world."""
    return CliRunner().invoke(build(lambda target: world), list(arguments), input=input)


def test_an_untouched_lab_is_not_passed(world: Any) -> None:
    """Exit 1, all four tasks told, none passed."""
    result = lab(world, "check", "--no-input")
    assert result.exit_code == 1
    assert "0 of 4 tasks passed: 0 of 100 points." in result.stdout


def test_answers_given_once_are_remembered(world: Any) -> None:
    """The second check needs no options."""
    lab(world, "check", "--no-input", *RIGHT)
    assert "3 of 4 tasks passed" in lab(world, "check", "--no-input").stdout


def test_looking_at_a_debrief_is_no_attempt(world: Any) -> None:
    """However often, with the same answers and after none; it tells the checks that there were."""
    before = lab(world, "check", "--no-input", "--format", "html")
    assert "checks: 0</p>" in before.stdout and world.memory.attempts() == []
    lab(world, "check", "--no-input", *RIGHT)
    kept = list(world.memory.attempts())
    for _ in range(2):
        page = lab(world, "check", "--no-input", "--format", "html").stdout
        assert "checks: 1</p>" in page and "Check 1" in page and "Check 2" not in page
    assert world.memory.attempts() == kept


def test_a_new_answer_is_an_attempt_in_whatever_form_the_report_is(world: Any) -> None:
    """Else answers could be tried out in debriefs, and no report would count them."""
    lab(world, "check", "--no-input", *RIGHT)
    page = lab(world, "check", "--no-input", "--creator", "System", "--format", "html").stdout
    assert "checks: 2</p>" in page and "Check 2" in page
    assert [each["answers"]["creator"] for each in world.memory.attempts()] == ["WSSystemRole", "System"]


AT = "2026-11-24T09:14:00+00:00"
NONSENSE: list[Any] = [
    None, "passed", 7, [], {}, {"at": 7}, {"at": "yesterday"}, {"at": "2026-11-24T09:14:00"},
    {"at": AT}, {"at": AT, "answers": [], "statuses": "passed", "points": 7, "score": "many"},
    {"at": AT, "answers": {"creator": ["x"]}, "statuses": {"creator": None}, "points": {"creator": "30"}},
    {"at": AT, "statuses": {"creator": "splendid", "nobody": "passed"}, "points": {"remediation": 12}, "new": {}},
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "junit", "html"])
@pytest.mark.parametrize("last", range(len(NONSENSE)))
def test_a_check_reads_whatever_earlier_ones_left_behind(world: Any, form: str, last: int) -> None:
    """A file that somebody wrote into, or one of a newer version: what can be read counts, and nothing of it ends a check."""
    state = {"answers": {"creator": "x"}, "attempts": NONSENSE[: last + 1], "hints": {}}
    world.memory.path.parent.mkdir(parents=True, exist_ok=True)
    world.memory.path.write_text(json.dumps(state))
    told = lab(world, "check", "--no-input", "--format", form)
    assert told.exit_code == 1
    assert isinstance(told.exception, SystemExit), told.exception  # any other one counts as 1 too


def test_of_earlier_checks_is_read_what_a_check_writes() -> None:
    """One without a moment is none."""
    read = legible(
        [
            *NONSENSE,
            {"at": AT, "answers": {"creator": "y"}, "statuses": {"creator": "failed"}, "points": {}, "score": 15},
        ]
    )
    assert [each["score"] for each in read] == [0, 0, 0, 0, 15]
    assert read[3]["statuses"] == {"creator": "splendid", "nobody": "passed"}
    assert read[4]["answers"] == {"creator": "y"}


def test_a_passed_lab_exits_0(world: Any) -> None:
    """All four tasks passed."""
    world.outlook = outlook()
    assert lab(world, "check", "--no-input", *RIGHT).exit_code == 0


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("--function-name", ""),
        ("--creator", "  "),
        ("--malicious-ip", ""),
        ("--malicious-ip", "nonsense"),
        ("--malicious-ip", "1.2.3"),
    ],
)
def test_an_answer_that_cannot_be_one_is_bad_usage_and_forgotten(world: Any, option: str, text: str) -> None:
    """Exit 2 (LabError's), one sentence, and nothing is kept: of the usable answers beside it neither."""
    result = lab(world, "check", "--no-input", "--function-name", NAME, option, text)
    assert isinstance(result.exception, LabError)
    assert result.exception.exit_code == 2
    assert world.memory.answers() == {}
    assert world.memory.attempts() == []


def test_json_is_one_document_and_nothing_else(world: Any) -> None:
    """stdout is the document."""
    result = lab(world, "check", "--no-input", "--format", "json", *RIGHT)
    document = json.loads(result.stdout)
    assert [task["status"] for task in document["tasks"]] == ["passed", "passed", "passed", "failed"]
    assert result.stderr == ""


def test_a_report_goes_to_a_file(world: Any, tmp_path: Path) -> None:
    """stdout stays empty, and where it went is narration."""
    path = tmp_path / "report.html"
    result = lab(world, "check", "--no-input", "--format", "html", "--output", str(path))
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert (result.stdout, result.exit_code) == ("", 1)
    assert str(path) in result.stderr


def test_a_file_that_cannot_be_written_is_bad_usage(world: Any, tmp_path: Path) -> None:
    """Exit 2 with a sentence."""
    result = lab(world, "check", "--no-input", "--output", str(tmp_path))
    assert isinstance(result.exception, LabError)
    assert result.exception.exit_code == 2


def test_every_check_is_kept_with_time_and_exact_text(world: Any) -> None:
    """The exact text, typos and all, and how each task ended."""
    lab(world, "check", "--no-input", "--creator", " System ")
    attempt = world.memory.attempts()[0]
    assert attempt["answers"] == {"creator": " System "}
    assert attempt["statuses"]["creator"] == "failed"
    assert attempt["at"] == "2026-11-24T09:14:00+00:00"


def test_missing_answers_are_asked_for_and_a_useless_one_again(world: Any) -> None:
    """On a terminal: skipped with Enter, asked again where it is no address, remembered."""
    given = iter([NAME, "what?", IP, ""])
    asked: list[str] = []

    def ask(task: str, _question: str) -> str:
        asked.append(task)
        return next(given)

    report, _ = run(world, ask=ask)
    assert asked == ["function-name", "malicious-ip", "malicious-ip", "creator"]
    assert dict(world.memory.answers()) == {"function-name": NAME, "malicious-ip": IP}
    assert [task.status.value for task in report.tasks[:3]] == ["passed", "passed", "not-run"]


def test_nothing_is_asked_without_a_terminal(world: Any) -> None:
    """A pipe is not asked, whatever it holds."""
    lab(world, "check", input="traffic-simulation\n")
    assert world.memory.answers() == {}


def test_hints_come_one_by_one_and_are_counted(world: Any) -> None:
    """Three rungs in their order, then it says that there are no more and repeats the last."""
    scenario = load("lambda-malicious-ip", tasks_only=True)
    task = task_of(scenario, "creator")
    shown = [next_hint(task, world.memory) for _ in range(4)]
    assert shown[:3] == [hint.text.rstrip() for hint in task.hints]
    assert "no further hints" in shown[3]
    assert world.memory.hints_taken("creator") == 3
    report, _ = run(world)
    assert report.tasks[2].hints == 3


def test_an_unknown_task_is_bad_usage_and_names_the_known(world: Any) -> None:
    """Exit 2, the ids listed, nothing counted."""
    result = lab(world, "hint", "creatr")
    assert isinstance(result.exception, LabError)
    assert result.exception.exit_code == 2
    assert "function-name, malicious-ip, creator, remediation" in str(result.exception)


def test_hint_prints_the_hint(world: Any) -> None:
    """On stdout, exit 0."""
    result = lab(world, "hint", "creator")
    assert (result.exit_code, "CloudTrail" in result.stdout) == (0, True)


def test_requiring_proof_is_an_option(world: Any) -> None:
    """A right answer without a call behind it waits for the trail."""
    result = lab(world, "check", "--no-input", "--format", "json", "--require-proof", *RIGHT)
    assert [task["kind"] for task in json.loads(result.stdout)["tasks"]][:3] == ["pending"] * 3
