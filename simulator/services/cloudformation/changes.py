"""What an update would do to a stack: the list that a change set shows, and whether there is anything to do at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation import graph
from simulator.services.cloudformation.intrinsics import Evaluator, NotKnownYetError
from simulator.services.cloudformation.resources import HANDLERS
from simulator.services.cloudformation.resources.base import changed
from simulator.services.cloudformation.state import Desired, Resource, Stack
from simulator.services.cloudformation.template import ResourceSpec, references
from simulator.services.cloudformation.values import Live, dependencies, evaluator, outputs, policies, worked_out

if TYPE_CHECKING:
    from simulator.services.cloudformation.store import Stacks


@dataclass(slots=True)
class _Foreseen(Live):
    """Lookups that know which resources the update makes anew or modifies, so that their values are not known yet."""

    replacements: dict[str, str] = field(default_factory=dict)
    """Of each resource that changes, whether it is replaced: True, False or Conditional."""

    def ref(self, logical_id: str) -> Any:
        """Return a physical id that stays. Raises NotKnownYetError for one that does not."""
        self._known(logical_id)
        return Live.ref(self, logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute that stays. Raises NotKnownYetError for one that may not: any of a modified resource."""
        if logical_id in self.replacements:
            raise NotKnownYetError(logical_id)
        self._known(logical_id)
        return Live.attribute(self, logical_id, name)

    def _known(self, logical_id: str) -> None:
        resource = self.stack.resources.get(logical_id)
        anew = self.replacements.get(logical_id, "False") != "False"
        if anew or resource is None or resource.physical_id is None:
            raise NotKnownYetError(logical_id)


def changes(service: Stacks, ctx: Context, stack: Stack, desired: Desired) -> list[dict[str, Any]]:
    """Return the resource changes from `stack` to `desired` in the API's shape, in the order of their making.

    Raises the ValidationError of a template that cannot be worked out.
    """
    lookups = _Foreseen(service, ctx, stack)
    ev = evaluator(ctx, stack, desired, lookups)
    needs = dependencies(desired.template, ev)
    found: list[dict[str, Any]] = []
    for name in graph.order(needs):
        spec, resource = desired.template.resources[name], stack.resources.get(name)
        if resource is None or resource.status == "DELETE_COMPLETE":
            found.append(_change("Add", name, spec.type))
            lookups.replacements[name] = "True"
            continue
        change = _modification(spec, resource, ev, stack, desired, lookups.replacements)
        if change is not None:
            found.append(change)
            if "Properties" in change["ResourceChange"]["Scope"]:
                lookups.replacements[name] = change["ResourceChange"]["Replacement"]
    for name, resource in reversed(stack.resources.items()):
        if name not in needs and resource.status != "DELETE_COMPLETE":
            policy = resource.deletion_policy.removesuffix("ExceptOnCreate")
            found.append(_change("Remove", name, resource.type, resource.physical_id, PolicyAction=policy))
    return found


def _change(action: str, name: str, kind: str, physical_id: str | None = None, **more: Any) -> dict[str, Any]:
    body = {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": [], **more}
    if physical_id is not None:
        body["PhysicalResourceId"] = physical_id
    return {"Type": "Resource", "ResourceChange": body}


def _modification(
    spec: ResourceSpec,
    resource: Resource,
    ev: Evaluator,
    stack: Stack,
    desired: Desired,
    replacements: Mapping[str, str],
) -> dict[str, Any] | None:
    """Return how an existing resource changes; None when it stays as it is."""
    handler = HANDLERS[spec.type]
    new, old = worked_out(spec.properties, ev), resource.properties
    names = changed(old, new)
    replaced = handler.replaces(old, new) if names else []
    before = stack.desired.template.resources.get(spec.logical_id)
    causes = _Causes(
        parameters={name for name, value in desired.parameters.items() if stack.desired.parameters.get(name) != value},
        replacements=replacements,
    )
    details: list[dict[str, Any]] = []
    for name in names:
        was = before.properties.get(name) if before else None
        target = _target("Properties", name, recreation="Always" if name in replaced else "Never")
        details += causes.details(target, was, spec.properties.get(name))
    if worked_out({"": spec.metadata}, ev).get("") != resource.metadata:
        details += causes.details(_target("Metadata"), before.metadata if before else None, spec.metadata)
    if desired.tags != stack.desired.tags and "Tags" in handler.schema.properties:
        details.append(_direct(_target("Tags"), "Static"))
    on_deletion, on_replacement = policies(spec, ev)
    if on_deletion != resource.deletion_policy:
        details.append(_direct(_target("DeletionPolicy"), "Static"))
    if on_replacement != resource.update_replace_policy:
        details.append(_direct(_target("UpdateReplacePolicy"), "Static"))
    if not details:
        return None
    always = {each["Evaluation"] for each in details if each["Target"]["RequiresRecreation"] == "Always"}
    replacement = "True" if "Static" in always else "Conditional" if always else "False"
    policy = {} if replacement == "False" else {"PolicyAction": f"ReplaceAnd{resource.update_replace_policy}"}
    return _change(
        "Modify",
        spec.logical_id,
        spec.type,
        resource.physical_id,
        Replacement=replacement,
        Scope=sorted({each["Target"]["Attribute"] for each in details}),
        Details=sorted(details, key=_place),
        **policy,
    )


def _place(detail: Mapping[str, Any]) -> tuple[bool, str, str]:
    target = detail["Target"]
    return detail["Evaluation"] == "Dynamic", target["Attribute"], target.get("Name", "")


def _target(attribute: str, name: str | None = None, *, recreation: str = "Never") -> dict[str, Any]:
    named = {} if name is None else {"Name": name}
    return {"Attribute": attribute, **named, "RequiresRecreation": recreation}


def _direct(target: dict[str, Any], evaluation: str) -> dict[str, Any]:
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Causes:
    """What in an update can change values: parameters by name, and resources with whether they are replaced."""

    parameters: set[str]
    replacements: Mapping[str, str]

    def details(self, target: dict[str, Any], was: Any, node: Any) -> list[dict[str, Any]]:
        """Return why a value changes: by parameters, by resources that it refers to, by itself, or by several of them.

        Source: CloudFormation API reference, ResourceChangeDetail. That a value follows a parameter alone is told as a
        direct modification too, as a dynamic one.
        """
        found = [
            {"Target": target, "Evaluation": evaluation, "ChangeSource": source, "CausingEntity": entity}
            for evaluation, source, entity in dict.fromkeys(self._found(node))
        ]
        if was != node or not found:
            found.append(_direct(target, "Static"))
        elif any(each["ChangeSource"] == "ParameterReference" for each in found):
            found.append(_direct(target, "Dynamic"))
        return found

    def _found(self, node: Any) -> Iterator[tuple[str, str, str]]:
        for kind, other, attribute in references(node):
            replacement = self.replacements.get(other)
            evaluation = "Static" if replacement == "True" else "Dynamic"
            if kind == "Ref" and other in self.parameters:
                yield "Static", "ParameterReference", other
            elif kind == "GetAtt" and replacement is not None:
                yield evaluation, "ResourceAttribute", f"{other}.{attribute}"
            elif kind == "Ref" and replacement not in {None, "False"}:
                yield evaluation, "ResourceReference", other


def needed(service: Stacks, ctx: Context, stack: Stack, desired: Desired) -> bool:
    """Return whether anything at all would change: resources, outputs, tags, policy of rollback aside."""
    if changes(service, ctx, stack, desired):
        return True
    before = stack.desired
    if before.tags != desired.tags or before.notification_arns != desired.notification_arns:
        return True
    if before.rollback_configuration != desired.rollback_configuration:
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
