"""The 37 cases with the verdict a good instructor gives, in their order, each graded on evidence."""

from datetime import timedelta
from typing import Any

import pytest

from checker.evidence import Addresses, AddressList, Evidence, Rule
from checker.grade import Answers, Report, TaskResult, grade
from checker.rules import Status
from checker.rules.proven import Proof
from checker.rules.samples import CODE, CREATION, HISTORY, IP, NAME, NOW, THREATS, connection, event, lab, outlook
from scenario.model import Scenario

RIGHT = {"function-name": NAME, "malicious-ip": IP, "creator": "WSSystemRole"}
GOES_ON = outlook(connection())
QUIET = outlook()
READ = event("GetFindings", minutes=-30, read_only=True, source="guardduty.amazonaws.com")
TRUSTED = AddressList(name="mine", trusted=True, status="ACTIVE", entries=Addresses(single=frozenset((IP,))))


def result(scenario: Scenario, evidence: Evidence, task: str = "remediation", **answers: str) -> TaskResult:
    """Return one task's result."""
    report = grade(scenario, evidence, Answers(texts=answers))
    return next(each for each in report.tasks if each.id == task)


def parts(found: TaskResult) -> dict[str, int]:
    """Return the points of each part."""
    return {part.id: part.score for part in found.parts}


def change(name: str, minutes: float = 1, **members: Any) -> Any:
    """Return a change of the trainee's to the function."""
    return event(name, minutes=minutes, request={"functionName": NAME, **members})


ACCEPTED: dict[str, tuple[dict[str, Any], str]] = {
    "1 disabled rule": ({"rule_enabled": False}, "rule-disabled"),
    "3 unlisted host": ({"outlook": outlook(connection(ip="192.0.2.9")), "code_sha256": "new"}, "code-changed"),
    "6 nonexistent handler that connects to nothing": ({"code_sha256": CODE}, "stopped"),
    "10 VPC without NAT": ({"vpc_id": "vpc-1", "outlook": outlook(connection(permitted=False))}, "vpc-closed"),
    "11 group without egress": ({"vpc_id": "vpc-1", "outlook": outlook(connection(permitted=False))}, "vpc-closed"),
    "13 workload stack deleted": ({"function": None, "rules": ()}, "function-deleted"),
    "15 deleted, same object in S3": ({"function": None}, "function-deleted"),
    "18 archived after containment": ({"rule_enabled": False, "archived": True}, "rule-disabled"),
    "28 permission removed": ({"invokers": ()}, "permission-removed"),
}


@pytest.mark.parametrize("case", ACCEPTED, ids=ACCEPTED)
def test_fixes_that_work_are_accepted_and_explained(scenario: Scenario, case: str) -> None:
    """Whatever stops the traffic passes, and its state is the explanation."""
    changes, kind = ACCEPTED[case]
    found = result(scenario, lab(**{"outlook": QUIET, **changes}))
    assert (found.status, found.kind) == (Status.PASSED, kind)


def _done(*events: Any, **changes: Any) -> dict[str, Any]:
    return {"mine": events, **changes}


REFUSED = {
    "2 slower schedule": (_done(schedule="rate(1 day)"), "slower"),
    "4 another listed address": (
        _done(outlook=outlook(connection(ip="203.0.113.77")), code_sha256="new"),
        "code-still-calls",
    ),
    "5 timeout of a second": (_done(change("UpdateFunctionConfiguration20150331v2", timeout=1)), "short-timeout"),
    "6 handler whose import connects": (
        _done(change("UpdateFunctionConfiguration20150331v2", handler="x.y")),
        "short-timeout",
    ),
    "7 role deleted, warm environment goes on": (_done(event("DeleteRole", minutes=1)), "role-denied"),
    "8 everything denied to the role": (_done(event("AttachRolePolicy", minutes=1)), "role-denied"),
    "9 unattached group": (
        _done(event("CreateSecurityGroup", minutes=1, source="ec2.amazonaws.com")),
        "unattached-network",
    ),
    "9 allow-all group attached": (_done(vpc_id="vpc-1"), "open-group"),
    "12 ACL, function outside VPC": (_done(event("CreateNetworkAclEntry", minutes=1)), "unattached-network"),
    "18 archived alone": (_done(archived=True), "archived"),
    "20 event invoke config deleted": (_done(change("DeleteFunctionEventInvokeConfig")), "retry-settings"),
    "20 retries 0": (_done(change("PutFunctionEventInvokeConfig")), "retry-settings"),
    "21 concurrency lifted early": (
        _done(change("PutFunctionConcurrency20171031"), change("DeleteFunctionConcurrency20171031", 2)),
        "concurrency-lifted",
    ),
    "22 code object deleted": (_done(stored_code=frozenset()), "code-object-deleted"),
    "24 look-alike deleted": (
        _done(event("DeleteFunction20150331", minutes=1, request={"functionName": f"{NAME}-canary"})),
        "other-function-deleted",
    ),
    "25 Lambda protection off": (_done(lambda_protection=False), "protection-off"),
    "fix undone": (_done(event("DisableRule", minutes=1), event("EnableRule", minutes=2)), "rule-enabled-again"),
    "one of two rules disabled": (
        _done(rules=(Rule(name="a", enabled=False), Rule(name="b", enabled=True, schedule="cron(30 3 * * ? *)"))),
        "another-trigger",
    ),
    "rule disabled beside a schedule": (
        _done(
            rule_enabled=False, outlook=outlook(connection(source="arn:aws:scheduler:us-east-1:1:schedule/default/n"))
        ),
        "another-trigger",
    ),
    "renamed copy": (_done(function=None, rules=(), outlook=outlook(connection(function="copy"))), "another-function"),
    "detector suspended": (_done(detector_on=False), "protection-off"),
    "detector deleted": (_done(detector_id=None, detector_on=False, lambda_protection=False), "protection-off"),
    "list emptied": (
        _done(lists=(AddressList(name="S3BadIpAddressList", trusted=False, status="ACTIVE"),)),
        "list-emptied",
    ),
    "list deactivated": (
        _done(lists=(AddressList(name="L", trusted=False, status="INACTIVE", entries=THREATS.entries),)),
        "list-inactive",
    ),
    "list deleted": (_done(lists=()), "list-inactive"),
    "trusted": (_done(lists=(THREATS, TRUSTED)), "trusted"),
    "suppressed": (_done(suppressions=("quiet",)), "suppressed"),
    "recorder stopped": (_done(recorder_on=False), "recorder-stopped"),
    "trail stopped": (_done(trails=(("t", False),)), "trail-stopped"),
}


@pytest.mark.parametrize("case", REFUSED, ids=REFUSED)
def test_what_is_no_fix_is_refused_by_name(scenario: Scenario, case: str) -> None:
    """The traffic goes on, so it fails; what was tried is the explanation; the address is not said."""
    changes, kind = REFUSED[case]
    found = result(scenario, lab(**{"outlook": GOES_ON, **changes}))
    assert (found.status, found.kind, found.score) == (Status.FAILED, kind, 0)
    assert IP not in f"{found.why} {found.next}"
    assert found.evidence == ()


def test_case_3_says_that_the_code_still_calls(scenario: Scenario) -> None:
    """An unlisted address counts as stopped, with a remark that the code is not to be trusted."""
    found = result(scenario, lab(outlook=outlook(connection(ip="192.0.2.9"))))
    assert any("on no list" in str(remark) for remark in found.remarks)


def test_case_11_explains_why_count_may_grow(scenario: Scenario) -> None:
    """Refused connections may still raise the finding as blocked."""
    found = result(scenario, lab(outlook=outlook(connection(permitted=False)), vpc_id="vpc-1"))
    assert any("Blocked: true" in str(remark) for remark in found.remarks)


def test_case_13_stack_deleted_is_cleanest(scenario: Scenario) -> None:
    """Nothing is left over, so nothing is said of residue."""
    found = result(scenario, lab(outlook=QUIET, function=None, rules=(), mine=(event("DeleteStack", minutes=1),)))
    assert not any("Left over" in str(remark) for remark in found.remarks)


def test_case_14_baseline_deleted_too_stops_with_heavy_collateral(scenario: Scenario) -> None:
    """Stopped counts even when nothing is left to look at; the damage costs its points."""
    evidence = lab(
        outlook=QUIET,
        assigned=None,
        findings=(),
        function=None,
        rules=(),
        history=(),
        stored_code=frozenset(),
        detector_id=None,
        detector_on=False,
        lambda_protection=False,
        lists=(),
        recorder_on=None,
        trails=(),
        mine=(
            event("DeleteStack", minutes=1),
            event("DeleteConfigurationRecorder", minutes=1),
            event("DeleteTrail", minutes=1),
        ),
    )
    found = result(scenario, evidence)
    assert found.status is Status.PASSED
    assert parts(found) == {"stopped": 25, "evidence": 0, "collateral": 0, "verified": 0}


DELETED = change("DeleteFunction20150331", 5)
FETCHED = event("GetFunction20150331v2", minutes=2, read_only=True, request={"functionName": NAME})


@pytest.mark.parametrize(
    ("case", "changes", "points"),
    [
        ("15 S3 keeps the object", {}, 5),
        ("16 no copy anywhere", {"stored_code": frozenset()}, 0),
        ("17 fetched first", {"stored_code": frozenset(), "mine": (FETCHED, DELETED)}, 5),
        ("23 trail stopped", {"trails": (("t", False),)}, 0),
        (
            "23 logs deleted",
            {"mine": (DELETED, event("DeleteLogGroup", minutes=6, request={"logGroupName": f"/aws/lambda/{NAME}"}))},
            0,
        ),
    ],
)
def test_evidence_is_judged_by_what_can_still_be_had(
    scenario: Scenario, case: str, changes: dict[str, Any], points: int
) -> None:
    """Deletion alone costs nothing; the last copy does."""
    found = result(scenario, lab(**{"outlook": QUIET, "function": None, "mine": (DELETED,), **changes}))
    assert found.status is Status.PASSED
    assert parts(found)["evidence"] == points, case


def test_case_19_a_trusted_entry_left_is_collateral(scenario: Scenario) -> None:
    """Fixed, but the next such call would go unseen."""
    found = result(scenario, lab(outlook=QUIET, function=None, lists=(THREATS, TRUSTED)))
    assert (found.status, parts(found)["collateral"]) == (Status.PASSED, 0)


def test_case_26_a_test_run_after_the_fix_is_explained(scenario: Scenario) -> None:
    """Count grew after the change, by the trainee's own invocation: accepted."""
    evidence = lab(
        outlook=QUIET,
        rule_enabled=False,
        mine=(event("DisableRule", minutes=-20),),
        last_seen=NOW - timedelta(minutes=10),
    )
    found = result(scenario, evidence)
    assert found.status is Status.PASSED
    assert any("test run" in str(remark) for remark in found.remarks)


def test_case_27_a_colleagues_fix_is_accepted_unproven(scenario: Scenario) -> None:
    """Stopped is stopped, but the trail shows no change of the trainee's; at first that may be its lag."""
    evidence = lab(outlook=QUIET, function=None)
    attempt = {
        "at": (NOW - timedelta(hours=1)).isoformat(),
        "answers": {},
        "statuses": {"remediation": "passed"},
        "points": {},
    }
    first = grade(scenario, evidence, Answers()).tasks[-1]
    later = grade(scenario, evidence, Answers(attempts=(attempt,))).tasks[-1]
    assert (first.status, first.proof) == (Status.PASSED, Proof.PENDING)
    assert (later.status, later.proof) == (Status.PASSED, Proof.UNPROVEN)


def test_case_28_a_failing_rule_is_residue(scenario: Scenario) -> None:
    """A rule that fires in vain is told beside the verdict."""
    found = result(scenario, lab(outlook=QUIET, invokers=()))
    assert any("fires, in vain" in str(remark) for remark in found.remarks)


# Cases 29 to 33, forms of answers and wrong kinds, are the samples of function_name, malicious_ip and creator.


def test_case_34_the_event_decides_who_created_it(scenario: Scenario) -> None:
    """A stack deployed by another role has another right answer, whatever the module's text says."""
    deployed = event(
        "CreateFunction20150331", minutes=-2390, role="AWSReservedSSO_Admin_1a2b", session="teacher@example.com"
    )
    evidence = lab(history=(deployed, *HISTORY[1:]))
    assert result(scenario, evidence, "creator", creator="AWSReservedSSO_Admin_1a2b").status is Status.PASSED
    assert result(scenario, evidence, "creator", creator="WSSystemRole").status is Status.FAILED


def test_case_35_only_this_incarnations_creation_counts(scenario: Scenario) -> None:
    """Neither an older deployment nor a recreation after the finding decides."""
    older = event("CreateFunction20150331", minutes=-5000, role="OldRole", session="System")
    later = event("CreateFunction20150331", minutes=-5, role="WSParticipantRole")
    evidence = lab(history=(older, *HISTORY, later))
    assert evidence.creation == CREATION
    assert result(scenario, evidence, "creator", creator="OldRole").kind == "later-principal"


def test_case_36_right_but_the_trail_lags_is_pending(scenario: Scenario) -> None:
    """A right answer without a call to back it is pending while the trail may lag, unproven after."""
    attempt = {"at": (NOW - timedelta(minutes=20)).isoformat(), "answers": RIGHT, "statuses": {}, "points": {}}
    new = grade(scenario, lab(), Answers(texts=RIGHT))
    old = grade(scenario, lab(), Answers(texts=RIGHT, attempts=(attempt,)))
    assert [task.proof for task in new.tasks[:3]] == [Proof.PENDING] * 3
    assert [task.proof for task in old.tasks[:3]] == [Proof.UNPROVEN] * 3
    assert [task.status for task in old.tasks[:3]] == [Status.PASSED] * 3


# Case 37, the checker's own calls, is in test_checker_collect: they never become evidence.


def test_required_proof_withholds_what_is_not_backed(scenario: Scenario) -> None:
    """An instructor can require proof: unproven fails, pending is not run, proven passes."""
    attempt = {
        "at": (NOW - timedelta(minutes=20)).isoformat(),
        "answers": {"creator": "WSSystemRole"},
        "statuses": {},
        "points": {},
    }
    ids = {"findingIds": [lab().assigned.id]}  # type: ignore[union-attr]
    read = event("GetFindings", minutes=-30, read_only=True, source="guardduty.amazonaws.com", request=ids)
    answers = Answers(texts={"function-name": NAME, "creator": "WSSystemRole"}, attempts=(attempt,))
    found = _by_task(grade(scenario, lab(mine=(read,)), answers, require_proof=True))
    assert (found["function-name"].status, found["function-name"].proof) == (Status.PASSED, Proof.PROVEN)
    assert (found["creator"].status, found["creator"].kind, found["creator"].score) == (Status.FAILED, "unproven", 0)
    fresh = _by_task(grade(scenario, lab(), Answers(texts={"creator": "WSSystemRole"}), require_proof=True))
    assert (fresh["creator"].status, fresh["creator"].kind) == (Status.NOT_RUN, "pending")


def _by_task(report: Report) -> dict[str, TaskResult]:
    return {task.id: task for task in report.tasks}


def test_an_untouched_lab_passes_nothing(scenario: Scenario) -> None:
    """No answers, traffic going on: three tasks not run, remediation failed, no points."""
    report = grade(scenario, lab(), Answers())
    assert [task.status.value for task in report.tasks] == ["not-run", "not-run", "not-run", "failed"]
    assert (report.passed, report.score, report.max_score) == (False, 0, 100)


def test_the_texts_own_way_passes_without_all_points(scenario: Scenario) -> None:
    """Deleting the function, as the module's last step says, passes: 95 points, for the effect was not verified."""
    report = grade(scenario, lab(outlook=QUIET, function=None, mine=(DELETED,)), Answers(texts=RIGHT))
    assert (report.passed, report.score) == (True, 95)


def test_all_points_can_be_had(scenario: Scenario) -> None:
    """Stopped, kept, intact and verified."""
    look = event("GetFindings", minutes=30, read_only=True, source="guardduty.amazonaws.com")
    evidence = lab(outlook=QUIET, rule_enabled=False, mine=(event("DisableRule", minutes=1), look))
    assert grade(scenario, evidence, Answers(texts=RIGHT)).score == 100


@pytest.mark.parametrize("task", RIGHT)
def test_tasks_are_earned_in_any_order(scenario: Scenario, task: str) -> None:
    """Each right answer alone passes its task and no other."""
    report = grade(scenario, lab(), Answers(texts={task: RIGHT[task]}))
    assert [each.id for each in report.tasks if each.status is Status.PASSED] == [task]


def test_an_answer_earned_stays_earned_when_its_evidence_is_gone(scenario: Scenario) -> None:
    """With the detector the finding goes; what was right stays right, another text does not become so."""
    gone = lab(assigned=None, findings=(), detector_id=None, history=())
    attempt = {"at": NOW.isoformat(), "answers": RIGHT, "statuses": dict.fromkeys(RIGHT, "passed"), "points": {}}
    kept = _by_task(grade(scenario, gone, Answers(texts=RIGHT, attempts=(attempt,))))
    other = _by_task(grade(scenario, gone, Answers(texts={"malicious-ip": "192.0.2.1"}, attempts=(attempt,))))
    assert [kept[task].status for task in RIGHT] == [Status.PASSED] * 3
    assert other["malicious-ip"].status is Status.NOT_RUN


def test_progress_since_the_last_check_is_told(scenario: Scenario) -> None:
    """What changed, in words; nothing at the first check."""
    attempt = {"at": NOW.isoformat(), "answers": {}, "statuses": {"function-name": "not-run", "malicious-ip": "not-run",
               "creator": "not-run", "remediation": "passed"}, "points": {"remediation": 25}}  # fmt: skip
    report = grade(
        scenario, lab(outlook=QUIET, function=None), Answers(texts={"creator": "WSSystemRole"}, attempts=(attempt,))
    )
    assert tuple(map(str, report.progress)) == ("Do creator: not run → passed", "Do remediation: 25 → 35 points")
    assert grade(scenario, lab(), Answers()).progress == ()


@pytest.mark.parametrize("nonsense", ["splendid", 7, ["passed"], {"a": "b"}])
def test_an_attempt_that_says_nonsense_counts_as_none(scenario: Scenario, nonsense: object) -> None:
    """Attempts are kept where a trainee can write."""
    report = grade(scenario, lab(), Answers(attempts=({"statuses": {"creator": nonsense}},)))
    assert all("new → " in str(line) for line in report.progress)


def test_what_is_not_determinable_does_not_pass(scenario: Scenario) -> None:
    """Neither a handler that cannot be rehearsed passes nor an account that needs time: that one says until when."""
    never = result(scenario, lab(outlook=outlook(determinable=False, why=("too slow",))))
    later = result(
        scenario, lab(outlook=outlook(determinable=False, why=("too recent",), ask_again=NOW + timedelta(minutes=30)))
    )
    assert (never.status, never.kind) == (Status.FAILED, "not-determinable")
    assert (later.status, later.kind) == (Status.NOT_RUN, "not-known-yet")
    assert "2026-11-24 09:44:00 UTC" in str(later.next)


def test_a_use_of_the_instructors_key_stands_in_every_report(scenario: Scenario) -> None:
    """Once the key was printed, the report says when; before that it says nothing of it."""
    untouched = grade(scenario, lab(outlook=GOES_ON), Answers())
    printed = grade(scenario, lab(outlook=GOES_ON), Answers(key_used_at="2026-11-24T10:00:00Z"))
    assert not any("key" in str(remark) for remark in untouched.remarks)
    assert any("key of this lab was printed at 2026-11-24T10:00:00Z" in str(remark) for remark in printed.remarks)
