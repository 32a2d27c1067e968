"""What the account tells: the records that `collect` fills and the rules read. Values only, no I/O.

Shapes follow AWS's (docs/aws-facts.md, parts 1, 4, 5, 6 and 7), reduced to what a judgement needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from checker.messages import Message
from checker.worlds import Outlook

FINDING_TYPE = "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"
"""The type of the assigned finding, as the module's text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A GuardDuty finding. `function_*`, `ip` and the rest are empty where the finding's type has no such thing."""

    id: str
    type: str
    function_name: str = ""
    function_arn: str = ""
    role_arn: str = ""
    ip: str = ""
    port: int = 0
    list_names: tuple[str, ...] = ()
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    created_at: datetime | None = None
    archived: bool = False
    sample: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of CloudTrail's history. `session` is LookupEvents' Username; `issuer` the role behind a session."""

    id: str
    name: str
    source: str
    at: datetime
    read_only: bool = False
    session: str = ""
    issuer: str = ""
    issuer_arn: str = ""
    invoked_by: str = ""
    user_agent: str = ""
    error: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """The role's name for a session, else the user's name: what attribution asks for."""
        return self.issuer or self.session

    @property
    def function(self) -> str:
        """The function that a call of Lambda's names, by name or in an ARN; empty for other calls."""
        given = str(self.request.get("functionName", ""))
        return given.rsplit(":function:", 1)[-1].split(":")[0]

    def is_(self, *names: str) -> bool:
        """Tell whether this is a call of one of the operations `names`, whatever API version its name carries."""
        return any(
            self.name == name or (self.name.startswith(name) and self.name[len(name)].isdigit()) for name in names
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function as it is now. `versions` are the code hashes of its published versions."""

    name: str
    arn: str
    role_arn: str = ""
    code_sha256: str = ""
    reserved_concurrency: int | None = None
    vpc_id: str = ""
    versions: tuple[str, ...] = ()
    stack_name: str = ""
    invokers: tuple[str, ...] | None = None
    """Principals that the function's policy lets invoke it; None where that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An EventBridge rule with the function among its targets."""

    name: str
    enabled: bool
    schedule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The entries of a list: single addresses and ranges. A range is in it where all of it is in one of these."""

    single: frozenset[str] = frozenset()
    ranges: tuple[IPv4Network | IPv6Network, ...] = ()

    def __contains__(self, ip: object) -> bool:
        if ip in self.single:
            return True
        try:
            asked = ip_network(str(ip))
        except ValueError:  # an address that an outlook does not tell
            return False
        return any(_within(asked, net) for net in self.ranges)


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


DELETED = "DELETED"
"""The status of a list that only the trail still tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressList:
    """A threat list (ThreatIntelSet) or a trusted one (IPSet) and what its object holds now.

    `earlier` holds what earlier versions of the object held, where the bucket keeps them.
    """

    name: str
    trusted: bool
    status: str
    entries: Addresses = field(default_factory=Addresses)
    earlier: Addresses = field(default_factory=Addresses)

    @property
    def active(self) -> bool:
        """Whether GuardDuty matches against the list, or is about to."""
        return self.status in ("ACTIVE", "ACTIVATING")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The account's protections as they are now.

    `recorder_on` is None where the account has no configuration recorder; `trails` holds (name, is it logging).
    """

    detector_id: str | None = None
    detector_on: bool = False
    lambda_protection: bool = False
    lists: tuple[AddressList, ...] = ()
    suppressions: tuple[str, ...] = ()
    recorder_on: bool | None = None
    trails: tuple[tuple[str, bool], ...] = ()

    @property
    def threats(self) -> tuple[AddressList, ...]:
        """The threat lists that there are now, active or not."""
        return tuple(each for each in self.lists if not each.trusted and each.status != DELETED)

    @property
    def trail_off(self) -> bool:
        """Whether there are trails and none of them logs. One among several may rest: the others do the work."""
        return bool(self.trails) and not any(logging for _, logging in self.trails)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftovers:
    """What stands around a deleted function: None where nobody asked, or the account did not say."""

    role: bool | None = None
    log_group: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that the account told in one check.

    `function_name` is the function that the case is about: the assigned finding's or, with the finding gone, the one
    that an earlier check found named rightly; empty where nothing tells. `rules` are those that have the function as
    a target now, `targets` who was ever made whose: (rule, target's ARN), asked only where the trainee changed rules.
    `history` are the events about the assigned function and `mine` the trainee's own calls, both oldest first, the
    checker's calls left out. `function_names` are all functions of the account now. `stored_code` are the CodeSha256
    of what S3 still holds where the function's code came from. `gaps` says in sentences what could not be read.
    """

    now: datetime
    assigned: Finding | None = None
    function_name: str = ""
    findings: tuple[Finding, ...] = ()
    function: Function | None = None
    function_names: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    targets: tuple[tuple[str, str], ...] = ()
    history: tuple[Event, ...] = ()
    mine: tuple[Event, ...] = ()
    trainee: str = ""
    guards: Guards = field(default_factory=Guards)
    stored_code: frozenset[str] = frozenset()
    leftovers: Leftovers = field(default_factory=Leftovers)
    outlook: Outlook | None = None
    gaps: tuple[Message, ...] = ()

    def listed(self, ip: str) -> bool:
        """Tell whether an address is, or was, on the lab's list.

        Counted are the lists' objects, their kept earlier versions, and every address that a finding's evidence ties to
        a threat list: taking an address off the list afterwards does not make it harmless.
        """
        if not ip:  # an outlook that does not tell it, having been asked about every listed one
            return False
        if any(finding.ip == ip for finding in self.findings if finding.list_names):
            return True
        threats = [each for each in self.guards.lists if not each.trusted]
        return any(ip in each.entries or ip in each.earlier for each in threats)

    @property
    def creation(self) -> Event | None:
        """The event that created this incarnation of the function: the latest creation before the finding's first seen.

        A function redeployed under the same name has two; an attempt that failed created nothing.
        """
        created = [event for event in self.history if event.is_("CreateFunction") and not event.error]
        seen = self.assigned.first_seen if self.assigned else None
        return next((event for event in reversed(created) if seen is None or event.at <= seen), None)

    @property
    def changes(self) -> tuple[Event, ...]:
        """The trainee's successful calls that change something, oldest first."""
        return tuple(event for event in self.mine if not event.read_only and not event.error)

    @property
    def containing(self) -> tuple[Event, ...]:
        """The trainee's changes of a kind that can stop traffic, oldest first."""
        return tuple(event for event in self.changes if event.is_(*CONTAINING))

    @property
    def containment(self) -> Event | None:
        """The trainee's last change of a kind that can stop traffic; None where the trail shows none."""
        return self.containing[-1] if self.containing else None


CONTAINING = (
    "DeleteFunction", "PutFunctionConcurrency", "UpdateFunctionCode", "UpdateFunctionConfiguration", "RemovePermission",
    "UpdateAlias", "DeleteAlias", "DeleteEventSourceMapping", "UpdateEventSourceMapping", "DeleteFunctionUrlConfig",
    "DisableRule", "DeleteRule", "RemoveTargets", "PutRule", "PutTargets", "DeleteSchedule", "UpdateSchedule",
    "DeleteStack", "UpdateStack", "ExecuteChangeSet", "DeleteRole", "RevokeSecurityGroupEgress",
    "CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation", "DeleteRoute", "ReplaceRoute",
    "ReplaceRouteTableAssociation", "DeleteNatGateway", "DetachInternetGateway", "ModifyNetworkInterfaceAttribute",
)  # fmt: skip
"""Operations that can stop a function's traffic. Which one did is the outlook's business; these date the attempt."""
