"""Configuration recorders and delivery channels: one of each an account and Region."""

from typing import Any

from simulator.errors import AwsError
from simulator.service import Context


class Recorders:
    """Recorder and delivery channel of one account. Mixed into the service."""

    def __init__(self) -> None:
        self._recorder: dict[str, Any] | None = None
        self._status: dict[str, Any] = {}
        self._channel: dict[str, Any] | None = None

    @property
    def recording(self) -> bool:
        """Whether changes are taken down now."""
        return bool(self._status.get("recording"))

    def put_configuration_recorder(
        self, ctx: Context, *, ConfigurationRecorder: dict[str, Any], Tags: list[dict[str, str]] | None = None
    ) -> None:
        """Make or change the recorder."""
        name = ConfigurationRecorder.get("name") or "default"
        if self._recorder is not None and self._recorder["name"] != name:
            raise AwsError(
                "MaxNumberOfConfigurationRecordersExceededException",
                f"Failed to put configuration recorder '{name}' because the maximum number of configuration recorders: 1 is reached.",
            )
        if not ConfigurationRecorder.get("roleARN"):
            raise AwsError("InvalidRoleException", "You have provided a null or empty role ARN.")
        group = ConfigurationRecorder.get("recordingGroup") or {
            "allSupported": True,
            "includeGlobalResourceTypes": False,
        }
        self._recorder = {
            "arn": f"arn:aws:config:{ctx.region}:{ctx.account_id}:configuration-recorder/{name}/{ctx.ids.text(16).lower()}",
            "name": name,
            "roleARN": ConfigurationRecorder["roleARN"],
            "recordingGroup": {"resourceTypes": [], **group},
            "recordingMode": ConfigurationRecorder.get("recordingMode")
            or {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []},
            "recordingScope": "PAID",
        }
        self._status.setdefault("recording", False)

    def describe_configuration_recorders(
        self, ctx: Context, *, ConfigurationRecorderNames: list[str] | None = None, **_others: Any
    ) -> dict[str, Any]:
        """Return the recorder, where there is one."""
        self._known(ConfigurationRecorderNames)
        return {"ConfigurationRecorders": [self._recorder] if self._recorder else []}

    def describe_configuration_recorder_status(
        self, ctx: Context, *, ConfigurationRecorderNames: list[str] | None = None, **_others: Any
    ) -> dict[str, Any]:
        """Return whether the recorder records, and since when."""
        self._known(ConfigurationRecorderNames)
        if self._recorder is None:
            return {"ConfigurationRecordersStatus": []}
        return {
            "ConfigurationRecordersStatus": [
                {"arn": self._recorder["arn"], "name": self._recorder["name"], "lastStatus": "SUCCESS" if self.recording else "PENDING",
                 **self._status}
            ]
        }  # fmt: skip

    def start_configuration_recorder(self, ctx: Context, *, ConfigurationRecorderName: str) -> None:
        """Record from now on. A delivery channel must be there first."""
        self._required(ConfigurationRecorderName)
        if self._channel is None:
            raise AwsError(
                "NoAvailableDeliveryChannelException",
                "Delivery channel is not available to start configuration recorder.",
            )
        self._status |= {"recording": True, "lastStartTime": ctx.now, "lastStatusChangeTime": ctx.now}

    def stop_configuration_recorder(self, ctx: Context, *, ConfigurationRecorderName: str) -> None:
        """Record no more. What was recorded stays."""
        self._required(ConfigurationRecorderName)
        self._status |= {"recording": False, "lastStopTime": ctx.now, "lastStatusChangeTime": ctx.now}

    def delete_configuration_recorder(self, ctx: Context, *, ConfigurationRecorderName: str) -> None:
        """Delete the recorder. What was recorded stays."""
        self._required(ConfigurationRecorderName)
        self._recorder, self._status = None, {}

    def put_delivery_channel(self, ctx: Context, *, DeliveryChannel: dict[str, Any]) -> None:
        """Make or change the delivery channel. A recorder must be there first, and the bucket too."""
        name = DeliveryChannel.get("name") or "default"
        if self._recorder is None:
            raise AwsError(
                "NoAvailableConfigurationRecorderException",
                "Configuration recorder is not available to put delivery channel.",
            )
        if self._channel is not None and self._channel["name"] != name:
            raise AwsError(
                "MaxNumberOfDeliveryChannelsExceededException",
                f"Failed to put delivery channel '{name}' because the maximum number of delivery channels: 1 is reached.",
            )
        bucket = DeliveryChannel.get("s3BucketName") or ""
        try:
            ctx.read("s3", "HeadBucket", Bucket=bucket or "-")
        except AwsError as missing:
            raise AwsError(
                "NoSuchBucketException", f"Cannot find a S3 bucket with an empty bucket name or name {bucket!r}."
            ) from missing
        self._channel = {**DeliveryChannel, "name": name}

    def describe_delivery_channels(
        self, ctx: Context, *, DeliveryChannelNames: list[str] | None = None
    ) -> dict[str, Any]:
        """Return the delivery channel, where there is one."""
        self._known_channel(DeliveryChannelNames)
        return {"DeliveryChannels": [self._channel] if self._channel else []}

    def describe_delivery_channel_status(
        self, ctx: Context, *, DeliveryChannelNames: list[str] | None = None
    ) -> dict[str, Any]:
        """Return the state of the delivery channel. The lab delivers no files."""
        self._known_channel(DeliveryChannelNames)
        return {"DeliveryChannelsStatus": [{"name": self._channel["name"]}] if self._channel else []}

    def delete_delivery_channel(self, ctx: Context, *, DeliveryChannelName: str) -> None:
        """Delete the delivery channel; not while the recorder records."""
        self._known_channel([DeliveryChannelName])
        if self.recording:
            raise AwsError(
                "LastDeliveryChannelDeleteFailedException",
                f"Failed to delete last specified delivery channel with name '{DeliveryChannelName}', because there, "
                "because there is a running configuration recorder.",
            )
        self._channel = None

    def _known(self, names: list[str] | None) -> None:
        for name in names or ():
            self._required(name)

    def _required(self, name: str) -> None:
        if self._recorder is None or self._recorder["name"] != name:
            raise AwsError(
                "NoSuchConfigurationRecorderException",
                f"Cannot find configuration recorder with the specified name '{name}'.",
            )

    def _known_channel(self, names: list[str] | None) -> None:
        for name in names or ():
            if self._channel is None or self._channel["name"] != name:
                raise AwsError(
                    "NoSuchDeliveryChannelException", f"Cannot find delivery channel with specified name '{name}'."
                )
