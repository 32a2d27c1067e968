"""What a detector holds: settings, lists with their states by lab time, filters with their history, findings.

Times are milliseconds since 1970. Nothing here runs by itself: a state that changes with time is worked out when asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal

from simulator.clock import moment
from simulator.detection import (
    MAX_ENTITY_ENTRIES,
    MAX_THREAT_ENTRIES,
    MAX_TRUSTED_ENTRIES,
    ActiveList,
    Networks,
    Seen,
)
from simulator.services.guardduty.criteria import Criteria
from simulator.services.guardduty.finding import Finding

DEACTIVATION_MS = 60_000
DELETION_MS = 60_000
"""How long a deleted list still answers, as DELETE_PENDING; its name and place are free at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetKindFacts:
    """What distinguishes one kind of list from another."""

    id_name: str
    ids_name: str
    arn_part: str
    quota: int
    max_entries: int
    trusted: bool
    timestamps: bool


class SetKind(Enum):
    """The four kinds of lists that a detector holds."""

    IP = SetKindFacts(
        id_name="IpSetId",
        ids_name="IpSetIds",
        arn_part="ipset",
        quota=1,
        max_entries=MAX_TRUSTED_ENTRIES,
        trusted=True,
        timestamps=False,
    )
    THREAT_INTEL = SetKindFacts(
        id_name="ThreatIntelSetId",
        ids_name="ThreatIntelSetIds",
        arn_part="threatintelset",
        quota=6,
        max_entries=MAX_THREAT_ENTRIES,
        trusted=False,
        timestamps=False,
    )
    THREAT_ENTITY = SetKindFacts(
        id_name="ThreatEntitySetId",
        ids_name="ThreatEntitySetIds",
        arn_part="threatentityset",
        quota=6,
        max_entries=MAX_ENTITY_ENTRIES,
        trusted=False,
        timestamps=True,
    )
    TRUSTED_ENTITY = SetKindFacts(
        id_name="TrustedEntitySetId",
        ids_name="TrustedEntitySetIds",
        arn_part="trustedentityset",
        quota=1,
        max_entries=MAX_TRUSTED_ENTRIES,
        trusted=True,
        timestamps=True,
    )


@dataclass(slots=True, kw_only=True)
class AddressSet:
    """A list in a bucket. `networks` is what was read of it when it was last activated."""

    kind: SetKind
    id: str
    name: str
    format: str
    location: str
    tags: dict[str, str]
    created: int
    updated: int
    owner: str | None = None
    networks: Networks | None = None
    phase: Literal["inactive", "active", "error"] = "inactive"
    since: int = 0
    settles: int = 0
    """How long an activation or deactivation takes, from `since`."""
    error: str | None = None
    deleted: int | None = None

    def status(self, now: int) -> str:
        """Return the status at `now`, in AWS's words."""
        if self.deleted is not None:
            return "DELETE_PENDING"
        if self.phase == "error":
            return "ERROR"
        settled = now >= self.since + self.settles
        if self.phase == "active":
            return "ACTIVE" if settled else "ACTIVATING"
        return "INACTIVE" if settled else "DEACTIVATING"

    def in_force(self, now: int) -> Networks | None:
        """Return the addresses that count at `now`; None while the list is anything but ACTIVE."""
        return self.networks if self.status(now) == "ACTIVE" else None


@dataclass(slots=True, kw_only=True)
class Feature:
    """A feature of a detector and its additional configuration, each with status and time of change."""

    enabled: bool
    updated: int
    additional: dict[str, tuple[bool, int]] = field(default_factory=dict)
    begun: int | None = None
    """When it was first switched on: the start of its free trial, which does not come again."""


@dataclass(slots=True, kw_only=True)
class Filter:
    """A saved filter. `source` is the criteria as the client wrote them."""

    name: str
    description: str
    action: str
    rank: int
    source: Mapping[str, Any]
    criteria: Criteria
    tags: dict[str, str]
    created: int
    updated: int
    version: int = 1


@dataclass(slots=True, kw_only=True)
class Suppression:
    """A filter with the action ARCHIVE, for as long as it was in force: `until` is None while it is."""

    name: str
    criteria: Criteria
    since: int
    until: int | None = None


@dataclass(slots=True, kw_only=True)
class Detector:
    """One detector, of one region."""

    id: str
    account_id: str
    region: str
    created: int
    updated: int
    enabled: bool
    frequency: str
    frequency_since: int
    features: dict[str, Feature]
    tags: dict[str, str]
    token: str | None = None
    sets: dict[SetKind, dict[str, AddressSet]] = field(default_factory=lambda: {kind: {} for kind in SetKind})
    filters: dict[str, Filter] = field(default_factory=dict)
    suppressions: list[Suppression] = field(default_factory=list)
    suppression_changes: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    growing: dict[tuple[str, ...], Finding] = field(default_factory=dict)
    destinations: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """Client tokens already used, with the id of what they made."""
    malware: dict[str, Any] = field(default_factory=dict)
    flows: dict[str, int] = field(default_factory=dict)
    """Connections looked at, by the function that made them: what usage is charged for."""

    def lists(self, kind: SetKind) -> list[AddressSet]:
        """Return the lists of a kind, oldest first, deleted ones left out."""
        return [each for each in self.sets[kind].values() if each.deleted is None]

    def threats(self, now: int) -> list[ActiveList]:
        """Return the threat lists in force, oldest first."""
        lists = [each for kind in SetKind if not kind.value.trusted for each in self.sets[kind].values()]
        return [
            ActiveList(id=each.id, name=each.name, networks=networks)
            for each in sorted(lists, key=lambda each: each.created)
            if (networks := each.in_force(now)) is not None
        ]

    def trusted(self, now: int) -> list[Networks]:
        """Return the addresses of the trusted lists in force."""
        lists = [each for kind in SetKind if kind.value.trusted for each in self.sets[kind].values()]
        return [networks for each in lists if (networks := each.in_force(now)) is not None]

    def watches(self, feature: str) -> bool:
        """Tell whether the detector is on and so is the feature."""
        return self.enabled and feature in self.features and self.features[feature].enabled

    def visible(self, now: int) -> Iterator[tuple[Finding, Seen]]:
        """Yield the findings that a client sees at `now`, each with what is to be seen of it."""
        for finding in self.findings.values():
            if (visible := finding.seen(now)) is not None:
                yield finding, visible

    def archived(self, finding: Finding, visible: Seen) -> bool:
        """Tell whether a finding counts as archived, given what is visible of it.

        The last arrival decides: suppressed then, it is archived; otherwise current. What someone did by hand holds
        until a later occurrence arrives. Source: docs/aws-facts.md, part 2, and checklist 32 and 33.
        """
        if finding.marked is not None and finding.marked[0] >= visible.updated:
            return finding.marked[1]
        return self.suppressed(finding, visible)

    def suppressed(self, finding: Finding, visible: Seen) -> bool:
        """Tell whether the finding's last visible occurrence arrived into a suppression filter of that time."""
        if not self.suppressions:
            return False
        key = (visible.count, self.suppression_changes)
        if finding.suppressed is None or finding.suppressed[0] != key:
            finding.suppressed = (key, self._matches_suppression(finding, visible))
        return finding.suppressed[1]

    def _matches_suppression(self, finding: Finding, visible: Seen) -> bool:
        at = visible.updated
        body = finding.body(visible, archived=False)
        return any(
            each.since <= at and (each.until is None or at < each.until) and each.criteria.match(body)
            for each in self.suppressions
        )

    def shown(self, finding: Finding, visible: Seen) -> dict[str, Any]:
        """Return the finding as GetFindings gives it."""
        return finding.body(visible, self.archived(finding, visible))

    def start_suppression(self, filter_: Filter, now: int) -> None:
        """Put a filter in force where its action is ARCHIVE. Findings that have arrived already stay as they are."""
        if filter_.action == "ARCHIVE":
            self.suppressions.append(Suppression(name=filter_.name, criteria=filter_.criteria, since=now))
            self.suppression_changes += 1

    def end_suppression(self, name: str, now: int) -> None:
        """Take a filter out of force."""
        for each in self.suppressions:
            if each.name == name and each.until is None:
                each.until = now
                self.suppression_changes += 1


def timestamp(ms: int) -> datetime:
    """Return a model timestamp: whole seconds, aware."""
    return moment(ms // 1000 * 1000)
