"""A lab with EventBridge, Scheduler and STS in it, and fakes for what they deliver to."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from simulator.clock import LabClock, milliseconds
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context, Service
from simulator.services.events import Events
from simulator.services.scheduler import Scheduler
from simulator.services.sts import Sts

ACCOUNT = "123456789012"
START = datetime(2026, 11, 22, 8, 0, 0, 250_000, tzinfo=UTC)


@dataclass
class FakeFunctions:
    """Lambda as its callers see it: it notes what it is handed, and refuses what `refused` says."""

    events: list[tuple[str, dict[str, Any], str, str]] = field(default_factory=list)
    refused: str | None = None

    def deliver_event(
        self, ctx: Context, *, function_arn: str, payload: bytes, source_service: str, source_arn: str
    ) -> str | None:
        """Note the event."""
        self.events.append((function_arn, json.loads(payload), source_service, source_arn))
        return self.refused

    def would_run(self, function_arn: str, source_service: str, source_arn: str) -> tuple[bool, str]:
        """Allow what is not refused."""
        return self.refused is None, self.refused or "it may"


@dataclass
class FakeRole:
    """A role in IAM's storage, with inline policies only."""

    name: str
    policies: dict[str, str]
    managed_policies: dict[str, Any] = field(default_factory=dict)


@dataclass
class FakeMoto:
    """The metrics that were counted, by name, and the policies of roles, by the role's name."""

    counted: dict[str, int] = field(default_factory=dict)
    roles: dict[str, FakeRole] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def backend(self, service: str, account_id: str, region: str) -> Any:
        """Return what holds roles and managed policies."""
        assert service == "iam"
        return SimpleNamespace(roles=self.roles, managed_policies={})

    def put_metrics(self, ctx: Context, namespace: str, data: Sequence[tuple[str, dict[str, str], float, str]]) -> None:
        """Count each metric."""
        for name, *_ in data:
            self.counted[f"{namespace}/{name}"] = self.counted.get(f"{namespace}/{name}", 0) + 1


class FakeLab:
    """Runs operations, processes and due work as the lab does, without journal or authorisation."""

    def __init__(self, account_id: str = ACCOUNT) -> None:
        self.account_id, self.region, self.seed = account_id, "us-east-1", "test"
        self.now = START
        self.clock = LabClock(lambda: milliseconds(self.now) / 1000)
        self.functions, self.moto = FakeFunctions(), FakeMoto()
        self.mappings: list[dict[str, str]] = []
        self.roles: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str, Principal, dict[str, Any]]] = []
        self.answers: dict[tuple[str, str], AwsError] = {}
        self.records: list[tuple[str, str, Mapping[str, Any]]] = []
        self.changes = 0
        self.own: dict[str, Service] = {service.name: service(self) for service in (Events, Scheduler, Sts)}  # type: ignore[arg-type]

    def service(self, name: str) -> Any:
        """Return a service, or Lambda's fake."""
        return self.functions if name == "lambda" else self.own[name]

    def context(self, principal: Principal | None = None, region: str = "us-east-1") -> Context:
        """Return the context of the next change."""
        self.changes += 1
        return Context(
            lab=self,  # type: ignore[arg-type]
            principal=principal or Principal(type="IAMUser", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/u"),
            now=self.now,
            ids=Ids.of(self.seed, self.changes),
            region=region,
        )

    def call(self, service: str, operation: str, *, region: str = "us-east-1", **params: Any) -> dict[str, Any]:
        """Make a call from outside: the operation, then the processes it left."""
        ctx = self.context(region=region)
        result: dict[str, Any] | None = getattr(self.own[service], operation)(ctx, **params)
        while ctx.processes:
            ctx.processes.pop(0)(ctx)
        return result or {}

    def advance(self, by: timedelta) -> None:
        """Let time pass and run what is due, each at its moment."""
        end = self.now + by
        while True:
            due = [(at, service) for service in self.own.values() if (at := service.next_due()) and at <= end]
            if not due:
                break
            self.now, service = min(due, key=lambda item: item[0])
            service.run_due(self.context())
        self.now = end

    def read(self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the few reads that are made."""
        if operation == "GetRole":
            if params["RoleName"] not in self.roles:
                raise AwsError("NoSuchEntity", "The role cannot be found.")
            return {"Role": self.roles[params["RoleName"]]}
        if operation == "ListEventSourceMappings":
            arn = params["EventSourceArn"]
            return {"EventSourceMappings": [one for one in self.mappings if one["EventSourceArn"] == arn]}
        assert (service, operation) == ("sqs", "GetQueueUrl")
        return {"QueueUrl": f"https://queue/{params['QueueName']}"}

    def inner_call(
        self, ctx: Context, service: str, operation: str, params: dict[str, Any], *, principal: Any, invoked_by: Any
    ) -> dict[str, Any]:
        """Note a call of a process, and fail it where the test says so."""
        self.calls.append((service, operation, principal, params))
        if (error := self.answers.get((service, operation))) is not None:
            raise error
        return {"FailedEntryCount": 0}

    def record(self, ctx: Context, service: str, kind: str, data: Mapping[str, Any]) -> None:
        """Note a consequence, which must be JSON, and apply it."""
        self.records.append((service, kind, json.loads(json.dumps(data))))
        getattr(self.own[service], f"apply_{kind}")(ctx, data)

    def add_role(self, name: str, **principal: str) -> str:
        """Add a role that trusts `principal` and may do everything, and return its ARN."""
        everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        self.moto.roles[name] = FakeRole(name, {"everything": json.dumps(everything)})
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        arn = f"arn:aws:iam::{self.account_id}:role/{name}"
        self.roles[name] = {
            "Arn": arn,
            "RoleName": name,
            "RoleId": Ids.of(name).unique_id("AROA", self.account_id),
            "Path": "/",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        }
        return arn


@pytest.fixture
def lab() -> FakeLab:
    """Return a new lab at 08:00."""
    return FakeLab()


@pytest.fixture
def refuse() -> Callable[..., str]:
    """Return a function that makes a call which must fail, and returns `Code: message`."""

    def call(lab: FakeLab, service: str, operation: str, **params: Any) -> str:
        with pytest.raises(AwsError) as caught:
            lab.call(service, operation, **params)
        return str(caught.value)

    return call
