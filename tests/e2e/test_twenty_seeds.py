"""The same walk in twenty labs: whatever the seed, evidence leads to the answers and any accepted fix passes."""

import json
from typing import Any

import pytest

from lab import TrialBench, benches

SCENARIO = "lambda-malicious-ip"
LAMBDA = {"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}
NAME = "traffic-simulation"


def _finding(bench: TrialBench) -> dict[str, Any]:
    guardduty = bench.client("guardduty")
    detector = guardduty.list_detectors()["DetectorIds"][0]
    ids = guardduty.list_findings(DetectorId=detector, FindingCriteria=LAMBDA)["FindingIds"]
    assert len(ids) == 1
    found: dict[str, Any] = guardduty.get_findings(DetectorId=detector, FindingIds=ids)["Findings"][0]
    return found


def _creator(bench: TrialBench) -> str:
    pages = bench.client("cloudtrail").get_paginator("lookup_events")
    asked = [{"AttributeKey": "ResourceName", "AttributeValue": NAME}]
    oldest = [event for page in pages.paginate(LookupAttributes=asked) for event in page["Events"]][-1]
    record = json.loads(oldest["CloudTrailEvent"])
    assert record["eventName"] == "CreateFunction20150331"
    return str(record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"])


def _delete(bench: TrialBench) -> None:
    bench.client("lambda").delete_function(FunctionName=NAME)


def _throttle(bench: TrialBench) -> None:
    bench.client("lambda").put_function_concurrency(FunctionName=NAME, ReservedConcurrentExecutions=0)


def _rule(bench: TrialBench) -> str:
    arn = bench.client("lambda").get_function_configuration(FunctionName=NAME)["FunctionArn"]
    return str(bench.client("events").list_rule_names_by_target(TargetArn=arn)["RuleNames"][0])


def _disable(bench: TrialBench) -> None:
    bench.client("events").disable_rule(Name=_rule(bench))


def _untarget(bench: TrialBench) -> None:
    events, rule = bench.client("events"), _rule(bench)
    ids = [target["Id"] for target in events.list_targets_by_rule(Rule=rule)["Targets"]]
    events.remove_targets(Rule=rule, Ids=ids)


FIXES = (_delete, _throttle, _disable, _untarget)


@pytest.mark.parametrize("number", range(20))
def test_the_walk_succeeds_with_any_seed(number: int) -> None:
    """Nothing passes before; function, address and creator come from AWS's evidence; the fix is accepted and holds."""
    with benches(SCENARIO, f"class of {number * 7919}") as opened, opened() as bench:
        assert not any(task["status"] == "passed" for task in bench.check()["tasks"])
        finding = _finding(bench)
        action = finding["Service"]["Action"]["NetworkConnectionAction"]
        bench.world.memory.remember("function-name", finding["Resource"]["LambdaDetails"]["FunctionName"])
        bench.world.memory.remember("malicious-ip", action["RemoteIpDetails"]["IpAddressV4"])
        bench.world.memory.remember("creator", _creator(bench))
        before = bench.check()
        assert [task["status"] for task in before["tasks"]] == ["passed", "passed", "passed", "failed"]
        FIXES[number % len(FIXES)](bench)
        after = bench.check()
        assert after["passed"]
        assert after["score"] >= 85
        bench.here.post("/_lab/advance", {"seconds": 1800})  # what ran before the fix is counted minutes later
        count = _finding(bench)["Service"]["Count"]
        bench.here.post("/_lab/advance", {"seconds": 7200})
        assert _finding(bench)["Service"]["Count"] == count
