"""Handing a payload to a target: a function, a queue, a topic or a log group. Rules and Scheduler both use it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast

from simulator.clock import milliseconds
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context

NO_PERMISSIONS = "NO_PERMISSIONS"
NO_RESOURCE = "NO_RESOURCE"
ERROR_FROM_TARGET = "ERROR_FROM_TARGET"
INVALID_JSON = "INVALID_JSON"


class Functions(Protocol):
    """What the targets need of the Lambda service."""

    def deliver_event(
        self, ctx: Context, *, function_arn: str, payload: bytes, source_service: str, source_arn: str
    ) -> str | None:
        """Queue and run an asynchronous invocation; return an error code or None."""

    def would_run(self, function_arn: str, source_service: str, source_arn: str) -> tuple[bool, str]:
        """Return whether an invocation would be let in and run, and why."""


def functions(ctx_or_lab: Any) -> Functions:
    """Return the Lambda service of a lab."""
    return cast(Functions, ctx_or_lab.service("lambda"))


def service_of(arn: str) -> str:
    """Return the service that an ARN names (`lambda`, `sqs`); empty for text that is no ARN."""
    fields = arn.split(":", 5)
    return fields[2] if len(fields) == 6 and fields[0] == "arn" else ""


def deliver(
    ctx: Context, *, arn: str, payload: str, principal: Principal, source_arn: str, settings: dict[str, Any]
) -> str | None:
    """Hand `payload` to the target at `arn` as `principal`; return None, or the code of what went wrong.

    The codes are those that EventBridge writes on a message in a dead-letter queue (user guide, Using dead-letter
    queues). A kind of target that the lab does not have answers ERROR_FROM_TARGET. `settings` is the target's
    description, for what only some kinds need (`SqsParameters`).
    """
    service = service_of(arn)
    if service == "lambda":
        return _invoke(ctx, arn, payload, principal, source_arn)
    if arn.split(":")[4:5] != [ctx.account_id]:
        return NO_PERMISSIONS
    send = {"sqs": _send_message, "sns": _publish, "logs": _write_log}.get(service)
    if send is None:
        return ERROR_FROM_TARGET
    try:
        send(ctx, arn, payload, principal, settings)
    except AwsError as error:
        return failure_of(error.code)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A function that a delivery would make run, with what it would be handed; `allowed` and `why` as in Upcoming."""

    function_arn: str
    payload: bytes
    allowed: bool
    why: str


def foresee(ctx: Context, *, arn: str, payload: str, source_service: str, source_arn: str) -> Iterator[Reached]:
    """Yield the functions that a delivery to `arn` would make run: the target itself, who polls the queue that it is, or who
    has subscribed to the topic.
    """
    if service_of(arn) == "sns":
        yield from _subscribed(ctx, arn, payload)
    elif service_of(arn) == "lambda":
        allowed, why = functions(ctx.lab).would_run(arn, source_service, source_arn)
        yield Reached(function_arn=arn, payload=payload.encode(), allowed=allowed, why=why)
    elif service_of(arn) == "sqs" and arn.split(":")[4:5] == [ctx.account_id]:
        for mapping in _mappings(ctx, arn):
            # a poller runs its function as Scheduler does, without asking the function's policy
            allowed, why = functions(ctx.lab).would_run(mapping["FunctionArn"], "scheduler.amazonaws.com", arn)
            if mapping.get("State") != "Enabled":
                allowed, why = False, f"the event source mapping of {arn} is {mapping.get('State')}"
            yield Reached(function_arn=mapping["FunctionArn"], payload=_polled(arn, payload), allowed=allowed, why=why)


def _subscribed(ctx: Context, topic_arn: str, message: str) -> Iterator[Reached]:
    """Yield the functions that a message to a topic would make run. Event: SNS developer guide, Fanout to Lambda functions."""
    try:
        subscriptions = ctx.read("sns", "ListSubscriptionsByTopic", TopicArn=topic_arn)["Subscriptions"]
    except AwsError:
        return
    notification: dict[str, Any] = {
        "Type": "Notification",
        "TopicArn": topic_arn,
        "Subject": None,
        "Message": message,
        "MessageAttributes": {},
    }
    for each in subscriptions:
        record = {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": each["SubscriptionArn"],
            "Sns": notification,
        }
        payload = {"lambda": json.dumps({"Records": [record]}), "sqs": json.dumps(notification)}.get(each["Protocol"])
        if payload is not None:
            yield from foresee(
                ctx, arn=each["Endpoint"], payload=payload, source_service="sns.amazonaws.com", source_arn=topic_arn
            )


def _mappings(ctx: Context, queue_arn: str) -> list[dict[str, Any]]:
    """Return who polls a queue; nobody one whose name is none."""
    try:
        found = ctx.read("lambda", "ListEventSourceMappings", EventSourceArn=queue_arn)
    except AwsError:
        return []
    mappings: list[dict[str, Any]] = found["EventSourceMappings"]
    return mappings


def looking(lab: Any, service: str, region: str) -> Context:
    """Return a context for a look ahead, which reads and changes nothing."""
    principal = Principal.service(service, lab.account_id)
    return Context(lab=lab, principal=principal, now=lab.clock.now(), ids=Ids.of("look-ahead"), region=region)


def _polled(queue_arn: str, payload: str) -> bytes:
    """Return the event of a function that polls a queue; the ids of a message to come are not known."""
    record = {
        "messageId": Ids.of(queue_arn, payload).uuid4(),
        "receiptHandle": "",
        "body": payload,
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    return json.dumps({"Records": [record]}).encode()


def bury(ctx: Context, *, queue_arn: str, payload: str, principal: Principal, attributes: dict[str, str]) -> None:
    """Send a payload that could not be delivered to a dead-letter queue; a queue that refuses it loses it, as on AWS."""
    told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value}
    if service_of(queue_arn) == "sqs":
        settings = {"MessageAttributes": told}
        deliver(ctx, arn=queue_arn, payload=payload, principal=principal, source_arn="", settings=settings)


def _invoke(ctx: Context, arn: str, payload: str, principal: Principal, source_arn: str) -> str | None:
    try:
        json.loads(payload)
    except ValueError:
        return INVALID_JSON
    error = functions(ctx.lab).deliver_event(
        ctx,
        function_arn=arn,
        payload=payload.encode(),
        source_service=_service(principal),
        source_arn=source_arn,
    )
    return failure_of(error) if error else None


def _send_message(ctx: Context, arn: str, payload: str, principal: Principal, settings: dict[str, Any]) -> None:
    url = ctx.read("sqs", "GetQueueUrl", QueueName=arn.split(":", 5)[5])["QueueUrl"]
    extra = {"MessageAttributes": settings["MessageAttributes"]} if settings.get("MessageAttributes") else {}
    if group := settings.get("SqsParameters", {}).get("MessageGroupId"):
        extra["MessageGroupId"] = group
    ctx.call(
        "sqs",
        "SendMessage",
        principal=principal,
        invoked_by=_service(principal),
        QueueUrl=url,
        MessageBody=payload,
        **extra,
    )


def _publish(ctx: Context, arn: str, payload: str, principal: Principal, settings: dict[str, Any]) -> None:
    ctx.call("sns", "Publish", principal=principal, invoked_by=_service(principal), TopicArn=arn, Message=payload)


def _write_log(ctx: Context, arn: str, payload: str, principal: Principal, settings: dict[str, Any]) -> None:
    group = arn.split(":", 5)[5].removeprefix("log-group:").removesuffix(":*")
    stream = ctx.ids.uuid4()
    event = {"timestamp": milliseconds(ctx.now), "message": payload}
    by: dict[str, Any] = {"principal": principal, "invoked_by": _service(principal)}
    ctx.call("logs", "CreateLogStream", **by, logGroupName=group, logStreamName=stream)
    ctx.call("logs", "PutLogEvents", **by, logGroupName=group, logStreamName=stream, logEvents=[event])


def _service(principal: Principal) -> str:
    """Return the service that delivers: EventBridge calls as itself, Scheduler as the session of a role."""
    return principal.name if principal.type == "AWSService" else "scheduler.amazonaws.com"


def failure_of(error: str) -> str:
    """Return EventBridge's code for an AWS error code."""
    if "AccessDenied" in error or "Authoriz" in error:
        return NO_PERMISSIONS
    if "NotFound" in error or "NonExistent" in error:
        return NO_RESOURCE
    return ERROR_FROM_TARGET
