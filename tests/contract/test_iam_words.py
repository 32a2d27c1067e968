"""IAM over botocore: what is not there, whose user a session has, documents that are none, boundaries, and the policy simulator.

Source: IAM API reference; answers of the service, as its clients meet them.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.control import Control
from simulator.gateway import Gateway
from simulator.services.moto import Moto
from tests.contract.any_call import InProcess
from tests.contract.labs import new_lab, owner_of, trust

ACCOUNT = "486547846362"
POLICY = f"arn:aws:iam::{ACCOUNT}:policy"


def document(action: str = "s3:Get*", effect: str = "Allow", resource: str = "*", **more: Any) -> str:
    """Return a policy with one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Account:
    """A lab, its gateway and its owner's IAM."""

    def __init__(self) -> None:
        self.lab = new_lab(ACCOUNT, Moto())
        control = Control(lab=self.lab, token="control", stop=lambda: None)
        self.gateway = Gateway(labs={ACCOUNT: self.lab}, control=control)
        self.owner = owner_of(self.gateway, self.lab, "secret")
        self.iam = self.owner.client("iam")

    def session(self, role: str) -> InProcess:
        """Return the clients of a session of a role that may do anything."""
        self.iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
        who = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        self.iam.update_assume_role_policy(
            RoleName=role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [who]})
        )
        self.iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=document("*"))
        user = self.user("opener", document("*"))
        given = user.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="session"
        )["Credentials"]
        return InProcess(self.gateway, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def user(self, name: str, policy: str, **given: Any) -> InProcess:
        """Return the clients of a new user with a policy."""
        self.iam.create_user(UserName=name, **given)
        self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return InProcess(self.gateway, key["AccessKeyId"], key["SecretAccessKey"], None)


@pytest.fixture
def account() -> Iterator[Account]:
    """An empty account."""
    account = Account()
    yield account
    account.lab.moto.forget(ACCOUNT)


def refused(client: Any, operation: str, **params: Any) -> tuple[str, str]:
    """Make a call that is refused; return code and message."""
    with pytest.raises(ClientError) as error:
        getattr(client, operation)(**params)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        ("get_role", {"RoleName": "none"}, "The role with name none cannot be found."),
        ("get_group", {"GroupName": "none"}, "The group with name none cannot be found."),
        ("get_user", {"UserName": "none"}, "The user with name none cannot be found."),
        ("get_instance_profile", {"InstanceProfileName": "none"}, "Instance Profile none cannot be found."),
        ("get_policy", {"PolicyArn": f"{POLICY}/none"}, f"Policy {POLICY}/none was not found."),
        ("delete_policy", {"PolicyArn": f"{POLICY}/none"}, f"Policy {POLICY}/none was not found."),
        ("list_policy_versions", {"PolicyArn": f"{POLICY}/none"}, f"Policy {POLICY}/none was not found."),
        (
            "get_policy_version",
            {"PolicyArn": f"{POLICY}/none", "VersionId": "v1"},
            f"Policy {POLICY}/none was not found.",
        ),
        (
            "get_user_policy",
            {"UserName": "known", "PolicyName": "none"},
            "The user policy with name none cannot be found.",
        ),
        (
            "get_role_policy",
            {"RoleName": "known", "PolicyName": "none"},
            "The role policy with name none cannot be found.",
        ),
        ("get_login_profile", {"UserName": "known"}, "Login Profile for User known cannot be found."),
    ],
)
def test_what_is_not_there_is_told_in_iam_s_words(
    account: Account, operation: str, params: dict[str, str], message: str
) -> None:
    """NoSuchEntity, and which."""
    account.iam.create_user(UserName="known")
    account.iam.create_role(RoleName="known", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    assert refused(account.iam, operation, **params) == ("NoSuchEntity", message)


def test_what_is_there_already_is_told_in_iam_s_words(account: Account) -> None:
    """EntityAlreadyExists, and which."""
    account.iam.create_user(UserName="known")
    account.iam.create_group(GroupName="known")
    password = {"UserName": "known", "Password": "Correct-horse-9"}
    account.iam.create_login_profile(**password)
    told = [
        refused(account.iam, "create_user", UserName="known"),
        refused(account.iam, "create_group", GroupName="known"),
        refused(account.iam, "create_login_profile", **password),
    ]
    assert {code for code, _ in told} == {"EntityAlreadyExists"}
    assert [message for _, message in told] == [
        "User with name known already exists.",
        "Group with name known already exists.",
        "Login Profile for user known already exists.",
    ]


@pytest.mark.parametrize("kind", ["role", "user", "group"])
def test_a_policy_is_attached_by_its_arn(account: Account, kind: str) -> None:
    """A name is none."""
    told = refused(
        account.iam, f"attach_{kind}_policy", PolicyArn="longpolicynamebutnoarn", **{f"{kind.title()}Name": "any"}
    )
    assert told == ("ValidationError", "Invalid ARN:  Could not be parsed!")


def test_attaching_twice_counts_once(account: Account) -> None:
    """The second time nothing happens."""
    account.iam.create_user(UserName="known")
    arn = account.iam.create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    for _ in range(2):
        account.iam.attach_user_policy(UserName="known", PolicyArn=arn)
    assert account.iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1


def test_what_is_in_use_is_not_deleted(account: Account) -> None:
    """A user is taken apart before it is deleted, and so are a group and a policy."""
    iam = account.iam
    account.user("ann", document("*"))
    iam.create_login_profile(UserName="ann", Password="Correct-horse-9")
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="ann")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document())["Policy"]["Arn"]
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("sqs:*"), SetAsDefault=True)
    from_group = ("DeleteConflict", "Cannot delete entity, must remove users from group first.")
    assert refused(iam, "delete_user", UserName="ann") == from_group
    assert refused(iam, "delete_group", GroupName="staff") == from_group
    iam.remove_user_from_group(GroupName="staff", UserName="ann")
    assert refused(iam, "delete_user", UserName="ann")[1] == "Cannot delete entity, must delete login profile first."
    iam.delete_login_profile(UserName="ann")
    assert refused(iam, "delete_user", UserName="ann")[1] == "Cannot delete entity, must delete access keys first."
    (key,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    assert refused(iam, "delete_user", UserName="ann")[1] == "Cannot delete entity, must delete policies first."
    iam.delete_user_policy(UserName="ann", PolicyName="own")
    iam.delete_user(UserName="ann")
    assert refused(iam, "delete_group", GroupName="staff")[1] == "Cannot delete entity, must detach all policies first."
    assert refused(iam, "delete_policy", PolicyArn=arn)[1] == "Cannot delete a policy attached to entities."
    iam.detach_group_policy(GroupName="staff", PolicyArn=arn)
    iam.delete_group(GroupName="staff")
    assert refused(iam, "delete_policy", PolicyArn=arn)[1].startswith("This policy has more than one version.")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy(PolicyArn=arn)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_session_of_a_role_has_no_user_of_its_own(account: Account) -> None:
    """A user that names none means itself, with temporary credentials too."""
    iam = account.session("worker").client("iam")
    words = ("ValidationError", "Must specify userName when calling with non-User credentials")
    for operation in ("get_user", "list_access_keys", "create_access_key"):
        assert refused(iam, operation) == words
    user = account.user("ann", document("*"))
    assert user.client("iam").get_user()["User"]["UserName"] == "ann"
    given = user.client("sts").get_session_token()["Credentials"]
    temporary = InProcess(account.gateway, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert temporary.client("iam").get_user()["User"]["UserName"] == "ann"
    assert [key["UserName"] for key in temporary.client("iam").list_access_keys()["AccessKeyMetadata"]] == ["ann"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Version": "2012-10-17", "Statement": [,]}', "This policy contains invalid Json"),
        (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}',
            "Missing required field Principal",
        ),
        ('{"Version": "2012-10-17"}', "Syntax errors in policy."),
    ],
)
def test_a_trust_policy_that_is_none_is_refused(account: Account, text: str, message: str) -> None:
    """Where a role is made and where it is changed."""
    account.iam.create_role(RoleName="known", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    told = ("MalformedPolicyDocument", message)
    assert refused(account.iam, "create_role", RoleName="new", AssumeRolePolicyDocument=text) == told
    assert refused(account.iam, "update_assume_role_policy", RoleName="known", PolicyDocument=text) == told
    assert [role["RoleName"] for role in account.iam.list_roles()["Roles"]] == ["known"]


@pytest.mark.parametrize("version", [{}, {"Version": "2008-10-17"}])
def test_a_trust_policy_may_be_old(account: Account, version: dict[str, str]) -> None:
    """Or say no version."""
    text = json.dumps({**version, "Statement": json.loads(trust("lambda.amazonaws.com"))["Statement"]})
    assert account.iam.create_role(RoleName="old", AssumeRolePolicyDocument=text)["Role"]["RoleName"] == "old"


def test_an_identity_s_policy_names_no_principal(account: Account) -> None:
    """It belongs to one."""
    account.iam.create_user(UserName="known")
    text = document(Principal="*")
    told = ("MalformedPolicyDocument", "Policy document should not specify a principal.")
    assert refused(account.iam, "create_policy", PolicyName="p", PolicyDocument=text) == told
    assert refused(account.iam, "put_user_policy", UserName="known", PolicyName="p", PolicyDocument=text) == told


def test_a_new_role_is_answered_with_what_it_was_made_of(account: Account) -> None:
    """How long sessions may be, and when it was last used, is what GetRole tells."""
    made = account.iam.create_role(RoleName="new", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]
    shown = account.iam.get_role(RoleName="new")["Role"]
    assert set(shown) - set(made) == {"MaxSessionDuration", "RoleLastUsed"}


def test_a_boundary_bounds_a_user(account: Account) -> None:
    """Given at birth or later; taken away, the user's own policies count alone."""
    arn = account.iam.create_policy(PolicyName="b", PolicyDocument=document("iam:GetUser"))["Policy"]["Arn"]
    iam = account.user("ann", document("iam:*"), PermissionsBoundary=arn).client("iam")
    assert iam.get_user()["User"]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": arn,
    }
    code, message = refused(iam, "list_users")
    assert (code, "no permissions boundary allows" in message) == ("AccessDenied", True)
    assert account.iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert refused(account.iam, "delete_policy", PolicyArn=arn)[0] == "DeleteConflict"
    account.iam.delete_user_permissions_boundary(UserName="ann")
    assert "PermissionsBoundary" not in iam.get_user()["User"]
    assert iam.list_users()["Users"]
    account.iam.put_user_permissions_boundary(UserName="ann", PermissionsBoundary=arn)
    assert refused(iam, "list_users")[0] == "AccessDenied"
    account.iam.delete_user_permissions_boundary(UserName="ann")
    account.iam.delete_policy(PolicyArn=arn)


def test_a_boundary_is_a_policy_that_exists(account: Account) -> None:
    """One that does not would bound nothing."""
    told = ("NoSuchEntity", f"Scope ARN: {POLICY}/none does not exist or is not attachable.")
    account.iam.create_user(UserName="known")
    account.iam.create_role(RoleName="known", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))
    bounded = {"PermissionsBoundary": f"{POLICY}/none"}
    assert refused(account.iam, "put_user_permissions_boundary", UserName="known", **bounded) == told
    assert refused(account.iam, "put_role_permissions_boundary", RoleName="known", **bounded) == told
    assert refused(account.iam, "create_user", UserName="new", **bounded) == told
    trusted = trust("lambda.amazonaws.com")
    assert refused(account.iam, "create_role", RoleName="new", AssumeRolePolicyDocument=trusted, **bounded) == told
    assert [user["UserName"] for user in account.iam.list_users()["Users"]] == ["known"]


def decisions(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (action, resource, decision) of a simulation's results."""
    return [
        (each["EvalActionName"], each["EvalResourceName"], each["EvalDecision"]) for each in answer["EvaluationResults"]
    ]


def test_the_simulator_decides_as_the_account_does(account: Account) -> None:
    """Own, attached and the groups' policies, and the boundary."""
    iam = account.iam
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="deny", PolicyDocument=document("s3:GetBucket*", "Deny"))
    bound = iam.create_policy(PolicyName="b", PolicyDocument=document("s3:*"))["Policy"]["Arn"]
    more = iam.create_policy(PolicyName="more", PolicyDocument=document("sqs:*"))["Policy"]["Arn"]
    iam.create_user(UserName="ann", PermissionsBoundary=bound)
    iam.add_user_to_group(GroupName="readers", UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=document("s3:*", resource="arn:aws:s3:::a*"))
    iam.attach_user_policy(UserName="ann", PolicyArn=more)
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/ann",
        ActionNames=["s3:GetObject", "s3:GetBucketAcl", "sqs:SendMessage"],
        ResourceArns=["arn:aws:s3:::a/b", "arn:aws:s3:::c/b"],
    )
    assert decisions(answer) == [
        ("s3:GetObject", "arn:aws:s3:::a/b", "allowed"),
        ("s3:GetObject", "arn:aws:s3:::c/b", "implicitDeny"),
        ("s3:GetBucketAcl", "arn:aws:s3:::a/b", "explicitDeny"),
        ("s3:GetBucketAcl", "arn:aws:s3:::c/b", "explicitDeny"),
        ("sqs:SendMessage", "arn:aws:s3:::a/b", "implicitDeny"),
        ("sqs:SendMessage", "arn:aws:s3:::c/b", "implicitDeny"),
    ]
    first, _, denied, _, bounded, _ = answer["EvaluationResults"]
    assert [each["SourcePolicyId"] for each in first["MatchedStatements"]] == ["user_ann_own"]
    assert [each["EvalResourceDecision"] for each in first["ResourceSpecificResults"]] == ["allowed"]
    assert [each["SourcePolicyId"] for each in denied["MatchedStatements"]] == ["group_readers_deny"]
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    told = refused(
        iam, "simulate_principal_policy", PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/none", ActionNames=["s3:*"]
    )
    assert told == ("NoSuchEntity", "The role with name none cannot be found.")


def test_the_simulator_asks_for_the_context_it_lacks(account: Account) -> None:
    """What conditions ask about, and nobody gave."""
    text = document("s3:*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})
    asked = {"PolicyInputList": [text], "ActionNames": ["s3:GetObject"]}
    (unknown,) = account.iam.simulate_custom_policy(**asked)["EvaluationResults"]
    assert (unknown["EvalDecision"], unknown["MissingContextValues"]) == ("implicitDeny", ["aws:SourceVpce"])
    entry = {"ContextKeyName": "aws:SourceVpce", "ContextKeyValues": ["vpce-1"], "ContextKeyType": "string"}
    (known,) = account.iam.simulate_custom_policy(**asked, ContextEntries=[entry])["EvaluationResults"]
    assert (known["EvalDecision"], known["MissingContextValues"]) == ("allowed", [])
    told = refused(account.iam, "simulate_custom_policy", PolicyInputList=["{"], ActionNames=["s3:GetObject"])
    assert told[0] == "InvalidInput"


def test_the_simulator_keeps_to_a_boundary_that_is_given(account: Account) -> None:
    """PermissionsBoundaryPolicyInputList bounds what the policies allow."""
    asked = {"PolicyInputList": [document("s3:*")], "ActionNames": ["s3:GetObject", "s3:PutObject"]}
    answer = account.iam.simulate_custom_policy(**asked, PermissionsBoundaryPolicyInputList=[document("s3:GetObject")])
    assert [each["EvalDecision"] for each in answer["EvaluationResults"]] == ["allowed", "implicitDeny"]
