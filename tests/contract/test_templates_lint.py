"""cfn-lint finds nothing in any template, whatever is opted, and both languages say the same."""

import itertools
import json

import cfn_flip  # type: ignore[import-untyped]  # comes with troposphere
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from scenario import load
from templates.build import build
from templates.options import Options

DETECTOR = "0123456789abcdef0123456789abcdef"
EVERY_OPTION = (
    Options(name_prefix="team3"),
    Options(guardduty=False),
    Options(guardduty=False, trail=False),
    *(
        Options(detector_id=detector, recorder=recorder, trail=trail)
        for detector, recorder, trail in itertools.product((None, DETECTOR), (True, False), (True, False))
    ),
)
"""A prefix changes names only, so it is tried once."""

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-1"]


def texts(language: str) -> dict[str, str]:
    """Return every different template text that the options can make, by text, with a name for messages."""
    scenario = load.load("lambda-malicious-ip", tasks_only=True)
    return {
        template.to_yaml() if language == "yaml" else template.to_json(): f"{part} with {options}"
        for options in EVERY_OPTION
        for part, template in build(scenario, options).items()
    }


def complaints(text: str) -> list[str]:
    """Return what cfn-lint has to say about a template, informational checks included."""
    found = lint(text, config=ManualArgs(regions=REGIONS, include_checks=["I"]))
    return [f"{match.rule.id} {match.message}" for match in found]


def test_cfn_lint_finds_nothing() -> None:
    """Every combination of options, errors, warnings and information alike."""
    assert {name: said for text, name in texts("yaml").items() if (said := complaints(text))} == {}


def test_json_and_yaml_say_the_same() -> None:
    """Read again, the two texts of every template are equal, so what is found in one is all there is."""
    pairs = list(zip(texts("yaml"), texts("json"), strict=True))
    assert len(pairs) > 6
    for as_yaml, as_json in pairs:
        assert json.loads(cfn_flip.to_json(as_yaml)) == json.loads(as_json)


def test_cfn_lint_would_have_found_something() -> None:
    """The check above can fail: a function without its handler is no function."""
    (sound,) = (text for text, name in texts("yaml").items() if name == f"workload with {EVERY_OPTION[0]}")
    assert complaints(sound.replace("Handler: index.handler", "Handlr: index.handler"))
