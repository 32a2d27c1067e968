"""AWS::S3::*: buckets, set up call by call, and their policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulator.errors import AwsError
from simulator.services.cloudformation.resources.base import Handler, Properties, Work, as_json, gone, pick

_Shape = Callable[[Any], dict[str, Any]]


def _same(member: str) -> _Shape:
    return lambda value: {member: value}


def _encryption(value: Any) -> dict[str, Any]:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        body = {key: child for key, child in rule.items() if key != "ServerSideEncryptionByDefault"}
        if "ServerSideEncryptionByDefault" in rule:
            body["ApplyServerSideEncryptionByDefault"] = rule["ServerSideEncryptionByDefault"]
        rules.append(body)
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lifecycle(value: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in value["Rules"]]}}


def _lifecycle_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = {"ID": rule["Id"]} if "Id" in rule else {}
    body |= {"Status": rule["Status"], "Filter": {"Prefix": rule.get("Prefix", "")}}
    expiry = {"Days": rule.get("ExpirationInDays"), "Date": rule.get("ExpirationDate")}
    expiry["ExpiredObjectDeleteMarker"] = rule.get("ExpiredObjectDeleteMarker")
    body["Expiration"] = {key: child for key, child in expiry.items() if child is not None}
    if "NoncurrentVersionExpirationInDays" in rule:
        body["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    if "AbortIncompleteMultipartUpload" in rule:
        body["AbortIncompleteMultipartUpload"] = rule["AbortIncompleteMultipartUpload"]
    if "NoncurrentVersionExpiration" in rule:
        body["NoncurrentVersionExpiration"] = rule["NoncurrentVersionExpiration"]
    transitions = [*rule.get("Transitions", ()), *([rule["Transition"]] if "Transition" in rule else ())]
    body["Transitions"] = [
        {"StorageClass": item["StorageClass"]}
        | ({"Days": item["TransitionInDays"]} if "TransitionInDays" in item else {"Date": item.get("TransitionDate")})
        for item in transitions
    ]
    return {key: child for key, child in body.items() if child not in ({}, [])}


def _notifications(value: Any) -> dict[str, Any]:
    kinds = (
        ("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
        ("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn"),
        ("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn"),
    )
    body: dict[str, Any] = {}
    for given, wanted, target, arn in kinds:
        if value.get(given):
            body[wanted] = [
                {arn: item[target], "Events": [item["Event"]]}
                | ({"Filter": {"Key": {"FilterRules": item["Filter"]["S3Key"]["Rules"]}}} if "Filter" in item else {})
                for item in value[given]
            ]
    if "EventBridgeConfiguration" in value:
        body["EventBridgeConfiguration"] = {}
    return {"NotificationConfiguration": body}


def _website(value: Any) -> dict[str, Any]:
    body = pick(value, "RedirectAllRequestsTo")
    if "RoutingRules" in value:
        names = {"RedirectRule": "Redirect", "RoutingRuleCondition": "Condition"}
        body["RoutingRules"] = [
            {names.get(name, name): part for name, part in rule.items()} for rule in value["RoutingRules"]
        ]
    if "IndexDocument" in value:
        body["IndexDocument"] = {"Suffix": value["IndexDocument"]}
    if "ErrorDocument" in value:
        body["ErrorDocument"] = {"Key": value["ErrorDocument"]}
    return {"WebsiteConfiguration": body}


def _cors(value: Any) -> dict[str, Any]:
    rules = [
        {
            {"Id": "ID", "MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders"}.get(key, key): child
            for key, child in rule.items()
        }
        for rule in value["CorsRules"]
    ]
    return {"CORSConfiguration": {"CORSRules": rules}}


def _logging(value: Any) -> dict[str, Any]:
    if not value:
        return {"BucketLoggingStatus": {}}
    target = {"TargetBucket": value.get("DestinationBucketName"), "TargetPrefix": value.get("LogFilePrefix", "")}
    return {"BucketLoggingStatus": {"LoggingEnabled": target}}


_SETTINGS: Final[Mapping[str, tuple[str, _Shape, str]]] = {
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock",
        _same("PublicAccessBlockConfiguration"),
        "DeletePublicAccessBlock",
    ),
    "OwnershipControls": ("PutBucketOwnershipControls", _same("OwnershipControls"), "DeleteBucketOwnershipControls"),
    "BucketEncryption": ("PutBucketEncryption", _encryption, "DeleteBucketEncryption"),
    "VersioningConfiguration": ("PutBucketVersioning", _same("VersioningConfiguration"), ""),
    "AccelerateConfiguration": (
        "PutBucketAccelerateConfiguration",
        lambda value: {"AccelerateConfiguration": {"Status": value["AccelerationStatus"]}},
        "",
    ),
    "LifecycleConfiguration": ("PutBucketLifecycleConfiguration", _lifecycle, "DeleteBucketLifecycle"),
    "NotificationConfiguration": ("PutBucketNotificationConfiguration", _notifications, ""),
    "WebsiteConfiguration": ("PutBucketWebsite", _website, "DeleteBucketWebsite"),
    "CorsConfiguration": ("PutBucketCors", _cors, "DeleteBucketCors"),
    "LoggingConfiguration": ("PutBucketLogging", _logging, ""),
}
"""By property: the call that sets it, its parameters, the call that takes it away ("": set it to what is off)."""

_OFF: Final[Mapping[str, Any]] = {
    "VersioningConfiguration": {"Status": "Suspended"},
    "AccelerateConfiguration": {"AccelerationStatus": "Suspended"},
    "NotificationConfiguration": {},
    "LoggingConfiguration": {},
}

_CANNED_ACLS: Final = {
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
}


class Bucket(Handler):
    """AWS::S3::Bucket."""

    type = "AWS::S3::Bucket"
    custom_name = "BucketName"
    ignored = frozenset(
        {
            "AbacStatus",
            "AnalyticsConfigurations",
            "BucketNamePrefix",
            "BucketNamespace",
            "IntelligentTieringConfigurations",
            "InventoryConfigurations",
            "MetadataConfiguration",
            "MetadataTableConfiguration",
            "MetricsConfigurations",
            "ObjectLockConfiguration",
            "ReplicationConfiguration",
        }
    )

    def create(self, work: Work, props: Properties) -> str:
        """Create the bucket and put each of its settings."""
        name = props.get("BucketName") or work.name(63, lower=True)
        region = work.ctx.region
        work.call(
            "s3",
            "CreateBucket",
            Bucket=name,
            ACL=_CANNED_ACLS.get(str(props.get("AccessControl"))),
            CreateBucketConfiguration={"LocationConstraint": region} if region != "us-east-1" else None,
            ObjectLockEnabledForBucket=props.get("ObjectLockEnabled"),
        )
        work.made(name)
        self._set(work, name, {}, props)
        return str(name)

    def _set(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        for setting, (put, shape, delete) in _SETTINGS.items():
            if old.get(setting) == new.get(setting):
                continue
            if setting in new or not delete:
                work.call("s3", put, Bucket=name, **shape(new.get(setting, _OFF.get(setting))))
            else:
                work.call("s3", delete, Bucket=name)
        tags = work.tags(new.get("Tags"))
        if tags:
            work.call("s3", "PutBucketTagging", Bucket=name, Tagging={"TagSet": tags})
        elif old.get("Tags"):
            work.call("s3", "DeleteBucketTagging", Bucket=name)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the settings that changed, take away those that are not declared any more."""
        self._set(work, physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the bucket, which must be empty."""
        work.call("s3", "DeleteBucket", Bucket=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return the ARN and the host names."""
        region = work.ctx.region
        return {
            "Arn": f"arn:aws:s3:::{physical_id}",
            "DomainName": f"{physical_id}.s3.amazonaws.com",
            "DualStackDomainName": f"{physical_id}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{physical_id}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{physical_id}.s3-website-{region}.amazonaws.com",
        }

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return public access block, ownership, versioning and encryption of those declared."""
        work.read("s3", "HeadBucket", Bucket=physical_id)
        found: dict[str, Any] = {}
        readers = (
            ("PublicAccessBlockConfiguration", "GetPublicAccessBlock"),
            ("OwnershipControls", "GetBucketOwnershipControls"),
        )
        for name, operation in readers:
            if name in props:
                found[name] = self._setting(work, physical_id, operation, name)
        if "VersioningConfiguration" in props:
            status = work.read("s3", "GetBucketVersioning", Bucket=physical_id).get("Status", "Suspended")
            found["VersioningConfiguration"] = {"Status": status}
        if "BucketEncryption" in props:
            rules = self._setting(work, physical_id, "GetBucketEncryption", "ServerSideEncryptionConfiguration")
            found["BucketEncryption"] = {
                "ServerSideEncryptionConfiguration": [
                    {
                        {"ApplyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault"}.get(key, key): child
                        for key, child in rule.items()
                        if key != "BucketKeyEnabled" or child
                    }
                    for rule in (rules or {}).get("Rules", ())
                ]
            }
        return found

    @staticmethod
    def _setting(work: Work, bucket: str, operation: str, member: str) -> Any:
        try:
            return work.read("s3", operation, Bucket=bucket).get(member)
        except AwsError as error:
            if gone(error):
                return None
            raise


class BucketPolicy(Handler):
    """AWS::S3::BucketPolicy; Ref is the bucket's name."""

    type = "AWS::S3::BucketPolicy"

    def create(self, work: Work, props: Properties) -> str:
        """Put the policy."""
        work.call("s3", "PutBucketPolicy", Bucket=props["Bucket"], Policy=as_json(props["PolicyDocument"]))
        return work.made(str(props["Bucket"]))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the new policy."""
        work.call("s3", "PutBucketPolicy", Bucket=physical_id, Policy=as_json(new["PolicyDocument"]))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the policy."""
        work.call("s3", "DeleteBucketPolicy", Bucket=physical_id)
