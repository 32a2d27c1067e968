"""Is something broken that the account needs?"""

from collections.abc import Iterator

from checker.evidence import Addresses, AddressList, Evidence
from checker.messages import Message, in_order, say
from checker.rules import Verdict, failed, hit, miss, passed
from checker.rules.samples import THREATS, event


def judge(evidence: Evidence) -> Verdict:
    """Judge what the response broke that the account needs.

    State decides where there is a state to read: the detector and its Lambda protection are on, the threat list is
    active and still holds the finding's address, no trusted list and no suppression rule hides it, recorder and trail
    run. What is deleted leaves no state, so deletions are read from the trainee's own calls: other functions and
    their rules, recorder, trail, lists, roles, users and buckets. What the trainee made may be unmade. What was put
    right again before the check is not held against anyone.

    Accepts an account that never had a recorder or a trail of its own: an organisation's may do that work. Archiving
    the finding after the fix is closure, not damage. Deleting the baseline's stack stops nothing and breaks all.
    """
    broken = tuple(_broken(evidence))
    if not broken:
        return passed("intact", say("Nothing the account needs was broken."))
    kinds = [kind for kind, _ in broken]
    why = say("Broken on the way: {what}.", what=in_order((text for _, text in broken), by="; "))
    return failed(kinds[0], why, say("Put it back: the next incident needs it."))


def _broken(evidence: Evidence) -> Iterator[tuple[str, Message]]:
    guards = evidence.guards
    if guards.detector_id is None:
        yield "detector-deleted", say("the GuardDuty detector is deleted, and its findings with it")
    elif not guards.detector_on:
        yield "detector-off", say("the GuardDuty detector is suspended")
    elif not guards.lambda_protection:
        yield "protection-off", say("GuardDuty's Lambda protection is off")
    if guards.detector_id is not None:
        yield from _lists(evidence)
    if guards.suppressions:
        yield "suppressed", say("a suppression rule archives findings as they arrive")
    if guards.recorder_on is False or (
        guards.recorder_on is None and _deleted(evidence, "DeleteConfigurationRecorder")
    ):
        yield "recorder-off", say("AWS Config records no more")
    if guards.trail_off or (not guards.trails and _deleted(evidence, "DeleteTrail")):
        yield "trail-off", say("the trail logs no more")
    if evidence.function_name:  # else nothing tells which function the case is about
        yield from _functions(evidence)
        yield from _rules(evidence)
    yield from _deletions(evidence)


def _lists(evidence: Evidence) -> Iterator[tuple[str, Message]]:
    threats = evidence.guards.threats
    ip = evidence.assigned.ip if evidence.assigned else None
    if not any(each.active for each in threats):
        yield "list-inactive", say("the threat list is not active")
    elif ip and not any(ip in each.entries for each in threats):
        yield "list-emptied", say("the threat list no longer holds the address of your finding")
    if ip and any(each.trusted and ip in each.entries for each in evidence.guards.lists):
        yield "trusted", say("a trusted list holds the address of your finding")


def _functions(evidence: Evidence) -> Iterator[tuple[str, Message]]:
    own = evidence.function_name
    made = {each.function for each in evidence.changes if each.is_("CreateFunction")}
    gone = {each.function for each in evidence.changes if each.is_("DeleteFunction")} - {own, ""} - made
    for name in sorted(gone - set(evidence.function_names)):
        yield "function-deleted", say("the function {name} is deleted, which the finding does not name", name=name)
    for name in sorted(_rewritten(evidence) - {own, ""} - made - gone):
        text = say("the code of the function {name} was replaced, which the finding does not name", name=name)
        yield "function-rewritten", text
    for name in sorted(_throttled(evidence) - {own, ""} - made):
        yield "function-throttled", say("the function {name} may not run any more (concurrency 0)", name=name)


def _rules(evidence: Evidence) -> Iterator[tuple[str, Message]]:
    """Yield the rules that run other functions and were stopped; one that has both kinds of target is the case's."""
    stopped: dict[str, None] = {}
    for each in evidence.changes:
        name = str(each.request.get("rule") or each.request.get("name") or "")
        if each.is_("DisableRule", "DeleteRule", "RemoveTargets"):
            stopped[name] = None
        elif each.is_("EnableRule", "PutTargets"):
            stopped.pop(name, None)
    for name in stopped:
        arns = [arn for rule, arn in evidence.targets if rule == name and ":function:" in arn]
        names = {arn.split(":function:")[1].split(":")[0] for arn in arns}
        if names and evidence.function_name not in names:
            text = say("the rule {name} no longer runs {functions}", name=name, functions=", ".join(sorted(names)))
            yield "rule-stopped", text


def _deletions(evidence: Evidence) -> Iterator[tuple[str, Message]]:
    """Yield what else the trainee deleted by hand without having made it, but for the function's own role."""
    role = evidence.assigned.role_arn.rsplit("/", 1)[-1] if evidence.assigned else ""
    for kind in ("Role", "User", "Bucket"):
        key = f"{kind.lower()}Name"
        made = {each.request.get(key) for each in evidence.changes if each.is_(f"Create{kind}")}
        for each in evidence.changes:
            name = each.request.get(key)
            if each.is_(f"Delete{kind}") and not each.invoked_by and name not in made | {role}:
                yield f"{kind.lower()}-deleted", _deleted_one(kind, str(name))


def _deleted_one(kind: str, name: str) -> Message:
    return {
        "Role": say("the role {name} is deleted", name=name),
        "User": say("the user {name} is deleted", name=name),
        "Bucket": say("the bucket {name} is deleted", name=name),
    }[kind]


def _rewritten(evidence: Evidence) -> set[str]:
    return {each.function for each in evidence.changes if each.is_("UpdateFunctionCode")}


def _throttled(evidence: Evidence) -> set[str]:
    held: set[str] = set()
    for each in evidence.changes:
        if each.is_("PutFunctionConcurrency"):
            (held.add if each.request.get("reservedConcurrentExecutions") == 0 else held.discard)(each.function)
        elif each.is_("DeleteFunctionConcurrency", "DeleteFunction"):
            held.discard(each.function)
    return held


def _deleted(evidence: Evidence, name: str) -> bool:
    return any(each.is_(name) for each in evidence.changes)


EMPTIED = AddressList(name="S3BadIpAddressList", trusted=False, status="ACTIVE")
TRUSTED = AddressList(
    name="mine", trusted=True, status="ACTIVE", entries=Addresses(single=frozenset(("198.51.100.7",)))
)
OTHER = {"functionName": "order-webhook"}
HOURLY = (("hourly", "arn:aws:lambda:us-east-1:111122223333:function:order-webhook"),)

SAMPLES = (
    hit("the untouched account", "intact"),
    hit(
        "the function deleted",
        "intact",
        function=None,
        mine=(event("DeleteFunction20150331", request={"functionName": "traffic-simulation"}),),
    ),
    hit("the finding archived", "intact", archived=True),
    hit("an account without recorder and trail", "intact", recorder_on=None, trails=()),
    hit(
        "a function of one's own made and deleted",
        "intact",
        mine=(
            event("CreateFunction20150331", request={"functionName": "probe"}),
            event("DeleteFunction20150331", request={"functionName": "probe"}),
        ),
    ),
    miss(
        "detector deleted", "detector-deleted", detector_id=None, detector_on=False, lambda_protection=False, lists=()
    ),
    miss("detector suspended", "detector-off", detector_on=False),
    miss("Lambda protection off", "protection-off", lambda_protection=False),
    miss("recorder stopped", "recorder-off", recorder_on=False),
    miss("recorder deleted", "recorder-off", recorder_on=None, mine=(event("DeleteConfigurationRecorder"),)),
    miss("trail stopped", "trail-off", trails=(("lab-trail", False),)),
    miss("list deleted", "list-inactive", lists=()),
    miss("list emptied", "list-emptied", lists=(EMPTIED,)),
    miss("trusted entry left", "trusted", lists=(THREATS, TRUSTED)),
    miss("suppression rule left", "suppressed", suppressions=("quiet",)),
    miss(
        "another function deleted",
        "function-deleted",
        function_names=("traffic-simulation",),
        mine=(event("DeleteFunction20150331", request=OTHER),),
    ),
    miss(
        "another function's code replaced",
        "function-rewritten",
        mine=(event("UpdateFunctionCode20150331v2", request=OTHER),),
    ),
    miss(
        "another function's rule disabled",
        "rule-stopped",
        targets=HOURLY,
        mine=(event("DisableRule", request={"name": "hourly"}),),
    ),
    miss(
        "another function's rule emptied",
        "rule-stopped",
        targets=HOURLY,
        mine=(event("RemoveTargets", request={"rule": "hourly"}),),
    ),
    hit(
        "another function's rule disabled and enabled",
        "intact",
        targets=HOURLY,
        mine=(event("DisableRule", request={"name": "hourly"}), event("EnableRule", request={"name": "hourly"})),
    ),
    miss("a role deleted", "role-deleted", mine=(event("DeleteRole", request={"roleName": "WSSystemRole"}),)),
    miss("a bucket deleted", "bucket-deleted", mine=(event("DeleteBucket", request={"bucketName": "trail-logs"}),)),
    hit(
        "the function's role deleted",
        "intact",
        mine=(event("DeleteRole", request={"roleName": "traffic-simulation-role"}),),
    ),
    hit(
        "a role of one's own made and deleted",
        "intact",
        mine=(event("CreateRole", request={"roleName": "r"}), event("DeleteRole", request={"roleName": "r"})),
    ),
    miss(
        "another function throttled",
        "function-throttled",
        mine=(event("PutFunctionConcurrency20171031", request={**OTHER, "reservedConcurrentExecutions": 0}),),
    ),
)
