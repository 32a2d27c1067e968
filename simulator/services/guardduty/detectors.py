"""Detectors: settings, features, and the older DataSources that say the same in other words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from simulator.errors import AwsError
from simulator.permissions import LINKED_ROLES
from simulator.service import Context
from simulator.services.guardduty.base import Base, now_ms
from simulator.services.guardduty.errors import invalid_value, rejected
from simulator.services.guardduty.finding import iso
from simulator.services.guardduty.paging import page
from simulator.services.guardduty.state import Detector, Feature, timestamp

PRINCIPAL = "guardduty.amazonaws.com"
ROLE = LINKED_ROLES[PRINCIPAL]
FOUNDATIONAL = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")
PROTECTIONS = ("S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS")
"""On in a new detector unless it says otherwise. Source: Amazon GuardDuty user guide, Getting started."""
RUNTIME = {
    "EKS_RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT",),
    "RUNTIME_MONITORING": ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"),
}
"""Off in a new detector, with the agents that each can manage."""
_ADDITIONS = {**RUNTIME, "RDS_LOGIN_EVENTS": ("RDS_DATA_RISK",)}


def status(enabled: bool) -> str:
    """Return AWS's word for on or off."""
    return "ENABLED" if enabled else "DISABLED"


class Detectors(Base):
    """Operations on detectors."""

    def create_detector(
        self,
        ctx: Context,
        *,
        Enable: bool,
        ClientToken: str | None = None,
        FindingPublishingFrequency: str | None = None,
        DataSources: Mapping[str, Any] | None = None,
        Tags: Mapping[str, str] | None = None,
        Features: list[Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Create the region's detector and return its id. A second one is refused (docs/aws-facts.md, part 4)."""
        existing = self.detectors.get(ctx.region)
        if existing is not None:
            if ClientToken and existing.token == ClientToken:
                return {"DetectorId": existing.id}
            raise rejected("a detector already exists for the current account.", "AlreadyExistsException")
        changes = _changes(Features, DataSources)
        now = now_ms(ctx)
        detector = Detector(
            id=ctx.ids.timed_hex(ctx.now),
            account_id=ctx.account_id,
            region=ctx.region,
            created=now,
            updated=now,
            enabled=Enable,
            frequency=FindingPublishingFrequency or "SIX_HOURS",
            frequency_since=now,
            features=_new_features(now),
            tags=dict(Tags or {}),
            token=ClientToken,
        )
        _apply(detector.features, changes, now)
        for feature in detector.features.values():
            feature.begun = now if feature.enabled else None
        self.detectors[ctx.region] = detector
        ctx.after(_link_role)
        return {"DetectorId": detector.id}

    def get_detector(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Return the detector's settings."""
        detector = self.detector(ctx, DetectorId)
        return {
            "CreatedAt": iso(detector.created),
            "FindingPublishingFrequency": detector.frequency,
            "ServiceRole": service_role(ctx),
            "Status": status(detector.enabled),
            "UpdatedAt": iso(detector.updated),
            "DataSources": data_sources(ctx, detector),
            "Tags": dict(detector.tags),
            "Features": _shown_features(detector),
        }

    def list_detectors(
        self, ctx: Context, *, MaxResults: int | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return the id of the region's detector, if it has one."""
        found = self.detectors.get(ctx.region)
        ids, token = page([found.id] if found else [], MaxResults, NextToken)
        return {"DetectorIds": ids, **({"NextToken": token} if token else {})}

    def update_detector(
        self,
        ctx: Context,
        *,
        DetectorId: str,
        Enable: bool | None = None,
        FindingPublishingFrequency: str | None = None,
        DataSources: Mapping[str, Any] | None = None,
        Features: list[Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Change what is given and leave the rest."""
        detector = self.detector(ctx, DetectorId)
        changes = _changes(Features, DataSources)
        now = now_ms(ctx)
        _apply(detector.features, changes, now)
        if Enable is not None:
            detector.enabled = Enable
        if FindingPublishingFrequency not in (None, detector.frequency):
            detector.frequency, detector.frequency_since = FindingPublishingFrequency, now
        detector.updated = now
        return {}

    def delete_detector(self, ctx: Context, *, DetectorId: str) -> dict[str, Any]:
        """Delete the detector with its lists, filters and findings."""
        del self.detectors[self.detector(ctx, DetectorId).region]
        return {}

    def uses_of_linked_role(self) -> dict[str, list[str]]:
        """Return what needs the service-linked role, by Region: the ARNs of the detectors."""
        return {
            region: [f"arn:aws:guardduty:{region}:{detector.account_id}:detector/{detector.id}"]
            for region, detector in self.detectors.items()
        }


def _link_role(ctx: Context) -> None:
    """Make the service-linked role where the account has none, for whoever creates the detector: a process.

    Source: Amazon GuardDuty user guide, Service-linked role permissions for GuardDuty.
    """
    try:
        ctx.read("iam", "GetRole", RoleName=ROLE)
    except AwsError:
        with suppress(AwsError):  # who may not make it has a detector without it, and the trail has the refusal
            ctx.call("iam", "CreateServiceLinkedRole", invoked_by=PRINCIPAL, AWSServiceName=PRINCIPAL)


def service_role(ctx: Context) -> str:
    """Return the ARN of GuardDuty's service-linked role."""
    return f"arn:aws:iam::{ctx.account_id}:role/aws-service-role/{PRINCIPAL}/{ROLE}"


def _new_features(now: int) -> dict[str, Feature]:
    features = {name: Feature(enabled=True, updated=now) for name in (*FOUNDATIONAL, *PROTECTIONS)}
    for name, additional in RUNTIME.items():
        features[name] = Feature(enabled=False, updated=now, additional=dict.fromkeys(additional, (False, now)))
    return features


Change = tuple[str, bool | None, dict[str, bool]]


def _changes(features: list[Mapping[str, Any]] | None, sources: Mapping[str, Any] | None) -> list[Change]:
    """Return what a request changes: feature, its new status if any, statuses of its additional configuration.

    Features and DataSources in one request are refused (Amazon GuardDuty user guide, GuardDuty API changes in March
    2023), and so are both kinds of runtime monitoring (API reference, CreateDetector).
    """
    if features and sources:
        raise invalid_value()
    changes = [*_from_features(features or []), *_from_sources(sources or {})]
    if len({name for name, enabled, _ in changes if name in RUNTIME and enabled}) > 1:
        raise invalid_value()
    return changes


def _from_features(features: list[Mapping[str, Any]]) -> Iterable[Change]:
    for feature in features:
        name, wanted = feature.get("Name"), feature.get("Status")
        if name is None:
            raise invalid_value()
        additional = {}
        for each in feature.get("AdditionalConfiguration") or []:
            if each.get("Name") not in _ADDITIONS.get(name, ()):
                raise invalid_value()
            additional[each["Name"]] = each.get("Status") == "ENABLED"
        yield name, None if wanted is None else wanted == "ENABLED", additional


def _from_sources(sources: Mapping[str, Any]) -> Iterable[Change]:
    paths = {
        "S3_DATA_EVENTS": ("S3Logs", "Enable"),
        "EKS_AUDIT_LOGS": ("Kubernetes", "AuditLogs", "Enable"),
        "EBS_MALWARE_PROTECTION": ("MalwareProtection", "ScanEc2InstanceWithFindings", "EbsVolumes"),
    }
    for name, path in paths.items():
        node: Any = sources
        for part in path:
            node = node.get(part) if isinstance(node, Mapping) else None
        if isinstance(node, bool):
            yield name, node, {}


def _apply(features: dict[str, Feature], changes: list[Change], now: int) -> None:
    for name, enabled, additional in changes:
        feature = features.setdefault(name, Feature(enabled=False, updated=now))
        if enabled is not None:
            feature.enabled, feature.updated = enabled, now
            if enabled and feature.begun is None:
                feature.begun = now
            for other in RUNTIME if enabled and name in RUNTIME else ():
                if other != name and features[other].enabled:  # one replaces the other
                    features[other].enabled, features[other].updated = False, now
        for each, on in additional.items():
            feature.additional[each] = (on, now)


def _shown_features(detector: Detector) -> list[dict[str, Any]]:
    return [
        {
            "Name": name,
            "Status": status(feature.enabled),
            "UpdatedAt": timestamp(feature.updated),
            **(
                {
                    "AdditionalConfiguration": [
                        {"Name": each, "Status": status(on), "UpdatedAt": timestamp(at)}
                        for each, (on, at) in feature.additional.items()
                    ]
                }
                if feature.additional
                else {}
            ),
        }
        for name, feature in detector.features.items()
    ]


def data_sources(ctx: Context, detector: Detector) -> dict[str, Any]:
    """Return the detector's features as the older DataSources."""

    def on(feature: str) -> dict[str, str]:
        return {"Status": status(detector.features[feature].enabled)}

    return {
        "CloudTrail": on("CLOUD_TRAIL"),
        "DNSLogs": on("DNS_LOGS"),
        "FlowLogs": on("FLOW_LOGS"),
        "S3Logs": on("S3_DATA_EVENTS"),
        "Kubernetes": {"AuditLogs": on("EKS_AUDIT_LOGS")},
        "MalwareProtection": {
            "ScanEc2InstanceWithFindings": {"EbsVolumes": on("EBS_MALWARE_PROTECTION")},
            "ServiceRole": (
                f"arn:aws:iam::{ctx.account_id}:role/aws-service-role/malware-protection.guardduty.amazonaws.com/"
                "AWSServiceRoleForAmazonGuardDutyMalwareProtection"
            ),
        },
    }
