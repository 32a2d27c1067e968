"""A lab is handed in and verified: by processes, as a trainee and an instructor would."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from simulator import submission
from simulator.home import Home
from simulator.journal import Journal
from tests.e2e.conftest import LabCommand, NewLab


@pytest.fixture(scope="module")
def handed_in(shared_lab: LabCommand, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a lab in which two tasks were done and the function's concurrency is 0."""
    shared_lab.check("--creator", "WSSystemRole")
    names = ("--function-name", "traffic-simulation", "--reserved-concurrent-executions", "0")
    shared_lab.aws("lambda", "put-function-concurrency", *names)
    path = tmp_path_factory.mktemp("in") / "ann.lab"
    told = shared_lab("submit", str(path), "--name", "Ann")
    assert "points" in told.stdout
    return path


def verified(lab: LabCommand, *files: Path, code: int) -> list[dict[str, Any]]:
    """Return the rows that `lab verify --json` prints."""
    rows: list[dict[str, Any]] = json.loads(lab("verify", "--json", *map(str, files), code=code).stdout)
    return rows


def test_a_lab_that_was_handed_in_replays_and_regrades_to_the_same(new_lab: NewLab, handed_in: Path) -> None:
    """On a machine on which no lab runs: chain, replay and grade agree, as JSON, CSV and a table."""
    instructor = new_lab("instructor")
    (row,) = verified(instructor, handed_in, code=0)
    assert row["agrees"]
    assert (row["file_sound"], row["chain"], row["replay"], row["grade"]) == ("yes", "yes", "yes", "yes")
    assert row["score"] == row["regraded"]
    assert row["name"] == "Ann"
    assert row["key_used"] == ""
    table = instructor("verify", str(handed_in)).stdout
    assert "Ann" in table
    (from_csv,) = csv.DictReader(io.StringIO(instructor("verify", "--csv", str(handed_in)).stdout))
    assert from_csv["regraded"] == row["regraded"]
    assert not instructor.home.exists() or not list(instructor.home.glob("journal*"))


def test_one_bad_file_does_not_hide_the_good_one(new_lab: NewLab, handed_in: Path, tmp_path: Path) -> None:
    """A row a file: the changed one is named, the other agrees, and the exit code says that not all do."""
    bad = tmp_path / "bad.lab"
    raw = handed_in.read_bytes()
    bad.write_bytes(raw[:500] + bytes([raw[500] ^ 1]) + raw[501:])
    rows = verified(new_lab("instructor"), bad, handed_in, code=1)
    assert [row["agrees"] for row in rows] == [False, True]
    assert rows[0]["remarks"]


def _forged(handed_in: Path, to: Path, report: dict[str, Any], keep: int | None = None) -> Path:
    """Write a submission with another report, or with the first `keep` entries only, every hash and seal mended."""
    found = submission.read(handed_in)
    submission.write(to, meta=found.meta, rows=found.rows[:keep], report=report, name="Forger")
    return to


def test_a_report_that_the_journal_does_not_bear_out_is_told(new_lab: NewLab, handed_in: Path, tmp_path: Path) -> None:
    """Whoever mends every hash still has to be graded by what the journal says happened."""
    report: dict[str, Any] = json.loads(json.dumps(submission.read(handed_in).report))
    report |= {"score": 100, "passed": True}
    for task in report["tasks"]:
        task |= {"status": "passed", "score": task["max_score"]}
    (row,) = verified(new_lab("instructor"), _forged(handed_in, tmp_path / "forged.lab", report), code=1)
    assert (row["file_sound"], row["chain"], row["replay"]) == ("yes", "yes", "yes")
    assert row["grade"] == "no"
    assert row["score"] == "100/100" != row["regraded"]


def test_answers_that_were_edited_in_the_journal_are_told(new_lab: NewLab, handed_in: Path, tmp_path: Path) -> None:
    """An entry that says another outcome than a replay comes to is named, although its chain was made to fit."""
    found = submission.read(handed_in)
    home = Home(tmp_path / "scratch")
    home.path.mkdir()
    journal = Journal.create(home.journal, found.meta)
    submission_rows = found.rows
    copied = Journal.create(None, found.meta)
    copied.copy_rows(submission_rows)
    copied.commit()
    edited = 0
    for entry in copied.entries():
        digest = entry.digest
        if entry.kind == "call" and entry.body.get("operation") == "PutFunctionConcurrency":
            digest, edited = "0" * 32, entry.seq
        journal.append(type(entry)(**{**{n: getattr(entry, n) for n in entry.__slots__}, "digest": digest}))
    journal.commit()
    to = tmp_path / "edited.lab"
    rows = [row for _, row in journal.rows()]
    submission.write(to, meta=found.meta, rows=rows, report=found.report, name="Editor")
    journal.close()
    copied.close()
    (row,) = verified(new_lab("instructor"), to, code=1)
    assert row["replay"] == "no"
    assert f"entry {edited}" in row["remarks"]


def test_a_lab_that_does_not_run_cannot_be_handed_in(new_lab: NewLab, tmp_path: Path) -> None:
    """One sentence that says what to do; no file is left."""
    done = new_lab("none")("submit", str(tmp_path / "x.lab"), code=3)
    assert "lab start" in done.stderr
    assert not (tmp_path / "x.lab").exists()


def test_a_file_that_is_not_there_is_bad_usage(new_lab: NewLab, tmp_path: Path) -> None:
    """Named, and no traceback."""
    done = new_lab("none")("verify", str(tmp_path / "x.lab"), code=2)
    assert "x.lab" in done.stderr
    assert "Traceback" not in done.stderr
