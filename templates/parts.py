"""Pieces that several templates share: a template's head, policy documents, private buckets."""

from collections.abc import Mapping, Sequence
from typing import Any

from troposphere import GetAtt, Ref, Sub, Template
from troposphere.s3 import (
    Bucket,
    BucketEncryption,
    BucketPolicy,
    OwnershipControls,
    OwnershipControlsRule,
    PublicAccessBlockConfiguration,
    ServerSideEncryptionByDefault,
    ServerSideEncryptionRule,
)

Statement = Mapping[str, Any]


def template(description: str) -> Template:
    """Return an empty template with AWS's format version and a description."""
    made = Template(Description=description)
    made.set_version("2010-09-09")
    return made


def policy(*statements: Statement) -> dict[str, Any]:
    """Return a policy document with `statements`, in the current policy language."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def assumable_by(service: str, *, condition: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the trust policy of a role for the AWS service `service` (`lambda.amazonaws.com`), nobody else."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return policy({**statement, "Condition": dict(condition)} if condition else statement)


def add_private_bucket(
    made: Template, title: str, name: str, statements: Sequence[Statement] = ()
) -> tuple[Bucket, BucketPolicy]:
    """Add a bucket that is encrypted, closed to the public, without ACLs and reached over TLS only; return it and its policy.

    `name` is text for Fn::Sub, `statements` go into the bucket's policy beside the one that denies plain HTTP.
    Deleting the stack deletes the bucket, which must be empty then: `deploy.apply` sees to it. Encryption is SSE-S3:
    GuardDuty cannot read SSE-C lists, and SSE-KMS ones only with a grant in the key's policy (docs/aws-facts.md, part 3).
    """
    bucket = made.add_resource(
        Bucket(
            title,
            BucketName=Sub(name),
            BucketEncryption=BucketEncryption(
                ServerSideEncryptionConfiguration=[
                    ServerSideEncryptionRule(
                        ServerSideEncryptionByDefault=ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
                    )
                ]
            ),
            OwnershipControls=OwnershipControls(Rules=[OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]),
            PublicAccessBlockConfiguration=PublicAccessBlockConfiguration(
                BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
            ),
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    tls_only = {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [GetAtt(bucket, "Arn"), objects_of(bucket)],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    guard = made.add_resource(
        BucketPolicy(f"{title}Policy", Bucket=Ref(bucket), PolicyDocument=policy(tls_only, *statements))
    )
    return bucket, guard


def objects_of(bucket: Bucket, key: str = "*") -> Sub:
    """Return the ARN of the objects of `bucket` under `key`."""
    return Sub(f"${{{bucket.title}.Arn}}/{key}")
