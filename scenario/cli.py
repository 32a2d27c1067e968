"""`lab scenario`: what an author of scenarios needs. What is slow to import is imported inside the commands."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from scenario.stage import Bench

Benches = Callable[[str, str], AbstractContextManager[Callable[[], AbstractContextManager["Bench"]]]]
"""(scenario id, seed) -> what opens a fresh lab of that seed, as often as it is called, one at a time."""

DEFAULT = "lambda-malicious-ip"

ScenarioId = Annotated[str, typer.Argument(metavar="SCENARIO", help="The scenario's id, its folder's name.")]


def commands(benches: Benches) -> typer.Typer:
    """Return the room's commands; `lab.py` mounts them and hands in the labs that fixes are played in."""
    app = typer.Typer(no_args_is_help=True)
    app.command("list")(list_)
    app.command()(show)
    app.command()(lint)

    @app.command()
    def test(
        scenario_id: ScenarioId = DEFAULT,
        only: Annotated[str | None, typer.Option(help="Only the fix with this id.")] = None,
        seed: Annotated[str, typer.Option(help="The seed of the labs.")] = "trial",
    ) -> None:
        """Play every fix and tempting wrong fix against a fresh lab. Exits with 1 where the grader disagrees."""
        _test(benches, scenario_id, only, seed)

    return app


def list_() -> None:
    """List the scenarios that the kit holds."""
    from scenario import load

    for scenario_id in load.catalog():
        typer.echo(f"{scenario_id}  {load.load(scenario_id, tasks_only=True).title}")


def show(scenario_id: ScenarioId = DEFAULT) -> None:
    """Print a scenario: assignment, tasks, what goes on in the background, fixes."""
    from scenario import load

    scenario = load.load(scenario_id)
    typer.echo(f"{scenario.id}: {scenario.title}\n\n{scenario.assignment}")
    for task in scenario.tasks:
        typer.echo(f"{task.id} ({task.max_score}): {task.question}")
    typer.echo("\nIn the background")
    for episode in scenario.background.episodes:
        typer.echo(f"  {episode.at!s:>16}  {episode.by}: {', '.join(call.operation for call in episode.calls)}")
    typer.echo("\nFixes")
    for fix in scenario.fixes:
        typer.echo(f"  {fix.id}: {fix.title}")
    typer.echo("\nTempting, and wrong")
    for wrong in scenario.tempting_wrong_fixes:
        typer.echo(f"  {wrong.id}: {wrong.title}")


def lint(scenario_id: ScenarioId = DEFAULT) -> None:
    """Say what an author should mend in a scenario. Exits with 1 where there is something."""
    from scenario import load
    from scenario.lint import problems, translation

    files = load.files(scenario_id)
    english = load.checked(scenario_id)
    found = list(problems(english, scenario_id, files))
    for language in load.languages(scenario_id)[1:]:
        said = load.checked(scenario_id, language)
        in_language = (*problems(said, scenario_id, files), *translation(english, said))
        found += [f"{language}.yaml: {problem}" for problem in in_language if problem not in found]
    for problem in found:
        typer.echo(problem)
    if found:
        raise typer.Exit(1)
    typer.echo("Nothing to mend.", err=True)


def _test(benches: Benches, scenario_id: str, only: str | None, seed: str) -> None:
    from functools import partial

    from scenario import load
    from scenario.errors import LabError
    from scenario.stage import fresh
    from scenario.trial import trials

    scenario = load.load(scenario_id)
    known = [fix.id for fix in scenario.fixes] + [wrong.id for wrong in scenario.tempting_wrong_fixes]
    if only is not None and only not in known:
        raise LabError(
            f"playing {only!r}", "the scenario has no such fix", f"Choose of: {', '.join(known)}.", exit_code=2
        )
    disagreements = 0
    with benches(scenario.id, seed) as opened:
        for result in trials(scenario, partial(fresh, scenario, seed, opened), only=only):
            disagreements += bool(result.disagreement)
            verdict = "accepted" if result.verdict.passed else "refused"
            typer.echo(
                f"{result.exercise.id}: {verdict}, {result.verdict.score} points. {result.disagreement}".rstrip()
            )
            if result.disagreement:
                typer.echo(f"    {result.verdict.why}")
    if disagreements:
        raise typer.Exit(1)
