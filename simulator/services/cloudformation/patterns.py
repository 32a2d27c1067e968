"""How long a stranger's regular expression may take: AllowedPattern comes from a template, and `re` cannot be stopped.

AWS matches with an engine of its own. Ours backtracks, so the worst case is estimated from the parsed pattern first.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from re import _constants as constants  # type: ignore[attr-defined]  # the one place that names the parsed pattern's parts
from re import _parser as parser  # type: ignore[attr-defined]  # re offers no other way to look into a pattern
from typing import Any, Final

BUDGET: Final = 5_000_000
"""Steps, about a second."""
_REPEATS: Final = (constants.MAX_REPEAT, constants.MIN_REPEAT)
_LONG: Final = 16
"""A repetition up to this often counts as a fixed one."""


def affordable(pattern: str, length: int) -> bool:
    """Return whether matching a text of `length` characters stays within the budget in the worst case.

    One repetition after another multiplies by the length, one within another (or around alternatives) doubles with every
    character. Raises re.error for text that is no pattern.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's deprecated syntax is no news
        parsed = parser.parse(pattern)
    repeats = list(_repeats(parsed, inside=False))
    if any(nested for nested in repeats):
        return length <= BUDGET.bit_length()
    return bool(max(length, 1) ** len(repeats) <= BUDGET)


def _repeats(parsed: Any, *, inside: bool) -> Iterator[bool]:
    """Yield, for every long repetition, whether it can backtrack exponentially."""
    for operation, argument in parsed:
        if operation in _REPEATS:
            _, most, body = argument
            long = most > _LONG
            if long:
                yield inside or _branches(body)
            yield from _repeats(body, inside=inside or long)
        else:
            for part in _parts(argument):
                yield from _repeats(part, inside=inside)


def _branches(parsed: Any) -> bool:
    return any(
        operation is constants.BRANCH or any(_branches(part) for part in _parts(argument))
        for operation, argument in parsed
    )


def _parts(argument: Any) -> Iterator[Any]:
    """Yield the patterns within an operation's argument."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for item in argument:
            yield from _parts(item)
