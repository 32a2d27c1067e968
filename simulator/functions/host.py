"""What this machine lets a function see, and what walls it has."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path

from simulator.functions.model import Walls

FORKS = sys.platform != "win32"
"""Whether a process can fork: without, one process does what elsewhere a keeper and its child do."""

BUNDLED = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's Python runtimes bring along. Source: AWS Lambda developer guide, Building with Python."""

_SYSTEM = (
    "/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/nix/store", "/etc/ld.so.cache", "/etc/ld.so.conf",
    "/etc/ld.so.conf.d", "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf",
    "/etc/localtime", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/mime.types", "/etc/services",
    "/etc/protocols", "/dev/zero", "/dev/urandom", "/dev/random", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
    "/proc/uptime", "/proc/loadavg", "/proc/version", "/proc/filesystems",
)  # fmt: skip


def interpreter() -> str:
    """Return the Python to run functions with: this one, outside any virtual environment."""
    return getattr(sys, "_base_executable", None) or sys.executable


def readable() -> tuple[str, ...]:
    """Return what every function may read: the system's programs, the interpreter, what Lambda bundles."""
    own = {sys.base_prefix, sys.base_exec_prefix, str(Path(interpreter()).resolve().parent)}
    return (*_SYSTEM, *sorted(own - {"/"}), *(str(path) for path in bundled()))


def bundled() -> tuple[Path, ...]:
    """Return the packages of `BUNDLED` that are installed beside the kit."""
    found = []
    for name in BUNDLED:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            found.append(origin.parent if origin.name == "__init__.py" else origin)
    return tuple(found)


def resolvers() -> tuple[str, ...]:
    """Return the addresses of the machine's name servers: questions to them are no flow, as on AWS."""
    try:
        lines = Path("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    found = [line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1]
    return tuple(found) or ("127.0.0.1",)


def has_kernel_walls() -> bool:
    """Say whether this kernel offers seccomp notification on a machine that the filter was written for."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    try:
        offered = Path("/proc/sys/kernel/seccomp/actions_avail").read_text(encoding="ascii")
    except OSError:
        return False
    return "user_notif" in offered


def walls(*, kernel: bool) -> Walls:
    """Return what is recorded and blocked on this machine, `kernel` being whether its walls could be put up."""
    if kernel:
        return _kernel_walls()
    if sys.platform == "darwin":
        blocked = "every network operation (sandbox-exec), subprocesses and ctypes; files are not walled off"
    else:
        blocked = "connections of Python code, subprocesses and ctypes, but not code that means harm; no files"
    recorded = "connections that Python code makes (an audit hook)"
    return Walls(kernel=False, recorded=recorded, blocked=blocked)


def _kernel_walls() -> Walls:
    from simulator.functions.child import seccomp

    version = seccomp.landlock_version()
    recorded = (
        "every connection and datagram of the function and all its processes, from any code (seccomp notification)"
    )
    blocked = "all network but that; named Unix sockets, tracing, namespaces, more than 64 processes"
    if not version:
        return Walls(kernel=True, recorded=recorded, blocked=f"{blocked}; files are not walled off (no Landlock)")
    signals = "signals" if version >= 6 else "signals (by notification)"
    return Walls(
        kernel=True, recorded=recorded, blocked=f"{blocked}; files outside its own (Landlock {version}); {signals}"
    )


def clean_environment() -> dict[str, str]:
    """Return the variables that a keeper starts with: none of the user's."""
    kept = ("SYSTEMROOT", "WINDIR", "TEMP", "TMP")
    base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    return base | {name: os.environ[name] for name in kept if sys.platform == "win32" and name in os.environ}
