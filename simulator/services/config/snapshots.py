"""What a resource looks like, as a configuration item tells it.

Each reader takes a context and the resource's name and returns a `Snapshot`, or None where the resource is not there.
Source: AWS Config developer guide, Components of a configuration item; docs/aws-facts.md, part 6; the properties of
awslabs/aws-config-resource-schema, and the examples of awslabs/aws-config-rdk, rdk/template/example_ci.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from simulator import wire
from simulator.errors import AwsError
from simulator.service import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a resource at one moment. `configuration` is JSON-ready, in camelCase, as Config writes it."""

    resource_id: str
    name: str
    arn: str
    configuration: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    relationships: tuple[Mapping[str, str], ...] = ()
    supplementary: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None
    zone: str = "Not Applicable"


Reader = Callable[[Context, str], Snapshot | None]


def function(ctx: Context, name: str) -> Snapshot | None:
    """Return a Lambda function as Config sees it."""
    state = ctx.lab.service("lambda").function_state(name)
    if state is None:
        return None
    shape = wire.operation_model("lambda", "GetFunctionConfiguration").output_shape
    configuration = _camel(shape, {key: value for key, value in state.items() if key not in _BESIDE})
    configuration["state"] = {"value": state.get("State", "Active")}
    configuration["lastUpdateStatus"] = state.get("LastUpdateStatus", "Successful")
    configuration["kmskeyArn"] = state.get("KMSKeyArn")
    configuration.setdefault("layers", [])
    role_name = str(state["Role"]).rpartition("/")[2]
    relationships = [_related("AWS::IAM::Role", "Is associated with ", name=role_name)]
    vpc = state.get("VpcConfig") or {}
    if "vpcConfig" in configuration:
        configuration["vpcConfig"] = {key: configuration["vpcConfig"].get(key, []) for key in _VPC_CONFIG}
    relationships += [
        _related("AWS::EC2::SecurityGroup", "Is associated with ", id=each) for each in vpc.get("SecurityGroupIds", ())
    ]
    relationships += [_related("AWS::EC2::Subnet", "Is contained in ", id=each) for each in vpc.get("SubnetIds", ())]
    supplementary = {"Tags": _json(state.get("Tags") or {})}
    reserved = state.get("ReservedConcurrentExecutions")
    if reserved is not None:
        supplementary["Concurrency"] = _json({"reservedConcurrentExecutions": reserved})
    policy = state.get("Policy")
    if policy:
        supplementary["Policy"] = policy if isinstance(policy, str) else _json(policy)
    return Snapshot(
        resource_id=state["FunctionName"],
        name=state["FunctionName"],
        arn=state["FunctionArn"],
        configuration=configuration,
        tags=state.get("Tags") or {},
        relationships=tuple(relationships),
        supplementary=supplementary,
    )


# Told beside `configuration`, or not at all: environment values are nobody's business in a timeline.
_BESIDE = frozenset({
    "State", "LastUpdateStatus", "KMSKeyArn", "Tags", "ReservedConcurrentExecutions", "Policy", "Environment",
    "LastUpdateStatusReason", "LastUpdateStatusReasonCode",
})  # fmt: skip
_VPC_CONFIG = ("subnetIds", "securityGroupIds")


def role(ctx: Context, name: str) -> Snapshot | None:
    """Return an IAM role with its policies."""
    found = _read(ctx, "iam", "GetRole", RoleName=name)
    if found is None:
        return None
    described = found["Role"]
    inline = []
    for policy_name in ctx.read("iam", "ListRolePolicies", RoleName=name).get("PolicyNames", ()):
        document = ctx.read("iam", "GetRolePolicy", RoleName=name, PolicyName=policy_name)["PolicyDocument"]
        inline.append({"policyName": policy_name, "policyDocument": _encoded(document)})
    attached = [
        {"policyName": each["PolicyName"], "policyArn": each["PolicyArn"]}
        for each in ctx.read("iam", "ListAttachedRolePolicies", RoleName=name).get("AttachedPolicies", ())
    ]
    profiles = ctx.read("iam", "ListInstanceProfilesForRole", RoleName=name).get("InstanceProfiles", ())
    boundary = described.get("PermissionsBoundary")
    tags = {each["Key"]: each["Value"] for each in described.get("Tags", ())}
    configuration = {
        "path": described["Path"],
        "roleName": name,
        "roleId": described["RoleId"],
        "arn": described["Arn"],
        "createDate": _iso(described["CreateDate"]),
        "assumeRolePolicyDocument": _encoded(described["AssumeRolePolicyDocument"]),
        "instanceProfileList": [
            _camel_of("iam", "ListInstanceProfilesForRole", "InstanceProfiles", each) for each in profiles
        ],
        "rolePolicyList": inline,
        "attachedManagedPolicies": attached,
        "permissionsBoundary": boundary
        and {
            "permissionsBoundaryType": boundary["PermissionsBoundaryType"],
            "permissionsBoundaryArn": boundary["PermissionsBoundaryArn"],
        },
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "roleLastUsed": None,
    }
    return Snapshot(
        resource_id=described["RoleId"],
        name=name,
        arn=described["Arn"],
        configuration=configuration,
        tags=tags,
        relationships=tuple(
            _attached(ctx, each["policyArn"]) for each in attached if ":iam::aws:" not in each["policyArn"]
        ),
        created=described["CreateDate"],
    )


def bucket(ctx: Context, name: str) -> Snapshot | None:
    """Return an S3 bucket with what guards it."""
    buckets = ctx.read("s3", "ListBuckets")["Buckets"]
    made = next((each["CreationDate"] for each in buckets if each["Name"] == name), None)
    if made is None:
        return None
    access = _read(ctx, "s3", "GetBucketAcl", Bucket=name) or {}
    owner = {"displayName": None, "id": access.get("Owner", {}).get("ID")}
    grants = [_grant(each) for each in access.get("Grants", ())]
    lists = {"grantSet": None, "grantList": grants, "owner": owner, "isRequesterCharged": False}
    tag_set = (_read(ctx, "s3", "GetBucketTagging", Bucket=name) or {}).get("TagSet", ())
    return Snapshot(
        resource_id=name,
        name=name,
        arn=f"arn:aws:s3:::{name}",
        configuration={
            "name": name,
            "owner": owner,
            "creationDate": _iso(made),
        },
        tags={each["Key"]: each["Value"] for each in tag_set},
        supplementary={"AccessControlList": _json(_json(lists)), **_guards(ctx, name)},
        created=made,
        zone="Regional",
    )


def _guards(ctx: Context, name: str) -> Mapping[str, str]:
    """Return what a bucket's item tells beside its configuration, each part as JSON; what is not set is told as unset, or not at all."""

    def asked(operation: str) -> dict[str, Any]:
        return _read(ctx, "s3", operation, Bucket=name) or {}

    logged = asked("GetBucketLogging").get("LoggingEnabled", {})
    versioning = asked("GetBucketVersioning")
    found: dict[str, Any] = {
        "BucketAccelerateConfiguration": {"status": asked("GetBucketAccelerateConfiguration").get("Status")},
        "BucketLoggingConfiguration": {
            "destinationBucketName": logged.get("TargetBucket"),
            "logFilePrefix": logged.get("TargetPrefix"),
        },
        "BucketNotificationConfiguration": {
            "configurations": _notifications(asked("GetBucketNotificationConfiguration"))
        },
        "BucketPolicy": {"policyText": asked("GetBucketPolicy").get("Policy")},
        "BucketVersioningConfiguration": {
            "status": versioning.get("Status") or "Off",
            "isMfaDeleteEnabled": versioning.get("MFADelete") and versioning["MFADelete"] == "Enabled",
        },
        "IsRequesterPaysEnabled": asked("GetBucketRequestPayment").get("Payer") == "Requester",
    }
    for key, operation in (
        ("PublicAccessBlockConfiguration", "GetPublicAccessBlock"),
        ("ServerSideEncryptionConfiguration", "GetBucketEncryption"),
    ):
        if value := asked(operation).get(key):
            found[key] = _camel_of("s3", operation, key, value)
    for rule in found.get("ServerSideEncryptionConfiguration", {}).get("rules", ()):
        rule.setdefault("applyServerSideEncryptionByDefault", {}).setdefault("kmsMasterKeyID", None)
    return {key: _json(value) for key, value in found.items()}


def _grant(grant: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grant of a bucket's: a group by its name, somebody else by an id; the permission as `ReadAcp`."""
    grantee = grant["Grantee"]
    group = str(grantee.get("URI") or "").rpartition("/")[2]
    who = group or {"id": grantee.get("ID"), "displayName": None}
    return {"grantee": who, "permission": grant["Permission"].title().replace("_", "")}


def _notifications(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bucket's notifications by their names."""
    kinds = (
        ("LambdaFunctionConfigurations", "LambdaFunctionArn", "LambdaConfiguration", "functionARN"),
        ("QueueConfigurations", "QueueArn", "QueueConfiguration", "queueARN"),
        ("TopicConfigurations", "TopicArn", "TopicConfiguration", "topicARN"),
    )
    return {
        each.get("Id", ""): {"type": kind, "events": list(each.get("Events", ())), told: each[arn]}
        for member, arn, kind, told in kinds
        for each in asked.get(member, ())
    }


def security_group(ctx: Context, group_id: str) -> Snapshot | None:
    """Return a security group with its rules."""
    found = _read(ctx, "ec2", "DescribeSecurityGroups", GroupIds=[group_id])
    if not found or not found.get("SecurityGroups"):
        return None
    described = found["SecurityGroups"][0]
    tags = {each["Key"]: each["Value"] for each in described.get("Tags", ())}
    configuration = {
        "description": described["Description"],
        "groupName": described["GroupName"],
        "ipPermissions": [_permission(each) for each in described.get("IpPermissions", ())],
        "ownerId": described["OwnerId"],
        "groupId": group_id,
        "ipPermissionsEgress": [_permission(each) for each in described.get("IpPermissionsEgress", ())],
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
        "vpcId": described.get("VpcId"),
    }
    return Snapshot(
        resource_id=group_id,
        name=described["GroupName"],
        arn=f"arn:aws:ec2:{ctx.region}:{ctx.account_id}:security-group/{group_id}",
        configuration=configuration,
        tags=tags,
        relationships=(_related("AWS::EC2::VPC", "Is contained in Vpc", id=described["VpcId"]),)
        if described.get("VpcId")
        else (),
    )


def _permission(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule of a security group: its IPv4 ranges come twice, as Config's first and second generation wrote them."""
    shape = wire.operation_model("ec2", "DescribeSecurityGroups").output_shape.members["SecurityGroups"].member
    told = _camel(shape.members["IpPermissions"].member, rule)
    ranges = told.pop("ipRanges", [])
    lists = {key: told.pop(key, []) for key in ("ipv6Ranges", "prefixListIds", "userIdGroupPairs")}
    return {**told, **lists, "ipv4Ranges": ranges, "ipRanges": [each["cidrIp"] for each in ranges]}


READERS: Mapping[str, Reader] = {
    "AWS::Lambda::Function": function,
    "AWS::IAM::Role": role,
    "AWS::S3::Bucket": bucket,
    "AWS::EC2::SecurityGroup": security_group,
}


def _read(ctx: Context, service: str, operation: str, **params: Any) -> dict[str, Any] | None:
    """Return a read's result; None where the resource, or that part of it, is not there."""
    try:
        return ctx.read(service, operation, **params)
    except AwsError:
        return None


def _attached(ctx: Context, arn: str) -> Mapping[str, str]:
    policy = ctx.read("iam", "GetPolicy", PolicyArn=arn)["Policy"]
    how = "Is attached to CustomerManagedPolicy"
    return _related("AWS::IAM::Policy", how, id=policy["PolicyId"], name=policy["PolicyName"])


def _related(kind: str, how: str, **which: str) -> Mapping[str, str]:
    """Return a relationship. Its name is AWS's: a function's end in a space, those of EC2 and IAM name what is related."""
    named = {f"resource{key.capitalize()}": value for key, value in which.items()}
    return {"resourceType": kind, **named, "relationshipName": how}


_FIRST_WORD = re.compile(r"^(?:[A-Z]+(?=[A-Z][a-z])|[A-Z])")


def _camel(shape: Any, value: Any) -> Any:
    """Return a value of the model with its members beginning in lower case, as `sseAlgorithm`; the keys of maps stay as they are."""
    kind = shape.type_name
    if kind == "structure":
        return {
            _FIRST_WORD.sub(lambda word: word[0].lower(), name): _camel(shape.members[name], item)
            for name, item in value.items()
            if name in shape.members
        }
    if kind == "list":
        return [_camel(shape.member, item) for item in value]
    if kind == "map":
        return {key: _camel(shape.value, item) for key, item in value.items()}
    return _iso(value) if isinstance(value, datetime) else value


def _camel_of(service: str, operation: str, member: str, value: Any) -> Any:
    shape = wire.operation_model(service, operation).output_shape.members[member]
    return _camel(shape.member if shape.type_name == "list" else shape, value)


def _encoded(document: Any) -> str:
    """Return a policy document as IAM tells it, percent-encoded once."""
    text = document if isinstance(document, str) else _json(document)
    return quote(text, safe="") if text.startswith("{") else text


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
