"""What can be done with a journal while no simulator holds it: go back to an earlier moment, and recover what is left of it.

Nothing is ever thrown away: the file as it was is kept beside, under a name that says what it is. A cut never goes through a
request: what a call or a tick brought about is kept whole or left out whole.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scenario.errors import LabError
from simulator.clock import moment
from simulator.home import Home
from simulator.journal import Entry, Journal, Row, checked, files_of, sync_folder

KEPT = "journal.kept-{:03d}.db"
DAMAGED = "journal.damaged-{:03d}.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What became of a journal: its last entry and lab time now, how many entries there were, and where the old file is."""

    seq: int
    lab_time: str
    entries: int
    kept: Path
    why: str = ""


def rewind(home: Home, wanted: Callable[[Entry], bool]) -> Cut:
    """Make the lab of `home` what it was after the last entry that is `wanted`; the lab as it was is kept beside.

    Raises LabError where nothing would be left out, or where that is before the end of the lab's history.
    """
    journal = Journal.open(home.journal)
    try:
        meta, pairs = journal.meta(), list(journal.rows())
    finally:
        journal.close()
    last = next((index for index in range(len(pairs) - 1, -1, -1) if wanted(pairs[index][0])), -1)
    kept = pairs[: _whole(pairs, last + 1)]
    begins = int(meta.get("history_end", "0"))
    if len(kept) < begins:
        at = moment(pairs[begins - 1][0].at)
        raise LabError(
            "rewinding the lab",
            f"that is in the history that it was made with, which ends with entry {begins} at {at:%Y-%m-%dT%H:%M:%SZ}",
            "Choose a later moment, or 'lab reset' for the beginning.",
            exit_code=2,
        )
    if len(kept) == len(pairs):
        raise LabError(
            "rewinding the lab", "nothing happened after that", "Choose an earlier moment; 'lab status' tells the lab's time.", exit_code=2
        )  # fmt: skip
    old = _free(home, KEPT)
    _replace(home, {**meta, "branched_from": f"{old.name} entry {len(kept)}"}, [row for _, row in kept], old)
    return Cut(seq=len(kept), lab_time=_time_of(kept), entries=len(pairs), kept=old)


def undo(home: Home) -> Path:
    """Make the lab what it was before the last rewind; the branch is kept beside. Returns where. Raises LabError."""
    kept = sorted(home.path.glob("journal.kept-*.db"))
    if not kept:
        raise LabError("undoing a rewind", "no lab is kept here", "'lab rewind' keeps one.", exit_code=2)
    Journal.open(home.journal).close()  # refuses while a simulator holds it, and leaves one file
    Journal.open(kept[-1]).close()
    branch = _free(home, KEPT)
    shutil.copyfile(home.journal, branch)
    kept[-1].replace(home.journal)
    return branch


def repair(home: Home) -> Cut | None:
    """Make the lab of `home` what is sound of its journal, up to the first bad entry; the damaged file is kept beside.

    Returns None for a sound one. Raises LabError where not even the lab's history is whole.
    """
    meta, pairs, bad = _salvage(home)
    if bad is None:
        return None
    pairs = pairs[: _before_last_request(pairs)] if bad.cut_through else pairs
    if not meta or meta.get("ready") != "yes" or len(pairs) < int(meta.get("history_end", "1")):
        raise LabError(
            "repairing the journal",
            f"too little is left of it: {bad.why}",
            "Run 'lab reset' to start the lab anew; the damaged file is kept then.",
        )
    old = _free(home, DAMAGED)
    _replace(home, meta, [row for _, row in pairs], old)
    return Cut(seq=len(pairs), lab_time=_time_of(pairs), entries=bad.entries, kept=old, why=bad.why)


def set_aside(home: Home, pattern: str = KEPT) -> list[tuple[Path, Path]]:
    """Move the journal's files out of the way and return from where to where each was moved."""
    target = _free(home, pattern)
    moved = []
    for file in files_of(home.journal):
        to = target.with_name(target.name + file.name.removeprefix(home.journal.name))
        file.replace(to)
        moved.append((file, to))
    return moved


@dataclass(frozen=True, slots=True)
class _Damage:
    why: str
    entries: int
    cut_through: bool


def _salvage(home: Home) -> tuple[dict[str, str], list[tuple[Entry, Row]], _Damage | None]:
    """Return what can be read of a journal, checked, and what is wrong with it. The file itself is not written to."""
    if not home.journal.exists():
        raise LabError("repairing the journal", f"{home.journal} is not there", "Run 'lab start' to make a lab.")
    scratch = home.path / f"repair-{os.getpid()}"
    scratch.mkdir(mode=0o700)
    try:
        for file in files_of(home.journal):
            shutil.copyfile(file, scratch / file.name)
        return _read(scratch / home.journal.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _read(path: Path) -> tuple[dict[str, str], list[tuple[Entry, Row]], _Damage | None]:
    pairs: list[tuple[Entry, Row]] = []
    meta: dict[str, str] = {}
    count, raw = 0, _Raw()
    db = sqlite3.connect(path)
    try:
        meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
        with contextlib.suppress(sqlite3.Error):  # counting may meet the damage that the reading is to find
            count = int(db.execute("SELECT count(*) FROM entries").fetchone()[0])
        for pair in checked(raw.passing(db), meta, path):
            pairs.append(pair)  # noqa: PERF402 - what was read before the damage is kept
    except sqlite3.Error as damaged:
        return meta, pairs, _Damage(f"entry {len(pairs) + 1} cannot be read ({damaged})", count, cut_through=True)
    except LabError as bad:
        return meta, pairs, _Damage(bad.happened, count, cut_through=raw.follows())
    finally:
        db.close()
    return meta, pairs, None


class _Raw:
    """Looks at rows on their way to be checked: of a bad one it may still be told whether it began a request."""

    def __init__(self) -> None:
        self._last: tuple[object, ...] = ()

    def passing(self, db: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
        for row in db.execute(
            "SELECT seq, change, cause, at, wall, kind, body, blob, digest, chain FROM entries ORDER BY seq"
        ):
            self._last = row
            yield row

    def follows(self) -> bool:
        return not self._last or self._last[2] is not None


def _whole(pairs: list[tuple[Entry, Row]], length: int) -> int:
    """Return the first length from `length` on at which no request is cut."""
    while length < len(pairs) and pairs[length][0].cause is not None:
        length += 1
    return length


def _before_last_request(pairs: list[tuple[Entry, Row]]) -> int:
    """Return the length at which the last request, which may go on in what is damaged, is left out."""
    length = len(pairs)
    while length and pairs[length - 1][0].cause is not None:
        length -= 1
    return max(length - 1, 0)


def _replace(home: Home, meta: dict[str, str], rows: Iterable[Row], old: Path) -> None:
    """Keep the journal as `old` and put one of `meta` and `rows` in its place: at every moment one of the two is there."""
    new = home.journal.with_name("journal.new.db")
    for leftover in files_of(new):
        leftover.unlink()
    journal = Journal.create(new, {key: value for key, value in meta.items() if key != "branched_from"})
    journal.copy_rows(rows)
    if "branched_from" in meta:
        journal.note("branched_from", meta["branched_from"])
    journal.close()
    for file in files_of(home.journal):
        shutil.copyfile(file, old.with_name(old.name + file.name.removeprefix(home.journal.name)))
    sync_folder(home.path)
    for log in files_of(home.journal)[1:]:
        log.unlink()  # before the new file is there: SQLite would write it into that one
    new.replace(home.journal)
    sync_folder(home.path)


def _free(home: Home, pattern: str) -> Path:
    """Return the first path of `pattern` after the last one that is taken."""
    number = 1
    while (home.path / pattern.format(number)).exists():
        number += 1
    return home.path / pattern.format(number)


def _time_of(pairs: list[tuple[Entry, Row]]) -> str:
    return f"{moment(max(entry.at for entry, _ in pairs)):%Y-%m-%dT%H:%M:%SZ}" if pairs else "none"
