"""A result -> what JSON carries of it, as the model tells: names on the wire, times, blobs. Pure.

A writer is made once for each shape and kept, so that an answer of fifty findings costs its own size and no look-ups in the model.
"""

import base64
import functools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

Write = Callable[[Any], Any]
_compact = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps would make one for every answer


class Settled(dict[str, Any]):
    """A structure of the model that never changes any more, such as an event of the past: its JSON is made once."""

    __slots__ = ("_text",)

    def text(self, shape: Any) -> str:
        """Return its JSON, as a value of `shape`: always the same one."""
        try:
            return self._text
        except AttributeError:
            write = writer(shape)
            self._text: str = _compact(self if write is None else write(self))
            return self._text


def as_json(shape: Any, value: Any) -> str:
    """Return a value of a shape as JSON."""
    write = writer(shape)
    if shape.type_name != "structure":
        return _compact(value if write is None else write(value))
    settled = {
        name: item for name, item in value.items() if isinstance(item, list) and item and isinstance(item[0], Settled)
    }
    if not settled or write is None:
        return _compact(value if write is None else write(value))
    members = [_compact(write({name: item for name, item in value.items() if name not in settled}))[1:-1]]
    for name, items in settled.items():
        member = shape.members[name]
        joined = ",".join([item.text(member.member) for item in items])
        members.append(f'"{member.serialization.get("name", name)}":[{joined}]')
    return "{" + ",".join(filter(None, members)) + "}"


def timestamp(value: Any, style: str) -> Any:
    """Return a moment in one of the model's formats: unixTimestamp (seconds), iso8601 or rfc822."""
    if isinstance(value, str):
        return value
    moment = datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value.astimezone(UTC)
    if style == "unixTimestamp":
        seconds = moment.timestamp()
        return int(seconds) if moment.microsecond == 0 else round(seconds, 3)
    if style == "rfc822":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@functools.lru_cache(maxsize=50_000)
def writer(shape: Any) -> Write | None:
    """Return what turns a value of a shape into its JSON; None where it is its own. What the model does not know is left out."""
    kind = shape.type_name
    if kind == "structure":
        return None if shape.is_document_type else _Structure(shape)
    if kind == "list":
        return _List(shape)
    if kind == "map":
        return _Map(shape)
    if kind == "timestamp":
        style = shape.serialization.get("timestampFormat", "unixTimestamp")
        return lambda value: timestamp(value, style)
    return _blob if kind == "blob" else None


def _blob(value: Any) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


class _Structure:
    """Writes a structure. Members are looked up in the model when they first come: models refer to themselves."""

    def __init__(self, shape: Any) -> None:
        self._shape = shape
        self._known: dict[str, tuple[str, Write | None] | None] = {}

    def __call__(self, value: Mapping[str, Any]) -> dict[str, Any]:
        written = {}
        known = self._known
        for name, item in value.items():
            if item is None:
                continue
            entry = known[name] if name in known else self._learn(name)
            if entry is not None:
                written[entry[0]] = item if entry[1] is None else entry[1](item)
        return written

    def _learn(self, name: str) -> tuple[str, Write | None] | None:
        member = self._shape.members.get(name)
        entry = (member.serialization.get("name", name), writer(member)) if member is not None else None
        self._known[name] = entry
        return entry


class _List:
    def __init__(self, shape: Any) -> None:
        self._shape = shape

    def __call__(self, value: Any) -> list[Any]:
        write = writer(self._shape.member)
        return list(value) if write is None else [write(item) for item in value]


class _Map:
    def __init__(self, shape: Any) -> None:
        self._shape = shape

    def __call__(self, value: Mapping[str, Any]) -> dict[str, Any]:
        write = writer(self._shape.value)
        return dict(value) if write is None else {key: write(item) for key, item in value.items()}
