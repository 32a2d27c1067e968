"""A running simulator of its own for each module, reached as a trainee's tools reach it: HTTP on loopback; and labs in this process."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests import trainee
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process
from tests.e2e.conftest import LabCommand

FUNCTION = "traffic-simulation"
LAMBDA = {
    "Criterion": {
        "resource.resourceType": {"Equals": ["Lambda"]},
        "resource.lambdaDetails.functionName": {"Equals": [FUNCTION]},
    }
}


@pytest.fixture
def owner() -> Iterator[InProcess]:
    """Give the owner's clients of a new lab in this process."""
    process = new_lab_in_process()
    yield process
    for lab in process.gateway.labs.values():
        lab.close()


@dataclass
class RunningLab:
    """A lab that runs as a process, and boto3 clients with the trainee's keys."""

    command: LabCommand
    environment: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def begin(self, *arguments: str) -> None:
        """Start the simulator."""
        self.command.start(*arguments)
        self.environment = json.loads(self.command("env", "--shell", "json").stdout)

    @property
    def told(self) -> Mapping[str, Any]:
        """What the simulator told of itself: endpoint, token, keys."""
        told: dict[str, Any] = json.loads((self.command.home / "server.json").read_text("utf-8"))
        return told

    def client(self, service: str, **settings: Any) -> Any:
        """Return a boto3 client with the trainee's keys; `settings` are botocore's."""
        name = f"{service}{sorted(settings.items())}"
        if name not in self._clients:
            self._clients[name] = trainee.client(self.environment, service, **settings)
        return self._clients[name]

    def advance(self, **span: float) -> None:
        """Let lab time pass: `minutes=30`."""
        from datetime import timedelta

        from simulator.client import required
        from simulator.home import Home

        control = required(Home(self.command.home))
        control.post("/_lab/advance", {"seconds": timedelta(**span).total_seconds()})

    # --- what the facts are about ---

    @property
    def detector(self) -> str:
        """The one detector's id."""
        return str(self.client("guardduty").list_detectors()["DetectorIds"][0])

    def findings(self, criteria: Mapping[str, Any] = LAMBDA) -> list[str]:
        """Return the ids of all findings that meet `criteria`."""
        pages = self.client("guardduty").get_paginator("list_findings")
        found = pages.paginate(DetectorId=self.detector, FindingCriteria=criteria)
        return [each for page in found for each in page["FindingIds"]]

    def finding(self) -> dict[str, Any]:
        """Return the one finding about the lab's function."""
        ids = self.findings()
        assert len(ids) == 1
        found: dict[str, Any] = self.client("guardduty").get_findings(DetectorId=self.detector, FindingIds=ids)[
            "Findings"
        ][0]
        return found

    def count(self) -> int:
        """Return how often the finding was seen."""
        return int(self.finding()["Service"]["Count"])

    def events(self, key: str = "ResourceName", value: str = FUNCTION) -> list[dict[str, Any]]:
        """Return every event that a lookup finds, newest first."""
        pages = self.client("cloudtrail").get_paginator("lookup_events")
        asked = [{"AttributeKey": key, "AttributeValue": value}]
        return [each for page in pages.paginate(LookupAttributes=asked) for each in page["Events"]]

    def items(self, name: str = FUNCTION, kind: str = "AWS::Lambda::Function") -> list[dict[str, Any]]:
        """Return every configuration item of a resource, newest first."""
        pages = self.client("config").get_paginator("get_resource_config_history")
        found = pages.paginate(resourceType=kind, resourceId=name)
        return [each for page in found for each in page["configurationItems"]]


Starter = Callable[..., RunningLab]


@pytest.fixture(scope="module")
def start_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    """Return a starter of labs that are stopped when the module ends."""
    started: list[RunningLab] = []

    def start(seed: str, *arguments: str) -> RunningLab:
        started.append(RunningLab(LabCommand(tmp_path_factory.mktemp("lab"))))
        started[-1].begin("--seed", seed, *arguments)
        return started[-1]

    yield start
    for lab in started:
        lab.command("stop", code=None)


@pytest.fixture(scope="module")
def running(start_lab: Starter) -> RunningLab:
    """Return a lab that the module's tests share."""
    return start_lab("facts")


@pytest.fixture(scope="module")
def changed(start_lab: Starter) -> RunningLab:
    """Return a lab that the module's tests change; each leaves it as it was."""
    return start_lab("changed")
