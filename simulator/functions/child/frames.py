"""Messages on a pipe: four bytes of length, then JSON."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

LARGEST = 16 * 1024 * 1024
"""The largest message: a payload of 6 MB fits even where JSON escapes its every byte."""

Message = dict[str, Any]


class BrokenFrame(Exception):
    """What came is no message."""


def pack(message: Message) -> bytes:
    """Return a message as bytes."""
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return struct.pack(">I", len(body)) + body


def write(descriptor: int, message: Message) -> None:
    """Write a whole message; raises OSError when nobody reads."""
    rest = memoryview(pack(message))
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def read(descriptor: int) -> Message | None:
    """Return the next message, waiting for it; None at the end. Raises BrokenFrame."""
    head = _exactly(descriptor, 4)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    if length > LARGEST:
        raise BrokenFrame(f"{length} bytes")
    body = _exactly(descriptor, length)
    return None if body is None else parse(body)


def parse(body: bytes | bytearray) -> Message:
    """Return the message that `body` holds. Raises BrokenFrame for anything else, however deeply nested."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as broken:
        raise BrokenFrame(str(broken)) from None
    if not isinstance(message, dict):
        raise BrokenFrame("not an object")
    return message


def _exactly(descriptor: int, count: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        more = os.read(descriptor, min(count - len(parts), 1 << 20))
        if not more:
            return None
        parts += more
    return bytes(parts)


class Inbox:
    """Messages from a writer that cannot be trusted, taken piece by piece without ever waiting for it."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, more: bytes) -> list[Message]:
        """Take in bytes and return the messages that are complete. Raises BrokenFrame."""
        self._bytes += more
        found = []
        while len(self._bytes) >= 4:
            (length,) = struct.unpack(">I", self._bytes[:4])
            if length > LARGEST:
                raise BrokenFrame(f"{length} bytes")
            if len(self._bytes) < 4 + length:
                break
            found.append(parse(self._bytes[4 : 4 + length]))
            del self._bytes[: 4 + length]
        return found
