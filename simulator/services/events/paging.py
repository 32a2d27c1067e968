"""Pages of answers, whose token names the last thing told, so that what comes and goes in between shifts nothing."""

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar

from simulator.errors import AwsError

T = TypeVar("T")


def page(items: list[T], key: Callable[[T], str], token: str | None, limit: int) -> tuple[list[T], str | None]:
    """Return a page of `items`, which ascend by `key`, and the token of the next one, None on the last.

    Raises AwsError for a token that no page gave.
    """
    if token is not None:
        try:
            last = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise AwsError("ValidationException", "Parameter NextToken is not valid.") from error
        items = [item for item in items if key(item) > last]
    told = items[:limit]
    more = len(items) > limit
    return told, base64.urlsafe_b64encode(key(told[-1]).encode()).decode() if more else None
