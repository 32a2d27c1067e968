"""Stacks in a real lab, in memory: the lab's own templates, an update, a replacement, a service role, nested stacks."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator import wire
from simulator.errors import AwsError
from simulator.functions import Environments
from simulator.identity import Principal
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.world import Ask, Lab, new_meta
from templates import baseline, bootstrap, detection, workload
from templates.options import Options

ACCOUNT = "123456789012"
Do = Callable[..., dict[str, Any]]


def opened(journal: Journal, meta: dict[str, str]) -> Lab:
    """Return a lab over a journal."""
    return Lab(meta=meta, journal=journal, moto=Moto(), environments=Environments())


def ask(lab: Lab, service: str, operation: str, **params: Any) -> dict[str, Any]:
    """Make a call as the account's owner. Raises AwsError."""
    owner = Principal(type="Root", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", principal_id=ACCOUNT)
    done = lab.ask(Ask(service=service, operation=operation, params=params, principal=owner))
    if done.error:
        raise done.error
    if done.answer is not None:
        return wire.from_http(service, operation, done.answer)
    return done.result or {}


@pytest.fixture
def meta() -> dict[str, str]:
    """Return what a new lab notes of itself."""
    return new_meta(seed="stacks", account_id=ACCOUNT, scenario_id="none", ip=None, history=0, versions={})


@pytest.fixture
def lab(tmp_path: Path, meta: dict[str, str]) -> Iterator[Lab]:
    """Return a new lab with its journal in a file."""
    made = opened(Journal.create(tmp_path / "lab.journal", meta), meta)
    yield made
    made.close()
    made.environments.close()


@pytest.fixture
def do(lab: Lab) -> Do:
    """Return what makes a call in the lab."""
    return lambda service, operation, **params: ask(lab, service, operation, **params)


def create(do: Do, name: str, template: str, **parameters: str) -> dict[str, str]:
    """Create a stack, see it complete, and return its outputs."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    capabilities = ["CAPABILITY_NAMED_IAM"]
    do(
        "cloudformation",
        "CreateStack",
        StackName=name,
        TemplateBody=template,
        Parameters=given,
        Capabilities=capabilities,
    )
    return outputs(do, name, "CREATE_COMPLETE")


def outputs(do: Do, name: str, status: str) -> dict[str, str]:
    """Return a stack's outputs; it must have `status`."""
    stack = do("cloudformation", "DescribeStacks", StackName=name)["Stacks"][0]
    failures = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
        for event in do("cloudformation", "DescribeStackEvents", StackName=name)["StackEvents"]
        if event["ResourceStatus"].endswith("FAILED")
    ]
    assert stack["StackStatus"] == status, failures
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}


def deployed(do: Do) -> list[str]:
    """Create the lab's own four stacks and return their names, in order."""
    options = Options()
    bucket = create(do, "boot", bootstrap.bootstrap(options).to_json())["AssetsBucketName"]
    watched = baseline.baseline(options)
    assert watched is not None
    create(do, "base", watched.to_json())
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return 1\n")
    do("s3", "PutObject", Bucket=bucket, Key="code.zip", Body=code.getvalue())
    do("s3", "PutObject", Bucket=bucket, Key="list.txt", Body=b"198.51.100.7\n")
    create(do, "list", detection.detection(options).to_json(), AssetsBucketName=bucket, ThreatListKey="list.txt")
    create(do, "work", workload.workload(options).to_json(), AssetsBucketName=bucket, CodeKey="code.zip")
    return ["boot", "base", "list", "work"]


def test_the_labs_own_templates_are_made_in_sync_and_gone_again(lab: Lab, do: Do) -> None:
    """Four stacks; no drift; the bucket with objects holds its stack up until it is emptied."""
    stacks = deployed(do)
    assert do("lambda", "GetFunctionConfiguration", FunctionName="traffic-simulation")["State"] == "Active"
    assert do("config", "DescribeConfigurationRecorderStatus")["ConfigurationRecordersStatus"][0]["recording"]
    for name in stacks:
        detected = do("cloudformation", "DetectStackDrift", StackName=name)
        told = do("cloudformation", "DescribeStackDriftDetectionStatus", **detected)
        assert told["StackDriftStatus"] == "IN_SYNC", do(
            "cloudformation", "DescribeStackResourceDrifts", StackName=name
        )
    arns = {name: do("cloudformation", "DescribeStacks", StackName=name)["Stacks"][0]["StackId"] for name in stacks}
    told = {name: outputs(do, name, "CREATE_COMPLETE") for name in stacks}
    for name in reversed(stacks):
        do("cloudformation", "DeleteStack", StackName=name)
    for name in ("base", "list", "work"):
        assert outputs(do, arns[name], "DELETE_COMPLETE") == told[name]
    bucket = outputs(do, "boot", "DELETE_FAILED")["AssetsBucketName"]
    for key in ("code.zip", "list.txt"):
        do("s3", "DeleteObject", Bucket=bucket, Key=key)
    do("cloudformation", "DeleteStack", StackName="boot")
    outputs(do, arns["boot"], "DELETE_COMPLETE")
    assert not do("s3", "ListBuckets").get("Buckets")


def test_a_lab_opened_again_has_the_same_stacks(lab: Lab, do: Do, tmp_path: Path, meta: dict[str, str]) -> None:
    """The journal's replay makes no call anew: stacks, events and what they made are equal."""
    deployed(do)
    do("cloudformation", "DeleteStack", StackName="work")
    before = lab.service("cloudformation").stacks
    lab.close()
    again = opened(Journal.open(tmp_path / "lab.journal"), meta)
    again.replay()
    try:
        assert again.service("cloudformation").stacks == before
        assert not again.differences
        with pytest.raises(AwsError, match="ResourceNotFoundException"):
            ask(again, "lambda", "GetFunctionConfiguration", FunctionName="traffic-simulation")
    finally:
        again.close()
        again.environments.close()


def test_what_the_engine_calls_is_the_callers_own_in_the_trail(lab: Lab, do: Do) -> None:
    """By the caller, from cloudformation.amazonaws.com, read as CloudTrail tells it."""
    create(do, "s", json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}))
    lab.advance(timedelta(minutes=30))
    key = [{"AttributeKey": "EventName", "AttributeValue": "CreateQueue"}]
    event = json.loads(do("cloudtrail", "LookupEvents", LookupAttributes=key)["Events"][0]["CloudTrailEvent"])
    assert (
        event["userIdentity"]["invokedBy"]
        == event["sourceIPAddress"]
        == event["userAgent"]
        == "cloudformation.amazonaws.com"
    )
    assert event["userIdentity"]["type"] == "Root"
    assert "tlsDetails" not in event


def function(text: str, **more: Any) -> str:
    """Return a template of a function with its role."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    properties = {
        "Code": {"ZipFile": text},
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        **more,
    }
    return json.dumps(
        {
            "Resources": {
                "Fn": {"Type": "AWS::Lambda::Function", "Properties": properties},
                "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            },
            "Outputs": {"Name": {"Value": {"Ref": "Fn"}}},
        }
    )


def test_a_function_is_updated_in_place_and_replaced_under_another_name(do: Do) -> None:
    """Code and concurrency change the same function; a new name makes a new one and deletes the old."""
    name = create(do, "s", function("def handler(event, context): return 1\n", Timeout="7"))["Name"]
    before = do("lambda", "GetFunctionConfiguration", FunctionName=name)
    change = {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]}
    mended = function("def handler(event, context): return 2\n", ReservedConcurrentExecutions=0)
    do("cloudformation", "UpdateStack", TemplateBody=mended, **change)
    assert outputs(do, "s", "UPDATE_COMPLETE")["Name"] == name
    after = do("lambda", "GetFunctionConfiguration", FunctionName=name)
    assert (before["Timeout"], after["Timeout"]) == (7, 3)
    assert before["CodeSha256"] != after["CodeSha256"]
    assert do("lambda", "GetFunctionConcurrency", FunctionName=name)["ReservedConcurrentExecutions"] == 0
    do(
        "cloudformation",
        "UpdateStack",
        TemplateBody=function("def handler(event, context): return 2\n", FunctionName="n"),
        **change,
    )
    assert outputs(do, "s", "UPDATE_COMPLETE")["Name"] == "n"
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        do("lambda", "GetFunctionConfiguration", FunctionName=name)


def test_with_a_service_role_the_trail_names_awscloudformation(do: Do) -> None:
    """The role must trust CloudFormation and must be allowed what the stack needs."""
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudformation.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = do("iam", "CreateRole", RoleName="Deployer", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    queue = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    do("cloudformation", "CreateStack", StackName="denied", TemplateBody=queue, RoleARN=arn)
    events = do("cloudformation", "DescribeStackEvents", StackName="denied")["StackEvents"]
    (reason,) = [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
    assert "assumed-role/Deployer/AWSCloudFormation is not authorized to perform: sqs:" in reason
    assert reason.endswith("HandlerErrorCode: AccessDenied)")
    allow = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    )
    do("iam", "PutRolePolicy", RoleName="Deployer", PolicyName="p", PolicyDocument=allow)
    do("cloudformation", "CreateStack", StackName="allowed", TemplateBody=queue, RoleARN=arn)
    outputs(do, "allowed", "CREATE_COMPLETE")


def test_nested_stacks_live_and_die_with_their_parent(do: Do) -> None:
    """The child's template comes from the lab's S3; its outputs are its parent's attributes."""
    do("s3", "CreateBucket", Bucket="nested-templates")
    child = {
        "Parameters": {"Delay": {"Type": "Number"}},
        "Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Ref": "Delay"}}}},
        "Outputs": {"Url": {"Value": {"Ref": "Q"}}},
    }
    do("s3", "PutObject", Bucket="nested-templates", Key="child.json", Body=json.dumps(child).encode())
    properties = {"TemplateURL": "https://s3.amazonaws.com/nested-templates/child.json", "Parameters": {"Delay": 3}}
    parent = {
        "Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}},
        "Outputs": {"Url": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Url"]}}},
    }
    url = create(do, "parent", json.dumps(parent))["Url"]
    attributes = do("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["DelaySeconds"])["Attributes"]
    assert attributes == {"DelaySeconds": "3"}
    do("cloudformation", "DeleteStack", StackName="parent")
    assert not do("cloudformation", "DescribeStacks")["Stacks"]
    assert not do("sqs", "ListQueues").get("QueueUrls")
