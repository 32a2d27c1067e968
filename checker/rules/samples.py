"""A small lab for the rules' samples and tests: the module's incident in one account, before anyone has done anything.

Names are the module's, values are made up. `lab(**changes)` returns its evidence with some things changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from checker.evidence import (
    FINDING_TYPE,
    Addresses,
    AddressList,
    Event,
    Evidence,
    Finding,
    Function,
    Guards,
    Leftovers,
    Rule,
)
from checker.worlds import NextConnection, Outlook

ACCOUNT = "111122223333"
IP = "198.51.100.7"
SECOND_IP = "203.0.113.9"
NOW = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
START = NOW - timedelta(hours=40)
NAME = "traffic-simulation"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{NAME}"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-role"
CODE = "q1w2e3r4t5y6u7i8o9p0q1w2e3r4t5y6u7i8o9p0q1w="
CHECKER_SESSION = "lab-check"


def event(
    name: str, *, minutes: float = 0, role: str = "WSParticipantRole", session: str = "Participant", **members: Any
) -> Event:
    """Return an event `minutes` after the sample lab's now, by the trainee unless said otherwise."""
    return Event(
        **{
            "id": f"{name}@{minutes:g}",
            "name": name,
            "source": "lambda.amazonaws.com",
            "at": NOW + timedelta(minutes=minutes),
            "session": session,
            "issuer": role,
            "issuer_arn": f"arn:aws:iam::{ACCOUNT}:role/{role}" if role else "",
            **members,
        }
    )


def connection(
    ip: str = IP, *, permitted: bool = True, function: str = NAME, source: str = "", minutes: float = 9
) -> NextConnection:
    """Return a connection that would be attempted, by the rule's next run unless said otherwise."""
    return NextConnection(
        at=NOW + timedelta(minutes=minutes),
        function_arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}",
        ip=ip,
        permitted=permitted,
        source=source or "rule every-ten-minutes, rate(10 minutes)",
    )


def outlook(
    *connections: NextConnection,
    determinable: bool = True,
    why: tuple[str, ...] = (),
    ask_again: datetime | None = None,
) -> Outlook:
    """Return an outlook over a day."""
    until = NOW + timedelta(hours=24)
    return Outlook(
        until=until,
        connections=connections,
        determinable=determinable,
        why=why,
        ask_again=ask_again,
        invocations=len(connections),
    )


CREATION = event(
    "CreateFunction20150331",
    minutes=-40 * 60 + 10,
    role="WSSystemRole",
    session="System",
    invoked_by="cloudformation.amazonaws.com",
    request={"functionName": NAME, "code": {"s3Bucket": "lab-code", "s3Key": "function.zip"}},
    response={"functionArn": ARN, "codeSha256": CODE},
)

HISTORY = (
    CREATION,
    event("TagResource20170331v2", minutes=-39 * 60, role="TagComplianceRole", session="nightly"),
    event("UpdateFunctionConfiguration20150331v2", minutes=-31 * 60, role="WorkloadDevRole", session="linh"),
    event("GetFunction20150331v2", minutes=-25 * 60, role="SecurityAuditRole", session="scan", read_only=True),
    event("UpdateFunctionCode20150331v2", minutes=-20 * 60, role="", session="ci-deploy", error="AccessDenied"),
    event("UpdateFunctionConfiguration20150331v2", minutes=-84, role="WorkloadDevRole", session="linh"),
)

ASSIGNED = Finding(
    id="28c860e84b1412e575ab71c780ff8d9d",
    type=FINDING_TYPE,
    function_name=NAME,
    function_arn=ARN,
    role_arn=ROLE_ARN,
    ip=IP,
    port=443,
    list_names=("S3BadIpAddressList",),
    first_seen=START + timedelta(minutes=20),
    last_seen=NOW - timedelta(minutes=1),
    created_at=START + timedelta(minutes=26),
)
NEIGHBOUR = Finding(
    id="aac860e84b1412e575ab71c780ff8d9d",
    type="UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom",
    ip=SECOND_IP,
    list_names=("S3BadIpAddressList",),
    first_seen=START + timedelta(hours=3),
)
THREATS = AddressList(
    name="S3BadIpAddressList",
    trusted=False,
    status="ACTIVE",
    entries=Addresses(single=frozenset((IP, SECOND_IP, "203.0.113.77"))),
)
FUNCTION = Function(
    name=NAME,
    arn=ARN,
    role_arn=ROLE_ARN,
    code_sha256=CODE,
    stack_name="guardduty-lab-workload",
    invokers=("events.amazonaws.com",),
)
RULE = Rule(name="every-ten-minutes", enabled=True, schedule="rate(10 minutes)")
GUARDS = Guards(
    detector_id="d0c860e84b1412e575ab71c780ff8d9d",
    detector_on=True,
    lambda_protection=True,
    lists=(THREATS,),
    recorder_on=True,
    trails=(("lab-trail", True),),
)
LAB = Evidence(
    now=NOW,
    assigned=ASSIGNED,
    function_name=NAME,
    findings=(ASSIGNED, NEIGHBOUR),
    function=FUNCTION,
    function_names=(NAME, "order-webhook", f"{NAME}-canary"),
    rules=(RULE,),
    history=HISTORY,
    trainee="Participant",
    guards=GUARDS,
    stored_code=frozenset((CODE,)),
    outlook=outlook(connection()),
)

_OF_FUNCTION = {
    "concurrency": "reserved_concurrency",
    **{key: key for key in ("vpc_id", "code_sha256", "invokers", "versions")},
}
_OF_GUARDS = ("detector_id", "detector_on", "lambda_protection", "lists", "suppressions", "recorder_on", "trails")
_OF_FINDING = ("archived", "last_seen", "first_seen")


def lab(**changes: Any) -> Evidence:
    """Return the sample lab's evidence with changes: members of Evidence, or of its function, guards and finding.

    `rule_enabled` and `schedule` change its rule; `function=None` deletes the function from the list of names too.
    """
    evidence = LAB
    function = {_OF_FUNCTION[key]: changes.pop(key) for key in tuple(changes) if key in _OF_FUNCTION}
    guards = {key: changes.pop(key) for key in tuple(changes) if key in _OF_GUARDS}
    finding = {key: changes.pop(key) for key in tuple(changes) if key in _OF_FINDING}
    rule = _renamed(changes, {"rule_enabled": "enabled", "schedule": "schedule"})
    assigned = replace(ASSIGNED, **finding)
    evidence = replace(
        evidence,
        function=replace(FUNCTION, **function),
        guards=replace(GUARDS, **guards),
        assigned=assigned,
        findings=(assigned, NEIGHBOUR),
        rules=(replace(RULE, **rule),),
        leftovers=Leftovers(),
    )
    if "function" in changes and changes["function"] is None:
        changes.setdefault("function_names", ("order-webhook", f"{NAME}-canary"))
    return replace(evidence, **changes)


def _renamed(changes: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[key]: changes.pop(key) for key in tuple(changes) if key in names}
