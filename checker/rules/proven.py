"""Does the trainee's own investigation show where a right answer came from?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from checker.evidence import Event, Evidence
from checker.messages import Message, say

LAG = timedelta(minutes=15)
"""How late CloudTrail's history may be: about five minutes on average, not guaranteed (docs/aws-facts.md, part 5)."""


class Proof(StrEnum):
    """Whether a right answer is backed by a call that could have revealed it."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """A proof and the trainee's calls that make it, oldest first."""

    proof: Proof
    why: Message
    calls: tuple[Event, ...] = ()


def judge(evidence: Evidence, task: str, answered_at: datetime | None = None) -> Backing:
    """Tell which of the trainee's own calls could have revealed a task's answer.

    For the function and the address: GetFindings of the assigned finding; for the function also a list of functions
    or rules is no proof (it names several). For the address also reading the code (GetFunction) or the function's
    log. For the creator: a lookup in CloudTrail, or a query over its logs. For the remediation: the trainee's own
    containing change.

    Unproven is not wrong: a colleague may have told, or the text (names are printed there). Where the answer is
    younger than the trail's lag, proof is pending. The checker's own calls never count: they are left out when
    collected.
    """
    calls = tuple(each for each in evidence.mine if not each.error and REVEALS[task](evidence, each))
    if calls:
        return Backing(proof=Proof.PROVEN, why=say("Your own calls show where it came from."), calls=calls)
    waiting = answered_at is None or evidence.now - answered_at < LAG
    proof = Proof.PENDING if waiting else Proof.UNPROVEN
    return Backing(proof=proof, why=WORDS[proof, task == "remediation"])


WORDS = {
    (Proof.PENDING, False): say("CloudTrail does not show yet where it came from; it lags some minutes."),
    (Proof.UNPROVEN, False): say("no call of yours in CloudTrail could have shown it."),
    (Proof.PENDING, True): say("CloudTrail does not show a change of yours yet; it lags some minutes."),
    (Proof.UNPROVEN, True): say("CloudTrail shows no change of yours that stopped it. A colleague's, perhaps?"),
}


def _read_finding(evidence: Evidence, each: Event) -> bool:
    ids = each.request.get("findingIds")
    return each.is_("GetFindings") and (ids is None or (evidence.assigned is not None and evidence.assigned.id in ids))


def _read_code_or_log(evidence: Evidence, each: Event) -> bool:
    if each.is_("GetFunction"):
        return each.function == evidence.function_name
    group = str(each.request.get("logGroupName", ""))
    return each.is_("FilterLogEvents", "GetLogEvents") and group.endswith(f"/{evidence.function_name}")


def _read_address(evidence: Evidence, each: Event) -> bool:
    return _read_finding(evidence, each) or _read_code_or_log(evidence, each)


def _read_trail(evidence: Evidence, each: Event) -> bool:
    return each.is_("LookupEvents", "StartQuery", "StartQueryExecution", "GetQueryResults")


def _contained(evidence: Evidence, each: Event) -> bool:
    return each in evidence.changes and evidence.containment == each


REVEALS: dict[str, Callable[[Evidence, Event], bool]] = {
    "function-name": _read_finding,
    "malicious-ip": _read_address,
    "creator": _read_trail,
    "remediation": _contained,
}
