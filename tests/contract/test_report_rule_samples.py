"""Each rule's hits and misses, as they stand beside it."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest

import checker.rules
from checker.rules import Sample
from checker.rules.samples import lab


def _rules() -> list[ModuleType]:
    modules = [import_module(f"checker.rules.{each.name}") for each in iter_modules(checker.rules.__path__)]
    return [module for module in modules if hasattr(module, "SAMPLES")]


CASES = [
    pytest.param(rule, sample, id=f"{rule.__name__.rsplit('.', 1)[-1]}: {sample.name}")
    for rule in _rules()
    for sample in rule.SAMPLES
]


@pytest.mark.parametrize(("rule", "sample"), CASES)
def test_a_rule_decides_its_samples(rule: ModuleType, sample: Sample) -> None:
    """The verdict has the sample's status and reason."""
    evidence = lab(**sample.changes)
    verdict = rule.judge(evidence, sample.answer) if sample.answer else rule.judge(evidence)
    assert (verdict.status, verdict.kind) == (sample.status, sample.kind)


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule.__name__)
def test_every_rule_has_hits_and_misses_and_a_reasoned_docstring(rule: ModuleType) -> None:
    """A judgement without both kinds of sample is not tested, one without a docstring not explained."""
    statuses = {sample.status.value for sample in rule.SAMPLES}
    assert statuses == {"passed", "failed"}
    assert rule.judge.__doc__
