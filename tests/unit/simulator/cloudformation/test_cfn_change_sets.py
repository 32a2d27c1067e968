"""Change sets, as `aws cloudformation deploy` uses them, and drift."""

import json
from typing import Any

import pytest

from simulator.errors import AwsError

TOPIC = {"Type": "AWS::SNS::Topic"}
NOTHING = "The submitted information didn't contain changes. Submit different information to create a change set."


def template(**properties: Any) -> str:
    """Return a template of a topic and a queue that is named after it."""
    queue = {"QueueName": {"Fn::Sub": "${Topic.TopicName}-q"}, "DelaySeconds": 1} | properties.pop("queue", {})
    return json.dumps(
        {
            "Resources": {
                "Topic": {"Type": "AWS::SNS::Topic", "Properties": properties},
                "Queue": {"Type": "AWS::SQS::Queue", "Properties": queue},
            }
        }
    )


def changes(lab: Any, name: str, **params: Any) -> list[dict[str, Any]]:
    """Make a change set and return its resource changes."""
    lab.ask("CreateChangeSet", StackName="s", ChangeSetName=name, **params)
    described = lab.ask("DescribeChangeSet", StackName="s", ChangeSetName=name)
    return [change["ResourceChange"] for change in described["Changes"]]


def refusal(lab: Any, operation: str, **params: Any) -> str:
    """Return code and message of a refused call."""
    with pytest.raises(AwsError) as told:
        lab.ask(operation, **params)
    return f"{told.value.code}: {told.value.message}"


def test_a_new_stack_waits_in_review_until_its_change_set_is_executed(lab: Any) -> None:
    """Nothing is made before; then all of it is."""
    found = changes(lab, "first", ChangeSetType="CREATE", TemplateBody=template())
    assert [(change["Action"], change["LogicalResourceId"]) for change in found] == [("Add", "Topic"), ("Add", "Queue")]
    assert (lab.status("s"), lab.calls) == ("REVIEW_IN_PROGRESS", [])
    described = lab.ask("DescribeChangeSet", StackName="s", ChangeSetName="first")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert refusal(
        lab, "CreateChangeSet", StackName="s", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=template()
    ) == ("AlreadyExistsException: ChangeSet first already exists")
    lab.ask("CreateChangeSet", StackName="s", ChangeSetName="second", ChangeSetType="CREATE", TemplateBody=template())
    assert [each["ChangeSetName"] for each in lab.ask("ListChangeSets", StackName="s")["Summaries"]] == [
        "first",
        "second",
    ]
    lab.ask("ExecuteChangeSet", ChangeSetName=described["ChangeSetId"])
    assert (lab.status("s"), lab.operations()) == ("CREATE_COMPLETE", ["CreateTopic", "CreateQueue"])
    assert [each["ChangeSetName"] for each in lab.ask("ListChangeSets", StackName="s")["Summaries"]] == ["first"]
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["ChangeSetId"] == described["ChangeSetId"]
    assert "cannot be executed in its current status" in refusal(
        lab, "ExecuteChangeSet", StackName="s", ChangeSetName="first"
    )
    told = refusal(
        lab, "CreateChangeSet", StackName="s", ChangeSetName="x", ChangeSetType="CREATE", TemplateBody=template()
    )
    assert told == "ValidationError: Stack [s] already exists and cannot be created again with the changeSet [x]."


def test_a_change_set_without_changes_fails_as_deploy_expects(lab: Any) -> None:
    """`aws cloudformation deploy` looks for this sentence."""
    lab.ask("CreateStack", StackName="s", TemplateBody=template())
    assert changes(lab, "none", TemplateBody=template()) == []
    described = lab.ask("DescribeChangeSet", StackName="s", ChangeSetName="none")
    assert (described["Status"], described["ExecutionStatus"], described["StatusReason"]) == (
        "FAILED",
        "UNAVAILABLE",
        NOTHING,
    )
    told = refusal(lab, "ExecuteChangeSet", StackName="s", ChangeSetName="none")
    assert told.startswith("InvalidChangeSetStatusException: ChangeSet [arn:")
    lab.ask("DeleteChangeSet", StackName="s", ChangeSetName="none")
    told = refusal(lab, "DescribeChangeSet", StackName="s", ChangeSetName="none")
    assert told == "ChangeSetNotFoundException: ChangeSet [none] does not exist"


def test_changes_say_what_is_modified_why_and_whether_it_is_replaced(lab: Any) -> None:
    """In place, replaced for certain, replaced perhaps."""
    lab.ask("CreateStack", StackName="s", TemplateBody=template())
    (change,) = changes(lab, "modify", TemplateBody=template(queue={"DelaySeconds": 2}))
    assert (change["Action"], change["Replacement"], change["Scope"]) == ("Modify", "False", ["Properties"])
    assert change["Details"] == [
        {
            "ChangeSource": "DirectModification",
            "Evaluation": "Static",
            "Target": {"Attribute": "Properties", "Name": "DelaySeconds", "RequiresRecreation": "Never"},
        }
    ]
    topic, queue = changes(lab, "replace", TemplateBody=template(TopicName="named"))
    assert (topic["LogicalResourceId"], topic["Replacement"]) == ("Topic", "True")
    assert (queue["LogicalResourceId"], queue["Replacement"]) == ("Queue", "Conditional")
    assert queue["Details"][0]["ChangeSource"] == "ResourceAttribute"
    assert queue["Details"][0]["CausingEntity"] == "Topic.TopicName"
    removed = changes(lab, "remove", TemplateBody=json.dumps({"Resources": {"Topic": TOPIC}}))
    assert [(change["Action"], change["LogicalResourceId"]) for change in removed] == [("Remove", "Queue")]
    lab.calls.clear()
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="replace")
    assert lab.operations() == ["CreateTopic", "CreateQueue", "DeleteQueue", "DeleteTopic"]
    assert lab.status("s") == "UPDATE_COMPLETE"


def test_changed_tags_are_changes(lab: Any) -> None:
    """A stack's tags go to what can carry them."""
    lab.ask("CreateStack", StackName="s", TemplateBody=template())
    tags = [{"Key": "team", "Value": "blue"}]
    found = changes(lab, "tags", UsePreviousTemplate=True, Tags=tags)
    assert [(change["LogicalResourceId"], change["Scope"]) for change in found] == [
        ("Topic", ["Tags"]),
        ("Queue", ["Tags"]),
    ]
    lab.calls.clear()
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="tags")
    assert lab.operations() == ["TagResource", "TagQueue"]
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["Tags"] == tags
    told = refusal(lab, "UpdateStack", StackName="s", UsePreviousTemplate=True, Tags=[{"Key": "aws:x", "Value": "y"}])
    assert told.startswith("ValidationError")


def test_drift_is_what_differs_from_the_template(lab: Any) -> None:
    """In sync, modified, deleted; a type that cannot be read back is left out."""
    lab.answers["GetQueueAttributes"] = {
        "Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:123456789012:q", "DelaySeconds": "1"}
    }
    lab.answers["GetTopicAttributes"] = {"Attributes": {"DisplayName": "x"}}
    lab.ask("CreateStack", StackName="s", TemplateBody=template(DisplayName="x"))

    def drifts() -> dict[str, str]:
        detection = lab.ask("DetectStackDrift", StackName="s")
        lab.drifted = lab.ask("DescribeStackDriftDetectionStatus", **detection)
        found = lab.ask("DescribeStackResourceDrifts", StackName="s")["StackResourceDrifts"]
        return {each["LogicalResourceId"]: each["StackResourceDriftStatus"] for each in found}

    assert drifts() == {"Topic": "IN_SYNC", "Queue": "IN_SYNC"}
    assert (lab.drifted["StackDriftStatus"], lab.drifted["DriftedStackResourceCount"]) == ("IN_SYNC", 0)
    lab.answers["GetQueueAttributes"]["Attributes"]["DelaySeconds"] = "9"
    lab.refuse["GetTopicAttributes"] = AwsError("NotFoundException", "Topic does not exist", status=404)
    assert drifts() == {"Topic": "DELETED", "Queue": "MODIFIED"}
    assert (lab.drifted["StackDriftStatus"], lab.drifted["DriftedStackResourceCount"]) == ("DRIFTED", 2)
    modified = lab.ask("DescribeStackResourceDrifts", StackName="s", StackResourceDriftStatusFilters=["MODIFIED"])
    assert modified["StackResourceDrifts"][0]["PropertyDifferences"] == [
        {"PropertyPath": "/DelaySeconds", "ExpectedValue": "1", "ActualValue": "9", "DifferenceType": "NOT_EQUAL"}
    ]
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["DriftInformation"]["StackDriftStatus"] == "DRIFTED"


def test_template_summary_and_validation_name_parameters_types_and_capabilities(lab: Any) -> None:
    """What clients ask before they create."""
    text = json.dumps(
        {
            "Description": "d",
            "Parameters": {"P": {"Type": "String", "Default": "x", "AllowedValues": ["x", "y"], "NoEcho": True}},
            "Metadata": {"a": 1},
            "Resources": {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
                "Strange": {"Type": "AWS::Nope::NotAType"},
            },
        }
    )
    summary = lab.ask("GetTemplateSummary", TemplateBody=text)
    assert summary["ResourceTypes"] == ["AWS::IAM::Role", "AWS::Nope::NotAType"]
    assert summary["Parameters"] == [
        {
            "ParameterKey": "P",
            "ParameterType": "String",
            "DefaultValue": "x",
            "NoEcho": True,
            "ParameterConstraints": {"AllowedValues": ["x", "y"]},
        }
    ]
    assert (summary["Capabilities"], summary["Description"], summary["Metadata"]) == (
        ["CAPABILITY_IAM"],
        "d",
        '{"a": 1}',
    )
    told = refusal(lab, "ValidateTemplate", TemplateBody=text)
    assert told == "ValidationError: Template format error: Unrecognized resource types: [AWS::Nope::NotAType]"
    assert lab.ask("ValidateTemplate", TemplateBody=template()) == {"Parameters": []}


def test_reads_of_what_is_not_there_are_told_in_awss_words(lab: Any) -> None:
    """Each operation has its own sentence."""
    for operation, params, message in (
        ("DescribeStacks", {}, "Stack with id s does not exist"),
        ("DescribeStackEvents", {}, "Stack [s] does not exist"),
        ("DescribeStackResource", {"LogicalResourceId": "x"}, "Stack 's' does not exist"),
        ("DescribeStackResources", {}, "Stack with id s does not exist"),
        ("ListStackResources", {}, "Stack with id s does not exist"),
        ("GetTemplate", {}, "Stack with id s does not exist"),
        ("UpdateStack", {"TemplateBody": template()}, "Stack [s] does not exist"),
        ("CreateChangeSet", {"ChangeSetName": "c", "TemplateBody": template()}, "Stack [s] does not exist"),
    ):
        assert refusal(lab, operation, StackName="s", **params) == f"ValidationError: {message}"
