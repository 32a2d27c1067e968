"""AWS::GuardDuty::*: the detector, its lists and filters."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.services.cloudformation.resources.base import Handler, HandlerError, Properties, Work, pick, tag_map


def _retag(work: Work, arn: str, old: Properties, new: Properties) -> None:
    before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
    lost = [key for key in before if key not in after]
    if after and after != before:
        work.call("guardduty", "TagResource", ResourceArn=arn, Tags=after)
    if lost:
        work.call("guardduty", "UntagResource", ResourceArn=arn, TagKeys=lost)


def _arn(work: Work, detector_id: str, rest: str = "") -> str:
    return f"arn:aws:guardduty:{work.ctx.region}:{work.ctx.account_id}:detector/{detector_id}{rest}"


def _detector(work: Work, props: Properties) -> str:
    """Return the detector's id: the declared one, else the Region's only one."""
    if "DetectorId" in props:
        return str(props["DetectorId"])
    found = work.read("guardduty", "ListDetectors")["DetectorIds"]
    if not found:
        raise HandlerError("No detector exists for the current account.", "NotFound")
    return str(found[0])


class Detector(Handler):
    """AWS::GuardDuty::Detector; Ref is its id."""

    type = "AWS::GuardDuty::Detector"

    def create(self, work: Work, props: Properties) -> str:
        """Create the detector; a second one of the Region is refused (docs/aws-facts.md, part 3)."""
        made = work.call(
            "guardduty",
            "CreateDetector",
            Tags=work.tag_map(props.get("Tags")) or None,
            **pick(props, "Enable FindingPublishingFrequency DataSources Features"),
        )
        return work.made(made["DetectorId"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change what is enabled, and the tags."""
        settings = "Enable FindingPublishingFrequency DataSources Features"
        if pick(old, settings) != pick(new, settings):
            work.call("guardduty", "UpdateDetector", DetectorId=physical_id, **pick(new, settings))
        _retag(work, _arn(work, physical_id), old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the detector."""
        work.call("guardduty", "DeleteDetector", DetectorId=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return whether it is enabled, its frequency and the declared features."""
        found = work.read("guardduty", "GetDetector", DetectorId=physical_id)
        declared = {feature["Name"] for feature in props.get("Features", ())}
        return {
            "Enable": found["Status"] == "ENABLED",
            "FindingPublishingFrequency": found.get("FindingPublishingFrequency"),
            "Features": [pick(item, "Name Status") for item in found.get("Features", ()) if item["Name"] in declared],
        }


class _List(Handler):
    """A list of addresses over an S3 object; Ref is its id."""

    operation: ClassVar[str]
    path: ClassVar[str]

    def create(self, work: Work, props: Properties) -> str:
        """Create the list; `Activate` not declared leaves it inactive."""
        made = work.call(
            "guardduty",
            f"Create{self.operation}",
            DetectorId=_detector(work, props),
            Name=props.get("Name") or work.name(),
            Activate=props.get("Activate", False),
            Tags=work.tag_map(props.get("Tags")) or None,
            **pick(props, "Format Location ExpectedBucketOwner"),
        )
        return work.made(made[self._id_name])

    @property
    def _id_name(self) -> str:
        return "IpSetId" if self.operation == "IPSet" else f"{self.operation}Id"

    def _who(self, work: Work, physical_id: str, props: Properties) -> dict[str, str]:
        return {"DetectorId": _detector(work, props), self._id_name: physical_id}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change name, location and activation; a changed location is read anew only when Activate is true."""
        settings = "Name Location Activate ExpectedBucketOwner"
        if pick(old, settings) != pick(new, settings):
            work.call(
                "guardduty", f"Update{self.operation}", **self._who(work, physical_id, new), **pick(new, settings)
            )
        _retag(work, _arn(work, _detector(work, new), f"/{self.path}/{physical_id}"), old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the list."""
        work.call("guardduty", f"Delete{self.operation}", **self._who(work, physical_id, props))

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return name, format, location and whether it is active."""
        found = work.read("guardduty", f"Get{self.operation}", **self._who(work, physical_id, props))
        return pick(found, "Name Format Location") | {"Activate": found["Status"] in {"ACTIVE", "ACTIVATING"}}


class ThreatIntelSet(_List):
    """AWS::GuardDuty::ThreatIntelSet."""

    type = "AWS::GuardDuty::ThreatIntelSet"
    operation = "ThreatIntelSet"
    path = "threatintelset"


class IPSet(_List):
    """AWS::GuardDuty::IPSet."""

    type = "AWS::GuardDuty::IPSet"
    operation = "IPSet"
    path = "ipset"


class Filter(Handler):
    """AWS::GuardDuty::Filter; Ref is its name."""

    type = "AWS::GuardDuty::Filter"
    custom_name = "Name"
    _settings = "Action Description FindingCriteria Rank"

    def create(self, work: Work, props: Properties) -> str:
        """Create the filter."""
        work.call(
            "guardduty",
            "CreateFilter",
            Tags=work.tag_map(props.get("Tags")) or None,
            **pick(props, f"DetectorId Name {self._settings}"),
        )
        return work.made(str(props["Name"]))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change action, description, criteria and rank."""
        who = {"DetectorId": new["DetectorId"], "FilterName": physical_id}
        work.call("guardduty", "UpdateFilter", **who, **pick(new, self._settings))
        _retag(work, _arn(work, new["DetectorId"], f"/filter/{physical_id}"), old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the filter."""
        work.call("guardduty", "DeleteFilter", DetectorId=props["DetectorId"], FilterName=physical_id)

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return action, description and rank."""
        found = work.read("guardduty", "GetFilter", DetectorId=props["DetectorId"], FilterName=physical_id)
        return pick(found, "Name Action Description Rank")
