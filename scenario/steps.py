"""From calls as authors write them to calls as clients make them: placeholders, embedded JSON, archives. Pure."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from scenario.model import Actor, Background, Call, Episode, SceneryFinding

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

Zipped = Callable[[str], bytes]
"""A scenario's folder by its name, zipped: `load.zipped` with the scenario and the variant filled in."""


class UnknownPlaceholder(Exception):
    """A scenario's text names a value that nobody gives. `name` is the placeholder's, without braces."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no value is called {name!r}")
        self.name = name


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with every `{placeholder}` replaced. Raises UnknownPlaceholder."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise UnknownPlaceholder(name)
        return values[name]

    return PLACEHOLDER.sub(value_of, text)


def fill_known(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with the placeholders that `values` names replaced: for source code, whose braces mean more."""
    return PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group(0)), text)


def placeholders(value: Any) -> frozenset[str]:
    """Return the names of the placeholders in `value`, however deep."""
    if isinstance(value, str):
        return frozenset(PLACEHOLDER.findall(value))
    if isinstance(value, Mapping):
        return frozenset().union(*(placeholders(key) | placeholders(each) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return frozenset().union(*(placeholders(each) for each in value))
    return frozenset()


def render(value: Any, values: Mapping[str, str], zipped: Zipped) -> Any:
    """Return `value` as botocore takes it: placeholders filled, `{$json: …}` as text, `{$zip: folder}` as bytes.

    Raises UnknownPlaceholder.
    """
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, Mapping):
        if value.keys() == {"$json"}:
            return json.dumps(render(value["$json"], values, zipped))
        if value.keys() == {"$zip"}:
            return zipped(value["$zip"])
        return {fill(str(key), values): render(each, values, zipped) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [render(each, values, zipped) for each in value]
    return value


def saved(save: Mapping[str, str], result: Mapping[str, Any]) -> dict[str, str]:
    """Return the values that a call keeps of its result: `{"detector_id": "DetectorIds.0"}` reads the first one.

    Raises LookupError where the result has no such part.
    """
    return {name: str(_part(result, path)) for name, path in save.items()}


def _part(result: Any, path: str) -> Any:
    """Return the part of `result` that the dotted `path` leads to: a number is a place in a list, text is JSON."""
    for key in path.split("."):
        if isinstance(result, str):
            result = json.loads(result)
        result = result[int(key)] if isinstance(result, list | tuple) else result[key]
    return result


def provisioning(background: Background) -> Episode:
    """Return the calls that create the background's actors."""
    return Episode(
        id="provisioning",
        at=background.provisioned,
        by=background.provisioner,
        calls=tuple(call for actor in background.actors for call in _creation(actor)),
        source_ip="{office_ip}",
        user_agent="Boto3/1.34.131 md/Botocore#1.34.131 lang/python#3.11.9 cfg/retry-mode#standard",
        gap=timedelta(seconds=1),
    )


def _creation(actor: Actor) -> tuple[Call, ...]:
    """Return the calls that create `actor` with its inline policy. A user's id is saved as `ci_deploy_id`."""
    policy = {"$json": {"Version": "2012-10-17", "Statement": list(actor.statements)}}
    if actor.kind == "user":
        create = _iam("CreateUser", save={f"{actor.name.replace('-', '_')}_id": "User.UserId"}, UserName=actor.name)
        allow = _iam("PutUserPolicy", UserName=actor.name, PolicyName=f"{actor.name}-policy", PolicyDocument=policy)
    else:
        trust = {"$json": {"Version": "2012-10-17", "Statement": [_trust(each) for each in actor.trusts]}}
        create = _iam("CreateRole", RoleName=actor.name, AssumeRolePolicyDocument=trust)
        allow = _iam("PutRolePolicy", RoleName=actor.name, PolicyName=f"{actor.name}-policy", PolicyDocument=policy)
    return (create, allow) if actor.statements else (create,)


def _iam(operation: str, save: Mapping[str, str] | None = None, **params: Any) -> Call:
    return Call(service="iam", operation=operation, params=params, save=save or {})


def _trust(principal: str) -> dict[str, Any]:
    """Return the statement that lets `principal`, a service or an account, assume a role."""
    who = {"Service": principal} if principal.endswith(".amazonaws.com") else {"AWS": f"arn:aws:iam::{principal}:root"}
    return {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}


def finding_shape(scenery: SceneryFinding, values: Mapping[str, str], start: datetime) -> dict[str, Any]:
    """Return `scenery` in GetFindings' shape, in a history that began at `start` (aware, UTC).

    The simulator adds Id, Arn, AccountId, Partition, Region, SchemaVersion and Service.DetectorId. Times are text as
    AWS writes them: first and last seen in whole seconds (docs/aws-facts.md, part 1.1). Raises UnknownPlaceholder.
    """
    finding: dict[str, Any] = render(scenery.finding, values, _no_archive)
    finding["CreatedAt"], finding["UpdatedAt"] = (_time(start + each) for each in (scenery.created, scenery.updated))
    finding["Service"] = {
        **finding["Service"],
        "EventFirstSeen": _time((start + scenery.first_seen).replace(microsecond=0)),
        "EventLastSeen": _time((start + scenery.last_seen).replace(microsecond=0)),
    }
    return finding


def _no_archive(folder: str) -> bytes:
    raise ValueError(f"a finding has no archive, yet it names {folder!r}")


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
