"""Answers of moto's to reads, kept until something in the lab changes: its way to write a long list takes milliseconds.

Only where an answer depends on nothing but the lab's state, the caller and the request as it came: S3, IAM, and what SQS tells
of queues beside their counts. Whoever asks is authorised, and the call recorded, as ever; what is spared is moto's work.
"""

from collections.abc import Hashable
from dataclasses import replace

from simulator.identity import Principal
from simulator.wire import HttpAnswer, HttpRequest

OF_TIME = frozenset({("iam", "GetAccessKeyLastUsed"), ("iam", "GetCredentialReport")})
"""What of them depends on time, or on who asked for something before."""
SQS = frozenset({"ListQueues", "GetQueueUrl", "ListQueueTags", "ListDeadLetterSourceQueues"})
MOST_BYTES = 1 << 20
"""How much is kept for a lab. What is larger by itself costs its reading, not its writing."""
PASSING_HEADERS = frozenset({
    "authorization", "x-amz-date", "date", "x-amz-security-token", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent",
    "x-amz-user-agent", "content-length", "host", "connection", "accept-encoding", "accept", "te", "keep-alive",
})  # fmt: skip
"""Headers that say nothing of what is asked for."""


def key_of(
    service: str, operation: str, region: str, principal: Principal, request: HttpRequest | None
) -> Hashable | None:
    """Return what tells a read apart from others in the same lab; None for one whose answer may not be kept."""
    kept = service in ("s3", "iam") or (service == "sqs" and operation in SQS)
    if request is None or not kept or (service, operation) in OF_TIME:
        return None
    headers = tuple(sorted(item for item in request.headers.items() if item[0] not in PASSING_HEADERS))
    return service, region, principal.access_key_id, request.method, request.path, request.query, headers, request.body


class Answers:
    """The answers of one lab as it is after one change."""

    def __init__(self) -> None:
        self._change = 0
        self._room = MOST_BYTES
        self._kept: dict[Hashable, tuple[str, HttpAnswer]] = {}

    def find(self, key: Hashable, change: int, request_id: str) -> HttpAnswer | None:
        """Return what was answered since `change`, the lab's last, with the id of this request in it; None where nothing was."""
        if change != self._change:
            self._change, self._room = change, MOST_BYTES
            self._kept.clear()
        if key not in self._kept:
            return None
        made_for, answer = self._kept[key]
        return replace(answer, body=answer.body.replace(made_for.encode(), request_id.encode()))

    def keep(self, key: Hashable, answer: HttpAnswer, request_id: str) -> None:
        """Keep an answer, where there is room for it, until a change is asked about."""
        if len(answer.body) <= self._room:
            self._room -= len(answer.body)
            self._kept[key] = request_id, answer
