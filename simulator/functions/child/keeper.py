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
import json
import logging
import os
import random
import select
import selectors
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from types import FrameType

from . import files, frames, procfs, runtime
from .seen import Seen
from .walled import NoWalls, Walled

PRELOADED = (contextlib, ctypes, decimal, json, logging, random, selectors, tempfile, traceback)
"""Modules that nearly every handler needs, loaded before the first invocation rather than during it."""

REAL_BOUND_S = 2.0
"""Seconds of real time that a run may take at most, whatever its timeout in lab time: waits cost none."""

INIT_BOUND_S = 3.0
STARVED = 4
"""How many times its bound a run may take while it still waits for a processor."""

CHECK_EVERY_S = 0.05
IDLE_CHECKS = 4
PR_SET_CHILD_SUBREAPER = 36


class Over(Exception):
    """The run is over without an answer: `how` is timeout, memory, disk, exited or broken."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class Keeper:
    """The loop: requests from the simulator on standard input, answers on standard output."""

    def __init__(self, config: frames.Message) -> None:
        self._config = config
        self._warm: Walled | None = None
        self._walled: list[Walled] = []
        self._seen = Seen(config)
        self._ended_well = self._ended_ill = False
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
        self._disregard(walled)
        self._thaw(walled)
        runtime.set_shared(walled.shared, runtime.BEGUN, 0)
        self._seen.begin(walled.shared, runtime.SKIPPED)
        walled.log.clear()
        started = time.monotonic()
        answer: frames.Message
        try:
            walled.tell(request)
            answer = self._wait_for(walled, request, started)
        except Over as over:
            answer = {"how": over.how}
            self._disregard(walled)
        while walled.read_output():
            pass
        answer.setdefault("how", "ok")
        answer["memory_mb"] = procfs.resident_mb(walled.pid)
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
        used, idle = 0.0, 0
        while True:
            over = walled.status is not None
            yield from self._heard(walled)
            if walled.broken:
                raise Over("broken")
            if over or walled.answers in walled.ended:
                return
            self._wait(select.poll(), walled, 50)
            now = time.monotonic()
            if now - checked < CHECK_EVERY_S:
                continue
            if checked == started:
                used = procfs.processor_seconds(walled.pid)
            checked = now
            self._check_limits(walled)
            if not walled.initialised and runtime.shared_value(walled.shared, runtime.LOADED):
                walled.initialised = True
                started, used = now, procfs.processor_seconds(walled.pid)
            limit = bound if walled.initialised else max(bound, INIT_BOUND_S)
            idle = 0 if procfs.is_runnable(self._family(walled)) else idle + 1
            if now - started > limit and self._is_late(walled, now - started, limit, used, starved, idle):
                raise Over("timeout")

    def _heard(self, walled: Walled) -> Iterator[frames.Message]:
        """Yield what the child has said up to now; of connections it is believed where nobody else can tell."""
        walled.read_answers()
        while walled.messages:
            message = walled.messages.pop(0)
            if message.get("kind") != "connect":
                yield message
            elif walled.listener is None:
                self._seen.believe(message)

    def _disregard(self, walled: Walled) -> None:
        """Drop what the child has said up to now, except of connections."""
        for _ in self._heard(walled):
            continue

    def _is_late(self, walled: Walled, taken: float, bound: float, used: float, starved: int, idle: int) -> bool:
        """A run that only lacks a processor, on a busy machine, is given more time.

        `used` is the processor time that it had before, `idle` how often in a row it did not ask for any.
        """
        if taken > bound * starved or idle >= IDLE_CHECKS:
            return True
        return procfs.processor_seconds(walled.pid) - used >= bound * 0.9

    def _check_limits(self, walled: Walled) -> None:
        used = sum(procfs.proportional_mb(pid) for pid in self._family(walled))
        if used > self._config["memory_mb"] + self._config["base_mb"]:
            raise Over("memory")
        if files.disk_bytes(self._config["temporary"]) > files.MOST_DISK_BYTES:
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

        With `cold` they start from a new one, "once" or "each" of them. The answer's `connections` holds one list an
        invocation, `why` a reason where some of it did not run, `succeeded` and `failed` whether any went so.
        """
        started = time.monotonic()
        uncertain = ""
        invocations = request["invocations"]
        found: list[list[frames.Message]] = []
        fresh = bool(request["cold"]) or self._warm is None or self._warm.status is not None
        self._ended_well = self._ended_ill = False
        why = ""
        # One that has not loaded the handler yet has nothing of the function's left; it may still be starting itself.
        loaded = self._warm is not None and runtime.shared_value(self._warm.shared, runtime.LOADED)
        if self._warm is not None and not fresh and loaded and self._leftovers(self._warm):
            uncertain = "the function left threads or processes running, whose next steps cannot be tried out"
        folder = self._copy_of_temporary()
        while len(found) < len(invocations) and not why:
            left = request["budget_s"] - (time.monotonic() - started)
            part = {**request, "invocations": invocations[len(found) :], "temporary": folder}
            some, why = self._rehearse_from(part, left, fresh=fresh)
            found += some
            fresh = True
        _remove(folder)
        ended = {"succeeded": self._ended_well, "failed": self._ended_ill}
        return {"kind": "rehearsal", "id": request["id"], "connections": found, "why": why or uncertain, **ended}

    def _rehearse_from(
        self, request: frames.Message, budget: float, *, fresh: bool
    ) -> tuple[list[list[frames.Message]], str]:
        """Run invocations, those of a warm process until one ends it.

        Returns the connections of those that ran, and what went wrong.
        """
        if budget <= 0:
            return [], "the time for looking ahead was used up"
        walled = self._new(request) if fresh else self._warm
        assert walled is not None
        before = set() if fresh else set(self._family(walled))
        if not fresh:
            runtime.set_shared(walled.shared, runtime.SKIPPED_DRY, 0)
            for place in (runtime.PLACE, runtime.SUCCEEDED, runtime.FAILED):
                runtime.set_shared(walled.shared, place, 0)
        self._seen.begin(walled.shared, runtime.SKIPPED_DRY, keep_apart=before)
        try:
            reached = self._dry_run(walled, request, budget, fresh=fresh)
        except Over as over:
            reached = runtime.shared_value(walled.shared, runtime.PLACE)
            why = "the time for looking ahead was used up" if over.how == "timeout" else f"a run ended: {over.how}"
        else:
            why = ""
        finally:
            self._ended_well |= bool(runtime.shared_value(walled.shared, runtime.SUCCEEDED))
            self._ended_ill |= bool(runtime.shared_value(walled.shared, runtime.FAILED))
            self._end_dry_run(walled, before, fresh=fresh)
        count = len(request["invocations"])
        by_place = self._seen.take_by_place(count - 1)
        # An invocation that ended its process ran too; the next one starts cold.
        ran = min(max(reached, 0) + 1, count)
        return [by_place.get(place, []) for place in range(ran)], why

    def _dry_run(self, walled: Walled, request: frames.Message, budget: float, *, fresh: bool) -> int:
        """Let the dry run go on until its process has ended; return how many invocations it got through."""
        started = time.monotonic()
        if not fresh:
            self._thaw(walled)
            walled.tell(request)
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
                procfs.send(pid, signal.SIGKILL)
            self._settle(walled, 0.01)
        self._disregard(walled)
        self._freeze(walled)

    def _settle(self, walled: Walled, seconds: float) -> None:
        """Go on answering for a moment, for a child that collects its own children."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and walled.status is None:
            self._wait(select.poll(), walled, max(left * 1000, 1))

    def _copy_of_temporary(self) -> str:
        folder = tempfile.mkdtemp(dir=self._config["dry_folder"])
        if self._warm is not None:
            self._freeze(self._warm, always=True)
        files.copy_tree(self._config["temporary"], folder)
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
        if walled.commands in happened:
            walled.write_commands()
        if walled.output in happened:
            walled.read_output()
        if walled.answers in happened:
            walled.read_answers()

    # --- processes

    def _new(self, dry: frames.Message | None = None) -> Walled:
        earlier = frozenset(procfs.descendants(os.getpid()))
        walled = Walled(self._config if dry is None else {**self._config, "dry": dry}, earlier)
        walled.family = lambda: self._family(walled)
        self._walled.append(walled)
        return walled

    def _family(self, walled: Walled) -> list[int]:
        """Return a walled process and all that came of it, daemons that left it included."""
        others = [each for each in self._walled if each is not walled]
        spared = {pid for each in others for pid in (each.pid, *procfs.descendants(each.pid))} | walled.earlier
        found = {pid for pid in procfs.descendants(os.getpid()) if pid not in spared}
        return sorted(found if walled.status is not None else found | {walled.pid})

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

    def _freeze(self, walled: Walled, *, always: bool = False) -> None:
        """Stop what still runs after an answer, as Lambda does with an execution environment."""
        if not always and not self._leftovers(walled):
            return
        family = self._family(walled)
        walled.frozen = True
        stopped: set[int] = set()
        while not stopped.issuperset(family):
            for pid in family:
                procfs.send(pid, signal.SIGSTOP)
            stopped.update(family)
            family = self._family(walled)

    def _leftovers(self, walled: Walled) -> bool:
        """Say whether a process between two invocations has more than one thread, or descendants."""
        if walled.forks:
            walled.forks = len(self._family(walled)) - 1
        return walled.forks > 0 or procfs.thread_count(walled.pid) > 1

    def _thaw(self, walled: Walled) -> None:
        """Let what was stopped go on, before the next invocation."""
        if walled.frozen:
            walled.frozen = False
            for pid in self._family(walled):
                procfs.send(pid, signal.SIGCONT)

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
                procfs.send(pid, signal.SIGKILL)
            if not self._config["kernel_walls"]:
                procfs.send(-walled.pid, signal.SIGKILL)  # its process group: all that is known of its offspring
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
        _clear(self._config["root"])


def _clear(root: str) -> None:
    """Remove a function's folder, and the pool's once the last function in it has gone."""
    _remove(root)
    with contextlib.suppress(OSError):
        os.rmdir(os.path.dirname(root))  # noqa: PTH106, PTH120 - pathlib is slow to import


def _remove(folder: str) -> None:
    """Remove a folder; what cannot be removed goes when the simulator cleans up."""
    with contextlib.suppress(OSError):
        files.remove_tree(folder)


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
    if config is None:  # the simulator has ended, or needs it no more, before there was a function for it
        _clear(os.getcwd())  # noqa: PTH109 - pathlib is slow to import
        return
    if config["kernel_walls"]:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    config["base_mb"] = procfs.resident_mb(os.getpid())
    keeper = Keeper(config)
    try:
        keeper.serve()
    except (BrokenPipeError, frames.BrokenFrame):
        sys.exit(1)
    finally:
        keeper.end()
