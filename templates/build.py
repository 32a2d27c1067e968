"""Scenario and options -> the templates of a deployment, by part and in the order in which they are deployed."""

from collections.abc import Callable, Mapping

from troposphere import Template

from scenario.errors import LabError
from scenario.model import Scenario
from templates.baseline import baseline
from templates.bootstrap import bootstrap
from templates.detection import detection
from templates.options import Options
from templates.workload import workload

Builder = Callable[[Options], Template]

PARTS = ("bootstrap", "baseline", "workload", "detection")
"""Every part in the order of deployment. The list comes after the function, as in the module (docs/aws-facts.md, 0)."""

SCENARIOS: Mapping[str, tuple[Builder, Builder]] = {"lambda-malicious-ip": (workload, detection)}
"""What each scenario deploys beside the account's bootstrap and baseline: its workload and its detection."""


def build(scenario: Scenario, options: Options) -> dict[str, Template]:
    """Return the templates by part, in the order of PARTS. What the options leave nothing of is left out.

    Raises LabError for a scenario without templates.
    """
    if scenario.id not in SCENARIOS:
        raise LabError(
            f"building the templates of the scenario {scenario.id!r}",
            "it has none",
            f"Choose one of: {', '.join(SCENARIOS)}.",
            exit_code=2,
        )
    build_workload, build_detection = SCENARIOS[scenario.id]
    made = {
        "bootstrap": bootstrap(options),
        "baseline": baseline(options),
        "workload": build_workload(options),
        "detection": build_detection(options) if options.guardduty else None,
    }
    return {part: template for part, template in made.items() if template is not None}
