"""What an account has already, and what the instructor is told to do about it."""

from typing import Any

import pytest

from templates.options import Options
from templates.preflight import identify, preflight

DETECTOR = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"
OURS = {"guardduty-labs-baseline": "CREATE_COMPLETE"}


def states(aws: Any, options: Options, stacks: dict[str, str]) -> list[str]:
    """Return the checks' states in their order: detector, recorder, trail, stacks."""
    return [check.state for check in preflight(aws.connect(None), options, stacks)]


def test_an_empty_account_is_ready(aws: Any) -> None:
    """Nothing to note."""
    assert states(aws, Options(), {}) == ["ok", "ok", "ok", "ok"]


def test_the_identity_is_told_with_account_and_region(aws: Any) -> None:
    """So that nobody deploys into the wrong account."""
    identity = identify(aws.connect(None))
    assert (identity.account_id, identity.region) == ("486547846362", "us-east-1")
    assert identity.arn.endswith("user/teacher")


def test_what_the_lab_itself_made_is_no_obstacle(aws: Any) -> None:
    """A second deploy finds the first one's detector and recorder."""
    aws.detectors, aws.recorders, aws.trails = {DETECTOR: []}, ["default"], ["guardduty-labs-trail"]
    assert states(aws, Options(), OURS) == ["ok", "ok", "ok", "ok"]


def test_somebody_elses_detector_and_recorder_would_make_the_stack_fail(aws: Any) -> None:
    """The advice is the option that uses them."""
    aws.detectors, aws.recorders = {DETECTOR: []}, ["landing-zone"]
    detector, recorder, _, _ = preflight(aws.connect(None), Options(), {})
    assert ("problem", f"Use it: --detector {DETECTOR}") == (detector.state, detector.advice)
    assert (recorder.state, recorder.advice) == ("problem", "Use it: --no-recorder")
    assert "landing-zone" in recorder.found


@pytest.mark.parametrize(
    ("features", "state"),
    [
        ([], "note"),
        ([{"Name": "LAMBDA_NETWORK_LOGS", "Status": "DISABLED"}], "note"),
        ([{"Name": "S3_DATA_EVENTS", "Status": "ENABLED"}], "note"),
        ([{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}], "ok"),
    ],
)
def test_a_detector_without_lambda_protection_is_noted(aws: Any, features: list[dict[str, str]], state: str) -> None:
    """Deploying changes it, so it is said beforehand."""
    aws.detectors = {DETECTOR: features}
    assert state == preflight(aws.connect(None), Options(detector_id=DETECTOR), {})[0].state


def test_a_detector_that_is_not_there_is_a_problem(aws: Any) -> None:
    """With the id of the one that is, or without the option."""
    missing = preflight(aws.connect(None), Options(detector_id=DETECTOR), {})[0]
    assert (missing.state, missing.advice) == ("problem", "Leave --detector out.")
    aws.detectors = {OTHER: []}
    assert f"Use --detector {OTHER}" == preflight(aws.connect(None), Options(detector_id=DETECTOR), {})[0].advice


def test_no_recorder_at_all_is_noted(aws: Any) -> None:
    """The module's timeline step would show nothing."""
    assert preflight(aws.connect(None), Options(recorder=False), {})[1].state == "note"


def test_a_second_trail_is_noted_as_a_cost(aws: Any) -> None:
    """It works, and is billed."""
    aws.trails = ["organization"]
    assert preflight(aws.connect(None), Options(), {})[2].state == "note"
    assert preflight(aws.connect(None), Options(trail=False), {})[2].state == "ok"


def test_a_service_that_refuses_is_a_problem_told(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One closed door does not hide the other checks."""
    from botocore.exceptions import ClientError

    def refuse(_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "ListDetectors")

    monkeypatch.setattr(aws.client_class, "list_detectors", refuse)
    detector, *others = preflight(aws.connect(None), Options(), {})
    assert detector.state == "problem"
    assert "AccessDeniedException" in detector.found
    assert [each.state for each in others] == ["ok", "ok", "ok"]
