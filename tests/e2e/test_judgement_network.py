"""The function's way out: what groups, ACLs, routes and gateways let through, and what does not concern it."""

import pytest

from tests.e2e.trial import FUNCTION, Trial

EVERYTHING = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


class Vpc:
    """A VPC of the trainee's: a private subnet behind a NAT gateway in a public one, and a group that lets everything out."""

    def __init__(self, trial: Trial, *, nat: bool = True) -> None:
        self.trial = trial
        self.ec2 = trial.aws("ec2")
        trial.allow_function(
            "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface", "ec2:DescribeSubnets"
        )  # fmt: skip
        self.id = self.ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.id)
        self.public, self.public_routes = self.subnet("10.50.1.0/24")
        self.ec2.create_route(
            RouteTableId=self.public_routes, DestinationCidrBlock="0.0.0.0/0", GatewayId=self.gateway
        )  # fmt: skip
        self.private, self.private_routes = self.subnet("10.50.2.0/24")
        self.group = self.ec2.create_security_group(GroupName="g", Description="g", VpcId=self.id)["GroupId"]
        self.nat = self.nat_gateway() if nat else ""

    def subnet(self, cidr: str) -> tuple[str, str]:
        """Make a subnet with a route table of its own; return both ids."""
        subnet = self.ec2.create_subnet(VpcId=self.id, CidrBlock=cidr)["Subnet"]["SubnetId"]
        table = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(subnet), str(table)

    def nat_gateway(self) -> str:
        """Make a NAT gateway and the private subnet's route to it."""
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = self.ec2.create_nat_gateway(SubnetId=self.public, AllocationId=address)["NatGateway"]["NatGatewayId"]
        self.ec2.create_route(RouteTableId=self.private_routes, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
        return str(nat)

    def attach(self, subnet: str = "", *groups: str) -> None:
        """Move the function in."""
        self.trial.aws("lambda").update_function_configuration(
            FunctionName=FUNCTION,
            VpcConfig={"SubnetIds": [subnet or self.private], "SecurityGroupIds": list(groups or (self.group,))},
        )

    def egress(self, *permissions: dict[str, object]) -> None:
        """Let the group let out this and nothing else."""
        self.ec2.revoke_security_group_egress(GroupId=self.group, IpPermissions=EVERYTHING)
        if permissions:
            self.ec2.authorize_security_group_egress(GroupId=self.group, IpPermissions=list(permissions))

    def deny(self, cidr: str, number: int = 10) -> None:
        """Have the network ACL of the subnets refuse what goes to an address range."""
        acls = self.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [self.id]}])["NetworkAcls"]
        self.ec2.create_network_acl_entry(
            NetworkAclId=acls[0]["NetworkAclId"], RuleNumber=number, Protocol="-1", RuleAction="deny", Egress=True, CidrBlock=cidr
        )  # fmt: skip


def tcp(port: int, cidr: str = "0.0.0.0/0") -> dict[str, object]:
    """Return a permission of a group for a port."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


def _through_a_nat_gateway(trial: Trial) -> None:
    Vpc(trial).attach()


def _open_for_the_port(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress(tcp(443))
    vpc.attach()


def _another_port_closed(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 442, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
               {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]})  # fmt: skip
    vpc.attach()


def _a_second_group_that_is_open(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress()
    other = vpc.ec2.create_security_group(GroupName="h", Description="h", VpcId=vpc.id)["GroupId"]
    vpc.attach("", vpc.group, other)


def _an_acl_that_denies_too_late(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.deny(f"{trial.ip}/32", number=200)
    vpc.attach()


def _an_acl_that_denies_another_address(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.deny(f"{trial.variant.second_ip}/32")
    vpc.attach()


def _an_acl_of_another_network(trial: Trial) -> None:
    Vpc(trial).deny("0.0.0.0/0")


def _a_closed_group_that_is_not_attached(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress()


def _in_and_out_again(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress()
    vpc.attach()
    trial.advance(minutes=20)
    trial.aws("lambda").update_function_configuration(
        FunctionName=FUNCTION, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}
    )


def _closed_and_opened_again(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress()
    vpc.attach()
    trial.advance(minutes=20)
    vpc.ec2.authorize_security_group_egress(GroupId=vpc.group, IpPermissions=EVERYTHING)


def _a_version_outside(trial: Trial) -> None:
    """$LATEST is locked in; the version that the rule invokes was published before."""
    version = trial.aws("lambda").publish_version(FunctionName=FUNCTION)
    rule = trial.aws("events").describe_rule(Name="traffic-simulation-schedule")["Arn"]
    trial.permit("events.amazonaws.com", rule, Qualifier=version["Version"])
    trial.aws("events").put_targets(
        Rule="traffic-simulation-schedule", Targets=[{"Id": FUNCTION, "Arn": version["FunctionArn"]}]
    )
    vpc = Vpc(trial)
    vpc.egress()
    vpc.attach()


def _no_nat_gateway(trial: Trial) -> None:
    Vpc(trial, nat=False).attach()


def _the_public_subnet(trial: Trial) -> None:
    """A function's interface has no public address: an internet gateway alone is no way out."""
    vpc = Vpc(trial, nat=False)
    vpc.attach(vpc.public)


def _the_default_vpc(trial: Trial) -> None:
    """Its subnets are public, its group lets everything out, and there is no NAT gateway: no way out."""
    ec2 = trial.aws("ec2")
    vpc = Vpc(trial, nat=False)
    subnet = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"][0]
    groups = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    vpc.attach(subnet["SubnetId"], groups[0]["GroupId"])


def _a_group_without_egress(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress()
    vpc.attach()


def _a_group_for_another_port_only(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress(tcp(80))
    vpc.attach()


def _a_group_for_the_inside_only(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.egress({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]})
    vpc.attach()


def _closed_while_attached(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.attach()
    trial.advance(minutes=20)
    vpc.egress()


def _an_acl_that_denies_the_address(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.deny(f"{trial.ip}/32")
    vpc.attach()


def _the_route_removed(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.attach()
    vpc.ec2.delete_route(RouteTableId=vpc.private_routes, DestinationCidrBlock="0.0.0.0/0")


def _the_nat_gateway_deleted(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.attach()
    vpc.ec2.delete_nat_gateway(NatGatewayId=vpc.nat)
    trial.advance(minutes=5)


def _the_nat_gateways_own_way_removed(trial: Trial) -> None:
    vpc = Vpc(trial)
    vpc.attach()
    vpc.ec2.delete_route(RouteTableId=vpc.public_routes, DestinationCidrBlock="0.0.0.0/0")


OPEN = (
    _through_a_nat_gateway, _open_for_the_port, _another_port_closed, _a_second_group_that_is_open,
    _an_acl_that_denies_too_late, _an_acl_that_denies_another_address, _an_acl_of_another_network,
    _a_closed_group_that_is_not_attached, _in_and_out_again, _closed_and_opened_again, _a_version_outside,
)  # fmt: skip
CLOSED = (
    _no_nat_gateway, _the_public_subnet, _the_default_vpc, _a_group_without_egress, _a_group_for_another_port_only,
    _a_group_for_the_inside_only, _closed_while_attached, _an_acl_that_denies_the_address, _the_route_removed,
    _the_nat_gateway_deleted, _the_nat_gateways_own_way_removed,
)  # fmt: skip


@pytest.mark.parametrize("case", OPEN, ids=lambda case: case.__name__.strip("_"))
def test_a_network_that_lets_it_through_is_no_fix(trial: Trial, case: object) -> None:
    """The next hours have connections that got through."""
    assert callable(case)
    case(trial)
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]
    assert trial.connects(hours=2)


@pytest.mark.parametrize("case", CLOSED, ids=lambda case: case.__name__.strip("_"))
def test_a_network_without_a_way_out_is_a_fix(trial: Trial, case: object) -> None:
    """The code goes on trying, nothing gets through, and the trainee reads why Count may go on growing."""
    assert callable(case)
    case(trial)
    task = trial.remediation()
    assert task["status"] == "passed", task["why"]
    assert any("still tries" in remark for remark in task["remarks"])
    assert not trial.connects(hours=2)
    assert trial.flows


def test_what_the_network_refuses_is_blocked_in_the_finding(trial: Trial) -> None:
    """Count goes on growing, as Blocked: true, and the verdict stays."""
    _a_group_without_egress(trial)
    before = trial.finding()["Service"]["Count"]
    trial.advance(hours=2)
    service = trial.finding()["Service"]
    assert service["Count"] > before
    assert service["Action"]["NetworkConnectionAction"]["Blocked"] is True
    assert trial.remediation()["status"] == "passed"
