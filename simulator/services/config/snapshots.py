"""What a resource looks like, as a configuration item tells it.

Each reader takes a context and the resource's name and returns a `Snapshot`, or None where the resource is not there.
Source: AWS Config developer guide, Components of a configuration item; docs/aws-facts.md, part 6.
"""

import json
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


Reader = Callable[[Context, str], Snapshot | None]


def function(ctx: Context, name: str) -> Snapshot | None:
    """Return a Lambda function as Config sees it."""
    state = ctx.lab.service("lambda").function_state(name)
    if state is None:
        return None
    shape = wire.operation_model("lambda", "GetFunctionConfiguration").output_shape
    configuration = _camel(shape, {key: value for key, value in state.items() if key not in _BESIDE})
    configuration["state"] = {"value": state.get("State", "Active")}
    configuration["lastUpdateStatus"] = {"value": state.get("LastUpdateStatus", "Successful")}
    configuration["kmskeyArn"] = state.get("KMSKeyArn")
    configuration.setdefault("layers", [])
    role_name = str(state["Role"]).rpartition("/")[2]
    relationships = [_related("AWS::IAM::Role", "Is associated with ", name=role_name)]
    vpc = state.get("VpcConfig") or {}
    relationships += [
        _related("AWS::EC2::SecurityGroup", "Is associated with ", id=each) for each in vpc.get("SecurityGroupIds", ())
    ]
    relationships += [_related("AWS::EC2::Subnet", "Is contained in ", id=each) for each in vpc.get("SubnetIds", ())]
    supplementary = {"Tags": json.dumps(state.get("Tags") or {}, separators=(",", ":"))}
    reserved = state.get("ReservedConcurrentExecutions")
    if reserved is not None:
        supplementary["Concurrency"] = json.dumps({"reservedConcurrentExecutions": reserved}, separators=(",", ":"))
    policy = state.get("Policy")
    if policy:
        supplementary["Policy"] = policy if isinstance(policy, str) else json.dumps(policy, separators=(",", ":"))
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


def role(ctx: Context, name: str) -> Snapshot | None:
    """Return an IAM role with its policies."""
    found = _read(ctx, "iam", "GetRole", RoleName=name)
    if found is None:
        return None
    described = found["Role"]
    inline = []
    for policy_name in ctx.read("iam", "ListRolePolicies", RoleName=name).get("PolicyNames", ()):
        document = ctx.read("iam", "GetRolePolicy", RoleName=name, PolicyName=policy_name)["PolicyDocument"]
        inline.append({"policyName": policy_name, "policyDocument": quote(_text(document))})
    attached = [
        {"policyName": each["PolicyName"], "policyArn": each["PolicyArn"]}
        for each in ctx.read("iam", "ListAttachedRolePolicies", RoleName=name).get("AttachedPolicies", ())
    ]
    configuration = {
        "path": described["Path"],
        "roleName": name,
        "roleId": described["RoleId"],
        "arn": described["Arn"],
        "createDate": _iso(described["CreateDate"]),
        "assumeRolePolicyDocument": quote(_text(described["AssumeRolePolicyDocument"])),
        "instanceProfileList": [],
        "rolePolicyList": inline,
        "attachedManagedPolicies": attached,
        "permissionsBoundary": None,
        "tags": [],
        "roleLastUsed": None,
    }
    tags = {each["Key"]: each["Value"] for each in described.get("Tags", ())}
    return Snapshot(
        resource_id=described["RoleId"],
        name=name,
        arn=described["Arn"],
        configuration=configuration,
        tags=tags,
        relationships=tuple(
            _related("AWS::IAM::Policy", "Is attached to ", name=each["policyName"]) for each in attached
        ),
        created=described["CreateDate"],
    )


def bucket(ctx: Context, name: str) -> Snapshot | None:
    """Return an S3 bucket with what guards it."""
    buckets = ctx.read("s3", "ListBuckets")["Buckets"]
    made = next((each["CreationDate"] for each in buckets if each["Name"] == name), None)
    if made is None:
        return None
    supplementary: dict[str, str] = {}
    for key, operation, member in (
        ("BucketPolicy", "GetBucketPolicy", "Policy"),
        ("PublicAccessBlockConfiguration", "GetPublicAccessBlock", "PublicAccessBlockConfiguration"),
        ("ServerSideEncryptionConfiguration", "GetBucketEncryption", "ServerSideEncryptionConfiguration"),
        ("BucketVersioningConfiguration", "GetBucketVersioning", "Status"),
    ):
        found = _read(ctx, "s3", operation, Bucket=name)
        if found and found.get(member):
            value = found[member]
            shape = wire.operation_model("s3", operation).output_shape.members[member]
            supplementary[key] = (
                value if isinstance(value, str) else json.dumps(_camel(shape, value), separators=(",", ":"))
            )
    tag_set = (_read(ctx, "s3", "GetBucketTagging", Bucket=name) or {}).get("TagSet", ())
    return Snapshot(
        resource_id=name,
        name=name,
        arn=f"arn:aws:s3:::{name}",
        configuration={
            "name": name,
            "owner": {"displayName": None, "id": ""},
            "creationDate": _iso(made),
        },
        tags={each["Key"]: each["Value"] for each in tag_set},
        supplementary=supplementary,
        created=made,
    )


def security_group(ctx: Context, group_id: str) -> Snapshot | None:
    """Return a security group with its rules."""
    found = _read(ctx, "ec2", "DescribeSecurityGroups", GroupIds=[group_id])
    if not found or not found.get("SecurityGroups"):
        return None
    described = found["SecurityGroups"][0]
    shape = wire.operation_model("ec2", "DescribeSecurityGroups").output_shape.members["SecurityGroups"].member
    configuration = _camel(shape, {key: value for key, value in described.items() if key != "Tags"})
    return Snapshot(
        resource_id=group_id,
        name=described["GroupName"],
        arn=f"arn:aws:ec2:{ctx.region}:{ctx.account_id}:security-group/{group_id}",
        configuration=configuration,
        tags={each["Key"]: each["Value"] for each in described.get("Tags", ())},
        relationships=(_related("AWS::EC2::VPC", "Is contained in ", id=described["VpcId"]),)
        if described.get("VpcId")
        else (),
    )


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


def _related(kind: str, how: str, **which: str) -> Mapping[str, str]:
    """Return a relationship. Its name keeps AWS's trailing space."""
    named = {f"resource{key.capitalize()}": value for key, value in which.items()}
    return {"resourceType": kind, **named, "relationshipName": how}


def _camel(shape: Any, value: Any) -> Any:
    """Return a value of the model with its members beginning in lower case; the keys of maps stay as they are."""
    kind = shape.type_name
    if kind == "structure":
        return {
            name[0].lower() + name[1:]: _camel(shape.members[name], item)
            for name, item in value.items()
            if name in shape.members
        }
    if kind == "list":
        return [_camel(shape.member, item) for item in value]
    if kind == "map":
        return {key: _camel(shape.value, item) for key, item in value.items()}
    return _iso(value) if isinstance(value, datetime) else value


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
