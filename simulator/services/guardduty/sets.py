"""Lists of addresses: created over an object in a bucket, read when activated, in force some minutes later.

The object is read at the call that activates, and not again: editing it changes nothing until the list is activated
anew, and while that goes on (ACTIVATING) nothing on the list matches. Source: Amazon GuardDuty user guide, Activating
lists. A list whose object cannot be read turns to ERROR; AWS's own choice between that and refusing the call is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from simulator.detection import ListTooLargeError, Networks, parse_list
from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.guardduty.base import Base, now_ms
from simulator.services.guardduty.errors import invalid_value, no_such_resource, rejected
from simulator.services.guardduty.paging import page
from simulator.services.guardduty.state import (
    DEACTIVATION_MS,
    DELETION_MS,
    AddressSet,
    Detector,
    SetKind,
    timestamp,
)

ACTIVATION_MS = 300_000
"""About five minutes (AWS says about fifteen, at worst forty); each activation's own lies up to 45 s beside it."""

_NAMES = {
    SetKind.IP: "IPSet",
    SetKind.THREAT_INTEL: "ThreatIntelSet",
    SetKind.THREAT_ENTITY: "ThreatEntitySet",
    SetKind.TRUSTED_ENTITY: "TrustedEntitySet",
}
_HOST = r"s3(?:[.-](?:dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"
_LOCATIONS = [
    re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)"),
    re.compile(rf"https?://{_HOST}/(?P<bucket>[^/]+)/(?P<key>.+)"),
    re.compile(rf"https?://(?P<bucket>[^/]+)\.{_HOST}/(?P<key>.+)"),
]


def bucket_and_key(location: str) -> tuple[str, str]:
    """Return bucket and key of a list's location, in any of AWS's forms (docs/aws-facts.md, part 3).

    Raises BadRequestException for anything else.
    """
    for form in _LOCATIONS:
        if found := form.fullmatch(location):
            return found["bucket"], unquote(found["key"])
    raise invalid_value()


class Sets(Base):
    """The work that the operations on all four kinds share; `set_operations` names them."""

    def create_set(
        self,
        ctx: Context,
        kind: SetKind,
        *,
        DetectorId: str,
        Name: str,
        Format: str,
        Location: str,
        Activate: bool,
        ClientToken: str | None = None,
        Tags: Mapping[str, str] | None = None,
        ExpectedBucketOwner: str | None = None,
    ) -> dict[str, Any]:
        """Create a list and return its id. Raises BadRequestException for a taken name or a used-up quota."""
        detector = self.detector(ctx, DetectorId)
        facts = kind.value
        token = f"{facts.arn_part}:{ClientToken}" if ClientToken else ""
        if token in detector.tokens and detector.tokens[token] in detector.sets[kind]:
            return {facts.id_name: detector.tokens[token]}
        bucket_and_key(Location)
        _check_name(detector, kind, Name)
        if len(detector.lists(kind)) >= facts.quota:
            raise rejected(
                f"the limit of {_NAMES[kind]}s for the current account is exceeded.", "LimitExceededException"
            )
        now = now_ms(ctx)
        new = AddressSet(
            kind=kind,
            id=ctx.ids.timed_hex(ctx.now),
            name=Name,
            format=Format,
            location=Location,
            owner=ExpectedBucketOwner,
            tags=dict(Tags or {}),
            created=now,
            updated=now,
        )
        if Activate:
            self._activate(ctx, new)
        detector.sets[kind][new.id] = new
        if token:
            detector.tokens[token] = new.id
        return {facts.id_name: new.id}

    def get_set(self, ctx: Context, kind: SetKind, *, DetectorId: str, **ids: str) -> dict[str, Any]:
        """Return a list. Those of addresses have no times and no error text, unlike those of entities."""
        found = _find(ctx, self.detector(ctx, DetectorId), kind, ids)
        shown: dict[str, Any] = {
            "Name": found.name,
            "Format": found.format,
            "Location": found.location,
            "Status": found.status(now_ms(ctx)),
            "Tags": dict(found.tags),
        }
        if found.owner:
            shown["ExpectedBucketOwner"] = found.owner
        if kind.value.timestamps:
            shown["CreatedAt"], shown["UpdatedAt"] = timestamp(found.created), timestamp(found.updated)
            if found.error and found.phase == "error":
                shown["ErrorDetails"] = found.error
        return shown

    def list_sets(
        self,
        ctx: Context,
        kind: SetKind,
        *,
        DetectorId: str,
        MaxResults: int | None = None,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return the ids of the lists of a kind, oldest first."""
        lists = self.detector(ctx, DetectorId).lists(kind)
        ids, token = page([each.id for each in lists], MaxResults, NextToken)
        return {kind.value.ids_name: ids, **({"NextToken": token} if token else {})}

    def update_set(
        self,
        ctx: Context,
        kind: SetKind,
        *,
        DetectorId: str,
        Name: str | None = None,
        Location: str | None = None,
        Activate: bool | None = None,
        ExpectedBucketOwner: str | None = None,
        **ids: str,
    ) -> dict[str, Any]:
        """Change a list. `Activate` true reads its object anew, false takes it out of force at once."""
        detector = self.detector(ctx, DetectorId)
        found = _find(ctx, detector, kind, ids)
        _check_settled(found, now_ms(ctx))
        if Location is not None:
            bucket_and_key(Location)
        if Name is not None and Name != found.name:
            _check_name(detector, kind, Name)
            found.name = Name
        found.location = Location or found.location
        found.owner = ExpectedBucketOwner or found.owner
        found.updated = now_ms(ctx)
        if Activate:
            self._activate(ctx, found)
        elif Activate is False and found.phase != "inactive":
            found.phase, found.since, found.settles, found.networks = "inactive", now_ms(ctx), DEACTIVATION_MS, None
        return {}

    def delete_set(self, ctx: Context, kind: SetKind, *, DetectorId: str, **ids: str) -> dict[str, Any]:
        """Delete a list. It answers as DELETE_PENDING for a minute; its name and place are free at once."""
        found = _find(ctx, self.detector(ctx, DetectorId), kind, ids)
        if found.deleted is None:
            found.deleted, found.networks = now_ms(ctx), None
        return {}

    def _activate(self, ctx: Context, target: AddressSet) -> None:
        target.since = now_ms(ctx)
        target.networks, target.error = self._read(ctx, target)
        target.phase = "active" if target.error is None else "error"
        target.settles = ACTIVATION_MS + ctx.ids.randrange(-45_000, 45_000)

    def _read(self, ctx: Context, target: AddressSet) -> tuple[Networks | None, str | None]:
        bucket, key = bucket_and_key(target.location)
        if target.owner not in (None, ctx.account_id):
            return None, "The bucket is not owned by the expected account."
        try:
            body = ctx.read("s3", "GetObject", Bucket=bucket, Key=key)["Body"]
            return parse_list(body, target.format, limit=target.kind.value.max_entries), None
        except AwsError as problem:
            return None, f"GuardDuty cannot read the list: {problem.message}"
        except ListTooLargeError as problem:
            return None, f"The list is larger than GuardDuty takes: {problem}."


def _find(ctx: Context, detector: Detector, kind: SetKind, ids: Mapping[str, str]) -> AddressSet:
    found = detector.sets[kind].get(ids[kind.value.id_name])
    if found is None or (found.deleted is not None and now_ms(ctx) >= found.deleted + DELETION_MS):
        raise no_such_resource()
    return found


def _check_name(detector: Detector, kind: SetKind, name: str) -> None:
    if any(each.name == name for each in detector.lists(kind)):
        raise rejected(f"the name is already used by another {_NAMES[kind]} of the current account.")


def _check_settled(found: AddressSet, now: int) -> None:
    """No actions while a list is in transition. Source: Amazon GuardDuty user guide, Activating lists."""
    if found.status(now) in {"ACTIVATING", "DEACTIVATING", "DELETE_PENDING"}:
        raise rejected(f"the current status of the {_NAMES[found.kind]} does not allow this operation.")
