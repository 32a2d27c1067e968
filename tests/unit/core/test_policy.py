"""IAM policies: AWS's evaluation logic, operator by operator."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.identity import Principal
from simulator.permissions import needed
from simulator.policy import Decision, Request, conditions_met, evaluate, names, speaking

ALLOW_ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ARN = "arn:aws:lambda:us-east-1:111122223334:function:f"


def asked(action: str = "lambda:DeleteFunction", resource: str = ARN, **context: Any) -> Request:
    """Return a request; `context` keys are written with _ for :."""
    return Request(
        action=action, resource=resource, context={key.replace("_", ":"): value for key, value in context.items()}
    )


def says(statement: dict[str, Any], request: Request | None = None) -> Decision:
    """Return what a policy of one statement decides."""
    return evaluate([{"Statement": statement}], request or asked())


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        ({"Effect": "Allow", "Action": "lambda:DeleteFunction", "Resource": ARN}, Decision.ALLOW),
        ({"Effect": "Allow", "Action": "LAMBDA:deletefunction", "Resource": ARN}, Decision.ALLOW),
        ({"Effect": "Allow", "Action": ["s3:*", "lambda:Delete*"], "Resource": "*"}, Decision.ALLOW),
        ({"Effect": "Allow", "Action": "lambda:Delete?unction", "Resource": "*"}, Decision.ALLOW),
        ({"Effect": "Allow", "Action": "lambda:Delete", "Resource": "*"}, Decision.IMPLICIT_DENY),
        (
            {"Effect": "Allow", "Action": "lambda:*", "Resource": "arn:aws:lambda:*:*:function:g"},
            Decision.IMPLICIT_DENY,
        ),
        (
            {"Effect": "Allow", "Action": "lambda:*", "Resource": "ARN:AWS:LAMBDA:*:*:function:f"},
            Decision.IMPLICIT_DENY,
        ),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, Decision.ALLOW),
        ({"Effect": "Allow", "NotAction": "lambda:*", "Resource": "*"}, Decision.IMPLICIT_DENY),
        ({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b"}, Decision.EXPLICIT_DENY),
        ({"Effect": "Deny", "Action": "*", "NotResource": ARN}, Decision.IMPLICIT_DENY),
    ],
)
def test_a_statement_decides_as_aws_does(statement: dict[str, Any], decision: Decision) -> None:
    """Case, wildcards, Not elements: moto permits Deny with NotResource and compares actions by case."""
    assert says(statement) is decision


def test_a_deny_anywhere_wins() -> None:
    """The order of policies and statements does not matter."""
    deny = {"Statement": {"Effect": "Deny", "Action": "lambda:DeleteFunction", "Resource": "*"}}
    assert evaluate([ALLOW_ALL, deny], asked()) is evaluate([deny, ALLOW_ALL], asked()) is Decision.EXPLICIT_DENY


def test_a_deny_whose_condition_is_not_met_denies_nothing() -> None:
    """The participant's region guard would lock everyone out otherwise."""
    guard = {
        "Statement": {
            "Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1"]}},
        }
    }  # fmt: skip
    assert evaluate([ALLOW_ALL, guard], asked(aws_requestedregion="us-east-1")) is Decision.ALLOW
    assert evaluate([ALLOW_ALL, guard], asked(aws_requestedregion="eu-west-1")) is Decision.EXPLICIT_DENY


def test_a_boundary_only_takes_away() -> None:
    """What a boundary does not allow is refused, and what it allows still needs a policy."""
    boundary = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    assert evaluate([ALLOW_ALL], asked(), boundary) is Decision.BOUNDARY_DENY
    assert evaluate([], asked("s3:GetObject"), boundary) is Decision.IMPLICIT_DENY
    assert evaluate([ALLOW_ALL], asked("s3:GetObject"), boundary) is Decision.ALLOW


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"StringEquals": {"K": "v"}}, True),
        ({"StringEquals": {"K": ["x", "v"]}}, True),
        ({"StringEquals": {"K": "V"}}, False),
        ({"StringEqualsIgnoreCase": {"K": "V"}}, True),
        ({"StringNotEquals": {"K": ["x", "v"]}}, False),
        ({"StringLike": {"K": "*"}}, True),
        ({"StringNotLike": {"K": "w*"}}, True),
        ({"StringEquals": {"absent": "v"}}, False),
        ({"StringEqualsIfExists": {"absent": "v"}}, True),
        ({"StringNotEquals": {"absent": "v"}}, True),
        ({"Null": {"absent": "true"}}, True),
        ({"Null": {"K": True}}, False),
        ({"Bool": {"flag": "true"}}, True),
        ({"Bool": {"flag": False}}, False),
        ({"NumericLessThan": {"n": "10"}}, True),
        ({"NumericGreaterThanEquals": {"n": 8}}, False),
        ({"NumericEquals": {"K": "7"}}, False),
        ({"DateGreaterThan": {"t": "2026-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"t": "1767225600"}}, False),
        ({"IpAddress": {"ip": "192.0.2.0/24"}}, True),
        ({"NotIpAddress": {"ip": ["10.0.0.0/8"]}}, True),
        ({"IpAddress": {"ip": "nonsense"}}, False),
        ({"ArnLike": {"arn": "arn:aws:iam::*:role/*"}}, True),
        ({"ArnEquals": {"arn": "arn:aws:iam::1:user/*"}}, False),
        ({"ForAnyValue:StringEquals": {"many": ["b"]}}, True),
        ({"ForAllValues:StringEquals": {"many": ["b"]}}, False),
        ({"ForAllValues:StringEquals": {"absent": ["b"]}}, True),
        ({"StringEquals": {"K": "v"}, "Bool": {"flag": "false"}}, False),
        ({"NoSuchOperator": {"K": "v"}}, False),
        ("nonsense", False),
        (None, True),
    ],
)
def test_conditions(condition: Any, met: bool) -> None:
    """Each operator, present and absent keys, quantifiers; tests AND, values OR."""
    context: dict[str, str | list[str]] = {
        "k": "v", "flag": "true", "n": "7", "t": "2026-11-24T10:00:00Z", "ip": "192.0.2.9",
        "arn": "arn:aws:iam::1:role/r", "many": ["a", "b"],
    }  # fmt: skip
    assert conditions_met(condition, context) is met


def test_policy_variables_are_filled_and_unknown_ones_match_nothing() -> None:
    """`${aws:username}` is the caller's; a variable nobody knows is no wildcard."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}
    own = asked("s3:GetObject", "arn:aws:s3:::home/linh/a", aws_username="linh")
    assert says(statement, own) is Decision.ALLOW
    assert says(statement, asked("s3:GetObject", "arn:aws:s3:::home/linh/a")) is Decision.IMPLICIT_DENY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(
    statement=st.dictionaries(
        st.sampled_from(["Effect", "Action", "NotAction", "Resource", "Condition", "Principal"]), JSON
    )
)
def test_no_document_breaks_the_evaluator(statement: dict[str, Any]) -> None:
    """Whatever JSON a trainee puts into a policy, the answer is a decision."""
    caller = Principal.service("lambda.amazonaws.com", "111122223334")
    assert isinstance(evaluate([{"Statement": [statement, "x"]}], asked()), Decision)
    assert isinstance(speaking({"Statement": [statement]}, caller, asked()), list)


def test_a_principal_is_named_by_arn_role_account_or_star() -> None:
    """A role's session answers to its own ARN, its role's, its account's; a service to its name; nobody to another's."""
    from datetime import UTC, datetime

    session = Principal.session(
        account_id="111122223334", role_name="R", role_id="AROAX", session_name="s", access_key_id="ASIAX",
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    for mine in (session.arn, session.issuer_arn, "111122223334", "arn:aws:iam::111122223334:root", "*"):
        assert names({"Principal": {"AWS": mine}}, session)
    for other in ("arn:aws:iam::111122223334:role/S", "999999999999", {"x": 1}):
        assert not names({"Principal": {"AWS": [other]}}, session)
    assert names({"NotPrincipal": {"AWS": "999999999999"}}, session)
    assert names({"Principal": {"Service": "a.amazonaws.com"}}, Principal.service("a.amazonaws.com", "1"))
    assert not names({"Principal": {"AWS": "*"}}, Principal.service("a.amazonaws.com", "1"))


@pytest.mark.parametrize(
    ("service", "operation", "params", "action", "resource"),
    [
        ("lambda", "Invoke", {"FunctionName": "f"}, "lambda:InvokeFunction", ARN),
        ("lambda", "DeleteFunction", {"FunctionName": ARN}, "lambda:DeleteFunction", ARN),
        ("s3", "ListObjectsV2", {"Bucket": "b"}, "s3:ListBucket", "arn:aws:s3:::b"),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k/x"}, "s3:GetObject", "arn:aws:s3:::b/k/x"),
        ("events", "DisableRule", {"Name": "r"}, "events:DisableRule", "arn:aws:events:us-east-1:111122223334:rule/r"),
        ("iam", "GetRole", {"RoleName": "r"}, "iam:GetRole", "arn:aws:iam::111122223334:role/r"),
        ("guardduty", "ListDetectors", {}, "guardduty:ListDetectors", "*"),
        ("stepfunctions", "ListStateMachines", {}, "states:ListStateMachines", "*"),
    ],
)
def test_a_call_needs_the_action_and_resource_that_aws_names(
    service: str, operation: str, params: dict[str, Any], action: str, resource: str
) -> None:
    """Service Authorization Reference."""
    first = needed(service, operation, params, "111122223334", "us-east-1")[0]
    assert (first.action, first.resource) == (action, resource)


def test_handing_a_role_to_a_service_needs_pass_role() -> None:
    """Creating a function asks for iam:PassRole on its role, for Lambda."""
    role = "arn:aws:iam::111122223334:role/exec"
    _, passed = needed("lambda", "CreateFunction", {"FunctionName": "f", "Role": role}, "111122223334", "us-east-1")
    assert (passed.action, passed.resource, passed.context) == (
        "iam:PassRole", role, {"iam:passedtoservice": "lambda.amazonaws.com"},
    )  # fmt: skip
