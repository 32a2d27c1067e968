"""Event source mappings and function URLs.

A mapping of an SQS queue is polled in earnest (`polling`). Streams, brokers and databases do not exist in a lab, so a mapping to
one is refused. A function URL is kept and shown; nothing in a lab resolves its host, so nobody can call it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.lambda_ import names
from simulator.services.lambda_.names import LATEST
from simulator.services.lambda_.shapes import created, page
from simulator.services.lambda_.state import Function, Poll, Shape
from simulator.services.lambda_.tags import Tags

QUEUE_MEMBERS = ("KMSKeyArn", "MetricsConfig", "ScalingConfig", "FunctionResponseTypes")
REFUSED_MEMBERS = (
    "StartingPosition", "StartingPositionTimestamp", "ParallelizationFactor", "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "TumblingWindowInSeconds", "Topics", "Queues",
    "SourceAccessConfigurations", "SelfManagedEventSource", "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "ProvisionedPollerConfig", "LoggingConfig",
    "FilterCriteria",
)  # fmt: skip
URL_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Mappings(Tags):
    """Operations on event source mappings and function URLs."""

    def create_event_source_mapping(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        EventSourceArn: str | None = None,
        Enabled: bool = True,
        BatchSize: int | None = None,
        MaximumBatchingWindowInSeconds: int = 0,
        Tags: dict[str, str] | None = None,
        **given: Any,
    ) -> Shape:
        """Have a function called with the messages of an SQS queue."""
        self._check_kind(EventSourceArn, given)
        function, _, qualifier = self.located(ctx, "CreateEventSourceMapping", FunctionName, absent=_no_consumer)
        source = self._queue(ctx, EventSourceArn or "")
        arn = function.arn(qualifier)
        for mapping in self.mappings.values():
            if mapping["EventSourceArn"] == source and mapping["FunctionArn"] == arn:
                raise names.conflict(
                    f'An event source mapping with SQS arn (" {source} ") and function (" {arn} ") already exists. '
                    f"Please update or delete the existing mapping with UUID {mapping['UUID']}"
                )
        uuid = ctx.ids.uuid4()
        mapping = {
            "UUID": uuid,
            "BatchSize": _batch(BatchSize, MaximumBatchingWindowInSeconds),
            "MaximumBatchingWindowInSeconds": MaximumBatchingWindowInSeconds,
            "EventSourceArn": source,
            "FunctionArn": arn,
            "LastModified": ctx.now,
            "State": "Enabled" if Enabled else "Disabled",
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": [],
            **{name: given[name] for name in QUEUE_MEMBERS if given.get(name)},
            "EventSourceMappingArn": f"arn:aws:lambda:{ctx.region}:{ctx.account_id}:event-source-mapping:{uuid}",
        }
        self.mappings[uuid] = mapping
        self.poll_soon(mapping, ctx.now)
        if Tags:
            self.mapping_tags[uuid] = dict(Tags)
        return {**mapping, "State": "Creating"}

    def get_event_source_mapping(self, ctx: Context, *, UUID: str) -> Shape:
        """Return a mapping."""
        return dict(self._mapping(UUID))

    def update_event_source_mapping(
        self,
        ctx: Context,
        *,
        UUID: str,
        FunctionName: str | None = None,
        Enabled: bool | None = None,
        BatchSize: int | None = None,
        MaximumBatchingWindowInSeconds: int | None = None,
        **given: Any,
    ) -> Shape:
        """Change a mapping: what is not given stays."""
        mapping = self._mapping(UUID)
        self._check_kind(mapping["EventSourceArn"], given)
        changes: Shape = {name: given[name] for name in QUEUE_MEMBERS if given.get(name)}
        if FunctionName is not None:
            function, _, qualifier = self.located(ctx, "UpdateEventSourceMapping", FunctionName, absent=_no_consumer)
            changes["FunctionArn"] = function.arn(qualifier)
        window = MaximumBatchingWindowInSeconds
        changes["MaximumBatchingWindowInSeconds"] = (
            window if window is not None else mapping["MaximumBatchingWindowInSeconds"]
        )
        changes["BatchSize"] = _batch(BatchSize or mapping["BatchSize"], changes["MaximumBatchingWindowInSeconds"])
        if Enabled is not None:
            changes["State"] = "Enabled" if Enabled else "Disabled"
        mapping.update(changes, LastModified=ctx.now)
        self.poll_soon(mapping, ctx.now)
        return {**mapping, "State": "Updating"}

    def delete_event_source_mapping(self, ctx: Context, *, UUID: str) -> Shape:
        """Delete a mapping and return it as it goes."""
        mapping = self._mapping(UUID)
        del self.mappings[mapping["UUID"]]
        self.mapping_tags.pop(mapping["UUID"], None)
        self.polls.pop(mapping["UUID"], None)
        return {**mapping, "State": "Deleting"}

    def list_event_source_mappings(
        self,
        ctx: Context,
        *,
        EventSourceArn: str | None = None,
        FunctionName: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> Shape:
        """Return mappings in the order they were made, with the parameters those of a source or a function."""
        arn = None
        if FunctionName is not None:
            arn = names.reference(ctx, "ListEventSourceMappings", FunctionName).arn
        items = [
            (mapping["UUID"], dict(mapping))
            for mapping in self.mappings.values()
            if EventSourceArn in (None, mapping["EventSourceArn"]) and arn in (None, mapping["FunctionArn"])
        ]
        return page(items, "EventSourceMappings", Marker, MaxItems, limit=100)

    def create_function_url_config(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        AuthType: str,
        Qualifier: str | None = None,
        Cors: Shape | None = None,
        InvokeMode: str | None = None,
    ) -> Shape:
        """Give a function or alias a URL."""
        function, qualifier = self._url_owner(ctx, "CreateFunctionUrlConfig", FunctionName, Qualifier)
        if (qualifier or LATEST) in function.urls:
            raise names.conflict(
                f"Failed to create function url config for [functionArn = {function.arn(qualifier)}]. Error message:  "
                "FunctionUrlConfig exists for this Lambda function"
            )
        url_id = ctx.ids.text(32, URL_LETTERS)
        entry: Shape = {
            "FunctionUrl": f"https://{url_id}.lambda-url.{function.region}.on.aws/",
            "FunctionArn": function.arn(qualifier),
            "AuthType": AuthType,
            **({"Cors": Cors} if Cors else {}),
            "CreationTime": created(ctx.now),
            "LastModifiedTime": created(ctx.now),
            **({"InvokeMode": InvokeMode} if InvokeMode else {}),
        }
        function.urls[qualifier or LATEST] = entry
        return {name: value for name, value in entry.items() if name != "LastModifiedTime"}

    def get_function_url_config(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Return the URL of a function or alias."""
        return _url_shape(self._url(ctx, "GetFunctionUrlConfig", FunctionName, Qualifier)[1])

    def update_function_url_config(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        Qualifier: str | None = None,
        AuthType: str | None = None,
        Cors: Shape | None = None,
        InvokeMode: str | None = None,
    ) -> Shape:
        """Change a URL's settings: what is not given stays."""
        self._url_owner(ctx, "UpdateFunctionUrlConfig", FunctionName, Qualifier)
        _, entry, _ = self._url(ctx, "UpdateFunctionUrlConfig", FunctionName, Qualifier)
        for name, value in (("AuthType", AuthType), ("Cors", Cors), ("InvokeMode", InvokeMode)):
            if value is not None:
                entry[name] = value
        entry["LastModifiedTime"] = created(ctx.now)
        return dict(entry)

    def delete_function_url_config(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Take the URL of a function or alias away."""
        function, _, key = self._url(ctx, "DeleteFunctionUrlConfig", FunctionName, Qualifier)
        del function.urls[key]
        return {}

    def list_function_url_configs(
        self, ctx: Context, *, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
    ) -> Shape:
        """Return the URLs of a function and its aliases."""
        function, _ = self.found(ctx, "ListFunctionUrlConfigs", FunctionName, absent=_no_url_owner)
        items = [(key, _url_shape(entry)) for key, entry in sorted(function.urls.items())]
        return page(items, "FunctionUrlConfigs", Marker, MaxItems)

    def poll_soon(self, mapping: Shape, at: datetime) -> None:
        """Have a mapping's queue looked at soon, unless it is anyway."""
        poll = self.polls.get(mapping["UUID"])
        due = at + timedelta(seconds=1)
        if poll is None or not at < poll.due < due:
            self.polls[mapping["UUID"]] = replace(poll, due=due) if poll else Poll(due=due)

    def _mapping(self, uuid: str) -> Shape:
        mapping = self.mappings.get(uuid.lower())
        if mapping is None:
            raise names.missing("The resource you requested does not exist.")
        return mapping

    @staticmethod
    def _check_kind(arn: str | None, given: Shape) -> None:
        """Raise AwsError for a source that is no queue, and for settings that queues do not have."""
        if not arn:
            raise names.invalid("Unrecognized event source.")
        if arn.split(":", 5)[2] != "sqs":
            raise names.invalid(f"Event source {arn} is not supported in this lab: only SQS queues are.")
        if given.get("DestinationConfig") is not None:
            raise names.invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
        for member in REFUSED_MEMBERS:
            if given.get(member) is not None:
                raise names.invalid(f"{member} is not supported for event source {arn}.")

    def _queue(self, ctx: Context, arn: str) -> str:
        fields = arn.split(":", 5)
        if fields[4] != ctx.account_id or fields[3] != ctx.region:
            raise names.invalid(f"The queue {arn} is not in this account and Region.")
        if fields[5] not in self.queue_names(ctx):
            raise names.invalid(
                "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
                "SQS Error Message: The specified queue does not exist."
            )
        return arn

    @staticmethod
    def queue_names(ctx: Context) -> set[str]:
        """Return the names of the account's queues in the context's Region."""
        return {url.rsplit("/", 1)[-1] for url in ctx.read("sqs", "ListQueues").get("QueueUrls", [])}

    def _url_owner(
        self, ctx: Context, action: str, FunctionName: str, Qualifier: str | None
    ) -> tuple[Function, str | None]:
        function, qualifier = self.found(ctx, action, FunctionName, Qualifier, absent=_no_url_owner)
        if qualifier is not None and qualifier not in function.aliases:
            raise names.missing("Function does not exist")
        return function, qualifier

    def _url(self, ctx: Context, action: str, FunctionName: str, Qualifier: str | None) -> tuple[Function, Shape, str]:
        function, qualifier = self.found(ctx, action, FunctionName, Qualifier, absent=names.no_resource)
        entry = function.urls.get(qualifier or LATEST)
        if entry is None:
            raise names.missing("The resource you requested does not exist.")
        return function, entry, qualifier or LATEST


def _no_consumer(named: names.Reference) -> AwsError:
    return names.invalid("Function does not exist")


def _no_url_owner(named: names.Reference) -> AwsError:
    return names.missing("Function does not exist")


def _url_shape(entry: Shape) -> Shape:
    """Return a URL as it is read. A change's answer shows InvokeMode only where it was ever given."""
    return {"InvokeMode": "BUFFERED", **entry}


def _batch(size: int | None, window: int) -> int:
    """Return a queue's batch size, 10 by default. Raises AwsError for more than 10 without a batching window."""
    if size is not None and size > 10 and window < 1:
        raise names.invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    return size or 10
