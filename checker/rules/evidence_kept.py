"""Can the code that ran still be examined, and who changed it?"""

from checker.evidence import Event, Evidence
from checker.messages import Message, say
from checker.rules import Citation, Verdict, failed, hit, miss, passed
from checker.rules.samples import CODE, event


def judge(evidence: Evidence) -> Verdict:
    """Judge whether an investigator could still get the bytes that ran and read who changed them. An outcome, no
    ritual.

    The bytes that ran are those of the code in force when the finding was first seen (the CodeSha256 of the last
    create or code update before). Accepts them in the function itself, in a published version, in S3 under the key
    the function was made from (an earlier version of the object too), or in a copy the trainee fetched (GetFunction
    in the trail while that code was in force). A snapshot of what S3 still holds earns nothing extra.

    Rejects a deletion or overwrite that leaves no copy, and wiped records: a trail stopped or deleted, the function's
    log group deleted by hand (deleting the workload's stack is clean, and takes the group along). A stopped trail
    costs the collateral points as well: it takes from this case and from the next one.
    """
    if wiped := _wiped(evidence):
        return failed(
            "records-wiped",
            say("The records of what happened were cut off: {how}.", how=wiped),
            say("Leave logs alone until the case is closed."),
        )
    ran = _code_that_ran(evidence)
    if ran is None:
        why = say("The trail does not say which code ran, so no copy can be matched with it.")
        return failed("unknown-code", why)
    where = _found(evidence, ran)
    if where is None:
        return failed(
            "bytes-lost",
            say("The code that ran is gone: neither the function, a version, S3 nor a copy you fetched holds it."),
            say("Next time capture first: lambda get-function gives a link to the deployed package."),
        )
    kind, text, citation = where
    return passed(kind, text, evidence=(citation,))


def _wiped(evidence: Evidence) -> Message | None:
    if evidence.guards.trail_off:
        return say("the trail no longer logs")
    for each in evidence.changes:
        if each.is_("DeleteTrail"):
            return say("a trail was deleted")
        if each.is_("DeleteLogGroup") and not each.invoked_by and _is_functions_log(evidence, each):
            return say("the function's log group was deleted")
    return None


def _is_functions_log(evidence: Evidence, event: Event) -> bool:
    return str(event.request.get("logGroupName", "")).endswith(f"/{evidence.function_name}")


def _code_events(evidence: Evidence) -> list[Event]:
    names = ("CreateFunction", "UpdateFunctionCode")
    return [
        event
        for event in evidence.history
        if event.is_(*names) and not event.error and event.response.get("codeSha256")
    ]


def _code_that_ran(evidence: Evidence) -> str | None:
    seen = evidence.assigned.first_seen if evidence.assigned else None
    before = [event for event in _code_events(evidence) if seen is None or event.at <= seen]
    return str(before[-1].response["codeSha256"]) if before else None


def _found(evidence: Evidence, ran: str) -> tuple[str, Message, Citation] | None:
    function = evidence.function
    if function and function.code_sha256 == ran:
        text = say("The function still holds the code that ran.")
        return "in-function", text, Citation(kind="function", id=function.arn)
    if function and ran in function.versions:
        text = say("A published version holds the code that ran.")
        return "in-version", text, Citation(kind="function", id=function.arn)
    if ran in evidence.stored_code:
        text = say("S3 still holds the code that ran, byte for byte.")
        return "in-s3", text, Citation(kind="code-sha256", id=ran)
    if fetched := _fetched(evidence, ran):
        text = say("You fetched the deployed code while it was in force.")
        return "fetched", text, Citation(kind="cloudtrail-event", id=fetched.id)
    return None


def _fetched(evidence: Evidence, ran: str) -> Event | None:
    """Return the trainee's GetFunction of this function made while the code that ran was deployed; None for none."""
    for each in evidence.mine:
        if each.is_("GetFunction") and not each.error and each.function == evidence.function_name:
            before = [code for code in _code_events(evidence) if code.at <= each.at]
            if before and before[-1].response["codeSha256"] == ran:
                return each
    return None


DELETED = event("DeleteFunction20150331", minutes=5, request={"functionName": "traffic-simulation"})
FETCHED = event("GetFunction20150331v2", minutes=2, read_only=True, request={"functionName": "traffic-simulation"})

SAMPLES = (
    hit("the rule is disabled, the function stays", "in-function", rule_enabled=False),
    hit("deleted, S3 holds the same code", "in-s3", function=None, mine=(DELETED,)),
    hit("fetched, then deleted", "fetched", function=None, stored_code=frozenset(), mine=(FETCHED, DELETED)),
    hit(
        "new code, but the old in a version",
        "in-version",
        code_sha256="other",
        versions=(CODE,),
        stored_code=frozenset(),
    ),
    miss("deleted without a copy", "bytes-lost", function=None, stored_code=frozenset(), mine=(DELETED,)),
    miss("S3 holds other code than what ran", "bytes-lost", function=None, stored_code=frozenset(("other",))),
    miss("overwritten without a copy", "bytes-lost", code_sha256="other", stored_code=frozenset()),
    miss("the trail is stopped", "records-wiped", trails=(("lab-trail", False),)),
    miss("the trail is deleted", "records-wiped", trails=(), mine=(event("DeleteTrail", minutes=1),)),
    miss(
        "the function's logs are deleted",
        "records-wiped",
        mine=(event("DeleteLogGroup", minutes=1, request={"logGroupName": "/aws/lambda/traffic-simulation"}),),
    ),
    hit(
        "the stack is deleted, and the logs with it",
        "in-function",
        mine=(
            event(
                "DeleteLogGroup",
                minutes=1,
                request={"logGroupName": "/aws/lambda/traffic-simulation"},
                invoked_by="cloudformation.amazonaws.com",
            ),
        ),
    ),
)
