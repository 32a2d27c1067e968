"""Detectors: one a region, its settings in both of AWS's vocabularies."""

from __future__ import annotations

from typing import Any

import pytest

NOT_OWNED = "The request is rejected because the input detectorId is not owned by the current account."


def features(world: Any) -> dict[str, str]:
    """Return the status of each feature of the detector."""
    return {each["Name"]: each["Status"] for each in world.call("GetDetector")["Features"]}


def test_an_unknown_detector_is_not_owned(world: Any) -> None:
    """The text is AWS's, the code BadRequestException, the status the model's 400 (checklist 2 and 3)."""
    for operation, params in (
        ("GetDetector", {}),
        ("ListFindings", {}),
        ("CreateFilter", {"Name": "abc", "FindingCriteria": {}}),
    ):
        error = world.error(operation, DetectorId="0" * 32, **params)
        assert (error.code, error.message, error.status) == ("BadRequestException", NOT_OWNED, None)
        assert error.fields["Type"] == "InvalidInputException"


def test_a_second_detector_is_refused(world: Any) -> None:
    """AWS's exact text (checklist 4)."""
    error = world.error("CreateDetector", Enable=True)
    assert error.message == "The request is rejected because a detector already exists for the current account."


def test_a_repeated_client_token_answers_as_before(empty: Any) -> None:
    """Creating twice with one token is creating once."""
    first = empty.call("CreateDetector", Enable=True, ClientToken="t")
    assert empty.call("CreateDetector", Enable=True, ClientToken="t") == first


def test_regions_have_detectors_of_their_own(world: Any) -> None:
    """A detector of one region is unknown in another."""
    other = world.call("CreateDetector", region="eu-west-1", Enable=True)["DetectorId"]
    assert world.call("ListDetectors", region="eu-west-1") == {"DetectorIds": [other]}
    assert world.call("ListDetectors") == {"DetectorIds": [world.detector_id]}
    assert world.error("GetDetector", DetectorId=other).message == NOT_OWNED


def test_a_detector_id_encodes_when_it_was_made(world: Any) -> None:
    """32 hexadecimal digits, an even first byte, and the time in milliseconds (docs/aws-facts.md, 1.2)."""
    assert len(world.detector_id) == 32
    assert int(world.detector_id[:2], 16) % 2 == 0
    created = world.call("GetDetector")["CreatedAt"]
    assert created == world.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert int(world.detector_id[2:14], 16) >> 7 == int(world.now.timestamp() * 1000)


def test_a_new_detector_shows_its_features(world: Any) -> None:
    """Foundational sources and protections are on, runtime monitoring is off (checklist 5, 6, 7)."""
    shown = features(world)
    assert {"FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS", "LAMBDA_NETWORK_LOGS"} <= {
        name for name, status in shown.items() if status == "ENABLED"
    }
    assert shown["RUNTIME_MONITORING"] == "DISABLED"
    assert world.call("GetDetector")["ServiceRole"].endswith(
        ":role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
    )


def test_features_show_in_the_older_data_sources_and_the_other_way_round(world: Any) -> None:
    """Both vocabularies speak of the same switch."""
    world.call("UpdateDetector", Features=[{"Name": "S3_DATA_EVENTS", "Status": "DISABLED"}])
    assert world.call("GetDetector")["DataSources"]["S3Logs"] == {"Status": "DISABLED"}
    world.call(
        "UpdateDetector", DataSources={"S3Logs": {"Enable": True}, "Kubernetes": {"AuditLogs": {"Enable": False}}}
    )
    assert features(world)["S3_DATA_EVENTS"] == "ENABLED"
    assert features(world)["EKS_AUDIT_LOGS"] == "DISABLED"


def test_an_update_leaves_the_rest_alone(world: Any) -> None:
    """What is not given stays, UpdatedAt moves."""
    world.wait(hours=1)
    world.call("UpdateDetector", FindingPublishingFrequency="ONE_HOUR")
    shown = world.call("GetDetector")
    assert (shown["Status"], shown["FindingPublishingFrequency"]) == ("ENABLED", "ONE_HOUR")
    assert shown["UpdatedAt"] > shown["CreatedAt"]


def test_turning_one_runtime_monitoring_on_turns_the_other_off(world: Any) -> None:
    """The two exclude each other."""
    world.call("UpdateDetector", Features=[{"Name": "EKS_RUNTIME_MONITORING", "Status": "ENABLED"}])
    additional = [{"Name": "EC2_AGENT_MANAGEMENT", "Status": "ENABLED"}]
    feature = {"Name": "RUNTIME_MONITORING", "Status": "ENABLED", "AdditionalConfiguration": additional}
    world.call("UpdateDetector", Features=[feature])
    shown = features(world)
    assert (shown["RUNTIME_MONITORING"], shown["EKS_RUNTIME_MONITORING"]) == ("ENABLED", "DISABLED")


@pytest.mark.parametrize(
    "params",
    [
        {"Features": [{"Status": "ENABLED"}]},
        {"Features": [{"Name": "S3_DATA_EVENTS", "AdditionalConfiguration": [{"Name": "EC2_AGENT_MANAGEMENT"}]}]},
        {"Features": [{"Name": "S3_DATA_EVENTS"}], "DataSources": {"S3Logs": {"Enable": True}}},
        {
            "Features": [
                {"Name": "EKS_RUNTIME_MONITORING", "Status": "ENABLED"},
                {"Name": "RUNTIME_MONITORING", "Status": "ENABLED"},
            ]
        },
    ],
)
def test_contradictory_features_are_refused(world: Any, params: dict[str, Any]) -> None:
    """Nothing of a refused update is applied."""
    before = world.call("GetDetector")
    assert world.error("UpdateDetector", **params).code == "BadRequestException"
    assert world.call("GetDetector") == before


def test_a_deleted_detector_takes_everything_with_it(listed: Any) -> None:
    """A new one starts without lists and findings."""
    listed.flow()
    listed.wait(minutes=20)
    listed.call("DeleteDetector")
    assert listed.call("ListDetectors") == {"DetectorIds": []}
    listed.detector_id = listed.call("CreateDetector", Enable=True)["DetectorId"]
    assert listed.findings() == []
    assert listed.call("ListThreatIntelSets")["ThreatIntelSetIds"] == []
