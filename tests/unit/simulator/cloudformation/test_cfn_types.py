"""Every resource type: its calls fit their models, what it declares is honoured or refused, and the registry agrees."""

import inspect
import json
from pathlib import Path
from typing import Any

import cfnlint
import pytest

from simulator.services.cloudformation.resources import HANDLERS
from simulator.services.cloudformation.resources.base import HandlerError
from simulator.services.cloudformation.schema import SCHEMAS

TAGS = [{"Key": "team", "Value": "blue"}]
DOCUMENT = {"Version": "2012-10-17", "Statement": []}
ARN = "arn:aws:iam::123456789012:role/r"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
CRON = "rate(10 minutes)"
SG_RULE = {"IpProtocol": "tcp", "FromPort": "443", "ToPort": 443, "CidrIp": "0.0.0.0/0", "Description": "tls"}
POLICIES = {
    "Policies": [{"PolicyName": "p", "PolicyDocument": DOCUMENT}],
    "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
}

SAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "AWS::CDK::Metadata": ({"Analytics": "v2:deflate64:x"}, {"Analytics": "v2:deflate64:y"}),
    "AWS::CloudFormation::WaitConditionHandle": ({}, {}),
    "AWS::CloudTrail::Trail": (
        {
            "S3BucketName": "bucket",
            "IsLogging": "true",
            "IsMultiRegionTrail": True,
            "KMSKeyId": "k",
            "Tags": TAGS,
            "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": "true"}],
        },
        {"S3BucketName": "bucket", "IsLogging": False, "InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]},
    ),
    "AWS::CloudWatch::Alarm": (
        {
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "Statistic": "Sum",
            "Period": "60",
            "EvaluationPeriods": 1,
            "Threshold": "1",
            "ComparisonOperator": "GreaterThanThreshold",
            "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
            "Tags": TAGS,
        },
        {
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "EvaluationPeriods": 2,
            "ComparisonOperator": "LessThanThreshold",
        },
    ),
    "AWS::Config::ConfigurationRecorder": (
        {"RoleARN": ARN, "RecordingGroup": {"AllSupported": "true", "IncludeGlobalResourceTypes": True}},
        {"RoleARN": ARN, "RecordingGroup": {"AllSupported": False, "ResourceTypes": ["AWS::Lambda::Function"]}},
    ),
    "AWS::Config::DeliveryChannel": (
        {"S3BucketName": "b", "ConfigSnapshotDeliveryProperties": {"DeliveryFrequency": "One_Hour"}},
        {"S3BucketName": "c", "SnsTopicARN": "arn:aws:sns:us-east-1:123456789012:t", "S3KeyPrefix": "p"},
    ),
    "AWS::DynamoDB::Table": (
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamViewType": "NEW_IMAGE"},
            "SSESpecification": {"SSEEnabled": "true"},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            "Tags": TAGS,
        },
        {
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": "1", "WriteCapacityUnits": 1},
            "TimeToLiveSpecification": {"AttributeName": "t", "Enabled": True},
        },
    ),
    "AWS::EC2::EIP": ({"Domain": "vpc", "InstanceId": "i-1", "Tags": TAGS}, {"Domain": "vpc"}),
    "AWS::EC2::Instance": (
        {
            "ImageId": "ami-1",
            "InstanceType": "t3.micro",
            "SubnetId": "subnet-1",
            "SecurityGroupIds": ["sg-1"],
            "IamInstanceProfile": "p",
            "Monitoring": "true",
            "SourceDestCheck": "false",
            "Tags": TAGS,
        },
        {"ImageId": "ami-1", "InstanceType": "t3.micro", "SubnetId": "subnet-1", "SecurityGroupIds": ["sg-2"]},
    ),
    "AWS::EC2::InternetGateway": ({"Tags": TAGS}, {}),
    "AWS::EC2::NatGateway": (
        {"SubnetId": "subnet-1", "AllocationId": "eipalloc-1", "Tags": TAGS},
        {"SubnetId": "subnet-2"},
    ),
    "AWS::EC2::NetworkAcl": ({"VpcId": "vpc-1", "Tags": TAGS}, {"VpcId": "vpc-1"}),
    "AWS::EC2::NetworkAclEntry": (
        {
            "NetworkAclId": "acl-1",
            "RuleNumber": "100",
            "Protocol": 6,
            "RuleAction": "deny",
            "Egress": "true",
            "CidrBlock": "0.0.0.0/0",
            "PortRange": {"From": 443, "To": "443"},
        },
        {
            "NetworkAclId": "acl-1",
            "RuleNumber": "100",
            "Protocol": 1,
            "RuleAction": "allow",
            "Egress": "true",
            "Icmp": {"Code": -1, "Type": -1},
        },
    ),
    "AWS::EC2::Route": (
        {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"},
        {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
    ),
    "AWS::EC2::RouteTable": ({"VpcId": "vpc-1", "Tags": TAGS}, {"VpcId": "vpc-1"}),
    "AWS::EC2::SecurityGroup": (
        {
            "GroupDescription": "d",
            "VpcId": "vpc-1",
            "SecurityGroupIngress": [SG_RULE],
            "SecurityGroupEgress": [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32"}],
            "Tags": TAGS,
        },
        {"GroupDescription": "d", "VpcId": "vpc-1", "SecurityGroupIngress": [{**SG_RULE, "FromPort": 80}]},
    ),
    "AWS::EC2::SecurityGroupEgress": (
        {"GroupId": "sg-1", "IpProtocol": "-1", "CidrIp": "0.0.0.0/0"},
        {"GroupId": "sg-1", "IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "all"},
    ),
    "AWS::EC2::SecurityGroupIngress": (
        {"GroupId": "sg-1", "SourceSecurityGroupId": "sg-2", "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2},
        {"GroupId": "sg-1", "CidrIpv6": "::/0", "IpProtocol": "tcp", "FromPort": 1, "ToPort": 2},
    ),
    "AWS::EC2::Subnet": (
        {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "MapPublicIpOnLaunch": "true", "Tags": TAGS},
        {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "MapPublicIpOnLaunch": False},
    ),
    "AWS::EC2::SubnetNetworkAclAssociation": (
        {"SubnetId": "subnet-1", "NetworkAclId": "acl-1"},
        {"SubnetId": "subnet-1", "NetworkAclId": "acl-2"},
    ),
    "AWS::EC2::SubnetRouteTableAssociation": (
        {"SubnetId": "subnet-1", "RouteTableId": "rtb-1"},
        {"SubnetId": "subnet-1", "RouteTableId": "rtb-2"},
    ),
    "AWS::EC2::VPC": (
        {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": "true", "EnableDnsHostnames": True, "Tags": TAGS},
        {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": "false"},
    ),
    "AWS::EC2::VPCEndpoint": (
        {
            "VpcId": "vpc-1",
            "ServiceName": "com.amazonaws.us-east-1.s3",
            "RouteTableIds": ["rtb-1"],
            "PolicyDocument": DOCUMENT,
            "Tags": TAGS,
        },
        {
            "VpcId": "vpc-1",
            "ServiceName": "com.amazonaws.us-east-1.s3",
            "RouteTableIds": ["rtb-2"],
            "PrivateDnsEnabled": True,
        },
    ),
    "AWS::EC2::VPCGatewayAttachment": (
        {"VpcId": "vpc-1", "InternetGatewayId": "igw-1"},
        {"VpcId": "vpc-1", "InternetGatewayId": "igw-2"},
    ),
    "AWS::Events::EventBus": ({"Name": "bus", "Description": "d", "Tags": TAGS}, {"Name": "bus", "Description": "e"}),
    "AWS::Events::Rule": (
        {"ScheduleExpression": CRON, "State": "ENABLED", "Targets": [{"Id": "a", "Arn": ARN}], "Tags": TAGS},
        {"EventPattern": {"source": ["aws.ec2"]}, "Targets": [{"Id": "b", "Arn": ARN, "Input": "{}"}]},
    ),
    "AWS::GuardDuty::Detector": (
        {"Enable": "true", "Features": [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}], "Tags": TAGS},
        {"Enable": False, "FindingPublishingFrequency": "ONE_HOUR"},
    ),
    "AWS::GuardDuty::Filter": (
        {
            "DetectorId": "d" * 32,
            "Name": "quiet",
            "Action": "ARCHIVE",
            "Rank": "1",
            "FindingCriteria": {"Criterion": {"severity": {"Gte": "4"}, "region": {"Eq": ["us-east-1"]}}},
            "Tags": TAGS,
        },
        {"DetectorId": "d" * 32, "Name": "quiet", "FindingCriteria": {"Criterion": {"type": {"Equals": ["x"]}}}},
    ),
    "AWS::GuardDuty::IPSet": (
        {
            "DetectorId": "d" * 32,
            "Format": "TXT",
            "Location": "s3://b/k",
            "Activate": "true",
            "Name": "ours",
            "Tags": TAGS,
        },
        {"DetectorId": "d" * 32, "Format": "TXT", "Location": "s3://b/k2", "Activate": False, "Name": "ours"},
    ),
    "AWS::GuardDuty::ThreatIntelSet": (
        {
            "DetectorId": "d" * 32,
            "Format": "TXT",
            "Location": "s3://b/k",
            "Activate": "true",
            "Name": "bad",
            "Tags": TAGS,
        },
        {"Format": "TXT", "Location": "s3://b/k2", "Activate": True},
    ),
    "AWS::IAM::AccessKey": ({"UserName": "u", "Status": "Inactive"}, {"UserName": "u", "Status": "Active"}),
    "AWS::IAM::Group": ({"Path": "/a/", **POLICIES}, {"Path": "/b/"}),
    "AWS::IAM::InstanceProfile": ({"Roles": ["r"], "Path": "/"}, {"Roles": ["s"], "Path": "/"}),
    "AWS::IAM::ManagedPolicy": (
        {"PolicyDocument": DOCUMENT, "Roles": ["r"], "Users": ["u"], "Description": "d"},
        {"PolicyDocument": {**DOCUMENT, "Id": "x"}, "Groups": ["g"], "Description": "d"},
    ),
    "AWS::IAM::Policy": (
        {"PolicyName": "p", "PolicyDocument": DOCUMENT, "Roles": ["r"], "Groups": ["g"]},
        {"PolicyName": "q", "PolicyDocument": DOCUMENT, "Users": ["u"]},
    ),
    "AWS::IAM::Role": (
        {
            "AssumeRolePolicyDocument": DOCUMENT,
            "PermissionsBoundary": ARN,
            "MaxSessionDuration": "7200",
            "Tags": TAGS,
            **POLICIES,
        },
        {"AssumeRolePolicyDocument": {**DOCUMENT, "Id": "x"}, "Description": "d"},
    ),
    "AWS::IAM::User": (
        {
            "LoginProfile": {"Password": "Secret-123456"},
            "Groups": ["g"],
            "Tags": TAGS,
            "PermissionsBoundary": ARN,
            **POLICIES,
        },
        {"Path": "/x/", "LoginProfile": {"Password": "Other-123456"}, "Groups": ["h"]},
    ),
    "AWS::IAM::UserToGroupAddition": ({"GroupName": "g", "Users": ["a", "b"]}, {"GroupName": "g", "Users": ["b", "c"]}),
    "AWS::KMS::Alias": (
        {"AliasName": "alias/a", "TargetKeyId": "k" * 36},
        {"AliasName": "alias/a", "TargetKeyId": "l" * 36},
    ),
    "AWS::KMS::Key": (
        {
            "KeyPolicy": DOCUMENT,
            "EnableKeyRotation": "true",
            "Enabled": False,
            "PendingWindowInDays": "7",
            "Tags": TAGS,
        },
        {"KeyPolicy": {**DOCUMENT, "Id": "x"}, "Description": "d"},
    ),
    "AWS::Lambda::Alias": (
        {
            "FunctionName": "f",
            "Name": "live",
            "FunctionVersion": "1",
            "RoutingConfig": {"AdditionalVersionWeights": [{"FunctionVersion": "2", "FunctionWeight": "0.1"}]},
        },
        {"FunctionName": "f", "Name": "live", "FunctionVersion": 2},
    ),
    "AWS::Lambda::EventInvokeConfig": (
        {"FunctionName": "f", "Qualifier": "$LATEST", "MaximumRetryAttempts": "0"},
        {"FunctionName": "f", "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 60},
    ),
    "AWS::Lambda::Function": (
        {
            "Code": {"ZipFile": "def handler(event, context): pass"},
            "Handler": "index.handler",
            "Role": ARN,
            "Runtime": "python3.13",
            "Timeout": "10",
            "MemorySize": 128,
            "Environment": {"Variables": {"LEVEL": 1}},
            "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            "ReservedConcurrentExecutions": "0",
            "LoggingConfig": {"LogGroup": "/aws/lambda/f"},
            "Tags": TAGS,
        },
        {
            "Code": {"S3Bucket": "bucket", "S3Key": "k"},
            "Handler": "index.handler",
            "Role": ARN,
            "Runtime": "python3.13",
        },
    ),
    "AWS::Lambda::Permission": (
        {"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": ARN},
        {"FunctionName": "f", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"},
    ),
    "AWS::Lambda::Url": (
        {"TargetFunctionArn": "f", "AuthType": "AWS_IAM", "Cors": {"MaxAge": "5"}},
        {"TargetFunctionArn": "f", "AuthType": "NONE"},
    ),
    "AWS::Lambda::Version": ({"FunctionName": "f", "Description": "d"}, {"FunctionName": "f", "Description": "e"}),
    "AWS::Logs::LogGroup": ({"RetentionInDays": "14", "KmsKeyId": ARN, "Tags": TAGS}, {"RetentionInDays": 30}),
    "AWS::S3::Bucket": (
        {
            "AccessControl": "Private",
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": "true"},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "VersioningConfiguration": {"Status": "Enabled"},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Status": "Enabled",
                        "ExpirationInDays": "30",
                        "NoncurrentVersionExpirationInDays": 1,
                        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 5}],
                    }
                ]
            },
            "NotificationConfiguration": {
                "LambdaConfigurations": [
                    {
                        "Event": "s3:ObjectCreated:*",
                        "Function": ARN,
                        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "a"}]}},
                    }
                ],
                "EventBridgeConfiguration": {},
            },
            "WebsiteConfiguration": {
                "IndexDocument": "index.html",
                "ErrorDocument": "e.html",
                "RoutingRules": [
                    {
                        "RoutingRuleCondition": {"KeyPrefixEquals": "old/"},
                        "RedirectRule": {"ReplaceKeyPrefixWith": "new/"},
                    }
                ],
            },
            "CorsConfiguration": {
                "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAge": 5, "Id": "x"}]
            },
            "LoggingConfiguration": {"DestinationBucketName": "logs", "LogFilePrefix": "p"},
            "AccelerateConfiguration": {"AccelerationStatus": "Enabled"},
            "Tags": TAGS,
        },
        {"VersioningConfiguration": {"Status": "Suspended"}},
    ),
    "AWS::S3::BucketPolicy": (
        {"Bucket": "b-1", "PolicyDocument": DOCUMENT},
        {"Bucket": "b-1", "PolicyDocument": {**DOCUMENT, "Id": "x"}},
    ),
    "AWS::SNS::Subscription": (
        {"TopicArn": "t", "Protocol": "sqs", "Endpoint": "q", "FilterPolicy": {"a": ["b"]}, "RawMessageDelivery": True},
        {"TopicArn": "t", "Protocol": "sqs", "Endpoint": "q"},
    ),
    "AWS::SNS::Topic": (
        {"DisplayName": "d", "Subscription": [{"Protocol": "sqs", "Endpoint": "q"}], "Tags": TAGS},
        {"DisplayName": "e", "Subscription": [{"Protocol": "sqs", "Endpoint": "r"}]},
    ),
    "AWS::SNS::TopicPolicy": (
        {"Topics": ["t"], "PolicyDocument": DOCUMENT},
        {"Topics": ["t"], "PolicyDocument": {**DOCUMENT, "Id": "x"}},
    ),
    "AWS::SQS::Queue": (
        {"FifoQueue": "true", "RedrivePolicy": {"deadLetterTargetArn": "x", "maxReceiveCount": 3}, "Tags": TAGS},
        {"FifoQueue": "true", "VisibilityTimeout": 60},
    ),
    "AWS::SQS::QueuePolicy": (
        {"Queues": ["q"], "PolicyDocument": DOCUMENT},
        {"Queues": ["r"], "PolicyDocument": DOCUMENT},
    ),
    "AWS::SSM::Parameter": (
        {"Type": "String", "Value": "v", "Tags": {"team": "blue"}},
        {"Type": "StringList", "Value": "a,b"},
    ),
    "AWS::Scheduler::Schedule": (
        {
            "ScheduleExpression": CRON,
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": "5"},
            "Target": {"Arn": ARN, "RoleArn": ARN},
        },
        {"ScheduleExpression": CRON, "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": ARN, "RoleArn": ARN}},
    ),
    "AWS::Scheduler::ScheduleGroup": ({"Tags": TAGS}, {"Tags": [{"Key": "team", "Value": "red"}]}),
}


@pytest.fixture
def types_lab(lab: Any) -> Any:
    """Return a lab whose answers fit the handlers that look for something in particular."""
    association = {"SubnetId": "subnet-1", "NetworkAclAssociationId": "aclassoc-1"}
    lab.answers |= {
        "GetTopicAttributes": {"Attributes": {}},
        "DescribeNetworkAcls": {
            "NetworkAcls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "Associations": [association]}]
        },
        "DescribeConfigurationRecorderStatus": {
            "ConfigurationRecordersStatus": [{"name": "default", "recording": True}]
        },
        "GetFunctionConfiguration": {"State": "Active", "LastUpdateStatus": "Successful", "FunctionArn": FUNCTION},
        "StopInstances": {},
    }
    lab.answers["DescribeLogGroups"] = {"logGroups": []}
    return lab


def states_of_instances(lab: Any) -> None:
    """Make an instance run until it is told to end."""
    placed = {"Placement": {"AvailabilityZone": "us-east-1a"}, "State": {"Name": "running"}}
    lab.answers["DescribeInstances"] = {"Reservations": [{"Instances": [placed]}]}

    def end(params: Any) -> None:
        placed["State"] = {"Name": "terminated"}

    lab.refuse["TerminateInstances"] = end


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_a_type_is_made_changed_and_deleted_by_calls_that_fit_their_models(types_lab: Any, kind: str) -> None:
    """The fake lab checks each call against botocore's model: names, types, required members, patterns."""
    states_of_instances(types_lab)
    for number, properties in enumerate(SAMPLES[kind]):
        template = json.dumps({"Resources": {"It": {"Type": kind, "Properties": properties}}})
        given = {"StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        if number and SAMPLES[kind][0] == properties:
            break
        types_lab.ask("UpdateStack" if number else "CreateStack", **given)
        told = [
            event.get("ResourceStatusReason")
            for event in types_lab.ask("DescribeStackEvents", StackName="s")["StackEvents"]
        ]
        assert types_lab.status("s") == ("UPDATE_COMPLETE" if number else "CREATE_COMPLETE"), "\n".join(
            str(each) for each in told
        )
    drift = types_lab.ask("DetectStackDrift", StackName="s")
    assert types_lab.ask("DescribeStackDriftDetectionStatus", **drift)["DetectionStatus"] == "DETECTION_COMPLETE"
    types_lab.ask("DeleteStack", StackName="s")
    told = [event.get("ResourceStatusReason") for event in types_lab.cloudformation.stacks.popitem()[1].events]
    assert types_lab.cloudformation.stacks or told[-1] is None, "\n".join(str(each) for each in told)


def test_every_type_has_a_sample_and_a_schema() -> None:
    """Nested stacks have tests of their own."""
    assert set(HANDLERS) == set(SCHEMAS) == set(SAMPLES) | {"AWS::CloudFormation::Stack"}


@pytest.mark.parametrize("kind", sorted(HANDLERS))
def test_every_property_is_honoured_or_refused_by_name(kind: str) -> None:
    """A property that the registry knows is in the handler's code, or in what it refuses: none is dropped in silence."""
    handler = HANDLERS[kind]
    assert handler.ignored <= handler.schema.properties
    code = inspect.getsource(inspect.getmodule(type(handler)) or type(handler))
    passed_on = "**props" in inspect.getsource(type(handler)) or "props.items()" in inspect.getsource(type(handler))
    silent = {name for name in handler.schema.properties - handler.ignored if name not in code and not passed_on}
    assert not silent
    if handler.ignored:
        name = min(handler.ignored)
        properties = dict.fromkeys(handler.schema.required, "x") | {name: "x"}
        with pytest.raises(HandlerError, match=f"Property {name} of {kind} is not available in this lab."):
            handler.check("It", properties)


@pytest.mark.parametrize("kind", sorted(SCHEMAS))
def test_the_table_agrees_with_the_registry(kind: str) -> None:
    """As cfn-lint carries it: properties, required and create-only ones, attributes."""
    folder = Path(cfnlint.__file__).parent / "data" / "schemas"
    names = json.loads((folder / "providers" / "us-east-1.json").read_text())
    published = json.loads((folder / "resources" / f"{names[kind].removesuffix('.json')}.json").read_text())
    schema = SCHEMAS[kind]
    read_only = {path.removeprefix("/properties/") for path in published.get("readOnlyProperties", ())}
    create_only = {
        path.removeprefix("/properties/").replace("/properties/", ".").replace("/", ".")
        for path in published.get("createOnlyProperties", ())
    }
    assert set(published.get("required", ())) == set(schema.required)
    assert create_only == schema.create_only
    assert schema.properties == set(published["properties"]) - read_only
    assert {name for name in read_only if "/" not in name} <= schema.attributes
