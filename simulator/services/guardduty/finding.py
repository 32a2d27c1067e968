"""A finding as the service keeps it, and as a client sees it at a moment.

Only what happened is kept: the times of the occurrences, what they looked like where that changed, and what people
did with the finding. Count, EventLastSeen, UpdatedAt and Archived are worked out for the moment of the question,
so nothing has to run for a finding to grow.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from simulator.clock import moment
from simulator.detection import Lags, Seen, seen

RETENTION_MS = 90 * 24 * 3600 * 1000
SAME_RUN_MS = 50_000
"""Flow records aggregate over a minute; a failed run is retried after one, under the same request id."""


def iso(ms: int) -> str:
    """Return milliseconds since 1970 as AWS prints them: `2024-07-17T17:49:51.016Z`."""
    return moment(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What occurrences looked like from number `since` on: the parts of a finding that an occurrence overwrites."""

    since: int
    title: str
    description: str
    resource: Mapping[str, Any]
    service: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Finding:
    """A finding of one detector. Times are milliseconds since 1970.

    One that grows (`origin` flow) has `times` and `lags`; a declared one (scenery, sample) has `fixed` instead.
    """

    id: str
    account_id: str
    region: str
    detector_id: str
    type: str
    severity: float
    looks: list[Look]
    origin: Literal["flow", "scenery", "sample"]
    times: array[int] = field(default_factory=lambda: array("q"))
    lags: Lags | None = None
    fixed: Seen | None = None
    confidence: float | None = None
    last_run: str = ""
    marked: tuple[int, bool] | None = None
    """When someone last archived (True) or unarchived (False) it."""
    feedback: str | None = None
    told: int = 0
    """How many occurrences EventBridge has been told of, and `told_at` when."""
    told_at: int | None = None
    kept: tuple[int, int, Seen | None] = (0, 0, None)
    """What was visible when last looked at, and from when until when that holds."""
    rendered: tuple[tuple[int, bool, str | None], dict[str, Any]] | None = None
    suppressed: tuple[tuple[int, int], bool] | None = None

    def seen(self, now: int) -> Seen | None:
        """Return what is visible at `now`; None before the finding shows and after 90 days without an occurrence."""
        since, until, known = self.kept
        if not since <= now < until:
            since, until, known = self.kept = self._look_at(now)
        return known

    def _look_at(self, now: int) -> tuple[int, int, Seen | None]:
        """Return from when until when the answer holds, and what is visible at `now`."""
        if self.fixed is not None:
            start, change = self.fixed.created, None
            visible: Seen | None = self.fixed if now >= start else None
        else:
            assert self.lags is not None
            start, change = self.times[0] + self.lags.created, None
            visible = seen(self.times, self.lags, now)
            if visible is not None:
                start = visible.updated
                if visible.count < len(self.times):
                    change = self.times[visible.count] + self.lags.updated
        if visible is None:
            return 0, start, None
        forgotten = visible.updated + RETENTION_MS + 1
        if now >= forgotten:
            return now, now + 1, None
        return start, min(change or forgotten, forgotten), visible

    def shows(self) -> int:
        """Return when a finding that EventBridge does not know of is first to be seen, or again for a sample."""
        if self.fixed is not None:
            return self.fixed.updated
        assert self.lags is not None
        return self.times[0] + self.lags.created

    def add(self, at: int, run: str, look: Look) -> None:
        """Note an occurrence. Connections of one run are one occurrence, a retry of the run another (docs/aws-facts.md, 0)."""
        if run and run == self.last_run and at - self.times[-1] < SAME_RUN_MS:
            return
        if not self.looks or not _alike(self.looks[-1], look):
            self.looks.append(look)
        self.times.append(max(at, self.times[-1]) if self.times else at)
        self.last_run = run
        self.kept = (0, 0, None)

    def body(self, visible: Seen, archived: bool) -> dict[str, Any]:
        """Return the finding as GetFindings gives it. The same object may come back again: it is not to be changed."""
        key = (visible.count, archived, self.feedback)
        if self.rendered is not None and self.rendered[0] == key:
            return self.rendered[1]
        body = self._render(visible, archived)
        self.rendered = (key, body)
        return body

    def _render(self, visible: Seen, archived: bool) -> dict[str, Any]:
        look = next(look for look in reversed(self.looks) if look.since < visible.count)
        arn = f"arn:aws:guardduty:{self.region}:{self.account_id}:detector/{self.detector_id}/finding/{self.id}"
        return {
            "AccountId": self.account_id,
            "Arn": arn,
            **({} if self.confidence is None else {"Confidence": self.confidence}),
            "CreatedAt": iso(visible.created),
            "Description": look.description,
            "Id": self.id,
            "Partition": "aws",
            "Region": self.region,
            "Resource": look.resource,
            "SchemaVersion": "2.0",
            "Service": self._service(look.service, visible, archived),
            "Severity": self.severity,
            "Title": look.title,
            "Type": self.type,
            "UpdatedAt": iso(visible.updated),
        }

    def _service(self, look: Mapping[str, Any], visible: Seen, archived: bool) -> dict[str, Any]:
        """Action and evidence first, then the state, in the model's order of members."""
        first = {name: look[name] for name in ("Action", "Evidence") if name in look}
        rest = {name: value for name, value in look.items() if name not in {*first, "ResourceRole"}}
        additional = rest.pop("AdditionalInfo", {"Value": "{}", "Type": "default"})
        return {
            **first,
            "Archived": archived,
            "Count": visible.count,
            "DetectorId": self.detector_id,
            "EventFirstSeen": iso(visible.first // 1000 * 1000),
            "EventLastSeen": iso(visible.last // 1000 * 1000),
            "ResourceRole": look.get("ResourceRole", "TARGET"),
            "ServiceName": "guardduty",
            **({"UserFeedback": self.feedback} if self.feedback else {}),
            "AdditionalInfo": additional,
            **rest,
        }


def _alike(one: Look, other: Look) -> bool:
    return (one.title, one.description, one.resource, one.service) == (
        other.title,
        other.description,
        other.resource,
        other.service,
    )
