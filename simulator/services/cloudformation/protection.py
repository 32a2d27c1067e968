"""Stack policies: which resources an update may modify, replace or delete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from simulator.services.cloudformation.resources.base import HandlerError
from simulator.services.cloudformation.state import Resource


def is_policy(text: str) -> bool:
    """Say whether a text is a stack policy; one without statements is, and allows everything."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict):
            return False
        return ("Statement" in document or not document) and all(
            statement["Effect"] in {"Allow", "Deny"}
            and statement.get("Principal") == "*"
            and all(str(action) == "*" or str(action).startswith("Update:") for action in _actions(statement))
            for statement in _statements(document)
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def _statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = document.get("Statement", [])
    return [listed] if isinstance(listed, dict) else list(listed)


def _actions(statement: Mapping[str, Any]) -> list[Any]:
    named = statement["NotAction"] if "NotAction" in statement else statement["Action"]
    return [named] if isinstance(named, str) else list(named)


def check(policy: str | None, action: str, resource: Resource) -> None:
    """Raise HandlerError where a stack's policy does not let an update do `action` (`Update:Modify`) to a resource.

    A stack without policy allows everything; with one, what no statement allows is denied, and Deny wins.
    Source: CloudFormation user guide, Prevent updates to stack resources.
    """
    if policy is None:
        return
    statements = _statements(json.loads(policy))
    if not statements:
        return
    effects = {
        str(statement.get("Effect")): number
        for number, statement in enumerate(statements, 1)
        if _applies(statement, action, resource)
    }
    if "Deny" in effects:
        raise HandlerError(
            f"Action denied by stack policy: Statement [#{effects['Deny']}] does not allow [{action}] for resource "
            f"[LogicalResourceId/{resource.logical_id}];"
        )
    if "Allow" not in effects:
        raise HandlerError(
            f"Action not allowed by stack policy: no statement allows [{action}] for resource "
            f"[LogicalResourceId/{resource.logical_id}];"
        )


def _applies(statement: Mapping[str, Any], action: str, resource: Resource) -> bool:
    name = f"LogicalResourceId/{resource.logical_id}"
    if not _one(statement, "Action", action) or not _one(statement, "Resource", name):
        return False
    condition = statement.get("Condition", {})
    return all(
        _any(kinds, resource.type, exact=operator == "StringEquals")
        for operator, keys in condition.items()
        for key, kinds in keys.items()
        if key == "ResourceType"
    )


def _one(statement: Mapping[str, Any], key: str, value: str) -> bool:
    if f"Not{key}" in statement:
        return not _any(statement[f"Not{key}"], value)
    return _any(statement.get(key, ()), value)


def _any(patterns: Any, value: str, *, exact: bool = False) -> bool:
    listed = [patterns] if isinstance(patterns, str) else list(patterns)
    return any(value == pattern if exact else fnmatchcase(value, str(pattern)) for pattern in listed)
