"""A finished call -> the record CloudTrail writes of it: versioned names, identity, redactions, resources. Pure.

Source: AWS CloudTrail user guide, Record contents; docs/aws-facts.md, part 5. Records are of version 1.11, whose Lambda events
carry no `webIdFederationData`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from simulator import wire
from simulator.identity import Principal
from simulator.service import Call

EVENT_VERSION = "1.11"
LAMBDA_VERSIONS = {
    "CreateFunction": "20150331", "DeleteFunction": "20150331", "GetFunction": "20150331v2",
    "GetFunctionConfiguration": "20150331v2", "ListFunctions": "20150331", "UpdateFunctionCode": "20150331v2",
    "UpdateFunctionConfiguration": "20150331v2", "AddPermission": "20150331v2", "RemovePermission": "20150331v2",
    "GetPolicy": "20150331v2", "PublishVersion": "20150331", "ListVersionsByFunction": "20150331", "CreateAlias": "20150331",
    "UpdateAlias": "20150331", "DeleteAlias": "20150331", "GetAlias": "20150331", "ListAliases": "20150331",
    "PutFunctionConcurrency": "20171031", "DeleteFunctionConcurrency": "20171031", "GetFunctionConcurrency": "20190930",
    "TagResource": "20170331v2", "UntagResource": "20170331v2", "ListTags": "20170331",
    "CreateEventSourceMapping": "20150331", "UpdateEventSourceMapping": "20150331", "DeleteEventSourceMapping": "20150331",
    "GetEventSourceMapping": "20150331", "ListEventSourceMappings": "20150331", "GetAccountSettings": "20160819",
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

_SECRET = re.compile(
    r"(secret|password|sessiontoken|privatekey|keymaterial|plaintext|authorizationtoken|zipfile)", re.IGNORECASE
)
_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_OMITTED = frozenset({"TemplateBody", "ParameterValue"})
"""What CloudFormation's records leave out (CloudFormation user guide, Logging API calls with CloudTrail)."""
_DEFAULTS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("lambda", "CreateFunction"): {"Publish": False, "PackageType": "Zip", "Environment": {}},
    ("lambda", "UpdateFunctionCode"): {"DryRun": False, "Publish": False},
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


def is_management(service: str, operation: str) -> bool:
    """Return whether an operation's calls are management events, the only kind that Event history shows."""
    return (service, operation) not in DATA_EVENTS


def event_name(service: str, operation: str) -> str:
    """Return the name CloudTrail gives to an operation: Lambda's carry the version of its API."""
    return operation + LAMBDA_VERSIONS.get(operation, "") if service == "lambda" else operation


def event_source(service: str) -> str:
    """Return the service's principal, such as `lambda.amazonaws.com`."""
    return f"{_ENDPOINTS.get(service, service)}.amazonaws.com"


def region(call: Call) -> str:
    """Return the Region that an event belongs to: IAM's are told of in one."""
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
        "eventTime": _seconds(call.at),
        "eventSource": event_source(call.service),
        "eventName": event_name(call.service, call.operation),
        "awsRegion": region(call),
        "sourceIPAddress": call.source_ip,
        "userAgent": call.user_agent,
    }
    if call.error_code:
        body["errorCode"] = _error_code(call)
        body["errorMessage"] = call.error_message or ""
    body |= {
        "requestParameters": request_parameters(call),
        "responseElements": response_elements(call),
        "requestID": call.request_id,
        "eventID": call.event_id,
        "readOnly": call.read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account_id,
        "eventCategory": "Management",
    }
    if not from_service:
        body["tlsDetails"] = {
            "tlsVersion": "TLSv1.3",
            "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": f"{_ENDPOINTS.get(call.service, call.service)}.{call.region}.amazonaws.com",
        }
    return body


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
                "creationDate": _seconds(principal.session_created) if principal.session_created else "",
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
    shape = wire.operation_model(call.service, call.operation).input_shape
    if shape is None:
        return None
    given = {**_DEFAULTS.get((call.service, call.operation), {}), **call.params}
    shown: dict[str, Any] = _shown(shape, given)
    if call.service == "s3" and "bucket" in shown:
        shown = {
            "bucketName": shown.pop("bucket"),
            "Host": f"{call.params['Bucket']}.s3.{call.region}.amazonaws.com",
            **shown,
        }
    return shown or None


def response_elements(call: Call) -> dict[str, Any] | None:
    """Return the record's `responseElements`; None for reads, failures and answers without content."""
    if call.response is None or call.service == "s3":
        return None
    shape = wire.operation_model(call.service, call.operation).output_shape
    if shape is None:
        return None
    created = (call.service, call.operation) == ("lambda", "CreateFunction")
    answered = {"Environment": {}, **call.response} if created else call.response
    return _shown(shape, answered) or None


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
    return call.error_code or ""


def _shown(shape: Any, value: Any) -> Any:
    """Return a value of the model as a record shows it, members in the model's order and beginning in lower case.

    The keys of a map (tags, say) are the caller's and stay as they are. Secrets are hidden, binary content left out.
    What does not fit the model, as in a call that was refused for it, is shown as it is.
    """
    kind = shape.type_name
    if kind == "structure" and isinstance(value, Mapping):
        return _members(shape, value)
    if kind == "list" and isinstance(value, list | tuple):
        return [_shown(shape.member, item) for item in value if not isinstance(item, bytes | bytearray)]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _shown(shape.value, item) for key, item in value.items()}
    return _seconds(value) if isinstance(value, datetime) else value


def _members(shape: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    shown = {}
    for name, member in shape.members.items():
        item = value.get(name)
        if item is None or isinstance(item, bytes | bytearray) or name in _OMITTED:
            continue
        if shape.name == "Environment" and name == "Variables":
            continue
        if _SECRET.search(name):
            if isinstance(item, str) and item:
                shown[_lower(name)] = _HIDDEN
            continue
        shown[_lower(name)] = _shown(member, item)
    return shown


def _lower(key: str) -> str:
    return key[0].lower() + key[1:] if key[:1].isupper() and not key.isupper() else key


def _seconds(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
