"""Polling of SQS queues for event source mappings: messages -> runs -> messages deleted, or visible again.

A queue is looked at when something may have come into it (a call that sends was seen), after a full batch, and when
messages whose run failed become visible again; so a queue in which nothing happens costs nothing.
Source: AWS Lambda developer guide, Using Lambda with Amazon SQS.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from simulator.clock import milliseconds, moment
from simulator.errors import AwsError
from simulator.functions import Outcome
from simulator.identity import Principal
from simulator.service import Call, Context, Upcoming
from simulator.services.lambda_.events import Events
from simulator.services.lambda_.invoke import Cause
from simulator.services.lambda_.names import SERVICE
from simulator.services.lambda_.state import Function, Poll, Shape, Version

SENDING = {("sqs", "SendMessage"), ("sqs", "SendMessageBatch"), ("sns", "Publish"), ("sns", "PublishBatch")}
POLL_AFTER = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=5)
"""Polling slows down to this where runs keep failing (Using Lambda with Amazon SQS, Backoff strategy for failed events)."""

MOST_RECEIVED = 10


class Polling(Events):
    """Looks into queues when it is time to."""

    def on_call(self, call: Call) -> None:
        """Have the queues looked at into which a call may have put messages."""
        super().on_call(call)
        if (call.service, call.operation) in SENDING and call.error_code is None and call.change is not None:
            name = str(call.params.get("QueueUrl", "")).rsplit("/", 1)[-1]
            for mapping in self.mappings.values():
                if call.service == "sns" or mapping["EventSourceArn"].rsplit(":", 1)[-1] == name:
                    self.poll_soon(mapping, call.at)

    def next_due(self) -> datetime | None:
        """Return when an event is due in the asynchronous queue, or a queue is to be looked at."""
        due = [at for uuid in self.polls if (at := self._poll_at(uuid)) is not None]
        events = super().next_due()
        return min([*due, events] if events else due, default=None)

    def run_due(self, ctx: Context) -> None:
        """Try the events and look at the queues whose time has come: a process."""
        super().run_due(ctx)
        ready = [uuid for uuid in self.polls if (at := self._poll_at(uuid)) is not None and at <= ctx.now]
        for uuid in ready:
            self._poll(ctx, uuid)

    def apply_polled(self, ctx: Context, data: Shape) -> None:
        """Note when a queue is to be looked at again, if it is."""
        if data["again"] is None:
            self.polls.pop(data["uuid"], None)
        else:
            poll = Poll(due=moment(data["again"]), failed=data["failed"].encode(), failures=data["failures"])
            self.polls[data["uuid"]] = poll

    def queued(self, until: datetime) -> list[Upcoming]:
        """Return the retries that are due, and the runs for messages of a queue that failed before."""
        upcoming = super().queued(until)
        for uuid, poll in self.polls.items():
            at = self._poll_at(uuid)
            if at is not None and poll.failed and at <= until:
                arn, source = self.mappings[uuid]["FunctionArn"], self.mappings[uuid]["EventSourceArn"]
                upcoming.append(
                    Upcoming(
                        at=at,
                        function_arn=arn,
                        payload=poll.failed,
                        source=source,
                        allowed=True,
                        why="polled again",
                    )
                )
        return sorted(upcoming, key=lambda item: item.at)

    def _polled(self, uuid: str) -> tuple[Function, Version, str | None] | None:
        """Return the function that a mapping would run now; None where it is disabled, stopped or gone."""
        mapping = self.mappings.get(uuid)
        if mapping is None or mapping["State"] != "Enabled":
            return None
        found = self.at(mapping["FunctionArn"])
        return found if found and found[0].reserved != 0 else None

    def _poll_at(self, uuid: str) -> datetime | None:
        """Return when a mapping's queue is looked at next: not before what stopped that is over. None while it lasts."""
        found = self._polled(uuid)
        if found is None:
            return None
        function, version, _ = found
        return max(self.polls[uuid].due, version.active_from, function.lifted_at or version.active_from)

    def _poll(self, ctx: Context, uuid: str) -> None:
        mapping, found = self.mappings[uuid], self._polled(uuid)
        assert found is not None, "chosen for being polled"
        function, version, qualifier = found
        again, failed, failures = None, b"", 0
        try:
            url, visible, messages = self._receive(ctx, mapping)
            if messages and self.role_problem(ctx, version):
                again = ctx.now + visible
            elif messages:
                payload = json.dumps({"Records": [_record(message, mapping) for message in messages]}).encode()
                cause = Cause(kind="poll", source="sqs.amazonaws.com", source_arn=mapping["EventSourceArn"])
                _, outcome = self.run(ctx, function, qualifier, payload, cause, None)
                done = _done(messages, outcome, mapping)
                self._delete_messages(ctx, url, done)
                failed = b"" if len(done) == len(messages) else payload
                full = len(messages) == min(mapping["BatchSize"], MOST_RECEIVED)
                if failed:
                    failures = self.polls[uuid].failures + 1
                    again = ctx.now + visible + min(POLL_AFTER * 2**failures, LONGEST_WAIT)
                elif full:
                    again = ctx.now + POLL_AFTER
        except AwsError as error:
            if error.code not in {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}:
                raise
        data = {
            "uuid": uuid,
            "again": milliseconds(again) if again else None,
            "failed": failed.decode(),
            "failures": min(failures, 20),
        }
        ctx.record(self.name, "polled", data)

    def _receive(self, ctx: Context, mapping: Shape) -> tuple[str, timedelta, list[Shape]]:
        """Take messages from a mapping's queue; return its URL, for how long they are out of sight, and them."""
        url = ctx.read("sqs", "GetQueueUrl", QueueName=mapping["EventSourceArn"].rsplit(":", 1)[-1])["QueueUrl"]
        attributes = ctx.read("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        answer = ctx.call(
            "sqs",
            "ReceiveMessage",
            principal=_principal(ctx),
            QueueUrl=url,
            MaxNumberOfMessages=min(mapping["BatchSize"], MOST_RECEIVED),
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        seconds = int((attributes.get("Attributes") or {}).get("VisibilityTimeout", 30))
        return url, timedelta(seconds=max(seconds, 1)), answer.get("Messages") or []

    def _delete_messages(self, ctx: Context, url: str, messages: list[Shape]) -> None:
        if messages:
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(messages)
            ]
            ctx.call("sqs", "DeleteMessageBatch", principal=_principal(ctx), QueueUrl=url, Entries=entries)


def _principal(ctx: Context) -> Principal:
    return Principal.service(SERVICE, ctx.account_id)


def _record(message: Shape, mapping: Shape) -> Shape:
    """Return a message as the function sees it."""
    arn = mapping["EventSourceArn"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message.get("Body", ""),
        "attributes": message.get("Attributes") or {},
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "dataType": value.get("DataType"),
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, value in (message.get("MessageAttributes") or {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }


def _done(messages: list[Shape], outcome: Outcome, mapping: Shape) -> list[Shape]:
    """Return the messages that a run dealt with: all or none, or what a partial batch response leaves."""
    if outcome.status != "ok":
        return []
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", ()):
        return messages
    answer: Any = json.loads(outcome.payload or b"null")
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not isinstance(failures, list):
        return messages
    failed = {failure.get("itemIdentifier") for failure in failures if isinstance(failure, dict)}
    return [message for message in messages if message["MessageId"] not in failed]
