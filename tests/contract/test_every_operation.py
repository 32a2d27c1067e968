"""Every operation of the services that are ours answers valid parameters, drawn at random from the model.

Each call ends in a result in the model's shape or in an error that botocore makes an exception of, with a code; never in a 5xx
that the model does not know, a page, a hang or a dead lab.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wire
from tests.contract.every import OURS, Subject, operations


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """Return a lab with something of everything in it; after all that, it still answers."""
    made = Subject()
    yield made
    made.close()


@pytest.mark.parametrize(("service", "operation"), operations(OURS))
def test_valid_parameters_get_a_result_or_an_error(subject: Subject, service: str, operation: str) -> None:
    """A result in the model's shape, or an error that the client library knows as one."""
    shape = wire.operation_model(service, operation).output_shape

    def check(params: dict[str, Any]) -> None:
        told = subject.call(service, operation, params)
        if told and told.code is None and shape is not None:
            # botocore reads a template's text into an object by itself.
            left_out = ("ResponseMetadata", "TemplateBody")
            result = {key: value for key, value in told.result.items() if key not in left_out}
            wrong = [text for text in wire.violations(shape, result) if "must be a" in text.lower()]
            assert not wrong, (service, operation, wrong)

    subject.try_each(service, operation, check, examples=4)
