"""Network interfaces of functions in a VPC, and the processes that follow an update."""

from simulator.errors import AwsError
from simulator.identity import Principal
from simulator.service import Context
from simulator.services.lambda_.names import SERVICE
from simulator.services.lambda_.specs import Specs
from simulator.services.lambda_.state import Function, Interface, Shape


class Interfaces(Specs):
    """Makes and removes the interfaces through which EC2 shows that a function is in a VPC."""

    def apply_interfaces(self, ctx: Context, data: Shape) -> None:
        """Note the interfaces that were made for a function, or why none could be."""
        function = self.by_name.get((data["region"], data["function"]))
        if function is None:
            return
        function.interfaces = tuple(Interface(id=row["id"], subnet_id=row["subnet"]) for row in data["interfaces"])
        function.latest.update_failed = data["failed"]

    def _attach_later(self, ctx: Context, function: Function) -> None:
        ctx.after(lambda process: self._attach(process, function))

    def _detach_later(self, ctx: Context, function: Function) -> None:
        if function.interfaces:
            ctx.after(lambda process: self._delete(process, function))

    def _attach(self, ctx: Context, function: Function) -> None:
        old, vpc = function, function.latest.config.vpc
        self._delete(ctx, old)
        made: list[Shape] = []
        failed = ""
        for subnet_id in vpc.subnet_ids if vpc else ():
            try:
                answer = ctx.call(
                    "ec2",
                    "CreateNetworkInterface",
                    principal=self._principal(ctx),
                    SubnetId=subnet_id,
                    Groups=list(vpc.group_ids) if vpc else [],
                    Description=f"AWS Lambda VPC ENI-{function.name}-{ctx.ids.uuid4()}",
                )
            except AwsError as error:
                failed = f"EC2 Error Code: {error.code}. EC2 Error Message: {error.message}"
                break
            made.append({"id": answer["NetworkInterface"]["NetworkInterfaceId"], "subnet": subnet_id})
        ctx.record(
            self.name,
            "interfaces",
            {"region": function.region, "function": function.name, "interfaces": made, "failed": failed},
        )

    def _delete(self, ctx: Context, function: Function) -> None:
        for interface in function.interfaces:
            try:
                ctx.call(
                    "ec2",
                    "DeleteNetworkInterface",
                    principal=self._principal(ctx),
                    NetworkInterfaceId=interface.id,
                )
            except AwsError as error:
                if error.code != "InvalidNetworkInterfaceID.NotFound":
                    raise

    @staticmethod
    def _principal(ctx: Context) -> Principal:
        return Principal.service(SERVICE, ctx.account_id)
