"""IAM policies evaluated: may this principal make this call?

`evaluate` is pure: policies and a request in, a decision out, by AWS's logic (an explicit Deny wins, a boundary limits, else an Allow
is needed). `authorise` gathers the principal's policies from IAM's storage and refuses in AWS's words.
Source: IAM user guide, Policy evaluation logic, IAM JSON policy elements; service authorization reference for actions.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from simulator.errors import AwsError
from simulator.identity import Principal
from simulator.permissions import Needed, needed

if TYPE_CHECKING:
    from simulator.service import Context
    from simulator.world import Lab

Document = Mapping[str, Any]
_ARN_ACCOUNT = re.compile(r"arn:aws[\w-]*:[\w-]+:[\w-]*:(\d{12}):")
JSON_PROTOCOL_CODE = "AccessDeniedException"
QUERY_SERVICES = frozenset({"iam", "sts", "cloudformation", "s3", "sns", "elb", "elbv2", "rds", "autoscaling", "sqs"})


class Decision(Enum):
    """What policies say of a request."""

    ALLOW = "allow"
    IMPLICIT_DENY = "no identity-based policy allows the {action} action"
    EXPLICIT_DENY = "with an explicit deny in an identity-based policy"
    BOUNDARY_DENY = "no permissions boundary allows the {action} action"
    SESSION_DENY = "no session policy allows the {action} action"
    SESSION_EXPLICIT_DENY = "with an explicit deny in a session policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of the policies. `context` holds condition keys in lower case; an absent key is one that is not known."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def evaluate(policies: Iterable[Document], request: Request, boundary: Document | None = None) -> Decision:
    """Return what identity-based `policies`, limited by a permissions `boundary`, decide about `request`."""
    allowed = False
    for policy in policies:
        for statement in _listed(policy.get("Statement")):
            if isinstance(statement, Mapping) and applies(statement, request):
                if statement.get("Effect") == "Deny":
                    return Decision.EXPLICIT_DENY
                allowed = allowed or statement.get("Effect") == "Allow"
    if not allowed:
        return Decision.IMPLICIT_DENY
    if boundary is not None:
        limited = evaluate((boundary,), request)
        if limited is not Decision.ALLOW:
            return Decision.EXPLICIT_DENY if limited is Decision.EXPLICIT_DENY else Decision.BOUNDARY_DENY
    return Decision.ALLOW


def applies(statement: Document, request: Request) -> bool:
    """Return whether a statement speaks of the request: its action, its resource and its conditions."""

    def acts(patterns: tuple[str, ...]) -> bool:
        return _one_matches(patterns, request.action, any_case=True)

    def concerns(patterns: tuple[str, ...]) -> bool:
        return _one_matches(tuple(_filled(pattern, request) for pattern in patterns), request.resource, any_case=False)

    return (
        _element(statement, "Action", acts)
        and _element(statement, "Resource", concerns, absent=True)
        and conditions_met(statement.get("Condition"), request.context)
    )


def _element(statement: Document, name: str, test: Callable[[tuple[str, ...]], bool], *, absent: bool = False) -> bool:
    if name in statement:
        return test(tuple(map(str, _listed(statement[name]))))
    if f"Not{name}" in statement:
        return not test(tuple(map(str, _listed(statement[f"Not{name}"]))))
    return absent


@lru_cache(maxsize=8192)
def _one_matches(patterns: tuple[str, ...], text: str, *, any_case: bool) -> bool:
    if any_case:
        return any(matches(pattern.lower(), text.lower()) for pattern in patterns)
    return any(matches(pattern, text) for pattern in patterns)


def matches(pattern: str, text: str) -> bool:
    """Return whether `text` fits a pattern in which `*` is anything and `?` one character; brackets are themselves."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _filled(pattern: str, request: Request) -> str:
    """Return a pattern with policy variables such as `${aws:username}` filled; an unknown one matches nothing."""

    if "${" not in pattern:
        return pattern

    def value(found: re.Match[str]) -> str:
        name, _, default = found.group(1).partition(",")
        if name in ("*", "?", "$"):
            return name
        known = request.context.get(name.strip().lower())
        return known if isinstance(known, str) else default.strip().strip("'") if default else "\x00"

    return re.sub(r"\$\{([^}]*)\}", value, pattern)


# --- conditions ---------------------------------------------------------------------------------------------------


def conditions_met(conditions: Any, context: Mapping[str, str | list[str]]) -> bool:
    """Return whether every test of a Condition element is met. Tests AND, keys AND, values OR (negated tests: none of them)."""
    if conditions is None:
        return True
    if not isinstance(conditions, Mapping):
        return False
    return all(
        isinstance(keys, Mapping) and all(_test(str(test), str(key), values, context) for key, values in keys.items())
        for test, keys in conditions.items()
    )


def _test(test: str, key: str, values: Any, context: Mapping[str, str | list[str]]) -> bool:
    quantifier, _, name = test.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    actual = context.get(key.lower())
    wanted = [str(value).lower() if isinstance(value, bool) else str(value) for value in _listed(values)]
    if name == "Null":
        return (actual is None) == (wanted[:1] == ["true"])
    if actual is None:
        # An absent key fails a test, unless it may be absent or the test is negated (IAM user guide, condition operators).
        return optional or quantifier == "ForAllValues" or "Not" in name
    compare = _OPERATORS.get(name)
    if compare is None:
        return False
    negated = "Not" in name
    found = [actual] if isinstance(actual, str) else actual
    each = [any(compare(one, value) for value in wanted) != negated for one in found]
    return all(each) if quantifier == "ForAllValues" else any(each)


def _number(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def test(actual: str, wanted: str) -> bool:
        try:
            return compare(float(actual), float(wanted))
        except ValueError:
            return False

    return test


def _date(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def seconds(text: str) -> float:
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else datetime.fromisoformat(text).timestamp()

    def test(actual: str, wanted: str) -> bool:
        try:
            return compare(seconds(actual), seconds(wanted))
        except ValueError:
            return False

    return test


def _address(actual: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except (ValueError, TypeError):
        return False


def _arn(actual: str, wanted: str) -> bool:
    parts, patterns = actual.split(":", 5), wanted.split(":", 5)
    return len(parts) == len(patterns) and all(
        matches(pattern, part) for pattern, part in zip(patterns, parts, strict=True)
    )


_ORDERINGS: Mapping[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b, "NotEquals": lambda a, b: a == b, "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b, "GreaterThan": lambda a, b: a > b, "GreaterThanEquals": lambda a, b: a >= b,
}  # fmt: skip
# A negated operator compares as its positive does; `_test` turns the outcome around.
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    **{f"String{name}": lambda a, b: a == b for name in ("Equals", "NotEquals")},
    **{f"String{name}IgnoreCase": lambda a, b: a.lower() == b.lower() for name in ("Equals", "NotEquals")},
    **{f"String{name}": lambda a, b: matches(b, a) for name in ("Like", "NotLike")},
    **{f"Arn{name}": _arn for name in ("Equals", "Like", "NotEquals", "NotLike")},
    "Bool": lambda a, b: a.lower() == b.lower(),
    "IpAddress": _address,
    "NotIpAddress": _address,
    "BinaryEquals": lambda a, b: a == b,
    **{f"Numeric{name}": _number(compare) for name, compare in _ORDERINGS.items()},
    **{f"Date{name}": _date(compare) for name, compare in _ORDERINGS.items()},
}


# --- the lab's principals -----------------------------------------------------------------------------------------


def authorise(lab: "Lab", ctx: "Context", service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise AwsError (AccessDenied in the service's words) where the principal's policies do not allow the call.

    AWS services, the account's root and the role that set the account up (it is in no lab's IAM) are not asked, save for what
    belongs to another account: nobody has that here.
    """
    if service not in _services_of_ours():
        _refuse_foreign(ctx, service, operation, params)
    identity = identity_policies(lab, ctx.principal)
    if identity is None or (service, operation) == ("sts", "GetCallerIdentity"):
        return
    policies, boundary = identity
    context = request_context(ctx)
    of_resource = bucket_policy(lab, service, params)
    of_session = session_policies(lab, ctx.principal)
    for each in needed(service, operation, params, ctx.account_id, ctx.region):
        request = Request(action=each.action, resource=each.resource, context={**context, **each.context})
        decision = evaluate(policies, request, boundary)
        if of_resource:
            decision = _with_resource(decision, of_resource, request, ctx.principal)
        if decision is Decision.IMPLICIT_DENY and (service, operation) == ("sts", "AssumeRole"):
            decision = _with_trust(lab, each.resource, ctx.principal)
        if decision is Decision.ALLOW and of_session:
            decision = _within_session(of_session, request)
        if decision is not Decision.ALLOW:
            raise refusal(ctx.principal, service, each, decision)


@cache
def _services_of_ours() -> frozenset[str]:
    from simulator.services import ours  # they import this module

    return frozenset(cls.name for cls in ours())


def _refuse_foreign(ctx: "Context", service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Refuse a call about another account's resource. moto serves many accounts and follows some of their ARNs."""
    for arn in _arns(params):
        if _ARN_ACCOUNT.match(arn)[1] != ctx.account_id:  # type: ignore[index]
            action = needed(service, operation, {}, ctx.account_id, ctx.region)[0].action
            text = f"User: {ctx.principal.arn or ctx.principal.name} is not authorized to perform: {action} on resource: {arn}"
            raise _denial(service, f"{text} because no resource-based policy allows the {action} action")


def _arns(value: Any, name: str = "") -> Iterator[str]:
    """Yield the ARNs with an account among parameters, wherever they are; who is named as a principal is no resource."""
    if isinstance(value, str):
        if _ARN_ACCOUNT.match(value) and "principal" not in name.lower():
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _arns(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _arns(item, name)


def _within_session(policies: Iterable[Document], request: Request) -> Decision:
    """Return what a session's own policies leave of an allowed request. Source: IAM user guide, Session policies."""
    limited = evaluate(policies, request)
    if limited is Decision.ALLOW:
        return limited
    return Decision.SESSION_EXPLICIT_DENY if limited is Decision.EXPLICIT_DENY else Decision.SESSION_DENY


def _with_trust(lab: "Lab", role_arn: str, caller: Principal) -> Decision:
    """Return whether a role's trust policy alone lets the caller in: it does where it names the caller and not its account.

    Its conditions and denials are STS's to weigh, which reads it anyway.
    """
    with lab.moto.lock:
        roles = lab.moto.backend("iam", lab.account_id, "global").roles.values()
        text = next((role.assume_role_policy_document for role in roles if role.arn == role_arn), None)
    itself = {caller.arn, caller.issuer_arn, "*"} - {""}
    for statement in _listed(_parsed(_as_text(text)).get("Statement")) if text else ():
        principal = statement.get("Principal") if isinstance(statement, Mapping) else None
        named = _listed(principal.get("AWS")) if isinstance(principal, Mapping) else _listed(principal)
        if statement.get("Effect") == "Allow" and itself.intersection(name for name in named if isinstance(name, str)):
            return Decision.ALLOW
    return Decision.IMPLICIT_DENY


def _with_resource(decision: Decision, policy: Document, request: Request, caller: Principal) -> Decision:
    """Return the decision when a resource's own policy is heard too: its Deny wins, its Allow suffices within the account."""
    effects = {str(statement.get("Effect")) for statement in speaking(policy, caller, request)}
    if decision is Decision.EXPLICIT_DENY or "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOW if "Allow" in effects else decision


def speaking(policy: Document, caller: Principal, request: Request) -> list[Document]:
    """Return the statements of a resource's or a role's own policy that speak of `caller` and of `request`."""
    return [
        statement
        for statement in _listed(policy.get("Statement"))
        if isinstance(statement, Mapping) and names(statement, caller) and applies(statement, request)
    ]


def names(statement: Document, caller: Principal) -> bool:
    """Return whether a statement's Principal (or NotPrincipal) speaks of `caller`: by ARN, role, account, service or `*`."""
    element = "Principal" if "Principal" in statement else "NotPrincipal"
    return _named(statement.get(element), caller) == (element == "Principal")


def _named(principal: Any, caller: Principal) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    if caller.type == "AWSService":
        return any(name in ("*", caller.name) for name in _listed(principal.get("Service")))
    account = caller.account_id
    known = {
        caller.arn,
        caller.issuer_arn,
        caller.issuer_id,
        caller.principal_id,
        account,
        f"arn:aws:iam::{account}:root",
        "*",
    }
    return any(isinstance(name, str) and name in known for name in _listed(principal.get("AWS")) if name)


def bucket_policy(lab: "Lab", service: str, params: Mapping[str, Any]) -> Document | None:
    """Return the policy of the bucket that an S3 call is about, where it has one."""
    name = params.get("Bucket") if service == "s3" else None
    if not isinstance(name, str):
        return None
    with lab.moto.lock:
        bucket = lab.moto.backend("s3", lab.account_id, "global").buckets.get(name)
        policy = bucket.policy if bucket is not None else None
    return _parsed(policy.decode() if isinstance(policy, bytes) else policy) if policy else None


def session_policies(lab: "Lab", principal: Principal) -> list[Document]:
    """Return the policies that AssumeRole was given for a session, managed ones looked up; none for a session without."""
    session = lab.service("sts").session_of(principal.access_key_id)
    if session is None or not session.policies:
        return []
    with lab.moto.lock:
        managed = lab.moto.backend("iam", lab.account_id, "global").managed_policies
        texts = [
            (_document(managed[each]) if each in managed else "{}") if each.startswith("arn:") else each
            for each in session.policies
        ]
    return [_parsed(_as_text(text)) for text in texts]


def identity_policies(lab: "Lab", principal: Principal) -> tuple[list[Document], Document | None] | None:
    """Return the policies of a principal and its boundary; None for one that is not subject to the lab's IAM."""
    if principal.type in ("AWSService", "Root") or principal.account_id != lab.account_id:
        return None
    with lab.moto.lock:
        backend = lab.moto.backend("iam", lab.account_id, "global")
        if principal.type == "AssumedRole":
            holder = next((role for role in backend.roles.values() if role.name == principal.issuer_name), None)
            if holder is None:
                # The account's own set-up role is nowhere in IAM. A role that was deleted takes its sessions' rights along.
                return None if principal.issuer_name == "OrganizationAccountAccessRole" else ([], None)
            holders = [holder]
        else:
            holder = backend.users.get(principal.name)
            if holder is None:
                return [], None
            holders = [holder, *(group for group in backend.groups.values() if holder in group.users)]
        texts = [text for one in holders for text in one.policies.values()]
        texts += [_document(policy) for one in holders for policy in one.managed_policies.values()]
        limit = getattr(holder, "permissions_boundary_arn", None)
        boundary = backend.managed_policies.get(limit) if limit else None
        limit_text = _document(boundary) if boundary is not None else None
    return [_parsed(_as_text(text)) for text in texts], _parsed(_as_text(limit_text)) if limit_text else None


def _document(policy: Any) -> Any:
    """Return the text of a managed policy's default version, as moto keeps it."""
    return next(each.document for each in policy.versions if each.version_id == policy.default_version_id)


def managed_document(policy: Any) -> Document:
    """Return the document of a managed policy's default version, of a policy as moto keeps it."""
    return document_of(_document(policy))


def document_of(text: Any) -> Document:
    """Return a policy document that is kept as text, quoted or not, or as an object; an empty one for what is none."""
    return _parsed(_as_text(text))


def statements_of(document: Document) -> list[Document]:
    """Return the statements of a policy document."""
    return [each for each in _listed(document.get("Statement")) if isinstance(each, Mapping)]


def keys_of(document: Document) -> set[str]:
    """Return the condition keys that a policy document asks about."""
    tests = [test for each in statements_of(document) for test in _values(each.get("Condition"))]
    return {str(key) for test in tests if isinstance(test, Mapping) for key in test}


def request_context(ctx: "Context") -> dict[str, str | list[str]]:
    """Return the global condition keys of a call, in lower case."""
    principal = ctx.principal
    known: dict[str, str | list[str]] = {
        "aws:principalarn": principal.issuer_arn or principal.arn,
        "aws:principalaccount": principal.account_id,
        "aws:principaltype": "AssumedRole" if principal.type == "AssumedRole" else "User",
        "aws:userid": principal.principal_id,
        "aws:requestedregion": ctx.region,
        "aws:currenttime": f"{ctx.now:%Y-%m-%dT%H:%M:%SZ}",
        "aws:epochtime": str(int(ctx.now.timestamp())),
        "aws:securetransport": "true",
        "aws:useragent": ctx.user_agent,
        "aws:viaawsservice": "true" if ctx.invoked_by else "false",
        "aws:multifactorauthpresent": "false",
    }
    if ctx.invoked_by:
        known["aws:calledvia"] = [ctx.invoked_by]
    else:
        known["aws:sourceip"] = ctx.source_ip
    if principal.type == "IAMUser":
        known["aws:username"] = principal.name
    return known


def refusal(principal: Principal, service: str, what: Needed, decision: Decision) -> AwsError:
    """Return the error for a refused call, as the service words it."""
    because = decision.value.format(action=what.action)
    explicit = decision in (Decision.EXPLICIT_DENY, Decision.SESSION_EXPLICIT_DENY)
    reason = because if explicit else f"because {because}"
    text = f"User: {principal.arn} is not authorized to perform: {what.action} on resource: {what.resource} {reason}"
    return _denial(service, text)


def _denial(service: str, text: str) -> AwsError:
    if service == "ec2":
        return AwsError(
            "UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", status=403
        )
    if service in QUERY_SERVICES:
        return AwsError("AccessDenied", text, status=403)
    status = 403 if service in ("lambda", "guardduty", "scheduler") else 400
    return AwsError(JSON_PROTOCOL_CODE, text, status=status)


def _as_text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


@lru_cache(maxsize=512)
def _parsed(text: str) -> Document:
    try:
        value = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else []


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
