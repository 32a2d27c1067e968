"""A function's code as text to read and edit: the zip archive that Lambda keeps, unpacked in memory and packed again.

The archive is hostile: it may claim any size and any name. No file of it is written anywhere, and what is read of it is bounded.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

FILES = 50
TEXT = 256 * 1024
TOTAL = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """A file of an archive; `text` is None where it is no text to show, or too long."""

    name: str
    size: int
    text: str | None


def unpacked(content: bytes) -> tuple[Packed, ...]:
    """Return an archive's first files. Raises ValueError for what is no zip archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            left = TOTAL
            found = []
            for each in archive.infolist()[:FILES]:
                if each.is_dir():
                    continue
                text = _text(archive, each, min(TEXT, left))
                left -= len(text or "")
                found.append(Packed(each.filename, each.file_size, text))
            return tuple(found)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as bad:
        raise ValueError(str(bad)) from bad


def repacked(content: bytes, texts: Mapping[str, str]) -> bytes:
    """Return the archive with the texts of some files replaced; the others, and their permissions, stay as they are."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            if each.filename in texts:
                new.writestr(each, texts[each.filename].encode())
            else:
                with old.open(each) as kept:
                    new.writestr(each, kept.read(64 * 1024 * 1024))
    return made.getvalue()


def _text(archive: zipfile.ZipFile, each: zipfile.ZipInfo, room: int) -> str | None:
    with archive.open(each) as file:
        content = file.read(room + 1)
    if len(content) > room or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
