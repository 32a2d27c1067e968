"""The trainee's commands around a running lab: start, stop, reset, status, env, shell, advance, open.

Results go to stdout, narration to stderr. Nothing here imports moto or boto3: the simulator is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
    from collections.abc import Sequence

START_TIMEOUT = 180
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


def start(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes any free one.")] = 4566,
    seed: Annotated[str | None, typer.Option(help="Makes this lab's account, address, times and ids.")] = None,
    history: Annotated[str, typer.Option(help="How far in the past the lab begins, such as 40h.")] = "40h",
    ip: Annotated[
        str | None, typer.Option("--ip", help="The address the function calls, instead of the seed's.")
    ] = None,
    foreground: Annotated[bool, typer.Option(help="Stay in this terminal until Ctrl-C.")] = False,
    paused: Annotated[bool, typer.Option(help="Let lab time stand still, except for 'lab advance'.")] = False,
    hosted: Annotated[bool, typer.Option(help="For more than one person: verify every signature.")] = False,
    as_json: Json = False,
) -> None:
    """Start the lab on this machine: no account, no Docker, no internet."""
    home = Home.from_environment()
    running_client = client.alive(home)
    if running_client is not None:
        _say("The lab is running already.", quiet=as_json)
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
    arguments += [*(["--ip", ip] if ip else []), *(["--paused"] if paused else []), *(["--hosted"] if hosted else [])]
    _note_existing(home, seed, ip, as_json)
    _say("Starting the lab …", quiet=as_json)
    process, running = _launch(arguments, home)
    environment.write_aws_files(home, running)
    _print_start(running, as_json)
    if foreground:
        _wait_for(process)


def stop() -> None:
    """Stop the lab. Its state is kept; 'lab start' goes on from there."""
    home = Home.from_environment()
    running = client.alive(home)
    if running is None:
        _say("The lab is not running.")
        return
    running.post("/_lab/stop", {})
    end = time.monotonic() + 30
    while _is_running(running.running.pid) and time.monotonic() < end:
        time.sleep(0.05)
    if _is_running(running.running.pid):
        raise LabError(
            "stopping the lab",
            f"its process {running.running.pid} does not end",
            "End it by hand; nothing acknowledged is lost.",
        )
    _say("The lab is stopped. Its state is kept.")


def reset(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1.")] = 4566,
    seed: Annotated[str | None, typer.Option(help="Another seed; the same one without.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Start the lab anew from the beginning, with the same seed. What was done in it is gone."""
    home = Home.from_environment()
    known = _meta(home)
    if not yes and sys.stdin.isatty():
        typer.confirm("Everything done in this lab will be gone. Go on?", abort=True, err=True)
    running = client.alive(home)
    if running is not None:
        port = int(running.running.endpoint_url.rpartition(":")[2])
        stop()
    for leftover in home.path.glob("journal.db*"):
        leftover.unlink()
    start(
        port=port,
        seed=seed or known.get("seed"),
        history=f"{float(known.get('history', '40')):g}h",
        ip=known.get("ip"),
        foreground=False,
        as_json=as_json,
    )


def status(as_json: Json = False) -> None:
    """Say whether the lab runs, its time, its findings and the tasks passed."""
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
    """Print what to paste so that AWS clients in this terminal reach the lab."""
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
    """Open a shell, or run one command, that can reach nothing but the lab."""
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


def _launch(arguments: Sequence[str], home: Home) -> tuple[subprocess.Popen[str], Running]:
    """Start the simulator as a process of its own and return it once it serves. Raises LabError where it does not."""
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
            **flags,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    told = json.loads(line) if line.startswith("{") else {}
    if "ready" in told:
        return process, Running(**told["ready"])
    process.wait(10)
    error = told.get("error") or {
        "tried": "starting the simulator",
        "happened": _last_line(errors) or f"its process ended with code {process.returncode}",
        "try_next": f"See {home.log} and {errors}; 'lab doctor' may tell more.",
    }
    raise LabError(error["tried"], error["happened"], error["try_next"], exit_code=error.get("exit_code", 3))


def _wait_for(process: subprocess.Popen[str]) -> None:
    _say("Ctrl-C stops the lab.")
    try:
        process.wait()
    except KeyboardInterrupt:
        stop()
        raise


def _run(arguments: Sequence[str], env_of: dict[str, str]) -> int:
    try:
        return subprocess.run(arguments, env=env_of, check=False).returncode
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
    """Return what the journal that is here says of its lab; empty where there is none. Reads while a simulator runs, too."""
    running = home.running() if home.server_file.exists() else None
    if running is not None:
        return {"seed": running.seed, **({"ip": running.ip} if running.ip else {})}
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
