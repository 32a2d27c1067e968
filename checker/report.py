"""Report -> text, JSON, JUnit XML (and HTML, in `debrief`). Pure; the same report and language give the same bytes.

Every writer takes the `Speaker` that says messages in the reader's language, English unless told otherwise. Members,
ids, kinds and statuses of the JSON document are for programs and the same in every language.

The JSON document's schema is `report.schema.json` beside this file: members may be added, none is taken away or changes
its meaning.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap
from typing import Any, ClassVar

from checker.grade import WORDS, PartResult, Report, TaskResult
from checker.messages import Message, Speaker, say
from checker.rules import Status

MARKS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.NOT_RUN: "·"}
WIDTH = 96


def stamp(at: datetime) -> str:
    """Return a moment as AWS writes it, in whole seconds: `2026-11-24T10:20:00Z`."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def to_json(report: Report, said: Speaker = str) -> dict[str, Any]:
    """Return the report's JSON document."""
    return {
        "scenario": report.scenario,
        "lab_id": report.lab_id,
        "target": report.target,
        "lab_time": stamp(report.lab_time),
        "passed": report.passed,
        "score": report.score,
        "max_score": report.max_score,
        "tasks": [_task_json(task, said) for task in report.tasks],
        "checks": report.checks,
        "progress": [said(each) for each in report.progress],
        "remarks": [said(each) for each in report.remarks],
    }


def _task_json(task: TaskResult, said: Speaker) -> dict[str, Any]:
    return {
        "id": task.id,
        "title": task.title,
        "status": task.status.value,
        "score": task.score,
        "max_score": task.max_score,
        "why": said(task.why),
        "kind": task.kind,
        "evidence": [{"kind": each.kind, "id": each.id} for each in task.evidence],
        "next": said(task.next) if task.next else None,
        "proof": task.proof.value if task.proof else None,
        "remarks": [said(each) for each in task.remarks],
        "hints": task.hints,
        "tries": task.tries,
        "parts": [_part_json(part, said) for part in task.parts],
    }


def _part_json(part: PartResult, said: Speaker) -> dict[str, Any]:
    return {
        "id": part.id,
        "title": part.title,
        "status": part.status.value,
        "score": part.score,
        "max_score": part.max_score,
        "why": said(part.why),
        "next": said(part.next) if part.next else None,
    }


def attempt(report: Report, texts: dict[str, str]) -> dict[str, Any]:
    """Return what `worlds.Memory.record` keeps of a check: when, the exact answers, how each task ended."""
    return {
        "at": report.lab_time.isoformat(),
        "answers": dict(texts),
        "statuses": {task.id: task.status.value for task in report.tasks},
        "points": {task.id: task.score for task in report.tasks},
        "score": report.score,
        "passed": report.passed,
    }


def json_text(report: Report, said: Speaker = str) -> str:
    """Return the JSON document as text, indented, with a closing newline; ASCII, whatever the output's encoding."""
    return json.dumps(to_json(report, said), indent=2) + "\n"


def text(report: Report, said: Speaker = str, *, colour: bool = False) -> str:
    """Return the report for a terminal: a line a task, why and what next beneath. `colour` adds ANSI colours."""
    return "\n".join(_lines(report, said, _Paint(colour))) + "\n"


class _Paint:
    CODES: ClassVar = {Status.PASSED: "32", Status.FAILED: "31", Status.NOT_RUN: "33"}

    def __init__(self, on: bool) -> None:
        self.on = on

    def __call__(self, words: str, status: Status) -> str:
        return f"\x1b[{self.CODES[status]}m{words}\x1b[0m" if self.on else words


def _lines(report: Report, said: Speaker, paint: _Paint) -> Iterator[str]:
    yield f"{printable(report.title)}    {stamp(report.lab_time)}"
    yield ""
    titles = [len(task.title) for task in report.tasks]
    parts = [len(part.title) + 2 for task in report.tasks for part in task.parts]
    wide = max(52, *titles, *parts)
    for task in report.tasks:
        yield from _task_lines(task, said, paint, wide)
    yield from _progress_lines(report, said)
    for remark in report.remarks:
        yield from _indented(said(say("Note: {remark}", remark=remark)), "")
    yield paint(said(_verdict(report)), Status.PASSED if report.passed else Status.FAILED)


def _verdict(report: Report) -> Message:
    points = {"score": report.score, "max": report.max_score}
    if report.passed:
        return say("Passed: {score} of {max} points.", **points)
    passed = sum(task.status is Status.PASSED for task in report.tasks)
    return say(
        "{passed} of {count} tasks passed: {score} of {max} points.", passed=passed, count=len(report.tasks), **points
    )


def _task_lines(task: TaskResult, said: Speaker, paint: _Paint, wide: int) -> Iterator[str]:
    points = f"{task.score}/{task.max_score}"
    mark = paint(f"{MARKS[task.status]} {task.title:<{wide}}", task.status)
    width = max(8, *(len(said(word)) for word in WORDS.values()))
    yield f"{mark} {said(WORDS[task.status]):<{width}} {points:>6}"
    yield from _indented(said(task.why))
    for part in task.parts if task.status is Status.PASSED else ():
        yield f"    {MARKS[part.status]} {part.title:<{wide - 2}} {'':<{width}} {f'{part.score}/{part.max_score}':>6}"
        if part.status is not Status.PASSED:
            yield from _indented(said(part.why), "      ")
    for remark in task.remarks:
        yield from _indented(said(remark))
    if task.next:
        yield from _indented(f"→ {said(task.next)}")
    if task.status is not Status.PASSED and task.tries >= HELP_AFTER and task.hints < 3:
        yield from _indented(said(say("→ Stuck? lab hint {task}", task=task.id)))
    yield ""


HELP_AFTER = 3
"""After so many different answers a hint is offered, never a lock."""


def _progress_lines(report: Report, said: Speaker) -> Iterator[str]:
    if report.progress:
        yield said(say("Since the last check:"))
        for line in report.progress:
            yield f"    {printable(said(line))}"
        yield ""


def _indented(words: str, margin: str = "    ") -> Iterator[str]:
    for line in wrap(printable(words), WIDTH - len(margin), break_on_hyphens=False):
        yield margin + line


def printable(words: str) -> str:
    """Return text from the account without control characters: names there may be hostile to a terminal."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "�", words)


def junit(report: Report, said: Speaker = str) -> str:
    """Return JUnit XML: a suite of one case a task, a failure for each that failed, skipped for each not run."""
    from xml.sax.saxutils import escape, quoteattr

    failures = sum(task.status is Status.FAILED for task in report.tasks)
    skipped = sum(task.status is Status.NOT_RUN for task in report.tasks)
    head = (
        f'<testsuite name={quoteattr(report.scenario)} tests="{len(report.tasks)}" failures="{failures}" errors="0" '
        f'skipped="{skipped}" timestamp="{report.lab_time:%Y-%m-%dT%H:%M:%S}" time="0">'
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', head]
    lines.append(f'  <properties><property name="score" value="{report.score}"/></properties>')
    for task in report.tasks:
        case = f'  <testcase classname={quoteattr(report.scenario)} name={quoteattr(task.id)} time="0">'
        message = quoteattr(printable(said(task.why)))
        if task.status is Status.FAILED:
            step = escape(printable(said(task.next))) if task.next else ""
            case += f"<failure message={message} type={quoteattr(task.kind)}>{step}</failure>"
        elif task.status is Status.NOT_RUN:
            case += f"<skipped message={message}/>"
        else:
            case += f"<system-out>{escape(printable(said(task.why)))}</system-out>"
        lines.append(case + "</testcase>")
    return "\n".join([*lines, "</testsuite>"]) + "\n"
