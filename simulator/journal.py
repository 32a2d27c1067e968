"""The lab's memory: an append-only log in one SQLite file, from which a restart rebuilds the same world.

Entries are **inputs** (calls from outside, advances of time, answers) and **consequences** (calls made by a process, records of
what a process found). Changes get numbers of their own, from which their identifiers are seeded, so that reads, which
may be flushed late, shift nothing. One order for all: what is pending is written in the order it happened, a change is durable
(synchronous=FULL) before its client is answered, and nothing later becomes durable before something earlier.

Every row carries the hash of the row before it; a changed byte breaks the chain at its entry.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from scenario.errors import LabError

FORMAT = 1
Kind = Literal["call", "record", "advance", "answer", "hint", "key", "attempt"]
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY, change INTEGER, cause INTEGER, at INTEGER NOT NULL, wall INTEGER NOT NULL,
  kind TEXT NOT NULL, body TEXT NOT NULL, blob BLOB, digest TEXT, chain TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal. `at` is lab time, `wall` the wall clock, both in milliseconds since 1970.

    `change` numbers the entries that change the lab (None for a read); `cause` is the `seq` of the entry that this one follows
    from (None for an input). `digest` is the hash of the answer, by which a replay knows that it answers the same.
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


def _row(entry: Entry, previous: str) -> tuple[Any, ...]:
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


@dataclass(slots=True)
class Journal:
    """An open journal. One writer: the process that holds it; a second one is refused.

    `append` keeps an entry in memory, `commit` makes all that is pending durable. `path` is None for a journal in memory.
    """

    path: Path | None
    _db: sqlite3.Connection
    _pending: list[Entry] = field(default_factory=list)
    _chain: str = ""
    _held: bool = False
    next_seq: int = 1

    @classmethod
    def create(cls, path: Path | None, meta: Mapping[str, str]) -> Self:
        """Make a new journal at `path` holding `meta`. Raises LabError where that cannot be done or one is there."""
        if path is not None and path.exists():
            raise LabError("making a journal", f"{path} exists already", "Run 'lab reset' to start the lab anew.")
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(path=path, _db=_connect(path))
            with journal._db:
                journal._db.executescript("BEGIN IMMEDIATE;" + _SCHEMA)
                journal._db.executemany("INSERT INTO meta VALUES (?, ?)", {"format": str(FORMAT), **meta}.items())
        except (sqlite3.Error, OSError) as failure:
            raise _broken("making a journal", path, failure) from failure
        return journal

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the journal at `path`. Raises LabError where it is missing, held by another process, damaged or of a newer format."""
        if not path.exists():
            raise LabError("opening the journal", f"{path} is not there", "Run 'lab start' to make a lab.")
        try:
            journal = cls(path=path, _db=_connect(path))
            made = journal.meta().get("format", "0")
            last = journal._db.execute("SELECT seq, chain FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        except (sqlite3.Error, OSError) as failure:
            raise _broken("opening the journal", path, failure) from failure
        if not made.isdigit() or int(made) > FORMAT:
            journal.close()
            raise LabError(
                "opening the journal",
                f"{path} has format {made}, this kit reads up to {FORMAT}",
                "Use the kit that wrote it, or a newer one.",
            )
        if last:
            journal.next_seq, journal._chain = last[0] + 1, last[1]
        return journal

    def meta(self) -> dict[str, str]:
        """Return what was noted of the lab as a whole: seed, account, versions."""
        return dict(self._db.execute("SELECT key, value FROM meta ORDER BY key").fetchall())

    def note(self, key: str, value: str) -> None:
        """Note or replace one thing of the lab as a whole, at the next commit."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def append(self, entry: Entry) -> None:
        """Add an entry; durable at the next `commit`. Its `seq` is the journal's `next_seq`."""
        assert entry.seq == self.next_seq, "entries are numbered without gaps"
        self._pending.append(entry)
        self.next_seq += 1

    @property
    def pending(self) -> int:
        """How many entries are not durable yet."""
        return len(self._pending)

    @contextlib.contextmanager
    def one_piece(self) -> Iterator[None]:
        """Hold every commit back until the end, so that all of it becomes durable at once or nothing does."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.commit()

    def commit(self) -> None:
        """Make everything appended so far durable, in order, all or nothing. Raises LabError where the disk refuses."""
        if self._held:
            return
        chain = self._chain
        rows = []
        for entry in self._pending:
            row = _row(entry, chain)
            chain = row[-1]
            rows.append(row)
        try:
            self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.commit()
        except sqlite3.Error as failure:
            self._db.rollback()
            raise _broken("writing the journal", self.path, failure) from failure
        self._pending.clear()
        self._chain = chain

    def entries(self) -> Iterator[Entry]:
        """Yield the durable entries in order, checking the chain. Raises LabError naming the first bad one."""
        previous = ""
        expected = 1
        try:
            for row in self._db.execute("SELECT * FROM entries ORDER BY seq"):
                if row[0] != expected or row[-1] != _link(previous, row[:-1]):
                    raise LabError(
                        f"reading the journal {self.path}",
                        f"entry {expected} does not follow from the one before it",
                        "Run 'lab repair' to keep everything before it, or 'lab reset' to start anew.",
                    )
                previous = row[-1]
                expected += 1
                seq, change, cause, at, wall, kind, body, blob, digest, _ = row
                yield Entry(
                    seq=seq, change=change, cause=cause, at=at, wall=wall, kind=kind, body=json.loads(body), blob=blob, digest=digest
                )  # fmt: skip
        except (sqlite3.Error, ValueError) as failure:
            raise _broken(f"reading entry {expected} of the journal", self.path, failure) from failure

    def head(self) -> str:
        """Return the chain's last link: it stands for the whole history."""
        return self._chain

    def close(self) -> None:
        """Write what is pending and let go of the file."""
        if self._pending:
            self.commit()
        self._db.close()


def _connect(path: Path | None) -> sqlite3.Connection:
    db = sqlite3.connect(path or ":memory:", timeout=0.5, check_same_thread=False)
    if path is not None:
        # One process at a time, found out at once by the second; readers of the file wait for nobody but use a copy.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN EXCLUSIVE")
        db.commit()
    return db


def _broken(tried: str, path: Path | None, failure: Exception) -> LabError:
    text = str(failure)
    if "locked" in text:
        return LabError(
            tried,
            f"{path} is held by another process",
            "Run 'lab status'; a lab may be running on this folder already.",
        )
    if isinstance(failure, PermissionError) or "readonly" in text or "unable to open" in text:
        return LabError(tried, f"{path} cannot be written ({text})", "Set LAB_HOME to a folder that you may write to.")
    if "full" in text:
        return LabError(
            tried,
            f"the disk is full ({path})",
            "Free some space and start the lab again; nothing acknowledged is lost.",
        )
    return LabError(
        tried,
        f"{path} is damaged ({text})",
        "It is kept as it is. Run 'lab repair' to recover what comes before the damage, or 'lab reset' to start anew.",
    )
