"""Tags of detectors, filters and lists, by ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.service import Context
from simulator.services.guardduty.base import Base
from simulator.services.guardduty.errors import invalid_value, no_such_resource, not_owned
from simulator.services.guardduty.state import Detector, SetKind

MAX_TAGS = 50
_KINDS = {kind.value.arn_part: kind for kind in SetKind}


class Tags(Base):
    """Operations on tags."""

    def list_tags_for_resource(self, ctx: Context, *, ResourceArn: str) -> dict[str, Any]:
        """Return a resource's tags."""
        return {"Tags": dict(self._tags(ctx, ResourceArn))}

    def tag_resource(self, ctx: Context, *, ResourceArn: str, Tags: Mapping[str, str]) -> dict[str, Any]:
        """Add or overwrite tags. Raises BadRequestException for more than 50."""
        tags = self._tags(ctx, ResourceArn)
        if len({*tags, *Tags}) > MAX_TAGS:
            raise invalid_value()
        tags.update(Tags)
        return {}

    def untag_resource(self, ctx: Context, *, ResourceArn: str, TagKeys: list[str]) -> dict[str, Any]:
        """Remove tags; ones that are not there are passed over."""
        tags = self._tags(ctx, ResourceArn)
        for key in TagKeys:
            tags.pop(key, None)
        return {}

    def _tags(self, ctx: Context, arn: str) -> dict[str, str]:
        """Return the tags of `arn:aws:guardduty:REGION:ACCOUNT:detector/ID[/KIND/ID]`, to be changed in place."""
        _, _, _, region, account, resource = arn.split(":", 5)
        detector = self.detectors.get(region)
        parts = resource.split("/")
        if detector is None or account != ctx.account_id or region != ctx.region or parts[1:2] != [detector.id]:
            raise not_owned()
        return detector.tags if len(parts) == 2 else _part_tags(detector, parts[2:])


def _part_tags(detector: Detector, path: list[str]) -> dict[str, str]:
    kind, _, name = path[0], "/", "/".join(path[1:])
    if kind == "filter" and name in detector.filters:
        return detector.filters[name].tags
    if kind == "publishingDestination" and name in detector.destinations:
        tags: dict[str, str] = detector.destinations[name]["Tags"]
        return tags
    if kind in _KINDS and (found := detector.sets[_KINDS[kind]].get(name)) is not None and found.deleted is None:
        return found.tags
    raise no_such_resource()
