"""Lab time inside a function's process: the clock starts where it is told and sleeping costs nothing.

The `time` module's functions and the `datetime` module's classes are replaced before the handler is loaded. A wait
that nothing could end early (a sleep, a lone thread's wait with a timeout, an idle event loop, a receive on a socket
that can have no peer) moves the clock instead of waiting.
"""

from __future__ import annotations

import datetime as datetime_module
import selectors
import socket
import threading
import time as time_module
from collections.abc import Callable, Mapping
from typing import Any

_real_monotonic_ns = time_module.monotonic_ns
_real_gmtime, _real_localtime = time_module.gmtime, time_module.localtime
_real_strftime, _real_asctime = time_module.strftime, time_module.asctime
_real_clock_gettime_ns = getattr(time_module, "clock_gettime_ns", None)
RealDate, RealDatetime = datetime_module.date, datetime_module.datetime
_EPOCH = RealDatetime(1970, 1, 1, tzinfo=datetime_module.UTC)


class Clock:
    """Lab time of this process, in nanoseconds. `on_skip` is told how far the clock was moved in this run."""

    def __init__(self) -> None:
        self._start_ns = time_module.time_ns()
        self._real_start_ns = _real_monotonic_ns()
        self._monotonic_base_ns: int | None = None
        self.skipped_ns = 0
        self.deadline_ns: int | None = None
        self.on_skip: Callable[[int], None] = lambda _ns: None
        self.on_deadline: Callable[[], None] = lambda: None

    def set(self, start_ns: int, deadline_ns: int | None) -> None:
        """Make it `start_ns` since 1970 now; past `deadline_ns` a wait ends the run."""
        before = _real_monotonic_ns() if self._monotonic_base_ns is None else self.monotonic_ns()
        self._start_ns = start_ns
        self._real_start_ns = _real_monotonic_ns()
        self.skipped_ns = 0
        base = before - start_ns if self._monotonic_base_ns is None else self._monotonic_base_ns
        self._monotonic_base_ns = max(base, before - start_ns)
        self.deadline_ns = deadline_ns
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
        self.on_skip(self.skipped_ns)
        if self.deadline_ns is not None and self.now_ns() >= self.deadline_ns:
            self.on_deadline()

    def skip_forever(self) -> None:
        """Wait for what cannot come: the deadline ends it."""
        if self.deadline_ns is None:
            raise TimeoutError("timed out")
        self.skip(max(self.deadline_ns - self.now_ns(), 0) / 1e9 + 0.001)


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
        clock.skip(length)

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
    real_wait = threading.Condition.wait
    real_select = selectors.DefaultSelector.select

    def wait(self: threading.Condition, timeout: float | None = None) -> bool:
        if timeout is None or timeout <= 0 or threading.active_count() > 1:
            return real_wait(self, timeout)
        clock.skip(timeout)
        return real_wait(self, 0)

    def select(self: Any, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0 or threading.active_count() > 1:
            return real_select(self, timeout)
        ready = real_select(self, 0)
        if not ready:
            clock.skip(timeout)
        return ready

    threading.Condition.wait = wait  # type: ignore[method-assign]
    selectors.DefaultSelector.select = select  # type: ignore[method-assign]
    for name in ("recv", "recvfrom", "recv_into", "recvfrom_into", "recvmsg"):
        _install_receive(clock, name)


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
