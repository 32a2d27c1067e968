"""The judgements, one a file. Each is a pure function of the evidence (and an answer) that returns a `Verdict`.

Its docstring says what it accepts, what it rejects and why, disputable cases included; `SAMPLES` beside it are hits
and misses that a contract test runs against a small lab (`samples.lab`). To add a judgement, add a file.

What a verdict tells is made with `messages.say`, in English here and in each catalog of `texts/`.

A verdict on something not yet earned points to where to look and never says the value: not in `why`, not in `next`,
and it cites nothing of the account's that would.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from checker.messages import Message


class Status(StrEnum):
    """How a judgement ends. Not run: there is no answer yet, or nothing to judge it by."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A piece of AWS's evidence: its kind (`finding`, `cloudtrail-event`, `function`, `s3-object` …) and its id."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judgement came to. `kind` names the reason for machines, `why` tells the trainee, `next` what to do."""

    status: Status
    kind: str
    why: Message
    next: Message | None = None
    evidence: tuple[Citation, ...] = ()
    remarks: tuple[Message, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it was passed."""
        return self.status is Status.PASSED


def passed(
    kind: str, why: Message, *, evidence: tuple[Citation, ...] = (), remarks: tuple[Message, ...] = ()
) -> Verdict:
    """Return a passed verdict."""
    return Verdict(status=Status.PASSED, kind=kind, why=why, evidence=evidence, remarks=remarks)


def failed(kind: str, why: Message, next: Message | None = None, *, remarks: tuple[Message, ...] = ()) -> Verdict:
    """Return a failed verdict."""
    return Verdict(status=Status.FAILED, kind=kind, why=why, next=next, remarks=remarks)


def not_run(kind: str, why: Message, next: Message | None = None) -> Verdict:
    """Return the verdict of a judgement that could not be made."""
    return Verdict(status=Status.NOT_RUN, kind=kind, why=why, next=next)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A case beside a rule: `changes` to the sample lab, the answer where one is asked, and the verdict's kind."""

    name: str
    kind: str
    status: Status
    answer: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


def hit(name: str, kind: str, answer: str = "", **changes: Any) -> Sample:
    """Return a sample that the rule must accept."""
    return Sample(name=name, kind=kind, status=Status.PASSED, answer=answer, changes=changes)


def miss(name: str, kind: str, answer: str = "", **changes: Any) -> Sample:
    """Return a sample that the rule must refuse."""
    return Sample(name=name, kind=kind, status=Status.FAILED, answer=answer, changes=changes)
