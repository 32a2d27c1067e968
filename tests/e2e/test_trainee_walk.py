"""The main job, as the module's text tells it: find, name, attribute, stop, be graded."""

import json
import re
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.conftest import LabCommand, NewLab

FINDING = "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"
FIXES: dict[str, list[list[str]]] = {
    "function deleted": [["lambda", "delete-function", "--function-name", "traffic-simulation"]],
    "rule disabled": [["events", "disable-rule", "--name", "{rule}"]],
    "target removed": [["events", "remove-targets", "--rule", "{rule}", "--ids", "{target}"]],
    "concurrency 0": [
        [
            "lambda",
            "put-function-concurrency",
            "--function-name",
            "traffic-simulation",
            "--reserved-concurrent-executions",
            "0",
        ]
    ],
}


def _statuses(report: dict[str, Any]) -> dict[str, str]:
    return {task["id"]: task["status"] for task in report["tasks"]}


def _rule(lab: LabCommand) -> dict[str, str]:
    arn = lab.aws("lambda", "get-function-configuration", "--function-name", "traffic-simulation")["FunctionArn"]
    rule = lab.aws("events", "list-rule-names-by-target", "--target-arn", arn)["RuleNames"][0]
    target = lab.aws("events", "list-targets-by-rule", "--rule", rule)["Targets"][0]["Id"]
    return {"rule": rule, "target": target}


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


def test_count_grows_by_one_for_each_ten_minutes(lab: LabCommand) -> None:
    """`lab advance 30m` brings three runs, so three more occurrences."""
    before = lab.count()
    lab("advance", "30m")
    assert lab.count() == before + 3


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


@pytest.mark.parametrize("name", FIXES)
def test_all_tasks_fail_at_first_and_pass_one_by_one(lab: LabCommand, name: str) -> None:
    """Nothing is passed at first; each right answer passes its own task, and any accepted fix the last."""
    assert "passed" not in _statuses(lab.check()).values()
    finding = lab.finding()
    address = finding["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"]
    assert _statuses(lab.check("--creator", "WSSystemRole"))["creator"] == "passed"
    assert _statuses(lab.check("--malicious-ip", address))["malicious-ip"] == "passed"
    values = _rule(lab)
    for step in FIXES[name]:
        lab.aws(*[part.format(**values) for part in step])
    report = lab.check()
    assert _statuses(report) == {
        "function-name": "not-run", "malicious-ip": "passed", "creator": "passed", "remediation": "passed",
    }  # fmt: skip
    final = lab.check("--function-name", "traffic-simulation")
    assert final["passed"]
    assert final["score"] >= 85
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


def test_two_labs_run_at_once_and_tell_different_things(new_lab: NewLab) -> None:
    """Two LAB_HOMEs and ports: different accounts and addresses, and one's advance does not move the other."""
    one, two = new_lab("one"), new_lab("two")
    told = [one.start("--seed", "1"), two.start("--seed", "2")]
    assert told[0]["account_id"] != told[1]["account_id"]
    before = two.count()
    one("advance", "1h")
    assert two.count() == before
    addresses = {
        lab.finding()["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"]
        for lab in (one, two)
    }
    assert len(addresses) == 2


def test_the_same_seed_makes_the_same_world(new_lab: NewLab) -> None:
    """Account, address and ids are the seed's. Times may differ by the ten minutes that a start is rounded to."""
    worlds = []
    for name in ("one", "two"):
        lab = new_lab(name)
        told = lab.start("--seed", "again")
        finding = lab.finding()
        role = lab.aws("iam", "get-role", "--role-name", "WSSystemRole")["Role"]
        worlds.append(
            (told["account_id"], finding["Resource"]["LambdaDetails"]["RevisionId"], role["RoleId"], finding["Id"][:0])
        )
        lab("stop")
    assert worlds[0] == worlds[1]


def test_start_prints_the_assignment_and_what_to_type_next(new_lab: NewLab) -> None:
    """A newcomer reads the finding's type, the endpoint, the account and the next commands; no answer stands there."""
    lab = new_lab()
    printed = lab("start", "--port", "0", "--seed", "print").stdout
    for part in (FINDING, "http://127.0.0.1:", "lab shell", "lab check"):
        assert part in printed
    assert not re.search(r"198\.1[89]\.\d+\.\d+", printed)


def test_the_instructors_key_is_printed_recorded_and_reported(lab: LabCommand) -> None:
    """`lab answers` prints this lab's values; from then on every report says that it was used."""
    assert "key of this lab" not in json.dumps(lab.check())
    printed = lab("answers").stdout
    address = lab.finding()["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"]
    assert address in printed
    assert "WSSystemRole" in printed
    assert any("key of this lab was printed" in remark for remark in lab.check()["remarks"])
