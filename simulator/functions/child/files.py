"""Folders that a hostile function filled: measured, copied and removed, however deep, whatever is in them.

Nothing of the function may run meanwhile, or it could swap a folder for a link.
"""

from __future__ import annotations

import os
import shutil
import stat

# pathlib is slow to import, and a keeper must start fast.
# ruff: noqa: PTH101, PTH211, PTH102, PTH104, PTH106, PTH108, PTH118

MOST_DISK_BYTES = 512 * 1024 * 1024
"""Bytes in `/tmp`. Source: AWS Lambda developer guide, Lambda quotas, the default."""


def disk_bytes(folder: str) -> int:
    """Return the bytes on disk below `folder`; counting stops beyond what is allowed."""
    total = 0
    pending = [folder]
    while pending and total <= MOST_DISK_BYTES:
        for entry in _entries(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            total += _blocks(entry)
    return total


def copy_tree(source: str, target: str) -> None:
    """Copy files, folders and links below `source` into `target`, which exists. Leaves out what cannot be copied."""
    pending = [(source, target)]
    while pending:
        here, there = pending.pop()
        for entry in _entries(here):
            place = os.path.join(there, entry.name)
            try:
                if entry.is_symlink():
                    os.symlink(os.readlink(entry.path), place)  # noqa: PTH115 - as above
                elif entry.is_dir():
                    os.mkdir(place)
                    pending.append((entry.path, place))
                elif entry.is_file():
                    shutil.copy2(entry.path, place)
            except OSError:
                continue


def remove_tree(folder: str) -> None:
    """Remove `folder` and all below it. Raises OSError where that is not possible.

    Folders within folders are moved up before they are entered: no path gets too long, nothing recurses.
    """
    count = 0
    while entries := _entries(folder):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, stat.S_IRWXU)
            for inner in _entries(entry.path):
                if inner.is_dir(follow_symlinks=False):
                    count += 1
                    os.chmod(inner.path, stat.S_IRWXU)
                    os.rename(inner.path, os.path.join(folder, f".removed-{count}-{os.urandom(6).hex()}"))
                else:
                    os.unlink(inner.path)
            os.rmdir(entry.path)
    os.rmdir(folder)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _blocks(entry: os.DirEntry[str]) -> int:
    """Return what an entry takes on disk; where the system does not say, its length."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    return int(getattr(found, "st_blocks", found.st_size // 512)) * 512
