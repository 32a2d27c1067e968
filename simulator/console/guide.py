"""The scenario's pages, the guide and the instructor's, as HTML, and the language of the scenario's texts.

The pages are the scenario's own text; markup within them is written as text all the same.
"""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from scenario.load import languages, page
from simulator.console.texts import language
from simulator.console.web import shared


def scenario_language() -> str:
    """Return the language that the reader gets the scenario's texts in: the page's, `en` where it has none in that."""
    return language() if language() in languages(shared().running.scenario) else "en"


def guide_html() -> Markup:
    """Return the guide of the lab's scenario in `scenario_language()`."""
    return _rendered(shared().running.scenario, "guide.md", scenario_language())


def instructor_html() -> Markup:
    """Return the scenario's page for instructors in `scenario_language()`."""
    return _rendered(shared().running.scenario, "instructor.md", scenario_language())


@cache
def _rendered(scenario: str, name: str, code: str) -> Markup:
    return rendered(page(scenario, name, code))


def rendered(markdown: str) -> Markup:
    """Return Markdown as HTML, any HTML in it escaped."""
    # Safe as markup: with `html` off the renderer escapes whatever is not Markdown, and it refuses script in links.
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown))  # noqa: S704
