"""AWS Config: the resource inventory, and a resource's timeline.

Config's items name no events (`relatedEvents` is empty since their version 1.3), so the timeline looks the resource up in CloudTrail.
"""

import json
from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links, story
from simulator.console.blocks import Field, Search, Table, link
from simulator.console.texts import t
from simulator.console.web import api, argument, render, show, whole

pages = Blueprint("timeline", __name__)
INVENTORY = 100
USUAL = "AWS::Lambda::Function"


@pages.get("/console/config/resources")
def resources() -> Response:
    """Show the resources that Config has discovered, by type."""
    counts = api().call("config", "GetDiscoveredResourceCounts", limit=100).get("resourceCounts", [])
    types = [each["resourceType"] for each in counts]
    chosen = argument("type") or (USUAL if USUAL in types else (types[0] if types else ""))
    listed: dict[str, Any] = {}
    if chosen:
        more = {"nextToken": argument("next")} if argument("next") else {}
        named = {"resourceIds": [argument("id")]} if argument("id") else {}
        listed = api().call(
            "config", "ListDiscoveredResources", resourceType=chosen, limit=INVENTORY, **named, **more,
            includeDeletedResources=argument("deleted") == "yes",
        )  # fmt: skip
    found = listed.get("resourceIdentifiers", [])
    rows = tuple(
        (
            link(
                each["resourceId"],
                links.timeline(each["resourceId"], each["resourceType"], each.get("resourceName", "")),
            ),
            each.get("resourceName"),
            each["resourceType"],
            blocks.time(each.get("resourceDeletionTime")),
        )
        for each in found
    )
    here = {"type": chosen, "id": argument("id"), "deleted": argument("deleted")}
    following = listed.get("nextToken")
    return show(
        t("Resource inventory"),
        Search(
            action="/console/config/resources",
            submit=t("Find"),
            fields=(
                Field(
                    name="type", label=t("Resource type"), kind="select", value=chosen,
                    options=tuple((each["resourceType"], f"{each['resourceType']} ({each['count']})") for each in counts),
                ),
                Field(name="id", label=t("Resource identifier"), value=argument("id")),
                Field(name="deleted", label=t("Include deleted resources"), kind="checkbox", value=argument("deleted")),
            ),
        ),
        Table(
            title=t("Resources"),
            columns=(t("Resource identifier"), t("Name"), t("Type"), t("Deleted at")),
            rows=rows,
            empty=t("AWS Config has discovered no such resource."),
            more=links.with_query("/console/config/resources", {**here, "next": following}) if following else None,
            first=links.with_query("/console/config/resources", here) if argument("next") else None,
        ),
    )  # fmt: skip


@pages.get("/console/config/timeline")
def timeline() -> Response:
    """Show a resource's timeline, newest first, ten rows at a time."""
    resource_id = argument("resourceId") or argument("resourceName")
    resource_type = argument("resourceType") or _type_of(resource_id)
    until = blocks.moment_of(argument("until"))
    shown = argument("show", "all")
    wanted = story.Wanted(
        resource_type=resource_type,
        resource_id=resource_id,
        name=argument("resourceName") or resource_id,
        until=until,
        skip=whole("skip"),
        reads=argument("reads") == "yes",
        kinds=(shown,) if shown in ("configuration", "event") else ("configuration", "event"),
    )
    piece = story.piece(api(), wanted)
    query = {
        "resourceId": resource_id,
        "resourceName": argument("resourceName"),
        "resourceType": argument("resourceType"),
        "show": shown if shown != "all" else "",
        "reads": argument("reads"),
    }
    more = {**query, "until": piece.until.isoformat(), "skip": piece.skip} if piece.until else None
    return render(
        "timeline.html",
        title=t("Timeline of {name}", name=wanted.name),
        crumbs=(("AWS Config", "/console/config/resources"),),
        wanted=wanted,
        query=query,
        shown=shown,
        rows=[_row(each, wanted) for each in piece.moments],
        resource=links.of_resource(resource_type, wanted.name),
        more=links.with_query("/console/config/timeline", more) if more else None,
        first=links.with_query("/console/config/timeline", query) if until else None,
    )


def _type_of(resource_id: str) -> str:
    """Return the type of a resource of which a link gives the id alone, as the module's does: functions are looked for first."""
    counts = api().call("config", "GetDiscoveredResourceCounts", limit=100).get("resourceCounts", [])
    for kind in dict.fromkeys([USUAL, *(each["resourceType"] for each in counts)]):
        listed = api().call(
            "config",
            "ListDiscoveredResources",
            resourceType=kind,
            resourceIds=[resource_id],
            includeDeletedResources=True,
        )
        if listed["resourceIdentifiers"]:
            return str(kind)
    return USUAL


def _row(moment: story.Moment, wanted: story.Wanted) -> dict[str, Any]:
    body = moment.body
    if moment.kind == "event":
        return {
            "kind": "event",
            "at": blocks.time(moment.at),
            "name": body.get("EventName"),
            "user": body.get("Username"),
            "href": links.with_query("/console/cloudtrail/events", {"EventId": body["EventId"]}),
        }
    return {
        "kind": "configuration",
        "at": blocks.time(body["configurationItemCaptureTime"]),
        "status": body["configurationItemStatus"],
        "changes": story.changes(moment.before, body),
        "relations": [
            (each["resourceType"], each.get("resourceName") or each.get("resourceId"), each["relationshipName"].strip(),
             links.of_resource(each["resourceType"], each.get("resourceName") or each.get("resourceId") or ""))
            for each in body.get("relationships", [])
        ],
        "json": blocks.json_text(_readable(body)),
    }  # fmt: skip


def _readable(item: Any) -> dict[str, Any]:
    """Return a configuration item with the JSON in its texts opened, as the AWS console shows it."""
    shown = dict(item)
    if isinstance(shown.get("configuration"), str) and shown["configuration"]:
        shown["configuration"] = json.loads(shown["configuration"])
    return shown
