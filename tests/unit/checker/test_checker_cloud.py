"""Foresight on AWS: read from what happened since the last change, or not known yet."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from checker.cli import run
from checker.cloud import CloudForesight, CloudWorld, period_of
from checker.rules.samples import ASSIGNED, IP, NOW, event
from checker.worlds import Outlook
from scenario.errors import LabError

Lookup = Callable[[Sequence[Any]], Any]


def ahead(aws: Any, lookup: Lookup, *, changed: float | None, runs: int = 0, seen: float = -1) -> Outlook:
    """Return the outlook: last change `changed` minutes from now, `runs` since, the finding last seen at `seen`."""
    events = () if changed is None else (event("DisableRule", minutes=changed, source="events.amazonaws.com"),)
    body = aws.answers[("guardduty", "GetFindings")]({"FindingIds": [ASSIGNED.id]})["Findings"][0]
    body["Service"]["EventLastSeen"] = f"{NOW + timedelta(minutes=seen):%Y-%m-%dT%H:%M:%S.000Z}"
    aws.answers[("guardduty", "GetFindings")] = {"Findings": [body]}
    aws.answers[("cloudtrail", "LookupEvents")] = lookup(events)
    aws.answers[("cloudwatch", "GetMetricStatistics")] = {"Datapoints": [{"Sum": float(runs)}] if runs else []}
    rule = aws.answers[("events", "DescribeRule")]
    aws.answers[("events", "DescribeRule")] = {"Arn": "arn:aws:events:us-east-1:1:rule/r", **rule}
    return CloudForesight(aws.client, lambda: NOW).look_ahead(24, ())


def test_an_untouched_account_goes_on(aws: Any, lookup: Lookup) -> None:
    """Nothing was changed, so what the finding shows goes on."""
    outlook = ahead(aws, lookup, changed=None)
    assert [(each.ip, each.permitted, each.source) for each in outlook.connections] == [
        (IP, True, "arn:aws:events:us-east-1:1:rule/r")
    ]
    assert outlook.determinable


def test_seen_after_the_change_means_that_it_goes_on(aws: Any, lookup: Lookup) -> None:
    """The finding was seen again: no need to wait."""
    assert ahead(aws, lookup, changed=-12, runs=1, seen=-3).connections != ()


def test_a_second_function_that_is_seen_after_the_change_goes_on_too(aws: Any, lookup: Lookup) -> None:
    """A copy under another name has a finding of its own."""
    ahead(aws, lookup, changed=-40, seen=-45)
    bodies = aws.answers[("guardduty", "GetFindings")]["Findings"]
    copied = deepcopy(bodies[0])
    copied["Id"] = "cc"
    copied["Resource"]["LambdaDetails"]["FunctionArn"] += "-2"
    copied["Service"]["EventFirstSeen"] = copied["Service"]["EventLastSeen"] = (
        f"{NOW - timedelta(minutes=9):%Y-%m-%dT%H:%M:%S.000Z}"
    )
    bodies.append(copied)
    outlook = CloudForesight(aws.client, lambda: NOW).look_ahead(24, ())
    assert [each.function_arn for each in outlook.connections] == [f"{ASSIGNED.function_arn}-2"]


def test_a_recent_change_is_not_known_yet_and_says_when(aws: Any, lookup: Lookup) -> None:
    """One period of the rule and the services' delays after the change."""
    outlook = ahead(aws, lookup, changed=-5, seen=-8)
    assert (outlook.determinable, outlook.connections) == (False, ())
    assert outlook.ask_again == NOW + timedelta(minutes=-5 + 10 + 20)


def test_quiet_for_long_enough_means_stopped(aws: Any, lookup: Lookup) -> None:
    """No run, no sighting."""
    outlook = ahead(aws, lookup, changed=-40, seen=-45)
    assert (outlook.determinable, outlook.connections, outlook.invocations) == (True, (), 0)


def test_running_without_being_seen_means_that_the_code_no_longer_connects(aws: Any, lookup: Lookup) -> None:
    """As long as somebody watches."""
    outlook = ahead(aws, lookup, changed=-40, runs=3, seen=-45)
    assert (outlook.determinable, outlook.connections, outlook.invocations) == (True, (), 3)


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("GetDetector", {"Status": "DISABLED", "Features": []}),
        ("GetDetector", {"Status": "ENABLED", "Features": [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "DISABLED"}]}),
        ("ListThreatIntelSets", {"ThreatIntelSetIds": []}),
        ("ListIPSets", {"IpSetIds": ["trusted"]}),
    ],
)
def test_running_unwatched_counts_as_going_on(aws: Any, lookup: Lookup, operation: str, answer: dict[str, Any]) -> None:
    """The finding's silence says nothing where the detection was switched off."""
    aws.answers[("guardduty", operation)] = answer
    aws.answers[("guardduty", "GetIPSet")] = _trusted("ACTIVE")
    outlook = ahead(aws, lookup, changed=-40, runs=3, seen=-45)
    assert (outlook.determinable, len(outlook.connections)) == (False, 1)


def test_a_trusted_list_that_is_not_in_force_hides_nothing(aws: Any, lookup: Lookup) -> None:
    """The finding's silence counts."""
    aws.answers[("guardduty", "ListIPSets")] = {"IpSetIds": ["trusted"]}
    aws.answers[("guardduty", "GetIPSet")] = _trusted("INACTIVE")
    outlook = ahead(aws, lookup, changed=-40, runs=3, seen=-45)
    assert (outlook.determinable, outlook.connections) == (True, ())


def _trusted(status: str) -> dict[str, Any]:
    location = "https://s3.amazonaws.com/lists/trusted.txt"
    return {"Name": "trusted", "Format": "TXT", "Location": location, "Status": status}


def test_a_slower_schedule_takes_longer_to_be_known(aws: Any, lookup: Lookup) -> None:
    """A daily rule is known after a day, not after half an hour."""
    aws.answers[("events", "DescribeRule")] = {"Name": "r", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"}
    outlook = ahead(aws, lookup, changed=-40, seen=-45)
    assert outlook.ask_again == NOW + timedelta(minutes=-40 + 20, days=1)


def test_without_the_finding_nothing_is_known(aws: Any) -> None:
    """The detector is gone, and what to look for with it."""
    aws.answers[("guardduty", "ListDetectors")] = {"DetectorIds": []}
    outlook = CloudForesight(aws.client, lambda: NOW).look_ahead(24, ())
    assert (outlook.determinable, outlook.ask_again) == (False, None)


@pytest.mark.parametrize(
    ("schedule", "period"),
    [
        ("rate(10 minutes)", timedelta(minutes=10)),
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(1 day)", timedelta(days=1)),
        ("cron(0 3 * * ? *)", timedelta(days=1)),
        ("", timedelta(minutes=10)),
    ],
)
def test_a_schedules_period(schedule: str, period: timedelta) -> None:
    """Rates as they say, cron a day, none the module's."""
    assert period_of(schedule) == period


class _Session:
    """A boto3 session that knows one account."""

    region_name = "us-east-1"

    def __init__(self, aws: Any) -> None:
        self.aws = aws
        self.configs: list[Any] = []

    def client(self, service: str, config: Any) -> Any:
        """Return a client, noting its configuration."""
        self.configs.append(config)
        return self.aws.client(service)


@pytest.mark.parametrize(
    ("arn", "trainee"),
    [
        ("arn:aws:sts::111122223333:assumed-role/WSParticipantRole/Participant", "Participant"),
        ("arn:aws:iam::111122223333:user/team/anna", "anna"),
        ("arn:aws:iam::111122223333:root", "root"),
    ],
)
def test_a_world_on_aws_knows_whose_calls_are_the_trainees(aws: Any, tmp_path: Any, arn: str, trainee: str) -> None:
    """The name under which the trail lists the caller; the checker is told apart by its user agent."""
    aws.answers[("sts", "GetCallerIdentity")] = {"Account": "111122223333", "Arn": arn}
    session = _Session(aws)
    world = CloudWorld(target="aws", session=session, folder=tmp_path)
    assert (world.trainee, world.lab_id) == (trainee, "111122223333-us-east-1")
    assert "guardduty-lab-check" in session.configs[0].user_agent_extra


class Emulator:
    """A session of LocalStack's free edition: it knows who one is, and has no GuardDuty and no CloudTrail."""

    region_name = "us-east-1"

    def client(self, service_name: str, *, config: Any) -> Any:
        """Return a client that answers who one is."""
        return self

    def get_caller_identity(self) -> dict[str, str]:
        """Return LocalStack's only account."""
        return {"Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"}


def test_an_emulator_without_guardduty_cannot_grade_and_says_what_it_sees(tmp_path: Path) -> None:
    """Neither passed nor failed: not known. What is there is told, and where it can be graded."""
    world = CloudWorld(
        target="localstack",
        session=Emulator(),
        folder=tmp_path,
        lacking={"guardduty": "GuardDuty", "cloudtrail": "CloudTrail"},
        seen=lambda: "rule: traffic-simulation-schedule, DISABLED",
    )
    with pytest.raises(LabError) as caught:
        run(world)
    assert "no GuardDuty and no CloudTrail" in caught.value.happened
    assert "not known (rule: traffic-simulation-schedule, DISABLED)" in caught.value.happened
    assert "lab start" in caught.value.try_next
    assert (caught.value.exit_code, world.memory.attempts()) == (3, [])
