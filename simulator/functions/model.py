"""What the execution environment takes and gives: a function, an invocation, how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulator.service import Connection

Status = Literal["ok", "error", "timeout", "exited", "out-of-memory", "init-error"]
Cold = Literal["", "once", "each"]
"""From where a dry run starts: the warm process, a new one, or a new one for each invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A function as it would run: code and configuration.

    `key` names one function version of one lab; whatever else differs under the same key is a new version of it and
    starts a new process. `code_zip` is the deployment package, `environment` the function's own variables.
    """

    key: str
    code_zip: bytes
    code_sha256: str
    runtime: str
    handler: str
    timeout_s: int
    memory_mb: int
    environment: Mapping[str, str]
    function_name: str
    function_arn: str
    version: str
    log_group: str
    region: str
    account_id: str

    @property
    def identity(self) -> tuple[object, ...]:
        """All that a warm process was started with, apart from the code's bytes."""
        variables = tuple(sorted(self.environment.items()))
        limits = (self.timeout_s, self.memory_mb, self.log_group)
        return (self.key, self.code_sha256, self.runtime, self.handler, variables, self.version, *limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event for a function, at `now` in lab time. `payload` is JSON. `trace` is the X-Ray header, if any.

    `invoked_arn` is the ARN that the caller used, with its qualifier; None for the function's own.
    """

    request_id: str
    payload: bytes
    now: datetime
    trace: str = ""
    invoked_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run went.

    `payload` is the result as JSON, or Lambda's error document. `log` is what CloudWatch Logs shows of the run.
    Durations are milliseconds of lab time; `init_ms` is None unless this run loaded the handler. `connections` are
    in the order of the first attempt of each.
    """

    status: Status
    payload: bytes
    log: str
    duration_ms: float
    init_ms: float | None
    max_memory_mb: int
    connections: tuple[Connection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What invocations would connect to, were they made now: for each, the union of all samples.

    Not `determinable` where some of it could not be run to its end; `why` says so, and what was found stands.
    `succeeded` and `failed` say whether any invocation ended so.
    """

    connections: tuple[tuple[Connection, ...], ...]
    determinable: bool
    why: str = ""
    succeeded: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What the walls of this machine do, for `lab doctor`: each a sentence. `kernel` is whether they hold hostile code."""

    kernel: bool
    recorded: str
    blocked: str
