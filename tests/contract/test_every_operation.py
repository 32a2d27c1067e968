"""Every operation of the services that are ours, and of those that trainees touch most beside them, answers a client library.

Valid parameters at random, and every constraint of the model broken once: each call ends in a result or in an error
that botocore makes an exception of, with a code; never in a 5xx that the model does not know, a page, a hang or a dead lab.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator import wire
from simulator.services import ours
from tests.contract.any_call import InProcess, attempt, breaches, values
from tests.contract.labs import new_lab_in_process, set_up

OURS = sorted(cls.name for cls in ours())
MOTO = ("cloudwatch", "ec2", "iam", "kms", "logs", "s3", "sqs")
SLOW_SECONDS = 20
LAST = ("Delete", "Terminate", "Stop", "Disable", "Disassociate", "Deregister", "Release")


def _operations(services: tuple[str, ...] | list[str]) -> list[tuple[str, str]]:
    """Return (service, operation), those that take something away last, so that the others find something."""
    return [
        (service, operation)
        for service in services
        for operation in sorted(wire.model(service).operation_names, key=lambda name: (name.startswith(LAST), name))
    ]


def _id(case: Any) -> str:
    return case if isinstance(case, str) else str(case)


class Subject:
    """A lab in this process with something of everything in it."""

    def __init__(self) -> None:
        self.process: InProcess = new_lab_in_process()
        self.clients: dict[str, Any] = {}
        self.known: Mapping[str, Any] = set_up(self.process)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.process.client(service)
        return self.clients[service]

    def call(self, service: str, operation: str, params: dict[str, Any]) -> Any:
        started = time.monotonic()
        told = attempt(self.process, self.client(service), operation, params)
        assert time.monotonic() - started < SLOW_SECONDS, (service, operation, "took too long")
        return told


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    made = Subject()
    yield made
    # A dead lab answers nothing: after all that, it still does.
    assert made.client("sts").get_caller_identity()["Account"]


def _tamed(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters without what makes a call wait as long as it says."""
    if (service, operation) == ("sqs", "ReceiveMessage") and "WaitTimeSeconds" in params:
        return {**params, "WaitTimeSeconds": min(params["WaitTimeSeconds"], 1)}
    return params


@pytest.mark.parametrize(("service", "operation"), _operations(OURS), ids=_id)
def test_valid_parameters_get_a_result_or_an_error(subject: Subject, service: str, operation: str) -> None:
    """A result in the model's shape, or an error that the client library knows as one."""
    op = wire.operation_model(service, operation)
    strategy = values(op.input_shape, subject.known) if op.input_shape else st.just({})

    @settings(
        max_examples=4, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def check(params: dict[str, Any]) -> None:
        told = subject.call(service, operation, params)
        if told and told.code is None and op.output_shape is not None:
            result = {key: value for key, value in told.result.items() if key != "ResponseMetadata"}
            wrong = [text for text in wire.violations(op.output_shape, result) if "must be a" in text.lower()]
            assert not wrong, (service, operation, wrong)

    check()


@pytest.mark.parametrize(("service", "operation"), _operations(OURS), ids=_id)
def test_every_broken_constraint_is_refused(subject: Subject, service: str, operation: str) -> None:
    """One constraint after the other, each broken alone in parameters that are valid otherwise."""
    op = wire.operation_model(service, operation)
    if op.input_shape is None:
        return

    @settings(
        max_examples=1, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(values(op.input_shape, subject.known, full=True))
    def check(params: dict[str, Any]) -> None:
        for breach in breaches(op.input_shape, params):
            broken = breach.applied(params)
            if broken is None:
                continue
            told = subject.call(service, operation, broken)
            assert told is None or told.code is not None, (service, operation, str(breach), broken)

    check()


@pytest.mark.parametrize(("service", "operation"), _operations(MOTO), ids=_id)
def test_moto_s_services_answer_a_valid_and_a_broken_call(subject: Subject, service: str, operation: str) -> None:
    """One valid call and one with a constraint broken, for what moto serves."""
    op = wire.operation_model(service, operation)
    if op.input_shape is None:
        subject.call(service, operation, {})
        return

    @settings(
        max_examples=1, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(values(op.input_shape, subject.known))
    def check(params: dict[str, Any]) -> None:
        subject.call(service, operation, _tamed(service, operation, params))
        for breach in breaches(op.input_shape, params):
            broken = breach.applied(params)
            if broken is not None:
                subject.call(service, operation, _tamed(service, operation, broken))
                break

    check()
