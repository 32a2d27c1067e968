"""Answers the system calls that the wall notifies, and remembers the connections among them."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import time

from . import frames, procfs, runtime, seccomp
from .walled import Walled

MOST_PROCESSES = 64
MOST_CONNECTIONS = 1000
"""Distinct connections remembered a run; a port scan does not fill the journal."""

_AF_UNSPEC, _AF_INET, _AF_INET6 = 0, 2, 10


_KIND = "system.sockprotoname"
_PROTOCOLS = {b"TCP": "TCP", b"TCPv6": "TCP", b"UDP": "UDP", b"UDPv6": "UDP"}


def _ipv6_text(raw: bytes) -> str:
    """Return an address as text; one that wraps an IPv4 address as that, which is what the network sees."""
    if raw.startswith(bytes(10) + b"\xff\xff"):
        return socket.inet_ntop(socket.AF_INET, raw[12:])
    return socket.inet_ntop(socket.AF_INET6, raw)


def _socket_name(notice: seccomp.Notice) -> str:
    # pathlib is slow to import, and a keeper must start fast.
    return os.readlink(f"/proc/{notice.pid}/fd/{ctypes.c_int(notice.arguments[0]).value}")  # noqa: PTH115


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

    def skipped_ms(self, page: mmap.mmap | bytes | None = None) -> float:
        """Return how far the run has moved its clock, as it says itself: by now, or on a copy of the shared page."""
        page = page or self._shared
        assert page is not None
        return runtime.shared_value(page, self._slot) / 1e6

    def take(self) -> list[frames.Message]:
        """Return the connections of the run, oldest first, and what leftovers of earlier ones did in between."""
        found = self._waiting + list(self._records.values())
        self._waiting = []
        self._records.clear()
        return found

    def take_by_place(self, last: int) -> dict[int, list[frames.Message]]:
        """Return the connections of a dry run by the place of the invocation.

        One at a place after the `last`, which only a handler that tampers can be at, counts for the last.
        """
        found: dict[int, list[frames.Message]] = {}
        for (place, *_), record in self._records.items():
            found.setdefault(min(place, last), []).append(record)
        self._waiting += [{**record, "offset_ms": 0} for record in found.pop(-1, [])]
        self._records.clear()
        return found

    def note(self, pid: int, ip: str, port: int, protocol: str, page: mmap.mmap | bytes | None = None) -> None:
        """Remember a connection made by the thread `pid`; `page` is the shared page at that moment, where it may differ."""
        if (ip, port) in self._resolvers:
            return
        page = page or self._shared
        assert page is not None
        offset = round((time.monotonic() - self._started) * 1000 + self.skipped_ms(page))
        record = {"ip": ip, "port": port, "protocol": protocol, "offset_ms": max(offset, 0)}
        if self._apart and procfs.process_of(pid) in self._apart:
            self._records.setdefault((-1, ip, port, protocol), record)
            return
        place = max(runtime.shared_value(page, runtime.PLACE), 0) if self._slot == runtime.SKIPPED_DRY else 0
        key = (place, ip, port, protocol)
        if len(self._records) < MOST_CONNECTIONS:
            self._records.setdefault(key, record)

    def believe(self, message: frames.Message) -> None:
        """Remember a connection that the child itself tells of, where nobody else can.

        It does not wait for us to listen, so it says too what the shared page held when it connected.
        """
        ip, port, protocol = message.get("ip"), message.get("port"), message.get("protocol")
        page = message.get("page")
        if isinstance(ip, str) and isinstance(port, int) and protocol in ("TCP", "UDP") and runtime.is_page(page):
            self.note(0, ip, port, str(protocol), bytes.fromhex(page))

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
        inside = target in own or (notice.call == "tkill" and procfs.process_of(target) in own)
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
        return self._swallow(listener, notice, protocol, (address, size), min(length, 65507))

    def _swallow(
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
            name, size, _, vectors, how_many = struct.unpack("QIIQQ", procfs.memory(notice.pid, where, 32))
            lengths = procfs.memory(notice.pid, vectors, min(how_many, 1024) * 16)
            sent = sum(length for _, length in struct.iter_unpack("QQ", lengths))
            last = self._swallow(listener, notice, protocol, (name, size), min(sent, 65507))
            if last[1]:
                return (place, 0, False) if place else last
            if many:
                procfs.write_memory(notice.pid, where + 56, struct.pack("I", last[0]))
        return (count, 0, False) if many else last

    def _peer(self, listener: int, notice: seccomp.Notice, address: int, size: int) -> tuple[str, int] | None:
        """Return the address that a call names, None for one of no family. Raises OSError for a bad one."""
        raw = procfs.memory(notice.pid, address, min(size, 28))
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
