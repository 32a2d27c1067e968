"""Pages of lists: opaque tokens that say where the next page starts."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from simulator.services.guardduty.errors import invalid_value

Item = TypeVar("Item")
PAGE = 50


def page(
    items: Sequence[Item], max_results: int | None, token: str | None, size: int = PAGE
) -> tuple[list[Item], str | None]:
    """Return one page of `items` and the token of the next; None for the token of the last page.

    Raises BadRequestException for a token that this service did not hand out.
    """
    start = _offset(token) if token else 0
    end = start + (max_results or size)
    return list(items[start:end]), (_token(end) if end < len(items) else None)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"page:{offset:08d}".encode()).decode()


def _offset(token: str) -> int:
    try:
        label, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
    except (binascii.Error, UnicodeError) as problem:
        raise invalid_value() from problem
    if label != "page" or not (offset.isascii() and offset.isdigit()):
        raise invalid_value()
    return int(offset)
