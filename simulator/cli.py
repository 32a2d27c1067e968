"""The trainee's commands around a lab: start, stop, reset, status, env, shell, advance, open, rewind, repair.

Results go to stdout, narration to stderr. Nothing here imports moto or boto3: the simulator is a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import webbrowser
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenario.errors import LabError
from simulator import client, environment
from simulator.home import Home, Running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulator.journal import Entry

START_TIMEOUT = 900
"""Seconds that a start may take: long ones have months of ticks to make up for."""

STOP_TIMEOUT = 30
SCENARIO = "lambda-malicious-ip"


class ShellName(StrEnum):
    """The shells that `lab env` writes for."""

    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"
    CMD = "cmd"
    JSON = "json"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]


def register(app: typer.Typer) -> None:
    """Add the room's commands to `app`."""
    app.command()(start)
    app.command()(stop)
    app.command()(reset)
    app.command()(status)
    app.command()(env)
    app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(shell)
    app.command()(advance)
    app.command(name="open")(open_console)
    app.command()(rewind)
    app.command()(repair)


def start(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes any free one.")] = 4566,
    seed: Annotated[str | None, typer.Option(help="Makes this lab's account, address, times and ids.")] = None,
    history: Annotated[str, typer.Option(help="How far in the past the lab begins, such as 40h.")] = "40h",
    ip: Annotated[
        str | None, typer.Option("--ip", help="The address the function calls, instead of the seed's.")
    ] = None,
    foreground: Annotated[bool, typer.Option(help="Stay in this terminal until Ctrl-C.")] = False,
    paused: Annotated[
        bool | None,
        typer.Option("--paused/--no-paused", help="Let lab time stand still, but for 'lab advance', or go on."),
    ] = None,
    hosted: Annotated[bool, typer.Option(help="For more than one person: verify every signature.")] = False,
    as_json: Json = False,
) -> None:
    """Start the lab: no account, no Docker, no internet."""
    home = Home.from_environment()
    running_client = client.alive(home)
    if running_client is not None:
        _say("The lab is running already.", quiet=as_json)
        if paused is not None:
            running_client.post("/_lab/pause", {"paused": paused})
        _print_start(running_client.running, as_json)
        return
    home.prepare()
    hours = duration(history).total_seconds() / 3600
    if not 1 <= hours <= 24 * 30:
        raise LabError(
            "starting a lab", f"a history of {history} is not possible", "Choose one from 1h to 30d.", exit_code=2
        )
    arguments = [
        "--home",
        str(home.path),
        "--port",
        str(port),
        "--history",
        str(hours),
        *(["--seed", seed] if seed else []),
    ]
    arguments += [*(["--ip", ip] if ip else []), *(["--hosted"] if hosted else [])]
    if paused is not None:
        arguments.append("--paused" if paused else "--no-paused")
    _note_existing(home, seed, ip, as_json)
    _say("Starting the lab …", quiet=as_json)
    process, running, notes = launch(arguments, home)
    for note in notes:
        _say(note)
    environment.write_aws_files(home, running)
    _print_start(running, as_json)
    if foreground:
        _wait_for(process)


def stop() -> None:
    """Stop the lab. Its state is kept; 'lab start' goes on from there."""
    home = Home.from_environment()
    try:
        running = client.alive(home)
    except LabError as broken:
        _end_by_force(home, broken)
        return
    if running is None:
        _say("The lab is not running.")
        return
    running.post("/_lab/stop", {})
    _wait_for_end(running.running.pid)
    _say("The lab is stopped. Its state is kept.")


def _wait_for_end(pid: int) -> None:
    end = time.monotonic() + STOP_TIMEOUT
    while _is_running(pid) and time.monotonic() < end:
        time.sleep(0.05)
    if _is_running(pid):
        raise LabError(
            "stopping the lab", f"its process {pid} does not end", "End it by hand; nothing acknowledged is lost."
        )


def _end_by_force(home: Home, broken: LabError) -> None:
    """End a simulator that cannot be talked to: it hangs, or its server.json is damaged or of another version of the kit."""
    pid = home.pid()
    _say(f"{broken.tried[0].upper()}{broken.tried[1:]}: {broken.happened}.")
    if pid is None or not _is_simulator(pid):
        home.forget_running()
        _say("No simulator was found by it. Its state is kept; 'lab start' goes on from there.")
        return
    os.kill(pid, signal.SIGTERM)
    try:
        _wait_for_end(pid)
    except LabError:
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        _wait_for_end(pid)
    home.forget_running()
    _say(f"The lab's process {pid} is ended. What was acknowledged is kept.")


def _is_simulator(pid: int) -> bool:
    """Return whether a process is one of ours: the number may have gone to another program meanwhile."""
    if not _is_running(pid):
        return False
    if sys.platform == "win32":
        asked = [
            "powershell",
            "-NoProfile",
            "-Command",
            f"(Get-CimInstance Win32_Process -Filter 'ProcessId={pid}').CommandLine",
        ]
    else:
        asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    return "simulator.server" in told


def reset(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1.")] = 4566,
    seed: Annotated[str | None, typer.Option(help="Another seed; the same one without.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Start the lab anew from the beginning, with the same seed. What was done in it is gone."""
    from simulator import mending
    from simulator.journal import files_of

    home = Home.from_environment()
    if not yes and sys.stdin.isatty():
        typer.confirm("Everything done in this lab will be gone. Go on?", abort=True, err=True)
    hosted = False
    if home.server_file.exists():
        try:
            running = client.alive(home)
        except LabError:
            running = None
        if running is not None:
            port, hosted = int(running.running.endpoint_url.rpartition(":")[2]), running.running.hosted
        stop()
    try:
        known = _meta(home)
    except LabError as broken:
        _say(f"{broken.tried[0].upper()}{broken.tried[1:]}: {broken.happened}. It is kept beside the new lab.")
        known = {}
    damaged = not known and home.journal.exists()
    moved = mending.set_aside(home, mending.DAMAGED if damaged else mending.KEPT)
    try:
        start(
            port=port,
            seed=seed or known.get("seed"),
            history=f"{float(known.get('history', '40')):g}h",
            ip=known.get("ip"),
            foreground=False,
            hosted=hosted,
            as_json=as_json,
        )
    except BaseException:
        for file in files_of(home.journal) if moved else ():
            file.unlink()
        for was, now in moved:
            now.replace(was)
        raise
    for _, now in () if damaged else moved:
        now.unlink()


def rewind(
    moment: Annotated[
        str | None,
        typer.Argument(
            metavar="TIME|SEQ",
            help="A lab time such as 2026-11-24T10:20:00Z, 30m before the end, or an entry's number.",
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the lab back that was there before the last rewind.")
    ] = False,
) -> None:
    """Branch the lab at an earlier moment. The lab as it was is kept; 'lab start' opens the branch."""
    from simulator import mending

    home = Home.from_environment()
    if undo == (moment is not None):
        raise LabError("rewinding the lab", "give a moment or --undo", "Such as 'lab rewind 30m'.", exit_code=2)
    if client.alive(home) is not None:
        stop()
    if undo:
        branch = mending.undo(home)
        _say(
            f"The lab is what it was before the last rewind. The branch is kept as {branch}. 'lab start' opens the lab."
        )
        return
    cut = mending.rewind(home, _until(home, moment or ""))
    typer.echo(f"The lab is at entry {cut.seq} of {cut.entries}, {cut.lab_time}.")
    _say(
        f"The lab as it was is kept as {cut.kept}; 'lab rewind --undo' takes it back.\n"
        "'lab start' opens the branch and lets its time go on to now; 'lab start --paused' stays at that moment."
    )


def repair() -> None:
    """Recover a damaged lab up to the first bad entry of its journal. The damaged file is kept."""
    from simulator import mending

    home = Home.from_environment()
    if home.server_file.exists() and client.alive(home) is not None:
        raise LabError("repairing the journal", "the lab is running on it", "Run 'lab stop' first.", exit_code=2)
    cut = mending.repair(home)
    if cut is None:
        typer.echo("The journal is sound; nothing was changed.")
        return
    typer.echo(f"The lab is recovered up to entry {cut.seq}, {cut.lab_time}: {cut.why}.")
    _say(f"The damaged file is kept as {cut.kept}. 'lab start' goes on with what is recovered.")


def _until(home: Home, text: str) -> Callable[[Entry], bool]:
    """Return which entries are not after the moment that `text` names."""
    from datetime import UTC, datetime

    if text.isdigit():
        return lambda entry: entry.seq <= int(text)
    if "T" in text or "-" in text:
        try:
            given = datetime.fromisoformat(text)
        except ValueError as none:
            raise LabError(
                f"reading the time {text!r}", "it is none", "Write it like 2026-11-24T10:20:00Z.", exit_code=2
            ) from none
        end = (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp() * 1000
        return lambda entry: entry.at <= end
    back = duration(text)
    from simulator.journal import Journal

    journal = Journal.open(home.journal)
    latest = max((entry.at for entry in journal.entries()), default=0)
    journal.close()
    before = latest - back.total_seconds() * 1000
    return lambda entry: entry.at <= before


def status(as_json: Json = False) -> None:
    """Tell whether the lab runs, its time, findings and tasks passed."""
    home = Home.from_environment()
    running = client.alive(home)
    told: dict[str, Any] = {"running": running is not None, "home": str(home.path)}
    if running is not None:
        answer = running.get("/_lab/status")
        statuses = (answer.pop("last_attempt") or {"statuses": {}})["statuses"]
        told |= {
            **answer,
            "endpoint_url": running.running.endpoint_url,
            "tasks": statuses,
            "tasks_passed": sum(status == "passed" for status in statuses.values()),
        }
    if as_json:
        typer.echo(json.dumps(told))
    elif running is None:
        typer.echo("The lab is not running. 'lab start' starts it.")
    else:
        typer.echo(
            f"The lab {told['lab_id']} runs at {told['endpoint_url']} (account {told['account_id']}, {told['region']}).\n"
            f"Lab time  {told['lab_time']}\n"
            f"Findings  {told['finding_count']} current\n"
            f"Tasks     {told['tasks_passed']} passed at the last 'lab check'"
        )
        for difference in told["differences"]:
            _say(f"Replay: {difference}")


def env(
    shell: Annotated[ShellName | None, typer.Option(help="The language to write; guessed without.")] = None,
) -> None:
    """Print what to paste so that AWS clients here reach the lab."""
    home = Home.from_environment()
    running = client.required(home).running
    variables = environment.lab_variables(home, running)
    chosen = shell.value if shell else ("powershell" if sys.platform == "win32" else "sh")
    if chosen == "json":
        typer.echo(json.dumps(variables))
        return
    typer.echo(environment.assignments(variables, environment.hostile(os.environ), chosen))  # type: ignore[arg-type]


def shell(
    command: Annotated[
        list[str] | None, typer.Argument(help="One command to run instead of a shell, after --.")
    ] = None,
) -> None:
    """Open a shell, or run a command, that reaches only the lab."""
    home = Home.from_environment()
    running = client.required(home).running
    environment.write_aws_files(home, running)
    if command:
        env_of = environment.isolated(os.environ, home, running)
        raise typer.Exit(_run(command, env_of))
    _say("A shell in the lab; 'exit' leaves it. What you type with aws goes to the lab and nowhere else.")
    arguments, env_of = environment.interactive(home, running, os.environ)
    raise typer.Exit(_run(arguments, env_of))


def advance(
    duration_text: Annotated[str, typer.Argument(metavar="DURATION", help="Such as 30m, 2h or 1d.")],
    as_json: Json = False,
) -> None:
    """Move lab time on. What becomes due on the way runs."""
    by = duration(duration_text)
    answer = client.required(Home.from_environment()).post("/_lab/advance", {"seconds": by.total_seconds()})
    typer.echo(json.dumps(answer) if as_json else f"Lab time is {answer['lab_time']}.")


def open_console() -> None:
    """Open the lab's console in a browser."""
    running = client.required(Home.from_environment()).running
    typer.echo(running.console_url)
    if not webbrowser.open(running.console_url):
        _say("No browser could be opened here; open that address yourself.")


def duration(text: str) -> Any:
    """Return the timedelta that `text` spells, such as 90s, 30m, 2h, 1d or 1h30m. Raises LabError (bad usage)."""
    import re
    from datetime import timedelta

    found = re.fullmatch(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,7})s)?", text.strip().lower())
    if not text.strip() or found is None or not any(found.groups()):
        raise LabError(f"reading the duration {text!r}", "it is none", "Write it like 30m, 2h or 1d.", exit_code=2)
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    by = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not by:
        raise LabError(
            f"reading the duration {text!r}", "it is no time at all", "Write it like 30m, 2h or 1d.", exit_code=2
        )
    return by


def launch(arguments: Sequence[str], home: Home) -> tuple[subprocess.Popen[str], Running, list[str]]:
    """Start the simulator as a process of its own; return it once it serves, how to reach it, and what it notes of itself.

    Raises LabError where it does not come to serve.
    """
    flags: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    errors = home.path / "server.err"
    with errors.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "simulator.server", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=Path(__file__).parent.parent,
            # sets of texts have an order that differs from process to process; a replay has to find the same
            env={**os.environ, "PYTHONHASHSEED": "0"},
            **flags,
        )
    try:
        line = _first_line(process)
    except KeyboardInterrupt:
        process.terminate()
        raise
    told = _json_of(line)
    if "ready" in told:
        return process, Running.from_json(told["ready"]), list(told.get("notes", ()))
    if process.poll() is None:
        process.terminate()
    process.wait(10)
    error = told.get("error") or {
        "tried": "starting the simulator",
        "happened": _last_line(errors) or f"its process ended with code {process.returncode}",
        "try_next": f"See {home.log} and {errors}; 'lab doctor' may tell more.",
    }
    raise LabError(error["tried"], error["happened"], error["try_next"], exit_code=error.get("exit_code", 3))


def _first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line that a process writes, or nothing once it has ended, whoever else still holds its pipe."""
    assert process.stdout is not None
    stdout, lines = process.stdout, []
    reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
    reader.start()
    end = time.monotonic() + START_TIMEOUT
    while reader.is_alive() and process.poll() is None and time.monotonic() < end:
        reader.join(0.05)
    reader.join(1)  # what it wrote last may still be on its way
    return lines[0] if lines else ""


def _json_of(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _wait_for(process: subprocess.Popen[str]) -> None:
    _say("Ctrl-C stops the lab.")
    try:
        process.wait()
    except KeyboardInterrupt:
        stop()
        raise


def _run(arguments: Sequence[str], env_of: dict[str, str]) -> int:
    # looked up where the lab's own programs are first: a system may look in this process's path instead
    program = shutil.which(arguments[0], path=env_of.get("PATH")) or arguments[0]
    try:
        return subprocess.run([program, *arguments[1:]], env=env_of, check=False).returncode
    except OSError as failure:
        raise LabError(
            f"running {arguments[0]}", str(failure.strerror), "Check the command's name.", exit_code=2
        ) from failure


def _print_start(running: Running, as_json: bool) -> None:
    if as_json:
        told = asdict(running)
        for name in list(told):
            if name in ("token", "seed", "ip") or name.startswith(("check_", "owner_")):
                del told[name]
        typer.echo(json.dumps({**told, "console_url": running.console_url}))
        return
    from scenario.load import load

    scenario = load(running.scenario, tasks_only=True)
    typer.echo(
        f"\n{scenario.assignment.strip()}\n\n"
        f"  Endpoint  {running.endpoint_url}\n"
        f"  Account   {running.account_id} ({running.region})\n"
        f"  Console   {running.console_url}\n\n"
        f"Next:\n"
        f"  lab shell    a shell in which aws reaches this lab and nothing else\n"
        f"  lab guide    what to do, step by step\n"
        f"  lab check    have your answers and your fix graded\n"
    )


def _note_existing(home: Home, seed: str | None, ip: str | None, quiet: bool) -> None:
    """Say so where the lab that is here is another one than was asked for: it goes on, and nothing of it is lost."""
    known = _meta(home)
    if known and ((seed and seed != known.get("seed")) or (ip and ip != known.get("ip"))):
        raise LabError(
            "starting a lab with another seed or address",
            f"{home.path} holds a lab already",
            "Run 'lab reset --seed …' to replace it, or set LAB_HOME to another folder.",
            exit_code=2,
        )
    if known:
        _say("Going on with the lab that is here; 'lab reset' starts it anew.", quiet=quiet)


def _meta(home: Home) -> dict[str, str]:
    """Return what the journal that is here says of its lab; empty where there is none. No simulator may run on it."""
    if not home.journal.exists():
        return {}
    from simulator.journal import Journal

    journal = Journal.open(home.journal)
    meta = journal.meta()
    journal.close()
    return meta if meta.get("ready") == "yes" else {}


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":
        listed = subprocess.run(
            ["tasklist", "/FI", f"PID eq {pid}", "/NH"], capture_output=True, text=True, check=False
        )
        return str(pid) in listed.stdout
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended and only waits to be collected, as a foreground lab's child does."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False


def _last_line(path: Path) -> str:
    lines = path.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""


def _say(text: str, *, quiet: bool = False) -> None:
    if not quiet:
        typer.echo(text, err=True)
