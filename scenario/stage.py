"""A fresh lab for a trial: a lab of one's own, played through the AWS API and graded as `lab check` grades.

This room knows no other one: what opens labs and grades them is handed in (`Bench`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from scenario import load
from scenario.model import Scenario, Variant
from scenario.steps import Zipped
from scenario.trial import CallFailed, Verdict
from scenario.variant import variant


class Bench(Protocol):
    """A lab that is open: what a trial does with one."""

    def client(self, service: str) -> Any:
        """Return a client of botocore's that calls as the trainee."""

    def advance(self, by: timedelta) -> None:
        """Let lab time pass."""

    def check(self) -> Mapping[str, Any]:
        """Check the lab and return the report, as `lab check --format json` prints it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedLab:
    """A lab on the bench (implements `trial.TrialLab`)."""

    scenario: Scenario
    variant: Variant
    bench: Bench

    @property
    def values(self) -> Mapping[str, str]:
        """The variant's values: a trial knows them, whoever plays it."""
        return self.variant.values

    @property
    def zipped(self) -> Zipped:
        """Archives of the scenario's folders, with the variant's values in them."""
        return partial(load.zipped, self.scenario.id, self.variant)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make an API call as the trainee and return its result. Raises CallFailed."""
        from botocore import xform_name
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            method = getattr(self.bench.client(service), xform_name(operation))
            result: Mapping[str, Any] = method(**params)
        except (BotoCoreError, ClientError, AttributeError) as error:
            raise CallFailed(f"{service} {operation}: {error}".rstrip(".")) from error
        return result

    def advance(self, by: timedelta) -> None:
        """Let lab time pass."""
        self.bench.advance(by)

    def remediation(self) -> Verdict:
        """Grade what was done: the last task is the one that no answer is typed for."""
        task = self.bench.check()["tasks"][-1]
        return Verdict(passed=task["status"] == "passed", score=task["score"], why=task["why"])


@contextmanager
def fresh(scenario: Scenario, seed: str, opened: Callable[[], AbstractContextManager[Bench]]) -> Iterator[StagedLab]:
    """Return a lab in which nothing was done yet; it is closed afterwards."""
    with opened() as bench:
        yield StagedLab(scenario=scenario, variant=variant(scenario, seed), bench=bench)
