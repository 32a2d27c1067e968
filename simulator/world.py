"""One lab: its services, its clock and its journal, and the one way in which anything happens in it.

A call from outside goes: due ticks first, then authorise, dispatch, journal, the processes that the operation left, commit, answer.
Opening a lab replays its journal: changes and records again in their order, at their time and with their ids; processes and due
work do not run then, what they did is in the journal. One lock a lab; waits (long polls) happen outside it.
"""

import base64
import hashlib
import inspect
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from botocore import xform_name

from simulator import policy, wire
from simulator.clock import LabClock, milliseconds, moment
from simulator.errors import AwsError
from simulator.functions import Environments
from simulator.identity import Ids, Principal
from simulator.journal import Entry, Journal, Kind
from simulator.service import Call, Context, Flow, Service
from simulator.services import ours
from simulator.services.moto import Moto, digest_of, not_implemented
from simulator.wire import HttpAnswer, HttpRequest

log = logging.getLogger(__name__)
Origin = Literal["outside", "inside", "scenery"]
# Their answers depend on the wall clock or on what a function did, so a replay has nothing to compare.
UNCOMPARED = frozenset(
    {("lambda", "Invoke"), ("lambda", "InvokeAsync"), ("ec2", "CreateKeyPair"), ("kms", "CreateKey")}
)
KEPT_HEADERS = ("content-type", "content-encoding", "content-md5", "range", "if-match", "if-none-match", "content-disposition",
                "content-language", "cache-control", "expires")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What somebody asks of the lab: an operation, by whom, from where. `http` is the request as it came, for moto."""

    service: str
    operation: str
    params: Mapping[str, Any]
    principal: Principal
    region: str = "us-east-1"
    source_ip: str = "127.0.0.1"
    user_agent: str = ""
    invoked_by: str | None = None
    origin: Origin = "outside"
    protocol: str = ""
    http: HttpRequest | None = None


@dataclass(slots=True, kw_only=True)
class Done:
    """What became of it. Exactly one of `result`, `answer` (moto's own bytes) and `error` is set."""

    request_id: str
    result: dict[str, Any] | None = None
    answer: HttpAnswer | None = None
    error: AwsError | None = None


@dataclass(slots=True, kw_only=True)
class Memory:
    """What the lab remembers of the trainee's answers and hints: a view of the journal."""

    answers: dict[str, str] = field(default_factory=dict)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    hints: dict[str, int] = field(default_factory=dict)
    key_used_at: str | None = None


class Lab:
    """A lab, open. Make one with `create` or `open`."""

    def __init__(
        self,
        *,
        meta: Mapping[str, str],
        journal: Journal,
        moto: Moto,
        environments: Environments,
        clock: LabClock | None = None,
        endpoint_url: str = "http://127.0.0.1:4566",
    ) -> None:
        self.meta = dict(meta)
        self.account_id = meta["account_id"]
        self.lab_id = meta["lab_id"]
        self.seed = meta["seed"]
        self.region = meta.get("region", "us-east-1")
        self.endpoint_url = endpoint_url
        self.clock = clock or LabClock()
        self.journal = journal
        self.moto = moto
        self.environments = environments
        self.lock = threading.RLock()
        self.memory = Memory()
        self.differences: list[str] = []
        self.enforce = False
        self._changes = 0
        self._cause: int | None = None
        self._replaying = False
        self._services: dict[str, Service] = {cls.name: cls(self) for cls in ours()}
        watchers = self._services.values()
        self._call_watchers = [s for s in watchers if type(s).on_call is not Service.on_call]
        self._flow_watchers = [s for s in watchers if type(s).on_flow is not Service.on_flow]
        self._due_services = [s for s in watchers if type(s).next_due is not Service.next_due]

    # --- what services see ----------------------------------------------------------------------------------------

    def service(self, name: str) -> Any:
        """Return the lab's own instance of one of our services, by botocore's name. Raises KeyError."""
        return self._services[name]

    def services(self) -> Mapping[str, Service]:
        """Return our services by botocore's name."""
        return self._services

    def emit_flow(self, ctx: Context, flow: Flow) -> None:
        """Tell every view of a flow-log record."""
        for watcher in self._flow_watchers:
            watcher.on_flow(ctx, flow)

    def read(self, ctx: Context, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result of a read that leaves no trace. Raises AwsError."""
        result = self._dispatch(replace(ctx, processes=[]), service, operation, dict(params), change=False)
        assert isinstance(result, dict)
        return result

    def inner_call(
        self,
        ctx: Context,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        principal: Principal | None,
        invoked_by: str | None,
    ) -> dict[str, Any]:
        """Make a call out of a process: authorised, journalled as a consequence. Raises AwsError as the operation does."""
        by = invoked_by or ctx.invoked_by
        ask = Ask(
            service=service,
            operation=operation,
            params=dict(params),
            principal=principal or ctx.principal,
            region=ctx.region,
            source_ip=by or ctx.source_ip,
            user_agent=by or ctx.user_agent,
            invoked_by=by,
            origin="inside",
        )
        done = self._perform(ask, ctx.now)
        if done.error:
            raise done.error
        return done.result or {}

    def record(self, ctx: Context, service: str, kind: str, data: Mapping[str, Any]) -> None:
        """Journal a consequence and have its service apply it."""
        self._changes += 1
        body = {"service": service, "kind": kind, "data": data}
        self._append("record", ctx.now, body, change=self._changes)
        self._apply(service, kind, data, ctx.now, self._changes)

    # --- what the outside does ------------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> Done:
        """Answer a call from outside. What it changed is durable when this returns. Raises LabError where the disk refuses."""
        with self.lock:
            self._settle()
            self.catch_up()
            change = not wire.is_read(ask.service, ask.operation)
            try:
                return self._perform(ask, self.clock.now())
            finally:
                if (
                    change
                    or self.journal.pending > 500
                    or (ask.service, ask.operation) == ("cloudtrail", "LookupEvents")
                ):
                    self.journal.commit()

    def peek(self, ask: Ask) -> dict[str, Any]:
        """Return the result of a read that leaves no trace, an empty one where it fails. Call it with the lock held."""
        self.catch_up()
        ctx = self._context(ask, self.clock.now(), None, self.journal.next_seq)
        try:
            return self.read(ctx, ask.service, ask.operation, ask.params)
        except AwsError:
            return {}

    def advance(self, by: timedelta) -> datetime:
        """Move lab time on, run what becomes due, and return the new lab time. An input."""
        with self.lock:
            self._settle()
            self.catch_up()
            return self.set_time(self.clock.now() + by)

    def set_time(self, at: datetime) -> datetime:
        """Make it `at`, run what becomes due until then, and return the new lab time. An input."""
        with self.lock:
            self.clock.set(at)
            self._append("advance", self.clock.now(), {"to": milliseconds(at), "offset": self.clock.offset_ms})
            self.catch_up(until=at)
            self.clock.stamp(at)
            self.journal.commit()
            return self.clock.now()

    def remember(self, kind: Literal["answer", "hint", "key", "attempt"], body: Mapping[str, Any]) -> None:
        """Journal an answer, a hint taken, a use of the key or a finished check. An input; durable when this returns."""
        with self.lock:
            self._settle()
            now = self.clock.now()
            self._append(kind, now, body)
            self._remembered(kind, body, now)
            self.journal.commit()

    def catch_up(self, until: datetime | None = None) -> None:
        """Run what is due up to lab time, or up to `until`, in order of time. Call it with the lock held."""
        end = until or self.clock.now()
        while True:
            due = [
                (at, index)
                for index, s in enumerate(self._due_services)
                if (at := s.next_due()) is not None and at <= end
            ]
            if not due:
                return
            at, index = min(due)
            service = self._due_services[index]
            ctx = Context(
                lab=self,
                principal=Principal.service(f"{service.name}.amazonaws.com", self.account_id),
                now=at,
                ids=Ids.of(self.seed, "due", self._changes, self.journal.next_seq),
                region=self.region,
            )
            self._run_process(ctx, service.run_due)
            self._run_processes(ctx)
            if service.next_due() == at:
                log.error(
                    "%s left its work of %s undone; it is not asked again until lab time moves on", service.name, at
                )
                return

    def tick(self) -> None:
        """Do what wall time brings: ticks that became due, reads that wait to be written. Called every second."""
        with self.lock:
            before = self._changes
            self.catch_up()
            if self._changes != before or self.journal.pending:
                self.journal.commit()

    def close(self) -> None:
        """Write what is pending and let go of journal, processes and moto's state."""
        with self.lock:
            self.journal.close()
            self.moto.forget(self.account_id)

    # --- the one way --------------------------------------------------------------------------------------------

    def _perform(self, ask: Ask, now: datetime) -> Done:
        """Authorise, dispatch and journal a call, run its processes and tell the views."""
        change = None
        if not wire.is_read(ask.service, ask.operation):
            self._changes += 1
            change = self._changes
        seq = self.journal.next_seq
        ctx = self._context(ask, now, change, seq)
        denied = False
        try:
            policy.authorise(self, ctx, ask.service, ask.operation, ask.params)
        except AwsError as refusal:
            done, denied = Done(request_id=ctx.request_id, error=refusal), True
        else:
            done = self._attempt(ctx, ask, change is not None)
        body, blob = _call_body(ask, done, denied)
        self._append("call", now, body, change=change, blob=blob, digest=_digest(ask, done) if change else None)
        self._tell(ask, done, now, change, seq)
        if not done.error:
            outer, self._cause = self._cause, seq
            try:
                self._run_processes(ctx)
            finally:
                self._cause = outer
        return done

    def _attempt(self, ctx: Context, ask: Ask, change: bool) -> Done:
        try:
            if ask.http is not None and ask.service not in self._services:
                answer = self.moto.forward(ctx, ask.service, ask.http, change=change)
                if answer.status < 300:
                    return Done(request_id=ctx.request_id, answer=answer)
                return Done(request_id=ctx.request_id, answer=answer, error=_error_in(ask, answer))
            result = self._dispatch(ctx, ask.service, ask.operation, dict(ask.params), change=change)
            return Done(request_id=ctx.request_id, result=result)
        except AwsError as error:
            return Done(request_id=ctx.request_id, error=error)

    def _dispatch(
        self, ctx: Context, service: str, operation: str, params: dict[str, Any], *, change: bool
    ) -> dict[str, Any]:
        own = self._services.get(service)
        if own is None:
            return self.moto.call(ctx, service, operation, params, change=change)
        method: Callable[..., dict[str, Any] | None] | None = getattr(own, xform_name(operation), None)
        if method is None:
            raise not_implemented(service, operation)
        wire.check(service, operation, params, own.validation_error, own.validation_errors)
        unknown = _unaccepted(method, params)
        if unknown:
            raise AwsError(
                own.validation_error[0], f"This lab does not know the parameter {unknown} of {operation} yet."
            )
        try:
            return method(ctx, **params) or {}
        except AwsError:
            raise
        except Exception as bug:
            log.exception("%s.%s failed", service, operation)
            raise AwsError("InternalFailure", f"The lab failed at {service} {operation}: {bug!r}.", status=500) from bug

    def _run_processes(self, ctx: Context) -> None:
        while ctx.processes:
            self._run_process(ctx, ctx.processes.pop(0))

    def _run_process(self, ctx: Context, process: Callable[[Context], None]) -> None:
        try:
            process(ctx)
        except Exception:
            # What it did up to here is in the journal; the lab goes on, and the log tells the defect.
            log.exception("a process of the lab broke off")
        self.clock.stamp(ctx.now)

    def _context(self, ask: Ask, now: datetime, change: int | None, seq: int) -> Context:
        self.clock.stamp(now)
        return Context(
            lab=self,
            principal=ask.principal,
            now=now,
            ids=Ids.of(self.seed, "change", change) if change else Ids.of(self.seed, "read", seq),
            region=ask.region,
            source_ip=ask.source_ip,
            user_agent=ask.user_agent,
            invoked_by=ask.invoked_by,
            request_id=_names(self.seed, change, seq)[0],
        )

    def _append(
        self,
        kind: Kind,
        at: datetime,
        body: Mapping[str, Any],
        *,
        change: int | None = None,
        blob: bytes | None = None,
        digest: str | None = None,
    ) -> None:
        self.clock.stamp(at)
        self.journal.append(
            Entry(
                seq=self.journal.next_seq,
                change=change,
                cause=self._cause,
                at=milliseconds(at),
                wall=self.clock.wall_ms(),
                kind=kind,
                body=body,
                blob=blob,
                digest=digest,
            )
        )

    def _apply(self, service: str, kind: str, data: Mapping[str, Any], now: datetime, change: int) -> None:
        own = self._services[service]
        ctx = Context(
            lab=self,
            principal=Principal.service(f"{service}.amazonaws.com", self.account_id),
            now=now,
            ids=Ids.of(self.seed, "change", change),
            region=self.region,
        )
        getattr(own, f"apply_{kind.replace('-', '_')}")(ctx, data)

    def _tell(self, ask: Ask, done: Done, now: datetime, change: int | None, seq: int) -> None:
        response = done.result
        if change and response is None and done.answer is not None and not done.error:
            response = wire.from_http(ask.service, ask.operation, done.answer)
        request_id, event_id = _names(self.seed, change, seq)
        call = Call(
            seq=seq,
            change=change,
            at=now,
            service=ask.service,
            operation=ask.operation,
            params=ask.params,
            response=None if done.error or not change else response,
            principal=ask.principal,
            region=ask.region,
            source_ip=ask.source_ip,
            user_agent=ask.user_agent,
            invoked_by=ask.invoked_by,
            request_id=request_id,
            event_id=event_id,
            read_only=change is None,
            error_code=done.error.code if done.error else None,
            error_message=done.error.message if done.error else None,
            origin=ask.origin,
        )
        for watcher in self._call_watchers:
            watcher.on_call(call)

    def _settle(self) -> None:
        """Write what an earlier failure of the disk left unwritten, before anything else happens."""
        if self.journal.pending > 2000:
            self.journal.commit()

    def _remembered(self, kind: str, body: Mapping[str, Any], now: datetime) -> None:
        told = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        if kind == "answer":
            self.memory.answers[body["task"]] = body["text"]
        elif kind == "hint":
            self.memory.hints[body["task"]] = self.memory.hints.get(body["task"], 0) + 1
        elif kind == "attempt":
            self.memory.attempts.append(dict(body))
        elif kind == "key":
            self.memory.key_used_at = self.memory.key_used_at or told

    # --- replay -------------------------------------------------------------------------------------------------

    def replay(self) -> None:
        """Rebuild the lab from its journal. Raises LabError for a damaged one; `differences` names answers that changed."""
        with self.lock:
            for entry in self.journal.entries():
                self._again(entry)

    def _again(self, entry: Entry) -> None:
        now = moment(entry.at)
        self.clock.stamp(now)
        if entry.change:
            self._changes = entry.change
        if entry.kind == "record":
            body = entry.body
            self._apply(body["service"], body["kind"], body["data"], now, entry.change or 0)
        elif entry.kind == "call":
            self._call_again(entry, now)
        elif entry.kind == "advance":
            self.clock.offset_ms = entry.body["offset"]
        else:
            self._remembered(entry.kind, entry.body, now)

    def _call_again(self, entry: Entry, now: datetime) -> None:
        ask = _ask_from(entry)
        failed = entry.body.get("error")
        known = AwsError(failed["code"], failed["message"], status=failed.get("status")) if failed else None
        ctx = self._context(ask, now, entry.change, entry.seq)
        if entry.change is None or entry.body.get("denied"):
            done = Done(request_id=ctx.request_id, error=known, result=None if known else {})
        else:
            done = self._attempt(ctx, ask, True)
            digest = _digest(ask, done)
            if entry.digest and digest != entry.digest:
                self.differences.append(
                    f"entry {entry.seq}: {ask.service} {ask.operation} answers differently than it did"
                )
        self._tell(ask, done, now, entry.change, entry.seq)


def _names(seed: str, change: int | None, seq: int) -> tuple[str, str]:
    """Return request id and event id of a call."""
    ids = Ids.of(seed, "call", change) if change else Ids.of(seed, "read call", seq)
    return ids.uuid4(), ids.uuid4()


def _unaccepted(method: Callable[..., Any], params: Mapping[str, Any]) -> str | None:
    accepted = inspect.signature(method).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
        return None
    return next((name for name in params if name not in accepted), None)


def _error_in(ask: Ask, answer: HttpAnswer) -> AwsError:
    try:
        wire.from_http(ask.service, ask.operation, answer)
    except AwsError as error:
        return error
    return AwsError(str(answer.status), "", status=answer.status)


def _call_body(ask: Ask, done: Done, denied: bool) -> tuple[dict[str, Any], bytes | None]:
    """Return a call as the journal keeps it: parameters, or for moto's changes the request itself, without its signature."""
    blobs = bytearray()
    body: dict[str, Any] = {
        "service": ask.service,
        "operation": ask.operation,
        "principal": ask.principal.to_json(),
        "region": ask.region,
        "source_ip": ask.source_ip,
        "user_agent": ask.user_agent,
        "origin": ask.origin,
    }
    if ask.invoked_by:
        body["invoked_by"] = ask.invoked_by
    if done.error:
        body["error"] = {"code": done.error.code, "message": done.error.message, "status": done.error.status}
    if denied:
        body["denied"] = True
    if ask.http is not None and done.answer is not None and not wire.is_read(ask.service, ask.operation):
        http = ask.http
        kept = {
            name: value for name, value in http.headers.items() if name in KEPT_HEADERS or name.startswith("x-amz-")
        }
        for secret in ("x-amz-security-token", "x-amz-date", "x-amz-user-agent"):
            kept.pop(secret, None)
        body["http"] = {
            "method": http.method,
            "host": http.host,
            "path": http.path,
            "query": http.query,
            "headers": kept,
        }
        return body, http.body
    body["params"] = encode(ask.params, blobs)
    return body, bytes(blobs) or None


def _ask_from(entry: Entry) -> Ask:
    body = entry.body
    http = None
    if "http" in body:
        http = HttpRequest(**body["http"], body=entry.blob or b"")
        params = _params_of(http, body)
    else:
        params = decode(body["params"], entry.blob or b"")
    return Ask(
        service=body["service"],
        operation=body["operation"],
        params=params,
        principal=Principal.from_json(body["principal"]),
        region=body["region"],
        source_ip=body["source_ip"],
        user_agent=body["user_agent"],
        invoked_by=body.get("invoked_by"),
        origin=body["origin"],
        http=http,
    )


def _params_of(http: HttpRequest, body: Mapping[str, Any]) -> dict[str, Any]:
    scope = f"x/20000101/{body['region']}/{body['service']}/aws4_request"
    signed = replace(http, headers={**http.headers, "authorization": f"AWS4-HMAC-SHA256 Credential={scope}"})
    return wire.route(signed).params


def _digest(ask: Ask, done: Done) -> str | None:
    if (ask.service, ask.operation) in UNCOMPARED or ask.service == "sts":
        return None
    if done.answer is not None:
        raw = digest_of(done.answer)
    elif done.error is not None:
        raw = f"{done.error.code} {done.error.message}".encode()
    else:
        raw = json.dumps(encode(done.result or {}, bytearray()), sort_keys=True).encode()
    return hashlib.sha256(raw).hexdigest()[:32]


def encode(value: Any, blobs: bytearray) -> Any:
    """Return parameters as JSON, bytes moved into `blobs`, moments as milliseconds; `decode` is the way back."""
    if isinstance(value, Mapping):
        return {key: encode(item, blobs) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item, blobs) for item in value]
    if isinstance(value, datetime):
        return {"$ms": milliseconds(value)}
    if isinstance(value, bytes | bytearray):
        start = len(blobs)
        blobs += value
        return {"$blob": [start, len(value)]}
    return value


def decode(value: Any, blobs: bytes) -> Any:
    """Return what `encode` was given."""
    if isinstance(value, list):
        return [decode(item, blobs) for item in value]
    if isinstance(value, dict):
        if value.keys() == {"$ms"}:
            return moment(value["$ms"])
        if value.keys() == {"$blob"}:
            start, length = value["$blob"]
            return blobs[start : start + length]
        return {key: decode(item, blobs) for key, item in value.items()}
    return value


def new_meta(
    *, seed: str, account_id: str, scenario_id: str, ip: str | None, history: float, versions: Mapping[str, str]
) -> dict[str, str]:
    """Return what a new lab notes of itself."""
    lab_id = base64.b32encode(hashlib.sha256(f"lab\x1f{seed}\x1f{ip or ''}".encode()).digest()[:5]).decode().lower()
    meta = {
        "lab_id": lab_id,
        "seed": seed,
        "account_id": account_id,
        "scenario": scenario_id,
        "history": str(history),
        **versions,
    }
    if ip:
        meta["ip"] = ip
    return meta
