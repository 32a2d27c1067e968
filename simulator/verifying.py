"""`lab submit` and `lab verify`: hand a lab in, and see whether what was handed in is the lab that was played.

Each file is replayed in a process of its own, started with `--verify`, whose lab time stands still and which runs no handler but
behind the kernel's walls, for the look-ahead of the grading; without such walls the lab is not regraded, and that is said.
How a lab is graded is handed in by `lab.py`: this room knows no checker.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenario.errors import LabError
from simulator import client
from simulator.home import Home

if TYPE_CHECKING:
    from simulator.client import ControlClient
    from simulator.submission import Submission

Grade = Callable[["ControlClient", Home], Mapping[str, Any]]
"""Checks the lab that runs on a home and returns the report's JSON document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was found of one file. `agrees` is whether everything fits together; the rest says what does and what does not."""

    file: str
    agrees: bool
    name: str = ""
    lab_id: str = ""
    seed: str = ""
    file_sound: str = "no"
    chain: str = "no"
    replay: str = "not done"
    grade: str = "not done"
    score: str = ""
    regraded: str = ""
    key_used: str = ""
    remarks: str = ""


def commands(grade: Grade) -> typer.Typer:
    """Return the two commands."""
    app = typer.Typer()

    @app.command()
    def submit(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
        name: Annotated[str, typer.Option(help="Whose lab it is, as it shall stand in the instructor's table.")] = "",
    ) -> None:
        """Check the lab and write it into one file to hand in. It holds journal, report and versions."""
        from simulator import submission

        home = Home.from_environment()
        control = client.required(home)
        report = grade(control, home)
        told = control.get("/_lab/journal")
        rows = [submission.row_of(row) for row in told["rows"]]
        seal = submission.write(file, meta=told["meta"], rows=rows, report=report, name=name)
        typer.echo(f"{file}: {len(rows)} entries, {report['score']} of {report['max_score']} points, seal {seal[:16]}")

    @app.command()
    def verify(
        files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files that 'lab submit' wrote.")],
        as_csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the rows as one JSON list.")] = False,
    ) -> None:
        """Replay and regrade labs that were handed in. Tells whether chain, replay and grade agree. For instructors."""
        if as_csv and as_json:
            raise LabError("verifying", "--csv and --json exclude each other", "Give one of them.", exit_code=2)
        rows = [verified(file, grade) for file in files]
        typer.echo(
            _csv(rows) if as_csv else json.dumps([asdict(row) for row in rows]) if as_json else _table(rows),
            nl=not as_csv,
        )
        raise typer.Exit(0 if all(row.agrees for row in rows) else 1)

    return app


def verified(file: Path, grade: Grade) -> Row:
    """Return what is found of a file. Raises LabError where it cannot be read at all."""
    from simulator import submission

    try:
        found = submission.read(file)
    except submission.Unsound as unsound:
        return Row(file=str(file), agrees=False, remarks=str(unsound))
    with tempfile.TemporaryDirectory(prefix="lab-verify-", ignore_cleanup_errors=True) as folder:
        home = Home(Path(folder))
        try:
            return _replayed(file, found, home, grade)
        except LabError as broken:
            return Row(**_named(file, found), agrees=False, replay="no", remarks=f"{broken.tried}: {broken.happened}")


def _replayed(file: Path, found: Submission, home: Home, grade: Grade) -> Row:
    from simulator import submission
    from simulator.cli import launch

    submission.restore(found, home)
    process, _, _ = launch(["--home", str(home.path), "--port", "0", "--verify"], home)
    try:
        control = client.required(home)
        status = control.get("/_lab/status")
        regraded = grade(control, home)
    finally:
        process.terminate()
        process.wait(30)
    differences = int(status["difference_count"])
    remarks = [*status["differences"], *_other_versions(found, status)]
    walls = bool(status["rehearses"])
    same = _outcome(found.report) == _outcome(regraded)
    if not walls:
        remarks.append("the remediation was not regraded: this machine has no walls for the code in it")
        same = _outcome(found.report)[:-1] == _outcome(regraded)[:-1]
    return Row(
        **_named(file, found),
        agrees=same and walls and not differences,
        replay="no" if differences else "yes",
        grade=("yes" if walls else "answers only") if same else "no",
        regraded=f"{regraded['score']}/{regraded['max_score']}",
        key_used=status["key_used_at"] or "",
        remarks="; ".join(remarks),
    )


def _named(file: Path, found: Submission) -> dict[str, str]:
    told = found.report
    return {
        "file": str(file),
        "name": str(found.manifest.get("name", "")),
        "lab_id": str(found.meta.get("lab_id", "")),
        "seed": str(found.meta.get("seed", "")),
        "file_sound": "yes",
        "chain": "yes",
        "score": f"{told.get('score')}/{told.get('max_score')}",
    }


def _outcome(report: Mapping[str, Any]) -> list[Any]:
    """Return of a report what a regrading must come to as well: every task's status and points."""
    tasks = report.get("tasks")
    listed = tasks if isinstance(tasks, list) else []
    return [tuple(str(task.get(key)) for key in ("id", "status", "score")) for task in listed if isinstance(task, dict)]


def _other_versions(found: Submission, status: Mapping[str, Any]) -> list[str]:
    told = found.manifest.get("versions")
    made = told if isinstance(told, dict) else {}
    return [
        f"made with {name} {made.get(name)}, replayed with {here}"
        for name, here in status["versions"].items()
        if made.get(name) != here
    ]


def _csv(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(asdict(rows[0])), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        # a spreadsheet would take these for formulas
        writer.writerow(
            {key: f"'{text}" if str(text)[:1] in ("=", "+", "-", "@") else text for key, text in asdict(row).items()}
        )
    return out.getvalue()


def _table(rows: list[Row]) -> str:
    columns = ("file", "name", "lab_id", "file_sound", "chain", "replay", "grade", "score", "regraded", "key_used")
    lines = [
        [column.replace("_", " ") for column in columns],
        *([_plain(getattr(row, column)) for column in columns] for row in rows),
    ]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    for index in range(len(rows), 0, -1):
        if rows[index - 1].remarks:
            text.insert(index + 1, f"    {_plain(rows[index - 1].remarks)}")
    return "\n".join(text)


def _plain(text: str) -> str:
    """Return a text without what could move a terminal's cursor: it comes out of a stranger's file."""
    return "".join(character if character.isprintable() else "?" for character in text)[:300]
