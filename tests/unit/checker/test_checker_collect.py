"""AWS API -> Evidence, against an account in memory whose calls are checked against botocore's models."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from checker.collect import collect, entries, object_of
from checker.evidence import FINDING_TYPE, Addresses
from checker.rules.samples import ASSIGNED, HISTORY, IP, NAME, NOW, SECOND_IP, event
from checker.worlds import AGENT, user_agent
from scenario.errors import LabError

Answer = Callable[..., Any]


def test_the_account_is_read_as_it_is(world: Any) -> None:
    """The assigned finding, the whole history oldest first, the function, its rule, the guards."""
    found = collect(world, FINDING_TYPE)
    assert found.assigned is not None
    assert (found.assigned.id, found.assigned.ip, found.assigned.port) == (ASSIGNED.id, IP, 443)
    assert [each.id for each in found.history] == [each.id for each in HISTORY]
    assert found.creation is not None
    assert found.creation.who == "WSSystemRole"
    assert found.function is not None
    assert (found.function.stack_name, found.function.invokers) == ("guardduty-lab-workload", ("events.amazonaws.com",))
    assert found.function.code_sha256 in found.stored_code
    assert [(rule.name, rule.enabled) for rule in found.rules] == [("every-ten-minutes", True)]
    assert (found.guards.lambda_protection, found.guards.recorder_on, found.guards.trails) == (
        True,
        True,
        (("lab-trail", True),),
    )
    assert found.function_names == (NAME, "order-webhook")
    assert found.gaps == ()


def test_listed_is_what_the_object_held_ranges_included_and_what_findings_tie_to_the_list(world: Any) -> None:
    """An address of the list's object or of a finding with a threat list; nothing else."""
    found = collect(world, FINDING_TYPE)
    assert found.listed(IP)
    assert found.listed("203.0.113.200")
    assert found.listed(SECOND_IP)
    assert not found.listed("192.0.2.1")


def test_an_emptied_list_is_remembered_by_its_earlier_versions(world: Any, objects: Answer) -> None:
    """Overwriting the object does not unlist what it held, where the bucket keeps versions."""
    world.aws.answers |= objects({"threats.txt": [b"192.0.2.255\n", b"198.51.100.99\n"], "function.zip": []})
    found = collect(world, FINDING_TYPE)
    assert found.listed("198.51.100.99")
    assert "198.51.100.99" not in found.guards.lists[0].entries


def test_a_deleted_list_is_found_through_its_creation(world: Any, lookup: Answer) -> None:
    """With no set left, the trail still says where its object was."""
    created = event("CreateThreatIntelSet", minutes=-2380, request={"name": "L", "location": "s3://lists/threats.txt"})
    world.aws.answers[("guardduty", "ListThreatIntelSets")] = {"ThreatIntelSetIds": []}
    world.aws.answers[("cloudtrail", "LookupEvents")] = lookup((created, *HISTORY))
    found = collect(world, FINDING_TYPE)
    assert [(each.name, each.status, IP in each.entries) for each in found.guards.lists] == [("L", "DELETED", True)]


def test_case_37_the_checkers_own_calls_are_never_the_trainees(world: Any, lookup: Answer) -> None:
    """Calls with the checker's user agent are left out, under the trainee's credentials too."""
    own = event("GetFindings", read_only=True, user_agent=f"Boto3/1.43 {user_agent()}")
    theirs = event("GetFindings", minutes=1, read_only=True, user_agent="aws-cli/2.0")
    world.aws.answers[("cloudtrail", "LookupEvents")] = lookup((own, theirs))
    found = collect(world, FINDING_TYPE)
    assert [each.id for each in found.mine] == [theirs.id]
    assert AGENT in user_agent()


def test_a_second_finding_that_was_provoked_is_not_the_assigned_one(world: Any, aws: Any) -> None:
    """The oldest of the type is assigned; samples never are."""
    provoked = replace(ASSIGNED, id="cc", ip="203.0.113.77", first_seen=NOW - timedelta(minutes=3))
    sample = replace(ASSIGNED, id="dd", first_seen=NOW - timedelta(days=9), sample=True)
    body = aws.answers[("guardduty", "GetFindings")]({"FindingIds": [ASSIGNED.id]})["Findings"][0]
    bodies = [_retold(body, each.id, each.ip, each.first_seen, each.sample) for each in (provoked, ASSIGNED, sample)]
    aws.answers[("guardduty", "GetFindings")] = {"Findings": bodies}
    found = collect(world, FINDING_TYPE)
    assert found.assigned is not None
    assert found.assigned.id == ASSIGNED.id


def _retold(body: dict[str, Any], finding_id: str, ip: str, first_seen: Any, sample: bool) -> dict[str, Any]:
    service = {**body["Service"], "EventFirstSeen": f"{first_seen:%Y-%m-%dT%H:%M:%S.000Z}"}
    service["Action"] = {"NetworkConnectionAction": {"RemoteIpDetails": {"IpAddressV4": ip}}}
    return {**body, "Id": finding_id, "Service": service, "Title": "[SAMPLE] x" if sample else "x"}


def test_a_deleted_function_leaves_the_question_what_remains(world: Any) -> None:
    """Without the function, role and log group are looked for."""
    world.aws.answers[("lambda", "GetFunction")] = "ResourceNotFoundException"
    world.aws.answers[("iam", "GetRole")] = "NoSuchEntity"
    world.aws.answers[("logs", "DescribeLogGroups")] = {"logGroups": [{"logGroupName": f"/aws/lambda/{NAME}"}]}
    found = collect(world, FINDING_TYPE)
    assert (found.function, found.leftovers.role, found.leftovers.log_group) == (None, False, True)


def test_a_deleted_detector_is_evidence_not_an_error(world: Any) -> None:
    """Findings go with the detector; the rest is still read."""
    world.aws.answers[("guardduty", "ListDetectors")] = {"DetectorIds": []}
    found = collect(world, FINDING_TYPE)
    assert (found.assigned, found.guards.detector_id, found.guards.recorder_on) == (None, None, True)


def test_a_refused_read_is_told_as_a_gap(world: Any) -> None:
    """AccessDenied on something that is not decisive does not stop the check."""
    world.aws.answers[("config", "DescribeConfigurationRecorderStatus")] = "AccessDeniedException"
    (gap,) = collect(world, FINDING_TYPE).gaps
    assert str(gap) == "The configuration recorder could not be read: AccessDeniedException."


def test_where_versions_are_hidden_the_object_itself_is_read(world: Any) -> None:
    """Without the right to list versions the latest is enough; the refusal is told."""
    world.aws.answers |= {
        ("s3", "ListObjectVersions"): "AccessDenied",
        ("s3", "GetObject"): lambda _: {"Body": BytesIO(b"192.0.2.9")},
    }
    found = collect(world, FINDING_TYPE)
    assert found.listed("192.0.2.9")
    assert "The object threats.txt in S3 could not be read: AccessDenied." in [str(gap) for gap in found.gaps]


def test_an_unexpected_error_is_told_in_a_sentence(world: Any) -> None:
    """Operation, what happened, what to try; exit code 3."""
    world.aws.answers[("guardduty", "ListFindings")] = "InternalServerErrorException"
    with pytest.raises(LabError, match="ListFindings") as raised:
        collect(world, FINDING_TYPE)
    assert raised.value.exit_code == 3


def test_an_account_out_of_reach_is_told_in_a_sentence(world: Any) -> None:
    """No traceback of the SDK's."""

    def unreachable(_params: dict[str, Any]) -> dict[str, Any]:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    world.aws.answers[("guardduty", "ListDetectors")] = unreachable
    with pytest.raises(LabError, match="lab start"):
        collect(world, FINDING_TYPE)


def test_a_fresh_lab_costs_few_calls(world: Any) -> None:
    """The budget is a ratio to the same calls; this keeps the calls themselves in sight."""
    collect(world, FINDING_TYPE)
    besides_the_trail = [call for call in world.aws.calls if call[1] != "LookupEvents"]
    assert len(besides_the_trail) <= 25


def test_nothing_but_reads_is_called(world: Any) -> None:
    """A check changes nothing in the account."""
    collect(world, FINDING_TYPE)
    assert {
        operation
        for _, operation, _ in world.aws.calls
        if not operation.startswith(("Get", "List", "Describe", "Lookup"))
    } == set()


@pytest.mark.parametrize(
    "location",
    [
        "https://s3.amazonaws.com/lists/a/threats.txt",
        "https://s3-us-east-1.amazonaws.com/lists/a/threats.txt",
        "https://s3.us-east-1.amazonaws.com/lists/a/threats.txt",
        "http://lists.s3.amazonaws.com/a/threats.txt",
        "http://lists.s3-us-east-1.amazonaws.com/a/threats.txt",
        "https://lists.s3.us-east-1.amazonaws.com/a/threats.txt",
        "s3://lists/a/threats.txt",
    ],
)
def test_a_lists_location_is_read_in_every_form(location: str) -> None:
    """All forms that GuardDuty takes name the same object."""
    assert object_of(location) == ("lists", "a/threats.txt")


def test_a_lists_entries_are_read_from_any_format() -> None:
    """Addresses and ranges are picked out; what is neither is skipped."""
    text = b"# list\n198.51.100.7\n203.0.113.0/24,x\n192.0.2.1/32\n10.0.0.0/99\n1.2.3.4.5\n"
    found = entries(text)
    assert found.single == {"198.51.100.7", "192.0.2.1"}
    assert "203.0.113.9" in found
    assert "203.0.114.9" not in found
    assert 7 not in Addresses(single=frozenset(("7",)))
