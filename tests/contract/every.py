"""What the tests of every operation share: the operations, a lab with something of everything in it, and how to draw calls."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator import wire
from simulator.services import ours
from tests.contract.any_call import InProcess, attempt, values
from tests.contract.labs import new_lab_in_process, set_up

OURS = sorted(cls.name for cls in ours())
MOTO = ("cloudwatch", "ec2", "iam", "kms", "logs", "s3", "sqs")
SLOW_SECONDS = 60
LAST = ("Delete", "Terminate", "Stop", "Disable", "Disassociate", "Deregister", "Release")


def operations(services: Sequence[str]) -> list[tuple[str, str]]:
    """Return (service, operation), those that take something away last, so that the others find something."""
    return [
        (service, operation)
        for service in services
        for operation in sorted(wire.model(service).operation_names, key=lambda name: (name.startswith(LAST), name))
    ]


class Subject:
    """A lab in this process with something of everything in it."""

    def __init__(self) -> None:
        self.process: InProcess = new_lab_in_process()
        self.clients: dict[str, Any] = {}
        self.known: Mapping[str, Any] = set_up(self.process)

    def close(self) -> None:
        """See that the lab still answers after all that, and let go of it."""
        try:
            assert self.client("sts").get_caller_identity()["Account"]
        finally:
            for lab in self.process.gateway.labs.values():
                lab.close()

    def client(self, service: str) -> Any:
        """Return a client, made once."""
        if service not in self.clients:
            self.clients[service] = self.process.client(service)
        return self.clients[service]

    def call(self, service: str, operation: str, params: dict[str, Any]) -> Any:
        """Make a call, hold it to what a client can bear, and return what became of it."""
        if operation == "ReceiveMessage" and "WaitTimeSeconds" in params:
            params = {**params, "WaitTimeSeconds": 0}
        started = time.monotonic()
        told = attempt(self.process, self.client(service), operation, params)
        assert time.monotonic() - started < SLOW_SECONDS, (service, operation, "took too long")
        return told

    def try_each(
        self,
        service: str,
        operation: str,
        check: Callable[[dict[str, Any]], None],
        *,
        examples: int,
        full: bool = False,
    ) -> None:
        """Hand `examples` valid parameter sets of an operation to `check`, `full` ones with every member."""
        shape = wire.operation_model(service, operation).input_shape
        strategy = values(shape, self.known, full=full) if shape is not None else st.just({})
        drawn = settings(
            max_examples=examples, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )  # fmt: skip
        drawn(given(strategy)(lambda params: check(params)))()
