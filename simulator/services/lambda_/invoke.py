"""Invocation: a caller's request or an event -> a run in the execution environment -> what it left behind.

A run happens in a process and is recorded once. `apply_run` then does what AWS does after a run: log events, metrics,
flow-log records, the retry of a failed event. A replay calls `apply_run` alone, so no handler ever runs twice.
"""

import base64
import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scenario.errors import LabError
from simulator.clock import milliseconds, moment
from simulator.errors import AwsError
from simulator.functions import Invocation, Outcome
from simulator.service import Connection, Context, Flow
from simulator.services.lambda_ import names
from simulator.services.lambda_.network import Networks
from simulator.services.lambda_.state import Event, Function, Shape, Version

log = logging.getLogger(__name__)

SYNC_LIMIT = 6_291_456
RESPONSE_LIMIT = SYNC_LIMIT + 100
ASYNC_LIMIT = 1_048_576
"""Bytes of a payload (Lambda quotas: 6 MB synchronous, 1 MB asynchronous)."""

TRACED = "Traceback (most recent call last):"
TAIL = 4096
LOG_KEPT = 65_536
"""Characters of a run's log that are kept."""

PAYLOAD_KEPT = 4096
"""Bytes of a synchronous payload that are kept in the record; an asynchronous one is kept whole, for its retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why a function runs: `kind` is invoke (someone waits for the answer), event or retry."""

    kind: str
    source: str
    source_arn: str = ""


class Runs(Networks):
    """Runs versions and applies what came of it."""

    def run(
        self, ctx: Context, function: Function, qualifier: str | None, payload: bytes, cause: Cause, event: Event | None
    ) -> tuple[Shape, Outcome]:
        """Run a version in its environment and record it. Only in a process. Returns the record and the outcome."""
        version = self._choose(ctx, function, qualifier)
        request_id = event.id if event else ctx.ids.uuid4()
        invocation = Invocation(
            request_id=request_id,
            payload=payload,
            now=ctx.now,
            invoked_arn=function.arn(qualifier) if qualifier else None,
        )
        outcome = self._run(function, version, invocation)
        kept = payload if event else payload[:PAYLOAD_KEPT]
        data: Shape = {
            "region": function.region,
            "function": function.name,
            "version": version.number,
            "qualifier": qualifier,
            "sha256": version.code.sha256,
            "request_id": request_id,
            "cause": cause.kind,
            "source": cause.source,
            "source_arn": cause.source_arn,
            "started": milliseconds(ctx.now),
            "status": outcome.status,
            "duration_ms": outcome.duration_ms,
            "init_ms": outcome.init_ms,
            "max_memory_mb": outcome.max_memory_mb,
            "log": bounded(outcome.log),
            "stream": self._stream(ctx, function, version, cold=outcome.init_ms is not None),
            "payload": base64.b64encode(kept).decode(),
            "connections": [[c.ip, c.port, c.protocol, c.offset_ms] for c in outcome.connections],
        }
        if event:
            data["queued_at"] = milliseconds(event.queued_at)
            data["attempt"] = event.attempt + 1
            data["hops"] = event.hops
        ctx.record(self.name, "run", data)
        return data, outcome

    def _run(self, function: Function, version: Version, invocation: Invocation) -> Outcome:
        """Return how a run went; one that this machine has no process or space for is a failed one, not the lab's end."""
        try:
            return self.lab.environments.run(self.spec(function, version), invocation)
        except (LabError, OSError) as failure:
            log.exception("a function could not be run", extra={"function": function.arn(version.number)})
            message = f"RequestId: {invocation.request_id} Error: {failure}"
            payload = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode()
            return Outcome(
                status="init-error",
                payload=payload,
                log=message,
                duration_ms=0.0,
                init_ms=None,
                max_memory_mb=0,
                connections=(),
            )

    def apply_run(self, ctx: Context, data: Shape) -> None:
        """Write the run's log and metrics, emit its flow records, and queue the retry of a failed event."""
        function = self.by_name.get((data["region"], data["function"]))
        if function is None:
            return
        function.streams[data["version"]] = data["stream"]
        self.hops = data.get("hops", 0)
        self._write_log(ctx, function, data)
        failed = data["status"] != "ok"
        dimensions = {"FunctionName": function.name}
        self.lab.moto.put_metrics(
            ctx,
            "AWS/Lambda",
            [
                ("Invocations", dimensions, 1.0, "Count"),
                ("Errors", dimensions, 1.0 if failed else 0.0, "Count"),
                ("Duration", dimensions, float(data["duration_ms"]), "Milliseconds"),
                ("Throttles", dimensions, 0.0, "Count"),
            ],
        )
        self._emit_flows(ctx, function, data)
        if "attempt" in data:
            self.after_attempt(ctx, function, data, failed=failed)

    def after_attempt(self, ctx: Context, function: Function, data: Shape, *, failed: bool) -> None:
        """Queue the retry of an event's run, or be done with it: the queue's part."""
        raise NotImplementedError

    def check_runnable(self, ctx: Context, function: Function, version: Version) -> None:
        """Raise AwsError where a synchronous invocation would not run."""
        if function.reserved == 0:
            raise AwsError(
                "TooManyRequestsException",
                "Rate Exceeded.",
                status=429,
                Reason="ReservedFunctionConcurrentInvocationLimitExceeded",
                Type="User",
            )
        problem = self.role_problem(ctx, version)
        if problem:
            raise AwsError("AccessDeniedException", problem, status=403)

    def _choose(self, ctx: Context, function: Function, qualifier: str | None) -> Version:
        """Return the version to run: an alias with weights is a draw."""
        alias = function.aliases.get(qualifier or "")
        if alias:
            for number, weight in alias.weights.items():
                if number in function.versions and ctx.ids.random() < weight:
                    return function.versions[number]
        version = function.version(qualifier)
        assert version is not None, "callers checked that the qualifier exists"
        return version

    def _stream(self, ctx: Context, function: Function, version: Version, *, cold: bool) -> str:
        """Return the log stream of the run's environment: a cold start begins a new one."""
        known = function.streams.get(version.number)
        return known if known and not cold else f"{ctx.now:%Y/%m/%d}/[{version.number}]{ctx.ids.hex(32)}"

    def _write_log(self, ctx: Context, function: Function, data: Shape) -> None:
        version = function.version(data["version"])
        config = version.config if version else function.latest.config
        group = config.logging.get("LogGroup", f"/aws/lambda/{function.name}")
        started = data["started"]
        ended = started + round(data["duration_ms"])
        events = [
            (started if line.startswith(("INIT_START", "START")) else ended, line) for line in log_events(data["log"])
        ]
        if events:
            self.lab.moto.write_log(ctx, group, data["stream"], events)

    def _emit_flows(self, ctx: Context, function: Function, data: Shape) -> None:
        if not data["connections"]:
            return
        decide = self.decider(ctx, function, data["version"])
        attempt = data.get("attempt", 1)
        for ip, port, protocol, offset in data["connections"]:
            connection = Connection(ip=ip, port=port, protocol=protocol, offset_ms=offset)
            verdict, interface = decide(connection)
            if not verdict.flows:
                continue
            flow = Flow(
                at=moment(data["started"]) + timedelta(milliseconds=offset),
                function_name=function.name,
                function_version=data["version"],
                ip=ip,
                port=port,
                protocol=protocol,
                action=verdict.action,
                permitted=verdict.permitted,
                interface_id=interface,
                run_id=data["request_id"] if attempt == 1 else f"{data['request_id']}/{attempt}",
            )
            self.lab.emit_flow(ctx, flow)


class Invocations(Runs):
    """The operations that invoke."""

    def invoke(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        InvocationType: str = "RequestResponse",
        LogType: str = "None",
        Payload: bytes | None = None,
        Qualifier: str | None = None,
        **given: Any,
    ) -> Shape:
        """Run a function and return its answer, or queue an event for it, or (DryRun) only check that it could."""
        function, version, qualifier = self.located(ctx, "Invoke", FunctionName, Qualifier, absent=names.no_version)
        for member in ("DurableExecutionName", "TenantId"):
            if given.get(member):
                raise names.invalid(f"{member} is not supported for this function.")
        payload = _checked(Payload or b"", InvocationType)
        if InvocationType == "DryRun":
            return {"StatusCode": 204}
        cause = Cause(kind="invoke", source=ctx.principal.arn or ctx.principal.name)
        if InvocationType == "Event":
            ctx.after(lambda process: self.queue_event(process, function, qualifier, payload, cause))
            return {"StatusCode": 202}
        self.check_runnable(ctx, function, version)
        result: Shape = {"StatusCode": 200, "ExecutedVersion": version.number, "Payload": b""}

        def run(process: Context) -> None:
            data, outcome = self.run(process, function, qualifier, payload, cause, None)
            result.update(answer(data, outcome, tail=LogType == "Tail"))

        ctx.after(run)
        return result

    def invoke_async(self, ctx: Context, *, FunctionName: str, InvokeArgs: bytes) -> Shape:
        """Queue an event for a function, the old way."""
        function, _, qualifier = self.located(ctx, "InvokeAsync", FunctionName)
        payload = _checked(InvokeArgs, "Event")
        cause = Cause(kind="invoke", source=ctx.principal.arn or ctx.principal.name)
        ctx.after(lambda process: self.queue_event(process, function, qualifier, payload, cause))
        return {"Status": 202}

    def queue_event(
        self, ctx: Context, function: Function, qualifier: str | None, payload: bytes, cause: Cause
    ) -> None:
        """Take an event into the asynchronous queue and run it, if it may: the queue's part."""
        raise NotImplementedError


def answer(data: Shape, outcome: Outcome, *, tail: bool) -> Shape:
    """Return what Invoke answers for a run."""
    payload = outcome.payload
    failed = outcome.status != "ok"
    if len(payload) > RESPONSE_LIMIT:
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        payload = json.dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}).encode()
        failed = True
    shape: Shape = {"StatusCode": 200, "ExecutedVersion": data["version"], "Payload": payload}
    if failed:
        shape["FunctionError"] = "Unhandled"
    if tail:
        shape["LogResult"] = base64.b64encode(outcome.log.encode("utf-8", "replace")[-TAIL:]).decode()
    return shape


def log_events(text: str) -> list[str]:
    """Return a run's log as CloudWatch Logs has it: an event a line, but an error with its trace in one."""
    events: list[str] = []
    for line in filter(None, text.splitlines()):
        traced = line == TRACED or line.startswith("\u00a0")
        if traced and events and events[-1].startswith("[ERROR]"):
            events[-1] += f"\n{line}"
        else:
            events.append(line)
    return events


def bounded(text: str) -> str:
    """Return a run's log as text that can be kept: bounded, its middle left out, and without lone surrogates."""
    text = text.encode("utf-8", "replace").decode()
    if len(text) <= LOG_KEPT:
        return text
    half = LOG_KEPT // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def _checked(payload: bytes, invocation_type: str) -> bytes:
    """Return the event that a payload stands for. Raises AwsError where it is too large or no JSON."""
    if invocation_type == "Event" and len(payload) > ASYNC_LIMIT:
        raise AwsError(
            "RequestTooLargeException",
            f"{len(payload)} byte payload is too large for the Event invocation type (limit {ASYNC_LIMIT} bytes)",
            Type="User",
        )
    if len(payload) > SYNC_LIMIT:
        raise AwsError(
            "RequestTooLargeException",
            f"Request must be smaller than {SYNC_LIMIT} bytes for the InvokeFunction operation",
            Type="User",
        )
    if not payload.strip():
        return b"{}"
    try:
        json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise AwsError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {_in_its_words(payload, error)}",
            Type="User",
        ) from error
    return payload


def _in_its_words(payload: bytes, error: Exception) -> str:
    """Return what Lambda's JSON parser says of bytes that are no text, which `--payload` without its format gives; else Python's words."""
    if not isinstance(error, UnicodeDecodeError):
        return str(error)
    said = (
        f"Invalid UTF-8 start byte 0x{payload[error.start]:x}"
        if error.start
        else f"Unexpected character ((CTRL-CHAR, code {payload[0]})): expected a valid value (JSON String, Number, Array, "
        "Object or token 'null', 'true' or 'false')"
    )
    column = error.start + 2 if error.start else 1
    place = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
    return f"{said}\n at [Source: {place}; line: 1, column: {column}]"
