"""The file that is handed in: whatever byte of it changes is noticed and named, and a hostile one costs little."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import submission, verifying
from simulator.journal import Entry, Journal
from simulator.submission import JOURNAL, MANIFEST, REPORT, SEAL, Unsound, read, row_of, rows_to_json, write

META = {"lab_id": "lab", "seed": "s", "account_id": "1", "scenario": "x", "version_moto": "5"}


def handed_in(path: Path, entries: int = 4) -> Path:
    """Write a small submission and return where it is."""
    journal = Journal.create(None, META)
    for number in range(entries):
        body = {"number": number}
        journal.append(
            Entry(
                seq=number + 1, change=None, cause=None, at=number, wall=number, kind="call", body=body, blob=b"blob", digest="d"
            )
        )  # fmt: skip
    journal.note("ready", "yes")
    journal.commit()
    rows = [row for _, row in journal.rows()]
    write(path, meta=journal.meta(), rows=rows, report={"score": 1, "tasks": []}, name="Ann")
    journal.close()
    return path


def sealed(members: dict[str, bytes]) -> bytes:
    """Return a file of `members` with a seal that fits, as a forger can make one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"0" * SEAL
        for name, raw in members.items():
            archive.writestr(name, raw)
    unsealed = packed.getvalue()[:-SEAL]
    return unsealed + hashlib.sha256(unsealed).hexdigest().encode()


def members_of(path: Path) -> dict[str, bytes]:
    """Return what is in a submission."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_was_handed_in_comes_back(tmp_path: Path) -> None:
    """Rows with their blobs, report and manifest; written twice it is the same file byte for byte."""
    path = handed_in(tmp_path / "a.lab")
    found = read(path)
    assert [row[0] for row in found.rows] == [1, 2, 3, 4]
    assert found.rows[0][7] == b"blob"
    assert found.manifest["name"] == "Ann"
    assert found.manifest["versions"] == {"moto": "5"}
    assert handed_in(tmp_path / "b.lab").read_bytes() == path.read_bytes()


def test_any_changed_byte_is_caught_and_named(tmp_path: Path) -> None:
    """Every byte of the file, changed alone: refused, and what is told names the part."""
    path = handed_in(tmp_path / "a.lab")
    raw = path.read_bytes()
    for index in range(len(raw)):
        path.write_bytes(raw[:index] + bytes([raw[index] ^ 0x41]) + raw[index + 1 :])
        with pytest.raises(Unsound, match=r"manifest|report|journal|zip|members"):
            read(path)


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 200, -1])
def test_a_file_that_breaks_off_is_told(tmp_path: Path, length: int) -> None:
    """However much of it is left."""
    path = handed_in(tmp_path / "a.lab")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(Unsound):
        read(path)


def _edited(member: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda members: {**members, member: change(members[member])}


def _resealed(member: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def edit(members: dict[str, bytes]) -> dict[str, bytes]:
        edited = {**members, member: change(members[member])}
        manifest: dict[str, Any] = json.loads(edited[MANIFEST])
        manifest["members"][member] = hashlib.sha256(edited[member]).hexdigest()
        return {**edited, MANIFEST: json.dumps(manifest).encode()}

    return edit


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (_edited(REPORT, lambda raw: raw.replace(b'"score": 1', b'"score": 9')), "report.json was changed"),
        (_edited(JOURNAL, lambda raw: raw.replace(b'number\\":2', b'number\\":7')), "entry 3"),
        (_resealed(JOURNAL, lambda raw: raw.replace(b'number\\":2', b'number\\":7')), "entry 3"),
        (_resealed(JOURNAL, lambda raw: raw.replace(b'"seed": "s"', b'"seed": "t"')), "entry 1"),
        (_resealed(JOURNAL, lambda raw: raw.rsplit(b"\n", 2)[0] + b"\n"), "another journal"),
        (_resealed(JOURNAL, lambda raw: raw[:-1]), "breaks off"),
        (_resealed(JOURNAL, lambda raw: raw.replace(b"YmxvYg==", b"!", 1)), "entry 1 cannot be read"),
        (_resealed(JOURNAL, lambda raw: b"[" * 100_000 + b"\n"), "of which lab"),
        (_resealed(REPORT, lambda raw: b"[]"), "report.json is no JSON object"),
        (lambda members: {**members, "../../etc/passwd": b"x"}, "three members"),
        (lambda members: {name: members[name] for name in reversed(members)}, "three members"),
        (_edited(MANIFEST, lambda raw: raw.replace(b'"format": 1', b'"format": 2')), "says format 2"),
    ],
)
def test_a_forger_who_mends_the_seal_is_told_of_the_next_thing(
    tmp_path: Path, edit: Callable[[dict[str, bytes]], dict[str, bytes]], told: str
) -> None:
    """Hashes of members, the chain from what the lab is to its last entry, and what the manifest says of it."""
    path = handed_in(tmp_path / "a.lab")
    path.write_bytes(sealed(edit(members_of(path))))
    with pytest.raises(Unsound, match=told):
        read(path)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member is read up to its limit and no further, whatever its header says."""
    path = handed_in(tmp_path / "a.lab")
    monkeypatch.setitem(submission.LIMITS, REPORT, 1000)
    path.write_bytes(sealed({**members_of(path), REPORT: b" " * 50_000_000}))
    with pytest.raises(Unsound, match=r"report\.json is larger"):
        read(path)


@given(raw=st.binary(max_size=300))
def test_no_file_whatsoever_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    """It is refused in one way."""
    path = tmp_path_factory.mktemp("any") / "a.lab"
    path.write_bytes(raw)
    with pytest.raises(Unsound):
        read(path)


@given(
    row=st.tuples(
        st.integers(0, 2**60), st.none() | st.integers(0, 9), st.none(), st.integers(), st.integers(), st.text(), st.text(),
        st.none() | st.binary(), st.none() | st.text(), st.text(),
    )
)  # fmt: skip
def test_rows_come_back_from_json(row: Any) -> None:
    """Those that a journal can hold; a number that it cannot hold is refused."""
    told = json.loads(json.dumps(rows_to_json([row])))[0]
    if all(abs(number) < 2**63 for number in row[3:5]):
        assert row_of(told) == row
    else:
        with pytest.raises(ValueError, match="too large"):
            row_of(told)


def test_a_table_and_a_spreadsheet_show_a_strangers_text_harmlessly() -> None:
    """No escape sequence reaches a terminal, and no text is a formula."""
    row = verifying.Row(file="a.lab", agrees=False, name="=HYPERLINK(1)", remarks="\x1b[2Jgone")
    assert "\x1b" not in verifying._table([row])
    assert "\n" in verifying._table([row])
    assert ",'=HYPERLINK(1)," in verifying._csv([row])
