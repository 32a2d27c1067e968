"""What watches: AWS::Config::*, AWS::CloudTrail::Trail, AWS::Logs::LogGroup, AWS::CloudWatch::Alarm."""

from __future__ import annotations

from typing import Any, Final

from simulator.errors import AwsError
from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.resources.base import Handler, Properties, Work, pick, tag_map

_CHANNEL: Final = "AWS::Config::DeliveryChannel"


def _recorders(work: Work) -> list[dict[str, Any]]:
    """Return the account's recorders with whether they record."""
    return list(work.read("config", "DescribeConfigurationRecorderStatus")["ConfigurationRecordersStatus"])


class ConfigurationRecorder(Handler):
    """AWS::Config::ConfigurationRecorder; Ref is its name."""

    type = "AWS::Config::ConfigurationRecorder"
    custom_name = "Name"

    def create(self, work: Work, props: Properties) -> str:
        """Put the recorder and start it, unless StartedOnCreate says no.

        Starting needs a delivery channel, which needs a recorder; where the stack declares the channel as well, the
        recorder starts when the channel comes (docs/aws-facts.md, part 6).
        """
        name = str(props.get("Name") or work.name())
        self._put(work, name, props)
        work.made(name)
        if text(props.get("StartedOnCreate", True)).lower() == "false":
            return name
        try:
            work.call("config", "StartConfigurationRecorder", ConfigurationRecorderName=name)
        except AwsError as error:
            if error.code != "NoAvailableDeliveryChannelException" or _CHANNEL not in work.types:
                raise
        return name

    def _put(self, work: Work, name: str, props: Properties) -> None:
        body = {"name": name, "roleARN": props["RoleARN"], **pick(props, "RecordingGroup RecordingMode")}
        work.call("config", "PutConfigurationRecorder", ConfigurationRecorder=body)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the recorder anew."""
        self._put(work, physical_id, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Stop and delete the recorder."""
        if any(item["name"] == physical_id and item["recording"] for item in _recorders(work)):
            work.call("config", "StopConfigurationRecorder", ConfigurationRecorderName=physical_id)
        work.call("config", "DeleteConfigurationRecorder", ConfigurationRecorderName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return ResourceARN."""
        names = [physical_id]
        found = work.read("config", "DescribeConfigurationRecorders", ConfigurationRecorderNames=names)
        return {"ResourceARN": found["ConfigurationRecorders"][0].get("arn", "")}


class DeliveryChannel(Handler):
    """AWS::Config::DeliveryChannel; Ref is its name."""

    type = _CHANNEL
    custom_name = "Name"

    def create(self, work: Work, props: Properties) -> str:
        """Put the channel; a recorder that waited for it starts."""
        name = str(props.get("Name") or work.name())
        self._put(work, name, props)
        work.made(name)
        for recorder in _recorders(work):
            if not recorder["recording"]:
                work.call("config", "StartConfigurationRecorder", ConfigurationRecorderName=recorder["name"])
        return name

    def _put(self, work: Work, name: str, props: Properties) -> None:
        body = {"name": name, **pick(props, "S3BucketName S3KeyPrefix S3KmsKeyArn SnsTopicARN")}
        if "ConfigSnapshotDeliveryProperties" in props:
            body["ConfigSnapshotDeliveryProperties"] = props["ConfigSnapshotDeliveryProperties"]
        work.call("config", "PutDeliveryChannel", DeliveryChannel=body)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the channel anew."""
        self._put(work, physical_id, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the channel; the stack's own recorder, which goes with it, is stopped first, for it would forbid it."""
        if ConfigurationRecorder.type in work.types:
            for recorder in _recorders(work):
                if recorder["recording"]:
                    work.call("config", "StopConfigurationRecorder", ConfigurationRecorderName=recorder["name"])
        work.call("config", "DeleteDeliveryChannel", DeliveryChannelName=physical_id)


class Trail(Handler):
    """AWS::CloudTrail::Trail; Ref is its name."""

    type = "AWS::CloudTrail::Trail"
    custom_name = "TrailName"
    ignored = frozenset({"AggregationConfigurations"})
    _settings = (
        "S3BucketName S3KeyPrefix SnsTopicName IncludeGlobalServiceEvents IsMultiRegionTrail EnableLogFileValidation "
        "CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn KmsKeyId IsOrganizationTrail"
    )

    @classmethod
    def _body(cls, props: Properties) -> dict[str, Any]:
        body = pick(props, cls._settings)
        if "KMSKeyId" in props:
            body["KmsKeyId"] = props["KMSKeyId"]
        return body

    def create(self, work: Work, props: Properties) -> str:
        """Create the trail, select its events, start it."""
        name = str(props.get("TrailName") or work.name(128))
        tags = work.tags(props.get("Tags")) or None
        work.call("cloudtrail", "CreateTrail", Name=name, TagsList=tags, **self._body(props))
        work.made(name)
        self._select(work, name, {}, props)
        if str(props["IsLogging"]).lower() == "true":
            work.call("cloudtrail", "StartLogging", Name=name)
        return name

    def _select(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        for setting in ("EventSelectors", "AdvancedEventSelectors"):
            if setting in new and old.get(setting) != new[setting]:
                work.call("cloudtrail", "PutEventSelectors", TrailName=name, **pick(new, setting))
        if "InsightSelectors" in new and old.get("InsightSelectors") != new["InsightSelectors"]:
            work.call("cloudtrail", "PutInsightSelectors", TrailName=name, **pick(new, "InsightSelectors"))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Update the trail, its selectors and whether it logs."""
        if self._body(old) != self._body(new):
            work.call("cloudtrail", "UpdateTrail", Name=physical_id, **self._body(new))
        self._select(work, physical_id, old, new)
        if old["IsLogging"] != new["IsLogging"]:
            operation = "StartLogging" if str(new["IsLogging"]).lower() == "true" else "StopLogging"
            work.call("cloudtrail", operation, Name=physical_id)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the trail."""
        work.call("cloudtrail", "DeleteTrail", Name=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and SnsTopicArn."""
        trail = work.read("cloudtrail", "GetTrail", Name=physical_id)["Trail"]
        return {"Arn": trail["TrailARN"], "SnsTopicArn": trail.get("SnsTopicARN", "")}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return the settings and whether it logs."""
        trail = work.read("cloudtrail", "GetTrail", Name=physical_id)["Trail"]
        actual = pick(trail, "S3BucketName S3KeyPrefix IncludeGlobalServiceEvents IsMultiRegionTrail")
        actual["EnableLogFileValidation"] = trail.get("LogFileValidationEnabled")
        actual["IsLogging"] = work.read("cloudtrail", "GetTrailStatus", Name=physical_id)["IsLogging"]
        return actual


class LogGroup(Handler):
    """AWS::Logs::LogGroup; Ref is its name."""

    type = "AWS::Logs::LogGroup"
    custom_name = "LogGroupName"
    ignored = frozenset(
        {
            "BearerTokenAuthenticationEnabled",
            "DataProtectionPolicy",
            "DeletionProtectionEnabled",
            "FieldIndexPolicies",
            "LogGroupClass",
            "ResourcePolicyDocument",
        }
    )

    def create(self, work: Work, props: Properties) -> str:
        """Create the log group and set its retention."""
        name = str(props.get("LogGroupName") or work.name(255))
        tags = work.tag_map(props.get("Tags")) or None
        work.call("logs", "CreateLogGroup", logGroupName=name, tags=tags, **pick(props, "KmsKeyId"))
        work.made(name)
        if "RetentionInDays" in props:
            self._retain(work, name, props)
        return name

    def _retain(self, work: Work, name: str, props: Properties) -> None:
        days = props["RetentionInDays"]
        work.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change retention, key and tags."""
        if "RetentionInDays" not in new and "RetentionInDays" in old:
            work.call("logs", "DeleteRetentionPolicy", logGroupName=physical_id)
        elif old.get("RetentionInDays") != new.get("RetentionInDays"):
            self._retain(work, physical_id, new)
        if old.get("KmsKeyId") != new.get("KmsKeyId"):
            operation = "AssociateKmsKey" if "KmsKeyId" in new else "DisassociateKmsKey"
            work.call("logs", operation, logGroupName=physical_id, **pick(new, "KmsKeyId"))
        before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
        if after and after != before:
            work.call("logs", "TagLogGroup", logGroupName=physical_id, tags=after)
        lost = [key for key in before if key not in after]
        if lost:
            work.call("logs", "UntagLogGroup", logGroupName=physical_id, tags=lost)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the log group."""
        work.call("logs", "DeleteLogGroup", logGroupName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn, which ends in `:*`."""
        return {"Arn": f"arn:aws:logs:{work.ctx.region}:{work.ctx.account_id}:log-group:{physical_id}:*"}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return name and retention."""
        groups = work.read("logs", "DescribeLogGroups", logGroupNamePrefix=physical_id)["logGroups"]
        for group in groups:
            if group["logGroupName"] == physical_id:
                return {"LogGroupName": physical_id, "RetentionInDays": group.get("retentionInDays")}
        return None


class Alarm(Handler):
    """AWS::CloudWatch::Alarm; Ref is its name."""

    type = "AWS::CloudWatch::Alarm"
    custom_name = "AlarmName"
    ignored = frozenset({"EvaluationCriteria", "EvaluationInterval", "EvaluationWindow"})

    def create(self, work: Work, props: Properties) -> str:
        """Put the alarm."""
        name = str(props.get("AlarmName") or work.name(255))
        self._put(work, name, props)
        return work.made(name)

    def _put(self, work: Work, name: str, props: Properties) -> None:
        body = {key: value for key, value in props.items() if key not in {"AlarmName", "Tags"}}
        work.call("cloudwatch", "PutMetricAlarm", AlarmName=name, Tags=work.tags(props.get("Tags")) or None, **body)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the alarm anew."""
        self._put(work, physical_id, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the alarm."""
        work.call("cloudwatch", "DeleteAlarms", AlarmNames=[physical_id])

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        return {"Arn": f"arn:aws:cloudwatch:{work.ctx.region}:{work.ctx.account_id}:alarm:{physical_id}"}
