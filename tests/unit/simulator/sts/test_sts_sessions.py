"""STS: who one is, which roles one may assume, and what a session is."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.clock import LabClock
from simulator.errors import AwsError
from simulator.identity import Ids, Principal, account_of
from simulator.service import Context
from simulator.services.sts import Sts, trust_policy, trusts

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/reader"
WALL = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)
NOW = WALL + timedelta(days=3)
USER = Principal(
    type="IAMUser", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:user/ada", principal_id="AIDAX", name="ada"
)
SYSTEM = Principal.session(
    account_id=ACCOUNT,
    role_name="WSSystemRole",
    role_id="AROAX",
    session_name="System",
    access_key_id="ASIAX",
    created=NOW,
)


class StsLab:
    """A lab with STS and one role in it."""

    def __init__(self, trust: Any) -> None:
        self.account_id, self.seed = ACCOUNT, "seed"
        self.wall = WALL
        self.clock = LabClock(lambda: self.wall.timestamp())
        self.role = {
            "Arn": ROLE,
            "RoleName": "reader",
            "RoleId": "AROAREADER",
            "Path": "/service/",
            "MaxSessionDuration": 7200,
            "AssumeRolePolicyDocument": trust,
        }
        self.sts = Sts(self)  # type: ignore[arg-type]

    def read(self, ctx: Context, service: str, operation: str, params: Any) -> dict[str, Any]:
        """Answer GetRole."""
        if params["RoleName"] != "reader":
            raise AwsError("NoSuchEntity", "The role cannot be found.")
        return {"Role": self.role}

    def context(self, principal: Principal = USER, change: int = 1) -> Context:
        """Return the context of a change."""
        return Context(lab=self, principal=principal, now=NOW, ids=Ids.of("seed", change))  # type: ignore[arg-type]

    def assume(self, principal: Principal = USER, role: str = ROLE, **params: Any) -> dict[str, Any]:
        """Assume a role as session `work`."""
        return self.sts.assume_role(self.context(principal), RoleArn=role, RoleSessionName="work", **params)


def trust(principal: Any, **statement: Any) -> dict[str, Any]:
    """Return a trust policy of one statement."""
    allow = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **statement}
    return {"Version": "2012-10-17", "Statement": [allow]}


def refused(lab: StsLab, **params: Any) -> str:
    """Return `Code: message` of an AssumeRole that must fail."""
    with pytest.raises(AwsError) as caught:
        lab.assume(**params)
    return str(caught.value)


def test_a_session_is_kept_by_its_access_key() -> None:
    """The gateway finds who calls and with which secret; ids tell the account."""
    lab = StsLab(trust({"AWS": ACCOUNT}))
    answer = lab.assume()
    credentials = answer["Credentials"]
    key = credentials["AccessKeyId"]
    assert (key[:4], len(key), account_of(key)) == ("ASIA", 20, ACCOUNT)
    assert len(credentials["SecretAccessKey"]) == 40
    assert credentials["SessionToken"].startswith("IQoJb3JpZ2luX2Vj")
    base64.b64decode(credentials["SessionToken"], validate=True)
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": "AROAREADER:work",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/work",
    }
    principal = lab.sts.principal_of(key)
    assert principal is not None
    assert (principal.issuer_arn, principal.session_created) == (ROLE, NOW)
    assert lab.sts.secret_of(key) == credentials["SecretAccessKey"]
    assert lab.sts.principal_of("ASIAOTHER") is None
    assert lab.sts.secret_of("ASIAOTHER") is None


def test_credentials_expire_by_the_wall_clock() -> None:
    """Lab time may be days ahead, clients compare with their own clock."""
    lab = StsLab(trust("*"))
    credentials = lab.assume(DurationSeconds=900)["Credentials"]
    assert credentials["Expiration"] == WALL + timedelta(seconds=900)
    assert not lab.sts.has_expired(credentials["AccessKeyId"])
    lab.wall += timedelta(seconds=901)
    assert lab.sts.has_expired(credentials["AccessKeyId"])
    assert not lab.sts.has_expired("ASIAOTHER")


def test_the_same_change_opens_the_same_session() -> None:
    """A replay gives out the credentials that clients hold."""
    answers = [StsLab(trust("*")).assume() for _ in range(2)]
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::210987654321:role/service/reader",
        f"arn:aws:iam::{ACCOUNT}:role/reader",
        f"arn:aws:iam::{ACCOUNT}:role/service/unknown",
    ],
)
def test_a_role_of_another_account_or_none_is_denied_in_the_same_words(role: str) -> None:
    """Nothing tells whether a guessed role exists."""
    told = refused(StsLab(trust("*")), role=role)
    expected = f"AccessDenied: User: {USER.arn} is not authorized to perform: sts:AssumeRole on resource: {role}"
    assert told == expected


def test_a_role_that_trusts_only_lambda_is_not_assumed() -> None:
    """The takeover that works against moto."""
    assert refused(StsLab(trust({"Service": "lambda.amazonaws.com"}))).startswith("AccessDenied: User: ")


def test_what_is_no_role_arn_is_invalid() -> None:
    """In STS's words."""
    assert (
        refused(StsLab(trust("*")), role="nothing-valid-in-here") == "ValidationError: nothing-valid-in-here is invalid"
    )


def test_an_external_id_is_asked_for() -> None:
    """The condition of a role for third parties."""
    lab = StsLab(trust("*", Condition={"StringEquals": {"sts:ExternalId": "e-1"}}))
    assert refused(lab).startswith("AccessDenied")
    assert refused(lab, ExternalId="e-2").startswith("AccessDenied")
    assert lab.assume(ExternalId="e-1")


def test_durations_are_bounded_by_role_and_chaining() -> None:
    """By the role's maximum, and to one hour for a session that assumes a role."""
    lab = StsLab(trust("*"))
    assert "MaxSessionDuration" in refused(lab, DurationSeconds=7201)
    assert "role chaining" in refused(lab, principal=SYSTEM, DurationSeconds=3601)
    assert lab.assume(SYSTEM, DurationSeconds=3600)


def test_tags_need_their_permission_and_are_unique() -> None:
    """TagSession is an action of its own; keys do not differ by case alone."""
    tags = [{"Key": "team", "Value": "blue"}]
    assert "sts:TagSession" in refused(StsLab(trust("*")), Tags=tags)
    lab = StsLab(trust("*", Action=["sts:AssumeRole", "sts:TagSession"]))
    answer = lab.assume(Tags=tags)
    session = lab.sts.session_of(answer["Credentials"]["AccessKeyId"])
    assert session is not None
    assert session.tags == (("team", "blue"),)
    assert refused(lab, Tags=[*tags, {"Key": "Team", "Value": "red"}]).startswith("InvalidParameterValue: Duplicate")
    assert refused(lab, TransitiveTagKeys=["x"]).startswith("InvalidParameterValue: The specified transitive")


@pytest.mark.parametrize("policy", ["{", "[]", "{}", "[" * 9000])
def test_a_session_policy_must_be_a_policy(policy: str) -> None:
    """Or it is malformed."""
    assert refused(StsLab(trust("*")), Policy=policy).startswith("MalformedPolicyDocument")


def test_caller_identity_tells_the_truth() -> None:
    """Of a session, a user and the root of the account."""
    lab = StsLab(trust("*"))
    root = Principal(type="Root", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root")
    assert lab.sts.get_caller_identity(lab.context(SYSTEM)) == {
        "UserId": "AROAX:System",
        "Account": ACCOUNT,
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/WSSystemRole/System",
    }
    assert lab.sts.get_caller_identity(lab.context())["Arn"] == USER.arn
    assert lab.sts.get_caller_identity(lab.context(root)) == {"UserId": ACCOUNT, "Account": ACCOUNT, "Arn": root.arn}
    assert refused(lab, principal=root) == "AccessDenied: Roles may not be assumed by root accounts."


def test_session_tokens_are_for_users() -> None:
    """A session gets none, as on AWS."""
    lab = StsLab(trust("*"))
    key = lab.sts.get_session_token(lab.context())["Credentials"]["AccessKeyId"]
    principal = lab.sts.principal_of(key)
    assert principal is not None
    assert principal.arn == USER.arn
    for operation, params in (("get_session_token", {}), ("get_federation_token", {"Name": "x"})):
        with pytest.raises(AwsError, match="with session credentials"):
            getattr(lab.sts, operation)(lab.context(SYSTEM), **params)


def test_keys_tell_their_account_and_messages_are_not_decoded() -> None:
    """Whatever lab they are of."""
    lab = StsLab(trust("*"))
    key = Ids.of("x").unique_id("AKIA", "210987654321", 20)
    assert lab.sts.get_access_key_info(lab.context(), AccessKeyId=key) == {"Account": "210987654321"}
    with pytest.raises(AwsError, match="ValidationError"):
        lab.sts.get_access_key_info(lab.context(), AccessKeyId="not_a_key_at_all")
    with pytest.raises(AwsError, match="InvalidAuthorizationMessageException"):
        lab.sts.decode_authorization_message(lab.context(), EncodedMessage="x")


def test_the_story_opens_the_same_session_of_a_role_again() -> None:
    """Same role, name and moment: same principal; nothing is kept of it."""
    lab = StsLab(trust("*"))
    first = lab.sts.open_session(lab.context(change=1), "reader", "System", NOW)
    again = lab.sts.open_session(lab.context(change=2), "reader", "System", NOW)
    other = lab.sts.open_session(lab.context(change=1), "reader", "System", NOW + timedelta(hours=1))
    assert first == again
    assert first.access_key_id != other.access_key_id
    assert lab.sts.principal_of(first.access_key_id) is None


SERVICE = Principal.service("lambda.amazonaws.com", ACCOUNT)
ARN = {"aws:principalarn": USER.arn}
OTHER = Principal(type="IAMUser", account_id="210987654321", arn="arn:aws:iam::210987654321:user/eve")


@pytest.mark.parametrize(
    ("document", "caller", "known", "expected"),
    [
        (trust("*"), OTHER, {}, True),
        (trust({"AWS": "*"}), USER, {}, True),
        (trust({"AWS": ACCOUNT}), USER, {}, True),
        (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), SYSTEM, {}, True),
        (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), OTHER, {}, False),
        (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/WSSystemRole"}), SYSTEM, {}, True),
        (trust({"AWS": [SYSTEM.arn]}), SYSTEM, {}, True),
        (trust({"AWS": USER.arn}), SYSTEM, {}, False),
        (trust({"AWS": [{"x": 1}, None, 1]}), USER, {}, False),
        (trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}), SERVICE, {}, True),
        (trust({"Service": "lambda.amazonaws.com"}), USER, {}, False),
        (trust({"AWS": "*"}), SERVICE, {}, False),
        (trust({"Federated": "arn:aws:iam::123456789012:saml-provider/x"}), USER, {}, False),
        (trust("*", Action="sts:*"), USER, {}, True),
        (trust("*", Action="sts:assumerole"), USER, {}, True),
        (trust("*", Action="sts:TagSession"), USER, {}, False),
        (trust("*", Effect="Deny"), USER, {}, False),
        (trust("*", Condition={"StringEquals": {"sts:ExternalId": "e"}}), USER, {"sts:externalid": "e"}, True),
        (trust("*", Condition={"StringEquals": {"sts:ExternalId": "e"}}), USER, {}, False),
        (trust("*", Condition={"StringNotEquals": {"sts:ExternalId": "e"}}), USER, {"sts:externalid": "e"}, False),
        (trust("*", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}), SERVICE, {}, True),
        (trust("*", Condition={"StringNotEquals": {"aws:PrincipalArn": "x"}}), USER, {}, True),
        (trust("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a?a"}}), USER, ARN, True),
        (trust("*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), USER, {}, False),
        (trust("*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}), USER, {}, True),
        (trust("*", Condition={"Null": {"sts:ExternalId": "true"}}), USER, {}, True),
    ],
)
def test_trust_policies_say_who_may_assume(
    document: dict[str, Any], caller: Principal, known: dict[str, str | list[str]], expected: bool
) -> None:
    """Principals, actions and conditions of the IAM user guide."""
    assert trusts(document, caller, "sts:AssumeRole", known) is expected


def test_an_explicit_deny_wins() -> None:
    """Wherever it stands."""
    deny, allow = trust({"AWS": USER.arn}, Effect="Deny")["Statement"], trust("*")["Statement"]
    assert not trusts({"Statement": [*allow, *deny]}, USER, "sts:AssumeRole")
    assert trusts({"Statement": [*allow, *deny]}, SYSTEM, "sts:AssumeRole")


def test_trust_policies_are_read_as_object_text_and_quoted_text() -> None:
    """IAM hands them out in several forms."""
    text = '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*"}}'
    for form in (text, quote(text)):
        assert trusts(trust_policy({"AssumeRolePolicyDocument": form}), USER, "sts:AssumeRole")
    for nothing in (None, "no policy", "[]", "{"):
        assert trust_policy({"AssumeRolePolicyDocument": nothing}) == {}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["*", "Allow", "Deny", ACCOUNT]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Statement", "Effect", "Principal", "AWS", "Action", "Condition", "StringLike", "Null", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(document=st.dictionaries(st.just("Statement"), _JSON))
def test_any_document_trusts_or_does_not(document: dict[str, Any]) -> None:
    """IAM's storage may hold nonsense; it is no error here."""
    assert trusts(document, USER, "sts:AssumeRole") in (True, False)
