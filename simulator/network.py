"""A connection attempt x a VPC's configuration -> whether the packet was let through, and whether it got out. Pure.

What decides, in a packet's order: the security groups' egress rules (any of any group), the subnet's network ACL (the
lowest-numbered rule that matches), the subnet's route table (the longest prefix), and for a NAT gateway its own state,
its subnet's ACL and its subnet's route. A flow-log record shows the verdict of groups and ACLs only, so `action` may be
ACCEPT for a packet that gets nowhere. Sources: Amazon VPC user guide, Security group rules, Network ACLs, Route tables,
NAT gateways, Flow log limitations; AWS Lambda developer guide, Giving Lambda functions access to resources in a VPC
("Lambda functions always ... a private IP address", so an internet gateway alone is no way out for IPv4).

Not modelled, and taken as no way out: transit, peering, virtual private and instance routes to the internet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Literal

from simulator.service import Connection

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Action = Literal["ACCEPT", "REJECT"]

READS = (
    "DescribeVpcs",
    "DescribeSubnets",
    "DescribeSecurityGroups",
    "DescribeNetworkAcls",
    "DescribeRouteTables",
    "DescribeNatGateways",
    "DescribeInternetGateways",
    "DescribeEgressOnlyInternetGateways",
    "DescribeNetworkInterfaces",
)
"""The EC2 reads whose results, unfiltered, `view` takes. Entries of prefix lists come besides, where a rule names one."""

_EPHEMERAL = (1024, 65535)
"""Source ports of a function. Source: Amazon VPC user guide, Ephemeral ports ("AWS Lambda functions use 1024-65535")."""
_PROTOCOLS = {"tcp": "TCP", "6": "TCP", "udp": "UDP", "17": "UDP", "-1": "any", "all": "any"}
_UNLOGGED = tuple(ip_network(text) for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a connection attempt.

    `action` is what a flow-log record says, `permitted` whether the connection could come about, `why` a clause for a
    reader. Where not `flows`, no packet reached the network and there is no record.
    """

    action: Action
    permitted: bool
    why: str
    flows: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of a security group or an ACL. `protocol` is TCP, UDP, any or another's number; `ports` None for all."""

    protocol: str
    ports: tuple[int, int] | None
    networks: tuple[Network, ...]
    allows: bool = True

    def matches(self, protocol: str, port: int, covers: Callable[[Network], bool]) -> bool:
        """Say whether the rule is about this traffic."""
        if self.protocol not in ("any", protocol):
            return False
        if self.ports is not None and not self.ports[0] <= port <= self.ports[1]:
            return False
        return any(covers(network) for network in self.networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """A network ACL: rules of both directions in the order of their numbers. What none matches is denied."""

    id: str
    egress: tuple[Rule, ...]
    ingress: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route. `kind` is local, internet, nat, egress-only, endpoint, blackhole or other; `target` names it."""

    networks: tuple[Network, ...]
    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubnetView:
    """A subnet as packets meet it. None for an ACL lets everything pass."""

    id: str
    networks: tuple[Network, ...]
    acl: Acl | None
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NatView:
    """A NAT gateway: in which subnet it sits (None where that is gone) and whether it translates to the internet."""

    id: str
    subnet: SubnetView | None
    works: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcView:
    """All that a function's packets meet in its VPC. `subnets` are the function's; it may run in any of them."""

    vpc_id: str
    networks: tuple[Network, ...]
    egress: tuple[Rule, ...]
    subnets: tuple[SubnetView, ...]
    nats: Mapping[str, NatView]
    ipv6: bool


# --- the verdict -----------------------------------------------------------------------------------------------------


def decide(connection: Connection, vpc: VpcView | None) -> Verdict:
    """Return what became of a connection of a function in `vpc`, None for one outside any VPC.

    In several subnets, the one that lets most through decides: the function may run there.
    """
    ip = ip_address(connection.ip.partition("%")[0])
    if ip.is_loopback or ip.is_unspecified:
        return _no_flow("the address is the execution environment's own")
    if any(ip.version == each.version and ip in each for each in _UNLOGGED):
        return _no_flow("link-local addresses are served by the host and not logged")
    if vpc is None:
        return Verdict(action="ACCEPT", permitted=True, why="a function outside a VPC reaches every address")
    if ip.version == 6 and not (vpc.ipv6 and any(_has_ipv6(subnet) for subnet in vpc.subnets)):
        return _no_flow("the function has no IPv6 address in its VPC")
    if not _permits(vpc.egress, connection.protocol, connection.port, _holding(ip)):
        return _rejected("no egress rule of the function's security groups lets it out")
    verdicts = [_through_subnet(ip, connection, vpc, subnet) for subnet in vpc.subnets]
    if not verdicts:
        return _rejected("none of the function's subnets exists any more")
    return max(verdicts, key=lambda verdict: (verdict.permitted, verdict.action == "ACCEPT"))


def _no_flow(why: str) -> Verdict:
    return Verdict(action="ACCEPT", permitted=False, why=why, flows=False)


def _rejected(why: str) -> Verdict:
    return Verdict(action="REJECT", permitted=False, why=why)


def _stuck(why: str) -> Verdict:
    return Verdict(action="ACCEPT", permitted=False, why=why)


def _has_ipv6(subnet: SubnetView) -> bool:
    return any(network.version == 6 for network in subnet.networks)


def _through_subnet(ip: Address, connection: Connection, vpc: VpcView, subnet: SubnetView) -> Verdict:
    if any(ip in network for network in subnet.networks if network.version == ip.version):
        return Verdict(action="ACCEPT", permitted=True, why="the address is in the function's own subnet")
    if not _leaves(subnet.acl, ip, connection):
        return _rejected(f"the network ACL of {subnet.id} denies it")
    if connection.protocol == "TCP" and not _returns(subnet.acl, ip):
        return _stuck(f"the network ACL of {subnet.id} denies every answer, and it keeps no state")
    return _routed(ip, connection, vpc, subnet)


def _routed(ip: Address, connection: Connection, vpc: VpcView, subnet: SubnetView) -> Verdict:
    route = _longest(subnet.routes, ip)
    if route is None:
        return _stuck(f"no route of {subnet.id} leads there")
    if route.kind == "local":
        return Verdict(action="ACCEPT", permitted=True, why="the address is inside the VPC")
    if route.kind == "nat":
        return _through_nat(ip, connection, vpc, subnet, vpc.nats.get(route.target))
    if route.kind == "internet" and ip.version == 4:
        return _stuck("an internet gateway is no way out for a function: it has no public address")
    if route.kind in ("internet", "egress-only") and ip.version == 6:
        return Verdict(action="ACCEPT", permitted=True, why=f"{route.target} lets IPv6 out")
    if route.kind == "endpoint":
        return Verdict(action="ACCEPT", permitted=True, why=f"the endpoint {route.target} leads there")
    if route.kind == "blackhole":
        return _stuck(f"the route to {route.target} is a black hole")
    return _stuck(f"{route.target} leads to no way out of the VPC")


def _through_nat(ip: Address, connection: Connection, vpc: VpcView, source: SubnetView, nat: NatView | None) -> Verdict:
    """Follow a packet into the NAT gateway's subnet and out of it."""
    if nat is None or not nat.works:
        return _stuck("the NAT gateway of the route is not available")
    if ip.version == 6 or nat.subnet is None:
        return _stuck(f"{nat.id} does not translate to that address")
    if nat.subnet.id != source.id and not _enters(nat.subnet.acl, source, connection):
        return _stuck(f"the network ACL of {nat.subnet.id} denies it on the way to {nat.id}")
    if not _leaves(nat.subnet.acl, ip, connection) or (
        connection.protocol == "TCP" and not _returns(nat.subnet.acl, ip)
    ):
        return _stuck(f"the network ACL of {nat.subnet.id} denies it behind {nat.id}")
    route = _longest(nat.subnet.routes, ip)
    if route is None or route.kind != "internet":
        return _stuck(f"{nat.id} sits in a subnet without a route to an internet gateway")
    return Verdict(action="ACCEPT", permitted=True, why=f"{nat.id} leads to the internet")


def _holding(ip: Address) -> Callable[[Network], bool]:
    return lambda network: network.version == ip.version and ip in network


def _within(source: Network) -> Callable[[Network], bool]:
    """Match a network that a packet from anywhere in `source` may come from."""
    return lambda network: network.version == source.version and network.overlaps(source)


def _permits(rules: Sequence[Rule], protocol: str, port: int, covers: Callable[[Network], bool]) -> bool:
    """Return what the first matching rule says; nothing matching means no."""
    return next((rule.allows for rule in rules if rule.matches(protocol, port, covers)), False)


def _leaves(acl: Acl | None, ip: Address, connection: Connection) -> bool:
    return acl is None or _permits(acl.egress, connection.protocol, connection.port, _holding(ip))


def _enters(acl: Acl | None, source: SubnetView, connection: Connection) -> bool:
    if acl is None:
        return True
    v4 = [network for network in source.networks if network.version == 4]
    return any(_permits(acl.ingress, connection.protocol, connection.port, _within(network)) for network in v4)


def _returns(acl: Acl | None, ip: Address) -> bool:
    """Say whether an answer gets back to at least one port that a function may have called from."""
    if acl is None:
        return True
    edges = {_EPHEMERAL[0]}
    for rule in acl.ingress:
        if rule.ports is not None:
            edges |= {rule.ports[0], rule.ports[1] + 1}
    ports = sorted(port for port in edges if _EPHEMERAL[0] <= port <= _EPHEMERAL[1])
    return any(_permits(acl.ingress, "TCP", port, _holding(ip)) for port in ports)


def _longest(routes: Iterable[Route], ip: Address) -> Route | None:
    """Return the route with the longest matching prefix."""
    best: tuple[int, Route] | None = None
    for route in routes:
        for network in route.networks:
            if network.version == ip.version and ip in network and (best is None or network.prefixlen > best[0]):
                best = (network.prefixlen, route)
    return None if best is None else best[1]


# --- from EC2's answers ----------------------------------------------------------------------------------------------


def view(
    vpc_config: Mapping[str, Any],
    described: Mapping[str, Mapping[str, Any]],
    prefix_lists: Mapping[str, Sequence[str]] | None = None,
) -> VpcView:
    """Return the network around a function.

    `vpc_config` is Lambda's VpcConfig (SubnetIds, SecurityGroupIds, VpcId, Ipv6AllowedForDualStack). `described` holds the
    results of `READS` by operation; one that is missing counts as empty. `prefix_lists` gives the CIDRs of each managed
    prefix list by its id; an unknown list holds nothing.
    """
    lists = prefix_lists or {}
    subnets = _by_id(described, "DescribeSubnets", "Subnets", "SubnetId")
    own = [subnets[each] for each in vpc_config.get("SubnetIds", ()) if each in subnets]
    vpc_id = vpc_config.get("VpcId") or (own[0]["VpcId"] if own else "")
    vpcs = _by_id(described, "DescribeVpcs", "Vpcs", "VpcId")
    return VpcView(
        vpc_id=vpc_id,
        networks=_vpc_networks(vpcs.get(vpc_id, {})),
        egress=_group_rules(vpc_config.get("SecurityGroupIds", ()), described, lists),
        subnets=tuple(_subnet(each, described, lists) for each in own),
        nats=_nats(subnets, described, lists),
        ipv6=bool(vpc_config.get("Ipv6AllowedForDualStack")),
    )


def _by_id(described: Mapping[str, Mapping[str, Any]], operation: str, key: str, id_key: str) -> dict[str, Any]:
    return {each[id_key]: each for each in _all(described, operation, key)}


def _all(described: Mapping[str, Mapping[str, Any]], operation: str, key: str) -> Sequence[Any]:
    found: Sequence[Any] = described.get(operation, {}).get(key, ())
    return found


def _networks(texts: Iterable[str | None]) -> tuple[Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts if text)


def _vpc_networks(vpc: Mapping[str, Any]) -> tuple[Network, ...]:
    v4 = [each.get("CidrBlock") for each in vpc.get("CidrBlockAssociationSet", ())]
    v6 = [each.get("Ipv6CidrBlock") for each in vpc.get("Ipv6CidrBlockAssociationSet", ())]
    return _networks(dict.fromkeys([vpc.get("CidrBlock"), *v4, *v6]))


def _subnet_networks(subnet: Mapping[str, Any]) -> tuple[Network, ...]:
    v6 = [each.get("Ipv6CidrBlock") for each in subnet.get("Ipv6CidrBlockAssociationSet", ())]
    return _networks([subnet.get("CidrBlock"), *v6])


def _group_rules(
    group_ids: Iterable[str], described: Mapping[str, Mapping[str, Any]], lists: Mapping[str, Sequence[str]]
) -> tuple[Rule, ...]:
    groups = _by_id(described, "DescribeSecurityGroups", "SecurityGroups", "GroupId")
    members = _members(described)
    permissions = [rule for each in group_ids if each in groups for rule in groups[each].get("IpPermissionsEgress", ())]
    return tuple(_group_rule(permission, members, lists) for permission in permissions)


def _members(described: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the private addresses of each security group's interfaces: what a rule that names a group means."""
    found: dict[str, list[str]] = {}
    for interface in _all(described, "DescribeNetworkInterfaces", "NetworkInterfaces"):
        addresses = [each.get("PrivateIpAddress") for each in interface.get("PrivateIpAddresses", ())]
        addresses += [each.get("Ipv6Address") for each in interface.get("Ipv6Addresses", ())]
        for group in interface.get("Groups", ()):
            found.setdefault(group["GroupId"], []).extend(address for address in addresses if address)
    return found


def _group_rule(
    permission: Mapping[str, Any], members: Mapping[str, Sequence[str]], lists: Mapping[str, Sequence[str]]
) -> Rule:
    texts: list[str] = [each["CidrIp"] for each in permission.get("IpRanges", ())]
    texts += [each["CidrIpv6"] for each in permission.get("Ipv6Ranges", ())]
    for each in permission.get("PrefixListIds", ()):
        texts += lists.get(each["PrefixListId"], ())
    for pair in permission.get("UserIdGroupPairs", ()):
        texts += members.get(pair.get("GroupId", ""), ())
    protocol = _protocol(permission.get("IpProtocol"))
    return Rule(protocol=protocol, ports=_group_ports(permission, protocol), networks=_networks(texts))


def _protocol(number: Any) -> str:
    return _PROTOCOLS.get(str(number).lower(), str(number))


def _group_ports(permission: Mapping[str, Any], protocol: str) -> tuple[int, int] | None:
    first, last = permission.get("FromPort"), permission.get("ToPort")
    if protocol == "any" or first is None or last is None or int(first) == -1:
        return None
    return int(first), int(last)


def _subnet(
    subnet: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]], lists: Mapping[str, Sequence[str]]
) -> SubnetView:
    table = _associated(subnet, _all(described, "DescribeRouteTables", "RouteTables"))
    routes = () if table is None else tuple(_route(each, described, lists) for each in table.get("Routes", ()))
    return SubnetView(
        id=subnet["SubnetId"],
        networks=_subnet_networks(subnet),
        acl=_acl(subnet, _all(described, "DescribeNetworkAcls", "NetworkAcls")),
        routes=routes,
    )


def _associated(subnet: Mapping[str, Any], tables: Sequence[Any]) -> Any:
    """Return the subnet's route table, or its VPC's main one."""
    main = None
    for table in tables:
        for association in table.get("Associations", ()):
            if association.get("SubnetId") == subnet["SubnetId"]:
                return table
            if association.get("Main") and table.get("VpcId") == subnet.get("VpcId"):
                main = table
    return main


def _acl(subnet: Mapping[str, Any], acls: Sequence[Any]) -> Acl | None:
    """Return the subnet's ACL, or its VPC's default one."""
    default = None
    for acl in acls:
        if any(each.get("SubnetId") == subnet["SubnetId"] for each in acl.get("Associations", ())):
            return _acl_of(acl)
        if acl.get("IsDefault") and acl.get("VpcId") == subnet.get("VpcId"):
            default = acl
    return None if default is None else _acl_of(default)


def _acl_of(acl: Mapping[str, Any]) -> Acl:
    entries = sorted(acl.get("Entries", ()), key=lambda entry: int(entry["RuleNumber"]))
    return Acl(
        id=acl["NetworkAclId"],
        egress=tuple(_acl_rule(entry) for entry in entries if entry["Egress"]),
        ingress=tuple(_acl_rule(entry) for entry in entries if not entry["Egress"]),
    )


def _acl_rule(entry: Mapping[str, Any]) -> Rule:
    ports = entry.get("PortRange")
    return Rule(
        protocol=_protocol(entry["Protocol"]),
        ports=(int(ports["From"]), int(ports["To"])) if ports and "From" in ports and "To" in ports else None,
        networks=_networks([entry.get("CidrBlock"), entry.get("Ipv6CidrBlock")]),
        allows=entry["RuleAction"] == "allow",
    )


_TARGETS = (
    ("NatGatewayId", "nat"),
    ("EgressOnlyInternetGatewayId", "egress-only"),
    ("TransitGatewayId", "other"),
    ("VpcPeeringConnectionId", "other"),
    ("NetworkInterfaceId", "other"),
    ("InstanceId", "other"),
    ("CarrierGatewayId", "other"),
    ("LocalGatewayId", "other"),
    ("CoreNetworkArn", "other"),
)


def _route(
    route: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]], lists: Mapping[str, Sequence[str]]
) -> Route:
    networks = _networks([route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock")])
    networks += _networks(lists.get(route.get("DestinationPrefixListId") or "", ()))
    kind, target = _target(route, described)
    if route.get("State") == "blackhole":
        kind = "blackhole"
    return Route(networks=networks, kind=kind, target=target)


def _target(route: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    gateway = route.get("GatewayId") or ""
    if gateway == "local":
        return "local", gateway
    if gateway.startswith("igw-"):
        return ("internet" if _is_attached(gateway, described) else "blackhole"), gateway
    if gateway.startswith("vpce-"):
        return "endpoint", gateway
    if gateway.startswith("eigw-"):
        return "egress-only", gateway
    if gateway.startswith("nat-"):
        return "nat", gateway
    for key, kind in _TARGETS:
        if route.get(key):
            return kind, str(route[key])
    return "other", gateway or "an unknown target"


def _is_attached(gateway: str, described: Mapping[str, Mapping[str, Any]]) -> bool:
    known = _by_id(described, "DescribeInternetGateways", "InternetGateways", "InternetGatewayId").get(gateway, {})
    return any(each.get("State") in ("available", "attached") for each in known.get("Attachments", ()))


def _nats(
    subnets: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]], lists: Mapping[str, Sequence[str]]
) -> dict[str, NatView]:
    found = {}
    for gateway in _all(described, "DescribeNatGateways", "NatGateways"):
        subnet = subnets.get(gateway.get("SubnetId", ""))
        public = gateway.get("ConnectivityType", "public") == "public"
        found[gateway["NatGatewayId"]] = NatView(
            id=gateway["NatGatewayId"],
            subnet=None if subnet is None else _subnet(subnet, described, lists),
            works=public and gateway.get("State", "available") == "available",
        )
    return found
