"""AWS::EC2::*: the network, and instances."""

from __future__ import annotations

from typing import Any, ClassVar

from simulator.errors import AwsError
from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.resources.base import (
    Handler,
    Properties,
    Work,
    as_json,
    gone,
    pick,
    tag_list,
    tag_map,
)


def _tagged(work: Work, kind: str, props: Properties) -> list[dict[str, Any]]:
    """Return the TagSpecifications of a create call: CloudFormation tags what it makes in EC2."""
    return [{"ResourceType": kind, "Tags": work.tags(props.get("Tags"), system=True)}]


def _retag(work: Work, physical_id: str, old: Properties, new: Properties) -> None:
    before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
    if after and after != before:
        work.call("ec2", "CreateTags", Resources=[physical_id], Tags=tag_list(after))
    lost = [{"Key": key} for key in before if key not in after]
    if lost:
        work.call("ec2", "DeleteTags", Resources=[physical_id], Tags=lost)


def _true(value: Any) -> bool:
    return text(value).lower() == "true"


class _Tagged(Handler):
    """A type of which only the tags change in place, made by one call and deleted by one."""

    operations: ClassVar[tuple[str, str]]
    kind: ClassVar[str]
    id_name: ClassVar[str]
    member: ClassVar[str]
    passed: ClassVar[str]

    def create(self, work: Work, props: Properties) -> str:
        """Create it with CloudFormation's tags."""
        made = work.call(
            "ec2", self.operations[0], TagSpecifications=_tagged(work, self.kind, props), **pick(props, self.passed)
        )
        return work.made(made[self.member][self.id_name])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change the tags."""
        _retag(work, physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete it."""
        work.call("ec2", self.operations[1], **{self.id_name: physical_id})


class VPC(_Tagged):
    """AWS::EC2::VPC; Ref is its id."""

    type = "AWS::EC2::VPC"
    operations = ("CreateVpc", "DeleteVpc")
    kind, member, id_name, passed = "vpc", "Vpc", "VpcId", "CidrBlock InstanceTenancy Ipv4IpamPoolId Ipv4NetmaskLength"
    ignored = frozenset({"VpcEncryptionControl"})

    def create(self, work: Work, props: Properties) -> str:
        """Create the VPC and set its DNS attributes, one call each."""
        physical_id = super().create(work, props)
        self._dns(work, physical_id, {}, props)
        return physical_id

    def _dns(self, work: Work, vpc_id: str, old: Properties, new: Properties) -> None:
        for name in ("EnableDnsSupport", "EnableDnsHostnames"):
            if name in new and old.get(name) != new[name]:
                work.call("ec2", "ModifyVpcAttribute", VpcId=vpc_id, **{name: {"Value": _true(new[name])}})

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change DNS attributes and tags."""
        self._dns(work, physical_id, old, new)
        _retag(work, physical_id, old, new)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return the block, the default group and the default ACL."""
        vpc = work.read("ec2", "DescribeVpcs", VpcIds=[physical_id])["Vpcs"][0]
        own = [{"Name": "vpc-id", "Values": [physical_id]}, {"Name": "default", "Values": ["true"]}]
        named = [own[0], {"Name": "group-name", "Values": ["default"]}]
        groups = work.read("ec2", "DescribeSecurityGroups", Filters=named)["SecurityGroups"]
        acls = work.read("ec2", "DescribeNetworkAcls", Filters=own)["NetworkAcls"]
        return {
            "VpcId": physical_id,
            "CidrBlock": vpc["CidrBlock"],
            "CidrBlockAssociations": [item["AssociationId"] for item in vpc.get("CidrBlockAssociationSet", ())],
            "DefaultSecurityGroup": groups[0]["GroupId"] if groups else "",
            "DefaultNetworkAcl": acls[0]["NetworkAclId"] if acls else "",
            "Ipv6CidrBlocks": [],
        }


class Subnet(_Tagged):
    """AWS::EC2::Subnet; Ref is its id."""

    type = "AWS::EC2::Subnet"
    operations = ("CreateSubnet", "DeleteSubnet")
    kind, member, id_name = "subnet", "Subnet", "SubnetId"
    passed = "VpcId CidrBlock AvailabilityZone AvailabilityZoneId Ipv6CidrBlock"
    ignored = frozenset(
        {
            "AssignIpv6AddressOnCreation",
            "EnableDns64",
            "EnableLniAtDeviceIndex",
            "Ipv4IpamPoolId",
            "Ipv4NetmaskLength",
            "Ipv6IpamPoolId",
            "Ipv6Native",
            "Ipv6NetmaskLength",
            "OutpostArn",
            "PrivateDnsNameOptionsOnLaunch",
        }
    )

    def create(self, work: Work, props: Properties) -> str:
        """Create the subnet; say whether instances get public addresses."""
        physical_id = super().create(work, props)
        self._public(work, physical_id, {}, props)
        return physical_id

    def _public(self, work: Work, subnet_id: str, old: Properties, new: Properties) -> None:
        name = "MapPublicIpOnLaunch"
        if name in new and old.get(name) != new[name]:
            work.call("ec2", "ModifySubnetAttribute", SubnetId=subnet_id, **{name: {"Value": _true(new[name])}})

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change public addresses and tags."""
        self._public(work, physical_id, old, new)
        _retag(work, physical_id, old, new)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return zone, block, VPC and the ACL association."""
        subnet = work.read("ec2", "DescribeSubnets", SubnetIds=[physical_id])["Subnets"][0]
        return {"SubnetId": physical_id, "Ipv6CidrBlocks": []} | pick(subnet, "AvailabilityZone CidrBlock VpcId")


class SecurityGroup(Handler):
    """AWS::EC2::SecurityGroup; Ref is its id, its name for one without a VPC in old templates."""

    type = "AWS::EC2::SecurityGroup"
    custom_name = "GroupName"

    def create(self, work: Work, props: Properties) -> str:
        """Create the group and its rules; declared egress rules take the place of the one that allows everything."""
        made = work.call(
            "ec2",
            "CreateSecurityGroup",
            GroupName=props.get("GroupName") or work.name(255),
            Description=props["GroupDescription"],
            TagSpecifications=_tagged(work, "security-group", props),
            **pick(props, "VpcId"),
        )
        group = work.made(made["GroupId"])
        if "SecurityGroupEgress" in props:
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            work.call("ec2", "RevokeSecurityGroupEgress", GroupId=group, IpPermissions=everything)
        _rules(work, group, {}, props)
        return group

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Authorize new rules, revoke those not declared any more, change the tags."""
        _rules(work, physical_id, old, new)
        _retag(work, physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the group."""
        work.call("ec2", "DeleteSecurityGroup", GroupId=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return GroupId and VpcId."""
        group = work.read("ec2", "DescribeSecurityGroups", GroupIds=[physical_id])["SecurityGroups"][0]
        return {"GroupId": physical_id, "Id": physical_id, "VpcId": group.get("VpcId", "")}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return description, name and VPC."""
        group = work.read("ec2", "DescribeSecurityGroups", GroupIds=[physical_id])["SecurityGroups"][0]
        return {"GroupDescription": group["Description"]} | pick(group, "GroupName VpcId")


def _permission(rule: Properties, *, egress: bool) -> dict[str, Any]:
    """Return the IpPermission of a rule."""
    note = pick(rule, "Description")
    other = "DestinationSecurityGroupId" if egress else "SourceSecurityGroupId"
    prefix = "DestinationPrefixListId" if egress else "SourcePrefixListId"
    body = pick(rule, "IpProtocol FromPort ToPort")
    if "CidrIp" in rule:
        body["IpRanges"] = [{"CidrIp": rule["CidrIp"], **note}]
    if "CidrIpv6" in rule:
        body["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **note}]
    if other in rule or "SourceSecurityGroupName" in rule:
        renamed = {other: "GroupId", "SourceSecurityGroupName": "GroupName", "SourceSecurityGroupOwnerId": "UserId"}
        body["UserIdGroupPairs"] = [{name: rule[given] for given, name in renamed.items() if given in rule} | note]
    if prefix in rule:
        body["PrefixListIds"] = [{"PrefixListId": rule[prefix], **note}]
    return body


def _rules(work: Work, group: str, old: Properties, new: Properties) -> None:
    for direction in ("Ingress", "Egress"):
        member, egress = f"SecurityGroup{direction}", direction == "Egress"
        before = [_permission(rule, egress=egress) for rule in old.get(member, ())]
        after = [_permission(rule, egress=egress) for rule in new.get(member, ())]
        lost = [rule for rule in before if rule not in after]
        wanted = [rule for rule in after if rule not in before]
        if lost:
            work.call("ec2", f"RevokeSecurityGroup{direction}", GroupId=group, IpPermissions=lost)
        if wanted:
            work.call("ec2", f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=wanted)


class _GroupRule(Handler):
    """One rule of a group that is declared elsewhere."""

    direction: ClassVar[str]

    def _params(self, props: Properties) -> dict[str, Any]:
        permission = _permission(props, egress=self.direction == "Egress")
        return {"IpPermissions": [permission], **pick(props, "GroupId GroupName")}

    def create(self, work: Work, props: Properties) -> str:
        """Authorize the rule."""
        made = work.call("ec2", f"AuthorizeSecurityGroup{self.direction}", **self._params(props))
        rules = made.get("SecurityGroupRules") or [{}]
        return work.made(rules[0].get("SecurityGroupRuleId") or work.name())

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change the description, which is all that can change in place."""
        operation = f"UpdateSecurityGroupRuleDescriptions{self.direction}"
        work.call("ec2", operation, **self._params({"Description": "", **new}))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Revoke the rule."""
        work.call("ec2", f"RevokeSecurityGroup{self.direction}", **self._params(props))

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class SecurityGroupIngress(_GroupRule):
    """AWS::EC2::SecurityGroupIngress."""

    type = "AWS::EC2::SecurityGroupIngress"
    direction = "Ingress"


class SecurityGroupEgress(_GroupRule):
    """AWS::EC2::SecurityGroupEgress."""

    type = "AWS::EC2::SecurityGroupEgress"
    direction = "Egress"


class RouteTable(_Tagged):
    """AWS::EC2::RouteTable; Ref is its id."""

    type = "AWS::EC2::RouteTable"
    operations = ("CreateRouteTable", "DeleteRouteTable")
    kind, member, id_name, passed = "route-table", "RouteTable", "RouteTableId", "VpcId"

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return RouteTableId."""
        return {"RouteTableId": physical_id}


_WAYS = "EgressOnlyInternetGatewayId GatewayId InstanceId NatGatewayId NetworkInterfaceId TransitGatewayId VpcEndpointId VpcPeeringConnectionId"


class Route(Handler):
    """AWS::EC2::Route; Ref is `table|destination`."""

    type = "AWS::EC2::Route"
    ignored = frozenset({"CarrierGatewayId", "CoreNetworkArn", "LocalGatewayId", "OdbNetworkArn"})

    @staticmethod
    def _who(props: Properties) -> dict[str, Any]:
        return pick(props, "RouteTableId DestinationCidrBlock DestinationIpv6CidrBlock DestinationPrefixListId")

    def create(self, work: Work, props: Properties) -> str:
        """Create the route."""
        work.call("ec2", "CreateRoute", **self._who(props), **pick(props, _WAYS))
        return work.made("|".join(self._who(props).values()))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Send it another way."""
        work.call("ec2", "ReplaceRoute", **self._who(new), **pick(new, _WAYS))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the route."""
        work.call("ec2", "DeleteRoute", **self._who(props))

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return CidrBlock."""
        return {"CidrBlock": physical_id.partition("|")[2]}


class SubnetRouteTableAssociation(Handler):
    """AWS::EC2::SubnetRouteTableAssociation; Ref is the association's id."""

    type = "AWS::EC2::SubnetRouteTableAssociation"

    def create(self, work: Work, props: Properties) -> str:
        """Associate."""
        made = work.call("ec2", "AssociateRouteTable", **pick(props, "RouteTableId SubnetId"))
        return work.made(made["AssociationId"])

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Take the association away."""
        work.call("ec2", "DisassociateRouteTable", AssociationId=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class SubnetNetworkAclAssociation(Handler):
    """AWS::EC2::SubnetNetworkAclAssociation; a subnet always has one ACL, so this exchanges it."""

    type = "AWS::EC2::SubnetNetworkAclAssociation"

    @staticmethod
    def _associations(work: Work, subnet: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        acls = work.read("ec2", "DescribeNetworkAcls", Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
        return [
            (acl, item)
            for acl in acls["NetworkAcls"]
            for item in acl.get("Associations", ())
            if item["SubnetId"] == subnet
        ]

    def _exchange(self, work: Work, subnet: Any, acl_id: Any) -> str:
        found = self._associations(work, subnet)
        if not found:
            message = f"The subnet ID '{subnet}' does not exist"
            raise AwsError("InvalidSubnetID.NotFound", message)
        association = found[0][1]["NetworkAclAssociationId"]
        made = work.call("ec2", "ReplaceNetworkAclAssociation", AssociationId=association, NetworkAclId=acl_id)
        return str(made["NewAssociationId"])

    def create(self, work: Work, props: Properties) -> str:
        """Put the ACL in the place of the subnet's present one."""
        return work.made(self._exchange(work, props["SubnetId"], props["NetworkAclId"]))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Give the subnet the VPC's default ACL back."""
        found = self._associations(work, props["SubnetId"])
        if not found or found[0][0]["NetworkAclId"] != props["NetworkAclId"]:
            return
        own = [{"Name": "vpc-id", "Values": [found[0][0]["VpcId"]]}, {"Name": "default", "Values": ["true"]}]
        default = work.read("ec2", "DescribeNetworkAcls", Filters=own)["NetworkAcls"][0]
        self._exchange(work, props["SubnetId"], default["NetworkAclId"])

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return AssociationId."""
        return {"AssociationId": physical_id}


class InternetGateway(_Tagged):
    """AWS::EC2::InternetGateway; Ref is its id."""

    type = "AWS::EC2::InternetGateway"
    operations = ("CreateInternetGateway", "DeleteInternetGateway")
    kind, member, id_name, passed = "internet-gateway", "InternetGateway", "InternetGatewayId", ""

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return InternetGatewayId."""
        return {"InternetGatewayId": physical_id}


class VPCGatewayAttachment(Handler):
    """AWS::EC2::VPCGatewayAttachment; Ref is `IGW|vpc`."""

    type = "AWS::EC2::VPCGatewayAttachment"
    ignored = frozenset({"VpnGatewayId"})

    def create(self, work: Work, props: Properties) -> str:
        """Attach the internet gateway."""
        work.call("ec2", "AttachInternetGateway", **pick(props, "VpcId InternetGatewayId"))
        return work.made(f"IGW|{props['VpcId']}")

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Attach another gateway."""
        self.delete(work, physical_id, old)
        work.call("ec2", "AttachInternetGateway", **pick(new, "VpcId InternetGatewayId"))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Detach the gateway."""
        work.call("ec2", "DetachInternetGateway", **pick(props, "VpcId InternetGatewayId"))

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return AttachmentType."""
        return {"AttachmentType": "IGW"}


class EIP(Handler):
    """AWS::EC2::EIP; Ref is the address."""

    type = "AWS::EC2::EIP"
    ignored = frozenset({"IpamPoolId", "NetworkBorderGroup", "PublicIpv4Pool", "TransferAddress"})

    def create(self, work: Work, props: Properties) -> str:
        """Allocate an address, associate it with the declared instance."""
        made = work.call(
            "ec2",
            "AllocateAddress",
            Domain=props.get("Domain", "vpc"),
            TagSpecifications=_tagged(work, "elastic-ip", props),
            **pick(props, "Address"),
        )
        physical_id = work.made(made["PublicIp"])
        if "InstanceId" in props:
            params = {"AllocationId": made["AllocationId"], "InstanceId": props["InstanceId"]}
            work.call("ec2", "AssociateAddress", **params)
        return physical_id

    def _address(self, work: Work, physical_id: str) -> dict[str, Any]:
        return dict(work.read("ec2", "DescribeAddresses", PublicIps=[physical_id])["Addresses"][0])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Associate with another instance, change the tags."""
        address = self._address(work, physical_id)
        if old.get("InstanceId") != new.get("InstanceId"):
            if address.get("AssociationId"):
                work.call("ec2", "DisassociateAddress", AssociationId=address["AssociationId"])
            if "InstanceId" in new:
                params = {"AllocationId": address["AllocationId"], "InstanceId": new["InstanceId"]}
                work.call("ec2", "AssociateAddress", **params)
        _retag(work, address["AllocationId"], old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Release the address."""
        address = self._address(work, physical_id)
        if address.get("AssociationId"):
            work.call("ec2", "DisassociateAddress", AssociationId=address["AssociationId"])
        work.call("ec2", "ReleaseAddress", AllocationId=address["AllocationId"])

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return PublicIp and AllocationId."""
        return {"PublicIp": physical_id, "AllocationId": self._address(work, physical_id)["AllocationId"]}


class NatGateway(_Tagged):
    """AWS::EC2::NatGateway; Ref is its id."""

    type = "AWS::EC2::NatGateway"
    operations = ("CreateNatGateway", "DeleteNatGateway")
    kind, member, id_name = "natgateway", "NatGateway", "NatGatewayId"
    passed = (
        "SubnetId AllocationId ConnectivityType PrivateIpAddress SecondaryAllocationIds SecondaryPrivateIpAddresses "
        "SecondaryPrivateIpAddressCount"
    )
    ignored = frozenset({"AvailabilityMode", "AvailabilityZoneAddresses", "MaxDrainDurationSeconds"})

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return NatGatewayId."""
        return {"NatGatewayId": physical_id}


class NetworkAcl(_Tagged):
    """AWS::EC2::NetworkAcl; Ref is its id."""

    type = "AWS::EC2::NetworkAcl"
    operations = ("CreateNetworkAcl", "DeleteNetworkAcl")
    kind, member, id_name, passed = "network-acl", "NetworkAcl", "NetworkAclId", "VpcId"

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class NetworkAclEntry(Handler):
    """AWS::EC2::NetworkAclEntry."""

    type = "AWS::EC2::NetworkAclEntry"

    @staticmethod
    def _params(props: Properties) -> dict[str, Any]:
        body = pick(props, "NetworkAclId RuleNumber Protocol RuleAction CidrBlock Ipv6CidrBlock PortRange")
        if "Icmp" in props:
            body["IcmpTypeCode"] = props["Icmp"]
        return {**body, "Egress": _true(props.get("Egress", False))}

    def create(self, work: Work, props: Properties) -> str:
        """Create the entry."""
        work.call("ec2", "CreateNetworkAclEntry", **self._params(props))
        return work.made(work.name())

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Replace the entry under its number."""
        work.call("ec2", "ReplaceNetworkAclEntry", **self._params(new))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the entry."""
        who = pick(self._params(props), "NetworkAclId RuleNumber Egress")
        work.call("ec2", "DeleteNetworkAclEntry", **who)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class VPCEndpoint(Handler):
    """AWS::EC2::VPCEndpoint; Ref is its id."""

    type = "AWS::EC2::VPCEndpoint"
    ignored = frozenset({"ResourceConfigurationArn", "ServiceNetworkArn", "ServiceRegion"})
    _lists: ClassVar = ("RouteTableIds", "SubnetIds", "SecurityGroupIds")

    def create(self, work: Work, props: Properties) -> str:
        """Create the endpoint."""
        settings = "VpcId ServiceName VpcEndpointType RouteTableIds SubnetIds SecurityGroupIds PrivateDnsEnabled IpAddressType DnsOptions"
        body = {"VpcEndpointType": "Gateway", **pick(props, settings)}
        if "PolicyDocument" in props:
            body["PolicyDocument"] = as_json(props["PolicyDocument"])
        made = work.call("ec2", "CreateVpcEndpoint", TagSpecifications=_tagged(work, "vpc-endpoint", props), **body)
        return work.made(made["VpcEndpoint"]["VpcEndpointId"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Add and remove tables, subnets and groups; change policy and private DNS."""
        body: dict[str, Any] = {}
        for name in self._lists:
            before, after = old.get(name, []), new.get(name, [])
            body[f"Add{name}"] = [item for item in after if item not in before] or None
            body[f"Remove{name}"] = [item for item in before if item not in after] or None
        if old.get("PolicyDocument") != new.get("PolicyDocument"):
            wanted = "PolicyDocument" in new
            body |= {"PolicyDocument": as_json(new["PolicyDocument"])} if wanted else {"ResetPolicy": True}
        if old.get("PrivateDnsEnabled") != new.get("PrivateDnsEnabled"):
            body["PrivateDnsEnabled"] = new.get("PrivateDnsEnabled", False)
        if any(value is not None for value in body.values()):
            work.call("ec2", "ModifyVpcEndpoint", VpcEndpointId=physical_id, **body)
        _retag(work, physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the endpoint."""
        work.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[physical_id])

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id, interfaces and DNS entries."""
        found = work.read("ec2", "DescribeVpcEndpoints", VpcEndpointIds=[physical_id])["VpcEndpoints"][0]
        entries = [f"{item.get('HostedZoneId', '')}:{item.get('DnsName', '')}" for item in found.get("DnsEntries", ())]
        return {"Id": physical_id, "NetworkInterfaceIds": found.get("NetworkInterfaceIds", []), "DnsEntries": entries}


class Instance(Handler):
    """AWS::EC2::Instance; Ref is its id."""

    type = "AWS::EC2::Instance"
    _passed = (
        "BlockDeviceMappings CreditSpecification DisableApiTermination EbsOptimized ImageId InstanceInitiatedShutdownBehavior "
        "InstanceType Ipv6AddressCount KernelId KeyName LaunchTemplate MetadataOptions Monitoring NetworkInterfaces PrivateIpAddress RamdiskId "
        "SecurityGroupIds SecurityGroups SubnetId UserData"
    )
    ignored = frozenset(
        {
            "AdditionalInfo",
            "Affinity",
            "CpuOptions",
            "ElasticGpuSpecifications",
            "ElasticInferenceAccelerators",
            "EnclaveOptions",
            "HibernationOptions",
            "HostId",
            "HostResourceGroupArn",
            "Ipv6Addresses",
            "LicenseSpecifications",
            "PlacementGroupName",
            "PrivateDnsNameOptions",
            "PropagateTagsToVolumeOnCreation",
            "SsmAssociations",
            "Tenancy",
            "Volumes",
        }
    )

    def create(self, work: Work, props: Properties) -> str:
        """Run one instance and wait until it runs."""
        body = pick(props, self._passed)
        if "Monitoring" in body:
            body["Monitoring"] = {"Enabled": _true(body["Monitoring"])}
        if "IamInstanceProfile" in props:
            body["IamInstanceProfile"] = {"Name": props["IamInstanceProfile"]}
        if "AvailabilityZone" in props:
            body["Placement"] = {"AvailabilityZone": props["AvailabilityZone"]}
        tags = _tagged(work, "instance", props)
        made = work.call("ec2", "RunInstances", MinCount=1, MaxCount=1, TagSpecifications=tags, **body)
        physical_id = work.made(made["Instances"][0]["InstanceId"])
        work.until(lambda: self._state(work, physical_id) == "running", f"Instance {physical_id}")
        if "SourceDestCheck" in props:
            check = {"Value": _true(props["SourceDestCheck"])}
            work.call("ec2", "ModifyInstanceAttribute", InstanceId=physical_id, SourceDestCheck=check)
        return physical_id

    def _found(self, work: Work, physical_id: str) -> dict[str, Any]:
        reservations = work.read("ec2", "DescribeInstances", InstanceIds=[physical_id])["Reservations"]
        return dict(reservations[0]["Instances"][0])

    def _state(self, work: Work, physical_id: str) -> str:
        return str(self._found(work, physical_id)["State"]["Name"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change groups, termination protection, source check and tags; a new type or user data needs it stopped."""
        who = {"InstanceId": physical_id}
        if old.get("SecurityGroupIds") != new.get("SecurityGroupIds"):
            work.call("ec2", "ModifyInstanceAttribute", **who, Groups=new.get("SecurityGroupIds", []))
        for name in ("DisableApiTermination", "SourceDestCheck"):
            if old.get(name) != new.get(name):
                value = {"Value": _true(new.get(name, name == "SourceDestCheck"))}
                work.call("ec2", "ModifyInstanceAttribute", **who, **{name: value})
        stopped = [name for name in ("InstanceType", "UserData") if old.get(name) != new.get(name)]
        if stopped:
            work.call("ec2", "StopInstances", InstanceIds=[physical_id])
            work.until(lambda: self._state(work, physical_id) == "stopped", f"Instance {physical_id}")
            for name in stopped:
                work.call("ec2", "ModifyInstanceAttribute", **who, **{name: {"Value": new.get(name, "")}})
            work.call("ec2", "StartInstances", InstanceIds=[physical_id])
            work.until(lambda: self._state(work, physical_id) == "running", f"Instance {physical_id}")
        _retag(work, physical_id, old, new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Terminate the instance and wait until it is gone."""
        work.call("ec2", "TerminateInstances", InstanceIds=[physical_id])

        def ended() -> bool:
            try:
                return self._state(work, physical_id) == "terminated"
            except AwsError as error:
                if gone(error):
                    return True
                raise

        work.until(ended, f"Instance {physical_id}")

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return addresses, names, zone and VPC."""
        found = self._found(work, physical_id)
        return {
            "InstanceId": physical_id,
            "AvailabilityZone": found["Placement"]["AvailabilityZone"],
            "PrivateDnsName": found.get("PrivateDnsName", ""),
            "PrivateIp": found.get("PrivateIpAddress", ""),
            "PublicDnsName": found.get("PublicDnsName", ""),
            "PublicIp": found.get("PublicIpAddress", ""),
            "VpcId": found.get("VpcId", ""),
        }
