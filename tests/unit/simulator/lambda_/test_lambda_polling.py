"""Queues that a function is mapped to are looked at when something may be in them."""

import json
from dataclasses import replace
from typing import Any

import pytest

QUEUE = "arn:aws:sqs:us-east-1:486547846362:jobs"


@pytest.fixture
def mapped(traffic: Any) -> Any:
    """The lab with `traffic` mapped to the queue `jobs`, which was empty when it was looked at."""
    traffic.do("CreateEventSourceMapping", FunctionName="traffic", EventSourceArn=QUEUE)
    traffic.pass_time(minutes=1)
    return traffic


def send(lab: Any, *bodies: str) -> None:
    """Put messages into the queue."""
    for body in bodies:
        lab.aws.queue[f"m-{body}"] = body
        lab.tell("sqs", "SendMessage", QueueUrl="http://sqs/486547846362/jobs", MessageBody=body)


def test_an_empty_queue_costs_nothing(mapped: Any) -> None:
    """It is looked at once, and then when a message comes."""
    entries = len(mapped.journal)
    mapped.pass_time(days=2)
    assert len(mapped.journal) == entries
    assert mapped.environments.runs == []


def test_messages_are_handed_over_and_deleted(mapped: Any) -> None:
    """As Records of aws:sqs; the second look finds nothing."""
    send(mapped, "a", "b")
    mapped.pass_time(minutes=5)
    ((_, invocation),) = mapped.environments.runs
    records = json.loads(invocation.payload)["Records"]
    assert [record["body"] for record in records] == ["a", "b"]
    assert (records[0]["eventSource"], records[0]["eventSourceARN"]) == ("aws:sqs", QUEUE)
    assert mapped.aws.queue == {}
    assert mapped.aws_lambda.next_due() is None


def test_messages_whose_run_fails_come_again_and_are_foreseen(mapped: Any) -> None:
    """After the queue's visibility timeout."""
    mapped.environments.fail()
    send(mapped, "a")
    mapped.pass_time(seconds=40)
    assert len(mapped.environments.runs) == 2
    (coming,) = mapped.aws_lambda.queued(mapped.clock.now().replace(year=2027))
    assert json.loads(coming.payload)["Records"][0]["body"] == "a"
    again = mapped.replayed().aws_lambda
    assert again.polls[next(iter(again.polls))].failed == coming.payload


def test_a_message_that_always_fails_is_tried_ever_less(mapped: Any) -> None:
    """Every five minutes and a half at last, not every 31 seconds for days."""
    mapped.environments.fail()
    send(mapped, "a")
    mapped.pass_time(days=1)
    assert 200 < len(mapped.environments.runs) < 300


def test_a_partial_batch_response_keeps_what_failed(mapped: Any) -> None:
    """ReportBatchItemFailures names the messages to come again."""
    (uuid,) = mapped.aws_lambda.mappings
    mapped.do("UpdateEventSourceMapping", UUID=uuid, FunctionResponseTypes=["ReportBatchItemFailures"])
    answer = b'{"batchItemFailures":[{"itemIdentifier":"m-b"}]}'
    mapped.environments.outcome = replace(mapped.environments.outcome, payload=answer)
    send(mapped, "a", "b")
    mapped.pass_time(seconds=10)
    assert list(mapped.aws.queue) == ["m-b"]


@pytest.mark.parametrize("stop", ["disable", "delete", "throttle", "delete function"])
def test_what_stops_the_mapping_stops_the_runs(mapped: Any, stop: str) -> None:
    """Disabled, deleted, throttled or without its function."""
    (uuid,) = mapped.aws_lambda.mappings
    if stop == "disable":
        mapped.do("UpdateEventSourceMapping", UUID=uuid, Enabled=False)
    elif stop == "delete":
        assert mapped.do("DeleteEventSourceMapping", UUID=uuid)["State"] == "Deleting"
    elif stop == "throttle":
        mapped.do("PutFunctionConcurrency", FunctionName="traffic", ReservedConcurrentExecutions=0)
    else:
        mapped.do("DeleteFunction", FunctionName="traffic")
    send(mapped, "a")
    mapped.pass_time(minutes=5)
    assert mapped.environments.runs == []
    if stop == "throttle":
        mapped.do("DeleteFunctionConcurrency", FunctionName="traffic")
        mapped.pass_time(minutes=1)
        assert len(mapped.environments.runs) == 1


def test_a_second_mapping_of_the_same_pair_is_a_conflict(mapped: Any) -> None:
    """In AWS's words; unknown ids and queues are not found."""
    again = mapped.refused("CreateEventSourceMapping", FunctionName="traffic", EventSourceArn=QUEUE)
    assert again[0] == "ResourceConflictException"
    none = mapped.refused("CreateEventSourceMapping", FunctionName="traffic", EventSourceArn=QUEUE + "x")
    assert "NonExistentQueue" in none[1]
    gone = mapped.refused("GetEventSourceMapping", UUID="00000000-0000-4000-8000-000000000000")
    assert gone[0] == "ResourceNotFoundException"
    listed = mapped.do("ListEventSourceMappings", FunctionName="traffic", EventSourceArn=QUEUE)
    assert len(listed["EventSourceMappings"]) == 1
