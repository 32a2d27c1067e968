"""The trusted parent of one function's process.

It forks the process that will hold the handler, answers the system calls that the wall notifies, keeps the limits,
and reports what was connected to. Of what the child says it believes only what does not matter. Whatever the child
starts stays its descendant (the keeper is the subreaper), so that killing is complete; when the simulator goes away,
however suddenly, the pipe from it ends and the keeper kills everything and removes the function's folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import decimal
import errno
import json
import logging
import mmap
import os
import random
import select
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from . import audit, frames, runtime, seccomp

PRELOADED = (contextlib, ctypes, decimal, json, logging, random, selectors, tempfile, traceback)
"""Modules that nearly every handler needs, loaded before the first invocation rather than during it."""

REAL_BOUND_S = 2.0
"""Seconds of real time that a run may take at most, whatever its timeout in lab time: waits cost none."""
INIT_BOUND_S = 5.0
STARVED = 3
"""How many times its bound a run may take while it still waits for a processor."""
CHECK_EVERY_S = 0.05
MOST_PROCESSES = 64
MOST_LOG_BYTES = 1024 * 1024
MOST_DISK_BYTES = 512 * 1024 * 1024
MOST_CONNECTIONS = 1000
"""Distinct connections remembered a run; a port scan does not fill the journal."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10


class Over(Exception):
    """The run is over without an answer: `how` is timeout, memory, disk, exited or broken."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class NoWalls(Exception):
    """The kernel refused the walls."""


class Walled:
    """One walled process with its pipes, and what was seen of it."""

    def __init__(self, config: frames.Message, earlier: frozenset[int]) -> None:
        self.config = config
        self.earlier = earlier
        self.status: int | None = None
        self.messages: list[frames.Message] = []
        self.broken = False
        self.initialised = False
        self.forks = 0
        self.frozen = False
        self.family: Callable[[], list[int]] = lambda: [self.pid]
        self.ended: set[int] = set()
        self.log = bytearray()
        self.shared = mmap.mmap(-1, runtime.SHARED_BYTES)
        self._inbox = frames.Inbox()
        self._start()

    def _start(self) -> None:
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        self.output, output = os.pipe()
        mine, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            _become_walled(self.config, commands, answers, output, theirs, self.shared)
        for unused in (commands, answers, output):
            os.close(unused)
        theirs.close()
        for descriptor in (self.answers, self.output):
            os.set_blocking(descriptor, False)
        self.listener = _listener_from(mine)

    def watch(self, events: select.poll) -> None:
        """Have `events` tell of everything that this process may have for its keeper."""
        for descriptor in (self.answers, self.output, self.listener):
            if descriptor is not None and descriptor not in self.ended:
                events.register(descriptor, select.POLLIN)

    def read_answers(self) -> None:
        """Take in what the child says."""
        try:
            more = os.read(self.answers, 1 << 20)
            if not more:
                self.ended.add(self.answers)
            self.messages += self._inbox.feed(more)
        except BlockingIOError:
            return
        except frames.BrokenFrame:
            self.broken = True

    def read_output(self) -> bool:
        """Take in what the child prints, as far as a log holds it. Returns whether there was any."""
        try:
            more = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return False
        if not more:
            self.ended.add(self.output)
        self.log += more[: max(MOST_LOG_BYTES - len(self.log), 0)]
        return bool(more)

    def close(self) -> None:
        """Let go of every descriptor: calls that wait for an answer fail from now on."""
        for descriptor in (self.listener, self.commands, self.answers, self.output):
            if descriptor is not None:
                os.close(descriptor)
        self.shared.close()


def _listener_from(channel: socket.socket) -> int | None:
    """Return the descriptor of the wall's notifications, None where the wall is but an audit hook."""
    with channel:
        said, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        if not said:
            raise NoWalls
        return descriptors[0] if descriptors else None


def _become_walled(
    config: frames.Message, commands: int, answers: int, output: int, channel: socket.socket, shared: mmap.mmap
) -> NoReturn:
    """Turn this fork into the walled process and serve."""
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        commands, answers = _keep_only(commands, answers, channel.fileno())
        channel = socket.socket(fileno=_CHANNEL, family=socket.AF_UNIX, type=socket.SOCK_STREAM)
        os.umask(0o077)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        _raise_walls(config, channel, answers)
        runtime.limit(config["memory_mb"])
        served = runtime.start(config, commands, answers, shared)
        if config.get("dry") is None:
            served.serve()
        served.rehearse(config["dry"])
    except BaseException:
        traceback.print_exc()
    os._exit(70)


_COMMANDS, _ANSWERS, _CHANNEL = 3, 4, 5


def _keep_only(commands: int, answers: int, channel: int) -> tuple[int, int]:
    """Leave open only the three standard descriptors and these, which move to fixed places."""
    high = [os.dup(each) for each in (commands, answers, channel)]
    floor = max(high) + 1
    high = [_dup_above(each, floor) for each in high]
    for place, descriptor in zip((_COMMANDS, _ANSWERS, _CHANNEL), high, strict=True):
        os.dup2(descriptor, place, inheritable=False)
    os.closerange(_CHANNEL + 1, 4096)
    return _COMMANDS, _ANSWERS


def _dup_above(descriptor: int, floor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, floor)


def _noting(answers: int) -> Callable[[str, int, str], None]:
    """Return what tells the keeper of a connection where only the child itself can."""

    def note(ip: str, port: int, protocol: str) -> None:
        frames.write(answers, {"kind": "connect", "ip": ip, "port": port, "protocol": protocol})

    return note


def _raise_walls(config: frames.Message, channel: socket.socket, answers: int) -> None:
    """Put up the walls and hand their listener to the keeper.

    The filter catches the very call that would hand it over, and applies to this thread and its offspring only: a
    thread started before it does that, and is gone before anything of the handler is loaded.
    """
    if not config["kernel_walls"]:
        audit.install(_noting(answers))
        channel.send(b"a")
        channel.close()
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    listeners: list[int] = []
    ready = threading.Event()

    def hand_over() -> None:
        ready.wait()
        socket.send_fds(channel, [b"s"], listeners)

    messenger = threading.Thread(target=hand_over)
    messenger.start()
    listeners.append(seccomp.confine(tuple(config["readable"]), tuple(config["writable"])))
    ready.set()
    messenger.join()
    channel.close()
    os.close(listeners[0])
    while len(os.listdir("/proc/self/task")) > 1:
        time.sleep(0.0005)


class Keeper:
    """The loop: requests from the simulator on standard input, answers on standard output."""

    def __init__(self, config: frames.Message) -> None:
        self._config = config
        self._warm: Walled | None = None
        self._walled: list[Walled] = []
        self._seen = Seen(config)
        self._wakeup, wakeup = os.pipe()
        for descriptor in (self._wakeup, wakeup):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, _ignore)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)

    # --- requests

    def serve(self) -> None:
        """Answer requests until the simulator closes the pipe."""
        try:
            self._warm = self._new()
        except NoWalls:
            frames.write(1, {"kind": "no walls"})
            return
        frames.write(1, {"kind": "ready"})
        while self._idle():
            request = frames.read(0)
            if request is None:
                return
            if request["op"] == "run":
                frames.write(1, self._run(request))
            else:
                frames.write(1, self._rehearse(request))

    def _idle(self) -> bool:
        """Wait for a request, still watching what the child's leftovers do; always returns True."""
        while True:
            events = select.poll()
            events.register(0, select.POLLIN)
            ready = self._wait(events, self._warm, None)
            if 0 in ready:
                return True

    # --- a run

    def _run(self, request: frames.Message) -> frames.Message:
        walled = self._living()
        answer = self._run_in(walled, request)
        if answer["how"] == "exited" and not answer["begun"]:
            # The process had died of what it did after its last answer; this invocation never began.
            answer = self._run_in(self._living(), request)
        return {"kind": "outcome", "id": request["id"], **answer}

    def _run_in(self, walled: Walled, request: frames.Message) -> frames.Message:
        self._thaw(walled)
        runtime.set_shared(walled.shared, runtime.BEGUN, 0)
        self._seen.begin(walled.shared, runtime.SKIPPED)
        walled.log.clear()
        walled.messages.clear()
        started = time.monotonic()
        answer: frames.Message
        try:
            frames.write(walled.commands, request)
            answer = self._wait_for(walled, request, started)
        except BrokenPipeError:
            answer = {"how": self._end_of(walled)}
        except Over as over:
            answer = {"how": over.how}
        while walled.read_output():
            pass
        answer.setdefault("how", "ok")
        answer["memory_mb"] = _resident_mb(walled.pid)
        answer["real_ms"] = (time.monotonic() - started) * 1000
        answer["skipped_ms"] = self._seen.skipped_ms()
        answer["begun"] = runtime.shared_value(walled.shared, runtime.BEGUN)
        answer["log"] = walled.log.decode("utf-8", "replace")
        if answer["how"] != "ok" or answer.get("error") == "memory":
            self._kill(walled)
            self._warm = None
            answer["status"] = walled.status
        else:
            self._freeze(walled)
        answer["connections"] = self._seen.take()
        return answer

    def _wait_for(self, walled: Walled, request: frames.Message, started: float) -> frames.Message:
        """Return the child's answer to the request; raises Over when there will be none."""
        bound = min(request["timeout_ms"] / 1000, REAL_BOUND_S)
        for message in self._messages(walled, started, bound, STARVED):
            if message.get("kind") == "deadline":
                raise Over("timeout")
            if message.get("kind") == "result" and message.get("id") == request["id"] and _is_result(message):
                return {key: message[key] for key in ("payload", "error", "elapsed_ms", "init_ms")}
        raise Over(self._end_of(walled))

    def _messages(self, walled: Walled, started: float, bound: float, starved: int) -> Iterator[frames.Message]:
        """Yield what the child says while it lives and keeps its limits; loading the handler has a bound of its own."""
        checked = started
        used = 0.0
        while True:
            while walled.messages:
                message = walled.messages.pop(0)
                if message.get("kind") == "connect" and walled.listener is None:
                    self._seen.believe(message)
                else:
                    yield message
            if walled.broken:
                raise Over("broken")
            if walled.status is not None or walled.answers in walled.ended:
                return
            self._wait(select.poll(), walled, 50)
            now = time.monotonic()
            if now - checked < CHECK_EVERY_S:
                continue
            if checked == started:
                used = _processor_seconds(walled.pid)
            checked = now
            self._check_limits(walled)
            if not walled.initialised and runtime.shared_value(walled.shared, runtime.LOADED):
                walled.initialised = True
                started, used = now, _processor_seconds(walled.pid)
            limit = bound if walled.initialised else max(bound, INIT_BOUND_S)
            if now - started > limit and self._is_late(walled, now - started, limit, used, starved):
                raise Over("timeout")

    def _is_late(self, walled: Walled, taken: float, bound: float, used: float, starved: int) -> bool:
        """A run that only lacks a processor, on a busy machine, is given more time. `used` had it before."""
        if taken > bound * starved or not _is_runnable(walled.pid):
            return True
        return _processor_seconds(walled.pid) - used >= bound * 0.9

    def _check_limits(self, walled: Walled) -> None:
        used = sum(_proportional_mb(pid) for pid in self._family(walled))
        if used > self._config["memory_mb"] + self._config["base_mb"]:
            raise Over("memory")
        if _disk_bytes(self._config["temporary"]) > MOST_DISK_BYTES:
            raise Over("disk")

    def _end_of(self, walled: Walled) -> str:
        """Say how a child ended that stopped answering."""
        for _ in range(100):
            self._reap()
            if walled.status is not None:
                return "exited"
            time.sleep(0.001)
        return "broken"

    # --- a dry run

    def _rehearse(self, request: frames.Message) -> frames.Message:
        """Run a request's invocations with the state of the warm process, if there is one, and leave it as it was.

        The answer's `connections` holds one list an invocation, `why` a reason where some of it did not run.
        """
        started = time.monotonic()
        invocations = request["invocations"]
        found: list[list[frames.Message]] = []
        fresh = self._warm is None or self._warm.status is not None
        why = ""
        while len(found) < len(invocations) and not why:
            left = request["budget_s"] - (time.monotonic() - started)
            part = {**request, "invocations": invocations[len(found) :]}
            some, why = self._rehearse_from(part, left, fresh=fresh)
            found += some
            fresh = True
        return {"kind": "rehearsal", "id": request["id"], "connections": found, "why": why}

    def _rehearse_from(
        self, request: frames.Message, budget: float, *, fresh: bool
    ) -> tuple[list[list[frames.Message]], str]:
        """Run invocations until one ends its process; return connections of those that ran, and what went wrong."""
        if budget <= 0:
            return [], "the time for looking ahead was used up"
        folder = self._copy_of_temporary()
        request = {**request, "temporary": folder}
        walled = self._new(request) if fresh else self._warm
        assert walled is not None
        before = set() if fresh else set(self._family(walled))
        runtime.set_shared(walled.shared, runtime.SKIPPED_DRY, 0)
        runtime.set_shared(walled.shared, runtime.PLACE, 0)
        self._seen.begin(walled.shared, runtime.SKIPPED_DRY, keep_apart=before)
        try:
            reached = self._dry_run(walled, request, budget, fresh=fresh)
        except Over as over:
            reached = runtime.shared_value(walled.shared, runtime.PLACE)
            why = "the time for looking ahead was used up" if over.how == "timeout" else f"a run ended: {over.how}"
        else:
            why = ""
        finally:
            self._end_dry_run(walled, before, fresh=fresh)
            shutil.rmtree(folder, ignore_errors=True)
        by_place = self._seen.take_by_place()
        count = len(request["invocations"])
        # An invocation that ended its process ran too; the next one starts in a new process.
        ran = min(max(reached, 0) + 1, count)
        return [by_place.get(place, []) for place in range(ran)], why

    def _dry_run(self, walled: Walled, request: frames.Message, budget: float, *, fresh: bool) -> int:
        """Let the dry run go on until its process has ended; return how many invocations it got through."""
        started = time.monotonic()
        if not fresh:
            self._thaw(walled)
            frames.write(walled.commands, request)
        for message in self._messages(walled, started, budget, 1):
            if not fresh and message.get("kind") == "rehearsed" and message.get("id") == request["id"]:
                break
        else:
            if not fresh:
                raise Over("exited")
        reached: int = runtime.shared_value(walled.shared, runtime.PLACE)
        return reached

    def _end_dry_run(self, walled: Walled, before: set[int], *, fresh: bool) -> None:
        if fresh:
            self._kill(walled)
            return
        for _ in range(100):
            extra = [pid for pid in self._family(walled) if pid not in before]
            if not extra:
                break
            for pid in extra:
                _send(pid, signal.SIGKILL)
            self._settle(walled, 0.01)
        walled.messages.clear()
        self._freeze(walled)

    def _settle(self, walled: Walled, seconds: float) -> None:
        """Go on answering for a moment, for a child that collects its own children."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and walled.status is None:
            self._wait(select.poll(), walled, max(left * 1000, 1))

    def _copy_of_temporary(self) -> str:
        folder = tempfile.mkdtemp(dir=self._config["dry_folder"])
        with contextlib.suppress(OSError, shutil.Error):
            shutil.copytree(self._config["temporary"], folder, symlinks=True, dirs_exist_ok=True)
        return folder

    # --- events

    def _wait(self, events: select.poll, walled: Walled | None, milliseconds: float | None) -> set[int]:
        """Wait for something to happen, serve it, and return the descriptors that it happened on."""
        events.register(self._wakeup, select.POLLIN)
        if walled is not None:
            walled.watch(events)
        happened = dict(events.poll(milliseconds))
        if self._wakeup in happened:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wakeup, 4096)
            self._reap()
        if walled is not None:
            self._serve_walled(happened, walled)
        return set(happened)

    def _serve_walled(self, happened: dict[int, int], walled: Walled) -> None:
        if walled.listener is not None and walled.listener in happened:
            if happened[walled.listener] & select.POLLIN:
                self._seen.answer_one(walled)
            else:
                walled.ended.add(walled.listener)
        if walled.output in happened:
            walled.read_output()
        if walled.answers in happened:
            walled.read_answers()

    # --- processes

    def _new(self, dry: frames.Message | None = None) -> Walled:
        earlier = frozenset(_descendants(os.getpid()))
        walled = Walled(self._config if dry is None else {**self._config, "dry": dry}, earlier)
        walled.family = lambda: self._family(walled)
        self._walled.append(walled)
        return walled

    def _family(self, walled: Walled) -> list[int]:
        """Return a walled process and all that came of it, daemons that left it included."""
        others = [each for each in self._walled if each is not walled]
        spared = {pid for each in others for pid in (each.pid, *_descendants(each.pid))} | walled.earlier
        return [pid for pid in _descendants(os.getpid()) if pid not in spared]

    def _living(self) -> Walled:
        """Return the warm process, a new one where it has died since it last answered."""
        self._reap()
        if self._warm is not None and self._warm.status is not None:
            self._kill(self._warm)
            self._warm = None
        if self._warm is None:
            self._warm = self._new()
        return self._warm

    def _reap(self) -> None:
        """Collect every dead descendant that is ours to collect."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for walled in self._walled:
                if walled.pid == pid:
                    walled.status = status

    def _freeze(self, walled: Walled) -> None:
        """Stop what still runs after an answer, as Lambda does with an execution environment."""
        if walled.forks == 0 and _thread_count(walled.pid) <= 1:
            return
        family = self._family(walled)
        walled.forks = len(family) - 1
        if walled.forks <= 0 and _thread_count(walled.pid) <= 1:
            walled.forks = 0
            return
        walled.frozen = True
        stopped: set[int] = set()
        while not stopped.issuperset(family):
            for pid in family:
                _send(pid, signal.SIGSTOP)
            stopped.update(family)
            family = self._family(walled)

    def _thaw(self, walled: Walled) -> None:
        """Let what was stopped go on, before the next invocation."""
        if walled.frozen:
            walled.frozen = False
            for pid in self._family(walled):
                _send(pid, signal.SIGCONT)

    def _kill(self, walled: Walled) -> None:
        """End a walled process and all that came of it, and wait until it is gone.

        The listener closes first: from then on no fork can succeed, so the killing comes to an end.
        """
        if walled.listener is not None:
            os.close(walled.listener)
            walled.listener = None
        while True:
            found = self._family(walled)
            for pid in found:
                _send(pid, signal.SIGKILL)
            self._reap()
            if not found:
                break
            time.sleep(0.0005)
        walled.close()
        self._walled.remove(walled)

    def end(self) -> None:
        """Kill everything and remove the function's folder."""
        for walled in tuple(self._walled):
            self._kill(walled)
        shutil.rmtree(self._config["root"], ignore_errors=True)


class Seen:
    """Answers notified system calls, and remembers the connections among them."""

    def __init__(self, config: frames.Message) -> None:
        self._resolvers = {(address, 53) for address in config["resolvers"]}
        self._peers: dict[str, tuple[str, int]] = {}
        self._records: dict[tuple[int, str, int, str], frames.Message] = {}
        self._waiting: list[frames.Message] = []
        self._apart: set[int] = set()
        self._shared: mmap.mmap | None = None
        self._slot = 0
        self._started = 0.0

    def begin(self, shared: mmap.mmap, slot: int, keep_apart: set[int] | None = None) -> None:
        """Start a run, or a dry run (`slot` says so), in which the connections of `keep_apart` are somebody else's."""
        self._shared, self._slot = shared, slot
        self._apart = keep_apart or set()
        self._waiting += [{**record, "offset_ms": 0} for record in self._records.values()][:MOST_CONNECTIONS]
        self._records.clear()
        self._started = time.monotonic()

    def skipped_ms(self) -> float:
        """Return how far the run has moved its clock, as it says itself."""
        assert self._shared is not None
        return runtime.shared_value(self._shared, self._slot) / 1e6

    def take(self) -> list[frames.Message]:
        """Return the connections of the run, oldest first, and what leftovers of earlier ones did in between."""
        found = self._waiting + list(self._records.values())
        self._waiting = []
        self._records.clear()
        return found

    def take_by_place(self) -> dict[int, list[frames.Message]]:
        """Return the connections of a dry run by the place of the invocation."""
        found: dict[int, list[frames.Message]] = {}
        for (place, *_), record in self._records.items():
            found.setdefault(place, []).append(record)
        self._waiting += [{**record, "offset_ms": 0} for record in found.pop(-1, [])]
        self._records.clear()
        return found

    def note(self, pid: int, ip: str, port: int, protocol: str) -> None:
        """Remember a connection made by the thread `pid`."""
        if (ip, port) in self._resolvers:
            return
        offset = round((time.monotonic() - self._started) * 1000 + self.skipped_ms())
        record = {"ip": ip, "port": port, "protocol": protocol, "offset_ms": max(offset, 0)}
        if self._apart and _process_of(pid) in self._apart:
            self._records.setdefault((-1, ip, port, protocol), record)
            return
        place = 0
        if self._slot == runtime.SKIPPED_DRY:
            assert self._shared is not None
            place = runtime.shared_value(self._shared, runtime.PLACE)
        key = (place, ip, port, protocol)
        if len(self._records) < MOST_CONNECTIONS:
            self._records.setdefault(key, record)

    def believe(self, message: frames.Message) -> None:
        """Remember a connection that the child itself tells of, where nobody else can."""
        ip, port, protocol = message.get("ip"), message.get("port"), message.get("protocol")
        if isinstance(ip, str) and isinstance(port, int) and protocol in ("TCP", "UDP"):
            self.note(0, ip, port, str(protocol))

    def answer_one(self, walled: Walled) -> None:
        """Answer the next waiting system call."""
        listener = walled.listener
        assert listener is not None
        notice = seccomp.receive(listener)
        if notice is None:
            return
        if notice.call in ("fork", "vfork", "clone"):
            self._answer_fork(walled, notice)
        elif notice.call in seccomp.SIGNALS:
            self._answer_signal(walled, notice)
        else:
            value, error, through = self._judge(listener, notice)
            seccomp.answer(listener, notice, value=value, error=error, let_through=through)

    def _answer_fork(self, walled: Walled, notice: seccomp.Notice) -> None:
        assert walled.listener is not None
        walled.forks += 1
        if walled.forks >= MOST_PROCESSES:
            walled.forks = len(walled.family())
        if walled.forks >= MOST_PROCESSES:
            seccomp.answer(walled.listener, notice, error=errno.EAGAIN)
        else:
            seccomp.answer(walled.listener, notice, let_through=True)

    def _answer_signal(self, walled: Walled, notice: seccomp.Notice) -> None:
        """Let signals reach the function's own processes only."""
        assert walled.listener is not None
        target = ctypes.c_int(notice.arguments[0]).value
        own = set(walled.family())
        inside = target in own or (notice.call == "tkill" and _process_of(target) in own)
        error = 0 if inside else errno.EPERM
        seccomp.answer(walled.listener, notice, error=error, let_through=inside)

    def _judge(self, listener: int, notice: seccomp.Notice) -> tuple[int, int, bool]:
        """Return value, error and whether to let through, for a call that names or may have a peer."""
        try:
            kind = os.getxattr(f"/proc/{notice.pid}/fd/{ctypes.c_int(notice.arguments[0]).value}", _KIND)
            protocol = _PROTOCOLS.get(kind.rstrip(b"\0"), "")
            if notice.call == "connect":
                return self._judge_connect(listener, notice, protocol)
            if notice.call == "sendto":
                return self._judge_sendto(listener, notice, protocol)
            return self._judge_sendmsg(listener, notice, protocol)
        except OSError as failed:
            return 0, failed.errno or errno.EPERM, False

    def _judge_connect(self, listener: int, notice: seccomp.Notice, protocol: str) -> tuple[int, int, bool]:
        peer = self._peer(listener, notice, notice.arguments[1], notice.arguments[2])
        if peer is None:
            return 0, 0 if protocol else errno.EAFNOSUPPORT, False
        if protocol == "TCP":
            self.note(notice.pid, *peer, "TCP")
            return 0, errno.ETIMEDOUT, False
        if protocol != "UDP":
            return 0, errno.EPERM, False
        if peer in self._resolvers:
            return 0, errno.ECONNREFUSED, False
        if len(self._peers) > 4096:
            self._peers.clear()
        self._peers[_socket_name(notice)] = peer
        return 0, 0, False

    def _judge_sendto(self, listener: int, notice: seccomp.Notice, protocol: str) -> tuple[int, int, bool]:
        """A datagram is swallowed. Without an address in a register the kernel knows no peer on any socket of ours."""
        _, _, length, _, address, size = notice.arguments
        if address == 0 and protocol != "UDP":
            return 0, 0, True
        return self._send(listener, notice, protocol, (address, size), min(length, 65507))

    def _send(
        self, listener: int, notice: seccomp.Notice, protocol: str, name: tuple[int, int], sent: int
    ) -> tuple[int, int, bool]:
        peer = self._peer(listener, notice, *name) if name[0] else self._peers.get(_socket_name(notice))
        if peer is None:
            return 0, errno.EDESTADDRREQ if protocol == "UDP" else errno.EPIPE, False
        if protocol == "":
            return 0, errno.EPERM, False
        if peer in self._resolvers:
            return 0, errno.ECONNREFUSED, False
        self.note(notice.pid, *peer, protocol)
        return (sent, 0, False) if protocol == "UDP" else (0, errno.ETIMEDOUT, False)

    def _judge_sendmsg(self, listener: int, notice: seccomp.Notice, protocol: str) -> tuple[int, int, bool]:
        many = notice.call == "sendmmsg"
        count = min(notice.arguments[2], 1024) if many else 1
        last = (0, errno.EINVAL, False)
        for place in range(count):
            where = notice.arguments[1] + place * 64
            name, size, _, vectors, how_many = struct.unpack("QIIQQ", _memory(notice.pid, where, 32))
            lengths = _memory(notice.pid, vectors, min(how_many, 1024) * 16)
            sent = sum(length for _, length in struct.iter_unpack("QQ", lengths))
            last = self._send(listener, notice, protocol, (name, size), min(sent, 65507))
            if last[1]:
                return (place, 0, False) if place else last
            if many:
                _write_memory(notice.pid, where + 56, struct.pack("I", last[0]))
        return (count, 0, False) if many else last

    def _peer(self, listener: int, notice: seccomp.Notice, address: int, size: int) -> tuple[str, int] | None:
        """Return the address that a call names, None for one of no family. Raises OSError for a bad one."""
        raw = _memory(notice.pid, address, min(size, 28))
        if not seccomp.still_waits(listener, notice):
            raise OSError(errno.EINTR, "gone")
        if len(raw) < 2:
            raise OSError(errno.EINVAL, "short")
        (family,) = struct.unpack_from("=H", raw)
        if family == _AF_UNSPEC:
            self._peers.pop(_socket_name(notice), None)
            return None
        if family == _AF_INET and len(raw) >= 8:
            return socket.inet_ntop(socket.AF_INET, raw[4:8]), int.from_bytes(raw[2:4])
        if family == _AF_INET6 and len(raw) >= 24:
            return _ipv6_text(raw[8:24]), int.from_bytes(raw[2:4])
        raise OSError(errno.EAFNOSUPPORT, "family")


_KIND = "system.sockprotoname"
_PROTOCOLS = {b"TCP": "TCP", b"TCPv6": "TCP", b"UDP": "UDP", b"UDPv6": "UDP"}


def _ipv6_text(raw: bytes) -> str:
    """Return an address as text; one that wraps an IPv4 address as that, which is what the network sees."""
    if raw.startswith(bytes(10) + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, raw[12:])
    return socket.inet_ntop(socket.AF_INET6, raw)


def _socket_name(notice: seccomp.Notice) -> str:
    return os.readlink(f"/proc/{notice.pid}/fd/{ctypes.c_int(notice.arguments[0]).value}")


def _memory(pid: int, where: int, count: int) -> bytes:
    handle = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(handle, count, where)
    except OverflowError:
        raise OSError(errno.EFAULT, "address") from None
    finally:
        os.close(handle)


def _write_memory(pid: int, where: int, data: bytes) -> None:
    handle = os.open(f"/proc/{pid}/mem", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(handle, data, where)
    finally:
        os.close(handle)


# --- what the system says about processes ----------------------------------------------------------------------------


def _children_of(pid: int) -> list[int]:
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as listed:
                found += [int(each) for each in listed.read().split()]
        except OSError:
            continue
    return found


def _descendants(pid: int) -> list[int]:
    found = _children_of(pid)
    for each in found:
        found += _children_of(each)
    return found


def _process_of(thread: int) -> int:
    try:
        with open(f"/proc/{thread}/status") as status:
            for line in status:
                if line.startswith("Tgid:"):
                    return int(line.split()[1])
    except OSError:
        return thread
    return thread


def _stat(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()
    except OSError:
        return []


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants, those it has collected included."""
    ticks = 0
    for each in (pid, *_descendants(pid)):
        ticks += sum(int(field) for field in _stat(each)[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _is_runnable(pid: int) -> bool:
    return any(_stat(each)[:1] == ["R"] for each in (pid, *_descendants(pid)))


def _thread_count(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except OSError:
        return 0


def _resident_mb(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as statm:
            return int(statm.read().split()[1]) * mmap.PAGESIZE // (1024 * 1024)
    except (OSError, IndexError):
        return 0


def _proportional_mb(pid: int) -> int:
    """Return a process's share of the memory that it uses: what forks have in common counts once."""
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) // 1024
    except OSError:
        return _resident_mb(pid)
    return 0


def _disk_bytes(folder: str) -> int:
    total = 0
    pending = [folder]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
        if total > MOST_DISK_BYTES:
            break
    return total


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _is_result(message: frames.Message) -> bool:
    """Say whether a result has the types that it should: the child may have been made to say anything."""
    numbers = (message.get("elapsed_ms"), message.get("init_ms") or 0.0)
    return (
        isinstance(message.get("payload"), str)
        and message.get("error") in (None, "handler", "init", "memory")
        and all(isinstance(each, (int, float)) and 0 <= each < 1e9 for each in numbers)
    )


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Let the wake-up descriptor do its work."""


def main() -> None:
    """Keep one function: its description is the first message on standard input."""
    config = frames.read(0)
    if config is None:
        return
    if config["kernel_walls"]:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    config["base_mb"] = _resident_mb(os.getpid())
    keeper = Keeper(config)
    try:
        keeper.serve()
    except (BrokenPipeError, frames.BrokenFrame):
        sys.exit(1)
    finally:
        keeper.end()
