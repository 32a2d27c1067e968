"""What the grader says shows in the language of the page: every reason of every rule, its debrief, and what went wrong."""

import json
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from markupsafe import escape

import checker.rules
from checker import debrief, messages
from checker import report as writing
from checker.cli import Language
from checker.evidence import Evidence
from checker.grade import Answers, grade
from checker.messages import speaker
from checker.rules.samples import IP, NAME, connection, lab, outlook
from scenario.load import load
from simulator.console.texts import LANGUAGES
from tests.unit.console.fake_aws import RUNNING, Console

ANSWERED = {"function_name": "function-name", "malicious_ip": "malicious-ip", "creator": "creator"}
RIGHT = {"function-name": NAME, "malicious-ip": IP, "creator": "WSSystemRole"}
SCENARIOS = {code: load(RUNNING.scenario, tasks_only=True, language=code) for code in LANGUAGES}
VIETNAMESE = {"Accept-Language": "vi"}


def _graded(evidence: Evidence, answers: Answers, format: str = "json") -> dict[str, str]:
    """Return what `lab check --every-language` prints, as a mapping."""
    documents = {}
    for code, scenario in SCENARIOS.items():
        report = grade(scenario, evidence, answers, lab_id=RUNNING.lab_id)
        documents[code] = (
            writing.json_text(report, speaker(code))
            if format == "json"
            else debrief.html(report, scenario, evidence, answers, code)
        )
    return documents


def _cases() -> Iterator[tuple[Evidence, Answers]]:
    for each in iter_modules(checker.rules.__path__):
        for sample in getattr(import_module(f"checker.rules.{each.name}"), "SAMPLES", ()):
            texts = {**RIGHT, ANSWERED[each.name]: sample.answer} if each.name in ANSWERED else RIGHT
            for ahead in (outlook(), outlook(connection())):
                yield lab(**{"outlook": ahead, **sample.changes}), Answers(texts=texts)


@pytest.fixture
def english() -> list[str]:
    """Return the English texts of grader and scenario that are long enough to be told apart, as a page writes them."""
    texts = [*messages.catalog("vi"), *(part.title for task in SCENARIOS["en"].tasks for part in task.parts)]
    texts += [text for task in SCENARIOS["en"].tasks for text in (task.title, task.question)]
    pieces = (piece.strip() for text in texts for piece in re.split(r"\{\w+\}", text))
    return [str(escape(piece)) for piece in pieces if len(piece.split()) > 2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stand in for `lab check`: it grades the sample lab, in the format it is asked for. Return how it was called."""
    called: list[list[str]] = []

    def answer(arguments: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        called.append(arguments)
        documents = _graded(
            lab(outlook=outlook(), function=None), Answers(texts=RIGHT), arguments[arguments.index("--format") + 1]
        )
        return subprocess.CompletedProcess(arguments, 0, json.dumps(documents), "")

    monkeypatch.setattr(subprocess, "run", answer)
    return called


def test_the_console_speaks_no_language_that_the_grader_does_not() -> None:
    """Every language of the pages is one of `lab check`."""
    assert set(LANGUAGES) == {each.value for each in Language}


def test_every_reason_shows_in_vietnamese_and_none_in_english(tmp_path: Path, english: list[str]) -> None:
    """Reasons, parts, remarks, what to do next and the notes beside, for every sample of every rule."""
    console = Console(tmp_path)
    console.get("/console/lab")
    told: set[str] = set()
    seen: set[str] = set()
    for evidence, answers in _cases():
        documents = _graded(evidence, answers)
        if documents["vi"] in told:
            continue
        told.add(documents["vi"])
        reports = {code: json.loads(text) for code, text in documents.items()}
        (tmp_path / "console-report.json").write_text(json.dumps(reports), "utf-8")
        report = reports["vi"]
        console.lab.attempts = [
            {"at": report["lab_time"], "statuses": {task["id"]: task["status"] for task in report["tasks"]}}
        ]
        page = console.get("/console/lab", **VIETNAMESE)
        assert [text for text in english if text in page] == []
        for task in report["tasks"]:
            said = [task["why"], task["next"] or "", *task["remarks"], *(part["title"] for part in task["parts"])]
            assert [text for text in said if str(escape(text)) not in page] == []
            seen.update(said)
    assert len(seen) > 100


def test_a_check_is_made_once_and_shows_in_whatever_language_the_page_is(tmp_path: Path, run: list[list[str]]) -> None:
    """Also when the language is changed after it; the command beside it is what gives the same words in a terminal."""
    console = Console(tmp_path)
    console.get("/console/lab")
    console.post("/console/lab", "/console/language", language="vi", back="/console/lab")
    console.post("/console/lab", "/console/lab/check", creator="WSSystemRole")
    console.lab.attempts = [{"at": "2026-11-24T09:14:00Z", "statuses": {}}]
    page = console.get("/console/lab")
    assert "Hàm đã bị xóa: không còn gì để chạy." in page and "The function is deleted" not in page
    assert "lab check --creator &#34;WSSystemRole&#34; --language vi" in page and "lab hint TASK --language vi" in page
    console.post("/console/lab", "/console/language", language="en", back="/console/lab")
    page = console.get("/console/lab")
    assert "The function is deleted: nothing is left to run." in page and "Hàm đã bị xóa" not in page
    assert "--language" not in page
    (called,) = run
    assert called[-3:] == ["--every-language", "--language", "vi"] and "--creator=WSSystemRole" in called


def test_the_debrief_is_made_once_and_shows_in_whatever_language_the_page_is(
    tmp_path: Path, run: list[list[str]], english: list[str]
) -> None:
    """The page within the page too, which says what language it is in."""
    console = Console(tmp_path)
    console.get("/console/lab")
    console.post("/console/lab/debrief", "/console/lab/debrief")
    page, other = (console.get("/console/lab/debrief/page", **{"Accept-Language": code}) for code in ("vi", "en"))
    assert '<html lang="vi">' in page and "Một ứng phó tốt" in page
    assert [text for text in english if text in page] == []
    assert '<html lang="en">' in other and "Where this stands in the frameworks" in other
    assert len(run) == 1


@pytest.mark.parametrize(
    ("code", "told", "shown"),
    [
        (2, "lab: đọc --malicious-ip: 'x' không phải địa chỉ IP.", "Chưa kiểm tra gì."),
        (3, "", "Việc kiểm tra kết thúc với mã 3. Lệnh lab doctor trong cửa sổ lệnh cho biết có gì không ổn;"),
        (3, "lab: asking simulator: No route. Start it.", '<p lang="en">asking simulator: No route. Start it.</p>'),
    ],
)
def test_what_went_wrong_is_told_in_the_language_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, told: str, shown: str
) -> None:
    """An answer that cannot be graded, in the command's words; and a check that broke off."""
    ended = subprocess.CompletedProcess([], code, "", told)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    console = Console(tmp_path)
    console.get("/console/lab")
    console.post("/console/lab", "/console/language", language="vi", back="/console/lab")
    page = console.post("/console/lab", "/console/lab/check", creator="x").get_data(as_text=True)
    assert shown in page and escape(told.removeprefix("lab: ").rstrip(".")) in page
    assert "Không thực hiện được" in page


def test_a_report_that_was_kept_in_one_language_is_not_shown(tmp_path: Path) -> None:
    """Such as an earlier version of the kit kept it: better the tasks alone than words in the wrong language."""
    report = json.loads(_graded(lab(), Answers(texts=RIGHT))["en"])
    (tmp_path / "console-report.json").write_text(json.dumps(report), "utf-8")
    console = Console(tmp_path)
    console.lab.attempts = [{"at": report["lab_time"], "statuses": {}}]
    assert report["tasks"][0]["why"] not in console.get("/console/lab")
