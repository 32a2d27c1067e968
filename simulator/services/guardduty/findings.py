"""Findings as an investigator works with them: list, read, archive, give feedback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.detection import Seen
from simulator.service import Context
from simulator.services.guardduty.base import Base, now_ms
from simulator.services.guardduty.criteria import Scalar, compile_criteria, values
from simulator.services.guardduty.errors import invalid_value
from simulator.services.guardduty.fields import filterable
from simulator.services.guardduty.finding import Finding
from simulator.services.guardduty.paging import page

Entry = tuple[Finding, Seen, Mapping[str, Any]]
"""A visible finding, what is visible of it, and how GetFindings shows it."""


class Findings(Base):
    """Operations on findings."""

    def entries(self, ctx: Context, detector_id: str, criteria: Mapping[str, Any] | None = None) -> list[Entry]:
        """Return the visible findings that meet the criteria, in the order of their creation."""
        detector = self.detector(ctx, detector_id)
        wanted = compile_criteria(criteria)
        shown = (
            (finding, visible, detector.shown(finding, visible)) for finding, visible in detector.visible(now_ms(ctx))
        )
        return [entry for entry in shown if wanted.match(entry[2])]

    def list_findings(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        FindingCriteria: Mapping[str, Any] | None = None,
        SortCriteria: Mapping[str, str] | None = None,
        MaxResults: int | None = None,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return ids of findings, newest update first where nothing else is asked.

        NextToken is the empty string on the last page. (AWS's default order is unknown.)
        """
        found = self.entries(ctx, DetectorId, FindingCriteria)
        _sort(found, SortCriteria or {"AttributeName": "updatedAt", "OrderBy": "DESC"})
        ids, token = page([finding.id for finding, _, _ in found], MaxResults, NextToken)
        return {"FindingIds": ids, "NextToken": token or ""}

    def get_findings(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        FindingIds: list[str],
        SortCriteria: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the findings with these ids, in their order or the one asked for; unknown ids are passed over."""
        detector = self.detector(ctx, DetectorId)
        now = now_ms(ctx)
        found: list[Entry] = []
        for finding_id in dict.fromkeys(FindingIds):
            finding = detector.findings.get(finding_id)
            if finding is not None and (visible := finding.seen(now)) is not None:
                found.append((finding, visible, detector.shown(finding, visible)))
        if SortCriteria:
            _sort(found, SortCriteria)
        return {"Findings": [body for _, _, body in found]}

    def archive_findings(self, ctx: Context, *, DetectorId: str, FindingIds: list[str]) -> dict[str, Any]:
        """Archive findings until a later occurrence arrives. Source: docs/aws-facts.md, part 2."""
        self._mark(ctx, DetectorId, FindingIds, archived=True)
        return {}

    def unarchive_findings(self, ctx: Context, *, DetectorId: str, FindingIds: list[str]) -> dict[str, Any]:
        """Make findings current again."""
        self._mark(ctx, DetectorId, FindingIds, archived=False)
        return {}

    def update_findings_feedback(
        self, ctx: Context, *, DetectorId: str, FindingIds: list[str], Feedback: str, Comments: str | None = None
    ) -> dict[str, Any]:
        """Note whether findings were useful; it shows in their UserFeedback, the comments nowhere."""
        for finding in self._known(ctx, DetectorId, FindingIds):
            finding.feedback = Feedback
        return {}

    def _mark(self, ctx: Context, detector_id: str, finding_ids: list[str], *, archived: bool) -> None:
        for finding in self._known(ctx, detector_id, finding_ids):
            finding.marked = (now_ms(ctx), archived)

    def _known(self, ctx: Context, detector_id: str, finding_ids: list[str]) -> list[Finding]:
        """Return the findings with these ids; all or none. Raises BadRequestException for one that does not show."""
        detector = self.detector(ctx, detector_id)
        found = [detector.findings.get(each) for each in finding_ids]
        known = [each for each in found if each is not None and each.seen(now_ms(ctx)) is not None]
        if len(known) != len(found):
            raise invalid_value()
        return known


def _sort(entries: list[Entry], order: Mapping[str, str]) -> None:
    """Sort in place by any field of a finding; those without it come last. Ties keep the order of creation."""
    field = order.get("AttributeName") or "updatedAt"
    if field not in filterable():
        raise invalid_value()
    if field == "updatedAt":  # the usual order, and a quicker way to it
        entries.sort(key=lambda entry: entry[1].updated, reverse=order.get("OrderBy") == "DESC")
        return
    keyed = [(values(body, field), entry) for entry in entries for body in [entry[2]]]
    present = [(_key(found[0]), entry) for found, entry in keyed if found]
    present.sort(key=lambda each: each[0], reverse=order.get("OrderBy") == "DESC")
    entries[:] = [entry for _, entry in present] + [entry for found, entry in keyed if not found]


def _key(value: Scalar) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, float(value), "")
