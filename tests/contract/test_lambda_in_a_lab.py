"""Lambda in a whole lab: moto's S3, IAM, EC2, SQS and Logs around it, handlers that really run, a journal that is replayed."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.errors import AwsError
from simulator.functions import Environments
from simulator.identity import Principal
from simulator.journal import Journal
from simulator.service import Context, Flow
from simulator.services.moto import Moto
from simulator.world import Ask, Lab, new_meta

ACCOUNT = "486547846362"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/function-role"
CONNECTS = """
import socket

def handler(event, context):
    with socket.socket() as attempt:
        attempt.settimeout(1)
        try:
            attempt.connect(("198.51.100.7", 443))
        except OSError:
            print("no answer")
    return {"got": event}
"""
FAILS = "def handler(event, context):\n    raise ValueError('boom')\n"


class Account:
    """A lab and its owner, who makes calls."""

    def __init__(self, path: Path, environments: Environments) -> None:
        meta = new_meta(seed="s", account_id=ACCOUNT, scenario_id="none", ip=None, history=0.0, versions={})
        journal = Journal.open(path) if path.exists() else Journal.create(path, meta)
        self.lab = Lab(meta=meta, journal=journal, moto=Moto(), environments=environments)
        self.flows: list[Flow] = []
        emit = self.lab.emit_flow

        def watched(ctx: Context, flow: Flow) -> None:
            self.flows.append(flow)
            emit(ctx, flow)

        self.lab.emit_flow = watched  # type: ignore[method-assign]
        self.owner = Principal(type="Root", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root")

    def __call__(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Make a call; return its result or raise its error."""
        done = self.lab.ask(Ask(service=service, operation=operation, params=params, principal=self.owner))
        if done.error:
            raise done.error
        return done.result or {}

    def messages(self, function: str) -> list[str]:
        """Return what CloudWatch Logs holds of a function."""
        found = self("logs", "FilterLogEvents", logGroupName=f"/aws/lambda/{function}")
        return [event["message"] for event in found["events"]]


def zipped(source: str) -> bytes:
    """Return a deployment package whose module is `index`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), source)
    return packed.getvalue()


@pytest.fixture(scope="module")
def environments() -> Iterator[Environments]:
    """Execution environments for the module's labs."""
    made = Environments()
    yield made
    made.close()


@pytest.fixture
def account(tmp_path: Path, environments: Environments) -> Iterator[Account]:
    """A lab with a function `traffic` from S3 that connects, and its role."""
    account = Account(tmp_path / "journal.db", environments)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    account("iam", "CreateRole", RoleName="function-role", AssumeRolePolicyDocument=document)
    account("s3", "CreateBucket", Bucket="code-of-the-lab")
    account("s3", "PutObject", Bucket="code-of-the-lab", Key="a.zip", Body=zipped(CONNECTS))
    account(
        "lambda",
        "CreateFunction",
        FunctionName="traffic",
        Role=ROLE,
        Runtime="python3.12",
        Handler="index.handler",
        Code={"S3Bucket": "code-of-the-lab", "S3Key": "a.zip"},
    )
    yield account
    account.lab.close()


def test_a_handler_really_runs_and_its_connection_is_a_flow_record(account: Account) -> None:
    """Result, log, metric and flow of one run."""
    answer = account("lambda", "Invoke", FunctionName="traffic", Payload=b'{"a": 1}', LogType="Tail")
    assert json.loads(answer["Payload"]) == {"got": {"a": 1}}
    assert b"no answer" in base64.b64decode(answer["LogResult"])
    assert "no answer" in account.messages("traffic")
    (flow,) = account.flows
    assert (flow.ip, flow.port, flow.action, flow.permitted) == ("198.51.100.7", 443, "ACCEPT", True)
    now = account.lab.clock.now()
    found = account(
        "cloudwatch",
        "GetMetricStatistics",
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": "traffic"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )
    assert [point["Sum"] for point in found["Datapoints"]] == [1.0]


def test_what_s3_or_iam_lack_is_told_in_lambdas_words(account: Account) -> None:
    """Codes and messages of moto pass through."""
    given = {"FunctionName": "other", "Runtime": "python3.12", "Handler": "index.handler"}
    with pytest.raises(
        AwsError, match=r"S3 Error Code: NoSuchKey\. S3 Error Message: The specified key does not exist"
    ):
        account("lambda", "CreateFunction", Role=ROLE, Code={"S3Bucket": "code-of-the-lab", "S3Key": "none"}, **given)
    with pytest.raises(AwsError, match=r"S3 Error Code: NoSuchBucket"):
        account("lambda", "CreateFunction", Role=ROLE, Code={"S3Bucket": "no-such-bucket", "S3Key": "x"}, **given)
    with pytest.raises(AwsError, match=r"The role defined for the function cannot be assumed by Lambda\."):
        account("lambda", "CreateFunction", Role=ROLE + "x", Code={"ZipFile": zipped(FAILS)}, **given)


def test_an_unknown_runtime_and_a_bad_name_are_refused_under_their_own_codes(account: Account) -> None:
    """Lambda answers for its runtimes itself; the rest is the model's."""
    given = {"Role": ROLE, "Handler": "index.handler", "Code": {"ZipFile": zipped(FAILS)}}
    with pytest.raises(AwsError, match=r"^InvalidParameterValueException: .*python2\.8.*enum value set"):
        account("lambda", "CreateFunction", FunctionName="other", Runtime="python2.8", **given)
    with pytest.raises(AwsError, match=r"^ValidationException: 1 validation error detected: Value 'x y'"):
        account("lambda", "CreateFunction", FunctionName="x y", Runtime="python3.12", **given)


def test_a_deleted_role_stops_the_function(account: Account) -> None:
    """It is noticed through the journal, without a look at IAM before every run."""
    account("lambda", "Invoke", FunctionName="traffic")
    account("iam", "DeleteRole", RoleName="function-role")
    with pytest.raises(AwsError, match="cannot be assumed by Lambda"):
        account("lambda", "Invoke", FunctionName="traffic")


def test_a_function_in_a_closed_network_gets_nothing_out(account: Account) -> None:
    """ACCEPT without a route, REJECT without an egress rule; the interfaces come and go."""
    zones = account("ec2", "DescribeSubnets")["Subnets"]
    (group,) = account("ec2", "DescribeSecurityGroups")["SecurityGroups"]
    attached = {"SubnetIds": [zones[0]["SubnetId"]], "SecurityGroupIds": [group["GroupId"]]}
    with pytest.raises(AwsError, match="does not have permissions to call CreateNetworkInterface on EC2"):
        account("lambda", "UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=attached)
    allow = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    account("iam", "PutRolePolicy", RoleName="function-role", PolicyName="vpc", PolicyDocument=document)
    account("lambda", "UpdateFunctionConfiguration", FunctionName="traffic", VpcConfig=attached)
    (interface,) = account("ec2", "DescribeNetworkInterfaces")["NetworkInterfaces"]
    account("lambda", "Invoke", FunctionName="traffic")
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    account("ec2", "RevokeSecurityGroupEgress", GroupId=group["GroupId"], IpPermissions=[everything])
    account("lambda", "Invoke", FunctionName="traffic")
    assert [(flow.action, flow.permitted) for flow in account.flows] == [("ACCEPT", False), ("REJECT", False)]
    assert account.flows[0].interface_id == interface["NetworkInterfaceId"]
    account("lambda", "DeleteFunction", FunctionName="traffic")
    assert account("ec2", "DescribeNetworkInterfaces")["NetworkInterfaces"] == []


def test_messages_of_a_queue_are_run_deleted_and_come_again_after_a_failure(account: Account) -> None:
    """moto's queue, lab time."""
    url = account("sqs", "CreateQueue", QueueName="jobs")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"
    account("lambda", "CreateEventSourceMapping", FunctionName="traffic", EventSourceArn=arn)
    account("sqs", "SendMessage", QueueUrl=url, MessageBody="first")
    account.lab.advance(timedelta(seconds=10))
    assert len(account.flows) == 1
    waiting = account("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert waiting["ApproximateNumberOfMessages"] == "0"
    account("lambda", "UpdateFunctionCode", FunctionName="traffic", ZipFile=zipped(FAILS))
    account("sqs", "SendMessage", QueueUrl=url, MessageBody="second")
    account.lab.advance(timedelta(seconds=80))
    assert sum("boom" in message for message in account.messages("traffic")) >= 3


def test_a_failed_event_is_retried_in_lab_time(account: Account) -> None:
    """Three runs of one request."""
    account("lambda", "UpdateFunctionCode", FunctionName="traffic", ZipFile=zipped(FAILS))
    assert account("lambda", "Invoke", FunctionName="traffic", InvocationType="Event")["StatusCode"] == 202
    account.lab.advance(timedelta(hours=1))
    starts = {message for message in account.messages("traffic") if message.startswith("START")}
    assert len(starts) == 1
    assert sum(message.startswith("START") for message in account.messages("traffic")) == 3


def test_topics_and_buckets_set_functions_off_where_the_policy_lets_them(account: Account, tmp_path: Path) -> None:
    """moto would hand the events to a Lambda of its own, which knows no function."""
    arn = account("lambda", "GetFunctionConfiguration", FunctionName="traffic")["FunctionArn"]
    topic = account("sns", "CreateTopic", Name="findings")["TopicArn"]
    account("sns", "Subscribe", TopicArn=topic, Protocol="lambda", Endpoint=arn)
    on_create = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    account(
        "s3",
        "PutBucketNotificationConfiguration",
        Bucket="code-of-the-lab",
        NotificationConfiguration={"LambdaFunctionConfigurations": [on_create]},
    )
    account("sns", "Publish", TopicArn=topic, Message="not let in")
    account("s3", "PutObject", Bucket="code-of-the-lab", Key="not-let-in.txt", Body=b"x")
    account.lab.advance(timedelta(seconds=5))
    assert account.flows == []
    for service, source in (("sns", topic), ("s3", "arn:aws:s3:::code-of-the-lab")):
        account(
            "lambda",
            "AddPermission",
            FunctionName="traffic",
            StatementId=service,
            Action="lambda:InvokeFunction",
            Principal=f"{service}.amazonaws.com",
            SourceArn=source,
        )
    account("sns", "Publish", TopicArn=topic, Message="hello", Subject="a finding")
    account("s3", "PutObject", Bucket="code-of-the-lab", Key="b.txt", Body=b"x")
    (first, second) = account.lab.service("lambda").queued(account.lab.clock.now() + timedelta(minutes=1))
    assert json.loads(first.payload)["Records"][0]["Sns"]["Message"] == "hello"
    assert json.loads(second.payload)["Records"][0]["s3"]["object"]["key"] == "b.txt"
    account.lab.advance(timedelta(seconds=5))
    assert len(account.flows) == 2
    assert account.lab.service("lambda").next_due() is None
    account.lab.close()
    again = Account(tmp_path / "journal.db", account.lab.environments)
    again.lab.replay()
    assert again.flows == account.flows
    assert again.lab.service("lambda").next_due() is None
    again.lab.close()


def test_a_replay_rebuilds_functions_logs_and_flows_without_running_anything(
    account: Account, tmp_path: Path, environments: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And answers as it did."""
    account("lambda", "Invoke", FunctionName="traffic", Payload=b'{"n": 1}')
    account("lambda", "PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    account("lambda", "Invoke", FunctionName="traffic", InvocationType="Event")
    account("lambda", "PublishVersion", FunctionName="traffic")
    before, flows, messages = account.lab.service("lambda"), list(account.flows), account.messages("traffic")
    account.lab.close()

    def refuse(*_: Any) -> None:
        raise AssertionError("a replay runs no handler")

    monkeypatch.setattr(environments, "run", refuse)
    again = Account(tmp_path / "journal.db", environments)
    again.lab.replay()
    after = again.lab.service("lambda")
    assert again.lab.differences == []
    assert (after.by_name, after.waiting) == (before.by_name, before.waiting)
    assert again.flows == flows
    assert again.messages("traffic") == messages
    until: datetime = again.lab.clock.now() + timedelta(hours=1)
    assert [each.allowed for each in after.queued(until)] == [False]
    again.lab.close()
