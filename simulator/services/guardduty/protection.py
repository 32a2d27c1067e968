"""What the lab has nothing behind: malware scans, runtime coverage, investigations, custom detection rules.

Lists are empty, settings are kept, and whatever would have to do real work is refused in AWS's manner instead of
pretending that it was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.guardduty.base import Base
from simulator.services.guardduty.errors import rejected
from simulator.services.guardduty.paging import page


class Protection(Base):
    """Operations of features that the lab has only the outside of."""

    # Malware scans

    def get_malware_scan_settings(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Return the settings of malware scans."""
        kept = self.detector(ctx, DetectorId).malware
        return {
            "ScanResourceCriteria": kept.get("ScanResourceCriteria", {}),
            "EbsSnapshotPreservation": kept.get("EbsSnapshotPreservation", "NO_RETENTION"),
        }

    def update_malware_scan_settings(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        ScanResourceCriteria: Mapping[str, Any] | None = None,
        EbsSnapshotPreservation: str | None = None,
    ) -> dict[str, Any]:
        """Keep the settings of malware scans."""
        kept = self.detector(ctx, DetectorId).malware
        if ScanResourceCriteria is not None:
            kept["ScanResourceCriteria"] = ScanResourceCriteria
        if EbsSnapshotPreservation is not None:
            kept["EbsSnapshotPreservation"] = EbsSnapshotPreservation
        return {}

    def describe_malware_scans(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        NextToken: str | None = None,
        MaxResults: int | None = None,
        **criteria: Any,
    ) -> dict[str, Any]:
        """Return no scan."""
        self.detector(ctx, DetectorId)
        return {"Scans": page([], MaxResults, NextToken)[0]}

    def list_malware_scans(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None, **criteria: Any
    ) -> dict[str, Any]:
        """Return no scan."""
        return {"Scans": page([], MaxResults, NextToken)[0]}

    def get_malware_scan(self, ctx: Context, *, ScanId: str) -> dict[str, Any]:
        """Refuse: there is no scan."""
        raise _not_found("scan", ScanId)

    def start_malware_scan(self, ctx: Context, *, ResourceArn: str, **settings: Any) -> dict[str, Any]:
        """Refuse: the lab scans nothing."""
        raise rejected("on-demand malware scans are not supported for the given resource.")

    def send_object_malware_scan(self, ctx: Context, **settings: Any) -> dict[str, Any]:
        """Refuse: the lab scans nothing."""
        raise rejected("on-demand malware scans are not supported for the given resource.")

    # Malware protection plans

    def create_malware_protection_plan(
        self, ctx: Context, *, Role: str, ProtectedResource: Mapping[str, Any], **settings: Any
    ) -> dict[str, Any]:
        """Refuse: the lab scans nothing."""
        raise rejected("Malware Protection for S3 is not supported in the current Region.")

    def list_malware_protection_plans(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return no plan."""
        return {"MalwareProtectionPlans": page([], None, NextToken)[0]}

    def get_malware_protection_plan(self, ctx: Context, *, MalwareProtectionPlanId: str) -> dict[str, Any]:
        """Refuse: there is no plan."""
        raise _not_found("Malware Protection plan", MalwareProtectionPlanId)

    def update_malware_protection_plan(
        self, ctx: Context, *, MalwareProtectionPlanId: str, **settings: Any
    ) -> dict[str, Any]:
        """Refuse: there is no plan."""
        raise _not_found("Malware Protection plan", MalwareProtectionPlanId)

    def delete_malware_protection_plan(self, ctx: Context, *, MalwareProtectionPlanId: str) -> dict[str, Any]:
        """Refuse: there is no plan."""
        raise _not_found("Malware Protection plan", MalwareProtectionPlanId)

    # Runtime coverage

    def list_coverage(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        NextToken: str | None = None,
        MaxResults: int | None = None,
        **criteria: Any,
    ) -> dict[str, Any]:
        """Return no resource: none in the lab runs an agent."""
        self.detector(ctx, DetectorId)
        return {"Resources": page([], MaxResults, NextToken)[0]}

    def get_coverage_statistics(
        self, ctx: Context, *, DetectorId: str, StatisticsType: list[str], **criteria: Any
    ) -> dict[str, Any]:
        """Return counts of no resource."""
        self.detector(ctx, DetectorId)
        members = {"COUNT_BY_RESOURCE_TYPE": "CountByResourceType", "COUNT_BY_COVERAGE_STATUS": "CountByCoverageStatus"}
        return {"CoverageStatistics": {members[each]: {} for each in StatisticsType}}

    # Investigations

    def create_investigation(
        self, ctx: Context, *, DetectorId: str, TriggerPrompt: str, ClientToken: str | None = None
    ) -> dict[str, Any]:
        """Refuse: there is no analyst in the lab but the trainee."""
        if not self.detector(ctx, DetectorId).watches("AI_ANALYST"):
            raise rejected("the feature AI_ANALYST is not enabled for the detector.")
        raise rejected("investigations are not supported in the current Region.")

    def list_investigations(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        MaxResults: int | None = None,
        NextToken: str | None = None,
        **criteria: Any,
    ) -> dict[str, Any]:
        """Return no investigation."""
        self.detector(ctx, DetectorId)
        return {"Investigations": page([], MaxResults, NextToken)[0]}

    def get_investigation(
        self, ctx: Context, *, DetectorId: str, InvestigationId: str, SummaryFormat: str | None = None
    ) -> dict[str, Any]:
        """Refuse: there is no investigation."""
        self.detector(ctx, DetectorId)
        raise _not_found("investigation", InvestigationId)

    def list_investigation_records(
        self, ctx: Context, *, DetectorId: str, InvestigationId: str, **criteria: Any
    ) -> dict[str, Any]:
        """Refuse: there is no investigation."""
        self.detector(ctx, DetectorId)
        raise _not_found("investigation", InvestigationId)

    # Custom detection rules

    def list_custom_detection_rules(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None, **criteria: Any
    ) -> dict[str, Any]:
        """Return no rule."""
        return {"Rules": page([], MaxResults, NextToken)[0]}

    def list_custom_detection_rule_associations(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None, **criteria: Any
    ) -> dict[str, Any]:
        """Return no association."""
        return {"RuleAssociations": page([], MaxResults, NextToken)[0]}

    def list_custom_detection_rule_org_configurations(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None, **criteria: Any
    ) -> dict[str, Any]:
        """Return no configuration."""
        return {"Configurations": page([], MaxResults, NextToken)[0]}

    def get_custom_detection_rule(self, ctx: Context, *, RuleId: str, **settings: Any) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def create_custom_detection_rule_association(self, ctx: Context, *, RuleId: str, **settings: Any) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def get_custom_detection_rule_association(self, ctx: Context, *, RuleId: str, **settings: Any) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def update_custom_detection_rule_association(self, ctx: Context, *, RuleId: str, **settings: Any) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def delete_custom_detection_rule_association(self, ctx: Context, *, RuleId: str, **settings: Any) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def create_custom_detection_rule_org_configuration(
        self, ctx: Context, *, RuleId: str, **settings: Any
    ) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def get_custom_detection_rule_org_configuration(
        self, ctx: Context, *, RuleId: str, **settings: Any
    ) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def update_custom_detection_rule_org_configuration(
        self, ctx: Context, *, RuleId: str, **settings: Any
    ) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)

    def delete_custom_detection_rule_org_configuration(
        self, ctx: Context, *, RuleId: str, **settings: Any
    ) -> dict[str, Any]:
        """Refuse: there is no rule."""
        raise _not_found("custom detection rule", RuleId)


def _not_found(kind: str, name: str) -> AwsError:
    return AwsError(
        "ResourceNotFoundException",
        f"The requested {kind} {name} can't be found.",
        status=404,
        Type="NoSuchEntityException",
    )
