"""The console's only way to AWS: boto3 clients that sign as the trainee, and a record of what a page asked.

Errors of AWS come out as ApiError, with AWS's code and words.
"""

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from simulator.console.inside import Send
from simulator.home import Running


class ApiError(Exception):
    """AWS said no. `code` and `message` are its own; `code` is empty where the request was never sent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if code else message)
        self.code = code
        self.message = message


class Caller(Protocol):
    """Something that makes AWS calls: the trainee's session, or a fake in a test."""

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an operation answers. Raises ApiError."""
        ...


class Session:
    """The trainee's session. `agent` says which browser asks, for CloudTrail to show."""

    def __init__(self, running: Running, send: Send, agent: Callable[[], str]) -> None:
        self._running = running
        self._send = send
        self._agent = agent
        self._making = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._session: Any = None

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what an operation answers. Raises ApiError."""
        try:
            answer: dict[str, Any] = getattr(self._client(service), xform_name(operation))(**params)
        except ClientError as refused:
            error = refused.response.get("Error", {})
            raise ApiError(str(error.get("Code", "")), str(error.get("Message", refused))) from refused
        except BotoCoreError as failed:
            raise ApiError("", str(failed)) from failed
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, service: str) -> Any:
        with self._making:
            if service not in self._clients:
                self._clients[service] = self._made(service)
            return self._clients[service]

    def _made(self, service: str) -> Any:
        running = self._running
        if self._session is None:
            self._session = boto3.session.Session(
                aws_access_key_id=running.access_key_id,
                aws_secret_access_key=running.secret_access_key,
                aws_session_token=running.session_token,
                region_name=running.region,
            )
        config = Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"})
        client = self._session.client(service, endpoint_url=running.endpoint_url, config=config)
        client.meta.events.register("before-send", self._sent)
        return client

    def _sent(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers = {name: _text(value) for name, value in request.headers.items()}
        headers["User-Agent"] = self._agent()
        answer = self._send(request.method, request.url, headers, _bytes(request.body))
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))


class _Raw(io.BytesIO):
    """A body as botocore reads it from urllib3."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """Yield the rest of the body."""
        yield self.read()


@dataclass(slots=True)
class Asked:
    """An AWS call that a page made."""

    service: str
    operation: str
    params: Mapping[str, Any]


@dataclass(slots=True)
class Page:
    """The calls of one request, in their order, made through `caller`."""

    caller: Caller
    asked: list[Asked] = field(default_factory=list)

    def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """Return what an operation answers; the call is one that the page shows. Raises ApiError."""
        self.asked.append(Asked(service, operation, params))
        return self.caller.call(service, operation, params)

    def optional(self, service: str, operation: str, /, *absent: str, **params: Any) -> dict[str, Any] | None:
        """Return what an operation answers, None for an error of a code in `absent`. Raises ApiError for others."""
        try:
            return self.call(service, operation, **params)
        except ApiError as error:
            if error.code in absent:
                return None
            raise

    def pages(
        self, service: str, operation: str, items: str, token: str, /, limit: int = 1000, **params: Any
    ) -> list[Any]:
        """Return the `items` of as many pages as hold `limit` of them. `token` names both sides: `in` or `in:out`."""
        given, _, returned = token.partition(":")
        found: list[Any] = []
        more: dict[str, Any] = {}
        while True:
            answer = self.call(service, operation, **params, **more)
            found += answer.get(items, [])
            following = answer.get(returned or given)
            if not following or len(found) >= limit:
                return found
            more = {given: following}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        return bytes(body.read())
    return bytes(body)
