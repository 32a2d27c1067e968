"""What Lambda says of a run: its error documents and the lines around a function's own log.

Sources: AWS Lambda developer guide, "Lambda function errors in Python", "Using the Lambda log and report lines";
texts as the service writes them.
"""

from __future__ import annotations

import json
import math

from simulator.functions.model import FunctionSpec, Invocation, Status


def error_document(kind: str, message: str, request_id: str) -> bytes:
    """Return the payload of a run that ended without the handler's answer."""
    return json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}).encode()


def timed_out(timeout_s: int) -> str:
    """Return what Lambda says of a run that took too long."""
    return f"Task timed out after {timeout_s:.2f} seconds"


def exit_reason(status: int | None) -> str:
    """Return what Lambda says of a runtime that ended: `status` is wait's, None where it is not known."""
    if status is None or status == 0:
        return "Runtime exited without providing a reason"
    number = status & 0x7F
    if number:
        return f"Runtime exited with error: signal: {_SIGNALS.get(number, str(number))}"
    return f"Runtime exited with error: exit status {status >> 8}"


_SIGNALS = {
    4: "illegal instruction",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    11: "segmentation fault",
    15: "terminated",
}


def log(
    spec: FunctionSpec,
    invocation: Invocation,
    body: str,
    *,
    status: Status,
    kind: str | None,
    duration_ms: float,
    init_ms: float | None,
    memory_mb: int,
) -> str:
    """Return the lines of a run: START, what the function printed, what Lambda adds, END and REPORT."""
    request = invocation.request_id
    if body and not body.endswith("\n"):
        body += "\n"
    lines = [f"START RequestId: {request} Version: {spec.version}\n", body]
    if status == "timeout":
        stamp = invocation.now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{invocation.now.microsecond // 1000:03d}Z"
        lines.append(f"{stamp} {request} {timed_out(spec.timeout_s)}\n\n")
    lines.append(f"END RequestId: {request}\n")
    lines.append(_report(spec, request, status, kind, duration_ms, init_ms, memory_mb))
    return "".join(lines)


def _report(
    spec: FunctionSpec,
    request: str,
    status: Status,
    kind: str | None,
    duration_ms: float,
    init_ms: float | None,
    memory_mb: int,
) -> str:
    fields = [
        f"REPORT RequestId: {request}",
        f"Duration: {duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(duration_ms)} ms",
        f"Memory Size: {spec.memory_mb} MB",
        f"Max Memory Used: {memory_mb} MB",
    ]
    if init_ms is not None:
        fields.append(f"Init Duration: {init_ms:.2f} ms")
    if status == "timeout":
        fields.append("Status: timeout")
    elif kind is not None:
        fields += ["Status: error", f"Error Type: {kind}"]
    return "\t".join(fields) + "\t\n"
