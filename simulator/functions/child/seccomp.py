"""The kernel's side of the wall on Linux: a seccomp filter, Landlock rules, and the notifications they send.

Everything here works without privileges and without a library but libc, and is called in two processes: the one that
is about to run hostile code calls `confine`, its keeper calls `receive` and `answer`. Sources: seccomp_unotify(2),
seccomp(2), landlock(7).

Nothing that is notified is ever let through after a look at memory, which another thread could change meanwhile:
calls that carry an address in memory are answered by the keeper and not run, others are decided by their registers.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import struct
from dataclasses import dataclass

ALLOW, NOTIFY, KILL = 0x7FFF0000, 0x7FC00000, 0x80000000
CLONE_THREAD = 0x00010000
CLONE_NAMESPACES = 0x7E020000 | 0x00000080
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000

# Numbers of the system calls, x86_64 then aarch64; None where the machine has none.
CALLS: dict[str, tuple[int | None, int | None]] = {
    "connect": (42, 203),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "kcmp": (312, 272),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "unshare": (272, 97),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "personality": (135, 92),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "prlimit64": (302, 261),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "truncate": (76, 45),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "kexec_load": (246, 104),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
}
UNKNOWN = ("clone3", "io_uring_setup", "io_uring_enter", "io_uring_register")
"""Calls that answer as if the kernel did not know them, so that programs fall back to what the filter can judge."""
NOTIFIED = ("connect", "sendto", "sendmsg", "sendmmsg", "fork", "vfork")
SIGNALS = ("kill", "tkill", "tgkill")
JUDGED = ("socket", "socketpair", "clone", "prctl", "prlimit64", "utimensat")
"""Calls that the filter decides by their arguments."""

_LOAD, _JUMP_EQ, _JUMP_GE, _JUMP_SET, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_NR, _ARCH, _ARGS = 0, 4, 16
_RECEIVE, _SEND, _STILL_VALID = 0xC0502100, 0xC0182101, 0x40082102
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10


def machine() -> int | None:
    """Return this machine's column in `CALLS`, None for one the filter was not written for."""
    return {"x86_64": 0, "aarch64": 1}.get(platform.machine())


def number(call: str) -> int | None:
    """Return the number of a system call on this machine."""
    column = machine()
    return None if column is None else CALLS[call][column]


def names() -> dict[int, str]:
    """Return the name of each notified call by its number."""
    found = {number(call): call for call in (*NOTIFIED, "clone", *SIGNALS)}
    return {nr: call for nr, call in found.items() if nr is not None}


# --- the filter ------------------------------------------------------------------------------------------------------


def _refuse(code: int) -> int:
    return 0x00050000 | code


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value & 0xFFFFFFFF)


def _load_argument(index: int) -> bytes:
    """The low half of an argument: all the kernel looks at where it takes an int."""
    return _step(_LOAD, _ARGS + 8 * index)


def _one_of(values: tuple[int, ...], otherwise: int) -> list[bytes]:
    """Go on when the loaded value is one of `values`, else return `otherwise`."""
    count = len(values)
    tests = [_step(_JUMP_EQ, value, yes=count - place) for place, value in enumerate(values)]
    return [*tests, _step(_RETURN, otherwise)]


def _judge_socket() -> list[bytes]:
    """Internet stream and datagram sockets only: no raw, packet, netlink, vsock, ping or named Unix ones."""
    refused = _refuse(errno.EACCES)
    return [
        _load_argument(0),
        *_one_of((_AF_INET, _AF_INET6), _refuse(errno.EAFNOSUPPORT)),
        _load_argument(1),
        _step(_AND, 0xF),
        *_one_of((1, 2), refused),
        _load_argument(2),
        *_one_of((0, 6, 17), refused),
        _step(_RETURN, ALLOW),
    ]


def _judge_socketpair() -> list[bytes]:
    return [_load_argument(0), *_one_of((_AF_UNIX,), _refuse(errno.EAFNOSUPPORT)), _step(_RETURN, ALLOW)]


def _judge_clone() -> list[bytes]:
    """Threads pass, processes are notified, namespaces are refused."""
    return [
        _load_argument(0),
        _step(_JUMP_SET, CLONE_NAMESPACES, no=1),
        _step(_RETURN, _refuse(errno.EPERM)),
        _step(_JUMP_SET, CLONE_THREAD, no=1),
        _step(_RETURN, ALLOW),
        _step(_RETURN, NOTIFY),
    ]


def _judge_prctl() -> list[bytes]:
    """Refuse what would hide memory from the keeper or add filters that answer before it."""
    return [
        _load_argument(0),
        _step(_JUMP_EQ, PR_SET_DUMPABLE, yes=1),
        _step(_JUMP_EQ, PR_SET_SECCOMP, no=1),
        _step(_RETURN, _refuse(errno.EPERM)),
        _step(_RETURN, ALLOW),
    ]


def _judge_prlimit() -> list[bytes]:
    """Only one's own limits: another process of the same user is not this one's business."""
    return [_load_argument(0), *_one_of((0,), _refuse(errno.EPERM)), _step(_RETURN, ALLOW)]


def _judge_utimensat() -> list[bytes]:
    """By open file only: Landlock does not judge times and modes set by path."""
    return [
        _load_argument(1),
        *_one_of((0,), _refuse(errno.EPERM)),
        _step(_LOAD, _ARGS + 8 + 4),
        *_one_of((0,), _refuse(errno.EPERM)),
        _step(_RETURN, ALLOW),
    ]


def _judgements() -> dict[str, list[bytes]]:
    return {
        "socket": _judge_socket(),
        "socketpair": _judge_socketpair(),
        "clone": _judge_clone(),
        "prctl": _judge_prctl(),
        "prlimit64": _judge_prlimit(),
        "utimensat": _judge_utimensat(),
    }


def program(*, watch_signals: bool) -> bytes:
    """Return the filter for this machine as BPF. `watch_signals` where Landlock cannot keep signals inside.

    Calls of another architecture are fatal; those of the x32 table do not exist.
    """
    steps = [
        _step(_LOAD, _ARCH),
        _step(_JUMP_EQ, MACHINES[platform.machine()], yes=1),
        _step(_RETURN, KILL),
        _step(_LOAD, _NR),
        _step(_JUMP_GE, X32, no=1),
        _step(_RETURN, _refuse(errno.ENOSYS)),
    ]
    judgements = _judgements()
    for call in CALLS:
        nr = number(call)
        if nr is None:
            continue
        if call in SIGNALS:
            body = [_step(_RETURN, NOTIFY if watch_signals else ALLOW)]
        elif call in NOTIFIED:
            body = [_step(_RETURN, NOTIFY)]
        elif call in UNKNOWN:
            body = [_step(_RETURN, _refuse(errno.ENOSYS))]
        else:
            body = judgements.get(call, [_step(_RETURN, _refuse(errno.EPERM))])
        steps += [_step(_JUMP_EQ, nr, no=len(body)), *body]
    return b"".join([*steps, _step(_RETURN, ALLOW)])


# --- Landlock --------------------------------------------------------------------------------------------------------

_FS_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_FS_NEWEST = (1 << 16) - 1
_FS_READ = 1 | 1 << 2 | 1 << 3
_FS_OF_FILES = 1 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
_FS_DEVICES = 1 << 6 | 1 << 11
_NET_TCP = 3
_SCOPES = 3


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _system_call(nr: int, *arguments: object) -> int:
    answered = int(_libc().syscall(ctypes.c_long(nr), *arguments))
    if answered < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answered


def landlock_version() -> int:
    """Return the version of Landlock's interface in this kernel, 0 for none."""
    try:
        return _system_call(444, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    except OSError:
        return 0


def _landlock(readable: tuple[str, ...], writable: tuple[str, ...], version: int) -> None:
    handled = _FS_ALL.get(version, _FS_NEWEST)
    attributes = struct.pack("QQQ", handled, _NET_TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _system_call(444, attributes, ctypes.c_size_t(size), ctypes.c_uint(0))
    for paths, access in ((readable, _FS_READ), (writable, handled & ~_FS_DEVICES)):
        for path in paths:
            _landlock_path(ruleset, path, access & handled)
    _system_call(446, ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)


def _landlock_path(ruleset: int, path: str, access: int) -> None:
    """Grant a path that exists; a file takes only the rights that files have."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = access if os.path.isdir(path) else access & _FS_OF_FILES  # noqa: PTH112 - pathlib is slow to import
        rule = struct.pack("=Qi", allowed, handle)
        _system_call(445, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint(0))
    finally:
        os.close(handle)


def drop_capabilities() -> None:
    """Give up every capability: a lab run by root does not make the function root."""
    header = struct.pack("=Ii", 0x20080522, 0)
    _system_call({"x86_64": 126, "aarch64": 91}[platform.machine()], header, bytes(24))


def confine(readable: tuple[str, ...], writable: tuple[str, ...]) -> int:
    """Wall in the calling thread and all it will ever start; return the descriptor that notifications come from.

    Irreversible. Raises OSError where the kernel has no seccomp notification.
    """
    libc = _libc()
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    version = landlock_version()
    if version:
        _landlock(readable, writable, version)
    drop_capabilities()
    return _install(program(watch_signals=version < 6))


def _install(filter_: bytes) -> int:
    buffer = ctypes.create_string_buffer(filter_, len(filter_))
    header = struct.pack("HxxxxxxP", len(filter_) // 8, ctypes.addressof(buffer))
    nr = number("seccomp")
    assert nr is not None
    new_listener, wait_killable = 8, 32
    try:
        return _system_call(nr, ctypes.c_uint(1), ctypes.c_uint(new_listener | wait_killable), header)
    except OSError as refused:
        if refused.errno != errno.EINVAL:
            raise
        return _system_call(nr, ctypes.c_uint(1), ctypes.c_uint(new_listener), header)


# --- the keeper's side -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """A system call that waits for an answer. `pid` is the thread that made it."""

    id: int
    pid: int
    call: str
    arguments: tuple[int, ...]


_NAMES = names()


def receive(listener: int) -> Notice | None:
    """Return the next waiting call, None when its caller is gone already."""
    buffer = bytearray(80)
    try:
        fcntl.ioctl(listener, _RECEIVE, buffer, True)
    except OSError as failed:
        if failed.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
            return None
        raise
    id_, pid, _flags, nr, _arch, _ip, *arguments = struct.unpack("QIIiIQ6Q", buffer)
    return Notice(id_, pid, _NAMES.get(nr, ""), tuple(arguments))


def still_waits(listener: int, notice: Notice) -> bool:
    """Say whether the caller still waits: if so, what was read of its memory was its own."""
    try:
        fcntl.ioctl(listener, _STILL_VALID, struct.pack("Q", notice.id))
    except OSError:
        return False
    return True


def answer(listener: int, notice: Notice, *, value: int = 0, error: int = 0, let_through: bool = False) -> None:
    """Answer a call: with a value, with an error number, or by letting the kernel run it."""
    response = struct.pack("QqiI", notice.id, value, -error, 1 if let_through else 0)
    try:
        fcntl.ioctl(listener, _SEND, response)
    except OSError as failed:
        if failed.errno != errno.ENOENT:
            raise
