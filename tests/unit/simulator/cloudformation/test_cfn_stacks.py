"""The life of a stack: created, rolled back, updated, deleted; and a replay that ends in the same place."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import AwsError

TOPIC = {"Type": "AWS::SNS::Topic"}
QUEUE = {"Type": "AWS::SQS::Queue"}
REFUSED = AwsError("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def body(resources: dict[str, Any], **sections: Any) -> str:
    """Return a JSON template."""
    return json.dumps({"Resources": resources, **sections})


def chain(delay: str = "5", name: str = "${First.TopicName}-q", **more: Any) -> str:
    """Return a template of a policy on a queue that is named after a topic, declared in the wrong order."""
    queue = {"QueueName": {"Fn::Sub": name}, "DelaySeconds": delay}
    return body(
        {
            "Last": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Middle"}], "PolicyDocument": {}},
            },
            "Middle": {"Type": "AWS::SQS::Queue", "Properties": queue},
            "First": TOPIC,
            **more,
        },
        Outputs={"Url": {"Value": {"Ref": "Middle"}, "Description": "The queue", "Export": {"Name": "the-url"}}},
    )


def refusal(lab: Any, operation: str, **params: Any) -> str:
    """Return code and message of a refused call."""
    with pytest.raises(AwsError) as told:
        lab.ask(operation, **params)
    return f"{told.value.code}: {told.value.message}"


def reasons(lab: Any, name: str, status: str) -> list[str]:
    """Return the reasons of a stack's events with a status, oldest first."""
    stack = [stack for stack in lab.cloudformation.stacks.values() if stack.name == name][-1]
    return [event.get("ResourceStatusReason", "") for event in stack.events if event["ResourceStatus"] == status]


def test_resources_are_made_in_order_as_the_caller_through_cloudformation(lab: Any) -> None:
    """Dependencies first; each call is the caller's own, invoked by CloudFormation."""
    made = lab.ask("CreateStack", StackName="chain", TemplateBody=chain())
    assert lab.operations() == ["CreateTopic", "CreateQueue", "SetQueueAttributes"]
    assert {call.principal.arn for call in lab.calls} == {"arn:aws:sts::123456789012:assumed-role/WSSystemRole/System"}
    assert {call.invoked_by for call in lab.calls} == {"cloudformation.amazonaws.com"}
    stack = lab.ask("DescribeStacks", StackName="chain")["Stacks"][0]
    assert (stack["StackId"], stack["StackStatus"]) == (made["StackId"], "CREATE_COMPLETE")
    assert [(output["OutputKey"], output["ExportName"]) for output in stack["Outputs"]] == [("Url", "the-url")]


def test_the_stacks_id_tells_its_creation_time(lab: Any) -> None:
    """The id of its ARN is a version 1 UUID whose clock is not after the resources."""
    arn = lab.ask("CreateStack", StackName="chain", TemplateBody=chain())["StackId"]
    unique = UUID(arn.rpartition("/")[2])
    created = lab.ask("DescribeStacks", StackName="chain")["Stacks"][0]["CreationTime"]
    assert unique.version == 1
    assert abs((unique.time / 10**7 - 12219292800) - created.timestamp()) < 0.01


def test_events_tell_the_story_newest_first(lab: Any) -> None:
    """User Initiated, per resource begun, initiated and complete, then the stack; properties are texts."""
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain(), ClientRequestToken="token-1")
    events = lab.ask("DescribeStackEvents", StackName="chain")["StackEvents"]
    told = [
        (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason"))
        for event in events[::-1]
    ]
    assert told[:4] == [
        ("chain", "CREATE_IN_PROGRESS", "User Initiated"),
        ("First", "CREATE_IN_PROGRESS", None),
        ("First", "CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("First", "CREATE_COMPLETE", None),
    ]
    assert told[-1] == ("chain", "CREATE_COMPLETE", None)
    middle = next(event for event in events if event["LogicalResourceId"] == "Middle")
    assert json.loads(middle["ResourceProperties"])["DelaySeconds"] == "5"
    assert len({event["EventId"] for event in events}) == len(events)
    assert {event["ClientRequestToken"] for event in events} == {"token-1"}
    assert [event["Timestamp"] for event in events] == sorted((event["Timestamp"] for event in events), reverse=True)


def test_events_come_in_pages(lab: Any) -> None:
    """A hundred at a time, none twice."""
    lab.ask("CreateStack", StackName="many", TemplateBody=body({f"T{n}": TOPIC for n in range(40)}))
    first = lab.ask("DescribeStackEvents", StackName="many")
    second = lab.ask("DescribeStackEvents", StackName="many", NextToken=first["NextToken"])
    assert (len(first["StackEvents"]), len(second["StackEvents"]), "NextToken" in second) == (100, 22, False)
    assert refusal(lab, "DescribeStackEvents", StackName="many", NextToken="?").startswith("ValidationError")


def test_a_failure_rolls_everything_back_in_reverse(lab: Any) -> None:
    """What was made goes; the reason is in the words of AWS's handlers."""
    lab.refuse["SetQueueAttributes"] = REFUSED
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain())
    assert lab.operations() == ["CreateTopic", "CreateQueue", "SetQueueAttributes", "DeleteQueue", "DeleteTopic"]
    (reason,) = reasons(lab, "chain", "CREATE_FAILED")
    assert reason.startswith(
        'Resource handler returned message: "Invalid value for the parameter Policy. (Service: Sqs, Status Code: 400, Request ID: '
    )
    assert reason.endswith("HandlerErrorCode: InvalidRequest)")
    assert reasons(lab, "chain", "ROLLBACK_IN_PROGRESS") == [
        "The following resource(s) failed to create: [Last]. Rollback requested by user."
    ]
    assert lab.status("chain") == "ROLLBACK_COMPLETE"
    assert refusal(lab, "UpdateStack", StackName="chain", TemplateBody=chain()).endswith(
        "is in ROLLBACK_COMPLETE state and can not be updated."
    )


@pytest.mark.parametrize(
    ("params", "status", "calls"),
    [
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED", 3),
        ({"DisableRollback": True}, "CREATE_FAILED", 3),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE", 5),
    ],
)
def test_what_happens_on_failure_is_the_callers_choice(
    lab: Any, params: dict[str, Any], status: str, calls: int
) -> None:
    """Leave it, or delete it all."""
    lab.refuse["SetQueueAttributes"] = REFUSED
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain(), **params)
    assert (lab.status("chain"), len(lab.calls)) == (status, calls)


def test_a_failed_creation_can_be_rolled_back_later(lab: Any) -> None:
    """RollbackStack takes up what DisableRollback left."""
    lab.refuse["SetQueueAttributes"] = REFUSED
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain(), DisableRollback=True)
    lab.ask("RollbackStack", StackName="chain")
    assert (lab.status("chain"), lab.operations()[-2:]) == ("ROLLBACK_COMPLETE", ["DeleteQueue", "DeleteTopic"])


def test_a_resource_that_was_half_made_is_deleted_as_well(lab: Any) -> None:
    """A role whose policy was refused exists: the rollback must know."""
    role = {"AssumeRolePolicyDocument": {}, "Policies": [{"PolicyName": "p", "PolicyDocument": {}}], "RoleName": "r"}
    lab.refuse["PutRolePolicy"] = AwsError("MalformedPolicyDocument", "Syntax errors in policy.")
    template = body({"Role": {"Type": "AWS::IAM::Role", "Properties": role}})
    lab.ask("CreateStack", StackName="s", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    assert lab.operations() == ["CreateRole", "PutRolePolicy", "DeleteRolePolicy", "DeleteRole"]
    assert lab.status("s") == "ROLLBACK_COMPLETE"


def test_an_existing_detector_fails_in_guarddutys_words(lab: Any) -> None:
    """The sentence that real stacks end with (docs/aws-facts.md, part 3)."""
    message = "The request is rejected because a detector already exists for the current account."
    lab.refuse["CreateDetector"] = AwsError("BadRequestException", message)
    template = body({"D": {"Type": "AWS::GuardDuty::Detector", "Properties": {"Enable": True}}})
    lab.ask("CreateStack", StackName="s", TemplateBody=template)
    (reason,) = reasons(lab, "s", "CREATE_FAILED")
    assert f'"{message} (Service: GuardDuty, Status Code: 400, Request ID: ' in reason
    assert reason.endswith("HandlerErrorCode: AlreadyExists)")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Nope": 1}, "#: extraneous key [Nope] is not permitted"),
        ({"Enable": True, "Nope": 1}, "#: extraneous key [Nope] is not permitted"),
        ({}, "#: required key [Enable] not found"),
    ],
)
def test_properties_are_checked_against_the_registry(lab: Any, properties: dict[str, Any], reason: str) -> None:
    """Before any call is made."""
    lab.ask(
        "CreateStack",
        StackName="s",
        TemplateBody=body({"D": {"Type": "AWS::GuardDuty::Detector", "Properties": properties}}),
    )
    (told,) = reasons(lab, "s", "CREATE_FAILED")
    assert told.startswith("Properties validation failed for resource D with message:\n")
    assert reason in told
    assert not lab.calls


def test_deletion_is_in_reverse_and_forgets_the_name(lab: Any) -> None:
    """A deleted stack is found by its id alone, and its name is free."""
    arn = lab.ask("CreateStack", StackName="chain", TemplateBody=chain())["StackId"]
    lab.calls.clear()
    lab.ask("DeleteStack", StackName="chain")
    assert lab.operations() == ["SetQueueAttributes", "DeleteQueue", "DeleteTopic"]
    assert refusal(lab, "DescribeStacks", StackName="chain") == "ValidationError: Stack with id chain does not exist"
    assert lab.ask("DescribeStacks", StackName=arn)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert not lab.ask("DescribeStacks")["Stacks"]
    assert lab.ask("ListStacks", StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"][0]["StackId"] == arn
    assert not lab.ask("ListExports")["Exports"]
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain())
    assert lab.ask("DeleteStack", StackName="never-there") == {}


def test_what_is_gone_already_is_no_failure_of_a_deletion(lab: Any) -> None:
    """A trainee may have deleted the queue by hand."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"Q": QUEUE}))
    lab.refuse["DeleteQueue"] = AwsError(
        "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."
    )
    lab.ask("DeleteStack", StackName="s")
    assert lab.status("s") == "DELETE_COMPLETE"


def test_a_bucket_that_is_not_empty_fails_the_deletion_and_keeps_what_it_needs(lab: Any) -> None:
    """DELETE_FAILED names it; what it depends on stays; a retry may retain it."""
    bucket = {"Type": "AWS::S3::Bucket", "DependsOn": "Topic"}
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"Topic": TOPIC, "Queue": QUEUE, "Bucket": bucket}))
    lab.refuse["DeleteBucket"] = AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", status=409)
    assert refusal(lab, "DeleteStack", StackName="s", RetainResources=["Bucket"]).startswith("ValidationError")
    lab.calls.clear()
    lab.ask("DeleteStack", StackName="s")
    assert lab.operations() == ["DeleteBucket", "DeleteQueue"]
    assert lab.status("s") == "DELETE_FAILED"
    assert (
        "The bucket you tried to delete is not empty (Service: S3, Status Code: 409"
        in reasons(lab, "s", "DELETE_FAILED")[0]
    )
    assert reasons(lab, "s", "DELETE_FAILED")[1] == "The following resource(s) failed to delete: [Bucket]. "
    lab.calls.clear()
    lab.ask("DeleteStack", StackName="s", RetainResources=["Bucket"])
    assert (lab.operations(), lab.status("s")) == (["DeleteTopic"], "DELETE_COMPLETE")
    assert ("Bucket", "DELETE_SKIPPED") in lab.story("s")


def test_a_forced_deletion_leaves_what_it_cannot_delete(lab: Any) -> None:
    """FORCE_DELETE_STACK, once a deletion has failed."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"Bucket": {"Type": "AWS::S3::Bucket"}}))
    lab.refuse["DeleteBucket"] = AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", status=409)
    lab.ask("DeleteStack", StackName="s")
    lab.ask("DeleteStack", StackName="s", DeletionMode="FORCE_DELETE_STACK")
    assert lab.status("s") == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("policy", "on_rollback", "on_delete"),
    [("Delete", True, True), ("Retain", False, False), ("RetainExceptOnCreate", True, False)],
)
def test_deletion_policies(lab: Any, policy: str, on_rollback: bool, on_delete: bool) -> None:
    """Retain holds always, RetainExceptOnCreate only once the stack has been made."""
    kept = {**TOPIC, "DeletionPolicy": policy}
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": kept}))
    lab.ask("DeleteStack", StackName="s")
    assert ("DeleteTopic" in lab.operations()) is on_delete
    lab.calls.clear()
    lab.refuse["CreateQueue"] = REFUSED
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": kept, "Q": {**QUEUE, "DependsOn": "T"}}))
    assert ("DeleteTopic" in lab.operations()) is on_rollback


def test_termination_protection_holds_until_it_is_lifted(lab: Any) -> None:
    """In AWS's words."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}), EnableTerminationProtection=True)
    message = "ValidationError: Stack [s] cannot be deleted while TerminationProtection is enabled"
    assert refusal(lab, "DeleteStack", StackName="s") == message
    lab.ask("UpdateTerminationProtection", StackName="s", EnableTerminationProtection=False)
    lab.ask("DeleteStack", StackName="s")
    assert lab.status("s") == "DELETE_COMPLETE"


def test_an_update_changes_what_differs_and_nothing_else(lab: Any) -> None:
    """In place; unchanged resources get no event; the stack cleans up and is done."""
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain())
    lab.calls.clear()
    before = len(lab.story("chain"))
    lab.ask("UpdateStack", StackName="chain", TemplateBody=chain(delay="9"))
    assert [(call.operation, dict(call.params)["Attributes"]) for call in lab.calls] == [
        ("SetQueueAttributes", {"DelaySeconds": "9"})
    ]
    assert lab.story("chain")[before:] == [
        ("chain", "UPDATE_IN_PROGRESS"),
        ("Middle", "UPDATE_IN_PROGRESS"),
        ("Middle", "UPDATE_COMPLETE"),
        ("chain", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("chain", "UPDATE_COMPLETE"),
    ]
    message = "ValidationError: No updates are to be performed."
    assert refusal(lab, "UpdateStack", StackName="chain", TemplateBody=chain(delay="9")) == message


def test_an_update_that_replaces_makes_the_new_before_it_deletes_the_old(lab: Any) -> None:
    """What refers to the replaced resource follows to the new one; the old goes in the cleanup."""
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain())
    old = lab.ask("DescribeStackResource", StackName="chain", LogicalResourceId="Middle")["StackResourceDetail"]
    lab.calls.clear()
    lab.ask("UpdateStack", StackName="chain", TemplateBody=chain(name="other"))
    new = lab.ask("DescribeStackResource", StackName="chain", LogicalResourceId="Middle")["StackResourceDetail"]
    assert lab.operations() == ["CreateQueue", "SetQueueAttributes", "SetQueueAttributes", "DeleteQueue"]
    assert lab.calls[-1].params["QueueUrl"] == old["PhysicalResourceId"] != new["PhysicalResourceId"]
    assert new["ResourceStatus"] == "UPDATE_COMPLETE"
    assert "Requested update requires the creation of a new physical resource; hence creating one." in reasons(
        lab, "chain", "UPDATE_IN_PROGRESS"
    )
    assert lab.story("chain")[-4:] == [
        ("chain", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Middle", "DELETE_IN_PROGRESS"),
        ("Middle", "DELETE_COMPLETE"),
        ("chain", "UPDATE_COMPLETE"),
    ]
    assert (
        lab.ask("DescribeStacks", StackName="chain")["Stacks"][0]["Outputs"][0]["OutputValue"]
        == new["PhysicalResourceId"]
    )


def test_a_custom_named_resource_cannot_be_replaced_under_its_name(lab: Any) -> None:
    """CloudFormation asks to rename it."""
    named = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q.fifo", "FifoQueue": "true"}}
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"Q": named}))
    named = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q.fifo"}}
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"Q": named}))
    assert (
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename q.fifo"
        in (reasons(lab, "s", "UPDATE_FAILED")[0])
    )
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"


def test_an_update_removes_what_is_not_declared_any_more_at_the_end(lab: Any) -> None:
    """In the cleanup, reverse order, and it is not a resource of the stack then."""
    lab.ask("CreateStack", StackName="s", TemplateBody=chain())
    lab.calls.clear()
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"First": TOPIC, "New": QUEUE}))
    assert lab.operations() == ["CreateQueue", "SetQueueAttributes", "DeleteQueue"]
    assert [
        each["LogicalResourceId"] for each in lab.ask("ListStackResources", StackName="s")["StackResourceSummaries"]
    ] == [
        "First",
        "New",
    ]


def test_a_failed_update_brings_everything_back(lab: Any) -> None:
    """Changed in place: changed back; replaced: the old one stays; made: deleted; the old template holds."""
    lab.ask("CreateStack", StackName="s", TemplateBody=chain())
    before = lab.ask("ListStackResources", StackName="s")["StackResourceSummaries"]
    lab.calls.clear()
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "new"}}
    bad = {"Type": "AWS::S3::Bucket", "DependsOn": ["Last", "Fresh"]}
    lab.refuse["CreateBucket"] = AwsError(
        "BucketAlreadyExists", "The requested bucket name is not available.", status=409
    )
    lab.ask("UpdateStack", StackName="s", TemplateBody=chain(name="other", First=topic, Fresh=TOPIC, Bad=bad))
    after = lab.ask("ListStackResources", StackName="s")["StackResourceSummaries"]
    assert [(each["LogicalResourceId"], each["PhysicalResourceId"]) for each in before] == [
        (each["LogicalResourceId"], each["PhysicalResourceId"]) for each in after
    ]
    assert reasons(lab, "s", "UPDATE_ROLLBACK_IN_PROGRESS") == ["The following resource(s) failed to create: [Bad]. "]
    statuses = [status for name, status in lab.story("s") if name == "s"]
    assert statuses[-4:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    names = [call.params["AttributeValue"] for call in lab.calls if call.operation == "SetTopicAttributes"]
    assert names == ["new", ""]
    assert json.loads(lab.ask("GetTemplate", StackName="s")["TemplateBody"]) == json.loads(chain())
    deleted = [call.params for call in lab.calls if call.operation in {"DeleteQueue", "DeleteTopic"}]
    assert len(deleted) == 2
    assert not {each["PhysicalResourceId"] for each in before} & {
        value for params in deleted for value in params.values()
    }


def test_a_rollback_that_fails_can_be_continued(lab: Any) -> None:
    """UPDATE_ROLLBACK_FAILED, then ContinueUpdateRollback, with or without skipping."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    changed = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "new"}}
    lab.refuse["CreateQueue"] = REFUSED
    lab.refuse["SetTopicAttributes"] = lambda params: REFUSED if params["AttributeValue"] == "" else None
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"T": changed, "Q": {**QUEUE, "DependsOn": "T"}}))
    assert lab.status("s") == "UPDATE_ROLLBACK_FAILED"
    lab.ask("ContinueUpdateRollback", StackName="s")
    assert lab.status("s") == "UPDATE_ROLLBACK_FAILED"
    lab.ask("ContinueUpdateRollback", StackName="s", ResourcesToSkip=["T"])
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"
    assert refusal(lab, "ContinueUpdateRollback", StackName="s").startswith("ValidationError")


def test_an_update_with_rollback_disabled_stays_and_can_be_mended(lab: Any) -> None:
    """UPDATE_FAILED, then another update."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    lab.refuse["CreateQueue"] = REFUSED
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"T": TOPIC, "Q": QUEUE}), DisableRollback=True)
    assert lab.status("s") == "UPDATE_FAILED"
    del lab.refuse["CreateQueue"]
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"T": TOPIC, "Q": QUEUE}))
    assert lab.status("s") == "UPDATE_COMPLETE"


def test_capabilities_must_be_acknowledged(lab: Any) -> None:
    """IAM resources need CAPABILITY_IAM, those with names of their own CAPABILITY_NAMED_IAM."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    named = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}, "RoleName": "r"}}
    needs = "InsufficientCapabilitiesException: Requires capabilities : [{}]"
    assert refusal(lab, "CreateStack", StackName="s", TemplateBody=body({"R": role})) == needs.format("CAPABILITY_IAM")
    told = refusal(lab, "CreateStack", StackName="s", TemplateBody=body({"R": named}), Capabilities=["CAPABILITY_IAM"])
    assert told == needs.format("CAPABILITY_NAMED_IAM")
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"R": role}), Capabilities=["CAPABILITY_NAMED_IAM"])
    summary = lab.ask("GetTemplateSummary", StackName="s")
    assert summary["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"


def test_names_are_taken_and_bad_names_refused(lab: Any) -> None:
    """AlreadyExistsException and the pattern of stack names."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    told = refusal(lab, "CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    assert told == "AlreadyExistsException: Stack [s] already exists"
    assert "Member must satisfy regular expression pattern" in refusal(
        lab, "CreateStack", StackName="1s", TemplateBody=body({"T": TOPIC})
    )


def test_parameters_defaults_lists_and_secrets(lab: Any) -> None:
    """Values come from the caller, the stack before, or the default; NoEcho is starred."""
    template = body(
        {
            "Q": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"DelaySeconds": {"Ref": "Delay"}, "QueueName": {"Ref": "Name"}},
            }
        },
        Parameters={
            "Delay": {"Type": "Number", "Default": 3, "MaxValue": 10},
            "Name": {"Type": "String", "NoEcho": True, "AllowedPattern": "[a-z]+"},
        },
    )
    for value, message in (
        ([], "Parameters: [Name] must have values"),
        ([("Name", "q"), ("X", "1")], "Parameters: [X] do not exist in the template"),
        ([("Name", "Q")], "Parameter 'Name' must match pattern [a-z]+"),
        ([("Name", "q"), ("Delay", "x")], "Parameter 'Delay' must be a number."),
        ([("Name", "q"), ("Delay", "11")], "Parameter 'Delay' must be a number not greater than 10"),
    ):
        given = [{"ParameterKey": key, "ParameterValue": text} for key, text in value]
        told = refusal(lab, "CreateStack", StackName="s", TemplateBody=template, Parameters=given)
        assert told == f"ValidationError: {message}"
    given = [{"ParameterKey": "Name", "ParameterValue": "q"}]
    lab.ask("CreateStack", StackName="s", TemplateBody=template, Parameters=given)
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["Parameters"] == [
        {"ParameterKey": "Delay", "ParameterValue": "3"},
        {"ParameterKey": "Name", "ParameterValue": "****"},
    ]
    again = [{"ParameterKey": "Name", "UsePreviousValue": True}, {"ParameterKey": "Delay", "ParameterValue": "4"}]
    lab.ask("UpdateStack", StackName="s", UsePreviousTemplate=True, Parameters=again)
    assert lab.calls[-1].params["Attributes"] == {"DelaySeconds": "4"}


def test_a_template_can_come_from_the_labs_s3(lab: Any) -> None:
    """In path and virtual-host style, from AWS's names and from the lab's own."""
    lab.objects["t/x.json"] = body({"T": TOPIC}).encode()
    for number, url in enumerate(
        (
            "https://s3.amazonaws.com/b/t/x.json",
            "https://b.s3.us-east-1.amazonaws.com/t/x.json",
            "http://localhost:4566/b/t/x.json",
            "http://b.s3.localhost.localstack.cloud:4566/t/x.json",
        )
    ):
        lab.ask("CreateStack", StackName=f"s{number}", TemplateURL=url)
        assert lab.status(f"s{number}") == "CREATE_COMPLETE"
    missing = refusal(lab, "CreateStack", StackName="s", TemplateURL="https://s3.amazonaws.com/b/nope")
    assert missing.startswith("ValidationError: S3 error: The specified key does not exist.")
    told = refusal(lab, "CreateStack", StackName="s", TemplateURL="https://example.com/b/t/x.json")
    assert told == "ValidationError: TemplateURL must be a supported URL."
    assert "51200" in refusal(lab, "CreateStack", StackName="s", TemplateBody=" " * 51_201)
    assert (
        refusal(lab, "CreateStack", StackName="s")
        == "ValidationError: Either Template URL or Template Body must be specified."
    )


def test_exports_are_imported_and_then_cannot_go(lab: Any) -> None:
    """ListExports, ListImports, and the refusals while an export is in use."""
    lab.ask("CreateStack", StackName="one", TemplateBody=chain())
    user = body(
        {
            "P": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Fn::ImportValue": "the-url"}], "PolicyDocument": {}},
            }
        }
    )
    assert (
        refusal(lab, "ListImports", ExportName="the-url")
        == "ValidationError: Export 'the-url' is not imported by any stack."
    )
    lab.ask("CreateStack", StackName="two", TemplateBody=user)
    assert lab.ask("ListImports", ExportName="the-url")["Imports"] == ["two"]
    lab.ask("DeleteStack", StackName="one")
    assert lab.status("one") == "DELETE_FAILED"
    assert reasons(lab, "one", "DELETE_FAILED") == [
        "Delete canceled. Cannot delete export the-url as it is in use by two."
    ]
    lab.ask("CreateStack", StackName="three", TemplateBody=chain())
    assert lab.status("three") == "ROLLBACK_COMPLETE"
    assert reasons(lab, "three", "ROLLBACK_IN_PROGRESS") == [
        "Export with name the-url is already exported by stack one. Rollback requested by user."
    ]
    lab.ask("CreateStack", StackName="four", TemplateBody=user.replace("the-url", "nope"))
    assert "No export named nope found." in reasons(lab, "four", "CREATE_FAILED")[0]
    lab.ask("DeleteStack", StackName="two")
    lab.ask("DeleteStack", StackName="one")
    assert lab.status("one") == "DELETE_COMPLETE"


def test_with_a_service_role_the_calls_are_the_roles(lab: Any) -> None:
    """The session is named AWSCloudFormation (docs/aws-facts.md, part 5)."""
    arn = "arn:aws:iam::123456789012:role/deploy/Deployer"
    trust = {"Statement": [{"Principal": {"Service": "cloudformation.amazonaws.com"}}]}
    lab.answers["GetRole"] = {"Role": {"Arn": arn, "AssumeRolePolicyDocument": trust}}
    lab.answers["AssumeRole"] = {
        "AssumedRoleUser": {"AssumedRoleId": "AROAX:AWSCloudFormation"},
        "Credentials": {"AccessKeyId": "ASIAX"},
    }
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}), RoleARN=arn)
    assume, create = lab.calls
    assert (assume.operation, assume.principal.name) == ("AssumeRole", "cloudformation.amazonaws.com")
    assert create.principal.arn == "arn:aws:sts::123456789012:assumed-role/Deployer/AWSCloudFormation"
    assert create.principal.issuer_arn == arn
    lab.answers["GetRole"] = {"Role": {"Arn": arn, "AssumeRolePolicyDocument": {}}}
    told = refusal(lab, "CreateStack", StackName="t", TemplateBody=body({"T": TOPIC}), RoleARN=arn)
    assert told == f"ValidationError: Role {arn} is invalid or cannot be assumed"


def test_conditions_leave_resources_out(lab: Any) -> None:
    """A resource, an output, a property: left out, made later, taken away again."""
    template = body(
        {"T": {**TOPIC, "Condition": "On"}, "Q": QUEUE},
        Parameters={"Make": {"Type": "String", "AllowedValues": ["yes", "no"]}},
        Conditions={"On": {"Fn::Equals": [{"Ref": "Make"}, "yes"]}},
        Outputs={"O": {"Value": {"Ref": "T"}, "Condition": "On"}},
    )

    def parameters(value: str) -> list[dict[str, str]]:
        return [{"ParameterKey": "Make", "ParameterValue": value}]

    lab.ask("CreateStack", StackName="s", TemplateBody=template, Parameters=parameters("no"))
    assert lab.operations() == ["CreateQueue"]
    lab.ask("UpdateStack", StackName="s", TemplateBody=template, Parameters=parameters("yes"))
    assert lab.operations()[1:] == ["CreateTopic"]
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["Outputs"]
    lab.ask("UpdateStack", StackName="s", TemplateBody=template, Parameters=parameters("no"))
    assert lab.operations()[2:] == ["DeleteTopic"]
    assert "Outputs" not in lab.ask("DescribeStacks", StackName="s")["Stacks"][0]


def test_a_stack_in_a_stack_is_made_changed_and_deleted_with_it(lab: Any) -> None:
    """Parameters go in, outputs come out, the child knows its parent."""
    child = body(
        {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Ref": "D"}}}},
        Parameters={"D": {"Type": "Number"}},
        Outputs={"Url": {"Value": {"Ref": "Q"}}},
    )
    lab.objects["child.json"] = child.encode()

    def parent(delay: int) -> str:
        properties = {"TemplateURL": "https://s3.amazonaws.com/b/child.json", "Parameters": {"D": delay}}
        return body(
            {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}},
            Outputs={"Url": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Url"]}}},
        )

    arn = lab.ask("CreateStack", StackName="parent", TemplateBody=parent(1))["StackId"]
    assert lab.status("parent") == "CREATE_COMPLETE"
    nested = next(stack for stack in lab.ask("DescribeStacks")["Stacks"] if stack.get("ParentId") == arn)
    assert nested["StackName"].startswith("parent-Child-")
    assert nested["RootId"] == arn
    lab.ask("UpdateStack", StackName="parent", TemplateBody=parent(2))
    assert (lab.status("parent"), lab.status(nested["StackName"])) == ("UPDATE_COMPLETE", "UPDATE_COMPLETE")
    lab.ask("DeleteStack", StackName="parent")
    assert lab.status(nested["StackName"]) == "DELETE_COMPLETE"


def test_a_failing_child_fails_its_parent(lab: Any) -> None:
    """Both roll back."""
    lab.objects["child.json"] = body({"Q": QUEUE}).encode()
    lab.refuse["CreateQueue"] = REFUSED
    properties = {"TemplateURL": "https://s3.amazonaws.com/b/child.json"}
    lab.ask(
        "CreateStack",
        StackName="p",
        TemplateBody=body({"C": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}}),
    )
    assert lab.status("p") == "ROLLBACK_COMPLETE"
    assert (
        "was not successfully created: The following resource(s) failed to create: [Q]."
        in reasons(lab, "p", "CREATE_FAILED")[0]
    )
    assert {stack.status for stack in lab.cloudformation.stacks.values()} == {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}


def test_a_stack_policy_keeps_resources_from_updates(lab: Any) -> None:
    """What is denied fails the update; others are free."""
    policy = {
        "Statement": [
            {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "Update:Modify", "Principal": "*", "Resource": "LogicalResourceId/Q"},
        ]
    }
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}}
    lab.ask(
        "CreateStack", StackName="s", TemplateBody=body({"Q": queue, "T": TOPIC}), StackPolicyBody=json.dumps(policy)
    )
    assert json.loads(lab.ask("GetStackPolicy", StackName="s")["StackPolicyBody"]) == policy
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"Q": QUEUE, "T": TOPIC}))
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"
    assert reasons(lab, "s", "UPDATE_FAILED")[0].startswith("Action denied by stack policy")
    other = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"Q": queue, "T": other}))
    assert lab.status("s") == "UPDATE_COMPLETE"


def test_a_replay_rebuilds_every_stack_without_a_call(lab: Any) -> None:
    """Operations and records alone lead to the same state, event for event."""
    lab.ask("CreateStack", StackName="a", TemplateBody=chain())
    lab.ask("UpdateStack", StackName="a", TemplateBody=chain(name="other"))
    lab.refuse["SetQueueAttributes"] = REFUSED
    lab.ask("UpdateStack", StackName="a", TemplateBody=chain(name="third"))
    lab.ask(
        "CreateChangeSet", StackName="b", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body({"T": TOPIC})
    )
    lab.ask("ExecuteChangeSet", StackName="b", ChangeSetName="c")
    lab.ask("DeleteStack", StackName="b")
    again = lab.replayed()
    assert not again.calls
    assert again.cloudformation.stacks == lab.cloudformation.stacks
    assert lab.status("a") == "UPDATE_ROLLBACK_FAILED"


def test_deletion_order_is_the_same_under_twenty_hash_seeds(tmp_path: Path) -> None:
    """moto's was not: it walked a set."""
    root = Path(__file__).parents[4]
    script = tmp_path / "order.py"
    script.write_text(
        "import sys, types\n"
        "package = types.ModuleType('simulator.services.cloudformation')  # without the whole service and its imports\n"
        f"package.__path__ = [{str(root / 'simulator/services/cloudformation')!r}]\n"
        "sys.modules[package.__name__] = package\n"
        "from simulator.services.cloudformation.template import parse\n"
        "from simulator.services.cloudformation.values import dependencies\n"
        "from simulator.services.cloudformation.graph import order\n"
        "from simulator.services.cloudformation.intrinsics import Evaluator\n"
        "import json\n"
        "names = [f'R{n}' for n in range(30)]\n"
        "queue = lambda n: {'Type': 'AWS::SQS::Queue', 'DependsOn': [f'R{m}' for m in range(n + 1, 30, n + 2)]}\n"
        "template = parse(json.dumps({'Resources': {name: queue(n) for n, name in enumerate(names)}}))\n"
        "ev = Evaluator(template=template, parameters={}, pseudo={}, lookups=None)\n"
        "print(order(dependencies(template, ev))[::-1])\n"
    )
    told = {
        subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in range(20)
    }
    assert len(told) == 1


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=6)
    | st.sampled_from(["P", "On", "T", "Arn", "(a", "9"])
)
_NAMES = "Ref Fn::GetAtt Fn::Sub Fn::If Fn::Join Fn::Select Fn::Equals Fn::Not Fn::And Fn::FindInMap Fn::Cidr Condition Type Default"
_KEYS = st.sampled_from(
    [*_NAMES.split(), "MinLength", "AllowedPattern", "AllowedValues", "MaxValue", "NoEcho", "Value", "Export", "Key"]
)
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=8
)


@given(
    parameter=st.fixed_dictionaries(
        {"Type": st.sampled_from(["String", "Number", "CommaDelimitedList"])},
        optional=dict.fromkeys(
            ("Default", "MinLength", "MaxValue", "AllowedPattern", "AllowedValues", "NoEcho"), _ANYTHING
        ),
    ),
    condition=_ANYTHING,
    properties=st.dictionaries(
        st.sampled_from(["DisplayName", "Tags", "Subscription", "FifoTopic", "TopicName"]), _ANYTHING, max_size=3
    ),
    output=_ANYTHING,
    value=st.text(max_size=8),
)
def test_any_template_makes_a_stack_or_a_failed_one_or_a_validation_error(
    fresh_lab: Any, parameter: Any, condition: Any, properties: Any, output: Any, value: str
) -> None:
    """Whatever stands in a template, the lab lives on, and no stack stays in progress."""
    lab = fresh_lab()
    text = body(
        {"T": {"Type": "AWS::SNS::Topic", "Properties": properties}},
        Parameters={"P": parameter},
        Conditions={"On": condition},
        Outputs={"O": {"Value": output}},
    )
    try:
        lab.ask(
            "CreateStack", StackName="s", TemplateBody=text, Parameters=[{"ParameterKey": "P", "ParameterValue": value}]
        )
    except AwsError as error:
        assert error.code == "ValidationError"
    else:
        assert lab.status("s") in {"CREATE_COMPLETE", "ROLLBACK_COMPLETE"}
        lab.ask("DeleteStack", StackName="s")
        assert lab.status("s") == "DELETE_COMPLETE"


def test_stacks_of_another_region_are_not_seen(lab: Any) -> None:
    """Names and exports belong to a Region."""
    lab.ask("CreateStack", StackName="chain", TemplateBody=chain())
    lab.region = "eu-west-1"
    assert refusal(lab, "DescribeStacks", StackName="chain") == "ValidationError: Stack with id chain does not exist"
    assert not lab.ask("ListExports")["Exports"]
    arn = lab.ask("CreateStack", StackName="chain", TemplateBody=chain())["StackId"]
    assert arn.startswith("arn:aws:cloudformation:eu-west-1:")


def test_a_stale_dependency_does_not_stop_a_rollback(lab: Any) -> None:
    """Old and new dependencies together may form a circle."""
    one, two = (
        {**TOPIC, "DependsOn": "B"},
        {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}, "DependsOn": "A"},
    )
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"A": one, "B": TOPIC}))
    lab.refuse["CreateQueue"] = REFUSED
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"A": TOPIC, "B": two, "Q": {**QUEUE, "DependsOn": "B"}}))
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"
    lab.ask("DeleteStack", StackName="s")
    assert lab.status("s") == "DELETE_COMPLETE"


def test_a_stack_can_be_limited_to_types_and_to_a_time(lab: Any) -> None:
    """ResourceTypes is checked before, TimeoutInMinutes while it is made."""
    template = body({f"T{n}": TOPIC for n in range(100)})
    told = refusal(lab, "CreateStack", StackName="s", TemplateBody=template, ResourceTypes=["AWS::SQS::*"])
    assert (
        told == "ValidationError: Resource type AWS::SNS::Topic is not allowed by parameter ResourceTypes [AWS::SQS::*]"
    )
    lab.ask("CreateStack", StackName="s", TemplateBody=template, ResourceTypes=["AWS::SNS::*"], TimeoutInMinutes=1)
    assert lab.status("s") == "ROLLBACK_COMPLETE"
    assert reasons(lab, "s", "ROLLBACK_IN_PROGRESS") == [
        "Stack creation time exceeded the specified timeout. Rollback requested by user."
    ]


def test_another_policy_can_hold_during_one_update(lab: Any) -> None:
    """StackPolicyDuringUpdateBody, once."""
    deny = json.dumps({"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})
    allow = deny.replace("Deny", "Allow")
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}), StackPolicyBody=deny)
    changed = body({"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}})
    lab.ask("UpdateStack", StackName="s", TemplateBody=changed, StackPolicyDuringUpdateBody=allow)
    assert lab.status("s") == "UPDATE_COMPLETE"
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"


def test_a_secret_that_is_told_once_outlives_an_update(lab: Any) -> None:
    """An access key's secret stays an attribute after its status changed."""

    def template(status: str) -> str:
        key = {"Type": "AWS::IAM::AccessKey", "Properties": {"UserName": "u", "Status": status}}
        return body({"K": key}, Outputs={"Secret": {"Value": {"Fn::GetAtt": ["K", "SecretAccessKey"]}}})

    given = {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]}
    lab.ask("CreateStack", TemplateBody=template("Active"), **given)
    secret = lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["Outputs"]
    lab.ask("UpdateStack", TemplateBody=template("Inactive"), **given)
    assert lab.status("s") == "UPDATE_COMPLETE"
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["Outputs"] == secret


@pytest.mark.parametrize(
    "policy",
    [
        "x",
        "[]",
        '{"Statement": 5}',
        '{"Statement": [1]}',
        '{"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "me", "Action": "Update:*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Action": "Update:*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Delete:*", "Resource": "*"}]}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": 5, "Resource": "*"}]}',
    ],
)
def test_a_stack_policy_that_is_none_is_refused(lab: Any, policy: str) -> None:
    """When it is set, not when it would be asked."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    told = refusal(lab, "SetStackPolicy", StackName="s", StackPolicyBody=policy)
    assert told == "ValidationError: Error validating stack policy: Invalid stack policy"


def test_an_empty_stack_policy_allows_everything(lab: Any) -> None:
    """So a policy can be taken back; body and URL exclude each other."""
    policy = {"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    lab.ask(
        "CreateStack",
        StackName="s",
        TemplateBody=body({"T": TOPIC}),
        StackPolicyBody=json.dumps({"Statement": [policy]}),
    )
    changed = body({"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}})
    lab.ask("UpdateStack", StackName="s", TemplateBody=changed)
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"
    lab.ask("SetStackPolicy", StackName="s", StackPolicyBody="{}")
    assert lab.ask("GetStackPolicy", StackName="s") == {"StackPolicyBody": "{}"}
    lab.ask("UpdateStack", StackName="s", TemplateBody=changed)
    assert lab.status("s") == "UPDATE_COMPLETE"
    told = refusal(lab, "SetStackPolicy", StackName="s", StackPolicyBody="{}", StackPolicyURL="https://x")
    assert told == "ValidationError: You cannot specify both StackPolicyURL and StackPolicyBody"


def test_a_stack_policy_of_strange_parts_fails_the_update_alone(lab: Any) -> None:
    """Statements may hold anything; the lab lives on."""
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "Update:*"}
    policy = json.dumps({"Statement": [{**allowed, "Resource": "*", "Condition": "x"}]})
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}), StackPolicyBody=policy)
    lab.ask(
        "UpdateStack",
        StackName="s",
        TemplateBody=body({"T": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "x"}}}),
    )
    assert lab.status("s") == "UPDATE_ROLLBACK_COMPLETE"


def test_a_resource_of_strange_parts_fails_its_stack_alone(lab: Any) -> None:
    """Tags that are a text trip the handler; the stack says so."""
    lab.ask(
        "CreateStack", StackName="s", TemplateBody=body({"T": {"Type": "AWS::SNS::Topic", "Properties": {"Tags": "x"}}})
    )
    assert lab.status("s") == "ROLLBACK_COMPLETE"
    assert "Model validation failed" in reasons(lab, "s", "CREATE_FAILED")[0]


@pytest.mark.parametrize(
    ("properties", "output", "message"),
    [
        (
            {"DisplayName": {"Fn::FindInMap": ["M", "c", "x"]}},
            "plain",
            "Template error: Unable to get mapping for M::c::x",
        ),
        (
            {"DisplayName": {"Fn::Select": [9, ["a"]]}},
            "plain",
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
        ),
        ({}, {"Ref": "Never"}, "Unresolved resource dependencies [Never] in the Outputs block of the template"),
        (
            {"DisplayName": {"Fn::GetAtt": ["Never", "TopicArn"]}},
            "plain",
            "Template format error: Unresolved resource dependencies [Never] in the Resources block of the template",
        ),
    ],
)
def test_what_cannot_be_worked_out_is_refused_before_anything_is_made(
    lab: Any, properties: dict[str, Any], output: Any, message: str
) -> None:
    """The caller is told, not the stack's events."""
    text = body(
        {
            "T": {"Type": "AWS::SNS::Topic", "Properties": properties},
            "Never": {"Type": "AWS::SNS::Topic", "Condition": "No"},
        },
        Mappings={"M": {"a": {"x": "y"}}},
        Conditions={"No": {"Fn::Equals": ["a", "b"]}},
        Outputs={"O": {"Value": output}, "P": {"Value": {"Ref": "Never"}, "Condition": "No"}},
    )
    assert refusal(lab, "CreateStack", StackName="s", TemplateBody=text) == f"ValidationError: {message}"
    assert refusal(lab, "DescribeStacks", StackName="s") == "ValidationError: Stack with id s does not exist"


def test_some_types_tell_every_property_as_an_attribute(lab: Any) -> None:
    """A topic does, a function does not."""
    text = body(
        {
            "A": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}},
            "B": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["A", "Value"]}}},
        },
        Outputs={"O": {"Value": {"Fn::GetAtt": ["B", "DisplayName"]}}},
    )
    lab.ask("CreateStack", StackName="s", TemplateBody=text)
    stack = lab.ask("DescribeStacks", StackName="s")["Stacks"][0]
    assert stack["Outputs"] == [{"OutputKey": "O", "OutputValue": "v"}]
    (name,) = [call.params["Name"] for call in lab.calls if call.operation == "PutParameter"]
    assert re.fullmatch("CFN-A-[A-Za-z0-9]{12}", name)


def test_parameters_of_systems_manager_are_shown_with_what_they_hold(lab: Any) -> None:
    """The parameter's name and its value, for stacks and change sets."""
    lab.answers["GetParameter"] = {"Parameter": {"Name": "n", "Value": "a,b"}}
    text = body({"T": TOPIC}, Parameters={"P": {"Type": "AWS::SSM::Parameter::Value<CommaDelimitedList>"}})
    given = {"ParameterKey": "P", "ParameterValue": "n"}
    lab.ask("CreateStack", StackName="s", TemplateBody=text, Parameters=[given])
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["Parameters"] == [{**given, "ResolvedValue": "a,b"}]
    lab.refuse["GetParameter"] = AwsError("ParameterNotFound", "")
    told = refusal(lab, "CreateStack", StackName="t", TemplateBody=text, Parameters=[given])
    assert told == "ValidationError: Parameter P should either have input value or default value"


def test_events_star_what_noecho_parameters_hold(lab: Any) -> None:
    """Before an update, while it changes them, and when the stack is deleted."""
    text = body(
        {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${P}"}, "DelaySeconds": 5}}},
        Parameters={"P": {"Type": "String", "NoEcho": True}},
    )
    arn = ""
    for operation, secret in (("CreateStack", "hunter2"), ("UpdateStack", "hunter3")):
        given = {"ParameterKey": "P", "ParameterValue": secret}
        arn = lab.ask(operation, StackName="s", TemplateBody=text, Parameters=[given])["StackId"]
    assert lab.calls[-1].operation == "DeleteQueue"
    lab.ask("DeleteStack", StackName="s")
    shown = {
        event["ResourceProperties"]
        for event in lab.ask("DescribeStackEvents", StackName=arn)["StackEvents"]
        if "ResourceProperties" in event
    }
    assert shown == {'{"QueueName":"q-****","DelaySeconds":"5"}'}


def test_a_stores_parameter_gets_its_new_tags(lab: Any) -> None:
    """PutParameter takes none where it overwrites."""

    def tagged(**tags: str) -> str:
        properties = {"Type": "String", "Value": "v", "Tags": tags}
        return body({"P": {"Type": "AWS::SSM::Parameter", "Properties": properties}})

    lab.ask("CreateStack", StackName="s", TemplateBody=tagged(a="1", b="1"))
    lab.calls.clear()
    lab.ask("UpdateStack", StackName="s", TemplateBody=tagged(a="2"))
    assert lab.operations() == ["PutParameter", "RemoveTagsFromResource", "AddTagsToResource"]
    assert lab.calls[1].params["TagKeys"] == ["b"]
    assert lab.calls[2].params["Tags"] == [{"Key": "a", "Value": "2"}]


def test_a_stack_that_could_not_be_made_names_no_change_set(lab: Any) -> None:
    """It says what it is made by once it is made."""
    lab.refuse["CreateTopic"] = REFUSED
    lab.ask(
        "CreateChangeSet", StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body({"T": TOPIC})
    )
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="c")
    stack = lab.ask("DescribeStacks", StackName="s")["Stacks"][0]
    assert (stack["StackStatus"], "ChangeSetId" in stack) == ("ROLLBACK_COMPLETE", False)


def test_an_update_clears_the_change_set_and_keeps_the_capabilities(lab: Any) -> None:
    """DescribeStacks names what the stack was last made by."""
    lab.ask(
        "CreateChangeSet",
        StackName="s",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=body({"T": TOPIC}),
        Capabilities=["CAPABILITY_IAM"],
    )
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="c")
    lab.ask("UpdateStack", StackName="s", TemplateBody=body({"T": TOPIC, "Q": QUEUE}))
    stack = lab.ask("DescribeStacks", StackName="s")["Stacks"][0]
    assert ("ChangeSetId" in stack, stack["Capabilities"]) == (False, ["CAPABILITY_IAM"])


def test_rollback_triggers_are_checked_and_told(lab: Any) -> None:
    """A changed configuration alone is an update."""
    lab.ask("CreateStack", StackName="s", TemplateBody=body({"T": TOPIC}))
    alarm = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:high"
    for arn, kind, message in (
        (alarm, "Another", "Rollback Trigger Type not supported"),
        (
            alarm.replace("alarm:", ""),
            "AWS::CloudWatch::Alarm",
            "RelativeId of a Rollback Trigger's ARN is incorrect",
        ),
    ):
        triggers = {"RollbackTriggers": [{"Arn": arn, "Type": kind}]}
        told = refusal(lab, "UpdateStack", StackName="s", UsePreviousTemplate=True, RollbackConfiguration=triggers)
        assert told == f"ValidationError: {message}"
    good = {"RollbackTriggers": [{"Arn": alarm, "Type": "AWS::CloudWatch::Alarm"}], "MonitoringTimeInMinutes": 5}
    lab.ask("UpdateStack", StackName="s", UsePreviousTemplate=True, RollbackConfiguration=good)
    assert lab.status("s") == "UPDATE_COMPLETE"
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["RollbackConfiguration"] == good


def test_a_policy_on_nobody_can_be_neither_made_nor_deleted(lab: Any) -> None:
    """The stack stays until the policy is retained."""
    policy = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    arn = lab.ask(
        "CreateStack",
        StackName="s",
        TemplateBody=body({"P": {"Type": "AWS::IAM::Policy", "Properties": policy}}),
        Capabilities=["CAPABILITY_IAM"],
    )["StackId"]
    assert reasons(lab, "s", "CREATE_FAILED") == ["At least one of [Groups,Roles,Users] must be non-empty."]
    assert (lab.status("s"), lab.calls) == ("ROLLBACK_FAILED", [])
    assert "DeletionTime" in lab.ask("DescribeStacks", StackName="s")["Stacks"][0]
    lab.ask("DeleteStack", StackName="s")
    assert lab.status("s") == "DELETE_FAILED"
    lab.ask("DeleteStack", StackName="s", RetainResources=["P"])
    assert lab.status("s") == "DELETE_COMPLETE"
    skipped = lab.ask("DescribeStackEvents", StackName=arn)["StackEvents"][1]
    assert (skipped["ResourceStatus"], "PolicyName" in skipped["ResourceProperties"]) == ("DELETE_SKIPPED", True)


def test_a_template_is_not_read_from_an_s3_uri(lab: Any) -> None:
    """AWS takes https URLs only."""
    told = refusal(lab, "CreateStack", StackName="s", TemplateURL="s3://bucket/key")
    assert told == "ValidationError: S3 error: Domain name specified in bucket is not a valid S3 domain"


@pytest.mark.parametrize(
    "policy",
    [
        {"Ref": "T"},
        {"Ref": "Nope"},
        {"Fn::GetAtt": ["T", "TopicName"]},
        {"Fn::If": ["Nope", "Retain", "Delete"]},
        {"Fn::If": ["Yes", "Keep", "Delete"]},
        {"Fn::ImportValue": "nope"},
        {"Ref": "AWS::NoValue"},
        {"Retain": True},
        ["Retain"],
    ],
)
def test_a_deletion_policy_that_comes_to_none_is_refused(lab: Any, policy: Any) -> None:
    """Whatever stands there is told to the caller, before anything is made and when it is changed."""
    resources = {"T": TOPIC, "Q": {**QUEUE, "DeletionPolicy": policy}}
    text = body(resources, Conditions={"Yes": {"Fn::Equals": ["a", "a"]}})
    for operation, stack in (("CreateStack", "s"), ("CreateChangeSet", "s"), ("UpdateStack", "t")):
        if operation == "UpdateStack":
            lab.ask("CreateStack", StackName="t", TemplateBody=body({"T": TOPIC, "Q": QUEUE}))
        more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if operation == "CreateChangeSet" else {}
        assert refusal(lab, operation, StackName=stack, TemplateBody=text, **more).startswith("ValidationError: ")


def test_conditions_may_ask_what_is_outside_the_template(lab: Any) -> None:
    """Systems Manager's parameters are there before anything is made."""
    lab.answers["GetParameter"] = {"Parameter": {"Name": "n", "Value": "on"}}
    conditions = {"On": {"Fn::Equals": ["{{resolve:ssm:n}}", "on"]}}
    resources = {"T": {**TOPIC, "Condition": "On"}, "Q": QUEUE}
    lab.ask("CreateStack", StackName="s", TemplateBody=body(resources, Conditions=conditions))
    assert lab.operations() == ["CreateTopic", "CreateQueue"]


def test_metadata_without_value_is_no_metadata(lab: Any) -> None:
    """So a second update has nothing to do."""
    text = body({"T": {**TOPIC, "Metadata": {"Ref": "AWS::NoValue"}}})
    lab.ask("CreateStack", StackName="s", TemplateBody=text)
    told = refusal(lab, "UpdateStack", StackName="s", TemplateBody=text)
    assert told == "ValidationError: No updates are to be performed."
