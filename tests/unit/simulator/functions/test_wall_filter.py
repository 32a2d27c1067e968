"""The seccomp filter, run by an interpreter of its instructions: what it says of each system call."""

import errno
import os
import platform
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fcntl", reason="the filter is Linux's")

from simulator.functions.child import seccomp

pytestmark = pytest.mark.skipif(seccomp.machine() is None, reason="the filter was not written for this machine")

EPERM, ENOSYS, EACCES, EAFNOSUPPORT = (
    0x00050000 | code for code in (errno.EPERM, errno.ENOSYS, errno.EACCES, errno.EAFNOSUPPORT)
)


def verdict(call: str | int, *arguments: int, watch_signals: bool = False, architecture: int | None = None) -> int:
    """Return what the filter returns for a call with these arguments."""
    number = seccomp.number(call) if isinstance(call, str) else call
    assert number is not None
    own = seccomp.MACHINES[platform.machine()]
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("iIQ6Q", number, own if architecture is None else architecture, 0, *padded)
    return interpret(seccomp.program(watch_signals=watch_signals), data)


def interpret(program: bytes, data: bytes) -> int:
    """Run classic BPF as the kernel does."""
    steps = list(struct.iter_unpack("HBBI", program))
    accumulator = place = 0
    while True:
        code, yes, no, value = steps[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("I", data, value)
        elif code == 0x06:
            return int(value)
        elif code == 0x54:
            accumulator &= value
        else:
            tests = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}
            place += yes if tests[code] else no


CALLS: dict[str, tuple[int, tuple[str | int, ...]]] = {
    "reading": (seccomp.ALLOW, (63 if platform.machine() == "aarch64" else 0, 3)),
    "connecting": (seccomp.NOTIFY, ("connect", 3)),
    "sending to": (seccomp.NOTIFY, ("sendto", 3)),
    "sending a message": (seccomp.NOTIFY, ("sendmsg", 3)),
    "sending messages": (seccomp.NOTIFY, ("sendmmsg", 3)),
    "a TCP socket": (seccomp.ALLOW, ("socket", 2, 1, 0)),
    "a TCP socket with flags": (seccomp.ALLOW, ("socket", 2, 1 | 0o2004000, 6)),
    "an IPv6 UDP socket": (seccomp.ALLOW, ("socket", 10, 2, 17)),
    "a Unix socket": (EAFNOSUPPORT, ("socket", 1, 1, 0)),
    "a netlink socket": (EAFNOSUPPORT, ("socket", 16, 3, 0)),
    "a packet socket": (EAFNOSUPPORT, ("socket", 17, 3, 0)),
    "a vsock": (EAFNOSUPPORT, ("socket", 40, 1, 0)),
    "a raw socket": (EACCES, ("socket", 2, 3, 1)),
    "a ping socket": (EACCES, ("socket", 2, 2, 1)),
    "multipath TCP": (EACCES, ("socket", 2, 1, 262)),
    "SCTP": (EACCES, ("socket", 2, 1, 132)),
    "a pair of Unix sockets": (seccomp.ALLOW, ("socketpair", 1, 1, 0)),
    "a thread": (seccomp.ALLOW, ("clone", 0x3D0F00)),
    "a process": (seccomp.NOTIFY, ("clone", 0x1200011)),
    "a spawned process": (seccomp.NOTIFY, ("clone", 0x4111)),
    "a user namespace": (EPERM, ("clone", 0x10000011)),
    "a network namespace in a thread": (EPERM, ("clone", 0x40000000 | 0x10000)),
    "clone3": (ENOSYS, ("clone3",)),
    "a ring": (ENOSYS, ("io_uring_setup",)),
    "hiding memory": (EPERM, ("prctl", 4, 0)),
    "another filter": (EPERM, ("prctl", 22, 2)),
    "naming a thread": (seccomp.ALLOW, ("prctl", 15)),
    "own limits": (seccomp.ALLOW, ("prlimit64", 0)),
    "another's limits": (EPERM, ("prlimit64", 1)),
    "times by path": (EPERM, ("utimensat", 0xFFFFFF9C, 1 << 40)),
    "times by path in the low half": (EPERM, ("utimensat", 0xFFFFFF9C, 4096)),
    "times by descriptor": (seccomp.ALLOW, ("utimensat", 3, 0)),
    "signals where Landlock keeps them": (seccomp.ALLOW, ("kill", 1, 9)),
}


@pytest.mark.parametrize(("expected", "call"), CALLS.values(), ids=CALLS)
def test_each_call_is_decided_as_it_should(expected: int, call: tuple[str | int, ...]) -> None:
    """By number and registers alone."""
    name, *arguments = call
    assert verdict(name, *(int(each) for each in arguments)) == expected


@pytest.mark.parametrize("call", sorted(set(seccomp.CALLS) - {*seccomp.NOTIFIED, *seccomp.SIGNALS, *seccomp.JUDGED}))
def test_all_other_listed_calls_are_refused(call: str) -> None:
    """None of the list is let through by a slip in the program's jumps."""
    if seccomp.number(call) is not None:
        assert verdict(call) in (EPERM, ENOSYS)


@pytest.mark.parametrize("call", seccomp.SIGNALS)
def test_signals_are_notified_where_landlock_does_not_keep_them(call: str) -> None:
    """On kernels before 6.12."""
    assert verdict(call, 1, 9, watch_signals=True) == seccomp.NOTIFY


def test_another_architecture_is_fatal() -> None:
    """The numbers would mean other calls."""
    assert verdict("connect", architecture=0x40000003) == seccomp.KILL


@given(number=st.integers(0x40000000, 0x7FFFFFFF))
def test_the_x32_table_does_not_exist(number: int) -> None:
    """It would be a second set of numbers for the same calls."""
    assert verdict(number) == ENOSYS


@given(number=st.integers(0, 1000), arguments=st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6))
def test_the_program_always_ends_and_never_lets_a_dialling_call_pass(number: int, arguments: list[int]) -> None:
    """Whatever the arguments, connecting and sending are notified and nothing else is unknown to the keeper."""
    said = verdict(number, *arguments)
    dialling = {seccomp.number(call) for call in seccomp.NOTIFIED}
    assert (said == seccomp.NOTIFY) >= (number in dialling)
    if said == seccomp.NOTIFY:
        assert number in seccomp.names()


def test_the_program_fits_the_kernels_limit() -> None:
    """4096 instructions, and jumps of at most 255."""
    assert len(seccomp.program(watch_signals=True)) // 8 < 4096


def test_numbers_agree_with_this_kernels_headers() -> None:
    """Where the headers are installed, the table is held against them."""
    path = f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h"
    if platform.machine() != "x86_64" or not os.path.exists(path):  # noqa: PTH110 - one line
        pytest.skip("no kernel headers here")
    with open(path) as header:  # noqa: PTH123 - one line
        defined = dict(line.split()[1:3] for line in header if line.startswith("#define __NR_"))
    known = {call: numbers[0] for call, numbers in seccomp.CALLS.items() if f"__NR_{call}" in defined}
    assert known == {call: int(defined[f"__NR_{call}"]) for call in known}
    assert len(known) > 80
