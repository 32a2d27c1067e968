"""Intrinsic functions, worked out over a template's values: pure but for the lookups it is handed.

Source: CloudFormation template reference, Intrinsic functions.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from simulator.services.cloudformation.template import LANGUAGE_EXTENSIONS, Template, invalid

NO_VALUE: Final = object()
"""What `Ref: AWS::NoValue` is: the property or list member that holds it is left out."""

CONDITION_DEPTH: Final = 80
"""Conditions within conditions, by nesting and by name together."""

_SUB = re.compile(r"\$\{(!?)([^{}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")


class NotKnownYetError(Exception):
    """A value that only the running update will find out; met by change sets alone."""


class Lookups(Protocol):
    """Where values from outside the template come from. Each may raise AwsError, `ref` and `attribute` NotKnownYet."""

    def ref(self, logical_id: str) -> Any:
        """Return what Ref of a resource gives: its physical id."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return what Fn::GetAtt of a resource gives."""

    def imported(self, name: str) -> str:
        """Return the value that a stack exports under `name`."""

    def zones(self, region: str) -> list[str]:
        """Return the names of a Region's availability zones."""

    def secret(self, service: str, key: str) -> str:
        """Return what a dynamic reference such as `{{resolve:ssm:key}}` stands for."""


@dataclass(slots=True, kw_only=True)
class Evaluator:
    """A template's functions with everything they need. `parameters` and `pseudo` are the values of Ref."""

    template: Template
    parameters: Mapping[str, Any]
    pseudo: Mapping[str, Any]
    lookups: Lookups
    _conditions: dict[str, bool] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _depth: int = 0

    def value(self, node: Any) -> Any:
        """Return `node` with every function replaced by its value; members without value are gone.

        Raises the ValidationError of a misused function.
        """
        if isinstance(node, dict):
            if len(node) == 1:
                name, body = next(iter(node.items()))
                if name == "Ref":
                    return self._dynamic(self._ref(body))
                if name.startswith("Fn::"):
                    return self._dynamic(self._function(name, body))
            members = ((key, self.value(child)) for key, child in node.items())
            return {key: child for key, child in members if child is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in (self.value(child) for child in node) if item is not NO_VALUE]
        return self._dynamic(node)

    def condition(self, name: str) -> bool:
        """Return whether the condition `name` of the template holds."""
        if name not in self._conditions:
            if name not in self.template.conditions:
                raise invalid(f"Template error: unresolved condition dependency {name} in Fn::If")
            if name in self._asked:
                raise invalid(f"Template format error: Found circular condition dependency on {name}")
            self._asked.add(name)
            self._conditions[name] = self._holds(self.template.conditions[name])
        return self._conditions[name]

    def _holds(self, node: Any) -> bool:
        self._depth += 1
        if self._depth > CONDITION_DEPTH:
            raise invalid("Template format error: Conditions are nested too deeply")
        try:
            return self._decided(node)
        finally:
            self._depth -= 1

    def _decided(self, node: Any) -> bool:
        if not isinstance(node, dict) or len(node) != 1:
            raise invalid(
                "Template format error: Conditions can only be boolean operations on parameters and other conditions"
            )
        name, body = next(iter(node.items()))
        if name == "Condition":
            return self.condition(str(body))
        if name == "Fn::Equals" and isinstance(body, list) and len(body) == 2:
            left, right = (self.value(side) for side in body)
            return text(left) == text(right) if not isinstance(left, dict | list) else bool(left == right)
        if name == "Fn::Not" and isinstance(body, list) and len(body) == 1:
            return not self._holds(body[0])
        if name in {"Fn::And", "Fn::Or"} and isinstance(body, list) and 2 <= len(body) <= 10:
            held = [self._holds(item) for item in body]
            return all(held) if name == "Fn::And" else any(held)
        raise invalid(
            "Template error: every Fn::Equals, Fn::Not, Fn::And and Fn::Or object requires a list of its arguments"
        )

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise invalid("Template error: every Ref object must have a single String value.")
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.lookups.ref(name)

    def _function(self, name: str, body: Any) -> Any:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise invalid(f"Template error: Unrecognized function {name}")
        if name in _EXTENSIONS and LANGUAGE_EXTENSIONS not in self.template.transforms:
            raise invalid(f"Template error: {name} is only available with the transform {LANGUAGE_EXTENSIONS}")
        return function(self, body)

    def arguments(self, name: str, body: Any, low: int, high: int) -> list[Any]:
        """Return the worked-out arguments of a function that takes a list of `low` to `high` of them."""
        if not isinstance(body, list) or not low <= len(body) <= high:
            raise invalid(f"Template error: every {name} object requires a list argument of its parameters.")
        return [self.value(item) for item in body]

    def _dynamic(self, node: Any) -> Any:
        """Return a value with its dynamic references replaced; functions may have put them together."""
        if not isinstance(node, str) or "{{resolve:" not in node:
            return node
        return _DYNAMIC.sub(lambda match: self.lookups.secret(match[1], match[2]), node)


def text(value: Any) -> str:
    """Return a scalar as CloudFormation writes it into text: `true`, `128`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _join(ev: Evaluator, body: Any) -> str:
    delimiter, items = ev.arguments("Fn::Join", body, 2, 2)
    if not isinstance(delimiter, str) or not isinstance(items, list):
        raise invalid(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )
    return delimiter.join(text(item) for item in items)


def _sub(ev: Evaluator, body: Any) -> str:
    template, variables = (body, {}) if isinstance(body, str) else (body[0], ev.value(body[1]) if len(body) > 1 else {})

    def replace(match: re.Match[str]) -> str:
        literal, name = match[1], match[2].strip()
        if literal:
            return f"${{{name}}}"
        if name in variables:
            return text(variables[name])
        if "." in name:
            resource, attribute = name.split(".", 1)
            return text(ev.lookups.attribute(resource, attribute))
        return text(ev.value({"Ref": name}))

    return _SUB.sub(replace, template)


def _get_att(ev: Evaluator, body: Any) -> Any:
    parts = body.split(".", 1) if isinstance(body, str) else body
    name = ".".join(str(ev.value(part)) for part in parts[1:])
    return ev.lookups.attribute(parts[0], name)


def _select(ev: Evaluator, body: Any) -> Any:
    index, items = ev.arguments("Fn::Select", body, 2, 2)
    if not isinstance(items, list) or not str(index).isdigit() or int(index) >= len(items):
        raise invalid(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    return items[int(index)]


def _split(ev: Evaluator, body: Any) -> list[str]:
    delimiter, source = ev.arguments("Fn::Split", body, 2, 2)
    if not isinstance(delimiter, str) or not delimiter or not isinstance(source, str):
        raise invalid(
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split."
        )
    return source.split(delimiter)


def _if(ev: Evaluator, body: Any) -> Any:
    if not isinstance(body, list) or len(body) != 3 or not isinstance(body[0], str):
        raise invalid("Template error: every Fn::If object requires a list of its condition and two values.")
    return ev.value(body[1] if ev.condition(body[0]) else body[2])


def _find_in_map(ev: Evaluator, body: Any) -> Any:
    arguments = ev.arguments("Fn::FindInMap", body, 3, 4)
    name, top, second = (text(argument) for argument in arguments[:3])
    try:
        return ev.template.mappings[name][top][second]
    except (KeyError, TypeError) as error:
        if len(arguments) == 4 and isinstance(arguments[3], dict) and "DefaultValue" in arguments[3]:
            return arguments[3]["DefaultValue"]
        if name not in ev.template.mappings:
            raise invalid(
                f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."
            ) from error
        raise invalid(f"Template error: Unable to get mapping for {name}::{top}::{second}") from error


def _base64(ev: Evaluator, body: Any) -> str:
    return base64.b64encode(text(ev.value(body)).encode()).decode()


def _cidr(ev: Evaluator, body: Any) -> list[str]:
    arguments = ev.arguments("Fn::Cidr", body, 2, 3)
    try:
        network = ipaddress.ip_network(str(arguments[0]), strict=False)
        count, bits = int(arguments[1]), int(arguments[2]) if len(arguments) > 2 else 8
        prefix = network.max_prefixlen - bits
        if not (1 <= count <= 256 and network.prefixlen <= prefix and count <= 2 ** (prefix - network.prefixlen)):
            raise ValueError(count)
    except ValueError as error:
        raise invalid(
            "Template error: Fn::Cidr requires a valid ipBlock, a count of 1 to 256 and cidrBits that fit it"
        ) from error
    subnets = network.subnets(new_prefix=prefix)
    return [str(next(subnets)) for _ in range(count)]


def _zones(ev: Evaluator, body: Any) -> list[str]:
    region = ev.value(body)
    return ev.lookups.zones(str(region) or str(ev.pseudo["AWS::Region"]))


def _import(ev: Evaluator, body: Any) -> str:
    return ev.lookups.imported(text(ev.value(body)))


def _length(ev: Evaluator, body: Any) -> int:
    items = ev.value(body)
    if not isinstance(items, list):
        raise invalid("Template error: Fn::Length requires a list")
    return len(items)


def _to_json(ev: Evaluator, body: Any) -> str:
    return json.dumps(ev.value(body), separators=(",", ":"))


_EXTENSIONS: Final = frozenset({"Fn::Length", "Fn::ToJsonString"})
_FUNCTIONS: Final[Mapping[str, Callable[[Evaluator, Any], Any]]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::GetAZs": _zones,
    "Fn::If": _if,
    "Fn::ImportValue": _import,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json,
}
