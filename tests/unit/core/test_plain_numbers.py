"""Numbers of the command line that need no library to be read."""

from types import SimpleNamespace

import pytest

import lab


@pytest.mark.parametrize(
    ("value", "number"),
    [("0", 0), ("4566", 4566), (4566, 4566), ("65535", 65535)],
)
def test_a_plain_number_within_its_bounds_is_read(value: object, number: int) -> None:
    """As text, as it is typed, or as the number that is the default."""
    assert lab._number(value, SimpleNamespace(min=0, max=65535)) == number


@pytest.mark.parametrize("value", ["65536", "-1", "x", "", "1.5", "0x10", " 1", "١", 70000, True, None])
def test_whatever_else_is_left_to_the_library_which_has_words_for_it(value: object) -> None:
    """Out of bounds, no digits, other digits, no number at all."""
    assert lab._number(value, SimpleNamespace(min=0, max=65535)) is None


def test_an_option_without_bounds_takes_any() -> None:
    """None means no bound."""
    assert lab._number("123456", SimpleNamespace(min=None, max=None)) == 123456
