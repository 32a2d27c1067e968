"""Rules, schedules and sessions in a real lab: with its journal, its IAM and its queues. No function runs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulator.errors import AwsError
from simulator.functions import Environments
from simulator.identity import Principal
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.world import Ask, Lab

ACCOUNT = "486547846362"
SETUP = Principal.session(
    account_id=ACCOUNT,
    role_name="OrganizationAccountAccessRole",
    role_id="AROASETUP",
    session_name="setup",
    access_key_id="ASIASETUP",
    created=datetime(2026, 1, 1, tzinfo=UTC),
)
META = {"account_id": ACCOUNT, "lab_id": "events", "seed": "seed"}


class Opened:
    """A lab in memory, and how to ask it."""

    def __init__(self, journal: Journal | None = None) -> None:
        self.journal = journal or Journal.create(None, META)
        self.environments = Environments()
        self.lab = Lab(meta=META, journal=self.journal, moto=Moto(), environments=self.environments)

    def ask(self, service: str, operation: str, principal: Principal = SETUP, **params: Any) -> dict[str, Any]:
        """Return the result of a call; raise its AwsError."""
        done = self.lab.ask(Ask(service=service, operation=operation, params=params, principal=principal))
        if done.error:
            raise done.error
        return done.result or {}

    def add_role(self, name: str, trusted: dict[str, str], *actions: str) -> str:
        """Make a role that may do `actions`, and return its ARN."""
        trust = {"Statement": {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}}
        made = self.ask("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        if actions:
            may = {"Statement": {"Effect": "Allow", "Action": list(actions), "Resource": "*"}}
            policy = {"Version": "2012-10-17", **may}
            self.ask("iam", "PutRolePolicy", RoleName=name, PolicyName="may", PolicyDocument=json.dumps(policy))
        arn: str = made["Role"]["Arn"]
        return arn

    def add_queue(self) -> str:
        """Make a queue and return its ARN."""
        self.ask("sqs", "CreateQueue", QueueName="q")
        return f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"

    def bodies(self) -> list[dict[str, Any]]:
        """Return the bodies of the messages in the queue."""
        url = self.ask("sqs", "GetQueueUrl", QueueName="q")["QueueUrl"]
        answer = self.ask("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def close(self) -> None:
        """Let go of the lab."""
        self.lab.close()
        self.environments.close()


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Return an empty lab."""
    opened = Opened()
    yield opened
    opened.close()


def schedule_to(queue: str, role: str) -> dict[str, Any]:
    """Return the parameters of a schedule that sends to a queue as a role."""
    target = {"Arn": queue, "RoleArn": role, "Input": '{"from":"scheduler"}'}
    return {"Name": "s", "ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target}


def test_a_rule_and_a_schedule_send_to_a_queue(opened: Opened) -> None:
    """The rule as EventBridge, the schedule as its role, which must be allowed to."""
    queue = opened.add_queue()
    opened.ask("events", "PutRule", Name="r", ScheduleExpression="rate(10 minutes)")
    opened.ask("events", "PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": queue}])
    role = opened.add_role("sends", {"Service": "scheduler.amazonaws.com"}, "sqs:SendMessage")
    opened.ask("scheduler", "CreateSchedule", **schedule_to(queue, role))
    opened.lab.advance(timedelta(minutes=2))
    assert sorted(body.get("source", "scheduler") for body in opened.bodies()) == ["aws.events", "scheduler"]
    opened.ask("iam", "DeleteRolePolicy", RoleName="sends", PolicyName="may")
    opened.ask("events", "DisableRule", Name="r")
    opened.ask("sqs", "PurgeQueue", QueueUrl=opened.ask("sqs", "GetQueueUrl", QueueName="q")["QueueUrl"])
    opened.lab.advance(timedelta(hours=3))
    assert opened.bodies() == []


def test_a_replayed_lab_goes_on_where_it_was(opened: Opened) -> None:
    """The same schedules, the same sessions, nothing delivered twice."""
    queue = opened.add_queue()
    opened.ask("events", "PutRule", Name="r", ScheduleExpression="rate(10 minutes)")
    opened.ask("events", "PutTargets", Rule="r", Targets=[{"Id": "q", "Arn": queue}])
    role = opened.add_role("sends", {"Service": "scheduler.amazonaws.com"}, "sqs:SendMessage")
    opened.ask("scheduler", "CreateSchedule", **schedule_to(queue, role))
    assumable = opened.add_role("mine", {"AWS": ACCOUNT})
    key = opened.ask("sts", "AssumeRole", RoleArn=assumable, RoleSessionName="work")["Credentials"]["AccessKeyId"]
    opened.lab.advance(timedelta(minutes=25))
    opened.journal.commit()
    told = [(name, opened.lab.service(name).next_due()) for name in ("events", "scheduler")]
    secret = opened.lab.service("sts").secret_of(key)
    messages = len(opened.bodies())
    opened.lab.moto.forget(ACCOUNT)
    again = Opened(opened.journal)
    again.lab.replay()
    assert again.lab.differences == []
    assert [(name, again.lab.service(name).next_due()) for name in ("events", "scheduler")] == told
    assert again.lab.service("sts").secret_of(key) == secret
    url = again.ask("sqs", "GetQueueUrl", QueueName="q")["QueueUrl"]
    counted = again.ask("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (
        int(counted["ApproximateNumberOfMessages"]) + int(counted["ApproximateNumberOfMessagesNotVisible"]) == messages
    )
    again.environments.close()


def test_a_session_may_do_what_its_role_may(opened: Opened) -> None:
    """And nothing else; a role that trusts somebody else is not assumed, not even by an administrator."""
    role = opened.add_role("reader", {"AWS": ACCOUNT}, "events:ListRules")
    key = opened.ask("sts", "AssumeRole", RoleArn=role, RoleSessionName="work")["Credentials"]["AccessKeyId"]
    session = opened.lab.service("sts").principal_of(key)
    assert opened.ask("sts", "GetCallerIdentity", session)["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work"
    assert opened.ask("events", "ListRules", session) == {"Rules": []}
    with pytest.raises(AwsError, match=r"is not authorized to perform: events:PutRule"):
        opened.ask("events", "PutRule", session, Name="r", ScheduleExpression="rate(1 day)")
    role = opened.add_role("lambda-only", {"Service": "lambda.amazonaws.com"})
    with pytest.raises(AwsError, match=r"is not authorized to perform: sts:AssumeRole"):
        opened.ask("sts", "AssumeRole", RoleArn=role, RoleSessionName="work")
