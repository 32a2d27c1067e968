"""One lab: its services, its clock and its journal, and the one way in which anything happens in it.

A call from outside goes: due ticks first, then authorise, dispatch, journal, the processes that the operation left, commit, answer.
Opening a lab replays its journal: changes and records again in their order, at their time and with their ids; processes and due
work do not run then, what they did is in the journal. One lock a lab; waits (long polls) happen outside it.

Memory never runs ahead of the journal unseen. Where the disk refuses, whoever asked is told so, and the lab answers nobody until
what is pending is written; where something happened that the journal cannot tell, it answers nobody until it is opened anew.
What is dispatched is what is written down: a change for moto goes there as the journal keeps it, without signature or key.
"""

import base64
import contextlib
import functools
import hashlib
import inspect
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from botocore import xform_name
from botocore.parsers import ResponseParserError

from scenario.errors import LabError
from simulator import answers, policy, wire
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
# Their answers depend on what a function did, or on OpenSSL's own randomness, and change nothing by it: a replay has nothing to
# compare.
UNCOMPARED = frozenset({("lambda", "Invoke"), ("lambda", "InvokeAsync"), ("kms", "Sign"), ("ec2", "CreateKeyPair")})
KEPT_HEADERS = ("content-type", "content-encoding", "content-md5", "range", "if-match", "if-none-match", "content-disposition",
                "content-language", "cache-control", "expires")  # fmt: skip
SECRET_HEADERS = ("x-amz-security-token", "x-amz-date", "x-amz-user-agent")
SIGNED_QUERY = re.compile(
    r"x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token)|AWSAccessKeyId|Signature|Expires",
    re.IGNORECASE,
)
MARKS = frozenset({"$ms", "$blob", "$map"})
ACCESS_KEY = re.compile(rb"\b(AKIA|ASIA)[A-Z0-9]{16}\b")
SHOWN_AFTER_MS = 100_000
"""How old a call is at least when LookupEvents shows it (`cloudtrail.DELIVERY_SECONDS` begins a little later)."""
READS_KEPT_BACK = 500
"""How many entries of reads may wait to be written; they are within a second, and before anything that shows them."""
MADE_UP_FOR = timedelta(days=7)
"""How much of the time in which a lab was stopped its schedules make up for."""


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
        self._answers = answers.Answers()
        self._durable = 0
        self._cause: int | None = None
        self._tick_began: int | None = None
        self._lost: LabError | None = None
        self.last_at = 0
        """When the last entry happened, in milliseconds of lab time."""
        self._unsettled = False
        self._stuck: set[tuple[str, datetime]] = set()
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
        """Answer a call from outside. What it changed is durable when this returns.

        Raises LabError where the disk refuses: then nothing was acknowledged, and what was done is written, or forgotten at a
        restart, before anybody is answered again.
        """
        change = not wire.is_read(ask.service, ask.operation)
        if change and ask.http is not None:
            ask = replace(ask, http=_unsigned(ask.http))
        with self.lock:
            self._settle()
            self.catch_up()
            now = self.clock.now()
            with self._one_moment():
                done = self._perform(ask, now)
            if (
                self._shows_what_is_kept_back(ask, now)
                or self._changes != self._durable
                or self.journal.pending > READS_KEPT_BACK
            ):
                self._commit()
            self._check_kept()
            return done

    def _shows_what_is_kept_back(self, ask: Ask, now: datetime) -> bool:
        """Return whether an answer may hold events of reads that are not durable: those are told of when they are old enough."""
        since = self.journal.waiting_since
        lookup = (ask.service, ask.operation) == ("cloudtrail", "LookupEvents")
        return lookup and since is not None and milliseconds(now) - since >= SHOWN_AFTER_MS

    def peek(self, ask: Ask) -> dict[str, Any]:
        """Return the result of a read that leaves no trace, an empty one where it fails. Call it with the lock held."""
        self._settle()
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
            self._settle()
            self.clock.set(at)
            self._append("advance", self.clock.now(), {"to": milliseconds(at), **self.clock.state()})
            self.catch_up(until=at)
            self.clock.stamp(at)
            self._commit()
            return self.clock.now()

    def pause(self, paused: bool) -> None:
        """Let lab time stand still, or go on: from where it stands, or from the wall clock where that is later. An input."""
        with self.lock:
            self._settle()
            self.catch_up()
            if paused == self.clock.paused:
                return
            if paused:
                self.clock.freeze()
            else:
                self.clock.thaw()
            self._append("pause", self.clock.now(), {"paused": paused, **self.clock.state()})
            self._commit()

    def resume(self) -> timedelta:
        """Go on after a replay, lab time not behind the wall clock (a paused lab stays paused), and run what became due meanwhile.

        Of a long stop the schedules make up for the last `MADE_UP_FOR`; returns how much before that they leave out. Their runs in
        that time did not happen, which the journal tells.
        """
        with self.lock:
            stood = self.clock.last_ms
            if self.clock.paused:
                return timedelta()
            self.clock.keep_up()
            left_out = self.clock.now() - MADE_UP_FOR - moment(stood)
            if stood and left_out > timedelta():
                self._skip(moment(stood) + left_out)
            else:
                left_out = timedelta()
            self.tick()
            return left_out

    def _skip(self, until: datetime) -> None:
        for service in self._due_services:
            with self._ticking():
                self._run_process(self._due_context(service, until), service.skip_due)

    def remember(self, kind: Literal["answer", "hint", "key", "attempt"], body: Mapping[str, Any]) -> None:
        """Journal an answer, a hint taken, a use of the key or a finished check. An input; durable when this returns."""
        with self.lock:
            self._settle()
            now = self.clock.now()
            self._append(kind, now, body)
            self._remembered(kind, body, now)
            self._commit()

    def catch_up(self, until: datetime | None = None) -> None:
        """Run what is due up to lab time, or up to `until`, in order of time. Call it with the lock held.

        A service that leaves its work undone is passed over, so that the others' goes on.
        """
        end = until or self.clock.now()
        passed_over: set[str] = set()
        while True:
            due = [
                (at, index)
                for index, s in enumerate(self._due_services)
                if s.name not in passed_over and (at := s.next_due()) is not None and at <= end
            ]
            if not due:
                return
            at, index = min(due)
            service = self._due_services[index]
            ctx = self._due_context(service, at)
            with self._ticking():
                self._run_process(ctx, service.run_due)
                self._run_processes(ctx)
            if service.next_due() == at:
                passed_over.add(service.name)
                if (service.name, at) not in self._stuck:
                    self._stuck.add((service.name, at))
                    log.error("%s leaves its work of %s undone", service.name, at)

    def _due_context(self, service: Service, at: datetime) -> Context:
        return Context(
            lab=self,
            principal=Principal.service(f"{service.name}.amazonaws.com", self.account_id),
            now=at,
            ids=Ids.of(self.seed, "due", service.name, self._changes, milliseconds(at)),
            region=self.region,
        )

    def tick(self) -> None:
        """Do what wall time brings: ticks that became due, reads that wait to be written. Called every second."""
        with self.lock:
            self._settle()
            self.catch_up()
            if self.journal.pending:
                self._commit()

    def state_digest(self) -> str:
        """Return a hash of what the lab answers to a fixed set of reads (`simulator.state`), at its last entry's moment."""
        from simulator import state

        with self.lock, self._one_moment():
            return state.digest(self)

    def close(self) -> None:
        """Write what is pending and let go of journal and moto's state. Raises LabError where the disk refuses."""
        with self.lock:
            self._lost = self._lost or LabError("answering", "the lab is being stopped", "Run 'lab start'.")
            try:
                self.journal.close()
            finally:
                self.moto.forget(self.account_id)

    # --- memory and disk -----------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Before anything else happens: write what an earlier failure of the disk left unwritten. Raises LabError."""
        self._check_kept()
        if self._unsettled:
            self._commit()

    def _commit(self) -> None:
        self._unsettled = True
        self.journal.commit()
        self._unsettled = False
        self._durable = self._changes

    def _check_kept(self) -> None:
        if self._lost is not None:
            raise self._lost

    @contextlib.contextmanager
    def _one_moment(self) -> Iterator[None]:
        """Let the clock stand while something happens: whoever asks it sees what a replay will see."""
        self.clock.wall_ms()  # entries keep what is seen here, also of a paused lab, whose time does not ask for it
        before, self.clock.held = self.clock.held, True
        try:
            yield
        finally:
            self.clock.held = before

    @contextlib.contextmanager
    def _ticking(self) -> Iterator[None]:
        """Within, the first entry is a tick's and those after it follow from it."""
        self._tick_began = self.journal.next_seq
        try:
            with self._one_moment():
                yield
        finally:
            self._tick_began = None

    # --- the one way --------------------------------------------------------------------------------------------

    def _perform(self, ask: Ask, now: datetime) -> Done:
        """Authorise, dispatch and journal a call, run its processes and tell the views."""
        change = None
        if not wire.is_read(ask.service, ask.operation):
            self._changes += 1
            change = self._changes
        seq = self.journal.next_seq
        ctx = self._context(ask, now, change, seq)
        told = _asked(ask, as_it_came=change is not None and ask.service not in self._services)
        denied = self._refusal(ctx, ask)
        done = Done(request_id=ctx.request_id, error=denied) if denied else self._attempt(ctx, ask, change is not None)
        try:
            self._append_call(ask, now, change, told, done, denied is not None)
        except Exception as defect:  # whatever it is, memory has what the journal has not
            log.exception("%s %s cannot be written down", ask.service, ask.operation)
            self._lost = LabError(
                f"keeping {ask.service} {ask.operation}",
                f"it cannot be written down ({defect!r})",
                "This is a defect of the kit. Run 'lab stop' and 'lab start': the lab goes on from what was acknowledged.",
            )
            raise self._lost from defect
        self._tell(ask, done, now, change, seq)
        if not done.error:
            outer, self._cause = self._cause, seq
            try:
                self._run_processes(ctx)
            finally:
                self._cause = outer
        return done

    def _append_call(
        self,
        ask: Ask,
        now: datetime,
        change: int | None,
        told: tuple[dict[str, Any], bytes | None],
        done: Done,
        denied: bool,
    ) -> None:
        body, blob = told
        if done.error:
            body["error"] = {"code": done.error.code, "message": done.error.message, "status": done.error.status}
        if denied:
            body["denied"] = True
        self._append("call", now, body, change=change, blob=blob, digest=_digest(ask, done) if change else None)

    def _refusal(self, ctx: Context, ask: Ask) -> AwsError | None:
        try:
            policy.authorise(self, ctx, ask.service, ask.operation, ask.params)
        except AwsError as refusal:
            return refusal
        except Exception as bug:
            log.exception("authorising %s.%s failed", ask.service, ask.operation)
            return AwsError("InternalFailure", f"The lab failed at authorising {ask.operation}: {bug!r}.", status=500)
        return None

    def _attempt(self, ctx: Context, ask: Ask, change: bool) -> Done:
        try:
            if ask.http is not None and ask.service not in self._services:
                answer = self._forwarded(ctx, ask, ask.http, change)
                if answer.status < 300:
                    return Done(request_id=ctx.request_id, answer=answer)
                return Done(request_id=ctx.request_id, answer=answer, error=_error_in(ask, answer))
            result = self._dispatch(ctx, ask.service, ask.operation, dict(ask.params), change=change)
            return Done(request_id=ctx.request_id, result=result)
        except AwsError as error:
            return Done(request_id=ctx.request_id, error=error)

    def _forwarded(self, ctx: Context, ask: Ask, http: HttpRequest, change: bool) -> HttpAnswer:
        key = None if change else answers.key_of(ask.service, ask.operation, ask.region, ask.principal, http)
        if key is None:
            return self.moto.forward(ctx, ask.service, http, change=change)
        answer = self._answers.find(key, self._changes, ctx.request_id)
        if answer is None:
            answer = self.moto.forward(ctx, ask.service, http, change=change)
            self._answers.keep(key, answer, ctx.request_id)
        return answer

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
        self.last_at = milliseconds(at)
        self.journal.append(
            Entry(
                seq=self.journal.next_seq,
                change=change,
                cause=self._cause_of(self.journal.next_seq),
                at=milliseconds(at),
                wall=self.clock.wall_seen_ms,
                kind=kind,
                body=body,
                blob=blob,
                digest=digest,
            )
        )

    def _cause_of(self, seq: int) -> int | None:
        if self._cause is None and self._tick_began is not None and seq != self._tick_began:
            return self._tick_began
        return self._cause

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
        if ask.principal.access_key_id.startswith("AKIA") and not ask.invoked_by:
            self.moto.note_use(self.account_id, ask.principal.access_key_id, ask.service, ask.region, now)
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
            try:
                watcher.on_call(call)
            except Exception:
                # The call has happened and is in the journal; a replay fails at the same place and goes on as well.
                log.exception("the view of %s failed at %s %s", watcher.name, ask.service, ask.operation)

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

    def replay(self, last: int | None = None) -> None:
        """Rebuild the lab from its journal, up to entry `last` where that is given.

        Raises LabError for a damaged journal; `differences` names answers that are not what they were.
        """
        self.clock.replaying = True
        try:
            with self.lock, self._one_moment():
                for entry in self.journal.entries():
                    if last is not None and entry.seq > last:
                        break
                    self._again(entry)
                self._durable = self._changes
        finally:
            self.clock.replaying = False

    def _again(self, entry: Entry) -> None:
        now = moment(entry.at)
        self.last_at = entry.at
        self.clock.stamp(now)
        self.clock.saw_wall(entry.wall)
        if entry.change:
            self._changes = entry.change
        if entry.kind == "record":
            self._record_again(entry, now)
        elif entry.kind == "call":
            try:
                self._call_again(entry, now)
            except Exception as defect:
                raise LabError(
                    "rebuilding the lab from its journal",
                    f"entry {entry.seq} cannot be played again ({type(defect).__name__}: {defect})",
                    "Use the version of the kit that made the lab, or run 'lab reset' to start anew.",
                ) from defect
        elif entry.kind in ("advance", "pause"):
            self.clock.restore(entry.body)
        else:
            self._remembered(entry.kind, entry.body, now)

    def _record_again(self, entry: Entry, now: datetime) -> None:
        body = entry.body
        try:
            self._apply(body["service"], body["kind"], body["data"], now, entry.change or 0)
        except Exception:
            # As it was live: the process broke off there, and the lab went on.
            log.exception("replay: entry %d, %s %s failed", entry.seq, body.get("service"), body.get("kind"))
            self.differences.append(f"entry {entry.seq}: {body.get('service')} {body.get('kind')} cannot be applied")

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


@functools.lru_cache(maxsize=16)  # a call asks twice: when it begins, and when the views are told of it
def _names(seed: str, change: int | None, seq: int) -> tuple[str, str]:
    """Return request id and event id of a call."""
    ids = Ids.of(seed, "call", change) if change else Ids.of(seed, "read call", seq)
    return ids.uuid4(), ids.uuid4()


def _unaccepted(method: Callable[..., Any], params: Mapping[str, Any]) -> str | None:
    accepted = _accepted(method.__func__)  # type: ignore[attr-defined]
    return next((name for name in params if name not in accepted), None) if accepted is not None else None


@functools.cache
def _accepted(function: Callable[..., Any]) -> frozenset[str] | None:
    """Return the names that a function takes; None for one that takes any."""
    accepted = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return None
    return frozenset(parameter.name for parameter in accepted)


def _error_in(ask: Ask, answer: HttpAnswer) -> AwsError:
    try:
        wire.from_http(ask.service, ask.operation, answer)
    except AwsError as error:
        return error
    except ResponseParserError as foreign:  # moto answers in the words of another protocol, which no client could read
        raise not_implemented(ask.service, "this call as it was made") from foreign
    return AwsError(str(answer.status), "", status=answer.status)


def _unsigned(http: HttpRequest) -> HttpRequest:
    """Return a request as it is kept and dispatched: without signature, keys and what does not matter to moto."""
    kept = {name: value for name, value in http.headers.items() if name in KEPT_HEADERS or name.startswith("x-amz-")}
    for secret in SECRET_HEADERS:
        kept.pop(secret, None)
    query, body = http.query, http.body
    if "signature" in query.lower() or "credential" in query.lower():
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode([(name, value) for name, value in pairs if not SIGNED_QUERY.fullmatch(name)])
    if kept.get("content-type", "").startswith(
        "multipart/form-data"
    ):  # a form that uploads to S3 carries its signature
        body = ACCESS_KEY.sub(b"A" * 20, body)
    return replace(http, headers=kept, query=query, body=body)


def _asked(ask: Ask, *, as_it_came: bool) -> tuple[dict[str, Any], bytes | None]:
    """Return a call as the journal keeps it: parameters, or for moto's changes the request itself. Made before it is
    dispatched, so that what happens to the parameters there is not in it."""
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
    if as_it_came and ask.http is not None:
        http = ask.http
        body["http"] = {name: getattr(http, name) for name in ("method", "host", "path", "query")}
        body["http"]["headers"] = dict(http.headers)
        return body, http.body
    blobs = bytearray()
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
        encoded = {key: encode(item, blobs) for key, item in value.items()}
        # a client's own map may look like one of the marks below
        return {"$map": encoded} if len(encoded) == 1 and next(iter(encoded)) in MARKS else encoded
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
        if value.keys() == {"$map"}:
            return {key: decode(item, blobs) for key, item in value["$map"].items()}
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
