"""What was done that looks like a fix and is none?"""

from collections.abc import Callable
from dataclasses import dataclass

from checker.evidence import Event, Evidence
from checker.messages import Message, say
from checker.rules.explain import code_changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A tempting wrong fix: how the account or the trail shows it, what it teaches, what to do instead."""

    kind: str
    text: Message
    next: Message
    seen: Callable[[Evidence], bool]


def lessons(evidence: Evidence) -> tuple[Lesson, ...]:
    """Return the lessons for the wrong fixes that were tried, those that hide the symptom first.

    State is asked where state can tell, since the trail lags some minutes behind; the rest is read from the
    trainee's own changes. Only called where the traffic goes on: the same deed after a real fix may be good closure.
    """
    return tuple(lesson for lesson in LESSONS if lesson.seen(evidence))


def called(*names: str, where: Callable[[Event], bool] = lambda event: True) -> Callable[[Evidence], bool]:
    """Return a predicate: did the trainee successfully call one of these operations?"""
    return lambda evidence: any(event.is_(*names) and where(event) for event in evidence.changes)


def _ip(evidence: Evidence) -> str:
    return evidence.assigned.ip if evidence.assigned else ""


def _list_gone(evidence: Evidence) -> bool:
    active = [each for each in evidence.guards.threats if each.active]
    return bool(active) and not any(_ip(evidence) in each.entries for each in active)


def _list_off(evidence: Evidence) -> bool:
    return evidence.guards.detector_id is not None and not any(each.active for each in evidence.guards.threats)


def _trusted(evidence: Evidence) -> bool:
    return any(each.trusted and _ip(evidence) in each.entries for each in evidence.guards.lists)


def _trail_off(evidence: Evidence) -> bool:
    return evidence.guards.trail_off or (not evidence.guards.trails and called("DeleteTrail")(evidence))


def _slowed(evidence: Evidence) -> bool:
    enabled = all(rule.enabled for rule in evidence.rules)
    return enabled and any(rule.schedule not in ("", USUAL_SCHEDULE) for rule in evidence.rules)


def _outside_vpc(evidence: Evidence) -> bool:
    return evidence.function is not None and not evidence.function.vpc_id


def _code_object_deleted(evidence: Evidence) -> bool:
    created = evidence.creation
    code = created.request.get("code", {}) if created else {}
    return bool(evidence.function and code.get("s3Key") and not evidence.stored_code)


def _other_deleted(evidence: Evidence) -> bool:
    return called("DeleteFunction", where=lambda event: event.function != evidence.function_name)(evidence)


def _last(evidence: Evidence, *names: str) -> int:
    """Return the place of the last of some calls among the trainee's changes; -1 where there was none."""
    return max((place for place, event in enumerate(evidence.changes) if event.is_(*names)), default=-1)


def _undone(did: str, undid: str) -> Callable[[Evidence], bool]:
    """Return a predicate: was one call followed by the one that undoes it?"""
    return lambda evidence: -1 < _last(evidence, did) < _last(evidence, undid)


def _one_of_several_disabled(evidence: Evidence) -> bool:
    return any(not rule.enabled for rule in evidence.rules)


USUAL_SCHEDULE = "rate(10 minutes)"

STOP_THE_CAUSE = say("Stop what makes the connection: take away what starts the code, the code's way out, or the code.")

LESSONS = (
    Lesson(
        kind="archived",
        text=say("The finding is archived: that puts the report away, the function never heard of it."),
        next=STOP_THE_CAUSE,
        seen=lambda e: e.assigned is not None and e.assigned.archived,
    ),
    Lesson(
        kind="suppressed",
        text=say("A suppression rule archives findings as they arrive: nobody is told any more, nothing else changes."),
        next=say("Delete the filter, then stop what makes the connection."),
        seen=lambda e: bool(e.guards.suppressions),
    ),
    Lesson(
        kind="protection-off",
        text=say("GuardDuty no longer watches Lambda here: without a witness the traffic goes on."),
        next=say("Turn the detector and its Lambda protection on again, then stop what makes the connection."),
        seen=lambda e: not (e.guards.detector_on and e.guards.lambda_protection),
    ),
    Lesson(
        kind="list-inactive",
        text=say("No threat list is active any more: the address is as malicious as before, only nobody compares."),
        next=say("Activate the list again, then stop what makes the connection."),
        seen=_list_off,
    ),
    Lesson(
        kind="list-emptied",
        text=say("The address was taken off the threat list: that changes what is known, not what the function does."),
        next=say("Put the entry back and activate the list again, then stop what makes the connection."),
        seen=_list_gone,
    ),
    Lesson(
        kind="trusted",
        text=say("The address is on a trusted list now, and trusted beats threat: GuardDuty looks away."),
        next=say("Delete the trusted list, then stop what makes the connection."),
        seen=_trusted,
    ),
    Lesson(
        kind="recorder-stopped",
        text=say("AWS Config records nothing any more: the history ends, the traffic does not."),
        next=say("Start the recorder again."),
        seen=lambda e: e.guards.recorder_on is False or called("DeleteConfigurationRecorder")(e),
    ),
    Lesson(
        kind="trail-stopped",
        text=say("The trail no longer logs: that hides what you do, not what the function does."),
        next=say("Start logging again."),
        seen=_trail_off,
    ),
    Lesson(
        kind="concurrency-lifted",
        text=say(
            "Reserved concurrency was lifted again: throttled events are retried for up to six hours, new ones come."
        ),
        next=say("Hold what you contained until the cause is gone."),
        seen=_undone("PutFunctionConcurrency", "DeleteFunctionConcurrency"),
    ),
    Lesson(
        kind="rule-enabled-again",
        text=say("The rule was disabled and then enabled again: what counts is the state that is left."),
        next=say("Hold what you contained until the cause is gone."),
        seen=lambda e: not _one_of_several_disabled(e) and _undone("DisableRule", "EnableRule")(e),
    ),
    Lesson(
        kind="another-trigger",
        text=say("A rule is disabled, but it was not the only thing that runs this code."),
        next=say(
            "Look for every trigger: rules by target, schedules of EventBridge Scheduler, permissions in the policy."
        ),
        seen=_one_of_several_disabled,
    ),
    Lesson(
        kind="code-still-calls",
        text=say("The code is new, but it still calls a listed address: another port, hour or entry is no fix."),
        next=say("Read what the new code does before you trust it, or stop what starts it."),
        seen=code_changed,
    ),
    Lesson(
        kind="slower",
        text=say("A slower schedule connects less often. It still connects."),
        next=say("Disable the rule, or take its target away."),
        seen=_slowed,
    ),
    Lesson(
        kind="retry-settings",
        text=say(
            "Settings of asynchronous invocation only say what happens after an error. AWS's own guide links "
            "DeleteFunctionEventInvokeConfig, but a schedule does not need it."
        ),
        next=say("Look for what invokes the function: events list-rule-names-by-target."),
        seen=called(
            "DeleteFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig"
        ),
    ),
    Lesson(
        kind="role-denied",
        text=say(
            "Opening a connection needs no IAM permission: denying the role everything does not close the network."
        ),
        next=STOP_THE_CAUSE,
        seen=called(
            "AttachRolePolicy",
            "PutRolePolicy",
            "DetachRolePolicy",
            "DeleteRolePolicy",
            "PutRolePermissionsBoundary",
            "DeleteRole",
        ),
    ),
    Lesson(
        kind="short-timeout",
        text=say("A new timeout, memory size or handler does not keep the code's first packet from leaving."),
        next=STOP_THE_CAUSE,
        seen=called("UpdateFunctionConfiguration", where=lambda event: not event.request.get("vpcConfig")),
    ),
    Lesson(
        kind="open-group",
        text=say(
            "The function's network still lets it out: a security group is open outward until its egress is revoked."
        ),
        next=say("Revoke the group's egress, or attach a group that has none."),
        seen=lambda e: e.function is not None and bool(e.function.vpc_id),
    ),
    Lesson(
        kind="unattached-network",
        text=say(
            "The function is in no VPC: security groups, network ACLs and firewalls of a VPC never see its traffic."
        ),
        next=say("Attach the function to the network, or stop it at the source."),
        seen=lambda e: (
            _outside_vpc(e)
            and called(
                "CreateSecurityGroup",
                "RevokeSecurityGroupEgress",
                "CreateNetworkAclEntry",
                "ReplaceNetworkAclEntry",
                "CreateFirewall",
                "CreateFirewallPolicy",
                "CreateWebACL",
                "CreateIPSet",
                where=lambda event: event.source != "guardduty.amazonaws.com",
            )(e)
        ),
    ),
    Lesson(
        kind="code-object-deleted",
        text=say(
            "The object in S3 is gone, but Lambda keeps its own copy: the code runs on, and you destroyed evidence."
        ),
        next=say("Stop the deployed function itself."),
        seen=_code_object_deleted,
    ),
    Lesson(
        kind="other-function-deleted",
        text=say("Another function was deleted than the one the finding names."),
        next=say("Restore what you deleted, and act on the function in the finding."),
        seen=_other_deleted,
    ),
)
