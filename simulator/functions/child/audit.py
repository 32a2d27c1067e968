"""The wall where the kernel offers none that we know how to use: an audit hook.

It records connections that Python code makes and refuses them, and refuses what would pass it by: subprocesses,
foreign code through ctypes, file access outside the function's folders is not judged. It is no wall against code
that means harm (CPython's documentation, `sys.addaudithook`: hooks are easily bypassed); `walls()` says so. On macOS
the process also runs under `sandbox-exec`, which denies every network operation whoever asks.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_REFUSED = (
    "subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.startfile", "os.forkpty", "pty.spawn",
    "ctypes.dlopen", "ctypes.dlsym", "ctypes.cdata", "ctypes.cdata/buffer", "os.kill", "os.killpg", "socket.bind",
    "winreg.OpenKey", "_winapi.CreateProcess",
)  # fmt: skip
_forking = False
_NETWORK = ("socket.connect", "socket.sendto", "socket.sendmsg")


@contextmanager
def forking() -> Iterator[None]:
    """Let the runtime itself fork, for a dry run; to the handler it is refused."""
    global _forking
    _forking = True
    try:
        yield
    finally:
        _forking = False


def install(note: Callable[[str, int, str], None]) -> None:
    """Refuse network and processes to this interpreter from now on; tell `note` of address, port and protocol."""

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK:
            _refuse_connection(event, arguments, note)
        elif event in _REFUSED or (event == "os.fork" and not _forking):
            raise PermissionError(errno.EPERM, f"{event} is not possible in the lab on this platform")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _is_address(arguments[0]):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    sys.addaudithook(hook)


def _refuse_connection(event: str, arguments: tuple[Any, ...], note: Callable[[str, int, str], None]) -> None:
    sock, address = arguments[0], arguments[1]
    if isinstance(address, tuple) and len(address) >= 2 and sock.family in (socket.AF_INET, socket.AF_INET6):
        kind = "UDP" if sock.type == socket.SOCK_DGRAM else "TCP"
        if _is_address(address[0]) and isinstance(address[1], int):
            note(str(address[0]), address[1], kind)
    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))


def _is_address(text: Any) -> bool:
    if text is None:
        return True
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, str(text).partition("%")[0])
        except OSError:
            continue
        return True
    return False
