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
