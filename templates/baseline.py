"""What watches the account: GuardDuty with Lambda protection, AWS Config, CloudTrail."""

from troposphere import Export, GetAtt, Output, Ref, Sub, Template
from troposphere.cloudtrail import Trail
from troposphere.config import ConfigSnapshotDeliveryProperties, ConfigurationRecorder, DeliveryChannel, RecordingGroup
from troposphere.guardduty import CFNFeatureConfiguration, Detector
from troposphere.iam import Policy, Role

from templates.options import Options
from templates.parts import Statement, add_private_bucket, assumable_by, policy, template

RECORDED_TYPES = (
    "AWS::CloudFormation::Stack",
    "AWS::CloudTrail::Trail",
    "AWS::EC2::NetworkAcl",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::Events::Rule",
    "AWS::GuardDuty::Detector",
    "AWS::GuardDuty::IPSet",
    "AWS::GuardDuty::ThreatIntelSet",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::S3::Bucket",
)
"""What an investigation here touches. Config bills each configuration item, so a large account is not recorded whole."""


def baseline(options: Options) -> Template | None:
    """Return the template of detector, recorder and trail, without what `options` leaves out; None where all is."""
    made = template("GuardDuty lab: GuardDuty with Lambda protection, AWS Config, CloudTrail")
    if options.guardduty and options.detector_id is None:
        _add_detector(made, options)
    if options.recorder:
        _add_recorder(made, options)
    if options.trail:
        _add_trail(made, options)
    return made if made.resources else None


def _add_detector(made: Template, options: Options) -> None:
    """Add the Region's one detector and export its id.

    Source: AWS CloudFormation, AWS::GuardDuty::Detector; docs/aws-facts.md, part 3.
    """
    detector = made.add_resource(
        Detector(
            "Detector",
            Enable=True,
            Features=[CFNFeatureConfiguration(Name="LAMBDA_NETWORK_LOGS", Status="ENABLED")],
        )
    )
    made.add_output(
        Output(
            "DetectorId",
            Description="The GuardDuty detector",
            Value=Ref(detector),
            Export=Export(options.detector_export),
        )
    )


def _add_recorder(made: Template, options: Options) -> None:
    """Add recorder and delivery channel with their bucket and role.

    Neither depends on the other: CloudFormation's recorder is complete only once a channel exists, and a channel can
    only be made beside a recorder. The recorder's id sorts first, for engines that make one resource after another.
    Source: docs/aws-facts.md, part 6.
    """
    bucket_arn = _arn_of_bucket(options, "config")
    bucket, bucket_policy = add_private_bucket(made, "ConfigBucket", options.bucket("config"))
    role = made.add_resource(
        Role(
            "ConfigRole",
            Description="AWS Config reads resources and delivers to its bucket",
            AssumeRolePolicyDocument=assumable_by(
                "config.amazonaws.com", condition={"StringEquals": {"aws:SourceAccount": Ref("AWS::AccountId")}}
            ),
            ManagedPolicyArns=[Sub("arn:${AWS::Partition}:iam::aws:policy/service-role/AWS_ConfigRole")],
            Policies=[
                Policy(
                    PolicyName="deliver",
                    PolicyDocument=policy(
                        {
                            "Effect": "Allow",
                            "Action": ["s3:GetBucketAcl", "s3:ListBucket"],
                            "Resource": Sub(bucket_arn),
                        },
                        {
                            "Effect": "Allow",
                            "Action": "s3:PutObject",
                            "Resource": Sub(f"{bucket_arn}/AWSLogs/${{AWS::AccountId}}/Config/*"),
                        },
                    ),
                )
            ],
        )
    )
    made.add_resource(
        ConfigurationRecorder(
            "ConfigRecorder",
            Name=options.named("default"),
            RoleARN=GetAtt(role, "Arn"),
            RecordingGroup=RecordingGroup(
                AllSupported=False, IncludeGlobalResourceTypes=False, ResourceTypes=list(RECORDED_TYPES)
            ),
        )
    )
    made.add_resource(
        DeliveryChannel(
            "DeliveryChannel",
            Name=options.named("default"),
            S3BucketName=Ref(bucket),
            ConfigSnapshotDeliveryProperties=ConfigSnapshotDeliveryProperties(DeliveryFrequency="TwentyFour_Hours"),
            DependsOn=[bucket_policy.title, role.title],
        )
    )


def _add_trail(made: Template, options: Options) -> None:
    """Add a trail of management events with its bucket, which takes this trail's files only.

    Source: AWS CloudTrail user guide, Amazon S3 bucket policy for CloudTrail.
    """
    trail_arn = f"arn:${{AWS::Partition}}:cloudtrail:${{AWS::Region}}:${{AWS::AccountId}}:trail/{options.trail_name}"
    bucket, bucket_policy = add_private_bucket(
        made, "TrailBucket", options.bucket("trail"), _trail_statements(_arn_of_bucket(options, "trail"), trail_arn)
    )
    made.add_resource(
        Trail(
            "Trail",
            TrailName=options.trail_name,
            IsLogging=True,
            S3BucketName=Ref(bucket),
            IncludeGlobalServiceEvents=True,
            IsMultiRegionTrail=True,
            EnableLogFileValidation=True,
            DependsOn=[bucket_policy.title],
        )
    )


def _trail_statements(bucket_arn: str, trail_arn: str) -> tuple[Statement, ...]:
    service = {"Service": "cloudtrail.amazonaws.com"}
    return (
        {
            "Sid": "TrailChecksTheBucket",
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:GetBucketAcl",
            "Resource": Sub(bucket_arn),
            "Condition": {"StringEquals": {"aws:SourceArn": Sub(trail_arn)}},
        },
        {
            "Sid": "TrailWrites",
            "Effect": "Allow",
            "Principal": service,
            "Action": "s3:PutObject",
            "Resource": Sub(f"{bucket_arn}/AWSLogs/${{AWS::AccountId}}/*"),
            "Condition": {
                "StringEquals": {"aws:SourceArn": Sub(trail_arn), "s3:x-amz-acl": "bucket-owner-full-control"}
            },
        },
    )


def _arn_of_bucket(options: Options, purpose: str) -> str:
    return f"arn:${{AWS::Partition}}:s3:::{options.bucket(purpose)}"
