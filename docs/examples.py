"""What the documentation shows is printed by the lab itself: cog calls these when the pages are written and when they are checked.

One lab is started for all of them, on its own LAB_HOME and a free port, and stopped at the end. What differs from one start to
the next (times, ids that encode a time, the port) is replaced by what it stands for.
"""

import atexit
import functools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SEED = "readme"
_BIN = Path(sys.executable).parent
_VOLATILE = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:4566"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), "2026-11-24T10:20:00Z"),
    (re.compile(r"\b[0-9]{10}\.[0-9]+\b"), "1795515600.0"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "0123456789abcdef0123456789abcdef"),
    (
        re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
        "01234567-89ab-4cde-8f01-23456789abcd",
    ),
)


@functools.cache
def _home() -> str:
    folder = tempfile.TemporaryDirectory(prefix="lab-docs-")
    atexit.register(folder.cleanup)
    atexit.register(lambda: _lab("stop", home=folder.name))
    _lab("start", "--port", "0", "--seed", SEED, home=folder.name)
    return folder.name


def _lab(*arguments: str, home: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"LAB_HOME": home, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        [str(_BIN / "lab"), *arguments], env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@functools.cache
def detector() -> str:
    """Return the lab's detector id."""
    return _run("aws guardduty list-detectors --query DetectorIds[0] --output text").strip()


@functools.cache
def finding() -> str:
    """Return the id of the finding that the lab is about."""
    criteria = '"Criterion={resource.resourceType={Equals=[Lambda]}}"'
    ids = f"aws guardduty list-findings --detector-id {detector()} --finding-criteria {criteria} --query FindingIds[0] --output text"
    return _run(ids).strip()


def _run(command: str) -> str:
    import shlex

    words = shlex.split(command)
    done = _lab(*(words[1:] if words[0] == "lab" else ["shell", "--", *words]), home=_home())
    return done.stdout + (done.stderr if done.returncode > 1 else "")


def show(command: str, lines: int | None = None) -> str:
    """Return a Markdown block with a command and what it prints, the first `lines` of it.

    DETECTOR, FINDING and ADDRESS in the command stand for the lab's own values, in what is run and not in what is shown.
    """
    ran = command
    for word, value in (("DETECTOR", detector), ("FINDING", finding), ("ADDRESS", _address)):
        if word in ran:
            ran = ran.replace(word, value())
    printed = _run(ran).rstrip()
    for pattern, instead in _VOLATILE:
        printed = pattern.sub(instead, printed)
    shown = printed.splitlines()
    if lines is not None and len(shown) > lines:
        shown = [*shown[:lines], "..."]
    return "\n".join(["```text", f"$ {command}", *shown, "```"])


@functools.cache
def _address() -> str:
    path = "Findings[0].Service.Action.NetworkConnectionAction.RemoteIpDetails.IpAddressV4"
    return _run(
        f"aws guardduty get-findings --detector-id {detector()} --finding-ids {finding()} --query {path} --output text"
    ).strip()


def commands() -> str:
    """Return a table of every command of `lab` and its one-line help."""
    import typer

    from lab import app

    group = typer.main.get_command(app)
    rows = ["| command | what it does |", "|---|---|"]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        rows.append(f"| `lab {name}` | {command.get_short_help_str(200)} |")
    return "\n".join(rows)
