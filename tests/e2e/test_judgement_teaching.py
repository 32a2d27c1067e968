"""The 37 cases that an instructor argues about (teaching dossier, part 3), each with its verdict and, where it matters, its points."""

import json
from datetime import timedelta
from typing import Any

from tests.e2e.test_judgement_network import Vpc
from tests.e2e.trial import FUNCTION, RULE, SILENT, STACK, Trial, points

LAG = {"minutes": 16}
"""After it the trail shows a call, and the grader reads the trail."""


def accepted(trial: Trial, **expected: int) -> dict[str, Any]:
    """Return the last task, which must be passed, with these points for its parts."""
    task = trial.remediation()
    assert task["status"] == "passed", task["why"]
    given = points(task)
    assert {part: given[part] for part in expected} == expected, task["parts"]
    return task


def refused(trial: Trial, kind: str = "") -> dict[str, Any]:
    """Return the last task, which must have failed, for this reason and without a point."""
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]
    assert task["score"] == 0
    assert kind in ("", task["kind"])
    return task


def test_01_a_disabled_rule_contains(trial: Trial) -> None:
    """Accepted; the function remains, with its code, and that is said."""
    trial.disable_rule()
    task = accepted(trial, stopped=25, evidence=5, collateral=5, verified=0)
    assert task["kind"] == "rule-disabled"
    assert "remains" in task["why"]


def test_02_once_a_day_is_refused(trial: Trial) -> None:
    """A look ahead of an hour would accept it."""
    trial.aws("events").put_rule(Name=RULE, ScheduleExpression="rate(1 day)")
    refused(trial, "slower")


def test_03_another_unlisted_host_is_accepted_with_a_warning(trial: Trial) -> None:
    """Disputable, decided: the definition is about the list; the trainee reads that the code is not to be trusted."""
    trial.code("def handler(event, context): dial(FRIEND)")
    task = accepted(trial)
    assert any("do not trust its code" in remark for remark in task["remarks"])


def test_04_another_listed_address_is_refused(trial: Trial) -> None:
    """The old finding freezes, and a listed address is called."""
    trial.code("def handler(event, context): dial(SECOND)")
    refused(trial, "code-still-calls")


def test_05_a_timeout_of_a_second_is_refused(trial: Trial) -> None:
    """The first packet leaves in the first milliseconds."""
    trial.aws("lambda").update_function_configuration(FunctionName=FUNCTION, Timeout=1)
    refused(trial)


def test_06_a_missing_handler_is_judged_by_what_runs(trial: Trial) -> None:
    """Disputable, decided: run it. This module does nothing when it is imported; one that does is refused."""
    trial.aws("lambda").update_function_configuration(FunctionName=FUNCTION, Handler="index.nothing")
    accepted(trial)
    trial.code("dial(BAD)")
    refused(trial)


def test_07_a_deleted_execution_role_ends_the_runs(trial: Trial) -> None:
    """Disputable, decided: the next run fails, so it is accepted."""
    iam = trial.aws("iam")
    name = trial.role_arn.rsplit("/", 1)[1]
    for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=each["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    iam.delete_role(RoleName=name)
    trial.advance(**LAG)
    accepted(trial, stopped=25, collateral=5)
    assert not trial.connects()


def test_08_denying_the_role_everything_is_refused(trial: Trial) -> None:
    """Opening a connection needs no permission."""
    trial.aws("iam").attach_role_policy(
        RoleName=trial.role_arn.rsplit("/", 1)[1], PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll"
    )
    refused(trial)


def test_09_a_group_that_filters_nothing_is_refused(trial: Trial) -> None:
    """One that is attached to nothing, and one that is attached and lets everything out."""
    vpc = Vpc(trial)
    refused(trial)
    vpc.attach()
    refused(trial)


def test_10_a_network_without_a_nat_gateway_is_accepted(trial: Trial) -> None:
    """There is no way out, although the group would let everything pass."""
    Vpc(trial, nat=False).attach()
    task = accepted(trial)
    assert task["kind"] == "vpc-closed"


def test_11_a_group_without_egress_is_accepted_while_count_may_grow(trial: Trial) -> None:
    """Stopped means no permitted connection; blocked ones go on being seen, and that is explained."""
    vpc = Vpc(trial)
    vpc.egress()
    vpc.attach()
    before = trial.finding()["Service"]["Count"]
    trial.advance(hours=1)
    assert trial.finding()["Service"]["Count"] > before
    task = accepted(trial)
    assert any("Blocked" in remark for remark in task["remarks"])


def test_12_an_acl_around_a_function_outside_is_refused(trial: Trial) -> None:
    """It is in no VPC, so no ACL of one sees it."""
    Vpc(trial).deny("0.0.0.0/0")
    refused(trial)


def test_13_the_deleted_stack_is_the_cleanest(trial: Trial) -> None:
    """Nothing is left over, the code is in S3, nothing else is broken."""
    trial.aws("cloudformation").delete_stack(StackName=STACK)
    trial.advance(**LAG)
    task = accepted(trial, stopped=25, evidence=5, collateral=5)
    assert not any("rule" in remark for remark in task["remarks"]), task["remarks"]


def test_14_the_baselines_stack_deleted_as_well_costs(trial: Trial) -> None:
    """Stopped, and the account is blind: collateral."""
    cloudformation = trial.aws("cloudformation")
    names = [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]
    for part in ("workload", "detection", "baseline"):
        cloudformation.delete_stack(StackName=next(name for name in names if name.endswith(part)))
    trial.advance(**LAG)
    accepted(trial, stopped=25, collateral=0)


def test_15_a_deleted_function_whose_code_is_in_s3_keeps_its_evidence(trial: Trial) -> None:
    """The same CodeSha256 can be had: no ritual is asked."""
    trial.aws("lambda").delete_function(FunctionName=FUNCTION)
    trial.advance(**LAG)
    accepted(trial, evidence=5, collateral=5)


def test_16_bytes_that_are_gone_cost_the_evidence(trial: Trial) -> None:
    """Function and object deleted, no copy made: accepted, evidence lost."""
    trial.aws("lambda").delete_function(FunctionName=FUNCTION)
    _delete_code_in_s3(trial)
    trial.advance(**LAG)
    task = accepted(trial, evidence=0)
    assert "gone" in next(part["why"] for part in task["parts"] if part["id"] == "evidence")


def test_17_a_copy_fetched_first_keeps_it(trial: Trial) -> None:
    """GetFunction while that code was in force, then delete everything."""
    trial.aws("lambda").get_function(FunctionName=FUNCTION)
    trial.aws("lambda").delete_function(FunctionName=FUNCTION)
    _delete_code_in_s3(trial)
    trial.advance(**LAG)
    accepted(trial, evidence=5)


def test_18_archiving_is_closure_after_containment_and_nothing_alone(trial: Trial) -> None:
    """Alone refused; after the rule is disabled, praised."""
    finding = trial.finding()["Id"]
    trial.aws("guardduty").archive_findings(DetectorId=trial.detector, FindingIds=[finding])
    refused(trial, "archived")
    trial.disable_rule()
    task = accepted(trial, collateral=5)
    assert any("good closure" in remark for remark in task["remarks"])


def test_19_a_trusted_entry_left_behind_is_collateral(trial: Trial) -> None:
    """Stopped, and the next case is blind to the address; removed, all is well."""
    trial.disable_rule()
    trusted = _trust(trial)
    accepted(trial, stopped=25, collateral=0)
    trial.aws("guardduty").delete_ip_set(DetectorId=trial.detector, IpSetId=trusted)
    trial.advance(**LAG)
    accepted(trial, collateral=5)


def test_20_the_call_that_awss_guide_links_to_is_refused_gently(trial: Trial) -> None:
    """DeleteFunctionEventInvokeConfig disables no trigger; the lesson says so without blame."""
    awslambda = trial.aws("lambda")
    awslambda.put_function_event_invoke_config(FunctionName=FUNCTION, MaximumRetryAttempts=0)
    awslambda.delete_function_event_invoke_config(FunctionName=FUNCTION)
    trial.advance(**LAG)
    task = refused(trial)
    assert "retr" in task["why"].lower() or "asynchronous" in task["why"].lower(), task["why"]


def test_21_concurrency_lifted_early_is_refused(trial: Trial) -> None:
    """What waited runs after all."""
    awslambda = trial.aws("lambda")
    awslambda.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    accepted(trial)
    trial.advance(minutes=30)
    awslambda.delete_function_concurrency(FunctionName=FUNCTION)
    trial.advance(**LAG)
    refused(trial, "concurrency-lifted")


def test_22_the_code_deleted_in_s3_is_refused(trial: Trial) -> None:
    """The deployed copy runs on."""
    _delete_code_in_s3(trial)
    trial.advance(**LAG)
    refused(trial)


def test_23_a_stopped_trail_costs_the_evidence(trial: Trial) -> None:
    """Fixed, and the record cut off; the function's log group deleted is no better."""
    trial.disable_rule()
    trail = trial.aws("cloudtrail").describe_trails()["trailList"][0]["Name"]
    trial.aws("cloudtrail").stop_logging(Name=trail)
    accepted(trial, stopped=25, evidence=0, collateral=0)
    trial.aws("cloudtrail").start_logging(Name=trail)
    accepted(trial, evidence=5, collateral=5)
    trial.aws("logs").delete_log_group(logGroupName=f"/aws/lambda/{FUNCTION}")
    trial.advance(**LAG)
    accepted(trial, evidence=0)


def test_24_a_lookalike_deleted_is_refused_and_collateral_later(trial: Trial) -> None:
    """It stops nothing; once the right one is stopped, the neighbour is missed."""
    trial.aws("lambda").delete_function(FunctionName="traffic-simulation-canary")
    trial.advance(**LAG)
    refused(trial)
    trial.disable_rule()
    accepted(trial, stopped=25, collateral=0)


def test_25_lambda_protection_off_is_refused(trial: Trial) -> None:
    """Without a witness the traffic goes on."""
    off = [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "DISABLED"}]
    trial.aws("guardduty").update_detector(DetectorId=trial.detector, Features=off)
    refused(trial, "protection-off")


def test_26_the_trainees_own_run_after_the_fix_is_accepted_and_explained(trial: Trial) -> None:
    """Count grows once more by it."""
    before = trial.finding()["Service"]["Count"]
    trial.disable_rule()
    trial.advance(**LAG)
    trial.aws("lambda").invoke(FunctionName=FUNCTION)
    trial.advance(minutes=30)
    assert trial.finding()["Service"]["Count"] > before
    task = accepted(trial)
    assert any("test run" in remark for remark in task["remarks"])


def test_27_a_colleagues_fix_is_accepted_unproven(trial: Trial) -> None:
    """The account's owner disabled the rule; nothing of it is the trainee's, first perhaps for the trail's lag."""
    trial.bench.here.client("events", "owner_").disable_rule(Name=RULE)
    task = accepted(trial, stopped=25, verified=0)
    assert task["proof"] == "pending"
    trial.advance(**LAG)
    task = accepted(trial)
    assert task["proof"] == "unproven"
    assert any("colleague" in remark for remark in task["remarks"])


def test_28_a_removed_permission_is_accepted_with_the_failing_rule_as_residue(trial: Trial) -> None:
    """The rule fires on, in vain."""
    policy = json.loads(trial.aws("lambda").get_policy(FunctionName=FUNCTION)["Policy"])
    for statement in policy["Statement"]:
        trial.aws("lambda").remove_permission(FunctionName=FUNCTION, StatementId=statement["Sid"])
    task = accepted(trial)
    assert any("in vain" in remark for remark in task["remarks"])


FORMS_29 = (
    ("{arn}", "passed"),
    ("{arn}:$LATEST", "passed"),
    ("Traffic-Simulation", "passed"),
    ("traffic", "failed"),
)


def test_29_the_functions_name_in_other_forms(trial: Trial) -> None:
    """ARN and qualifier accepted; other capitals (disputable) with a remark."""
    for answer, status in FORMS_29:
        task = trial.answer("function-name", answer.format(arn=trial.function_arn))
        assert task["status"] == status, answer
        if answer == "Traffic-Simulation":
            assert any("case-sensitive" in remark for remark in task["remarks"])


FORMS_30 = (
    ("{0}:443", "passed"),
    ("{0}/32", "passed"),
    ("{0}/24", "failed"),
    ("{0} or {1}", "failed"),
    ("{1}", "failed"),
)


def test_30_the_address_in_other_forms(trial: Trial) -> None:
    """A port and /32 accepted; a network and both entries of the list refused, and the right one is not said."""
    for answer, status in FORMS_30:
        task = trial.answer("malicious-ip", answer.format(trial.ip, trial.variant.second_ip))
        assert task["status"] == status, answer
        if status == "failed":
            assert trial.ip not in json.dumps(task)


FORMS_31 = (
    ("WSSystemRole/System", "right"),
    ("arn:aws:iam::{account}:role/WSSystemRole", "right"),
    ("arn:aws:sts::{account}:assumed-role/WSSystemRole/System", "right"),
    ("{role_id}", "unique-id"),
)


def test_31_the_creator_in_other_forms(trial: Trial) -> None:
    """Either ARN and ROLE/SESSION accepted; of the id (disputable) the name is asked."""
    role_id = trial.aws("iam").get_role(RoleName="WSSystemRole")["Role"]["RoleId"]
    for answer, kind in FORMS_31:
        task = trial.answer("creator", answer.format(account=trial.variant.account_id, role_id=role_id))
        assert task["kind"] == kind, answer


FORMS_32 = (
    ("System", "session-name"),
    ("cloudformation.amazonaws.com", "cloudformation"),
    ("{execution_role}", "execution-role"),
    ("WSParticipantRole", "yourself"),
)


def test_32_wrong_creators_each_have_their_lesson(trial: Trial) -> None:
    """Session, service, execution role, and the trainee, who is the last modifier once they act."""
    trial.code(SILENT)
    trial.advance(**LAG)
    for answer, kind in FORMS_32:
        task = trial.answer("creator", answer.format(execution_role=trial.role_arn.rsplit("/", 1)[1]))
        assert (task["status"], task["kind"]) == ("failed", kind), answer
        assert "WSSystemRole" not in json.dumps(task)


def test_33_two_answers_are_none(trial: Trial) -> None:
    """ "A or B" is a guess, also where one of them is right."""
    assert trial.answer("creator", "WSSystemRole or System")["kind"] == "several"


def test_34_the_event_decides_and_not_the_text(trial: Trial) -> None:
    """A function made again by somebody else before it was found has another creator: the expected value is the event's."""
    owner = trial.bench.here.client
    role = trial.role_arn
    trial.disable_rule()
    owner("lambda", "owner_").delete_function(FunctionName=FUNCTION)
    trial.aws("guardduty").archive_findings(DetectorId=trial.detector, FindingIds=[trial.finding()["Id"]])
    owner("lambda", "owner_").create_function(
        FunctionName=FUNCTION, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": trial.zipped(SILENT)}
    )  # fmt: skip
    trial.advance(**LAG)
    assert trial.answer("creator", "WSSystemRole")["status"] == "passed"
    assert trial.answer("creator", "OrganizationAccountAccessRole")["kind"] == "later-principal"


def test_35_of_two_creations_this_incarnation_counts(trial: Trial) -> None:
    """A second CreateFunction after the finding was first seen is not the one that is asked for."""
    role = trial.role_arn
    trial.aws("lambda").delete_function(FunctionName=FUNCTION)
    trial.aws("lambda").create_function(
        FunctionName=FUNCTION, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": trial.zipped(SILENT)}
    )  # fmt: skip
    trial.advance(**LAG)
    assert trial.answer("creator", "WSSystemRole")["status"] == "passed"
    assert trial.answer("creator", "WSParticipantRole")["kind"] == "yourself"


def test_36_right_a_minute_after_reading_is_pending_and_then_proven(trial: Trial) -> None:
    """The trail lags: the proof comes with it."""
    trial.finding()
    trial.advance(minutes=1)
    assert trial.answer("malicious-ip", trial.ip)["proof"] == "pending"
    trial.advance(**LAG)
    assert trial.answer("malicious-ip", trial.ip)["proof"] == "proven"


def test_37_the_checkers_own_reads_prove_nothing(trial: Trial) -> None:
    """It reads the finding in every check, as a session of its own: the answer stays unproven."""
    for _ in range(3):
        trial.answer("malicious-ip", trial.ip)
        trial.advance(**LAG)
    task = trial.answer("malicious-ip", trial.ip)
    assert (task["status"], task["proof"]) == ("passed", "unproven")


def _delete_code_in_s3(trial: Trial) -> None:
    """Delete every version of what the function was made from."""
    s3 = trial.aws("s3")
    bucket = f"guardduty-labs-assets-{trial.variant.account_id}-{trial.variant.region}"
    for each in s3.list_object_versions(Bucket=bucket)["Versions"]:
        if each["Key"].endswith(".zip"):
            s3.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def _trust(trial: Trial) -> str:
    """Put the address on a trusted list; return its id."""
    bucket = f"guardduty-labs-assets-{trial.variant.account_id}-{trial.variant.region}"
    trial.aws("s3").put_object(Bucket=bucket, Key="trusted.txt", Body=f"{trial.ip}\n".encode())
    made = trial.aws("guardduty").create_ip_set(
        DetectorId=trial.detector, Name="t", Format="TXT", Location=f"s3://{bucket}/trusted.txt", Activate=True
    )
    return str(made["IpSetId"])


def test_time_of_a_fix_is_lab_time(trial: Trial) -> None:
    """Reports speak lab time: a check after an advance of a day is a day later."""
    first = trial.check()["lab_time"]
    trial.bench.advance(timedelta(days=1))
    assert trial.check()["lab_time"][:10] > first[:10]
