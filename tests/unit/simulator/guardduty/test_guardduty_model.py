"""Every operation, with any parameters that the model allows: a modelled result or a modelled error, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.errors import AwsError
from simulator.services.guardduty.fields import FINDABLE

WITHOUT_ADMINISTRATOR = {"GetAdministratorAccount", "GetMasterAccount"}
"""AWS leaves out the required member of these answers where an account stands alone."""


@cache
def model() -> ServiceModel:
    """Return GuardDuty's model."""
    return botocore.session.get_session().get_service_model("guardduty")


def texts(shape: Shape, name: str, known: Mapping[str, str]) -> st.SearchStrategy[Any]:
    """Return texts that a member takes: the lab's own ids where it has them, as often as anything else."""
    enum = getattr(shape, "enum", None)
    if enum:
        return st.sampled_from(enum)
    least, most = shape.metadata.get("min", 0), min(shape.metadata.get("max", 60), 60)
    pattern = shape.metadata.get("pattern")
    anything: st.SearchStrategy[Any] = st.text(st.characters(codec="utf-8"), min_size=least, max_size=max(least, most))
    if pattern:
        anything = st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True).filter(lambda text: len(text) >= least)
    elif least == most == 12:
        anything = st.from_regex(r"[0-9]{12}", fullmatch=True)
    own = [value for key, value in known.items() if key.lower() in name.lower() or name.lower() in key.lower()]
    return st.sampled_from(own) | anything if own else anything


def any_of(shape: Shape, name: str, known: Mapping[str, str]) -> st.SearchStrategy[Any]:
    """Return the values that the model allows for a shape."""
    if isinstance(shape, StructureShape):
        required = {key: any_of(shape.members[key], key, known) for key in shape.required_members}
        optional = {key: any_of(each, key, known) for key, each in shape.members.items() if key not in required}
        return st.fixed_dictionaries(required, optional=optional)
    if isinstance(shape, ListShape):
        least = shape.metadata.get("min", 0)
        return st.lists(any_of(shape.member, name.removesuffix("s"), known), min_size=least, max_size=least + 2)
    if isinstance(shape, MapShape):
        keys: st.SearchStrategy[str] = texts(shape.key, name, known)
        if name == "Criterion":
            keys = st.sampled_from([*sorted(FINDABLE), "service.count", "nothing", ""])
        return st.dictionaries(keys, any_of(shape.value, name, known), max_size=2)
    if shape.type_name in {"integer", "long"}:
        return st.integers(shape.metadata.get("min", -(2**31)), shape.metadata.get("max", 2**31 - 1))
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "timestamp":
        return st.just(datetime(2026, 11, 24, tzinfo=UTC))
    if shape.type_name == "double":
        return st.floats(allow_nan=False, allow_infinity=False)
    return texts(shape, name, known)


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
}


def faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    """Yield what of a result the model does not allow."""
    if isinstance(shape, StructureShape):
        if not isinstance(value, Mapping):
            yield f"{path}: {value!r} is no structure"
            return
        yield from (f"{path}.{key}: missing" for key in shape.required_members if key not in value)
        for key, each in value.items():
            if key not in shape.members:
                yield f"{path}.{key}: unknown"
            else:
                yield from faults(shape.members[key], each, f"{path}.{key}")
    elif isinstance(shape, ListShape):
        for each in value:
            yield from faults(shape.member, each, f"{path}[]")
    elif isinstance(shape, MapShape):
        for each in value.values():
            yield from faults(shape.value, each, f"{path}{{}}")
    elif not isinstance(value, TYPES[shape.type_name]):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}: {value!r} is not in {shape.enum}"


def check(operation: OperationModel, result: Mapping[str, Any]) -> None:
    """Fail where a result is not what the model says."""
    if operation.output_shape is None:
        assert not result
        return
    if operation.name in WITHOUT_ADMINISTRATOR:
        return
    assert list(faults(operation.output_shape, result, operation.name)) == []


@pytest.mark.parametrize("name", model().operation_names)
@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_valid_call_gets_a_modelled_answer(name: str, data: st.DataObject, furnished: Any) -> None:
    """Whatever the parameters, an operation returns its output shape or raises one of its errors."""
    operation = model().operation_model(name)
    shape = operation.input_shape
    params = data.draw(any_of(shape, name, furnished.known)) if shape else {}
    method = getattr(furnished.world.service, xform_name(name))
    try:
        result = method(furnished.world.context(), **params) or {}
    except AwsError as error:
        assert error.code in {each.name for each in operation.error_shapes}
    else:
        check(operation, result)


def test_every_finding_is_what_the_model_says(furnished: Any) -> None:
    """The real finding and a sample of every type have the model's members, types and values."""
    world = furnished.world
    operation = model().operation_model("GetFindings")
    seen = 0
    token = ""
    while token or not seen:
        page = world.call("ListFindings", MaxResults=50, **({"NextToken": token} if token else {}))
        found = world.call("GetFindings", FindingIds=page["FindingIds"])
        check(operation, found)
        seen += len(found["Findings"])
        token = page["NextToken"]
    assert seen > 150


def test_every_operation_of_the_model_has_a_method(furnished: Any) -> None:
    """None of the 103 operations is left to the generic answer."""
    missing = [name for name in model().operation_names if not hasattr(furnished.world.service, xform_name(name))]
    assert missing == []
