"""Config's operations: the history of resources, and what else an investigator asks Config."""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.clock import milliseconds
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Call, Context, Service
from simulator.services.cloudtrail.record import resources
from simulator.services.config.recorders import Recorders
from simulator.services.config.rules import Rules
from simulator.services.config.snapshots import READERS, Snapshot

if TYPE_CHECKING:
    from simulator.world import Lab

CAPTURE_SECONDS = (95, 150)
"""How long after a change its item is captured; two minutes were seen on AWS (docs/aws-facts.md, part 6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A configuration item. `snapshot` is the resource's state, the last one known where `status` says it was deleted."""

    captured: datetime
    status: str
    snapshot: Snapshot


class Config(Recorders, Rules, Service):
    """AWS Config in one lab."""

    name = "config"
    validation_errors = MappingProxyType(
        {"limit": ("InvalidLimitException", None), "Limit": ("InvalidLimitException", None)}
    )

    def __init__(self, lab: "Lab") -> None:
        Service.__init__(self, lab)
        Recorders.__init__(self)
        self._items: dict[tuple[str, str], list[Item]] = {}
        self._ids: dict[tuple[str, str], str] = {}

    def on_call(self, call: Call) -> None:
        """Take down what a change made of the resources that it touched.

        An item shows a resource as it is when it is captured: of changes within those two minutes there is one item.
        """
        if call.change is None or call.error_code or not self.recording:
            return
        for kind, name in resources(call):
            if kind in READERS and not (_is_of_an_object(call) and (kind, name) in self._ids):
                self._take_down(call, kind, name)

    def _take_down(self, call: Call, kind: str, name: str) -> None:
        ctx = Context(
            lab=self.lab,
            principal=Principal.service("config.amazonaws.com", self.lab.account_id),
            now=call.at,
            ids=Ids.of(self.lab.seed, "config", call.change),
            region=call.region,
        )
        snapshot = READERS[kind](ctx, name)
        low, high = CAPTURE_SECONDS
        captured = call.at + timedelta(
            seconds=low + int(call.event_id[4:8], 16) % (high - low), milliseconds=int(call.event_id[:2], 16)
        )
        resource_id = snapshot.resource_id if snapshot else self._ids.get((kind, name))
        if resource_id is None:
            return
        self._ids[(kind, name)] = resource_id
        items = self._items.setdefault((kind, resource_id), [])
        if items and call.at < items[-1].captured:  # still to be captured: that item will show this change too
            captured = items.pop().captured
        last = items[-1] if items else None
        gone = last is None or last.status == "ResourceDeleted"
        if snapshot is None:
            if last is not None and not gone:
                items.append(Item(captured=captured, status="ResourceDeleted", snapshot=last.snapshot))
        elif gone:
            items.append(Item(captured=captured, status="ResourceDiscovered", snapshot=snapshot))
        elif last is None or last.snapshot != snapshot:
            items.append(Item(captured=captured, status="OK", snapshot=snapshot))

    # --- operations -----------------------------------------------------------------------------------------------

    def get_resource_config_history(
        self,
        ctx: Context,
        *,
        resourceType: str,
        resourceId: str,
        laterTime: datetime | None = None,
        earlierTime: datetime | None = None,
        chronologicalOrder: str = "Reverse",
        limit: int = 10,
        nextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return a resource's items, newest first unless `chronologicalOrder` says Forward, ten a page unless `limit` says more.

        Source: GetResourceConfigHistory, API reference; texts of errors as documented or likeliest.
        """
        if self._recorder is None and not self._items:
            raise AwsError(
                "NoAvailableConfigurationRecorderException", "There are no configuration recorders available."
            )
        if earlierTime and laterTime and earlierTime > laterTime:
            raise AwsError("InvalidTimeRangeException", "The earlier time must not be after the later time.")
        known = [item for item in self._items.get((resourceType, resourceId), ()) if item.captured <= ctx.now]
        if not known:
            raise AwsError(
                "ResourceNotDiscoveredException",
                f"Resource {resourceId} of resourceType:{resourceType} is unknown or has not been discovered",
            )
        items = [
            i
            for i in known
            if (not earlierTime or i.captured >= earlierTime) and (not laterTime or i.captured <= laterTime)
        ]
        if chronologicalOrder != "Forward":
            items.reverse()
        signature = _signature(resourceType, resourceId, chronologicalOrder, str(earlierTime), str(laterTime))
        page, token = _page(items, limit or 10, nextToken, signature)
        answer: dict[str, Any] = {
            "configurationItems": [self._described(resourceType, item, ctx.region) for item in page]
        }
        if token:
            answer["nextToken"] = token
        return answer

    def list_discovered_resources(
        self,
        ctx: Context,
        *,
        resourceType: str,
        resourceIds: list[str] | None = None,
        resourceName: str | None = None,
        limit: int = 100,
        includeDeletedResources: bool = False,
        nextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return the resources of a type that Config knows, in the order of their ids."""
        found = []
        for (kind, resource_id), items in sorted(self._items.items()):
            item = _latest(items, ctx.now)
            if kind != resourceType or item is None:
                continue
            deleted = item.status == "ResourceDeleted"
            wanted = (not resourceIds or resource_id in resourceIds) and (
                not resourceName or item.snapshot.name == resourceName
            )
            if wanted and (includeDeletedResources or not deleted):
                identifier = {"resourceType": kind, "resourceId": resource_id, "resourceName": item.snapshot.name}
                found.append({**identifier, **({"resourceDeletionTime": item.captured} if deleted else {})})
        page, token = _page(
            found, limit or 100, nextToken, _signature(resourceType, str(resourceIds), str(resourceName))
        )
        return {"resourceIdentifiers": page, **({"nextToken": token} if token else {})}

    def get_discovered_resource_counts(
        self, ctx: Context, *, resourceTypes: list[str] | None = None, limit: int = 100, nextToken: str | None = None
    ) -> dict[str, Any]:
        """Return how many resources of each type there are now."""
        counts: dict[str, int] = {}
        for (kind, _), items in self._items.items():
            item = _latest(items, ctx.now)
            if item is not None and item.status != "ResourceDeleted" and (not resourceTypes or kind in resourceTypes):
                counts[kind] = counts.get(kind, 0) + 1
        rows = [
            {"resourceType": kind, "count": count} for kind, count in sorted(counts.items(), key=lambda row: -row[1])
        ]
        page, token = _page(rows, limit or 100, nextToken, _signature(str(resourceTypes)))
        answer: dict[str, Any] = {"totalDiscoveredResources": sum(counts.values()), "resourceCounts": page}
        return {**answer, **({"nextToken": token} if token else {})}

    def batch_get_resource_config(self, ctx: Context, *, resourceKeys: list[dict[str, str]]) -> dict[str, Any]:
        """Return the present configuration of each resource named; what is unknown comes back unprocessed."""
        found, missing = [], []
        for key in resourceKeys:
            item = _latest(self._items.get((key["resourceType"], key["resourceId"]), []), ctx.now)
            if item is None or item.status == "ResourceDeleted":
                missing.append(key)
                continue
            described = self._described(key["resourceType"], item, ctx.region)
            found.append(
                {
                    name: value
                    for name, value in described.items()
                    if name not in ("relatedEvents", "relationships", "tags")
                }
            )
        return {"baseConfigurationItems": found, "unprocessedResourceKeys": missing}

    def _described(self, kind: str, item: Item, region: str) -> dict[str, Any]:
        snapshot, deleted = item.snapshot, item.status == "ResourceDeleted"
        described: dict[str, Any] = {
            "version": "1.3",
            "accountId": self.lab.account_id,
            "configurationItemCaptureTime": item.captured,
            "configurationItemStatus": item.status,
            "configurationStateId": str(milliseconds(item.captured)),
            "configurationItemMD5Hash": "",
            "arn": snapshot.arn,
            "resourceType": kind,
            "resourceId": snapshot.resource_id,
            "resourceName": snapshot.name,
            "awsRegion": "global" if kind == "AWS::IAM::Role" else region,
            "availabilityZone": snapshot.zone,
            "tags": {} if deleted else dict(snapshot.tags),
            "relatedEvents": [],
            "relationships": [] if deleted else list(snapshot.relationships),
            "supplementaryConfiguration": {} if deleted else dict(snapshot.supplementary),
        }
        if not deleted:
            described["configuration"] = json.dumps(snapshot.configuration, separators=(",", ":"))
        if snapshot.created:
            described["resourceCreationTime"] = snapshot.created
        return described


def _latest(items: list[Item], now: datetime) -> Item | None:
    return next((item for item in reversed(items) if item.captured <= now), None)


def _signature(*asked: str) -> str:
    return hashlib.sha256("\x1f".join(asked).encode()).hexdigest()[:16]


def _page(rows: list[Any], limit: int, token: str | None, signature: str) -> tuple[list[Any], str | None]:
    """Return one page and the token of the next. Raises AwsError for a token of another request."""
    start = 0
    if token:
        try:
            start, made_for = json.loads(base64.urlsafe_b64decode(token.encode()))
        except (ValueError, TypeError, RecursionError):
            made_for = None
        if made_for != signature or not isinstance(start, int) or start < 0:
            raise AwsError("InvalidNextTokenException", "The specified nextToken for pagination is not valid.")
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return page, base64.urlsafe_b64encode(json.dumps([start + limit, signature]).encode()).decode() if more else None


def _is_of_an_object(call: Call) -> bool:
    """Return whether a call is of an object in a bucket: it changes nothing of what an item tells of the bucket itself."""
    return call.service == "s3" and ("Key" in call.params or call.operation == "DeleteObjects")
