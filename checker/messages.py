"""What the grader says, as values: a text, the values in it, and its language chosen where it is written down.

The English text is a message's id, as with the console's texts: it stands where the judgement stands, so that a rule
reads as one page, and `texts/vi.json` holds each again by its English, with the same placeholders. Rules, `grade` and
`collect` make messages (`say`) and never text; `report`, `debrief` and `cli` write for somebody and have what `speaker`
returns for the reader's language. mypy refuses a bare string where a verdict wants a message, and a test refuses a catalog that
misses one (tests/unit/checker/test_checker_texts.py).

What comes from elsewhere is a value of a message and stays as it is: names, ids and addresses of the account, and the
scenario's own texts, which are loaded in the reader's language.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "texts"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """A text with `{placeholders}` in English and the values that belong there, which may be messages themselves.

    As a string it is the English text with its values.
    """

    english: str
    values: tuple[tuple[str, "str | Message"], ...] = ()

    def __str__(self) -> str:
        return speaker("en")(self)


Speaker = Callable[[Message], str]
"""Turns a message into the text of one language."""


def say(english: str, /, **values: "str | int | Message") -> Message:
    """Return a message. `english` is a literal: its entry in the catalogs is found by it."""
    kept = ((name, value if isinstance(value, Message) else str(value)) for name, value in values.items())
    return Message(english, tuple(kept))


def as_is(text: str) -> Message:
    """Return a text that is the same in every language, such as a name, or is in the reader's already."""
    return say("{text}", text=text)


def in_order(messages: Iterable[Message], by: str = " ") -> Message:
    """Return messages one after the other, as one."""
    parts = tuple((f"part{number}", each) for number, each in enumerate(messages))
    return Message(by.join(f"{{{name}}}" for name, _ in parts), parts)


@cache
def speaker(language: str) -> Speaker:
    """Return what says messages in a language: English, or one of `texts/`. What has no entry there is said as it is."""
    known = catalog(language)

    def said(message: Message) -> str:
        values = {name: said(value) if isinstance(value, Message) else value for name, value in message.values}
        text = known.get(message.english, message.english)
        return _PLACEHOLDER.sub(lambda found: values[found[1]], text) if values else text

    return said


@cache
def catalog(language: str) -> dict[str, str]:
    """Return the texts of a language by their English; empty for English, where they are their own."""
    if language == "en":
        return {}
    texts: dict[str, str] = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return texts


HEARD = (
    say("this machine has no walls for code that somebody else has sent"),
    say("functions set each other off in too long a chain"),
    say("{function}: it runs too often to be looked through"),
    say("{function}: {runtime} is not run in the lab"),
    say("{function}: the function's process was lost while looking ahead"),
    say("{function}: the time for looking ahead was used up"),
    say("{function}: a run ended: exited"),
    say("{function}: a run ended: memory"),
    say("{function}: a run ended: disk"),
    say("{function}: a run ended: broken"),
    say("{function}: the function left threads or processes running, whose next steps cannot be tried out"),
    say("the finding is gone, so nothing says which traffic to look for"),
    say("the last change is too recent: the next run must have been due, and AWS shows it some minutes later"),
    say("the function still runs, and detection was switched off, so that its silence says nothing"),
)
"""Why a world cannot tell what would happen next, in its own words: they come as text, in `worlds.Outlook.why`."""


def heard(text: str) -> Message:
    """Return a world's reason as the message that it is; a reason that is not among `HEARD` is said as it is."""
    for each in HEARD:
        if found := _pattern(each.english).fullmatch(text):
            return say(each.english, **found.groupdict())
    return as_is(text)


@cache
def _pattern(english: str) -> re.Pattern[str]:
    pieces = _PLACEHOLDER.split(english)
    named = (f"(?P<{piece}>.+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces))
    return re.compile("".join(named))
