"""Commands say the same as the calls, in words that sh, PowerShell and cmd leave alone."""

import json
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.console.commands import command
from tests.aws_cli import aws_cli

CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("guardduty", "ListDetectors", {}, "aws guardduty list-detectors"),
    (
        "guardduty", "ListFindings",
        {"DetectorId": "abc", "FindingCriteria": {"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}, "MaxResults": 50},
        'aws guardduty list-findings --detector-id abc --finding-criteria "Criterion={resource.resourceType={Equals=[Lambda]}}"',
    ),
    ("guardduty", "GetFindings", {"DetectorId": "abc", "FindingIds": ["1", "2"]}, "aws guardduty get-findings --detector-id abc --finding-ids 1 2"),
    (
        "guardduty", "UpdateThreatIntelSet", {"DetectorId": "abc", "Activate": False},
        "aws guardduty update-threat-intel-set --detector-id abc --no-activate",
    ),
    (
        "cloudtrail", "LookupEvents", {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "f"}], "MaxResults": 50},
        'aws cloudtrail lookup-events --lookup-attributes "AttributeKey=ResourceName,AttributeValue=f"',
    ),
    ("config", "ListDiscoveredResources", {"resourceType": "AWS::Lambda::Function", "limit": 100}, "aws configservice list-discovered-resources --resource-type AWS::Lambda::Function"),
    ("lambda", "PutFunctionConcurrency", {"FunctionName": "f", "ReservedConcurrentExecutions": 0}, "aws lambda put-function-concurrency --function-name f --reserved-concurrent-executions 0"),
    ("s3", "GetObject", {"Bucket": "b", "Key": "a b.txt"}, 'aws s3api get-object --bucket b --key "a b.txt" object.bin'),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "params", "text"), CASES)
def test_a_call_is_said_as_the_guide_says_it(service: str, operation: str, params: dict[str, Any], text: str) -> None:
    """The CLI's names, its shorthand without inner quotes, its own paging."""
    assert command(service, operation, params).text == text


def test_what_no_word_can_say_is_in_a_file() -> None:
    """Policies, texts with quotes, and code are shown beside the command."""
    policy = json.dumps({"Version": "2012-10-17"})
    said = command(
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "f", "Environment": {"Variables": {"A": 'say "hi", $HOME'}}},
    )
    assert said.text.endswith("--environment file://environment.json")
    assert json.loads(said.files[0][1]) == {"Variables": {"A": 'say "hi", $HOME'}}
    assert command("iam", "PutRolePolicy", {"PolicyDocument": policy}).files == (("policy-document.json", policy),)
    assert (
        "fileb://zip-file.bin" in command("lambda", "UpdateFunctionCode", {"FunctionName": "f", "ZipFile": b"\0"}).text
    )


values = st.recursive(
    st.text(max_size=12) | st.integers(0, 10**6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1, max_size=6), values, min_size=1, max_size=3))
def test_shorthand_means_what_was_asked(criteria: dict[str, Any]) -> None:
    """Whatever the values hold: the CLI reads the same back, or they stand in a file as JSON."""
    said = command("guardduty", "CreateFilter", {"FindingCriteria": criteria})
    word = shlex.split(said.text)[4]
    if word.startswith("file://"):
        assert json.loads(said.files[0][1]) == criteria
    else:
        assert aws_cli().shorthand(word) == _texts(criteria)


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(each) for key, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else str(value)


@given(st.text(max_size=60))
def test_no_shell_finds_anything_to_do_in_a_command(text: str) -> None:
    """A name full of shell syntax stays one word, or goes into a file."""
    said = command("lambda", "GetFunction", {"FunctionName": text})
    if "file://" in said.text:
        assert dict(said.files).popitem()[1] == text
    else:
        assert shlex.split(said.text) == ["aws", "lambda", "get-function", "--function-name", text]
        assert not set("$`\\!%") & set(said.text)
