"""Every operation of the services that trainees touch most beside ours, which moto serves: a valid call and a broken one.

Each ends in a result or in an error that botocore makes an exception of, with a code; never in a 5xx, a page, a hang or a dead lab.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wire
from tests.contract.any_call import breaches
from tests.contract.every import MOTO, Subject, operations


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """Return a lab with something of everything in it; after all that, it still answers."""
    made = Subject()
    yield made
    made.close()


@pytest.mark.parametrize(("service", "operation"), operations(MOTO))
def test_moto_s_services_answer_a_valid_and_a_broken_call(subject: Subject, service: str, operation: str) -> None:
    """One valid call and one with a constraint broken."""
    shape = wire.operation_model(service, operation).input_shape

    def check(params: dict[str, Any]) -> None:
        subject.call(service, operation, params)
        broken = (breach.applied(params) for breach in breaches(shape, params)) if shape is not None else iter(())
        first = next((each for each in broken if each is not None), None)
        if first is not None:
            subject.call(service, operation, first)

    subject.try_each(service, operation, check, examples=1)
