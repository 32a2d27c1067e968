"""Findings grow from what functions do, and from nothing else: each link of the chain alone stops them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

IP = "198.51.100.7"
OTHER = "203.0.113.9"


def runs(world: Any, count: int, **params: Any) -> None:
    """Have the function connect every ten minutes."""
    for _ in range(count):
        world.flow(**params)
        world.wait(minutes=10)


def moment(text: str) -> datetime:
    """Return a finding's time."""
    return datetime.fromisoformat(text)


def test_the_finding_is_what_aws_shows(listed: Any) -> None:
    """Names, casing and values of the observed finding (docs/aws-facts.md, 1.1; checklist 19 to 27)."""
    runs(listed, 3)
    finding = listed.finding()
    service, resource = finding["Service"], finding["Resource"]
    assert finding["Type"] == "UnauthorizedAccess:Lambda/MaliciousIPCaller.Custom"
    assert finding["Severity"] == 5.0
    assert finding["Description"] == (
        f"The Lambda function traffic-simulation is communicating with IP address {IP} on the custom threat list "
        "S3BadIpAddressList."
    )
    assert finding["Arn"] == (
        f"arn:aws:guardduty:us-east-1:486547846362:detector/{listed.detector_id}/finding/{finding['Id']}"
    )
    assert service["AdditionalInfo"] == {
        "Value": '{"threatName":"Customer Threat Intel","threatListName":"S3BadIpAddressList"}',
        "Type": "default",
    }
    assert list(json.loads(service["AdditionalInfo"]["Value"])) == ["threatName", "threatListName"]
    assert service["Evidence"]["ThreatIntelligenceDetails"] == [
        {"ThreatListName": "S3BadIpAddressList", "ThreatNames": ["Customer Threat Intel"]}
    ]
    action = service["Action"]["NetworkConnectionAction"]
    assert (action["ConnectionDirection"], service["ResourceRole"], action["Blocked"]) == ("OUTBOUND", "TARGET", False)
    assert action["RemotePortDetails"] == {"Port": 443, "PortName": "HTTPS"}
    assert action["RemoteIpDetails"]["IpAddressV4"] == IP
    assert action["RemoteIpDetails"]["City"] == {}
    assert 64496 <= int(action["RemoteIpDetails"]["Organization"]["Asn"]) <= 64511
    assert resource["ResourceType"] == "Lambda"
    assert resource["LambdaDetails"]["FunctionName"] == "traffic-simulation"
    assert resource["LambdaDetails"]["FunctionVersion"] == "$LATEST"
    assert resource["LambdaDetails"]["Tags"] == [{"Key": "team", "Value": "payments"}]
    assert resource["LambdaDetails"]["LastModifiedAt"] == datetime.fromisoformat("2026-11-22T17:33:22.123+00:00")
    assert "VpcConfig" not in resource["LambdaDetails"]
    assert service["EventLastSeen"].endswith(".000Z")
    assert "UserFeedback" not in service


def test_the_members_come_in_the_models_order(listed: Any) -> None:
    """Console exports keep that order."""
    runs(listed, 1)
    finding = listed.finding()
    assert list(finding) == sorted(finding)
    assert list(finding["Service"]) == [
        "Action", "Evidence", "Archived", "Count", "DetectorId", "EventFirstSeen", "EventLastSeen", "ResourceRole",
        "ServiceName", "AdditionalInfo",
    ]  # fmt: skip


def test_count_is_the_number_of_runs(listed: Any) -> None:
    """One a run; CreatedAt and the id stay, the id encodes it, UpdatedAt trails the last run (checklist 25 to 30)."""
    runs(listed, 2)
    first = listed.finding()
    runs(listed, 236)
    last = listed.finding()
    assert (first["Service"]["Count"], last["Service"]["Count"]) == (2, 238)
    assert (first["Id"], first["CreatedAt"]) == (last["Id"], last["CreatedAt"])
    milliseconds = round(moment(last["CreatedAt"]).timestamp() * 1000)
    assert int(last["Id"][2:14], 16) >> 7 == milliseconds
    assert int(last["Id"][:2], 16) % 2 == 0
    lag = moment(last["UpdatedAt"]) - moment(last["Service"]["EventLastSeen"])
    assert timedelta(minutes=2) < lag < timedelta(minutes=10)
    created = moment(last["CreatedAt"]) - moment(last["Service"]["EventFirstSeen"])
    assert abs(created - timedelta(minutes=6, seconds=8)) <= timedelta(seconds=21)


def test_a_finding_does_not_show_within_seconds(listed: Any) -> None:
    """It takes some six minutes."""
    listed.flow()
    listed.wait(minutes=5)
    assert listed.findings() == []
    listed.wait(minutes=2)
    assert listed.finding()["Service"]["Count"] == 1


def test_several_connections_of_a_run_count_once(listed: Any) -> None:
    """A retry of the failed run, a minute later under the same request id, counts again."""
    for _ in range(3):
        listed.flow(run="r1")
    listed.wait(minutes=1)
    listed.flow(run="r1")
    listed.wait(minutes=10)
    assert listed.finding()["Service"]["Count"] == 2


def test_a_run_before_the_list_is_active_is_unmatched(world: Any) -> None:
    """Hence Count is below the number of invocations."""
    world.flow()
    location = world.put("l", IP.encode())
    world.call("CreateThreatIntelSet", Name="l", Format="TXT", Location=location, Activate=True)
    world.wait(minutes=1)
    world.flow()
    world.wait(minutes=10)
    world.flow()
    world.wait(minutes=10)
    assert world.finding()["Service"]["Count"] == 1


def test_another_listed_address_gets_a_finding_of_its_own(listed: Any) -> None:
    """So does another function."""
    runs(listed, 2)
    runs(listed, 3, ip=OTHER)
    runs(listed, 1, function="traffic-simulation-canary")
    counts = {
        (
            each["Resource"]["LambdaDetails"]["FunctionName"],
            each["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"],
        ): each["Service"]["Count"]
        for each in listed.findings()
    }
    assert counts == {
        ("traffic-simulation", IP): 2,
        ("traffic-simulation", OTHER): 3,
        ("traffic-simulation-canary", IP): 1,
    }


def test_an_unlisted_address_is_nobodys_business(listed: Any) -> None:
    """No finding for it."""
    runs(listed, 3, ip="203.0.113.200")
    assert listed.findings() == []


def set_id(world: Any) -> dict[str, str]:
    """Return the threat list's id, as operations take it."""
    return {"ThreatIntelSetId": world.call("ListThreatIntelSets")["ThreatIntelSetIds"][0]}


def empty_and_reactivate(world: Any) -> None:
    """Take the address off the list and activate it anew."""
    world.put("list.txt", b"203.0.113.9\n")
    world.call("UpdateThreatIntelSet", **set_id(world), Activate=True)


def trust(world: Any) -> None:
    """Put the address on the trusted list."""
    location = world.put("trusted.txt", IP.encode())
    world.call("CreateIPSet", Name="trusted", Format="TXT", Location=location, Activate=True)
    world.wait(minutes=10)


def trust_entity(world: Any) -> None:
    """Put the address on the trusted entity list."""
    location = world.put("trusted.txt", IP.encode())
    world.call("CreateTrustedEntitySet", Name="trusted", Format="TXT", Location=location, Activate=True)
    world.wait(minutes=10)


def protection_off(world: Any) -> None:
    """Turn Lambda protection off."""
    world.call("UpdateDetector", Features=[{"Name": "LAMBDA_NETWORK_LOGS", "Status": "DISABLED"}])


@pytest.mark.parametrize(
    "stop",
    [
        lambda world: world.call("UpdateThreatIntelSet", **set_id(world), Activate=False),
        lambda world: world.call("DeleteThreatIntelSet", **set_id(world)),
        lambda world: world.call("UpdateDetector", Enable=False),
        empty_and_reactivate,
        trust,
        trust_entity,
        protection_off,
    ],
    ids=["deactivated", "deleted", "suspended", "emptied", "trusted", "trusted-entity", "unprotected"],
)
def test_each_link_alone_freezes_the_finding(listed: Any, stop: Callable[[Any], Any]) -> None:
    """Count stops at once, and the finding stays (checklist 31 and 40)."""
    runs(listed, 3)
    stop(listed)
    before = listed.finding()
    runs(listed, 5)
    after = listed.finding()
    assert (before["Service"]["Count"], after["Service"]["Count"]) == (3, 3)
    assert after["UpdatedAt"] == before["UpdatedAt"]


def test_editing_the_object_changes_nothing_until_the_list_is_activated_anew(listed: Any) -> None:
    """The object is read at the activation, not later (checklist 37)."""
    listed.put("list.txt", b"192.0.2.1\n")
    runs(listed, 2)
    assert listed.finding()["Service"]["Count"] == 2
    listed.call("UpdateThreatIntelSet", **set_id(listed), Activate=True)
    listed.put("list.txt", b"198.51.100.7\n")
    runs(listed, 2, ip="192.0.2.1")
    assert len(listed.findings()) == 2


def test_nothing_matches_while_a_list_is_activating(listed: Any) -> None:
    """Reactivated with the same content, it matches again when it is active."""
    listed.call("UpdateThreatIntelSet", **set_id(listed), Activate=True)
    listed.wait(minutes=2)
    runs(listed, 1)
    assert listed.findings() == []
    runs(listed, 1)
    assert listed.finding()["Service"]["Count"] == 1


def test_protection_turned_on_again_goes_on_counting(listed: Any) -> None:
    """The same finding, with a gap."""
    runs(listed, 2)
    protection_off(listed)
    runs(listed, 2)
    listed.call("UpdateDetector", Features=[{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}])
    runs(listed, 2)
    assert listed.finding()["Service"]["Count"] == 4


def test_the_latest_occurrence_overwrites_the_details(listed: Any) -> None:
    """Aggregation keeps the id and tells of the last connection, once that one is visible."""
    runs(listed, 1)
    listed.lab.functions.states["traffic-simulation"] |= {
        "Description": "renamed",
        "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    }
    listed.flow(action="REJECT", port=8009)
    listed.wait(minutes=3)
    before = listed.finding()
    listed.wait(minutes=3)
    after = listed.finding()
    assert before["Resource"]["LambdaDetails"]["Description"] == "Function to simulate malicious IP calls"
    assert after["Resource"]["LambdaDetails"]["Description"] == "renamed"
    assert after["Resource"]["LambdaDetails"]["VpcConfig"] == {
        "SubnetIds": ["subnet-1"],
        "VpcId": "vpc-1",
        "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "closed"}],
    }
    action = after["Service"]["Action"]["NetworkConnectionAction"]
    assert action["Blocked"] is True
    assert action["RemotePortDetails"] == {"Port": 8009, "PortName": "Unknown"}


def test_a_deleted_functions_finding_stays_as_it_was(listed: Any) -> None:
    """A last connection of a function that is gone keeps the details known."""
    runs(listed, 1)
    del listed.lab.functions.states["traffic-simulation"]
    runs(listed, 1)
    assert listed.finding()["Resource"]["LambdaDetails"]["Description"] == "Function to simulate malicious IP calls"


def test_a_list_of_ranges_matches(world: Any) -> None:
    """CIDR entries count."""
    location = world.put("l", b"198.51.100.0/28")
    world.call("CreateThreatIntelSet", Name="l", Format="TXT", Location=location, Activate=True)
    world.wait(minutes=10)
    runs(world, 1)
    runs(world, 1, ip="198.51.100.16")
    assert world.finding()["Service"]["Count"] == 1


def test_private_addresses_never_fire(world: Any) -> None:
    """Listed or not (checklist 39)."""
    location = world.put("l", b"10.0.0.0/8")
    world.call("CreateThreatIntelSet", Name="l", Format="TXT", Location=location, Activate=True)
    world.wait(minutes=10)
    runs(world, 2, ip="10.1.2.3")
    assert world.findings() == []


def test_a_finding_is_forgotten_90_days_after_its_last_occurrence(listed: Any) -> None:
    """Retention."""
    runs(listed, 1)
    listed.wait(days=89)
    assert len(listed.findings()) == 1
    listed.wait(days=2)
    assert listed.findings() == []


def test_the_same_seed_gives_the_same_findings(world: Any) -> None:
    """Ids, lags and all; another seed does not."""
    worlds = [type(world)(seed) for seed in ("a", "a", "b")]
    found = []
    for each in worlds:
        each.detector_id = each.call("CreateDetector", Enable=True)["DetectorId"]
        location = each.put("l", IP.encode())
        each.call("CreateThreatIntelSet", Name="l", Format="TXT", Location=location, Activate=True)
        each.wait(minutes=10)
        runs(each, 2)
        found.append(each.finding())
    assert found[0] == found[1]
    assert found[0]["Id"] != found[2]["Id"]


def test_looking_at_other_moments_in_between_changes_nothing(listed: Any) -> None:
    """What is kept of a look holds for just as long as it is true, also for a look back."""
    runs(listed, 20)
    end = listed.now
    looks: dict[int, list[tuple[int, str]]] = {}
    for order in (range(0, 210, 7), range(209, -1, -7), range(0, 210, 7)):
        for minutes in order:
            listed.now = end - timedelta(minutes=minutes)
            shown = [(each["Service"]["Count"], each["UpdatedAt"]) for each in listed.findings()]
            assert looks.setdefault(minutes, shown) == shown
    assert len({str(each) for each in looks.values()}) > 15
