"""The `lab` command: composes the rooms and is the only module that knows all of them.

A room gives its commands as a typer app or registers them; what they need of another room (the simulator's control API for the
checker, a session factory for the templates) is handed to them here. Slow imports happen inside commands.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
import typer.core

import checker.cli
import scenario.cli
import simulator.cli
import simulator.verifying
import templates.cli
from scenario.errors import LabError
from simulator import client, environment
from simulator.home import Home, Running

if TYPE_CHECKING:
    from checker.worlds import Foresight, Memory, Outlook, World
    from simulator.client import ControlClient
    from simulator.inprocess import LabHere
    from templates.deploy import Connect, Credentials
    from templates.preflight import Check

SCENARIO = "lambda-malicious-ip"
TRIAL_HISTORY = timedelta(hours=2)
"""How much history the labs have that fixes are tried in: enough for everything to be there."""


class Asked(Protocol):
    """A lab's control API: a running simulator's, or that of a lab in this process."""

    @property
    def running(self) -> Running:
        """How the lab is reached."""

    def get(self, path: str) -> Any:
        """Return what GET `path` answers. Raises LabError."""

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return what POST `path` answers. Raises LabError."""


class SimulatorWorld:
    """A lab in the simulator, for the checker: AWS through boto3, the rest through the control API."""

    target = "simulator"
    trainee = "Participant"

    def __init__(self, control: Asked, clients: Callable[[str], Any]) -> None:
        self._control = control
        self._clients = clients
        self.lab_id = control.running.lab_id

    def client(self, service: str) -> Any:
        """Return a boto3 client that signs as the checker's own session."""
        return self._clients(service)

    def now(self) -> datetime:
        """Return lab time."""
        told = self._control.get("/_lab/status")["lab_time"]
        return datetime.strptime(told, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)

    @property
    def foresight(self) -> Foresight:
        """What the simulator sees coming."""
        return self

    @property
    def memory(self) -> Memory:
        """What the lab's journal keeps of earlier checks."""
        return self

    def look_ahead(self, hours: float, known: Collection[str]) -> Outlook:
        """Return what would happen next, were nothing changed."""
        from checker.worlds import NextConnection, Outlook

        told = self._control.post("/_lab/look-ahead", {"hours": hours, "addresses": sorted(known)})
        return Outlook(
            until=_moment(told["until"]),
            determinable=told["determinable"],
            why=tuple(told["why"]),
            invocations=told["invocations"],
            connections=tuple(
                NextConnection(**{**connection, "at": _moment(connection["at"])}) for connection in told["connections"]
            ),
        )

    def answers(self) -> Mapping[str, str]:
        """Return the remembered answers by task."""
        return dict(self._control.get("/_lab/answers"))

    def remember(self, task: str, text: str) -> None:
        """Keep an answer."""
        self._control.post("/_lab/answers", {"task": task, "text": text})

    def attempts(self) -> Sequence[Mapping[str, Any]]:
        """Return the checks so far, oldest first."""
        return list(self._control.get("/_lab/attempts"))

    def record(self, attempt: Mapping[str, Any]) -> None:
        """Keep a finished check."""
        self._control.post("/_lab/attempts", dict(attempt))

    def hints_taken(self, task: str) -> int:
        """Return how many hints of a task were shown."""
        return int(self._control.get("/_lab/hints").get(task, 0))

    def take_hint(self, task: str) -> int:
        """Count one more hint and return how many that makes."""
        return int(self._control.post("/_lab/hints", {"task": task})["taken"])

    def key_used_at(self) -> str | None:
        """Return when the instructor's key was first printed."""
        told: str | None = self._control.get("/_lab/key")["used_at"]
        return told


def world_of(target: str) -> World:
    """Return the lab of a target, for the checker. Raises LabError where there is none."""
    home = Home.from_environment()
    if target == "simulator":
        control = client.required(home)
        _stay_in_the_lab(home, control.running)
        return SimulatorWorld(control, _checkers_clients(control.running))
    from botocore.exceptions import BotoCoreError, ClientError

    from templates.reach import unreached

    try:
        return _cloud_world(target, home)
    except (BotoCoreError, ClientError) as error:
        raise unreached(target, error) from error


def _cloud_world(target: str, home: Home) -> World:
    """Return the lab in an account or on an emulator. Raises botocore's errors where it is out of reach."""
    from checker.cloud import CloudWorld

    session = _session_factory(target)(None)
    if target != "localstack":
        return CloudWorld(target=target, session=session, folder=home.path / "targets")
    from templates.localstack import absent
    from templates.options import Options
    from templates.outcome import made
    from templates.preflight import LACKS

    def seen() -> str:
        alone = Options().without(("guardduty", "config", "cloudtrail"))
        return "; ".join(f"{check.name}: {check.found.rstrip('.')}" for check in made(session, alone))

    lacking = {service: LACKS[service].name for service in absent(session)}
    return CloudWorld(target=target, session=session, folder=home.path / "targets", lacking=lacking, seen=seen)


def _checkers_clients(running: Running) -> Callable[[str], Any]:
    """Return what makes clients that sign as the checker's own session."""
    import boto3
    from botocore.config import Config

    from checker.worlds import user_agent

    session = boto3.session.Session(
        aws_access_key_id=running.check_access_key_id,
        aws_secret_access_key=running.check_secret_access_key,
        aws_session_token=running.check_session_token,
        region_name=running.region,
    )
    config = Config(user_agent_extra=user_agent(), proxies={}, retries={"total_max_attempts": 2}, read_timeout=60)
    return lambda service: session.client(service, endpoint_url=running.endpoint_url, config=config)


def connect(target: templates.cli.Target) -> Connect:
    """Return the session factory of a target, for the instructor's commands."""
    return _session_factory(target.value)


def _session_factory(target: str) -> Connect:
    import boto3

    from templates.deploy import Credentials

    def keys(credentials: Credentials | None) -> dict[str, str]:
        if credentials is None:
            return {}
        return {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.session_token,
        }

    if target == "aws":
        from templates.reach import region_set

        return lambda credentials: boto3.session.Session(**keys(credentials), region_name=region_set())
    if target == "localstack":
        from templates import localstack

        return localstack.connect
    home = Home.from_environment()
    running = client.required(home).running
    _stay_in_the_lab(home, running)
    owner = Credentials(
        access_key_id=running.owner_access_key_id,
        secret_access_key=running.owner_secret_access_key,
        session_token=running.owner_session_token,
    )
    return lambda credentials: boto3.session.Session(**keys(credentials or owner), region_name=running.region)


def _stay_in_the_lab(home: Home, running: Running) -> None:
    """Let nothing that is set outside lead this process elsewhere: no profile, no proxy, no endpoint of a single service."""
    for name in environment.hostile(os.environ):
        del os.environ[name]
    os.environ.update(environment.lab_variables(home, running))


def seed_of(target: templates.cli.Target) -> tuple[str, str | None] | None:
    """Return the seed of the lab that runs in the simulator and the address chosen for it, None elsewhere."""
    running = client.alive(Home.from_environment()) if target is templates.cli.Target.SIMULATOR else None
    return (running.running.seed, running.running.ip) if running else None


def further(target: templates.cli.Target) -> list[Check]:
    """Return what the doctor looks at beside a world's account: this machine, this installation, the running lab."""
    from simulator.doctor import machine, replay
    from templates.preflight import Check

    rows = [*machine(), *(replay(Home.from_environment()) if target is templates.cli.Target.SIMULATOR else ())]
    return [Check(name=row.name, state=row.state, found=row.found, advice=row.advice) for row in rows]


class TrialBench:
    """A lab in this process that a trial plays in (implements `scenario.stage.Bench`)."""

    def __init__(self, here: LabHere) -> None:
        from checker.worlds import user_agent

        self.here = here
        self.client = here.client
        self.advance = here.advance
        agent = user_agent()
        self.world: World = SimulatorWorld(here, lambda service: here.client(service, "check_", agent))

    def check(self) -> Mapping[str, Any]:
        """Check the lab and return the report."""
        from checker.cli import Format, run

        report: Mapping[str, Any] = json.loads(run(self.world, format=Format.JSON)[1])
        return report


@contextmanager
def benches(scenario_id: str, seed: str) -> Iterator[Callable[[], AbstractContextManager[TrialBench]]]:
    """Return what opens a fresh lab of a seed as often as it is called, one at a time. The history is made once."""
    from simulator.inprocess import Mould

    with tempfile.TemporaryDirectory(prefix="lab-trial-", ignore_cleanup_errors=True) as folder:
        mould = Mould(Path(folder), scenario_id, seed, TRIAL_HISTORY)

        @contextmanager
        def opened() -> Iterator[TrialBench]:
            with mould.copy() as here:
                yield TrialBench(here)

        yield opened


def graded(control: ControlClient, home: Home) -> Mapping[str, Any]:
    """Check the lab that runs on `home` and return the report."""
    from checker.cli import Format, run

    _stay_in_the_lab(home, control.running)
    world = SimulatorWorld(control, _checkers_clients(control.running))
    report: Mapping[str, Any] = json.loads(run(world, format=Format.JSON)[1])
    return report


app = typer.Typer(
    help="An offline AWS with a real incident in it: investigate, stop it, and have it graded.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
simulator.cli.register(app)
app.add_typer(checker.cli.build(world_of))
app.add_typer(simulator.verifying.commands(graded))
app.add_typer(templates.cli.commands(connect, seed_of, further))
app.add_typer(scenario.cli.commands(benches), name="scenario", help="For authors: look at a scenario and lint it.")


@app.command()
def answers(
    seed: Annotated[str | None, typer.Option(help="Of this seed, without a running lab.")] = None,
    ip: Annotated[str | None, typer.Option("--ip", help="The address, where one was chosen.")] = None,
) -> None:
    """Print the instructor's key of a lab. That it was used is recorded and shows in reports."""
    from scenario.load import load
    from scenario.steps import fill
    from scenario.variant import variant

    if seed is None:
        control = client.required(Home.from_environment())
        seed, ip = control.running.seed, control.running.ip
        control.post("/_lab/key", {})
    found = load(SCENARIO, tasks_only=True)
    values = variant(found, seed, ip).values
    for task in found.tasks:
        typer.echo(f"{task.id:14} {fill(task.key, values)}")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 done or passed, 1 not passed, 2 bad usage, 3 environment broken, 130 interrupted."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    raise SystemExit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    _read_plainly()
    command = typer.main.get_command(app)
    try:
        result = command.main(arguments, prog_name="lab", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return _told_by_click(error)


class _Plain:
    """Reads an option of a plain type without what typer would import for it: that costs as much as half of `lab check`."""

    def __init__(self, descriptor: Any, thorough: Callable[[Any], Any]) -> None:
        self._descriptor = descriptor
        self._thorough = thorough

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return the value that a text means; whatever is not plain, or wrong, is left to typer and its words."""
        wanted = self._descriptor.annotation
        if not param.multiple and param.nargs == 1:
            if value is None or (wanted is str and type(value) is str):
                return value
            if isinstance(wanted, type) and issubclass(wanted, Enum):
                if isinstance(value, wanted):
                    return value
                if value in [member.value for member in wanted]:
                    return wanted(value)
            if wanted is int and (number := _number(value, self._descriptor.parameter_info)) is not None:
                return number
        return self._thorough(self._descriptor).coerce(value, param=param, ctx=ctx)


def _number(value: Any, asked: Any) -> int | None:
    """Return the number that a value means, where it is one in plain digits and within its option's bounds."""
    if type(value) is str and value.isascii() and value.isdecimal():
        value = int(value)
    if type(value) is not int:
        return None
    within = (asked.min is None or value >= asked.min) and (asked.max is None or value <= asked.max)
    return value if within else None


def _read_plainly() -> None:
    """Have options read by `_Plain`, where typer is of the kind that reads them by pydantic."""
    thorough = getattr(typer.core, "build_runtime_param", None)
    if thorough is not None:
        vars(typer.core)["build_runtime_param"] = lambda descriptor: _Plain(descriptor, thorough)


def _told_by_click(error: Exception) -> int:
    """Return the exit code of an error of the command line's library, after showing it; others are raised again."""
    if type(error).__name__ == "Abort":
        print("lab: interrupted", file=sys.stderr)
        return 130
    if hasattr(error, "show") and hasattr(error, "exit_code"):
        error.show()
        return int(error.exit_code)
    if type(error).__module__.startswith("botocore"):
        print(f"lab: asking AWS: {error}. Check that the lab runs ('lab status') and try again.", file=sys.stderr)
        return 3
    print(f"lab: this is a defect of the kit: {type(error).__name__}: {error}. {_crash_report(error)}", file=sys.stderr)
    return 3


def _crash_report(error: Exception) -> str:
    """Write what a maintainer needs of a defect into LAB_HOME and return a sentence that says where it is."""
    path = Home.from_environment().path / "crash.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), "utf-8")
    except OSError:
        return "Please report it with the command that you typed."
    return f"Please report it with {path}."


if __name__ == "__main__":
    main()
