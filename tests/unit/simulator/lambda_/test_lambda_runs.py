"""Runs and what they leave behind: answers, logs, metrics, flow records, retries."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from simulator.identity import Principal
from simulator.service import Connection
from simulator.services.lambda_ import events
from simulator.services.lambda_.invoke import log_events
from simulator.services.lambda_.names import SERVICE

ARN = "arn:aws:lambda:us-east-1:486547846362:function:traffic"
QUEUE = "arn:aws:sqs:us-east-1:486547846362:jobs"


def test_an_invocation_answers_with_the_result_of_the_handler(traffic: Any) -> None:
    """StatusCode 200, the version, the payload, and the log's end where it is asked for."""
    answer = traffic.do("Invoke", FunctionName="traffic", Payload=b'{"a":1}', LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"], answer["Payload"]) == (200, "$LATEST", b'{"ok":true}')
    assert base64.b64decode(answer["LogResult"]).decode() == traffic.environments.outcome.log
    assert "FunctionError" not in answer
    ((spec, invocation),) = traffic.environments.runs
    assert (spec.handler, spec.function_arn, invocation.payload) == ("index.handler", ARN, b'{"a":1}')


def test_a_failing_handler_answers_200_with_function_error(traffic: Any) -> None:
    """The error is in the payload, and counted."""
    traffic.environments.fail()
    answer = traffic.do("Invoke", FunctionName="traffic")
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert traffic.moto.total("Errors") == 1
    assert traffic.environments.runs[0][1].payload == b"{}"
    assert traffic.aws_lambda.next_due() is None, "a caller who waits retries by himself"


def test_a_dry_run_runs_nothing(traffic: Any) -> None:
    """It answers 204."""
    assert traffic.do("Invoke", FunctionName="traffic", InvocationType="DryRun") == {"StatusCode": 204}
    assert traffic.environments.runs == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Payload": b"{"}, "InvalidRequestContentException"),
        ({"Payload": b"\xff\xfe"}, "InvalidRequestContentException"),
        ({"Payload": b"[" * 200_000}, "InvalidRequestContentException"),
        ({"Payload": b'"' + b"x" * 6_291_456 + b'"'}, "RequestTooLargeException"),
        ({"Payload": b'"' + b"x" * 1_048_576 + b'"', "InvocationType": "Event"}, "RequestTooLargeException"),
        ({"Qualifier": "9"}, "ResourceNotFoundException"),
    ],
)
def test_what_cannot_be_an_event_is_refused(traffic: Any, params: dict[str, Any], code: str) -> None:
    """Before anything runs."""
    assert traffic.refused("Invoke", FunctionName="traffic", **params)[0] == code
    assert traffic.environments.runs == []


def test_a_run_leaves_a_log_metrics_and_a_flow_record(traffic: Any) -> None:
    """All of it from the record alone."""
    traffic.deliver()
    ((group, stream, events),) = traffic.moto.logs
    assert group == "/aws/lambda/traffic"
    assert stream.startswith("2026/11/22/[$LATEST]")
    assert len(stream.rpartition("]")[2]) == 32
    assert [text for _, text in events][1] == "hello"
    assert events[0][0] < events[-1][0]
    assert traffic.moto.total("Invocations") == 1
    (flow,) = traffic.flows
    assert (flow.ip, flow.port, flow.action, flow.permitted) == ("198.51.100.7", 443, "ACCEPT", True)
    assert flow.at - traffic.clock.now() == timedelta(milliseconds=3)
    again = traffic.replayed()
    assert (again.flows, again.moto.logs, again.moto.metrics) == (
        traffic.flows,
        traffic.moto.logs,
        traffic.moto.metrics,
    )


def test_an_error_and_its_trace_are_one_event_of_the_log() -> None:
    """Whoever filters for errors sees where they came from; what the handler printed keeps an event a line."""
    trace = '[ERROR] ValueError: boom\nTraceback (most recent call last):\n\u00a0\u00a0File "a.py", line 1'
    text = f"START\none\n\ntwo\n{trace}\nEND\nTraceback (most recent call last):\n\u00a0x\n"
    assert log_events(text) == ["START", "one", "two", trace, "END", "Traceback (most recent call last):", "\u00a0x"]


def test_runs_of_one_environment_share_a_log_stream(traffic: Any) -> None:
    """A cold start begins another."""
    traffic.deliver()
    traffic.deliver()
    traffic.environments.outcome = replace(traffic.environments.outcome, init_ms=90.0)
    traffic.deliver()
    streams = [stream for _, stream, _ in traffic.moto.logs]
    assert streams[0] == streams[1] != streams[2]


def test_a_machine_that_cannot_run_it_fails_the_run_and_not_the_lab(traffic: Any, monkeypatch: Any) -> None:
    """A full disk must not stop every later tick."""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(traffic.environments, "run", full)
    answer = traffic.do("Invoke", FunctionName="traffic")
    assert answer["FunctionError"] == "Unhandled"
    assert b"No space left on device" in answer["Payload"]
    assert traffic.moto.total("Errors") == 1


def test_a_log_that_is_no_text_is_kept_as_text(traffic: Any) -> None:
    """A lone surrogate cannot be written to disk."""
    traffic.environments.outcome = replace(traffic.environments.outcome, log="START\n\ud800x")
    traffic.deliver()
    assert traffic.journal[-1][4]["log"] == "START\n?x"


def test_a_long_log_is_bounded_in_the_journal(traffic: Any) -> None:
    """A handler that prints without end fills nothing."""
    traffic.environments.outcome = replace(traffic.environments.outcome, log="START\n" + "x" * 10**6 + "\nREPORT")
    traffic.deliver()
    assert len(traffic.journal[-1][4]["log"]) < 70_000
    assert traffic.journal[-1][4]["log"].endswith("REPORT")


@pytest.mark.parametrize(
    ("name", "source", "rule", "error"),
    [
        ("none", "events.amazonaws.com", None, "ResourceNotFoundException"),
        (
            "traffic",
            "events.amazonaws.com",
            "arn:aws:events:us-east-1:486547846362:rule/other",
            "AccessDeniedException",
        ),
        ("traffic", "s3.amazonaws.com", None, "AccessDeniedException"),
        ("traffic", "scheduler.amazonaws.com", "arn:aws:scheduler:us-east-1:486547846362:schedule/default/s", None),
    ],
)
def test_who_may_deliver_is_the_policys_say(
    traffic: Any, name: str, source: str, rule: str | None, error: str | None
) -> None:
    """EventBridge needs a statement for its rule; the scheduler comes with a role of its own."""
    given = {"rule": rule} if rule else {}
    assert traffic.deliver(name, source, **given) == error
    assert len(traffic.environments.runs) == (error is None)


def test_without_its_permission_the_rule_runs_nothing(traffic: Any) -> None:
    """One of the fixes: RemovePermission."""
    assert traffic.aws_lambda.would_run(
        ARN, "events.amazonaws.com", "arn:aws:events:us-east-1:486547846362:rule/every-ten-minutes"
    )[0]
    traffic.do("RemovePermission", FunctionName="traffic", StatementId="rule")
    assert traffic.deliver() == "AccessDeniedException"
    allowed, why = traffic.aws_lambda.would_run(ARN, "events.amazonaws.com", "any")
    assert not allowed
    assert "does not let events.amazonaws.com invoke it" in why


def test_with_concurrency_zero_nothing_runs_and_a_caller_is_throttled(traffic: Any) -> None:
    """Events are accepted all the same."""
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    assert traffic.refused("Invoke", FunctionName="traffic") == ("TooManyRequestsException", "Rate Exceeded.")
    assert traffic.do("Invoke", FunctionName="traffic", InvocationType="Event") == {"StatusCode": 202}
    assert traffic.deliver() is None
    traffic.pass_time(hours=1)
    assert traffic.environments.runs == []
    assert traffic.moto.total("Throttles") == 2
    assert not traffic.aws_lambda.would_run(ARN, "scheduler.amazonaws.com", "")[0]


def test_lifting_concurrency_within_six_hours_replays_what_was_queued(traffic: Any) -> None:
    """docs/aws-facts.md, checklist 59."""
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    for _ in range(6 * 9):
        traffic.deliver()
        traffic.pass_time(minutes=10)
    entries = len(traffic.journal)
    coming = traffic.aws_lambda.queued(traffic.clock.now() + timedelta(days=1))
    assert coming
    assert not any(each.allowed for each in coming)
    traffic.do("DeleteFunctionConcurrency", FunctionName="traffic")
    coming = traffic.aws_lambda.queued(traffic.clock.now() + timedelta(days=1))
    assert all(each.allowed for each in coming)
    traffic.pass_time(minutes=6)
    assert len(traffic.environments.runs) == len(coming) == 35
    assert traffic.aws_lambda.next_due() is None
    assert len(traffic.journal) - entries < 35 * 2 + 5
    assert entries < 60, "a stopped function costs one record an event"
    assert traffic.replayed().aws_lambda.waiting == {}


def test_lifting_concurrency_after_a_day_replays_only_what_is_young_enough(traffic: Any) -> None:
    """Events are given up after six hours."""
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    traffic.deliver()
    traffic.pass_time(hours=7)
    assert traffic.aws_lambda.queued(traffic.clock.now() + timedelta(days=1)) == []
    traffic.do("DeleteFunctionConcurrency", FunctionName="traffic")
    traffic.pass_time(minutes=10)
    assert traffic.environments.runs == []


def test_a_flood_of_events_is_bounded(traffic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped function keeps neither more events nor more bytes than a lab can hold."""
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    large = b'"' + b"x" * 1_000_000 + b'"'
    for _ in range(40):
        traffic.do("Invoke", FunctionName="traffic", InvocationType="Event", Payload=large)
    assert len(traffic.aws_lambda.waiting) == 34
    monkeypatch.setattr(events, "MOST_WAITING", 50)
    for _ in range(200):
        traffic.do("Invoke", FunctionName="traffic", InvocationType="Event")
    assert len(traffic.aws_lambda.waiting) == 51


def test_an_event_whose_run_fails_is_tried_twice_more(traffic: Any) -> None:
    """After one minute, and after two more."""
    traffic.environments.fail()
    traffic.deliver()
    begun = traffic.clock.now()
    traffic.pass_time(hours=2)
    moments = [invocation.now - begun for _, invocation in traffic.environments.runs]
    assert [round(each.total_seconds()) for each in moments] == [0, 60, 180]
    assert len({invocation.request_id for _, invocation in traffic.environments.runs}) == 1
    assert len({flow.run_id for flow in traffic.flows}) == 3, "a retry is a run of its own"
    assert traffic.replayed().aws_lambda.waiting == {}


def test_event_invoke_config_limits_attempts(traffic: Any) -> None:
    """MaximumRetryAttempts 0 is one run."""
    traffic.do("PutFunctionEventInvokeConfig", FunctionName="traffic", MaximumRetryAttempts=0)
    traffic.environments.fail()
    traffic.deliver()
    traffic.pass_time(hours=1)
    assert len(traffic.environments.runs) == 1


def test_a_retry_ends_when_the_function_is_mended_or_deleted(traffic: Any) -> None:
    """Nothing of a deleted function is tried again."""
    traffic.environments.fail()
    traffic.deliver()
    assert len(traffic.aws_lambda.queued(traffic.clock.now() + timedelta(hours=1))) == 1
    traffic.do("DeleteFunction", FunctionName="traffic")
    traffic.pass_time(hours=1)
    assert len(traffic.environments.runs) == 1


def test_a_given_up_event_reaches_its_destination(traffic: Any) -> None:
    """With an invocation record; a dead-letter queue gets the event itself."""
    traffic.do(
        "PutFunctionEventInvokeConfig",
        FunctionName="traffic",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": QUEUE}},
    )
    traffic.environments.fail()
    traffic.deliver()
    ((url, text),) = traffic.aws.messages
    assert url.endswith("/jobs")
    assert '"condition": "RetriesExhausted"' in text
    traffic.do("DeleteFunctionEventInvokeConfig", FunctionName="traffic")
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", DeadLetterConfig={"TargetArn": QUEUE})
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    traffic.deliver()
    traffic.pass_time(hours=6)
    assert traffic.aws.messages[-1][1] == '{"source":"aws.events"}'
    assert traffic.aws_lambda.next_due() is None


def test_a_dead_letter_says_why_it_is_one(traffic: Any) -> None:
    """In its attributes: the request, and the error where there was a run. An invocation record has none."""
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", DeadLetterConfig={"TargetArn": QUEUE})
    traffic.do("PutFunctionEventInvokeConfig", FunctionName="traffic", MaximumRetryAttempts=0)
    traffic.environments.fail()
    traffic.deliver()
    (told,) = traffic.aws.attributes
    assert {name: (each["DataType"], each["StringValue"]) for name, each in told.items() if name != "RequestID"} == {
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "boom"),
    }
    traffic.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    traffic.deliver()
    traffic.pass_time(hours=6)
    assert list(traffic.aws.attributes[-1]) == ["RequestID"]


def test_a_dead_letter_queue_is_taken_away_by_an_empty_name_alone(traffic: Any) -> None:
    """An empty structure changes nothing, as on AWS."""
    update = {"FunctionName": "traffic"}
    traffic.do("UpdateFunctionConfiguration", **update, DeadLetterConfig={"TargetArn": QUEUE})
    kept = traffic.do("UpdateFunctionConfiguration", **update, DeadLetterConfig={})
    assert kept["DeadLetterConfig"] == {"TargetArn": QUEUE}
    gone = traffic.do("UpdateFunctionConfiguration", **update, DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in gone


def test_functions_that_set_each_other_off_are_stopped(traffic: Any) -> None:
    """A loop of destinations ends as AWS's recursive loop detection ends it, and the lab goes on."""
    traffic.create("other")
    for name, target in (("traffic", "other"), ("other", "traffic")):
        destination = {"OnSuccess": {"Destination": f"{ARN[:-7]}{target}"}}
        traffic.do("PutFunctionEventInvokeConfig", FunctionName=name, DestinationConfig=destination)
    traffic.aws.invoke = lambda **params: traffic.do("Invoke", **params)
    traffic.deliver()
    assert len(traffic.environments.runs) == 16
    traffic.deliver()
    assert len(traffic.environments.runs) == 32
    assert traffic.moto.total("AsyncEventsDropped") == 2


def test_a_function_that_sets_itself_off_through_a_topic_is_stopped(traffic: Any) -> None:
    """Each event comes a moment later, so the chain is counted in the events themselves."""
    topic = "arn:aws:sns:us-east-1:486547846362:loop"
    traffic.allow_rule(StatementId="sns", Principal="sns.amazonaws.com", SourceArn=topic)
    destination = {"OnSuccess": {"Destination": topic}}
    traffic.do("PutFunctionEventInvokeConfig", FunctionName="traffic", DestinationConfig=destination)

    def publish(TopicArn: str, Message: str) -> dict[str, Any]:
        ctx = replace(traffic.context(change=len(traffic.journal)), principal=Principal.service(SERVICE, "1"))
        event = {"function_arn": ARN, "payload": b"{}", "source_service": "sns.amazonaws.com", "source_arn": TopicArn}
        traffic.aws_lambda.accept_event(ctx, **event)
        return {}

    traffic.aws.publish = publish
    traffic.deliver()
    traffic.pass_time(days=1)
    assert len(traffic.environments.runs) == 16


def test_a_function_whose_role_is_gone_does_not_run(traffic: Any) -> None:
    """Lambda has nothing to assume: callers are refused, events given up."""
    traffic.deliver()
    del traffic.aws.roles["traffic-role"]
    traffic.tell("iam", "DeleteRole", RoleName="traffic-role")
    assert traffic.refused("Invoke", FunctionName="traffic")[0] == "AccessDeniedException"
    assert traffic.deliver() is None
    assert len(traffic.environments.runs) == 1
    assert traffic.moto.total("AsyncEventsDropped") == 1
    assert not traffic.aws_lambda.would_run(ARN, "scheduler.amazonaws.com", "")[0]


def test_an_alias_sends_its_share_to_the_other_version(traffic: Any) -> None:
    """Weights are drawn, and the record says what was drawn."""
    traffic.do("PublishVersion", FunctionName="traffic")
    traffic.do("UpdateFunctionConfiguration", FunctionName="traffic", Timeout=9)
    traffic.do("PublishVersion", FunctionName="traffic")
    routing = {"AdditionalVersionWeights": {"2": 0.5}}
    traffic.do("CreateAlias", FunctionName="traffic", Name="live", FunctionVersion="1", RoutingConfig=routing)
    versions = [traffic.do("Invoke", FunctionName="traffic", Qualifier="live")["ExecutedVersion"] for _ in range(40)]
    assert {"1", "2"} == set(versions)
    assert traffic.aws_lambda.what_may_run(ARN + ":live") == [ARN + ":live", ARN + ":2"]
    assert traffic.aws_lambda.what_may_run(ARN) == [ARN]
    assert traffic.aws_lambda.rehearsal(ARN + ":live").version == "1"


def test_every_connection_becomes_a_flow_record(traffic: Any) -> None:
    """UDP and repeats as well."""
    connections = tuple(Connection(ip="192.0.2.1", port=port, protocol="UDP") for port in (53, 53, 54))
    traffic.environments.outcome = replace(traffic.environments.outcome, connections=connections)
    traffic.deliver()
    assert [(flow.port, flow.protocol) for flow in traffic.flows] == [(53, "UDP"), (53, "UDP"), (54, "UDP")]
