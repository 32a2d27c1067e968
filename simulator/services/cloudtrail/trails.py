"""Trails: what an account says about delivering its events. The lab keeps the settings and delivers no files."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simulator.errors import AwsError
from simulator.service import Context

MAXIMUM = 5
"""Trails in a Region. Source: AWS CloudTrail user guide, Quotas."""

_ALL_MANAGEMENT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


_DEFAULTS = {
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": False,
    "LogFileValidationEnabled": False,
    "IsOrganizationTrail": False,
}


@dataclass(slots=True, kw_only=True)
class Trail:
    """A trail. `settings` are those that DescribeTrails shows."""

    arn: str
    settings: dict[str, Any]
    tags: dict[str, str]
    on: bool = False
    started: datetime | None = None
    stopped: datetime | None = None
    selectors: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"EventSelectors": [_ALL_MANAGEMENT]})
    insights: list[dict[str, Any]] = field(default_factory=list)

    def logs(self, region: str, source: str, read_only: bool) -> bool:
        """Return whether it logs a management event of a Region and of a service, by its principal."""
        seen = self.settings["IsMultiRegionTrail"] or self.settings["HomeRegion"] == region
        return self.on and seen and any(_chooses(each, source, read_only) for each in self._selectors())

    def _selectors(self) -> list[dict[str, Any]]:
        return [each for language in self.selectors.values() for each in language]

    def described(self) -> dict[str, Any]:
        """Return it as DescribeTrails and GetTrail do."""
        custom = self.selectors != {"EventSelectors": [_ALL_MANAGEMENT]}
        return {**self.settings, "HasCustomEventSelectors": custom, "HasInsightSelectors": bool(self.insights)}


def _chooses(selector: dict[str, Any], source: str, read_only: bool) -> bool:
    """Source: AWS CloudTrail user guide, Logging management events."""
    if "FieldSelectors" not in selector:
        wanted = selector["ReadWriteType"] in ("All", "ReadOnly" if read_only else "WriteOnly")
        return (
            selector["IncludeManagementEvents"] and wanted and source not in selector["ExcludeManagementEventSources"]
        )
    about = {"eventCategory": "Management", "eventSource": source, "readOnly": "true" if read_only else "false"}
    fields = [each for each in selector["FieldSelectors"] if each["Field"] in about]
    return any(each["Field"] == "eventCategory" for each in fields) and all(
        about[each["Field"]] in each.get("Equals", [about[each["Field"]]])
        and about[each["Field"]] not in each.get("NotEquals", [])
        for each in fields
    )


class Trails:
    """Trails of one account, by ARN. Mixed into the service.

    A trail lives in its home Region; one of many Regions is seen and named in every other as well, as its shadow.
    """

    def __init__(self) -> None:
        self._trails: dict[str, Trail] = {}

    def create_trail(
        self,
        ctx: Context,
        *,
        Name: str,
        S3BucketName: str,
        TagsList: list[dict[str, str]] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """Make a trail; it logs nothing until StartLogging. The bucket must be there, and the topic if one is named."""
        _check_name(Name)
        arn = _arn(ctx, Name)
        if arn in self._trails:
            raise AwsError("TrailAlreadyExistsException", f"Trail {Name} already exists for customer: {ctx.account_id}")
        if len(self._seen_from(ctx, shadows=False)) >= MAXIMUM:
            raise AwsError(
                "MaximumNumberOfTrailsExceededException",
                f"User: {ctx.account_id} already has {MAXIMUM} trails in {ctx.region}.",
            )
        kept = _settled(ctx, {"Name": Name, **_DEFAULTS}, {"S3BucketName": S3BucketName, **settings})
        kept |= {"TrailARN": arn, "HomeRegion": ctx.region}
        self._trails[arn] = Trail(arn=arn, settings=kept, tags=_tags(TagsList or []))
        return dict(kept)

    def update_trail(self, ctx: Context, *, Name: str, **settings: Any) -> dict[str, Any]:
        """Change a trail's settings and return it."""
        trail = self._trail(ctx, Name)
        trail.settings = _settled(ctx, trail.settings, settings)
        return dict(trail.settings)

    def delete_trail(self, ctx: Context, *, Name: str) -> None:
        """Delete a trail. What it delivered stays, and so does the event history."""
        del self._trails[self._trail(ctx, Name).arn]

    def describe_trails(
        self, ctx: Context, *, trailNameList: list[str] | None = None, includeShadowTrails: bool = True
    ) -> dict[str, Any]:
        """Return the named trails, or all, in the order they were made. Unknown names are left out, as on AWS."""
        seen = self._seen_from(ctx, shadows=includeShadowTrails)
        wanted = set(trailNameList or ())
        return {
            "trailList": [
                trail.described() for trail in seen if not wanted or wanted & {trail.arn, trail.settings["Name"]}
            ]
        }

    def get_trail(self, ctx: Context, *, Name: str) -> dict[str, Any]:
        """Return one trail."""
        return {"Trail": self._trail(ctx, Name, short=True).described()}

    def list_trails(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return name, ARN and home Region of every trail."""
        keys = ("TrailARN", "Name", "HomeRegion")
        return {"Trails": [{key: trail.settings[key] for key in keys} for trail in self._seen_from(ctx, shadows=True)]}

    def start_logging(self, ctx: Context, *, Name: str) -> None:
        """Have a trail log from now on."""
        trail = self._trail(ctx, Name)
        trail.on, trail.started = True, ctx.now

    def stop_logging(self, ctx: Context, *, Name: str) -> None:
        """Have a trail log no more. The event history goes on: it needs no trail."""
        trail = self._trail(ctx, Name)
        trail.on, trail.stopped = False, ctx.now

    def get_trail_status(self, ctx: Context, *, Name: str) -> dict[str, Any]:
        """Return whether a trail logs, and since when. No delivery is told of: the lab makes none."""
        trail = self._trail(ctx, Name)
        answer: dict[str, Any] = {
            "IsLogging": trail.on,
            "LatestDeliveryAttemptTime": "",
            "LatestDeliveryAttemptSucceeded": "",
            "LatestNotificationAttemptTime": "",
            "LatestNotificationAttemptSucceeded": "",
            "TimeLoggingStarted": f"{trail.started:%Y-%m-%dT%H:%M:%SZ}" if trail.started else "",
            "TimeLoggingStopped": f"{trail.stopped:%Y-%m-%dT%H:%M:%SZ}" if trail.stopped else "",
        }
        if trail.started:
            answer["StartLoggingTime"] = trail.started
        if trail.stopped:
            answer["StopLoggingTime"] = trail.stopped
        return answer

    def put_event_selectors(
        self,
        ctx: Context,
        *,
        TrailName: str,
        EventSelectors: list[dict[str, Any]] | None = None,
        AdvancedEventSelectors: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Choose which events a trail delivers, in one of two languages; the other's choice is forgotten."""
        trail = self._trail(ctx, TrailName)
        if bool(EventSelectors) == bool(AdvancedEventSelectors):
            text = "You must specify either event selectors or advanced event selectors, and not both."
            raise AwsError("InvalidEventSelectorsException", text)
        if EventSelectors:
            trail.selectors = {"EventSelectors": [{**_ALL_MANAGEMENT, **each} for each in EventSelectors]}
        else:
            trail.selectors = {"AdvancedEventSelectors": AdvancedEventSelectors or []}
        return {"TrailARN": trail.arn, **trail.selectors}

    def get_event_selectors(self, ctx: Context, *, TrailName: str) -> dict[str, Any]:
        """Return which events a trail delivers."""
        trail = self._trail(ctx, TrailName)
        return {"TrailARN": trail.arn, **trail.selectors}

    def put_insight_selectors(
        self, ctx: Context, *, TrailName: str = "", InsightSelectors: list[dict[str, Any]] | None = None, **_store: Any
    ) -> dict[str, Any]:
        """Choose the insights of a trail."""
        trail = self._trail(ctx, TrailName)
        trail.insights = InsightSelectors or []
        return {"TrailARN": trail.arn, "InsightSelectors": trail.insights}

    def get_insight_selectors(self, ctx: Context, *, TrailName: str = "", **_store: Any) -> dict[str, Any]:
        """Return the insights of a trail."""
        trail = self._trail(ctx, TrailName)
        if not trail.insights:
            text = f"Trail {trail.settings['Name']} does not have Insights enabled."
            raise AwsError("InsightNotEnabledException", text)
        return {"TrailARN": trail.arn, "InsightSelectors": trail.insights}

    def add_tags(self, ctx: Context, *, ResourceId: str, TagsList: list[dict[str, str]]) -> None:
        """Tag a trail, named by its ARN."""
        self._tagged(ResourceId).tags.update(_tags(TagsList))

    def remove_tags(self, ctx: Context, *, ResourceId: str, TagsList: list[dict[str, str]]) -> None:
        """Take tags off a trail."""
        trail = self._tagged(ResourceId)
        for key in _tags(TagsList):
            trail.tags.pop(key, None)

    def list_tags(self, ctx: Context, *, ResourceIdList: list[str], NextToken: str | None = None) -> dict[str, Any]:
        """Return the tags of each trail named."""
        return {
            "ResourceTagList": [
                {
                    "ResourceId": arn,
                    "TagsList": [{"Key": key, "Value": value} for key, value in self._tagged(arn).tags.items()],
                }
                for arn in ResourceIdList
            ]
        }

    def _seen_from(self, ctx: Context, *, shadows: bool) -> list[Trail]:
        return [
            trail
            for trail in self._trails.values()
            if trail.settings["HomeRegion"] == ctx.region or (shadows and trail.settings["IsMultiRegionTrail"])
        ]

    def _tagged(self, arn: str) -> Trail:
        if arn not in self._trails:
            raise AwsError("ResourceNotFoundException", f"The specified resource {arn} was not found.")
        return self._trails[arn]

    def _trail(self, ctx: Context, named: str, *, short: bool = False) -> Trail:
        """Return a trail by name or ARN. An error names it by its ARN; `short`, as it was named: GetTrail does."""
        if not named.startswith("arn:"):
            _check_name(named)
        for trail in self._seen_from(ctx, shadows=True):
            if named in (trail.arn, trail.settings["Name"]):
                return trail
        shown = named if short or named.startswith("arn:") else _arn(ctx, named)
        raise AwsError("TrailNotFoundException", f"Unknown trail: {shown} for the user: {ctx.account_id}")


def _arn(ctx: Context, name: str) -> str:
    return f"arn:aws:cloudtrail:{ctx.region}:{ctx.account_id}:trail/{name}"


def _tags(given: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in given}


def _check_name(name: str) -> None:
    """Refuse what no trail is called. Source: AWS CloudTrail API reference, CreateTrail."""
    wrong = ""
    if len(name) < 3:
        wrong = f"Trail name too short. Minimum allowed length: 3 characters. Specified name length: {len(name)} characters."
    elif len(name) > 128:
        wrong = f"Trail name too long. Maximum allowed length: 128 characters. Specified name length: {len(name)} characters."
    elif not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        end = "letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_)."
        wrong = f"Trail name or ARN can only contain uppercase {end}"
        if re.fullmatch(r"[A-Za-z0-9._-]+[^A-Za-z0-9._-]", name):
            wrong = "Trail name must ends with a letter or number."
    elif not name[0].isalnum():
        wrong = "Trail name must starts with a letter or number."
    elif not name[-1].isalnum():
        wrong = "Trail name must ends with a letter or number."
    elif re.search(r"[._-]{2}", name):
        wrong = "Trail name cannot have adjacent periods, underscores or dashes."
    elif re.fullmatch(r"\d+(\.\d+){3}", name):
        wrong = "Trail name cannot be in IP address format."
    if wrong:
        raise AwsError("InvalidTrailNameException", wrong)


def _settled(ctx: Context, before: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return a trail's settings with those given. Raises AwsError for a bucket or topic that is not there."""
    given = {key: value for key, value in settings.items() if value is not None}
    if "EnableLogFileValidation" in given:
        given["LogFileValidationEnabled"] = given.pop("EnableLogFileValidation")
    settled = before | given
    if settled["IsMultiRegionTrail"] and not settled["IncludeGlobalServiceEvents"]:
        text = "Multi-Region trail must include global service events."
        raise AwsError("InvalidParameterCombinationException", text)
    if bucket := given.get("S3BucketName"):
        try:
            ctx.read("s3", "HeadBucket", Bucket=bucket)
        except AwsError as missing:
            raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!") from missing
    if topic := given.get("SnsTopicName"):
        arn = topic if topic.startswith("arn:") else f"arn:aws:sns:{ctx.region}:{ctx.account_id}:{topic}"
        try:
            ctx.read("sns", "GetTopicAttributes", TopicArn=arn)
        except AwsError as missing:
            text = "SNS Topic does not exist or the topic policy is incorrect!"
            raise AwsError("InsufficientSnsTopicPolicyException", text) from missing
        settled |= {"SnsTopicName": arn.rpartition(":")[2], "SnsTopicARN": arn}
    return settled
