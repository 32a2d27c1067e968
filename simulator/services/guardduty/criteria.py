"""Finding criteria, pure: which findings a filter or a query means.

Fields are joined by AND, the values of a condition by OR, the operators of a condition by AND. Sources: Amazon GuardDuty
user guide, Filtering findings; docs/aws-facts.md, part 4. Chosen where AWS says nothing: `NotEquals` holds for a finding
without the field; a range never does; a whole number asked of the severity means its whole band, so that
`["4", "5", "6"]` is Medium.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from functools import lru_cache
from typing import Any

from simulator.clock import milliseconds
from simulator.services.guardduty.errors import invalid_value
from simulator.services.guardduty.fields import FINDABLE, filterable

MAX_ATTRIBUTES = 50
_SPECIAL_NAMES = {
    "productCodeId": "Code",
    "productCodeType": "ProductType",
    "sourceIPs": "SourceIps",
    "effectivePermissions": "EffectivePermission",
}
_ISO_FIELDS = frozenset({"createdAt", "updatedAt", "service.eventFirstSeen", "service.eventLastSeen"})
_ADDITIONAL = "service.additionalInfo."

Scalar = str | int | float | bool
Test = Callable[[list[Scalar]], bool]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Compiled criteria. `match` takes a finding as GetFindings gives it."""

    tests: tuple[tuple[str, Test], ...]

    def match(self, body: Mapping[str, Any]) -> bool:
        """Tell whether the finding meets every condition."""
        return all(test(values(body, field)) for field, test in self.tests)


def compile_criteria(source: Mapping[str, Any] | None, *, saved: bool = False) -> Criteria:
    """Return the criteria of a FindingCriteria structure.

    A query may ask for the findable fields only; a saved filter (`saved`) for the filterable ones, and it may use
    Matches. Raises BadRequestException for an unknown field, too many fields, or an operator out of place.
    """
    criterion = (source or {}).get("Criterion") or {}
    if len(criterion) > MAX_ATTRIBUTES:
        raise invalid_value()
    return Criteria(tuple(test for field, condition in criterion.items() for test in _tests(field, condition, saved)))


def _tests(field: str, condition: Mapping[str, Any], saved: bool) -> Iterable[tuple[str, Test]]:
    if field not in (filterable() if saved else FINDABLE):
        raise invalid_value()
    for operator, operand in (condition or {}).items():
        if operand is None:
            continue
        build = _OPERATORS.get(operator)
        if build is None or (operator in {"Matches", "NotMatches"} and not saved):
            raise invalid_value()
        if isinstance(operand, list) and len(operand) > 50:
            raise invalid_value()
        yield field, build(field, operand)


@lru_cache(maxsize=1024)
def _names(field: str) -> tuple[str, ...]:
    return tuple(_SPECIAL_NAMES.get(part, part[:1].upper() + part[1:]) for part in field.split("."))


def values(body: Mapping[str, Any], field: str) -> list[Scalar]:
    """Return the values of a field of a finding, times in milliseconds; empty where it has none.

    `field` is as criteria name it (`resource.lambdaDetails.tags.key`); lists on the way give several values.
    """
    if field.startswith(_ADDITIONAL) and field not in {_ADDITIONAL + "type", _ADDITIONAL + "value"}:
        return _additional(body, field.removeprefix(_ADDITIONAL))
    node: Any = body
    names = _names(field)
    for place, name in enumerate(names):
        if not isinstance(node, dict):
            nodes = [node]
            for rest in names[place:]:
                nodes = [child for each in nodes for child in _children(each, rest)]
            return [value for each in nodes for value in _scalars(each)]
        node = node.get(name)
        if node is None:
            return []
    found = list(_scalars(node))
    return [_milliseconds(str(value)) for value in found] if field in _ISO_FIELDS else found


def _children(node: Any, name: str) -> Iterable[Any]:
    if isinstance(node, dict):
        if name in node:
            yield node[name]
    elif isinstance(node, list):
        for each in node:
            yield from _children(each, name)


def _scalars(node: Any) -> Iterable[Scalar]:
    if isinstance(node, list):
        for each in node:
            yield from _scalars(each)
    elif isinstance(node, datetime):
        yield milliseconds(node)
    elif isinstance(node, (str, int, float)):
        yield node


def _milliseconds(text: str) -> int:
    return milliseconds(datetime.fromisoformat(text))


def _additional(body: Mapping[str, Any], path: str) -> list[Scalar]:
    node: Any = json.loads(body["Service"]["AdditionalInfo"]["Value"])
    nodes = [node]
    for name in path.split("."):
        nodes = [child for each in nodes for child in _children(each, name)]
    return [value for each in nodes for value in _scalars(each)]


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _one_of(field: str, wanted: list[str]) -> Test:
    texts = frozenset(wanted)
    if field in {"severity", "confidence"}:
        numbers = frozenset(number for text in wanted if (number := _number(text)) is not None)
        bands = frozenset(int(text) for text in wanted if text.isascii() and text.isdigit() and len(text) < 4)
        return lambda found: any(float(value) in numbers or int(value) in bands for value in found)
    if field in _ISO_FIELDS:
        texts |= {str(at) for text in wanted if (at := _moment(text)) is not None}
    if any(text.lower() in {"true", "false"} for text in wanted):
        texts |= {text.lower() for text in wanted}
    return lambda found: any(_text(value) in texts for value in found)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> int | None:
    try:
        return _milliseconds(text)
    except ValueError:
        return None


def _equals(field: str, wanted: list[str]) -> Test:
    return _one_of(field, wanted)


def _not_equals(field: str, wanted: list[str]) -> Test:
    hit = _one_of(field, wanted)
    return lambda found: not hit(found)


def _matches(field: str, wanted: list[str]) -> Test:
    """`*` and `?` as wildcards. Source: Amazon GuardDuty user guide, Suppression rules."""
    pattern = re.compile("|".join(translate(text.replace("[", "[[]")) for text in wanted) or r"(?!)")
    return lambda found: any(pattern.match(_text(value)) is not None for value in found)


def _not_matches(field: str, wanted: list[str]) -> Test:
    hit = _matches(field, wanted)
    return lambda found: not hit(found)


def _range(compare: Callable[[float, float], bool]) -> Callable[[str, Any], Test]:
    def build(field: str, bound: int) -> Test:
        def test(found: list[Scalar]) -> bool:
            numbers = [_number(_text(value)) for value in found]
            return any(number is not None and compare(number, bound) for number in numbers)

        return test

    return build


_greater = _range(lambda value, bound: value > bound)
_greater_or_equal = _range(lambda value, bound: value >= bound)
_less = _range(lambda value, bound: value < bound)
_less_or_equal = _range(lambda value, bound: value <= bound)

_OPERATORS: dict[str, Callable[[str, Any], Test]] = {
    "Eq": _equals,
    "Equals": _equals,
    "Neq": _not_equals,
    "NotEquals": _not_equals,
    "Gt": _greater,
    "GreaterThan": _greater,
    "Gte": _greater_or_equal,
    "GreaterThanOrEqual": _greater_or_equal,
    "Lt": _less,
    "LessThan": _less,
    "Lte": _less_or_equal,
    "LessThanOrEqual": _less_or_equal,
    "Matches": _matches,
    "NotMatches": _not_matches,
}
