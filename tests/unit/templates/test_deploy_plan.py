"""Planning, showing and doing: the same actions three times."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scenario.errors import LabError
from scenario.model import Scenario, Variant
from templates.deploy import (
    CreateStack,
    Credentials,
    DeleteStack,
    EnableLambdaProtection,
    UpdateStack,
    Upload,
    apply,
    describe,
    destroy_plan,
    plan,
    show,
    survey,
)
from templates.options import Options

DETECTOR = "0123456789abcdef0123456789abcdef"
SYSTEM = "WSSystemRole/System"


def kinds(actions: tuple[Any, ...]) -> list[tuple[str, str]]:
    """Return each action's kind and what it is about."""
    return [
        (type(each).__name__, getattr(each, "stack_name", getattr(each, "key", "").split("/")[0])) for each in actions
    ]


def test_the_workload_comes_before_the_list_and_uploads_before_their_stacks(
    scenario: Scenario, values: Variant
) -> None:
    """The order of the module's own account: function first, list minutes later."""
    assert kinds(plan(scenario, values, Options())) == [
        ("CreateStack", "guardduty-labs-bootstrap"),
        ("CreateStack", "guardduty-labs-baseline"),
        ("Upload", "functions"),
        ("CreateStack", "guardduty-labs-workload"),
        ("Upload", "lists"),
        ("CreateStack", "guardduty-labs-detection"),
    ]


def test_all_but_the_bootstrap_is_done_by_the_system_role(scenario: Scenario, values: Variant) -> None:
    """CloudTrail must say WSSystemRole/System created the function."""
    first, *others = plan(scenario, values, Options())
    assert first.as_role is None
    assert {SYSTEM} == {each.as_role for each in others}


def test_stacks_are_created_with_what_their_roles_need(scenario: Scenario, values: Variant) -> None:
    """Named roles need one capability, unnamed ones the weaker, and a stack without roles none."""
    capabilities = {
        each.stack_name.rpartition("-")[2]: each.capabilities
        for each in plan(scenario, values, Options())
        if isinstance(each, CreateStack)
    }
    assert capabilities == {
        "bootstrap": ("CAPABILITY_NAMED_IAM",),
        "baseline": ("CAPABILITY_IAM",),
        "workload": ("CAPABILITY_IAM",),
        "detection": (),
    }


def test_every_parameter_of_a_template_is_given_and_no_other(scenario: Scenario, values: Variant) -> None:
    """CloudFormation refuses both a missing and an unknown one."""
    for action in plan(scenario, values, Options()):
        if isinstance(action, CreateStack):
            assert json.loads(action.template_body).get("Parameters", {}).keys() == dict(action.parameters).keys()


def test_stacks_read_exactly_what_was_uploaded(scenario: Scenario, values: Variant) -> None:
    """Bucket and key of the uploads are the stacks' parameters."""
    code, workload, addresses, detection = plan(scenario, values, Options())[2:]
    assert isinstance(code, Upload) and isinstance(workload, CreateStack)
    assert isinstance(addresses, Upload) and isinstance(detection, CreateStack)
    assert {"AssetsBucketName": code.bucket, "CodeKey": code.key} == dict(workload.parameters)
    assert {"AssetsBucketName": addresses.bucket, "ThreatListKey": addresses.key} == dict(detection.parameters)
    assert f"guardduty-labs-assets-{values.account_id}-us-east-1" == code.bucket


def test_the_code_calls_the_listed_address(scenario: Scenario, values: Variant) -> None:
    """What is uploaded is this trainee's function and list."""
    code, _, addresses, _ = plan(scenario, values, Options())[2:]
    assert isinstance(code, Upload) and isinstance(addresses, Upload)
    assert values.malicious_ip in addresses.body.decode().splitlines()
    assert values.malicious_ip in zipfile.ZipFile(BytesIO(code.body)).read("index.py").decode()


def test_another_list_is_another_key(scenario: Scenario, values: Variant) -> None:
    """An object edited in place would not be activated anew."""
    other = replace(values, list_entries=("198.18.7.7",))
    keys = {each.key for v in (values, other) for each in plan(scenario, v, Options()) if isinstance(each, Upload)}
    assert len(keys) == 3  # the code is the same for both


def test_an_existing_detector_gets_lambda_protection_before_its_list(scenario: Scenario, values: Variant) -> None:
    """CloudFormation cannot change a detector that it did not make."""
    actions = plan(scenario, values, Options(detector_id=DETECTOR))
    assert EnableLambdaProtection(detector_id=DETECTOR, as_role=SYSTEM) == actions[-2]


def test_the_dry_run_has_a_line_for_each_action_and_no_content(scenario: Scenario, values: Variant) -> None:
    """It is shown to a class: no address in it."""
    actions = plan(scenario, values, Options(detector_id=DETECTOR))
    lines = show(actions).splitlines()
    assert [f"{n:2}. {describe(each)}" for n, each in enumerate(actions, start=1)] == lines
    assert values.malicious_ip not in show(actions)
    assert values.malicious_ip not in repr(actions)


def test_apply_does_exactly_what_was_shown(aws: Any, scenario: Scenario, values: Variant) -> None:
    """Call by call, as whom, in order."""
    actions = plan(scenario, values, Options())
    said: list[str] = []
    apply(actions, aws.connect, say=said.append, sleep=lambda _: None)
    assert [describe(each) for each in actions] == said
    bucket = f"guardduty-labs-assets-{values.account_id}-us-east-1"
    uploads = [each.key for each in actions if isinstance(each, Upload)]
    assert [
        ("self", "create_stack", "guardduty-labs-bootstrap"),
        (SYSTEM, "create_stack", "guardduty-labs-baseline"),
        (SYSTEM, "put_object", f"s3://{bucket}/{uploads[0]}"),
        (SYSTEM, "create_stack", "guardduty-labs-workload"),
        (SYSTEM, "put_object", f"s3://{bucket}/{uploads[1]}"),
        (SYSTEM, "create_stack", "guardduty-labs-detection"),
    ] == aws.log


def test_doing_it_twice_updates_and_finds_nothing_to_change(aws: Any, scenario: Scenario, values: Variant) -> None:
    """The second plan updates every stack, and that there are no updates is no error."""
    apply(plan(scenario, values, Options()), aws.connect, sleep=lambda _: None)
    before = {name: stack["StackStatus"] for name, stack in aws.stacks.items()}
    found = survey(aws.connect(None), Options())
    again = plan(scenario, values, Options(), found)
    assert sum(isinstance(each, UpdateStack) for each in again) == 4
    apply(again, aws.connect, sleep=lambda _: None)
    assert before == {name: stack["StackStatus"] for name, stack in aws.stacks.items()}


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_never_stood_is_deleted_and_created_anew(scenario: Scenario, values: Variant, status: str) -> None:
    """CloudFormation allows nothing else."""
    actions = plan(scenario, values, Options(), {"guardduty-labs-workload": status})
    assert [each for each in kinds(actions) if each[1] == "guardduty-labs-workload"] == [
        ("DeleteStack", "guardduty-labs-workload"),
        ("CreateStack", "guardduty-labs-workload"),
    ]


def test_a_stack_that_could_not_be_deleted_gets_its_buckets_emptied(scenario: Scenario, values: Variant) -> None:
    """They may be what kept it."""
    actions = plan(scenario, values, Options(), {"guardduty-labs-baseline": "DELETE_FAILED"})
    (deletion,) = (each for each in actions if isinstance(each, DeleteStack))
    assert [bucket.split("-")[2] for bucket in deletion.buckets] == ["config", "trail"]


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_is_busy_or_stuck_is_left_alone(scenario: Scenario, values: Variant, status: str) -> None:
    """The message says which stack and what its status is."""
    with pytest.raises(LabError, match=f"guardduty-labs-workload: its status is {status}"):
        plan(scenario, values, Options(), {"guardduty-labs-workload": status})


def test_a_stack_of_somebody_elses_is_never_touched(aws: Any) -> None:
    """Same name, not our tag."""
    aws.stacks["guardduty-labs-baseline"] = {
        "StackName": "guardduty-labs-baseline",
        "StackId": "arn:x",
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [],
    }
    with pytest.raises(LabError, match="this kit did not make"):
        survey(aws.connect(None), Options())


def test_a_failed_stack_names_the_first_resource_and_its_reason(aws: Any, scenario: Scenario, values: Variant) -> None:
    """Not the ones that were cancelled because of it; and the remedy for what is there already."""
    aws.fails["guardduty-labs-baseline"] = "ROLLBACK_COMPLETE"
    aws.events = [
        _event("ConfigBucket", "AWS::S3::Bucket", "CREATE_FAILED", "Resource creation cancelled"),
        _event(
            "Detector",
            "AWS::GuardDuty::Detector",
            "CREATE_FAILED",
            "The request is rejected because a detector already exists for the current account.",
        ),
        _event("TrailBucket", "AWS::S3::Bucket", "CREATE_FAILED", "something later"),
    ]
    with pytest.raises(LabError) as caught:
        apply(plan(scenario, values, Options()), aws.connect, sleep=lambda _: None)
    assert caught.value.tried == "create stack guardduty-labs-baseline as WSSystemRole/System"
    assert "Detector (AWS::GuardDuty::Detector) failed: The request is rejected" in caught.value.happened
    assert "--detector" in caught.value.try_next


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("a detector already exists for the current account.", "--detector"),
        ("because the maximum number of configuration recorders: 1 is reached.", "--no-recorder"),
        ("Role with name WSSystemRole already exists.", "--name-prefix"),
        ("the current status of the ThreatIntelSet does not allow this operation.", "15 to 40 minutes"),
        ("anything else", "run the same command again"),
    ],
)
def test_what_an_account_has_already_is_answered_with_the_option_for_it(
    aws: Any, scenario: Scenario, values: Variant, reason: str, advice: str
) -> None:
    """So that an instructor need not look it up."""
    aws.fails["guardduty-labs-baseline"] = "ROLLBACK_COMPLETE"
    aws.events = [_event("Thing", "AWS::Some::Thing", "CREATE_FAILED", reason)]
    with pytest.raises(LabError) as caught:
        apply(plan(scenario, values, Options()), aws.connect, sleep=lambda _: None)
    assert advice in caught.value.try_next


def test_a_role_made_a_moment_ago_is_asked_for_again(aws: Any, scenario: Scenario, values: Variant) -> None:
    """IAM takes a while to be the same everywhere."""
    aws.denials = 2
    pauses: list[float] = []
    apply(plan(scenario, values, Options()), aws.connect, sleep=pauses.append)
    assert [pause for pause in pauses if pause >= 1] == [1, 2]


def test_a_role_that_is_denied_on_purpose_is_not_waited_for(aws: Any, scenario: Scenario, values: Variant) -> None:
    """Trainees may not become the system, however long they wait."""
    aws.denials, aws.denial = 99, "with an explicit deny in an identity-based policy"
    pauses: list[float] = []
    with pytest.raises(LabError, match="explicit deny"):
        apply(plan(scenario, values, Options()), aws.connect, sleep=pauses.append)
    assert [pause for pause in pauses if pause >= 1] == []


def test_a_role_that_stays_closed_is_told(aws: Any, scenario: Scenario, values: Variant) -> None:
    """With what AWS said."""
    aws.denials = 99
    with pytest.raises(LabError, match="not authorized to perform: sts:AssumeRole"):
        apply(plan(scenario, values, Options()), aws.connect, sleep=lambda _: None)


def test_waiting_for_a_stack_ends(aws: Any, scenario: Scenario, values: Variant) -> None:
    """After the time that was given."""
    aws.endless = True
    with pytest.raises(LabError, match="not done after 60 seconds"):
        apply(plan(scenario, values, Options()), aws.connect, sleep=lambda _: None, timeout=60)


def test_destroying_goes_backwards_and_empties_the_buckets(aws: Any, scenario: Scenario, values: Variant) -> None:
    """The list goes before its detector, the bootstrap last and by the instructor; nothing is left."""
    apply(plan(scenario, values, Options()), aws.connect, sleep=lambda _: None)
    trail = Options().bucket("trail", values.account_id, "us-east-1")
    aws.buckets[trail], aws.owned = {"AWSLogs/x.json.gz": b""}, {"guardduty-labs-baseline": (trail,)}
    aws.log.clear()
    actions = destroy_plan(values.account_id, "us-east-1", Options(), survey(aws.connect(None), Options()))
    assert [(each.stack_name, each.as_role) for each in actions] == [
        ("guardduty-labs-detection", SYSTEM),
        ("guardduty-labs-workload", SYSTEM),
        ("guardduty-labs-baseline", SYSTEM),
        ("guardduty-labs-bootstrap", None),
    ]
    apply(actions, aws.connect, sleep=lambda _: None)
    assert {"DELETE_COMPLETE"} == {stack["StackStatus"] for stack in aws.stacks.values()}
    assert not any(aws.buckets.values())
    assert survey(aws.connect(None), Options()) == {}


def test_a_bucket_that_fills_again_is_emptied_again(aws: Any) -> None:
    """The trail delivers until it is deleted itself."""
    aws.stacks["guardduty-labs-baseline"] = {
        "StackName": "guardduty-labs-baseline",
        "StackId": "arn:baseline",
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [],
    }
    aws.buckets["logs"], aws.refills, aws.owned = {"a": b""}, ["logs"], {"guardduty-labs-baseline": ("logs",)}
    apply([DeleteStack(stack_name="guardduty-labs-baseline", buckets=("logs",))], aws.connect, sleep=lambda _: None)
    assert [each[1] for each in aws.log] == ["delete_objects", "delete_stack", "delete_objects", "delete_stack"]


def test_a_deletion_that_fails_for_another_reason_is_told(aws: Any) -> None:
    """Trying again does not help, and what failed at its creation is not what is told now."""
    aws.stacks["guardduty-labs-workload"] = {
        "StackName": "guardduty-labs-workload",
        "StackId": "arn:workload",
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [],
    }
    aws.fails["guardduty-labs-workload"] = "DELETE_FAILED"
    aws.events = [
        _event("TrafficSimulation", "AWS::Lambda::Function", "CREATE_FAILED", "no code"),
        _event("guardduty-labs-workload", "AWS::CloudFormation::Stack", "DELETE_IN_PROGRESS", "User Initiated"),
        _event("TrafficSimulationRole", "AWS::IAM::Role", "DELETE_FAILED", "Cannot delete entity"),
        _event("guardduty-labs-workload", "AWS::CloudFormation::Stack", "DELETE_FAILED", "[TrafficSimulationRole]"),
    ]
    with pytest.raises(LabError, match=r"TrafficSimulationRole .* Cannot delete entity"):
        apply([DeleteStack(stack_name="guardduty-labs-workload")], aws.connect, sleep=lambda _: None)


def test_destroying_what_is_not_there_changes_nothing(aws: Any) -> None:
    """Neither a plan for an empty account nor a stack that went meanwhile."""
    assert destroy_plan("486547846362", "us-east-1", Options(), {}) == ()
    apply([DeleteStack(stack_name="guardduty-labs-workload")], aws.connect)
    assert aws.log == []


def test_an_existing_detector_is_switched_on_through_its_own_call(aws: Any) -> None:
    """And only that feature is named."""
    aws.detectors[DETECTOR] = []
    apply([EnableLambdaProtection(detector_id=DETECTOR)], aws.connect)
    assert aws.detectors[DETECTOR] == [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}]


def test_other_errors_of_cloudformation_are_not_taken_for_a_missing_stack() -> None:
    """Throttling, say, while looking which stacks are there."""

    class Throttled:
        def client(self, service_name: str, /) -> Any:
            return self

        def describe_stacks(self, *, StackName: str) -> Any:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "DescribeStacks")

    with pytest.raises(ClientError, match="Rate exceeded"):
        survey(Throttled(), Options())


def test_credentials_do_not_show_their_secrets() -> None:
    """Neither in logs nor in a traceback."""
    shown = repr(Credentials(access_key_id="ASIAEXAMPLE", secret_access_key="hush", session_token="hush"))
    assert "hush" not in shown


def _event(logical_id: str, resource_type: str, status: str, reason: str) -> dict[str, str]:
    return {
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }
