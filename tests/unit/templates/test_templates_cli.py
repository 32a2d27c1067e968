"""The instructor's commands, against a fake account."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scenario.errors import LabError
from templates.cli import Target, commands
from templates.preflight import Check

MORE = Check(name="gaps", state="note", found="two operations", advice="See the page of coverage.")
DETECTOR = "0123456789abcdef0123456789abcdef"


def run(aws: Any, *arguments: str, answer: str | None = None, seed: str | None = "demo") -> Result:
    """Run a command and return its result; an error is kept in it."""
    app = commands(lambda _: aws.connect, lambda _: (seed, None) if seed else None, lambda _: [MORE])
    return CliRunner().invoke(app, arguments, input=answer)


def test_template_prints_every_part_as_yaml(aws: Any) -> None:
    """Documents after one another, in the order of deployment."""
    result = run(aws, "template")
    assert result.exit_code == 0
    documents = result.stdout.split("---\n")
    assert len(documents) == 4
    assert "WSSystemRole" in documents[0]
    assert "AWS::GuardDuty::ThreatIntelSet" in documents[3]


def test_template_prints_json_by_part_or_one_part_alone(aws: Any) -> None:
    """Either parses."""
    assert list(json.loads(run(aws, "template", "--format", "json").stdout)) == [
        "bootstrap",
        "baseline",
        "workload",
        "detection",
    ]
    one = json.loads(run(aws, "template", "workload", "--format", "json").stdout)
    assert "TrafficSimulation" in one["Resources"]


def test_template_takes_the_options(aws: Any) -> None:
    """What is printed is what those options deploy."""
    printed = run(aws, "template", "baseline", "--no-recorder", "--no-trail", "--name-prefix", "team3").stdout
    assert "AWS::Config" not in printed
    assert "team3-guardduty-labs-DetectorId" in printed


def test_a_part_that_the_options_empty_is_refused(aws: Any) -> None:
    """There is no such stack."""
    result = run(aws, "template", "baseline", "--no-recorder", "--no-trail", "--detector", DETECTOR)
    assert isinstance(result.exception, LabError)
    assert result.exception.exit_code == 2


def test_deploy_shows_the_plan_asks_and_does_it(aws: Any) -> None:
    """The plan is narration, the result a sentence."""
    result = run(aws, "deploy", answer="y\n")
    assert result.exit_code == 0, result.exception
    assert "simulator at https://sts.amazonaws.com: account 486547846362, us-east-1, as arn:" in result.stderr
    assert " 1. create stack guardduty-labs-bootstrap as yourself" in result.stderr
    assert result.stdout.endswith("The lab is set up in account 486547846362, us-east-1.\n")
    assert sum(operation == "create_stack" for _, operation, _ in aws.log) == 4


def test_deploy_does_nothing_without_consent(aws: Any) -> None:
    """Anything but yes is no."""
    result = run(aws, "deploy", answer="\n")
    assert result.exit_code == 1
    assert result.stderr.endswith("Nothing was changed.\n")
    assert aws.log == []


def test_a_dry_run_prints_the_plan_as_its_result_and_changes_nothing(aws: Any) -> None:
    """Nor does it ask."""
    result = run(aws, "deploy", "--dry-run")
    assert len(result.stdout.splitlines()) == 6
    assert aws.log == []


def test_deploy_stops_before_what_would_fail(aws: Any) -> None:
    """A detector that is there already, with the option that uses it."""
    aws.detectors = {DETECTOR: []}
    result = run(aws, "deploy", "--yes")
    assert isinstance(result.exception, LabError)
    assert f"--detector {DETECTOR}" in result.exception.try_next
    assert aws.log == []


def test_in_a_real_account_yes_is_not_enough(aws: Any) -> None:
    """Whoever runs it unattended names the account, and it must be the right one."""
    for arguments in (("--yes",), ("--yes", "--account", "111111111111")):
        result = run(aws, "deploy", "--target", "aws", *arguments)
        assert isinstance(result.exception, LabError)
        assert result.exception.exit_code == 2
    assert aws.log == []
    assert run(aws, "deploy", "--target", "aws", "--yes", "--account", "486547846362").exit_code == 0
    assert aws.log


def test_in_a_real_account_a_test_address_is_warned_of(aws: Any) -> None:
    """Whether GuardDuty reports those is not known."""
    assert "test address" in run(aws, "deploy", "--target", "aws", "--dry-run").stderr
    assert "test address" not in run(aws, "deploy", "--target", "aws", "--dry-run", "--ip", "198.18.7.7").stderr


def test_the_lab_that_runs_there_gives_the_seed(aws: Any) -> None:
    """Deploying again keeps its address; --seed overrides, and without either the account decides."""
    plans = {
        run(aws, "deploy", "--dry-run", *arguments, seed=seed).stdout
        for arguments, seed in (((), "demo"), (("--seed", "demo"), None), (("--seed", "demo"), "other"))
    }
    assert len(plans) == 1
    assert plans != {run(aws, "deploy", "--dry-run", seed=None).stdout}


def test_the_address_that_was_chosen_for_the_running_lab_is_kept(aws: Any) -> None:
    """Unless another seed or address is asked for."""

    def uploads(*arguments: str) -> set[str]:
        app = commands(lambda _: aws.connect, lambda _: ("demo", "198.18.7.7"))
        plan = CliRunner().invoke(app, ["deploy", "--dry-run", *arguments]).stdout
        return {line.split()[2] for line in plan.splitlines() if " upload " in line}

    demo = uploads("--seed", "demo")
    assert uploads() == uploads("--seed", "demo", "--ip", "198.18.7.7")
    assert not uploads() & demo
    assert not uploads("--ip", "198.18.9.9") & (demo | uploads())


def test_destroy_takes_away_what_deploy_made(aws: Any) -> None:
    """And says so; a second time there is nothing."""
    run(aws, "deploy", "--yes")
    result = run(aws, "destroy", "--yes")
    assert result.stdout == "The lab is gone from account 486547846362, us-east-1.\n"
    assert run(aws, "destroy", "--yes").stdout == "There is no lab in account 486547846362, us-east-1.\n"


def test_destroy_shows_before_it_asks(aws: Any) -> None:
    """And keeps everything without consent."""
    run(aws, "deploy", "--yes")
    before = len(aws.log)
    assert len(run(aws, "destroy", "--dry-run").stdout.splitlines()) == 4
    assert run(aws, "destroy", answer="n\n").exit_code != 0
    assert before == len(aws.log)


def test_credentials_that_are_refused_are_told_as_such(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything else is asked of the account."""
    from botocore.exceptions import NoCredentialsError

    def nobody(_: Any) -> None:
        raise NoCredentialsError

    monkeypatch.setattr(aws.client_class, "get_caller_identity", nobody)
    result = run(aws, "deploy", "--target", "aws", "--dry-run")
    assert isinstance(result.exception, LabError)
    assert "asking aws: Unable to locate credentials" in str(result.exception)


def test_doctor_tells_identity_account_and_what_other_rooms_add(aws: Any) -> None:
    """Each in a line, with what to do."""
    result = run(aws, "doctor", "--target", "aws")
    assert result.exit_code == 0
    assert "ok      identity: arn:aws:iam::486547846362:user/teacher in account 486547846362" in result.stdout
    assert "note    gaps: two operations. See the page of coverage." in result.stdout
    assert aws.log == []


def test_doctor_ends_with_three_where_deploying_would_fail(aws: Any) -> None:
    """And says which option helps, in JSON as well."""
    aws.detectors = {DETECTOR: []}
    result = run(aws, "doctor", "--json")
    assert result.exit_code == 3
    document = json.loads(result.stdout)
    assert document["target"] == "simulator"
    (problem,) = (check for check in document["checks"] if check["state"] == "problem")
    assert problem["advice"] == f"Use it: --detector {DETECTOR}"


def test_doctor_tells_a_world_out_of_reach_as_a_problem() -> None:
    """Together with what other rooms found, not instead of it."""

    def nowhere(_: Target) -> Any:
        raise LabError("reaching the simulator", "nothing answers", "Run lab start.")

    result = CliRunner().invoke(commands(nowhere, lambda _: None, lambda _: [MORE]), ["doctor"])
    assert result.exit_code == 3
    assert "problem reach: reaching the simulator: nothing answers. Run lab start." in result.stdout
    assert "gaps" in result.stdout


def test_every_target_of_the_contract_is_one() -> None:
    """docs: lab deploy|destroy|doctor --target aws|localstack|simulator."""
    assert [target.value for target in Target] == ["simulator", "localstack", "aws"]
