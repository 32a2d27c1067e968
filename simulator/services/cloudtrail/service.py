"""CloudTrail's operations: LookupEvents over the lab's calls, and trails."""

import base64
import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.errors import AwsError
from simulator.jsonify import Settled
from simulator.service import Call, Context, Service, Upcoming
from simulator.services.cloudtrail.lake import Lake
from simulator.services.cloudtrail.record import (
    event_name,
    event_region,
    event_source,
    is_management,
    read_only,
    record,
    resources,
    username,
)
from simulator.services.cloudtrail.trails import Trail, Trails
from simulator.services.events.model import API_CALL

if TYPE_CHECKING:
    from simulator.world import Lab

KEPT = timedelta(days=90)
DELIVERY_SECONDS = (110, 290)
"""How late events appear: AWS says about five minutes on average, not guaranteed (CloudTrail user guide)."""

REMEMBERED = 5000
"""How many events are kept as they were written: looking at them again costs little, forgetting them nothing but time."""

Match = Callable[[Call, str], bool]
ATTRIBUTES: dict[str, Match] = {
    "EventId": lambda call, value: call.event_id == value,
    "EventName": lambda call, value: event_name(call.service, call.operation) == value,
    "ReadOnly": lambda call, value: ("true" if read_only(call) else "false") == value.lower(),
    "Username": lambda call, value: username(call.principal) == value,
    "ResourceType": lambda call, value: any(kind == value for kind, _ in resources(call)),
    "ResourceName": lambda call, value: any(name == value for _, name in resources(call)),
    "EventSource": lambda call, value: event_source(call.service) == value,
    "AccessKeyId": lambda call, value: call.principal.access_key_id == value,
}


class CloudTrail(Trails, Lake, Service):
    """AWS CloudTrail in one lab. Its history is what the lab's journal tells; nothing is kept twice."""

    name = "cloudtrail"
    validation_errors = MappingProxyType({
        "LookupAttributes": ("InvalidLookupAttributesException", None),
        "MaxResults": ("InvalidMaxResultsException", None),
        "EventCategory": ("InvalidEventCategoryException", None),
    })  # fmt: skip

    def __init__(self, lab: "Lab") -> None:
        Service.__init__(self, lab)
        Trails.__init__(self)
        self._calls: list[Call] = []
        self._shown_from: list[datetime] = []
        self._written: dict[int, Settled] = {}
        self._as_before: list[Trail] = []
        """The trails as they were when the next call is made: the one that stops a trail is still logged by it."""
        self._to_tell: dict[int, Call] = {}
        self._due: list[tuple[datetime, int]] = []

    def on_call(self, call: Call) -> None:
        """Take a call into the history, unless it is a data event or an AWS service's own; EventBridge may be to be told of it."""
        if is_management(call.service, call.operation) and call.principal.type != "AWSService":
            self._calls.append(call)
            self._shown_from.append(call.at + delivery_delay(call))
            if self._is_told_of(call):
                self._to_tell[call.seq] = call
                heappush(self._due, (self._shown_from[-1], call.seq))
        if call.service == self.name and not call.read_only:
            self._as_before = [replace(trail) for trail in self._trails.values()]

    def _is_told_of(self, call: Call) -> bool:
        """Return whether a trail logs a call and a rule may want it. Source: EventBridge user guide, Events delivered via CloudTrail."""
        of, source = event_region(call), event_source(call.service)
        return any(trail.logs(of, source, call.read_only) for trail in self._as_before) and bool(
            self.lab.service("events").may_want_call(of, _bus_source(call), event_name(call.service, call.operation))
        )

    def next_due(self) -> datetime | None:
        """Return when EventBridge is next to be told of a call: when the history shows it."""
        while self._due and self._due[0][1] not in self._to_tell:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def run_due(self, ctx: Context) -> None:
        """Tell EventBridge of the calls that are due: a process. That it was told is noted first, so that nothing is told twice."""
        while (due := self.next_due()) is not None and due <= ctx.now:
            call = self._to_tell[self._due[0][1]]
            ctx.record(self.name, "told", {"seq": call.seq})
            ctx.after(partial(self._tell, call=call))

    def apply_told(self, _ctx: Context, data: Mapping[str, Any]) -> None:
        """Note that EventBridge was told of a call."""
        self._to_tell.pop(data["seq"], None)

    def _tell(self, ctx: Context, *, call: Call) -> None:
        self.lab.service("events").put_service_event(
            replace(ctx, region=event_region(call)),
            detail_type=API_CALL,
            source=_bus_source(call),
            detail=record(call, self.lab.account_id),
            resources=[],
            time=call.at,
        )

    def upcoming(self, until: datetime) -> list[Upcoming]:
        """Return the functions that rules would run once EventBridge is told of the calls that were made already."""
        events, now = self.lab.service("events"), self.lab.clock.now()
        return [
            run
            for due, seq in sorted(self._due)
            if due <= until and (call := self._to_tell.get(seq)) is not None
            for run in events.foreseen(
                event_region(call),
                "default",
                API_CALL,
                _bus_source(call),
                record(call, self.lab.account_id),
                max(due, now),
            )
        ]

    def lookup_events(
        self,
        ctx: Context,
        *,
        LookupAttributes: list[dict[str, str]] | None = None,
        StartTime: datetime | None = None,
        EndTime: datetime | None = None,
        EventCategory: str | None = None,
        MaxResults: int = 50,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return up to `MaxResults` (1 to 50) events, newest first, of this Region and the last 90 days, that were delivered by now.

        One attribute at a time. A token is good with the same parameters only. Source: LookupEvents, API reference.
        """
        attributes = LookupAttributes or []
        if len(attributes) > 1:
            raise AwsError("InvalidLookupAttributesException", "You can specify only one lookup attribute.")
        if StartTime and EndTime and StartTime > EndTime:
            raise AwsError("InvalidTimeRangeException", "The start time must not be later than the end time.")
        asked = [attributes, str(StartTime), str(EndTime), EventCategory]
        signature = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        before = _position(NextToken, signature, ctx.now)
        if EventCategory:
            return {"Events": []}
        page: list[Call] = []
        last = None
        for index, call in self._delivered(ctx.now, before, StartTime, EndTime):
            if event_region(call) == ctx.region and all(
                ATTRIBUTES[each["AttributeKey"]](call, each["AttributeValue"]) for each in attributes
            ):
                if len(page) == MaxResults:
                    last = index + 1
                    break
                page.append(call)
        answer: dict[str, Any] = {"Events": [self._event(call) for call in page]}
        if last is not None:
            answer["NextToken"] = _token(last, signature, ctx.now)
        return answer

    def _delivered(
        self, now: datetime, before: int | None, start: datetime | None, end: datetime | None
    ) -> Iterator[tuple[int, Call]]:
        """Yield (index, call), newest first, of what was delivered by `now`."""
        earliest = max(now - KEPT, start or now - KEPT)
        youngest = now - timedelta(seconds=DELIVERY_SECONDS[0])
        latest = youngest if end is None else min(youngest, end)
        stop = bisect_right(self._calls, latest + timedelta(seconds=1), key=lambda call: call.at)
        stop = stop if before is None else min(stop, before)
        for index in range(stop - 1, -1, -1):
            call = self._calls[index]
            if call.at < earliest:
                return
            if self._shown_from[index] <= now and call.at <= latest:
                yield index, call

    def _event(self, call: Call) -> Settled:
        """Return the event of a call. It never changes, so it is written once."""
        event = self._written.get(call.seq)
        if event is None:
            if len(self._written) >= REMEMBERED:
                self._written.clear()
            event = self._written[call.seq] = _written(call, self.lab.account_id)
        return event


def _bus_source(call: Call) -> str:
    return f"aws.{event_source(call.service).partition('.')[0]}"


def _written(call: Call, account_id: str) -> Settled:
    return Settled({
        "EventId": call.event_id,
        "EventName": event_name(call.service, call.operation),
        "ReadOnly": "true" if read_only(call) else "false",
        "AccessKeyId": call.principal.access_key_id,
        "EventTime": call.at.replace(microsecond=0),
        "EventSource": event_source(call.service),
        "Username": username(call.principal),
        "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in resources(call)],
        "CloudTrailEvent": json.dumps(record(call, account_id), separators=(",", ":")),
    })  # fmt: skip


def delivery_delay(call: Call) -> timedelta:
    """Return how long after the call its event appears: between two and five lab-minutes, the same at every look."""
    low, high = DELIVERY_SECONDS
    return timedelta(seconds=low + int(call.event_id[:4], 16) % (high - low))


def _token(index: int, signature: str, now: datetime) -> str:
    return base64.urlsafe_b64encode(json.dumps([index, signature, now.timestamp()]).encode()).decode()


def _position(token: str | None, signature: str, now: datetime) -> int | None:
    if not token:
        return None
    try:
        index, made_for, made = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError) as bad:
        raise AwsError("InvalidNextTokenException", "The token is not valid.") from bad
    if made_for != signature or not isinstance(index, int) or not isinstance(made, float) or made > now.timestamp():
        raise AwsError("InvalidNextTokenException", "The token does not belong to a request with these parameters.")
    return index
