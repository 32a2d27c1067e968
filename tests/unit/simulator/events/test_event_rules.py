"""Rules: what they are, when their schedules fire, and what they hand to whom."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from simulator.errors import AwsError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:traffic-simulation"
RULE = "arn:aws:events:us-east-1:123456789012:rule/every-ten"
TEN = timedelta(minutes=10)


def every_ten(lab: Any, **params: Any) -> None:
    """Make the rule of the lab with its target."""
    lab.call("events", "put_rule", Name="every-ten", ScheduleExpression="rate(10 minutes)", **params)
    lab.call("events", "put_targets", Rule="every-ten", Targets=[{"Id": "f", "Arn": FUNCTION}])


def moments(lab: Any) -> list[datetime]:
    """Return the times of the events handed to the function."""
    return [datetime.fromisoformat(event["time"]) for _, event, _, _ in lab.functions.events]


def test_a_rate_rule_first_fires_within_a_minute_and_then_every_interval(lab: Any) -> None:
    """The phase is the rule's own, not the clock's."""
    every_ten(lab)
    lab.advance(timedelta(hours=1))
    times = moments(lab)
    assert timedelta(seconds=19) <= times[0] - datetime(2026, 11, 22, 8, tzinfo=UTC) <= timedelta(seconds=60)
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [TEN] * 5
    assert lab.moto.counted["AWS/Events/Invocations"] == 6


def test_the_function_gets_aws_s_scheduled_event(lab: Any) -> None:
    """Fields, their order and their form are AWS's."""
    every_ten(lab)
    lab.advance(timedelta(minutes=1))
    ((arn, event, source_service, source_arn),) = lab.functions.events
    assert (arn, source_service, source_arn) == (FUNCTION, "events.amazonaws.com", RULE)
    assert list(event) == [
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    ]  # fmt: skip
    assert event["detail-type"] == "Scheduled Event"
    assert event["source"] == "aws.events"
    assert event["resources"] == [RULE]
    assert event["detail"] == {}
    assert event["time"].endswith("Z")
    assert "." not in event["time"]


def test_the_same_seed_fires_at_the_same_moments_with_the_same_ids(lab: Any) -> None:
    """A lab can be told again."""
    again = type(lab)()
    for one in (lab, again):
        every_ten(one)
        one.advance(timedelta(hours=2))
    assert lab.functions.events == again.functions.events


def test_other_rules_and_targets_do_not_shift_the_phase(lab: Any) -> None:
    """Nor does putting the rule once more as it is."""
    every_ten(lab)
    due = lab.own["events"].next_due()
    lab.advance(timedelta(seconds=5))
    lab.call("events", "put_rule", Name="other", ScheduleExpression="cron(0 12 * * ? *)")
    every_ten(lab, Description="told")
    assert lab.own["events"].next_due() == due


def test_a_changed_expression_begins_anew(lab: Any) -> None:
    """A slower schedule fires soon after it was put, and then slowly."""
    every_ten(lab)
    lab.advance(timedelta(minutes=5))
    lab.call("events", "put_rule", Name="every-ten", ScheduleExpression="rate(1 hour)")
    lab.advance(timedelta(minutes=60))
    assert len(lab.functions.events) == 2


def test_a_disabled_rule_does_not_fire_and_an_enabled_one_begins_anew(lab: Any) -> None:
    """Both by DisableRule and by PutRule with a State."""
    every_ten(lab, State="DISABLED")
    lab.advance(timedelta(hours=1))
    assert lab.functions.events == []
    lab.call("events", "enable_rule", Name="every-ten")
    lab.advance(timedelta(minutes=5))
    assert len(lab.functions.events) == 1
    lab.call("events", "disable_rule", Name="every-ten")
    lab.advance(timedelta(hours=1))
    assert len(lab.functions.events) == 1
    assert lab.own["events"].next_due() is None


def test_a_rule_whose_function_refuses_goes_on_ticking(lab: Any) -> None:
    """Only the metric of failed invocations tells."""
    lab.functions.refused = "ResourceNotFoundException"
    every_ten(lab)
    lab.advance(timedelta(minutes=25))
    assert len([record for record in lab.records if record[1] == "tick"]) == 3
    assert lab.moto.counted["AWS/Events/FailedInvocations"] == 3


def test_the_ticks_of_a_replay_move_the_schedule_and_deliver_nothing(lab: Any) -> None:
    """Records alone rebuild the schedule."""
    every_ten(lab)
    lab.advance(timedelta(hours=1))
    again = type(lab)()
    every_ten(again)
    for service, kind, data in lab.records:
        again.record(again.context(), service, kind, data)
    assert again.own["events"].next_due() == lab.own["events"].next_due()
    assert again.functions.events == []


def test_look_ahead_foresees_the_very_events(lab: Any) -> None:
    """What it tells is what then happens, and telling it changes nothing."""
    every_ten(lab)
    foreseen = lab.own["events"].upcoming(lab.now + timedelta(hours=2))
    assert foreseen == lab.own["events"].upcoming(lab.now + timedelta(hours=2))
    lab.advance(timedelta(hours=2))
    happened = [(datetime.fromisoformat(event["time"]), event) for _, event, _, _ in lab.functions.events]
    assert [(run.at, json.loads(run.payload)) for run in foreseen] == happened
    assert all(run.allowed for run in foreseen)


def test_look_ahead_tells_the_next_run_however_far(lab: Any) -> None:
    """A schedule beyond the horizon is told once, and one that may not run says so."""
    lab.functions.refused = "ResourceNotFoundException"
    lab.call("events", "put_rule", Name="rare", ScheduleExpression="cron(0 0 29 2 ? *)")
    lab.call("events", "put_targets", Rule="rare", Targets=[{"Id": "f", "Arn": FUNCTION}])
    (run,) = lab.own["events"].upcoming(lab.now + timedelta(hours=24))
    assert run.at == datetime(2028, 2, 29, tzinfo=UTC)
    assert not run.allowed


def test_look_ahead_follows_buses_and_polled_queues(lab: Any) -> None:
    """A function behind a queue or a bus runs just as well, if not as directly."""
    queue, bus = "arn:aws:sqs:us-east-1:123456789012:q", "arn:aws:events:us-east-1:123456789012:event-bus/mine"
    lab.mappings.append({"EventSourceArn": queue, "FunctionArn": FUNCTION, "State": "Enabled"})
    lab.call("events", "create_event_bus", Name="mine")
    lab.call("events", "put_rule", Name="w", EventPattern='{"source": ["aws.events"]}', EventBusName="mine")
    lab.call("events", "put_targets", Rule="w", EventBusName="mine", Targets=[{"Id": "f", "Arn": FUNCTION + "-2"}])
    every_ten(lab)
    lab.call("events", "put_targets", Rule="every-ten", Targets=[{"Id": "f", "Arn": queue}, {"Id": "b", "Arn": bus}])
    runs = lab.own["events"].upcoming(lab.now)
    assert [(run.function_arn, run.allowed) for run in runs] == [(FUNCTION, True), (FUNCTION + "-2", True)]
    assert json.loads(json.loads(runs[0].payload)["Records"][0]["body"])["detail-type"] == "Scheduled Event"
    lab.mappings[0]["State"] = "Disabled"
    assert not lab.own["events"].upcoming(lab.now)[0].allowed


def test_look_ahead_leaves_no_run_of_a_day_out(lab: Any) -> None:
    """One a minute is 1,440 runs: a function that connects in one of them only is found out by trying all."""
    lab.call("events", "put_rule", Name="often", ScheduleExpression="rate(1 minute)")
    lab.call("events", "put_targets", Rule="often", Targets=[{"Id": "f", "Arn": FUNCTION}])
    runs = lab.own["events"].upcoming(lab.now + timedelta(hours=24))
    assert len(runs) in (1440, 1441)
    assert {later.at - run.at for run, later in pairwise(runs)} == {timedelta(minutes=1)}


@pytest.mark.parametrize(
    ("operation", "params", "told"),
    [
        ("put_rule", {"Name": "r"}, "ValidationException: Parameter(s) EventPattern or ScheduleExpression must be"),
        (
            "put_rule",
            {"Name": "r", "ScheduleExpression": "rate(1 minutes)"},
            "ValidationException: Parameter ScheduleExpression is not valid.",
        ),
        (
            "put_rule",
            {"Name": "r", "ScheduleExpression": "at(2030-01-01T00:00:00)"},
            "ValidationException: Parameter ScheduleExpression is not valid.",
        ),
        (
            "put_rule",
            {"Name": "r", "EventPattern": '{"a": 1}'},
            'InvalidEventPatternException: Event pattern is not valid. Reason: "a" must be an object or an array',
        ),
        ("put_rule", {"Name": "r", "EventBusName": "b"}, "ResourceNotFoundException: Event bus b does not exist."),
        (
            "describe_rule",
            {"Name": "r"},
            "ResourceNotFoundException: Rule r does not exist on EventBus default.",
        ),
        (
            "put_targets",
            {"Rule": "r", "Targets": [{"Id": "1", "Arn": FUNCTION}]},
            "ResourceNotFoundException: Rule r does not exist on EventBus default.",
        ),
        ("delete_event_bus", {"Name": "default"}, "ValidationException: Cannot delete event bus default."),
        ("list_rules", {"NextToken": "?"}, "ValidationException: Parameter NextToken is not valid."),
    ],
)
def test_refusals_are_in_aws_s_words(lab: Any, refuse: Any, operation: str, params: dict[str, Any], told: str) -> None:
    """Codes and messages as AWS answers them."""
    assert refuse(lab, "events", operation, **params).startswith(told)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"Arn": "function:f"}, "Provided Arn is not in correct format."),
        (
            {"Arn": FUNCTION, "Input": "{}", "InputPath": "$"},
            "Only one of Input, InputPath, or InputTransformer must be",
        ),
        ({"Arn": FUNCTION, "Input": "{"}, "JSON syntax error in input for target t"),
        ({"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:s"}, "RoleArn is required for target"),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}, "Parameter(s) SqsParameters must be specified"),
        ({"Arn": FUNCTION, "InputTransformer": {"InputTemplate": '"<x>"'}}, "contains invalid placeholder x."),
    ],
)
def test_a_target_that_aws_refuses_is_refused(lab: Any, refuse: Any, target: dict[str, Any], told: str) -> None:
    """PutTargets fails as a whole and adds nothing."""
    every_ten(lab)
    assert told in refuse(lab, "events", "put_targets", Rule="every-ten", Targets=[{"Id": "t", **target}])
    assert len(lab.call("events", "list_targets_by_rule", Rule="every-ten")["Targets"]) == 1


def test_a_rule_has_five_targets_at_most_and_is_deleted_without_any(lab: Any, refuse: Any) -> None:
    """The limit and the order of AWS."""
    every_ten(lab)
    more = [{"Id": str(number), "Arn": FUNCTION} for number in range(5)]
    told = "LimitExceededException: The requested resource exceeds the maximum number allowed."
    assert refuse(lab, "events", "put_targets", Rule="every-ten", Targets=more) == told
    told = "ValidationException: Rule can't be deleted since it has targets."
    assert refuse(lab, "events", "delete_rule", Name="every-ten") == told
    answer = lab.call("events", "remove_targets", Rule="every-ten", Ids=["f", "x"])
    assert [failed["TargetId"] for failed in answer["FailedEntries"]] == ["x"]
    lab.call("events", "delete_rule", Name="every-ten")
    lab.call("events", "delete_rule", Name="every-ten")
    assert lab.call("events", "list_rules")["Rules"] == []


def test_lists_page_by_name(lab: Any) -> None:
    """Each token leads on, the last page has none."""
    for number in range(5):
        lab.call("events", "put_rule", Name=f"r{number}", ScheduleExpression="rate(1 day)")
        lab.call("events", "put_targets", Rule=f"r{number}", Targets=[{"Id": "f", "Arn": FUNCTION}])
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = lab.call("events", "list_rule_names_by_target", TargetArn=FUNCTION, Limit=2, **token)
        names += answer["RuleNames"]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert names == ["r0", "r1", "r2", "r3", "r4"]


def test_regions_and_buses_are_apart(lab: Any, refuse: Any) -> None:
    """A rule of one Region or bus is not there in another; schedules live on default buses."""
    every_ten(lab)
    lab.call("events", "create_event_bus", Name="mine")
    assert lab.call("events", "list_rules", region="eu-west-1")["Rules"] == []
    assert lab.call("events", "list_rules", EventBusName="mine")["Rules"] == []
    told = refuse(lab, "events", "put_rule", Name="r", ScheduleExpression="rate(1 day)", EventBusName="mine")
    assert told == "ValidationException: ScheduleExpression is supported only on the default event bus."
    told = refuse(lab, "events", "create_event_bus", Name="mine")
    assert told == "ResourceAlreadyExistsException: Event bus mine already exists."


def test_tags_of_rules_and_buses(lab: Any, refuse: Any) -> None:
    """They are put, removed and listed by ARN."""
    lab.call(
        "events", "put_rule", Name="every-ten", ScheduleExpression="rate(1 day)", Tags=[{"Key": "a", "Value": "1"}]
    )
    lab.call("events", "tag_resource", ResourceARN=RULE, Tags=[{"Key": "b", "Value": "2"}])
    lab.call("events", "untag_resource", ResourceARN=RULE, TagKeys=["a"])
    assert lab.call("events", "list_tags_for_resource", ResourceARN=RULE) == {"Tags": [{"Key": "b", "Value": "2"}]}
    told = refuse(lab, "events", "list_tags_for_resource", ResourceARN=f"{RULE}-x")
    assert told == "ResourceNotFoundException: Rule every-ten-x does not exist on EventBus default."


def test_a_bus_policy_is_put_told_and_removed(lab: Any, refuse: Any) -> None:
    """Statements in the form that AWS makes of PutPermission."""
    principal = {"Action": "events:PutEvents", "Principal": "210987654321", "StatementId": "other"}
    lab.call("events", "put_permission", **principal)
    (statement,) = json.loads(lab.call("events", "describe_event_bus")["Policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::210987654321:root"}
    told = refuse(lab, "events", "remove_permission", StatementId="x")
    assert told == "ResourceNotFoundException: Statement with the provided id does not exist."
    lab.call("events", "remove_permission", StatementId="other")
    assert "Policy" not in lab.call("events", "describe_event_bus")


def event(detail: dict[str, Any], **entry: Any) -> dict[str, Any]:
    """Return an entry of PutEvents."""
    return {"Source": "my.app", "DetailType": "done", "Detail": json.dumps(detail), **entry}


def wanted(lab: Any, pattern: dict[str, Any], **target: Any) -> None:
    """Make a rule with a pattern and a target."""
    lab.call("events", "put_rule", Name="w", EventPattern=json.dumps(pattern))
    lab.call("events", "put_targets", Rule="w", Targets=[{"Id": "t", "Arn": FUNCTION, **target}])


def test_an_event_reaches_the_rules_that_want_it(lab: Any) -> None:
    """Others do not get it, nor do disabled rules, and the answer has its id."""
    wanted(lab, {"source": ["my.app"], "detail": {"state": ["bad"]}})
    answer = lab.call("events", "put_events", Entries=[event({"state": "good"}), event({"state": "bad"})])
    assert answer["FailedEntryCount"] == 0
    ((_, delivered, _, _),) = lab.functions.events
    assert delivered["id"] == answer["Entries"][1]["EventId"]
    assert delivered["time"] == "2026-11-22T08:00:00Z"
    lab.call("events", "disable_rule", Name="w")
    lab.call("events", "put_events", Entries=[event({"state": "bad"})])
    assert len(lab.functions.events) == 1


def test_entries_fail_one_by_one(lab: Any) -> None:
    """Each with AWS's code, the rest goes through."""
    entries = [
        event({}),
        {"DetailType": "d", "Detail": "{}"},
        {"Source": "s", "Detail": "{}"},
        {"Source": "s", "DetailType": "d"},
        event({}, Detail="[]"),
        event({}, Detail="{"),
        event({}, Source="aws.guardduty"),
    ]
    answer = lab.call("events", "put_events", Entries=entries)
    assert answer["FailedEntryCount"] == 6
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [
        None,
        "InvalidArgument",
        "InvalidArgument",
        "InvalidArgument",
        "MalformedDetail",
        "MalformedDetail",
        "NotAuthorizedForSourceException",
    ]


def test_too_large_a_request_is_refused(lab: Any, refuse: Any) -> None:
    """256 KiB in all."""
    told = refuse(lab, "events", "put_events", Entries=[event({"x": "y" * 262_144})])
    assert told == "ValidationException: Total size of the entries in the request is over the limit."


def test_queues_topics_and_logs_are_called_as_eventbridge(lab: Any) -> None:
    """Each by its own operation, as the service."""
    lab.call("events", "put_rule", Name="w", EventPattern='{"source": ["my.app"]}')
    arns = [
        "sqs:us-east-1:123456789012:q",
        "sns:us-east-1:123456789012:t",
        "logs:us-east-1:123456789012:log-group:/g:*",
    ]
    targets = [{"Id": str(at), "Arn": f"arn:aws:{arn}", "InputPath": "$.detail"} for at, arn in enumerate(arns)]
    lab.call("events", "put_targets", Rule="w", Targets=targets)
    lab.call("events", "put_events", Entries=[event({"a": "ü"})])
    assert [operation for _, operation, _, _ in lab.calls] == [
        "SendMessage",
        "Publish",
        "CreateLogStream",
        "PutLogEvents",
    ]
    assert {principal.name for _, _, principal, _ in lab.calls} == {"events.amazonaws.com"}
    assert lab.calls[0][3] == {"QueueUrl": "https://queue/q", "MessageBody": '{"a":"ü"}'}
    assert lab.calls[3][3]["logGroupName"] == "/g"


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(lab: Any) -> None:
    """With the reason as AWS writes it."""
    queue = "arn:aws:sqs:us-east-1:123456789012:dead"
    topic = "arn:aws:sns:us-east-1:123456789012:t"
    wanted(lab, {"source": ["my.app"]}, Arn=topic, DeadLetterConfig={"Arn": queue})
    lab.answers["sns", "Publish"] = AwsError("AccessDenied", "no")
    lab.call("events", "put_events", Entries=[event({})])
    attributes = lab.calls[-1][3]["MessageAttributes"]
    assert attributes["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert attributes["TARGET_ARN"]["StringValue"] == topic


@pytest.mark.parametrize(
    "arn", ["x", "arn:aws:sqs", "arn:aws:sqs:::\n", "arn:aws:sqs:us-east-1:123456789012:", FUNCTION]
)
def test_an_odd_dead_letter_queue_loses_what_it_is_sent(lab: Any, arn: str) -> None:
    """It is no error for whoever put the event."""
    wanted(lab, {"source": ["my.app"]}, Arn="arn:aws:states:::x", RoleArn="r", DeadLetterConfig={"Arn": arn})
    assert lab.call("events", "put_events", Entries=[event({})])["FailedEntryCount"] == 0
    assert lab.moto.counted["AWS/Events/FailedInvocations"] == 1


def test_half_a_surrogate_pair_is_malformed(lab: Any) -> None:
    """No target and no journal could take it."""
    answer = lab.call("events", "put_events", Entries=[event({}, Detail='{"a":"\\ud800"}')])
    assert answer["Entries"][0]["ErrorCode"] == "MalformedDetail"


def test_another_account_is_out_of_reach(lab: Any) -> None:
    """A target of somebody else's is not called."""
    wanted(lab, {"source": ["my.app"]}, Arn="arn:aws:sqs:us-east-1:210987654321:q")
    lab.call("events", "put_events", Entries=[event({})])
    assert lab.calls == []
    assert lab.moto.counted["AWS/Events/FailedInvocations"] == 1


def test_an_event_hops_to_another_bus_once(lab: Any) -> None:
    """Two buses that send to each other do not send for ever."""
    lab.call("events", "create_event_bus", Name="mine")
    mine, default = (f"arn:aws:events:us-east-1:123456789012:event-bus/{name}" for name in ("mine", "default"))
    wanted(lab, {"source": ["my.app"]}, Arn=mine)
    lab.call("events", "put_rule", Name="w", EventPattern='{"source": ["my.app"]}', EventBusName="mine")
    targets = [{"Id": "f", "Arn": FUNCTION}, {"Id": "b", "Arn": default}]
    lab.call("events", "put_targets", Rule="w", EventBusName="mine", Targets=targets)
    lab.call("events", "put_events", Entries=[event({})])
    assert len(lab.functions.events) == 1


def test_events_of_aws_services_reach_rules(lab: Any) -> None:
    """As GuardDuty tells of a finding."""
    wanted(lab, {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 4]}]}})
    lab.own["events"].put_service_event(
        lab.context(), "GuardDuty Finding", "aws.guardduty", {"severity": 5}, [], lab.now
    )
    assert lab.functions.events[0][1]["detail-type"] == "GuardDuty Finding"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"Event of <kind> at <time>, by <nobody>"', '"Event of done at 2026-11-22T08:00:00Z, by "'),
        ('{"kind": <kind>, "detail": <all>, "by": <nobody>}', '{"kind": "done", "detail": {"a":[1,"x"]}, "by": ""}'),
        ('"all <all>"', '"all {a:[1,x]}"'),
        ('"<aws.events.rule-name>"', '"w"'),
        ('{"e": <aws.events.event>}', None),
    ],
)
def test_input_transformers_fill_their_template(lab: Any, template: str, expected: str | None) -> None:
    """Quoted placeholders become text, others JSON, as AWS delivers them."""
    paths = {"kind": "$.detail-type", "time": "$.time", "all": "$.detail", "nobody": "$.detail.x.y"}
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    wanted(lab, {"source": ["my.app"]}, Arn="arn:aws:sqs:us-east-1:123456789012:q", InputTransformer=transformer)
    lab.call("events", "put_events", Entries=[event({"a": [1, "x"]})])
    body = lab.calls[0][3]["MessageBody"]
    if expected is None:
        told = json.loads(body)["e"]
        assert ("detail" in told, "detail-type" in told, told["detailType"]) == (False, False, "done")
    else:
        assert body == expected


@pytest.mark.parametrize(
    ("template", "delivered"),
    [
        ('{"all": "<all>"}', False),
        ('{"all": "in: <list>"}', False),
        ('{"all": ' + "[" * 4000 + "}", False),
        ('{"all": <all>, "kind": "it is <kind>"}', True),
        ('"all <all>"', True),
    ],
)
def test_a_template_that_becomes_no_json_is_not_delivered(lab: Any, template: str, delivered: bool) -> None:
    """An object or a list between quotes makes none; a line of text need be none. It counts as a failed invocation."""
    paths = {"kind": "$.detail-type", "all": "$.detail", "list": "$.detail.a"}
    transformer = {"InputPathsMap": paths, "InputTemplate": template}
    wanted(lab, {"source": ["my.app"]}, Arn="arn:aws:sqs:us-east-1:123456789012:q", InputTransformer=transformer)
    lab.call("events", "put_events", Entries=[event({"a": [1, "x"]})])
    assert [call[1] for call in lab.calls] == (["SendMessage"] if delivered else [])
    assert lab.moto.counted.get("AWS/Events/FailedInvocations", 0) == (0 if delivered else 1)


def test_an_input_that_becomes_no_json_is_not_foreseen_to_run_anything(lab: Any) -> None:
    """What is not delivered runs no function."""
    transformer = {"InputPathsMap": {"from": "$.resources"}, "InputTemplate": '{"from": "<from>"}'}
    every_ten(lab)
    assert lab.own["events"].upcoming(lab.now + TEN)
    target = {"Id": "f", "Arn": FUNCTION, "InputTransformer": transformer}
    lab.call("events", "put_targets", Rule="every-ten", Targets=[target])
    assert lab.own["events"].upcoming(lab.now + TEN) == []


def test_a_bus_that_is_not_there_is_as_good_as_deleted(lab: Any) -> None:
    """So a second deletion is none the wiser; rules keep a bus."""
    lab.call("events", "create_event_bus", Name="orders")
    lab.call("events", "put_rule", Name="r", EventBusName="orders", EventPattern='{"source": ["shop"]}')
    with pytest.raises(AwsError, match="can't be deleted since it has rules"):
        lab.call("events", "delete_event_bus", Name="orders")
    lab.call("events", "delete_rule", Name="r", EventBusName="orders")
    for _ in range(2):
        lab.call("events", "delete_event_bus", Name="orders")
    assert [each["Name"] for each in lab.call("events", "list_event_buses")["EventBuses"]] == ["default"]


def test_a_statement_that_is_not_there_is_told_alike_with_and_without_a_policy(lab: Any) -> None:
    """RemovePermission looks for the statement alone."""
    for _ in range(2):
        with pytest.raises(AwsError, match="Statement with the provided id does not exist"):
            lab.call("events", "remove_permission", StatementId="nope")
        lab.call("events", "put_permission", Action="events:PutEvents", Principal="210987654321", StatementId="another")
