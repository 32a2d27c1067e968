"""What every view needs: the page's calls, rendering, the end of an action, and access to the lab's side."""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app, g, redirect, render_template, request, session
from werkzeug.wrappers import Response

from simulator.console.aws import Asked, Page
from simulator.console.blocks import Block
from simulator.console.commands import Command, command
from simulator.console.lab import LabSide
from simulator.console.texts import t
from simulator.home import Running

_READS = ("List", "Get", "Describe", "Lookup", "Head", "BatchGet", "Select", "Filter")


@dataclass(slots=True)
class Told:
    """What the last action did, to be told on the next page: in words, and as the commands that do the same."""

    text: str
    commands: tuple[Command, ...] = ()


@dataclass(slots=True)
class Memory:
    """What is told at most once, by session. It is bounded and may be lost: nothing depends on it."""

    kept: OrderedDict[str, Told] = field(default_factory=OrderedDict)

    def put(self, told: Told) -> str:
        """Keep something to tell and return its name."""
        name = secrets.token_urlsafe(12)
        self.kept[name] = told
        while len(self.kept) > 100:
            self.kept.popitem(last=False)
        return name


@dataclass(slots=True, kw_only=True)
class Shared:
    """What the application's views share."""

    running: Running
    lab: LabSide
    memory: Memory = field(default_factory=Memory)
    debrief: dict[str, str] = field(default_factory=dict)


def shared() -> Shared:
    """Return what the application's views share."""
    return cast("Shared", current_app.extensions["lab"])


def api() -> Page:
    """Return the AWS calls of this request: make them here, and the page shows them."""
    return cast("Page", g.page)


def show(title: str, *blocks: Block, crumbs: tuple[tuple[str, str], ...] = (), status: int = 200) -> Response:
    """Return a page of blocks. `crumbs` lead back: label and address."""
    return render("page.html", title=title, blocks=blocks, crumbs=crumbs, status=status)


def render(template: str, *, status: int = 200, **values: Any) -> Response:
    """Return a page of a template, with the commands behind it."""
    told = shared().memory.kept.pop(session.pop("told", ""), None)
    text = render_template(template, told=told, commands=commands_of(api().asked), **values)
    return current_app.response_class(text, status=status)


def done(address: str, text: str, *, commands: tuple[Command, ...] | None = None) -> Response:
    """End an action: go to `address` and tell there what was done, with the commands that do the same."""
    if commands is None:
        commands = commands_of([each for each in api().asked if not each.operation.startswith(_READS)])
    session["told"] = shared().memory.put(Told(text, commands))
    return redirect(address, 303)


def commands_of(asked: list[Asked]) -> tuple[Command, ...]:
    """Return the commands of calls, each once."""
    return tuple(dict.fromkeys(command(each.service, each.operation, each.params) for each in asked))


def own_path(address: str) -> str:
    """Return an address that a form gave, if it is a page of the console; its first page otherwise."""
    return address if address.startswith("/console/") and "\\" not in address else "/console/lab"


def instructor_mark() -> str:
    """Return what a session holds once the control token was given to it. The token is new at every start."""
    return hmac.digest(shared().running.token.encode(), b"instructor", "sha256").hex()


def is_instructor() -> bool:
    """Return whether the control token was given to this session."""
    return hmac.compare_digest(str(session.get("instructor", "")), instructor_mark())


def argument(name: str, default: str = "") -> str:
    """Return a value of the address's query."""
    return str(request.args.get(name, default))


def whole(name: str) -> int:
    """Return a whole number of the address's query, 0 for what is none."""
    text = argument(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 13 else 0


def posted(name: str, default: str = "") -> str:
    """Return a value of the form that was sent, with the line ends of a text area made plain."""
    return str(request.form.get(name, default)).replace("\r\n", "\n")


def confirmed(word: str) -> bool:
    """Return whether the word that a form asks for was typed into it."""
    return posted("confirm").strip().lower() == word


def not_confirmed(word: str) -> Response:
    """Return the page that says that nothing happened, since the word was not typed."""
    return render(
        "error.html", title=t("Nothing was done"), code="", message=t("Type {word} to confirm.", word=word), status=400
    )
