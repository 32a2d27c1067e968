"""The fields that criteria may name.

Sources: Amazon GuardDuty API reference, ListFindings, and user guide, Filtering findings (the property table); the fields
of a saved filter are those that the API reference lists for CreateFilter.
"""

import functools
import re
from collections.abc import Iterable

from simulator import wire


def _under(prefix: str, names: str) -> Iterable[str]:
    return (f"{prefix}.{name}" for name in names.split())


_REMOTE = (
    "remoteIpDetails.ipAddressV4 remoteIpDetails.ipAddressV6 remoteIpDetails.city.cityName "
    "remoteIpDetails.country.countryName remoteIpDetails.organization.asn remoteIpDetails.organization.asnOrg"
)

FINDABLE = frozenset(
    [
        "accountId",
        "associatedAttackSequenceArn",
        "confidence",
        "id",
        "region",
        "severity",
        "type",
        "updatedAt",
        "resource.resourceType",
        *_under("resource.accessKeyDetails", "accessKeyId principalId userName userType"),
        *_under(
            "resource.instanceDetails",
            "iamInstanceProfile.id imageId instanceId outpostArn tags.key tags.value networkInterfaces.ipv6Addresses "
            "networkInterfaces.privateIpAddresses.privateIpAddress networkInterfaces.publicDnsName "
            "networkInterfaces.publicIp networkInterfaces.securityGroups.groupId "
            "networkInterfaces.securityGroups.groupName networkInterfaces.subnetId networkInterfaces.vpcId",
        ),
        *_under(
            "resource.s3BucketDetails",
            "name publicAccess.effectivePermission publicAccess.effectivePermissions tags.key tags.value type",
        ),
        *_under("resource.eksClusterDetails", "name"),
        *_under(
            "resource.kubernetesDetails",
            "kubernetesUserDetails.username kubernetesWorkloadDetails.name kubernetesWorkloadDetails.namespace",
        ),
        *_under("resource.containerDetails", "image"),
        *_under("resource.ecsClusterDetails", "name taskDetails.containers.image taskDetails.definitionArn"),
        *_under("resource.rdsDbInstanceDetails", "dbClusterIdentifier dbInstanceIdentifier engine tags.key tags.value"),
        *_under("resource.rdsDbUserDetails", "user"),
        *_under(
            "resource.rdsLimitlessDbDetails", "dbShardGroupIdentifier dbClusterIdentifier engine tags.key tags.value"
        ),
        *_under("resource.lambdaDetails", "functionArn functionName tags.key tags.value"),
        "service.additionalInfo.threatListName",
        "service.archived",
        "service.resourceRole",
        "service.action.actionType",
        *_under(
            "service.action.awsApiCallAction",
            f"api callerType errorCode serviceName userAgent remoteAccountDetails.affiliated {_REMOTE}",
        ),
        *_under("service.action.dnsRequestAction", "domain domainWithSuffix"),
        *_under(
            "service.action.networkConnectionAction",
            "blocked connectionDirection protocol localPortDetails.port remotePortDetails.port "
            f"localIpDetails.ipAddressV4 localIpDetails.ipAddressV6 {_REMOTE}",
        ),
        *_under("service.action.kubernetesApiCallAction", f"requestUri statusCode {_REMOTE}"),
        *_under("service.action.rdsLoginAttemptAction", _REMOTE),
        "service.ebsVolumeScanDetails.scanId",
        *_under(
            "service.ebsVolumeScanDetails.scanDetections.threatDetectedByName.threatNames",
            "name severity filePaths.hash",
        ),
        *_under("service.malwareScanDetails.threats", "name itemPaths.hash"),
        *_under("service.runtimeDetails.process", "executableSha256 name"),
    ]
)


@functools.cache
def filterable() -> frozenset[str]:
    """Return the fields that a saved filter may ask for, and findings be sorted by: the model's own list (CreateFilter), and what a query may."""
    documentation = (
        wire.operation_model("guardduty", "CreateFilter").input_shape.members["FindingCriteria"].documentation
    )
    return FINDABLE.union(re.findall(r"<li>\s*<p>\s*([A-Za-z][A-Za-z0-9.]*)", documentation))
