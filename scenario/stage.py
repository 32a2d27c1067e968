"""A fresh lab for a trial: a simulator of its own, driven as a trainee drives it, by the `lab` command and boto3.

The command is run as a process, so this room needs to know no other one; the lab lives in a folder that is thrown away.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from scenario import load
from scenario.errors import LabError
from scenario.model import Scenario
from scenario.steps import Zipped
from scenario.trial import CallFailed, Verdict
from scenario.variant import variant

PASSED, NOT_PASSED = 0, 1
PATIENCE_SECONDS = 180


class CommandLab:
    """A running lab in its own LAB_HOME (implements `trial.TrialLab`)."""

    def __init__(self, scenario: Scenario, home: Path, seed: str) -> None:
        self._scenario = scenario
        self._home = home
        self._variant = variant(scenario, seed)
        self._environment: dict[str, str] = {}

    def start(self) -> None:
        """Start the lab's process and learn how to reach it."""
        self._run("start", "--port", "0", "--seed", self._variant.seed)
        self._environment = json.loads(self._run("env", "--shell", "json"))

    @property
    def values(self) -> Mapping[str, str]:
        """The variant's values: a trial knows them, whoever plays it."""
        return self._variant.values

    @property
    def zipped(self) -> Zipped:
        """Archives of the scenario's folders, with the variant's values in them."""
        return partial(load.zipped, self._scenario.id, self._variant)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make an API call as the trainee and return its result. Raises CallFailed."""
        import boto3
        from botocore import xform_name
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        client = boto3.session.Session().client(  # a session each: they are not shared between threads
            service,
            endpoint_url=self._environment["AWS_ENDPOINT_URL"],
            region_name=self._environment["AWS_REGION"],
            aws_access_key_id=self._environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self._environment["AWS_SESSION_TOKEN"],
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )
        try:
            result: Mapping[str, Any] = getattr(client, xform_name(operation))(**params)
        except (BotoCoreError, ClientError) as error:
            raise CallFailed(f"{service} {operation}: {error}".rstrip(".")) from error
        return result

    def advance(self, by: timedelta) -> None:
        """Let lab time pass."""
        self._run("advance", f"{int(by.total_seconds())}s")

    def remediation(self) -> Verdict:
        """Grade what was done: the last task is the one that no answer is typed for."""
        report = json.loads(self._run("check", "--no-input", "--format", "json", accept=(PASSED, NOT_PASSED)))
        task = report["tasks"][-1]
        return Verdict(passed=task["status"] == "passed", score=task["score"], why=task["why"])

    def stop(self) -> None:
        """End the lab's process, where there is one."""
        self._run("stop")

    def _run(self, *arguments: str, accept: tuple[int, ...] = (PASSED,)) -> str:
        """Run `lab` in this lab's home and return what it printed. Raises LabError where it leaves otherwise."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", "lab", *arguments],
                env={**os.environ, "LAB_HOME": str(self._home)},
                cwd=Path(__file__).parent.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise _failed(arguments, f"it did not end within {PATIENCE_SECONDS} s") from late
        if done.returncode not in accept:
            raise _failed(arguments, f"it left with {done.returncode} ({done.stderr.strip()})")
        return done.stdout


def _failed(arguments: tuple[str, ...], happened: str) -> LabError:
    return LabError(f"running lab {' '.join(arguments)} for a trial", happened, "Run 'lab start' by hand to see more.")


@contextmanager
def fresh(scenario: Scenario, seed: str) -> Iterator[CommandLab]:
    """Return a lab in which nothing was done yet; it is ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="lab-trial-", ignore_cleanup_errors=True) as folder:
        lab = CommandLab(scenario, Path(folder), seed)
        try:
            lab.start()
            yield lab
        finally:
            lab.stop()
