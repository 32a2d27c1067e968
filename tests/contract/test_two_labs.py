"""Two labs in one process, hosted: whatever identifiers are guessed, neither sees, changes or becomes anything of the other.

B is filled with a word that occurs nowhere else. A, its account's owner, asks for everything of B's by ARN, URL, name and id.
No answer may hold the word, nothing of B may differ afterwards, and nothing that A sets up may deliver into B.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.control import Control
from simulator.gateway import Gateway
from simulator.services.moto import Moto
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab, owner_of, trust, zipped

A, B = "486547846362", "123456789012"
WORD = "chrysanthemum"
LIST = "198.51.100.77"


@dataclass
class Labs:
    """The two, by their owners' clients, and what B's things are called."""

    gateway: Gateway
    a: InProcess
    b: InProcess
    things: Mapping[str, str]


@pytest.fixture(scope="module")
def labs() -> Iterator[Labs]:
    """Return two labs behind one gateway, B full of things."""
    moto = Moto()
    both = {account: new_lab(account, moto, seed="the same seed") for account in (A, B)}
    control = Control(lab=both[A], token="control", stop=lambda: None)
    gateway = Gateway(labs=both, control=control, hosted=True)
    a, b = (owner_of(gateway, both[account], f"secret of {account}", f"token of {account}") for account in (A, B))
    things = _filled(b)
    # A function that is still Pending, say, would change by itself between two looks.
    both[B].advance(timedelta(minutes=1))
    yield Labs(gateway, a, b, things)
    for lab in both.values():
        lab.close()


def _filled(b: InProcess) -> dict[str, str]:
    open_trust = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*", "Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    })  # fmt: skip
    role = b.client("iam").create_role(RoleName="open", AssumeRolePolicyDocument=open_trust, Description=WORD)["Role"][
        "Arn"
    ]
    lambda_only = b.client("iam").create_role(RoleName="only", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))[
        "Role"
    ]["Arn"]
    b.client("iam").create_user(UserName="user")
    key = b.client("iam").create_access_key(UserName="user")["AccessKey"]["AccessKeyId"]
    s3 = b.client("s3")
    s3.create_bucket(Bucket="bucket-of-b")
    s3.put_object(Bucket="bucket-of-b", Key="key", Body=f"{LIST}\n{WORD}".encode())
    topic = b.client("sns").create_topic(Name="topic")["TopicArn"]
    queue = b.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
    b.client("sqs").send_message(QueueUrl=queue, MessageBody=WORD)
    b.client("logs").create_log_group(logGroupName=f"/group/{WORD}")
    kms = b.client("kms").create_key(Description=WORD)["KeyMetadata"]["Arn"]
    secret = b.client("secretsmanager").create_secret(Name="secret", SecretString=WORD)["ARN"]
    b.client("ssm").put_parameter(Name="parameter", Value=WORD, Type="String")
    function = b.client("lambda").create_function(
        FunctionName="function", Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": zipped(f"# {WORD}\n")},
        Description=WORD, Environment={"Variables": {"SECRET": WORD}},
    )["FunctionArn"]  # fmt: skip
    guardduty = b.client("guardduty")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    guardduty.create_sample_findings(
        DetectorId=detector, FindingTypes=["UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"]
    )
    finding = guardduty.list_findings(DetectorId=detector)["FindingIds"][0]
    threats = guardduty.create_threat_intel_set(
        DetectorId=detector, Name=WORD, Format="TXT", Location="s3://bucket-of-b/key", Activate=True
    )["ThreatIntelSetId"]
    bus = b.client("events").create_event_bus(Name="bus")["EventBusArn"]
    rule = b.client("events").put_rule(Name="rule", ScheduleExpression="rate(1 hour)", Description=WORD)["RuleArn"]
    template = json.dumps({"Description": WORD, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    stack = b.client("cloudformation").create_stack(StackName="stack", TemplateBody=template)["StackId"]
    ec2 = b.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName=WORD, Description=WORD, VpcId=vpc)["GroupId"]
    table = b.client("dynamodb").create_table(
        TableName="table", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )["TableDescription"]["TableArn"]  # fmt: skip
    b.client("dynamodb").put_item(TableName="table", Item={"id": {"S": "1"}, "text": {"S": WORD}})
    trail = b.client("cloudtrail").create_trail(Name="trail", S3BucketName="bucket-of-b")["TrailARN"]
    return {
        "role": role, "lambda_only": lambda_only, "key": key, "topic": topic, "queue": queue, "kms": kms, "secret": secret,
        "function": function, "detector": detector, "finding": finding, "threats": threats, "bus": bus, "rule": rule, "stack": stack,
        "vpc": vpc, "group": group, "table": table, "trail": trail,
        "queue_arn": f"arn:aws:sqs:us-east-1:{B}:queue", "parameter": f"arn:aws:ssm:us-east-1:{B}:parameter/parameter",
    }  # fmt: skip


Attack = tuple[str, str, dict[str, Any]]


def _attacks(things: Mapping[str, str]) -> list[Attack]:
    """Return (service, operation, parameters): everything of B's, asked for by whatever names it."""
    t = things
    other_bucket = {"Bucket": "bucket-of-b"}
    an_object = {**other_bucket, "Key": "key"}
    detector = {"DetectorId": t["detector"]}
    return [
        ("s3", "get_object", an_object), ("s3", "put_object", {**an_object, "Body": b"x"}), ("s3", "delete_object", an_object),
        ("s3", "head_object", an_object), ("s3", "list_objects_v2", other_bucket), ("s3", "get_bucket_policy", other_bucket),
        ("s3", "put_bucket_policy", {**other_bucket, "Policy": "{}"}), ("s3", "delete_bucket", other_bucket),
        ("s3", "create_bucket", other_bucket), ("s3", "get_bucket_acl", other_bucket), ("s3", "put_bucket_acl", {**other_bucket, "ACL": "public-read"}),
        ("s3", "copy_object", {"Bucket": "bucket-of-a", "Key": "copy", "CopySource": "bucket-of-b/key"}),
        ("s3", "put_bucket_versioning", {**other_bucket, "VersioningConfiguration": {"Status": "Enabled"}}),
        ("s3", "create_multipart_upload", an_object), ("s3", "get_object_attributes", {**an_object, "ObjectAttributes": ["ETag"]}),
        ("s3", "select_object_content", {**an_object, "Expression": "select * from s3object", "ExpressionType": "SQL",
                                         "InputSerialization": {"CSV": {}}, "OutputSerialization": {"CSV": {}}}),
        ("sts", "assume_role", {"RoleArn": t["role"], "RoleSessionName": "taken"}),
        ("sts", "assume_role", {"RoleArn": t["lambda_only"], "RoleSessionName": "taken"}),
        ("iam", "get_access_key_last_used", {"AccessKeyId": t["key"]}), ("iam", "get_role", {"RoleName": "open"}),
        ("iam", "simulate_principal_policy", {"PolicySourceArn": t["role"], "ActionNames": ["s3:GetObject"]}),
        ("sns", "publish", {"TopicArn": t["topic"], "Message": "x"}), ("sns", "get_topic_attributes", {"TopicArn": t["topic"]}),
        ("sns", "subscribe", {"TopicArn": t["topic"], "Protocol": "sqs", "Endpoint": f"arn:aws:sqs:us-east-1:{A}:queue-of-a"}),
        ("sns", "delete_topic", {"TopicArn": t["topic"]}),
        ("sqs", "receive_message", {"QueueUrl": t["queue"]}), ("sqs", "send_message", {"QueueUrl": t["queue"], "MessageBody": "x"}),
        ("sqs", "purge_queue", {"QueueUrl": t["queue"]}), ("sqs", "delete_queue", {"QueueUrl": t["queue"]}),
        ("sqs", "get_queue_attributes", {"QueueUrl": t["queue"], "AttributeNames": ["All"]}),
        ("sqs", "get_queue_url", {"QueueName": "queue", "QueueOwnerAWSAccountId": B}),
        ("sqs", "start_message_move_task", {"SourceArn": t["queue_arn"], "DestinationArn": f"arn:aws:sqs:us-east-1:{A}:queue-of-a"}),
        ("logs", "describe_log_groups", {"accountIdentifiers": [B], "includeLinkedAccounts": True}),
        ("logs", "filter_log_events", {"logGroupIdentifier": f"arn:aws:logs:us-east-1:{B}:log-group:/group/{WORD}"}),
        ("kms", "describe_key", {"KeyId": t["kms"]}), ("kms", "encrypt", {"KeyId": t["kms"], "Plaintext": b"x"}),
        ("kms", "schedule_key_deletion", {"KeyId": t["kms"]}), ("kms", "get_key_policy", {"KeyId": t["kms"], "PolicyName": "default"}),
        ("secretsmanager", "get_secret_value", {"SecretId": t["secret"]}), ("secretsmanager", "delete_secret", {"SecretId": t["secret"]}),
        ("secretsmanager", "put_secret_value", {"SecretId": t["secret"], "SecretString": "x"}),
        ("ssm", "get_parameter", {"Name": t["parameter"]}), ("ssm", "get_parameter", {"Name": "parameter"}),
        ("lambda", "get_function", {"FunctionName": t["function"]}), ("lambda", "invoke", {"FunctionName": t["function"]}),
        ("lambda", "update_function_code", {"FunctionName": t["function"], "ZipFile": zipped()}),
        ("lambda", "delete_function", {"FunctionName": t["function"]}), ("lambda", "get_policy", {"FunctionName": t["function"]}),
        ("lambda", "add_permission", {"FunctionName": t["function"], "StatementId": "a", "Action": "lambda:InvokeFunction", "Principal": A}),
        ("lambda", "create_function", {"FunctionName": "taker", "Runtime": "python3.13", "Handler": "index.handler", "Role": t["role"],
                                       "Code": {"ZipFile": zipped()}}),
        ("lambda", "create_function", {"FunctionName": "taker", "Runtime": "python3.13", "Handler": "index.handler",
                                       "Role": f"arn:aws:iam::{A}:role/role-of-a", "Code": {"S3Bucket": "bucket-of-b", "S3Key": "key"}}),
        ("lambda", "list_tags", {"Resource": t["function"]}), ("lambda", "tag_resource", {"Resource": t["function"], "Tags": {"a": "b"}}),
        ("guardduty", "get_detector", detector), ("guardduty", "delete_detector", detector), ("guardduty", "list_findings", detector),
        ("guardduty", "get_findings", {**detector, "FindingIds": [t["finding"]]}),
        ("guardduty", "archive_findings", {**detector, "FindingIds": [t["finding"]]}),
        ("guardduty", "get_threat_intel_set", {**detector, "ThreatIntelSetId": t["threats"]}),
        ("guardduty", "delete_threat_intel_set", {**detector, "ThreatIntelSetId": t["threats"]}),
        ("guardduty", "create_filter", {**detector, "Name": "hide", "Action": "ARCHIVE", "FindingCriteria": {"Criterion": {}}}),
        ("guardduty", "list_tags_for_resource", {"ResourceArn": f"arn:aws:guardduty:us-east-1:{B}:detector/{t['detector']}"}),
        ("events", "put_events", {"Entries": [{"Source": "a", "DetailType": "a", "Detail": "{}", "EventBusName": t["bus"]}]}),
        ("events", "describe_rule", {"Name": "rule"}), ("events", "describe_event_bus", {"Name": t["bus"]}),
        ("events", "disable_rule", {"Name": "rule", "EventBusName": t["bus"]}), ("events", "delete_event_bus", {"Name": t["bus"]}),
        ("events", "list_tags_for_resource", {"ResourceARN": t["rule"]}),
        ("events", "put_permission", {"EventBusName": t["bus"], "StatementId": "a", "Action": "events:PutEvents", "Principal": A}),
        ("cloudformation", "describe_stacks", {"StackName": t["stack"]}), ("cloudformation", "delete_stack", {"StackName": t["stack"]}),
        ("cloudformation", "get_template", {"StackName": t["stack"]}), ("cloudformation", "describe_stack_events", {"StackName": t["stack"]}),
        ("cloudformation", "create_stack", {"StackName": "taker", "TemplateURL": "https://bucket-of-b.s3.amazonaws.com/key"}),
        ("ec2", "describe_vpcs", {"VpcIds": [t["vpc"]]}), ("ec2", "delete_vpc", {"VpcId": t["vpc"]}),
        ("ec2", "describe_security_groups", {"GroupIds": [t["group"]]}), ("ec2", "delete_security_group", {"GroupId": t["group"]}),
        ("ec2", "create_vpc_peering_connection", {"VpcId": "vpc-a", "PeerVpcId": t["vpc"], "PeerOwnerId": B}),
        ("dynamodb", "get_item", {"TableName": t["table"], "Key": {"id": {"S": "1"}}}), ("dynamodb", "scan", {"TableName": t["table"]}),
        ("dynamodb", "delete_table", {"TableName": t["table"]}),
        ("cloudtrail", "get_trail", {"Name": t["trail"]}), ("cloudtrail", "delete_trail", {"Name": t["trail"]}),
        ("cloudtrail", "stop_logging", {"Name": t["trail"]}),
        ("cloudtrail", "lookup_events", {"LookupAttributes": [{"AttributeKey": "AccessKeyId", "AttributeValue": t["key"]}]}),
        ("cloudtrail", "lookup_events", {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "bucket-of-b"}]}),
        ("config", "get_resource_config_history", {"resourceType": "AWS::Lambda::Function", "resourceId": "function"}),
        ("config", "list_discovered_resources", {"resourceType": "AWS::S3::Bucket"}),
        ("scheduler", "create_schedule", {
            "Name": "reach", "ScheduleExpression": "rate(1 minutes)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": t["function"], "RoleArn": t["role"]},
        }),
        ("resourcegroupstaggingapi", "get_resources", {}),
    ]  # fmt: skip


def _tried(process: InProcess, service: str, operation: str, params: Mapping[str, Any]) -> str:
    """Return the answer's text, an error's as well."""
    try:
        result = getattr(process.client(service), operation)(**params)
    except ClientError as error:
        return str(error)
    return repr({name: value.read() if hasattr(value, "read") else value for name, value in result.items()})


def _state(b: InProcess, things: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that is to be seen of B's things, by its owner."""
    t = things
    looks: list[Attack] = [
        ("s3", "get_object", {"Bucket": "bucket-of-b", "Key": "key"}), ("s3", "list_objects_v2", {"Bucket": "bucket-of-b"}),
        ("s3", "get_bucket_acl", {"Bucket": "bucket-of-b"}), ("s3", "get_bucket_versioning", {"Bucket": "bucket-of-b"}),
        ("s3", "get_bucket_policy", {"Bucket": "bucket-of-b"}), ("s3", "list_multipart_uploads", {"Bucket": "bucket-of-b"}),
        ("iam", "list_roles", {}), ("iam", "list_users", {}),
        ("sns", "list_topics", {}), ("sns", "list_subscriptions", {}),
        ("sqs", "get_queue_attributes", {"QueueUrl": t["queue"], "AttributeNames": ["ApproximateNumberOfMessages", "Policy"]}),
        ("logs", "describe_log_groups", {}), ("kms", "describe_key", {"KeyId": t["kms"]}),
        ("secretsmanager", "get_secret_value", {"SecretId": t["secret"]}), ("ssm", "get_parameter", {"Name": "parameter"}),
        ("lambda", "get_function_configuration", {"FunctionName": "function"}), ("lambda", "list_tags", {"Resource": t["function"]}),
        ("lambda", "get_policy", {"FunctionName": "function"}), ("lambda", "list_functions", {}),
        ("guardduty", "get_findings", {"DetectorId": t["detector"], "FindingIds": [t["finding"]]}),
        ("guardduty", "list_filters", {"DetectorId": t["detector"]}), ("guardduty", "list_threat_intel_sets", {"DetectorId": t["detector"]}),
        ("events", "list_rules", {}), ("events", "describe_event_bus", {"Name": "bus"}),
        ("cloudformation", "list_stacks", {}), ("ec2", "describe_vpcs", {}), ("ec2", "describe_security_groups", {}),
        ("dynamodb", "scan", {"TableName": "table"}), ("cloudtrail", "get_trail_status", {"Name": "trail"}),
    ]  # fmt: skip
    seen = {}
    for service, operation, params in looks:
        try:
            result = getattr(b.client(service), operation)(**params)
        except ClientError as error:
            seen[f"{service} {operation} {params}"] = error.response["Error"]["Code"]
            continue
        told = {name: value.read() if hasattr(value, "read") else value for name, value in result.items()}
        told.pop("ResponseMetadata")
        seen[f"{service} {operation} {params}"] = repr(told)
    return seen


def test_no_identifier_of_b_gives_a_anything(labs: Labs) -> None:
    """Every call of A's that names something of B's tells nothing of it and changes nothing of it."""
    a = labs.a
    a.client("s3").create_bucket(Bucket="bucket-of-a")
    a.client("sqs").create_queue(QueueName="queue-of-a")
    a.client("iam").create_role(RoleName="role-of-a", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    before = _state(labs.b, labs.things)
    told = []
    for service, operation, params in _attacks(labs.things):
        text = _tried(a, service, operation, params)
        # What A said itself may come back in an error; nothing more.
        if WORD in text and WORD not in repr(params):
            told.append((service, operation, text[:300]))
        assert "AccessKeyId" not in text or operation != "assume_role", text
    assert told == []
    assert _state(labs.b, labs.things) == before


def test_nothing_that_a_sets_up_delivers_into_b(labs: Labs) -> None:
    """Subscriptions, targets, notifications and dead letters of A that name B's queue, topic and function reach neither."""
    a, t = labs.a, labs.things
    before = _state(labs.b, t)
    runs = len(labs.b.client("logs").describe_log_groups()["logGroups"])
    topic = a.client("sns").create_topic(Name="topic-of-a")["TopicArn"]
    tries: list[Callable[[], Any]] = [
        lambda: a.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=t["queue_arn"]),
        lambda: a.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=t["function"]),
        lambda: a.client("sns").publish(TopicArn=topic, Message="from a"),
        lambda: a.client("events").put_rule(Name="reach", EventPattern='{"source": ["reach"]}'),
        lambda: a.client("events").put_targets(
            Rule="reach",
            Targets=[
                {"Id": str(number), "Arn": t[name]}
                for number, name in enumerate(("queue_arn", "topic", "function", "bus"))
            ],
        ),
        lambda: a.client("events").put_targets(Rule="reach", Targets=[{"Id": "9", "Arn": t["function"]}]),
        lambda: a.client("events").put_targets(Rule="reach", Targets=[{"Id": "8", "Arn": t["queue_arn"]}]),
        lambda: a.client("events").put_events(Entries=[{"Source": "reach", "DetailType": "reach", "Detail": "{}"}]),
        lambda: a.client("s3").put_bucket_notification_configuration(
            Bucket="bucket-of-a",
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": t["queue_arn"], "Events": ["s3:ObjectCreated:*"]}],
                "TopicConfigurations": [{"TopicArn": t["topic"], "Events": ["s3:ObjectCreated:*"]}],
                "LambdaFunctionConfigurations": [
                    {"LambdaFunctionArn": t["function"], "Events": ["s3:ObjectCreated:*"]}
                ],
            },
        ),
        lambda: a.client("s3").put_object(Bucket="bucket-of-a", Key="notify", Body=b"x"),
        lambda: a.client("lambda").create_event_source_mapping(FunctionName="taker", EventSourceArn=t["queue_arn"]),
    ]
    for attempt in tries:
        try:
            attempt()
        except ClientError:
            continue
    labs.gateway.labs[A].advance(timedelta(hours=1))
    labs.gateway.labs[B].advance(timedelta(minutes=1))
    assert _state(labs.b, t) == before
    assert len(labs.b.client("logs").describe_log_groups()["logGroups"]) == runs


def test_the_same_names_live_side_by_side(labs: Labs) -> None:
    """Function, rule, stack and detector of the same names are each lab's own; the same seed gives the same ids nowhere."""
    a = labs.a
    role = f"arn:aws:iam::{A}:role/role-of-a"
    a.client("lambda").create_function(
        FunctionName="function", Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": zipped()}, Description="a"
    )  # fmt: skip
    a.client("lambda").delete_function(FunctionName="function")
    assert labs.b.client("lambda").get_function_configuration(FunctionName="function")["Description"] == WORD
    detector = a.client("guardduty").create_detector(Enable=True)["DetectorId"]
    assert a.client("guardduty").list_detectors()["DetectorIds"] == [detector]
    assert labs.b.client("guardduty").list_detectors()["DetectorIds"] == [labs.things["detector"]]
    a.client("guardduty").delete_detector(DetectorId=detector)
    assert labs.b.client("guardduty").list_detectors()["DetectorIds"] == [labs.things["detector"]]


def test_histories_do_not_mix(labs: Labs) -> None:
    """A's trail holds A's calls alone, and B's B's."""
    for account, process in ((A, labs.a), (B, labs.b)):
        labs.gateway.labs[account].advance(timedelta(minutes=10))
        pages = process.client("cloudtrail").get_paginator("lookup_events").paginate()
        records = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
        assert len(records) > 20
        assert {record["recipientAccountId"] for record in records} == {account}
        assert {record["userIdentity"]["accountId"] for record in records} == {account}


def test_keys_of_one_lab_work_in_no_other(labs: Labs) -> None:
    """A's key with B's secret is nobody, and a key that decodes to neither account is nobody's."""
    mixed = InProcess(labs.gateway, labs.a.access_key, labs.b.secret, labs.b.token)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        mixed.client("sts").get_caller_identity()
    assert labs.a.client("sts").get_caller_identity()["Account"] == A
    assert labs.b.client("sts").get_caller_identity()["Account"] == B


def test_a_lab_s_time_is_its_own(labs: Labs) -> None:
    """A day in A is no day in B."""
    before = labs.gateway.labs[B].clock.now()
    labs.gateway.labs[A].advance(timedelta(days=1))
    assert labs.gateway.labs[B].clock.now() - before < timedelta(hours=1)
    made = labs.b.client("s3").list_buckets()["Buckets"][0]["CreationDate"]
    assert abs(made - before) < timedelta(hours=6)
