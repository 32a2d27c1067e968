"""The front door: route, parse, authenticate, and hand to the lab; serialise what comes back.

One WSGI application serves the AWS API of all labs in the process, the kit's control API under `/_lab/` and the console.
Adversaries: a web page in the trainee's browser (refused by Host, Origin and Sec-Fetch-Site, and because an API call
needs a signature header that no simple cross-origin request can carry), and a hosted trainee (SigV4 is verified there).
"""

import hmac
import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from scenario.errors import LabError
from simulator import parse, sigv4, wire
from simulator.control import Control
from simulator.errors import AwsError
from simulator.identity import Principal, account_of
from simulator.wire import HttpAnswer, HttpRequest, Routed
from simulator.world import Ask, Done, Lab

log = logging.getLogger(__name__)
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
MAX_BODY = 128 * 1024 * 1024
LONGEST_POLL = 20
"""Seconds that ReceiveMessage may wait (SQS API reference)."""
QUEUE_URLS = frozenset({"CreateQueue", "GetQueueUrl", "ListQueues", "ListDeadLetterSourceQueues"})
_QUEUE_URL = re.compile(rb"https://sqs\.[a-z0-9-]+\.amazonaws\.com/")
OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]")
OWN_SUFFIXES = (".localhost", ".localhost.localstack.cloud")
_VIRTUAL_HOST = re.compile(r"^(?P<bucket>.+?)\.(?:s3(?:[.-][a-z0-9-]+)?\.)?(?:localhost\.localstack\.cloud|localhost)$")
_SERVICE_HOST = re.compile(r"^(?:[a-z0-9-]+)(?:\.[a-z]{2}-[a-z]+-\d)?\.(?:localhost\.localstack\.cloud|localhost)$")
_ACTION = re.compile(r"(?:^|[&?])Action=[A-Za-z]")
CONSOLE_PATH = re.compile(
    r"^/(|console(/.*)?|_console(/.*)?|static/.*|(guardduty|lambda|config|cloudtrail|cloudtrailv2|events|iam|iamv2|"
    r"cloudformation|s3|vpc|vpcconsole|cloudwatch|scheduler)/home(/.*)?)$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An access key that a lab gave out: whose it is, and what a request made with it must prove to know."""

    principal: Principal
    secret: str
    token: str = ""


@dataclass(slots=True, kw_only=True)
class Gateway:
    """The WSGI application. `hosted` verifies signatures and tells labs apart by the caller's credentials alone."""

    labs: dict[str, Lab]
    control: Control
    hosted: bool = False
    hosts: frozenset[str] = frozenset()
    console: Callable[[Environ, StartResponse], Iterable[bytes]] | None = None
    keys: dict[str, Key] = field(default_factory=dict)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one HTTP request. A defect of the lab is logged and answered with 500; it never ends the server."""
        try:
            return self._served(environ, start_response)
        except Exception:
            log.exception("%s %s failed", environ.get("REQUEST_METHOD"), environ.get("PATH_INFO"))
            return _send(start_response, _text(500, "The lab failed at this request; see its server.log."))

    def _served(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = read_request(environ)
        except ValueError as bad:
            return _send(start_response, _text(400, str(bad)))
        refused = self._refusal(request)
        if refused:
            return _send(start_response, refused)
        if request.path.startswith(("/_lab/", "/_localstack/")) or request.path == "/health":
            return _send(start_response, self.control.answer(request))
        if request.path.startswith("/_lambda/code/"):
            return _send(start_response, self._code(request))
        if self.console and CONSOLE_PATH.match(request.path) and not _is_for_an_api(request):
            if self.hosted:
                return _send(start_response, _text(403, "A hosted lab has no console: it could not tell who looks."))
            return self.console({**environ, "wsgi.input": io.BytesIO(request.body)}, start_response)
        return _send(
            start_response, self.aws(request, environ.get("REMOTE_ADDR", "127.0.0.1")), request.method == "HEAD"
        )

    def aws(self, request: HttpRequest, source_ip: str) -> HttpAnswer:
        """Answer a request to the AWS API, errors included, in the protocol it was made in."""
        arrived, request = request, _path_style(request)
        routed: Routed | None = None
        service, protocol = "", "json"
        request_id = ""
        try:
            _, _, signing_name = wire.credential(request)
            service = wire.service_of(request, signing_name)
            protocol = _protocol(service, request)
            lab, principal = self._authenticate(arrived, service, request.path)
            routed = wire.route(request)
            ask = Ask(
                service=routed.service,
                operation=routed.operation,
                params=routed.params,
                principal=principal,
                region=routed.region,
                source_ip=source_ip,
                user_agent=request.header("user-agent"),
                protocol=routed.protocol,
                http=None if routed.service in lab.services() else _for_moto(routed, request),
            )
            receives = (ask.service, ask.operation) == ("sqs", "ReceiveMessage")
            done = _wait_for_messages(lab, ask) if receives else lab.ask(ask)
            request_id = done.request_id
            return _with_local_queues(routed, _answer(routed, done), arrived.host)
        except AwsError as error:
            return wire.serialise_error(service, protocol, error, request_id or "00000000-0000-4000-8000-000000000000")
        except LabError as broken:
            log.error("%s", broken)
            unavailable = AwsError("ServiceUnavailable", str(broken), status=503)
            return wire.serialise_error(service, protocol, unavailable, request_id)

    def _refusal(self, request: HttpRequest) -> HttpAnswer | None:
        host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
        host = host.lower()
        if host not in OWN_HOSTS and host not in self.hosts and not host.endswith(OWN_SUFFIXES):
            return _text(403, f"This lab answers to localhost, not to {host!r}.")
        origin = request.header("origin")
        cross_site = request.header("sec-fetch-site") in ("cross-site", "same-site")
        foreign = bool(origin) and origin not in (f"http://{request.host}", f"https://{request.host}")
        navigates = request.header("sec-fetch-mode") == "navigate" and request.method == "GET"
        if foreign or (cross_site and not navigates):
            return _text(403, "This lab does not answer pages of other sites.")
        return None

    def _authenticate(self, request: HttpRequest, service: str, path: str) -> tuple[Lab, Principal]:
        """Return whose request it is and in which lab. `request` is as it arrived, `path` its path with the bucket in front.

        A lab that one person has takes keys that it does not know, such as `test`, for the trainee's.
        """
        access_key, _, _ = wire.credential(request)
        if not access_key:
            if service == "s3":
                raise AwsError("AccessDenied", "Access Denied", status=403)
            raise sigv4.refusal(service, "MissingAuthenticationToken", "Missing Authentication Token")
        lab = self._lab_of(access_key, service)
        known = self.known(lab, access_key)
        if known is None:
            if self.hosted or access_key_is_off(lab, access_key):
                raise _unknown_key(service)
            return lab, self.keys[lab.meta["trainee_key"]].principal
        if self.hosted:
            sigv4.verify(request, known.secret, service, time.time(), path)
            if not hmac.compare_digest(sigv4.token_of(request).encode(), known.token.encode()):
                raise _wrong_token(service)
        if lab.service("sts").has_expired(access_key):
            raise _expired(service)
        return lab, known.principal

    def known(self, lab: Lab, access_key: str) -> Key | None:
        """Return an access key that the lab gave out and that works; None for any other."""
        key = self.keys.get(access_key)
        if key is not None and key.principal.account_id == lab.account_id:
            return key
        session = lab.service("sts").session_of(access_key)
        if session is not None:
            return Key(principal=session.principal, secret=session.secret, token=session.token)
        return _iam_user(lab, access_key)

    def _lab_of(self, access_key: str, service: str) -> Lab:
        account = account_of(access_key) if re.fullmatch(r"A[A-Z0-9]{19}", access_key) else None
        if account in self.labs:
            return self.labs[account]
        if self.hosted:
            raise _unknown_key(service)
        return next(iter(self.labs.values()))

    def _code(self, request: HttpRequest) -> HttpAnswer:
        token = request.path.rpartition("/")[2]
        for lab in self.labs.values():
            with lab.lock:
                code = lab.service("lambda").code_for(token)
            if code is not None:
                return HttpAnswer(status=200, headers={"Content-Type": "application/zip"}, body=code)
        return _text(403, "This link is not valid, or no longer.")


def read_request(environ: Environ) -> HttpRequest:
    """Return the request of a WSGI environment. Raises ValueError for one that is too large or makes no sense."""
    headers = {
        name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = str(environ[name])
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    if raw.startswith(("http://", "https://")):
        raw = "/" + raw.split("/", 3)[3] if raw.count("/") > 2 else "/"
    path, _, query = raw.partition("?")
    if not path:
        path = quote(environ.get("PATH_INFO", "/") or "/")
        query = environ.get("QUERY_STRING", "")
    length = environ.get("CONTENT_LENGTH") or ""
    if length and not length.isdigit():
        raise ValueError("Content-Length is not a number.")
    if length and int(length) > MAX_BODY:
        raise ValueError("The body is too large for this lab.")
    stream = environ["wsgi.input"]
    if length:
        body = stream.read(int(length))
    elif environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body = stream.read(MAX_BODY)
    else:
        body = b""
    return HttpRequest(
        method=environ["REQUEST_METHOD"], host=environ.get("HTTP_HOST", ""), path=path, query=query, headers=headers, body=body
    )  # fmt: skip


def _path_style(request: HttpRequest) -> HttpRequest:
    """Return a virtual-host S3 request as the path-style request that it stands for."""
    host = request.host.rsplit(":", 1)[0].lower()
    found = _VIRTUAL_HOST.match(host)
    _, _, signing_name = wire.credential(request)
    if not found or signing_name not in ("s3", "") or request.header("x-amz-target"):
        return request
    bucket = found["bucket"]
    if bucket == "s3" or (
        _SERVICE_HOST.match(host) and bucket.split(".")[0] in ("s3", "sqs", "sns", "lambda", "iam", "sts")
    ):
        return request
    return replace(request, path=f"/{bucket}{request.path}")


def _is_for_an_api(request: HttpRequest) -> bool:
    """Return whether a request is an SDK's: signed, or one that names its operation, as those do that AWS takes unsigned."""
    told = wire.credential(request)[0] or request.header("x-amz-target")
    return bool(told) or (request.path == "/" and _names_an_action(request))


def _names_an_action(request: HttpRequest) -> bool:
    form = request.header("content-type").startswith("application/x-www-form-urlencoded")
    return bool(_ACTION.search(request.query) or (form and _ACTION.search(request.body[:65536].decode("latin-1"))))


def _protocol(service: str, request: HttpRequest) -> str:
    """Return the protocol that a request came in, as far as can be told of one that may ask for nothing there is.

    Services that share a name in signatures may speak another one: what is no query is answered in JSON.
    """
    if request.header("smithy-protocol") == "rpc-v2-cbor":
        return wire.CBOR
    try:
        model = wire.model(service)
    except Exception:  # an unknown service is told of in JSON
        return "json"
    supported = model.metadata.get("protocols") or [str(model.protocol)]
    if request.header("content-type").startswith("application/x-www-form-urlencoded") and "query" in supported:
        return "query"
    if request.header("content-type").startswith("application/x-amz-json") and "json" in supported:
        return "json"
    own = str(model.protocol)
    is_another = own == wire.CBOR or (own in ("query", "ec2") and not _names_an_action(request))
    return "json" if is_another else own


def _for_moto(routed: Routed, request: HttpRequest) -> HttpRequest:
    """Return the request as moto reads it: on the service's own host, and in JSON where it came in CBOR."""
    if routed.protocol == wire.CBOR:
        return wire.as_http(routed.service, routed.operation, routed.params, routed.region)
    return replace(request, host=wire.moto_host(routed.service, routed.region))


def _answer(routed: Routed, done: Done) -> HttpAnswer:
    if done.answer is not None and routed.protocol == wire.CBOR and done.error is None:
        result = wire.from_http(routed.service, routed.operation, done.answer)
        return wire.serialise(routed.service, routed.operation, routed.protocol, result, done.request_id)
    if done.answer is not None and routed.protocol != wire.CBOR:
        return replace(
            done.answer, headers={**done.answer.headers, **wire.request_id_headers(routed.service, done.request_id)}
        )
    if done.error is not None:
        return wire.serialise_error(routed.service, routed.protocol, done.error, done.request_id)
    return wire.serialise(routed.service, routed.operation, routed.protocol, done.result or {}, done.request_id)


def _wait_for_messages(lab: Lab, ask: Ask) -> Done:
    """Wait outside the lab's lock until the queue has something or the poll's wall time is over; then receive once.

    moto would wait inside the lock, and by lab time, which stands still meanwhile.
    """
    named = ask.params.get("QueueUrl") or (ask.http.path if ask.http else "")
    peek = replace(
        ask, operation="GetQueueAttributes", http=None, params={"QueueUrl": named, "AttributeNames": ["All"]}
    )  # fmt: skip
    end: float | None = None
    while True:
        with lab.lock:
            seen = lab.peek(peek).get("Attributes", {})
        end = time.monotonic() + _patience(ask, seen) if end is None else end
        if seen.get("ApproximateNumberOfMessages", "0") != "0" or time.monotonic() >= end:
            break
        time.sleep(0.1)
    http = _without_waiting(ask.http) if ask.http else None
    return lab.ask(replace(ask, params={**ask.params, "WaitTimeSeconds": 0}, http=http))


def _patience(ask: Ask, attributes: Mapping[str, str]) -> int:
    """Return for how many seconds to wait: what the call says, else what the queue says. Raises AwsError."""
    told = ask.params.get("WaitTimeSeconds", int(attributes.get("ReceiveMessageWaitTimeSeconds", "0")))
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= LONGEST_POLL:
        text = f"Value {told} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
        raise AwsError("InvalidParameterValue", text, status=400)
    return told


def _without_waiting(http: HttpRequest) -> HttpRequest:
    """Return a ReceiveMessage request that waits for nothing, in the protocol it came in."""
    if http.header("x-amz-target"):
        return replace(http, body=json.dumps({**json.loads(http.body or b"{}"), "WaitTimeSeconds": 0}).encode())
    fields = {**parse.form(http.query, http.body), "WaitTimeSeconds": "0"}
    return replace(http, query="", body=urlencode(fields).encode())


def _with_local_queues(routed: Routed, answer: HttpAnswer, host: str) -> HttpAnswer:
    """Return SQS's answer with queues' URLs on this endpoint: some SDKs send what they have for a queue to its URL, wherever that is."""
    if routed.service != "sqs" or routed.operation not in QUEUE_URLS:
        return answer
    return replace(answer, body=_QUEUE_URL.sub(f"http://{host}/".encode(), answer.body))


def _iam_user(lab: Lab, access_key: str) -> Key | None:
    found = _user_key(lab, access_key)
    if found is None or found[1].status != "Active":
        return None
    user, key = found
    principal = Principal(
        type="IAMUser",
        account_id=lab.account_id,
        arn=user.arn,
        principal_id=user.id,
        name=user.name,
        access_key_id=access_key,
    )
    return Key(principal=principal, secret=key.secret_access_key)


def access_key_is_off(lab: Lab, access_key: str) -> bool:
    """Return whether an access key is a user's that somebody made inactive."""
    found = _user_key(lab, access_key)
    return found is not None and found[1].status != "Active"


def _user_key(lab: Lab, access_key: str) -> tuple[Any, Any] | None:
    """Return user and key of a long-term access key, moto's objects; None for a key that no user has."""
    if not access_key.startswith("AKIA"):
        return None
    with lab.moto.lock:
        for user in lab.moto.backend("iam", lab.account_id, "global").users.values():
            for key in user.access_keys:
                if key.access_key_id == access_key:
                    return user, key
    return None


def _unknown_key(service: str) -> AwsError:
    if service == "s3":
        text = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", text, status=403)
    if service == "ec2":
        return AwsError("AuthFailure", "AWS was not able to validate the provided access credentials", status=401)
    code = "InvalidClientTokenId" if service in sigv4.XML_SERVICES else "UnrecognizedClientException"
    return AwsError(code, "The security token included in the request is invalid.", status=403)


def _wrong_token(service: str) -> AwsError:
    if service == "s3":
        return AwsError("InvalidToken", "The provided token is malformed or otherwise invalid.", status=400)
    return _unknown_key(service)


def _expired(service: str) -> AwsError:
    if service == "s3":
        return AwsError("ExpiredToken", "The provided token has expired.", status=400)
    if service == "ec2":
        return AwsError("RequestExpired", "Request has expired.", status=400)
    return sigv4.refusal(service, "ExpiredToken", "The security token included in the request is expired")


def _text(status: int, text: str) -> HttpAnswer:
    return HttpAnswer(status=status, headers={"Content-Type": "text/plain; charset=utf-8"}, body=text.encode() + b"\n")


def _send(start_response: StartResponse, answer: HttpAnswer, head: bool = False) -> Iterable[bytes]:
    headers = {
        name: value for name, value in answer.headers.items() if name.lower() not in ("date", "server", "connection")
    }
    if not (head and "content-length" in {name.lower() for name in headers}):
        headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
        headers["Content-Length"] = str(len(answer.body))
    headers["Date"] = formatdate(usegmt=True)
    start_response(f"{answer.status} {_reason(answer.status)}", [(k, _header_safe(v)) for k, v in headers.items()])
    return [b""] if head or answer.status in (204, 304) else [answer.body]


def _header_safe(value: str) -> str:
    return re.sub(r"[\r\n]", " ", value).encode("latin-1", "replace").decode("latin-1")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
