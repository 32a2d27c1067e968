"""Counts of findings, in the older way (CountBySeverity) and the newer (GroupBy)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from simulator.clock import moment
from simulator.service import Context
from simulator.services.guardduty.criteria import values
from simulator.services.guardduty.errors import invalid_value
from simulator.services.guardduty.findings import Entry, Findings
from simulator.services.guardduty.state import timestamp

DEFAULT_GROUPS = 25
DAY_MS = 86_400_000
_RESOURCE_IDS = (
    "resource.lambdaDetails.functionArn",
    "resource.s3BucketDetails.arn",
    "resource.instanceDetails.instanceId",
    "resource.eksClusterDetails.arn",
    "resource.ecsClusterDetails.arn",
    "resource.rdsDbInstanceDetails.dbInstanceArn",
    "resource.rdsLimitlessDbDetails.dbShardGroupArn",
    "resource.containerDetails.id",
    "resource.ebsSnapshotDetails.snapshotArn",
    "resource.ec2ImageDetails.imageArn",
    "resource.recoveryPointDetails.recoveryPointArn",
    "resource.accessKeyDetails.accessKeyId",
)

Key = tuple[Any, ...]


class Statistics(Findings):
    """GetFindingsStatistics."""

    def get_findings_statistics(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        FindingStatisticTypes: list[str] | None = None,
        FindingCriteria: Mapping[str, Any] | None = None,
        GroupBy: str | None = None,
        OrderBy: str | None = None,
        MaxResults: int | None = None,
    ) -> dict[str, Any]:
        """Count findings by severity (keys such as `"5.0"`) or group them, largest group first unless asked otherwise.

        Raises BadRequestException where it is asked both ways or neither. Source: API reference, GetFindingsStatistics.
        """
        entries = self.entries(ctx, DetectorId, FindingCriteria)
        if bool(GroupBy) == bool(FindingStatisticTypes):
            raise invalid_value()
        if not GroupBy:
            counts: dict[str, int] = {}
            for finding, _, _ in entries:
                counts[str(finding.severity)] = counts.get(str(finding.severity), 0) + 1
            return {"FindingStatistics": {"CountBySeverity": counts}}
        member, key_of, shape = _GROUPINGS[GroupBy]
        groups: dict[Key, list[int]] = {}
        for entry in entries:
            groups.setdefault(key_of(entry), []).append(entry[1].updated)
        order = (lambda each: each[0]) if GroupBy == "DATE" else (lambda each: (len(each[1]), str(each[0])))
        ranked = sorted(groups.items(), key=order, reverse=OrderBy != "ASC")[: MaxResults or DEFAULT_GROUPS]
        return {
            "FindingStatistics": {
                member: [
                    {**shape(*key), "LastGeneratedAt": timestamp(max(times)), "TotalFindings": len(times)}
                    for key, times in ranked
                ]
            }
        }


def _by_account(entry: Entry) -> Key:
    return (entry[0].account_id,)


def _by_date(entry: Entry) -> Key:
    return entry[1].updated // DAY_MS * DAY_MS, entry[0].severity


def _by_type(entry: Entry) -> Key:
    return (entry[0].type,)


def _by_severity(entry: Entry) -> Key:
    return (entry[0].severity,)


def _by_resource(entry: Entry) -> Key:
    ids = (found[0] for field in _RESOURCE_IDS if (found := values(entry[2], field)))
    kind = entry[2]["Resource"].get("ResourceType", "")
    return entry[0].account_id, str(next(ids, "")), kind


def _date_shape(day: int, severity: float) -> dict[str, datetime | float]:
    return {"Date": moment(day), "Severity": severity}


def _resource_shape(account: str, resource: str, kind: str) -> dict[str, str]:
    return {"AccountId": account, "ResourceId": resource, "ResourceType": kind}


_GROUPINGS: dict[str, tuple[str, Callable[[Entry], Key], Callable[..., Mapping[str, Any]]]] = {
    "ACCOUNT": ("GroupedByAccount", _by_account, lambda account: {"AccountId": account}),
    "DATE": ("GroupedByDate", _by_date, _date_shape),
    "FINDING_TYPE": ("GroupedByFindingType", _by_type, lambda type_: {"FindingType": type_}),
    "RESOURCE": ("GroupedByResource", _by_resource, _resource_shape),
    "SEVERITY": ("GroupedBySeverity", _by_severity, lambda severity: {"Severity": severity}),
}
