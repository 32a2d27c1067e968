"""The lab itself: the assignment, tasks with answers, hints and checks, lab time, the guide, the debrief."""

from functools import cache

from flask import Blueprint, current_app, redirect, session
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from scenario.load import load
from scenario.model import Scenario, Task
from simulator.console.commands import Command
from simulator.console.guide import guide_html, rendered, scenario_language
from simulator.console.lab import LabSide
from simulator.console.texts import in_language, language, t
from simulator.console.web import done, own_path, posted, render, shared

pages = Blueprint("lab", __name__)
ADVANCES = {"10m": 600, "30m": 1800, "1h": 3600, "6h": 21600, "1d": 86400}
DEBRIEF_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"


@cache
def scenario_of(scenario_id: str, language: str) -> Scenario:
    """Return the lab's scenario in a language: assignment, tasks, hints."""
    return load(scenario_id, tasks_only=True, language=language)


def _scenario() -> Scenario:
    return scenario_of(shared().running.scenario, scenario_language())


@pages.get("/console/lab")
def lab() -> Response:
    """Show the assignment as a ticket, and the tasks."""
    side = shared().lab
    answers, hints, attempts = side.answers(), side.hints(), side.attempts()
    report = side.last_report(attempts)
    graded = {each["id"]: each for each in report["tasks"]} if report else {}
    statuses = attempts[-1]["statuses"] if attempts else {}
    tasks = [
        {
            "task": each,
            "number": number,
            "answer": answers.get(each.id, ""),
            "hints": [hint.text for hint in each.hints[: hints.get(each.id, 0)]],
            "more_hints": hints.get(each.id, 0) < len(each.hints),
            "status": statuses.get(each.id, "not-run"),
            "graded": graded.get(each.id),
        }
        for number, each in enumerate(_scenario().tasks, start=1)
    ]
    return render(
        "lab.html",
        title=_scenario().title,
        scenario=_scenario(),
        assignment=rendered(_scenario().assignment),
        tasks=tasks,
        report=report,
        passed=sum(each["status"] == "passed" for each in tasks),
        attempts=attempts,
        advances=tuple(ADVANCES),
    )


@pages.post("/console/lab/check")
def check() -> Response:
    """Have the lab graded, with the answers of the form."""
    answers = {
        each.id: posted(each.id).strip() for each in _scenario().tasks if each.answered and posted(each.id).strip()
    }
    graded = shared().lab.check(answers)
    report = graded.report
    said = t("{score} of {max_score} points.", score=report["score"], max_score=report["max_score"])
    if report["passed"]:
        said = f"{t('Passed: all tasks are done.')} {said}"
    return done("/console/lab#tasks", said, commands=(Command(graded.command),))


def _task(task_id: str) -> Task:
    found = next((each for each in _scenario().tasks if each.id == task_id), None)
    if found is None:
        raise NotFound
    return found


@pages.post("/console/lab/hint")
def hint() -> Response:
    """Show the next hint of a task. How many are left is not announced: that tempts to skip to the last."""
    task = _task(posted("task"))
    side: LabSide = shared().lab
    if side.hints().get(task.id, 0) >= len(task.hints):
        return done(f"/console/lab#{task.id}", t("There are no further hints for this task."), commands=())
    side.take_hint(task.id)
    return done(
        f"/console/lab#{task.id}",
        t("A hint is shown with its task."),
        commands=(Command(in_language(f"lab hint {task.id}")),),
    )


@pages.post("/console/lab/advance")
def advance() -> Response:
    """Move lab time on."""
    by = posted("by")
    if by not in ADVANCES:
        raise NotFound
    now = shared().lab.advance(ADVANCES[by]).replace("T", " ").replace("Z", " UTC")
    return done(own_path(posted("back")), t("Lab time is {now}.", now=now), commands=(Command(f"lab advance {by}"),))


@pages.get("/console/lab/guide")
def guide() -> Response:
    """Show the guide."""
    return render("guide.html", title=t("Guide"), text=guide_html(), guide_shown=False)


@pages.post("/console/lab/guide-panel")
def guide_panel() -> Response:
    """Show the guide beside the pages, or close it."""
    session["guide"] = not session.get("guide")
    return redirect(own_path(posted("back")), 303)


@pages.get("/console/lab/debrief")
def debrief() -> Response:
    """Show the debrief that was made last, and a button that makes one."""
    return render("debrief.html", title=t("Debrief"), made=bool(shared().debrief))


@pages.post("/console/lab/debrief")
def make_debrief() -> Response:
    """Make the debrief of the lab as it is now."""
    shared().debrief = shared().lab.debrief()
    command = Command(in_language("lab check --no-input --format html --output debrief.html"))
    return done("/console/lab/debrief", t("The debrief is below."), commands=(command,))


@pages.get("/console/lab/debrief/page")
def debrief_page() -> Response:
    """Return the debrief itself. It is a document of its own: no script runs in it, and it can reach nothing."""
    made = shared().debrief.get(language())
    if not made:
        raise NotFound
    return current_app.response_class(made, headers={"Content-Security-Policy": DEBRIEF_POLICY})
