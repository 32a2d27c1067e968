"""From flow records to findings, and from findings to EventBridge.

A connection of any function is looked at with the settings of its time: detector and Lambda protection on, the address
on a threat list in force and on no trusted one. It then is an occurrence of the finding of that type, function, list and
address. (AWS publishes no rule for what makes two occurrences one finding; so a function that turns to another listed
address gets a finding for it.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from simulator.clock import milliseconds, moment
from simulator.detection import ActiveList, match, port_name
from simulator.errors import AwsError
from simulator.service import Context, Flow, Upcoming
from simulator.services.guardduty.base import Base, now_ms
from simulator.services.guardduty.events import event_detail
from simulator.services.guardduty.finding import Finding, Look
from simulator.services.guardduty.state import Detector

FINDING_TYPE = "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"
SEVERITY = 5.0
THREAT_NAME = "Customer Threat Intel"
FREQUENCY_MS = {"FIFTEEN_MINUTES": 900_000, "ONE_HOUR": 3_600_000, "SIX_HOURS": 21_600_000}

_ORGANISATIONS = (
    ("EXAMPLE-HOSTING", "Example Hosting"),
    ("NORTHWIND-NET", "Northwind Networks"),
    ("BLUE-HARBOR", "Blue Harbor Cloud"),
    ("SITEWORKS", "Siteworks"),
    ("OAKGROVE-DC", "Oakgrove Data Centers"),
    ("PAGEFORGE", "Pageforge"),
    ("QUIETBAY", "Quietbay Internet"),
    ("STONEBRIDGE-AS", "Stonebridge Telecom"),
)
_COUNTRIES = (
    ("United States", 37.751, -97.822),
    ("Germany", 51.2993, 9.491),
    ("Netherlands", 52.3824, 4.8995),
    ("France", 48.8582, 2.3387),
    ("United Kingdom", 51.4964, -0.1224),
    ("Singapore", 1.3673, 103.8014),
    ("South Korea", 37.5112, 126.9741),
    ("Sweden", 59.3247, 18.056),
)


class Flows(Base):
    """Detection and publication."""

    def on_flow(self, ctx: Context, flow: Flow) -> None:
        """Note the connection; where it matches, create the finding or let it grow."""
        detector = self.detectors.get(self.lab.region)
        if detector is None or not detector.watches("LAMBDA_NETWORK_LOGS"):
            return
        at = milliseconds(flow.at)
        detector.flows[flow.function_name] = detector.flows.get(flow.function_name, 0) + 1
        hit = match(flow.ip, detector.threats(at), detector.trusted(at))
        if hit is not None:
            self._occurrence(ctx, detector, flow, hit)

    def _occurrence(self, ctx: Context, detector: Detector, flow: Flow, hit: ActiveList) -> None:
        key = (FINDING_TYPE, flow.function_name, hit.name, flow.ip)
        at = milliseconds(flow.at)
        finding = detector.growing.get(key)
        if finding is None:
            finding = self._new_finding(ctx, detector, at)
            detector.growing[key] = detector.findings[finding.id] = finding
        finding.add(at, flow.run_id, self._look(ctx, flow, hit, finding))

    def _new_finding(self, ctx: Context, detector: Detector, first: int) -> Finding:
        return Finding(
            id=ctx.ids.timed_hex(moment(first + self.lags.created)),
            account_id=ctx.account_id,
            region=detector.region,
            detector_id=detector.id,
            type=FINDING_TYPE,
            severity=SEVERITY,
            looks=[],
            origin="flow",
            lags=self.lags,
        )

    def _look(self, ctx: Context, flow: Flow, hit: ActiveList, finding: Finding) -> Look:
        name = flow.function_name
        function = self.lab.service("lambda").function_state(name)
        if function is None and finding.looks:
            resource: Mapping[str, Any] = finding.looks[-1].resource
        else:
            details = lambda_details(ctx, function or {"FunctionName": name}, flow.function_version)
            resource = {"ResourceType": "Lambda", "LambdaDetails": details}
        return Look(
            since=len(finding.times),
            title=f"The Lambda function {name} is communicating with an IP address on a custom threat list.",
            description=(
                f"The Lambda function {name} is communicating with IP address {flow.ip} "
                f"on the custom threat list {hit.name}."
            ),
            resource=resource,
            service={
                "Action": {"ActionType": "NETWORK_CONNECTION", "NetworkConnectionAction": _connection(flow)},
                "Evidence": {"ThreatIntelligenceDetails": [{"ThreatListName": hit.name, "ThreatNames": [THREAT_NAME]}]},
                "ResourceRole": "TARGET",
                "AdditionalInfo": {
                    "Value": json.dumps({"threatName": THREAT_NAME, "threatListName": hit.name}, separators=(",", ":")),
                    "Type": "default",
                },
            },
        )

    def next_due(self) -> datetime | None:
        """Return when EventBridge is next to be told of a finding."""
        times = [due for detector in self.detectors.values() for due, _ in _to_tell(detector)]
        return moment(min(times)) if times else None

    def run_due(self, ctx: Context) -> None:
        """Tell EventBridge of the findings that are due: a process.

        That a finding was told of is noted first, so that a delivery that fails is not tried over and over.
        """
        now = now_ms(ctx)
        for detector in list(self.detectors.values()):
            for finding in [finding for due, finding in _to_tell(detector) if due <= now]:
                visible = finding.seen(now)
                count = visible.count if visible else finding.told + 1
                data = {"region": detector.region, "finding": finding.id, "count": count, "at": now}
                ctx.record("guardduty", "published", data)
                if visible is not None and not detector.suppressed(finding, visible):
                    ctx.after(partial(self._tell, detail=event_detail(detector.shown(finding, visible))))

    def _tell(self, ctx: Context, *, detail: dict[str, Any]) -> None:
        self.lab.service("events").put_service_event(
            ctx, detail_type="GuardDuty Finding", source="aws.guardduty", detail=detail, resources=[], time=ctx.now
        )

    def upcoming(self, until: datetime) -> list[Upcoming]:
        """Return the functions that rules would run once EventBridge is told of what was found already."""
        events = self.lab.service("events")
        found: list[Upcoming] = []
        for detector in self.detectors.values():
            for due, finding in _to_tell(detector):
                at = max(moment(due), self.lab.clock.now())
                visible = finding.seen(due)
                if at <= until and visible is not None and not detector.suppressed(finding, visible):
                    detail = event_detail(detector.shown(finding, visible))
                    found += events.foreseen(
                        detector.region, "default", "GuardDuty Finding", "aws.guardduty", detail, at
                    )
        return found

    def apply_published(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Note that EventBridge has been told of a finding's first `count` occurrences."""
        detector = self.detectors.get(data["region"])
        finding = detector.findings.get(data["finding"]) if detector else None
        if finding is not None:
            finding.told, finding.told_at = data["count"], data["at"]


def _to_tell(detector: Detector) -> Iterator[tuple[int, Finding]]:
    """Yield each finding that EventBridge is to be told of, with the time.

    A new one when it shows; further occurrences at the detector's frequency after the last word. Source: Amazon
    GuardDuty user guide, Processing GuardDuty findings with Amazon EventBridge.
    """
    for finding in detector.findings.values():
        if finding.origin == "scenery":
            continue
        if finding.told_at is None:
            yield finding.shows(), finding
        elif finding.lags is not None and finding.told < len(finding.times):
            arrives = finding.times[finding.told] + finding.lags.updated
            due = max(arrives, finding.told_at + FREQUENCY_MS[detector.frequency])
            yield max(due, detector.frequency_since), finding  # a shorter one now does not reach back


def _connection(flow: Flow) -> dict[str, Any]:
    return {
        "Blocked": flow.action == "REJECT",
        "ConnectionDirection": "OUTBOUND",
        "Protocol": flow.protocol,
        "RemoteIpDetails": remote_ip(flow.ip),
        "RemotePortDetails": {"Port": flow.port, "PortName": port_name(flow.port)},
    }


def remote_ip(ip: str) -> dict[str, Any]:
    """Return what a finding says of a remote address.

    Organisation, country and ASN are invented from the address; ASNs are RFC 5398's for documentation, places are
    country centroids, which come without a city (docs/aws-facts.md, part 10, number 8).
    """
    digest = hashlib.sha256(ip.encode()).digest()
    as_name, organisation = _ORGANISATIONS[digest[2] % len(_ORGANISATIONS)]  # a number always has one name
    country, latitude, longitude = _COUNTRIES[digest[1] % len(_COUNTRIES)]
    return {
        "City": {},
        "Country": {"CountryName": country},
        "GeoLocation": {"Lat": latitude, "Lon": longitude},
        "IpAddressV4": ip,
        "Organization": {
            "Asn": str(64496 + digest[2] % 16),
            "AsnOrg": as_name,
            "Isp": organisation,
            "Org": organisation,
        },
    }


def lambda_details(ctx: Context, function: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Return a function as a finding describes it, from its configuration. VpcConfig only where it is attached."""
    name = function["FunctionName"]
    arn = function.get("FunctionArn", f"arn:aws:lambda:{ctx.region}:{ctx.account_id}:function:{name}")
    details: dict[str, Any] = {
        "FunctionArn": arn.removesuffix(f":{function.get('Version', '$LATEST')}"),
        "FunctionName": name,
        "Description": function.get("Description", ""),
        "LastModifiedAt": _modified(function.get("LastModified")),
        "RevisionId": function.get("RevisionId"),
        "FunctionVersion": version,
        "Role": function.get("Role"),
    }
    vpc = function.get("VpcConfig") or {}
    if vpc.get("SubnetIds"):
        details["VpcConfig"] = {
            "SubnetIds": list(vpc["SubnetIds"]),
            "VpcId": vpc.get("VpcId", ""),
            "SecurityGroups": _security_groups(ctx, vpc.get("SecurityGroupIds") or []),
        }
    details["Tags"] = [{"Key": key, "Value": value} for key, value in (function.get("Tags") or {}).items()]
    return {key: value for key, value in details.items() if value is not None}


def _modified(text: str | None) -> datetime | None:
    if text is None:
        return None
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC)


def _security_groups(ctx: Context, ids: list[str]) -> list[dict[str, str]]:
    if not ids:
        return []
    try:
        groups = ctx.read("ec2", "DescribeSecurityGroups", GroupIds=list(ids))["SecurityGroups"]
    except AwsError:  # deleted meanwhile: the finding still names their ids
        groups = []
    names = {group["GroupId"]: group["GroupName"] for group in groups}
    return [{"GroupId": each, "GroupName": names.get(each, "")} for each in ids]
