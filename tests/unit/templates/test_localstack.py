"""LocalStack and its like: how they are reached, what they answered where they lack a service, what is then done."""

import warnings
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from urllib3.exceptions import InsecureRequestWarning

from scenario import load
from scenario.errors import LabError
from templates import localstack
from templates.build import build
from templates.cli import commands
from templates.deploy import DeleteStack, apply
from templates.localstack import absent
from templates.options import Options
from templates.outcome import left, made
from templates.preflight import preflight

LOCALSTACK = "The API for service guardduty is either not included in your current license plan or has not yet been emulated by LocalStack."
LOCALEMU = (
    "No moto route for service guardduty on path /detector/00000000000000000000000000000000/threatintelset found."
)
NO_GUARDDUTY = {"guardduty": ("InternalFailure", LOCALSTACK)}


def run(aws: Any, *arguments: str) -> Result:
    """Run a command against an emulator."""
    return CliRunner().invoke(commands(lambda _: aws.connect, lambda _: None), [*arguments, "--target", "localstack"])


@pytest.mark.parametrize(
    ("lacks", "services"),
    [
        ({}, ()),
        (NO_GUARDDUTY | {"cloudtrail": ("InternalFailure", LOCALSTACK)}, ("guardduty", "cloudtrail")),
        ({"guardduty": ("400", "")}, ("guardduty",)),
        ({"guardduty list_threat_intel_sets": ("InternalFailure", LOCALEMU)}, ("guardduty",)),
        (
            {"guardduty list_threat_intel_sets": ("404", "<!doctype html>\n<title>404 Not Found</title>")},
            ("guardduty",),
        ),
        ({"config": ("InternalFailure", "")}, ("config",)),
        ({"guardduty": ("AccessDeniedException", "no")}, ()),
    ],
    ids=["everything", "LocalStack", "MiniStack", "LocalEmu", "moto", "no Config", "refused is not absent"],
)
def test_what_is_absent_is_told_by_the_answers_of_each_emulator(
    aws: Any, lacks: dict[str, tuple[str, str]], services: tuple[str, ...]
) -> None:
    """LocalStack 2026.3.0, MiniStack, LocalEmu 1.3.2 and moto 5.2.5, as each answered."""
    aws.lacks = lacks
    assert absent(aws.connect(None)) == services


def test_a_lab_without_guardduty_has_neither_detector_nor_list_nor_a_stack_for_it() -> None:
    """And without recorder and trail no baseline at all."""
    scenario = load.load("lambda-malicious-ip", tasks_only=True)
    built = build(scenario, Options(guardduty=False))
    assert list(built) == ["bootstrap", "baseline", "workload"]
    types = {each.resource_type for template in built.values() for each in template.resources.values()}
    assert not [each for each in types if "GuardDuty" in each]
    assert "AWS::Config::ConfigurationRecorder" in types
    assert list(build(scenario, Options().without(("guardduty", "config", "cloudtrail")))) == ["bootstrap", "workload"]


def test_a_detector_to_use_and_no_guardduty_at_all_exclude_each_other() -> None:
    """One of the two was meant."""
    with pytest.raises(LabError, match="GuardDuty is to be left out"):
        Options(detector_id="d" * 32, guardduty=False)


def test_leaving_out_keeps_the_other_choices() -> None:
    """The prefix, and what was left out already; a detector goes with GuardDuty."""
    chosen = Options(name_prefix="two", detector_id="d" * 32, trail=False)
    assert chosen.without(("guardduty",)) == Options(name_prefix="two", guardduty=False, trail=False)
    assert chosen.without(()) == chosen


def test_what_is_absent_is_a_note_and_not_asked_again(aws: Any) -> None:
    """The note says what it means; with --no-guardduty of one's own likewise."""
    aws.lacks = NO_GUARDDUTY | {"cloudtrail": ("InternalFailure", LOCALSTACK)}
    lacking = absent(aws.connect(None))
    detector, recorder, trail, _ = preflight(aws.connect(None), Options().without(lacking), {}, lacking)
    assert (detector.state, recorder.state, trail.state) == ("note", "ok", "note")
    assert "no finding will arise and lab check cannot grade" in detector.found
    aws.lacks = {}
    assert preflight(aws.connect(None), Options(guardduty=False), {})[0].state == "note"


def test_deploying_leaves_out_what_is_absent_and_says_so_in_the_end(aws: Any) -> None:
    """The rest is there."""
    aws.lacks = NO_GUARDDUTY
    result = run(aws, "deploy", "--yes")
    assert result.exit_code == 0, result.exception
    assert result.stdout == "The lab is set up in account 486547846362, us-east-1, without GuardDuty.\n"
    assert "guardduty-labs-detection" not in aws.stacks
    assert "ok      function: traffic-simulation, Active." in result.stderr
    assert "connects from your machine for real" in result.stderr
    assert run(aws, "doctor").exit_code == 0
    assert run(aws, "destroy", "--yes").stdout == "The lab is gone from account 486547846362, us-east-1.\n"


def test_in_a_real_account_nothing_is_left_out_by_itself(aws: Any) -> None:
    """There, a service that does not answer is a problem."""
    aws.lacks = NO_GUARDDUTY
    app = commands(lambda _: aws.connect, lambda _: None)
    result = CliRunner().invoke(app, ["deploy", "--target", "aws", "--yes", "--account", "486547846362"])
    assert isinstance(result.exception, LabError)
    assert result.exception.tried == "deploying, GuardDuty detector"
    assert aws.log == []


@pytest.mark.parametrize("kind", ["function", "rule", "target", "list", "recorder", "trail"])
def test_a_complete_stack_whose_resource_is_not_there_is_no_success(aws: Any, kind: str) -> None:
    """Moto and LocalEmu call stacks complete with trails and recorders that they never made."""
    aws.unmade = {kind}
    result = run(aws, "deploy", "--yes")
    assert isinstance(result.exception, LabError)
    assert "stacks are complete, and yet" in result.exception.happened
    assert "The lab is set up" not in result.stdout


def test_a_function_that_failed_is_not_at_work(aws: Any) -> None:
    """LocalStack's function without Docker, with its reason."""
    run(aws, "deploy", "--yes")
    assert {check.state for check in made(aws.connect(None), Options())} == {"ok"}
    aws.function = {"State": "Failed", "StateReason": "Docker not available"}
    checks = {check.name: check for check in made(aws.connect(None), Options())}
    assert checks["function"].state == "problem"
    assert "Docker not available" in checks["function"].found


def test_what_stays_after_its_stack_is_told(aws: Any) -> None:
    """LocalStack cannot delete a function that failed, and calls its stack deleted."""
    run(aws, "deploy", "--yes")
    aws.stay = {"function"}
    result = run(aws, "destroy", "--yes")
    assert isinstance(result.exception, LabError)
    assert "still the function traffic-simulation" in result.exception.happened
    assert left(aws.connect(None), Options()) == ("function traffic-simulation",)


def test_who_may_not_look_is_not_told_that_all_is_gone(aws: Any) -> None:
    """A refusal says nothing of what is there."""
    run(aws, "deploy", "--yes")
    aws.lacks = {"iam get_role": ("AccessDenied", "You may not look at roles.")}
    result = run(aws, "destroy", "--yes")
    assert isinstance(result.exception, LabError)
    assert "You may not look at roles" in result.exception.happened
    assert "is gone" not in result.stdout


def test_a_deletion_that_is_called_failed_on_the_way_is_waited_for(aws: Any) -> None:
    """LocalStack says DELETE_FAILED, and DELETE_COMPLETE some seconds later; so it is asked again, with a pause."""
    run(aws, "deploy", "--yes")
    aws.misses = 2
    pauses: list[float] = []
    apply([DeleteStack(stack_name="guardduty-labs-workload")], aws.connect, sleep=pauses.append)
    assert aws.stacks["guardduty-labs-workload"]["StackStatus"] == "DELETE_COMPLETE"
    assert sum(pauses) > 5


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("Error while creating lambda: Installation of lambda-runtime v0.1.41-pre failed", "Docker"),
        ("Error while creating lambda: Docker not available", "Docker"),
        ("(ResourceConflictException) ... Function already exist: traffic-simulation", "--name-prefix"),
    ],
)
def test_the_reasons_of_emulators_have_advice(aws: Any, reason: str, advice: str) -> None:
    """LocalStack's and LocalEmu's, word for word."""
    aws.fails["guardduty-labs-workload"] = "CREATE_FAILED"
    aws.events = [
        {
            "LogicalResourceId": "TrafficSimulation",
            "ResourceType": "AWS::Lambda::Function",
            "ResourceStatus": "CREATE_FAILED",
            "ResourceStatusReason": reason,
        }
    ]
    result = run(aws, "deploy", "--yes")
    assert isinstance(result.exception, LabError)
    assert advice in result.exception.try_next


def test_types_that_an_emulator_refuses_are_told_with_the_options_that_leave_them_out(aws: Any) -> None:
    """MiniStack's refusal comes with the call, not as a stack's event."""
    aws.lacks = {
        "cloudformation create_stack": (
            "ValidationError",
            "Template format error: Unrecognized resource types: [AWS::CloudTrail::Trail]",
        )
    }
    result = run(aws, "deploy", "--yes")
    assert isinstance(result.exception, LabError)
    assert "--no-trail" in result.exception.try_next


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about where AWS or LocalStack is."""
    for name in ("AWS_ENDPOINT_URL", "LOCALSTACK_HOST", "USE_SSL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("service", ["guardduty", "config", "cloudtrail", "s3", "lambda"])
def test_every_service_is_reached_at_the_one_address(clean: pytest.MonkeyPatch, service: str) -> None:
    """localstack-client's own session knows no GuardDuty."""
    assert localstack.connect(None).client(service).meta.endpoint_url == "http://localhost:4566"
    clean.setenv("LOCALSTACK_HOST", "127.0.0.1:14566")
    clean.setenv("AWS_REGION", "eu-central-1")
    client = localstack.connect(None).client(service)
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:14566", "eu-central-1")


def test_over_tls_nobody_is_warned_of_localstacks_own_certificate(clean: pytest.MonkeyPatch) -> None:
    """One warning for each of the calls hid what the command said."""
    clean.setenv("USE_SSL", "1")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = localstack.connect(None).client("sts")
        warnings.warn("as urllib3 does", InsecureRequestWarning, stacklevel=1)
    assert client.meta.endpoint_url == "https://localhost:4566"
    assert caught == []


def test_nothing_of_the_user_s_own_is_sent_and_buckets_go_into_the_path(clean: pytest.MonkeyPatch) -> None:
    """A real key in the environment stays there."""
    clean.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    clean.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    url = localstack.connect(None).client("s3").generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    assert url.startswith("http://localhost:4566/b/k?")
    assert "AKIAREAL" not in url


def test_an_address_that_is_none_is_bad_usage(clean: pytest.MonkeyPatch) -> None:
    """With what it should look like."""
    clean.setenv("LOCALSTACK_HOST", "127.0.0.1:port")
    with pytest.raises(LabError, match="HOST:PORT") as caught:
        localstack.connect(None).client("sts")
    assert caught.value.exit_code == 2


def test_what_fails_while_looking_is_told_as_the_worlds_answer(aws: Any) -> None:
    """Stacks that may not be described: no traceback, no plan."""
    aws.lacks = {"cloudformation describe_stacks": ("AccessDenied", "not authorized")}
    for command in ("deploy", "destroy"):
        result = run(aws, command, "--yes")
        assert isinstance(result.exception, LabError)
        assert "AccessDenied" in result.exception.happened
    assert "problem reach: asking localstack" in run(aws, "doctor").stdout
