"""GuardDuty's service-linked role: who makes it and when, what the trail says of it, and that it stays while it is needed."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.services.moto import Moto
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab_in_process, trust
from tests.unit.core.small_lab import made, open_lab

NAME, PRINCIPAL = "AWSServiceRoleForAmazonGuardDuty", "guardduty.amazonaws.com"


def _in(owner: InProcess, region: str) -> InProcess:
    return InProcess(owner.gateway, owner.access_key, owner.secret, region=region)


def _told(owner: InProcess) -> list[dict[str, Any]]:
    next(iter(owner.gateway.labs.values())).advance(timedelta(minutes=6))
    attribute = {"AttributeKey": "EventName", "AttributeValue": "CreateServiceLinkedRole"}
    events = owner.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    return [json.loads(event["CloudTrailEvent"]) for event in events]


def test_the_first_detector_of_an_account_makes_the_role(owner: InProcess) -> None:
    """With AWS's name, path and policy, on the creator's behalf; another Region's detector finds it there."""
    detector = owner.client("guardduty").create_detector(Enable=True)["DetectorId"]
    role = owner.client("iam").get_role(RoleName=NAME)["Role"]
    assert role["Path"] == f"/aws-service-role/{PRINCIPAL}/"
    assert role["Arn"] == owner.client("guardduty").get_detector(DetectorId=detector)["ServiceRole"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": [PRINCIPAL]}
    (policy,) = owner.client("iam").list_attached_role_policies(RoleName=NAME)["AttachedPolicies"]
    assert policy["PolicyName"] == "AmazonGuardDutyServiceRolePolicy"
    _in(owner, "eu-west-1").client("guardduty").create_detector(Enable=True)
    (event,) = _told(owner)
    assert (event["eventSource"], event["sourceIPAddress"]) == ("iam.amazonaws.com", PRINCIPAL)
    assert event["userIdentity"]["invokedBy"] == PRINCIPAL
    assert event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "OrganizationAccountAccessRole"
    assert event["requestParameters"] == {"aWSServiceName": PRINCIPAL}


def test_the_role_stays_while_a_detector_needs_it(owner: InProcess) -> None:
    """Deleting it is a task that fails and says where it is needed; nobody deletes it as another role is."""
    guardduty, iam = _in(owner, "eu-west-1").client("guardduty"), owner.client("iam")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    task = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    status = iam.get_service_linked_role_deletion_status(DeletionTaskId=task)
    assert status["Status"] == "FAILED"
    (usage,) = status["Reason"]["RoleUsageList"]
    assert usage["Region"] == "eu-west-1" and usage["Resources"][0].endswith(f":detector/{detector}")
    with pytest.raises(ClientError, match="only modifiable by AWS"):
        iam.delete_role(RoleName=NAME)
    assert iam.get_role(RoleName=NAME)["Role"]["RoleName"] == NAME
    guardduty.delete_detector(DetectorId=detector)
    task = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_role(RoleName=NAME)


def test_a_role_that_is_no_service_s_is_not_deleted_as_one(owner: InProcess) -> None:
    """Else a policy that denies DeleteRole would keep nothing."""
    iam = owner.client("iam")
    iam.create_role(RoleName="own", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    with pytest.raises(ClientError, match="InvalidInput"):
        iam.delete_service_linked_role(RoleName="own")
    iam.delete_role(RoleName="own")


@pytest.mark.parametrize("may", [True, False])
def test_the_role_is_made_by_who_may_make_it(owner: InProcess, may: bool) -> None:
    """A policy as GuardDuty's user guide has it is enough; without one the detector comes alone, and the trail has the refusal."""
    allowed: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "guardduty:*", "Resource": "*"}]
    if may:
        allowed.append({
            "Effect": "Allow",
            "Action": "iam:CreateServiceLinkedRole",
            "Resource": f"arn:aws:iam::*:role/aws-service-role/{PRINCIPAL}/{NAME}",
            "Condition": {"StringLike": {"iam:AWSServiceName": PRINCIPAL}},
        })  # fmt: skip
    iam = owner.client("iam")
    iam.create_user(UserName="u")
    iam.put_user_policy(
        UserName="u", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed})
    )
    key = iam.create_access_key(UserName="u")["AccessKey"]
    user = InProcess(owner.gateway, key["AccessKeyId"], key["SecretAccessKey"])
    assert user.client("guardduty").create_detector(Enable=True)["DetectorId"]
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ([NAME] if may else [])
    (event,) = _told(owner)
    assert event.get("errorCode") == (None if may else "AccessDenied")


def test_a_restarted_lab_has_the_role_and_no_other_lab_does(tmp_path: Path) -> None:
    """The same role, made once; a lab in the same process without a detector has none, and may delete one of its own."""
    moto = Moto()
    lab = open_lab(tmp_path / "journal.db", moto=moto)
    made(lab, "guardduty", "CreateDetector", Enable=True)
    role = made(lab, "iam", "GetRole", RoleName=NAME)["Role"]
    task = made(lab, "iam", "DeleteServiceLinkedRole", RoleName=NAME)["DeletionTaskId"]
    lab.close()
    lab = open_lab(tmp_path / "journal.db", moto=moto)
    assert lab.differences == []
    assert made(lab, "iam", "GetRole", RoleName=NAME)["Role"] == role
    assert made(lab, "iam", "GetServiceLinkedRoleDeletionStatus", DeletionTaskId=task)["Status"] == "FAILED"
    other = new_lab_in_process("111122223333")
    iam = other.client("iam")
    assert iam.list_roles()["Roles"] == []
    iam.create_service_linked_role(AWSServiceName=PRINCIPAL)
    done = iam.delete_service_linked_role(RoleName=NAME)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=done)["Status"] == "SUCCEEDED"
    for each in (lab, *other.gateway.labs.values()):
        each.close()


def test_a_service_s_role_is_made_once(owner: InProcess) -> None:
    """Source: IAM API reference, CreateServiceLinkedRole."""
    iam = owner.client("iam")
    iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
    with pytest.raises(ClientError, match=r"InvalidInput.*AWSServiceRoleForConfig has been taken in this account"):
        iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")
