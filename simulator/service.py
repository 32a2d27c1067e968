"""The seam between the lab and the AWS services that are ours.

A service is a plain class, one instance a lab. What it may do, and where:

- **Operations** are methods named as botocore names them (`CreateFunction` is `create_function`). They take a
  `Context` and the operation's parameters as keyword arguments under the model's names, already parsed and checked
  against the botocore model, and return a dict under the model's names (datetimes aware, blobs bytes). They raise
  `AwsError`. An operation must be deterministic: it may depend on its parameters, the service's state, what it reads
  of other services, `ctx.now` and `ctx.ids`, on nothing else. It changes only its own state.
- What follows from an operation beyond its own state (CloudFormation's calls, a function's run, a delivery) goes into
  a **process**: `ctx.after(process)`. It runs when the operation is done, live only, never in a replay. A process
  makes calls (`ctx.call`) and records consequences (`ctx.record`); both land in the journal.
  The dict an operation returned may still be filled by its process: the answer is serialised when all is done.
- **Consequences** come back through `apply_<kind>(ctx, data)`, live at once and again at every replay. Like
  operations they are deterministic, and they alone change state that a process found out.
- **Due work**: `next_due()` names the moment of the next tick; `run_due(ctx)` is a process, run when lab time gets there.
- **Views** follow the journal: `on_call(call)` is told of every finished API call, `on_flow(ctx, flow)` of every
  flow-log record, live and in replay alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from simulator.clock import milliseconds, moment
from simulator.identity import Ids, Principal

if TYPE_CHECKING:
    from simulator.world import Lab

Process = Callable[["Context"], None]


@dataclass(slots=True, kw_only=True)
class Context:
    """One call, consequence or process in one lab: who, when, and the ways to act.

    `now` is lab time, aware, UTC, to the millisecond. `ids` draws this change's identifiers.
    """

    lab: Lab
    principal: Principal
    now: datetime
    ids: Ids
    region: str = "us-east-1"
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    invoked_by: str | None = None
    request_id: str = ""
    processes: list[Process] = field(default_factory=list)

    @property
    def account_id(self) -> str:
        """The lab's account, twelve digits."""
        return self.lab.account_id

    def read(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """Return the result of a read that an AWS service makes for itself: not journalled, not authorised.

        Raises AwsError as the operation does.
        """
        return self.lab.read(self, service, operation, params)

    def after(self, process: Process) -> None:
        """Have `process` run once this operation is done and before its caller is answered. Ignored in a replay."""
        self.processes.append(process)

    def call(
        self,
        service: str,
        operation: str,
        *,
        principal: Principal | None = None,
        invoked_by: str | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """Make an API call from a process, authorised and journalled, as this context's principal or another.

        `invoked_by` names the AWS service that calls on the principal's behalf
        (`cloudformation.amazonaws.com`). Returns the operation's result; raises AwsError as the operation does.
        """
        return self.lab.inner_call(self, service, operation, params, principal=principal, invoked_by=invoked_by)

    def record(self, service: str, kind: str, data: Mapping[str, Any]) -> None:
        """Journal a consequence found by a process and have `service` apply it (`apply_<kind>`)."""
        self.lab.record(self, service, kind, data)

    def wait(self, seconds: float) -> None:
        """Let lab time pass in a process, to the millisecond: what it does next is stamped that much later."""
        self.now = moment(milliseconds(self.now + timedelta(seconds=seconds)))
        self.lab.clock.stamp(self.now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A finished API call, as the views are told of it. `seq` is its place in the journal.

    `params` and `response` are under the model's names; `response` is None for a failed call and for a read.
    `change` is the number of the change, None for a read.
    """

    seq: int
    change: int | None
    at: datetime
    service: str
    operation: str
    params: Mapping[str, Any]
    response: Mapping[str, Any] | None
    principal: Principal
    region: str
    source_ip: str
    user_agent: str
    invoked_by: str | None
    request_id: str
    event_id: str
    read_only: bool
    error_code: str | None = None
    error_message: str | None = None
    origin: Literal["outside", "inside", "scenery"] = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An attempt of a running function to reach an address, caught at the wall. Nothing of it left the machine."""

    ip: str
    port: int
    protocol: Literal["TCP", "UDP"]
    offset_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A flow-log record: what the network decided about a connection.

    `action` is what security groups and network ACLs said; `permitted` is whether the packet could also have left
    (route, NAT). A function outside a VPC is always ACCEPT and permitted. Source: VPC flow log records, field `action`.
    """

    at: datetime
    function_name: str
    function_version: str
    ip: str
    port: int
    protocol: Literal["TCP", "UDP"]
    action: Literal["ACCEPT", "REJECT"]
    permitted: bool
    interface_id: str | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """An invocation that would happen were nothing changed: for look-ahead. `payload` is the event handed over.

    `allowed` says whether the function's policy and concurrency would let it run; `why` tells a reader either way.
    """

    at: datetime
    function_arn: str
    payload: bytes
    source: str
    allowed: bool
    why: str = ""


class Service:
    """Base of the services that are ours."""

    name: ClassVar[str]
    """botocore's name of the service, such as `guardduty`."""

    validation_error: ClassVar[tuple[str, str | None]] = ("ValidationException", None)
    """Code, and message where AWS's is fixed, of an error for parameters that break the model's constraints."""

    validation_errors: ClassVar[Mapping[str, tuple[str, str | None]]] = {}
    """The same for single parameters whose errors have codes of their own, by the parameter's name."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def next_due(self) -> datetime | None:
        """Return when `run_due` wants to be called next, in lab time; None for never."""
        return None

    def run_due(self, ctx: Context) -> None:
        """Do what is due at `ctx.now`: a process, so only calls and records."""

    def skip_due(self, ctx: Context) -> None:
        """Record that what recurs and was due before `ctx.now` is left out: the lab was stopped for too long. A process."""

    def on_call(self, call: Call) -> None:
        """Take notice of a finished API call of the lab, one's own included."""

    def on_flow(self, ctx: Context, flow: Flow) -> None:
        """Take notice of a flow-log record."""

    def upcoming(self, until: datetime) -> list[Upcoming]:
        """Return the invocations that this service would cause up to `until`, and at least the next of each cause."""
        return []
