"""The checklist at the end of docs/aws-facts.md, one test a line, through boto3 against a running simulator.

Tests that take `running` only read; those that take `changed` change a second lab and leave it as they found it.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.identity import account_of
from tests.contract.conftest import FUNCTION, LAMBDA, RunningLab

REJECTED = "The request is rejected because "
LIST_NAME = "S3BadIpAddressList"


def _refused(call: Any, **params: Any) -> tuple[str, str, int]:
    """Return code, message and HTTP status of the error that a call must come to."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    error, metadata = caught.value.response["Error"], caught.value.response["ResponseMetadata"]
    return error["Code"], error["Message"], metadata["HTTPStatusCode"]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _found_by(lab: RunningLab, field: str, **condition: Any) -> list[str]:
    return lab.findings({"Criterion": {**LAMBDA["Criterion"], field: condition}})


def _rule(lab: RunningLab) -> str:
    arn = lab.client("lambda").get_function_configuration(FunctionName=FUNCTION)["FunctionArn"]
    return str(lab.client("events").list_rule_names_by_target(TargetArn=arn)["RuleNames"][0])


def _created(lab: RunningLab) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the event of the function's creation, and its record."""
    event = lab.events()[-1]
    return event, json.loads(event["CloudTrailEvent"])


def _threat_list(lab: RunningLab) -> tuple[str, str, str]:
    """Return id, bucket and key of the lab's own threat list."""
    guardduty = lab.client("guardduty")
    for each in guardduty.list_threat_intel_sets(DetectorId=lab.detector)["ThreatIntelSetIds"]:
        found = guardduty.get_threat_intel_set(DetectorId=lab.detector, ThreatIntelSetId=each)
        if found["Name"] == LIST_NAME:
            bucket, key = re.sub(r"^s3://|^https://s3[.-][a-z0-9.-]*amazonaws.com/", "", found["Location"]).split(
                "/", 1
            )
            return each, bucket, key
    raise AssertionError("the lab has no threat list of that name")


@contextmanager
def _listed(lab: RunningLab, name: str, body: str) -> Iterator[str]:
    """Put a list into a bucket of its own and yield its location."""
    s3 = lab.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="list.txt", Body=body.encode())
    yield f"https://s3.amazonaws.com/{name}/list.txt"
    s3.delete_object(Bucket=name, Key="list.txt")
    s3.delete_bucket(Bucket=name)


def _code(source: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", source)
    return packed.getvalue()


@contextmanager
def _function(
    lab: RunningLab, name: str, source: str = "def handler(event, context):\n    return 1\n"
) -> Iterator[None]:
    """Make a function, and take it away again."""
    role = lab.client("lambda").get_function_configuration(FunctionName=FUNCTION)["Role"]
    client = lab.client("lambda")
    client.create_function(
        FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": _code(source)}
    )
    lab.advance(minutes=1)
    yield
    client.delete_function(FunctionName=name)


def _messages(lab: RunningLab, queue: str) -> list[dict[str, Any]]:
    """Return what waits in a queue, and empty it."""
    sqs, found = lab.client("sqs"), []
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        for message in batch:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


@contextmanager
def _finding_events(lab: RunningLab) -> Iterator[str]:
    """Have GuardDuty's events sent to a queue every quarter of an hour, and yield the queue's URL."""
    sqs, events, guardduty = lab.client("sqs"), lab.client("events"), lab.client("guardduty")
    queue = sqs.create_queue(QueueName="finding-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    )
    pattern = {
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
    }  # calls of its API have the same source
    events.put_rule(Name="finding-events", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="finding-events", Targets=[{"Id": "queue", "Arn": arn}])
    guardduty.update_detector(DetectorId=lab.detector, FindingPublishingFrequency="FIFTEEN_MINUTES")
    yield queue
    guardduty.update_detector(DetectorId=lab.detector, FindingPublishingFrequency="SIX_HOURS")
    events.remove_targets(Rule="finding-events", Ids=["queue"])
    events.delete_rule(Name="finding-events")
    sqs.delete_queue(QueueUrl=queue)


def _about_the_function(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        each for each in messages if each["detail"]["resource"].get("lambdaDetails", {}).get("functionName") == FUNCTION
    ]


# --- GuardDuty: detector, criteria, paging ------------------------------------------------------------------------


def test_01_list_detectors_returns_one_32_hex_id(running: RunningLab) -> None:
    """A Region has one detector; its id is 32 hexadecimal digits."""
    (detector,) = running.client("guardduty").list_detectors()["DetectorIds"]
    assert re.fullmatch("[0-9a-f]{32}", detector)


@pytest.mark.parametrize(
    ("operation", "more"),
    [("get_detector", {}), ("list_findings", {}), ("get_findings", {"FindingIds": []}), ("list_threat_intel_sets", {})],
)
def test_02_unknown_detector_is_a_bad_request_in_aws_s_words(
    running: RunningLab, operation: str, more: dict[str, Any]
) -> None:
    """Whatever is asked of a detector that is not there, the code and the text are the same."""
    code, message, _ = _refused(getattr(running.client("guardduty"), operation), DetectorId="0" * 32, **more)
    assert code == "BadRequestException"
    assert message == f"{REJECTED}the input detectorId is not owned by the current account."


def test_03_http_status_of_that_error_is_400(running: RunningLab) -> None:
    """Not 404."""
    assert _refused(running.client("guardduty").get_detector, DetectorId="0" * 32)[2] == 400


def test_04_a_second_detector_is_refused_in_aws_s_words(running: RunningLab) -> None:
    """One detector a Region."""
    code, message, status = _refused(running.client("guardduty").create_detector, Enable=True)
    assert (code, status) == ("BadRequestException", 400)
    assert message == f"{REJECTED}a detector already exists for the current account."


def test_05_lambda_network_logs_is_enabled(running: RunningLab) -> None:
    """Lambda Protection is on."""
    features = running.client("guardduty").get_detector(DetectorId=running.detector)["Features"]
    assert {each["Name"]: each["Status"] for each in features}["LAMBDA_NETWORK_LOGS"] == "ENABLED"


def test_06_features_include_the_foundational_ones(running: RunningLab) -> None:
    """Flow logs, CloudTrail and DNS logs are features that cannot be switched off."""
    features = running.client("guardduty").get_detector(DetectorId=running.detector)["Features"]
    assert {each["Name"] for each in features} >= {"FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS"}


def test_07_service_role_is_the_service_linked_one(running: RunningLab) -> None:
    """The detector names GuardDuty's service-linked role of this account."""
    role = running.client("guardduty").get_detector(DetectorId=running.detector)["ServiceRole"]
    account = running.told["account_id"]
    assert (
        role == f"arn:aws:iam::{account}:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
    )


def test_08_resource_type_lambda_finds_it(running: RunningLab) -> None:
    """`resource.resourceType Equals ["Lambda"]` finds the one finding about a function."""
    assert running.findings({"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}) == running.findings()
    assert running.finding()["Resource"]["ResourceType"] == "Lambda"


def test_09_the_old_eq_finds_it_too(running: RunningLab) -> None:
    """The operators' old names go on working."""
    assert running.findings({"Criterion": {"resource.resourceType": {"Eq": ["Lambda"]}}}) == running.findings()


def test_10_function_name_works_in_list_findings(running: RunningLab) -> None:
    """The function's name is a findable field."""
    by_name = {"Criterion": {"resource.lambdaDetails.functionName": {"Equals": [FUNCTION]}}}
    assert running.findings(by_name) == running.findings()
    by_name["Criterion"]["resource.lambdaDetails.functionName"] = {"Equals": ["another"]}
    assert running.findings(by_name) == []


def test_11_severity_compares(running: RunningLab) -> None:
    """The finding is Medium, 5: at least 4, not at least 6."""
    assert _found_by(running, "severity", GreaterThanOrEqual=4) == running.findings()
    assert _found_by(running, "severity", GreaterThanOrEqual=6) == []


def test_12_updated_at_compares_milliseconds(running: RunningLab) -> None:
    """The exact millisecond is in, the next one is not."""
    updated = int(_moment(running.finding()["UpdatedAt"]).timestamp() * 1000 + 0.5)
    assert _found_by(running, "updatedAt", GreaterThanOrEqual=updated) == running.findings()
    assert _found_by(running, "updatedAt", GreaterThan=updated) == []


def test_13_archived_false_hides_archived_ones(changed: RunningLab) -> None:
    """An archived finding is not current."""
    current = {"Criterion": {"service.archived": {"Equals": ["false"]}}}
    one = changed.findings(current)[-1]
    guardduty = changed.client("guardduty")
    guardduty.archive_findings(DetectorId=changed.detector, FindingIds=[one])
    assert one not in changed.findings(current)
    guardduty.unarchive_findings(DetectorId=changed.detector, FindingIds=[one])
    assert one in changed.findings(current)


def test_14_no_criteria_returns_both_states(changed: RunningLab) -> None:
    """Without `service.archived` current and archived findings come alike."""
    one = changed.findings({"Criterion": {"service.archived": {"Equals": ["false"]}}})[-1]
    guardduty = changed.client("guardduty")
    guardduty.archive_findings(DetectorId=changed.detector, FindingIds=[one])
    found = guardduty.get_findings(DetectorId=changed.detector, FindingIds=changed.findings({})[:50])["Findings"]
    assert {each["Service"]["Archived"] for each in found} == {True, False}
    assert one in changed.findings({})
    guardduty.unarchive_findings(DetectorId=changed.detector, FindingIds=[one])


def test_15_fifty_one_results_fail_at_the_server(running: RunningLab) -> None:
    """botocore lets the maximum through; the server refuses it."""
    code, message, status = _refused(
        running.client("guardduty").list_findings, DetectorId=running.detector, MaxResults=51
    )
    assert (code, status) == ("BadRequestException", 400)
    assert message.startswith(REJECTED)


def test_16_last_findings_page_carries_an_empty_token(running: RunningLab) -> None:
    """`NextToken` is there, and empty."""
    assert (
        running.client("guardduty").list_findings(DetectorId=running.detector, FindingCriteria=LAMBDA)["NextToken"]
        == ""
    )


def test_17_get_findings_of_none_is_empty(running: RunningLab) -> None:
    """An empty list of ids is accepted."""
    assert running.client("guardduty").get_findings(DetectorId=running.detector, FindingIds=[])["Findings"] == []


def test_18_fifty_one_finding_ids_fail_at_the_server(running: RunningLab) -> None:
    """At most fifty findings a call."""
    ids = [f"{number:032x}" for number in range(51)]
    code, _, status = _refused(running.client("guardduty").get_findings, DetectorId=running.detector, FindingIds=ids)
    assert (code, status) == ("BadRequestException", 400)


# --- GuardDuty: the finding ---------------------------------------------------------------------------------------


def test_19_additional_info_has_exactly_value_and_type(running: RunningLab) -> None:
    """The SDK sees a JSON text and a type, nothing flattened."""
    info = running.finding()["Service"]["AdditionalInfo"]
    assert info.keys() == {"Value", "Type"}
    assert info["Type"] == "default"


def test_20_value_yields_threat_name_then_list_name(running: RunningLab) -> None:
    """In this order."""
    value = json.loads(running.finding()["Service"]["AdditionalInfo"]["Value"])
    assert list(value.items()) == [("threatName", "Customer Threat Intel"), ("threatListName", LIST_NAME)]


def test_21_threat_names(running: RunningLab) -> None:
    """A custom list's threat has one name."""
    (evidence,) = running.finding()["Service"]["Evidence"]["ThreatIntelligenceDetails"]
    assert evidence == {"ThreatListName": LIST_NAME, "ThreatNames": ["Customer Threat Intel"]}


def test_22_resource_role_is_target_although_outbound(running: RunningLab) -> None:
    """As AWS has it."""
    service = running.finding()["Service"]
    assert service["ResourceRole"] == "TARGET"
    assert service["Action"]["NetworkConnectionAction"]["ConnectionDirection"] == "OUTBOUND"


def test_23_asn_is_a_string(running: RunningLab) -> None:
    """Not a number."""
    organization = running.finding()["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["Organization"]
    assert isinstance(organization["Asn"], str)
    assert organization["Asn"].isdigit()


def test_24_event_times_are_whole_seconds(running: RunningLab) -> None:
    """First and last seen end in `.000Z`."""
    service = running.finding()["Service"]
    for key in ("EventFirstSeen", "EventLastSeen"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z", service[key])


def _decoded(finding_id: str) -> int:
    return int(finding_id[2:14], 16) >> 7


def _all_findings(lab: RunningLab) -> list[dict[str, Any]]:
    ids = lab.findings({})
    read = lab.client("guardduty").get_findings
    pages = [ids[start : start + 50] for start in range(0, len(ids), 50)]
    return [each for page in pages for each in read(DetectorId=lab.detector, FindingIds=page)["Findings"]]


def test_25_every_id_decodes_to_created_at(running: RunningLab) -> None:
    """Within five milliseconds, for the scenery's findings too, and none was created on a whole second alone."""
    found = _all_findings(running)
    for each in found:
        created = _moment(each["CreatedAt"]).timestamp() * 1000
        assert abs(_decoded(each["Id"]) - created) <= 5
    assert sum(each["CreatedAt"].endswith(".000Z") for each in found) <= len(found) // 10


def test_26_every_id_s_first_byte_is_even(running: RunningLab) -> None:
    """For the scenery's findings too."""
    assert all(int(each[:2], 16) % 2 == 0 for each in running.findings({}))


def test_27_arn_holds_detector_and_id(running: RunningLab) -> None:
    """The ARN contains the detector's id and ends with the finding's."""
    for each in _all_findings(running):
        assert each["Arn"].endswith(f":detector/{running.detector}/finding/{each['Id']}")
        assert each["Service"]["DetectorId"] == running.detector


def test_28_count_equals_matched_invocations(running: RunningLab) -> None:
    """As many as the function's log has runs from first to last seen."""
    service = running.finding()["Service"]
    first, last = (_moment(service[key]) for key in ("EventFirstSeen", "EventLastSeen"))
    pages = running.client("logs").get_paginator("filter_log_events")
    starts = [
        datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        for page in pages.paginate(logGroupName=f"/aws/lambda/{FUNCTION}")
        for event in page["events"]
        if event["message"].startswith("START RequestId")
    ]
    near = timedelta(seconds=3)
    assert service["Count"] == sum(first - near <= at <= last + near for at in starts)
    assert len(starts) > service["Count"]  # a run before the list was active matched nothing


def test_29_updated_at_trails_last_seen(running: RunningLab) -> None:
    """By two to ten minutes."""
    finding = running.finding()
    behind = _moment(finding["UpdatedAt"]) - _moment(finding["Service"]["EventLastSeen"])
    assert timedelta(minutes=2) <= behind <= timedelta(minutes=10)


def test_30_created_at_never_changes(changed: RunningLab) -> None:
    """Nor does the id, while count and UpdatedAt go on."""
    before = changed.finding()
    changed.advance(minutes=30)
    after = changed.finding()
    assert (after["CreatedAt"], after["Id"]) == (before["CreatedAt"], before["Id"])
    assert after["UpdatedAt"] > before["UpdatedAt"]
    assert after["Service"]["Count"] == before["Service"]["Count"] + 3


def test_31_after_containment_count_stops_and_the_finding_stays(changed: RunningLab) -> None:
    """Nothing closes a finding by itself."""
    rule = _rule(changed)
    changed.client("events").disable_rule(Name=rule)
    changed.advance(minutes=10)
    before = changed.finding()
    changed.advance(hours=2)
    assert changed.finding() == before
    changed.client("events").enable_rule(Name=rule)


def test_32_an_archived_finding_becomes_current_with_a_new_event(changed: RunningLab) -> None:
    """Archiving by hand hides the current state only."""
    current = {"Criterion": {**LAMBDA["Criterion"], "service.archived": {"Equals": ["false"]}}}
    changed.client("guardduty").archive_findings(DetectorId=changed.detector, FindingIds=changed.findings())
    assert changed.findings(current) == []
    changed.advance(minutes=20)
    assert changed.findings(current) == changed.findings()


def test_33_suppressed_findings_emit_no_event(changed: RunningLab) -> None:
    """Nothing reaches EventBridge while a filter archives on arrival; before and after it, something does."""
    guardduty = changed.client("guardduty")
    with _finding_events(changed) as queue:
        changed.advance(minutes=40)
        assert _about_the_function(_messages(changed, queue))
        criteria = {"Criterion": {"resource.lambdaDetails.functionName": {"Equals": [FUNCTION]}}}
        guardduty.create_filter(
            DetectorId=changed.detector, Name="suppress-it", Action="ARCHIVE", Rank=1, FindingCriteria=criteria
        )
        changed.advance(
            minutes=20
        )  # what had arrived before is still told of, a quarter of an hour after the last word
        _messages(changed, queue)
        changed.advance(hours=1)
        assert _about_the_function(_messages(changed, queue)) == []
        assert changed.finding()["Service"]["Archived"]
        guardduty.delete_filter(DetectorId=changed.detector, FilterName="suppress-it")
        changed.advance(minutes=40)
        assert _about_the_function(_messages(changed, queue))


def test_34_the_event_s_detail_is_camel_case(changed: RunningLab) -> None:
    """The envelope names no resources; the detail is the finding in camelCase."""
    with _finding_events(changed) as queue:
        changed.advance(minutes=40)
        event = _about_the_function(_messages(changed, queue))[-1]
    assert event["resources"] == []
    assert (event["detail-type"], event["source"], event["version"]) == ("GuardDuty Finding", "aws.guardduty", "0")
    assert event["account"] == changed.told["account_id"]
    detail = event["detail"]
    assert detail["id"] == changed.findings()[0]
    assert detail["service"]["additionalInfo"]["threatListName"] == LIST_NAME
    assert not [key for key in _keys(detail) if key[:1].isupper() and key != "Workshop"]


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def test_35_feedback_sets_user_feedback(changed: RunningLab) -> None:
    """`UserFeedback` is there once somebody gave some."""
    one = next(each for each in changed.findings({}) if each not in changed.findings())
    read = changed.client("guardduty").get_findings
    assert "UserFeedback" not in read(DetectorId=changed.detector, FindingIds=[one])["Findings"][0]["Service"]
    changed.client("guardduty").update_findings_feedback(
        DetectorId=changed.detector, FindingIds=[one], Feedback="USEFUL"
    )
    assert read(DetectorId=changed.detector, FindingIds=[one])["Findings"][0]["Service"]["UserFeedback"] == "USEFUL"


# --- GuardDuty: lists ---------------------------------------------------------------------------------------------


def _phase(lab: RunningLab, set_id: str) -> str:
    return str(lab.client("guardduty").get_threat_intel_set(DetectorId=lab.detector, ThreatIntelSetId=set_id)["Status"])


@contextmanager
def _threat_set(lab: RunningLab, name: str, location: str) -> Iterator[str]:
    guardduty = lab.client("guardduty")
    made = guardduty.create_threat_intel_set(
        DetectorId=lab.detector, Name=name, Format="TXT", Location=location, Activate=True
    )["ThreatIntelSetId"]
    yield made
    lab.advance(hours=1)
    guardduty.delete_threat_intel_set(DetectorId=lab.detector, ThreatIntelSetId=made)


def test_36_a_new_set_is_activating_before_it_is_active(changed: RunningLab) -> None:
    """It takes a quarter of an hour, at worst forty minutes."""
    with (
        _listed(changed, "activation-list", "203.0.113.77\n") as location,
        _threat_set(changed, "Slow", location) as made,
    ):
        assert _phase(changed, made) == "ACTIVATING"
        changed.advance(minutes=40)
        assert _phase(changed, made) == "ACTIVE"


def test_37_editing_the_object_without_reactivation_changes_nothing(changed: RunningLab) -> None:
    """The list that was read at activation stays in force; activated anew, the edit counts."""
    made, bucket, key = _threat_list(changed)
    s3, guardduty = changed.client("s3"), changed.client("guardduty")
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=b"203.0.113.200\n")
    before = changed.count()
    changed.advance(minutes=30)
    assert changed.count() == before + 3
    guardduty.update_threat_intel_set(DetectorId=changed.detector, ThreatIntelSetId=made, Activate=True)
    changed.advance(hours=1)
    settled = changed.count()
    changed.advance(minutes=30)
    assert changed.count() == settled
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    guardduty.update_threat_intel_set(DetectorId=changed.detector, ThreatIntelSetId=made, Activate=True)
    changed.advance(hours=1)
    assert changed.count() > settled


def test_38_get_threat_intel_set_has_no_timestamps(running: RunningLab) -> None:
    """Nor an error's text."""
    made, _, _ = _threat_list(running)
    found = running.client("guardduty").get_threat_intel_set(DetectorId=running.detector, ThreatIntelSetId=made)
    assert found.keys() - {"ResponseMetadata", "ExpectedBucketOwner"} == {
        "Name",
        "Format",
        "Location",
        "Status",
        "Tags",
    }


CALLER = """import socket


def handler(event, context):
    for address in {addresses}:
        probe = socket.socket()
        probe.settimeout(0.2)
        try:
            probe.connect((address, 443))
        except OSError:
            pass
        finally:
            probe.close()
"""


def test_39_private_entries_never_fire(changed: RunningLab) -> None:
    """A list holds a private and a public address; of two functions that call one each, only the second is found."""
    with (
        _listed(changed, "private-list", "10.1.2.3\n192.168.0.0/16\n203.0.113.9\n") as location,
        _threat_set(changed, "Private", location),
        _function(changed, "calls-private", CALLER.format(addresses=["10.1.2.3", "192.168.7.7"])),
        _function(changed, "calls-public", CALLER.format(addresses=["203.0.113.9"])),
    ):
        changed.advance(minutes=40)
        for name in ("calls-private", "calls-public"):
            changed.client("lambda").invoke(FunctionName=name)
        changed.advance(minutes=20)
        found = _all_findings(changed)
    names = {each["Resource"].get("LambdaDetails", {}).get("FunctionName") for each in found}
    assert "calls-public" in names
    assert "calls-private" not in names


def test_40_the_trusted_list_silences_it(changed: RunningLab) -> None:
    """Trusted beats threat, without stopping a packet."""
    guardduty = changed.client("guardduty")
    address = changed.finding()["Service"]["Action"]["NetworkConnectionAction"]["RemoteIpDetails"]["IpAddressV4"]
    with _listed(changed, "trusted-list", f"{address}\n") as location:
        made = guardduty.create_ip_set(
            DetectorId=changed.detector, Name="Trusted", Format="TXT", Location=location, Activate=True
        )["IpSetId"]
        changed.advance(hours=1)
        before = changed.count()
        changed.advance(hours=1)
        assert changed.count() == before
        guardduty.delete_ip_set(DetectorId=changed.detector, IpSetId=made)
        changed.advance(hours=1)
        assert changed.count() > before


# --- CloudTrail ---------------------------------------------------------------------------------------------------


def test_41_lookup_by_resource_name_returns_the_creation(running: RunningLab) -> None:
    """The oldest event of the function is its creation, under its versioned name."""
    event, _ = _created(running)
    assert event["EventName"] == "CreateFunction20150331"
    assert event["Resources"] == [{"ResourceType": "AWS::Lambda::Function", "ResourceName": FUNCTION}]


def test_42_two_attributes_are_refused(running: RunningLab) -> None:
    """One attribute a lookup; a wrong number of results, token or key is refused under AWS's code too."""
    lookup = running.client("cloudtrail").lookup_events
    two = [
        {"AttributeKey": "Username", "AttributeValue": "System"},
        {"AttributeKey": "ReadOnly", "AttributeValue": "false"},
    ]
    assert _refused(lookup, LookupAttributes=two)[0] == "InvalidLookupAttributesException"
    wrong = [{"AttributeKey": "Colour", "AttributeValue": "blue"}]
    assert _refused(lookup, LookupAttributes=wrong)[0] == "InvalidLookupAttributesException"
    assert _refused(lookup, MaxResults=51)[0] == "InvalidMaxResultsException"
    assert _refused(lookup, NextToken="bm9uZQ==")[0] == "InvalidNextTokenException"
    assert _refused(lookup, EventCategory="outsight")[0] == "InvalidEventCategoryException"
    token = lookup(MaxResults=1)["NextToken"]
    assert _refused(lookup, MaxResults=1, NextToken=token, LookupAttributes=two[:1])[0] == "InvalidNextTokenException"


def test_43_events_arrive_newest_first(running: RunningLab) -> None:
    """Across pages."""
    times = [each["EventTime"] for each in running.events("Username", "System")]
    assert len(times) > 10
    assert times == sorted(times, reverse=True)


def test_44_read_only_is_a_string(running: RunningLab) -> None:
    """`"false"`, not a boolean."""
    event, record = _created(running)
    assert event["ReadOnly"] == "false"
    assert record["readOnly"] is False


def test_45_username_is_the_session_s(running: RunningLab) -> None:
    """`System`, not the role."""
    assert _created(running)[0]["Username"] == "System"


def test_46_the_record_is_the_event_s(running: RunningLab) -> None:
    """`CloudTrailEvent` is JSON, its eventID the event's."""
    for event in running.events():
        record = json.loads(event["CloudTrailEvent"])
        assert record["eventID"] == event["EventId"]
        assert record["eventName"] == event["EventName"]
        assert record["userIdentity"]["accessKeyId"] == event["AccessKeyId"]


def test_47_the_issuer_is_the_role_and_cloudformation_acted(running: RunningLab) -> None:
    """Who created it: WSSystemRole, through CloudFormation."""
    identity = _created(running)[1]["userIdentity"]
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "WSSystemRole"
    assert identity["invokedBy"] == "cloudformation.amazonaws.com"


def test_48_source_and_agent_are_cloudformation_without_tls_details(running: RunningLab) -> None:
    """As for everything that a service does on somebody's behalf."""
    record = _created(running)[1]
    assert record["sourceIPAddress"] == record["userAgent"] == "cloudformation.amazonaws.com"
    assert "tlsDetails" not in record


def test_49_code_is_named_and_environment_is_empty(running: RunningLab) -> None:
    """Bucket and key of the code, no environment values; tags keep their names; keys come in the model's order."""
    asked = _created(running)[1]["requestParameters"]
    assert asked["code"].keys() == {"s3Bucket", "s3Key"}
    assert asked["environment"] == {}
    assert asked["publish"] is False
    assert asked["packageType"] == "Zip"
    assert asked["tags"]["Workshop"] == "guardduty-labs"
    assert list(asked)[:5] == ["functionName", "runtime", "role", "handler", "code"]
    assert _created(running)[1]["responseElements"]["environment"] == {}


def test_50_ids_decode_to_the_account(running: RunningLab) -> None:
    """Role and access key ids of every event carry the account that received it."""
    checked = 0
    for event in running.events():
        record = json.loads(event["CloudTrailEvent"])
        identity = record["userIdentity"]
        for unique in (identity.get("principalId", "").partition(":")[0], identity.get("accessKeyId", "")):
            if unique[:4] in ("AROA", "ASIA", "AIDA", "AKIA"):
                assert account_of(unique) == record["recipientAccountId"]
                assert len(unique) == (21 if unique[:4] in ("AROA", "AIDA") else 20)
                checked += 1
    assert checked > 10


def test_51_invoke_never_appears(changed: RunningLab) -> None:
    """It is a data event, whoever invokes: of a function that was invoked only its creation is told."""
    with _function(changed, "called-by-hand"):
        assert changed.client("lambda").invoke(FunctionName="called-by-hand")["StatusCode"] == 200
        changed.advance(minutes=6)
        told = {each["EventName"] for each in changed.events("ResourceName", "called-by-hand")}
    assert "CreateFunction20150331" in told
    assert not [name for name in told if name.startswith("Invoke")]
    assert changed.events("EventName", "Invoke") == []


def test_52_a_trainee_s_actions_add_their_own_names(changed: RunningLab) -> None:
    """Versioned as AWS versions them, by the trainee, with TLS details and a real source."""
    client = changed.client("lambda")
    client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=5)
    client.delete_function_concurrency(FunctionName=FUNCTION)
    assert (
        changed.events()[0]["Username"] != "Participant"
        or changed.events()[0]["EventName"] != "DeleteFunctionConcurrency20171031"
    )
    changed.advance(minutes=6)
    mine = [each for each in changed.events() if each["Username"] == "Participant"]
    assert [each["EventName"] for each in mine[:2]] == [
        "DeleteFunctionConcurrency20171031",
        "PutFunctionConcurrency20171031",
    ]
    record = json.loads(mine[0]["CloudTrailEvent"])
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "WSParticipantRole"
    assert record["tlsDetails"]["clientProvidedHostHeader"] == "lambda.us-east-1.amazonaws.com"
    assert "Boto3" in record["userAgent"]


# --- Config -------------------------------------------------------------------------------------------------------


def test_53_related_events_and_md5_are_empty(running: RunningLab) -> None:
    """Since version 1.3 of configuration items."""
    for item in running.items():
        assert (item["relatedEvents"], item["configurationItemMD5Hash"], item["version"]) == ([], "", "1.3")


def test_54_state_id_equals_capture_time(running: RunningLab) -> None:
    """In milliseconds."""
    for item in running.items():
        captured = item["configurationItemCaptureTime"].timestamp() * 1000
        assert abs(int(item["configurationStateId"]) - captured) < 2


def test_55_history_is_newest_first_ten_a_page(running: RunningLab) -> None:
    """Unless asked otherwise; 0 means the default; 101 is refused under AWS's code."""
    read = running.client("config").get_resource_config_history
    which = {"resourceType": "AWS::Lambda::Function", "resourceId": FUNCTION}
    page = read(**which)
    times = [each["configurationItemCaptureTime"] for each in page["configurationItems"]]
    assert len(times) == 10
    assert page["nextToken"]
    assert times == sorted(times, reverse=True)
    assert len(read(**which, limit=0)["configurationItems"]) == 10
    assert _refused(read, **which, limit=101)[0] == "InvalidLimitException"
    assert _refused(read, **which, nextToken="bm9uZQ==")[0] == "InvalidNextTokenException"


def test_56_an_unknown_resource_is_not_discovered(running: RunningLab) -> None:
    """`ResourceNotDiscoveredException`, in the words that are known."""
    code, message, status = _refused(
        running.client("config").get_resource_config_history, resourceType="AWS::Lambda::Function", resourceId="no-such"
    )
    assert (code, status) == ("ResourceNotDiscoveredException", 400)
    assert message == "Resource no-such of resourceType:AWS::Lambda::Function is unknown or has not been discovered"


def test_57_the_oldest_item_is_the_discovery(running: RunningLab) -> None:
    """Captured some minutes after the function was created."""
    oldest = running.items()[-1]
    assert oldest["configurationItemStatus"] == "ResourceDiscovered"
    behind = oldest["configurationItemCaptureTime"] - _created(running)[0]["EventTime"]
    assert timedelta(seconds=30) < behind < timedelta(minutes=10)
    configuration = json.loads(oldest["configuration"])
    assert configuration["state"]["value"] in ("Active", "Pending")
    assert [each["relationshipName"] for each in oldest["relationships"]] == ["Is associated with "]


def test_58_deletion_adds_resource_deleted(changed: RunningLab) -> None:
    """The last item of a deleted function says so; what was before stays."""
    with _function(changed, "short-lived"):
        changed.advance(minutes=4)
    changed.advance(minutes=4)
    items = changed.items("short-lived")
    assert items[0]["configurationItemStatus"] == "ResourceDeleted"
    assert items[-1]["configurationItemStatus"] == "ResourceDiscovered"


# --- schedule and containment -------------------------------------------------------------------------------------


def test_59_lifting_concurrency_0_early_replays_what_was_throttled(changed: RunningLab) -> None:
    """Throttled events are retried for up to six hours: more runs follow than the schedule alone brings."""
    client = changed.client("lambda")
    client.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    changed.advance(minutes=10)
    before = changed.count()
    changed.advance(hours=1)
    assert changed.count() == before
    client.delete_function_concurrency(FunctionName=FUNCTION)
    changed.advance(minutes=20)
    assert changed.count() > before + 2
    changed.advance(minutes=20)


def test_60_delete_function_event_invoke_config_leaves_it_growing(changed: RunningLab) -> None:
    """It removes settings of asynchronous invocation, not what invokes."""
    client = changed.client("lambda")
    client.put_function_event_invoke_config(FunctionName=FUNCTION, MaximumRetryAttempts=0)
    client.delete_function_event_invoke_config(FunctionName=FUNCTION)
    before = changed.count()
    changed.advance(minutes=30)
    assert changed.count() == before + 3


def test_access_keys_tell_their_account_to_sts(running: RunningLab) -> None:
    """GetCallerIdentity tells the truth, and the key's bytes agree."""
    told = running.client("sts").get_caller_identity()
    key = running.environment["AWS_ACCESS_KEY_ID"]
    assert told["Account"] == account_of(key) == running.told["account_id"]
    assert told["Arn"] == f"arn:aws:sts::{told['Account']}:assumed-role/WSParticipantRole/Participant"
    assert len(base64.b32decode(key[4:])) == 10
