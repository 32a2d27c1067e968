"""moto, wrapped once: S3, EC2, IAM's storage, SQS, SNS, CloudWatch, Logs, KMS and hundreds of others.

What is changed about it, each held by a canary in tests/contract/test_moto_canary.py:

- time: wherever a moto module asks for the time it gets the lab's (`_NOW`, a context variable, so that labs do not mix);
- ids: its one generator is seeded from the change's number before every change, and from a backend's name where one is
  born, so that a replay draws the same ids; what it draws from elsewhere it draws from that generator too (seeded.py);
- authorisation is ours (policy.py): moto's reading of bucket policies ignores conditions, so a policy that denies plain HTTP
  would deny everything; it is off;
- isolation: the account comes from the call's context and from nowhere else, cross-account S3 is off, no AMIs;
- deliveries to Lambda: topics and buckets hand their events to our Lambda, not to its own, which knows no function;
- IAM: what it lacks of it is added (iam.py);
- memory: its tracking of every instance ever made is off;
- speed: what it works out anew for every member of every answer, names and moments written as text, is worked out once;
- errors: every exception and every HTML page becomes an error of the client's protocol. What moto lacks says so.

Adversary: a hosted trainee who guesses other accounts' identifiers. One lock around all of it: moto's generator is global.
"""

import contextvars
import datetime as real_datetime
import functools
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

os.environ.update(
    MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS="false",
    MOTO_EC2_LOAD_DEFAULT_AMIS="false",
    MOTO_IAM_LOAD_MANAGED_POLICIES="true",
)
os.environ.pop("MOTO_ACCOUNT_ID", None)

import moto.core.errors
import moto.core.responses
import moto.core.serialize
import moto.core.utils
from moto.backends import get_backend
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.common_models import BaseModel
from moto.core.exceptions import HTTPException
from moto.iam.access_control import PermissionResult
from moto.iam.utils import generate_access_key_id_from_account_id
from moto.moto_api._internal import mock_random

from simulator import wire
from simulator.errors import AwsError
from simulator.services import iam, seeded
from simulator.wire import HttpAnswer, HttpRequest

if TYPE_CHECKING:
    from simulator.service import Context

_NOW: contextvars.ContextVar[real_datetime.datetime | None] = contextvars.ContextVar("lab time", default=None)
_CONTEXT: contextvars.ContextVar["Context | None"] = contextvars.ContextVar("the call that is served", default=None)
# moto's name of a service where it is not botocore's without its dashes.
NAMES = {"lambda": "awslambda", "s3control": "s3control", "cloudwatch": "cloudwatch", "ses": "ses", "sesv2": "sesv2"}
S3_UNKNOWN = frozenset({
    "abac", "analytics", "annotation", "intelligent-tiering", "metadataAnnotationTable", "metadataConfiguration",
    "metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics", "renameObject", "requestPayment", "session", "torrent",
})  # fmt: skip
"""What S3's requests may ask for in their query and moto does not look at: it would read, replace or delete the object or bucket."""
_DROPPED = frozenset({
    "status", "x-amzn-requestid", "x-amz-content-sha256", "x-amz-sdk-checksum-algorithm", "x-amz-decoded-content-length", "x-amz-trailer",
    "x-amz-user-agent", "x-amz-date", "x-amz-security-token",
})  # fmt: skip
"""Headers that an answer of moto's repeats from the request, or that the gateway writes."""
_REQUEST_IDS = re.compile(rb"<(RequestId|requestId|RequestID|HostId|HostID)>[^<]*</\1>")


class _LabDatetimeType(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, real_datetime.datetime)


class LabDatetime(real_datetime.datetime, metaclass=_LabDatetimeType):
    """`datetime.datetime` whose now is the lab's while a lab's call is served."""

    @classmethod
    def now(cls, tz: real_datetime.tzinfo | None = None) -> Any:
        """Return lab time in `tz`, naive UTC where `tz` is None."""
        lab_time = _NOW.get()
        if lab_time is None:
            return real_datetime.datetime.now(tz)
        return lab_time.astimezone(tz) if tz else lab_time.replace(tzinfo=None)

    @classmethod
    def utcnow(cls) -> Any:
        """Return lab time, naive, UTC."""
        return (_NOW.get() or real_datetime.datetime.now(real_datetime.UTC)).replace(tzinfo=None)


class _DatetimeModule:
    """Stands in for the module `datetime` inside moto."""

    datetime = LabDatetime

    def __getattr__(self, name: str) -> Any:
        return getattr(real_datetime, name)


_DATETIME_MODULE = _DatetimeModule()
_patched: set[str] = set()
_modules_seen = 0
_underscored = functools.lru_cache(10_000)(moto.core.utils.camelcase_to_underscores)


def _patch_new_modules() -> None:
    """Give every moto module imported since the last look the lab's time and randomness, and what is listed above."""
    global _modules_seen
    if len(sys.modules) == _modules_seen:  # walking all of them would cost half a millisecond a call
        return
    _modules_seen = len(sys.modules)
    for name, module in list(sys.modules.items()):
        if name in _patched or not name.startswith("moto."):
            continue
        _patched.add(name)
        attributes = vars(module)
        if name == "moto.s3.models":
            # moto's own reading of bucket policies ignores conditions; `simulator.policy` has judged the call already.
            module.FakeBucket.get_permission = lambda *_: PermissionResult.PERMITTED
            # An object that was written over is let go of quietly: nobody needs to be warned of it.
            module.FakeKey.__del__ = module.FakeKey.dispose
        elif name == "moto.iam.models":
            _give_ids_that_decode(module)
            iam.patch_models(module)
        elif name == "moto.iam.responses":
            iam.patch_responses(module, _CONTEXT.get)
        elif name == "moto.sns.models":
            module.Subscription.publish = _topics_to_lambda(module.Subscription.publish)
        elif name == "moto.s3.notifications":
            attributes["_invoke_awslambda"] = _bucket_to_lambda
        if "camelcase_to_underscores" in attributes:
            attributes["camelcase_to_underscores"] = _underscored
        if attributes.get("datetime") is real_datetime:
            attributes["datetime"] = _DATETIME_MODULE
        elif attributes.get("datetime") is real_datetime.datetime:
            attributes["datetime"] = LabDatetime
        seeded.patch(name, module, _NOW.get)


def _to_lambda(function_arn: str, event: dict[str, Any], service: str, source_arn: str) -> None:
    """Hand an event to the function, as the service and for the topic or bucket, in the lab whose call is served."""
    ctx = _CONTEXT.get()
    if ctx is not None:
        payload = json.dumps(event).encode()
        ctx.lab.service("lambda").accept_event(
            ctx, function_arn=function_arn, payload=payload, source_service=service, source_arn=source_arn
        )


def _topics_to_lambda(publish: Callable[..., None]) -> Callable[..., None]:
    """Return moto's Subscription.publish, with subscriptions of functions done by us. Event: SNS developer guide, Fanout to Lambda."""

    @functools.wraps(publish)
    def to_lambda(
        self: Any,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> None:
        if self.protocol != "lambda":
            publish(
                self, message, message_id, subject, message_attributes, group_id, deduplication_id, message_structure
            )
            return
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        text = self._parse_message_structure(message, "lambda") if message_structure == "json" else message
        now = LabDatetime.now(real_datetime.UTC)
        notification = {
            "SignatureVersion": "1",
            "Timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            "Signature": "EXAMPLE",
            "SigningCertUrl": "EXAMPLE",
            "MessageId": message_id,
            "Message": text,
            "MessageAttributes": {
                key: {"Type": value.get("type"), "Value": value.get("value")}
                for key, value in (message_attributes or {}).items()
            },
            "Type": "Notification",
            "UnsubscribeUrl": "EXAMPLE",
            "TopicArn": self.topic.arn,
            "Subject": subject,
        }
        record = {
            "EventVersion": "1.0",
            "EventSubscriptionArn": self.arn,
            "EventSource": "aws:sns",
            "Sns": notification,
        }
        _to_lambda(self.endpoint, {"Records": [record]}, "sns.amazonaws.com", self.topic.arn)

    return to_lambda


def _bucket_to_lambda(_account_id: str, event: dict[str, Any], function_arn: str, _region: str) -> None:
    """Stand in for the function by which moto's S3 invokes moto's Lambda."""
    _to_lambda(function_arn, event, "s3.amazonaws.com", event["Records"][0]["s3"]["bucket"]["arn"])


def _give_ids_that_decode(module: Any) -> None:
    """Give users, groups, instance profiles and policies ids that decode to their account, as roles' ids do."""
    for name, prefix in (("User", "AIDA"), ("Group", "AGPA"), ("InstanceProfile", "AIPA"), ("ManagedPolicy", "ANPA")):
        cls = getattr(module, name)
        _extend(cls, prefix)


def _extend(cls: Any, prefix: str) -> None:
    made = cls.__init__

    @functools.wraps(made)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        account = str(getattr(self, "account_id", ""))
        if account.isdigit() and hasattr(self, "id"):
            self.id = generate_access_key_id_from_account_id(account, prefix, 21)

    cls.__init__ = init


def _untracked(cls: type, *_args: Any, **_kwargs: Any) -> Any:
    return object.__new__(cls)


_born = AccountSpecificBackend.__getitem__


def _seeded_birth(self: Any, region_name: str) -> Any:
    """Return the backend of a region; where it is born now, its ids are drawn from its name and not from the change's."""
    region = "aws" if region_name == "global" else region_name
    if region in self.keys():  # `in self` would be true for every region there is
        return dict.__getitem__(self, region)
    name = f"birth {self.service_name} {self.account_id} {region}"
    return seeded.as_if_unseen(name, lambda: _born(self, region_name))


def _request_id(headers: dict[str, Any]) -> str:
    """Stand in for what makes up a request's id, by drawing 52 times: the call has one."""
    ctx = _CONTEXT.get()
    headers["x-amzn-requestid"] = ctx.request_id if ctx is not None else ""
    return str(headers["x-amzn-requestid"])


def _moment_once(parse: Callable[[Any], real_datetime.datetime]) -> Callable[[Any], real_datetime.datetime]:
    """Return what parses a moment's text once. With what is no text it is quick, and equal ones need not be alike."""
    known = functools.lru_cache(10_000)(parse)
    return lambda value: known(value) if type(value) is str else parse(value)


moto.core.responses.gen_amzn_requestid_long = _request_id
# One for the whole process: moto makes one for every error that it answers with, and all the service's errors with it.
moto.core.errors.ErrorLookupFactory = functools.cache(moto.core.errors.ErrorLookupFactory)
moto.core.serialize.parse_to_aware_datetime = _moment_once(moto.core.serialize.parse_to_aware_datetime)
BaseModel.__new__ = _untracked
AccountSpecificBackend.__getitem__ = _seeded_birth


class Moto:
    """The one moto of this process, shared by its labs."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._handlers: dict[str, list[tuple[re.Pattern[str], Callable[..., Any]]]] = {}
        self._late: dict[tuple[str, str], list[tuple[str, Callable[[], None]]]] = {}
        self._late_numbers: dict[tuple[str, str], int] = {}

    def knows(self, service: str) -> bool:
        """Return whether moto has anything for a service, botocore's name."""
        try:
            self._handlers_of(service)
        except AwsError:
            return False
        return True

    def backend(self, service: str, account_id: str, region: str) -> Any:
        """Return moto's backend of a service, for what has no API: `region` may be `global`."""
        return _backends(service)[account_id][region]

    def logs_access(self, account_id: str) -> bool:
        """Return whether a bucket has access to it logged: then a read of an object makes another object."""
        buckets = self.backend("s3", account_id, "global").buckets.values()
        return any(bucket.logging for bucket in buckets)

    def forward(self, ctx: "Context", service: str, request: HttpRequest, *, change: bool) -> HttpAnswer:
        """Have moto answer a request in the context's account, time and seed.

        Raises AwsError for what moto lacks or breaks at. An error that moto answers with comes back as its answer.
        """
        with self.lock, self.as_lab(ctx):
            if service == "s3":
                _refuse_unknown_to_moto(request)
            handler = self._handler(service, request)  # may import the service, which draws from the generator
            self._write_late(ctx, service)
            if change:
                mock_random.seed(ctx.ids.getrandbits(64))
            else:  # what a read makes up, or makes, is the same whenever it is asked
                read = f"read {ctx.account_id} {service} {request.path} {request.query}"
                mock_random.seed(read.encode() + request.body)
            headers = dict(request.headers)
            headers.pop("transfer-encoding", None)
            headers["x-moto-account-id"] = ctx.account_id
            headers["host"] = request.host
            headers["authorization"] = _authorization(ctx, service)
            moto_request = HttpRequest(
                method=request.method, host=request.host, path=request.path, query=request.query, headers=headers, body=request.body
            ).to_moto()  # fmt: skip
            try:
                answered = handler(moto_request, moto_request.raw_url, moto_request.headers)
            except HTTPException as error:
                answered = error.code, error.get_headers(), error.get_body()
            except NotImplementedError as missing:
                raise not_implemented(service, str(missing)) from missing
            except AwsError:
                raise
            except Exception as crash:  # moto breaks in every way on input it did not think of
                raise AwsError(
                    "ValidationException", f"The request could not be handled ({type(crash).__name__}: {crash})."
                ) from crash
            finally:
                _patch_new_modules()
                seeded.settle_births(keep=change)
        return _answer(service, answered, request.method)

    def call(
        self, ctx: "Context", service: str, operation: str, params: dict[str, Any], *, change: bool
    ) -> dict[str, Any]:
        """Return the result of an operation, in botocore's shape. Raises AwsError."""
        request = wire.as_http(service, operation, params, ctx.region)
        return wire.from_http(service, operation, self.forward(ctx, service, request, change=change))

    def as_lab(self, ctx: "Context") -> "_AsLab":
        """Return a context manager in which moto's time is the lab's."""
        return _AsLab(ctx)

    def write_log(self, ctx: "Context", group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        """Put log events (milliseconds, text) into CloudWatch Logs, making group and stream where they are missing.

        Done when somebody first looks at the logs: a lab's history writes hundreds of them before anyone does.
        """
        account, region, now, events = ctx.account_id, ctx.region, ctx.now, list(events)

        def write() -> None:
            backend = self.backend("logs", account, region)
            token = _NOW.set(now)
            try:
                if group not in backend.groups:
                    backend.create_log_group(group, {})
                backend.ensure_log_stream(group, stream)
                backend.put_log_events(group, stream, [{"timestamp": at, "message": text} for at, text in events])
            finally:
                _NOW.reset(token)

        self._later(account, "logs", write)

    def put_metrics(
        self, ctx: "Context", namespace: str, data: Sequence[tuple[str, dict[str, str], float, str]]
    ) -> None:
        """Put metric values (name, dimensions, value, unit) at the context's time into CloudWatch, when somebody looks."""
        account, region, now = ctx.account_id, ctx.region, ctx.now.replace(tzinfo=None)
        rows = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
                "Value": value,
                "Unit": unit,
                "Timestamp": now,
            }
            for name, dimensions, value, unit in data
        ]
        self._later(
            account,
            "cloudwatch",
            lambda: self.backend("cloudwatch", account, region).put_metric_data(namespace, rows),
        )

    def forget(self, account_id: str) -> None:
        """Drop everything moto holds for an account."""
        with self.lock:
            for backends in list(BackendDict._instances):
                of_account = dict.pop(backends, account_id, None)
                for backend in of_account.values() if of_account else ():
                    backend.reset()
            for key in [key for key in self._late if key[0] == account_id]:
                del self._late[key]
            for key in [key for key in self._late_numbers if key[0] == account_id]:
                del self._late_numbers[key]

    def _later(self, account_id: str, service: str, write: Callable[[], None]) -> None:
        number = self._late_numbers[account_id, service] = self._late_numbers.get((account_id, service), 0) + 1
        name = f"late {account_id} {service} {number}"
        self._late.setdefault((account_id, service), []).append((name, write))

    def _write_late(self, ctx: "Context", service: str) -> None:
        # A read may bring this about live and a change in a replay: the change's ids must be the same either way.
        for name, write in self._late.pop((ctx.account_id, service), ()):
            seeded.as_if_unseen(name, write)

    def _handler(self, service: str, request: HttpRequest) -> Callable[..., Any]:
        url = f"https://{request.host}{request.path}"
        for pattern, handler in self._handlers_of(service):
            if pattern.match(url):
                return handler
        raise not_implemented(service, f"{request.method} {request.path}")

    def _handlers_of(self, service: str) -> list[tuple[re.Pattern[str], Callable[..., Any]]]:
        if service not in self._handlers:
            try:
                backends = _backends(service)
            except (ImportError, KeyError, AttributeError) as unknown:
                raise not_implemented(service, "any of its operations") from unknown
            account = next(iter(backends), "000000000000")
            regions = backends[account]
            backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
            self._handlers[service] = [(re.compile(url), handler) for url, handler in backend.urls.items()]
            _patch_new_modules()
        return self._handlers[service]


class _AsLab:
    def __init__(self, ctx: "Context") -> None:
        self._ctx = ctx

    def __enter__(self) -> None:
        self._token = _NOW.set(self._ctx.now)
        self._outer = _CONTEXT.set(self._ctx)

    def __exit__(self, *_: object) -> None:
        _NOW.reset(self._token)
        _CONTEXT.reset(self._outer)


@functools.cache
def _backends(service: str) -> Any:
    """Return moto's backends of a service, botocore's name, for all accounts. Raises what an import can."""
    return get_backend(NAMES.get(service, service.replace("-", "")))


def not_implemented(service: str, what: str) -> AwsError:
    """Return the honest error for what nobody implements: the client's library raises it as its own exception."""
    return AwsError("NotImplemented", f"This lab does not implement {service} {what}. 'lab doctor' lists what it does.")


def _authorization(ctx: "Context", service: str) -> str:
    key = ctx.principal.access_key_id or "ASIAAAAAAAAAAAAAAAAA"
    scope = f"{key}/{ctx.now:%Y%m%d}/{ctx.region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"


def _refuse_unknown_to_moto(request: HttpRequest) -> None:
    asked = {part.partition("=")[0] for part in request.query.split("&")}
    of_object = "/" in request.path.strip("/")
    unknown = asked & S3_UNKNOWN
    if "/s3express/aws4_request" in request.header("authorization"):
        raise not_implemented("s3", "directory buckets")
    if request.method == "GET" and "retention" in asked:
        unknown |= {"retention"}
    if request.method == "PUT" and of_object and "encryption" in asked:
        unknown |= {"encryption"}
    if unknown:
        raise not_implemented("s3", f"{request.method} with ?{min(unknown)}")


def _answer(service: str, answered: Any, method: str) -> HttpAnswer:
    status, headers, body = answered
    raw = body.encode() if isinstance(body, str) else bytes(body or b"")
    plain = {str(key): str(value) for key, value in dict(headers).items() if str(key).lower() not in _DROPPED}
    status = int(dict(headers).get("status", status))
    if status >= 500 or raw[:15].lower().startswith((b"<!doctype", b"<html")) or raw == b"Not yet implemented":
        raise not_implemented(service, "this call as it was made")
    if status >= 400 and not raw and method != "HEAD":
        raise AwsError("InvalidRequest", "The request is not valid.", status=400)
    return HttpAnswer(status=status, headers=plain, body=raw)


def digest_of(answer: HttpAnswer) -> bytes:
    """Return what of an answer must be the same at a replay: everything but the ids of the request."""
    return str(answer.status).encode() + _REQUEST_IDS.sub(b"", answer.body)
