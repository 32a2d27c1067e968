"""Where the fate of asynchronous events is told: destinations and dead-letter queues.

Source: AWS Lambda developer guide, Capturing records of Lambda asynchronous invocations.
"""

import json
from dataclasses import dataclass
from datetime import datetime

from simulator.errors import AwsError
from simulator.functions import Outcome
from simulator.identity import Principal
from simulator.service import Context
from simulator.services.lambda_ import retries
from simulator.services.lambda_.invoke import Invocations
from simulator.services.lambda_.names import LATEST, SERVICE
from simulator.services.lambda_.state import Event, Function, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterRun:
    """What follows an asynchronous run: how often it is tried again, and who is told; "" for nobody."""

    retries: int = 0
    on_success: str = ""
    on_failure: str = ""


class Destinations(Invocations):
    """Sends invocation records to queues, topics, buses and functions."""

    def after_run(self, function_arn: str) -> AfterRun:
        """Return what follows a run of a function, version or alias: for look-ahead."""
        found = self.at(function_arn)
        if found is None:
            return AfterRun()
        function, _, qualifier = found
        config = function.event_configs.get(qualifier or LATEST, {})
        return AfterRun(
            retries=config.get("MaximumRetryAttempts", retries.MAX_ATTEMPTS),
            on_success=_destination(function, qualifier, "OnSuccess"),
            on_failure=self.failure_target(function, qualifier),
        )

    def failure_target(self, function: Function, qualifier: str | None) -> str:
        """Return where a given-up event goes: the on-failure destination, else the dead-letter queue, else ""."""
        version = function.version(qualifier)
        return _destination(function, qualifier, "OnFailure") or (version.config.dead_letter if version else "")

    def send_success(self, ctx: Context, function: Function, event: Event, outcome: Outcome) -> None:
        """Tell the on-success destination of a run, where there is one."""
        target = _destination(function, event.qualifier, "OnSuccess")
        if target:
            self._send(ctx, function, event, target, _invocation_record(ctx.now, function, event, "Success", outcome))

    def send_failure(
        self, ctx: Context, function: Function, event: Event, condition: str, outcome: Outcome | None
    ) -> None:
        """Tell the on-failure destination of an event that was given up, or put the event into the dead-letter queue."""
        target = _destination(function, event.qualifier, "OnFailure")
        if target:
            self._send(ctx, function, event, target, _invocation_record(ctx.now, function, event, condition, outcome))
            return
        dead_letter = self.failure_target(function, event.qualifier)
        if dead_letter:
            text = event.payload.decode("utf-8", "replace")
            self._send(ctx, function, event, dead_letter, text, _attributes(event, outcome))

    def apply_undelivered(self, ctx: Context, data: Shape) -> None:
        """Count a record that its destination did not take."""
        dimensions = {"FunctionName": data["function"]}
        self.lab.moto.put_metrics(ctx, "AWS/Lambda", [("DestinationDeliveryFailures", dimensions, 1.0, "Count")])

    def _send(
        self, ctx: Context, function: Function, event: Event, target: str, text: str, attributes: Shape | None = None
    ) -> None:
        told: Shape = {"MessageAttributes": attributes} if attributes else {}
        principal = Principal.service(SERVICE, ctx.account_id)
        service, name = target.split(":")[2], target.split(":")[-1]
        try:
            if service == "sqs":
                url = ctx.read("sqs", "GetQueueUrl", QueueName=name)["QueueUrl"]
                ctx.call("sqs", "SendMessage", principal=principal, QueueUrl=url, MessageBody=text, **told)
            elif service == "sns":
                ctx.call("sns", "Publish", principal=principal, TopicArn=target, Message=text, **told)
            elif service == "events":
                entry = {
                    "Source": "lambda",
                    "DetailType": "Lambda Function Invocation Result",
                    "Detail": text,
                    "EventBusName": name.split("/")[-1],
                    "Resources": [function.arn(event.qualifier or LATEST)],
                }
                ctx.call("events", "PutEvents", principal=principal, Entries=[entry])
            elif service == "lambda":
                ctx.call(
                    "lambda",
                    "Invoke",
                    principal=principal,
                    FunctionName=target,
                    InvocationType="Event",
                    Payload=text.encode(),
                )
            else:
                self._undelivered(ctx, function, event, target, f"{service} takes no records in this lab")
        except AwsError as error:
            self._undelivered(ctx, function, event, target, str(error))

    def _undelivered(self, ctx: Context, function: Function, event: Event, target: str, why: str) -> None:
        data = {"id": event.id, "function": function.name, "target": target, "why": why}
        ctx.record(self.name, "undelivered", data)


def _attributes(event: Event, outcome: Outcome | None) -> Shape:
    """Return what a dead letter says beside the event (developer guide, Adding a dead-letter queue)."""
    attributes: Shape = {"RequestID": {"DataType": "String", "StringValue": event.id}}
    if outcome is not None:
        failed = _json(outcome.payload)
        attributes["ErrorCode"] = {"DataType": "Number", "StringValue": "200"}
        if isinstance(failed, dict) and failed.get("errorMessage"):
            text = str(failed["errorMessage"]).encode()[:1024].decode("utf-8", "ignore")
            attributes["ErrorMessage"] = {"DataType": "String", "StringValue": text}
    return attributes


def _destination(function: Function, qualifier: str | None, side: str) -> str:
    config = function.event_configs.get(qualifier or LATEST, {})
    destination = (config.get("DestinationConfig") or {}).get(side) or {}
    return str(destination.get("Destination") or "")


def _invocation_record(now: datetime, function: Function, event: Event, condition: str, outcome: Outcome | None) -> str:
    """Return an invocation record as JSON text."""
    body: Shape = {
        "version": "1.0",
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
        "requestContext": {
            "requestId": event.id,
            "functionArn": function.arn(event.qualifier or LATEST),
            "condition": condition,
            "approximateInvokeCount": event.attempt + (1 if outcome else 0),
        },
        "requestPayload": _json(event.payload),
    }
    if outcome:
        body["responseContext"] = {"statusCode": 200, "executedVersion": event.qualifier or LATEST}
        if outcome.status != "ok":
            body["responseContext"]["functionError"] = "Unhandled"
        body["responsePayload"] = _json(outcome.payload)
    return json.dumps(body)


def _json(payload: bytes) -> object:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return payload.decode("utf-8", "replace")
