"""The reports byte for byte, one file a format. `GOLDEN=write` in the environment writes them anew."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from checker import debrief
from checker import report as writing
from checker.evidence import Evidence
from checker.grade import Answers, Report, grade
from checker.messages import speaker
from checker.rules.samples import IP, NAME, NOW, connection, event, lab, outlook
from scenario.load import load
from scenario.model import Hint, Part, Reference, Scenario, Task

HERE = Path(__file__).parent / "golden_report"
HOSTILE = "</td><script>alert(1)</script>\x1b[31m"
RIGHT = {"function-name": NAME, "malicious-ip": IP, "creator": "WSSystemRole/System"}
FORMATS = ("text", "json", "junit", "html")


def _scenario() -> Scenario:
    """Return the scenario with words of this test's own, so that the catalog may change its."""

    def task(task_id: str, title: str, points: int, *parts: Part) -> Task:
        hints = (Hint(rung="where", text="Look."),)
        return Task(
            id=task_id,
            title=title,
            question=f"{title}?",
            max_score=points,
            answered=not parts,
            hints=hints,
            key="",
            parts=parts,
        )

    parts = [("stopped", "The traffic is stopped", 25), ("evidence", "The code can be examined", 5)]
    parts += [("collateral", "Nothing else is broken", 5), ("verified", "The effect was verified", 5)]
    tasks = (
        task("function-name", "Name the function", 15),
        task("malicious-ip", "Name the address", 15),
        task("creator", "Name who created it", 30),
        task(
            "remediation", "Stop it", 40, *(Part(id=part, title=title, max_score=score) for part, title, score in parts)
        ),
    )
    references = (Reference(framework="MITRE ATT&CK", id="T1648", title="Serverless Execution"),)
    found = load("lambda-malicious-ip", tasks_only=True)
    return replace(found, title="A Lambda function calls a malicious IP", tasks=tasks, references=references)


def _investigation() -> Evidence:
    """Return a solved lab: read, attributed, rule disabled, verified, a hostile name in the trail."""
    ids = {"findingIds": [lab().assigned.id]}  # type: ignore[union-attr]  # the sample lab has one
    guardduty = "guardduty.amazonaws.com"
    mine = (
        event("ListFindings", minutes=-60, read_only=True, source=guardduty),
        event("GetFindings", minutes=-58, read_only=True, source=guardduty, request=ids),
        event("LookupEvents", minutes=-50, read_only=True, source="cloudtrail.amazonaws.com"),
        event("LookupEvents", minutes=-49, read_only=True, source="cloudtrail.amazonaws.com"),
        event(HOSTILE, minutes=-48, source=HOSTILE, error="AccessDenied"),
        event("DisableRule", minutes=-40, source="events.amazonaws.com"),
        event("GetFindings", minutes=-10, read_only=True, source=guardduty, request=ids),
    )
    return lab(mine=mine, outlook=outlook(), rule_enabled=False, last_seen=NOW - timedelta(minutes=45))


def _begun() -> tuple[Evidence, Answers]:
    """Return a lab in which a wrong answer, a wrong fix and two earlier checks were made."""
    evidence = lab(outlook=outlook(connection()), archived=True)
    attempt = {
        "at": (NOW - timedelta(minutes=30)).isoformat(),
        "answers": {"creator": "CloudFormation"},
        "statuses": {
            "function-name": "not-run",
            "malicious-ip": "not-run",
            "creator": "failed",
            "remediation": "failed",
        },
        "points": {},
        "score": 0,
        "passed": False,
    }
    second = {**attempt, "answers": {"creator": "linh"}}
    texts = {"function-name": "traffic-simulation", "malicious-ip": "203.0.113.9", "creator": "System"}
    return evidence, Answers(texts=texts, attempts=(attempt, second), hints={"creator": 1})


def _case(name: str) -> tuple[Report, Evidence, Answers]:
    if name == "solved":
        evidence, answers = _investigation(), Answers(texts=RIGHT)
    elif name == "begun":
        evidence, answers = _begun()
    else:
        evidence, answers = lab(), Answers()
    return grade(_scenario(), evidence, answers, lab_id="lab-1"), evidence, answers


def _written(name: str, format: str, language: str = "en") -> str:
    report, evidence, answers = _case(name)
    if format == "html":
        return debrief.html(report, _scenario(), evidence, answers, language)
    return {"text": writing.text, "json": writing.json_text, "junit": writing.junit}[format](report, speaker(language))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", ["untouched", "begun", "solved"])
def test_a_report_is_written_byte_for_byte(name: str, format: str) -> None:
    """What a reader or a program gets, in every format."""
    path = HERE / f"{name}.{format}"
    written = _written(name, format).encode()
    if os.environ.get("GOLDEN") == "write":
        path.write_bytes(written)
    assert written == path.read_bytes()


@pytest.mark.parametrize("name", ["untouched", "begun", "solved"])
def test_the_json_report_keeps_its_published_schema(name: str) -> None:
    """The schema beside the code describes what is printed, and nothing else is printed."""
    schema = json.loads((files("checker") / "report.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(_written(name, "json")), schema)


def test_the_contracts_members_are_all_there() -> None:
    """The members that the contract prints, of the document and of a task."""
    document = json.loads(_written("solved", "json"))
    assert {"scenario", "lab_id", "target", "lab_time", "passed", "score", "max_score", "tasks"} <= document.keys()
    assert {"id", "title", "status", "score", "max_score", "why", "evidence", "next"} <= document["tasks"][0].keys()


@pytest.mark.parametrize("name", ["untouched", "begun", "solved"])
def test_all_formats_tell_the_same(name: str) -> None:
    """Status and points agree, format by format."""
    report, _, _ = _case(name)
    suite = ElementTree.fromstring(_written(name, "junit"))
    skipped, failed = suite.findall("testcase/skipped"), suite.findall("testcase/failure")
    assert len(suite.findall("testcase")) - len(skipped) - len(failed) == sum(
        task.status == "passed" for task in report.tasks
    )
    for text in (_written(name, "text"), _written(name, "html")):
        assert f"{report.score} of {report.max_score} points" in text


class _Tags(HTMLParser):
    """The tags of a page, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "action", "srcset")]


def test_the_debrief_shows_hostile_names_as_text_and_needs_nothing_from_outside() -> None:
    """No script of the account's, no control characters, no external resource."""
    page = _written("solved", "html")
    tags = _Tags()
    tags.feed(page)
    assert "script" not in tags.tags
    assert tags.references == []
    assert "url(" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", ["untouched", "begun"])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("language", ["en", "vi"])
def test_no_report_says_what_was_not_earned(name: str, format: str, language: str) -> None:
    """Neither the address, nor ids and times of evidence, before the trainee has found them, in no language."""
    written = _written(name, format, language)
    evidence = lab()
    assert evidence.assigned is not None
    assert evidence.creation is not None
    secrets = [IP, evidence.creation.id]
    if name == "untouched":
        secrets += [evidence.assigned.id, NAME, f"{evidence.assigned.first_seen:%H:%M:%S}", "WSSystemRole"]
    assert [secret for secret in secrets if secret in written] == []
