"""Calls as authors write them become calls as clients make them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario import load, steps
from scenario.model import Actor
from scenario.variant import scenery, variant

SCENARIO = load.load("lambda-malicious-ip")
START = datetime(2026, 11, 22, 17, 23, tzinfo=UTC)


def archived(folder: str) -> bytes:
    """Stand in for a folder's archive."""
    return f"zip of {folder}".encode()


def test_placeholders_are_filled_however_deep() -> None:
    """In keys, lists and text alike; numbers and flags stay what they are."""
    value = {"{name}": ["a {name}", {"n": 1, "on": True}], "none": None}
    assert steps.render(value, {"name": "x"}, archived) == {"x": ["a x", {"n": 1, "on": True}], "none": None}


def test_a_policy_becomes_json_text() -> None:
    """A mapping under $json is written as JSON with its placeholders filled."""
    made = steps.render({"Policy": {"$json": {"Resource": "arn:{region}"}}}, {"region": "us-east-1"}, archived)
    assert json.loads(made["Policy"]) == {"Resource": "arn:us-east-1"}


def test_a_folder_becomes_an_archive() -> None:
    """A mapping under $zip is replaced by the folder's bytes."""
    assert steps.render({"ZipFile": {"$zip": "code/x"}}, {}, archived) == {"ZipFile": b"zip of code/x"}


def test_a_value_that_nobody_gives_is_named() -> None:
    """The error says which placeholder it was."""
    with pytest.raises(steps.UnknownPlaceholder) as caught:
        steps.render(["{missing}"], {}, archived)
    assert caught.value.name == "missing"


def test_source_code_keeps_braces_that_are_not_placeholders() -> None:
    """An f-string's names are its own."""
    assert steps.fill_known('f"{elapsed} {malicious_ip}"', {"malicious_ip": "198.18.0.1"}) == 'f"{elapsed} 198.18.0.1"'


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_what_is_named_is_what_is_filled(value: Any) -> None:
    """After giving each placeholder found a value without braces, none is left."""
    values = dict.fromkeys(steps.placeholders(value), "v")
    if not isinstance(value, dict) or value.keys() not in ({"$json"}, {"$zip"}):
        assert not steps.placeholders(steps.render(value, values, archived)) - {"v"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [("Ids.0", "a"), ("Deep.Er.Name", "n"), ("Policy.Statement.1.Sid", "second")],
)
def test_parts_of_a_result_are_saved_by_dotted_path(path: str, expected: str) -> None:
    """Lists by place, mappings by key, and JSON inside text."""
    result = {
        "Ids": ["a", "b"],
        "Deep": {"Er": {"Name": "n"}},
        "Policy": json.dumps({"Statement": [{"Sid": "first"}, {"Sid": "second"}]}),
    }
    assert steps.saved({"it": path}, result) == {"it": expected}


@pytest.mark.parametrize("path", ["Nothing", "Ids.5"])
def test_a_part_that_is_not_there_is_an_error(path: str) -> None:
    """Nothing is made up for it."""
    with pytest.raises(LookupError):
        steps.saved({"it": path}, {"Ids": []})


def test_a_roles_creation_names_whom_it_trusts() -> None:
    """A service as Service, an account as its root."""
    role = Actor(name="R", kind="role", trusts=("lambda.amazonaws.com", "111111111111"))
    background = SCENARIO.background
    (create,) = steps.provisioning(
        type(background)(
            span=background.span, settled=background.settled, provisioner="A/B", provisioned=background.provisioned,
            actors=(role,), episodes=(), findings=(),
        )
    ).calls  # fmt: skip
    trust = json.loads(steps.render(create.params, {}, archived)["AssumeRolePolicyDocument"])
    assert [each["Principal"] for each in trust["Statement"]] == [
        {"Service": "lambda.amazonaws.com"},
        {"AWS": "arn:aws:iam::111111111111:root"},
    ]


def test_a_finding_that_never_moved_was_updated_when_it_was_created() -> None:
    """To the millisecond, in every lab."""
    once = [each for each in SCENARIO.background.findings if each.created == each.updated]
    assert once
    for each in scenery(SCENARIO, variant(SCENARIO, "seed")):
        assert (each.created == each.updated) == (each.id in {finding.id for finding in once})


def test_findings_carry_aws_times() -> None:
    """Seen in whole seconds, created with milliseconds, as AWS writes them (docs/aws-facts.md, part 1.1)."""
    made = variant(SCENARIO, "seed")
    saved = dict.fromkeys(("backup_key", "backup_operator_id"), "X")
    shape = steps.finding_shape(scenery(SCENARIO, made)[0], {**made.values, **saved}, START)
    assert shape["Service"]["EventFirstSeen"] == "2026-11-23T23:43:00.000Z"
    assert shape["CreatedAt"].startswith("2026-11-23T23:49:11.")
    assert not shape["CreatedAt"].endswith(".000Z")
    assert made.second_ip in shape["Description"]
