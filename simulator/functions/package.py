"""A deployment package's bytes -> files. The package is hostile: nothing in it may land elsewhere or fill the disk."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

LARGEST_UNZIPPED = 262144000
"""Bytes. Source: AWS Lambda developer guide, Lambda quotas, deployment package size, unzipped."""

MOST_FILES = 20000
_CHUNK = 1 << 20


class BadPackage(Exception):
    """The package cannot be unpacked; the text says why."""


def unpack(code_zip: bytes, folder: Path) -> None:
    """Write the package's files under `folder`, which exists. Links are left out. Raises BadPackage."""
    try:
        with zipfile.ZipFile(io.BytesIO(code_zip)) as package:
            _unpack_members(package, folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as failed:
        raise BadPackage(f"The deployment package cannot be unpacked: {failed}") from failed


def _unpack_members(package: zipfile.ZipFile, folder: Path) -> None:
    members = package.infolist()
    if len(members) > MOST_FILES:
        raise BadPackage(f"The deployment package holds {len(members)} files.")
    left = LARGEST_UNZIPPED
    for member in members:
        if stat.S_ISLNK(member.external_attr >> 16):
            continue
        target = _inside(folder, member.filename)
        if target is None:
            continue
        if member.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        left -= _write(package, member, target, left)


def _inside(folder: Path, name: str) -> Path | None:
    """Return where a member goes: parts that lead elsewhere are dropped, as unzip does."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..") and ":" not in part]
    return folder.joinpath(*parts) if parts else None


def _write(package: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, left: int) -> int:
    written = 0
    with package.open(member) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > left:
                raise BadPackage(f"Unzipped size must be smaller than {LARGEST_UNZIPPED} bytes")
            file.write(chunk)
    return written
