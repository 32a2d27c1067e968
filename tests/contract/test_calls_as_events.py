"""API calls that a trail logs come to EventBridge's rules, late and once, and whatever they set off sets off no more of them."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.identity import Principal
from simulator.world import Ask, Lab
from tests.contract.labs import trust, zipped
from tests.unit.core.small_lab import ACCOUNT, OWNER, NoCode, made, open_lab

HERE, THERE = "us-east-1", "eu-west-1"
API_CALL = "AWS API Call via CloudTrail"
ALL_CALLS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
READ_ONLY = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab without a trail, whose time stands unless it is moved on."""
    opened = open_lab(wall=lambda: 1_800_000_000.0)
    yield opened
    opened.close()


def start_trail(lab: Lab, **settings: Any) -> None:
    """Have a trail log."""
    made(lab, "s3", "CreateBucket", Bucket="trail")
    made(lab, "cloudtrail", "CreateTrail", Name="trail", S3BucketName="trail", **settings)
    made(lab, "cloudtrail", "StartLogging", Name="trail")


def rule_to_queue(lab: Lab, name: str = "told", region: str = HERE, state: str = "ENABLED", **pattern: Any) -> str:
    """Have a rule send API calls to a queue of its name; return the queue's URL."""
    url: str = _in(lab, region, "sqs", "CreateQueue", QueueName=name)["QueueUrl"]
    text = json.dumps({"detail-type": [API_CALL], **pattern})
    _in(lab, region, "events", "PutRule", Name=name, EventPattern=text, State=state)
    arn = f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"
    _in(lab, region, "events", "PutTargets", Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def _in(lab: Lab, region: str, service: str, operation: str, **params: Any) -> dict[str, Any]:
    done = lab.ask(Ask(service=service, operation=operation, params=params, principal=OWNER, region=region))
    assert done.error is None, done.error
    return done.result or {}


def function(lab: Lab) -> None:
    """Make a function that EventBridge may run."""
    role = made(lab, "iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]
    made(
        lab, "lambda", "CreateFunction",
        FunctionName="f", Runtime="python3.13", Handler="index.handler", Role=role["Arn"], Code={"ZipFile": zipped()},
    )  # fmt: skip
    made(
        lab, "lambda", "AddPermission",
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
    )  # fmt: skip


def told(lab: Lab, url: str, region: str = HERE) -> list[dict[str, Any]]:
    """Return the events in a queue, oldest first, and take them out."""
    events: list[dict[str, Any]] = []
    while messages := _in(lab, region, "sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            events.append(json.loads(message["Body"]))
            _in(lab, region, "sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(events, key=lambda event: (event["time"], event["detail"]["requestID"]))


def names(events: list[dict[str, Any]]) -> list[str]:
    """Return the names of the calls that events are about."""
    return sorted(event["detail"]["eventName"] for event in events)


def test_an_alarm_on_a_changed_function_gets_the_record_of_the_call(lab: Lab) -> None:
    """As CloudTrail has it, once, not before the history shows it; other calls do not come."""
    start_trail(lab)
    queue = rule_to_queue(lab, source=["aws.lambda"], detail={"eventName": [{"prefix": "UpdateFunctionCode"}]})
    function(lab)
    made(lab, "lambda", "UpdateFunctionCode", FunctionName="f", ZipFile=zipped("x = 1\n"))
    lab.advance(timedelta(seconds=100))
    assert told(lab, queue) == []
    lab.advance(timedelta(minutes=4))
    (event,) = told(lab, queue)
    name = {"AttributeKey": "EventName", "AttributeValue": "UpdateFunctionCode20150331v2"}
    (shown,) = made(lab, "cloudtrail", "LookupEvents", LookupAttributes=[name])["Events"]
    assert event["detail"] == json.loads(shown["CloudTrailEvent"])
    assert (event["source"], event["detail-type"], event["resources"]) == ("aws.lambda", API_CALL, [])
    assert (event["account"], event["region"]) == (ACCOUNT, HERE)
    assert event["time"] == event["detail"]["eventTime"]
    lab.advance(timedelta(hours=1))
    assert told(lab, queue) == []


def test_nothing_comes_without_a_trail_that_logs_but_who_stopped_it_does(lab: Lab) -> None:
    """A trail logs the call that stops it, and not the one that starts it."""
    queue = rule_to_queue(lab)
    made(lab, "guardduty", "CreateDetector", Enable=True)
    made(lab, "s3", "CreateBucket", Bucket="trail")
    made(lab, "cloudtrail", "CreateTrail", Name="trail", S3BucketName="trail")
    made(lab, "cloudtrail", "StartLogging", Name="trail")
    made(lab, "cloudtrail", "StopLogging", Name="trail")
    made(lab, "iam", "CreateUser", UserName="unseen")
    made(lab, "cloudtrail", "StartLogging", Name="trail")
    made(lab, "cloudtrail", "DeleteTrail", Name="trail")
    made(lab, "iam", "CreateUser", UserName="unseen-too")
    lab.advance(timedelta(minutes=6))
    assert names(told(lab, queue)) == ["DeleteTrail", "StopLogging"]


def test_calls_that_only_look_come_to_rules_that_ask_for_them(lab: Lab) -> None:
    """A rule's state says so. Those that look and are not called Describe, Get or List come to every rule; data events to none."""
    start_trail(lab)
    changes = rule_to_queue(lab, "changes")
    everything = rule_to_queue(lab, "everything", state=ALL_CALLS)
    off = rule_to_queue(lab, "off", state="DISABLED")
    lab.advance(timedelta(minutes=6))
    for queue in (changes, everything):
        told(lab, queue)
    made(lab, "guardduty", "ListDetectors")
    made(lab, "cloudtrail", "LookupEvents")
    made(lab, "s3", "ListBuckets")
    made(lab, "s3", "PutObject", Bucket="trail", Key="k", Body=b"")
    made(lab, "iam", "CreateUser", UserName="u")
    lab.advance(timedelta(minutes=6))
    assert names(told(lab, changes)) == ["CreateUser", "LookupEvents"]
    assert names(told(lab, everything)) == ["CreateUser", "ListBuckets", "ListDetectors", "LookupEvents"]
    assert told(lab, off) == []


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ({"EventSelectors": [{"ReadWriteType": "WriteOnly"}]}, ["CreateKey", "CreateUser"]),
        ({"EventSelectors": [READ_ONLY]}, ["ListUsers"]),
        ({"EventSelectors": [{"IncludeManagementEvents": False}]}, []),
        ({"EventSelectors": [{"ExcludeManagementEventSources": ["kms.amazonaws.com"]}]}, ["CreateUser", "ListUsers"]),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT]}]}, ["CreateKey", "CreateUser", "ListUsers"]),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, []),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, {"Field": "readOnly", "Equals": ["false"]}]}]},
            ["CreateKey", "CreateUser"],
        ),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]}]},
            ["CreateUser", "ListUsers"],
        ),
    ],
)  # fmt: skip
def test_what_a_trail_leaves_out_does_not_come(lab: Lab, selectors: dict[str, Any], expected: list[str]) -> None:
    """In either language of its selectors."""
    start_trail(lab)
    made(lab, "cloudtrail", "PutEventSelectors", TrailName="trail", **selectors)
    queue = rule_to_queue(lab, state=ALL_CALLS, source=["aws.iam", "aws.kms"])
    made(lab, "iam", "CreateUser", UserName="u")
    made(lab, "iam", "ListUsers")
    made(lab, "kms", "CreateKey")
    lab.advance(timedelta(minutes=6))
    assert names(told(lab, queue)) == expected


@pytest.mark.parametrize("many", [True, False])
def test_a_call_comes_to_the_bus_of_its_own_region(lab: Lab, many: bool) -> None:
    """Where a trail logs that Region; IAM's are Northern Virginia's wherever they are made."""
    start_trail(lab, IsMultiRegionTrail=many)
    here = rule_to_queue(lab, source=["aws.ec2", "aws.iam"])
    there = rule_to_queue(lab, region=THERE, source=["aws.ec2", "aws.iam"])
    _in(lab, HERE, "ec2", "CreateVpc", CidrBlock="10.0.0.0/16")
    _in(lab, THERE, "ec2", "AllocateAddress")
    _in(lab, THERE, "iam", "CreateUser", UserName="u")
    lab.advance(timedelta(minutes=6))
    assert names(told(lab, here)) == ["CreateUser", "CreateVpc"]
    assert names(told(lab, there, THERE)) == (["AllocateAddress"] if many else [])


def test_what_deliveries_set_off_sets_off_nothing_more(lab: Lab) -> None:
    """Who wants every call, in a queue, a log group, a topic and a function, hears in a day what was asked from outside, and no more."""
    start_trail(lab)
    queue = rule_to_queue(lab, state=ALL_CALLS)
    function(lab)
    made(lab, "logs", "CreateLogGroup", logGroupName="told")
    made(lab, "sns", "CreateTopic", Name="told")
    ends = f"logs:{HERE}:{ACCOUNT}:log-group:told", f"sns:{HERE}:{ACCOUNT}:told", f"lambda:{HERE}:{ACCOUNT}:function:f"
    targets = [{"Id": end.partition(":")[0], "Arn": f"arn:aws:{end}"} for end in ends]
    made(lab, "events", "PutTargets", Rule="told", Targets=targets)
    lab.advance(timedelta(days=1))
    assert isinstance(lab.environments, NoCode) and lab.environments.runs == 8
    logged = made(lab, "logs", "FilterLogEvents", logGroupName="told")["events"]
    assert len(logged) == 8
    assert names(told(lab, queue)) == sorted([
        "PutRule", "PutTargets", "CreateRole", "CreateFunction20150331", "AddPermission20150331v2", "CreateLogGroup", "CreateTopic",
        "PutTargets",
    ])  # fmt: skip


def test_a_call_is_told_of_once_whenever_the_lab_is_restarted(tmp_path: Path) -> None:
    """Before it is due nothing is lost; after it nothing comes again."""
    path = tmp_path / "journal.db"
    lab = open_lab(path, wall=lambda: 1_800_000_000.0)
    start_trail(lab)
    queue = rule_to_queue(lab, source=["aws.iam"])
    made(lab, "iam", "CreateUser", UserName="u")
    for expected in (["CreateUser"], [], []):
        lab.close()
        lab = open_lab(path, wall=lambda: 1_800_000_000.0)
        assert lab.differences == []
        lab.advance(timedelta(minutes=6))
        assert names(told(lab, queue)) == expected
    lab.close()


def test_who_would_run_once_a_call_is_told_of_is_foreseen(lab: Lab) -> None:
    """A look ahead sees the function that a call already made will start."""
    start_trail(lab)
    arn = f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:f"
    pattern = json.dumps({"detail-type": [API_CALL], "detail": {"eventName": ["CreateUser"]}})
    made(lab, "events", "PutRule", Name="told", EventPattern=pattern)
    made(lab, "events", "PutTargets", Rule="told", Targets=[{"Id": "f", "Arn": arn}])
    made(lab, "iam", "CreateUser", UserName="u")
    now = lab.clock.now()
    (run,) = lab.service("cloudtrail").upcoming(now + timedelta(minutes=6))
    assert run.function_arn == arn
    assert json.loads(run.payload)["detail"]["requestParameters"] == {"userName": "u"}
    assert timedelta(seconds=100) < run.at - now < timedelta(minutes=5)
    assert lab.service("cloudtrail").upcoming(now + timedelta(seconds=100)) == []


def test_nothing_waits_where_no_rule_could_want_it(lab: Lab) -> None:
    """Another source, another kind of event, a schedule, a rule that is off: nothing is kept to be told of."""
    start_trail(lab)
    rule_to_queue(lab, "other", source=["aws.s3"])
    rule_to_queue(lab, "off", state="DISABLED")
    made(
        lab,
        "events",
        "PutRule",
        Name="findings",
        EventPattern=json.dumps({"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}),
    )
    made(lab, "events", "PutRule", Name="hourly", ScheduleExpression="rate(1 hour)")
    assert lab.service("cloudtrail").next_due() is None
    made(lab, "iam", "CreateUser", UserName="u")
    assert lab.service("cloudtrail").next_due() is None
    made(lab, "s3", "CreateBucket", Bucket="another")
    assert lab.service("cloudtrail").next_due() is not None


def test_a_refused_call_comes_as_well(lab: Lab) -> None:
    """With its error: an alarm on AccessDenied is as old as the service."""
    start_trail(lab)
    queue = rule_to_queue(lab, detail={"errorCode": ["AccessDenied"]})
    made(lab, "iam", "CreateUser", UserName="u")
    key = made(lab, "iam", "CreateAccessKey", UserName="u")["AccessKey"]["AccessKeyId"]
    user = Principal(
        type="IAMUser", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/u", name="u", access_key_id=key
    )
    params = {"UserName": "v"}
    assert lab.ask(Ask(service="iam", operation="CreateUser", params=params, principal=user)).error is not None
    lab.advance(timedelta(minutes=6))
    (event,) = told(lab, queue)
    assert event["detail"]["userIdentity"]["userName"] == "u"
