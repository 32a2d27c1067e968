"""Parameters made from botocore's models: valid ones at random, and each constraint of a model broken once.

A client of botocore drives the gateway in this process: what is sent and how an answer is read is the client library's own work.
"""

import copy
import io
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import strategies as st

from simulator import wire
from simulator.gateway import Gateway
from simulator.wire import operation_model

SESSION = botocore.session.Session()
"""One for all clients: it reads each model once."""
DEEPEST = 5
Path = tuple[str | int, ...]


# --- the client ---------------------------------------------------------------------------------------------------


class Raw(io.BytesIO):
    """An answer's body, as botocore reads it."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        """Yield the body in pieces."""
        while piece := self.read(amt):
            yield piece


@dataclass
class InProcess:
    """botocore's clients on a gateway in this process."""

    gateway: Gateway
    access_key: str
    secret: str
    token: str | None = None
    region: str = "us-east-1"
    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def client(self, service: str, **settings: Any) -> Any:
        """Return a client that checks nothing itself, so that the server must."""
        config = Config(
            **{
                "parameter_validation": False,
                "inject_host_prefix": False,
                "retries": {"total_max_attempts": 1},
                "s3": {"addressing_style": "path"},
                **settings,
            }
        )
        client = SESSION.create_client(
            service,
            endpoint_url="http://127.0.0.1:4566",
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
            config=config,
        )
        client.meta.events.register("before-send", self._send)
        return client

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        status, headers, body = self.send(request.method, request.url, dict(request.headers), request.body)
        return AWSResponse(request.url, status, headers, Raw(body))

    def send(self, method: str, url: str, headers: Mapping[str, Any], body: Any) -> tuple[int, dict[str, str], bytes]:
        """Return the gateway's answer to an HTTP request."""
        raw = body.read() if hasattr(body, "read") else body.encode() if isinstance(body, str) else bytes(body or b"")
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "RAW_URI": target,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "HTTP_HOST": parts.netloc,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(raw),
            "CONTENT_LENGTH": str(len(raw)),
        }
        for name, value in headers.items():
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            upper = name.upper().replace("-", "_")
            if upper == "CONTENT_TYPE":
                environ["CONTENT_TYPE"] = text
            elif upper not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ[f"HTTP_{upper}"] = text
        started: list[tuple[int, dict[str, str]]] = []
        answer = self.gateway(environ, lambda status, given: started.append((int(status.split()[0]), dict(given))))
        payload = b"".join(answer)
        status, given = started[0]
        self.statuses.append(status)
        self.bodies.append(payload)
        return status, given, payload


# --- valid parameters ---------------------------------------------------------------------------------------------


def values(
    shape: Any, known: Mapping[str, Any], *, full: bool = False, name: str = "", depth: int = 0
) -> st.SearchStrategy[Any]:
    """Return a strategy for valid values of a shape. `known` names things that exist, by the member's name.

    `full` gives every member, to the depth where models begin to repeat themselves.
    """
    kind = shape.type_name
    if kind == "structure":
        return _structures(shape, known, full, depth)
    if kind == "list":
        low, high = _sizes(shape)
        member = values(shape.member, known, full=full, name=name.removesuffix("s"), depth=depth + 1)
        return st.lists(member, min_size=max(low, 1 if full and high else 0), max_size=max(low, min(high, low + 2)))
    if kind == "map":
        low, high = _sizes(shape)
        return st.dictionaries(
            values(shape.key, {}, depth=depth + 1),
            values(shape.value, known, full=full, depth=depth + 1),
            min_size=max(low, 1 if full and high else 0),
            max_size=max(low, min(high, low + 2)),
        )
    plain = _scalars(shape, kind)
    return st.one_of(st.just(known[name]), plain) if name in known and isinstance(known[name], str) else plain


def _structures(shape: Any, known: Mapping[str, Any], full: bool, depth: int) -> st.SearchStrategy[Any]:
    def member_of(name: str, member: Any) -> st.SearchStrategy[Any]:
        return st.deferred(lambda: values(member, known, full=full, name=name, depth=depth + 1))

    required = {
        name: member_of(name, member) for name, member in shape.members.items() if name in shape.required_members
    }
    optional = {
        name: member_of(name, member)
        for name, member in shape.members.items()
        if name not in required and depth < (DEEPEST if full else 2)
    }
    if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
        choices = [st.fixed_dictionaries({name: one}) for name, one in {**required, **optional}.items()]
        return st.one_of(choices) if choices else st.just({})
    if full:
        return st.fixed_dictionaries({**required, **optional})
    return st.fixed_dictionaries(required, optional=optional)


def _sizes(shape: Any) -> tuple[int, int]:
    low = int(shape.metadata.get("min", 0))
    return low, max(low, min(int(shape.metadata.get("max", low + 2)), low + 20))


def _scalars(shape: Any, kind: str) -> st.SearchStrategy[Any]:
    metadata = shape.metadata
    if kind in ("string", "character"):
        if getattr(shape, "enum", None):
            return st.sampled_from(shape.enum)
        return _texts(shape)
    if kind in ("integer", "long"):
        low = int(metadata.get("min", 0))
        return st.integers(low, max(low, int(metadata.get("max", low + 100))))
    if kind in ("float", "double"):
        least = float(metadata.get("min", 0))
        return st.floats(
            least, max(least, float(metadata.get("max", least + 100))), allow_nan=False, allow_infinity=False
        )
    if kind == "boolean":
        return st.booleans()
    if kind == "timestamp":
        moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
        return moments.map(lambda moment: moment.replace(microsecond=0))
    low, high = _sizes(shape)
    return st.binary(min_size=low, max_size=high)


CANDIDATES = (
    "known", "a", "Known-1", "x" * 8, "12345678", "486547846362", "1.0", "$LATEST", "*", "us-east-1", "true", "default", "/known", "/",
    "a@example.com", "example.com", "https://example.com/known", "s3://known-bucket/known", "10.0.0.0/16", "203.0.113.9", "443",
    "0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0", "0123456789abcdef0123456789abcdef", "vpc-0123456789abcdef0", "subnet-0123456789abcdef0",
    "sg-0123456789abcdef0", "o-abcdefghij", "ou-abcd-abcdefgh", "r-abcd", "AROAXCSEC6TNJX7ECNMY6", "lambda.amazonaws.com", "rate(5 minutes)",
    "arn:aws:iam::486547846362:role/known", "arn:aws:iam::486547846362:user/known", "arn:aws:lambda:us-east-1:486547846362:function:known",
    "arn:aws:lambda:us-east-1:486547846362:layer:known", "arn:aws:lambda:us-east-1:486547846362:layer:known:1",
    "arn:aws:sns:us-east-1:486547846362:known", "arn:aws:sqs:us-east-1:486547846362:known", "arn:aws:s3:::known-bucket",
    "arn:aws:events:us-east-1:486547846362:rule/known", "arn:aws:events:us-east-1:486547846362:event-bus/known",
    "arn:aws:events:us-east-1:486547846362:connection/known/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
    "arn:aws:events:us-east-1:486547846362:api-destination/known/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
    "arn:aws:kms:us-east-1:486547846362:key/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
    "arn:aws:lambda:us-east-1:486547846362:code-signing-config:csc-0123456789abcdef0",
    "arn:aws:secretsmanager:us-east-1:486547846362:secret:known-AbCdEf",
    "arn:aws:cloudtrail:us-east-1:486547846362:eventdatastore/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
    "arn:aws:cloudformation:us-east-1:486547846362:stack/known/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
    "arn:aws:cloudformation:us-east-1:486547846362:changeSet/known/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0",
    "arn:aws:scheduler:us-east-1:486547846362:schedule/default/known", "arn:aws:scheduler:us-east-1:486547846362:schedule-group/known",
    "arn:aws:guardduty:us-east-1:486547846362:detector/0123456789abcdef0123456789abcdef",
    "arn:aws:logs:us-east-1:486547846362:log-group:known:*", "known\u00e9 \u2603",
)  # fmt: skip
"""Texts of the kinds that models have patterns for: drawing from a pattern alone takes long, and seldom makes sense."""


def _texts(shape: Any) -> st.SearchStrategy[str]:
    low, high = _sizes(shape)
    longest = int(shape.metadata.get("max", 10**6))
    pattern = shape.metadata.get("pattern")
    if not pattern:
        alphabet = string.ascii_letters + string.digits + "-_./: \u00e9"
        return st.text(alphabet, min_size=max(low, 1), max_size=max(high, 1))
    fits = wire._pattern(pattern)
    stretched = ((text * low)[: max(low, 1)] for text in ("a", "0", "aB3-"))
    fitting = [text for text in (*CANDIDATES, *stretched) if low <= len(text) <= longest and fits(text)]
    if fitting:
        return st.sampled_from(fitting)
    alphabet_of = st.characters(codec="ascii", exclude_characters="\x00")
    drawn = st.from_regex(re.compile(pattern), fullmatch=not pattern.startswith("^"), alphabet=alphabet_of)
    return drawn.map(lambda text: text.rstrip("\n")).filter(
        lambda text: low <= len(text) <= longest and bool(fits(text))
    )


# --- constraints --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Breach:
    """A constraint of a model, and the value that breaks it. `value` None leaves the member out."""

    path: Path
    what: str
    value: Any

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))}: {self.what}"

    def applied(self, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return `params` with the constraint broken; None where they do not reach that far."""
        changed = copy.deepcopy(dict(params))
        place: Any = changed
        for step in self.path[:-1]:
            try:
                place = place[next(iter(place))] if step == "{}" else place[step]
            except (KeyError, IndexError, StopIteration):
                return None
        last = self.path[-1]
        if self.value is None:
            if last not in place:
                return None
            del place[last]
        elif last == "{}":
            if not place:
                return None
            place[next(iter(place))] = self.value
        elif isinstance(place, list):
            if not place:
                return None
            place[int(last)] = self.value
        else:
            place[last] = self.value
        return changed


def breaches(shape: Any, sample: Any, path: Path = (), seen: tuple[str, ...] = ()) -> Iterator[Breach]:
    """Yield a breach of every constraint that `sample` reaches, once for each place in the model."""
    kind = shape.type_name
    if path and shape.name in seen and kind == "structure":
        return
    if path:
        yield from _own_breaches(shape, kind, sample, path)
    if kind == "structure" and isinstance(sample, Mapping):
        for name, member in shape.members.items():
            if name in shape.required_members and name in sample:
                yield Breach((*path, name), "required", None)
            if name in sample:
                yield from breaches(member, sample[name], (*path, name), (*seen, shape.name))
    elif kind == "list" and sample:
        yield from breaches(shape.member, sample[0], (*path, 0), seen)
    elif kind == "map" and sample:
        yield from breaches(shape.value, next(iter(sample.values())), (*path, "{}"), seen)


def _own_breaches(shape: Any, kind: str, sample: Any, path: Path) -> Iterator[Breach]:
    metadata = shape.metadata
    low, high = metadata.get("min"), metadata.get("max")
    if kind in ("string", "character"):
        if getattr(shape, "enum", None):
            yield Breach(path, "enum", "not-one-of-them")
        if low and int(low) > 1:
            yield Breach(path, "min", str(sample)[: int(low) - 1] or "x")
        if high is not None and int(high) <= 20_000:
            yield Breach(path, "max", (str(sample) or "x") + "x" * (int(high) + 1))
        if metadata.get("pattern") and wire._pattern(metadata["pattern"])("\u2603 \t*") is None:
            yield Breach(path, "pattern", "\u2603 \t*")
    elif kind in ("integer", "long", "float", "double"):
        if low is not None:
            yield Breach(path, "min", int(low) - 1)
        if high is not None and int(high) < 2**31 - 1:
            yield Breach(path, "max", int(high) + 1)
    elif kind == "list" and sample:
        if low:
            yield Breach(path, "min", sample[: int(low) - 1])
        if high is not None and int(high) <= 2000:
            yield Breach(path, "max", [sample[0]] * (int(high) + 1))
    elif kind == "map" and sample:
        if (
            high is not None
            and int(high) <= 300
            and shape.key.type_name == "string"
            and not getattr(shape.key, "enum", None)
        ):
            value = next(iter(sample.values()))
            yield Breach(path, "max", {f"key{number}": value for number in range(int(high) + 1)})
    elif kind == "blob" and high is not None and int(high) <= 70_000:
        yield Breach(path, "max", b"x" * (int(high) + 1))


# --- what may come back -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What became of a call: its result, or the code of the error that the client raised, with its HTTP status."""

    result: Any = None
    code: str | None = None
    status: int = 200


def attempt(lab: InProcess, client: Any, operation: str, params: Mapping[str, Any]) -> Told | None:
    """Make a call and hold what comes back to what a client can bear; None where the client itself refuses to send it."""
    service = client.meta.service_model.service_name
    before = len(lab.statuses)
    try:
        result = getattr(client, xform_name(operation))(**params)
    except ClientError as error:
        return _error(lab, service, operation, error)
    except Exception:
        if len(lab.statuses) == before:
            return None
        raise
    assert lab.statuses[-1] < 400, (service, operation, lab.statuses[-1])
    return Told(result={name: value.read() if hasattr(value, "read") else value for name, value in result.items()})


def _error(lab: InProcess, service: str, operation: str, error: ClientError) -> Told:
    code = error.response["Error"].get("Code", "")
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    model = operation_model(service, operation)
    where = (service, operation, status, code, lab.bodies[-1][:300])
    assert not lab.bodies[-1][:15].lower().startswith((b"<!doctype", b"<html")), where
    if model.http.get("method") != "HEAD":
        assert code, where
        assert not code.isdigit(), where
    modelled = {shape.name for shape in model.error_shapes}
    assert status < 500 or code in modelled, where
    assert code != "InternalFailure", where
    return Told(code=code, status=status)
