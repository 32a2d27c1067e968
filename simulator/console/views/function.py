"""Lambda: the functions, and a function's pages, a tab each. Changes are in `function_changes`."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.aws import ApiError
from simulator.console.blocks import Actions, Block, Field, Form, Notice, Table, Tabs, facts, link
from simulator.console.texts import t
from simulator.console.views import function_parts as parts
from simulator.console.views.function_parts import MISSING
from simulator.console.web import api, argument, show

pages = Blueprint("function", __name__)
LISTED = 50


@pages.get("/console/lambda/functions")
def functions() -> Response:
    """Show the functions of the account in this Region."""
    more = {"Marker": argument("next")} if argument("next") else {}
    answer = api().call("lambda", "ListFunctions", MaxItems=LISTED, **more)
    following = answer.get("NextMarker")
    return show(
        t("Functions"),
        Table(
            title=t("Functions"),
            columns=(t("Function name"), t("Description"), t("Package type"), t("Runtime"), t("Last modified")),
            rows=tuple(
                (
                    link(each["FunctionName"], links.function(each["FunctionName"])),
                    each.get("Description"),
                    each.get("PackageType"),
                    each.get("Runtime"),
                    blocks.time(each.get("LastModified")),
                )
                for each in answer["Functions"]
            ),
            empty=t("There are no functions in this Region."),
            more=links.with_query("/console/lambda/functions", {"next": following}) if following else None,
            first="/console/lambda/functions" if argument("next") else None,
        ),
        crumbs=(),
    )


@pages.get("/console/lambda/functions/<name>")
def function(name: str) -> Response:
    """Show a function, at one of its tabs."""
    settings = api().call("lambda", "GetFunctionConfiguration", FunctionName=name)
    tabs = _tabs()
    tab = argument("tab") if argument("tab") in tabs else "code"
    chosen = tabs[tab][1]
    return show(
        name,
        Actions(
            links=(
                link(t("Timeline in AWS Config"), links.timeline(name, "AWS::Lambda::Function", name)),
                link(t("Events in CloudTrail"), links.with_query("/console/cloudtrail/events", {"ResourceName": name})),
                link(t("Delete"), f"{links.function(name)}/delete"),
            )
        ),
        _overview(settings),
        Tabs(
            label=t("Parts of the function"),
            items=tuple((label, links.function(name, key), key == tab) for key, (label, _) in tabs.items()),
        ),
        *chosen(name, settings),
        crumbs=((t("Functions"), "/console/lambda/functions"),),
    )


def _tabs() -> dict[str, tuple[str, Callable[[str, Mapping[str, Any]], tuple[Block, ...]]]]:
    return {
        "code": (t("Code"), parts.code),
        "monitor": (t("Monitor"), parts.monitor),
        "triggers": (t("Triggers"), parts.triggers),
        "configuration": (t("General configuration"), parts.configuration),
        "environment": (t("Environment variables"), parts.environment),
        "permissions": (t("Permissions"), parts.permissions),
        "concurrency": (t("Concurrency"), parts.concurrency),
        "vpc": ("VPC", parts.vpc),
        "tags": (t("Tags"), parts.tags),
        "versions": (t("Versions"), parts.versions),
    }


def _overview(settings: Mapping[str, Any]) -> Block:
    return facts(
        t("Function overview"),
        (t("Description"), settings.get("Description")),
        (t("Last modified"), blocks.time(settings.get("LastModified"))),
        (t("Function ARN"), blocks.code(settings["FunctionArn"])),
        (t("State"), blocks.state(settings.get("State", "Active"))),
        (t("Last update"), settings.get("LastUpdateStatus")),
    )


@pages.get("/console/lambda/functions/<name>/delete")
def ask_to_delete(name: str) -> Response:
    """Ask whether to delete a function."""
    if api().optional("lambda", "GetFunctionConfiguration", MISSING, FunctionName=name) is None:
        raise ApiError(MISSING, t("There is no function {name}.", name=name))
    return show(
        t("Delete {name}", name=name),
        Notice(
            text=t("Deleting a function permanently removes its code, versions and settings. It cannot be undone."),
            tone="warn",
        ),
        Form(
            action=f"{links.function(name)}/delete",
            title=t("Delete function {name}?", name=name),
            submit=t("Delete"),
            danger=True,
            cancel=links.function(name),
            fields=(Field(name="confirm", label=t("To confirm deletion, type delete in the field."), required=True),),
        ),
        crumbs=((t("Functions"), "/console/lambda/functions"), (name, links.function(name))),
    )
