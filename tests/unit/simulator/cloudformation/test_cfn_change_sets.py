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
    assert lab.ask("ListChangeSets", StackName="s")["Summaries"] == []
    assert lab.ask("DescribeStacks", StackName="s")["Stacks"][0]["ChangeSetId"] == described["ChangeSetId"]
    told = refusal(lab, "ExecuteChangeSet", ChangeSetName=described["ChangeSetId"])
    assert told.endswith("cannot be executed in its current execution status of [EXECUTE_COMPLETE]")
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
    assert (topic["PolicyAction"], queue["PolicyAction"]) == ("ReplaceAndDelete", "ReplaceAndDelete")
    assert (queue["LogicalResourceId"], queue["Replacement"]) == ("Queue", "True")
    assert queue["Details"][0]["Evaluation"] == "Static"
    assert queue["Details"][0]["ChangeSource"] == "ResourceAttribute"
    assert queue["Details"][0]["CausingEntity"] == "Topic.TopicName"
    topic, queue = changes(lab, "perhaps", TemplateBody=template(DisplayName="x"))
    assert (topic["Replacement"], queue["Replacement"]) == ("False", "Conditional")
    assert [(each["ChangeSource"], each["Evaluation"]) for each in queue["Details"]] == [
        ("ResourceAttribute", "Dynamic")
    ]
    removed = changes(lab, "remove", TemplateBody=json.dumps({"Resources": {"Topic": TOPIC}}))
    assert [(change["Action"], change["LogicalResourceId"]) for change in removed] == [("Remove", "Queue")]
    lab.calls.clear()
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="replace")
    assert lab.operations() == ["CreateTopic", "CreateQueue", "DeleteQueue", "DeleteTopic"]
    assert lab.status("s") == "UPDATE_COMPLETE"


def test_an_executed_change_set_frees_its_name_and_is_still_told_of_by_its_arn(lab: Any) -> None:
    """Also when its stack is gone; a deleted stack tells neither of change sets nor of protection."""
    changes(lab, "deploy", ChangeSetType="CREATE", TemplateBody=template())
    stack = lab.ask("DescribeStacks", StackName="s")["Stacks"][0]
    assert (stack["StackStatusReason"], stack["Tags"]) == ("User Initiated", [])
    first = lab.ask("ListChangeSets", StackName="s")["Summaries"][0]["ChangeSetId"]
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="deploy")
    (change,) = changes(lab, "deploy", TemplateBody=template(queue={"DelaySeconds": 2}))
    assert change["Action"] == "Modify"
    lab.ask("DeleteStack", StackName="s")
    described = lab.ask("DescribeChangeSet", ChangeSetName=first)
    assert (described["ExecutionStatus"], len(described["Changes"])) == ("EXECUTE_COMPLETE", 2)
    gone = lab.ask("DescribeStacks", StackName=stack["StackId"])["Stacks"][0]
    assert {"ChangeSetId", "EnableTerminationProtection", "StackStatusReason"}.isdisjoint(gone)
    assert gone["LastUpdatedTime"] >= gone["CreationTime"]
    told = refusal(
        lab,
        "CreateChangeSet",
        StackName=stack["StackId"],
        ChangeSetName="again",
        ChangeSetType="CREATE",
        TemplateBody=template(),
    )
    assert f"Stack [{stack['StackId']}] already exists and cannot be created again" in told


def test_a_stack_in_review_has_no_template_yet_and_can_be_created_without_its_change_sets(lab: Any) -> None:
    """Description, tags and parameters are the change set's until then; CreateStack makes that one obsolete."""
    text = json.dumps({"Description": "d", "Parameters": {"P": {"Type": "String"}}, "Resources": {"Topic": TOPIC}})
    given = {"ParameterKey": "P", "ParameterValue": "x"}
    tags = [{"Key": "team", "Value": "blue"}]
    made = lab.ask(
        "CreateChangeSet",
        StackName="s",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=text,
        Parameters=[given],
        Tags=tags,
    )
    stack = lab.ask("DescribeStacks", StackName="s")["Stacks"][0]
    assert ("Description" in stack, "Parameters" in stack, stack["Tags"]) == (False, False, [])
    assert "TemplateDescription" not in lab.ask("ListStacks")["StackSummaries"][0]
    told = refusal(lab, "GetTemplateSummary", StackName="s")
    assert told == "ValidationError: GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks."
    described = lab.ask("DescribeChangeSet", ChangeSetName=made["Id"])
    assert (described["Tags"], described["Parameters"]) == (tags, [given])
    assert lab.ask("CreateStack", StackName="s", TemplateBody=template()) == {"StackId": made["StackId"]}
    assert lab.status("s") == "CREATE_COMPLETE"
    assert lab.ask("DescribeChangeSet", ChangeSetName=made["Id"])["ExecutionStatus"] == "OBSOLETE"
    told = refusal(lab, "ExecuteChangeSet", ChangeSetName=made["Id"])
    assert told.endswith("cannot be executed in its current execution status of [OBSOLETE]")


def test_what_follows_a_parameter_says_so(lab: Any) -> None:
    """Properties and metadata alike; a change set without parameters or tags has no such members."""
    text = json.dumps(
        {
            "Parameters": {"Name": {"Type": "String"}},
            "Resources": {
                "Topic": {
                    "Type": "AWS::SNS::Topic",
                    "Properties": {"DisplayName": "x", "TopicName": {"Ref": "Name"}},
                    "Metadata": {"name": {"Fn::Sub": "<${Name}>"}},
                    "UpdateReplacePolicy": {"Fn::If": ["Kept", "Retain", "Delete"]},
                }
            },
            "Conditions": {"Kept": {"Fn::Equals": [{"Ref": "Name"}, "b"]}},
        }
    )

    def named(name: str) -> dict[str, Any]:
        return {"TemplateBody": text, "Parameters": [{"ParameterKey": "Name", "ParameterValue": name}]}

    lab.ask("CreateStack", StackName="s", **named("a"))
    detail = lab.ask("DescribeStackResource", StackName="s", LogicalResourceId="Topic")["StackResourceDetail"]
    assert json.loads(detail["Metadata"]) == {"name": "<a>"}
    (change,) = changes(lab, "rename", **named("b"))
    assert (change["Replacement"], change["PolicyAction"]) == ("True", "ReplaceAndDelete")
    assert change["Scope"] == ["Metadata", "Properties", "UpdateReplacePolicy"]
    told = [
        (each["Target"]["Attribute"], each["ChangeSource"], each["Evaluation"], each.get("CausingEntity"))
        for each in change["Details"]
    ]
    assert told == [
        ("Metadata", "ParameterReference", "Static", "Name"),
        ("Properties", "ParameterReference", "Static", "Name"),
        ("UpdateReplacePolicy", "DirectModification", "Static", None),
        ("Metadata", "DirectModification", "Dynamic", None),
        ("Properties", "DirectModification", "Dynamic", None),
    ]
    lab.calls.clear()
    lab.ask("ExecuteChangeSet", StackName="s", ChangeSetName="rename")
    assert lab.operations() == ["CreateTopic", "DeleteTopic"], "as was declared when it was made"
    (change,) = changes(lab, "again", **named("a"))
    assert change["PolicyAction"] == "ReplaceAndRetain"
    changes(lab, "plain", TemplateBody=json.dumps({"Resources": {"Topic": TOPIC}}))
    assert {"Parameters", "Tags"}.isdisjoint(lab.ask("DescribeChangeSet", StackName="s", ChangeSetName="plain"))


def test_a_change_set_needs_no_word_for_what_macros_do(lab: Any) -> None:
    """It can be looked at; CreateStack must acknowledge them."""
    text = json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": {"Topic": TOPIC}})
    told = refusal(lab, "CreateStack", StackName="s", TemplateBody=text)
    assert told == "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
    assert changes(lab, "c", ChangeSetType="CREATE", TemplateBody=text)[0]["Action"] == "Add"


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


def test_get_template_says_what_it_needs(lab: Any) -> None:
    """A stack's name, or a change set's ARN, or both names."""
    assert refusal(lab, "GetTemplate") == "ValidationError: StackName is required if ChangeSetName is not specified."
    assert refusal(lab, "GetTemplate", ChangeSetName="c") == "ValidationError: StackName is a required parameter."


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
