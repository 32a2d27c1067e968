"""Which IAM actions an API call needs, and on which resources. Pure.

Source: Service Authorization Reference. Where an operation's action has another name it stands in a table; resources are told
for the services that the lab stands on, `*` for all others, as that reference does for what has no resource-level permissions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PREFIXES = {
    "stepfunctions": "states", "elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing", "efs": "elasticfilesystem",
    "resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas", "dynamodbstreams": "dynamodb", "sso-admin": "sso",
    "accessanalyzer": "access-analyzer", "apigatewayv2": "apigateway", "sesv2": "ses", "s3control": "s3",
}  # fmt: skip
ACTIONS = {
    ("lambda", "Invoke"): "lambda:InvokeFunction",
    ("lambda", "InvokeAsync"): "lambda:InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "lambda:InvokeFunction",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "ListObjectVersions"): "s3:ListBucketVersions",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "GetObjectAttributes"): "s3:GetObject",
    ("s3", "CopyObject"): "s3:PutObject",
    ("s3", "DeleteObjects"): "s3:DeleteObject",
    ("s3", "CreateMultipartUpload"): "s3:PutObject",
    ("s3", "UploadPart"): "s3:PutObject",
    ("s3", "UploadPartCopy"): "s3:PutObject",
    ("s3", "CompleteMultipartUpload"): "s3:PutObject",
    ("s3", "ListParts"): "s3:ListMultipartUploadParts",
    ("s3", "ListMultipartUploads"): "s3:ListBucketMultipartUploads",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "DeleteBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "PutBucketLifecycleConfiguration"): "s3:PutLifecycleConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetBucketNotificationConfiguration"): "s3:GetBucketNotification",
    ("s3", "PutBucketNotificationConfiguration"): "s3:PutBucketNotification",
    ("s3", "DeleteBucketTagging"): "s3:PutBucketTagging",
    ("events", "PutEvents"): "events:PutEvents",
    ("iam", "GetAccountAuthorizationDetails"): "iam:GetAccountAuthorizationDetails",
}
PASSED_ROLES = {
    ("lambda", "CreateFunction"): ("Role", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda.amazonaws.com"),
    ("config", "PutConfigurationRecorder"): ("ConfigurationRecorder.roleARN", "config.amazonaws.com"),
    ("scheduler", "CreateSchedule"): ("Target.RoleArn", "scheduler.amazonaws.com"),
    ("scheduler", "UpdateSchedule"): ("Target.RoleArn", "scheduler.amazonaws.com"),
    **{
        ("cloudformation", operation): ("RoleARN", "cloudformation.amazonaws.com")
        for operation in (
            "CreateStack",
            "UpdateStack",
            "DeleteStack",
            "CreateChangeSet",
            "ContinueUpdateRollback",
            "RollbackStack",
        )
    },
}
"""Where a call hands a role to a service: the parameter, and the service that `iam:PassedToService` then names."""

LINKED_ROLES = {
    "guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDuty",
    "config.amazonaws.com": "AWSServiceRoleForConfig",
}
"""What services call their service-linked roles, by the service's principal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """One permission that a call needs. `context` holds the condition keys that belong to it, in lower case."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


def needed(service: str, operation: str, params: Mapping[str, Any], account_id: str, region: str) -> tuple[Needed, ...]:
    """Return the permissions a call needs, its own first, then `iam:PassRole` where it hands a role to a service."""
    action = ACTIONS.get((service, operation)) or f"{PREFIXES.get(service, service)}:{operation}"
    told = {"iam:awsservicename": str(params["AWSServiceName"])} if "AWSServiceName" in params else {}
    own = Needed(action=action, resource=resource_of(service, operation, params, account_id, region), context=told)
    passed = PASSED_ROLES.get((service, operation))
    role = _part(params, passed[0]) if passed else None
    if passed is None or not isinstance(role, str) or not role:
        return (own,)
    return own, Needed(action="iam:PassRole", resource=role, context={"iam:passedtoservice": passed[1]})


def resource_of(service: str, operation: str, params: Mapping[str, Any], account_id: str, region: str) -> str:
    """Return the ARN of the resource that a call is about, `*` where it has none that is told apart."""
    builder = _BUILDERS.get(service)
    told = builder(params, account_id, region) if builder else None
    return told or "*"


def _lambda(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
    name = params.get("FunctionName") or params.get("Resource")
    if not isinstance(name, str):
        return None
    if name.startswith("arn:"):
        return name
    name = name.rpartition("function:")[2].rpartition("/")[2]
    return f"arn:aws:lambda:{region}:{account_id}:function:{name}"


def _s3(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
    bucket = params.get("Bucket")
    if not isinstance(bucket, str):
        return None
    key = params.get("Key")
    return f"arn:aws:s3:::{bucket}/{key}" if isinstance(key, str) else f"arn:aws:s3:::{bucket}"


def _iam(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
    if isinstance(params.get("PolicyArn"), str) and not {"RoleName", "UserName", "GroupName"} & params.keys():
        return str(params["PolicyArn"])
    for key, kind in (
        ("RoleName", "role"),
        ("UserName", "user"),
        ("GroupName", "group"),
        ("InstanceProfileName", "instance-profile"),
    ):
        if isinstance(params.get(key), str):
            return f"arn:aws:iam::{account_id}:{kind}{params.get('Path') or '/'}{params[key]}"
    if isinstance(principal := params.get("AWSServiceName"), str):
        return f"arn:aws:iam::{account_id}:role/aws-service-role/{principal}/{LINKED_ROLES.get(principal, '*')}"
    return None


def _events(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
    name = params.get("Name") or params.get("Rule")
    bus = str(params.get("EventBusName") or "default").rpartition("/")[2]
    prefix = "" if bus == "default" else f"{bus}/"
    return f"arn:aws:events:{region}:{account_id}:rule/{prefix}{name}" if isinstance(name, str) else None


def _guardduty(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
    detector = params.get("DetectorId")
    if not isinstance(detector, str):
        return None
    arn = f"arn:aws:guardduty:{region}:{account_id}:detector/{detector}"
    for key, kind in (("ThreatIntelSetId", "threatintelset"), ("IpSetId", "ipset"), ("FilterName", "filter")):
        if isinstance(params.get(key), str):
            return f"{arn}/{kind}/{params[key]}"
    return arn


def _named(service: str, key: str, kind: str) -> Any:
    def build(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
        name = params.get(key)
        if not isinstance(name, str):
            return None
        return name if name.startswith("arn:") else f"arn:aws:{service}:{region}:{account_id}:{kind}{name}"

    return build


def _sts(params: Mapping[str, Any], account_id: str, region: str) -> str | None:
    role = params.get("RoleArn")
    return role if isinstance(role, str) else None


_BUILDERS: Mapping[str, Any] = {
    "lambda": _lambda,
    "s3": _s3,
    "iam": _iam,
    "events": _events,
    "guardduty": _guardduty,
    "sts": _sts,
    "cloudtrail": _named("cloudtrail", "Name", "trail/"),
    "cloudformation": _named("cloudformation", "StackName", "stack/"),
    "logs": _named("logs", "logGroupName", "log-group:"),
    "sns": _named("sns", "TopicArn", ""),
    "kms": _named("kms", "KeyId", "key/"),
    "ssm": _named("ssm", "Name", "parameter/"),
    "dynamodb": _named("dynamodb", "TableName", "table/"),
    "secretsmanager": _named("secretsmanager", "SecretId", "secret:"),
}


def _part(params: Mapping[str, Any], path: str) -> Any:
    value: Any = params
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
