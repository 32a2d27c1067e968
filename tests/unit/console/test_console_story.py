"""A timeline read piece by piece is the whole timeline: nothing twice, nothing left out, newest first."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulator.console import story
from simulator.console.aws import Page

START = datetime(2026, 11, 24, tzinfo=UTC)


class History:
    """Config and CloudTrail with given times, paging as they do."""

    def __init__(self, states: list[int], events: list[tuple[int, bool]]) -> None:
        self.states = sorted(
            ((START + timedelta(milliseconds=each), number) for number, each in enumerate(states)), reverse=True
        )
        self.events = sorted(
            ((START + timedelta(seconds=at), read, number) for number, (at, read) in enumerate(events)), reverse=True
        )
        self.calls = 0

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer GetResourceConfigHistory and LookupEvents."""
        self.calls += 1
        if operation == "GetResourceConfigHistory":
            rows = [each for each in self.states if each[0] <= params.get("laterTime", START + timedelta(days=9))]
            items = [{"configurationItemCaptureTime": at, "n": number} for at, number in rows]
            return _page(items, int(params.get("nextToken", 0)), params["limit"], "configurationItems", "nextToken")
        found = [each for each in self.events if each[0] <= params.get("EndTime", START + timedelta(days=9))]
        items = [{"EventTime": at, "ReadOnly": str(read).lower(), "EventId": number} for at, read, number in found]
        return _page(items, int(params.get("NextToken", 0)), params["MaxResults"], "Events", "NextToken")


def _page(items: list[dict[str, Any]], start: int, size: int, name: str, token: str) -> dict[str, Any]:
    more = {token: str(start + size)} if start + size < len(items) else {}
    return {name: items[start : start + size], **more}


def _read(history: History, *, reads: bool = False) -> list[story.Moment]:
    found: list[story.Moment] = []
    page, wanted = Page(history), story.Wanted(resource_type="T", resource_id="r", name="r", reads=reads)
    for _ in range(200):
        piece = story.piece(page, wanted)
        found += piece.moments
        if piece.until is None:
            return found
        wanted = story.Wanted(
            resource_type="T", resource_id="r", name="r", reads=reads, until=piece.until, skip=piece.skip
        )
    raise AssertionError("the timeline never ended")


seconds = st.integers(0, 40)


@given(
    st.lists(st.integers(0, 40_000), max_size=40),
    st.lists(st.tuples(seconds, st.booleans()), max_size=90),
    st.booleans(),
)
def test_pieces_make_up_the_whole(states: list[int], events: list[tuple[int, bool]], reads: bool) -> None:
    """However many things happened in one second."""
    history = History(states, events)
    found = _read(history, reads=reads)
    assert [each.at for each in found] == sorted((each.at for each in found), reverse=True)
    shown = [each for each in history.events if reads or not each[1]]
    assert sorted(each.body["EventId"] for each in found if each.kind == "event") == sorted(each[2] for each in shown)
    assert [each.body["n"] for each in found if each.kind == "configuration"] == [
        number for _, number in history.states
    ]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_a_state_is_compared_with_the_one_before_it(states: list[int]) -> None:
    """Across the ends of pieces, too; the first has nothing before it."""
    history = History(states, [])
    found = _read(history)
    older = [each.before["n"] if each.before else None for each in found]
    assert older == [*[number for _, number in history.states][1:], None]


def test_reads_that_are_not_shown_cost_a_bounded_piece() -> None:
    """Ten thousand own reads above the first change: each piece looks at some hundreds, and the last finds it."""
    history = History([], [(50_000 - number, True) for number in range(10_000)] + [(1, False)])
    page = Page(history)
    first = story.piece(page, story.Wanted(resource_type="T", resource_id="r", name="r"))
    assert history.calls <= story.LOOKED_AT // 50 + 2
    assert first.moments == () and first.until is not None
    assert [each.body["EventId"] for each in _read(history)] == [10_000]


def test_changes_open_the_json_within_items() -> None:
    """Configuration and supplementary configuration are JSON texts; tags and relationships count as well."""
    before = {
        "configuration": '{"timeout": 3, "state": {"value": "Active"}}',
        "tags": {"a": "1"},
        "supplementaryConfiguration": {},
    }
    after = {
        "configuration": '{"timeout": 15, "state": {"value": "Active"}}',
        "tags": {"a": "2"},
        "supplementaryConfiguration": {"Policy": '{"Statement": [{"Sid": "x"}]}'},
    }
    assert story.changes(before, after) == (
        story.Change("Configuration.timeout", "3", "15"),
        story.Change("Policy.Statement.0.Sid", None, "x"),
        story.Change("Tags.a", "1", "2"),
    )
    assert story.changes(None, after) == ()
