"""The network that a function's connections meet: EC2's state -> the network model's view of it."""

from collections.abc import Callable
from dataclasses import replace

from simulator.network import READS, Verdict, VpcView, decide, view
from simulator.service import Call, Connection, Context
from simulator.services.lambda_.mappings import Mappings
from simulator.services.lambda_.shapes import vpc_config
from simulator.services.lambda_.state import Function, Shape, Version


class Networks(Mappings):
    """Asks EC2 for what surrounds a function in a VPC, and keeps the answer until EC2 changes."""

    def on_call(self, call: Call) -> None:
        """Forget what EC2 said when it changes."""
        super().on_call(call)
        if call.service == "ec2" and call.change is not None:
            self.views.clear()

    def network_of(self, function_arn: str) -> VpcView | None:
        """Return the network that the function, version or alias is attached to; None outside a VPC."""
        found = self.at(function_arn)
        if found is None:
            return None
        return self._view(self.reading(found[0].region), found[0], found[1])

    def decider(
        self, ctx: Context, function: Function, number: str
    ) -> Callable[[Connection], tuple[Verdict, str | None]]:
        """Return what judges the connections of a run: the verdict, and the interface it was made through."""
        version = function.version(number) or function.latest
        network = self._view(ctx, function, version)
        interface = function.interfaces[0].id if network is not None and function.interfaces else None
        return lambda connection: (decide(connection, network), interface)

    def _view(self, ctx: Context, function: Function, version: Version) -> VpcView | None:
        vpc = version.config.vpc
        if vpc is None or not vpc.vpc_id:
            return None
        key = (function.region, vpc)
        known = self.views.get(key)
        if known is None:
            there = replace(ctx, region=function.region)
            described = {operation: there.read("ec2", operation) for operation in READS}
            known = self.views[key] = view(vpc_config(vpc), described, _prefix_lists(there, described))
        return known


def _prefix_lists(ctx: Context, described: dict[str, Shape]) -> dict[str, list[str]]:
    """Return the CIDRs of the managed prefix lists that rules or routes name."""
    groups = described["DescribeSecurityGroups"].get("SecurityGroups", [])
    tables = described["DescribeRouteTables"].get("RouteTables", [])
    permissions = [permission for group in groups for permission in group.get("IpPermissionsEgress", ())]
    named = {each["PrefixListId"] for permission in permissions for each in permission.get("PrefixListIds", ())}
    routes = [route for table in tables for route in table.get("Routes", ())]
    named |= {route["DestinationPrefixListId"] for route in routes if route.get("DestinationPrefixListId")}
    if not named:
        return {}
    known = {each["PrefixListId"] for each in ctx.read("ec2", "DescribeManagedPrefixLists").get("PrefixLists", ())}
    return {
        prefix_list: [
            entry["Cidr"]
            for entry in ctx.read("ec2", "GetManagedPrefixListEntries", PrefixListId=prefix_list).get("Entries", ())
        ]
        for prefix_list in sorted(named & known)
    }
