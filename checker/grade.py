"""Scenario + Evidence + Answers -> Report. Pure: no I/O, no clock, no chance.

What the report tells are messages, whose language whoever writes it down chooses (`messages`). Titles and questions are
the scenario's, in the language that it was loaded in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from checker.evidence import Evidence
from checker.messages import Message, as_is, say
from checker.rules import (
    Citation,
    Status,
    Verdict,
    collateral,
    creator,
    evidence_kept,
    failed,
    function_name,
    malicious_ip,
    not_run,
    proven,
    residue,
    stopped,
    verified,
)
from checker.rules.proven import Backing, Proof
from scenario.model import Scenario, Task

ANSWERED: Mapping[str, Callable[[Evidence, str], Verdict]] = {
    "function-name": function_name.judge,
    "malicious-ip": malicious_ip.judge,
    "creator": creator.judge,
}
OUTCOMES: Mapping[str, Callable[[Evidence], Verdict]] = {
    "stopped": stopped.judge,
    "evidence": evidence_kept.judge,
    "collateral": collateral.judge,
    "verified": verified.judge,
}
"""The parts of the remediation, in order. Points are the scenario's; the first part alone decides whether it passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the trainee said: task id to exact text, and what earlier checks and hints left behind.

    `attempts` are the earlier checks, oldest first, as `worlds.Memory.record` keeps them. `hints` counts hints taken.
    `key_used_at` is when the instructor's key was first printed.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    attempts: Sequence[Mapping[str, Any]] = ()
    hints: Mapping[str, int] = field(default_factory=dict)
    key_used_at: str | None = None

    def given_at(self, task: str) -> datetime | None:
        """Return when this very text was first graded; None where it is new."""
        for attempt in self.attempts:
            if attempt.get("answers", {}).get(task) == self.texts.get(task):
                return datetime.fromisoformat(attempt["at"])
        return None

    def passed_at(self, task: str) -> datetime | None:
        """Return when a check first passed the task; None where none did."""
        passed = (each["at"] for each in self.attempts if each.get("statuses", {}).get(task) == Status.PASSED)
        at = next(passed, None)
        return datetime.fromisoformat(at) if at else None

    def earned(self, task: str) -> bool:
        """Tell whether an earlier check passed this very text."""
        return any(
            attempt.get("statuses", {}).get(task) == Status.PASSED
            and attempt.get("answers", {}).get(task) == self.texts.get(task)
            for attempt in self.attempts
        )

    def ungraded(self) -> bool:
        """Tell whether there is an answer whose very text no check has graded yet."""
        return any(self.given_at(task) is None for task in self.texts)

    def tries(self, task: str) -> int:
        """Return how many different texts were graded for a task, this one included."""
        texts = [attempt.get("answers", {}).get(task) for attempt in self.attempts]
        return len({text for text in [*texts, self.texts.get(task)] if text})


def legible(attempts: Sequence[Any]) -> tuple[Mapping[str, Any], ...]:
    """Return earlier checks as `Answers` needs them, as far as they can be read: a file or another version may say anything.

    One without a moment is none; of the others, what no check writes is left out. A status is any text.
    """
    return tuple(_legible(each) for each in attempts if isinstance(each, Mapping) and _is_moment(each.get("at")))


def _legible(attempt: Mapping[str, Any]) -> dict[str, Any]:
    def by_task(member: str, kind: type) -> dict[str, Any]:
        said = attempt.get(member)
        return (
            {task: each for task, each in said.items() if isinstance(each, kind)} if isinstance(said, Mapping) else {}
        )

    kinds = {"answers": str, "statuses": str, "points": int}
    score = attempt.get("score")
    told = {member: by_task(member, kind) for member, kind in kinds.items()}
    return {"at": attempt["at"], **told, "score": score if isinstance(score, int) else 0}


def _is_moment(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """A share of a task's points: what it asked, and how it ended."""

    id: str
    title: str
    status: Status
    score: int
    max_score: int
    why: Message
    next: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """How one task ended. `evidence` is empty unless it was passed."""

    id: str
    title: str
    status: Status
    score: int
    max_score: int
    why: Message
    kind: str
    evidence: tuple[Citation, ...] = ()
    next: Message | None = None
    remarks: tuple[Message, ...] = ()
    proof: Proof | None = None
    parts: tuple[PartResult, ...] = ()
    hints: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found out.

    `progress` says in sentences what changed since the check before. `checks` is how many there were, this one included
    unless it was only looking back.
    """

    scenario: str
    title: str
    lab_id: str
    target: str
    lab_time: datetime
    passed: bool
    score: int
    max_score: int
    tasks: tuple[TaskResult, ...]
    progress: tuple[Message, ...] = ()
    remarks: tuple[Message, ...] = ()
    checks: int = 1


def _key_remark(answers: Answers) -> tuple[Message, ...]:
    at = answers.key_used_at
    return (say("The instructor's key of this lab was printed at {moment}.", moment=at),) if at else ()


def grade(
    scenario: Scenario,
    evidence: Evidence,
    answers: Answers,
    *,
    lab_id: str = "",
    target: str = "simulator",
    require_proof: bool = False,
    counts: bool = True,
) -> Report:
    """Return the report on all tasks of a scenario, in its order.

    With `require_proof` a right answer that none of the trainee's calls could have revealed does not pass; one that may
    only be waiting for the trail is not run yet. `counts` tells whether this is a check of the trainee's.
    """
    tasks = tuple(_task(task, evidence, answers, require_proof) for task in scenario.tasks)
    return Report(
        scenario=scenario.id,
        title=scenario.title,
        lab_id=lab_id,
        target=target,
        lab_time=evidence.now,
        passed=all(task.status is Status.PASSED for task in tasks),
        score=sum(task.score for task in tasks),
        max_score=sum(task.max_score for task in tasks),
        tasks=tasks,
        progress=_progress(tasks, answers),
        remarks=(*evidence.gaps, *_key_remark(answers)),
        checks=len(answers.attempts) + counts,
    )


def _task(task: Task, evidence: Evidence, answers: Answers, require_proof: bool) -> TaskResult:
    result = _answered(task, evidence, answers) if task.answered else _remediation(task, evidence)
    result = replace(result, hints=answers.hints.get(task.id, 0), tries=answers.tries(task.id))
    if result.status is not Status.PASSED:
        return result
    at = answers.given_at(task.id) if task.answered else answers.passed_at(task.id)
    return _backed(result, proven.judge(evidence, task.id, at), require_proof)


def _answered(task: Task, evidence: Evidence, answers: Answers) -> TaskResult:
    text = answers.texts.get(task.id, "")
    if not text.strip():
        return _result(task, not_run("no-answer", say("No answer yet."), as_is(task.question)))
    verdict = ANSWERED[task.id](evidence, text)
    if verdict.status is Status.NOT_RUN and answers.earned(task.id):
        why = say("It was right when AWS could still tell; the evidence is gone meanwhile.")
        verdict = Verdict(status=Status.PASSED, kind="earned-before", why=why)
    return _result(task, verdict)


def _result(task: Task, verdict: Verdict) -> TaskResult:
    return TaskResult(
        id=task.id,
        title=task.title,
        status=verdict.status,
        score=task.max_score if verdict.passed else 0,
        max_score=task.max_score,
        why=verdict.why,
        kind=verdict.kind,
        evidence=verdict.evidence,
        next=verdict.next,
        remarks=verdict.remarks,
    )


def _remediation(task: Task, evidence: Evidence) -> TaskResult:
    """Grade the outcome. Nothing counts before the traffic is stopped: an untouched account broke nothing either."""
    verdicts = {part.id: OUTCOMES[part.id](evidence) for part in task.parts}
    fix = verdicts["stopped"]
    if not fix.passed:
        waiting = not_run("not-stopped", say("Counts once the traffic is stopped."))
        verdicts = {part: fix if part == "stopped" else waiting for part in verdicts}
    parts = tuple(
        PartResult(
            id=part.id,
            title=part.title,
            status=verdicts[part.id].status,
            score=part.max_score if verdicts[part.id].passed else 0,
            max_score=part.max_score,
            why=verdicts[part.id].why,
            next=verdicts[part.id].next,
        )
        for part in task.parts
    )
    left = residue.judge(evidence)
    remarks = fix.remarks + ((left.why,) if fix.passed and not left.passed else ())
    result = _result(task, fix)
    cited = tuple(citation for verdict in verdicts.values() for citation in verdict.evidence)
    missing = next((part.next for part in parts if part.status is not Status.PASSED and part.next), None)
    return replace(
        result,
        score=sum(part.score for part in parts),
        parts=parts,
        remarks=remarks,
        evidence=tuple(dict.fromkeys(cited)) if fix.passed else (),
        next=fix.next or missing,
    )


def _backed(result: TaskResult, backing: Backing, require_proof: bool) -> TaskResult:
    calls = tuple(Citation(kind="cloudtrail-event", id=call.id) for call in backing.calls[:5])
    evidence = tuple(dict.fromkeys(result.evidence + calls))
    if backing.proof is Proof.PROVEN:
        return replace(result, proof=backing.proof, evidence=evidence)
    if not require_proof:
        return replace(result, proof=backing.proof, remarks=(*result.remarks, _right_but(backing)))
    why = say("Proof is required. {why}", why=backing.why)
    verdict = (
        not_run("pending", why, say("Check again in some minutes of lab time."))
        if backing.proof is Proof.PENDING
        else failed("unproven", why, say("Look it up in AWS yourself, then check again."))
    )
    parts = tuple(replace(part, score=0) for part in result.parts)
    return replace(
        result,
        status=verdict.status,
        score=0,
        kind=verdict.kind,
        why=verdict.why,
        next=verdict.next,
        evidence=(),
        remarks=(),
        proof=backing.proof,
        parts=parts,
    )


def _right_but(backing: Backing) -> Message:
    if backing.proof is Proof.PENDING:
        return say("Right, but pending: {why}", why=backing.why)
    return say("Right, but unproven: {why}", why=backing.why)


WORDS = {Status.PASSED: say("passed"), Status.FAILED: say("not yet"), Status.NOT_RUN: say("not run")}
"""How a task ended, as a report and its lines on what changed say it."""


def _progress(tasks: Sequence[TaskResult], answers: Answers) -> tuple[Message, ...]:
    if not answers.attempts:
        return ()
    before = answers.attempts[-1]
    told = {status.value: text for status, text in WORDS.items()}
    lines = []
    for task in tasks:
        was = before.get("statuses", {}).get(task.id)
        if was != task.status:
            old = told.get(str(was), say("new"))  # an attempt comes from a file or an API: it may say anything
            lines.append(say("{title}: {was} → {now}", title=task.title, was=old, now=WORDS[task.status]))
        elif (points := before.get("points", {}).get(task.id, 0)) != task.score:
            lines.append(say("{title}: {was} → {now} points", title=task.title, was=points, now=task.score))
    return tuple(lines)
