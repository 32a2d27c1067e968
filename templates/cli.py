"""The instructor's commands: lab template, deploy, destroy and doctor. Results on stdout, narration on stderr.

What is slow to import (troposphere, botocore) is imported inside the commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from scenario.errors import LabError

if TYPE_CHECKING:
    from templates.deploy import Action, Connect
    from templates.options import Options
    from templates.preflight import Check, Identity

SCENARIO = "lambda-malicious-ip"


class Target(StrEnum):
    """The worlds that a lab runs in."""

    SIMULATOR = "simulator"
    LOCALSTACK = "localstack"
    AWS = "aws"


class Part(StrEnum):
    """The stacks of a deployment, in order."""

    BOOTSTRAP = "bootstrap"
    BASELINE = "baseline"
    WORKLOAD = "workload"
    DETECTION = "detection"


class Format(StrEnum):
    """The languages of CloudFormation templates."""

    YAML = "yaml"
    JSON = "json"


Prefix = Annotated[str, typer.Option("--name-prefix", help="Put before every name: several labs in one account.")]
Detector = Annotated[str | None, typer.Option("--detector", help="Use this GuardDuty detector, make none.")]
GuardDuty = Annotated[bool, typer.Option("--guardduty/--no-guardduty", help="Without: no detector, no threat list.")]
Recorder = Annotated[bool, typer.Option("--recorder/--no-recorder", help="Set up AWS Config, or leave it as it is.")]
Trail = Annotated[bool, typer.Option("--trail/--no-trail", help="Make a CloudTrail trail, or none.")]
World = Annotated[Target, typer.Option("--target", help="Where.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask. In a real account it needs --account as well.")]
Account = Annotated[str | None, typer.Option("--account", help="The account that it must be.")]


def commands(
    connect: Callable[[Target], Connect],
    seed_of: Callable[[Target], tuple[str, str | None] | None],
    further: Callable[[Target], Iterable[Check]] = lambda _: (),
) -> typer.Typer:
    """Return the room's commands.

    `connect` reaches a world, raising LabError where it is not there. `seed_of` is the seed of a lab that
    runs in it and the address that was chosen for it, if any. `further` is what other rooms add to the doctor's checks of a world.
    """
    app = typer.Typer()

    @app.command()
    def template(
        name: Annotated[Part | None, typer.Argument(help="One stack; all of them without.")] = None,
        form: Annotated[Format, typer.Option("--format", help="The template's language.")] = Format.YAML,
        name_prefix: Prefix = "",
        detector: Detector = None,
        guardduty: GuardDuty = True,
        recorder: Recorder = True,
        trail: Trail = True,
    ) -> None:
        """Print the CloudFormation of the lab."""
        typer.echo(print_templates(name, form, _options(name_prefix, detector, guardduty, recorder, trail)))

    @app.command()
    def deploy(
        target: World = Target.SIMULATOR,
        seed: Annotated[
            str | None, typer.Option(help="Makes this lab's address and list; the account without.")
        ] = None,
        ip: Annotated[
            str | None, typer.Option("--ip", help="The address to call: in a real account, one you own.")
        ] = None,
        name_prefix: Prefix = "",
        detector: Detector = None,
        guardduty: GuardDuty = True,
        recorder: Recorder = True,
        trail: Trail = True,
        yes: Yes = False,
        account: Account = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, do nothing.")] = False,
    ) -> None:
        """Set the lab up in a world, after showing what will be done."""
        from templates import deploy as deploying
        from templates.outcome import made
        from templates.preflight import identify, names, preflight

        options = _options(name_prefix, detector, guardduty, recorder, trail)
        world = connect(target)
        with _asking(target):
            identity = identify(world(None))
            stacks = deploying.survey(world(None), options)
            lacking = _absent(world, target)
            options = options.without(lacking)
            checks = preflight(world(None), options, stacks, lacking)
        lab_seed, lab_ip = seed_of(target) or (identity.account_id, None)
        actions = _plan(identity, options, stacks, seed or lab_seed, ip or (None if seed else lab_ip))
        _tell(identity, target, checks, actions, dry_run)
        if target is Target.AWS and ip is None:
            typer.echo("Without --ip the function calls a test address, which GuardDuty may not report.", err=True)
        if target is Target.LOCALSTACK:
            typer.echo("Where the emulator runs functions, this one connects from your machine for real.", err=True)
        if dry_run:
            return
        _stop_at_problems(checks)
        _agree(identity, target, yes=yes, account=account)
        deploying.apply(actions, world, say=_narrate)
        _tell_outcome(made(world(None), options))
        lacks = f", without {names(lacking)}" if lacking else ""
        typer.echo(f"The lab is set up in account {identity.account_id}, {identity.region}{lacks}.")

    @app.command()
    def destroy(
        target: World = Target.SIMULATOR,
        name_prefix: Prefix = "",
        yes: Yes = False,
        account: Account = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, do nothing.")] = False,
    ) -> None:
        """Take the lab away: every stack and all that is in its buckets."""
        from templates import deploy as deploying
        from templates.outcome import left
        from templates.preflight import identify

        options = _options(name_prefix)
        world = connect(target)
        with _asking(target):
            identity = identify(world(None))
            stacks = deploying.survey(world(None), options)
        actions = deploying.destroy_plan(identity.account_id, identity.region, options, stacks)
        if not actions:
            typer.echo(f"There is no lab in account {identity.account_id}, {identity.region}.")
            return
        _tell(identity, target, (), actions, dry_run)
        if dry_run:
            return
        _agree(identity, target, yes=yes, account=account)
        deploying.apply(actions, world, say=_narrate)
        with _asking(target):
            stayed = left(world(None), options)
        if stayed:
            raise LabError(
                f"taking the lab away from account {identity.account_id}",
                f"the stacks are gone, and yet there is still the {', the '.join(stayed)}",
                "If it is the lab's, delete it by hand; an emulator that cannot delete it has to be started anew.",
            )
        typer.echo(f"The lab is gone from account {identity.account_id}, {identity.region}.")

    @app.command()
    def doctor(
        target: World = Target.SIMULATOR,
        name_prefix: Prefix = "",
        detector: Detector = None,
        guardduty: GuardDuty = True,
        recorder: Recorder = True,
        trail: Trail = True,
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    ) -> None:
        """Say what a world has, what is missing, and what to do about it. Changes nothing."""
        options = _options(name_prefix, detector, guardduty, recorder, trail)
        checks = (*_world_checks(connect, target, options), *further(target))
        typer.echo(_checks_as_json(target, checks) if as_json else "\n".join(map(_check_line, checks)))
        if any(check.state == "problem" for check in checks):
            raise typer.Exit(3)

    return app


def print_templates(name: Part | None, form: Format, options: Options) -> str:
    """Return one template's text, or all: YAML documents after one another, or one JSON object by part."""
    import json

    from scenario import load
    from templates.build import build

    built = build(load.load(SCENARIO, tasks_only=True), options)
    if name is not None and name.value not in built:
        raise LabError(
            f"printing the template {name.value}",
            "with these options there is nothing in it",
            "Leave out fewer parts.",
            exit_code=2,
        )
    chosen = built if name is None else {name.value: built[name.value]}
    if form is Format.YAML:
        return "---\n".join(each.to_yaml() for each in chosen.values()).rstrip("\n")
    if name is not None:
        return str(chosen[name.value].to_json())
    return json.dumps({part: each.to_dict() for part, each in chosen.items()}, indent=1)


def _options(
    name_prefix: str,
    detector: str | None = None,
    guardduty: bool = True,
    recorder: bool = True,
    trail: bool = True,
) -> Options:
    from templates.options import Options

    return Options(name_prefix=name_prefix, detector_id=detector, guardduty=guardduty, recorder=recorder, trail=trail)


def _absent(world: Connect, target: Target) -> tuple[str, ...]:
    """Return which services an emulator does not have. In a real account one that does not answer is a problem."""
    if target is not Target.LOCALSTACK:
        return ()
    from templates.localstack import absent

    return absent(world(None))


@contextmanager
def _asking(target: Target) -> Iterator[None]:
    """Raise LabError, with what to do, for what botocore raises where a world does not answer, or refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    from templates.reach import unreached

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise unreached(target.value, error) from error


def _plan(
    identity: Identity, options: Options, stacks: dict[str, str], seed: str, ip: str | None
) -> tuple[Action, ...]:
    """Return the plan for the lab of `seed` in this very account and Region."""
    from dataclasses import replace

    from scenario import load
    from scenario.variant import variant
    from templates.deploy import plan

    scenario = load.load(SCENARIO, tasks_only=True)
    values = replace(variant(scenario, seed, ip), account_id=identity.account_id, region=identity.region)
    return plan(scenario, values, options, stacks)


def _tell(
    identity: Identity, target: Target, checks: tuple[Check, ...], actions: tuple[Action, ...], dry_run: bool
) -> None:
    """Show where, what is there, and the plan: on stdout where the plan is the result, on stderr where it is not."""
    from templates.deploy import show

    where = f"{target.value} at {identity.endpoint_url}: account {identity.account_id}, {identity.region}"
    typer.echo(f"{where}, as {identity.arn}", err=True)
    for check in checks:
        typer.echo(_check_line(check), err=True)
    typer.echo(show(actions), err=not dry_run)


def _world_checks(connect: Callable[[Target], Connect], target: Target, options: Options) -> tuple[Check, ...]:
    """Return who one would be in the world and what it has already; a world out of reach is a problem told."""
    from templates.deploy import survey
    from templates.preflight import Check, identify, preflight

    try:
        world = connect(target)
        with _asking(target):
            identity = identify(world(None))
            lacking = _absent(world, target)
            checks = preflight(world(None), options.without(lacking), survey(world(None), options), lacking)
    except LabError as error:
        return (Check(name="reach", state="problem", found=f"{error.tried}: {error.happened}", advice=error.try_next),)
    found = f"{identity.arn} in account {identity.account_id}, {identity.region}, at {identity.endpoint_url}"
    return (Check(name="identity", state="ok", found=found), *checks)


def _check_line(check: Check) -> str:
    return f"  {check.state:7} {check.name}: {check.found.rstrip('.')}. {check.advice}".rstrip()


def _checks_as_json(target: Target, checks: Iterable[Check]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps({"target": target.value, "checks": [asdict(check) for check in checks]}, indent=2)


def _tell_outcome(checks: tuple[Check, ...]) -> None:
    """Show what was made. Raises LabError where something was not, whatever the stacks say."""
    from templates.outcome import ADVICE

    for check in checks:
        typer.echo(_check_line(check), err=True)
    if missing := [check for check in checks if check.state == "problem"]:
        raise LabError(
            "setting the lab up",
            f"its stacks are complete, and yet these are not there or not at work: {', '.join(each.name for each in missing)}",
            ADVICE,
        )


def _stop_at_problems(checks: tuple[Check, ...]) -> None:
    for check in checks:
        if check.state == "problem":
            raise LabError(f"deploying, {check.name}", check.found, check.advice)


def _agree(identity: Identity, target: Target, *, yes: bool, account: str | None) -> None:
    """Ask before anything changes. In a real account --yes alone is not enough: the account must be named."""
    if account is not None and account != identity.account_id:
        raise LabError(
            f"working in account {account}",
            f"these credentials are of account {identity.account_id}",
            "Choose the right profile.",
            exit_code=2,
        )
    if yes and target is Target.AWS and account is None:
        raise LabError(
            f"changing account {identity.account_id} without asking",
            "--yes does not say which account is meant",
            f"Add --account {identity.account_id} if it is this one.",
            exit_code=2,
        )
    if not yes and not typer.confirm(f"Go ahead in account {identity.account_id}?", err=True):
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)


def _narrate(line: str) -> None:
    typer.echo(line, err=True)
