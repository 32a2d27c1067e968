"""Real processes: the `lab` command and the AWS CLI, each lab on its own LAB_HOME and port."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lab import TrialBench, benches
from tests import trainee
from tests.e2e.trial import SCENARIO, SEED, Trial

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class LabCommand:
    """The `lab` command on one LAB_HOME, run as a user would, with whatever `environ` holds beside."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _clients: dict[str, Any] = field(default_factory=dict)
    _clients_of: str = ""

    def env(self) -> dict[str, str]:
        """Return the environment of the command: the caller's without AWS's, plus this lab's."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and not k.lower().endswith("_proxy")}
        return {**kept, "LAB_HOME": str(self.home), "PATH": f"{BIN}{os.pathsep}{kept['PATH']}", **self.environ}

    def __call__(self, *arguments: str, code: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `lab ARGUMENTS`; its exit code must be `code` (None: any)."""
        done = subprocess.run(
            [str(BIN / "lab"), *arguments], env=self.env(), input=stdin, capture_output=True, text=True, timeout=240
        )
        if code is not None:
            assert done.returncode == code, f"lab {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments: str) -> dict[str, Any]:
        """Start the lab on a free port and return what `lab start --json` tells."""
        told: dict[str, Any] = json.loads(self("start", "--port", str(self.port), "--json", *arguments).stdout)
        return told

    def aws(self, *arguments: str) -> Any:
        """Run the AWS CLI in the lab's shell and return its JSON (None for no output)."""
        done = self("shell", "--", "aws", *arguments)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def check(self, *arguments: str) -> dict[str, Any]:
        """Run `lab check --format json` and return the report, whatever the verdict."""
        done = self("check", "--no-input", "--format", "json", *arguments, code=None)
        assert done.returncode in (0, 1), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) == report["passed"]
        return report

    def client(self, service: str) -> Any:
        """Return a boto3 client with the trainee's keys, made once while the same simulator runs."""
        running = (self.home / "server.json").read_text("utf-8")
        if running != self._clients_of:
            self._clients_of, self._clients = running, {}
        if service not in self._clients:
            self._clients[service] = trainee.client(json.loads(self("env", "--shell", "json").stdout), service)
        return self._clients[service]

    def finding(self) -> dict[str, Any]:
        """Return the one Lambda finding, read through boto3."""
        guardduty = self.client("guardduty")
        detector = guardduty.list_detectors()["DetectorIds"][0]
        criteria = {"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}
        ids = guardduty.list_findings(DetectorId=detector, FindingCriteria=criteria)["FindingIds"]
        assert len(ids) == 1
        found: dict[str, Any] = guardduty.get_findings(DetectorId=detector, FindingIds=ids)["Findings"][0]
        return found

    def count(self) -> int:
        """Return the Lambda finding's Count."""
        return int(self.finding()["Service"]["Count"])


def missing(what: str) -> NoReturn:
    """Skip a test for what this machine lacks; where LAB_TESTS_WHOLE is set, as in CI, which installs it all, fail it."""
    if os.environ.get("LAB_TESTS_WHOLE"):
        pytest.fail(f"LAB_TESTS_WHOLE is set, and {what}")
    pytest.skip(what)


NewLab = Callable[..., LabCommand]


@pytest.fixture
def new_lab(tmp_path: Path) -> Iterator[NewLab]:
    """Return a maker of labs that are stopped when the test ends."""
    made: list[LabCommand] = []

    def make(name: str = "home", **environ: str) -> LabCommand:
        made.append(LabCommand(tmp_path / name, environ))
        return made[-1]

    yield make
    for lab in made:
        lab("stop", code=None)


@pytest.fixture
def lab(new_lab: NewLab) -> LabCommand:
    """Return a started lab of its own for a test that changes it."""
    command = new_lab()
    command.start("--seed", "e2e")
    return command


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabCommand]:
    """Return a started lab for tests of one module that only read."""
    command = LabCommand(tmp_path_factory.mktemp("shared"))
    command.start("--seed", "shared")
    yield command
    command("stop", code=None)


@pytest.fixture(scope="session")
def fresh_lab() -> Iterator[Callable[[], AbstractContextManager[TrialBench]]]:
    """Return what opens a fresh lab in this process, one at a time; its history was made once."""
    with benches(SCENARIO, SEED) as opened:
        yield opened


@pytest.fixture
def trial(fresh_lab: Callable[[], AbstractContextManager[TrialBench]]) -> Iterator[Trial]:
    """Return a fresh lab in this process."""
    with fresh_lab() as bench:
        yield Trial(bench)
