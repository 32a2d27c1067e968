"""Where a stack's values come from: parameters, pseudo parameters, other resources, other stacks."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation import patterns
from simulator.services.cloudformation.intrinsics import Evaluator, NotKnownYetError, text
from simulator.services.cloudformation.schema import SCHEMAS
from simulator.services.cloudformation.state import Desired, Stack
from simulator.services.cloudformation.template import ResourceSpec, Template, checked_policy, invalid, references

if TYPE_CHECKING:
    from simulator.services.cloudformation.store import Stacks

VALUE_LIMIT: Final = 4096
"""Bytes of a parameter's value (AWS CloudFormation quotas)."""
_SSM_VALUE: Final = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_PLAIN_TYPES: Final = frozenset({"String", "Number", "List<Number>", "CommaDelimitedList", "List<String>"})
_UNKNOWN: Final = object()
_AWS_TYPE: Final = re.compile(r"AWS::(EC2|Route53|SSM)::[A-Za-z0-9:]+")


@dataclass(slots=True)
class Live:
    """Lookups in the stack as it is, noting the exports that were asked for."""

    service: Stacks
    ctx: Context
    stack: Stack
    imports: list[str] = field(default_factory=list)

    def ref(self, logical_id: str) -> Any:
        """Return the physical id of a resource. Raises the ValidationError of one that is not there."""
        resource = self.stack.resources.get(logical_id)
        if resource is None or resource.physical_id is None:
            raise unresolved(logical_id)
        return resource.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return an attribute as the resource's handler read it."""
        resource = self.stack.resources.get(logical_id)
        if resource is None or resource.physical_id is None:
            raise unresolved(logical_id)
        if name in SCHEMAS[resource.type].readable and name in resource.properties:
            return resource.properties[name]
        if name not in resource.attributes:
            raise invalid(f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt")
        return resource.attributes[name]

    def imported(self, name: str) -> str:
        """Return an exported value of a stack of the Region."""
        for export in self.service.exports(self.ctx):
            if export["Name"] == name:
                self.imports.append(name)
                return str(export["Value"])
        raise invalid(f"No export named {name} found.")

    def zones(self, region: str) -> list[str]:
        """Return the names of the availability zones."""
        found = self.ctx.read("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
        return [zone["ZoneName"] for zone in found if zone.get("RegionName", region) == region]

    def secret(self, service: str, key: str) -> str:
        """Return a parameter of Systems Manager; other dynamic references are refused by name."""
        if service not in {"ssm", "ssm-secure"}:
            raise invalid(f"Dynamic references to {service} are not available in this lab.")
        return _ssm(self.ctx, key)


class Ahead(Live):
    """Lookups before anything is made: what resources, other stacks and stores will give is not known yet."""

    def ref(self, logical_id: str) -> Any:
        """Raise NotKnownYetError."""
        raise NotKnownYetError(logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        """Raise NotKnownYetError."""
        raise NotKnownYetError(logical_id)

    def imported(self, name: str) -> str:
        """Raise NotKnownYetError."""
        raise NotKnownYetError(name)

    def secret(self, service: str, key: str) -> str:
        """Raise NotKnownYetError."""
        raise NotKnownYetError(key)


def unresolved(logical_id: str) -> AwsError:
    """Return the error for a reference to a resource that the stack does not have."""
    return invalid(
        f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources block of the template"
    )


def _ssm(ctx: Context, name: str) -> str:
    try:
        return str(ctx.read("ssm", "GetParameter", Name=name, WithDecryption=True)["Parameter"]["Value"])
    except AwsError as error:
        raise invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.") from error


def pseudo(ctx: Context, stack_id: str, stack_name: str, notification_arns: Iterable[str] = ()) -> dict[str, Any]:
    """Return the values of the pseudo parameters."""
    return {
        "AWS::AccountId": ctx.account_id,
        "AWS::NotificationARNs": list(notification_arns),
        "AWS::Partition": "aws",
        "AWS::Region": ctx.region,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }


def evaluator(ctx: Context, stack: Stack, desired: Desired, lookups: Any) -> Evaluator:
    """Return the evaluator of `desired` for `stack` over `lookups`."""
    return Evaluator(
        template=desired.template,
        parameters=desired.values,
        pseudo=pseudo(ctx, stack.id, stack.name, desired.notification_arns),
        lookups=lookups,
    )


def dependencies(template: Template, conditions: Evaluator) -> dict[str, list[str]]:
    """Return what each resource whose condition holds depends on, in template order, by DependsOn, Ref, GetAtt and Sub.

    Only the branch of each Fn::If that holds counts. Raises the ValidationError for a resource that is not made.
    """
    made = [
        name
        for name, spec in template.resources.items()
        if spec.condition is None or conditions.condition(spec.condition)
    ]
    needs: dict[str, list[str]] = {}
    for name in made:
        spec = template.resources[name]
        found = [
            *spec.depends_on,
            *(ref for kind, ref, _ in references(_chosen(dict(spec.properties), conditions)) if kind != "If"),
        ]
        mentioned = list(dict.fromkeys(other for other in found if other in template.resources))
        for other in mentioned:
            if other not in made and other not in spec.depends_on:
                raise unresolved(other)
        needs[name] = [other for other in mentioned if other in made]
    return needs


def outputs(ev: Evaluator) -> list[dict[str, str]]:
    """Return the outputs whose condition holds, in the API's shape. Raises AwsError for one without value."""
    listed = []
    for name, spec in ev.template.outputs.items():
        if isinstance(spec.get("Condition"), str) and not ev.condition(spec["Condition"]):
            continue
        output = {"OutputKey": name, "OutputValue": text(ev.value(spec["Value"]))}
        if isinstance(spec.get("Description"), str):
            output["Description"] = spec["Description"]
        if isinstance(spec.get("Export"), dict) and "Name" in spec["Export"]:
            output["ExportName"] = text(ev.value(spec["Export"]["Name"]))
        listed.append(output)
    return listed


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


def policies(spec: ResourceSpec, ev: Evaluator) -> tuple[str, str]:
    """Return a resource's DeletionPolicy and UpdateReplacePolicy: parameters and conditions may decide them."""
    return (
        checked_policy("DeletionPolicy", ev.value(spec.deletion_policy)),
        checked_policy("UpdateReplacePolicy", ev.value(spec.update_replace_policy)),
    )


def check_outputs(template: Template, conditions: Evaluator, made: Collection[str]) -> None:
    """Raise the ValidationError of an output that is told and refers to a resource that is not made."""
    for spec in template.outputs.values():
        if isinstance(spec.get("Condition"), str) and not conditions.condition(spec["Condition"]):
            continue
        for kind, name, _ in references(_chosen(dict(spec), conditions)):
            if kind in {"Ref", "GetAtt"} and name in template.resources and name not in made:
                raise invalid(f"Unresolved resource dependencies [{name}] in the Outputs block of the template")


def _chosen(node: Any, conditions: Evaluator) -> Any:
    """Return `node` with each Fn::If replaced by the branch that holds."""
    if isinstance(node, list):
        return [_chosen(item, conditions) for item in node]
    if not isinstance(node, dict):
        return node
    branches = node.get("Fn::If")
    if len(node) == 1 and isinstance(branches, list) and len(branches) == 3 and isinstance(branches[0], str):
        return _chosen(branches[1] if conditions.condition(branches[0]) else branches[2], conditions)
    return {key: _chosen(child, conditions) for key, child in node.items()}


def parameters(
    ctx: Context, template: Template, given: Iterable[Mapping[str, Any]], previous: Desired | None
) -> tuple[dict[str, str], dict[str, Any]]:
    """Return parameters as the API shows them and as Ref gives them. Raises CloudFormation's ValidationErrors.

    Source: CloudFormation user guide, Parameters.
    """
    entries = {str(entry.get("ParameterKey")): entry for entry in given}
    strangers = [name for name in entries if name not in template.parameters]
    if strangers:
        raise invalid(f"Parameters: [{', '.join(strangers)}] do not exist in the template")
    shown: dict[str, str] = {}
    missing = []
    for name, spec in template.parameters.items():
        _check_type(name, str(spec["Type"]))
        entry = entries.get(name)
        if entry is not None and entry.get("UsePreviousValue"):
            if previous is None or name not in previous.parameters:
                raise invalid(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                )
            shown[name] = previous.parameters[name]
        elif entry is not None and "ParameterValue" in entry:
            shown[name] = str(entry["ParameterValue"])
        elif "Default" in spec:
            shown[name] = _default(spec["Default"])
        else:
            missing.append(name)
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in shown.items():
        _check_value(name, template.parameters[name], value)
    return shown, {name: _typed(ctx, name, str(template.parameters[name]["Type"]), shown[name]) for name in shown}


def _default(value: Any) -> str:
    return ",".join(text(item) for item in value) if isinstance(value, list) else text(value)


def _check_type(name: str, kind: str) -> None:
    inner = kind[5:-1] if kind.startswith("List<") and kind.endswith(">") else kind
    if kind not in _PLAIN_TYPES and not _AWS_TYPE.fullmatch(inner) and not _SSM_VALUE.fullmatch(kind):
        raise invalid(f"Template format error: Unrecognized parameter type: {kind} for parameter {name}")


def _typed(ctx: Context, name: str, kind: str, value: str) -> Any:
    """Return what Ref of a parameter gives: a list for the list types, else its text."""
    from_store = _SSM_VALUE.fullmatch(kind)
    if from_store:
        try:
            return _typed(ctx, name, from_store[1], _ssm(ctx, value))
        except AwsError as error:
            raise invalid(f"Parameter {name} should either have input value or default value") from error
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in value.split(",")] if value else []
    return value


def _check_value(name: str, spec: Mapping[str, Any], value: str) -> None:
    kind = str(spec["Type"])
    described = spec.get("ConstraintDescription")

    def refuse(message: str) -> AwsError:
        return invalid(f"Parameter {name} failed to satisfy constraint: {described}" if described else message)

    if kind == "Number" and not _number(value):
        raise invalid(f"Parameter '{name}' must be a number.")
    if kind == "List<Number>" and not all(_number(item.strip()) for item in value.split(",")):
        raise invalid(f"Parameter '{name}' must be a list of numbers")
    allowed = spec.get("AllowedValues")
    items = [item.strip() for item in value.split(",")] if kind.startswith(("Comma", "List<")) else [value]
    if isinstance(allowed, list) and not {*items} <= {text(item) for item in allowed}:
        raise refuse(f"Parameter '{name}' must be one of AllowedValues")
    pattern = spec.get("AllowedPattern")
    if isinstance(pattern, str) and not all(_matches(name, pattern, item) for item in items):
        raise refuse(f"Parameter '{name}' must match pattern {pattern}")
    if len(value) < _bound(name, spec, "MinLength", 0):
        raise refuse(f"Parameter '{name}' must contain at least {spec['MinLength']} characters")
    if len(value) > _bound(name, spec, "MaxLength", VALUE_LIMIT):
        raise refuse(f"Parameter '{name}' must contain at most {spec.get('MaxLength', VALUE_LIMIT)} characters")
    if kind == "Number" and float(value) < _bound(name, spec, "MinValue", -math.inf):
        raise refuse(f"Parameter '{name}' must be a number not less than {spec['MinValue']}")
    if kind == "Number" and float(value) > _bound(name, spec, "MaxValue", math.inf):
        raise refuse(f"Parameter '{name}' must be a number not greater than {spec['MaxValue']}")


def _bound(name: str, spec: Mapping[str, Any], key: str, default: float) -> float:
    """Return a constraint's number. Raises the ValidationError where it is none."""
    value = text(spec.get(key, default))
    if key in spec and not _number(value):
        raise invalid(f"Template format error: {key} of parameter {name} must be a number")
    return float(value)


def _number(value: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", value) is not None


def _matches(name: str, pattern: str, value: str) -> bool:
    """Return whether a value fits a pattern. Raises the ValidationError of a pattern that is none or would take too long."""
    try:
        if not patterns.affordable(pattern, len(value)):
            raise invalid(
                f"AllowedPattern of parameter {name} would take too long for a value of {len(value)} characters."
            )
        return re.fullmatch(pattern, value) is not None
    except (re.error, RecursionError, OverflowError) as error:
        raise invalid(f"Template format error: AllowedPattern of parameter {name} is not a valid pattern") from error
