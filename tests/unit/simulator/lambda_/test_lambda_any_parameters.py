"""Every operation, with any parameters that the botocore model allows, answers or refuses; it never breaks."""

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import wire
from simulator.errors import AwsError
from simulator.identity import Ids
from simulator.services.lambda_ import Lambda

ARN = "arn:aws:lambda:us-east-1:486547846362:function:traffic"
MODEL = wire.model("lambda")
OPERATIONS = [name for name in MODEL.operation_names if hasattr(Lambda, xform_name(name))]
QUEUE = "arn:aws:sqs:us-east-1:486547846362:jobs"

TELLING = {
    "FunctionName": ["traffic", ARN, f"{ARN}:1", "traffic:live", "other", "none", "x" * 70, f"{ARN[:-7]}other"],
    "Qualifier": ["1", "2", "live", "$LATEST", "none"],
    "Name": ["live", "other"],
    "FunctionVersion": ["1", "2", "$LATEST"],
    "Role": ["arn:aws:iam::486547846362:role/traffic-role", "arn:aws:iam::486547846362:role/none"],
    "Runtime": ["python3.12", "python3.8", "nodejs22.x"],
    "S3Bucket": ["code", "none"],
    "S3Key": ["app.zip", "none"],
    "StatementId": ["rule", "other"],
    "Principal": ["events.amazonaws.com", "*", "486547846362", "nobody"],
    "EventSourceArn": [QUEUE, QUEUE + "x", "arn:aws:kinesis:us-east-1:486547846362:stream/x"],
    "Destination": [QUEUE, ARN, ""],
    "TargetArn": [QUEUE, "", "arn:aws:sns:us-east-1:486547846362:topic"],
    "Resource": [ARN, ARN + ":live", f"{ARN[:-7]}none"],
    "PackageType": ["Zip"],
    "UUID": [Ids.of("a-seed", 5).uuid4(), "00000000-0000-4000-8000-000000000000"],
}
"""Values that lead somewhere: most random ones only find that no such function exists."""


@functools.cache
def values(shape: Shape, name: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy for values of a shape that the model allows."""
    if name in TELLING and shape.type_name == "string":
        return st.sampled_from(TELLING[name])
    make: dict[str, Callable[[Any], st.SearchStrategy[Any]]] = {
        "structure": structures,
        "list": lists,
        "map": maps,
        "string": strings,
    }
    if shape.type_name in make:
        return make[shape.type_name](shape)
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 2**31)
    simple: dict[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "integer": st.integers(int(least), int(most)),
        "long": st.integers(int(least), int(most)),
        "double": st.floats(least, most),
        "float": st.floats(least, most),
        "blob": st.sampled_from([b"", b"{}", b'{"a": [1]}', b"not json", b"\xff" * 40]),
        "timestamp": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    }
    return simple[shape.type_name]


def structures(shape: StructureShape) -> st.SearchStrategy[Any]:
    """Return a strategy for structures: what is required and some of the rest."""
    required = {name: values(member, name) for name, member in shape.members.items() if name in shape.required_members}
    optional = {name: values(member, name) for name, member in shape.members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


def lists(shape: ListShape) -> st.SearchStrategy[Any]:
    """Return a strategy for short lists."""
    least = int(shape.metadata.get("min", 0))
    return st.lists(values(shape.member), min_size=least, max_size=min(least + 2, int(shape.metadata.get("max", 2))))


def maps(shape: MapShape) -> st.SearchStrategy[Any]:
    """Return a strategy for small maps."""
    return st.dictionaries(values(shape.key), values(shape.value), max_size=2)


def strings(shape: StringShape) -> st.SearchStrategy[Any]:
    """Return a strategy for strings: of the enumeration, else matching the pattern where Python can read it."""
    if shape.enum:
        return st.sampled_from(shape.enum)
    pattern = shape.metadata.get("pattern")
    try:
        found = st.from_regex(re.compile(pattern), fullmatch=True) if pattern else st.text(max_size=20)
    except re.error:
        found = st.from_regex(r"[a-z]{1,20}", fullmatch=True)
    least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 1000))
    return found.filter(lambda text: least <= len(text) <= most)


def accepted(operation: str, params: dict[str, Any]) -> bool:
    """Return whether the core would hand these parameters to the operation."""
    try:
        wire.check("lambda", operation, params, ("ValidationException", None))
    except AwsError:
        return False
    return True


def attempt(lab: Any, operation: str, params: dict[str, Any]) -> None:
    """Make a call; refusals are fine."""
    try:
        result = lab.do(operation, **params)
    except AwsError as refusal:
        assert refusal.code.isalnum()
        assert refusal.message
        return
    shape = MODEL.operation_model(operation).output_shape
    members = set(shape.members) if shape else set()
    assert set(result) <= members | {"ResponseMetadata"}


@pytest.fixture
def fresh(lab: Any) -> Callable[[], Any]:
    """Return a maker of labs that hold a function with a version, an alias, a policy and a mapping."""

    def make() -> Any:
        made = type(lab)()
        made.create()
        made.allow_rule()
        made.do("PublishVersion", FunctionName="traffic")
        made.do("CreateAlias", FunctionName="traffic", Name="live", FunctionVersion="1")
        made.do("CreateEventSourceMapping", FunctionName="traffic", EventSourceArn=QUEUE)
        made.aws.policies["traffic-role"] = [{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}]
        return made

    return make


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
def test_an_operation_answers_or_refuses(fresh: Callable[[], Any], operation: str, data: st.DataObject) -> None:
    """And time goes on afterwards, and a replay gives the same."""
    lab = fresh()
    input_shape = MODEL.operation_model(operation).input_shape
    for _ in range(2):
        params = data.draw(structures(input_shape)) if input_shape else {}
        if accepted(operation, params):
            attempt(lab, operation, params)
    lab.pass_time(minutes=10)
    lab.deliver()
    lab.aws_lambda.upcoming(lab.clock.now() + timedelta(days=1))
    assert lab.aws_lambda.by_name == lab.replayed().aws_lambda.by_name
