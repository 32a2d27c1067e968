"""What would happen next, were nothing changed: which invocations, and which connections they would be permitted to make.

Every schedule and queued retry tells its coming invocations; each function that would run is rehearsed with them in a fork of
its process or in a fresh one, never in the warm one; what it would try to reach is put to the network model. Nothing is
journalled and nothing changes. Several samples stand for handlers that vary: a connection that any of them makes *may* happen.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.functions import Invocation
from simulator.identity import Ids
from simulator.network import decide
from simulator.service import Upcoming

if TYPE_CHECKING:
    from simulator.world import Lab

SAMPLES = 3
BUDGET_SECONDS = 8.0
MAX_RUNS = 400


def look_ahead(lab: "Lab", horizon: timedelta) -> dict[str, Any]:
    """Return the outlook for `horizon` and the next run of every schedule, as JSON.

    `connections` are in order of time, each once per function, address and port and with the first moment at which it may happen;
    `determinable` is false where a function could not be rehearsed to the end, and `why` says which and why.
    """
    with lab.lock:
        lab.tick()
        now = lab.clock.now()
        coming = _coming(lab, now + horizon)
        why: list[str] = []
        connections: list[dict[str, Any]] = []
        budget = BUDGET_SECONDS / max(len(coming), 1)
        for function_arn, invocations in coming.items():
            for version_arn in lab.service("lambda").what_may_run(function_arn):
                _rehearse(lab, version_arn, invocations, budget, connections, why)
    connections.sort(key=lambda each: each["at"])
    return {
        "lab_time": _text(now),
        "until": _text(now + horizon),
        "invocations": sum(len(each) for each in coming.values()),
        "determinable": not why,
        "why": why,
        "connections": connections,
    }


def _coming(lab: "Lab", until: datetime) -> dict[str, list[Upcoming]]:
    """Return the invocations that would be let through, by function, in order of time."""
    coming: dict[str, list[Upcoming]] = defaultdict(list)
    for service in lab.services().values():
        for each in service.upcoming(until):
            if each.allowed:
                coming[each.function_arn].append(each)
    return {arn: sorted(each, key=lambda one: one.at)[:MAX_RUNS] for arn, each in coming.items()}


def _rehearse(
    lab: "Lab",
    function_arn: str,
    coming: list[Upcoming],
    budget: float,
    connections: list[dict[str, Any]],
    why: list[str],
) -> None:
    functions = lab.service("lambda")
    spec = functions.rehearsal(function_arn)
    if spec is None:
        return
    ids = Ids.of(lab.seed, "rehearsal", function_arn)
    invocations = [Invocation(request_id=ids.uuid4(), payload=each.payload, now=each.at) for each in coming]
    rehearsal = lab.environments.rehearse(spec, invocations, samples=SAMPLES, budget_s=budget)
    if not rehearsal.determinable:
        why.append(f"{spec.function_name}: {rehearsal.why}")
    network = functions.network_of(function_arn)
    seen: set[tuple[str, int, str]] = set()
    for each, attempts in zip(coming, rehearsal.connections, strict=False):
        for attempt in attempts:
            key = (attempt.ip, attempt.port, attempt.protocol)
            if key in seen:
                continue
            seen.add(key)
            verdict = decide(attempt, network)
            connections.append({
                "at": _text(each.at),
                "function_arn": function_arn,
                "ip": attempt.ip,
                "port": attempt.port,
                "protocol": attempt.protocol,
                "permitted": verdict.permitted,
                "source": each.source,
                "why": verdict.why,
            })  # fmt: skip


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
