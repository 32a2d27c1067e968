"""What an operation returned is what the client reads: each answer, in each protocol a client may speak, through botocore's parsers."""

from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simulator import wire, xmlify
from tests.contract.any_call import values

QUERY, JSON, REST_JSON = "query", "json", "rest-json"
SERVICES = {
    "sts": QUERY, "cloudformation": QUERY, "config": JSON, "events": JSON, "cloudtrail": JSON, "guardduty": REST_JSON,
    "lambda": REST_JSON, "scheduler": REST_JSON,
}  # fmt: skip
NOT_PLAIN = frozenset({("lambda", "Invoke"), ("lambda", "InvokeWithResponseStream"), ("lambda", "InvokeAsync")})
"""Their payload is the answer itself, which other tests read."""


def read(service: str, operation: str, protocol: str, result: dict[str, Any]) -> dict[str, Any]:
    """Return what botocore makes of an answer."""
    answer = wire.serialise(service, operation, protocol, result, "0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0")
    told = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    parsed: dict[str, Any] = create_parser(protocol).parse(told, wire.operation_model(service, operation).output_shape)
    del parsed["ResponseMetadata"]
    return parsed


@pytest.mark.parametrize("service", SERVICES)
@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_client_reads_what_was_returned(service: str, data: st.DataObject) -> None:
    """Structures, lists, maps, times, numbers, blobs and texts arrive as they were."""
    operations = [name for name in wire.model(service).operation_names if (service, name) not in NOT_PLAIN]
    operation = data.draw(st.sampled_from(sorted(operations)))
    shape = wire.operation_model(service, operation).output_shape
    result = data.draw(values(shape, {}, full=True)) if shape is not None else {}
    assume(SERVICES[service] != QUERY or "\\x" not in repr(result))  # XML has no control characters: see below
    assert read(service, operation, SERVICES[service], result) == result


def test_xml_carries_what_it_can_and_marks_the_rest() -> None:
    """Markup is escaped; what XML 1.0 has no characters for is replaced, so that a client's parser does not fail."""
    result = {"Account": "<a>&'\"\u2603\U0001f600", "Arn": "\x00\x0b\ud800", "UserId": None, "Unknown": "x"}
    assert read("sts", "GetCallerIdentity", QUERY, result) == {
        "Account": "<a>&'\"\u2603\U0001f600",
        "Arn": "\ufffd\ufffd\ufffd",
    }


def test_maps_and_flattened_lists_are_written_as_the_model_says() -> None:
    """Services that moto serves have them in XML; ours have none today."""
    attributes = {"Attributes": {"TopicArn": "arn", "Policy": '{"a": "<b>"}'}}
    assert read("sns", "GetTopicAttributes", QUERY, attributes) == attributes
    shape = wire.operation_model("s3", "ListObjectsV2").output_shape
    listed = {"KeyCount": 2, "Contents": [{"Key": "a", "Size": 1}, {"Key": "b", "Size": 2}], "IsTruncated": False}
    written = {"status_code": 200, "headers": {}, "body": f"<R>{xmlify.members(shape, listed)}</R>".encode()}
    parsed = create_parser("rest-xml").parse(written, shape)
    assert {name: parsed[name] for name in listed} == listed
