"""Event patterns: what they want, and what AWS says of those that are none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.services.events.pattern import compile_pattern, parse_object, undotted


def wants(pattern: Any, event: Any) -> bool:
    """Return whether a pattern wants an event, both by way of their JSON."""
    return compile_pattern(json.dumps(pattern)).matches(undotted(parse_object(json.dumps(event))))


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x"]}, {"a": "X"}, False),
        ({"a": ["x"]}, {"A": "x"}, False),
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"], "b": [1]}, {"a": "x", "b": 2}, False),
        ({"a": ["x"]}, {"a": ["w", "x"]}, True),
        ({"a": [300]}, {"a": 300.0}, True),
        ({"a": [300]}, {"a": "300"}, False),
        ({"a": [True]}, {"a": 1}, False),
        ({"a": [1]}, {"a": True}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {"a": []}, False),
        ({"a": [""]}, {"a": ""}, True),
        ({"a": {"b": ["x"]}}, {"a.b": "x"}, True),
        ({"a.b": ["x"]}, {"a": {"b": "x"}}, True),
        ({"a": {"b": [1], "c": [2]}}, {"a": [{"b": 1}, {"c": 2}]}, False),
        ({"a": {"b": [1], "c": [2]}}, {"a": [{"b": 1, "c": 2}]}, True),
        ({"a": [{"prefix": "x"}]}, {"a": "xy"}, True),
        ({"a": [{"prefix": {"equals-ignore-case": "X"}}]}, {"a": "xy"}, True),
        ({"a": [{"suffix": ".png"}]}, {"a": "f.png"}, True),
        ({"a": [{"suffix": ".png"}]}, {"a": 1}, False),
        ({"a": [{"equals-ignore-case": "AbC"}]}, {"a": "aBc"}, True),
        ({"a": [{"wildcard": "dir/*.txt"}]}, {"a": "dir/sub/f.txt"}, True),
        ({"a": [{"wildcard": "a*a"}]}, {"a": "a"}, False),
        ({"a": [{"wildcard": "*x*y*"}]}, {"a": "1x2y3"}, True),
        ({"a": [{"wildcard": "*y*x*"}]}, {"a": "1x2y3"}, False),
        ({"a": [{"wildcard": "\\*"}]}, {"a": "x"}, False),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 0}, False),
        ({"a": [{"numeric": ["=", 5]}]}, {"a": "5"}, False),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.255"}, True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.1.1"}, False),
        ({"a": [{"cidr": "2001:db8::/32"}]}, {"a": "2001:db8::1"}, True),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": [{"exists": False}]}, {"a": 1}, False),
        ({"a": [{"anything-but": "x"}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": "x"}]}, {}, False),
        ({"a": [{"anything-but": ["x", 1]}]}, {"a": 1}, False),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xy"}, False),
        ({"a": [{"anything-but": {"suffix": ["x", "y"]}}]}, {"a": "xz"}, True),
        ({"a": [{"anything-but": {"wildcard": "*x*"}}]}, {"a": "axb"}, False),
        ({"a": [{"anything-but": {"equals-ignore-case": "X"}}]}, {"a": "x"}, False),
        ({"$or": [{"a": [1]}, {"b": [1]}]}, {"b": 1}, True),
        ({"$or": [{"a": [1]}, {"b": [1]}], "c": [1]}, {"b": 1}, False),
        ({"$or": ["x"]}, {"$or": "x"}, True),
    ],
)
def test_patterns_want_what_the_guide_says(pattern: Any, event: Any, expected: bool) -> None:
    """One case an operator and its edge, from the EventBridge user guide."""
    assert wants(pattern, event) is expected


@pytest.mark.parametrize(
    ("pattern", "reason", "column", "times"),
    [
        ([], "Filter is not an object", 2, 1),
        ({}, "Empty objects are not allowed", 3, 1),
        ({"a": 42}, '"a" must be an object or an array', 9, 1),
        ({"a": []}, "Empty arrays are not allowed", 9, 1),
        ({"a": [[1]]}, "Match value must be String, number, true, false, or null", 9, 1),
        ({"a": [{"EXISTS": True}]}, "Unrecognized match type EXISTS", 23, 1),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression", 35, 1),
        ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string", 20, 1),
        ({"a": [{"wildcard": "a**b"}]}, "Consecutive wildcard characters at pos 2", 27, 1),
        ({"a": [{"numeric": 10}]}, "Value of numeric must be an array.", 22, 1),
        ({"a": [{"numeric": [">", 0, "<"]}]}, "Value of < must be numeric", 33, 1),
        ({"a": [{"numeric": [">", 0, ">", 0]}]}, "Bad numeric range operator: >", 32, 1),
        ({"a": [{"cidr": "bad"}]}, "Malformed CIDR, one '/' required", 0, 0),
        ({"a": [{"cidr": "bad/x"}]}, "Malformed CIDR, mask bits must be an integer", 0, 0),
        ({"a": [{"cidr": "bad/1"}]}, "Nonstandard IP address: bad", 0, 0),
        (
            {"a": [{"anything-but": None}]},
            "Value of anything-but must be an array or single string/number value.",
            29,
            1,
        ),
        (
            {"a": [{"anything-but": ["x", None]}]},
            "Inside anything but list, start|null|boolean is not supported.",
            35,
            2,
        ),
        ({"a": [{"anything-but": {"prefix": ""}}]}, "Null prefix/suffix not allowed", 38, 1),
        ({"a": [{"anything-but": {"prefix": 1}}]}, "prefix/suffix match pattern must be a string", 37, 1),
        (
            {"a": [{"wildcard": "*a*b*c*d*e*"}]},
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character",
            0,
            0,
        ),
        ({"a": [{"exists": 1}]}, "exists match pattern must be either true or false.", 20, 1),
        ({"a": [{"suffix": ["x"]}]}, "suffix match pattern must be a string", 20, 1),
        ({"a": [{"anything-but": {"suffix": [".x", 1]}}]}, "prefix/suffix match pattern must be a string", 44, 2),
        ({"a": [{"numeric": ["!", 1]}]}, "Unrecognized numeric range operator: !", 24, 1),
        ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]", 22, 1),
        ({"$or": [{"a": ["x"]}, {"b": 5}]}, '"b" must be an object or an array', 31, 1),
    ],
)
def test_what_is_no_pattern_is_refused_in_aws_s_words(pattern: Any, reason: str, column: int, times: int) -> None:
    """Reasons and places as TestEventPattern answers them: a fault in a list is placed twice, some nowhere."""
    text = json.dumps(pattern)
    with pytest.raises(ValueError) as caught:
        compile_pattern(text)
    assert str(caught.value) == reason + f'\n at [Source: (String)"{text}"; line: 1, column: {column}]' * times


def test_the_place_of_a_fault_counts_lines() -> None:
    """A pattern comes from a file as often as not."""
    with pytest.raises(ValueError, match=r"line: 3, column: 9\]$"):
        compile_pattern('{\n  "a": ["x"],\n  "b": "x"\n}')


_VALUES = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'"


@pytest.mark.parametrize(
    ("text", "told", "column"),
    [
        ("this is no json", f"Unrecognized token 'this': was expecting ({_VALUES})", 5),
        ('{"not": closed mark"', f"Unrecognized token 'closed': was expecting ({_VALUES})", 15),
        ("{'bad': 'x'}", "Unexpected character (''' (code 39)): was expecting double-quote to start field name", 2),
        ('{"a": ', "Unexpected end-of-input", 7),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, told: str, column: int) -> None:
    """As the parser behind EventBridge tells it."""
    with pytest.raises(ValueError) as caught:
        compile_pattern(text)
    assert str(caught.value) == f'{told}\n at [Source: (String)"{text}"; line: 1, column: {column}]'


@pytest.mark.parametrize(
    "text", ["", "{", "null", "NaN", '{"a":"\\ud800"}', '{"a":[1e999]}', '{"a":' * 3000, "[" * 90_000]
)
def test_what_is_no_event_is_a_value_error(text: str) -> None:
    """Neither depth nor odd numbers do harm."""
    with pytest.raises(ValueError):
        parse_object(text)


def test_a_whole_pair_of_surrogates_is_a_character() -> None:
    """Only half of one is none."""
    assert parse_object('{"a":"\\ud83d\\ude00"}') == {"a": "\N{GRINNING FACE}"}


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_NAMES = st.sampled_from(["a", "b", "a.b", "$or", "prefix", "anything-but", "numeric", "cidr", "exists", "wildcard"])
_DOCUMENTS = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=8
)


@given(pattern=_DOCUMENTS, event=_DOCUMENTS)
def test_any_json_is_a_pattern_or_a_value_error_and_matches_or_not(pattern: Any, event: Any) -> None:
    """Nothing that a client can send raises anything else."""
    try:
        compiled = compile_pattern(json.dumps(pattern))
    except ValueError:
        return
    assert compiled.matches(undotted(event)) in (True, False)


@given(event=st.dictionaries(st.sampled_from("abc"), st.lists(_SCALARS, min_size=1, max_size=3), min_size=1))
def test_an_event_is_wanted_by_the_pattern_of_its_own_values(event: dict[str, Any]) -> None:
    """The simplest pattern for an event is the event."""
    assert wants(event, event)
