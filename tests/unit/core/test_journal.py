"""The journal: order, durability, the chain, and what is said of a damaged file."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import LabError
from simulator.journal import Entry, Journal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def entry(journal: Journal, body: object = "x", **fields: object) -> Entry:
    """Return the next entry of `journal`."""
    values: dict[str, object] = {"change": None, "cause": None, "at": 1, "wall": 2, "kind": "call", "body": {"b": body}}
    return Entry(seq=journal.next_seq, **{**values, **fields})  # type: ignore[arg-type]


@given(bodies=st.lists(JSON, max_size=6), blob=st.none() | st.binary(max_size=50))
def test_what_was_committed_comes_back_in_order(bodies: list[object], blob: bytes | None) -> None:
    """Any JSON body and blob survives the file format."""
    journal = Journal.create(None, {"seed": "s"})
    written = []
    for body in bodies:
        written.append(entry(journal, body, blob=blob))
        journal.append(written[-1])
    journal.commit()
    assert list(journal.entries()) == written
    journal.close()


def test_what_was_not_committed_is_not_in_the_file(tmp_path: Path) -> None:
    """An entry that was appended only is lost with the process; one that was committed is not."""
    journal = Journal.create(tmp_path / "j.db", {})
    journal.append(entry(journal, 1))
    journal.commit()
    journal.append(entry(journal, 2))
    shutil.copytree(tmp_path, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    copied = Journal.open(tmp_path / "copy" / "j.db")
    assert [e.body["b"] for e in copied.entries()] == [1]
    copied.close()
    journal.close()


def test_a_commit_reaches_the_disk_before_it_returns(tmp_path: Path) -> None:
    """A kill cannot show a missing fsync, so SQLite's mode is asserted: FULL, and one writer."""
    journal = Journal.create(tmp_path / "j.db", {})
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._db.execute("PRAGMA locking_mode").fetchone() == ("exclusive",)
    journal.close()


def test_one_piece_holds_commits_back_until_its_end(tmp_path: Path) -> None:
    """A history that breaks off leaves nothing behind."""
    journal = Journal.create(tmp_path / "j.db", {})
    with pytest.raises(ZeroDivisionError), journal.one_piece():
        journal.append(entry(journal))
        journal.commit()
        _ = 1 / 0
    assert list(journal.entries()) == []
    journal._pending.clear()
    journal.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """Two simulators on one LAB_HOME: the second is told, and the first goes on."""
    journal = Journal.create(tmp_path / "j.db", {})
    with pytest.raises(LabError, match="held by another process"):
        Journal.open(tmp_path / "j.db")
    journal.append(entry(journal))
    journal.commit()
    journal.close()


@pytest.mark.parametrize("column", ["body", "at", "kind", "digest", "change", "blob"])
def test_a_changed_entry_is_named(tmp_path: Path, column: str) -> None:
    """Whatever column of an entry is changed, the chain breaks at that entry."""
    path = tmp_path / "j.db"
    journal = Journal.create(path, {})
    for number in range(4):
        journal.append(entry(journal, number, digest="d", change=number + 1, blob=b"blob"))
    journal.commit()
    journal.close()
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE entries SET {column} = '7' WHERE seq = 3")
    db.close()
    damaged = Journal.open(path)
    with pytest.raises(LabError, match="entry 3 "):
        list(damaged.entries())
    damaged.close()


def test_a_newer_format_is_refused_with_its_number(tmp_path: Path) -> None:
    """A file of a newer kit is not guessed at."""
    journal = Journal.create(tmp_path / "j.db", {"format": "99"})
    journal.close()
    with pytest.raises(LabError, match="has format 99"):
        Journal.open(tmp_path / "j.db")


def test_a_file_that_is_no_journal_is_told_and_kept(tmp_path: Path) -> None:
    """A corrupt file is named, the way out is told, and not a byte of it is changed."""
    path = tmp_path / "j.db"
    path.write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(LabError, match="damaged") as told:
        Journal.open(path)
    assert "lab reset" in told.value.try_next
    assert path.read_bytes().startswith(b"this is not a database")


def test_a_torn_last_write_recovers_to_the_commit_before(tmp_path: Path) -> None:
    """A log cut at any byte of its last entry, or with any byte of it gone wrong, gives back what was acknowledged before it."""
    path = tmp_path / "j.db"
    journal = Journal.create(path, {})
    journal.append(entry(journal, 1))
    journal.commit()
    wal = path.with_name("j.db-wal")
    acknowledged = wal.stat().st_size
    journal.append(entry(journal, 2))
    journal.commit()
    database, raw = path.read_bytes(), wal.read_bytes()
    journal.close()
    copy = tmp_path / "copy"
    copy.mkdir()
    for cut in range(acknowledged, len(raw)):
        flipped = raw[:cut] + bytes([raw[cut] ^ 1]) + raw[cut + 1 :]
        for torn_log in (raw[:cut], flipped) if cut % 16 == 0 else (raw[:cut],):
            (copy / "j.db").write_bytes(database)
            (copy / "j.db-wal").write_bytes(torn_log)
            torn = Journal.open(copy / "j.db")
            assert [e.body["b"] for e in torn.entries()] == [1]
            torn.close()


def test_a_full_disk_is_told_and_what_was_pending_waits(tmp_path: Path) -> None:
    """A refused write is a LabError; the entries stay pending and are written when the disk has room again."""
    journal = Journal.create(tmp_path / "j.db", {})
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count = {pages}")
    journal.append(entry(journal, "x" * 100_000))
    with pytest.raises(LabError, match="disk is full"):
        journal.commit()
    assert journal.pending == 1
    journal._db.execute("PRAGMA max_page_count = 100000")
    journal.commit()
    assert [e.body["b"] for e in journal.entries()] == ["x" * 100_000]
    journal.close()
