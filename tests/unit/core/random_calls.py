"""Random sequences of API calls, over our services and moto's, on few names so that they meet each other."""

import io
import json
import zipfile
from typing import Any

from hypothesis import strategies as st

from tests.unit.core.small_lab import ACCOUNT

Step = tuple[str, str, dict[str, Any]]
NAMES = st.sampled_from(["one", "two", "three"])
TEXT = st.text("abcé ", min_size=1, max_size=12)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/one"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}, "Action": "sts:AssumeRole"}
        ],
    }
)  # fmt: skip
ALLOW = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
TEMPLATE = json.dumps(
    {
        "Parameters": {"Text": {"Type": "String", "Default": "x"}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Topic": {"Type": "AWS::SNS::Topic", "DependsOn": "Queue"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": json.loads(TRUST)}},
        },
        "Outputs": {"Queue": {"Value": {"Ref": "Queue"}}},
    }
)


def _zip(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), source)
    return packed.getvalue()


def _url(name: str) -> str:
    return f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}"


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


@st.composite
def step(draw: st.DrawFn) -> Step:
    """Return one call: a service, an operation and its parameters. Some fail, as they come in any order."""
    a, b = draw(NAMES), draw(NAMES)
    text = draw(TEXT)
    return draw(st.sampled_from(_calls(a, b, text, draw(st.integers(0, 2)))))


def _calls(a: str, b: str, text: str, number: int) -> list[Step]:
    code = _zip(f"def handler(event, context):\n    return {text!r}\n")
    item = {"id": {"S": b}, "text": {"S": text}}
    return [
        ("s3", "CreateBucket", {"Bucket": f"bucket-{a}"}),
        ("s3", "PutBucketVersioning", {"Bucket": f"bucket-{a}", "VersioningConfiguration": {"Status": "Enabled"}}),
        ("s3", "PutObject", {"Bucket": f"bucket-{a}", "Key": b, "Body": text.encode()}),
        ("s3", "CopyObject", {"Bucket": f"bucket-{a}", "Key": f"{b}-copy", "CopySource": f"bucket-{b}/{a}"}),
        ("s3", "DeleteObject", {"Bucket": f"bucket-{a}", "Key": b}),
        ("s3", "CreateMultipartUpload", {"Bucket": f"bucket-{a}", "Key": b}),
        ("s3", "PutBucketTagging", {"Bucket": f"bucket-{a}", "Tagging": {"TagSet": [{"Key": "k", "Value": b}]}}),
        ("s3", "DeleteBucket", {"Bucket": f"bucket-{a}"}),
        ("iam", "CreateUser", {"UserName": a}),
        ("iam", "CreateAccessKey", {"UserName": a}),
        ("iam", "CreateVirtualMFADevice", {"VirtualMFADeviceName": a}),
        ("iam", "CreateRole", {"RoleName": a, "AssumeRolePolicyDocument": TRUST}),
        ("iam", "AttachRolePolicy", {"RoleName": a, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
        ("iam", "CreatePolicy", {"PolicyName": a, "PolicyDocument": ALLOW}),
        ("iam", "CreateLoginProfile", {"UserName": a, "Password": "A-password-1"}),
        ("iam", "DeleteRole", {"RoleName": a}),
        ("iam", "CreateServiceLinkedRole", {"AWSServiceName": "config.amazonaws.com"}),
        ("ec2", "CreateVpc", {"CidrBlock": f"10.{number}.0.0/16"}),
        ("ec2", "DescribeVpcs", {}),
        ("ec2", "CreateKeyPair", {"KeyName": a, "KeyType": "ed25519"}),
        ("ec2", "CreateSecurityGroup", {"GroupName": a, "Description": b}),
        ("ec2", "AllocateAddress", {}),
        ("ec2", "CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": 8}),
        ("ec2", "RunInstances", {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1}),
        ("sqs", "CreateQueue", {"QueueName": a, "Attributes": {"ReceiveMessageWaitTimeSeconds": str(number)}}),
        ("sqs", "SendMessage", {"QueueUrl": _url(a), "MessageBody": text}),
        ("sqs", "ReceiveMessage", {"QueueUrl": _url(a)}),
        ("sqs", "PurgeQueue", {"QueueUrl": _url(a)}),
        ("sqs", "DeleteQueue", {"QueueUrl": _url(a)}),
        ("sns", "CreateTopic", {"Name": a}),
        ("sns", "Subscribe", {"TopicArn": _arn("sns", a), "Protocol": "sqs", "Endpoint": _arn("sqs", b)}),
        ("sns", "Publish", {"TopicArn": _arn("sns", a), "Message": text}),
        ("logs", "CreateLogGroup", {"logGroupName": a}),
        ("logs", "CreateLogStream", {"logGroupName": a, "logStreamName": b}),
        ("logs", "FilterLogEvents", {"logGroupName": "/aws/lambda/one"}),
        ("logs", "DeleteLogGroup", {"logGroupName": a}),
        ("kms", "CreateKey", {}),
        ("kms", "CreateKey", {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}),
        ("kms", "DescribeKey", {"KeyId": "alias/aws/s3"}),
        ("kms", "GenerateDataKey", {"KeyId": "alias/aws/s3", "KeySpec": "AES_256"}),
        ("kms", "Encrypt", {"KeyId": "alias/aws/ssm", "Plaintext": text.encode()}),
        ("cloudwatch", "PutMetricData", {"Namespace": a, "MetricData": [{"MetricName": b, "Value": number}]}),
        ("cloudwatch", "PutDashboard", {"DashboardName": a, "DashboardBody": '{"widgets": []}'}),
        ("cloudwatch", "ListMetrics", {}),
        ("cloudwatch", "PutMetricAlarm", {
            "AlarmName": a, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "MetricName": b, "Namespace": a,
            "Period": 60, "Statistic": "Sum", "Threshold": 1.0,
        }),
        ("ssm", "PutParameter", {"Name": a, "Value": text, "Type": "String", "Overwrite": True}),
        ("ssm", "PutParameter", {"Name": a, "Value": text, "Type": "SecureString", "Overwrite": True}),
        ("ssm", "DeleteParameters", {"Names": ["one", "two", "three"]}),
        ("dynamodb", "CreateTable", {
            "TableName": a, "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        }),
        ("dynamodb", "PutItem", {"TableName": a, "Item": item}),
        ("dynamodb", "DeleteTable", {"TableName": a}),
        ("secretsmanager", "CreateSecret", {"Name": a, "SecretString": text}),
        ("secretsmanager", "PutSecretValue", {"SecretId": a, "SecretString": text}),
        ("secretsmanager", "GetRandomPassword", {}),
        ("secretsmanager", "DeleteSecret", {"SecretId": a}),
        ("lambda", "CreateFunction", {
            "FunctionName": a, "Runtime": "python3.13", "Handler": "index.handler", "Role": ROLE, "Code": {"ZipFile": code},
            "Environment": {"Variables": {"TEXT": text}},
        }),
        ("lambda", "UpdateFunctionCode", {"FunctionName": a, "ZipFile": code}),
        ("lambda", "PublishVersion", {"FunctionName": a}),
        ("lambda", "TagResource", {"Resource": _arn("lambda", f"function:{a}"), "Tags": {"$blob": text}}),
        ("lambda", "Invoke", {"FunctionName": a, "Payload": b"{}"}),
        ("lambda", "Invoke", {"FunctionName": a, "Payload": b"{}", "InvocationType": "Event"}),
        ("lambda", "CreateEventSourceMapping", {"FunctionName": a, "EventSourceArn": _arn("sqs", b)}),
        ("lambda", "DeleteFunction", {"FunctionName": a}),
        ("lambda", "AddPermission", {
            "FunctionName": a, "StatementId": b, "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com",
        }),
        ("events", "PutRule", {"Name": a, "ScheduleExpression": f"rate({number + 2} minutes)"}),
        ("events", "PutTargets", {"Rule": a, "Targets": [{"Id": "t", "Arn": _arn("lambda", f"function:{b}")}]}),
        ("events", "PutTargets", {"Rule": a, "Targets": [{"Id": "q", "Arn": _arn("sqs", b)}]}),
        ("events", "DisableRule", {"Name": a}),
        ("scheduler", "CreateSchedule", {
            "Name": a, "ScheduleExpression": "rate(7 minutes)", "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": _arn("sqs", b), "RoleArn": ROLE},
        }),
        ("guardduty", "CreateDetector", {"Enable": True}),
        ("cloudtrail", "LookupEvents", {}),
        ("cloudformation", "CreateStack", {"StackName": a, "TemplateBody": TEMPLATE, "Capabilities": ["CAPABILITY_IAM"]}),
        ("cloudformation", "DeleteStack", {"StackName": a}),
        ("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": a}),
    ]  # fmt: skip


SEQUENCES = st.lists(step() | st.integers(1, 3000), min_size=1, max_size=25)
"""Calls, and numbers of seconds that go by between them."""
EVERY_CALL: list[Step] = sorted(
    [*_calls("one", "one", "text", 1), *_calls("two", "one", "else", 2)],
    key=lambda call: call[1].startswith(("Delete", "Purge", "Disable")),
)
"""Each of them for two names, what takes away at the end."""
