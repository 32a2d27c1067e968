"""A lab handed in: one file with its journal, its report and its versions, of which no byte changes unnoticed.

A zip file whose members are always the same, in the same order, with the same dates; its comment is the SHA-256 of everything
before it. The journal goes in as lines of JSON, a row each with its link of the chain, so that whoever reads the file parses JSON
and no database. Adversary: whoever made the file. Nothing of it is unpacked to a disk, every size is bounded, and what is replayed
of it is replayed in a process of its own that runs no handler. What all this proves and what it cannot: docs/submissions.md.
"""

import base64
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenario.errors import LabError
from simulator.home import Home
from simulator.journal import FORMAT as JOURNAL_FORMAT
from simulator.journal import Journal, Row, checked

FORMAT = 1
MANIFEST, REPORT, JOURNAL = "manifest.json", "report.json", "journal.jsonl"
LIMITS = {MANIFEST: 1_000_000, REPORT: 4_000_000, JOURNAL: 400_000_000}
"""How many bytes a member may have, unpacked."""
MAX_FILE = 100_000_000
SEAL = 64
"""How many characters of the file's end are its seal: a SHA-256 in hexadecimal digits."""
_NEVER = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a file holds. Its journal's rows are those whose chain was found whole."""

    manifest: Mapping[str, Any]
    report: Mapping[str, Any]
    meta: Mapping[str, str]
    rows: Sequence[Row]


class Unsound(Exception):
    """A file that is not what `lab submit` wrote; its text says where."""


def write(path: Path, *, meta: Mapping[str, str], rows: Sequence[Row], report: Mapping[str, Any], name: str) -> str:
    """Write a submission and return its seal. Raises LabError where the file cannot be written."""
    members = {
        REPORT: json.dumps(report, indent=1, ensure_ascii=False).encode(),
        JOURNAL: b"".join(_lines(meta, rows)),
    }
    manifest = {
        "format": FORMAT,
        "name": name,
        **{key: meta.get(key, "") for key in ("lab_id", "seed", "account_id", "scenario", "ip")},
        "versions": {key.removeprefix("version_"): value for key, value in meta.items() if key.startswith("version_")},
        "entries": len(rows),
        "head": rows[-1][-1] if rows else "",
        "members": {member: hashlib.sha256(raw).hexdigest() for member, raw in members.items()},
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"0" * SEAL
        for member, raw in ((MANIFEST, json.dumps(manifest, indent=1).encode()), *members.items()):
            info = zipfile.ZipInfo(member, _NEVER)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, raw)
    unsealed = packed.getvalue()[:-SEAL]
    seal = hashlib.sha256(unsealed).hexdigest()
    try:
        path.write_bytes(unsealed + seal.encode())
    except OSError as failure:
        raise LabError(
            f"writing {path}", str(failure.strerror or failure), "Choose a file that can be written.", exit_code=2
        ) from failure
    return seal


def rows_to_json(rows: Sequence[Row]) -> list[list[Any]]:
    """Return rows as JSON, blobs in base64; `row_of` is the way back."""
    return [[*row[:7], None if row[7] is None else base64.b64encode(row[7]).decode(), *row[8:]] for row in rows]


def row_of(value: Any) -> Row:
    """Return the row that JSON tells. Raises ValueError or TypeError for anything else."""
    if not isinstance(value, list) or len(value) != 10:
        raise ValueError("it is no row")
    for index, item in enumerate(value):
        wanted: tuple[type, ...] = (int,) if index < 5 else (str,)
        nullable = index in (1, 2, 7, 8)
        if isinstance(item, bool) or not (isinstance(item, wanted) or (nullable and item is None)):
            raise ValueError("it is no row")
        if isinstance(item, int) and abs(item) >= 2**63:
            raise ValueError("a number in it is too large")
    blob = None if value[7] is None else base64.b64decode(value[7], validate=True)
    return (*value[:7], blob, *value[8:])


def _lines(meta: Mapping[str, str], rows: Sequence[Row]) -> Iterator[bytes]:
    yield json.dumps(dict(meta), sort_keys=True).encode() + b"\n"
    for row in rows_to_json(rows):
        yield json.dumps(row, separators=(",", ":")).encode() + b"\n"


def read(path: Path) -> Submission:
    """Return what a file holds. Raises Unsound naming what is wrong with it, LabError where it cannot be read at all."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise Unsound(f"the file is larger than {MAX_FILE // 1_000_000} MB")
        raw = path.read_bytes()
    except OSError as failure:
        raise LabError(f"reading {path}", str(failure.strerror or failure), "Check the name.", exit_code=2) from failure
    sealed = hashlib.sha256(raw[:-SEAL]).hexdigest().encode() == raw[-SEAL:]
    members = _members(raw)
    manifest, report = _json(members, MANIFEST), _json(members, REPORT)
    if manifest.get("format") != FORMAT:
        raise Unsound(f"{MANIFEST} says format {manifest.get('format')!r}; this kit reads {FORMAT}")
    told = manifest.get("members")
    for member in (REPORT, JOURNAL):
        if not isinstance(told, dict) or told.get(member) != hashlib.sha256(members[member]).hexdigest():
            what = _first_bad_entry(members[JOURNAL]) if member == JOURNAL else ""
            raise Unsound(f"{member} was changed{what}")
    if not sealed:
        raise Unsound(f"{MANIFEST}, or the file around it, was changed: the seal does not fit")
    meta, rows = _journal(members[JOURNAL])
    if (manifest.get("entries"), manifest.get("head")) != (len(rows), rows[-1][-1] if rows else ""):
        raise Unsound(f"{MANIFEST} is of another journal: its entries or their last link differ")
    if any(meta.get(key, "") != manifest.get(key) for key in ("lab_id", "seed", "account_id", "scenario", "ip")):
        raise Unsound(f"{MANIFEST} is of another lab than {JOURNAL}")
    return Submission(manifest=manifest, report=report, meta=meta, rows=rows)


def restore(submission: Submission, home: Home) -> None:
    """Write the journal of a submission into `home`. Raises LabError."""
    journal = Journal.create(home.journal, submission.meta)
    journal.copy_rows(submission.rows)
    journal.close()


def _members(raw: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            names = [info.filename for info in archive.infolist()]
            if names != [MANIFEST, REPORT, JOURNAL]:
                raise Unsound("the file does not hold the three members of a submission")
            return {info.filename: _bounded(archive, info) for info in archive.infolist()}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as bad:
        raise Unsound(f"the file is no sound zip file ({bad})") from bad


def _bounded(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    limit = LIMITS[info.filename]
    with archive.open(info) as member:  # what a header says of a size is not believed
        raw = member.read(limit + 1)
    if len(raw) > limit:
        raise Unsound(f"{info.filename} is larger than {limit // 1_000_000} MB")
    return raw


def _json(members: Mapping[str, bytes], member: str) -> dict[str, Any]:
    try:
        value = json.loads(members[member])
    except (ValueError, RecursionError) as bad:
        raise Unsound(f"{member} is no JSON ({bad})") from bad
    if not isinstance(value, dict):
        raise Unsound(f"{member} is no JSON object")
    return value


def _journal(raw: bytes) -> tuple[dict[str, str], list[Row]]:
    lines = raw.split(b"\n")
    try:
        meta = json.loads(lines[0])
    except (ValueError, RecursionError) as bad:
        raise Unsound(f"{JOURNAL} does not say of which lab it is ({bad})") from bad
    if not isinstance(meta, dict) or not all(isinstance(value, str) for value in meta.values()):
        raise Unsound(f"{JOURNAL} does not say of which lab it is")
    if meta.get("format") != str(JOURNAL_FORMAT) or meta.get("ready") != "yes":
        raise Unsound(f"{JOURNAL} has format {meta.get('format')!r}; this kit reads {JOURNAL_FORMAT}")
    if lines.pop() != b"":
        raise Unsound(f"{JOURNAL} breaks off")
    try:
        return meta, [row for _, row in checked(_rows(lines[1:]), meta, JOURNAL)]
    except LabError as bad:
        raise Unsound(f"{JOURNAL}: {bad.happened}") from bad


def _rows(lines: Sequence[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        try:
            yield row_of(json.loads(line))
        except (ValueError, TypeError, RecursionError) as bad:
            raise Unsound(f"{JOURNAL}: entry {number} cannot be read ({bad})") from bad


def _first_bad_entry(raw: bytes) -> str:
    try:
        _journal(raw)
    except Unsound as found:
        return f" ({found})"
    return ""
