"""Many clients at once: nobody gets another's answer, an error that is none, or half of a change; the lab stays whole."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.contract.conftest import FUNCTION, RunningLab

THREADS = 8
SECONDS = 10.0


class _Worker(threading.Thread):
    """One client with things of its own, that checks each answer against what it did itself."""

    def __init__(self, lab: RunningLab, number: int) -> None:
        super().__init__(daemon=True)
        self.name = f"worker-{number}"
        self.dice = random.Random(number)
        self.lab, self.end = lab, 0.0
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.turn = 0
        names = ("s3", "guardduty", "cloudtrail", "config", "events", "lambda", "iam", "sqs", "logs", "ec2", "sts")
        self.clients = {name: lab.client(name) for name in names}
        self.detector = lab.detector

    def run(self) -> None:
        steps: list[Callable[[], None]] = [
            self.objects, self.filters, self.rules, self.messages, self.roles, self.tags, self.reads, self.trail, self.groups, self.refusals,
        ]  # fmt: skip
        while time.monotonic() < self.end:
            step = self.dice.choice(steps)
            self.turn += 1
            try:
                step()
                self.done[step.__name__] += 1
            except Exception as problem:
                self.wrong.append(f"{self.name} {step.__name__}: {problem!r}")

    def objects(self) -> None:
        s3, bucket, body = self.clients["s3"], f"bucket-of-{self.name}", f"{self.name} {self.turn}".encode()
        if self.turn == 1 or not self.done["objects"]:
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="key", Body=body)
        assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body

    def filters(self) -> None:
        guardduty, name = self.clients["guardduty"], f"{self.name}-{self.turn}"
        criteria = {"Criterion": {"id": {"Equals": [name]}}}
        guardduty.create_filter(DetectorId=self.detector, Name=name, FindingCriteria=criteria, Description=name)
        assert guardduty.get_filter(DetectorId=self.detector, FilterName=name)["Description"] == name
        guardduty.delete_filter(DetectorId=self.detector, FilterName=name)

    def rules(self) -> None:
        events, name = self.clients["events"], f"{self.name}-{self.turn}"
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}), Description=name)
        assert events.describe_rule(Name=name)["Description"] == name
        events.delete_rule(Name=name)

    def messages(self) -> None:
        sqs = self.clients["sqs"]
        queue = sqs.create_queue(QueueName=self.name)["QueueUrl"]
        text = f"{self.name} {self.turn}"
        sqs.send_message(QueueUrl=queue, MessageBody=text)
        (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]
        assert message["Body"] == text
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def roles(self) -> None:
        iam, name = self.clients["iam"], f"{self.name}-{self.turn}"
        document = json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
        })  # fmt: skip
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
        assert iam.get_role(RoleName=name)["Role"]["RoleId"] == made["RoleId"]
        iam.delete_role(RoleName=name)

    def tags(self) -> None:
        client = self.clients["lambda"]
        arn = client.get_function_configuration(FunctionName=FUNCTION)["FunctionArn"]
        client.tag_resource(Resource=arn, Tags={self.name: str(self.turn)})
        assert client.list_tags(Resource=arn)["Tags"][self.name] == str(self.turn)
        client.untag_resource(Resource=arn, TagKeys=[self.name])

    def reads(self) -> None:
        ids = self.clients["guardduty"].list_findings(DetectorId=self.detector)["FindingIds"]
        found = self.clients["guardduty"].get_findings(DetectorId=self.detector, FindingIds=ids[:5])["Findings"]
        assert [each["Id"] for each in found] == ids[:5]
        assert self.clients["sts"].get_caller_identity()["Arn"].endswith("WSParticipantRole/Participant")
        group = f"/aws/lambda/{FUNCTION}"
        assert self.clients["logs"].filter_log_events(logGroupName=group, limit=5)["events"]

    def trail(self) -> None:
        events = self.clients["cloudtrail"].lookup_events(MaxResults=10)["Events"]
        assert len(events) == 10
        times = [each["EventTime"] for each in events]
        assert times == sorted(times, reverse=True)
        kept = self.clients["config"].get_resource_config_history(
            resourceType="AWS::Lambda::Function", resourceId=FUNCTION
        )
        assert len(kept["configurationItems"]) == 10

    def groups(self) -> None:
        ec2, name = self.clients["ec2"], f"{self.name}-{self.turn}"
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        made = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        assert ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]["GroupName"] == name
        ec2.delete_security_group(GroupId=made)

    def refusals(self) -> None:
        try:
            self.clients["guardduty"].get_detector(DetectorId="0" * 32)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "BadRequestException"
        else:
            raise AssertionError("an unknown detector was found")


def _asked(lab: RunningLab) -> Any:
    """Return what must be the same after a restart."""
    roles = sorted(
        role["RoleName"] for page in lab.client("iam").get_paginator("list_roles").paginate() for role in page["Roles"]
    )
    rules = sorted(rule["Name"] for rule in lab.client("events").list_rules()["Rules"])
    buckets = {bucket["Name"]: bucket["CreationDate"] for bucket in lab.client("s3").list_buckets()["Buckets"]}
    bodies = {
        name: lab.client("s3").get_object(Bucket=name, Key="key")["Body"].read()
        for name in buckets
        if name.startswith("bucket-of-worker")
    }
    return (
        roles,
        rules,
        buckets,
        bodies,
        lab.client("lambda").get_function_configuration(FunctionName=FUNCTION)["RevisionId"],
    )


def test_eight_clients_for_ten_seconds(running: RunningLab) -> None:
    """Reads and writes of ten kinds, mixed; lab time moves on meanwhile; then a restart finds all that was answered."""
    workers = [_Worker(running, number) for number in range(THREADS)]
    end = time.monotonic() + SECONDS
    for worker in workers:
        worker.end = end
        worker.start()
    for _ in range(3):
        time.sleep(SECONDS / 5)
        running.advance(minutes=10)
    for worker in workers:
        worker.join(timeout=120)
    assert not any(worker.is_alive() for worker in workers)
    assert [problem for worker in workers for problem in worker.wrong] == []
    done = sum((worker.done for worker in workers), Counter())
    assert len(done) == 10
    assert done.total() > 50, done
    before, count = _asked(running), running.count()
    running.command("stop")
    running.begin()
    running._clients.clear()
    assert _asked(running) == before
    assert running.count() >= count
    log = (running.command.home / "server.log").read_text("utf-8")
    assert "Traceback" not in log, log[-3000:]
    assert "replay:" not in log, log[-3000:]
