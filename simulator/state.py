"""What a lab would answer to a fixed set of reads: its state as its clients can see it, to be compared.

A replay is right when it says the same here. The reads leave no trace, and are answered at the moment of its last entry.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from simulator.clock import moment
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context

if TYPE_CHECKING:
    from simulator.world import Lab

Asked = tuple[str, str, Mapping[str, Any]]

READS: tuple[Asked, ...] = (
    ("s3", "ListBuckets", {}),
    ("iam", "GetAccountAuthorizationDetails", {"Filter": ["User", "Role", "Group", "LocalManagedPolicy"]}),
    ("iam", "ListUsers", {}),
    ("iam", "ListRoles", {}),
    ("iam", "ListInstanceProfiles", {}),
    ("lambda", "ListFunctions", {}),
    ("lambda", "ListEventSourceMappings", {}),
    ("events", "ListRules", {}),
    ("events", "ListEventBuses", {}),
    ("scheduler", "ListSchedules", {}),
    ("scheduler", "ListScheduleGroups", {}),
    ("guardduty", "ListDetectors", {}),
    ("cloudtrail", "DescribeTrails", {}),
    ("cloudtrail", "LookupEvents", {}),
    ("config", "DescribeConfigurationRecorders", {}),
    ("config", "GetDiscoveredResourceCounts", {}),
    ("cloudformation", "DescribeStacks", {}),
    ("sqs", "ListQueues", {}),
    ("sns", "ListTopics", {}),
    ("sns", "ListSubscriptions", {}),
    ("logs", "DescribeLogGroups", {}),
    ("cloudwatch", "ListMetrics", {}),
    ("cloudwatch", "DescribeAlarms", {}),
    ("cloudwatch", "ListDashboards", {}),
    ("kms", "ListKeys", {}),
    ("kms", "ListAliases", {}),
    ("ssm", "DescribeParameters", {}),
    ("dynamodb", "ListTables", {}),
    ("secretsmanager", "ListSecrets", {}),
    ("ec2", "DescribeVpcs", {}),
    ("ec2", "DescribeSubnets", {}),
    ("ec2", "DescribeSecurityGroups", {}),
    ("ec2", "DescribeSecurityGroupRules", {}),
    ("ec2", "DescribeRouteTables", {}),
    ("ec2", "DescribeNetworkAcls", {}),
    ("ec2", "DescribeInternetGateways", {}),
    ("ec2", "DescribeNatGateways", {}),
    ("ec2", "DescribeAddresses", {}),
    ("ec2", "DescribeVolumes", {}),
    ("ec2", "DescribeInstances", {}),
    ("ec2", "DescribeKeyPairs", {}),
    ("ec2", "DescribeNetworkInterfaces", {}),
    ("ec2", "DescribeTags", {}),
)
# For everything that a read above lists: the path to the items, the parameters to take of each, and what to ask about it.
FURTHER: tuple[tuple[str, str, tuple[str, ...], Mapping[str, str], tuple[str, ...]], ...] = (
    ("s3", "ListBuckets", ("Buckets",), {"Bucket": "Name"}, (
        "ListObjectVersions", "GetBucketPolicy", "GetBucketTagging", "GetBucketVersioning", "ListMultipartUploads",
    )),
    ("iam", "ListUsers", ("Users",), {"UserName": "UserName"}, ("ListAccessKeys", "ListMFADevices")),
    ("lambda", "ListFunctions", ("Functions",), {"FunctionName": "FunctionName"}, ("GetFunctionConfiguration", "GetPolicy", "ListVersionsByFunction")),
    ("events", "ListRules", ("Rules",), {"Rule": "Name"}, ("ListTargetsByRule",)),
    ("guardduty", "ListDetectors", ("DetectorIds",), {"DetectorId": ""}, ("GetDetector", "ListFindings", "ListThreatIntelSets", "ListFilters")),
    ("cloudformation", "DescribeStacks", ("Stacks",), {"StackName": "StackName"}, ("DescribeStackResources", "DescribeStackEvents", "GetTemplate")),
    ("sqs", "ListQueues", ("QueueUrls",), {"QueueUrl": ""}, ("GetQueueAttributes", "ListQueueTags")),
    ("sns", "ListTopics", ("Topics",), {"TopicArn": "TopicArn"}, ("GetTopicAttributes", "ListSubscriptionsByTopic")),
    ("logs", "DescribeLogGroups", ("logGroups",), {"logGroupName": "logGroupName"}, ("DescribeLogStreams", "FilterLogEvents")),
    ("kms", "ListKeys", ("Keys",), {"KeyId": "KeyId"}, ("DescribeKey", "GetKeyRotationStatus", "ListGrants", "GetPublicKey")),
    ("ssm", "DescribeParameters", ("Parameters",), {"Name": "Name"}, ("GetParameter", "GetParameterHistory")),
    ("dynamodb", "ListTables", ("TableNames",), {"TableName": ""}, ("DescribeTable", "Scan")),
    ("secretsmanager", "ListSecrets", ("SecretList",), {"SecretId": "ARN"}, ("DescribeSecret", "GetSecretValue", "ListSecretVersionIds")),
    ("cloudwatch", "ListDashboards", ("DashboardEntries",), {"DashboardName": "DashboardName"}, ("GetDashboard",)),
)  # fmt: skip
MORE: Mapping[str, Mapping[str, Any]] = {"GetQueueAttributes": {"AttributeNames": ["All"]}}


def answers(lab: "Lab") -> Iterator[tuple[str, str]]:
    """Yield the name of every read and the hash of what the lab answers to it."""
    ctx = Context(
        lab=lab,
        principal=Principal.service("lab", lab.account_id),
        now=moment(lab.last_at),
        ids=Ids.of(lab.seed, "state"),
        region=lab.region,
    )
    listed: dict[tuple[str, str], Any] = {}
    for service, operation, params in READS:
        listed[service, operation] = found = _ask(ctx, service, operation, params)
        yield f"{service} {operation}", _hash(found)
    for service, listing, path, names, operations in FURTHER:
        for item in _items(listed[service, listing], path):
            params = {name: item[key] if key else item for name, key in names.items()}
            for operation in operations:
                asked = {**params, **MORE.get(operation, {})}
                yield f"{service} {operation} {sorted(params.items())}", _hash(_ask(ctx, service, operation, asked))


def digest(lab: "Lab") -> str:
    """Return one hash of everything that `answers` yields."""
    return _hash(list(answers(lab)))


def _ask(ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> Any:
    try:
        return ctx.read(service, operation, **params)
    except AwsError as error:
        return {"error": f"{error.code} {error.message}"}


def _items(value: Any, path: tuple[str, ...]) -> list[Any]:
    for step in path:
        value = value.get(step) or []
    return list(value)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
