"""The parts that sample findings are made of: placeholders as AWS's samples have them.

Source: docs/aws-facts.md, part 2, "Samples": `GeneratedFinding…` names, instance i-99999999, address 198.51.100.0, ASN -1.
"""

from __future__ import annotations

from typing import Any

IP = "198.51.100.0"
REMOTE = {
    "City": {"CityName": "GeneratedFindingCityName"},
    "Country": {"CountryName": "GeneratedFindingCountryName"},
    "GeoLocation": {"Lat": 0.0, "Lon": 0.0},
    "IpAddressV4": IP,
    "Organization": {
        "Asn": "-1",
        "AsnOrg": "GeneratedFindingASNOrg",
        "Isp": "GeneratedFindingISP",
        "Org": "GeneratedFindingORG",
    },
}
TAGS = [{"Key": f"GeneratedFindingTagKey{number}", "Value": f"GeneratedFindingTagValue{number}"} for number in (1, 2)]

ACCESS_KEY = {
    "AccessKeyId": "GeneratedFindingAccessKeyId",
    "PrincipalId": "GeneratedFindingPrincipalId",
    "UserName": "GeneratedFindingUserName",
    "UserType": "IAMUser",
}
INSTANCE = {
    "AvailabilityZone": "GeneratedFindingInstanceAvailabilityZone",
    "IamInstanceProfile": {
        "Arn": "arn:aws:iam::111122223333:instance-profile/GeneratedFindingInstanceProfile",
        "Id": "GeneratedFindingInstanceProfileId",
    },
    "ImageDescription": "GeneratedFindingInstanceImageDescription",
    "ImageId": "ami-99999999",
    "InstanceId": "i-99999999",
    "InstanceState": "running",
    "InstanceType": "m3.xlarge",
    "LaunchTime": "2016-08-02T02:05:06.000Z",
    "NetworkInterfaces": [
        {
            "Ipv6Addresses": [],
            "NetworkInterfaceId": "eni-bfcffe88",
            "PrivateDnsName": "GeneratedFindingPrivateDnsName",
            "PrivateIpAddress": "10.0.0.1",
            "PrivateIpAddresses": [{"PrivateDnsName": "GeneratedFindingPrivateName", "PrivateIpAddress": "10.0.0.1"}],
            "PublicDnsName": "GeneratedFindingPublicDNSName",
            "PublicIp": IP,
            "SecurityGroups": [
                {"GroupId": "GeneratedFindingSecurityId", "GroupName": "GeneratedFindingSecurityGroupName"}
            ],
            "SubnetId": "GeneratedFindingSubnetId",
            "VpcId": "GeneratedFindingVPCId",
        }
    ],
    "Platform": "",
    "ProductCodes": [],
    "Tags": TAGS,
}
BUCKET = {
    "Arn": "arn:aws:s3:::amzn-s3-demo-bucket",
    "Name": "amzn-s3-demo-bucket",
    "Type": "Destination",
    "Owner": {"Id": "CanonicalId of Owner"},
    "Tags": [{"Key": "foo", "Value": "bar"}],
    "DefaultServerSideEncryption": {"EncryptionType": "SSEAlgorithm"},
    "PublicAccess": {"EffectivePermission": "NOT_PUBLIC"},
}
EKS = {
    "Name": "GeneratedFindingEKSClusterName",
    "Arn": "arn:aws:eks:us-east-1:111122223333:cluster/GeneratedFindingEKSClusterName",
    "VpcId": "GeneratedFindingEKSClusterVpcId",
    "Status": "ACTIVE",
    "Tags": TAGS,
}
CONTAINER = {"Name": "GeneratedFindingContainerName", "Image": "GeneratedFindingContainerImage"}
KUBERNETES = {
    "KubernetesUserDetails": {
        "Username": "GeneratedFindingUserName",
        "Uid": "GeneratedFindingUID",
        "Groups": ["GeneratedFindingUserGroup"],
    },
    "KubernetesWorkloadDetails": {
        "Name": "GeneratedFindingKubernetesWorkloadName",
        "Type": "pods",
        "Namespace": "GeneratedFindingKubernetesWorkloadNamespace",
        "HostNetwork": False,
        "Containers": [CONTAINER],
    },
}
ECS = {
    "Name": "GeneratedFindingECSClusterName",
    "Arn": "arn:aws:ecs:us-east-1:111122223333:cluster/GeneratedFindingECSClusterName",
    "Status": "ACTIVE",
    "Tags": TAGS,
    "TaskDetails": {
        "Arn": "arn:aws:ecs:us-east-1:111122223333:task/GeneratedFindingTask",
        "DefinitionArn": "arn:aws:ecs:us-east-1:111122223333:task-definition/GeneratedFindingTask:1",
        "Version": "1",
        "Containers": [CONTAINER],
    },
}
FUNCTION = {
    "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:GeneratedFindingLambdaFunctionName",
    "FunctionName": "GeneratedFindingLambdaFunctionName",
    "Description": "GeneratedFindingLambdaFunctionDescription",
    "RevisionId": "GeneratedFindingRevisionId",
    "FunctionVersion": "$LATEST",
    "Role": "arn:aws:iam::111122223333:role/GeneratedFindingLambdaFunctionRole",
    "Tags": TAGS,
}
DATABASE = {
    "DbInstanceIdentifier": "GeneratedFindingDBInstanceId",
    "Engine": "Aurora MySQL",
    "EngineVersion": "5.7.mysql_aurora.2.10.2",
    "DbClusterIdentifier": "GeneratedFindingDBClusterId",
    "DbInstanceArn": "arn:aws:rds:us-east-1:111122223333:db:GeneratedFindingDBInstanceId",
    "Tags": TAGS,
}
DATABASE_USER = {
    "User": "GeneratedFindingUserName",
    "Database": "GeneratedFindingDatabaseName",
    "AuthMethod": "PASSWORD",
}
PROCESS = {
    "Process": {
        "Name": "GeneratedFindingProcessName",
        "ExecutablePath": "/usr/bin/GeneratedFindingProcessName",
        "NamespacePid": 1,
        "Pid": 1,
        "User": "root",
        "UserId": 0,
    }
}
_SCAN_ITEM = {
    "Name": "EICAR-Test-File",
    "Source": "Bitdefender",
    "Count": 1,
    "ItemPaths": [{"NestedItemPath": "GeneratedFindingFilePath", "Hash": "GeneratedFindingFileHash"}],
}
SCAN = {"Threats": [_SCAN_ITEM], "UniqueThreatCount": 1}

SNAPSHOT = "arn:aws:ec2:us-east-1:111122223333:snapshot/snap-99999999"
IMAGE = "arn:aws:ec2:us-east-1:111122223333:image/ami-99999999"
RECOVERY_POINT = "arn:aws:backup:us-east-1:111122223333:recovery-point:GeneratedFindingRecoveryPoint"

API_CALL: dict[str, Any] = {
    "ActionType": "AWS_API_CALL",
    "AwsApiCallAction": {
        "Api": "GeneratedFindingAPIName",
        "CallerType": "Remote IP",
        "RemoteIpDetails": REMOTE,
        "ServiceName": "GeneratedFindingAPIServiceName",
        "AffectedResources": {},
    },
}
CONNECTION: dict[str, Any] = {
    "ActionType": "NETWORK_CONNECTION",
    "NetworkConnectionAction": {
        "Blocked": False,
        "ConnectionDirection": "OUTBOUND",
        "LocalPortDetails": {"Port": 39677, "PortName": "Unknown"},
        "Protocol": "TCP",
        "RemoteIpDetails": REMOTE,
        "RemotePortDetails": {"Port": 80, "PortName": "HTTP"},
    },
}
DNS_REQUEST: dict[str, Any] = {
    "ActionType": "DNS_REQUEST",
    "DnsRequestAction": {"Domain": "GeneratedFindingDomainName", "Protocol": "UDP", "Blocked": False},
}
PORT_PROBE: dict[str, Any] = {
    "ActionType": "PORT_PROBE",
    "PortProbeAction": {
        "Blocked": False,
        "PortProbeDetails": [{"LocalPortDetails": {"Port": 80, "PortName": "HTTP"}, "RemoteIpDetails": REMOTE}],
    },
}
KUBERNETES_CALL: dict[str, Any] = {
    "ActionType": "KUBERNETES_API_CALL",
    "KubernetesApiCallAction": {
        "RequestUri": "/api/v1/namespaces/GeneratedFindingNamespace/pods",
        "Verb": "get",
        "SourceIps": [IP],
        "UserAgent": "GeneratedFindingUserAgent",
        "RemoteIpDetails": REMOTE,
        "StatusCode": 200,
    },
}
LOGIN: dict[str, Any] = {
    "ActionType": "RDS_LOGIN_ATTEMPT",
    "RdsLoginAttemptAction": {
        "RemoteIpDetails": REMOTE,
        "LoginAttributes": [
            {"User": "GeneratedFindingUserName", "FailedLoginAttempts": 1, "SuccessfulLoginAttempts": 0}
        ],
    },
}
