"""A walled process, as its keeper starts and hears it."""

# pathlib is slow to import, and this process must start fast.
# ruff: noqa: PTH208

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import select
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

from . import audit, frames, procfs, runtime, seccomp

MOST_LOG_BYTES = 1024 * 1024
"""Bytes of output kept of a run; what is more is read and dropped."""

PR_SET_PDEATHSIG = 1


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
        self._unsent = b""
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
        for descriptor in (self.commands, self.answers, self.output):
            os.set_blocking(descriptor, False)
        self.listener = _listener_from(mine)
        if self.listener is not None and not procfs.can_read_memory(self.pid):
            raise NoWalls

    def watch(self, events: select.poll) -> None:
        """Have `events` tell of everything that this process may have for its keeper."""
        for descriptor in (self.answers, self.output, self.listener):
            if descriptor is not None and descriptor not in self.ended:
                events.register(descriptor, select.POLLIN)
        if self._unsent:
            events.register(self.commands, select.POLLOUT)

    def tell(self, request: frames.Message) -> None:
        """Send a request, without ever waiting for the child to take it."""
        self._unsent = frames.pack(request)
        self.write_commands()

    def write_commands(self) -> None:
        """Send what the child takes now; nothing more to one that has ended, which shows elsewhere."""
        try:
            self._unsent = self._unsent[os.write(self.commands, self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent = b""

    def read_answers(self) -> None:
        """Take in what the child has said: all that the pipe holds."""
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
        if not config["kernel_walls"]:
            os.setpgid(0, 0)
        _raise_walls(config, channel, _noting(answers, shared))
        runtime.limit(config["memory_mb"])
        served = runtime.start(config, commands, answers, shared)
        if config.get("dry") is None:
            served.serve()
        served.rehearse(config["dry"])
    except SystemExit as left:
        runtime.leave(left.code)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


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
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, floor)


def _noting(answers: int, shared: mmap.mmap) -> Callable[[str, int, str], None]:
    """Return what tells the keeper of a connection where only the child itself can."""

    def note(ip: str, port: int, protocol: str) -> None:
        page = shared[:].hex()
        frames.write(answers, {"kind": "connect", "ip": ip, "port": port, "protocol": protocol, "page": page})

    return note


def _raise_walls(config: frames.Message, channel: socket.socket, note: Callable[[str, int, str], None]) -> None:
    """Put up the walls and hand their listener to the keeper.

    The filter catches the very call that would hand it over, and applies to this thread and its offspring only: a
    thread started before it does that, and is gone before anything of the handler is loaded.
    """
    if not config["kernel_walls"]:
        audit.install(note)
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
