"""The network model: what groups, ACLs, routes and gateways make of a connection."""

import copy
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.network import READS, VpcView, decide, view
from simulator.service import Connection

LISTED = Connection(ip="198.51.100.7", port=443, protocol="TCP")
ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
CONFIG = {"VpcId": "vpc-1", "SubnetIds": ["subnet-private"], "SecurityGroupIds": ["sg-1"]}


def entry(number: int, action: str, *, egress: bool, cidr: str = "0.0.0.0/0", **more: Any) -> dict[str, Any]:
    """Return an ACL entry as EC2 gives it, for all protocols unless told."""
    given_: dict[str, Any] = {
        "RuleNumber": number,
        "RuleAction": action,
        "Egress": egress,
        "Protocol": "-1",
        "CidrBlock": cidr,
    }
    return {**given_, **more}


OPEN = [
    entry(100, "allow", egress=True),
    entry(32767, "deny", egress=True),
    entry(100, "allow", egress=False),
    entry(32767, "deny", egress=False),
]


def world() -> dict[str, Any]:
    """Return EC2's answers for a VPC with a private subnet behind a NAT gateway in a public one: everything open."""
    return {
        "DescribeVpcs": {"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]},
        "DescribeSubnets": {
            "Subnets": [
                {"SubnetId": "subnet-private", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"},
                {"SubnetId": "subnet-public", "VpcId": "vpc-1", "CidrBlock": "10.0.2.0/24"},
            ]
        },
        "DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": "sg-1", "IpPermissionsEgress": [ALL]}]},
        "DescribeNetworkAcls": {
            "NetworkAcls": [
                {"NetworkAclId": "acl-d", "VpcId": "vpc-1", "IsDefault": True, "Entries": OPEN, "Associations": []},
                {
                    "NetworkAclId": "acl-p",
                    "VpcId": "vpc-1",
                    "IsDefault": False,
                    "Entries": list(OPEN),
                    "Associations": [{"SubnetId": "subnet-private"}],
                },
            ]
        },
        "DescribeRouteTables": {
            "RouteTables": [
                {
                    "VpcId": "vpc-1",
                    "Associations": [{"Main": True}],
                    "Routes": [
                        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"},
                    ],
                },
                {
                    "VpcId": "vpc-1",
                    "Associations": [{"Main": False, "SubnetId": "subnet-private"}],
                    "Routes": [
                        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                        {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"},
                    ],
                },
            ]
        },
        "DescribeNatGateways": {
            "NatGateways": [
                {
                    "NatGatewayId": "nat-1",
                    "SubnetId": "subnet-public",
                    "State": "available",
                    "ConnectivityType": "public",
                }
            ]
        },
        "DescribeInternetGateways": {
            "InternetGateways": [
                {"InternetGatewayId": "igw-1", "Attachments": [{"State": "available", "VpcId": "vpc-1"}]}
            ]
        },
    }


def egress(*permissions: dict[str, Any]) -> dict[str, Any]:
    """Return the world with other egress rules."""
    changed = world()
    changed["DescribeSecurityGroups"]["SecurityGroups"][0]["IpPermissionsEgress"] = list(permissions)
    return changed


def acl(*entries: dict[str, Any], which: int = 1) -> dict[str, Any]:
    """Return the world with other ACL entries, the private subnet's unless told."""
    changed = world()
    changed["DescribeNetworkAcls"]["NetworkAcls"][which]["Entries"] = list(entries)
    return changed


def routes(*entries: dict[str, Any], table: int = 1) -> dict[str, Any]:
    """Return the world with other routes beside the local one, the private subnet's unless told."""
    changed = world()
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}
    changed["DescribeRouteTables"]["RouteTables"][table]["Routes"] = [local, *entries]
    return changed


def nat(**changes: Any) -> dict[str, Any]:
    """Return the world with another NAT gateway."""
    changed = world()
    changed["DescribeNatGateways"]["NatGateways"][0].update(changes)
    return changed


def without(operation: str, key: str) -> dict[str, Any]:
    """Return the world without the things that an operation lists."""
    changed = world()
    changed[operation] = {key: []}
    return changed


def https(cidr: str, first: int = 443, last: int = 443, protocol: str = "tcp") -> dict[str, Any]:
    """Return a group's rule for one CIDR."""
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": cidr}]}


DEFAULT = {"DestinationCidrBlock": "0.0.0.0/0"}
VERDICTS: dict[str, tuple[dict[str, Any], str, bool]] = {
    "everything open": (world(), "ACCEPT", True),
    "no egress rule": (egress(), "REJECT", False),
    "egress to this port": (egress(https("0.0.0.0/0")), "ACCEPT", True),
    "egress to another port": (egress(https("0.0.0.0/0", 80, 80)), "REJECT", False),
    "egress to a range of ports": (egress(https("198.51.100.0/24", 0, 1023)), "ACCEPT", True),
    "egress to another range": (egress(https("198.51.100.0/24", 1024, 65535)), "REJECT", False),
    "egress by UDP only": (egress(https("0.0.0.0/0", protocol="udp")), "REJECT", False),
    "egress by protocol number": (egress(https("0.0.0.0/0", protocol="6")), "ACCEPT", True),
    "egress to another address": (egress(https("203.0.113.0/24")), "REJECT", False),
    "egress in one of two rules": (egress(https("203.0.113.0/24"), https("198.51.100.7/32")), "ACCEPT", True),
    "egress to the group itself": (
        egress({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-1"}]}),
        "REJECT",
        False,
    ),
    "egress to all of IPv6": (egress({"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}), "REJECT", False),
    "no such group": (without("DescribeSecurityGroups", "SecurityGroups"), "REJECT", False),
    "an ACL that denies first": (acl(entry(50, "deny", egress=True, cidr="198.51.100.7/32"), *OPEN), "REJECT", False),
    "an ACL that denies too late": (acl(*OPEN, entry(200, "deny", egress=True)), "ACCEPT", True),
    "an ACL that denies another port": (
        acl(entry(50, "deny", egress=True, Protocol="6", PortRange={"From": 80, "To": 80}), *OPEN),
        "ACCEPT",
        True,
    ),
    "an ACL that denies UDP": (acl(entry(50, "deny", egress=True, Protocol="17"), *OPEN), "ACCEPT", True),
    "an ACL without entries": (acl(), "REJECT", False),
    "an ACL that denies answers": (acl(entry(100, "allow", egress=True)), "ACCEPT", False),
    "an ACL that denies answers of the address": (
        acl(entry(50, "deny", egress=False, cidr="198.51.100.0/24"), *OPEN),
        "ACCEPT",
        False,
    ),
    "an ACL that lets answers to some ports back": (
        acl(
            entry(100, "allow", egress=True),
            entry(100, "allow", egress=False, Protocol="6", PortRange={"From": 32768, "To": 60999}),
        ),
        "ACCEPT",
        True,
    ),
    "an ACL that lets answers to low ports back": (
        acl(
            entry(100, "allow", egress=True),
            entry(100, "allow", egress=False, Protocol="6", PortRange={"From": 443, "To": 443}),
        ),
        "ACCEPT",
        False,
    ),
    "no route": (routes(), "ACCEPT", False),
    "no route table": (without("DescribeRouteTables", "RouteTables"), "ACCEPT", False),
    "a route to an internet gateway": (routes({**DEFAULT, "GatewayId": "igw-1"}), "ACCEPT", False),
    "a black hole": (routes({**DEFAULT, "NatGatewayId": "nat-1", "State": "blackhole"}), "ACCEPT", False),
    "a narrower black hole": (
        routes(
            {**DEFAULT, "NatGatewayId": "nat-1"},
            {"DestinationCidrBlock": "198.51.100.0/24", "NetworkInterfaceId": "eni-1", "State": "blackhole"},
        ),
        "ACCEPT",
        False,
    ),
    "a narrower route elsewhere": (
        routes(
            {**DEFAULT, "NatGatewayId": "nat-1"}, {"DestinationCidrBlock": "203.0.113.0/24", "TransitGatewayId": "tgw"}
        ),
        "ACCEPT",
        True,
    ),
    "a transit gateway": (routes({**DEFAULT, "TransitGatewayId": "tgw-1"}), "ACCEPT", False),
    "a peering": (routes({**DEFAULT, "VpcPeeringConnectionId": "pcx-1"}), "ACCEPT", False),
    "an instance": (routes({**DEFAULT, "InstanceId": "i-1"}), "ACCEPT", False),
    "a virtual private gateway": (routes({**DEFAULT, "GatewayId": "vgw-1"}), "ACCEPT", False),
    "a NAT gateway that is gone": (without("DescribeNatGateways", "NatGateways"), "ACCEPT", False),
    "a NAT gateway being deleted": (nat(State="deleting"), "ACCEPT", False),
    "a NAT gateway still pending": (nat(State="pending"), "ACCEPT", False),
    "a private NAT gateway": (nat(ConnectivityType="private"), "ACCEPT", False),
    "a NAT gateway behind itself": (nat(SubnetId="subnet-private"), "ACCEPT", False),
    "a NAT gateway whose subnet is gone": (nat(SubnetId="subnet-gone"), "ACCEPT", False),
    "a NAT gateway without a way out": (routes(table=0), "ACCEPT", False),
    "an internet gateway that is detached": (without("DescribeInternetGateways", "InternetGateways"), "ACCEPT", False),
    "the NAT's ACL denies it": (acl(entry(50, "deny", egress=True), *OPEN, which=0), "ACCEPT", False),
    "the NAT's ACL denies the way in": (
        acl(entry(50, "deny", egress=False, cidr="10.0.1.0/24"), *OPEN, which=0),
        "ACCEPT",
        False,
    ),
    "no such subnet": (without("DescribeSubnets", "Subnets"), "REJECT", False),
}


@pytest.mark.parametrize(("described", "action", "permitted"), VERDICTS.values(), ids=VERDICTS)
def test_the_verdict_follows_what_gets_through(described: dict[str, Any], action: str, permitted: bool) -> None:
    """Groups and ACLs decide the record's action; routes and gateways whether anything gets out."""
    verdict = decide(LISTED, view(CONFIG, described))
    assert (verdict.action, verdict.permitted) == (action, permitted), verdict
    assert verdict.why and verdict.flows


def test_a_function_outside_a_vpc_reaches_everything() -> None:
    """There is nothing in its way."""
    assert decide(LISTED, None).permitted


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1", "0.0.0.0", "169.254.169.254", "fe80::1"])
def test_addresses_of_the_host_itself_are_no_flow(ip: str) -> None:
    """Loopback and link-local addresses never show in a flow log, in a VPC or outside."""
    for vpc in (None, view(CONFIG, world())):
        verdict = decide(Connection(ip=ip, port=443, protocol="TCP"), vpc)
        assert not verdict.flows and not verdict.permitted


def test_datagrams_need_no_answer() -> None:
    """An ACL that lets nothing back stops TCP, not UDP."""
    described = acl(entry(100, "allow", egress=True))
    described["DescribeNetworkAcls"]["NetworkAcls"][0]["Entries"] = OPEN
    assert decide(Connection(ip="198.51.100.7", port=53, protocol="UDP"), view(CONFIG, described)).permitted


def test_inside_the_vpc_routes_need_no_gateway() -> None:
    """The local route reaches the other subnet, the groups permitting."""
    inside = Connection(ip="10.0.2.9", port=5432, protocol="TCP")
    assert decide(inside, view(CONFIG, routes())).permitted
    assert decide(inside, view(CONFIG, egress())).action == "REJECT"


def test_a_rule_may_name_a_group_or_a_prefix_list() -> None:
    """A group means its interfaces' private addresses, a prefix list its entries."""
    described = egress({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-db"}]})
    described["DescribeNetworkInterfaces"] = {
        "NetworkInterfaces": [
            {"Groups": [{"GroupId": "sg-db"}], "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.2.9"}]}
        ]
    }
    database = Connection(ip="10.0.2.9", port=5432, protocol="TCP")
    assert decide(database, view(CONFIG, described)).permitted
    assert not decide(LISTED, view(CONFIG, described)).permitted
    described = egress(
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    )
    assert decide(LISTED, view(CONFIG, described, {"pl-1": ["198.51.100.0/24"]})).permitted
    assert not decide(LISTED, view(CONFIG, described, {"pl-1": ["203.0.113.0/24"]})).permitted
    assert not decide(LISTED, view(CONFIG, described)).permitted


def test_one_open_subnet_of_several_is_a_way_out() -> None:
    """A function may run in any of its subnets."""
    described = acl()
    described["DescribeSubnets"]["Subnets"].append(
        {"SubnetId": "subnet-other", "VpcId": "vpc-1", "CidrBlock": "10.0.3.0/24"}
    )
    tables = described["DescribeRouteTables"]["RouteTables"]
    tables[1]["Associations"].append({"Main": False, "SubnetId": "subnet-other"})
    both = {**CONFIG, "SubnetIds": ["subnet-private", "subnet-other"]}
    assert decide(LISTED, view(both, described)).permitted
    assert not decide(LISTED, view(CONFIG, described)).permitted


def dual_stack(target: dict[str, Any]) -> VpcView:
    """Return a dual-stack function's network with an IPv6 default route to `target`."""
    described = routes({"DestinationIpv6CidrBlock": "::/0", **target})
    described["DescribeSubnets"]["Subnets"][0]["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": "2001:db8:1::/64"}]
    groups = described["DescribeSecurityGroups"]["SecurityGroups"]
    groups[0]["IpPermissionsEgress"] = [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    for each in described["DescribeNetworkAcls"]["NetworkAcls"]:
        each["Entries"] = [
            {"RuleNumber": 101, "RuleAction": "allow", "Egress": out, "Protocol": "-1", "Ipv6CidrBlock": "::/0"}
            for out in (True, False)
        ]
    return view({**CONFIG, "Ipv6AllowedForDualStack": True}, described)


def test_ipv6_leaves_through_an_egress_only_gateway() -> None:
    """IPv6 needs no NAT; without dual stack there is no IPv6 at all."""
    connection = Connection(ip="2001:db8:ffff::7", port=443, protocol="TCP")
    assert decide(connection, dual_stack({"EgressOnlyInternetGatewayId": "eigw-1"})).permitted
    assert decide(connection, dual_stack({"GatewayId": "igw-1"})).permitted
    assert not decide(connection, dual_stack({"NatGatewayId": "nat-1"})).permitted
    assert not decide(connection, view(CONFIG, world())).flows


def test_missing_answers_count_as_empty() -> None:
    """A view of nothing lets nothing out and raises nothing."""
    for operation in READS:
        described = world()
        described.pop(operation, None)
        decide(LISTED, view(CONFIG, described))
    assert not decide(LISTED, view(CONFIG, {})).permitted


ADDRESSES = st.integers(min_value=0x01000000, max_value=0xDFFFFFFF).map(lambda number: str(ip_address(number)))
PREFIXES = st.tuples(ADDRESSES, st.integers(0, 32)).map(
    lambda pair: str(ip_network(f"{pair[0]}/{pair[1]}", strict=False))
)


@given(ip=ADDRESSES, port=st.integers(1, 65535), cidrs=st.lists(PREFIXES, max_size=4), more=PREFIXES)
def test_more_egress_rules_never_close_anything(ip: str, port: int, cidrs: list[str], more: str) -> None:
    """Groups only permit: adding a rule keeps what was permitted."""
    connection = Connection(ip=ip, port=port, protocol="TCP")
    rules = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": cidr} for cidr in cidrs]}]
    before = decide(connection, view(CONFIG, egress(*rules)))
    after = decide(connection, view(CONFIG, egress(*rules, {"IpProtocol": "-1", "IpRanges": [{"CidrIp": more}]})))
    assert after.permitted or not before.permitted


@given(ip=ADDRESSES, cidrs=st.lists(st.tuples(st.integers(1, 32000), PREFIXES, st.booleans()), max_size=5))
def test_the_lowest_matching_acl_rule_decides(ip: str, cidrs: list[tuple[int, str, bool]]) -> None:
    """Whatever the order in which the entries are listed."""
    numbered = {number: (cidr, allows) for number, cidr, allows in cidrs}
    entries = [
        entry(number, "allow" if allows else "deny", egress=True, cidr=cidr)
        for number, (cidr, allows) in sorted(numbered.items(), reverse=True)
    ]
    described = acl(*entries, entry(100, "allow", egress=False))
    expected = next(
        (allows for _, (cidr, allows) in sorted(numbered.items()) if ip_address(ip) in ip_network(cidr)), False
    )
    verdict = decide(Connection(ip=ip, port=443, protocol="UDP"), view(CONFIG, described))
    inside = ip_address(ip) in ip_network("10.0.1.0/24")
    logged = not (ip_address(ip).is_loopback or ip_address(ip).is_link_local)
    if logged and not inside:
        assert (verdict.action == "ACCEPT") == expected


def test_the_view_does_not_change_what_it_was_given() -> None:
    """It reads and builds."""
    described = world()
    before = copy.deepcopy(described)
    view(CONFIG, described)
    assert described == before
