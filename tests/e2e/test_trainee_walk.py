"""The main job, as the module's text tells it: find, name, attribute, stop, be graded."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.conftest import LabCommand, NewLab

FINDING = "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"
CONCURRENCY = ("--function-name", "traffic-simulation")
FIXES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "rule disabled": (("events", "disable-rule", "--name", "{rule}"), ("events", "enable-rule", "--name", "{rule}")),
    "target removed": (
        ("events", "remove-targets", "--rule", "{rule}", "--ids", "{target}"),
        ("events", "put-targets", "--rule", "{rule}", "--targets", "Id={target},Arn={arn}"),
    ),
    "concurrency 0": (
        ("lambda", "put-function-concurrency", *CONCURRENCY, "--reserved-concurrent-executions", "0"),
        ("lambda", "delete-function-concurrency", *CONCURRENCY),
    ),
    "function deleted": (("lambda", "delete-function", "--function-name", "traffic-simulation"), ()),
}
"""Every accepted fix, and what undoes it."""


def _statuses(report: dict[str, Any]) -> dict[str, str]:
    return {task["id"]: task["status"] for task in report["tasks"]}


def _rule(lab: LabCommand) -> dict[str, str]:
    arn = lab.aws("lambda", "get-function-configuration", "--function-name", "traffic-simulation")["FunctionArn"]
    rule = lab.aws("events", "list-rule-names-by-target", "--target-arn", arn)["RuleNames"][0]
    target = lab.aws("events", "list-targets-by-rule", "--rule", rule)["Targets"][0]["Id"]
    return {"rule": rule, "target": target, "arn": arn}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LabCommand, str]]:
    """Return a lab that tests share which change nothing that another looks at, and what its start printed."""
    command = LabCommand(tmp_path_factory.mktemp("shared"))
    yield command, command("start", "--port", "0", "--seed", "print").stdout
    command("stop", code=None)


@pytest.fixture(scope="module")
def shared_lab(started: tuple[LabCommand, str]) -> LabCommand:
    """Return the lab that tests share."""
    return started[0]


@pytest.fixture(scope="module")
def printed(started: tuple[LabCommand, str]) -> str:
    """Return what the start printed."""
    return started[1]


def test_the_finding_is_one_of_many_and_says_what_the_module_says(shared_lab: LabCommand) -> None:
    """By the plain AWS CLI: one Lambda finding out of many; function, address, port, list; a count of the runs."""
    detector = shared_lab.aws("guardduty", "list-detectors")["DetectorIds"][0]
    everything = shared_lab.aws("guardduty", "list-findings", "--detector-id", detector)["FindingIds"]
    criteria = "Criterion={resource.resourceType={Equals=[Lambda]}}"
    ids = shared_lab.aws("guardduty", "list-findings", "--detector-id", detector, "--finding-criteria", criteria)[
        "FindingIds"
    ]
    assert len(ids) == 1
    assert len(everything) > 10
    found = shared_lab.aws("guardduty", "get-findings", "--detector-id", detector, "--finding-ids", *ids)["Findings"][0]
    action = found["Service"]["Action"]["NetworkConnectionAction"]
    assert found["Type"] == FINDING
    assert found["Resource"]["LambdaDetails"]["FunctionName"] == "traffic-simulation"
    assert action["RemotePortDetails"] == {"Port": 443, "PortName": "HTTPS"}
    assert found["Service"]["Evidence"]["ThreatIntelligenceDetails"][0]["ThreatListName"] == "S3BadIpAddressList"
    assert action["RemoteIpDetails"]["IpAddressV4"] in found["Description"]
    first, last = (found["Service"][key] for key in ("EventFirstSeen", "EventLastSeen"))
    minutes = (_seconds(last) - _seconds(first)) / 60
    assert found["Service"]["Count"] == round(minutes / 10) + 1


def _seconds(text: str) -> float:

    return datetime.fromisoformat(text).timestamp()


def test_count_grows_by_one_for_each_ten_minutes(shared_lab: LabCommand) -> None:
    """`lab advance 30m` brings three runs, so three more occurrences."""
    before = shared_lab.count()
    shared_lab("advance", "30m")
    assert shared_lab.count() == before + 3


def test_the_trail_leads_to_the_creator(shared_lab: LabCommand) -> None:
    """Followed to its oldest page, the function's trail ends in the CreateFunction event, and Config in its discovery."""
    events = shared_lab.aws(
        "cloudtrail",
        "lookup-events",
        "--lookup-attributes",
        "AttributeKey=ResourceName,AttributeValue=traffic-simulation",
    )["Events"]
    oldest = events[-1]
    record = json.loads(oldest["CloudTrailEvent"])
    assert oldest["EventName"] == "CreateFunction20150331"
    assert oldest["Username"] == "System"
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "WSSystemRole"
    assert record["userIdentity"]["invokedBy"] == "cloudformation.amazonaws.com"
    assert set(record["requestParameters"]["code"]) >= {"s3Bucket", "s3Key"}
    assert events[0]["EventName"] != "CreateFunction20150331"
    items = shared_lab.aws(
        "configservice", "get-resource-config-history",
        "--resource-type", "AWS::Lambda::Function", "--resource-id", "traffic-simulation",
    )["configurationItems"]  # fmt: skip
    assert items[-1]["configurationItemStatus"] == "ResourceDiscovered"
    assert len(items) > 10


def test_all_tasks_fail_at_first_and_pass_one_by_one(lab: LabCommand) -> None:
    """Nothing is passed at first; each right answer passes its own task, and each accepted fix the last, until it is undone."""
    assert "passed" not in _statuses(lab.check()).values()
    finding = lab.finding()
    address = finding["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"]
    assert _statuses(lab.check("--creator", "WSSystemRole"))["creator"] == "passed"
    assert _statuses(lab.check("--malicious-ip", address))["malicious-ip"] == "passed"
    values = _rule(lab)
    for name, (fix, undo) in FIXES.items():
        lab.aws(*[part.format(**values) for part in fix])
        report = lab.check()
        assert _statuses(report) == {
            "function-name": "not-run", "malicious-ip": "passed", "creator": "passed", "remediation": "passed",
        }, name  # fmt: skip
        if name == "rule disabled":
            before = lab.count()
            lab("advance", "2h")
            assert lab.count() == before
        if undo:
            lab.aws(*[part.format(**values) for part in undo])
            assert _statuses(lab.check())["remediation"] == "failed", name
    final = lab.check("--function-name", "traffic-simulation")
    assert final["passed"]
    assert final["score"] >= 85
    assert_count_stands(lab)


def assert_count_stands(lab: LabCommand) -> None:
    """Assert that Count does not grow in two hours, once what ran before the fix was counted, which takes minutes."""
    lab("advance", "30m")
    before = lab.count()
    lab("advance", "2h")
    assert lab.count() == before


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("System", "session"),
        ("cloudformation.amazonaws.com", "CloudFormation"),
        ("WorkloadDevRole", "chang"),
        ("WSParticipantRole", ""),
    ],
)
def test_wrong_creators_are_told_apart(shared_lab: LabCommand, answer: str, told: str) -> None:
    """Session name, CloudFormation and the last modifier are each wrong in their own way, and the answer is not given."""
    report = shared_lab.check("--creator", answer)
    task = next(task for task in report["tasks"] if task["id"] == "creator")
    assert task["status"] == "failed"
    assert told.lower() in task["why"].lower()
    assert "WSSystemRole" not in json.dumps(report)


def test_labs_run_at_once_and_tell_what_their_seeds_say(new_lab: NewLab) -> None:
    """Other seeds: other accounts and addresses, and one's advance does not move the other. The same seed: the same world.

    Times of the same seed may differ by the ten minutes that a start is rounded to.
    """
    one, two, again = new_lab("one"), new_lab("two"), new_lab("again")
    told = [one.start("--seed", "1"), two.start("--seed", "2"), again.start("--seed", "1")]
    assert told[0]["account_id"] == told[2]["account_id"] != told[1]["account_id"]
    before = two.count()
    one("advance", "1h")
    assert two.count() == before
    found = [lab.finding() for lab in (one, two, again)]
    addresses = [
        each["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"] for each in found
    ]
    assert addresses[0] == addresses[2] != addresses[1]
    assert len({each["Resource"]["LambdaDetails"]["RevisionId"] for each in (found[0], found[2])}) == 1
    assert len({lab.client("iam").get_role(RoleName="WSSystemRole")["Role"]["RoleId"] for lab in (one, again)}) == 1


def test_start_prints_the_assignment_and_what_to_type_next(printed: str) -> None:
    """A newcomer reads the finding's type, the endpoint, the account and the next commands; no answer stands there."""
    for part in (FINDING, "http://127.0.0.1:", "lab shell", "lab check"):
        assert part in printed
    assert not re.search(r"198\.1[89]\.\d+\.\d+", printed)


def test_the_instructors_key_is_printed_recorded_and_reported(shared_lab: LabCommand) -> None:
    """`lab answers` prints this lab's values; from then on every report says that it was used."""
    lab = shared_lab
    assert "key of this lab" not in json.dumps(lab.check())
    printed = lab("answers").stdout
    address = lab.finding()["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"]
    assert address in printed
    assert "WSSystemRole" in printed
    assert any("key of this lab was printed" in remark for remark in lab.check()["remarks"])
