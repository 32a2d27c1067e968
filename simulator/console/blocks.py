"""What a page is made of. Views return blocks; `templates/blocks.html` writes each kind as HTML, in one accessible way.

All texts are text: the templates escape them. Addresses come from `links.py` or from a view, never from the account.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from simulator.console import links
from simulator.console.texts import t

Tone = Literal["", "good", "bad", "warn", "quiet", "high", "medium", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value: text, where it leads, how it looks. `include` and `exclude` are addresses that filter by it."""

    text: str
    href: str | None = None
    code: bool = False
    tone: Tone = ""
    moment: str | None = None
    include: str | None = None
    exclude: str | None = None


Value = Cell | str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """An input of a form. `options` are values and labels of a select."""

    name: str
    label: str
    kind: Literal["text", "textarea", "select", "checkbox", "hidden", "number", "password"] = "text"
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    help: str = ""
    required: bool = False
    rows: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form that posts. `small` ones are a button in a row of buttons."""

    kind: ClassVar[str] = "form"
    action: str
    submit: str
    fields: tuple[Field, ...] = ()
    title: str = ""
    intro: str = ""
    danger: bool = False
    cancel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Buttons in a row: forms without visible fields, and links that look like buttons."""

    kind: ClassVar[str] = "actions"
    forms: tuple[Form, ...] = ()
    links: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list. `more` leads to the next page of it, `first` back to the beginning; `empty` is told where there is nothing."""

    kind: ClassVar[str] = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    empty: str
    intro: str = ""
    count: str = ""
    more: str | None = None
    first: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Names and values. A value may be several."""

    kind: ClassVar[str] = "facts"
    title: str
    rows: tuple[tuple[str, tuple[Value, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Text as it is: JSON, code, a template, a log."""

    kind: ClassVar[str] = "source"
    title: str
    text: str
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tabs:
    """The parts of a thing: label, address, whether it is the one shown."""

    kind: ClassVar[str] = "tabs"
    label: str
    items: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to know before reading on."""

    kind: ClassVar[str] = "notice"
    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of a plot: what it stands for and its height in percent of the highest."""

    label: str
    value: float
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot over time, oldest first. Its numbers are in a table below it, for those who cannot see it."""

    kind: ClassVar[str] = "plot"
    title: str
    bars: tuple[Bar, ...]
    empty: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A form that asks for a list again (GET)."""

    kind: ClassVar[str] = "search"
    action: str
    fields: tuple[Field, ...]
    submit: str
    clear: str = ""


Block = Form | Actions | Table | Facts | Source | Tabs | Notice | Plot | Search


def facts(title: str, *rows: tuple[str, Value | Sequence[Value]]) -> Facts:
    """Return names and values without those that have no value."""
    told = []
    for label, value in rows:
        values = tuple(value) if isinstance(value, list | tuple) else (value,)
        told.append((label, tuple(each for each in values if each not in (None, ""))))
    return Facts(title=title, rows=tuple(row for row in told if row[1]))


def link(text: str, href: str | None) -> Cell:
    """Return a value that leads to `href`, plain where there is nowhere to go."""
    return Cell(text=text, href=href)


def code(text: str) -> Cell:
    """Return a value written as code."""
    return Cell(text=text, code=True)


def arn(text: str) -> Cell:
    """Return an ARN, leading to the page of what it names."""
    return Cell(text=text, code=True, href=links.of_arn(text))


def state(text: str) -> Cell:
    """Return a state, coloured by what it says."""
    word = text.upper()
    if any(part in word for part in ("FAILED", "ERROR", "DELETED", "ROLLBACK")):
        return Cell(text=text, tone="bad")
    if any(part in word for part in ("DISABLED", "INACTIVE", "STOPPED", "SUSPENDED")):
        return Cell(text=text, tone="quiet")
    if any(part in word for part in ("PENDING", "PROGRESS", "ACTIVATING", "DEACTIVATING")):
        return Cell(text=text, tone="warn")
    return Cell(text=text, tone="good")


def time(value: Any) -> Cell:
    """Return a moment in UTC, as AWS gave it: a datetime, seconds or milliseconds since 1970, or an ISO text."""
    moment = moment_of(value)
    if moment is None:
        return Cell(text="" if value is None else str(value))
    return Cell(text=f"{moment:%Y-%m-%d %H:%M:%S} UTC", moment=moment.isoformat().replace("+00:00", "Z"))


def moment_of(value: Any) -> datetime | None:
    """Return the aware moment that AWS's value stands for, None for what is none."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    if isinstance(value, str):
        try:
            told = datetime.fromisoformat(value.replace("+0000", "+00:00"))
        except ValueError:
            return None
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    return None


def json_text(value: Any) -> str:
    """Return a value as JSON to read; a text that holds JSON is laid out as such."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def yes_no(value: Any) -> str:
    """Return a truth as a word."""
    return t("Yes") if value else t("No")


def tags(found: Mapping[str, str] | Iterable[Mapping[str, str]]) -> Table:
    """Return a table of tags, whichever way AWS gave them."""
    pairs = (
        list(found.items())
        if isinstance(found, Mapping)
        else [(each.get("Key", each.get("key", "")), each.get("Value", each.get("value", ""))) for each in found]
    )
    return Table(
        title=t("Tags"), columns=(t("Key"), t("Value")), rows=tuple(sorted(pairs)), empty=t("There are no tags.")
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
