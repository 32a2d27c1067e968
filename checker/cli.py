"""The trainee's commands `lab check`, `lab hint` and `lab guide`. `lab.py` mounts them:
`app.add_typer(build(world_of))`.

Whatever is slow to import (boto3, the rules, the scenario) is imported inside the commands: `lab --help` pays for
none of it. Broken environments and bad usage are LabErrors, which `lab.py` prints and turns into the exit code.

`--language` chooses the language of what is taught: the scenario's texts are loaded in it and the grader's messages said in
it. Commands, ids, the members of the JSON document, and what is said of a broken environment or an unknown task are the
same in all. `lab check --every-language` is for the console, whose readers change the language of a page: one check, its
document in each.
"""

import json
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from checker.messages import Message, Speaker, say, speaker
from scenario.errors import LabError

if TYPE_CHECKING:
    from checker.evidence import Evidence
    from checker.grade import Answers, Report
    from checker.worlds import Memory, World
    from scenario.model import Scenario, Task

SCENARIO = "lambda-malicious-ip"
ADDRESS_TASK = "malicious-ip"


class Format(StrEnum):
    """How `lab check` writes its report."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    HTML = "html"


class Target(StrEnum):
    """The worlds a lab runs in."""

    SIMULATOR = "simulator"
    LOCALSTACK = "localstack"
    AWS = "aws"


class Language(StrEnum):
    """The languages that the trainee's texts are in; each but English has its catalog in `texts/`."""

    EN = "en"
    VI = "vi"


LanguageOption = Annotated[Language, typer.Option("--language", help="The language of the texts.")]
TargetOption = Annotated[Target, typer.Option("--target", help="Where the lab runs.")]


def build(world_of: Callable[[str], "World"]) -> typer.Typer:
    """Return the room's commands. `world_of` opens the lab of a target and raises LabError where there is none."""
    app = typer.Typer()

    @app.command()
    def check(
        function_name: Annotated[str | None, typer.Option(help="The function that the finding names.")] = None,
        malicious_ip: Annotated[str | None, typer.Option(help="The address that it calls.")] = None,
        creator: Annotated[str | None, typer.Option(help="The identity that created it.")] = None,
        no_input: Annotated[bool, typer.Option("--no-input", help="Never ask for a missing answer.")] = False,
        format: Annotated[Format, typer.Option(help="How to write the report; html is a debrief.")] = Format.TEXT,
        output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
        require_proof: Annotated[
            bool, typer.Option("--require-proof", help="Pass only answers that your own calls in CloudTrail back up.")
        ] = False,
        language: LanguageOption = Language.EN,
        every_language: Annotated[
            bool, typer.Option("--every-language", help="Write a JSON object of the report in every language.")
        ] = False,
        target: TargetOption = Target.SIMULATOR,
    ) -> None:
        """Grade the investigation and the fix. Answers given once are remembered."""
        given = {"function-name": function_name, "malicious-ip": malicious_ip, "creator": creator}
        answers = {task: text for task, text in given.items() if text is not None}
        said = speaker(language.value)
        for task, text in answers.items():
            if problem := unusable(task, text):
                reading = say("reading --{task}", task=task)
                raise LabError(said(reading), said(problem[0]), said(problem[1]), exit_code=2)
        world = world_of(target.value)
        for task, text in answers.items():
            world.memory.remember(task, text)
        ask = not no_input and sys.stdin.isatty()
        colour = output is None and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        report, document = run(
            world,
            ask=_asker(said) if ask else None,
            format=format,
            require_proof=require_proof,
            colour=colour,
            language=language,
            every_language=every_language,
        )
        _write(document, output, said)
        raise typer.Exit(0 if report.passed else 1)

    @app.command()
    def hint(
        task: Annotated[str, typer.Argument(help="A task's id, such as creator.")],
        language: LanguageOption = Language.EN,
        target: TargetOption = Target.SIMULATOR,
    ) -> None:
        """Show the next hint of a task. Hints are free; the report counts them."""
        from scenario.load import load

        found = task_of(load(SCENARIO, tasks_only=True, language=language.value), task)
        typer.echo(next_hint(found, world_of(target.value).memory, speaker(language.value)))

    @app.command()
    def guide(language: LanguageOption = Language.EN) -> None:
        """Print the guide: the module's steps, by command."""
        from scenario.load import page

        show_page(page(SCENARIO, "guide.md", language.value))

    return app


def run(
    world: "World",
    *,
    ask: Callable[[str, str], str] | None = None,
    format: Format = Format.TEXT,
    require_proof: bool = False,
    colour: bool = False,
    language: Language = Language.EN,
    every_language: bool = False,
) -> tuple["Report", str]:
    """Check the lab once: ask for missing answers, collect, grade, record the attempt. Return report and document.

    `ask(task id, question)` returns an answer or ""; None asks nothing. A debrief (HTML) looks back and is no attempt,
    unless there is an answer that no check has graded yet. With `every_language` the document is a JSON object of
    documents by language: the account is asked once and graded for each, which differs in the texts alone.
    Raises LabError where the lab cannot be asked.
    """
    from checker.collect import collect
    from checker.grade import Answers, grade, legible
    from checker.report import attempt
    from scenario.load import load

    codes = [each.value for each in Language] if every_language else [language.value]
    scenarios = {code: load(SCENARIO, tasks_only=True, language=code) for code in codes}
    scenario = scenarios[language.value]
    texts = dict(world.memory.answers())
    if ask:
        _ask_missing(scenario, texts, ask, world.memory, speaker(language.value))
    hints = {task.id: world.memory.hints_taken(task.id) for task in scenario.tasks}
    answers = Answers(
        texts=texts, attempts=legible(world.memory.attempts()), hints=hints, key_used_at=world.memory.key_used_at()
    )
    known = texts["function-name"] if answers.earned("function-name") else ""
    evidence = collect(world, scenario.finding_type, known)
    counts = format is not Format.HTML or answers.ungraded()
    reports = {
        code: grade(
            each,
            evidence,
            answers,
            lab_id=world.lab_id,
            target=world.target,
            require_proof=require_proof,
            counts=counts,
        )
        for code, each in scenarios.items()
    }
    report = reports[language.value]
    if counts:
        world.memory.record(attempt(report, texts))
    documents = {
        code: _document(reports[code], format, scenarios[code], evidence, answers, colour, code) for code in codes
    }
    return report, json.dumps(documents) if every_language else documents[language.value]


def _document(
    report: "Report",
    format: Format,
    scenario: "Scenario",
    evidence: "Evidence",
    answers: "Answers",
    colour: bool,
    language: str,
) -> str:
    from checker import report as writing

    said = speaker(language)

    if format is Format.HTML:
        from checker.debrief import html

        return html(report, scenario, evidence, answers, language)
    if format is Format.JSON:
        return writing.json_text(report, said)
    if format is Format.JUNIT:
        return writing.junit(report, said)
    return writing.text(report, said, colour=colour)


def unusable(task: str, text: str) -> tuple[Message, Message] | None:
    """Return what is wrong with a text as an answer to a task, and what to do; None where it can be graded."""
    if not text.strip():
        return say("the answer is empty"), say("Give the answer, or leave the option away.")
    if task == ADDRESS_TASK:
        from checker.answers import unreadable_address

        if problem := unreadable_address(text):
            return problem, say("Give one address, such as 192.0.2.1.")
    return None


def _ask_missing(
    scenario: "Scenario", texts: dict[str, str], ask: Callable[[str, str], str], memory: "Memory", said: Speaker
) -> None:
    for task in scenario.tasks:
        while task.answered and not texts.get(task.id):
            text = ask(task.id, task.question)
            if not text.strip():
                break
            if problem := unusable(task.id, text):
                typer.echo(f"{said(problem[0])}. {said(problem[1])}", err=True)
                continue
            memory.remember(task.id, text)
            texts[task.id] = text


def _asker(said: Speaker) -> Callable[[str, str], str]:
    def ask(task: str, question: str) -> str:
        typer.echo(said(say("{question} (Enter to skip)", question=question)), err=True)
        return str(typer.prompt(task, default="", show_default=False, err=True))

    return ask


def task_of(scenario: "Scenario", task: str) -> "Task":
    """Return a scenario's task by its id. Raises LabError (bad usage) that names the ids there are."""
    for each in scenario.tasks:
        if each.id == task:
            return each
    known = ", ".join(each.id for each in scenario.tasks)
    raise LabError("looking for the task", f"there is no task {task!r}", f"Choose one of: {known}.", exit_code=2)


def next_hint(task: "Task", memory: "Memory", said: Speaker = str) -> str:
    """Return the next hint of a task and count it; when all are shown, say so and repeat the last.

    How many are left is not announced: that tempts to skip to the last.
    """
    if memory.hints_taken(task.id) >= len(task.hints):
        end = said(say("There are no further hints for {task}.", task=task.id))
        return f"{task.hints[-1].text.rstrip()}\n\n{end}"
    return task.hints[memory.take_hint(task.id) - 1].text.rstrip()


def show_page(markdown: str) -> None:
    """Print a page: laid out on a terminal, as it is anywhere else."""
    if not sys.stdout.isatty():
        typer.echo(markdown.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(markdown))


def _write(document: str, output: Path | None, said: Speaker) -> None:
    if output is None:
        encoding = sys.stdout.encoding or "utf-8"  # a pipe on Windows may have no ✓: better a ? than a traceback
        typer.echo(document.encode(encoding, "replace").decode(encoding), nl=False)
        return
    try:
        output.write_text(document, encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"writing {output}", str(error.strerror or error), "Choose a file that can be written.", exit_code=2
        ) from error
    typer.echo(said(say("The report is in {file}.", file=str(output))), err=True)


__all__ = [
    "SCENARIO",
    "Format",
    "Language",
    "build",
    "next_hint",
    "run",
    "show_page",
    "task_of",
    "unusable",
]
