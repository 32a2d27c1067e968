"""A result -> what XML carries of it, as the model tells: elements' names, lists flattened or not, times, blobs. Pure.

A writer is made once for each shape under each name and kept, as in `simulator.jsonify`.
"""

import base64
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from simulator.jsonify import timestamp

Write = Callable[[Any], str]
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: object) -> str:
    """Return a value as the text of an element; what XML 1.0 cannot carry is the replacement character."""
    return escape(_NOT_XML.sub("\ufffd", str(value)))


def members(shape: Any, value: Mapping[str, Any]) -> str:
    """Return the elements of a structure's members, in their order. What the model does not know is left out."""
    return _members_of(shape)(value)


@functools.lru_cache(maxsize=10_000)
def _members_of(shape: Any) -> "_Members":
    return _Members(shape)


@functools.lru_cache(maxsize=50_000)
def _writer(shape: Any, tag: str) -> Write:
    """Return what turns a value of a shape into its element, or its elements where it is a flattened list."""
    kind = shape.type_name
    if kind == "structure":
        inside = _members_of(shape)
        return lambda value: f"<{tag}>{inside(value)}</{tag}>"
    if kind == "list":
        return _list(shape, tag)
    if kind == "map":
        return _map(shape, tag)
    if kind == "boolean":
        return lambda value: f"<{tag}>{'true' if value else 'false'}</{tag}>"
    if kind == "timestamp":
        style = shape.serialization.get("timestampFormat", "iso8601")
        return lambda value: f"<{tag}>{timestamp(value, style)}</{tag}>"
    if kind == "blob":
        return lambda value: f"<{tag}>{base64.b64encode(value).decode()}</{tag}>"
    return lambda value: f"<{tag}>{text(value)}</{tag}>"


def _list(shape: Any, tag: str) -> Write:
    if shape.serialization.get("flattened"):
        return lambda value: "".join([_writer(shape.member, tag)(item) for item in value])
    member_tag = shape.member.serialization.get("name", "member")
    return lambda value: f"<{tag}>{''.join([_writer(shape.member, member_tag)(item) for item in value])}</{tag}>"


def _map(shape: Any, tag: str) -> Write:
    key_tag, value_tag = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")

    def write(value: Mapping[str, Any]) -> str:
        key_writer, item_writer = _writer(shape.key, key_tag), _writer(shape.value, value_tag)
        entries = [f"<entry>{key_writer(key)}{item_writer(item)}</entry>" for key, item in value.items()]
        return f"<{tag}>{''.join(entries)}</{tag}>"

    return write


class _Members:
    """Writes what is in a structure. Members are looked up in the model when they first come: models refer to themselves."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        self._known: dict[str, Write | None] = {}

    def __call__(self, value: Mapping[str, Any]) -> str:
        written, known = [], self._known
        for name, item in value.items():
            if item is None:
                continue
            write = known[name] if name in known else self._learn(name)
            if write is not None:
                written.append(write(item))
        return "".join(written)

    def _learn(self, name: str) -> Write | None:
        member = self._shape.members.get(name)
        write = _writer(member, member.serialization.get("name", name)) if member is not None else None
        self._known[name] = write
        return write
