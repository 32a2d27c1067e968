"""What CloudFormation's registry says of each resource type that the lab knows.

Property names, the required ones, the create-only ones (a change replaces the resource) and the attributes for
Fn::GetAtt. Source: AWS CloudFormation resource and property types reference, and the registry's resource schemas.
A contract test compares this table with the copy of the registry that cfn-lint carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One type. `create_only` holds dotted paths where only a part of a property is create-only.

    `attributes` are for Fn::GetAtt; so are the `readable` properties, as the template gives them.
    """

    properties: frozenset[str]
    required: tuple[str, ...]
    create_only: frozenset[str]
    attributes: frozenset[str]
    readable: frozenset[str]


def _of(
    *, properties: str = "", required: str = "", create_only: str = "", attributes: str = "", all_readable: bool = False
) -> Schema:
    return Schema(
        properties=frozenset(properties.split()),
        required=tuple(required.split()),
        create_only=frozenset(create_only.split()),
        attributes=frozenset(attributes.split()),
        readable=frozenset(properties.split()) if all_readable else frozenset(),
    )


SCHEMAS: Mapping[str, Schema] = MappingProxyType(
    {
        "AWS::CDK::Metadata": _of(
            properties="Analytics Modules",
            attributes="Id",
        ),
        "AWS::CloudFormation::Stack": _of(
            properties="NotificationARNs Parameters Tags TemplateURL TimeoutInMinutes",
            required="TemplateURL",
            attributes="StackId",
        ),
        "AWS::CloudFormation::WaitConditionHandle": _of(
            attributes="Id",
        ),
        "AWS::CloudTrail::Trail": _of(
            properties=(
                "AdvancedEventSelectors AggregationConfigurations CloudWatchLogsLogGroupArn CloudWatchLogsRoleArn "
                "EnableLogFileValidation EventSelectors IncludeGlobalServiceEvents InsightSelectors IsLogging "
                "IsMultiRegionTrail IsOrganizationTrail KMSKeyId S3BucketName S3KeyPrefix SnsTopicName Tags TrailName"
            ),
            required="IsLogging S3BucketName",
            create_only="TrailName",
            attributes="Arn SnsTopicArn",
        ),
        "AWS::CloudWatch::Alarm": _of(
            properties=(
                "ActionConfiguration ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator "
                "DatapointsToAlarm Dimensions EvaluateLowSampleCountPercentile EvaluationCriteria EvaluationInterval "
                "EvaluationPeriods EvaluationWindow ExtendedStatistic InsufficientDataActions MetricName Metrics "
                "Namespace OKActions Period Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit "
                "WarmUpConfiguration"
            ),
            create_only="AlarmName",
            attributes="Arn",
        ),
        "AWS::Config::ConfigurationRecorder": _of(
            properties="Name RecordingGroup RecordingMode RoleARN StartedOnCreate",
            required="RoleARN",
            create_only="Name StartedOnCreate",
            attributes="ResourceARN",
        ),
        "AWS::Config::DeliveryChannel": _of(
            properties="ConfigSnapshotDeliveryProperties Name S3BucketName S3KeyPrefix S3KmsKeyArn SnsTopicARN",
            required="S3BucketName",
            create_only="Name",
        ),
        "AWS::DynamoDB::Table": _of(
            properties=(
                "AttributeDefinitions BillingMode ContributorInsightsSpecification DeletionProtectionEnabled "
                "GlobalSecondaryIndexes ImportSourceSpecification KeySchema KinesisStreamSpecification "
                "LocalSecondaryIndexes OnDemandThroughput PointInTimeRecoverySpecification ProvisionedThroughput "
                "ResourcePolicy SSESpecification StreamSpecification TableClass TableName Tags "
                "TimeToLiveSpecification VectorIndexes WarmThroughput"
            ),
            required="KeySchema",
            create_only="ImportSourceSpecification TableName",
            attributes="Arn StreamArn",
        ),
        "AWS::EC2::EIP": _of(
            properties=("Address Domain InstanceId IpamPoolId NetworkBorderGroup PublicIpv4Pool Tags TransferAddress"),
            create_only="Address IpamPoolId NetworkBorderGroup TransferAddress",
            attributes="AllocationId PublicIp",
        ),
        "AWS::EC2::Instance": _of(
            properties=(
                "AdditionalInfo Affinity AvailabilityZone BlockDeviceMappings CpuOptions CreditSpecification "
                "DisableApiTermination EbsOptimized ElasticGpuSpecifications ElasticInferenceAccelerators "
                "EnclaveOptions HibernationOptions HostId HostResourceGroupArn IamInstanceProfile ImageId "
                "InstanceInitiatedShutdownBehavior InstanceType Ipv6AddressCount Ipv6Addresses KernelId KeyName "
                "LaunchTemplate LicenseSpecifications MetadataOptions Monitoring NetworkInterfaces PlacementGroupName "
                "PrivateDnsNameOptions PrivateIpAddress PropagateTagsToVolumeOnCreation RamdiskId SecurityGroupIds "
                "SecurityGroups SourceDestCheck SsmAssociations SubnetId Tags Tenancy UserData Volumes"
            ),
            create_only=(
                "AvailabilityZone CpuOptions ElasticGpuSpecifications ElasticInferenceAccelerators EnclaveOptions "
                "HibernationOptions HostResourceGroupArn ImageId Ipv6AddressCount Ipv6Addresses KeyName "
                "LaunchTemplate LicenseSpecifications NetworkInterfaces PlacementGroupName PrivateIpAddress "
                "SecurityGroups SubnetId"
            ),
            attributes="AvailabilityZone InstanceId PrivateDnsName PrivateIp PublicDnsName PublicIp State VpcId",
            all_readable=True,
        ),
        "AWS::EC2::InternetGateway": _of(
            properties="Tags",
            attributes="InternetGatewayId",
        ),
        "AWS::EC2::NatGateway": _of(
            properties=(
                "AllocationId AvailabilityMode AvailabilityZoneAddresses ConnectivityType MaxDrainDurationSeconds "
                "PrivateIpAddress SecondaryAllocationIds SecondaryPrivateIpAddressCount SecondaryPrivateIpAddresses "
                "SubnetId Tags VpcId"
            ),
            create_only="AllocationId AvailabilityMode ConnectivityType PrivateIpAddress SubnetId VpcId",
            attributes="AutoProvisionZones AutoScalingIps EniId NatGatewayId RouteTableId",
        ),
        "AWS::EC2::NetworkAcl": _of(
            properties="Tags VpcId",
            required="VpcId",
            create_only="VpcId",
            attributes="Id",
        ),
        "AWS::EC2::NetworkAclEntry": _of(
            properties="CidrBlock Egress Icmp Ipv6CidrBlock NetworkAclId PortRange Protocol RuleAction RuleNumber",
            required="NetworkAclId Protocol RuleAction RuleNumber",
            create_only="Egress NetworkAclId RuleNumber",
            attributes="Id",
        ),
        "AWS::EC2::Route": _of(
            properties=(
                "CarrierGatewayId CoreNetworkArn DestinationCidrBlock DestinationIpv6CidrBlock "
                "DestinationPrefixListId EgressOnlyInternetGatewayId GatewayId InstanceId LocalGatewayId NatGatewayId "
                "NetworkInterfaceId OdbNetworkArn RouteTableId TransitGatewayId VpcEndpointId VpcPeeringConnectionId"
            ),
            required="RouteTableId",
            create_only="DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId RouteTableId",
            attributes="CidrBlock",
        ),
        "AWS::EC2::RouteTable": _of(
            properties="Tags VpcId",
            required="VpcId",
            create_only="VpcId",
            attributes="RouteTableId",
        ),
        "AWS::EC2::SecurityGroup": _of(
            properties="GroupDescription GroupName SecurityGroupEgress SecurityGroupIngress Tags VpcId",
            required="GroupDescription",
            create_only="GroupDescription GroupName VpcId",
            attributes="GroupId Id VpcId",
            all_readable=True,
        ),
        "AWS::EC2::SecurityGroupEgress": _of(
            properties=(
                "CidrIp CidrIpv6 Description DestinationPrefixListId DestinationSecurityGroupId FromPort GroupId "
                "IpProtocol ToPort"
            ),
            required="GroupId IpProtocol",
            create_only=(
                "CidrIp CidrIpv6 DestinationPrefixListId DestinationSecurityGroupId FromPort GroupId IpProtocol ToPort"
            ),
            attributes="Id",
        ),
        "AWS::EC2::SecurityGroupIngress": _of(
            properties=(
                "CidrIp CidrIpv6 Description FromPort GroupId GroupName IpProtocol SourcePrefixListId "
                "SourceSecurityGroupId SourceSecurityGroupName SourceSecurityGroupOwnerId ToPort"
            ),
            required="IpProtocol",
            create_only=(
                "CidrIp CidrIpv6 FromPort GroupId GroupName IpProtocol SourcePrefixListId SourceSecurityGroupId "
                "SourceSecurityGroupName SourceSecurityGroupOwnerId ToPort"
            ),
            attributes="Id",
        ),
        "AWS::EC2::Subnet": _of(
            properties=(
                "AssignIpv6AddressOnCreation AvailabilityZone AvailabilityZoneId CidrBlock EnableDns64 "
                "EnableLniAtDeviceIndex Ipv4IpamPoolId Ipv4NetmaskLength Ipv6CidrBlock Ipv6IpamPoolId Ipv6Native "
                "Ipv6NetmaskLength MapPublicIpOnLaunch OutpostArn PrivateDnsNameOptionsOnLaunch Tags VpcId"
            ),
            required="VpcId",
            create_only=(
                "AvailabilityZone AvailabilityZoneId CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength Ipv6IpamPoolId "
                "Ipv6Native Ipv6NetmaskLength OutpostArn VpcId"
            ),
            attributes=(
                "AvailabilityZone BlockPublicAccessStates CidrBlock Ipv6CidrBlocks NetworkAclAssociationId SubnetId "
                "VpcId"
            ),
            all_readable=True,
        ),
        "AWS::EC2::SubnetNetworkAclAssociation": _of(
            properties="NetworkAclId SubnetId",
            required="NetworkAclId SubnetId",
            create_only="NetworkAclId SubnetId",
            attributes="AssociationId",
        ),
        "AWS::EC2::SubnetRouteTableAssociation": _of(
            properties="RouteTableId SubnetId",
            required="RouteTableId SubnetId",
            create_only="RouteTableId SubnetId",
            attributes="Id",
        ),
        "AWS::EC2::VPC": _of(
            properties=(
                "CidrBlock EnableDnsHostnames EnableDnsSupport InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength Tags "
                "VpcEncryptionControl"
            ),
            create_only="CidrBlock Ipv4IpamPoolId Ipv4NetmaskLength VpcEncryptionControl",
            attributes=("CidrBlock CidrBlockAssociations DefaultNetworkAcl DefaultSecurityGroup Ipv6CidrBlocks VpcId"),
            all_readable=True,
        ),
        "AWS::EC2::VPCEndpoint": _of(
            properties=(
                "DnsOptions IpAddressType PolicyDocument PrivateDnsEnabled ResourceConfigurationArn RouteTableIds "
                "SecurityGroupIds ServiceName ServiceNetworkArn ServiceRegion SubnetIds Tags VpcEndpointType VpcId"
            ),
            required="VpcId",
            create_only=(
                "DnsOptions.PrivateDnsPreference DnsOptions.PrivateDnsSpecifiedDomains ResourceConfigurationArn "
                "ServiceName ServiceNetworkArn ServiceRegion VpcEndpointType VpcId"
            ),
            attributes="CreationTimestamp DnsEntries Id NetworkInterfaceIds",
        ),
        "AWS::EC2::VPCGatewayAttachment": _of(
            properties="InternetGatewayId VpcId VpnGatewayId",
            required="VpcId",
            create_only="VpcId",
            attributes="AttachmentType",
        ),
        "AWS::Events::EventBus": _of(
            properties="DeadLetterConfig Description EventSourceName KmsKeyIdentifier LogConfig Name Policy Tags",
            required="Name",
            create_only="Name",
            attributes="Arn Name",
            all_readable=True,
        ),
        "AWS::Events::Rule": _of(
            properties="Description EventBusName EventPattern Name RoleArn ScheduleExpression State Tags Targets",
            create_only="Name",
            attributes="Arn RuleName",
        ),
        "AWS::GuardDuty::Detector": _of(
            properties="DataSources Enable Features FindingPublishingFrequency Tags",
            required="Enable",
            attributes="Id",
        ),
        "AWS::GuardDuty::Filter": _of(
            properties="Action Description DetectorId FindingCriteria Name Rank Tags",
            required="DetectorId FindingCriteria Name",
            create_only="DetectorId Name",
        ),
        "AWS::GuardDuty::IPSet": _of(
            properties="Activate DetectorId ExpectedBucketOwner Format Location Name Tags",
            required="Format Location",
            create_only="DetectorId Format",
            attributes="Id",
        ),
        "AWS::GuardDuty::ThreatIntelSet": _of(
            properties="Activate DetectorId ExpectedBucketOwner Format Location Name Tags",
            required="Format Location",
            create_only="DetectorId Format",
            attributes="Id",
        ),
        "AWS::IAM::AccessKey": _of(
            properties="Serial Status UserName",
            required="UserName",
            create_only="Serial UserName",
            attributes="Id SecretAccessKey",
        ),
        "AWS::IAM::Group": _of(
            properties="GroupName ManagedPolicyArns Path Policies",
            create_only="GroupName",
            attributes="Arn",
        ),
        "AWS::IAM::InstanceProfile": _of(
            properties="InstanceProfileName Path Roles",
            required="Roles",
            create_only="InstanceProfileName Path",
            attributes="Arn",
        ),
        "AWS::IAM::ManagedPolicy": _of(
            properties="Description Groups ManagedPolicyName Path PolicyDocument Roles Users",
            required="PolicyDocument",
            create_only="Description ManagedPolicyName Path",
            attributes=(
                "AttachmentCount CreateDate DefaultVersionId IsAttachable PermissionsBoundaryUsageCount PolicyArn "
                "PolicyId UpdateDate"
            ),
        ),
        "AWS::IAM::Policy": _of(
            properties="Groups PolicyDocument PolicyName Roles Users",
            required="PolicyDocument PolicyName",
            attributes="Id",
        ),
        "AWS::IAM::Role": _of(
            properties=(
                "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary "
                "Policies RoleName Tags"
            ),
            required="AssumeRolePolicyDocument",
            create_only="Path RoleName",
            attributes="Arn RoleId",
        ),
        "AWS::IAM::User": _of(
            properties="Groups LoginProfile ManagedPolicyArns Path PermissionsBoundary Policies Tags UserName",
            create_only="UserName",
            attributes="Arn",
        ),
        "AWS::IAM::UserToGroupAddition": _of(
            properties="GroupName Users",
            required="GroupName Users",
            attributes="Id",
        ),
        "AWS::KMS::Alias": _of(
            properties="AliasName TargetKeyId",
            required="AliasName TargetKeyId",
            create_only="AliasName",
        ),
        "AWS::KMS::Key": _of(
            properties=(
                "BypassPolicyLockoutSafetyCheck Description EnableKeyRotation Enabled KeyPolicy KeySpec KeyUsage "
                "MultiRegion Origin PendingWindowInDays RotationPeriodInDays Tags"
            ),
            attributes="Arn KeyId",
        ),
        "AWS::Lambda::Alias": _of(
            properties="Description FunctionName FunctionVersion Name ProvisionedConcurrencyConfig RoutingConfig",
            required="FunctionName FunctionVersion Name",
            create_only="FunctionName Name",
            attributes="AliasArn",
        ),
        "AWS::Lambda::EventInvokeConfig": _of(
            properties="DestinationConfig FunctionName MaximumEventAgeInSeconds MaximumRetryAttempts Qualifier",
            required="FunctionName Qualifier",
            create_only="FunctionName Qualifier",
        ),
        "AWS::Lambda::Function": _of(
            properties=(
                "Architectures CapacityProviderConfig Code CodeSigningConfigArn DeadLetterConfig Description "
                "DurableConfig Environment EphemeralStorage FileSystemConfigs FunctionName FunctionScalingConfig "
                "Handler ImageConfig KmsKeyArn Layers LoggingConfig MemorySize PackageType PublishToLatestPublished "
                "RecursiveLoop ReservedConcurrentExecutions Role Runtime RuntimeManagementConfig SnapStart Tags "
                "TenancyConfig Timeout TracingConfig VpcConfig"
            ),
            required="Code Role",
            create_only="FunctionName PackageType TenancyConfig",
            attributes="Arn SnapStartResponse",
        ),
        "AWS::Lambda::Permission": _of(
            properties=(
                "Action EventSourceToken FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal "
                "PrincipalOrgID SourceAccount SourceArn"
            ),
            required="Action FunctionName Principal",
            create_only=(
                "Action EventSourceToken FunctionName FunctionUrlAuthType InvokedViaFunctionUrl Principal "
                "PrincipalOrgID SourceAccount SourceArn"
            ),
            attributes="Id",
        ),
        "AWS::Lambda::Url": _of(
            properties="AuthType Cors InvokeMode Qualifier TargetFunctionArn",
            required="AuthType TargetFunctionArn",
            create_only="Qualifier TargetFunctionArn",
            attributes="FunctionArn FunctionUrl",
        ),
        "AWS::Lambda::Version": _of(
            properties=(
                "CodeSha256 Description FunctionName FunctionScalingConfig ProvisionedConcurrencyConfig RuntimePolicy"
            ),
            required="FunctionName",
            create_only="CodeSha256 Description FunctionName ProvisionedConcurrencyConfig RuntimePolicy",
            attributes="FunctionArn Version",
        ),
        "AWS::Logs::LogGroup": _of(
            properties=(
                "BearerTokenAuthenticationEnabled DataProtectionPolicy DeletionProtectionEnabled FieldIndexPolicies "
                "KmsKeyId LogGroupClass LogGroupName ResourcePolicyDocument RetentionInDays Tags"
            ),
            create_only="LogGroupName",
            attributes="Arn",
        ),
        "AWS::S3::Bucket": _of(
            properties=(
                "AbacStatus AccelerateConfiguration AccessControl AnalyticsConfigurations BucketEncryption BucketName "
                "BucketNamePrefix BucketNamespace CorsConfiguration IntelligentTieringConfigurations "
                "InventoryConfigurations LifecycleConfiguration LoggingConfiguration MetadataConfiguration "
                "MetadataTableConfiguration MetricsConfigurations NotificationConfiguration ObjectLockConfiguration "
                "ObjectLockEnabled OwnershipControls PublicAccessBlockConfiguration ReplicationConfiguration Tags "
                "VersioningConfiguration WebsiteConfiguration"
            ),
            create_only="BucketName BucketNamePrefix BucketNamespace",
            attributes="Arn DomainName DualStackDomainName RegionalDomainName WebsiteURL",
        ),
        "AWS::S3::BucketPolicy": _of(
            properties="Bucket PolicyDocument",
            required="Bucket PolicyDocument",
            create_only="Bucket",
        ),
        "AWS::SNS::Subscription": _of(
            properties=(
                "DeliveryPolicy Endpoint FilterPolicy FilterPolicyScope Protocol RawMessageDelivery RedrivePolicy "
                "Region ReplayPolicy SubscriptionRoleArn TopicArn"
            ),
            required="Protocol TopicArn",
            create_only="Endpoint Protocol TopicArn",
            attributes="Arn",
        ),
        "AWS::SNS::Topic": _of(
            properties=(
                "ArchivePolicy ContentBasedDeduplication DataProtectionPolicy DeliveryStatusLogging DisplayName "
                "FifoThroughputScope FifoTopic KmsMasterKeyId MaximumMessageSize SignatureVersion Subscription Tags "
                "TopicName TracingConfig"
            ),
            create_only="FifoTopic TopicName",
            attributes="TopicArn TopicName",
            all_readable=True,
        ),
        "AWS::SNS::TopicPolicy": _of(
            properties="PolicyDocument Topics",
            required="PolicyDocument Topics",
            attributes="Id",
        ),
        "AWS::SQS::Queue": _of(
            properties=(
                "ContentBasedDeduplication DeduplicationScope DelaySeconds FifoQueue FifoThroughputLimit "
                "KmsDataKeyReusePeriodSeconds KmsMasterKeyId MaximumMessageSize MessageRetentionPeriod QueueName "
                "ReceiveMessageWaitTimeSeconds RedriveAllowPolicy RedrivePolicy SqsManagedSseEnabled Tags "
                "VisibilityTimeout"
            ),
            create_only="FifoQueue QueueName",
            attributes="Arn QueueName QueueUrl",
            all_readable=True,
        ),
        "AWS::SQS::QueuePolicy": _of(
            properties="PolicyDocument Queues",
            required="PolicyDocument Queues",
            attributes="Id",
        ),
        "AWS::SSM::Parameter": _of(
            properties="AllowedPattern DataType Description Name Policies Tags Tier Type Value",
            required="Type Value",
            create_only="Name",
            attributes="Arn",
            all_readable=True,
        ),
        "AWS::Scheduler::Schedule": _of(
            properties=(
                "Description EndDate FlexibleTimeWindow GroupName KmsKeyArn Name ScheduleExpression "
                "ScheduleExpressionTimezone StartDate State Target"
            ),
            required="FlexibleTimeWindow ScheduleExpression Target",
            create_only="Name",
            attributes="Arn",
        ),
        "AWS::Scheduler::ScheduleGroup": _of(
            properties="Name Tags",
            create_only="Name",
            attributes="Arn CreationDate LastModificationDate State",
        ),
    }
)
"""Every resource type that the lab can make, by name."""
