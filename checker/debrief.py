"""The debrief: one self-contained HTML page for the talk afterwards. Everything from the account is escaped.

It tells what was earned, never more: the finding's and the creation's times appear once their tasks are passed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

from checker.evidence import Event, Evidence
from checker.grade import Answers, Report, TaskResult
from checker.report import MARKS, WORDS, printable, stamp
from checker.rules import Status, proven
from scenario.model import Scenario

ROWS = 300
"""The most rows of the timeline: the newest are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A row of the timeline. `kind` is `incident`, `read`, `change` or `check`."""

    at: datetime
    kind: str
    what: str
    detail: str = ""


def timeline(evidence: Evidence, report: Report, answers: Answers) -> tuple[Moment, ...]:
    """Return the investigation oldest first: what was earned of the incident, the trainee's calls, the checks."""
    rows = [*_incident(evidence, report), *_calls(evidence.mine)]
    for number, attempt in enumerate(answers.attempts, start=1):
        at = datetime.fromisoformat(attempt["at"])
        rows.append(Moment(at=at, kind="check", what=f"Check {number}", detail=f"{attempt['score']} points"))
    rows.append(
        Moment(at=report.lab_time, kind="check", what=f"Check {report.checks}", detail=f"{report.score} points")
    )
    return tuple(sorted(rows, key=lambda row: row.at)[-ROWS:])


def _incident(evidence: Evidence, report: Report) -> Iterator[Moment]:
    passed = {task.id for task in report.tasks if task.status is Status.PASSED}
    assigned, created = evidence.assigned, evidence.creation
    if created and "creator" in passed:
        yield Moment(at=created.at, kind="incident", what=created.name, detail=f"by {created.who}")
    if assigned and {"function-name", "malicious-ip"} <= passed:
        for at, what in ((assigned.first_seen, "First connection seen"), (assigned.created_at, "Finding created")):
            if at:
                yield Moment(at=at, kind="incident", what=what, detail=f"{assigned.function_name} to {assigned.ip}")


def _calls(events: Sequence[Event]) -> Iterator[Moment]:
    for (source, name, error), group in groupby(events, key=lambda each: (each.source, each.name, each.error)):
        calls = list(group)
        times = f" × {len(calls)}" if len(calls) > 1 else ""
        kind = "read" if calls[0].read_only else "change"
        detail = f"{source.removesuffix('.amazonaws.com')}{f', refused: {error}' if error else ''}"
        yield Moment(at=calls[0].at, kind=kind, what=f"{name}{times}", detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long it took from the trainee's first call; None for what has not happened or cannot be told."""

    detect: timedelta | None
    attribute: timedelta | None
    contain: timedelta | None


def pace(evidence: Evidence, report: Report, answers: Answers) -> Pace:
    """Return the times to detect (first read of the finding), attribute (creator passed) and contain (the fix)."""
    start = evidence.mine[0].at if evidence.mine else None
    status = {task.id: task.status for task in report.tasks}
    read = proven.judge(evidence, "function-name").calls
    attributed = answers.passed_at("creator") or report.lab_time
    change = evidence.containment

    def since(at: datetime | None) -> timedelta | None:
        return at - start if at and start and at >= start else None

    return Pace(
        detect=since(read[0].at if read else None),
        attribute=since(attributed) if status.get("creator") is Status.PASSED else None,
        contain=since(change.at) if change and status.get("remediation") is Status.PASSED else None,
    )


GOOD_RESPONSE = (
    (
        "Scope",
        "RS.AN-08",
        "Read the finding before touching anything: resource, address, list, first and last seen, Count.",
    ),
    (
        "Capture",
        "RS.AN-07",
        "Keep the code that ran and its configuration: get-function, a published version, the object in S3.",
    ),
    (
        "Attribute",
        "RS.AN-03",
        "Follow Config and CloudTrail to the oldest event: the role behind the session, and what it used.",
    ),
    ("Record", "RS.AN-06", "Write down what you did and when. CloudTrail holds your calls too: leave it running."),
    (
        "Contain",
        "RS.MI-01",
        "Take the smallest reversible step that stops it: disable the rule, or reserve a concurrency of 0.",
    ),
    (
        "Verify",
        "RS.MI-01",
        "Let the next run become due; Count and last seen must stand still while detection still works.",
    ),
    (
        "Eradicate",
        "RS.MI-02",
        "Delete the stack that made it, when evidence is safe: function, rule, permission and role together.",
    ),
    (
        "Close",
        "RS.CO-02",
        "Tell the owner of the creating role, archive the finding, keep list and protections as they were.",
    ),
)
"""Step, its place in NIST CSF 2.0 as SP 800-61r3 uses it, and what to do. Source: NIST SP 800-61r3; AWS Security
Incident Response guide, containment (source, technique and access, destination)."""


def html(report: Report, scenario: Scenario, evidence: Evidence, answers: Answers) -> str:
    """Return the debrief as one HTML document without any external resource or script."""
    rows = timeline(evidence, report, answers)
    body = "\n".join(
        (
            f"<h1>{_e(report.title)}</h1>",
            _summary(report),
            _tasks(report),
            _pace(pace(evidence, report, answers)),
            _timeline(rows),
            _response()
            if report.passed
            else "<p>What a good response looks like is told here once all tasks are passed.</p>",
            _references(scenario),
        )
    )
    return _PAGE.format(title=_e(f"Debrief: {report.title}"), style=_STYLE, body=body)


def _e(text: object) -> str:
    return escape(printable(str(text)))


def _summary(report: Report) -> str:
    state = "Passed" if report.passed else "Not passed yet"
    points = f"{report.score} of {report.max_score} points"
    return (
        f'<p class="score {"ok" if report.passed else "no"}"><strong>{state}</strong>: {points}</p>\n'
        f"<p>Lab {_e(report.lab_id)} ({_e(report.target)}), {stamp(report.lab_time)}, check {report.checks}</p>"
        + "".join(f"\n<p>{_e(remark)}</p>" for remark in report.remarks)
    )


def _tasks(report: Report) -> str:
    return "<h2>Tasks</h2>\n" + "\n".join(_task(task) for task in report.tasks)


def _task(task: TaskResult) -> str:
    parts = "".join(
        f"<tr><td>{MARKS[part.status]} {_e(part.title)}</td>"
        f"<td>{part.score}/{part.max_score}</td><td>{_e(part.why)}</td></tr>"
        for part in task.parts
    )
    remarks = "".join(f"<li>{_e(remark)}</li>" for remark in task.remarks)
    cited = ", ".join(f"{_e(each.kind)} <code>{_e(each.id)}</code>" for each in task.evidence)
    told = (f"hints: {task.hints}", f"different answers: {task.tries}", task.proof.value if task.proof else "")
    counts = ", ".join(each for each in told if each and not each.endswith(": 0"))
    return (
        f'<section class="{task.status.value}"><h3>{MARKS[task.status]} {_e(task.title)} '
        f"<small>{WORDS[task.status]}, {task.score}/{task.max_score}</small></h3>\n<p>{_e(task.why)}</p>"
        + (f"<ul>{remarks}</ul>" if remarks else "")
        + (
            f"<table><thead><tr><th scope='col'>Part</th><th scope='col'>Points</th><th scope='col'>Why</th></tr></thead><tbody>{parts}</tbody></table>"
            if parts
            else ""
        )
        + (f"<p>Next: {_e(task.next)}</p>" if task.next else "")
        + (f"<p>Evidence: {cited}</p>" if cited else "")
        + (f"<p><small>{counts}</small></p>" if counts else "")
        + "</section>"
    )


def _pace(times: Pace) -> str:
    cells = (
        ("Time to detect", times.detect),
        ("Time to attribute", times.attribute),
        ("Time to contain", times.contain),
    )
    rows = "".join(f"<tr><th scope='row'>{name}</th><td>{_duration(value)}</td></tr>" for name, value in cells)
    return f"<h2>Pace</h2>\n<p>Lab time, from your first call.</p>\n<table><tbody>{rows}</tbody></table>"


def _duration(value: timedelta | None) -> str:
    if value is None:
        return "not yet"
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _timeline(rows: Sequence[Moment]) -> str:
    body = "\n".join(
        f'<tr class="{row.kind}"><td><time datetime="{stamp(row.at)}">{stamp(row.at)}</time></td>'
        f"<td>{row.kind}</td><td>{_e(row.what)}</td><td>{_e(row.detail)}</td></tr>"
        for row in rows
    )
    head = "<thead><tr><th scope='col'>UTC</th><th scope='col'>Kind</th><th scope='col'>What</th><th scope='col'>Detail</th></tr></thead>"
    return f"<h2>Timeline</h2>\n<table>{head}<tbody>\n{body}\n</tbody></table>"


def _response() -> str:
    rows = "\n".join(
        f"<tr><th scope='row'>{step}</th><td>{code}</td><td>{_e(words)}</td></tr>"
        for step, code, words in GOOD_RESPONSE
    )
    head = "<thead><tr><th scope='col'>Step</th><th scope='col'>NIST CSF 2.0</th><th scope='col'>What a good response does</th></tr></thead>"
    told = "<h2>A good response</h2>\n<p>In the order of NIST SP 800-61r3.</p>"
    return f"{told}\n<table>{head}<tbody>\n{rows}\n</tbody></table>"


def _references(scenario: Scenario) -> str:
    items = "\n".join(f"<li>{_e(each.framework)} {_e(each.id)}: {_e(each.title)}</li>" for each in scenario.references)
    return f"<h2>Where this stands in the frameworks</h2>\n<ul>\n{items}\n</ul>"


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
td { overflow-wrap: anywhere; }
section { border-left: .3rem solid #888; padding-left: 1rem; margin: 1rem 0; }
section.passed, .ok { border-color: #2a7f3f; } section.failed, .no { border-color: #b3261e; }
.score { border-left: .3rem solid; padding-left: 1rem; font-size: 1.2rem; }
tr.incident td { font-weight: 600; } tr.change td { font-style: italic; }
""".strip()

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""
