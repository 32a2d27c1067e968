"""A lab that consists of Lambda and of fakes of what Lambda talks to, and a way to replay what happened in it."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import xform_name

from simulator.clock import LabClock
from simulator.errors import AwsError
from simulator.functions import FunctionSpec, Invocation, Outcome
from simulator.identity import Ids, Principal
from simulator.service import Call, Connection, Context, Flow
from simulator.services.lambda_ import Lambda

START = datetime(2026, 11, 22, 17, 33, 22, 123_000, tzinfo=UTC)
ACCOUNT = "486547846362"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/traffic-role"
RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/every-ten-minutes"


def trust(*services: str, effect: str = "Allow") -> dict[str, Any]:
    """Return a trust policy for services."""
    statement = {"Effect": effect, "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def zipped(source: str = "def handler(event, context):\n    return event\n", name: str = "index.py") -> bytes:
    """Return a deployment package with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), source)
    return packed.getvalue()


@dataclass
class FakeAws:
    """S3, IAM, EC2 and SQS as far as Lambda reads and calls them."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=lambda: {("code", "app.zip"): zipped()})
    roles: dict[str, Any] = field(default_factory=lambda: {"traffic-role": trust("lambda.amazonaws.com")})
    policies: dict[str, list[Any]] = field(default_factory=dict)
    subnets: dict[str, str] = field(
        default_factory=lambda: {"subnet-1": "vpc-1", "subnet-2": "vpc-1", "subnet-9": "vpc-9"}
    )
    groups: dict[str, str] = field(default_factory=lambda: {"sg-1": "vpc-1", "sg-9": "vpc-9"})
    interfaces: dict[str, Any] = field(default_factory=dict)
    refuse: dict[str, AwsError] = field(default_factory=dict)
    messages: list[tuple[str, str]] = field(default_factory=list)
    attributes: list[Any] = field(default_factory=list)
    queue: dict[str, str] = field(default_factory=dict)

    def answer(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if operation in self.refuse:
            raise self.refuse[operation]
        if operation.startswith("Describe") and not hasattr(self, xform_name(operation)):
            return {}
        result: dict[str, Any] = getattr(self, xform_name(operation))(**params)
        return result

    def get_object(self, Bucket: str, Key: str, VersionId: str = "") -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise AwsError("NoSuchKey", "The specified key does not exist.")
        return {"Body": self.objects[Bucket, Key]}

    def get_role(self, RoleName: str) -> dict[str, Any]:
        if RoleName not in self.roles:
            raise AwsError("NoSuchEntity", f"Role {RoleName} not found")
        return {"Role": {"RoleName": RoleName, "AssumeRolePolicyDocument": self.roles[RoleName]}}

    def list_role_policies(self, RoleName: str) -> dict[str, Any]:
        return {"PolicyNames": [str(index) for index in range(len(self.policies.get(RoleName, [])))]}

    def get_role_policy(self, RoleName: str, PolicyName: str) -> dict[str, Any]:
        return {"PolicyDocument": self.policies[RoleName][int(PolicyName)]}

    def list_attached_role_policies(self, RoleName: str) -> dict[str, Any]:
        return {"AttachedPolicies": []}

    def describe_subnets(self, SubnetIds: list[str] | None = None) -> dict[str, Any]:
        wanted = self.subnets if SubnetIds is None else SubnetIds
        for subnet in wanted:
            if subnet not in self.subnets:
                raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
        return {"Subnets": [{"SubnetId": subnet, "VpcId": self.subnets[subnet]} for subnet in wanted]}

    def describe_security_groups(self, GroupIds: list[str] | None = None) -> dict[str, Any]:
        wanted = self.groups if GroupIds is None else GroupIds
        return {"SecurityGroups": [{"GroupId": group, "VpcId": self.groups[group]} for group in wanted]}

    def create_network_interface(self, SubnetId: str, Groups: list[str], Description: str) -> dict[str, Any]:
        interface_id = f"eni-{len(self.interfaces) + 1}"
        self.interfaces[interface_id] = {"subnet": SubnetId, "groups": Groups, "description": Description}
        return {"NetworkInterface": {"NetworkInterfaceId": interface_id}}

    def delete_network_interface(self, NetworkInterfaceId: str) -> dict[str, Any]:
        del self.interfaces[NetworkInterfaceId]
        return {}

    def get_queue_url(self, QueueName: str) -> dict[str, Any]:
        return {"QueueUrl": f"http://sqs/{ACCOUNT}/{QueueName}"}

    def list_queues(self) -> dict[str, Any]:
        return {"QueueUrls": [f"http://sqs/{ACCOUNT}/jobs"]}

    def send_message(self, QueueUrl: str, MessageBody: str, MessageAttributes: Any = None) -> dict[str, Any]:
        self.messages.append((QueueUrl, MessageBody))
        self.attributes.append(MessageAttributes)
        return {}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        return {"Attributes": {"VisibilityTimeout": "30"}}

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:
        taken = list(self.queue.items())[:MaxNumberOfMessages]
        return {"Messages": [{"MessageId": key, "ReceiptHandle": f"r-{key}", "Body": body} for key, body in taken]}

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        for entry in Entries:
            del self.queue[entry["ReceiptHandle"][2:]]
        return {}

    def publish(self, TopicArn: str, Message: str) -> dict[str, Any]:
        self.messages.append((TopicArn, Message))
        return {}


@dataclass
class FakeEnvironments:
    """Runs nothing: answers with what the test wants."""

    outcome: Outcome = field(
        default_factory=lambda: Outcome(
            status="ok",
            payload=b'{"ok":true}',
            log="START RequestId: r Version: $LATEST\nhello\nEND RequestId: r\nREPORT RequestId: r",
            duration_ms=12.5,
            init_ms=None,
            max_memory_mb=40,
            connections=(Connection(ip="198.51.100.7", port=443, protocol="TCP", offset_ms=3),),
        )
    )
    runs: list[tuple[FunctionSpec, Invocation]] = field(default_factory=list)
    prepared: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    def prepare(self, spec: FunctionSpec) -> None:
        self.prepared.append(spec.key)

    def forget(self, key: str) -> None:
        self.forgotten.append(key)

    def run(self, spec: FunctionSpec, invocation: Invocation) -> Outcome:
        self.runs.append((spec, invocation))
        return self.outcome

    def fail(self) -> None:
        """Have every further run end in an error."""
        self.outcome = replace(self.outcome, status="error", payload=b'{"errorMessage":"boom"}')


@dataclass
class FakeMoto:
    """Keeps what is written to logs and metrics."""

    logs: list[tuple[str, str, list[tuple[int, str]]]] = field(default_factory=list)
    metrics: list[tuple[str, float]] = field(default_factory=list)

    def write_log(self, ctx: Context, group: str, stream: str, events: list[tuple[int, str]]) -> None:
        self.logs.append((group, stream, list(events)))

    def put_metrics(self, ctx: Context, namespace: str, data: list[tuple[str, dict[str, str], float, str]]) -> None:
        assert namespace == "AWS/Lambda"
        self.metrics += [(name, value) for name, _, value, _ in data]

    def total(self, name: str) -> float:
        """Return the sum of a metric."""
        return sum(value for metric, value in self.metrics if metric == name)


class FakeLab:
    """A lab with one service, whose journal is a list."""

    account_id = ACCOUNT
    region = "us-east-1"
    lab_id = "abcdefgh"
    seed = "a-seed"
    endpoint_url = "http://127.0.0.1:4566"

    def __init__(self, aws: FakeAws | None = None) -> None:
        self.aws = aws or FakeAws()
        self.environments = FakeEnvironments()
        self.moto = FakeMoto()
        self.clock = LabClock(wall=lambda: START.timestamp())
        self.flows: list[Flow] = []
        self.journal: list[tuple[str, datetime, int, str, dict[str, Any]]] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.changes = 0
        self.aws_lambda = Lambda(self)  # type: ignore[arg-type]

    def service(self, name: str) -> Any:
        assert name == "lambda"
        return self.aws_lambda

    def read(self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return self.aws.answer(operation, params)

    def inner_call(
        self, ctx: Context, service: str, operation: str, params: Mapping[str, Any], **by: Any
    ) -> dict[str, Any]:
        self.calls.append((operation, dict(params)))
        return self.aws.answer(operation, params)

    def emit_flow(self, ctx: Context, flow: Flow) -> None:
        self.flows.append(flow)

    def record(self, ctx: Context, service: str, kind: str, data: Mapping[str, Any]) -> None:
        self.changes += 1
        kept = json.loads(json.dumps(data))
        self.journal.append(("record", ctx.now, self.changes, kind, kept))
        self.apply(ctx.now, self.changes, kind, kept)

    def apply(self, now: datetime, change: int, kind: str, data: dict[str, Any]) -> None:
        getattr(self.aws_lambda, f"apply_{kind.replace('-', '_')}")(self.context(now, change), data)

    def context(self, now: datetime | None = None, change: int = 0) -> Context:
        """Return a context of the trainee's."""
        principal = Principal.session(
            account_id=ACCOUNT,
            role_name="WSParticipantRole",
            role_id="AROAXCSEC6TNJX7ECNMY6",
            session_name="Participant",
            access_key_id="ASIAXCSEC6TNC5OHJ74G",
            created=START,
        )
        lab: Any = self
        return Context(lab=lab, principal=principal, now=now or self.clock.now(), ids=Ids.of(self.seed, change))

    def do(self, operation: str, **params: Any) -> dict[str, Any]:
        """Make a call and run what follows from it; return its result."""
        self.changes += 1
        change = self.changes
        now = self.clock.now()
        self.journal.append(("call", now, change, operation, params))
        ctx = self.context(now, change)
        result: dict[str, Any] = getattr(self.aws_lambda, xform_name(operation))(ctx, **params)
        self.run_processes(ctx)
        return result

    def create(self, name: str = "traffic", **params: Any) -> dict[str, Any]:
        """Create a function and return what CreateFunction answers."""
        given = {
            "Runtime": "python3.12",
            "Role": ROLE,
            "Handler": "index.handler",
            "Code": {"S3Bucket": "code", "S3Key": "app.zip"},
            **params,
        }
        return self.do("CreateFunction", FunctionName=name, **given)

    def allow_rule(self, **params: Any) -> dict[str, Any]:
        """Let the rule invoke `traffic`, as a statement `rule` of its policy."""
        given = {
            "StatementId": "rule",
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
            "SourceArn": RULE,
            **params,
        }
        return self.do("AddPermission", FunctionName="traffic", **given)

    def deliver(self, name: str = "traffic", source: str = "events.amazonaws.com", rule: str = RULE) -> str | None:
        """Have the rule hand an event to a function."""

        def work(ctx: Context) -> str | None:
            return self.aws_lambda.deliver_event(
                ctx,
                function_arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}",
                payload=b'{"source":"aws.events"}',
                source_service=source,
                source_arn=rule,
            )

        error: str | None = self.process(work)
        return error

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """Make a call that fails and return its code and message."""
        with pytest.raises(AwsError) as caught:
            self.do(operation, **params)
        return caught.value.code, caught.value.message

    def process(self, work: Callable[[Context], Any]) -> Any:
        """Run a process of another service and return what it returns."""
        self.changes += 1
        ctx = self.context(change=self.changes)
        result = work(ctx)
        self.run_processes(ctx)
        return result

    @staticmethod
    def run_processes(ctx: Context) -> None:
        while ctx.processes:
            ctx.processes.pop(0)(ctx)

    def tell(self, service: str, operation: str, **params: Any) -> None:
        """Tell Lambda of a change that somebody made in another service."""
        call = Call(
            seq=1,
            change=1,
            at=self.clock.now(),
            service=service,
            operation=operation,
            params=params,
            response={},
            principal=self.context().principal,
            region=self.region,
            source_ip="",
            user_agent="",
            invoked_by=None,
            request_id="",
            event_id="",
            read_only=False,
        )
        self.aws_lambda.on_call(call)

    def pass_time(self, **delta: float) -> None:
        """Let lab time pass and run what becomes due."""
        end = self.clock.now() + timedelta(**delta)
        while (due := self.aws_lambda.next_due()) is not None and due <= end:
            self.clock.set(due)
            self.process(self.aws_lambda.run_due)
        self.clock.set(end)

    def replayed(self) -> "FakeLab":
        """Return another lab in which calls and records happened again, and no process ran."""
        again = FakeLab(self.aws)
        for sort, now, change, kind, data in self.journal:
            again.clock.set(now)
            if sort == "call":
                method = getattr(again.aws_lambda, xform_name(kind))
                try:
                    method(again.context(now, change), **data)
                except AwsError:
                    continue
            else:
                again.apply(now, change, kind, data)
        assert not again.environments.runs, "a replay runs no handler"
        return again


@pytest.fixture
def lab() -> FakeLab:
    """An empty lab."""
    return FakeLab()


@pytest.fixture
def traffic(lab: FakeLab) -> FakeLab:
    """A lab with the function `traffic`, active, which a rule may invoke."""
    lab.create()
    lab.allow_rule()
    lab.pass_time(minutes=1)
    return lab
