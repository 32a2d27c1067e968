"""A lab that answers every call from the service's own model, keeps what it was asked and can be told to refuse."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name

from simulator import wire
from simulator.clock import LabClock
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context
from simulator.services.cloudformation import CloudFormation

ACCOUNT = "123456789012"
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
DEFAULTS: dict[str, dict[str, Any]] = {
    "GetQueueAttributes": {"Attributes": {"QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:a-queue"}},
}
"""Answers whose maps a model cannot make up."""
TEXTS = {
    "DetectorId": "{:032x}",
    "accessKeyIdType": "AKIAEXAMPLE{:09d}",
    "arnType": f"arn:aws:iam::{ACCOUNT}:policy/p{{}}",
    "policyVersionIdType": "v{}",
    "policyDocumentType": "%7B%22Version%22%3A%222012-10-17%22%7D",
    "NameSpacedFunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f:{{}}",
    "ScheduleGroupArn": f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/g{{}}",
}
"""Texts that are put to use again and must fit their model there, by the name of their shape."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A call that the engine made."""

    service: str
    operation: str
    params: Mapping[str, Any]
    principal: Principal
    invoked_by: str | None


@dataclass
class FakeLab:
    """The parts of a lab that CloudFormation touches. `refuse` maps an operation to the error that it answers with."""

    account_id: str = ACCOUNT
    region: str = "us-east-1"
    seed: str = "seed"
    calls: list[Made] = field(default_factory=list)
    refuse: dict[str, AwsError | Callable[[Mapping[str, Any]], AwsError | None]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    journal: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = LabClock(lambda: START.timestamp())
        self.cloudformation = CloudFormation(self)  # type: ignore[arg-type]  # a fake
        self.numbers = itertools.count(1)
        self.changes = itertools.count(1)

    def service(self, name: str) -> Any:
        """Return the one service there is."""
        assert name == "cloudformation"
        return self.cloudformation

    def ask(self, operation: str, **params: Any) -> dict[str, Any]:
        """Make a call of CloudFormation from outside: the operation, then its processes."""
        return self.run(operation, params, next(self.changes), live=True)

    def run(self, operation: str, params: Mapping[str, Any], change: int, *, live: bool) -> dict[str, Any]:
        """Dispatch an operation; its processes run when it is live."""
        wire.check("cloudformation", operation, params, ("ValidationError", None))
        ctx = self.context(change)
        if live:
            self.journal.append(("call", (operation, dict(params), change, ctx.now)))
        result = getattr(self.cloudformation, xform_name(operation))(ctx, **params)
        while live and ctx.processes:
            ctx.processes.pop(0)(ctx)
        return dict(result)

    def context(self, change: int) -> Context:
        """Return the context of a change."""
        caller = Principal.session(
            account_id=ACCOUNT,
            role_name="WSSystemRole",
            role_id="AROAEXAMPLEEXAMPLE000",
            session_name="System",
            access_key_id="ASIAEXAMPLEEXAMPLE00",
            created=START,
        )
        return Context(lab=self, principal=caller, now=self.clock.now(), ids=Ids.of("seed", change), region=self.region)  # type: ignore[arg-type]

    def inner_call(
        self,
        ctx: Context,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        principal: Principal | None,
        invoked_by: str | None,
    ) -> dict[str, Any]:
        """Check a call against its model, keep it, and answer it."""
        wire.check(service, operation, params, ("ValidationException", None))
        made = Made(
            service=service,
            operation=operation,
            params=params,
            principal=principal or ctx.principal,
            invoked_by=invoked_by,
        )
        self.calls.append(made)
        if service == "cloudformation":
            return self.ask(operation, **params)
        return self.answer(service, operation, params)

    def read(self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a read."""
        wire.check(service, operation, params, ("ValidationException", None))
        if operation == "GetObject":
            if params["Key"] not in self.objects:
                raise AwsError("NoSuchKey", "The specified key does not exist.", status=404)
            return {"Body": self.objects[params["Key"]]}
        if service == "cloudformation":
            return dict(getattr(self.cloudformation, xform_name(operation))(ctx, **params))
        return self.answer(service, operation, params)

    def answer(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return a made-up answer in the model's shape, or raise what was asked for."""
        refusal = self.refuse.get(operation)
        if callable(refusal):
            refusal = refusal(params)
        if refusal is not None:
            raise refusal
        shape = wire.operation_model(service, operation).output_shape
        made_up = self.made_up(shape, params, 0) if shape is not None else {}
        return {**made_up, **DEFAULTS.get(operation, {}), **self.answers.get(operation, {})}

    def made_up(self, shape: Any, params: Mapping[str, Any], depth: int) -> Any:
        """Return a value of a shape: what was asked under the same name, else something plain and new."""
        kind = shape.type_name
        if kind == "structure":
            members = {} if depth > 6 else shape.members
            return {
                name: params[name] if name in params else self.made_up(child, params, depth + 1)
                for name, child in members.items()
            }
        if kind == "list":
            return (
                [] if depth > 6 or "ResultEntryList" in shape.name else [self.made_up(shape.member, params, depth + 1)]
            )
        plain: dict[str, Any] = {
            "map": {},
            "boolean": True,
            "timestamp": START,
            "blob": b"",
            "double": 1.0,
            "float": 1.0,
        }
        if kind in plain:
            return plain[kind]
        if kind in {"integer", "long"}:
            return 1
        if shape.name in TEXTS:
            return TEXTS[shape.name].format(next(self.numbers))
        states = {"ACTIVE", "Active", "running", "Successful"} & set(getattr(shape, "enum", None) or ())
        return min(states) if states else f"{shape.name}-{next(self.numbers)}"

    def record(self, ctx: Context, service: str, kind: str, data: Mapping[str, Any]) -> None:
        """Keep a consequence and apply it."""
        change = next(self.changes)
        self.journal.append(("record", (kind, data, change, ctx.now)))
        self.apply(kind, data, change, ctx.now)

    def apply(self, kind: str, data: Mapping[str, Any], change: int, now: datetime) -> None:
        """Hand a consequence to the service."""
        ctx = self.context(change)
        ctx.now = now
        getattr(self.cloudformation, f"apply_{kind}")(ctx, data)

    def replayed(self) -> "FakeLab":
        """Return another lab that has lived through the same journal without running a process."""
        again = FakeLab(objects=self.objects, answers=self.answers, refuse=self.refuse)
        for kind, (what, body, change, now) in self.journal:
            again.clock.stamp(now)
            if kind == "call":
                try:
                    again.run(what, body, change, live=False)
                except AwsError:
                    continue
            else:
                again.apply(what, body, change, now)
        return again

    def operations(self) -> list[str]:
        """Return the names of the calls made so far, in order."""
        return [call.operation for call in self.calls]

    def status(self, name: str) -> str:
        """Return the status of the newest stack of a name."""
        stacks = [stack for stack in self.cloudformation.stacks.values() if name in {stack.name, stack.id}]
        return stacks[-1].status

    def story(self, name: str) -> list[tuple[str, str]]:
        """Return (logical id, status) of a stack's events, oldest first."""
        stacks = [stack for stack in self.cloudformation.stacks.values() if name in {stack.name, stack.id}]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in stacks[-1].events]


@pytest.fixture
def lab() -> FakeLab:
    """Return a lab without stacks."""
    return FakeLab()


@pytest.fixture(scope="session")
def fresh_lab() -> type[FakeLab]:
    """Return what makes a lab, for tests that need a new one for each example."""
    return FakeLab
