"""The scenario with tasks of the contract's ids and points, whose words are fixed here."""

from dataclasses import replace

import pytest

from checker.evidence import FINDING_TYPE
from scenario.load import load
from scenario.model import Hint, Part, Reference, Scenario, Task

PARTS = (("stopped", 25), ("evidence", 5), ("collateral", 5), ("verified", 5))


def _task(task_id: str, points: int, *parts: tuple[str, int]) -> Task:
    return Task(
        id=task_id,
        title=f"Do {task_id}",
        question=f"What about {task_id}?",
        max_score=points,
        answered=not parts,
        hints=tuple(Hint(rung=rung, text=f"{task_id} {rung}") for rung in ("where", "call", "example")),
        key="",
        parts=tuple(Part(id=part, title=f"Part {part}", max_score=score) for part, score in parts),
    )


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """The scenario with the contract's ids and points."""
    return replace(
        load("lambda-malicious-ip", tasks_only=True),
        title="A Lambda function calls a malicious IP",
        finding_type=FINDING_TYPE,
        tasks=(
            _task("function-name", 15),
            _task("malicious-ip", 15),
            _task("creator", 30),
            _task("remediation", 40, *PARTS),
        ),
        references=(Reference(framework="MITRE ATT&CK", id="T1648", title="Serverless Execution"),),
    )
