"""Intrinsic functions."""

import json
from typing import Any

import pytest

from simulator.errors import AwsError
from simulator.services.cloudformation.intrinsics import Evaluator
from simulator.services.cloudformation.template import parse

NO_SELECTION = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"


class Fixed:
    """Lookups with fixed answers."""

    def ref(self, logical_id: str) -> Any:
        """Return a made-up id."""
        return f"id-of-{logical_id}"

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return a made-up attribute."""
        return f"{name}-of-{logical_id}"

    def imported(self, name: str) -> str:
        """Return a made-up export."""
        return f"import-{name}"

    def zones(self, region: str) -> list[str]:
        """Return two zones."""
        return [f"{region}a", f"{region}b"]

    def secret(self, service: str, key: str) -> str:
        """Return a made-up secret."""
        return f"{service}={key}"


def worked_out(value: Any, *, transform: str | None = None, **sections: Any) -> Any:
    """Return what a value comes to in a template with these sections."""
    document = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, **sections}
    if transform:
        document["Transform"] = transform
    evaluator = Evaluator(
        template=parse(json.dumps(document)),
        parameters={"P": "p", "List": ["x", "y"], "Yes": "true"},
        pseudo={"AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"},
        lookups=Fixed(),
    )
    return evaluator.value(value)


SECTIONS: dict[str, Any] = {
    "Parameters": {"P": {"Type": "String"}, "Yes": {"Type": "String"}, "List": {"Type": "CommaDelimitedList"}},
    "Conditions": {
        "On": {"Fn::Equals": [{"Ref": "Yes"}, "true"]},
        "Off": {"Fn::Not": [{"Condition": "On"}]},
        "Both": {"Fn::And": [{"Condition": "On"}, {"Condition": "Off"}]},
        "Either": {"Fn::Or": [{"Condition": "On"}, {"Condition": "Off"}]},
    },
    "Mappings": {"M": {"us-east-1": {"Size": 3}}},
}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"Ref": "P"}, "p"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "Q"}, "id-of-Q"),
        ({"Fn::GetAtt": ["Q", "Arn"]}, "Arn-of-Q"),
        ({"Fn::GetAtt": "Q.Outputs.X"}, "Outputs.X-of-Q"),
        ({"Fn::Sub": "${P}/${Q.Arn}/${!Literal}/${AWS::AccountId}"}, "p/Arn-of-Q/${Literal}/123456789012"),
        ({"Fn::Sub": ["${A}-${P}", {"A": {"Ref": "Q"}}]}, "id-of-Q-p"),
        ({"Fn::Join": [",", [1, True, {"Ref": "P"}]]}, "1,true,p"),
        ({"Fn::Join": ["", {"Ref": "List"}]}, "xy"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "us-east-1a"),
        ({"Fn::Split": ["|", "a|b"]}, ["a", "b"]),
        ({"Fn::If": ["On", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"a": {"Fn::If": ["Off", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "Size"]}, 3),
        ({"Fn::Base64": {"Fn::Sub": "hi ${P}"}}, "aGkgcA=="),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::ImportValue": {"Fn::Sub": "${P}-x"}}, "import-p-x"),
        ("{{resolve:ssm:/a/b}}", "ssm=/a/b"),
        ({"Fn::Join": ["", ["{{resolve:ssm:", {"Ref": "P"}, ":1}}"]]}, "ssm=p:1"),
        ({"Fn::Sub": "<{{resolve:ssm-secure:${P}}}>"}, "<ssm-secure=p>"),
    ],
)
def test_each_function_comes_to_its_value(value: Any, result: Any) -> None:
    """As the template reference says."""
    assert worked_out(value, **SECTIONS) == result


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::Select": [5, ["a"]]}, NO_SELECTION),
        ({"Fn::Select": ["x", ["a"]]}, NO_SELECTION),
        ({"Fn::Select": [0, 2]}, NO_SELECTION),
        ({"Fn::FindInMap": ["M", "eu-west-1", "Size"]}, "Template error: Unable to get mapping for M::eu-west-1::Size"),
        (
            {"Fn::FindInMap": ["N", "a", "b"]},
            "Template error: Mapping named 'N' is not present in the 'Mappings' section of template.",
        ),
        ({"Fn::Nope": 1}, "Template error: Unrecognized function Fn::Nope"),
        ({"Fn::If": ["Nope", 1, 2]}, "Template error: unresolved condition dependency Nope in Fn::If"),
        (
            {"Fn::Length": [1]},
            "Template error: Fn::Length is only available with the transform AWS::LanguageExtensions",
        ),
    ],
)
def test_a_misused_function_is_a_validation_error(value: Any, message: str) -> None:
    """In AWS's words."""
    with pytest.raises(AwsError) as told:
        worked_out(value, **SECTIONS)
    assert (told.value.code, told.value.message) == ("ValidationError", message)


def test_language_extensions_bring_length_and_json() -> None:
    """The one transform that the lab has."""
    value = {"Fn::Join": ["", [{"Fn::Length": [1, 2]}, {"Fn::ToJsonString": {"a": {"Ref": "P"}}}]]}
    assert worked_out(value, transform="AWS::LanguageExtensions", **SECTIONS) == '2{"a":"p"}'
