"""Lab time inside a function's process: the clock starts where it is told and sleeping costs nothing.

The `time` module's functions and the `datetime` module's classes are replaced before the handler is loaded. A wait of
the main thread that nothing could end early (a sleep, a wait with a timeout, an idle event loop, a receive on a socket
that can have no peer) moves the clock instead of waiting. Other threads wait until the clock gets where they want it:
because the main thread sleeps, because the next invocation comes later, or because the main thread waits for them and
nobody else would move it.
"""

from __future__ import annotations

import datetime as datetime_module
import os
import selectors
import socket
import threading
import time as time_module
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

_real_monotonic_ns = time_module.monotonic_ns
_real_gmtime, _real_localtime = time_module.gmtime, time_module.localtime
_real_strftime, _real_asctime = time_module.strftime, time_module.asctime
_real_wait, _real_join = threading.Condition.wait, threading.Thread.join
_T = TypeVar("_T")
_real_sleep, _processor_time = time_module.sleep, time_module.process_time
_SLICE_S = 0.01
"""Seconds of real time after which a wait for other threads looks whether they are at work."""

_IDLE_S = 0.002
"""Seconds of processor time in a slice below which nobody is."""

_IDLE_SLICES = 3

_real_clock_gettime_ns = getattr(time_module, "clock_gettime_ns", None)
RealDate, RealDatetime = datetime_module.date, datetime_module.datetime
_EPOCH = RealDatetime(1970, 1, 1, tzinfo=datetime_module.UTC)


class Clock:
    """Lab time of this process, in nanoseconds. `on_skip` is told how far the clock was moved in this run."""

    def __init__(self) -> None:
        self._start_ns = time_module.time_ns()
        self._real_start_ns = _real_monotonic_ns()
        self._monotonic_base_ns: int | None = None
        self._processor_start_ns = 0
        self.skipped_ns = 0
        self.deadline_ns: int | None = None
        self._moved = threading.Condition()
        self._sleepers: list[int] = []
        self.on_skip: Callable[[int], None] = lambda _ns: None
        self.on_deadline: Callable[[], None] = lambda: None

    def forked(self) -> None:
        """Begin in a fork, which the other threads did not come along to."""
        self._moved = threading.Condition()
        self._sleepers = []

    def set(self, start_ns: int, deadline_ns: int | None) -> None:
        """Make it `start_ns` since 1970 now; past `deadline_ns` a wait ends the run."""
        before = _real_monotonic_ns() if self._monotonic_base_ns is None else self.monotonic_ns()
        self._start_ns = start_ns
        self._real_start_ns = _real_monotonic_ns()
        self.skipped_ns = 0
        base = before - start_ns if self._monotonic_base_ns is None else self._monotonic_base_ns
        self._monotonic_base_ns = max(base, before - start_ns)
        self.deadline_ns = deadline_ns
        self._processor_start_ns = int(_processor_time() * 1e9)
        self._tell_moved()
        self.on_skip(0)

    def now_ns(self) -> int:
        """Return lab time in nanoseconds since 1970."""
        return self._start_ns + _real_monotonic_ns() - self._real_start_ns + self.skipped_ns

    def monotonic_ns(self) -> int:
        """Return a clock that goes on with lab time from an arbitrary start, and never back."""
        return self.now_ns() + (self._monotonic_base_ns or 0)

    def elapsed_ns(self) -> int:
        """Return how long the run has taken, waits included."""
        return self.now_ns() - self._start_ns

    def skip(self, seconds: float) -> None:
        """Let `seconds` pass at once; the run ends where that is past its deadline."""
        self.skipped_ns += int(seconds * 1e9)
        self._tell_moved()
        self.on_skip(self.skipped_ns)
        if self.deadline_ns is not None and self._start_ns + self._used_ns() + self.skipped_ns >= self.deadline_ns:
            self.on_deadline()

    def _used_ns(self) -> int:
        """Return the processor time of the run: a busy machine must not make a deadline pass."""
        return int(_processor_time() * 1e9) - self._processor_start_ns

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`: in the main thread by moving the clock, in others until it has moved that far."""
        if threading.current_thread() is threading.main_thread():
            if threading.active_count() > 1 or _has_children():
                _real_sleep(min(seconds, _SLICE_S))
            self.skip(seconds)
            return
        wake = self.now_ns() + int(seconds * 1e9)
        with self.asleep(wake), self._moved:
            while (left := wake - self.now_ns()) > 0:
                _real_wait(self._moved, left / 1e9)

    @contextmanager
    def asleep(self, wake_ns: int) -> Iterator[None]:
        """Let it be known that a thread other than the main one waits for the clock to show `wake_ns`."""
        self._sleepers.append(wake_ns)
        try:
            yield
        finally:
            self._sleepers.remove(wake_ns)

    def skip_to_next(self, until_ns: int | None) -> None:
        """Move the clock to the next moment that any thread waits for, `until_ns` being the main thread's."""
        moments = [*self._sleepers, *(() if until_ns is None else (until_ns,))]
        if moments and (left := min(moments) - self.now_ns()) > 0:
            self.skip(left / 1e9)

    def _tell_moved(self) -> None:
        with self._moved:
            self._moved.notify_all()

    def skip_forever(self) -> None:
        """Wait for what cannot come: the deadline ends it."""
        if self.deadline_ns is None:
            raise TimeoutError("timed out")
        self.skip(max(self.deadline_ns - self._start_ns, 0) / 1e9)


def install(clock: Clock) -> None:
    """Have this process live in the time of `clock`."""
    _install_time(clock)
    _install_datetime(clock)
    _install_waits(clock)


def _install_time(clock: Clock) -> None:
    def sleep(seconds: float, /) -> None:
        length = float(seconds)
        if length < 0:
            raise ValueError("sleep length must be non-negative")
        clock.sleep(length)

    def seconds_or_now(seconds: float | None) -> float:
        return clock.now_ns() / 1e9 if seconds is None else seconds

    def strftime(form: str, moment: Any = None, /) -> str:
        return _real_strftime(form, moment if moment is not None else localtime())

    def localtime(seconds: float | None = None, /) -> time_module.struct_time:
        return _real_localtime(seconds_or_now(seconds))

    def clock_gettime_ns(which: int, /) -> int:
        if which == time_module.CLOCK_REALTIME:
            return clock.now_ns()
        if which in (time_module.CLOCK_MONOTONIC, getattr(time_module, "CLOCK_BOOTTIME", None)):
            return clock.monotonic_ns()
        assert _real_clock_gettime_ns is not None
        return int(_real_clock_gettime_ns(which))

    replaced: dict[str, Callable[..., Any]] = {
        "sleep": sleep,
        "time": lambda: clock.now_ns() / 1e9,
        "time_ns": clock.now_ns,
        "monotonic": lambda: clock.monotonic_ns() / 1e9,
        "monotonic_ns": clock.monotonic_ns,
        "perf_counter": lambda: clock.monotonic_ns() / 1e9,
        "perf_counter_ns": clock.monotonic_ns,
        "gmtime": lambda seconds=None, /: _real_gmtime(seconds_or_now(seconds)),
        "localtime": localtime,
        "ctime": lambda seconds=None, /: _real_asctime(localtime(seconds)),
        "asctime": lambda moment=None, /: _real_asctime(moment if moment is not None else localtime()),
        "strftime": strftime,
    }
    if _real_clock_gettime_ns is not None:
        replaced["clock_gettime_ns"] = clock_gettime_ns
        replaced["clock_gettime"] = lambda which, /: clock_gettime_ns(which) / 1e9
    for name, function in replaced.items():
        setattr(time_module, name, function)


class _SameAs(type):
    """Makes the replacement of a class accept the instances and subclasses of the class it replaces."""

    real: type

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.real)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.real)


def _install_datetime(clock: Clock) -> None:
    def now_of(cls: Any, zone: Any) -> Any:
        moment = _EPOCH + datetime_module.timedelta(microseconds=clock.now_ns() // 1000)
        local = moment.astimezone(zone)
        if zone is None:
            local = local.replace(tzinfo=None)
        return cls.combine(local.date(), local.timetz())

    def now(cls: Any, tz: Any = None) -> Any:
        return now_of(cls, tz)

    def utcnow(cls: Any) -> Any:
        return now_of(cls, datetime_module.UTC).replace(tzinfo=None)

    def today(cls: Any) -> Any:
        return now_of(cls, None)

    def date_today(cls: Any) -> Any:
        return cls.fromtimestamp(clock.now_ns() / 1e9)

    methods: dict[str, Callable[..., Any]] = {"now": now, "utcnow": utcnow, "today": today}
    datetime_module.datetime = _replacement(RealDatetime, methods)  # type: ignore[misc]
    datetime_module.date = _replacement(RealDate, {"today": date_today})  # type: ignore[misc]


def _replacement(real: type, methods: Mapping[str, Callable[..., Any]]) -> Any:
    body: dict[str, Any] = {name: classmethod(method) for name, method in methods.items()}
    kind = type(f"_{real.__name__}", (_SameAs,), {"real": real})
    return kind(real.__name__, (real,), {**body, "__module__": real.__module__, "__slots__": ()})


def _install_waits(clock: Clock) -> None:
    real_select = selectors.DefaultSelector.select

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        return _sliced(clock, timeout, lambda seconds: _real_wait(self, seconds), alone=timeout is not None)

    def join(self: threading.Thread, timeout: float | None = None) -> None:
        def ended(seconds: float) -> bool:
            _real_join(self, seconds)
            return not self.is_alive()

        _sliced(clock, timeout, ended, alone=False)

    def select(self: Any, timeout: float | None = None) -> Any:
        return _sliced(clock, timeout, lambda seconds: real_select(self, seconds), alone=timeout is not None)

    threading.Condition.wait = wait  # type: ignore[method-assign]
    threading.Thread.join = join  # type: ignore[method-assign]
    selectors.DefaultSelector.select = select  # type: ignore[method-assign]
    for name in ("recv", "recvfrom", "recv_into", "recvfrom_into", "recvmsg"):
        _install_receive(clock, name)


def _sliced(clock: Clock, timeout: float | None, attempt: Callable[[float], _T], *, alone: bool) -> _T:
    """Wait in lab time for what `attempt` waits for in real time; it answers something true once that is there.

    Returns the last answer. `alone` where a lone thread's wait can only end by its timeout.
    """
    found = attempt(0)
    if found or (timeout is not None and timeout <= 0):
        return found
    until = None if timeout is None else clock.now_ns() + int(timeout * 1e9)
    if threading.current_thread() is not threading.main_thread():
        with clock.asleep(until) if until is not None else nullcontext():
            return _wait_really(clock, until, attempt)
    if alone and threading.active_count() == 1 and timeout is not None:
        clock.skip(timeout)
        return attempt(0)
    return _wait_for_others(clock, until, attempt)


def _wait_really(clock: Clock, until_ns: int | None, attempt: Callable[[float], _T]) -> _T:
    """Wait in a thread other than the main one: the clock is not its to move."""
    while True:
        found = attempt(_SLICE_S)
        if found or (until_ns is not None and clock.now_ns() >= until_ns):
            return found


def _wait_for_others(clock: Clock, until_ns: int | None, attempt: Callable[[float], _T]) -> _T:
    """Wait in the main thread for other threads and processes; where none is at work, the clock moves on."""
    idle, used = 0, _processor_time()
    while True:
        found = attempt(_SLICE_S)
        if found or (until_ns is not None and clock.now_ns() >= until_ns):
            return found
        before, used = used, _processor_time()
        idle = idle + 1 if used - before < _IDLE_S else 0
        if idle >= _IDLE_SLICES and not _has_children():
            clock.skip_to_next(until_ns)


def _has_children() -> bool:
    """Say whether the process has children that may be at work."""
    if not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _install_receive(clock: Clock, name: str) -> None:
    """A datagram socket's peer never answers here: waiting for it is waiting for the timeout."""
    real = getattr(socket.socket, name, None)
    if real is None:
        return

    def receive(self: socket.socket, *arguments: Any, **named: Any) -> Any:
        limit = self.gettimeout()
        if self.type == socket.SOCK_DGRAM and self.family != getattr(socket, "AF_UNIX", None) and limit != 0:
            if limit is None:
                clock.skip_forever()
            else:
                clock.skip(limit)
            raise TimeoutError("timed out")
        return real(self, *arguments, **named)

    receive.__name__ = name
    setattr(socket.socket, name, receive)
