"""Scheduler: schedules, their groups, when they run and as whom."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from simulator.errors import AwsError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:traffic-simulation"
ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/s"
OFF = {"Mode": "OFF"}


def make(lab: Any, expression: str = "rate(10 minutes)", **settings: Any) -> None:
    """Make schedule `s` that invokes the function as a role that trusts Scheduler."""
    role = lab.add_role("runs-schedules", Service="scheduler.amazonaws.com")
    target = {"Arn": FUNCTION, "RoleArn": role, **settings.pop("target", {})}
    settings = {"FlexibleTimeWindow": OFF, "Target": target, **settings}
    lab.call("scheduler", "create_schedule", Name="s", ScheduleExpression=expression, **settings)


def test_a_rate_schedule_runs_at_once_and_then_every_interval(lab: Any) -> None:
    """With Scheduler's own event, invoking as its role, so under Scheduler's name."""
    make(lab)
    lab.advance(timedelta(minutes=25))
    assert len(lab.functions.events) == 3
    arn, event, source_service, source_arn = lab.functions.events[0]
    assert (arn, source_service, source_arn) == (FUNCTION, "scheduler.amazonaws.com", ARN)
    assert event["source"] == "aws.scheduler"
    assert event["detail"] == "{}"
    assert event["resources"] == [ARN]


def test_input_is_handed_on_with_its_context_attributes(lab: Any) -> None:
    """The attributes of the user guide are filled in."""
    given = json.dumps({"arn": "<aws.scheduler.schedule-arn>", "at": "<aws.scheduler.scheduled-time>"})
    make(lab, "at(2026-11-22T09:00:00)", target={"Input": given})
    lab.advance(timedelta(hours=2))
    assert [event for _, event, _, _ in lab.functions.events] == [{"arn": ARN, "at": "2026-11-22T09:00:00Z"}]


def test_a_schedule_runs_by_the_clocks_of_its_zone(lab: Any) -> None:
    """Nine in Berlin is eight in UTC, in winter."""
    make(lab, "cron(0 10 * * ? *)", ScheduleExpressionTimezone="Europe/Berlin")
    assert lab.own["scheduler"].next_due() == datetime(2026, 11, 22, 9, tzinfo=UTC)


def test_start_and_end_bound_the_runs(lab: Any) -> None:
    """Nothing before, nothing after; a schedule that is done may delete itself."""
    start = lab.now.replace(microsecond=0) + timedelta(hours=1)
    end = start + timedelta(minutes=25)
    make(lab, StartDate=start, EndDate=end, ActionAfterCompletion="DELETE")
    lab.advance(timedelta(hours=3))
    times = [event["time"] for _, event, _, _ in lab.functions.events]
    assert times == ["2026-11-22T09:00:00Z", "2026-11-22T09:10:00Z", "2026-11-22T09:20:00Z"]
    assert lab.call("scheduler", "list_schedules")["Schedules"] == []


def test_a_flexible_window_delays_a_run_within_it(lab: Any) -> None:
    """The look-ahead knows the very delay."""
    make(lab, "cron(0 12 * * ? *)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30})
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    (run,) = lab.own["scheduler"].upcoming(lab.now + timedelta(hours=24))
    assert noon <= run.at < noon + timedelta(minutes=30)
    assert lab.own["scheduler"].next_due() == run.at
    lab.advance(timedelta(hours=5))
    assert json.loads(run.payload) == lab.functions.events[0][1]


def test_a_window_longer_than_the_interval_runs_in_order(lab: Any) -> None:
    """Time does not go back for a run whose delay is shorter than the one before."""
    make(lab, "rate(1 minute)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60})
    last = lab.now
    for _ in range(100):
        run = lab.own["scheduler"].next_due()
        assert run > last
        lab.advance(run - lab.now)
        last = run
    assert len(lab.functions.events) == 100


def test_dates_may_be_told_in_any_zone(lab: Any) -> None:
    """They are moments; what is handed on is UTC."""
    make(lab, StartDate=datetime(2026, 11, 22, 10, tzinfo=timezone(timedelta(hours=1))))
    lab.advance(timedelta(hours=1, minutes=5))
    assert [event["time"] for _, event, _, _ in lab.functions.events] == ["2026-11-22T09:00:00Z"]


def test_a_disabled_schedule_does_not_run(lab: Any) -> None:
    """Nor does it after an update; enabled, it begins anew."""
    make(lab, State="DISABLED")
    lab.advance(timedelta(hours=1))
    assert lab.functions.events == []
    told = lab.call("scheduler", "get_schedule", Name="s")
    assert (told["State"], told["Target"]["RetryPolicy"]["MaximumRetryAttempts"]) == ("DISABLED", 185)
    settings = {name: told[name] for name in ("ScheduleExpression", "Target", "FlexibleTimeWindow")}
    lab.call("scheduler", "update_schedule", Name="s", **settings)
    lab.advance(timedelta(minutes=5))
    assert len(lab.functions.events) == 1


def test_a_role_that_no_longer_trusts_scheduler_runs_nothing(lab: Any) -> None:
    """The schedule goes on, its target is not called, and the look-ahead says why."""
    make(lab)
    lab.add_role("runs-schedules", Service="lambda.amazonaws.com")
    lab.advance(timedelta(minutes=25))
    assert lab.functions.events == []
    assert len([record for record in lab.records if record[1] == "tick"]) == 3
    run = lab.own["scheduler"].upcoming(lab.now)[0]
    assert (run.allowed, run.why) == (
        False,
        "Scheduler cannot assume arn:aws:iam::123456789012:role/runs-schedules",
    )


def test_a_role_that_may_not_invoke_runs_nothing(lab: Any) -> None:
    """The role's policies decide, asked as its session."""
    make(lab, target={"DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:123456789012:dead"}})
    lab.moto.roles["runs-schedules"].policies.clear()
    run = lab.own["scheduler"].upcoming(lab.now)[0]
    assert not run.allowed
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {FUNCTION}" in run.why
    lab.advance(timedelta(minutes=1))
    assert lab.functions.events == []
    ((_, operation, _, params),) = lab.calls
    assert operation == "SendMessage"
    assert params["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_universal_target_invokes_by_name(lab: Any) -> None:
    """What its Input names is what runs, and the look-ahead sees it."""
    given = json.dumps({"FunctionName": "traffic-simulation", "Payload": '{"a":1}'})
    make(lab, target={"Arn": "arn:aws:scheduler:::aws-sdk:lambda:invoke", "Input": given})
    assert lab.own["scheduler"].upcoming(lab.now)[0].function_arn == FUNCTION
    lab.advance(timedelta(minutes=1))
    assert lab.functions.events[0][:2] == (FUNCTION, {"a": 1})


@pytest.mark.parametrize(
    "given", ['{"QueueUrl": 1}', '{"principal": "x", "MessageBody": "b"}', "[]", "no json", "[" * 9000]
)
def test_a_universal_target_with_made_up_parameters_fails_alone(lab: Any, given: str) -> None:
    """Whatever its Input holds, the lab goes on and nothing is called."""
    make(lab, target={"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": given})
    lab.advance(timedelta(minutes=15))
    assert lab.calls == []
    assert len([record for record in lab.records if record[1] == "tick"]) == 2


def test_a_universal_target_calls_its_operation(lab: Any) -> None:
    """With what its Input says of the parameters that are known, and no others."""
    given = '{"QueueUrl": "https://queue/q", "MessageBody": "b", "invoked_by": "x"}'
    make(lab, target={"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": given})
    lab.advance(timedelta(minutes=1))
    ((service, operation, principal, params),) = lab.calls
    assert (service, operation, principal.issuer_name) == ("sqs", "SendMessage", "runs-schedules")
    assert params == {"QueueUrl": "https://queue/q", "MessageBody": "b"}


def test_queues_and_buses_are_called_as_the_role(lab: Any) -> None:
    """By the operation of each, under the role's session."""
    make(lab, target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "Input": "x"})
    lab.advance(timedelta(minutes=1))
    bus = {"Arn": "arn:aws:events:us-east-1:123456789012:event-bus/default", "Input": "{}"}
    bus["RoleArn"] = lab.roles["runs-schedules"]["Arn"]
    parameters = {"DetailType": "d", "Source": "s"}
    target = {**bus, "EventBridgeParameters": parameters}
    settings = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": OFF, "Target": target}
    lab.call("scheduler", "update_schedule", Name="s", **settings)
    lab.advance(timedelta(minutes=1))
    assert [operation for _, operation, _, _ in lab.calls] == ["SendMessage", "PutEvents"]
    assert {principal.issuer_name for _, _, principal, _ in lab.calls} == {"runs-schedules"}
    lab.call("events", "put_rule", Name="w", EventPattern='{"source": ["s"]}')
    lab.call("events", "put_targets", Rule="w", Targets=[{"Id": "f", "Arn": FUNCTION}])
    assert [run.function_arn for run in lab.own["scheduler"].upcoming(lab.now)] == [FUNCTION]
    assert lab.calls[1][3]["Entries"] == [{"EventBusName": bus["Arn"], "Detail": "{}", **parameters}]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"ScheduleExpression": "rate(10)"}, "Invalid Schedule Expression rate(10)."),
        ({"ScheduleExpression": "at(2021-12-31)"}, "Invalid Schedule Expression at(2021-12-31)."),
        ({"ScheduleExpressionTimezone": "Mars"}, "Invalid Schedule Expression Timezone."),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes must be provided"),
        ({"StartDate": datetime(2026, 11, 20, tzinfo=UTC)}, "The StartDate you specify cannot be earlier"),
        ({"EndDate": datetime(2026, 11, 20, tzinfo=UTC)}, "The EndDate you specify cannot be earlier"),
        ({"StartDate": datetime(9999, 12, 31, tzinfo=UTC)}, "The dates of a schedule cannot be later"),
        ({"Target": {"Arn": "f", "RoleArn": "r"}}, "Provided Arn is not in correct format."),
        (
            {"Target": {"Arn": FUNCTION, "RoleArn": "arn:aws:iam::123456789012:role/other"}},
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
        ),
    ],
)
def test_what_scheduler_does_not_take_is_refused(lab: Any, refuse: Any, settings: dict[str, Any], told: str) -> None:
    """Each a ValidationException, and nothing is made."""
    role = lab.add_role("runs-schedules", Service="scheduler.amazonaws.com")
    lab.add_role("other", Service="lambda.amazonaws.com")
    given = {
        "ScheduleExpression": "rate(1 day)",
        "FlexibleTimeWindow": OFF,
        "Target": {"Arn": FUNCTION, "RoleArn": role},
    }
    error = refuse(lab, "scheduler", "create_schedule", Name="s", **{**given, **settings})
    assert error.startswith(f"ValidationException: {told}")
    assert lab.own["scheduler"].next_due() is None


def test_names_are_taken_once_and_unknown_ones_refused(lab: Any, refuse: Any) -> None:
    """The same client token is the same request."""
    make(lab, ClientToken="one")
    make(lab, ClientToken="one")
    with pytest.raises(AwsError, match=r"ConflictException: Schedule s already exists\."):
        make(lab, ClientToken="two")
    told = refuse(lab, "scheduler", "get_schedule", Name="x")
    assert told == "ResourceNotFoundException: Schedule x does not exist."
    told = refuse(lab, "scheduler", "get_schedule_group", Name="g")
    assert told == "ResourceNotFoundException: Schedule group g does not exist."


def test_groups_hold_schedules_and_tags(lab: Any) -> None:
    """A group that is deleted takes its schedules along."""
    lab.call("scheduler", "create_schedule_group", Name="g", Tags=[{"Key": "a", "Value": "1"}])
    make(lab, GroupName="g")
    arn = "arn:aws:scheduler:us-east-1:123456789012:schedule-group/g"
    assert lab.call("scheduler", "list_tags_for_resource", ResourceArn=arn) == {"Tags": [{"Key": "a", "Value": "1"}]}
    assert [one["GroupName"] for one in lab.call("scheduler", "list_schedules")["Schedules"]] == ["g"]
    assert lab.call("scheduler", "list_schedules", GroupName="default")["Schedules"] == []
    lab.call("scheduler", "delete_schedule_group", Name="g")
    assert lab.own["scheduler"].next_due() is None
    assert [group["Name"] for group in lab.call("scheduler", "list_schedule_groups")["ScheduleGroups"]] == ["default"]
