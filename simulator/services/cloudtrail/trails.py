"""Trails: what an account says about delivering its events. The lab keeps the settings and delivers no files."""

from datetime import datetime
from typing import Any

from simulator.errors import AwsError
from simulator.service import Context

MAXIMUM = 5
_ALL_MANAGEMENT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


class Trails:
    """Trails of one account, by name. Mixed into the service."""

    def __init__(self) -> None:
        self._trails: dict[str, dict[str, Any]] = {}
        self._logging: dict[str, dict[str, datetime | bool]] = {}
        self._selectors: dict[str, list[dict[str, Any]]] = {}
        self._insights: dict[str, list[dict[str, Any]]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def create_trail(
        self,
        ctx: Context,
        *,
        Name: str,
        S3BucketName: str,
        TagsList: list[dict[str, str]] | None = None,
        **settings: Any,
    ) -> dict[str, Any]:
        """Make a trail; it logs nothing until StartLogging. The bucket must be there."""
        if Name in self._trails:
            raise AwsError("TrailAlreadyExistsException", f"Trail {Name} already exists for customer: {ctx.account_id}")
        if len(self._trails) >= MAXIMUM:
            raise AwsError(
                "MaximumNumberOfTrailsExceededException",
                f"User: {ctx.account_id} already has {MAXIMUM} trails in {ctx.region}.",
            )
        _bucket_exists(ctx, S3BucketName)
        arn = f"arn:aws:cloudtrail:{ctx.region}:{ctx.account_id}:trail/{Name}"
        self._trails[Name] = {
            "Name": Name,
            "S3BucketName": S3BucketName,
            **_defaults(settings),
            "TrailARN": arn,
            "HomeRegion": ctx.region,
        }
        self._tags[arn] = {tag["Key"]: tag.get("Value", "") for tag in TagsList or []}
        return _described(self._trails[Name], short=True)

    def update_trail(
        self, ctx: Context, *, Name: str, S3BucketName: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """Change a trail's settings and return it."""
        trail = self._trail(Name)
        if S3BucketName:
            _bucket_exists(ctx, S3BucketName)
            trail["S3BucketName"] = S3BucketName
        trail |= {key: value for key, value in _renamed(settings).items() if value is not None}
        return _described(trail, short=True)

    def delete_trail(self, ctx: Context, *, Name: str) -> None:
        """Delete a trail. What it delivered stays, and so does the event history."""
        trail = self._trail(Name)
        for kept in (self._trails, self._logging, self._selectors, self._insights):
            kept.pop(trail["Name"], None)
        self._tags.pop(trail["TrailARN"], None)

    def describe_trails(
        self, ctx: Context, *, trailNameList: list[str] | None = None, includeShadowTrails: bool = True
    ) -> dict[str, Any]:
        """Return the named trails, or all, in the order they were made. Unknown names are left out, as on AWS."""
        names = [name.rpartition("/")[2] for name in trailNameList or self._trails]
        return {"trailList": [_described(self._trails[name]) for name in names if name in self._trails]}

    def get_trail(self, ctx: Context, *, Name: str) -> dict[str, Any]:
        """Return one trail."""
        return {"Trail": _described(self._trail(Name))}

    def list_trails(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return name, ARN and home Region of every trail."""
        keys = ("TrailARN", "Name", "HomeRegion")
        return {"Trails": [{key: trail[key] for key in keys} for trail in self._trails.values()]}

    def start_logging(self, ctx: Context, *, Name: str) -> None:
        """Have a trail log from now on."""
        self._logging.setdefault(self._trail(Name)["Name"], {}).update(on=True, started=ctx.now)

    def stop_logging(self, ctx: Context, *, Name: str) -> None:
        """Have a trail log no more. The event history goes on: it needs no trail."""
        self._logging.setdefault(self._trail(Name)["Name"], {}).update(on=False, stopped=ctx.now)

    def get_trail_status(self, ctx: Context, *, Name: str) -> dict[str, Any]:
        """Return whether a trail logs, since when, and its last delivery."""
        state = self._logging.get(self._trail(Name)["Name"], {})
        started, stopped = state.get("started"), state.get("stopped")
        answer: dict[str, Any] = {"IsLogging": bool(state.get("on"))}
        if isinstance(started, datetime):
            answer |= {"StartLoggingTime": started, "TimeLoggingStarted": f"{started:%Y-%m-%dT%H:%M:%SZ}"}
        if isinstance(stopped, datetime):
            answer |= {"StopLoggingTime": stopped, "TimeLoggingStopped": f"{stopped:%Y-%m-%dT%H:%M:%SZ}"}
        return answer

    def put_event_selectors(
        self,
        ctx: Context,
        *,
        TrailName: str,
        EventSelectors: list[dict[str, Any]] | None = None,
        AdvancedEventSelectors: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Choose which events a trail delivers."""
        trail = self._trail(TrailName)
        self._selectors[trail["Name"]] = EventSelectors or [dict(_ALL_MANAGEMENT)]
        answer: dict[str, Any] = {"TrailARN": trail["TrailARN"], "EventSelectors": self._selectors[trail["Name"]]}
        if AdvancedEventSelectors:
            answer["AdvancedEventSelectors"] = AdvancedEventSelectors
        return answer

    def get_event_selectors(self, ctx: Context, *, TrailName: str) -> dict[str, Any]:
        """Return which events a trail delivers."""
        trail = self._trail(TrailName)
        return {
            "TrailARN": trail["TrailARN"],
            "EventSelectors": self._selectors.get(trail["Name"], [dict(_ALL_MANAGEMENT)]),
        }

    def put_insight_selectors(
        self, ctx: Context, *, TrailName: str = "", InsightSelectors: list[dict[str, Any]] | None = None, **_store: Any
    ) -> dict[str, Any]:
        """Choose the insights of a trail."""
        trail = self._trail(TrailName)
        self._insights[trail["Name"]] = InsightSelectors or []
        return {"TrailARN": trail["TrailARN"], "InsightSelectors": self._insights[trail["Name"]]}

    def get_insight_selectors(self, ctx: Context, *, TrailName: str = "", **_store: Any) -> dict[str, Any]:
        """Return the insights of a trail."""
        trail = self._trail(TrailName)
        if not self._insights.get(trail["Name"]):
            raise AwsError("InsightNotEnabledException", f"Trail {trail['Name']} does not have Insights enabled.")
        return {"TrailARN": trail["TrailARN"], "InsightSelectors": self._insights[trail["Name"]]}

    def add_tags(self, ctx: Context, *, ResourceId: str, TagsList: list[dict[str, str]]) -> None:
        """Tag a trail, named by its ARN."""
        self._tagged(ResourceId).update({tag["Key"]: tag.get("Value", "") for tag in TagsList})

    def remove_tags(self, ctx: Context, *, ResourceId: str, TagsList: list[dict[str, str]]) -> None:
        """Take tags off a trail."""
        tags = self._tagged(ResourceId)
        for tag in TagsList:
            tags.pop(tag["Key"], None)

    def list_tags(self, ctx: Context, *, ResourceIdList: list[str], NextToken: str | None = None) -> dict[str, Any]:
        """Return the tags of each trail named."""
        return {
            "ResourceTagList": [
                {
                    "ResourceId": arn,
                    "TagsList": [{"Key": key, "Value": value} for key, value in self._tagged(arn).items()],
                }
                for arn in ResourceIdList
            ]
        }

    def _tagged(self, arn: str) -> dict[str, str]:
        if arn not in self._tags:
            raise AwsError("ResourceNotFoundException", f"The specified resource {arn} was not found.")
        return self._tags[arn]

    def _trail(self, name_or_arn: str) -> dict[str, Any]:
        name = name_or_arn.rpartition("/")[2] if name_or_arn.startswith("arn:") else name_or_arn
        if name not in self._trails:
            raise AwsError("TrailNotFoundException", f"Unknown trail: {name_or_arn}")
        return self._trails[name]


def _bucket_exists(ctx: Context, bucket: str) -> None:
    try:
        ctx.read("s3", "HeadBucket", Bucket=bucket)
    except AwsError as missing:
        raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!") from missing


def _defaults(settings: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in _renamed(settings).items() if value is not None}
    return {"IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": False, "LogFileValidationEnabled": False,
            "IsOrganizationTrail": False, **given}  # fmt: skip


def _renamed(settings: dict[str, Any]) -> dict[str, Any]:
    renamed = dict(settings)
    if "EnableLogFileValidation" in renamed:
        renamed["LogFileValidationEnabled"] = renamed.pop("EnableLogFileValidation")
    if renamed.get("SnsTopicName"):
        renamed["SnsTopicARN"] = renamed["SnsTopicName"]
    return renamed


def _described(trail: dict[str, Any], *, short: bool = False) -> dict[str, Any]:
    return dict(trail) if short else {**trail, "HasCustomEventSelectors": False, "HasInsightSelectors": False}
