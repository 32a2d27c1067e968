"""Every constraint of the models of the services that are ours, broken once: the server refuses each, under a code of AWS's."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from simulator import wire
from tests.contract.any_call import breaches
from tests.contract.every import OURS, Subject, operations

BROKEN: Counter[str] = Counter()
LEAST = 2000
"""How many constraints are broken at least: a walk that finds none would pass as well."""


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """Return a lab with something of everything in it; after all that, it still answers."""
    made = Subject()
    yield made
    made.close()


@pytest.mark.parametrize(("service", "operation"), operations(OURS))
def test_every_broken_constraint_is_refused(subject: Subject, service: str, operation: str) -> None:
    """One constraint after the other, each broken alone in parameters that are valid otherwise."""
    shape = wire.operation_model(service, operation).input_shape
    if shape is None:
        return

    def check(params: dict[str, Any]) -> None:
        for breach in breaches(shape, params):
            broken = breach.applied(params)
            told = subject.call(service, operation, broken) if broken is not None else None
            if told is not None:
                BROKEN[service] += 1
                assert told.code is not None, (service, operation, str(breach), broken)

    subject.try_each(service, operation, check, examples=1, full=True)


def test_enough_was_broken(request: pytest.FixtureRequest) -> None:
    """The walk over the models finds their constraints."""
    if len(request.session.items) < len(operations(OURS)):
        pytest.skip("only some of the operations were asked")
    assert BROKEN.total() > LEAST, BROKEN
