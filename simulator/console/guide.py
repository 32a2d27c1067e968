"""The trainee's guide as HTML. It is the scenario's own text; markup within it is written as text all the same."""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from scenario.load import page
from simulator.console.web import shared


def guide_html() -> Markup:
    """Return the guide of the lab's scenario."""
    return _rendered(shared().running.scenario)


@cache
def _rendered(scenario: str) -> Markup:
    return rendered(page(scenario, "guide.md"))


def rendered(markdown: str) -> Markup:
    """Return Markdown as HTML, any HTML in it escaped."""
    # Safe as markup: with `html` off the renderer escapes whatever is not Markdown, and it refuses script in links.
    return Markup(MarkdownIt("commonmark", {"html": False}).render(markdown))  # noqa: S704
