"""A finding as the detail of its EventBridge event: camelCase, times as text, additional information spread out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.clock import milliseconds
from simulator.services.guardduty.finding import iso

_WIRE_NAMES = {
    ("ProductCodes", "Code"): "productCodeId",
    ("ProductCodes", "ProductType"): "productCodeType",
    ("KubernetesApiCallAction", "SourceIps"): "sourceIPs",
    ("TaskDetails", "TaskCreatedAt"): "createdAt",
}
"""Members whose name on the wire is not theirs with a small first letter. Source: botocore's model."""


def event_detail(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the detail of a "GuardDuty Finding" event: JSON types only."""
    detail: dict[str, Any] = _wire(body, "")
    info = body["Service"]["AdditionalInfo"]
    detail["service"]["additionalInfo"] = {
        **json.loads(info["Value"]),
        "value": info["Value"],
        "type": info["Type"],
    }
    return detail


def _wire(node: Any, parent: str) -> Any:
    if isinstance(node, Mapping):
        return {_wire_name(parent, name): _wire(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [_wire(each, parent) for each in node]
    return iso(milliseconds(node)) if isinstance(node, datetime) else node


def _wire_name(parent: str, name: str) -> str:
    return _WIRE_NAMES.get((parent, name), name[:1].lower() + name[1:])
