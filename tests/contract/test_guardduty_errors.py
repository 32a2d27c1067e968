"""GuardDuty's errors as they go over the wire: name in the header, subtype in `__type` (docs/aws-facts.md, part 4)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process

NOBODYS = "a" * 32


@pytest.fixture(scope="module")
def owner() -> InProcess:
    """Give the owner of a new lab."""
    return new_lab_in_process()


@pytest.mark.parametrize(
    ("call", "subtype"),
    [
        (lambda guardduty, _: guardduty.get_detector(DetectorId=NOBODYS), "InvalidInputException"),
        (lambda guardduty, own: guardduty.list_findings(DetectorId=own, MaxResults=51), "InvalidInputException"),
        (lambda guardduty, own: guardduty.get_filter(DetectorId=own, FilterName="none"), "NoSuchEntityException"),
    ],
    ids=["refused by the service", "refused by the model", "of a subtype of its own"],
)
def test_an_error_tells_its_name_in_the_header_and_its_subtype_in_the_body(
    owner: InProcess, call: Callable[[Any, str], Any], subtype: str
) -> None:
    """A client library raises BadRequestException; the body holds nothing but message and `__type`."""
    guardduty = owner.client("guardduty")
    own = (guardduty.list_detectors()["DetectorIds"] or [guardduty.create_detector(Enable=True)["DetectorId"]])[0]
    bodies: list[bytes] = []
    guardduty.meta.events.register(
        "before-parse", lambda response_dict, **_: bodies.append(response_dict["body"]), unique_id="bodies"
    )
    with pytest.raises(ClientError) as raised:
        call(guardduty, own)
    assert isinstance(raised.value, guardduty.exceptions.BadRequestException)
    assert raised.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == "BadRequestException"
    body = json.loads(bodies[-1])
    assert body == {"message": raised.value.response["Error"]["Message"], "__type": subtype}
    guardduty.meta.events.unregister("before-parse", unique_id="bodies")
