"""What CloudTrail's records say of single services: names, redactions, and the forms that their own records have."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.identity import Principal
from simulator.service import Call
from simulator.services.cloudtrail.record import record, resources

ACCOUNT = "486547846362"
NOW = datetime(2026, 11, 24, 0, 4, 20, 500_000, tzinfo=UTC)
POLICY = '{"Version":"2012-10-17","Statement":[]}'


def _record(
    service: str,
    operation: str,
    params: Mapping[str, Any],
    response: Mapping[str, Any] | None = None,
    **about: str,
) -> dict[str, Any]:
    return record(_call(service, operation, params, response, **about), ACCOUNT)


def _call(
    service: str,
    operation: str,
    params: Mapping[str, Any],
    response: Mapping[str, Any] | None = None,
    *,
    error: str | None = None,
    invoked_by: str | None = None,
) -> Call:
    return Call(
        seq=1,
        change=None if error else 1,
        at=NOW,
        service=service,
        operation=operation,
        params=params,
        response=response,
        principal=Principal(type="IAMUser", account_id=ACCOUNT, name="linh", access_key_id="AKIA"),
        region="us-east-1",
        source_ip="127.0.0.1",
        user_agent="aws-cli/2.17",
        invoked_by=invoked_by,
        request_id="the-request",
        event_id="the-event",
        read_only=False,
        error_code=error,
        error_message="No." if error else None,
    )


@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration"])
def test_no_environment_value_is_told_of_a_function(operation: str) -> None:
    """Neither as it was asked for nor as it was answered; that there is an environment is told always."""
    environment = {"Variables": {"KEY": "hush"}}
    answer = {"FunctionName": "f", "CodeSha256": "x", "Environment": environment}
    given = {"FunctionName": "f", **({} if operation == "UpdateFunctionCode" else {"Environment": environment})}
    told = _record("lambda", operation, given, answer)
    assert "hush" not in str(told)
    assert told["responseElements"]["environment"] == {}
    bare = _record("lambda", operation, {"FunctionName": "f"}, {"FunctionName": "f", "CodeSha256": "x"})
    assert bare["responseElements"]["environment"] == {}
    assert ("environment" in bare["requestParameters"]) == (operation != "UpdateFunctionCode")


@pytest.mark.parametrize(
    ("service", "operation", "source", "name"),
    [
        ("s3", "PutPublicAccessBlock", "s3.amazonaws.com", "PutBucketPublicAccessBlock"),
        ("s3", "PutBucketLifecycleConfiguration", "s3.amazonaws.com", "PutBucketLifecycle"),
        ("s3", "PutBucketPolicy", "s3.amazonaws.com", "PutBucketPolicy"),
        ("s3control", "DeletePublicAccessBlock", "s3.amazonaws.com", "DeleteAccountPublicAccessBlock"),
        ("lambda", "PublishVersion", "lambda.amazonaws.com", "PublishVersion20150331"),
        ("lambda", "PublishLayerVersion", "lambda.amazonaws.com", "PublishLayerVersion20181031"),
        ("lambda", "GetFunctionConcurrency", "lambda.amazonaws.com", "GetFunctionConcurrency"),
        ("lambda", "CreateFunctionUrlConfig", "lambda.amazonaws.com", "CreateFunctionUrlConfig"),
    ],
)
def test_events_have_the_names_that_the_services_give_them(
    service: str, operation: str, source: str, name: str
) -> None:
    """A finding that says PutBucketPublicAccessBlock leads to the event."""
    told = _record(service, operation, {"Bucket": "b"} if service == "s3" else {})
    assert (told["eventSource"], told["eventName"]) == (source, name)


def test_a_change_of_a_bucket_is_told_as_s3_tells_it() -> None:
    """The query's word, the body as XML had it, the bucket among the resources, the agent in brackets."""
    block = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}, "ChecksumAlgorithm": "CRC32"}
    told = _record("s3", "PutPublicAccessBlock", {"Bucket": "b", **block})
    assert told["requestParameters"] == {
        "publicAccessBlock": "",
        "bucketName": "b",
        "PublicAccessBlockConfiguration": {
            "xmlns": "http://s3.amazonaws.com/doc/2006-03-01/",
            "BlockPublicAcls": False,
        },
        "Host": "b.s3.us-east-1.amazonaws.com",
    }
    assert told["resources"] == [{"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::b"}]
    assert told["userAgent"] == "[aws-cli/2.17]"
    assert told["additionalEventData"]["SignatureVersion"] == "SigV4"
    assert told["tlsDetails"]["clientProvidedHostHeader"] == "b.s3.us-east-1.amazonaws.com"
    assert list(told)[8:16] == [
        "requestParameters", "responseElements", "additionalEventData", "requestID", "eventID", "readOnly", "resources",
        "eventType",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "key", "value"),
    [
        ({"Policy": POLICY}, "bucketPolicy", {"Version": "2012-10-17", "Statement": []}),
        ({"Policy": "no JSON"}, "bucketPolicy", "no JSON"),
    ],
)
def test_a_bucket_s_policy_is_told_as_a_document(params: Mapping[str, Any], key: str, value: Any) -> None:
    """What is no document is told as it came."""
    told = _record("s3", "PutBucketPolicy", {"Bucket": "b", **params})["requestParameters"]
    assert (told[key], told["policy"]) == (value, "")


def test_a_list_in_s3_s_xml_is_one_element_or_several() -> None:
    """As CloudTrail reads XML."""
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    one = _record("s3", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": tags[:1]}})["requestParameters"]
    assert one["Tagging"]["TagSet"] == {"Tag": tags[0]}
    two = _record("s3", "PutBucketTagging", {"Bucket": "b", "Tagging": {"TagSet": tags}})["requestParameters"]
    assert two["Tagging"]["TagSet"] == {"Tag": tags}
    rules = {"Rules": [{"ID": "r", "Status": "Enabled"}]}
    given = {"Bucket": "b", "LifecycleConfiguration": rules}
    told = _record("s3", "PutBucketLifecycleConfiguration", given)["requestParameters"]
    assert told["LifecycleConfiguration"]["Rule"] == {"ID": "r", "Status": "Enabled"}


def test_iam_tells_its_exceptions_times_and_no_password() -> None:
    """NoSuchEntity of its API is NoSuchEntityException of its records."""
    assert _record("iam", "GetRole", {"RoleName": "r"}, error="NoSuchEntity")["errorCode"] == "NoSuchEntityException"
    assert _record("iam", "GetRole", {"RoleName": "r"}, error="AccessDenied")["errorCode"] == "AccessDenied"
    told = _record(
        "iam",
        "CreateLoginProfile",
        {"UserName": "u", "Password": "hush"},
        {"LoginProfile": {"UserName": "u", "CreateDate": NOW}},
    )
    assert told["requestParameters"] == {"userName": "u"}
    assert told["responseElements"]["loginProfile"]["createDate"] == "Nov 24, 2026 12:04:20 AM"
    assert told["tlsDetails"]["clientProvidedHostHeader"] == "iam.amazonaws.com"


def test_assuming_a_role_is_a_read_of_that_role() -> None:
    """It names the role among its resources, the new key, and neither secret."""
    credentials = {"AccessKeyId": "ASIA", "SecretAccessKey": "hush", "SessionToken": "hush", "Expiration": NOW}
    told = _record("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/r"}, {"Credentials": credentials})
    assert told["readOnly"] is True
    assert told["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": "arn:aws:iam::1:role/r"}]
    assert told["responseElements"]["credentials"] == {
        "accessKeyId": "ASIA",
        "sessionToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
        "expiration": "Nov 24, 2026, 12:04:20 AM",
    }


def test_ec2_tells_lists_as_items_and_its_request() -> None:
    """With the names that they have on the wire."""
    permission = {"IpProtocol": "tcp", "FromPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "UserIdGroupPairs": []}
    told = _record(
        "ec2",
        "AuthorizeSecurityGroupEgress",
        {"GroupId": "sg-1", "IpPermissions": [permission]},
        {"Return": True, "SecurityGroupRules": [{"SecurityGroupRuleId": "sgr-1", "Tags": []}]},
    )
    assert told["requestParameters"]["ipPermissions"]["items"] == [
        {"ipProtocol": "tcp", "fromPort": 443, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}
    ]
    assert told["responseElements"] == {
        "requestId": "the-request",
        "_return": True,
        "securityGroupRuleSet": {"items": [{"securityGroupRuleId": "sgr-1", "tagSet": {}}]},
    }
    assert _record("ec2", "DeleteVpc", {"VpcId": "vpc-1"}, {})["responseElements"] == {
        "requestId": "the-request",
        "_return": True,
    }
    made = _record("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, {"Vpc": {"VpcId": "vpc-1"}})
    assert made["responseElements"] == {"requestId": "the-request", "vpc": {"vpcId": "vpc-1"}}


def test_ec2_tells_what_a_request_repeats_as_a_set() -> None:
    """Names of things, filters with their values, and tags to be given."""
    asked = {"GroupIds": ["sg-1"], "Filters": [{"Name": "vpc-id", "Values": ["vpc-1"]}]}
    assert _record("ec2", "DescribeSecurityGroups", asked)["requestParameters"] == {
        "filterSet": {"items": [{"name": "vpc-id", "valueSet": {"items": [{"value": "vpc-1"}]}}]},
        "securityGroupIdSet": {"items": [{"groupId": "sg-1"}]},
    }
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "k", "Value": "v"}]}]
    assert _record("ec2", "CreateVpc", {"TagSpecifications": tags})["requestParameters"] == {
        "tagSpecificationSet": {"items": [{"resourceType": "vpc", "tags": [{"key": "k", "value": "v"}]}]}
    }


def test_logs_and_events_tell_the_version_of_their_api() -> None:
    """Others do not."""
    assert _record("logs", "CreateLogGroup", {"logGroupName": "g"}, {})["apiVersion"] == "20140328"
    assert _record("events", "PutRule", {"Name": "r"}, {"RuleArn": "a"})["apiVersion"] == "2015-10-07"
    assert "apiVersion" not in _record("lambda", "PublishVersion", {"FunctionName": "f"}, {})


def test_a_key_s_use_names_the_key_among_its_resources() -> None:
    """By its ARN, whichever way it was named."""
    told = _record("kms", "Encrypt", {"KeyId": "k"}, {})
    arn = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"
    assert told["resources"] == [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}]
    assert told["readOnly"] is True
    assert _record("kms", "Encrypt", {"KeyId": arn}, {})["resources"] == told["resources"]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (["sg-1", "vpc-2", "ami-3"], (("AWS::EC2::SecurityGroup", "sg-1"), ("AWS::EC2::VPC", "vpc-2"))),
        ([7], ()),
        (7, ()),
        (None, ()),
    ],
)
def test_what_is_tagged_is_known_by_what_its_id_begins_with(named: Any, found: tuple[tuple[str, str], ...]) -> None:
    """A request that is none of the model's, and was refused for it, names nothing."""
    assert resources(_call("ec2", "CreateTags", {"Resources": named, "Tags": []})) == found


def test_only_an_agent_of_a_client_is_in_brackets() -> None:
    """S3 puts them around what a client says of itself; a service that calls for somebody is named as it is."""
    bucket = {"Bucket": "b"}
    assert _record("s3", "DeleteBucketPolicy", bucket)["userAgent"].startswith("[")
    told = _record("s3", "DeleteBucketPolicy", bucket, invoked_by="cloudformation.amazonaws.com")
    assert not told["userAgent"].startswith("[")
