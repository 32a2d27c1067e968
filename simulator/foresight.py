"""What would happen next, were nothing changed: which invocations, and which connections they would be permitted to make.

Every schedule, queued retry and report that is due tells its coming invocations; each function that would run is rehearsed with all
of them, in their order, in a fork of its process or in a new one, never in the warm one; what it would try to reach is put to the
network model. What a run sets off (a destination, a dead-letter queue, a retry) is rehearsed in turn. Nothing is journalled and
nothing changes. The lab is asked under its lock, which is let go of while functions are rehearsed: what is told is true of one moment.

*May* counts: functions are tried several times, with other random numbers and other request ids each time, and from a cold start
as well, since an execution environment is never promised to stay. Bounded in runs and time; what could not be tried to its end is
"not determinable", never "nothing". A choice that is rarer than about one in a thousand runs can be missed.
"""

import ast
import io
import json
import threading
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from simulator.functions import FunctionSpec, Invocation, Rehearsal
from simulator.identity import Ids
from simulator.network import VpcView, decide
from simulator.service import Connection, Upcoming

if TYPE_CHECKING:
    from simulator.world import Lab

BUDGET_SECONDS = 12.0
"""For the one try of every function that must come to its end. It is far more than ordinary handlers take."""

FURTHER_SECONDS = 4.0
"""For the further tries, which show what else may happen."""

MAX_RUNS = 50_000
"""Invocations of a function that are tried at most: a month of one a minute."""

SAMPLES = 2
SAMPLES_OF_CHANCE = 16
"""How often a function is tried; one whose code draws lots more often."""

COLD_STARTS = 24
"""How many invocations are tried as cold starts of their own, spread over the time."""

MAX_HOPS = 4
"""How far what sets off what is followed."""

RETRIED_AFTER = (timedelta(minutes=1), timedelta(minutes=3))
"""Source: AWS Lambda developer guide, How Lambda handles errors and retries with asynchronous invocation."""

LOTS = (b"random", b"secrets", b"uuid", b"shuffle")
READ_AT_MOST = 1024 * 1024
PARSING = threading.Lock()
"""Held while source is parsed. Before CPython 3.11.8 and 3.12.2, parsing in two threads at once may raise SystemError (gh-106905)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A function version that would run: how, in which network, and for what, in order of time."""

    function_arn: str
    spec: FunctionSpec
    network: VpcView | None
    coming: tuple[Upcoming, ...]


@dataclass(slots=True)
class _Outlook:
    """What was found so far: the first moment of each connection, and what could not be told."""

    found: dict[tuple[str, str, int, str], dict[str, Any]] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)
    invocations: int = 0

    def add(self, part: _Part, coming: Iterable[Upcoming], rehearsal: Rehearsal) -> None:
        """Take in what a rehearsal of `coming` has shown."""
        for each, attempts in zip(coming, rehearsal.connections, strict=False):
            for attempt in attempts:
                self._add(part, each, attempt)

    def _add(self, part: _Part, each: Upcoming, attempt: Connection) -> None:
        key = (part.function_arn, attempt.ip, attempt.port, attempt.protocol)
        at = _text(each.at)
        if key in self.found and self.found[key]["at"] <= at:
            return
        verdict = decide(attempt, part.network)
        self.found[key] = {
            "at": at,
            "function_arn": part.function_arn,
            "ip": attempt.ip,
            "port": attempt.port,
            "protocol": attempt.protocol,
            "permitted": verdict.permitted,
            "source": each.source,
            "why": verdict.why,
        }


def look_ahead(lab: "Lab", horizon: timedelta) -> dict[str, Any]:
    """Return the outlook for `horizon` and the next run of every schedule, as JSON.

    `connections` are in order of time, each once per function, address and port and with the first moment at which it may happen;
    `determinable` is false where a function could not be rehearsed to the end, and `why` says which and why.
    """
    outlook = _Outlook()
    with lab.lock:
        lab.tick()
        now = lab.clock.now()
        coming = [each for service in lab.services().values() for each in service.upcoming(now + horizon)]
        parts = _parts(lab, coming, outlook)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(MAX_HOPS):
            if not parts:
                break
            shown = _rehearsed(lab, parts, outlook, pool)
            with lab.lock:
                parts = _parts(lab, _set_off(lab, parts, shown), outlook)
        else:
            if parts:
                outlook.why.append("functions set each other off in too long a chain")
    return {
        "lab_time": _text(now),
        "until": _text(now + horizon),
        "invocations": outlook.invocations,
        "determinable": not outlook.why,
        "why": outlook.why,
        "connections": sorted(outlook.found.values(), key=lambda each: str(each["at"])),
    }


def _rehearsed(lab: "Lab", parts: list[_Part], outlook: _Outlook, pool: Executor) -> list[Rehearsal]:
    """Try every part, once to its end and then again as far as the time allows; return what the first tries showed."""
    until = time.monotonic() + BUDGET_SECONDS
    shown = list(pool.map(lambda part: _first(lab, part, outlook, until), parts))
    further_until = time.monotonic() + FURTHER_SECONDS
    tried = [(part, each) for part, each in zip(parts, shown, strict=True) if each.determinable]
    list(pool.map(lambda one: _further(lab, one[0], outlook, further_until), tried))
    retried = [_retried(lab, part) for part, each in tried if each.failed]
    list(pool.map(lambda part: _try(lab, part, outlook, 1, further_until), retried))
    return shown


def _parts(lab: "Lab", coming: Iterable[Upcoming], outlook: _Outlook) -> list[_Part]:
    """Return what would run, a part for each process: invocations of it under several names follow one another there."""
    functions = lab.service("lambda")
    by_process: dict[str, tuple[str, FunctionSpec, list[Upcoming]]] = {}
    versions: dict[str, list[tuple[str, FunctionSpec]]] = {}
    for each in coming:
        if not each.allowed:
            continue
        outlook.invocations += 1
        if each.function_arn not in versions:
            arns = functions.what_may_run(each.function_arn)
            versions[each.function_arn] = [(arn, spec) for arn in arns if (spec := functions.rehearsal(arn))]
        for arn, spec in versions[each.function_arn]:
            by_process.setdefault(spec.key, (arn, spec, []))[2].append(each)
    parts = []
    for arn, spec, invocations in by_process.values():
        if len(invocations) > MAX_RUNS:
            outlook.why.append(f"{spec.function_name}: it runs too often to be looked through")
        ordered = sorted(invocations, key=lambda each: each.at)[:MAX_RUNS]
        parts.append(
            _Part(function_arn=arn, spec=spec, network=functions.network_of(arn), coming=tuple(ordered))
        )  # fmt: skip
    return parts


def _first(lab: "Lab", part: _Part, outlook: _Outlook, until: float) -> Rehearsal:
    """Try a function once, from the state that it is in and with the random numbers that it would draw."""
    shown = _try(lab, part, outlook, 0, until)
    if not shown.determinable:
        outlook.why.append(f"{part.spec.function_name}: {shown.why}")
    return shown


def _further(lab: "Lab", part: _Part, outlook: _Outlook, until: float) -> None:
    """Try it again, with other random numbers, and from cold starts at different times."""
    if lab.environments.forks and acts_when_loaded(part.spec):
        step = max(len(part.coming) // COLD_STARTS, 1)
        spread = replace(part, coming=part.coming[::step][:COLD_STARTS])
        cold = lab.environments.rehearse(
            spread.spec, _invocations(lab, spread, 1), samples=1, first=1, cold="each", budget_s=_left(until)
        )
        outlook.add(spread, spread.coming, cold)
    for sample in range(1, SAMPLES_OF_CHANCE if _draws_lots(part.spec) else SAMPLES):
        if not _left(until):
            return
        _try(lab, part, outlook, sample, until)
    shown = lab.environments.rehearse(
        part.spec, _invocations(lab, part, SAMPLES), samples=1, first=SAMPLES, cold="once", budget_s=_left(until)
    )
    outlook.add(part, part.coming, shown)


def _try(lab: "Lab", part: _Part, outlook: _Outlook, sample: int, until: float) -> Rehearsal:
    invocations = _invocations(lab, part, sample)
    shown = lab.environments.rehearse(part.spec, invocations, samples=1, first=sample, budget_s=_left(until))
    outlook.add(part, part.coming, shown)
    return shown


def _invocations(lab: "Lab", part: _Part, sample: int) -> list[Invocation]:
    """Return what a process is handed. An invocation that is tried again by Lambda keeps its request id."""
    known: dict[bytes, str] = {}
    ids = Ids.of(lab.seed, "rehearsal", part.spec.key, sample)
    invocations = []
    for each in part.coming:
        request_id = known.get(each.payload) if each.source == "retry" else None
        request_id = request_id or ids.uuid4()
        known[each.payload] = request_id
        invocations.append(Invocation(request_id=request_id, payload=each.payload, now=each.at))
    return invocations


def _retried(lab: "Lab", part: _Part) -> _Part:
    """Return a part with the retries that follow invocations which fail."""
    retries = lab.service("lambda").after_run(part.function_arn).retries
    coming = [
        again
        for each in part.coming
        for again in (each, *(replace(each, at=each.at + later, source="retry") for later in RETRIED_AFTER[:retries]))
    ]
    return replace(part, coming=tuple(coming[:MAX_RUNS]))


def _set_off(lab: "Lab", parts: list[_Part], shown: list[Rehearsal]) -> Iterator[Upcoming]:
    """Yield the invocations that the runs of functions would set off, were nothing changed."""
    for part, rehearsal in zip(parts, shown, strict=True):
        after = lab.service("lambda").after_run(part.function_arn)
        ended = (
            ("Success", rehearsal.succeeded, after.on_success),
            ("RetriesExhausted", rehearsal.failed, after.on_failure),
        )
        for condition, happened, target in ended:
            if happened and target:
                for each in part.coming:
                    text = _record(part, each, condition)
                    yield from lab.service("events").told(
                        target, text, each.at, f"what follows {part.spec.function_name}"
                    )


def _record(part: _Part, each: Upcoming, condition: str) -> str:
    """Return about what a destination is told of a run; what the run returned is not known here."""
    context = {"functionArn": part.function_arn, "condition": condition, "approximateInvokeCount": 1}
    return json.dumps(
        {"version": "1.0", "requestContext": context, "requestPayload": json.loads(each.payload or b"null")}
    )


def _draws_lots(spec: FunctionSpec) -> bool:
    """Tell whether the code mentions chance: such a function is tried more often."""
    return any(word in text for _, text in _sources(spec) for word in LOTS)


def acts_when_loaded(spec: FunctionSpec) -> bool:
    """Tell whether loading the code may do more than define things: then a cold start at any time may connect.

    Only imports, functions and plain values are known to do nothing else; whatever is not all Python may do anything.
    """
    return any(not name.endswith(".py") or not _defines_only(text) for name, text in _sources(spec))


def _defines_only(source: bytes) -> bool:
    try:
        with PARSING:
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # it is not loaded at all
        return True
    return all(_is_definition(statement) for statement in body)


def _is_definition(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return True
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        evaluated = [*statement.decorator_list, *statement.args.defaults, *filter(None, statement.args.kw_defaults)]
        return not statement.decorator_list and all(_is_plain(each) for each in evaluated)
    if isinstance(statement, ast.Assign):
        return all(isinstance(target, ast.Name) for target in statement.targets) and _is_plain(statement.value)
    return isinstance(statement, ast.Expr) and _is_plain(statement.value)


def _is_plain(value: ast.expr) -> bool:
    plain = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Name, ast.Load, ast.UnaryOp, ast.USub)
    return all(isinstance(each, plain) for each in ast.walk(value))


def _sources(spec: FunctionSpec) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a package, up to a bound; of what is larger, or cannot be read, nothing more."""
    left = READ_AT_MOST
    try:
        with zipfile.ZipFile(io.BytesIO(spec.code_zip)) as archive:
            for name in archive.namelist():
                if left <= 0:
                    yield "more", b""
                    return
                with archive.open(name) as file:
                    text = file.read(left)
                left -= len(text)
                yield name, text
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError, EOFError):
        return  # a package that cannot be read is not run either


def _left(until: float) -> float:
    return max(until - time.monotonic(), 0.0)


def unlabelled(outlook: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return an outlook that names no address but those, or ranges of addresses, that are `known` to whoever asks.

    An address in one of them is named as it was given, another one is "".
    """
    networks = {text: ip_network(text, strict=False) for text in known}

    def named(connection: Mapping[str, Any]) -> dict[str, Any]:
        address = ip_address(connection["ip"])
        name = next((text for text, network in networks.items() if address in network), "")
        return {
            **connection,
            "ip": name,
            "why": str(connection["why"]).replace(connection["ip"], name or "the address"),
        }

    return {**outlook, "connections": [named(each) for each in outlook["connections"]]}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
