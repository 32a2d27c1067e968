"""Sample findings: one of each type asked for, made of placeholders, marked as samples.

Asked for again, the same finding counts one more and is current again.
"""

from __future__ import annotations

import json
from typing import Any

from simulator.clock import milliseconds
from simulator.detection import Seen
from simulator.service import Context
from simulator.services.guardduty import sample_parts as parts
from simulator.services.guardduty.base import Base
from simulator.services.guardduty.errors import invalid_value
from simulator.services.guardduty.finding import Finding, Look
from simulator.services.guardduty.finding_types import SEVERITIES
from simulator.services.guardduty.state import Detector

LIST_NAME = "GeneratedFindingThreatListName"

_SUBJECTS: dict[str, dict[str, Any]] = {
    "IAMUser": {"ResourceType": "AccessKey", "AccessKeyDetails": parts.ACCESS_KEY},
    "IAM": {"ResourceType": "AttackSequence"},
    "S3": {
        "ResourceType": "S3Bucket",
        "S3BucketDetails": [parts.BUCKET],
        "AccessKeyDetails": parts.ACCESS_KEY,
    },
    "EC2": {"ResourceType": "Instance", "InstanceDetails": parts.INSTANCE},
    "Runtime": {"ResourceType": "Instance", "InstanceDetails": parts.INSTANCE},
    "EKS": {"ResourceType": "AttackSequence"},
    "Kubernetes": {
        "ResourceType": "EKSCluster",
        "EksClusterDetails": parts.EKS,
        "KubernetesDetails": parts.KUBERNETES,
    },
    "ECS": {"ResourceType": "ECSCluster", "EcsClusterDetails": parts.ECS},
    "Container": {
        "ResourceType": "Container",
        "ContainerDetails": parts.CONTAINER,
        "InstanceDetails": parts.INSTANCE,
    },
    "Lambda": {"ResourceType": "Lambda", "LambdaDetails": parts.FUNCTION},
    "RDS": {
        "ResourceType": "RDSDBInstance",
        "RdsDbInstanceDetails": parts.DATABASE,
        "RdsDbUserDetails": parts.DATABASE_USER,
    },
}
_SCANNED: dict[str, dict[str, Any]] = {
    "Snapshot": {"ResourceType": "EBSSnapshot", "EbsSnapshotDetails": {"SnapshotArn": parts.SNAPSHOT}},
    "AMI": {"ResourceType": "EC2Image", "Ec2ImageDetails": {"ImageArn": parts.IMAGE}},
    "RecoveryPoint": {
        "ResourceType": "RecoveryPoint",
        "RecoveryPointDetails": {
            "RecoveryPointArn": parts.RECOVERY_POINT,
            "BackupVaultName": "GeneratedFindingBackupVault",
        },
    },
}
_ACTIONS: dict[str, dict[str, Any]] = {
    "IAMUser": parts.API_CALL,
    "S3": parts.API_CALL,
    "EC2": parts.CONNECTION,
    "Runtime": parts.CONNECTION,
    "Kubernetes": parts.KUBERNETES_CALL,
    "Lambda": parts.CONNECTION,
    "RDS": parts.LOGIN,
}


class Samples(Base):
    """CreateSampleFindings."""

    def create_sample_findings(
        self, ctx: Context, *, DetectorId: str, FindingTypes: list[str] | None = None
    ) -> dict[str, Any]:
        """Make a sample of each type given, or of every type. Raises BadRequestException for an unknown one."""
        detector = self.detector(ctx, DetectorId)
        if any(each not in SEVERITIES for each in FindingTypes or ()):
            raise invalid_value()
        for finding_type in dict.fromkeys(FindingTypes or SEVERITIES):
            key = ("sample", finding_type)
            known = detector.growing.get(key)
            if known is None:
                known = detector.growing[key] = _sample(ctx, detector, finding_type)
                detector.findings[known.id] = known
            else:
                _again(known, milliseconds(ctx.now))
        return {}


def _again(finding: Finding, now: int) -> None:
    before = finding.fixed
    assert before is not None
    finding.fixed = Seen(count=before.count + 1, first=before.first, last=now, created=before.created, updated=now)
    finding.kept = (0, 0, None)
    finding.told_at = None


def _sample(ctx: Context, detector: Detector, finding_type: str) -> Finding:
    now = milliseconds(ctx.now)
    return Finding(
        id=ctx.ids.uuid4().replace("-", ""),
        account_id=ctx.account_id,
        region=detector.region,
        detector_id=detector.id,
        type=finding_type,
        severity=SEVERITIES[finding_type],
        looks=[_look(finding_type)],
        origin="sample",
        fixed=Seen(count=1, first=now, last=now, created=now, updated=now),
    )


def _look(finding_type: str) -> Look:
    purpose, _, rest = finding_type.partition(":")
    subject, _, threat = rest.partition("/")
    family, _, artifact = threat.partition("!")
    resource = {"ResourceType": "AttackSequence"} if purpose == "AttackSequence" else _SUBJECTS[subject]
    words = f"{purpose} activity {family} was seen on the {resource['ResourceType']} of a sample finding"
    return Look(
        since=0,
        title=f"[SAMPLE] {words}.",
        description=f"{words}; the remote address is {parts.IP}. All of its details are placeholders.",
        resource=_SCANNED.get(artifact, resource),
        service=_service(purpose, subject, family, artifact),
    )


def _service(purpose: str, subject: str, family: str, artifact: str) -> dict[str, Any]:
    info: dict[str, Any] = {"sample": True}
    service: dict[str, Any] = {}
    if purpose != "AttackSequence" and not family.endswith("File"):
        action = _ACTIONS.get(subject)
        if artifact == "DNS" or "DomainRequest" in family:
            action = parts.DNS_REQUEST
        elif family.startswith("PortProbe"):
            action = parts.PORT_PROBE
        if action is not None:
            service["Action"] = action
    if family.endswith(".Custom"):
        info = {"threatName": "Customer Threat Intel", "threatListName": LIST_NAME, **info}
        details = {"ThreatListName": LIST_NAME, "ThreatNames": ["Customer Threat Intel"]}
        service["Evidence"] = {"ThreatIntelligenceDetails": [details]}
    service["ResourceRole"] = "ACTOR" if subject == "EC2" and purpose in {"Backdoor", "Trojan"} else "TARGET"
    service["AdditionalInfo"] = {"Value": json.dumps(info, separators=(",", ":")), "Type": "default"}
    if subject == "Runtime":
        service["RuntimeDetails"] = parts.PROCESS
    if family == "MaliciousFile":
        service["MalwareScanDetails"] = parts.SCAN
    return service
