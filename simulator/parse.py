"""What a request asks for, read from botocore's models: the protocols that most calls come in. Pure.

`moto.core` reads every protocol, by way of a whole request object of its framework; that costs more than the rest of a small call.
JSON, REST-JSON, query and CBOR are read here from the request itself; REST-XML (S3, Route 53) stays with moto.
Adversary: a client that sends anything. Whatever cannot be read raises `Unreadable`, never something else by design; values
of a wrong type are passed on as they are, for the check against the model to refuse them by name.
"""

import base64
import functools
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from botocore.utils import parse_timestamp
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import EC2QueryParser, QueryParser

DEEPEST = 100
_CBOR_PATH = re.compile(r"^/service/[^/]+/operation/([A-Za-z0-9]+)$")


class Unreadable(ValueError):
    """A body, or a part of a request, that is not what its protocol says."""


@dataclass(frozen=True, slots=True)
class _Route:
    """An operation of a REST service: its path, the query that tells it apart, and the labels in its path."""

    pattern: re.Pattern[str]
    query: tuple[str, ...]
    labels: tuple[str, ...]
    operation: OperationModel


@dataclass(slots=True)
class RestRouter:
    """The operations of a REST service by method. More literal paths come first, then those told apart by their query."""

    routes: Mapping[str, tuple[_Route, ...]]

    def match(self, method: str, path: str, query: str) -> tuple[OperationModel, dict[str, str]] | None:
        """Return the operation and the values of its path's labels, decoded; None where there is none."""
        parts = frozenset(query.split("&"))
        for route in self.routes.get(method, ()):
            found = route.pattern.fullmatch(path)
            if found and parts.issuperset(route.query):
                return route.operation, {
                    name: unquote(text) for name, text in zip(route.labels, found.groups(), strict=True)
                }
        return None


def rest_router(service: ServiceModel) -> RestRouter:
    """Return the router of a service."""
    by_method: dict[str, list[_Route]] = {}
    for name in service.operation_names:
        operation = service.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        labels: list[str] = []

        def label(found: re.Match[str], labels: list[str] = labels) -> str:
            labels.append(found[1])
            return "(.+)" if found[2] else "([^/]+)"

        pieces = re.split(r"(\{\w+\+?\})", path.rstrip("/") or "/")
        pattern = "".join(
            re.sub(r"\{(\w+)(\+?)\}", label, piece) if piece.startswith("{") else re.escape(piece) for piece in pieces
        )
        route = _Route(
            re.compile(f"{pattern}/?"), tuple(part for part in query.split("&") if part), tuple(labels), operation
        )
        by_method.setdefault(operation.http["method"], []).append(route)
    return RestRouter(
        {
            method: tuple(sorted(routes, key=lambda route: (len(route.labels), -len(route.query))))
            for method, routes in by_method.items()
        }
    )


def rest_json(
    operation: OperationModel, labels: Mapping[str, str], query: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """Return the parameters of a REST-JSON request. `headers` have lower-case names. Raises Unreadable."""
    shape = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    asked = parse_qsl(query, keep_blank_values=True) if query else []
    in_body = False
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        key = member.serialization.get("name", name)
        if location is None:
            in_body = True
        elif location == "uri":
            if key in labels:
                params[name] = _text_value(member, labels[key])
        elif location == "querystring":
            given = [value for asked_key, value in asked if asked_key == key]
            if given and member.type_name == "list":
                params[name] = [_text_value(member.member, value) for value in given]
            elif given:
                params[name] = _text_value(member, given[-1])
        elif location == "header" and (text := headers.get(key.lower())) is not None:
            params[name] = _text_value(member, text)
    payload = shape.serialization.get("payload")
    if payload:
        member = shape.members[payload]
        if member.type_name in ("blob", "string"):
            if body:
                params[payload] = body if member.type_name == "blob" else _decoded(body)
        elif body:
            params[payload] = _value(member, _json(body), 0)
    elif in_body and body:
        params |= _structure(shape, _json_object(body), 0, body_only=True)
    return params


def json_rpc(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """Return the parameters of a JSON request. Raises Unreadable."""
    if operation.input_shape is None:
        return {}
    return _structure(operation.input_shape, _json_object(body) if body else {}, 0)


def query(operation: OperationModel, fields: Mapping[str, str], *, ec2: bool) -> dict[str, Any]:
    """Return the parameters of a query request from its form's fields. Raises Unreadable."""
    parser = (EC2QueryParser if ec2 else QueryParser)(operation)
    try:
        parsed: dict[str, Any] = parser.parse({"values": fields})
    except (ValueError, TypeError, ArithmeticError, RecursionError) as bad:
        raise Unreadable(f"a parameter of {operation.name} is not of its type") from bad
    return parsed


def form(query_string: str, body: bytes) -> dict[str, str]:
    """Return the fields of a form in a body and a query, the first of each name. Raises Unreadable."""
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True) if query_string else []
        pairs += parse_qsl(body.decode("utf-8"), keep_blank_values=True) if body else []
    except ValueError as bad:
        raise Unreadable("the form cannot be read") from bad
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


# --- CBOR ---------------------------------------------------------------------------------------------------------


def cbor_operation(service: ServiceModel, path: str) -> OperationModel | None:
    """Return the operation that a path of Smithy RPC v2 names; None where it names none."""
    found = _CBOR_PATH.match(path)
    return service.operation_model(found[1]) if found and found[1] in service.operation_names else None


def cbor(operation: OperationModel, body: bytes) -> dict[str, Any]:
    """Return the parameters of a CBOR request. Raises Unreadable."""
    if operation.input_shape is None or not body:
        return {}
    reader = RpcV2CBORParser()
    try:
        raw = reader.parse_data_item(reader.get_peekable_stream_from_bytes(body))
    except Exception as bad:  # botocore's reader trusts servers: a bad body can break it in any way
        raise Unreadable("the body is not CBOR") from bad
    if not isinstance(raw, Mapping):
        raise Unreadable("the body is not a structure")
    return _structure(operation.input_shape, raw, 0)


def to_cbor(shape: Any, value: Mapping[str, Any]) -> bytes:
    """Return a result as CBOR, as the shape tells its types."""
    written = bytearray()
    RpcV2CBORSerializer()._serialize_data_item(written, dict(value), shape)
    return bytes(written)


def error_to_cbor(code: str, message: str) -> bytes:
    """Return an error as CBOR."""
    writer = io.BytesIO()
    writer.write(b"\xa2")
    for text in ("__type", code, "message", message):
        raw = text.encode()
        writer.write(b"\x7a" + len(raw).to_bytes(4, "big") + raw)
    return writer.getvalue()


# --- values -------------------------------------------------------------------------------------------------------


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as bad:
        raise Unreadable("the body is not JSON") from bad


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _json_object(body: bytes) -> Mapping[str, Any]:
    value = _json(body)
    if not isinstance(value, dict):
        raise Unreadable("the body is not a JSON object")
    return value


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as bad:
        raise Unreadable("the body is not UTF-8") from bad


@functools.lru_cache(maxsize=20_000)
def _members(shape: Any) -> tuple[tuple[str, str, Any, bool], ...]:
    """Return (name on the wire, name, shape, whether it is in the body) of a structure's members."""
    return tuple(
        (member.serialization.get("name", name), name, member, "location" not in member.serialization)
        for name, member in shape.members.items()
    )


def _structure(shape: Any, value: Mapping[str, Any], depth: int, *, body_only: bool = False) -> dict[str, Any]:
    if depth > DEEPEST:
        raise Unreadable("the body is nested too deep")
    return {
        name: _value(member, value[key], depth + 1)
        for key, name, member, of_body in _members(shape)
        if value.get(key) is not None and (of_body or not body_only)
    }


def _value(shape: Any, value: Any, depth: int) -> Any:
    """Return a parsed value as its shape's type, where it can be one."""
    convert = _CONVERTERS.get(shape.type_name)
    if convert is not None:
        return convert(value)
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        return value if shape.is_document_type else _structure(shape, value, depth)
    if kind == "list" and isinstance(value, list):
        return [_value(shape.member, item, depth + 1) if item is not None else None for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {_string(key): _value(shape.value, item, depth + 1) for key, item in value.items() if item is not None}
    return value


def _string(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except (
            UnicodeEncodeError
        ) as half:  # half a surrogate pair is no text: neither journal nor answer could carry it
            raise Unreadable("a text is not Unicode") from half
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        parsed: datetime = datetime.fromtimestamp(value, UTC) if not isinstance(value, str) else parse_timestamp(value)
    except (ValueError, OverflowError, OSError) as bad:
        raise Unreadable("a timestamp cannot be read") from bad
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except ValueError as bad:
        raise Unreadable("a blob is not base64") from bad


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "string": _string, "character": _string, "timestamp": _moment, "blob": _bytes, "integer": _whole, "long": _whole,
}  # fmt: skip


def _text_value(shape: Any, text: str) -> Any:
    """Return a value from a path, a query or a header."""
    kind = shape.type_name
    if kind in ("integer", "long", "float", "double"):
        try:
            return int(text) if kind in ("integer", "long") else float(text)
        except ValueError:
            return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "timestamp":
        return _moment(float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text)
    return _string(text)
