"""What configuration items say of roles, buckets, security groups and functions, and of changes that follow each other."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest

from simulator.world import Lab
from tests.unit.core.small_lab import ask, made, open_lab

ROLE = "arn:aws:iam::486547846362:role/config"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def recorded() -> Iterator[Lab]:
    """Return a lab whose recorder records, and whose time passes only where a test says so."""
    lab = open_lab(wall=lambda: 1_795_000_000.0)
    made(lab, "config", "PutConfigurationRecorder", ConfigurationRecorder={"name": "default", "roleARN": ROLE})
    made(lab, "s3", "CreateBucket", Bucket="for-the-channel")
    made(lab, "config", "PutDeliveryChannel", DeliveryChannel={"name": "default", "s3BucketName": "for-the-channel"})
    made(lab, "config", "StartConfigurationRecorder", ConfigurationRecorderName="default")
    yield lab
    lab.close()


def _items(lab: Lab, kind: str, name: str) -> list[dict[str, Any]]:
    lab.advance(timedelta(minutes=4))
    asked = {"resourceType": kind, "resourceId": name}
    found: list[dict[str, Any]] = made(lab, "config", "GetResourceConfigHistory", **asked)["configurationItems"]
    return found


def _newest(lab: Lab, kind: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    item = _items(lab, kind, name)[0]
    return item, json.loads(item["configuration"])


def test_a_role_s_policies_are_encoded_once_and_its_own_kinds_are_told(recorded: Lab) -> None:
    """Documents as IAM tells them; only policies of the account's own are related, by id and name; boundary and tags."""
    made(recorded, "iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "a", "Value": "b"}])  # fmt: skip
    own = made(recorded, "iam", "CreatePolicy", PolicyName="own", PolicyDocument=json.dumps(DOCUMENT))["Policy"]
    aws = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    for arn in (own["Arn"], aws):
        made(recorded, "iam", "AttachRolePolicy", RoleName="r", PolicyArn=arn)
    made(recorded, "iam", "PutRolePolicy", RoleName="r", PolicyName="inline", PolicyDocument=json.dumps(DOCUMENT))
    made(recorded, "iam", "PutRolePermissionsBoundary", RoleName="r", PermissionsBoundary=aws)
    role = made(recorded, "iam", "GetRole", RoleName="r")["Role"]
    item, told = _newest(recorded, "AWS::IAM::Role", role["RoleId"])
    assert json.loads(unquote(told["assumeRolePolicyDocument"])) == TRUST
    assert json.loads(unquote(told["rolePolicyList"][0]["policyDocument"])) == DOCUMENT
    assert item["relationships"] == [
        {
            "resourceType": "AWS::IAM::Policy",
            "resourceId": own["PolicyId"],
            "resourceName": "own",
            "relationshipName": "Is attached to CustomerManagedPolicy",
        }
    ]
    assert {each["policyArn"] for each in told["attachedManagedPolicies"]} == {own["Arn"], aws}
    assert told["permissionsBoundary"]["permissionsBoundaryArn"] == aws
    assert (told["tags"], item["tags"]) == ([{"key": "a", "value": "b"}], {"a": "b"})


def test_a_bucket_s_guards_are_told_set_or_unset(recorded: Lab) -> None:
    """Each as a JSON text; the access control list twice so, as on AWS."""
    made(recorded, "s3", "CreateBucket", Bucket="guarded")
    item, told = _newest(recorded, "AWS::S3::Bucket", "guarded")
    guards = {key: json.loads(value) for key, value in item["supplementaryConfiguration"].items()}
    assert item["availabilityZone"] == "Regional"
    assert guards["BucketPolicy"] == {"policyText": None}
    assert guards["BucketLoggingConfiguration"] == {"destinationBucketName": None, "logFilePrefix": None}
    assert guards["BucketVersioningConfiguration"] == {"status": "Off", "isMfaDeleteEnabled": None}
    (rule,) = guards["ServerSideEncryptionConfiguration"]["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256", "kmsMasterKeyID": None}
    lists = json.loads(guards["AccessControlList"])
    assert lists["owner"] == told["owner"] == lists["grantList"][0]["grantee"]
    assert lists["grantList"][0]["permission"] == "FullControl"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::guarded/*"}
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    made(recorded, "s3", "PutBucketPolicy", Bucket="guarded", Policy=json.dumps(policy))
    made(recorded, "s3", "PutBucketVersioning", Bucket="guarded", VersioningConfiguration={"Status": "Enabled"})
    item, _ = _newest(recorded, "AWS::S3::Bucket", "guarded")
    guards = {key: json.loads(value) for key, value in item["supplementaryConfiguration"].items()}
    assert json.loads(guards["BucketPolicy"]["policyText"]) == policy
    assert guards["BucketVersioningConfiguration"]["status"] == "Enabled"


def test_a_security_group_s_ranges_are_told_in_both_of_config_s_ways(recorded: Lab) -> None:
    """And tags that CreateTags gives it make an item."""
    vpc = made(recorded, "ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = made(recorded, "ec2", "CreateSecurityGroup", GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    _items(recorded, "AWS::EC2::SecurityGroup", group)
    made(recorded, "ec2", "CreateTags", Resources=[group], Tags=[{"Key": "a", "Value": "b"}])
    item, told = _newest(recorded, "AWS::EC2::SecurityGroup", group)
    assert (item["configurationItemStatus"], item["tags"]) == ("OK", {"a": "b"})
    assert told["ipPermissionsEgress"] == [
        {
            "ipProtocol": "-1",
            "ipv6Ranges": [],
            "prefixListIds": [],
            "userIdGroupPairs": [],
            "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}],
            "ipRanges": ["0.0.0.0/0"],
        }
    ]
    assert item["relationships"] == [
        {"resourceType": "AWS::EC2::VPC", "resourceId": vpc, "relationshipName": "Is contained in Vpc"}
    ]


def test_changes_before_an_item_is_captured_are_one_item(recorded: Lab) -> None:
    """It shows what is there when it is captured, not one state a millisecond after the other."""
    made(recorded, "s3", "CreateBucket", Bucket="quick")
    recorded.advance(timedelta(seconds=20))
    made(recorded, "s3", "PutBucketVersioning", Bucket="quick", VersioningConfiguration={"Status": "Enabled"})
    (item,) = _items(recorded, "AWS::S3::Bucket", "quick")
    assert item["configurationItemStatus"] == "ResourceDiscovered"
    assert json.loads(item["supplementaryConfiguration"]["BucketVersioningConfiguration"])["status"] == "Enabled"
    made(recorded, "s3", "PutBucketVersioning", Bucket="quick", VersioningConfiguration={"Status": "Suspended"})
    recorded.advance(timedelta(seconds=20))
    made(recorded, "s3", "PutBucketVersioning", Bucket="quick", VersioningConfiguration={"Status": "Enabled"})
    assert len(_items(recorded, "AWS::S3::Bucket", "quick")) == 1
    made(recorded, "s3", "PutBucketVersioning", Bucket="quick", VersioningConfiguration={"Status": "Suspended"})
    made(recorded, "s3", "DeleteBucket", Bucket="quick")
    statuses = [each["configurationItemStatus"] for each in _items(recorded, "AWS::S3::Bucket", "quick")]
    assert statuses == ["ResourceDeleted", "ResourceDiscovered"]


def test_what_was_gone_before_it_was_captured_is_not_discovered(recorded: Lab) -> None:
    """Config never saw it."""
    made(recorded, "s3", "CreateBucket", Bucket="brief")
    made(recorded, "s3", "DeleteBucket", Bucket="brief")
    recorded.advance(timedelta(minutes=4))
    done = ask(recorded, "config", "GetResourceConfigHistory", resourceType="AWS::S3::Bucket", resourceId="brief")
    assert done.error is not None
    assert done.error.code == "ResourceNotDiscoveredException"


def test_a_function_s_states_and_network_are_told_as_config_tells_them(recorded: Lab) -> None:
    """The state as an object, the last update's as a text; of the network, subnets and groups."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return 1\n")
    made(recorded, "iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
    access = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    made(recorded, "iam", "AttachRolePolicy", RoleName="r", PolicyArn=access)
    vpc = made(recorded, "ec2", "CreateVpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = made(recorded, "ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = made(recorded, "ec2", "CreateSecurityGroup", GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    made(
        recorded,
        "lambda",
        "CreateFunction",
        FunctionName="f",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::486547846362:role/r",
        Code={"ZipFile": packed.getvalue()},
        VpcConfig={"SubnetIds": [subnet], "SecurityGroupIds": [group]},
    )
    item, told = _newest(recorded, "AWS::Lambda::Function", "f")
    assert (told["state"], told["lastUpdateStatus"]) == ({"value": "Active"}, "Successful")
    assert told["vpcConfig"] == {"subnetIds": [subnet], "securityGroupIds": [group]}
    assert [(each["resourceType"], each["relationshipName"]) for each in item["relationships"]] == [
        ("AWS::IAM::Role", "Is associated with "),
        ("AWS::EC2::SecurityGroup", "Is associated with "),
        ("AWS::EC2::Subnet", "Is contained in "),
    ]
