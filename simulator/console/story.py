"""A resource's timeline: Config's items and CloudTrail's events in one row, newest first, a piece at a time.

Both APIs turn their own pages, so a piece is asked for by time: it ends at a whole second and says how many of that second
were shown, and the next piece begins there. That costs the same however long the history is. Sources: API references of
GetResourceConfigHistory and LookupEvents.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from simulator.console.aws import Page

SIZE = 10
LOOKED_AT = 500
"""The most events that one piece looks through for those that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A row of the timeline: `at` in whole seconds, what kind, AWS's answer, and for Config the item before it."""

    at: datetime
    kind: Literal["configuration", "event"]
    body: Mapping[str, Any]
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the timeline and where the next one begins: `until` and `skip` are None and 0 at the end."""

    moments: tuple[Moment, ...]
    until: datetime | None = None
    skip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which timeline, and from where: the rows at or before `until`, without the first `skip` of that very second."""

    resource_type: str
    resource_id: str
    name: str
    until: datetime | None = None
    skip: int = 0
    reads: bool = False
    kinds: tuple[str, ...] = ("configuration", "event")


def piece(api: Page, wanted: Wanted) -> Piece:
    """Return the part of a timeline that was asked for."""
    room = SIZE + wanted.skip
    states = _states(api, wanted, room) if "configuration" in wanted.kinds else []
    events, seen_to = _events(api, wanted, room) if "event" in wanted.kinds else ([], None)
    rows = sorted([*events, *states], key=lambda each: each.at, reverse=True)
    if seen_to is not None:
        rows = [each for each in rows if each.at >= seen_to]
    shown = rows[wanted.skip : wanted.skip + SIZE]
    if len(rows) > wanted.skip + SIZE:
        end = shown[-1].at
    elif seen_to is not None:
        end = seen_to
    else:
        return Piece(moments=tuple(shown))
    of_that_second = sum(each.at == end for each in rows[: wanted.skip + len(shown)])
    return Piece(moments=tuple(shown), until=end, skip=of_that_second)


def _states(api: Page, wanted: Wanted, room: int) -> list[Moment]:
    """Return one more configuration item than there is room for, newest first, each with the one before it."""
    later = {"laterTime": wanted.until + timedelta(milliseconds=999)} if wanted.until else {}
    found: list[Mapping[str, Any]] = []
    more: dict[str, Any] = {}
    while len(found) < room + 2:
        answer = api.optional(
            "config", "GetResourceConfigHistory", "ResourceNotDiscoveredException", resourceType=wanted.resource_type,
            resourceId=wanted.resource_id, limit=min(room + 2, 100), **later, **more,
        )  # fmt: skip
        found += (answer or {}).get("configurationItems", [])
        if not (answer or {}).get("nextToken"):
            break
        more = {"nextToken": (answer or {})["nextToken"]}
    older: list[Mapping[str, Any] | None] = [*found[1:], None][: len(found)]
    return [
        Moment(at=_second(item["configurationItemCaptureTime"]), kind="configuration", body=item, before=before)
        for item, before in zip(found, older, strict=True)
    ][: room + 1]


def _events(api: Page, wanted: Wanted, room: int) -> tuple[list[Moment], datetime | None]:
    """Return events newest first, and the second up to which was looked where more are left than one piece may look at."""
    end = {"EndTime": wanted.until} if wanted.until else {}
    found: list[Moment] = []
    more: dict[str, Any] = {}
    looked_at = 0
    while True:
        answer = api.call(
            "cloudtrail", "LookupEvents", LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": wanted.name}],
            MaxResults=50, **end, **more,
        )  # fmt: skip
        found += [
            Moment(at=_second(event["EventTime"]), kind="event", body=event)
            for event in answer["Events"]
            if wanted.reads or event.get("ReadOnly") != "true"
        ]
        looked_at += len(answer["Events"])
        if not answer.get("NextToken") or len(found) > room:
            return found, None
        if looked_at >= LOOKED_AT + wanted.skip:
            return found, _second(answer["Events"][-1]["EventTime"])
        more = {"NextToken": answer["NextToken"]}


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one value between two configuration items; None where there was or is none."""

    path: str
    old: str | None
    new: str | None


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return how two configuration items of a resource differ, by path. Without one before there is nothing to compare."""
    if before is None:
        return ()
    old, new = _flat(before), _flat(after)
    return tuple(
        Change(path, old.get(path), new.get(path)) for path in sorted(old | new) if old.get(path) != new.get(path)
    )


def _flat(item: Mapping[str, Any]) -> dict[str, str]:
    """Return an item's values by path; JSON within text is opened."""
    found: dict[str, str] = {}
    parts = {"Configuration": item.get("configuration"), **_opened(item.get("supplementaryConfiguration") or {})}
    parts |= {"Relationships": item.get("relationships"), "Status": item.get("configurationItemStatus")}
    for name, value in parts.items():
        _gather(name, _opened(value), found)
    for key, value in (item.get("tags") or {}).items():
        found[f"Tags.{key}"] = str(value)
    return found


def _opened(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _gather(path: str, value: Any, found: dict[str, str]) -> None:
    value = _opened(value)
    if isinstance(value, Mapping):
        for key, each in value.items():
            _gather(f"{path}.{key}", each, found)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            _gather(f"{path}.{number}", each, found)
    elif value is not None:
        found[path] = value if isinstance(value, str) else json.dumps(value, default=str)
