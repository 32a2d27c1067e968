"""Where in its text a pattern is at fault, as the parser behind EventBridge tells it. Pure.

The place is where its reader stands when it finds the fault: behind what it has read so far. It reads numbers and words
whole, of a text the opening quote alone until it needs the rest, and of a name the beginning of its value too.
Source: the answers to TestEventPattern; Jackson's `JsonLocation`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Refuses = Callable[[Any], bool]
"""Whether one alternative of a pattern's field, as decoded JSON, is at fault."""

UNPLACED = ("Rule is too complex", "Malformed CIDR", "Nonstandard IP")
"""How the reasons begin that are told without a place: they are found when all is read."""

_DECODER = json.JSONDecoder()
_TEXTS = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_SIGNS = ("=", "<", "<=", ">", ">=")


@dataclass(slots=True)
class _Node:
    """A value with where the reader stands once it has begun it, and behind it; `members` have no name in a list."""

    value: Any
    first: int
    last: int
    members: list[tuple[str, "_Node"]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Where the reader stands when it has what it needs of the value: texts whole, the rest begun."""
        return self.last if isinstance(self.value, str) else self.first


def suffix(text: str, reason: str, refuses: Refuses) -> str:
    """Return what follows `reason` in what AWS says of the pattern `text`: the place, twice for one within a list."""
    if reason.startswith(UNPLACED):
        return ""
    found = _in_object(_node(text, 0), refuses)
    return "" if found is None else source(text, found[0]) * found[1]


def source(text: str, at: int) -> str:
    """Return how the place `at` of a text is told."""
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return f'\n at [Source: (String)"{text}"; line: {line}, column: {column}]'


def _node(text: str, at: int) -> _Node:
    """Return the value that begins at or behind `at` in a text of valid JSON."""
    at = _skip(text, at)
    if text[at] not in "[{":
        value, end = _DECODER.raw_decode(text, at)
        return _Node(value, at + 1 if isinstance(value, str) else end, end)
    node = _Node(None, at + 1, at + 1)
    named = text[at] == "{"
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        name = ""
        if named:
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, at) + 1
        member = _node(text, at)
        node.members.append((name, member))
        at = _skip(text, member.last)
        at = _skip(text, at + 1) if text[at] == "," else at
    node.last = at + 1
    node.value = (
        {name: each.value for name, each in node.members} if named else [each.value for _, each in node.members]
    )
    return node


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def _in_object(node: _Node, refuses: Refuses) -> tuple[int, int] | None:
    """Return the place of the first fault in the fields of a pattern, and how often it is told."""
    if not node.members:
        return node.last, 1
    for name, inner in node.members:
        found = _in_field(name, inner, refuses)
        if found is not None:
            return found
    return None


def _in_field(name: str, node: _Node, refuses: Refuses) -> tuple[int, int] | None:
    if isinstance(node.value, dict):
        return _in_object(node, refuses)
    if not isinstance(node.value, list):
        return node.first, 1
    if not node.members:
        return node.last, 1
    choices = name == "$or" and len(node.members) > 1 and all(isinstance(value, dict) for value in node.value)
    for _, inner in node.members:
        if choices:
            found = _in_object(inner, refuses)
        else:
            found = _in_alternative(inner, refuses) if refuses(inner.value) else None
        if found is not None:
            return found
    return None


def _in_alternative(node: _Node, refuses: Refuses) -> tuple[int, int]:
    if not isinstance(node.value, dict):
        return node.first, 1
    if len(node.members) != 1:
        return (node.members[1][1].first if node.members else node.last), 1
    ((name, inner),) = node.members
    if name == "anything-but":
        return _in_anything_but(inner, refuses)
    if name == "numeric" and isinstance(inner.value, list):
        return _in_numeric(inner), 1
    return (inner.read if name in _TEXTS else inner.first), 1


def _in_anything_but(node: _Node, refuses: Refuses) -> tuple[int, int]:
    if isinstance(node.value, list):
        return _in_list(node, lambda value: refuses({"anything-but": value}))
    if not isinstance(node.value, dict):
        return node.first, 1
    if len(node.members) != 1:
        return (node.members[1][1].first if node.members else node.last), 1
    ((name, inner),) = node.members
    if name in _TEXTS and isinstance(inner.value, list):
        return _in_list(inner, lambda value: refuses({"anything-but": {name: value}}))
    return (inner.read if name in _TEXTS else inner.first), 1


def _in_list(node: _Node, refuses: Refuses) -> tuple[int, int]:
    faults = [inner.read for _, inner in node.members if refuses(inner.value)]
    return (faults[0], 2) if faults else (node.last, 1)


def _in_numeric(node: _Node) -> int:
    members = [inner for _, inner in node.members]
    for at in range(0, len(members), 2):
        if members[at].value not in _SIGNS:
            return members[at].read
        if at + 1 == len(members):
            return node.last
        bound = members[at + 1]
        if not isinstance(bound.value, int | float) or isinstance(bound.value, bool):
            return bound.first
    return members[2].read if len(members) > 2 else node.last
