"""The console's texts in the reader's language.

English is the key: `t("Load more")` looks the phrase up in the language's catalog (`texts/vi.json`), where every phrase of the code
and the templates has an entry (tests/unit/console). AWS's names of services, features and states stay as AWS writes them.

What the grader says comes from `lab check` in every language at once (`lab.LabSide.check`), so a reader may change the language
of a page that shows a check; the scenario's own texts are loaded in the page's (`guide.scenario_language`).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import g, has_request_context

LANGUAGES = {"en": "English", "vi": "Tiếng Việt"}
_FOLDER = Path(__file__).parent / "texts"


def t(phrase: str, /, **values: Any) -> str:
    """Return `phrase` in the reader's language, its `{placeholders}` filled with `values`. It is text, never markup."""
    said = catalog(language()).get(phrase, phrase)
    return said.format(**values) if values else said


def language() -> str:
    """Return the language of the request that is answered, `en` outside of one."""
    return str(g.get("language", "en")) if has_request_context() else "en"


def in_language(command: str) -> str:
    """Return one of the lab's commands that speak, as whoever reads this page would type it."""
    return command if language() == "en" else f"{command} --language {language()}"


@cache
def catalog(code: str) -> dict[str, str]:
    """Return the phrases of a language by their English; empty for English."""
    if code == "en":
        return {}
    phrases: dict[str, str] = json.loads((_FOLDER / f"{code}.json").read_text("utf-8"))
    return phrases
