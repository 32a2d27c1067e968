"""What a resource type's handler is given, and what it gives back.

A handler is one class for one type: `create`, `update` and `delete` turn properties into API calls, `attributes` reads
what Fn::GetAtt may ask for, `read` what drift detection compares. Handlers keep nothing: all they know is passed in.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from urllib.parse import unquote

from simulator import wire
from simulator.errors import AwsError
from simulator.identity import Principal
from simulator.service import Context
from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.schema import SCHEMAS, Schema

_T = TypeVar("_T")
log = logging.getLogger(__name__)

INVOKER = "cloudformation.amazonaws.com"
NAME_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PATIENCE = 60
"""How often, a second apart, a handler looks whether what it made is ready."""

Properties = Mapping[str, Any]


class HandlerError(Exception):
    """A failure in CloudFormation's own words.

    `code` is a HandlerErrorCode of the registry; None where the message stands alone, no handler having been asked.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclass(slots=True, kw_only=True)
class Work:
    """One handler's errand: the ways to act for one resource of one stack.

    `principal` is None for the caller of the stack operation, else the session of the stack's service role.
    """

    ctx: Context
    principal: Principal | None
    stack_id: str
    stack_name: str
    stack_tags: tuple[Mapping[str, str], ...]
    logical_id: str
    types: frozenset[str]
    """All types that the stack declares."""
    token: str
    """The request token that a failure's text names."""
    capabilities: tuple[str, ...] = ()
    on_made: Callable[[str], None] = field(default=lambda physical_id: None)
    secrets: dict[str, str] = field(default_factory=dict)
    """What only the creating call tells and an attribute shows."""

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Make an API call as the stack's principal; parameters take the model's types and casing, None is left out."""
        return self.ctx.call(
            service, operation, principal=self.principal, invoked_by=INVOKER, **fitted(service, operation, params)
        )

    def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Return the result of a read for the service itself."""
        return self.ctx.read(service, operation, **fitted(service, operation, params))

    def made(self, physical_id: str) -> str:
        """Note that the resource exists from here on, and as what; a failure after this rolls it back. Returns the id."""
        self.on_made(physical_id)
        return physical_id

    def until(self, ready: Callable[[], bool], what: str) -> None:
        """Let lab time pass until `ready`. Raises HandlerError when it does not get there."""
        for _ in range(PATIENCE):
            if ready():
                return
            self.ctx.wait(1)
        raise HandlerError(f"{what} did not stabilize.", "NotStabilized")

    def name(self, limit: int = 64, *, lower: bool = False) -> str:
        """Return a physical name in CloudFormation's form: stack, logical id, twelve random characters."""
        suffix = self.ctx.ids.text(12, NAME_ALPHABET)
        room = limit - len(suffix) - 2
        logical = self.logical_id[: max(room - min(len(self.stack_name), room // 2), 1)]
        name = f"{self.stack_name[: room - len(logical)]}-{logical}-{suffix}"
        return name.lower() if lower else name

    def tags(self, own: Any = (), *, system: bool = False) -> list[dict[str, str]]:
        """Return the tags of a resource: its own win over the stack's; `system` adds the aws:cloudformation ones.

        `own` is a list of Key and Value, or a mapping.
        """
        pairs: dict[str, str] = {}
        if system:
            pairs |= {
                "aws:cloudformation:stack-name": self.stack_name,
                "aws:cloudformation:stack-id": self.stack_id,
                "aws:cloudformation:logical-id": self.logical_id,
            }
        pairs |= {str(tag["Key"]): text(tag["Value"]) for tag in self.stack_tags}
        pairs |= tag_map(own)
        return [{"Key": key, "Value": value} for key, value in pairs.items()]

    def tag_map(self, own: Any = (), *, system: bool = False) -> dict[str, str]:
        """Return `tags` as a mapping."""
        return {tag["Key"]: tag["Value"] for tag in self.tags(own, system=system)}


class Handler:
    """Base of the handlers; a subclass names its `type`."""

    type: ClassVar[str]
    custom_name: ClassVar[str | None] = None
    """The property that names the resource: one named by the user cannot be replaced."""
    ignored: ClassVar[frozenset[str]] = frozenset()
    """Properties of the type that the lab does not honour: using one fails the resource by name."""

    @property
    def schema(self) -> Schema:
        """What the registry says of the type."""
        return SCHEMAS[self.type]

    def create(self, work: Work, props: Properties) -> str:
        """Make the resource and return its physical id, which is what Ref gives. Calls `work.made` once it exists."""
        raise NotImplementedError

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change the resource in place from `old` to `new`. Only for types with properties that are not create-only."""
        raise HandlerError(f"Resource type {self.type} does not support updates", "NotUpdatable")

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the resource. An error that says it is gone already counts as done."""
        raise NotImplementedError

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return what Fn::GetAtt may ask for. Called after create and update."""
        return {}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return the properties that can be read back, under CloudFormation's names; None when the resource is gone.

        Raises NotImplementedError for a type that drift detection does not check.
        """
        raise NotImplementedError

    def replaces(self, old: Properties, new: Properties) -> list[str]:
        """Return the changed properties that cannot be changed in place."""
        return [
            name
            for name in changed(old, new)
            if name in self.schema.create_only
            or any(
                _at(old, path) != _at(new, path)
                for path in self.schema.create_only
                if path.split(".")[0] == name and "." in path
            )
        ]

    def check(self, logical_id: str, props: Properties) -> None:
        """Raise HandlerError for missing and unknown properties, as the registry's schema check words them."""
        missing = [name for name in self.schema.required if name not in props]
        unknown = [name for name in props if name not in self.schema.properties]
        lines = [f"#: required key [{name}] not found" for name in missing]
        lines += [f"#: extraneous key [{name}] is not permitted" for name in unknown]
        if lines:
            raise HandlerError(
                f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(lines)
            )
        for name in props:
            if name in self.ignored:
                raise HandlerError(f"Property {name} of {self.type} is not available in this lab.", "InvalidRequest")


def changed(old: Properties, new: Properties) -> list[str]:
    """Return the names of properties that differ, those of `new` first."""
    names = [*new, *(name for name in old if name not in new)]
    return [name for name in names if old.get(name) != new.get(name)]


def _at(props: Any, path: str) -> Any:
    for part in path.split("."):
        props = props.get(part) if isinstance(props, Mapping) else None
    return props


def pick(props: Properties, names: str | Iterable[str]) -> dict[str, Any]:
    """Return the named properties that are given."""
    wanted = names.split() if isinstance(names, str) else names
    return {name: props[name] for name in wanted if name in props}


def tag_map(tags: Any) -> dict[str, str]:
    """Return tags, a list of Key and Value or a mapping, as a mapping of texts."""
    if isinstance(tags, Mapping):
        return {str(key): text(value) for key, value in tags.items()}
    return {str(tag["Key"]): text(tag["Value"]) for tag in tags or ()}


def tag_list(tags: Any) -> list[dict[str, str]]:
    """Return tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tag_map(tags).items()]


def as_json(document: Any) -> str:
    """Return a policy document as text; a text is left as it is."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def fitted(service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return `params` with the names' casing and the scalar types of the operation's model, None left out.

    CloudFormation takes "128" for a number and "true" for a boolean, and writes names with a capital everywhere.
    """
    shape = wire.operation_model(service, operation).input_shape
    given = {name: value for name, value in params.items() if value is not None}
    fitted_params = _fit(shape, given) if shape is not None else given
    return dict(fitted_params)


def _fit(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members = {name.lower(): name for name in shape.members}
        fitted_members = {}
        for key, child in value.items():
            name = members.get(key.lower(), key)
            fitted_members[name] = _fit(shape.members[name], child) if name in shape.members else child
        return fitted_members
    if shape.type_name == "list" and isinstance(value, list | tuple):
        return [_fit(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {str(key): _fit(shape.value, child) for key, child in value.items()}
    return _scalar(shape.type_name, value)


def _scalar(kind: str, value: Any) -> Any:
    if isinstance(value, dict | list | bytes):
        return value
    written = text(value)
    if kind == "string":
        return written
    if kind == "boolean" and written in {"true", "false"}:
        return written == "true"
    try:
        if kind in {"integer", "long"}:
            return int(written)
        if kind in {"float", "double"}:
            return float(written)
    except ValueError as error:
        raise HandlerError(f"#: expected type: Number, found: String ({written})", "InvalidRequest") from error
    return value


def as_document(value: Any) -> Any:
    """Return a policy document that a read gave as text, URL-encoded as IAM does or not, as a structure."""
    if not isinstance(value, str):
        return value
    return json.loads(unquote(value) if value.startswith("%") else value)


def sound(step: Callable[[], _T]) -> _T:
    """Return what a handler's step returns. Raises HandlerError where it trips over the structure of the properties.

    A template is a stranger's: whatever it holds may fail its resource, never the lab. The log says where it tripped.
    """
    try:
        return step()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as tripped:
        log.exception("a resource handler tripped")
        raise HandlerError(f"Model validation failed ({tripped!r})", "InvalidRequest") from tripped


def gone(error: AwsError) -> bool:
    """Return whether an error says that what was asked for does not exist.

    GuardDuty says so in the text of a BadRequestException.
    """
    codes = ("NotFound", "NoSuch", "NonExistentQueue", "DoesNotExist")
    texts = ("is not owned by the current account", "no such resource found")
    return (
        error.status == 404
        or error.code == "404"
        or any(part in error.code for part in codes)
        or any(part in error.message for part in texts)
    )
