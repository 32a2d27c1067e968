"""A function's archive in memory: read as text, packed again, hostile ones bounded."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.console import archive


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            packed.writestr(info, content)
    return made.getvalue()


def test_edited_texts_replace_their_files_and_nothing_else() -> None:
    """Other files and permissions stay as they are; a file that is not there is not added."""
    content = _zip({"index.py": b"old", "lib/native.so": b"\0\1", "other.txt": b"kept"})
    packed = archive.repacked(content, {"index.py": "neu ß", "../evil": "x"})
    with zipfile.ZipFile(io.BytesIO(packed)) as read:
        assert {each: read.read(each) for each in read.namelist()} == {
            "index.py": "neu ß".encode(),
            "lib/native.so": b"\0\1",
            "other.txt": b"kept",
        }
        assert all(each.external_attr >> 16 == 0o755 for each in read.infolist())


def test_what_is_no_text_is_named_but_not_shown() -> None:
    """Native code, other encodings, and texts that are too long."""
    found = archive.unpacked(
        _zip({"a.so": b"\0", "b.txt": b"\xff\xfe", "c.txt": b"x" * (archive.TEXT + 1), "d.py": b"fine"})
    )
    assert [each.text for each in found] == [None, None, None, "fine"]


def test_a_bomb_is_read_in_part() -> None:
    """Its size is what the archive claims; no more than the bound is ever unpacked."""
    found = archive.unpacked(_zip({f"{number}.txt": b"x" * archive.TEXT for number in range(40)}))
    assert sum(len(each.text or "") for each in found) <= archive.TOTAL


@given(st.binary(max_size=400))
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    """With the one error that the page tells."""
    try:
        archive.unpacked(content)
    except ValueError:
        return
    with zipfile.ZipFile(io.BytesIO(content)):
        pass


def test_a_damaged_archive_is_refused() -> None:
    """A member whose content does not fit its checksum."""
    content = bytearray(_zip({"index.py": b"hello hello hello"}))
    content[40] ^= 0xFF
    with pytest.raises(ValueError):
        archive.unpacked(bytes(content))
