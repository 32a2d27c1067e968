"""The debrief: one self-contained HTML page for the talk afterwards. Everything from the account is escaped.

It tells what was earned, never more: the finding's and the creation's times appear once their tasks are passed.
As with every report the language is the writer's choice: `html` takes its code and says all messages in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from itertools import groupby

from checker.evidence import Event, Evidence
from checker.grade import WORDS, Answers, Report, TaskResult
from checker.messages import Message, Speaker, as_is, say, speaker
from checker.report import MARKS, printable, stamp
from checker.rules import Status, proven
from scenario.model import Scenario

ROWS = 300
"""The most rows of the timeline: the newest are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A row of the timeline. `kind` is `incident`, `read`, `change` or `check`."""

    at: datetime
    kind: str
    what: Message
    detail: Message


def timeline(evidence: Evidence, report: Report, answers: Answers) -> tuple[Moment, ...]:
    """Return the investigation oldest first: what was earned of the incident, the trainee's calls, the checks.

    The report's own check is among them if it counts as one.
    """
    rows = [*_incident(evidence, report), *_calls(evidence.mine)]
    for number, attempt in enumerate(answers.attempts, start=1):
        at = datetime.fromisoformat(attempt["at"])
        rows.append(_check(at, number, attempt["score"]))
    if report.checks > len(answers.attempts):
        rows.append(_check(report.lab_time, report.checks, report.score))
    return tuple(sorted(rows, key=lambda row: row.at)[-ROWS:])


def _check(at: datetime, number: int, score: int) -> Moment:
    what, detail = say("Check {number}", number=number), say("{score} points", score=score)
    return Moment(at=at, kind="check", what=what, detail=detail)


def _incident(evidence: Evidence, report: Report) -> Iterator[Moment]:
    passed = {task.id for task in report.tasks if task.status is Status.PASSED}
    assigned, created = evidence.assigned, evidence.creation
    if created and "creator" in passed:
        by = say("by {who}", who=created.who)
        yield Moment(at=created.at, kind="incident", what=as_is(created.name), detail=by)
    if assigned and {"function-name", "malicious-ip"} <= passed:
        detail = say("{function} to {ip}", function=assigned.function_name, ip=assigned.ip)
        if assigned.first_seen:
            yield Moment(at=assigned.first_seen, kind="incident", what=say("First connection seen"), detail=detail)
        if assigned.created_at:
            yield Moment(at=assigned.created_at, kind="incident", what=say("Finding created"), detail=detail)


def _calls(events: Sequence[Event]) -> Iterator[Moment]:
    for (source, name, error), group in groupby(events, key=lambda each: (each.source, each.name, each.error)):
        calls = list(group)
        times = f" × {len(calls)}" if len(calls) > 1 else ""
        kind = "read" if calls[0].read_only else "change"
        service = source.removesuffix(".amazonaws.com")
        refused = say("{service}, refused: {error}", service=service, error=error)
        yield Moment(
            at=calls[0].at, kind=kind, what=as_is(f"{name}{times}"), detail=refused if error else as_is(service)
        )


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
        say("Scope"),
        "RS.AN-08",
        say("Read the finding before touching anything: resource, address, list, first and last seen, Count."),
    ),
    (
        say("Capture"),
        "RS.AN-07",
        say("Keep the code that ran and its configuration: get-function, a published version, the object in S3."),
    ),
    (
        say("Attribute"),
        "RS.AN-03",
        say("Follow Config and CloudTrail to the oldest event: the role behind the session, and what it used."),
    ),
    (
        say("Record"),
        "RS.AN-06",
        say("Write down what you did and when. CloudTrail holds your calls too: leave it running."),
    ),
    (
        say("Contain"),
        "RS.MI-01",
        say("Take the smallest reversible step that stops it: disable the rule, or reserve a concurrency of 0."),
    ),
    (
        say("Verify"),
        "RS.MI-01",
        say("Let the next run become due; Count and last seen must stand still while detection still works."),
    ),
    (
        say("Eradicate"),
        "RS.MI-02",
        say("Delete the stack that made it, when evidence is safe: function, rule, permission and role together."),
    ),
    (
        say("Close"),
        "RS.CO-02",
        say("Tell the owner of the creating role, archive the finding, keep list and protections as they were."),
    ),
)
"""Step, its place in NIST CSF 2.0 as SP 800-61r3 uses it, and what to do. Source: NIST SP 800-61r3; AWS Security
Incident Response guide, containment (source, technique and access, destination)."""


def html(report: Report, scenario: Scenario, evidence: Evidence, answers: Answers, language: str = "en") -> str:
    """Return the debrief in a language as one HTML document without any external resource or script."""
    said = speaker(language)
    rows = timeline(evidence, report, answers)
    body = "\n".join(
        (
            f"<h1>{_e(report.title)}</h1>",
            _summary(report, said),
            _tasks(report, said),
            _pace(pace(evidence, report, answers), said),
            _timeline(rows, said),
            _response(said) if report.passed else f"<p>{_e(said(WITHHELD))}</p>",
            _references(scenario, said),
        )
    )
    title = _e(said(say("Debrief: {title}", title=report.title)))
    return _PAGE.format(language=language, title=title, style=_STYLE, body=body)


def _e(text: object) -> str:
    return escape(printable(str(text)))


WITHHELD = say("What a good response looks like is told here once all tasks are passed.")


def _summary(report: Report, said: Speaker) -> str:
    state = say("Passed") if report.passed else say("Not passed yet")
    points = say("{score} of {max} points", score=report.score, max=report.max_score)
    where = say(
        "Lab {lab} ({target}), {moment}, checks: {number}",
        lab=report.lab_id,
        target=report.target,
        moment=stamp(report.lab_time),
        number=report.checks,
    )
    return (
        f'<p class="score {"ok" if report.passed else "no"}"><strong>{_e(said(state))}</strong>: {_e(said(points))}</p>\n'
        f"<p>{_e(said(where))}</p>" + "".join(f"\n<p>{_e(said(remark))}</p>" for remark in report.remarks)
    )


def _tasks(report: Report, said: Speaker) -> str:
    tasks = "\n".join(_task(task, said) for task in report.tasks)
    return f"<h2>{_e(said(say('Tasks')))}</h2>\n{tasks}"


CITED = {
    "finding": say("finding"),
    "cloudtrail-event": say("cloudtrail-event"),
    "function": say("function"),
    "code-sha256": say("code-sha256"),
}
"""The kinds of evidence that a verdict cites (`rules.Citation`)."""

PROOFS = {
    proven.Proof.PROVEN: say("proven"),
    proven.Proof.UNPROVEN: say("unproven"),
    proven.Proof.PENDING: say("pending"),
}


def _head(said: Speaker, *columns: Message) -> str:
    cells = "".join(f"<th scope='col'>{_e(said(column))}</th>" for column in columns)
    return f"<thead><tr>{cells}</tr></thead>"


def _task(task: TaskResult, said: Speaker) -> str:
    parts = "".join(
        f"<tr><td>{MARKS[part.status]} {_e(part.title)}</td>"
        f"<td>{part.score}/{part.max_score}</td><td>{_e(said(part.why))}</td></tr>"
        for part in task.parts
    )
    remarks = "".join(f"<li>{_e(said(remark))}</li>" for remark in task.remarks)
    cited = ", ".join(f"{_e(said(CITED[each.kind]))} <code>{_e(each.id)}</code>" for each in task.evidence)
    told = (
        say("hints: {count}", count=task.hints) if task.hints else None,
        say("different answers: {count}", count=task.tries) if task.tries else None,
        PROOFS[task.proof] if task.proof else None,
    )
    counts = ", ".join(_e(said(each)) for each in told if each)
    columns = (say("Part"), say("Points"), say("Why"))
    return (
        f'<section class="{task.status.value}"><h3>{MARKS[task.status]} {_e(task.title)} '
        f"<small>{_e(said(WORDS[task.status]))}, {task.score}/{task.max_score}</small></h3>\n<p>{_e(said(task.why))}</p>"
        + (f"<ul>{remarks}</ul>" if remarks else "")
        + (f"<table>{_head(said, *columns)}<tbody>{parts}</tbody></table>" if parts else "")
        + (f"<p>{_e(said(say('Next: {step}', step=task.next)))}</p>" if task.next else "")
        + (f"<p>{_e(said(say('Evidence:')))} {cited}</p>" if cited else "")
        + (f"<p><small>{counts}</small></p>" if counts else "")
        + "</section>"
    )


def _pace(times: Pace, said: Speaker) -> str:
    cells = (
        (say("Time to detect"), times.detect),
        (say("Time to attribute"), times.attribute),
        (say("Time to contain"), times.contain),
    )
    rows = "".join(
        f"<tr><th scope='row'>{_e(said(name))}</th><td>{_e(said(_duration(value)))}</td></tr>" for name, value in cells
    )
    told = f"<h2>{_e(said(say('Pace')))}</h2>\n<p>{_e(said(say('Lab time, from your first call.')))}</p>"
    return f"{told}\n<table><tbody>{rows}</tbody></table>"


def _duration(value: timedelta | None) -> Message:
    if value is None:
        return say("not yet")
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return say("{hours} h {minutes} min", hours=hours, minutes=minutes)
    return say("{minutes} min {seconds} s", minutes=minutes, seconds=seconds)


KINDS = {"incident": say("incident"), "read": say("read"), "change": say("change"), "check": say("check")}
"""The kinds of the timeline's rows (`Moment.kind`)."""


def _timeline(rows: Sequence[Moment], said: Speaker) -> str:
    body = "\n".join(
        f'<tr class="{row.kind}"><td><time datetime="{stamp(row.at)}">{stamp(row.at)}</time></td>'
        f"<td>{_e(said(KINDS[row.kind]))}</td><td>{_e(said(row.what))}</td><td>{_e(said(row.detail))}</td></tr>"
        for row in rows
    )
    head = _head(said, as_is("UTC"), say("Kind"), say("What"), say("Detail"))
    return f"<h2>{_e(said(say('Timeline')))}</h2>\n<table>{head}<tbody>\n{body}\n</tbody></table>"


def _response(said: Speaker) -> str:
    rows = "\n".join(
        f"<tr><th scope='row'>{_e(said(step))}</th><td>{code}</td><td>{_e(said(words))}</td></tr>"
        for step, code, words in GOOD_RESPONSE
    )
    head = _head(said, say("Step"), as_is("NIST CSF 2.0"), say("What a good response does"))
    order = say("In the order of NIST SP 800-61r3.")
    told = f"<h2>{_e(said(say('A good response')))}</h2>\n<p>{_e(said(order))}</p>"
    return f"{told}\n<table>{head}<tbody>\n{rows}\n</tbody></table>"


def _references(scenario: Scenario, said: Speaker) -> str:
    items = "\n".join(f"<li>{_e(each.framework)} {_e(each.id)}: {_e(each.title)}</li>" for each in scenario.references)
    title = say("Where this stands in the frameworks")
    return f"<h2>{_e(said(title))}</h2>\n<ul>\n{items}\n</ul>"


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8886; }
td { overflow-wrap: anywhere; }
section { border-left: .3rem solid #888; padding-left: 1rem; margin: 1rem 0; }
section.passed, .ok { border-color: #2a7f3f; } section.failed, .no { border-color: #b3261e; }
.score { border-left: .3rem solid; padding-left: 1rem; font-size: 1.2rem; }
tr.incident td { font-weight: 600; } tr.change td { font-style: italic; }
@media (max-width: 40rem) { /* a row's cells one below the other, else four columns break words into letters */
  thead { display: none; }
  tr { display: block; padding: .4rem 0; border-bottom: 1px solid #8886; }
  th, td { display: inline-block; padding: 0 .6rem 0 0; border: 0; }
}
""".strip()

_PAGE = """<!doctype html>
<html lang="{language}">
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
