"""What the templates say, property by property."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from scenario.errors import LabError
from scenario.model import Scenario
from templates.build import PARTS, build
from templates.options import Options

DETECTOR = "0123456789abcdef0123456789abcdef"
EVERY_OPTION = tuple(
    Options(name_prefix=prefix, detector_id=detector, recorder=recorder, trail=trail)
    for prefix, detector, recorder, trail in itertools.product(
        ("", "team3"), (None, DETECTOR), (True, False), (True, False)
    )
)

ENGINE_TYPES = {
    "AWS::CloudTrail::Trail",
    "AWS::Config::ConfigurationRecorder",
    "AWS::Config::DeliveryChannel",
    "AWS::Events::Rule",
    "AWS::GuardDuty::Detector",
    "AWS::GuardDuty::ThreatIntelSet",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
}
"""What the templates may use: the lab's own stack engine knows these."""


def built(scenario: Scenario, options: Options) -> dict[str, dict[str, Any]]:
    """Return the templates as CloudFormation reads them."""
    return {part: json.loads(template.to_json()) for part, template in build(scenario, options).items()}


def resources(scenario: Scenario, options: Options) -> dict[str, dict[str, Any]]:
    """Return every resource of every template by its logical id."""
    return {
        title: resource
        for template in built(scenario, options).values()
        for title, resource in template.get("Resources", {}).items()
    }


def of_type(found: dict[str, dict[str, Any]], resource_type: str) -> list[dict[str, Any]]:
    """Return the properties of the resources of a type."""
    return [each["Properties"] for each in found.values() if each["Type"] == resource_type]


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every policy statement in `value`, however deep."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for each in value.values():
            yield from statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from statements(each)


def listed(value: Any) -> list[Any]:
    """Return `value` as a list: policies allow a single item."""
    return value if isinstance(value, list) else [value]


def test_parts_come_in_the_order_of_deployment(scenario: Scenario) -> None:
    """Bootstrap first, the list last."""
    assert tuple(build(scenario, Options())) == PARTS


def test_the_same_options_give_the_same_text(scenario: Scenario) -> None:
    """A template that changes by itself would update stacks for nothing."""
    first, second = (
        [template.to_json() + template.to_yaml() for template in build(scenario, Options()).values()] for _ in range(2)
    )
    assert first == second


def test_a_scenario_without_templates_is_refused(scenario: Scenario) -> None:
    """The message names the scenarios that have some."""
    from dataclasses import replace

    with pytest.raises(LabError, match="lambda-malicious-ip") as caught:
        build(replace(scenario, id="another"), Options())
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("options", EVERY_OPTION, ids=str)
def test_only_types_that_the_stack_engine_knows_are_used(scenario: Scenario, options: Options) -> None:
    """Otherwise the simulator could not deploy the very template that AWS gets."""
    assert {each["Type"] for each in resources(scenario, options).values()} <= ENGINE_TYPES


def test_the_detector_watches_lambda(scenario: Scenario) -> None:
    """Lambda protection is a feature of the detector."""
    (detector,) = of_type(resources(scenario, Options()), "AWS::GuardDuty::Detector")
    assert detector["Enable"] is True
    assert detector["Features"] == [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}]


def test_the_threat_list_is_active_and_belongs_to_the_exported_detector(scenario: Scenario) -> None:
    """Name, format and activation as the module tells; the detector's id comes from the baseline stack."""
    templates = built(scenario, Options())
    (threat_list,) = of_type(templates["detection"]["Resources"], "AWS::GuardDuty::ThreatIntelSet")
    assert (threat_list["Name"], threat_list["Format"], threat_list["Activate"]) == ("S3BadIpAddressList", "TXT", True)
    export = templates["baseline"]["Outputs"]["DetectorId"]["Export"]["Name"]
    assert {"Fn::ImportValue": export} == threat_list["DetectorId"]


def test_the_function_is_the_modules(scenario: Scenario) -> None:
    """Name, description, handler, and code from S3."""
    (function,) = of_type(resources(scenario, Options()), "AWS::Lambda::Function")
    assert function["FunctionName"] == "traffic-simulation"
    assert function["Description"] == "Function to simulate malicious IP calls"
    assert function["Handler"] == "index.handler"
    assert function["Code"] == {"S3Bucket": {"Ref": "AssetsBucketName"}, "S3Key": {"Ref": "CodeKey"}}


def test_the_rule_runs_the_function_every_ten_minutes_and_nobody_else_may(scenario: Scenario) -> None:
    """The permission names the rule."""
    found = resources(scenario, Options())
    (rule,) = of_type(found, "AWS::Events::Rule")
    (permission,) = of_type(found, "AWS::Lambda::Permission")
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(10 minutes)", "ENABLED")
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["TrafficSimulation", "Arn"]}]
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["TrafficSimulationSchedule", "Arn"]}


def test_the_function_may_only_write_to_its_own_log_group(scenario: Scenario) -> None:
    """And the log group goes with the stack."""
    found = resources(scenario, Options())
    role = found["TrafficSimulationRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    (allowed,) = statements(role["Policies"])
    assert allowed["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert allowed["Resource"] == {"Fn::GetAtt": ["TrafficSimulationLogs", "Arn"]}
    assert found["TrafficSimulationLogs"]["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize("options", EVERY_OPTION, ids=str)
def test_nothing_but_workshop_studios_roles_is_allowed_a_wildcard_of_actions(
    scenario: Scenario, options: Options
) -> None:
    """Least privilege: every other Allow names its actions and its resources."""
    for title, resource in resources(scenario, options).items():
        if title in ("WSSystemRole", "WSParticipantRole"):
            continue
        for statement in statements(resource):
            if statement["Effect"] == "Allow":
                assert not any("*" in action for action in listed(statement["Action"])), title
                assert "*" not in listed(statement.get("Resource", "")), title


@pytest.mark.parametrize("options", EVERY_OPTION, ids=str)
def test_every_bucket_is_private_encrypted_and_reached_over_tls_only(scenario: Scenario, options: Options) -> None:
    """Each bucket has a policy of its own that denies plain HTTP, and goes with its stack."""
    found = resources(scenario, options)
    buckets = {title: each for title, each in found.items() if each["Type"] == "AWS::S3::Bucket"}
    policies = {each["Bucket"]["Ref"]: each["PolicyDocument"] for each in of_type(found, "AWS::S3::BucketPolicy")}
    assert buckets.keys() == policies.keys()
    for title, bucket in buckets.items():
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Delete", "Delete")
        properties = bucket["Properties"]
        assert all(properties["PublicAccessBlockConfiguration"].values())
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        (deny,) = (each for each in statements(policies[title]) if each["Effect"] == "Deny")
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (deny["Principal"], deny["Action"], len(deny["Resource"])) == ("*", "s3:*", 2)


def test_the_trails_bucket_takes_only_this_trails_files(scenario: Scenario) -> None:
    """Both statements for the service name the trail."""
    found = resources(scenario, Options())
    allows = [each for each in statements(found["TrailBucketPolicy"]) if each["Effect"] == "Allow"]
    assert len(allows) == 2
    for allow in allows:
        assert allow["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].endswith(":trail/guardduty-labs-trail")


def test_recorder_and_channel_do_not_wait_for_each_other(scenario: Scenario) -> None:
    """A dependency either way would hang: CloudFormation's recorder is complete only once a channel exists."""
    found = resources(scenario, Options())
    assert "DependsOn" not in found["ConfigRecorder"]
    assert "ConfigRecorder" not in found["DeliveryChannel"]["DependsOn"]


def test_a_participant_can_neither_become_the_system_nor_change_the_roles(scenario: Scenario) -> None:
    """Otherwise the trail would not say who did what."""
    role = resources(scenario, Options())["WSParticipantRole"]["Properties"]
    denied = {each["Sid"]: each for each in statements(role["Policies"]) if each["Effect"] == "Deny"}
    assert {"StayInTheRegions", "NotTheSystem", "KeepTheRoles"} == denied.keys()
    assert denied["NotTheSystem"]["Action"] == "sts:AssumeRole"
    assert denied["NotTheSystem"]["Resource"]["Fn::Sub"].endswith("role/WSSystemRole")
    assert role["ManagedPolicyArns"] == [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}]


def test_the_system_role_opens_for_sessions_named_system_only(scenario: Scenario) -> None:
    """Whatever it did then reads WSSystemRole/System."""
    role = resources(scenario, Options())["WSSystemRole"]["Properties"]
    (trust,) = statements(role["AssumeRolePolicyDocument"])
    assert trust["Condition"] == {"StringEquals": {"sts:RoleSessionName": "System"}}
    assert trust["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


def test_an_existing_detector_is_used_and_none_is_made(scenario: Scenario) -> None:
    """The list then belongs to the detector that the instructor named."""
    found = resources(scenario, Options(detector_id=DETECTOR))
    assert of_type(found, "AWS::GuardDuty::Detector") == []
    assert [each["DetectorId"] for each in of_type(found, "AWS::GuardDuty::ThreatIntelSet")] == [DETECTOR]


def test_recorder_and_trail_can_be_left_out_with_all_that_serves_them(scenario: Scenario) -> None:
    """No bucket or role is made for nothing."""
    baseline = built(scenario, Options(recorder=False, trail=False))["baseline"]
    assert {"Detector"} == baseline["Resources"].keys()


def test_a_baseline_with_nothing_in_it_is_no_stack(scenario: Scenario) -> None:
    """CloudFormation refuses a template without resources."""
    options = Options(detector_id=DETECTOR, recorder=False, trail=False)
    assert tuple(build(scenario, options)) == ("bootstrap", "workload", "detection")


def names(value: Any) -> Iterator[str]:
    """Yield every name that AWS wants to be unique in an account, Region or stack export, however deep in `value`."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in ("RoleName", "FunctionName", "LogGroupName", "BucketName", "TrailName", "Name"):
                text = each["Fn::Sub"] if isinstance(each, dict) and "Fn::Sub" in each else each
                if isinstance(text, str) and text != "LAMBDA_NETWORK_LOGS":
                    yield text.removeprefix("/aws/lambda/")
            yield from names(each)
    elif isinstance(value, list):
        for each in value:
            yield from names(each)


def test_a_prefix_goes_before_every_name(scenario: Scenario) -> None:
    """Two labs in one account share no name."""
    plain, prefixed = (sorted(names(built(scenario, options))) for options in (Options(), Options(name_prefix="team3")))
    assert [f"team3-{name}" for name in plain] == prefixed
    assert {"traffic-simulation", "S3BadIpAddressList", "WSSystemRole", "guardduty-labs-DetectorId"} <= set(plain)


def test_no_template_holds_what_differs_between_trainees(scenario: Scenario) -> None:
    """Address and account reach CloudFormation as uploads and parameters, so `lab template` gives nothing away."""
    from scenario.variant import variant

    text = json.dumps(built(scenario, Options()))
    values = variant(scenario, "demo")
    assert all(each not in text for each in (values.malicious_ip, values.account_id, *values.list_entries))


@pytest.mark.parametrize("prefix", ["Team", "3teams", "team-3", "averylongprefix", "é", "a b"])
def test_a_prefix_that_no_bucket_could_have_is_refused(prefix: str) -> None:
    """Before anything is deployed, as bad usage."""
    with pytest.raises(LabError, match="name prefix") as caught:
        Options(name_prefix=prefix)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("detector", ["", "0123", DETECTOR.upper(), DETECTOR + "0"])
def test_a_detector_that_is_none_is_refused(detector: str) -> None:
    """32 hexadecimal digits, as AWS writes them."""
    with pytest.raises(LabError, match="32 lower-case"):
        Options(detector_id=detector)


def test_the_longest_bucket_name_is_one_that_s3_takes() -> None:
    """63 characters at most, with the longest prefix, purpose and Region."""
    assert len(Options(name_prefix="a" * 10).bucket("assets", "486547846362", "ap-southeast-2")) <= 63
