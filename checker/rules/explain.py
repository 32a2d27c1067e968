"""Why is the traffic stopped? The state that explains an empty outlook; it decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from checker.evidence import Evidence
from checker.messages import Message, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One state of the account that keeps the function from connecting."""

    kind: str
    text: Message
    holds: Callable[[Evidence], bool]


def explanations(evidence: Evidence) -> tuple[Explanation, ...]:
    """Return the states that hold and explain why nothing connects, the most final first."""
    return tuple(each for each in STATES if each.holds(evidence)) if evidence.function_name else ()


def code_changed(evidence: Evidence) -> bool:
    """Tell whether the function's code is other than it was created with."""
    created = evidence.creation
    original = created.response.get("codeSha256") if created else None
    return bool(evidence.function and original and evidence.function.code_sha256 != original)


def _not_invokable(evidence: Evidence) -> bool:
    function = evidence.function
    return function is not None and function.invokers is not None and "events.amazonaws.com" not in function.invokers


STATES = (
    Explanation(
        kind="function-deleted",
        text=say("The function is deleted: nothing is left to run."),
        holds=lambda e: e.function is None,
    ),
    Explanation(
        kind="concurrency-zero",
        text=say("Reserved concurrency is 0: no invocation runs until it is lifted."),
        holds=lambda e: e.function is not None and e.function.reserved_concurrency == 0,
    ),
    Explanation(
        kind="no-trigger", text=say("Nothing invokes the function on a schedule any more."), holds=lambda e: not e.rules
    ),
    Explanation(
        kind="rule-disabled",
        text=say("The schedule that invoked the function is disabled. The function itself remains."),
        holds=lambda e: bool(e.rules) and not any(rule.enabled for rule in e.rules),
    ),
    Explanation(
        kind="permission-removed",
        text=say("The rule still fires, but the function's policy no longer lets it invoke the function."),
        holds=_not_invokable,
    ),
    Explanation(
        kind="vpc-closed",
        text=say("The function is attached to a network that gives it no way out."),
        holds=lambda e: e.function is not None and bool(e.function.vpc_id),
    ),
    Explanation(
        kind="code-changed",
        text=say("The function's new code no longer connects to a listed address."),
        holds=code_changed,
    ),
)
