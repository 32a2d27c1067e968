"""Samples, scenery, usage, tags, destinations, and what a lone account has none of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.services.guardduty.finding_types import SEVERITIES

ACCOUNT = "486547846362"


def scenery(**changes: Any) -> dict[str, Any]:
    """Return a declared finding as the scenario writes it."""
    return {
        "Type": "Recon:IAMUser/MaliciousIPCaller.Custom",
        "Severity": 5,
        "Title": "t",
        "Description": "d",
        "CreatedAt": "2026-11-22T18:00:00.123Z",
        "UpdatedAt": "2026-11-22T19:00:00.456Z",
        "Resource": {"ResourceType": "AccessKey", "AccessKeyDetails": {"UserName": "backup-operator"}},
        "Service": {
            "Count": 4,
            "Archived": False,
            "EventFirstSeen": "2026-11-22T17:54:00.000Z",
            "EventLastSeen": "2026-11-22T18:55:00.000Z",
            "ResourceRole": "TARGET",
            "AdditionalInfo": {"Value": "{}", "Type": "default"},
            **changes,
        },
    }


def test_scenery_shows_from_its_creation_on_and_never_grows(world: Any) -> None:
    """What is declared is shown, ids are added, and nothing is told to EventBridge."""
    world.service.apply_scenery(world.context(), {"finding": scenery()})
    assert world.findings() == []
    world.wait(minutes=31)
    finding = world.finding()
    assert (finding["CreatedAt"], finding["UpdatedAt"]) == ("2026-11-22T18:00:00.123Z", "2026-11-22T19:00:00.456Z")
    assert finding["Service"]["Count"] == 4
    assert int(finding["Id"][2:14], 16) >> 7 == 1795370400123
    assert finding["AccountId"] == ACCOUNT
    world.wait(days=2)
    assert world.finding() == finding
    assert world.lab.bus.events == []


def test_scenery_in_whole_seconds_gets_its_milliseconds(world: Any) -> None:
    """None in CreatedAt would give it away; one that was never updated keeps one time for both."""
    declared = scenery() | {"CreatedAt": "2026-11-22T18:00:00.000Z", "UpdatedAt": "2026-11-22T18:00:00.000Z"}
    world.service.apply_scenery(world.context(), {"finding": declared})
    world.wait(hours=1)
    finding = world.finding()
    assert finding["CreatedAt"] == finding["UpdatedAt"] != "2026-11-22T18:00:00.000Z"
    assert finding["CreatedAt"].startswith("2026-11-22T18:00:00.")


def test_scenery_tells_whose_an_address_is(world: Any) -> None:
    """An address that comes alone gets its organisation, as in earned findings; the function's own side does not."""
    action = {
        "ActionType": "NETWORK_CONNECTION",
        "NetworkConnectionAction": {
            "LocalIpDetails": {"IpAddressV4": "10.0.0.9"},
            "RemoteIpDetails": {"IpAddressV4": "203.0.113.9"},
        },
    }
    world.service.apply_scenery(world.context(), {"finding": scenery(Action=action)})
    world.wait(hours=1)
    shown = world.finding()["Service"]["Action"]["NetworkConnectionAction"]
    assert shown["RemoteIpDetails"]["Organization"]["Asn"].isdigit()
    assert shown["LocalIpDetails"] == {"IpAddressV4": "10.0.0.9"}


def test_scenery_can_be_archived(world: Any) -> None:
    """Declared so, or by hand."""
    world.service.apply_scenery(world.context(), {"finding": scenery(Archived=True)})
    world.wait(hours=1)
    finding = world.finding()
    assert finding["Service"]["Archived"] is True
    world.call("UnarchiveFindings", FindingIds=[finding["Id"]])
    world.wait(hours=1)
    world.call("UnarchiveFindings", FindingIds=[finding["Id"]])
    assert world.finding()["Service"]["Archived"] is False


def test_a_sample_of_every_type_is_made_where_none_is_named(world: Any) -> None:
    """Marked as samples, one a type."""
    world.call("CreateSampleFindings")
    statistics = world.call("GetFindingsStatistics", FindingStatisticTypes=["COUNT_BY_SEVERITY"])["FindingStatistics"]
    assert sum(statistics["CountBySeverity"].values()) == len(SEVERITIES) > 150


@pytest.mark.parametrize("finding_type", sorted(SEVERITIES))
def test_a_sample_is_marked_and_made_of_placeholders(world: Any, finding_type: str) -> None:
    """No sample carries anything of the lab's."""
    world.call("CreateSampleFindings", FindingTypes=[finding_type])
    finding = world.finding()
    assert finding["Type"] == finding_type
    assert finding["Title"].startswith("[SAMPLE]")
    assert json.loads(finding["Service"]["AdditionalInfo"]["Value"])["sample"] is True
    assert finding["Resource"]["ResourceType"]
    assert "traffic-simulation" not in str(finding)


def test_a_sample_made_again_counts_one_more(world: Any) -> None:
    """The same id, and current again if it was archived."""
    types = ["UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"]
    world.call("CreateSampleFindings", FindingTypes=types)
    first = world.finding()
    world.call("ArchiveFindings", FindingIds=[first["Id"]])
    world.wait(hours=1)
    world.call("CreateSampleFindings", FindingTypes=types)
    second = world.finding()
    assert (second["Id"], second["Service"]["Count"], second["Service"]["Archived"]) == (first["Id"], 2, False)


def test_an_unknown_sample_type_is_refused(world: Any) -> None:
    """And none of the others is made."""
    error = world.error("CreateSampleFindings", FindingTypes=["Backdoor:Lambda/C&CActivity.B", "Nothing:Here/AtAll"])
    assert error.code == "BadRequestException"
    assert world.findings() == []


def usage(world: Any, kind: str, **criteria: Any) -> dict[str, Any]:
    """Return usage statistics of one kind."""
    answer = world.call("GetUsageStatistics", UsageStatisticType=kind, UsageCriteria=criteria)
    statistics: dict[str, Any] = answer["UsageStatistics"]
    return statistics


def test_lambda_protection_costs_money_with_every_run(world: Any) -> None:
    """The module warns of it: let it be seen."""
    costs = []
    for _ in range(2):
        for _ in range(10):
            world.flow()
        world.wait(hours=1)
        lines = usage(world, "SUM_BY_FEATURES", Features=["LAMBDA_NETWORK_LOGS"])["SumByFeature"]
        assert [each["Feature"] for each in lines] == ["LAMBDA_NETWORK_LOGS"]
        assert lines[0]["Total"]["Unit"] == "USD"
        costs.append(float(lines[0]["Total"]["Amount"]))
    assert costs[1] == 2 * costs[0] > 0


@pytest.mark.parametrize(
    ("kind", "member"),
    [
        ("SUM_BY_ACCOUNT", "SumByAccount"),
        ("SUM_BY_DATA_SOURCE", "SumByDataSource"),
        ("SUM_BY_FEATURES", "SumByFeature"),
        ("SUM_BY_RESOURCE", "SumByResource"),
        ("TOP_RESOURCES", "TopResources"),
        ("TOP_ACCOUNTS_BY_FEATURE", "TopAccountsByFeature"),
    ],
)
def test_usage_comes_in_six_kinds(world: Any, kind: str, member: str) -> None:
    """Each fills its own member; another account has no usage."""
    world.flow()
    world.wait(hours=5)
    assert usage(world, kind)[member]
    assert usage(world, kind, AccountIds=["999999999999"])[member] == []


def test_free_trial_days_run_down(world: Any) -> None:
    """From 30, for each feature since it was turned on."""
    world.wait(days=10, hours=1)
    result = world.call("GetRemainingFreeTrialDays", AccountIds=[ACCOUNT, "999999999999"])
    (account,) = result["Accounts"]
    days = {each["Name"]: each["FreeTrialDaysRemaining"] for each in account["Features"]}
    assert days["LAMBDA_NETWORK_LOGS"] == 20
    assert days["EKS_RUNTIME_MONITORING"] == 30
    assert account["DataSources"]["S3Logs"] == {"FreeTrialDaysRemaining": 20}
    assert [each["AccountId"] for each in result["UnprocessedAccounts"]] == ["999999999999"]
    world.wait(days=30)
    assert world.call("GetRemainingFreeTrialDays")["Accounts"][0]["DataSources"]["FlowLogs"] == {
        "FreeTrialDaysRemaining": 0
    }


def test_a_free_trial_does_not_begin_anew(empty: Any) -> None:
    """Switching a feature off and on again, or on twice, gives back no day; what was never on has all of them."""
    off = [{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}]
    empty.detector_id = empty.call("CreateDetector", Enable=True, Features=off)["DetectorId"]
    empty.wait(days=10, hours=1)
    for status in ("ENABLED", "DISABLED", "ENABLED"):
        empty.call("UpdateDetector", Features=[{"Name": "LAMBDA_NETWORK_LOGS", "Status": status}])
    (account,) = empty.call("GetRemainingFreeTrialDays")["Accounts"]
    days = {each["Name"]: each["FreeTrialDaysRemaining"] for each in account["Features"]}
    assert (days["LAMBDA_NETWORK_LOGS"], days["S3_DATA_EVENTS"]) == (20, 30)
    empty.call("UpdateDetector", Features=[{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}])
    empty.wait(days=5, hours=1)
    (account,) = empty.call("GetRemainingFreeTrialDays")["Accounts"]
    assert account["DataSources"]["S3Logs"] == {"FreeTrialDaysRemaining": 25}


def test_everything_with_an_arn_has_tags(listed: Any) -> None:
    """Detector, lists and filters."""
    base = f"arn:aws:guardduty:us-east-1:{ACCOUNT}:detector/{listed.detector_id}"
    listed.call("CreateFilter", Name="mine", FindingCriteria={"Criterion": {}}, Tags={"old": "1"})
    (set_id,) = listed.call("ListThreatIntelSets")["ThreatIntelSetIds"]
    for arn in (base, f"{base}/filter/mine", f"{base}/threatintelset/{set_id}"):
        listed.call("TagResource", ResourceArn=arn, Tags={"team": "blue", "gone": "x"})
        listed.call("UntagResource", ResourceArn=arn, TagKeys=["gone", "never"])
        assert listed.call("ListTagsForResource", ResourceArn=arn)["Tags"]["team"] == "blue"
    assert listed.call("GetFilter", FilterName="mine")["Tags"] == {"old": "1", "team": "blue"}
    assert listed.call("GetDetector")["Tags"] == {"team": "blue"}


@pytest.mark.parametrize("rest", ["/filter/nobody", "/threatintelset/nothing", "/elsewhere/x", "/filter"])
def test_an_unknown_arn_is_refused(world: Any, rest: str) -> None:
    """What the detector does not hold has no tags."""
    arn = f"arn:aws:guardduty:us-east-1:{ACCOUNT}:detector/{world.detector_id}{rest}"
    assert world.error("ListTagsForResource", ResourceArn=arn).code == "BadRequestException"


def test_an_arn_of_another_account_or_detector_is_refused(world: Any) -> None:
    """Tags never leave the lab."""
    for account, detector in (("999999999999", world.detector_id), (ACCOUNT, "0" * 32)):
        arn = f"arn:aws:guardduty:us-east-1:{account}:detector/{detector}"
        assert "not owned" in world.error("ListTagsForResource", ResourceArn=arn).message


def test_at_most_50_tags(world: Any) -> None:
    """One more is refused."""
    arn = f"arn:aws:guardduty:us-east-1:{ACCOUNT}:detector/{world.detector_id}"
    world.call("TagResource", ResourceArn=arn, Tags={str(number): "" for number in range(50)})
    assert world.error("TagResource", ResourceArn=arn, Tags={"more": ""}).code == "BadRequestException"


def test_a_publishing_destination_is_kept_but_never_claims_to_publish(world: Any) -> None:
    """Nothing is exported, and its status says so."""
    properties = {"DestinationArn": "arn:aws:s3:::findings", "KmsKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k-1"}
    ids = world.call("CreatePublishingDestination", DestinationType="S3", DestinationProperties=properties)
    shown = world.call("DescribePublishingDestination", **ids)
    assert (shown["Status"], shown["DestinationProperties"]) == ("PENDING_VERIFICATION", properties)
    world.call("UpdatePublishingDestination", **ids, DestinationProperties={"DestinationArn": "arn:aws:s3:::elsewhere"})
    assert world.call("DescribePublishingDestination", **ids)["DestinationProperties"]["DestinationArn"].endswith(
        "elsewhere"
    )
    error = world.error("CreatePublishingDestination", DestinationType="S3", DestinationProperties=properties)
    assert "already exists" in error.message
    world.call("DeletePublishingDestination", **ids)
    assert world.call("ListPublishingDestinations") == {"Destinations": []}
    assert "no such resource" in world.error("DescribePublishingDestination", **ids).message


def test_a_lone_account_has_no_members(world: Any) -> None:
    """Lists are empty, every account named is unprocessed."""
    assert world.call("ListMembers") == {"Members": []}
    assert world.call("GetAdministratorAccount") == {}
    assert world.call("GetInvitationsCount") == {"InvitationsCount": 0}
    for operation in ("GetMembers", "DeleteMembers", "InviteMembers", "StartMonitoringMembers"):
        (unprocessed,) = world.call(operation, AccountIds=["999999999999"])["UnprocessedAccounts"]
        assert unprocessed["AccountId"] == "999999999999"
        assert "not an associated member" in unprocessed["Result"]


def test_what_has_nothing_behind_it_is_refused(world: Any) -> None:
    """An error instead of a pretence."""
    assert (
        world.error("StartMalwareScan", ResourceArn="arn:aws:ec2:us-east-1:1:instance/i").code == "BadRequestException"
    )
    assert world.error("GetMalwareProtectionPlan", MalwareProtectionPlanId="x").code == "ResourceNotFoundException"
    assert "AI_ANALYST" in world.error("CreateInvestigation", TriggerPrompt="who?").message
    world.call("UpdateDetector", Features=[{"Name": "AI_ANALYST", "Status": "ENABLED"}])
    assert "not supported" in world.error("CreateInvestigation", TriggerPrompt="who?").message


def test_malware_scan_settings_are_kept(world: Any) -> None:
    """Half an update leaves the other half."""
    assert world.call("GetMalwareScanSettings")["EbsSnapshotPreservation"] == "NO_RETENTION"
    world.call("UpdateMalwareScanSettings", EbsSnapshotPreservation="RETENTION_WITH_FINDING")
    criteria = {"Include": {"EC2_INSTANCE_TAG": {"MapEquals": [{"Key": "scan"}]}}}
    world.call("UpdateMalwareScanSettings", ScanResourceCriteria=criteria)
    assert world.call("GetMalwareScanSettings") == {
        "ScanResourceCriteria": criteria,
        "EbsSnapshotPreservation": "RETENTION_WITH_FINDING",
    }
