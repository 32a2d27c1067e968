"""What GuardDuty costs: usage statistics and free-trial days.

Lambda protection is charged for the network logs that functions really made in the lab, the rest by the hours that a
feature was on. Prices are those of us-east-1 in kind, the amounts are the lab's own (AWS tells nobody how it rounds).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.service import Context
from simulator.services.guardduty.base import Base, now_ms
from simulator.services.guardduty.errors import invalid_value
from simulator.services.guardduty.paging import page
from simulator.services.guardduty.state import Detector

HOUR_MS = 3_600_000
TRIAL_DAYS = 30
NOT_A_MEMBER = (
    "The request is rejected because the given account ID is not an associated member of account the current account."
)

USD_AN_HOUR = {
    "CLOUD_TRAIL": 0.0001640,
    "DNS_LOGS": 0.0000210,
    "FLOW_LOGS": 0.0000870,
    "S3_DATA_EVENTS": 0.0000330,
    "EKS_AUDIT_LOGS": 0.0,
    "EBS_MALWARE_PROTECTION": 0.0,
    "RDS_LOGIN_EVENTS": 0.0,
}
USD_A_CONNECTION = 0.0000012
"""A flow-log record and its share of compression and transfer, at one dollar a gigabyte."""

DATA_SOURCES = {
    "CLOUD_TRAIL": "CLOUD_TRAIL",
    "DNS_LOGS": "DNS_LOGS",
    "FLOW_LOGS": "FLOW_LOGS",
    "S3_DATA_EVENTS": "S3_LOGS",
    "EKS_AUDIT_LOGS": "KUBERNETES_AUDIT_LOGS",
    "EBS_MALWARE_PROTECTION": "EC2_MALWARE_SCAN",
}
_TRIAL_SOURCES = {
    "CLOUD_TRAIL": ("CloudTrail",),
    "DNS_LOGS": ("DnsLogs",),
    "FLOW_LOGS": ("FlowLogs",),
    "S3_DATA_EVENTS": ("S3Logs",),
    "EKS_AUDIT_LOGS": ("Kubernetes", "AuditLogs"),
    "EBS_MALWARE_PROTECTION": ("MalwareProtection", "ScanEc2InstanceWithFindings"),
}
_TRIALS = (*_TRIAL_SOURCES, "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "EKS_RUNTIME_MONITORING")


class Usage(Base):
    """Operations on usage and free trials."""

    def get_usage_statistics(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        UsageStatisticType: str,
        UsageCriteria: Mapping[str, Any],
        Unit: str | None = None,
        MaxResults: int | None = None,
        NextToken: str | None = None,
    ) -> dict[str, Any]:
        """Return the cost in US dollars since the detector began, by account, data source, feature or resource."""
        detector = self.detector(ctx, DetectorId)
        if Unit not in (None, "USD"):
            raise invalid_value()
        accounts = UsageCriteria.get("AccountIds")
        features = {} if accounts and ctx.account_id not in accounts else self._features(ctx, detector, UsageCriteria)
        functions = {} if "LAMBDA_NETWORK_LOGS" not in features else self._functions(detector, UsageCriteria)
        member, lines = _lines(UsageStatisticType, ctx.account_id, features, functions)
        shown, token = page(lines, MaxResults, NextToken)
        return {"UsageStatistics": {member: shown}, **({"NextToken": token} if token else {})}

    def _features(self, ctx: Context, detector: Detector, criteria: Mapping[str, Any]) -> dict[str, float]:
        """Return the cost of each feature that is asked for and on."""
        hours = (now_ms(ctx) - detector.created) / HOUR_MS
        costs = {name: hours * price for name, price in USD_AN_HOUR.items() if detector.watches(name)}
        costs["LAMBDA_NETWORK_LOGS"] = sum(detector.flows.values()) * USD_A_CONNECTION
        wanted, sources = criteria.get("Features"), criteria.get("DataSources")
        return {
            name: cost
            for name, cost in costs.items()
            if (not wanted or name in wanted) and (not sources or DATA_SOURCES.get(name) in sources)
        }

    def _functions(self, detector: Detector, criteria: Mapping[str, Any]) -> dict[str, float]:
        wanted = criteria.get("Resources")
        prefix = f"arn:aws:lambda:{detector.region}:{detector.account_id}:function:"
        costs = {prefix + name: count * USD_A_CONNECTION for name, count in detector.flows.items()}
        return {arn: cost for arn, cost in costs.items() if not wanted or arn in wanted}

    def get_remaining_free_trial_days(
        self, ctx: Context, *, DetectorId: str, AccountIds: list[str] | None = None
    ) -> dict[str, Any]:
        """Return what is left of the 30 free days of each feature; other accounts are no members of this one."""
        detector = self.detector(ctx, DetectorId)
        asked = AccountIds or [ctx.account_id]
        trials = [_trial(detector, now_ms(ctx))] if ctx.account_id in asked else []
        return {
            "Accounts": trials,
            "UnprocessedAccounts": [
                {"AccountId": each, "Result": NOT_A_MEMBER} for each in asked if each != ctx.account_id
            ],
        }


def _total(cost: float) -> dict[str, str]:
    return {"Amount": f"{cost:.10f}", "Unit": "USD"}


def _lines(
    kind: str, account: str, features: Mapping[str, float], functions: Mapping[str, float]
) -> tuple[str, list[dict[str, Any]]]:
    """Return the member of UsageStatistics for a kind, and its lines, the most expensive first."""

    def ranked(costs: Mapping[str, float]) -> Iterable[tuple[str, float]]:
        return sorted(costs.items(), key=lambda each: (-each[1], each[0]))

    total = _total(sum(features.values()))
    if kind == "SUM_BY_ACCOUNT":
        return "SumByAccount", [{"AccountId": account, "Total": total}] if features else []
    if kind == "SUM_BY_DATA_SOURCE":
        sources = {DATA_SOURCES[name]: cost for name, cost in features.items() if name in DATA_SOURCES}
        return "SumByDataSource", [{"DataSource": name, "Total": _total(cost)} for name, cost in ranked(sources)]
    if kind == "SUM_BY_FEATURES":
        return "SumByFeature", [{"Feature": name, "Total": _total(cost)} for name, cost in ranked(features)]
    if kind == "TOP_ACCOUNTS_BY_FEATURE":
        return "TopAccountsByFeature", [
            {"Feature": name, "Accounts": [{"AccountId": account, "Total": _total(cost)}]}
            for name, cost in ranked(features)
        ]
    member = "SumByResource" if kind == "SUM_BY_RESOURCE" else "TopResources"
    return member, [{"Resource": arn, "Total": _total(cost)} for arn, cost in ranked(functions)]


def _trial(detector: Detector, now: int) -> dict[str, Any]:
    days = {}
    for name in _TRIALS:
        begun = detector.features[name].begun
        used = (now - begun) // (24 * HOUR_MS) if begun is not None else 0
        days[name] = max(TRIAL_DAYS - used, 0)
    sources: dict[str, Any] = {}
    for name, path in _TRIAL_SOURCES.items():
        node = sources
        for part in path:
            node = node.setdefault(part, {})
        node["FreeTrialDaysRemaining"] = days[name]
    return {
        "AccountId": detector.account_id,
        "DataSources": sources,
        "Features": [{"Name": name, "FreeTrialDaysRemaining": left} for name, left in days.items()],
    }
