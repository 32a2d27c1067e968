"""Publishing destinations: kept and shown. Nothing is exported, and so they never leave PENDING_VERIFICATION."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.service import Context
from simulator.services.guardduty.base import Base
from simulator.services.guardduty.errors import invalid_value, no_such_resource, rejected
from simulator.services.guardduty.paging import page

_BUCKET = re.compile(r"arn:aws:s3:::[a-z0-9.-]{3,63}(/.*)?")
_KEY = re.compile(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")


class Destinations(Base):
    """Operations on publishing destinations."""

    def create_publishing_destination(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        DestinationType: str,
        DestinationProperties: Mapping[str, Any],
        ClientToken: str | None = None,
        Tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Note where findings are to be exported and return its id. One a detector; bucket and key are required."""
        detector = self.detector(ctx, DetectorId)
        if ClientToken and (known := detector.tokens.get(f"destination:{ClientToken}")) in detector.destinations:
            return {"DestinationId": known}
        _check(DestinationProperties)
        if detector.destinations:
            raise rejected("a publishing destination of this type already exists.", "AlreadyExistsException")
        destination_id = ctx.ids.timed_hex(ctx.now)
        detector.destinations[destination_id] = {
            "DestinationId": destination_id,
            "DestinationType": DestinationType,
            "Status": "PENDING_VERIFICATION",
            "PublishingFailureStartTimestamp": 0,
            "DestinationProperties": dict(DestinationProperties),
            "Tags": dict(Tags or {}),
        }
        if ClientToken:
            detector.tokens[f"destination:{ClientToken}"] = destination_id
        return {"DestinationId": destination_id}

    def describe_publishing_destination(self, ctx: Context, *, DetectorId: str, DestinationId: str) -> dict[str, Any]:
        """Return a destination."""
        return dict(self._destination(ctx, DetectorId, DestinationId))

    def list_publishing_destinations(
        self, ctx: Context, *, DetectorId: str, MaxResults: int | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return the destinations, in short."""
        kept = list(self.detector(ctx, DetectorId).destinations.values())
        shown, token = page(kept, MaxResults, NextToken)
        names = ("DestinationId", "DestinationType", "Status")
        destinations = [{name: each[name] for name in names} for each in shown]
        return {"Destinations": destinations, **({"NextToken": token} if token else {})}

    def update_publishing_destination(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        DestinationId: str,
        DestinationProperties: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change bucket or key."""
        destination = self._destination(ctx, DetectorId, DestinationId)
        properties = {**destination["DestinationProperties"], **(DestinationProperties or {})}
        _check(properties)
        destination["DestinationProperties"] = properties
        return {}

    def delete_publishing_destination(self, ctx: Context, *, DetectorId: str, DestinationId: str) -> dict[str, Any]:
        """Delete a destination."""
        self._destination(ctx, DetectorId, DestinationId)
        del self.detector(ctx, DetectorId).destinations[DestinationId]
        return {}

    def _destination(self, ctx: Context, detector_id: str, destination_id: str) -> dict[str, Any]:
        found = self.detector(ctx, detector_id).destinations.get(destination_id)
        if found is None:
            raise no_such_resource()
        return found


def _check(properties: Mapping[str, Any]) -> None:
    bucket, key = properties.get("DestinationArn") or "", properties.get("KmsKeyArn") or ""
    if not _BUCKET.fullmatch(bucket) or not _KEY.fullmatch(key):
        raise invalid_value()
