"""The asynchronous queue: events are accepted, run, throttled, retried and given up.

What is journalled is one record for each event that was accepted and could not run at once, and one for each run. When a
waiting event is tried again follows from the clock and the function's settings (`retries`), so a function that is
stopped for a day costs no entry for the attempts that fail.
"""

import base64
from datetime import datetime, timedelta

from simulator.clock import milliseconds, moment
from simulator.service import Context, Upcoming
from simulator.services.lambda_ import retries
from simulator.services.lambda_.destinations import Destinations
from simulator.services.lambda_.invoke import Cause
from simulator.services.lambda_.names import LATEST, SERVICE
from simulator.services.lambda_.state import Event, Function, Shape, Waiting

MOST_WAITING = 2000
MOST_BYTES = 32 * 2**20
"""Events of a lab that wait at most, and bytes of their payloads: beyond them the oldest are dropped."""

SOON = timedelta(milliseconds=400)
"""How long an event of a topic or bucket takes to the function."""

MOST_HOPS = 16
"""Runs in a chain of which each set off the next (Lambda developer guide, Recursive loop detection: about 16)."""

MOST_SET_OFF = 200
"""Runs that one event may set off in all: a loop that branches is stopped too."""


class Events(Destinations):
    """The queue's call for other services, its records and its due work."""

    nesting = 0
    nested = 0
    """How many runs have set each other off without a pause, and how many there were in all. Live only, never in a replay."""

    def deliver_event(
        self, ctx: Context, *, function_arn: str, payload: bytes, source_service: str, source_arn: str
    ) -> str | None:
        """Take an event from another AWS service and run it, or queue it where it is throttled. Only in a process.

        Returns None where Lambda accepted the event, else the error's code: ResourceNotFoundException where there is
        no such function, AccessDeniedException where its policy does not let the service invoke it.
        """
        found = self.at(function_arn)
        if found is None:
            return "ResourceNotFoundException"
        function, _, qualifier = found
        if not self.may_invoke(function, qualifier, source_service, source_arn):
            return "AccessDeniedException"
        cause = Cause(kind="event", source=source_service, source_arn=source_arn)
        self.queue_event(ctx, function, qualifier, payload, cause)
        return None

    def accept_event(
        self, ctx: Context, *, function_arn: str, payload: bytes, source_service: str, source_arn: str
    ) -> None:
        """Queue an event that follows from an operation of another service: it runs within the second.

        For topics and buckets, in whose operation no function can run. One that may not be delivered is lost, as on AWS.
        """
        found = self.at(function_arn)
        if found is None or not self.may_invoke(found[0], found[2], source_service, source_arn):
            return
        destination = ctx.principal.name == SERVICE
        hops = self.hops + 1 if destination else 0
        event = _event(
            ctx, found[0], found[2], payload, Cause(kind="event", source=source_service, source_arn=source_arn), hops
        )
        self._forget_expired(ctx.now)
        self.waiting[event.id] = Waiting(event=event, due=ctx.now + SOON, throttled=found[0].reserved == 0)

    def queue_event(
        self, ctx: Context, function: Function, qualifier: str | None, payload: bytes, cause: Cause
    ) -> None:
        """Accept an event: run it now, or have it wait for concurrency."""
        event = _event(ctx, function, qualifier, payload, cause, self.hops + 1 if self.nesting else 0)
        if function.reserved == 0:
            ctx.record(self.name, "event-queued", _to_json(event))
        else:
            self._attempt(ctx, function, event, "event")

    def apply_event_queued(self, ctx: Context, data: Shape) -> None:
        """Have a throttled event wait."""
        event = _from_json(data)
        self._forget_expired(ctx.now)
        self.waiting[event.id] = Waiting(event=event, due=event.queued_at, throttled=True)
        dimensions = {"FunctionName": event.function}
        self.lab.moto.put_metrics(ctx, "AWS/Lambda", [("Throttles", dimensions, 1.0, "Count")])

    def apply_event_dropped(self, ctx: Context, data: Shape) -> None:
        """Give an event up."""
        self.waiting.pop(data["id"], None)
        dimensions = {"FunctionName": data["function"]}
        self.lab.moto.put_metrics(ctx, "AWS/Lambda", [("AsyncEventsDropped", dimensions, 1.0, "Count")])

    def after_attempt(self, ctx: Context, function: Function, data: Shape, *, failed: bool) -> None:
        """Queue the retry of an event's run that failed, where another attempt is due; else be done with the event."""
        attempt = data["attempt"]
        self.waiting.pop(data["request_id"], None)
        attempts, age = self._limits(function, data["qualifier"])
        if not failed or attempt > attempts:
            return
        ended = moment(data["started"] + round(data["duration_ms"]))
        due = retries.after_error(ended, attempt)
        queued_at = moment(data["queued_at"])
        if due - queued_at > age:
            return
        event = Event(
            id=data["request_id"],
            function=function.name,
            region=function.region,
            qualifier=data["qualifier"],
            payload=base64.b64decode(data["payload"]),
            source=data["source"],
            source_arn=data["source_arn"],
            queued_at=queued_at,
            attempt=attempt,
            hops=data["hops"],
        )
        self.waiting[event.id] = Waiting(event=event, due=due, throttled=False)

    def next_due(self) -> datetime | None:
        """Return when the next waiting event is tried or given up."""
        due = [at for entry in self.waiting.values() if (at := self._due(entry)) is not None]
        return min(due, default=None)

    def run_due(self, ctx: Context) -> None:
        """Try, or give up, the waiting events whose time has come: a process."""
        now = ctx.now
        ready = sorted(
            (at, entry.event.id)
            for entry in self.waiting.values()
            if (at := self._due(entry)) is not None and at <= now
        )
        for at, event_id in ready:
            entry = self.waiting[event_id]
            event = entry.event
            function = self.by_name[event.region, event.function]
            if at >= self._expiry(function, event):
                self._give_up(ctx, function, event, "EventAgeExceeded")
            else:
                self._attempt(ctx, function, event, "retry" if event.attempt or entry.throttled else "event")

    def queued(self, until: datetime) -> list[Upcoming]:
        """Return the waiting events as the invocations they would become, in order of time, were nothing changed.

        Those of a function whose reserved concurrency is 0 would not run: they are there with `allowed` False.
        """
        now = self.lab.clock.now()
        upcoming = []
        for entry in self.waiting.values():
            event = entry.event
            function = self.by_name[event.region, event.function]
            stopped = function.reserved == 0
            due = retries.next_retry(event.queued_at, now) if stopped else self._due(entry)
            if due is None or due > until or due >= self._expiry(function, event):
                continue
            upcoming.append(
                Upcoming(
                    at=max(due, now),
                    function_arn=function.arn(event.qualifier),
                    payload=event.payload,
                    source=f"event queued at {event.queued_at:%Y-%m-%dT%H:%M:%SZ} from {event.source}",
                    allowed=not stopped,
                    why=f"the reserved concurrency of {function.name} is 0" if stopped else "a retry is due",
                )
            )
        return sorted(upcoming, key=lambda item: item.at)

    def upcoming(self, until: datetime) -> list[Upcoming]:
        """Return the retries that are due: see `queued`."""
        return self.queued(until)

    def _attempt(self, ctx: Context, function: Function, event: Event, kind: str) -> None:
        """Run an event and see to what follows for its destinations.

        What a destination sets off may happen in here too, before this returns.
        """
        version = function.version(event.qualifier)
        problem = self.role_problem(ctx, version) if version else "FunctionNotFound"
        if problem:
            self._give_up(ctx, function, event, problem)
            return
        if event.hops >= MOST_HOPS or (self.nesting and self.nested >= MOST_SET_OFF):
            ctx.record(self.name, "event-dropped", _dropped(event, "RecursiveInvocation"))
            return
        self.nested = self.nested + 1 if self.nesting else 1
        self.nesting += 1
        try:
            cause = Cause(kind=kind, source=event.source, source_arn=event.source_arn)
            _, outcome = self.run(ctx, function, event.qualifier, event.payload, cause, event)
            if outcome.status == "ok":
                self.send_success(ctx, function, event, outcome)
            elif event.id not in self.waiting:
                self.send_failure(ctx, function, event, "RetriesExhausted", outcome)
        finally:
            self.nesting -= 1

    def _give_up(self, ctx: Context, function: Function, event: Event, reason: str) -> None:
        ctx.record(self.name, "event-dropped", _dropped(event, reason))
        self.send_failure(ctx, function, event, reason, None)

    def _due(self, entry: Waiting) -> datetime | None:
        """Return when an event is tried next, or given up; None while its function is stopped and nobody is told."""
        event = entry.event
        function = self.by_name[event.region, event.function]
        if function.reserved == 0 and not self.failure_target(function, event.qualifier):
            return None
        expiry = self._expiry(function, event)
        if function.reserved == 0:
            return expiry
        if entry.throttled:
            due = retries.next_retry(event.queued_at, max(entry.due, function.lifted_at or entry.due))
        else:
            due = entry.due
            if function.lifted_at and function.lifted_at > due:
                due = retries.next_retry(event.queued_at, function.lifted_at)
        return min(due, expiry)

    def _expiry(self, function: Function, event: Event) -> datetime:
        return event.queued_at + self._limits(function, event.qualifier)[1]

    def _limits(self, function: Function, qualifier: str | None) -> tuple[int, timedelta]:
        """Return how often an event is retried after errors, and how old it may become."""
        config = function.event_configs.get(qualifier or LATEST, {})
        seconds = config.get("MaximumEventAgeInSeconds")
        age = timedelta(seconds=seconds) if seconds is not None else retries.MAX_AGE
        return config.get("MaximumRetryAttempts", retries.MAX_ATTEMPTS), age

    def _forget_expired(self, now: datetime) -> None:
        """Drop what is too old and nobody waits for, and the oldest where too much waits."""
        size = sum(len(entry.event.payload) for entry in self.waiting.values())
        for event_id, entry in list(self.waiting.items()):
            event = entry.event
            function = self.by_name[event.region, event.function]
            expired = now >= self._expiry(function, event) and not self.failure_target(function, event.qualifier)
            if not expired and len(self.waiting) <= MOST_WAITING and size <= MOST_BYTES:
                return  # they are in the order in which they came
            size -= len(event.payload)
            del self.waiting[event_id]


def _event(ctx: Context, function: Function, qualifier: str | None, payload: bytes, cause: Cause, hops: int) -> Event:
    return Event(
        id=ctx.ids.uuid4(),
        function=function.name,
        region=function.region,
        qualifier=qualifier,
        payload=payload,
        source=cause.source,
        source_arn=cause.source_arn,
        queued_at=ctx.now,
        hops=hops,
    )


def _dropped(event: Event, reason: str) -> Shape:
    return {"id": event.id, "function": event.function, "reason": reason}


def _to_json(event: Event) -> Shape:
    return {
        "id": event.id,
        "function": event.function,
        "region": event.region,
        "qualifier": event.qualifier,
        "payload": base64.b64encode(event.payload).decode(),
        "source": event.source,
        "source_arn": event.source_arn,
        "queued_at": milliseconds(event.queued_at),
        "hops": event.hops,
    }


def _from_json(data: Shape) -> Event:
    payload = base64.b64decode(data["payload"])
    return Event(**{**data, "payload": payload, "queued_at": moment(data["queued_at"])})
