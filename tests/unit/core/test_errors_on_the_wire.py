"""Errors as clients read them: by the name that their protocol has for them."""

import pytest

from simulator import wire
from simulator.errors import AwsError


@pytest.mark.parametrize(
    ("service", "protocol", "shape", "code", "status"),
    [
        ("cloudformation", "query", "ChangeSetNotFoundException", "ChangeSetNotFound", 404),
        ("cloudformation", "query", "InvalidChangeSetStatusException", "InvalidChangeSetStatus", 400),
        ("cloudformation", "query", "AlreadyExistsException", "AlreadyExistsException", 400),
        ("sts", "query", "MalformedPolicyDocumentException", "MalformedPolicyDocument", 400),
        ("cloudformation", "query", "ValidationError", "ValidationError", 400),
    ],
)
def test_xml_names_an_error_by_its_code(service: str, protocol: str, shape: str, code: str, status: int) -> None:
    """Client libraries choose their exception by it; CloudTrail names the shape."""
    answer = wire.serialise_error(service, protocol, AwsError(shape, "no"), "request")
    assert answer.status == status
    assert f"<Code>{code}</Code>" in answer.body.decode()


def test_json_names_an_error_by_its_shape() -> None:
    """Also where the service once spoke XML."""
    answer = wire.serialise_error("events", "json", AwsError("ResourceNotFoundException", "no"), "request")
    assert answer.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"


def test_values_that_break_the_model_are_shown_as_java_writes_them() -> None:
    """Lists, structures and maps: no brace of Python's gets into a message."""
    entry = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    with pytest.raises(AwsError) as told:
        wire.check("events", "PutEvents", {"Entries": [entry] * 11}, ("ValidationException", None))
    assert told.value.message.startswith(
        "1 validation error detected: Value '[PutEventsRequestEntry(time=null, source=a, resources=null, detailType=b, "
        "detail={}, eventBusName=null, traceHeader=null), PutEventsRequestEntry("
    )
    assert told.value.message.endswith(
        "' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
    )
    function = {"FunctionName": "f", "VpcConfig": {"SubnetIds": ["s"] * 17}}
    with pytest.raises(
        AwsError, match=r"Value '\[s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s, s\]' at 'vpcConfig.subnetIds'"
    ):
        wire.check("lambda", "UpdateFunctionConfiguration", function, ("ValidationException", None))
