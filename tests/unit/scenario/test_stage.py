"""A trial's lab is played as the trainee, and its last task is the verdict."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scenario import load
from scenario.stage import fresh
from scenario.trial import CallFailed

SCENARIO = load.load("lambda-malicious-ip")


class Events:
    """A client that knows one rule."""

    def disable_rule(self, Name: str) -> Mapping[str, Any]:
        """Refuse every other rule, as AWS does."""
        if Name != "known":
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException", "Message": "no such rule"}}, "DisableRule"
            )
        return {}


class Bench:
    """A lab that notes what is asked of it."""

    def __init__(self) -> None:
        self.advanced: list[timedelta] = []
        self.closed = False

    def client(self, service: str) -> Any:
        """Return the one client there is."""
        assert service == "events"
        return Events()

    def advance(self, by: timedelta) -> None:
        """Note it."""
        self.advanced.append(by)

    def check(self) -> Mapping[str, Any]:
        """Return a report of two tasks."""
        first = {"status": "passed", "score": 15, "why": "a"}
        return {"tasks": [first, {"status": "failed", "score": 10, "why": "it goes on"}]}


def test_a_trial_plays_and_grades_and_closes_a_lab_of_its_own() -> None:
    """The last task's verdict is the trial's, and what fills the steps is this seed's."""
    bench = Bench()

    @contextmanager
    def opened() -> Iterator[Bench]:
        yield bench
        bench.closed = True

    with fresh(SCENARIO, "trial", opened) as lab:
        assert lab.call("events", "DisableRule", {"Name": "known"}) == {}
        lab.advance(timedelta(minutes=30))
        verdict = lab.remediation()
        assert lab.values["account_id"].isdigit()
        assert not bench.closed
    assert (verdict.passed, verdict.score, verdict.why) == (False, 10, "it goes on")
    assert bench.advanced == [timedelta(minutes=30)]
    assert bench.closed


@pytest.mark.parametrize(("operation", "said"), [("DisableRule", "no such rule"), ("DisableRules", "disable_rules")])
def test_a_call_that_is_refused_or_unknown_is_told_by_its_name(operation: str, said: str) -> None:
    """The author reads which call it was and what AWS said."""

    @contextmanager
    def opened() -> Iterator[Bench]:
        yield Bench()

    with fresh(SCENARIO, "trial", opened) as lab, pytest.raises(CallFailed, match=f"events {operation}: .*{said}"):
        lab.call("events", operation, {"Name": "other"})
