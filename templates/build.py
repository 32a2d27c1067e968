"""Options -> the templates of a deployment, by part and in the order in which they are deployed."""

from troposphere import Template

from templates.baseline import baseline
from templates.bootstrap import bootstrap
from templates.detection import detection
from templates.options import Options
from templates.workload import workload

PARTS = ("bootstrap", "baseline", "workload", "detection")


def build(options: Options) -> dict[str, Template]:
    """Return the templates by part, in the order of PARTS. A baseline with nothing in it is left out."""
    made = {
        "bootstrap": bootstrap(options),
        "baseline": baseline(options),
        "workload": workload(options),
        "detection": detection(options),
    }
    return {part: template for part, template in made.items() if template is not None}
