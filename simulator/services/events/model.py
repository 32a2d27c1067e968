"""What EventBridge keeps: buses, their rules, and when each rule is due."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from simulator import schedule
from simulator.identity import Ids
from simulator.services.events.pattern import Pattern, compile_pattern

API_CALL = "AWS API Call via CloudTrail"
ALL_CALLS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""The state of a rule that also wants calls that only look."""

FIRST_TICK_SECONDS = (20, 60)
"""A rate rule first fires within this many seconds of being enabled (43 s in the stack of docs/aws-facts.md, part 7)."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """A rule: what it waits for (a pattern, a schedule or both) and the targets it hands events to, by their Id.

    `anchor` is a moment of its schedule while it is enabled, `due` the next one.
    """

    name: str
    arn: str
    bus_name: str
    state: str
    expression: str | None = None
    pattern_text: str | None = None
    description: str | None = None
    role_arn: str | None = None
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    anchor: datetime | None = None
    due: datetime | None = None

    @property
    def enabled(self) -> bool:
        """Whether the rule hands events on."""
        return self.state != "DISABLED"

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Return whether the rule is enabled for an event: one of a call that only looks needs a state of its own."""
        return self.enabled and (self.state == ALL_CALLS or not _only_looks(event))

    @property
    def pattern(self) -> Pattern | None:
        """The compiled pattern of a rule that has one."""
        return compile_pattern(self.pattern_text) if self.pattern_text is not None else None

    def start(self, now: datetime, ids: Ids) -> None:
        """Begin the schedule anew at `now`, with a phase drawn from `ids`; a disabled rule has no next run."""
        self.anchor = self.due = None
        if self.expression is None or not self.enabled:
            return
        second = now.replace(microsecond=0)
        self.anchor = second + timedelta(seconds=ids.randint(*FIRST_TICK_SECONDS))
        self.due = schedule.next_after(self.expression, self.anchor, second)

    def following(self, moment: datetime) -> datetime | None:
        """Return the run after the one at `moment`."""
        if self.expression is None or self.anchor is None:
            return None
        return schedule.next_after(self.expression, self.anchor, moment)

    def describe(self) -> dict[str, Any]:
        """Return the rule in the shape of ListRules; what is not set is left out."""
        told = {
            "Name": self.name,
            "Arn": self.arn,
            "EventPattern": self.pattern_text,
            "State": self.state,
            "Description": self.description,
            "ScheduleExpression": self.expression,
            "RoleArn": self.role_arn,
            "EventBusName": self.bus_name,
        }
        return {name: value for name, value in told.items() if value is not None}


def _only_looks(event: Mapping[str, Any]) -> bool:
    """Source: EventBridge user guide, Receiving read-only management events from AWS services."""
    if event["detail-type"] != API_CALL or not event["source"].startswith("aws."):
        return False
    name = event["detail"]["eventName"]
    return name.startswith(("Describe", "Get", "List")) and name not in ("GetFederationToken", "GetSessionToken")


@dataclass(slots=True, kw_only=True)
class Bus:
    """An event bus with its rules by name and the statements of its resource policy."""

    name: str
    arn: str
    created: datetime | None = None
    modified: datetime | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    statements: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return the bus in the shape of ListEventBuses."""
        told: dict[str, Any] = {"Name": self.name, "Arn": self.arn, "Description": self.settings.get("Description")}
        if self.statements:
            told["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": self.statements}, separators=(",", ":"))
        told |= {"CreationTime": self.created, "LastModifiedTime": self.modified}
        return {name: value for name, value in told.items() if value is not None}

    def describe(self) -> dict[str, Any]:
        """Return the bus in the shape of DescribeEventBus."""
        return self.summary() | self.settings
