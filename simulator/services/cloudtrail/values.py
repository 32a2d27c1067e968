"""Values of a call as CloudTrail's records tell them: names, times and lists in each service's way, secrets and code left out. Pure.

Source: AWS CloudTrail user guide, Record contents; what single services do otherwise, as in the published records of
invictus-ir/aws_dataset (2023).
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from simulator import wire
from simulator.service import Call

_SECRET = re.compile(
    r"(secret|password|sessiontoken|privatekey|keymaterial|plaintext|authorizationtoken|zipfile)", re.IGNORECASE
)
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_UNNAMED = frozenset({"SecretAccessKey", "Password", "NewPassword", "OldPassword"})
"""Secrets that IAM's and STS's records do not even name."""
_OMITTED = frozenset({"TemplateBody", "ParameterValue"})
"""What CloudFormation's records leave out (CloudFormation user guide, Logging API calls with CloudTrail)."""

_SETS = {
    "GroupId": "securityGroupIdSet",
    "SubnetId": "subnetSet",
    "VpcId": "vpcSet",
    "InstanceId": "instancesSet",
}
"""EC2's names for parameters that a request repeats, where they are not the parameter's with `Set` behind it."""


class Style(Enum):
    """How a service's records write what the model does not settle."""

    PLAIN = "times in ISO 8601, lists as lists"
    IAM = "times as `Jul 10, 2023 12:24:29 PM`"
    STS = "times as `Jul 10, 2023, 12:24:29 PM`"
    EC2 = "members as on the wire, a list as the `items` of an object"

    @classmethod
    def of(cls, service: str) -> "Style":
        """Return a service's style."""
        return {"iam": cls.IAM, "sts": cls.STS, "ec2": cls.EC2}.get(service, cls.PLAIN)


def seconds(moment: datetime) -> str:
    """Return a time as most records write it, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def told(shape: Any, value: Any, style: Style = Style.PLAIN) -> Any:
    """Return a value of the model as a record tells it, members in the model's order and beginning in lower case.

    The keys of a map (tags, say) are the caller's and stay as they are. Secrets are hidden, binary content left out.
    What does not fit the model, as in a call that was refused for it, is told as it is.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        return _members(shape, value, Style.PLAIN if shape.name == "TagSpecification" else style)
    if kind == "list" and isinstance(value, list | tuple):
        items = [told(shape.member, item, style) for item in value if not isinstance(item, bytes | bytearray)]
        if style is Style.EC2:
            return {"items": items} if items else {}
        return items
    if kind == "map" and isinstance(value, Mapping):
        return {key: told(shape.value, item, style) for key, item in value.items()}
    return _time(value, style) if isinstance(value, datetime) else value


def _members(shape: Any, value: Mapping[str, Any], style: Style) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        item = value.get(name)
        if item is None or isinstance(item, bytes | bytearray) or name in _OMITTED:
            continue
        if shape.name in ("Environment", "EnvironmentResponse") and name == "Variables":
            continue
        if name in _UNNAMED and style in (Style.IAM, Style.STS):
            continue
        if _SECRET.search(name):
            if isinstance(item, str) and item:
                found[_lower(name)] = _HIDDEN
            continue
        if style is Style.EC2:
            key, item = _as_ec2(name, member, item)
            found[key] = told(member, item, style)
        else:
            found[_lower(name)] = told(member, item, style)
    return found


def _as_ec2(name: str, member: Any, item: Any) -> tuple[str, Any]:
    """Return name and value of a member of EC2's: named as on the wire, and a set of objects where a request repeats it."""
    on_the_wire = str(member.serialization.get("name", name))
    if member.type_name != "list" or name != f"{on_the_wire}s" or not isinstance(item, list):
        return _lower(on_the_wire), item
    each = [{_lower(on_the_wire): one} if isinstance(one, str) else one for one in item]
    return _SETS.get(on_the_wire, f"{_lower(on_the_wire)}Set"), each


def _time(moment: datetime, style: Style) -> str:
    if style not in (Style.IAM, Style.STS):
        return seconds(moment)
    comma = "," if style is Style.STS else ""
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment:%b} {moment.day}, {moment.year}{comma} {moment.hour % 12 or 12}:{moment:%M:%S} {half}"


def _lower(key: str) -> str:
    return key[0].lower() + key[1:] if key[:1].isupper() and not key.isupper() else key


def s3_parameters(call: Call, host: str) -> dict[str, Any]:
    """Return a request to S3 as its records tell it: the query's words, and the body's XML under the names it had there."""
    operation = wire.operation_model("s3", call.operation)
    words = operation.http.get("requestUri", "").partition("?")[2].split("&")
    found: dict[str, Any] = {word: "" for word in words if word and "=" not in word}
    shape = operation.input_shape
    body = shape.serialization.get("payload") if shape else None
    for name, member in (shape.members if shape else {}).items():
        value = call.params.get(name)
        if value is None or isinstance(value, bytes | bytearray) or name in ("ChecksumAlgorithm", "ContentMD5"):
            continue
        key = {"Bucket": "bucketName", "Policy": "bucketPolicy"}.get(name, member.serialization.get("name", name))
        found[key] = _parsed(value) if name == "Policy" else _as_xml(member, value)
        if name == body and isinstance(value, Mapping) and "xmlNamespace" in member.serialization:
            found[key] = {"xmlns": member.serialization["xmlNamespace"]["uri"], **found[key]}
    return {**found, "Host": host}


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return text


def _as_xml(shape: Any, value: Any) -> Any:
    """Return a value as CloudTrail reads it from XML: a list is one element, or several of the same name."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members = {name: shape.members[name] for name in value if name in shape.members}
        return {
            member.serialization.get("name", name): _as_xml(member, value[name])
            for name, member in members.items()
            if value[name] is not None
        }
    if shape.type_name == "list" and isinstance(value, list | tuple):
        items = [_as_xml(shape.member, item) for item in value]
        same = items[0] if len(items) == 1 else items
        if shape.serialization.get("flattened"):
            return same
        return {shape.member.serialization.get("name", "member"): same}
    return seconds(value) if isinstance(value, datetime) else value
