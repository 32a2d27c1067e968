"""Where things are: the console's own addresses, and what a link of the AWS console (service and fragment) stands for.

Source of the fragments: the module's text, and the AWS console's address bar as its documentation quotes it.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

HOMES = {
    "guardduty": "/console/guardduty/findings",
    "lambda": "/console/lambda/functions",
    "config": "/console/config/resources",
    "cloudtrail": "/console/cloudtrail/events",
    "cloudtrailv2": "/console/cloudtrail/events",
    "events": "/console/events/rules",
    "scheduler": "/console/scheduler/schedules",
    "iam": "/console/iam/roles",
    "iamv2": "/console/iam/roles",
    "cloudformation": "/console/cloudformation/stacks",
    "s3": "/console/s3/buckets",
    "vpc": "/console/vpc/security-groups",
    "vpcconsole": "/console/vpc/security-groups",
    "cloudwatch": "/console/logs/groups",
}
"""The first page of each service that the AWS console has at `/SERVICE/home`."""

_ROUTES: tuple[tuple[str, str, str], ...] = (
    ("guardduty", r"/findings", "/console/guardduty/findings"),
    ("guardduty", r"/(?:settings/)?lists(?:/.*)?", "/console/guardduty/lists"),
    ("guardduty", r"/(?:[a-z0-9]+-protection|protection-plans?|protection)", "/console/guardduty/protection"),
    ("guardduty", r"/(?:settings|summary|accounts)", "/console/guardduty/protection"),
    ("guardduty", r"/usage", "/console/guardduty/usage"),
    ("lambda", r"/functions/(?P<name>[^/]+)(?:/.*)?", "/console/lambda/functions/{name}"),
    ("config", r"/resources/timeline", "/console/config/timeline"),
    ("config", r"/resources/details", "/console/config/timeline"),
    ("cloudtrail", r"/events/(?P<id>[^/]+)", "/console/cloudtrail/events/{id}"),
    ("events", r"/(?:eventbus/default/)?rules/(?P<name>[^/]+)", "/console/events/rules/{name}"),
    ("events", r"/schedules.*", "/console/scheduler/schedules"),
    ("scheduler", r"/schedules/(?P<group>[^/]+)/(?P<name>[^/]+)", "/console/scheduler/schedules/{group}/{name}"),
    ("iam", r"/roles/(?:details/)?(?P<name>[^/]+)", "/console/iam/roles/{name}"),
    ("cloudformation", r"/stacks/(?:stackinfo|resources|events|template)", "/console/cloudformation/stack"),
    ("cloudwatch", r"logsV2:log-groups/log-group/(?P<name>[^/]+)(?:/.*)?", "/console/logs/group?name={name}"),
    ("vpc", r"(?i:SecurityGroups?):(?:groupId=)?(?P<id>sg-[0-9a-f]+)", "/console/vpc/security-groups/{id}"),
)


def target(service: str, fragment: str) -> str:
    """Return the console's own address of a link `/SERVICE/home#FRAGMENT`; the service's first page for an unknown one."""
    service = {"cloudtrailv2": "cloudtrail", "iamv2": "iam", "vpcconsole": "vpc"}.get(service, service)
    path, _, query = fragment.partition("?")
    for name, pattern, address in _ROUTES:
        found = re.fullmatch(pattern, path) if name == service else None
        if found:
            parts = {key: quote(_decoded(value), safe="") for key, value in found.groupdict().items()}
            return with_query(address.format(**parts), dict(parse_qsl(query)))
    return with_query(HOMES.get(service, "/console/lab"), dict(parse_qsl(query)))


def _decoded(text: str) -> str:
    """Return a part of a fragment as the name that it stands for: CloudWatch writes `$252F` for a slash."""
    return unquote(unquote(text.replace("$25", "%25").replace("$", "%")) if "$25" in text else text)


def with_query(path: str, query: Mapping[str, Any]) -> str:
    """Return `path` with a query of what is not None or empty; lists give a key several times."""
    told = {key: value for key, value in query.items() if value not in (None, "", [], ())}
    if not told:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(told, doseq=True)}"


def finding(finding_id: str) -> str:
    """Return a finding's address, whether it is current or archived."""
    return with_query("/console/guardduty/findings", {"macros": "all", "fId": finding_id})


def function(name: str, tab: str = "") -> str:
    """Return a function's address, opened at a tab."""
    return with_query(f"/console/lambda/functions/{quote(name, safe='')}", {"tab": tab})


def timeline(resource_id: str, resource_type: str = "", name: str = "") -> str:
    """Return the address of a resource's timeline."""
    query = {"resourceId": resource_id, "resourceName": name, "resourceType": resource_type}
    return with_query("/console/config/timeline", query)


def event(event_id: str) -> str:
    """Return an event's address."""
    return f"/console/cloudtrail/events/{quote(event_id, safe='')}"


def rule(name: str) -> str:
    """Return a rule's address."""
    return f"/console/events/rules/{quote(name, safe='')}"


def schedule(group: str, name: str) -> str:
    """Return a schedule's address."""
    return f"/console/scheduler/schedules/{quote(group, safe='')}/{quote(name, safe='')}"


def role(name: str) -> str:
    """Return a role's address."""
    return f"/console/iam/roles/{quote(name, safe='')}"


def stack(name: str) -> str:
    """Return a stack's address."""
    return with_query("/console/cloudformation/stack", {"stackId": name})


def bucket(name: str, prefix: str = "") -> str:
    """Return a bucket's address."""
    return with_query("/console/s3/bucket", {"name": name, "prefix": prefix})


def stored_object(bucket_name: str, key: str) -> str:
    """Return an object's address."""
    return with_query("/console/s3/object", {"bucket": bucket_name, "key": key})


def log_group(name: str) -> str:
    """Return a log group's address."""
    return with_query("/console/logs/group", {"name": name})


def security_group(group_id: str) -> str:
    """Return a security group's address."""
    return f"/console/vpc/security-groups/{quote(group_id, safe='')}"


def of_arn(arn: str) -> str | None:
    """Return the address of what an ARN names, None where the console has no page for it."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return None
    service, rest = parts[2], parts[5]
    kind, _, name = rest.partition("/")
    if service == "lambda" and rest.startswith("function:"):
        return function(rest.split(":")[1])
    if service == "iam" and kind == "role":
        return role(name.rpartition("/")[2])
    if service == "events" and kind == "rule":
        return rule(name.rpartition("/")[2])
    if service == "cloudformation" and kind == "stack":
        return stack(arn)
    if service == "s3":
        return stored_object(kind, name) if name else bucket(kind)
    if service == "logs" and rest.startswith("log-group:"):
        return log_group(rest.split(":")[1])
    if service == "guardduty" and "/finding/" in rest:
        return finding(rest.rpartition("/")[2])
    return None


_PAGES = {
    "AWS::Lambda::Function": function,
    "AWS::IAM::Role": role,
    "AWS::Events::Rule": rule,
    "AWS::CloudFormation::Stack": stack,
    "AWS::S3::Bucket": bucket,
    "AWS::EC2::SecurityGroup": security_group,
    "AWS::Logs::LogGroup": log_group,
}


def of_resource(resource_type: str, name: str) -> str | None:
    """Return the address of a resource of a CloudFormation type, None where the console has no page for it."""
    if name.startswith("arn:"):
        return of_arn(name)
    page = _PAGES.get(resource_type)
    return page(name) if page and name else None
