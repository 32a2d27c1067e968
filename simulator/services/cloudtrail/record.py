"""A finished call -> the record CloudTrail writes of it: versioned names, identity, redactions, resources. Pure.

Source: AWS CloudTrail user guide, Record contents; docs/aws-facts.md, part 5; what single services do otherwise, as in the
published records of invictus-ir/aws_dataset (2023). Records are of version 1.11, whose Lambda events carry no
`webIdFederationData`.
"""

import base64
import functools
import hashlib
import re
from collections.abc import Mapping
from typing import Any

from simulator import wire
from simulator.identity import Principal
from simulator.service import Call
from simulator.services.cloudtrail.values import Style, s3_parameters, seconds, told

EVENT_VERSION = "1.11"
LAMBDA_VERSIONS = {
    "CreateFunction": "20150331", "DeleteFunction": "20150331", "GetFunction": "20150331v2",
    "GetFunctionConfiguration": "20150331v2", "ListFunctions": "20150331", "UpdateFunctionCode": "20150331v2",
    "UpdateFunctionConfiguration": "20150331v2", "AddPermission": "20150331v2", "RemovePermission": "20150331v2",
    "GetPolicy": "20150331v2", "PublishVersion": "20150331", "ListVersionsByFunction": "20150331", "CreateAlias": "20150331",
    "UpdateAlias": "20150331", "DeleteAlias": "20150331", "GetAlias": "20150331", "ListAliases": "20150331",
    "PutFunctionConcurrency": "20171031", "DeleteFunctionConcurrency": "20171031",
    "TagResource": "20170331v2", "UntagResource": "20170331v2", "ListTags": "20170331",
    "CreateEventSourceMapping": "20150331", "UpdateEventSourceMapping": "20150331", "DeleteEventSourceMapping": "20150331",
    "GetEventSourceMapping": "20150331", "ListEventSourceMappings": "20150331", "GetAccountSettings": "20160819",
    "PublishLayerVersion": "20181031", "DeleteLayerVersion": "20181031", "GetLayerVersion": "20181031",
    "GetLayerVersionByArn": "20181031", "GetLayerVersionPolicy": "20181031", "AddLayerVersionPermission": "20181031",
    "RemoveLayerVersionPermission": "20181031", "ListLayers": "20181031", "ListLayerVersions": "20181031",
}  # fmt: skip
"""The API versions in Lambda's event names (AWS Lambda developer guide, Logging with CloudTrail)."""

DATA_EVENTS = frozenset({
    *(("lambda", name) for name in ("Invoke", "InvokeAsync", "InvokeWithResponseStream")),
    *(("s3", name) for name in (
        "GetObject", "PutObject", "DeleteObject", "DeleteObjects", "HeadObject", "CopyObject", "ListObjects", "ListObjectsV2",
        "ListObjectVersions", "UploadPart", "UploadPartCopy", "CreateMultipartUpload", "CompleteMultipartUpload",
        "AbortMultipartUpload", "ListParts", "ListMultipartUploads", "GetObjectAcl", "PutObjectAcl", "GetObjectTagging",
        "PutObjectTagging", "DeleteObjectTagging", "GetObjectAttributes", "GetObjectRetention", "PutObjectRetention",
        "GetObjectLegalHold", "PutObjectLegalHold", "RestoreObject", "SelectObjectContent", "HeadBucket",
    )),
    *(("sqs", name) for name in (
        "SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
    )),
    ("sns", "Publish"), ("sns", "PublishBatch"), ("events", "PutEvents"), ("cloudwatch", "PutMetricData"),
    ("cloudwatch", "GetMetricData"), ("cloudwatch", "GetMetricStatistics"), ("cloudwatch", "ListMetrics"),
    ("logs", "PutLogEvents"), ("logs", "FilterLogEvents"), ("logs", "GetLogEvents"),
    *(("dynamodb", name) for name in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")),
})  # fmt: skip
"""What AWS keeps out of Event history: data plane operations, by botocore's names."""

S3_NAMES = {
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock", "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle", "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "PutBucketNotificationConfiguration": "PutBucketNotification", "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration", "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration", "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
}  # fmt: skip
"""S3's event names that are not those of its API (Amazon S3 user guide, CloudTrail events)."""
_OF_ACCOUNT = re.compile("^(Put|Get|Delete)PublicAccessBlock$")
"""S3 control's operations of the account, whose events name it and come from S3."""

READS = frozenset({
    ("sts", "AssumeRole"), ("kms", "Decrypt"), ("kms", "Encrypt"), ("kms", "GenerateDataKey"),
})  # fmt: skip
"""What CloudTrail calls `readOnly` although the names do not say so."""

API_VERSIONS = {"logs": "20140328", "events": "2015-10-07"}
"""`apiVersion`, of the services that tell it (EventBridge user guide, Logging API calls with CloudTrail)."""

_DEFAULTS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("lambda", "CreateFunction"): {"Publish": False, "PackageType": "Zip", "Environment": {}},
    ("lambda", "UpdateFunctionCode"): {"DryRun": False, "Publish": False},
    ("lambda", "UpdateFunctionConfiguration"): {"Environment": {}},
}
"""What Lambda's records tell of a call that did not say so (docs/aws-facts.md, part 5)."""
_ENDPOINTS = {
    "cloudwatch": "monitoring",
    "stepfunctions": "states",
    "elbv2": "elasticloadbalancing",
    "efs": "elasticfilesystem",
}
_RESOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "lambda": (("FunctionName", "AWS::Lambda::Function"), ("LayerName", "AWS::Lambda::LayerVersion")),
    "iam": (
        ("RoleName", "AWS::IAM::Role"), ("UserName", "AWS::IAM::User"), ("PolicyArn", "AWS::IAM::Policy"),
        ("GroupName", "AWS::IAM::Group"), ("InstanceProfileName", "AWS::IAM::InstanceProfile"),
        ("AccessKeyId", "AWS::IAM::AccessKey"),
    ),
    "s3": (("Bucket", "AWS::S3::Bucket"),),
    "events": (("Name", "AWS::Events::Rule"), ("Rule", "AWS::Events::Rule")),
    "scheduler": (("Name", "AWS::Scheduler::Schedule"),),
    "guardduty": (
        ("DetectorId", "AWS::GuardDuty::Detector"), ("ThreatIntelSetId", "AWS::GuardDuty::ThreatIntelSet"),
        ("IpSetId", "AWS::GuardDuty::IPSet"),
    ),
    "cloudformation": (("StackName", "AWS::CloudFormation::Stack"), ("StackId", "AWS::CloudFormation::Stack")),
    "cloudtrail": (("Name", "AWS::CloudTrail::Trail"),),
    "config": (("ConfigurationRecorderName", "AWS::Config::ConfigurationRecorder"),),
    "logs": (("logGroupName", "AWS::Logs::LogGroup"),),
    "sqs": (("QueueName", "AWS::SQS::Queue"), ("QueueUrl", "AWS::SQS::Queue")),
    "sns": (("TopicArn", "AWS::SNS::Topic"),),
    "kms": (("KeyId", "AWS::KMS::Key"),),
    "sts": (("RoleArn", "AWS::IAM::Role"),),
    "ec2": (
        ("VpcId", "AWS::EC2::VPC"), ("SubnetId", "AWS::EC2::Subnet"), ("GroupId", "AWS::EC2::SecurityGroup"),
        ("RouteTableId", "AWS::EC2::RouteTable"), ("NetworkAclId", "AWS::EC2::NetworkAcl"), ("InstanceId", "AWS::EC2::Instance"),
        ("InternetGatewayId", "AWS::EC2::InternetGateway"), ("NatGatewayId", "AWS::EC2::NatGateway"),
        ("NetworkInterfaceId", "AWS::EC2::NetworkInterface"), ("VpcEndpointId", "AWS::EC2::VPCEndpoint"),
    ),
}  # fmt: skip

_BY_PREFIX = {
    "vpc-": "AWS::EC2::VPC", "subnet-": "AWS::EC2::Subnet", "sg-": "AWS::EC2::SecurityGroup", "rtb-": "AWS::EC2::RouteTable",
    "acl-": "AWS::EC2::NetworkAcl", "i-": "AWS::EC2::Instance", "igw-": "AWS::EC2::InternetGateway",
    "nat-": "AWS::EC2::NatGateway", "eni-": "AWS::EC2::NetworkInterface", "vpce-": "AWS::EC2::VPCEndpoint",
}  # fmt: skip
"""EC2's resources by what their ids begin with: CreateTags and DeleteTags name them without a kind."""


def is_management(service: str, operation: str) -> bool:
    """Return whether an operation's calls are management events, the only kind that Event history shows."""
    return (service, operation) not in DATA_EVENTS


def event_name(service: str, operation: str) -> str:
    """Return the name CloudTrail gives to an operation: Lambda's carry the version of its API, some of S3's differ from it."""
    if service == "lambda":
        return operation + LAMBDA_VERSIONS.get(operation, "")
    if service == "s3control":
        return _OF_ACCOUNT.sub(r"\1AccountPublicAccessBlock", operation)
    return S3_NAMES.get(operation, operation) if service == "s3" else operation


def read_only(call: Call) -> bool:
    """Return whether CloudTrail counts a call as a read."""
    return call.read_only or (call.service, call.operation) in READS


def event_source(service: str) -> str:
    """Return the service's principal, such as `lambda.amazonaws.com`."""
    return f"{'s3' if service == 's3control' else _ENDPOINTS.get(service, service)}.amazonaws.com"


def event_region(call: Call) -> str:
    """Return the Region whose history has a call: IAM's are us-east-1's (CloudTrail user guide, Global service events)."""
    return "us-east-1" if call.service == "iam" else call.region


def username(principal: Principal) -> str:
    """Return what LookupEvents calls the user: a role session's name, not the role's."""
    return "root" if principal.type == "Root" else principal.name


def record(call: Call, account_id: str) -> dict[str, Any]:
    """Return the event record of `call`, keys in AWS's order."""
    from_service = call.invoked_by is not None or call.principal.type == "AWSService"
    body: dict[str, Any] = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": user_identity(call.principal, call.invoked_by),
        "eventTime": seconds(call.at),
        "eventSource": event_source(call.service),
        "eventName": event_name(call.service, call.operation),
        "awsRegion": event_region(call),
        "sourceIPAddress": call.source_ip,
        "userAgent": f"[{call.user_agent}]" if call.service == "s3" and not from_service else call.user_agent,
    }
    if call.error_code:
        body["errorCode"] = _error_code(call)
        body["errorMessage"] = call.error_message or ""
    body |= {
        "requestParameters": request_parameters(call),
        "responseElements": response_elements(call),
        **({"additionalEventData": _of_s3(call)} if call.service == "s3" else {}),
        "requestID": call.request_id,
        "eventID": call.event_id,
        "readOnly": read_only(call),
        **_resources_told(call, account_id),
        "eventType": "AwsApiCall",
        **({"apiVersion": API_VERSIONS[call.service]} if call.service in API_VERSIONS else {}),
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }
    if not from_service:
        body["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": _host(call),
        }
    return body


def _host(call: Call) -> str:
    if call.service == "s3" and "Bucket" in call.params:
        return f"{call.params['Bucket']}.s3.{call.region}.amazonaws.com"
    if call.service == "iam":
        return "iam.amazonaws.com"
    return f"{_ENDPOINTS.get(call.service, call.service)}.{call.region}.amazonaws.com"


def _of_s3(call: Call) -> dict[str, Any]:
    """Return S3's `additionalEventData`; how many bytes went either way is left out, since nothing counts them."""
    digest = hashlib.sha384(call.event_id.encode()).digest()
    return {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": base64.b64encode(digest).decode(),
    }


def _resources_told(call: Call, account_id: str) -> dict[str, Any]:
    """Return the record's `resources`, which S3, STS and KMS tell; nothing for other services."""
    name = call.params.get({"s3": "Bucket", "sts": "RoleArn", "kms": "KeyId"}.get(call.service, ""))
    if not isinstance(name, str) or not name or call.operation == "CreateBucket":
        return {}
    kind, arn = {
        "s3": ("AWS::S3::Bucket", f"arn:aws:s3:::{name}"),
        "sts": ("AWS::IAM::Role", name),
        "kms": (
            "AWS::KMS::Key",
            name if name.startswith("arn:") else f"arn:aws:kms:{call.region}:{account_id}:key/{name}",
        ),
    }[call.service]
    return {"resources": [{"accountId": account_id, "type": kind, "ARN": arn}]}


def user_identity(principal: Principal, invoked_by: str | None) -> dict[str, Any]:
    """Return the record's `userIdentity`."""
    if principal.type == "AWSService":
        return {"type": "AWSService", "invokedBy": principal.name}
    identity: dict[str, Any] = {
        "type": principal.type,
        "principalId": principal.principal_id or principal.account_id,
        "arn": principal.arn,
        "accountId": principal.account_id,
        "accessKeyId": principal.access_key_id,
    }
    if principal.type == "AssumedRole":
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal.issuer_id,
                "arn": principal.issuer_arn,
                "accountId": principal.account_id,
                "userName": principal.issuer_name,
            },
            "attributes": {
                "creationDate": seconds(principal.session_created) if principal.session_created else "",
                "mfaAuthenticated": "false",
            },
        }
    elif principal.type == "IAMUser":
        identity["userName"] = principal.name
    if invoked_by:
        identity["invokedBy"] = invoked_by
    return identity


def request_parameters(call: Call) -> dict[str, Any] | None:
    """Return the record's `requestParameters`: camelCase, secrets, code and environment values left out; None where empty."""
    if call.service == "s3":
        return s3_parameters(call, _host(call))
    shape = wire.operation_model(call.service, call.operation).input_shape
    if shape is None:
        return None
    given = {**_DEFAULTS.get((call.service, call.operation), {}), **call.params}
    return told(shape, given, Style.of(call.service)) or None


def response_elements(call: Call) -> dict[str, Any] | None:
    """Return the record's `responseElements`; None for reads, failures and answers without content."""
    if call.response is None or call.service == "s3":
        return None
    shape = wire.operation_model(call.service, call.operation).output_shape
    function = call.service == "lambda" and "CodeSha256" in call.response
    answered = {"Environment": {}, **call.response} if function else call.response
    found: dict[str, Any] = told(shape, answered, Style.of(call.service)) if shape else {}
    if call.service == "ec2":
        done = shape is None or "Return" in shape.members or call.operation == "CreateSecurityGroup"
        found.pop("return", None)
        found = {"requestId": call.request_id, **({"_return": True} if done else {}), **found}
    return found or None


def resources(call: Call) -> tuple[tuple[str, str], ...]:
    """Return (type, name) of every resource that a call refers to, what it was asked about first."""
    found: dict[tuple[str, str], None] = {}
    answered: Mapping[str, Any] = call.response or {}
    nested = (
        [value for value in answered.values() if isinstance(value, Mapping)] if call.service in ("iam", "ec2") else []
    )
    for source in (call.params, answered, *nested):
        for key, kind in _RESOURCES.get(call.service, ()):
            value = source.get(key)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str) and text:
                    found[(kind, _resource_name(kind, text))] = None
        for key, kind in _RESOURCES.get(call.service, ()):
            for text in source.get(f"{key}s", ()) if isinstance(source.get(f"{key}s"), list) else ():
                if isinstance(text, str):
                    found[(kind, _resource_name(kind, text))] = None
    tagged = call.params.get("Resources") if call.service == "ec2" else None
    for named in tagged if isinstance(tagged, list) else ():
        if isinstance(named, str) and (by_prefix := _BY_PREFIX.get(f"{named.partition('-')[0]}-")):
            found[(by_prefix, named)] = None
    for arn in (call.params.get("Resource"), call.params.get("ResourceArn"), call.params.get("ResourceARN")):
        if isinstance(arn, str) and ":function:" in arn:
            found[("AWS::Lambda::Function", _resource_name("AWS::Lambda::Function", arn))] = None
    return tuple(found)


def _resource_name(kind: str, text: str) -> str:
    if kind == "AWS::Lambda::Function":
        return re.sub(r"^(arn:[^:]+:lambda:[^:]*:[^:]*:function:|\d{12}:function:|\d{12}:)", "", text).split(":")[0]
    return text


def _error_code(call: Call) -> str:
    """Return the error's code as CloudTrail writes it: EC2's and S3's way of refusing differs from the others'."""
    if call.error_code == "AccessDeniedException" or call.error_code == "AccessDenied":
        return "AccessDenied"
    if call.service == "ec2":
        return f"Client.{call.error_code}"
    if call.service == "iam":
        return _iam_exceptions().get(call.error_code or "", call.error_code or "")
    return call.error_code or ""


@functools.cache
def _iam_exceptions() -> Mapping[str, str]:
    """Return IAM's exceptions by their codes: its records say NoSuchEntityException where the API says NoSuchEntity."""
    return {shape.metadata.get("error", {}).get("code"): shape.name for shape in wire.model("iam").error_shapes}
