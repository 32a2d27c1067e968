"""Declared background findings: loaded once, marked as scenery, never growing, never told to EventBridge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator.clock import milliseconds, moment
from simulator.detection import Seen
from simulator.service import Context
from simulator.services.guardduty.base import Base
from simulator.services.guardduty.finding import Finding, Look
from simulator.services.guardduty.flows import remote_ip

_STATE = {"Archived", "Count", "DetectorId", "EventFirstSeen", "EventLastSeen", "ServiceName", "UserFeedback"}


class Scenery(Base):
    """The consequence `scenery`."""

    def apply_scenery(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Add `data["finding"]`: GetFindings' shape, times as AWS writes them, without ids, ARN, account and Region.

        A remote address may come alone; whose it is and where is added, as in findings that are earned.
        It shows from its CreatedAt on. The lab's region must have a detector.
        """
        body = data["finding"]
        detector = self.detectors[self.lab.region]
        service = body["Service"]
        created = _milliseconds(body["CreatedAt"])
        updated = _milliseconds(body.get("UpdatedAt", body["CreatedAt"]))
        fractions = ctx.ids.randrange(1, 1000), ctx.ids.randrange(1, 1000)
        seen = Seen(
            count=service.get("Count", 1),
            first=_milliseconds(service.get("EventFirstSeen", body["CreatedAt"])),
            last=_milliseconds(service.get("EventLastSeen", body["CreatedAt"])),
            created=_with_fraction(created, fractions[0]),
            updated=_with_fraction(updated, fractions[0] if updated == created else fractions[1]),
        )
        look = Look(
            since=0,
            title=body.get("Title", ""),
            description=body.get("Description", ""),
            resource=body.get("Resource", {}),
            service=_located({name: value for name, value in service.items() if name not in _STATE}),
        )
        finding = Finding(
            id=ctx.ids.timed_hex(moment(seen.created)),
            account_id=ctx.account_id,
            region=detector.region,
            detector_id=detector.id,
            type=body["Type"],
            severity=float(body["Severity"]),
            confidence=body.get("Confidence"),
            looks=[look],
            origin="scenery",
            fixed=seen,
            marked=(seen.updated, True) if service.get("Archived") else None,
        )
        detector.findings[finding.id] = finding


def _located(value: Any) -> Any:
    """Return `value` with everything known of a remote address that only names itself, however deep."""
    if isinstance(value, list):
        return [_located(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"IpAddressV4"}:
        return remote_ip(value["IpAddressV4"])
    return {name: each if name == "LocalIpDetails" else _located(each) for name, each in value.items()}


def _with_fraction(time: int, fraction: int) -> int:
    """Whole seconds in CreatedAt or UpdatedAt would give a finding away (docs/aws-facts.md, part 10, number 7)."""
    return time if time % 1000 else time + fraction


def _milliseconds(time: str | int) -> int:
    return time if isinstance(time, int) else milliseconds(datetime.fromisoformat(time))
