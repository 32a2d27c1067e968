"""What an update would do to a stack: the list that a change set shows, and whether there is anything to do at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation import graph
from simulator.services.cloudformation.intrinsics import Evaluator, NotKnownYetError
from simulator.services.cloudformation.resources import HANDLERS
from simulator.services.cloudformation.resources.base import changed
from simulator.services.cloudformation.state import Desired, Resource, Stack
from simulator.services.cloudformation.template import ResourceSpec, references
from simulator.services.cloudformation.values import Live, dependencies, evaluator, outputs

if TYPE_CHECKING:
    from simulator.services.cloudformation.store import Stacks

_UNKNOWN = object()


@dataclass(slots=True)
class _Foreseen(Live):
    """Lookups that know which resources the update makes anew, so that their values are not known yet."""

    anew: frozenset[str] = frozenset()

    def ref(self, logical_id: str) -> Any:
        """Return a physical id that stays. Raises NotKnownYetError for one that does not."""
        self._known(logical_id)
        return Live.ref(self, logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute that stays. Raises NotKnownYetError for one that does not."""
        self._known(logical_id)
        return Live.attribute(self, logical_id, name)

    def _known(self, logical_id: str) -> None:
        resource = self.stack.resources.get(logical_id)
        if logical_id in self.anew or resource is None or resource.physical_id is None:
            raise NotKnownYetError(logical_id)


def changes(service: Stacks, ctx: Context, stack: Stack, desired: Desired) -> list[dict[str, Any]]:
    """Return the resource changes from `stack` to `desired` in the API's shape, in the order of their making.

    Raises the ValidationError of a template that cannot be worked out.
    """
    lookups = _Foreseen(service, ctx, stack)
    ev = evaluator(ctx, stack, desired, lookups)
    needs = dependencies(desired.template, ev)
    found: list[dict[str, Any]] = []
    touched: set[str] = set()
    for name in graph.order(needs):
        spec, resource = desired.template.resources[name], stack.resources.get(name)
        if resource is None or resource.status == "DELETE_COMPLETE":
            found.append(_change("Add", name, spec.type))
            touched.add(name)
            continue
        change = _modification(spec, resource, ev, stack, desired, touched)
        if change is not None:
            found.append(change)
            touched.add(name)
            if change["ResourceChange"]["Replacement"] == "True":
                lookups.anew |= {name}
    for name, resource in reversed(stack.resources.items()):
        if name not in needs and resource.status != "DELETE_COMPLETE":
            found.append(_change("Remove", name, resource.type, resource.physical_id, PolicyAction="Delete"))
    return found


def _change(action: str, name: str, kind: str, physical_id: str | None = None, **more: Any) -> dict[str, Any]:
    body = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": [], **more}
    if physical_id is not None:
        body["PhysicalResourceId"] = physical_id
    return {"Type": "Resource", "ResourceChange": body}


def worked_out(properties: Mapping[str, Any], ev: Evaluator) -> dict[str, Any]:
    """Return properties, each one that is not known yet as a value that equals no other."""
    result: dict[str, Any] = {}
    for name, node in properties.items():
        try:
            value = ev.value({name: node})
        except NotKnownYetError:
            value = {name: _UNKNOWN}
        result.update(value)
    return result


def _modification(
    spec: ResourceSpec, resource: Resource, ev: Evaluator, stack: Stack, desired: Desired, touched: set[str]
) -> dict[str, Any] | None:
    """Return how an existing resource changes; None when it stays as it is."""
    handler = HANDLERS[spec.type]
    new, old = worked_out(spec.properties, ev), resource.properties
    names = changed(old, new)
    scope: list[str] = ["Properties"] if names else []
    if desired.tags != stack.desired.tags and "Tags" in handler.schema.properties:
        scope.append("Tags")
    if spec.metadata != resource.metadata:
        scope.append("Metadata")
    if not scope:
        return None
    replaced = handler.replaces(old, new) if names else []
    certain = any(new.get(name) is not _UNKNOWN for name in replaced)
    details = [
        detail for name in names for detail in _details(name, name in replaced, spec.properties.get(name), touched)
    ]
    if "Tags" in scope:
        details.append({"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static"})
    return _change(
        "Modify",
        spec.logical_id,
        spec.type,
        resource.physical_id,
        Replacement="True" if certain else "Conditional" if replaced else "False",
        Scope=scope,
        Details=[{"ChangeSource": "DirectModification", **detail} for detail in details],
    )


def _details(name: str, replaces: bool, node: Any, touched: set[str]) -> list[dict[str, Any]]:
    """Return why a property changes: by what it refers to, or by itself."""
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Always" if replaces else "Never"}
    causes = []
    for kind, other, attribute in references(node):
        if other in touched and kind in {"Ref", "GetAtt"}:
            source = "ResourceReference" if kind == "Ref" else "ResourceAttribute"
            entity = other if kind == "Ref" else f"{other}.{attribute}"
            causes.append({"Target": target, "Evaluation": "Dynamic", "ChangeSource": source, "CausingEntity": entity})
    return causes or [{"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}]


def needed(service: Stacks, ctx: Context, stack: Stack, desired: Desired) -> bool:
    """Return whether anything at all would change: resources, outputs, tags, policy of rollback aside."""
    if changes(service, ctx, stack, desired):
        return True
    before = stack.desired
    if before.tags != desired.tags or before.notification_arns != desired.notification_arns:
        return True
    return _outputs(service, ctx, stack, desired) != {
        item["OutputKey"]: (item["OutputValue"], item.get("ExportName"), item.get("Description"))
        for item in stack.outputs
    }


def _outputs(service: Stacks, ctx: Context, stack: Stack, desired: Desired) -> dict[str, tuple[Any, Any, Any]] | None:
    try:
        listed = outputs(evaluator(ctx, stack, desired, Live(service, ctx, stack)))
    except AwsError:
        return None
    return {
        item["OutputKey"]: (item["OutputValue"], item.get("ExportName"), item.get("Description")) for item in listed
    }
