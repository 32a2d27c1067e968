"""Lambda's two folders, `/var/task` and `/tmp`, inside a process that really has them elsewhere.

Mounts need privileges, so Python's own functions that take a path are given the real one. What a handler's
subprocesses or C code do with those paths is not translated; the wall refuses them.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import sys
from collections.abc import Callable
from typing import Any

_ONE_PATH = (
    "stat", "lstat", "listdir", "scandir", "mkdir", "rmdir", "remove", "unlink", "access", "chdir", "open", "readlink",
    "statvfs", "mkfifo", "listxattr", "getxattr", "chroot",
)  # fmt: skip
_TOOK_FUNCTIONS = ("shutil", "tempfile")
"""Modules that keep functions of `os` under names of their own: they are loaded again once those are replaced."""

_TWO_PATHS = ("rename", "replace", "link", "symlink")


class Folders:
    """Where `/var/task` and `/tmp` really are. `temporary` may be moved, for a dry run on a copy.

    `kept` are real folders that may lie below `/tmp` themselves: paths into them mean what they say.
    """

    def __init__(self, task: str, temporary: str, kept: tuple[str, ...]) -> None:
        self.task = task
        self.temporary = temporary
        self._kept = tuple(path.rstrip("/") + "/" for path in kept)

    def real(self, path: Any) -> Any:
        """Return the real path of one under Lambda's names; anything else as it is."""
        if type(path) is int or path is None:
            return path
        try:
            text = os.fspath(path)
        except TypeError:
            return path
        if isinstance(text, bytes):
            return os.fsencode(self._real_text(os.fsdecode(text)))
        return self._real_text(text)

    def _real_text(self, text: str) -> str:
        if text.startswith(self._kept):
            return text
        for shown, real in (("/tmp", self.temporary), ("/var/task", self.task)):  # noqa: S108 - Lambda's own
            if text == shown or text.startswith(shown + "/"):
                return real + text[len(shown) :]
        return text

    def shown(self, text: str) -> str:
        """Return `text` with the real folders under Lambda's names."""
        return text.replace(self.task, "/var/task").replace(self.temporary, "/tmp")  # noqa: S108 - Lambda's own


def install(folders: Folders) -> None:
    """Have Python's functions find Lambda's folders."""
    for name in (*_ONE_PATH, *_TWO_PATHS):
        real = getattr(os, name, None)
        if real is not None:
            setattr(os, name, _translating(folders, real, 2 if name in _TWO_PATHS else 1))
    if sys.platform != "win32":
        os.chmod = _by_descriptor(folders, os.fchmod)
        os.utime = _by_descriptor(folders, os.utime)
    real_cwd = os.getcwd
    os.getcwd = lambda: folders.shown(real_cwd())
    builtins.open = io.open = _translating(folders, io.open, 1)
    for name in _TOOK_FUNCTIONS:
        sys.modules.pop(name, None)
        importlib.import_module(name)


def _translating(folders: Folders, real: Callable[..., Any], paths: int) -> Callable[..., Any]:
    def translated(*arguments: Any, **named: Any) -> Any:
        found = [folders.real(each) if place < paths else each for place, each in enumerate(arguments)]
        for name in ("path", "file", "src", "dst"):
            if name in named:
                named[name] = folders.real(named[name])
        return real(*found, **named)

    translated.__name__ = translated.__qualname__ = real.__name__
    for support in (os.supports_fd, os.supports_dir_fd, os.supports_follow_symlinks, os.supports_effective_ids):
        if real in support:
            support.add(translated)
    return translated


def _by_descriptor(folders: Folders, real: Callable[..., Any]) -> Callable[..., Any]:
    """Do by open file what the wall refuses by path."""
    real_open, real_close = os.open, os.close

    def through(path: Any, *arguments: Any, follow_symlinks: bool = True, **named: Any) -> Any:
        if isinstance(path, int):
            return real(path, *arguments, **named)
        handle = real_open(folders.real(path), os.O_RDONLY | (0 if follow_symlinks else os.O_NOFOLLOW))
        try:
            return real(handle, *arguments, **named)
        finally:
            real_close(handle)

    return through
