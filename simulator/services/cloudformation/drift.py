"""Drift: what a resource is, read back, against what its template says it should be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from simulator.clock import milliseconds, moment
from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation.resources import HANDLERS
from simulator.services.cloudformation.resources.base import HandlerError, Work, gone, sound
from simulator.services.cloudformation.state import Resource, Stack, as_texts
from simulator.services.cloudformation.template import invalid


def detect(ctx: Context, stack: Stack, resource: Resource) -> None:
    """Note on the resource whether it is as declared: IN_SYNC, MODIFIED, DELETED, or NOT_CHECKED for other types."""
    resource.drift_at = milliseconds(ctx.now)
    resource.drift_detail = {}
    if resource.physical_id is None or resource.status in {"DELETE_COMPLETE", "DELETE_SKIPPED"}:
        resource.drift = "NOT_CHECKED"
        return
    work = Work(
        ctx=ctx,
        principal=None,
        stack_id=stack.id,
        stack_name=stack.name,
        stack_tags=(),
        logical_id=resource.logical_id,
        types=frozenset(),
        token="",
    )
    try:
        handler, physical_id = HANDLERS[resource.type], resource.physical_id
        actual = sound(lambda: handler.read(work, physical_id, resource.properties))
    except NotImplementedError:
        resource.drift = "NOT_CHECKED"
        return
    except (AwsError, HandlerError) as error:
        if isinstance(error, HandlerError) or not gone(error):
            raise invalid(f"Drift of resource {resource.logical_id} cannot be detected: {error.message}") from error
        actual = None
    if actual is None:
        resource.drift = "DELETED"
        return
    expected = {name: value for name, value in resource.properties.items() if name in actual}
    found = {name: actual[name] for name in expected}
    differences = list(_differences(as_texts(expected), as_texts(found), ""))
    resource.drift = "MODIFIED" if differences else "IN_SYNC"
    resource.drift_detail = {
        "ExpectedProperties": json.dumps(expected, default=str),
        "ActualProperties": json.dumps(found, default=str),
        "PropertyDifferences": differences,
    }


def _differences(expected: Any, actual: Any, path: str) -> Iterator[dict[str, str]]:
    """Yield the differences in the API's shape; what AWS adds inside a structure by itself is none."""
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name, value in expected.items():
            if name in actual:
                yield from _differences(value, actual[name], f"{path}/{name}")
            else:
                yield _difference(f"{path}/{name}", value, None, "REMOVE")
        return
    if isinstance(expected, list) and isinstance(actual, list):
        pairs = list(zip(expected, actual, strict=False))
        for index, (left, right) in enumerate(pairs):
            yield from _differences(left, right, f"{path}/{index}")
        for index in range(len(pairs), len(expected)):
            yield _difference(f"{path}/{index}", expected[index], None, "REMOVE")
        for index in range(len(pairs), len(actual)):
            yield _difference(f"{path}/{index}", None, actual[index], "ADD")
        return
    if expected != actual:
        yield _difference(path, expected, actual, "NOT_EQUAL")


def _difference(path: str, expected: Any, actual: Any, kind: str) -> dict[str, str]:
    def written(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    return {
        "PropertyPath": path,
        "ExpectedValue": written(expected),
        "ActualValue": written(actual),
        "DifferenceType": kind,
    }


def shown(stack: Stack, resource: Resource) -> dict[str, Any]:
    """Return what the last detection found, in the API's shape."""
    return {
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or "",
        "ResourceType": resource.type,
        "StackResourceDriftStatus": resource.drift,
        "Timestamp": moment(resource.drift_at or 0),
        **resource.drift_detail,
    }
