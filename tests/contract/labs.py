"""Labs in this process, without a history, behind a gateway: one alone, or several together as when hosted."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.control import Control
from simulator.functions import Environments, FunctionSpec, Invocation, Outcome
from simulator.gateway import Gateway, Key
from simulator.identity import Ids
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.story import account_owner
from simulator.world import Lab
from tests.contract.any_call import InProcess


class QuietEnvironments(Environments):
    """Runs no code: every function returns null at once and connects to nothing."""

    def prepare(self, spec: FunctionSpec) -> None:
        """Start nothing."""

    def run(self, spec: FunctionSpec, invocation: Invocation) -> Outcome:
        """Return that the run went well."""
        log = f"START RequestId: {invocation.request_id} Version: {spec.version}\n"
        return Outcome(
            status="ok", payload=b"null", log=log, duration_ms=2.0, init_ms=None, max_memory_mb=40, connections=()
        )


def new_lab(account_id: str, moto: Moto, seed: str = "seed") -> Lab:
    """Return a lab in memory, of an account of its own."""
    meta = {"account_id": account_id, "lab_id": f"lab{account_id}", "seed": seed}
    return Lab(meta=meta, journal=Journal.create(None, meta), moto=moto, environments=QuietEnvironments())


def owner_of(gateway: Gateway, lab: Lab, secret: str, token: str = "") -> InProcess:
    """Return the clients of a lab's owner, whom its IAM does not restrict, and let the gateway know the key."""
    key = Ids.of(lab.seed, "owner key").unique_id("ASIA", lab.account_id, 20)
    principal = replace(account_owner(lab, lab.clock.now()), access_key_id=key)
    gateway.keys[key] = Key(principal=principal, secret=secret, token=token)
    lab.meta.setdefault("trainee_key", key)
    return InProcess(gateway, key, secret, token or None)


def new_lab_in_process(account_id: str = "486547846362") -> InProcess:
    """Return its owner's clients of a new lab that is alone behind its gateway."""
    lab = new_lab(account_id, Moto())
    control = Control(lab=lab, token="control", stop=lambda: None)
    return owner_of(Gateway(labs={account_id: lab}, control=control), lab, "secret")


def zipped(source: str = "def handler(event, context):\n    return 1\n") -> bytes:
    """Return a deployment package."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", source)
    return packed.getvalue()


def trust(*services: str) -> str:
    """Return a trust policy for services."""
    statement = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def set_up(process: InProcess) -> Mapping[str, Any]:
    """Make something of everything and return its names by the members that ask for them."""
    iam, s3 = process.client("iam"), process.client("s3")
    role = iam.create_role(
        RoleName="known", AssumeRolePolicyDocument=trust("lambda.amazonaws.com", "scheduler.amazonaws.com", "config.amazonaws.com")
    )["Role"]  # fmt: skip
    iam.create_user(UserName="known")
    iam.create_group(GroupName="known")
    s3.create_bucket(Bucket="known-bucket")
    s3.put_object(Bucket="known-bucket", Key="known", Body=b"203.0.113.5\n")
    lambda_ = process.client("lambda")
    function = lambda_.create_function(
        FunctionName="known", Runtime="python3.13", Handler="index.handler", Role=role["Arn"], Code={"ZipFile": zipped()}
    )["FunctionArn"]  # fmt: skip
    guardduty = process.client("guardduty")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    location = "s3://known-bucket/known"
    threats = guardduty.create_threat_intel_set(
        DetectorId=detector, Name="known", Format="TXT", Location=location, Activate=True
    )["ThreatIntelSetId"]
    guardduty.create_sample_findings(DetectorId=detector, FindingTypes=[])
    finding = guardduty.list_findings(DetectorId=detector)["FindingIds"][0]
    queue = process.client("sqs").create_queue(QueueName="known")["QueueUrl"]
    events = process.client("events")
    rule = events.put_rule(Name="known", ScheduleExpression="rate(10 minutes)")["RuleArn"]
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    cloudformation = process.client("cloudformation")
    stack = cloudformation.create_stack(StackName="known", TemplateBody=json.dumps(template))["StackId"]
    process.client("logs").create_log_group(logGroupName="known")
    key = process.client("kms").create_key()["KeyMetadata"]["KeyId"]
    ec2 = process.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="known", Description="known", VpcId=vpc)["GroupId"]
    config = process.client("config")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role["Arn"]})
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "known-bucket"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    process.client("scheduler").create_schedule_group(Name="known")
    return {
        "RoleName": "known", "UserName": "known", "GroupName": "known", "RoleArn": role["Arn"], "Role": role["Arn"],
        "roleARN": role["Arn"], "RoleARN": role["Arn"], "RoleSessionName": "someone",
        "Bucket": "known-bucket", "Key": "known", "S3Bucket": "known-bucket", "S3Key": "known", "Location": location,
        "s3BucketName": "known-bucket", "FunctionName": "known", "DetectorId": detector, "ThreatIntelSetId": threats,
        "FindingId": finding, "QueueUrl": queue, "Rule": "known", "StackName": "known", "StackId": stack,
        "TemplateBody": json.dumps(template), "logGroupName": "known", "KeyId": key, "VpcId": vpc, "SubnetId": subnet,
        "GroupId": group, "ConfigurationRecorderName": "default", "DeliveryChannelName": "default",
        "ScheduleExpression": "rate(5 minutes)", "ResourceArn": rule, "ResourceARN": rule, "Resource": function, "Arn": function,
        "resourceType": "AWS::Lambda::Function", "resourceId": "known", "EventPattern": '{"source": ["aws.guardduty"]}',
        "PolicyDocument": '{"Version": "2012-10-17", "Statement": []}', "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
    }  # fmt: skip
