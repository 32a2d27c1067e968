"""A finding as the page's panel tells it: sections of names and values, each value with the filter that it can make.

Sections and their order: the AWS console's panel (docs/aws-facts.md, parts 0 and 1). Names of members that the panel has no
label for are the API's, in words.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.console import blocks, links
from simulator.console.blocks import Cell
from simulator.console.filters import LABELS, Filter
from simulator.console.texts import t


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the panel."""

    title: str
    rows: tuple[tuple[str, Cell], ...]


_ACTOR = ("RemoteIpDetails", "RemotePortDetails", "RemoteAccountDetails")
_WORDS = {
    "Arn": "ARN",
    "Id": "ID",
    "Ip": "IP",
    "Asn": "ASN",
    "Asn Org": "ASN organization",
    "Vpc": "VPC",
    "Api": "API",
    "Dns": "DNS",
}
_TIMES = ("LastModifiedAt", "LaunchTime", "CreatedAt", "UpdatedAt", "EventFirstSeen", "EventLastSeen")


def severity(number: float) -> tuple[str, blocks.Tone]:
    """Return a severity's name and tone. Source: GuardDuty user guide, "Severity levels"."""
    if number >= 9:
        return "Critical", "high"
    if number >= 7:
        return "High", "high"
    return ("Medium", "medium") if number >= 4 else ("Low", "low")


def resource(finding: Mapping[str, Any]) -> str:
    """Return what the list's column Resource says of a finding."""
    kind = finding["Resource"].get("ResourceType", "")
    found = finding["Resource"]
    name = {
        "Lambda": found.get("LambdaDetails", {}).get("FunctionName"),
        "Instance": found.get("InstanceDetails", {}).get("InstanceId"),
        "AccessKey": found.get("AccessKeyDetails", {}).get("UserName"),
        "S3Bucket": next((each.get("Name") for each in found.get("S3BucketDetails", [])), None),
    }.get(kind)
    return f"{kind}: {name}" if name else str(kind)


def resource_id(finding: Mapping[str, Any]) -> str:
    """Return the id of the resource that a finding is about."""
    found = finding["Resource"]
    ids = (
        found.get("LambdaDetails", {}).get("FunctionArn"),
        found.get("InstanceDetails", {}).get("InstanceId"),
        next((each.get("Name") for each in found.get("S3BucketDetails", [])), None),
        found.get("AccessKeyDetails", {}).get("AccessKeyId"),
    )
    return str(next((each for each in ids if each), ""))


def sections(finding: Mapping[str, Any], chosen: Filter) -> tuple[Section, ...]:
    """Return the panel's sections for a finding; those without any value are left out."""
    name, tone = severity(finding["Severity"])
    service = finding["Service"]
    write = _Writer(chosen)
    overview = (
        (t("Severity"), write.cell("severity", name, tone=tone)),
        (t("Region"), write.cell("region", finding["Region"])),
        (t("Count"), Cell(text=str(service.get("Count", "")))),
        (t("Account ID"), write.cell("accountId", finding["AccountId"])),
        (t("Resource ID"), Cell(text=resource_id(finding), href=links.of_arn(resource_id(finding)))),
        (t("Created at"), blocks.time(finding["CreatedAt"])),
        (t("Updated at"), blocks.time(finding["UpdatedAt"])),
    )
    action = service.get("Action", {})
    kind = next((key for key in action if key != "ActionType"), "")
    details = action.get(kind, {})
    remote = _remote(details)
    told = [
        Section(title=t("Overview"), rows=overview),
        Section(
            title=t("Resource affected"),
            rows=(
                (t("Resource role"), write.cell("service.resourceRole", service.get("ResourceRole", ""))),
                (t("Resource type"), write.cell("resource.resourceType", finding["Resource"].get("ResourceType", ""))),
                *write.rows(_without(finding["Resource"], "ResourceType"), "resource"),
            ),
        ),
        Section(
            title=t("Action"),
            rows=(
                (t("Action type"), write.cell("service.action.actionType", action.get("ActionType", ""))),
                *write.rows(_without(details, *_ACTOR), f"service.action.{_lower(kind)}"),
                (t("First seen"), blocks.time(service.get("EventFirstSeen"))),
                (t("Last seen"), blocks.time(service.get("EventLastSeen"))),
            ),
        ),
        Section(title=t("Actor"), rows=tuple(write.actor(details, kind))),
        Section(title=t("Location"), rows=tuple(write.location(remote, kind))),
        Section(title=t("Organization"), rows=tuple(write.organization(remote, kind))),
        Section(title=t("Additional information"), rows=tuple(write.additional(service))),
    ]
    return tuple(
        Section(title=each.title, rows=rows)
        for each in told
        if (rows := tuple(r for r in each.rows if r[1].text != ""))
    )


def _remote(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return where the other side is: of a connection or a call, or of the first of several probes."""
    probes = details.get("PortProbeDetails") or [{}]
    found: Mapping[str, Any] = details.get("RemoteIpDetails") or probes[0].get("RemoteIpDetails") or {}
    return found


@dataclass(frozen=True, slots=True)
class _Writer:
    chosen: Filter

    def cell(self, field: str, text: Any, *, tone: blocks.Tone = "", href: str | None = None) -> Cell:
        """Return a value with the filters that it can make, where its field is one to filter by."""
        words = str(text).lower() if isinstance(text, bool) else str(text)
        if field not in LABELS or not words:
            return Cell(text=words, tone=tone, href=href)
        return Cell(
            text=words,
            tone=tone,
            href=href,
            include=self.chosen.within(field, words).address(),
            exclude=self.chosen.within(field, words, excluded=True).address(),
        )

    def rows(self, value: Mapping[str, Any], path: str) -> Iterator[tuple[str, Cell]]:
        """Yield the leaves of an object in its order, named by their keys."""
        for key, each in value.items():
            yield from self._leaves(key, each, f"{path}.{_lower(key)}")

    def _leaves(self, key: str, value: Any, path: str) -> Iterator[tuple[str, Cell]]:
        if isinstance(value, Mapping):
            yield from self.rows(value, path)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, Mapping) and set(each) == {"Key", "Value"}:
                    yield t("Tag {key}", key=each["Key"]), self.cell(f"{path}.value", each["Value"])
                else:
                    yield from self._leaves(key, each, path)
        elif key in _TIMES:
            yield _words(key), blocks.time(value)
        elif value is not None:
            text = str(value)
            yield _words(key), self.cell(path, value, href=links.of_arn(text))

    def actor(self, details: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Cell]]:
        """Yield who is on the other side."""
        path = f"service.action.{_lower(kind)}"
        remote = _remote(details)
        yield t("IP address"), self.cell(f"{path}.remoteIpDetails.ipAddressV4", remote.get("IpAddressV4", ""))
        port = details.get("RemotePortDetails", {})
        yield t("Port"), self.cell(f"{path}.remotePortDetails.port", port.get("Port", ""))
        yield t("Port name"), Cell(text=str(port.get("PortName", "")))

    def location(self, remote: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Cell]]:
        """Yield where the other side is."""
        path = f"service.action.{_lower(kind)}.remoteIpDetails"
        yield t("City"), Cell(text=str(remote.get("City", {}).get("CityName", "")))
        yield t("Country"), self.cell(f"{path}.country.countryName", remote.get("Country", {}).get("CountryName", ""))
        for key, label in (("Lat", t("Latitude")), ("Lon", t("Longitude"))):
            yield label, Cell(text=str(remote.get("GeoLocation", {}).get(key, "")))

    def organization(self, remote: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Cell]]:
        """Yield whose network the other side is in."""
        path = f"service.action.{_lower(kind)}.remoteIpDetails.organization"
        found = remote.get("Organization", {})
        yield "Asn", self.cell(f"{path}.asn", found.get("Asn", ""))
        yield "Asn org", self.cell(f"{path}.asnOrg", found.get("AsnOrg", ""))
        yield "Isp", Cell(text=str(found.get("Isp", "")))
        yield "Org", Cell(text=str(found.get("Org", "")))

    def additional(self, service: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
        """Yield what else is known, and whether the finding is archived."""
        try:
            more = json.loads(service.get("AdditionalInfo", {}).get("Value", "{}"))
        except ValueError:
            more = {}
        for key, value in more.items() if isinstance(more, dict) else ():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield _words(key[:1].upper() + key[1:]), self.cell(f"service.additionalInfo.{key}", text)
        for detail in service.get("Evidence", {}).get("ThreatIntelligenceDetails", []):
            yield (
                t("Evidence"),
                Cell(text=", ".join([detail.get("ThreatListName", ""), *detail.get("ThreatNames", [])])),
            )
        yield t("Archived"), Cell(text=str(service.get("Archived", False)).lower())


def _without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: each for key, each in value.items() if key not in names}


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _words(name: str) -> str:
    """Return a member's name in words: `FunctionArn` is `Function ARN`."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", name)
    words = [_WORDS.get(part, part if number == 0 else part.lower()) for number, part in enumerate(parts)]
    return t(" ".join(words))
