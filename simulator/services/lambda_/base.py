"""What all groups of operations share: the state, and finding a function in it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.network import VpcView
from simulator.service import Call, Context, Service
from simulator.services.lambda_ import names
from simulator.services.lambda_.state import Function, Poll, Shape, Version, Vpc, Waiting

if TYPE_CHECKING:
    from simulator.world import Lab

Absent = Callable[[names.Reference], AwsError]
"""The error of an operation for a function, version or alias that is not there: Lambda's operations word it differently."""

ROLE_CHANGES = ("DeleteRole", "UpdateAssumeRolePolicy", "CreateRole")


class Base(Service):
    """State of Lambda in a lab. Functions are kept by Region and name, in the order of their creation."""

    name: ClassVar[str] = "lambda"
    validation_errors = MappingProxyType(
        {
            "Runtime": (
                "InvalidParameterValueException",
                "Value {value} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{enum}] or be "
                "a valid ARN",
            )
        }
    )

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.by_name: dict[tuple[str, str], Function] = {}
        self.published: dict[tuple[str, str], int] = {}
        """The highest version number ever given out: a function made again goes on counting."""
        self.mappings: dict[str, Shape] = {}
        self.mapping_tags: dict[str, dict[str, str]] = {}
        self.polls: dict[str, Poll] = {}
        self.hops = 0
        """How many runs set each other off before the last one: what its destinations set off is one further."""
        self.waiting: dict[str, Waiting] = {}
        self.views: dict[tuple[str, Vpc], VpcView] = {}
        self.trusted: dict[str, bool] = {}
        """Whether Lambda can assume a role, by its name: what IAM said last, until its trust is touched."""

    def on_call(self, call: Call) -> None:
        """Forget what IAM said of a role that changes."""
        if call.service == "iam" and call.operation in ROLE_CHANGES:
            self.trusted.pop(str(call.params.get("RoleName", "")), None)

    def found(
        self,
        ctx: Context,
        action: str,
        FunctionName: str,
        Qualifier: str | None = None,
        *,
        absent: Absent = names.no_function,
    ) -> tuple[Function, str | None]:
        """Return the function that was named and the qualifier. Raises AwsError, `absent`, where there is none."""
        reference = names.reference(ctx, action, FunctionName, Qualifier)
        return self.named(reference, absent), reference.qualifier

    def named(self, reference: names.Reference, absent: Absent = names.no_function) -> Function:
        """Return the function that a reference names. Raises AwsError, `absent`, where there is none."""
        function = self.by_name.get((reference.region, reference.name))
        if function is None:
            raise absent(reference)
        return function

    def located(
        self,
        ctx: Context,
        action: str,
        FunctionName: str,
        Qualifier: str | None = None,
        *,
        absent: Absent = names.no_function,
    ) -> tuple[Function, Version, str | None]:
        """Return the function, the version meant and the qualifier. Raises AwsError, `absent`, where there is none."""
        reference = names.reference(ctx, action, FunctionName, Qualifier)
        function = self.named(reference, absent)
        version = function.version(reference.qualifier)
        if version is None:
            raise absent(reference)
        return function, version, reference.qualifier

    def at(self, arn_or_name: str) -> tuple[Function, Version, str | None] | None:
        """Return function, version and qualifier for another service's reference; None where there is none."""
        named = names.parse(arn_or_name, self.lab.region, self.lab.account_id)
        if named is None or named.account_id != self.lab.account_id:
            return None
        function = self.by_name.get((named.region, named.name))
        version = function.version(named.qualifier) if function else None
        return (function, version, named.qualifier) if function and version else None

    def reading(self, region: str) -> Context:
        """Return a context in which Lambda reads other services of its own accord, now."""
        return Context(
            lab=self.lab,
            principal=Principal.service(names.SERVICE, self.lab.account_id),
            now=self.lab.clock.now(),
            ids=Ids.of(self.lab.seed, "lambda reads"),
            region=region,
        )

    def functions(self) -> list[str]:
        """Return the names of the functions of the lab's Region, in alphabetical order."""
        return sorted(name for region, name in self.by_name if region == self.lab.region)
