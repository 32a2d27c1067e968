"""The lab's memory: an append-only log in one SQLite file, from which a restart rebuilds the same world.

Entries are **inputs** (calls from outside, advances of time, answers) and **consequences** (calls made by a process, records of
what a process found). Changes get numbers of their own, from which their identifiers are seeded, so that reads, which
may be flushed late, shift nothing. One order for all: what is pending is written in the order it happened, a change is durable
(synchronous=FULL) before its client is answered, and nothing later becomes durable before something earlier.

An entry is put into its final form, link and all, when it is appended: what cannot be written down fails there, in the
face of whoever made it, and never later, when others have been answered. One commit is one transaction: all of a request or nothing.

Every row carries the hash of the row before it, the first one that of what the lab is (`meta`); a changed byte breaks the chain
at its entry. Adversaries: a power cut at any moment, a disk that is full or lies, and whoever edits the file.
"""

import contextlib
import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, get_args

from scenario.errors import LabError

FORMAT = 1
Kind = Literal["call", "record", "advance", "pause", "answer", "hint", "key", "attempt"]
KINDS: tuple[str, ...] = get_args(Kind)
NOTES = frozenset({"ready", "history_end", "branched_from"})
"""What may be noted of a lab later on; all else in `meta` is fixed at its making, and the chain begins with it."""

Row = tuple[int, int | None, int | None, int, int, str, str, bytes | None, str | None, str]
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY, change INTEGER, cause INTEGER, at INTEGER NOT NULL, wall INTEGER NOT NULL,
  kind TEXT NOT NULL, body TEXT NOT NULL, blob BLOB, digest TEXT, chain TEXT NOT NULL
);
"""
_COLUMNS = "seq, change, cause, at, wall, kind, body, blob, digest, chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. `at` is lab time, `wall` the wall clock, both in milliseconds since 1970.

    `change` numbers the entries that change the lab (None for a read); `cause` is the `seq` of the entry that this one follows
    from (None for an input, and for the first entry of a tick). `digest` is the hash of the answer, by which a replay knows that it
    answers the same.
    """

    seq: int
    change: int | None
    cause: int | None
    at: int
    wall: int
    kind: Kind
    body: Mapping[str, Any]
    blob: bytes | None = None
    digest: str | None = None


def _row(entry: Entry, previous: str) -> Row:
    body = json.dumps(entry.body, separators=(",", ":"))
    columns = (entry.seq, entry.change, entry.cause, entry.at, entry.wall, entry.kind, body, entry.blob, entry.digest)
    return (*columns, _link(previous, columns))


def _link(previous: str, columns: tuple[Any, ...]) -> str:
    hashed = hashlib.sha256(previous.encode())
    for column in columns:
        raw = (
            column
            if isinstance(column, bytes)
            else b"\x00"
            if column is None
            else str(column).encode("utf-8", "surrogatepass")
        )
        hashed.update(len(raw).to_bytes(8, "big") + raw)
    return hashed.hexdigest()


def genesis(meta: Mapping[str, str]) -> str:
    """Return the link that a lab's first entry follows: the hash of what the lab is."""
    fixed = sorted((key, value) for key, value in meta.items() if key not in NOTES)
    return hashlib.sha256(json.dumps(fixed).encode()).hexdigest()


def checked(rows: Iterable[Any], meta: Mapping[str, str], source: object) -> Iterator[tuple[Entry, Row]]:
    """Yield entries and their rows, in order, as long as each follows from the one before.

    Raises LabError naming the first one that does not, or that nobody can read.
    """
    previous, expected = genesis(meta), 1
    for row in rows:
        try:
            seq, change, cause, at, wall, kind, body, blob, digest, chain = row
            if seq != expected or kind not in KINDS or chain != _link(previous, tuple(row[:-1])):
                raise ValueError("it does not follow from the one before it")
            entry = Entry(
                seq=seq, change=change, cause=cause, at=at, wall=wall, kind=kind, body=json.loads(body), blob=blob, digest=digest
            )  # fmt: skip
            if not isinstance(entry.body, dict):
                raise ValueError("its body is no object")
        except (ValueError, TypeError, RecursionError) as bad:
            happened = str(bad) if type(bad) is ValueError else f"it cannot be read ({bad})"
            raise LabError(
                f"reading the journal {source}",
                f"entry {expected} is bad: {happened}",
                "Run 'lab repair' to keep everything before it, or 'lab reset' to start anew.",
            ) from bad
        previous = chain
        expected += 1
        yield entry, (seq, change, cause, at, wall, kind, body, blob, digest, chain)


@dataclass(slots=True)
class Journal:
    """An open journal. One writer: the process that holds it; a second one is refused.

    `append` keeps an entry in memory, `commit` makes all that is pending durable. `path` is None for a journal in memory.
    """

    path: Path | None
    _db: sqlite3.Connection
    _pending: list[Row] = field(default_factory=list)
    _notes: dict[str, str] = field(default_factory=dict)
    _chain: str = ""
    _held: bool = False
    _doubtful: bool = False
    next_seq: int = 1

    @classmethod
    def create(cls, path: Path | None, meta: Mapping[str, str]) -> Self:
        """Make a new journal at `path` holding `meta`. Raises LabError where that cannot be done or one is there."""
        if path is not None and path.exists():
            raise LabError("making a journal", f"{path} exists already", "Run 'lab reset' to start the lab anew.")
        full = {"format": str(FORMAT), **meta}
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(path=path, _db=_connect(path), _chain=genesis(full))
            with journal._db:
                journal._db.executescript("BEGIN IMMEDIATE;" + _SCHEMA)
                journal._db.executemany("INSERT INTO meta VALUES (?, ?)", full.items())
            if path is not None:
                sync_folder(path.parent)
        except (sqlite3.Error, OSError) as failure:
            raise _broken("making a journal", path, failure) from failure
        return journal

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the journal at `path`; its `meta` is empty where its making was interrupted.

        Raises LabError where it is missing, held by another process, damaged or of another format.
        """
        if not path.exists():
            raise LabError("opening the journal", f"{path} is not there", "Run 'lab start' to make a lab.")
        try:
            journal = cls(path=path, _db=_connect(path))
        except (sqlite3.Error, OSError) as failure:
            raise _broken("opening the journal", path, failure) from failure
        try:
            meta = journal.meta()
            _check_format(path, meta)
            last = journal._last() if meta else None
        except sqlite3.Error as failure:
            journal._db.close()
            raise _broken("opening the journal", path, failure) from failure
        except LabError:
            journal._db.close()
            raise
        journal.next_seq, journal._chain = (last[0] + 1, last[1]) if last else (1, genesis(meta))
        return journal

    def _last(self) -> tuple[int, str] | None:
        found = self._db.execute("SELECT seq, chain FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(found[0]), str(found[1])) if found else None

    def meta(self) -> dict[str, str]:
        """Return what was noted of the lab as a whole: seed, account, versions. Empty where there is no lab yet."""
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return {}
        return dict(self._db.execute("SELECT key, value FROM meta ORDER BY key").fetchall())

    def note(self, key: str, value: str) -> None:
        """Note or replace one of `NOTES`, at the next commit."""
        assert key in NOTES, "the chain begins with everything else"
        self._notes[key] = value

    def append(self, entry: Entry) -> None:
        """Add an entry; durable at the next `commit`. Its `seq` is the journal's `next_seq`.

        Raises TypeError or ValueError for a body that is no JSON; nothing is added then.
        """
        assert entry.seq == self.next_seq, "entries are numbered without gaps"
        row = _row(entry, self._chain)
        self._pending.append(row)
        self._chain = row[-1]
        self.next_seq += 1

    @property
    def pending(self) -> int:
        """How many entries are not durable yet."""
        return len(self._pending)

    @property
    def waiting_since(self) -> int | None:
        """When the oldest entry that is not durable yet happened, in milliseconds of lab time; None where all are."""
        return int(self._pending[0][3]) if self._pending else None

    @contextlib.contextmanager
    def one_piece(self) -> Iterator[None]:
        """Hold every commit back until the end, so that all of it becomes durable at once or, where it breaks off, nothing does."""
        before = (list(self._pending), dict(self._notes), self._chain, self.next_seq)
        self._held = True
        try:
            yield
        except BaseException:
            self._pending, self._notes, self._chain, self.next_seq = before
            raise
        finally:
            self._held = False
        self.commit()

    def commit(self) -> None:
        """Make everything appended so far durable, in order, all or nothing.

        Raises LabError where the disk refuses. What is pending stays pending then, and is written by the next commit that succeeds.
        """
        if self._held or not (self._pending or self._notes):
            return
        try:
            if self._doubtful:
                self._forget_written()
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._pending)
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", self._notes.items())
            self._db.commit()
        except sqlite3.Error as failure:
            self._doubtful = True
            with contextlib.suppress(sqlite3.Error):  # the failure itself is what is told
                self._db.rollback()
            raise _broken("writing the journal", self.path, failure) from failure
        self._pending.clear()
        self._notes.clear()
        self._doubtful = False

    def _forget_written(self) -> None:
        """A commit that failed may have reached the disk all the same: what is in the file is not written a second time."""
        last = self._last()
        if last is not None and self._pending and last[0] >= self._pending[0][0]:
            written = last[0] - self._pending[0][0] + 1
            if written > len(self._pending) or self._pending[written - 1][-1] != last[1]:
                raise LabError(
                    "writing the journal",
                    f"{self.path} holds entries that this lab did not write",
                    "Run 'lab stop' and 'lab start': the lab goes on from what is in the file.",
                )
            del self._pending[:written]

    def entries(self) -> Iterator[Entry]:
        """Yield the durable entries in order, checking the chain. Raises LabError naming the first bad one."""
        for entry, _ in self.rows():
            yield entry

    def rows(self) -> Iterator[tuple[Entry, Row]]:
        """Yield the durable entries with their rows, as `entries` does."""
        try:
            yield from checked(
                self._db.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY seq"),  # noqa: S608 - our own column names
                self.meta(),
                self.path,
            )
        except sqlite3.Error as failure:
            raise _broken("reading the journal", self.path, failure) from failure

    def copy_rows(self, rows: Iterable[Row]) -> None:
        """Take over rows of another journal of the same lab as they are; durable at the next `commit`."""
        for row in rows:
            assert row[0] == self.next_seq, "rows are taken over in order"
            self._pending.append(row)
            self._chain = row[-1]
            self.next_seq += 1

    def head(self) -> str:
        """Return the chain's last link: it stands for the whole history."""
        return self._chain

    def close(self) -> None:
        """Write what is pending and let go of the file. Raises LabError where the disk refuses; the file is let go of then, too."""
        try:
            self.commit()
        finally:
            self._db.close()


def _connect(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(path or ":memory:", timeout=0.5, check_same_thread=False)
    if path is None:
        return db
    try:
        # One process at a time, found out at once by the second; readers of the file wait for nobody but use a copy.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        if sys.platform == "darwin":
            db.execute("PRAGMA fullfsync=ON")  # fsync alone leaves it in the drive's cache there
        db.execute("BEGIN EXCLUSIVE")
        db.commit()
    except BaseException:
        db.close()
        raise
    return db


def _check_format(path: Path, meta: Mapping[str, str]) -> None:
    made = meta.get("format", "")
    if not meta or made == str(FORMAT):
        return
    if not made.isdigit() or int(made) < 1:
        raise LabError(
            "opening the journal",
            f"{path} says nothing that this kit knows of its format ({made or 'none'})",
            "It is kept as it is. Run 'lab reset' to start anew, or set LAB_HOME to another folder.",
        )
    raise LabError(
        "opening the journal",
        f"{path} has format {made}, this kit reads up to {FORMAT}",
        "Use the kit that wrote it, or a newer one.",
    )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the platform can: a file without a name is lost."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files_of(path: Path) -> list[Path]:
    """Return the files that a journal at `path` consists of, those that are there: SQLite keeps a log beside it."""
    return [file for suffix in ("", "-wal", "-shm") if (file := path.with_name(path.name + suffix)).exists()]


def _broken(tried: str, path: Path | None, failure: Exception) -> LabError:
    text = str(failure)
    if "locked" in text:
        return LabError(
            tried,
            f"{path} is held by another process",
            "Run 'lab status'; a lab may be running on this folder already.",
        )
    if isinstance(failure, PermissionError | NotADirectoryError) or "readonly" in text or "unable to open" in text:
        return LabError(tried, f"{path} cannot be written ({text})", "Set LAB_HOME to a folder that you may write to.")
    if "full" in text or getattr(failure, "errno", None) == 28:
        return LabError(
            tried,
            f"the disk is full ({path})",
            "Free some space and try again; nothing acknowledged is lost.",
        )
    if "I/O" in text:
        return LabError(
            tried,
            f"the disk refuses {path} ({text})",
            "Look after the disk, then run 'lab stop' and 'lab start'; nothing acknowledged is lost.",
        )
    return LabError(
        tried,
        f"{path} is damaged ({text})",
        "It is kept as it is. Run 'lab repair' to recover what comes before the damage, or 'lab reset' to start anew.",
    )
