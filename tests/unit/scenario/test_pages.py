"""The commands that a trainee copies exist, and read the same in every shell."""

import re
import shlex
from collections.abc import Iterator

import botocore.session
import pytest
from botocore import xform_name

from scenario import load

SCENARIO = load.load("lambda-malicious-ip", tasks_only=True)
GUIDE = load.page(SCENARIO.id, "guide.md")
GLOBALS = {"--query", "--output", "--no-paginate", "--next-token"}
SESSION = botocore.session.Session()
CLI_NAMES = {"configservice": "config"}
"""The CLI's names of services that botocore calls otherwise."""


def commands() -> Iterator[str]:
    """Yield every whole command of the guide and of the hints: lines that are indented and begin with aws."""
    texts = [GUIDE, *(hint.text for task in SCENARIO.tasks for hint in task.hints)]
    for line in "\n".join(texts).splitlines():
        if line.startswith("  ") and line.strip().startswith("aws ") and "…" not in line:
            yield re.split(r" {2,}", line.strip())[0]


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_names_what_the_aws_cli_has(command: str) -> None:
    """Service, operation and every option are of botocore's models, from which the CLI makes its commands."""
    words = shlex.split(command)
    service, operation = CLI_NAMES.get(words[1], words[1]), words[2]
    model = SESSION.get_service_model(service)
    known = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in known
    shape = model.operation_model(known[operation]).input_shape
    options = {f"--{xform_name(member, '-')}" for member in shape.members} if shape is not None else set()
    assert {word for word in words if word.startswith("--")} <= options | GLOBALS


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_a_command_reads_the_same_in_every_shell(command: str) -> None:
    """No single quote, no escape, no variable, no quote within quotes; commas and braces only inside double quotes.

    PowerShell makes lists of bare commas and blocks of bare braces, cmd knows no single quotes.
    """
    assert not set(command) & set("'`\\$%^&|<>;!*")
    bare = re.sub(r'"[^"]*"', "", command)
    assert '"' not in bare
    assert not set(bare) & set("{}[](),=")


def test_there_are_commands_for_every_task() -> None:
    """The tests above looked at something."""
    services = {command.split()[1] for command in commands()}
    assert {"guardduty", "configservice", "cloudtrail", "lambda", "events"} <= services


def test_the_guide_walks_all_steps_of_the_module_s_text() -> None:
    """One heading each, and one for the stray heading that trainees search for."""
    headings = [line for line in GUIDE.splitlines() if line.startswith("## ")]
    text = "\n".join(headings)
    assert '"Create the Security Group"' in text
    for step in range(1, 9):
        assert re.search(rf"Steps? .*\b{step}\b", text), step


def test_the_guide_explains_what_the_text_leaves_open() -> None:
    """Protection, the caption of a picture, versions in event names, session names, text output, UTC, proof."""
    for point in ("LAMBDA_NETWORK_LOGS", "Lambda function VPC IP", "ResourceName", "--output text", "UTC", "prove it"):
        assert point in GUIDE
