"""What EventBridge is told: new findings at once, repeats at the detector's frequency."""

from __future__ import annotations

import json
from typing import Any

import pytest


def runs(world: Any, count: int) -> None:
    """Have the function connect every ten minutes."""
    for _ in range(count):
        world.flow()
        world.wait(minutes=10)


def counts(world: Any) -> list[int]:
    """Return the Count of each event."""
    return [event["detail"]["service"]["count"] for event in world.lab.bus.events]


def test_a_new_finding_is_told_when_it_shows(listed: Any) -> None:
    """Not before."""
    listed.flow()
    listed.wait(minutes=5)
    assert listed.lab.bus.events == []
    listed.wait(minutes=2)
    (event,) = listed.lab.bus.events
    assert (event["detail_type"], event["source"], event["resources"]) == ("GuardDuty Finding", "aws.guardduty", [])
    assert event["detail"]["id"] == listed.finding()["Id"]


def test_the_detail_is_camel_case_and_json(listed: Any) -> None:
    """With the additional information spread out beside its text (checklist 34)."""
    listed.flow()
    listed.wait(minutes=10)
    detail = json.loads(json.dumps(listed.lab.bus.events[0]["detail"]))
    assert detail["service"]["additionalInfo"] == {
        "threatName": "Customer Threat Intel",
        "threatListName": "S3BadIpAddressList",
        "value": '{"threatName":"Customer Threat Intel","threatListName":"S3BadIpAddressList"}',
        "type": "default",
    }
    assert detail["service"]["action"]["networkConnectionAction"]["remoteIpDetails"]["ipAddressV4"] == "198.51.100.7"
    assert detail["resource"]["lambdaDetails"]["lastModifiedAt"] == "2026-11-22T17:33:22.123Z"
    assert detail["resource"]["lambdaDetails"]["tags"] == [{"key": "team", "value": "payments"}]

    def names(node: Any) -> set[str]:
        if isinstance(node, dict):
            return set(node) | {name for each in node.values() for name in names(each)}
        return {name for each in node for name in names(each)} if isinstance(node, list) else set()

    assert all(name[0].islower() for name in names(detail))


@pytest.mark.parametrize(("frequency", "expected"), [("SIX_HOURS", 3), ("ONE_HOUR", 13), ("FIFTEEN_MINUTES", 37)])
def test_repeats_are_batched_at_the_detectors_frequency(listed: Any, frequency: str, expected: int) -> None:
    """Twelve hours of runs every ten minutes."""
    listed.call("UpdateDetector", FindingPublishingFrequency=frequency)
    runs(listed, 73)
    assert abs(len(counts(listed)) - expected) <= 12 * (frequency == "FIFTEEN_MINUTES")
    assert counts(listed) == sorted(set(counts(listed)))


def test_a_shorter_frequency_does_not_reach_back(listed: Any) -> None:
    """What had not been told of yet is told of once, now, and from then on more often."""
    runs(listed, 30)
    assert len(counts(listed)) == 1
    listed.call("UpdateDetector", FindingPublishingFrequency="FIFTEEN_MINUTES")
    changed = listed.now
    listed.wait(minutes=1)
    assert counts(listed) == [1, 30]
    assert listed.lab.bus.events[-1]["time"] == changed
    listed.call("UpdateDetector", FindingPublishingFrequency="FIFTEEN_MINUTES")
    runs(listed, 6)
    assert all(event["time"] > changed for event in listed.lab.bus.events[2:])
    assert len(counts(listed)) > 4


def test_nothing_is_told_when_nothing_happens(listed: Any) -> None:
    """A finding that froze is told of once more at most."""
    runs(listed, 3)
    listed.wait(days=2)
    assert counts(listed) == [1, 3]
    assert listed.service.next_due() is None


def test_an_archived_finding_that_occurs_again_is_told(listed: Any) -> None:
    """Unlike a suppressed one."""
    runs(listed, 1)
    listed.call("ArchiveFindings", FindingIds=[listed.finding()["Id"]])
    runs(listed, 1)
    listed.wait(hours=7)
    assert counts(listed) == [1, 2]
    assert listed.lab.bus.events[-1]["detail"]["service"]["archived"] is False


def test_samples_are_told_too(world: Any) -> None:
    """Each time they are made."""
    for _ in range(2):
        world.call("CreateSampleFindings", FindingTypes=["Backdoor:Lambda/C&CActivity.B"])
        world.wait(minutes=1)
    assert counts(world) == [1, 2]
    assert world.lab.bus.events[0]["detail"]["service"]["additionalInfo"]["sample"] is True


def test_what_was_told_is_a_consequence(listed: Any) -> None:
    """Recorded, so that a replay does not tell it again."""
    listed.flow()
    listed.wait(minutes=10)
    (record,) = listed.lab.records
    assert record[:2] == ("guardduty", "published")
    assert json.loads(json.dumps(record[2])) == record[2]
