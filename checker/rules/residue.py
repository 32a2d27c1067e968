"""What is left over that nobody needs any more?"""

from checker.evidence import Evidence, Leftovers
from checker.messages import Message, in_order, say
from checker.rules import Verdict, failed, hit, miss, passed


def judge(evidence: Evidence) -> Verdict:
    """Name what a fix left behind. It costs no points: it is said beside the verdict, for the eradication that follows.

    With the function deleted: a rule that still fires at nothing, its role, its log group (which is evidence until
    the case is closed). With the function kept: a rule that fires in vain because permission or concurrency is gone.
    Nothing of that kind passes.
    """
    left = tuple(_left(evidence))
    if not left:
        return passed("clean", say("Nothing is left over."))
    return failed(
        "left-over",
        say("Left over: {what}.", what=in_order(left, by="; ")),
        say("Clean up when the case is closed, and keep what is evidence."),
    )


def _left(evidence: Evidence) -> list[Message]:
    function = evidence.function
    left: list[Message] = []
    firing = [rule.name for rule in evidence.rules if rule.enabled]
    if function is None:
        left += [say("the rule {name} still fires, at a function that is gone", name=name) for name in firing]
        left += [say("the rule {name} (disabled)", name=rule.name) for rule in evidence.rules if not rule.enabled]
        if evidence.leftovers.role:
            left.append(say("the function's role, which anything may still be given"))
        if evidence.leftovers.log_group:
            left.append(say("the function's log group (evidence: export it before you delete it)"))
    elif function.reserved_concurrency == 0 or (
        function.invokers is not None and "events.amazonaws.com" not in function.invokers
    ):
        left += [say("the rule {name} still fires, in vain", name=name) for name in firing]
    return left


SAMPLES = (
    hit("the untouched account", "clean"),
    hit("the stack deleted, nothing left", "clean", function=None, rules=()),
    miss("an orphan rule", "left-over", function=None),
    miss("a live role", "left-over", function=None, rules=(), leftovers=Leftovers(role=True)),
    miss("a rule without permission", "left-over", invokers=()),
)
