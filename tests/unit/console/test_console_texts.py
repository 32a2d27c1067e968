"""Every phrase of the console is in every catalog, with the same placeholders."""

import ast
import re
from pathlib import Path

import pytest

import simulator.console
from simulator.console import filters, reasons, texts
from simulator.console.views import history, lists

FOLDER = Path(simulator.console.__file__).parent
CODES = [code for code in texts.LANGUAGES if code != "en"]
_IN_TEMPLATE = re.compile(r"\bt\(\s*(?:\"([^\"]*)\"|'([^']*)')")


def _phrases() -> set[str]:
    """Return what is handed to `t` in code and templates, and the tables whose labels are."""
    found = {label for _, label in filters.ATTRIBUTES} | set(filters.SEVERITIES) | set(history.ATTRIBUTES.values())
    found |= {*reasons.REASONS, *(kind.title for kind in lists.KINDS.values())}
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="t"), args=[ast.Constant(value=str(phrase)), *_]):
                    found.add(phrase)
    for path in FOLDER.rglob("*.html"):
        found |= {one or other for one, other in _IN_TEMPLATE.findall(path.read_text("utf-8"))}
    return found


@pytest.mark.parametrize("code", CODES)
def test_a_catalog_has_every_phrase_and_no_other(code: str) -> None:
    """What is missing would show in English; what is left over is nobody's."""
    assert set(texts.catalog(code)) == _phrases()


@pytest.mark.parametrize("code", CODES)
def test_a_phrase_keeps_its_placeholders(code: str) -> None:
    """A translation that drops or invents one would lose a value or fail."""
    for phrase, said in texts.catalog(code).items():
        assert said.strip(), phrase
        assert set(re.findall(r"\{\w+\}", said)) == set(re.findall(r"\{\w+\}", phrase)), phrase


def test_no_template_says_anything_past_the_catalogs() -> None:
    """Words between tags come from `t`, from the lab, or are AWS's names and the language's own."""
    allowed = {
        "CloudTrail",
        "GuardDuty",
        "AWS Config",
        "Lambda",
        "WSParticipantRole/Participant",
        "lab check",
        "GuardDuty:",
        "AWS Config:",
        "CloudTrail:",
        "Lambda:",
    }
    for path in FOLDER.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        words = {part.strip() for part in re.findall(r">([^<>]*[A-Za-z]{2}[^<>]*)<", text)}
        assert words <= allowed, (path.name, words - allowed)
