"""Event patterns: which events a rule wants, pure.

`compile_pattern` turns the JSON of a pattern into nested tests once; matching then only walks the event. Patterns and
events come from clients, so both are bounded in depth and no expression of theirs becomes a regular expression.
Source: EventBridge user guide, Creating Amazon EventBridge event patterns; the wording of errors is what AWS answers
to TestEventPattern.
"""

import ipaddress
import json
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from simulator.services.events import places

MAX_DEPTH = 100
MAX_WILDCARDS = 4

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")

Test = Callable[[Any], bool]
"""Whether one scalar of an event (string, number, true, false or null) is wanted."""

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """What the values of one field may be; `absent` says that it may also be missing."""

    tests: tuple[Test, ...]
    absent: bool

    def matches(self, value: Any) -> bool:
        values = list(_scalars(value))
        if not values:
            return self.absent
        return any(test(scalar) for scalar in values for test in self.tests)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern, or the part of one below a field: all fields must match, and one of each `$or`."""

    fields: Mapping[str, "Pattern | _Leaf"]
    choices: tuple[tuple["Pattern", ...], ...] = ()

    def matches(self, event: Any) -> bool:
        """Return whether `event`, made by `parse_object`, is wanted.

        Where the event holds a list of objects, the fields of one pattern must match within one of them.
        """
        if isinstance(event, list):
            return any(self.matches(element) for element in event) if event else self.matches({})
        found = event if isinstance(event, dict) else {}
        if not all(want.matches(found.get(name, _MISSING)) for name, want in self.fields.items()):
            return False
        return all(any(choice.matches(found) for choice in group) for group in self.choices)

    def may_match(self, known: Mapping[str, str]) -> bool:
        """Return whether an event whose top has these values may be wanted, whatever else it holds."""
        return all(want.matches(known[name]) for name, want in self.fields.items() if name in known)


_MISSING: list[Any] = []
"""What a field that is not there holds: no scalar at all."""


@lru_cache(maxsize=512)
def compile_pattern(text: str) -> Pattern:
    """Return the pattern written in `text`. Raises ValueError with AWS's reason, and the place of the fault, where it is not one."""
    document = _loads(text)
    if not isinstance(document, dict):
        _fail("Filter is not an object" + places.source(text, 1))
    try:
        return _object(document)
    except ValueError as error:
        raise ValueError(f"{error}{places.suffix(text, str(error), _refuses)}") from error


def _refuses(alternative: Any) -> bool:
    try:
        _leaf([alternative])
    except ValueError:
        return True
    return False


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object in `text`. Raises ValueError where it is none, or nested deeper than an event may be."""
    document = _loads(text)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document


def undotted(value: Any) -> Any:
    """Return `value` with each key `a.b` told as `b` inside `a`: patterns and events may write either."""
    if isinstance(value, list):
        return [undotted(element) for element in value]
    if not isinstance(value, dict):
        return value
    told: dict[str, Any] = {}
    for key, inner in value.items():
        _insert(told, key.split(".") if "." in key else [key], undotted(inner))
    return told


def _insert(told: dict[str, Any], path: list[str], inner: Any) -> None:
    for name in path[:-1]:
        below = told.get(name)
        if not isinstance(below, dict):
            below = told[name] = {}
        told = below
    there = told.get(path[-1])
    if isinstance(there, dict) and isinstance(inner, dict):
        for name, value in inner.items():
            _insert(there, [name], value)
    else:
        told[path[-1]] = inner


def _fail(reason: str) -> NoReturn:
    raise ValueError(reason)


def _loads(text: str) -> Any:
    try:
        document = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(_syntax_error(text, error.pos)) from error
    if _depth_exceeds(document, MAX_DEPTH):
        raise ValueError("nested too deeply")
    if _SURROGATE.search(text):
        # half of a pair is no character: nothing could deliver or store it. UnicodeEncodeError is a ValueError.
        json.dumps(document, ensure_ascii=False).encode()
    return document


def _syntax_error(text: str, at: int) -> str:
    """Return what the parser behind EventBridge says of JSON that breaks off at `at`."""
    token = re.match("[A-Za-z0-9_]+", text[at:])
    values = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"
    if at >= len(text):
        told = "Unexpected end-of-input"
    elif token:
        told, at = f"Unrecognized token '{token[0]}': was expecting ({values})", at + len(token[0])
    else:
        told = f"Unexpected character ('{text[at]}' (code {ord(text[at])})): "
        told += (
            "was expecting double-quote to start field name" if text[:at].rstrip()[-1:] == "{" else "expected " + values
        )
    return told + places.source(text, at)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{name}'")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"Number {text} is out of range")
    return value


def _depth_exceeds(document: Any, limit: int) -> bool:
    level = [document]
    for _ in range(limit):
        containers = [value for value in level if isinstance(value, dict | list)]
        level = [inner for value in containers for inner in (value.values() if isinstance(value, dict) else value)]
        if not level:
            return False
    return True


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for element in value:
            yield from _scalars(element)
    elif not isinstance(value, dict):
        yield value


def _object(document: dict[str, Any]) -> Pattern:
    if not document:
        _fail("Empty objects are not allowed")
    fields: dict[str, Pattern | _Leaf] = {}
    choices: list[tuple[Pattern, ...]] = []
    for name, inner in undotted(document).items():
        if name == "$or" and _is_choice(inner):
            choices.append(tuple(_object(choice) for choice in inner))
        elif isinstance(inner, dict):
            fields[name] = _object(inner)
        elif isinstance(inner, list):
            fields[name] = _leaf(inner)
        else:
            _fail(f'"{name}" must be an object or an array')
    return Pattern(fields, tuple(choices))


def _is_choice(inner: Any) -> bool:
    """Say whether the value of `$or` is a choice between patterns, and not the field of that name."""
    return isinstance(inner, list) and len(inner) > 1 and all(isinstance(choice, dict) for choice in inner)


def _leaf(alternatives: list[Any]) -> _Leaf:
    if not alternatives:
        _fail("Empty arrays are not allowed")
    tests: list[Test] = []
    absent = False
    for alternative in alternatives:
        if alternative == {"exists": False} and alternative["exists"] is False:
            absent = True
        else:
            tests.append(_alternative(alternative))
    return _Leaf(tuple(tests), absent)


def _alternative(alternative: Any) -> Test:
    if isinstance(alternative, list):
        _fail("Match value must be String, number, true, false, or null")
    if not isinstance(alternative, dict):
        return _exactly(alternative)
    if len(alternative) != 1:
        _fail("Only one key allowed in match expression")
    ((name, wanted),) = alternative.items()
    make = _OPERATORS.get(name)
    if make is None:
        _fail(f"Unrecognized match type {name}")
    return make(wanted)


def _exactly(wanted: Any) -> Test:
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, str):
        return lambda value: bool(value == wanted)
    return lambda value: _is_number(value) and bool(value == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exists(wanted: Any) -> Test:
    if wanted is not True:
        _fail("exists match pattern must be either true or false.")
    return lambda value: True


def _prefix(wanted: Any) -> Test:
    return _affix("prefix", wanted, str.startswith)


def _suffix(wanted: Any) -> Test:
    return _affix("suffix", wanted, str.endswith)


def _affix(name: str, wanted: Any, compare: Callable[[str, str], bool]) -> Test:
    if isinstance(wanted, dict) and list(wanted) == ["equals-ignore-case"]:
        lowered = _text(name, wanted["equals-ignore-case"]).casefold()
        return lambda value: isinstance(value, str) and compare(value.casefold(), lowered)
    text = _text(name, wanted)
    return lambda value: isinstance(value, str) and compare(value, text)


def _text(name: str, wanted: Any) -> str:
    if not isinstance(wanted, str):
        _fail(f"{name} match pattern must be a string")
    return wanted


def _equals_ignore_case(wanted: Any) -> Test:
    lowered = _text("equals-ignore-case", wanted).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == lowered


def _wildcard(wanted: Any) -> Test:
    parts = _wildcard_parts(_text("wildcard", wanted))
    return lambda value: isinstance(value, str) and _fits(value, parts)


def _wildcard_parts(text: str) -> list[str]:
    r"""Return the literal texts between the wildcards of `text`; `\*` and `\\` are literal."""
    parts = [""]
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
            if text[at : at + 1] not in ("*", "\\"):
                _fail(f"Invalid escape character at pos {at - 1}")
            parts[-1] += text[at]
        elif character == "*":
            if text[at + 1 : at + 2] == "*":
                _fail(f"Consecutive wildcard characters at pos {at + 1}")
            parts.append("")
        else:
            parts[-1] += character
        at += 1
    if len(parts) - 1 > MAX_WILDCARDS:
        _fail(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences "
            "after a wildcard character"
        )
    return parts


def _fits(value: str, parts: list[str]) -> bool:
    if len(parts) == 1:
        return value == parts[0]
    first, *middle, last = parts
    if not value.startswith(first) or not value.endswith(last) or len(value) < len(first) + len(last):
        return False
    at, end = len(first), len(value) - len(last)
    for part in middle:
        at = value.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


def _numeric(wanted: Any) -> Test:
    if not isinstance(wanted, list):
        _fail("Value of numeric must be an array.")
    if not wanted:
        _fail("Invalid member in numeric match: ]")
    compared = [_comparison(wanted, at) for at in range(0, len(wanted), 2)]
    signs = [str(sign) for sign in wanted[::2]]
    if len(compared) > 2 or (len(compared) == 2 and (signs[0][0] != ">" or signs[1][0] != "<")):
        _fail(f"Bad numeric range operator: {signs[1]}")
    return lambda value: _is_number(value) and all(compare(value, bound) for compare, bound in compared)


def _comparison(wanted: list[Any], at: int) -> tuple[Callable[[float, float], bool], float]:
    sign = wanted[at]
    compare = _COMPARISONS.get(sign) if isinstance(sign, str) else None
    if compare is None:
        _fail(f"Unrecognized numeric range operator: {sign}")
    if at + 1 >= len(wanted) or not _is_number(wanted[at + 1]):
        _fail(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    return compare, wanted[at + 1]


def _cidr(wanted: Any) -> Test:
    if not isinstance(wanted, str):
        _fail("prefix match pattern must be a string")
    address, slash, bits = wanted.partition("/")
    if not slash or "/" in bits:
        _fail("Malformed CIDR, one '/' required")
    if not (bits.isascii() and bits.isdigit()):
        _fail("Malformed CIDR, mask bits must be an integer")
    try:
        start = ipaddress.ip_address(address)
    except ValueError:
        _fail(f"Nonstandard IP address: {address}")
    if len(bits) > 3 or int(bits) > start.max_prefixlen:
        _fail(f"Malformed CIDR, mask bits must be <= {start.max_prefixlen}")
    network = ipaddress.ip_network((address, int(bits)), strict=False)
    return lambda value: isinstance(value, str) and _is_in(value, network)


def _is_in(value: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(value) in network
    except ValueError:
        return False


def _anything_but(wanted: Any) -> Test:
    refused = _anything_but_tests(wanted)
    return lambda value: not any(test(value) for test in refused)


def _anything_but_tests(wanted: Any) -> list[Test]:
    if isinstance(wanted, dict):
        return _anything_but_matches(wanted)
    if isinstance(wanted, list):
        if not wanted:
            _fail("Empty arrays are not allowed")
        if not all(isinstance(value, str) or _is_number(value) for value in wanted):
            _fail("Inside anything but list, start|null|boolean is not supported.")
        return [_exactly(value) for value in wanted]
    if not isinstance(wanted, str) and not _is_number(wanted):
        _fail("Value of anything-but must be an array or single string/number value.")
    return [_exactly(wanted)]


def _anything_but_matches(wanted: dict[str, Any]) -> list[Test]:
    if len(wanted) != 1:
        _fail("Only one key allowed in match expression")
    ((name, inner),) = wanted.items()
    if name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
        _fail(f"Unsupported anything-but pattern: {name}")
    if isinstance(inner, dict):
        _fail("Value of anything-but must be an array or single string/number value.")
    values = inner if isinstance(inner, list) else [inner]
    if not values:
        _fail("Empty arrays are not allowed")
    if not all(isinstance(value, str) for value in values):
        _fail(_NOT_TEXT[name])
    if name in ("prefix", "suffix") and "" in values:
        _fail("Null prefix/suffix not allowed")
    return [_OPERATORS[name](value) for value in values]


_NOT_TEXT = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
    "equals-ignore-case": ("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."),
}

_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "anything-but": _anything_but,
}
