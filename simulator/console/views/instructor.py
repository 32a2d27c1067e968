"""The instructor's view: what was done in this lab, what would happen next, and the key. Only for who has the control token."""

import hmac

from flask import Blueprint, session
from werkzeug.wrappers import Response

from scenario.load import load
from scenario.steps import fill
from scenario.variant import variant
from simulator.console import blocks, links
from simulator.console.blocks import Field, Form, Notice, Table, facts, link
from simulator.console.guide import instructor_html
from simulator.console.reasons import reason
from simulator.console.texts import t
from simulator.console.views.lab import scenario_of
from simulator.console.web import done, instructor_mark, is_instructor, posted, render, shared, show

pages = Blueprint("instructor", __name__)
HERE = "/console/instructor"


def _ask_for_token() -> Response:
    return show(
        t("Instructor"),
        Form(
            action=f"{HERE}/enter",
            title=t("The control token is needed"),
            submit=t("Open"),
            intro=t("It is in server.json in LAB_HOME, and new at every start of the lab."),
            fields=(Field(name="control", label=t("Control token"), kind="password", required=True),),
        ),
        status=403,
    )


@pages.post(f"{HERE}/enter")
def enter() -> Response:
    """Open the view for this session, if the token is the lab's."""
    if not hmac.compare_digest(posted("control").strip().encode(), shared().running.token.encode()):
        return _ask_for_token()
    session["instructor"] = instructor_mark()
    return done(HERE, t("The instructor's view is open in this browser."), commands=())


def _status(status: str | None) -> str:
    """Return how a task ended, in the words that a check's page has for it."""
    return {"passed": t("Passed"), "failed": t("Not yet")}.get(status or "", t("Not checked yet"))


@pages.get(HERE)
def instructor() -> Response:
    """Show the state of the lab, the checks, the outlook, and the scenario's page for instructors."""
    if not is_instructor():
        return _ask_for_token()
    running, side = shared().running, shared().lab
    status, hints = side.status(), side.hints()
    outlook = side.look_ahead(24)
    tasks = scenario_of(running.scenario, "en").tasks
    state = facts(
        t("The lab"),
        (t("Lab ID"), status["lab_id"]),
        (t("Seed"), running.seed),
        (t("Lab time"), blocks.time(status["lab_time"])),
        (t("Journal entries"), status["entries"]),
        (t("Differences at replay"), len(status["differences"])),
        (t("Key shown at"), blocks.time(status["key_used_at"]) if status["key_used_at"] else t("Never")),
        (t("Hints taken"), [f"{each.id}: {hints.get(each.id, 0)}" for each in tasks]),
    )
    attempts = Table(
        title=t("Checks"),
        columns=(t("Time"), t("Score"), *(each.id for each in tasks)),
        rows=tuple(
            (
                blocks.time(each.get("at")),
                each.get("score"),
                *(_status(each["statuses"].get(task.id)) for task in tasks),
            )
            for each in reversed(side.attempts())
        ),
        empty=t("Nothing was checked yet."),
    )
    coming = Table(
        title=t("What would happen in the next 24 hours, were nothing changed"),
        columns=(t("Time"), t("Function"), t("Connection"), t("Permitted"), t("Why")),
        rows=tuple(
            (
                blocks.time(each["at"]),
                link(each["function_arn"].rpartition(":")[2], links.of_arn(each["function_arn"])),
                f"{each['ip'] or '…'}:{each['port']}/{each['protocol']}",
                blocks.yes_no(each["permitted"]),
                reason(each["why"]),
            )
            for each in outlook["connections"][:50]
        ),
        empty=t("No function would connect to anything."),
        count=str(len(outlook["connections"])),
        intro="; ".join(reason(each) for each in outlook["why"]),
    )
    key = Form(
        action=f"{HERE}/key",
        title=t("The key of this lab"),
        submit=t("Show the key"),
        intro=t("That it was shown is recorded, and stands in every report from then on."),
    )
    return render(
        "instructor.html", title=t("Instructor"), blocks=(state, attempts, coming, key), text=instructor_html()
    )


@pages.post(f"{HERE}/key")
def key() -> Response:
    """Show the key, and record that it was shown."""
    if not is_instructor():
        return _ask_for_token()
    running = shared().running
    shared().lab.note_key()
    found = load(running.scenario, tasks_only=True)
    values = variant(found, running.seed, running.ip).values
    return show(
        t("The key of this lab"),
        Notice(text=t("That the key was shown is recorded."), tone="warn"),
        facts(t("Answers"), *((each.id, fill(each.key, values)) for each in found.tasks)),
        crumbs=((t("Instructor"), HERE),),
    )
