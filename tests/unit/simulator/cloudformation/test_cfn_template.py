"""Reading templates: nothing runs, nothing grows, and AWS's words for what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.errors import AwsError
from simulator.services.cloudformation import patterns
from simulator.services.cloudformation.checks import checked
from simulator.services.cloudformation.template import parse, read

QUEUE = {"Type": "AWS::SQS::Queue"}


def refusal(text: str) -> str:
    """Return what CloudFormation says to a bad template."""
    with pytest.raises(AwsError) as told:
        checked(text)
    assert told.value.code == "ValidationError"
    return told.value.message


def written(**resources: Any) -> str:
    """Return a JSON template of resources."""
    return json.dumps({"Resources": resources})


@pytest.mark.parametrize(
    "payload",
    [
        "!!python/object/apply:os.system ['touch {mark}']",
        "!!python/object/new:os.system ['touch {mark}']",
        "!!python/name:os.system ''",
        "!!python/module:os ''",
        "!Sub [!!python/object/apply:os.system ['touch {mark}'], {{}}]",
    ],
)
def test_python_in_yaml_runs_nothing_and_is_a_validation_error(payload: str, tmp_path: Path) -> None:
    """moto's loader ran this; a template is data here."""
    mark = tmp_path / "ran"
    text = f"Metadata: {payload.format(mark=mark)}\nResources:\n  Q:\n    Type: AWS::SQS::Queue\n"
    assert refusal(text).startswith("Template format error: YAML not well-formed. (line 1, column")
    assert not mark.exists()


def test_aliases_are_refused_before_anything_is_built() -> None:
    """A billion laughs needs aliases, which CloudFormation does not have."""
    text = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nResources: {}\n"
    assert refusal(text) == "Template format error: YAML aliases are not allowed in CloudFormation templates"


@pytest.mark.parametrize(
    "text", ["Resources: " + "[" * 5000, '{"Resources": ' + "[" * 100_000, "Resources: " + "{a: " * 300]
)
def test_deep_nesting_is_a_validation_error(text: str) -> None:
    """Neither parser's recursion is left to a stranger."""
    assert refusal(text).startswith("Template format error:")


def test_short_tags_become_long_functions() -> None:
    """All of CloudFormation's tags, in scalar, sequence and mapping form."""
    text = """
    A: !Ref X
    B: !GetAtt X.Arn
    C: !Sub "${X}-y"
    D: !Join ["-", [a, !Ref X]]
    E: !If [Cond, 1, !Ref AWS::NoValue]
    F: !GetAtt [X, Arn]
    G: !Condition Cond
    H: !Cidr {a: 1}
    """
    assert read(text) == {
        "A": {"Ref": "X"},
        "B": {"Fn::GetAtt": ["X", "Arn"]},
        "C": {"Fn::Sub": "${X}-y"},
        "D": {"Fn::Join": ["-", ["a", {"Ref": "X"}]]},
        "E": {"Fn::If": ["Cond", 1, {"Ref": "AWS::NoValue"}]},
        "F": {"Fn::GetAtt": ["X", "Arn"]},
        "G": {"Condition": "Cond"},
        "H": {"Fn::Cidr": {"a": 1}},
    }


def test_a_policys_date_stays_text() -> None:
    """YAML would make a date of Version: 2012-10-17."""
    assert read("Version: 2012-10-17") == {"Version": "2012-10-17"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources:\n  - [", "Template format error: YAML not well-formed. (line 3, column 1)"),
        ('{"Resources": }', "Template format error: JSON not well-formed. (line 1, column 16)"),
        ('{"Resources": NaN}', "Template format error: JSON not well-formed. (line 1, column 1)"),
        ("just text", "Template format error: unsupported structure."),
        ("", "Template format error: unsupported structure."),
        ("{}", "Template format error: At least one Resources member must be defined."),
        ('{"Resources": {}}', "Template format error: At least one Resources member must be defined."),
        (json.dumps({"Resourcez": {}}), "Invalid template property or properties [Resourcez]"),
        (
            json.dumps({"AWSTemplateFormatVersion": "2011-01-01", "Resources": {"Q": QUEUE}}),
            "Template format error: unsupported value for AWSTemplateFormatVersion.",
        ),
        (written(Q={}), "Template format error: [/Resources/Q] Every Resources object must contain a Type member."),
        (written(**{"Q-1": QUEUE}), "Template format error: Resource name Q-1 is non alphanumeric."),
        (written(Q={**QUEUE, "Propertys": {}}), "Invalid template resource property 'Propertys'"),
        (
            written(Q={**QUEUE, "Properties": {"QueueName": None}}),
            "[/Resources/Q/Properties/QueueName] 'null' values are not allowed in templates",
        ),
        (
            written(N={"Type": "AWS::Nope::NotAType"}, Q=QUEUE),
            "Template format error: Unrecognized resource types: [AWS::Nope::NotAType]",
        ),
        (
            written(Q={**QUEUE, "Properties": {"QueueName": {"Ref": "X"}}}),
            "Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
        ),
        (
            written(Q={**QUEUE, "Properties": {"QueueName": {"Fn::GetAtt": ["X", "Arn"]}}}),
            "Template error: instance of Fn::GetAtt references undefined resource X",
        ),
        (
            written(Q={**QUEUE, "Properties": {"QueueName": {"Fn::Sub": "${X.Arn}"}}}),
            "Template error: instance of Fn::GetAtt references undefined resource X",
        ),
        (
            written(Q=QUEUE, R={**QUEUE, "Properties": {"QueueName": {"Fn::GetAtt": "Q.Nope"}}}),
            "Template error: resource Q does not support attribute type Nope in Fn::GetAtt",
        ),
        (
            written(Q={**QUEUE, "DependsOn": "X"}),
            "Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
        ),
        (
            written(A={**QUEUE, "DependsOn": "B"}, B={**QUEUE, "DependsOn": ["A"]}, C={**QUEUE, "DependsOn": "A"}),
            "Circular dependency between resources: [A, B]",
        ),
        (
            json.dumps({"Resources": {"Q": QUEUE}, "Outputs": {"O": {"Value": {"Ref": "X"}}}}),
            "Template format error: Unresolved resource dependencies [X] in the Outputs block of the template",
        ),
        (
            json.dumps({"Resources": {"Q": QUEUE}, "Outputs": {"O": {}}}),
            "Template format error: Every Outputs member must contain a Value object",
        ),
        (json.dumps({"Resources": ""}), "Template format error: Any Resources member must be an object."),
        (
            json.dumps({"Resources": {"Q": QUEUE}, "Parameters": {"A-b": {"Type": "String"}}}),
            "Template format error: Parameter name A-b is non alphanumeric.",
        ),
        (
            json.dumps({"Resources": {"Q": QUEUE}, "Mappings": {"M": {"A": "x"}}}),
            "Template format error: Every Mappings member A must be a map",
        ),
        (
            json.dumps({"Resources": {"Q": QUEUE}, "Mappings": {"M": {"A": {"B": {"Ref": "AWS::Region"}}}}}),
            "Template format error: Every Mappings attribute must be a String or a List.",
        ),
        (
            written(Q={**QUEUE, "Metadata": {"of": {"Ref": "X"}}}),
            "Template format error: Unresolved resource dependencies [X] in the Resources block of the template",
        ),
        (
            written(Q={**QUEUE, "Properties": {"DelaySeconds": {"Fn::If": ["Nope", 1, 2]}}}),
            "Template error: unresolved condition dependency Nope in Fn::If",
        ),
        (
            json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Q": QUEUE}}),
            "Transform AWS::Serverless-2016-10-31 is not available in this lab: no macro of that name runs here.",
        ),
        (
            written(**{f"Q{n}": QUEUE for n in range(501)}),
            "Template format error: Number of resources, 501, is greater than maximum allowed, 500",
        ),
        (
            written(Q={**QUEUE, "DeletionPolicy": "Keep"}),
            "Template format error: Unrecognized DeletionPolicy Keep for resource",
        ),
    ],
)
def test_what_is_wrong_is_told_in_awss_words(text: str, message: str) -> None:
    """Each fault has the sentence that CloudFormation answers with."""
    assert refusal(text) == message


@given(st.text(max_size=300))
def test_any_text_is_a_template_or_a_validation_error(text: str) -> None:
    """Whatever is sent, no other exception comes out."""
    try:
        parse(text)
    except AwsError as error:
        assert error.code == "ValidationError"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Ref",
                    "Fn::GetAtt",
                    "Fn::Sub",
                    "Fn::If",
                    "Fn::Join",
                    "Condition",
                    "Type",
                    "Properties",
                    "DependsOn",
                    "Value",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Transform"]), _VALUES
    )
)
def test_any_structure_is_a_template_or_a_validation_error(document: dict[str, Any]) -> None:
    """Sections of the wrong shape are told, not tripped over."""
    document = {"Resources": {"Q": QUEUE}, **document}
    try:
        checked(json.dumps(document))
    except AwsError as error:
        assert error.code == "ValidationError"


def test_reading_a_template_needs_no_loader_of_python_objects() -> None:
    """The loader's constructors are the safe ones and our tags."""
    from simulator.services.cloudformation.template import _Loader

    assert not [tag for tag in _Loader.yaml_constructors if tag and "python" in tag]
    assert not [tag for tag in _Loader.yaml_multi_constructors if tag and "python" in tag]


@pytest.mark.parametrize(
    ("pattern", "length", "affordable"),
    [
        ("[a-z][a-z0-9-]*", 4096, True),
        ("(a|b)+", 4096, True),
        ("(a+)+", 4096, False),
        ("(a+)+", 12, True),
        ("(foo|bar)*x", 4096, False),
        (".*.*.*x", 4096, False),
        (r"arn:aws:iam::\d{12}:role/.+", 200, True),
    ],
)
def test_a_pattern_that_could_take_for_ever_is_not_tried(pattern: str, length: int, affordable: bool) -> None:
    """A template's AllowedPattern cannot hang the lab."""
    assert patterns.affordable(pattern, length) is affordable
