"""The network that a function's connections meet: EC2's state -> the network model's view of it."""

from collections.abc import Callable

from simulator.network import Verdict, VpcView, decide
from simulator.service import Call, Connection, Context
from simulator.services.lambda_.mappings import Mappings
from simulator.services.lambda_.state import Function, Version


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
        view = self._view(ctx, function, version)
        interface = function.interfaces[0].id if view is not None and function.interfaces else None
        return lambda connection: (decide(connection, view), interface)

    def _view(self, ctx: Context, function: Function, version: Version) -> VpcView | None:
        if version.config.vpc is None or not version.config.vpc.vpc_id:
            return None
        raise NotImplementedError
