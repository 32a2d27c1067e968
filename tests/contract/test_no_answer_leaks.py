"""Nothing that the kit says, writes or answers is an answer before it was found, outside AWS's own evidence.

What differs from seed to seed is searched for in everything: what the commands print, what LAB_HOME holds beside the journal
(which is the evidence), and what the control API answers. The names in the module's text are public.
"""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scenario import load
from scenario.variant import variant
from tests.e2e.conftest import LabCommand

SEED = "leaks"
FORMATS = ("text", "json", "junit", "html")
TASKS = ("function-name", "malicious-ip", "creator", "remediation")
WRONG = ("--function-name", "traffic-simulation-canary", "--malicious-ip", "192.0.2.77", "--creator", "System")
JOURNAL = re.compile(r"journal|\.db")


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """Return the values that make this seed's answers, by name."""
    values = variant(load.load("lambda-malicious-ip"), SEED)
    listed = {f"entry {number}": line.split("/")[0] for number, line in enumerate(values.list_entries)}
    return {"address": values.malicious_ip, "second address": values.second_ip, **listed}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCommand]:
    """Return a command on a home of its own; its lab is stopped at the end."""
    made = LabCommand(tmp_path_factory.mktemp("leaks"))
    yield made
    made("stop", code=None)


@pytest.fixture(scope="module")
def said(command: LabCommand) -> dict[str, str]:
    """Return all that the kit says of a running lab to somebody who has answered wrongly so far, by where it stands."""
    texts = {"start --json": json.dumps(command.start("--seed", SEED))}
    for arguments in (
        ("start",), ("status",), ("status", "--json"), ("guide",), ("doctor",), ("doctor", "--json"), ("--help",), ("scenario", "lint"),
        *(("env", "--shell", shell) for shell in ("sh", "json")), ("template", "workload"), ("template", "detection"),
        *(("hint", task) for task in TASKS for _ in range(3)),
        *(("check", "--no-input", "--format", each) for each in FORMATS),
        ("check", "--no-input", *WRONG), *(("check", "--no-input", "--format", each) for each in FORMATS),
        ("advance", "30m"), ("status", "--json"), ("shell", "--", "env"),
    ):  # fmt: skip
        done = command(*arguments, code=None)
        texts[" ".join(arguments) + f" #{len(texts)}"] = done.stdout + done.stderr
    texts |= {f"file {path}": text for path, text in files(command.home)}
    texts |= control(command.home)
    return texts


def files(home: Path) -> Iterator[tuple[str, str]]:
    """Yield every file of LAB_HOME but the journal, and what it holds."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and not JOURNAL.search(path.name):
            yield path.name, path.read_text("utf-8", errors="replace")


def control(home: Path) -> dict[str, str]:
    """Return what every reading route of the control API answers, with the token, but the journal itself."""
    told = json.loads((home / "server.json").read_text("utf-8"))
    host = urlsplit(told["endpoint_url"])
    answers = {}
    for method, path, body in (
        *(("GET", path, None) for path in ("ping", "status", "answers", "hints", "attempts", "look-ahead", "look-ahead?hours=24", "nothing")),
        ("POST", "look-ahead", {"hours": 24}), ("POST", "look-ahead", {"hours": 24, "addresses": ["0.0.0.0/0"]}),
    ):  # fmt: skip
        connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=60)
        connection.request(
            method, f"/_lab/{path}", json.dumps(body) if body is not None else None, {"X-Lab-Token": told["token"]}
        )
        answers[f"{method} {path} {body}"] = connection.getresponse().read().decode()
        connection.close()
    return answers


def test_much_was_said(said: dict[str, str]) -> None:
    """The search is worth something: reports, hints, files and the control API are among what is searched."""
    assert len(said) > 35
    assert any("192.0.2.77" in text for where, text in said.items() if where.startswith("GET answers"))
    assert {where.split()[1] for where in said if where.startswith("file ")} >= {"server.json", "server.log"}
    assert "connections" in said["POST look-ahead {'hours': 24}"]


def test_no_value_of_the_seed_is_said_before_it_is_found(said: dict[str, str], secrets: dict[str, str]) -> None:
    """Neither address of the list, nor any other line of it, stands anywhere."""
    for what, value in secrets.items():
        pattern = re.compile(rf"(?<![\d.]){re.escape(value)}(?![\d.])")
        where = [place for place, text in said.items() if pattern.search(text)]
        assert not where, f"the {what} stands in {where}"


def test_no_unearned_answer_is_labelled_as_one(said: dict[str, str]) -> None:
    """Where an answer was wrong, the report that says so names neither the right function nor the right creator."""
    reports = [text for where, text in said.items() if where.startswith("check") and "192.0.2.77" not in where]
    for text in reports:
        assert "WSSystemRole" not in text
    wrong = [json.loads(text) for where, text in said.items() if where.startswith("check --no-input --format json")]
    for report in wrong:
        for task in report["tasks"][:3]:
            assert task["status"] != "passed"
            told = json.dumps([task["why"], task["next"], task["remarks"], task["evidence"]])
            assert not re.search(r'"traffic-simulation[" .]', told)
            assert task["evidence"] == []


def test_what_was_found_may_be_said(command: LabCommand, secrets: dict[str, str], said: dict[str, str]) -> None:
    """The same search finds the address in a report once it was answered rightly: it can find."""
    assert said
    report = command.check("--malicious-ip", secrets["address"])
    task = next(each for each in report["tasks"] if each["id"] == "malicious-ip")
    assert task["status"] == "passed"
    assert secrets["address"] in json.dumps(task)
