"""What `lab check` asks of AWS, and that the script which its cost is held against asks the same."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from checker.collect import collect
from checker.evidence import FINDING_TYPE
from lab import TrialBench, benches
from tests.bench import same_calls
from tests.e2e.trial import SCENARIO, SEED

ROOT = Path(__file__).resolve().parents[2]
Asked = list[tuple[str, str, dict[str, Any]]]


class Recording:
    """A world, or what makes clients, whose clients' calls are written down."""

    def __init__(self, bench: TrialBench) -> None:
        self._bench = bench
        self.asked: Asked = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench.world, name)

    def client(self, service: str) -> Any:
        """Return the checker's client, every call of which is written down."""
        return self._bench.world.client(service)

    @contextmanager
    def written_down(self) -> Iterator[Asked]:
        """Write calls down for a while."""
        asked: Asked = []

        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            asked.append((model.service_model.service_name, model.name, dict(params)))

        clients = [self.client(name) for name in ("guardduty", "cloudtrail", "lambda", "config", "s3", "events")]
        for client in clients:
            client.meta.events.register("before-parameter-build.*", note)
        yield asked
        for client in clients:
            client.meta.events.unregister("before-parameter-build.*", note)


@pytest.fixture(scope="module")
def recording() -> Iterator[Recording]:
    """Return a fresh lab whose calls can be written down."""
    with benches(SCENARIO, SEED) as opened, opened() as bench:
        yield Recording(bench)


def test_the_script_of_the_benchmark_makes_the_calls_of_a_check(recording: Recording) -> None:
    """Call by call, with the same parameters, whatever the order."""
    with recording.written_down() as checked:
        collect(recording, FINDING_TYPE)
    with recording.written_down() as scripted:
        same_calls.calls(recording.client)
    assert sorted(map(repr, checked)) == sorted(map(repr, scripted))


def test_a_check_of_an_untouched_lab_makes_few_calls_and_reads_only(recording: Recording) -> None:
    """Two dozen, none of which changes anything."""
    with recording.written_down() as asked:
        collect(recording, FINDING_TYPE)
    assert 15 < len(asked) <= 30
    assert {name[:3] for _, name, _ in asked} <= {"Lis", "Get", "Des", "Loo"}


@pytest.mark.parametrize("arguments", [["check", "--no-input", "--format", "json"], ["hint", "creator"]])
def test_the_commands_of_a_trainee_do_not_import_what_reads_scenarios_strictly(
    tmp_path: Path, arguments: list[str]
) -> None:
    """pydantic would cost as much as half of a check: neither the kit nor, on its behalf, typer loads it."""
    code = f"import sys, lab\ntry: lab.main({arguments!r})\nfinally: print('pydantic' in sys.modules)"
    env = {**os.environ, "LAB_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stdout) == (3, "False\n"), done.stderr


def test_a_value_that_is_none_of_those_is_refused_in_typers_words(tmp_path: Path) -> None:
    """Bad usage, with the values there are."""
    env = {**os.environ, "LAB_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "lab", "check", "--format", "nonsense"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 2
    assert all(word in done.stderr for word in ("nonsense", "json", "junit", "html"))
