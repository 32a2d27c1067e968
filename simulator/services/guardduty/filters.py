"""Saved filters, of which those with the action ARCHIVE suppress: what arrives into one is archived at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simulator.service import Context
from simulator.services.guardduty.base import Base, now_ms
from simulator.services.guardduty.criteria import compile_criteria
from simulator.services.guardduty.errors import invalid_value, no_such_resource, rejected
from simulator.services.guardduty.paging import page
from simulator.services.guardduty.state import Detector, Filter, timestamp

QUOTA = 100
_NAME = re.compile(r"[A-Za-z0-9._-]{3,64}")


class Filters(Base):
    """Operations on filters."""

    def create_filter(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        Name: str,
        FindingCriteria: Mapping[str, Any],
        Description: str = "",
        Action: str = "NOOP",
        Rank: int = 1,
        ClientToken: str | None = None,
        Tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Save a filter at a rank and return its name. Raises BadRequestException for a taken name or the 101st."""
        detector = self.detector(ctx, DetectorId)
        token = f"filter:{ClientToken}" if ClientToken else ""
        if token and detector.tokens.get(token) == Name and Name in detector.filters:
            return {"Name": Name}
        if not _NAME.fullmatch(Name):
            raise invalid_value()
        if Name in detector.filters:
            raise rejected("a filter with the given name already exists.", "AlreadyExistsException")
        if len(detector.filters) >= QUOTA:
            raise rejected("the limit of filters for the current account is exceeded.", "LimitExceededException")
        now = now_ms(ctx)
        new = Filter(
            name=Name,
            description=Description,
            action=Action,
            rank=Rank,
            source=FindingCriteria,
            criteria=compile_criteria(FindingCriteria, saved=True),
            tags=dict(Tags or {}),
            created=now,
            updated=now,
        )
        _place(detector, new)
        detector.start_suppression(new, now)
        if token:
            detector.tokens[token] = Name
        return {"Name": Name}

    def get_filter(self, ctx: Context, *, DetectorId: str, FilterName: str) -> dict[str, Any]:
        """Return a filter, its criteria as they were written."""
        found = _find(self.detector(ctx, DetectorId), FilterName)
        return {
            "Name": found.name,
            "Description": found.description,
            "Action": found.action,
            "Rank": found.rank,
            "FindingCriteria": found.source,
            "Tags": dict(found.tags),
            "CreatedAt": timestamp(found.created),
            "UpdatedAt": timestamp(found.updated),
            "Version": found.version,
        }

    def list_filters(
        self, ctx: Context, *, DetectorId: str, MaxResults: int | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return the names of the filters, by rank."""
        filters = self.detector(ctx, DetectorId).filters.values()
        ranked = [each.name for each in sorted(filters, key=lambda each: each.rank)]
        names, token = page(ranked, MaxResults, NextToken)
        return {"FilterNames": names, **({"NextToken": token} if token else {})}

    def update_filter(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        FilterName: str,
        Description: str | None = None,
        Action: str | None = None,
        Rank: int | None = None,
        FindingCriteria: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Change a filter and return its name. What has arrived already stays as it is."""
        detector = self.detector(ctx, DetectorId)
        found = _find(detector, FilterName)
        if FindingCriteria is not None:
            found.criteria = compile_criteria(FindingCriteria, saved=True)
            found.source = FindingCriteria
        found.description = Description if Description is not None else found.description
        found.action = Action or found.action
        now = now_ms(ctx)
        found.updated, found.version = now, found.version + 1
        if Rank is not None and Rank != found.rank:
            del detector.filters[found.name]
            found.rank = Rank
            _place(detector, found)
        detector.end_suppression(found.name, now)
        detector.start_suppression(found, now)
        return {"Name": found.name}

    def delete_filter(self, ctx: Context, *, DetectorId: str, FilterName: str) -> dict[str, Any]:
        """Delete a filter. What it archived stays archived until it occurs again."""
        detector = self.detector(ctx, DetectorId)
        found = _find(detector, FilterName)
        del detector.filters[found.name]
        detector.end_suppression(found.name, now_ms(ctx))
        return {}


def _find(detector: Detector, name: str) -> Filter:
    if name not in detector.filters:
        raise no_such_resource()
    return detector.filters[name]


def _place(detector: Detector, new: Filter) -> None:
    """Put a filter at its rank; those from there on move one down where the rank was taken."""
    rank = new.rank
    for each in sorted(detector.filters.values(), key=lambda each: each.rank):
        if each.rank == rank:
            each.rank = rank = rank + 1
    detector.filters[new.name] = new
