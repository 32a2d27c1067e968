"""CloudTrail: event history by one lookup attribute, and an event's page."""

import json
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.aws import ApiError
from simulator.console.blocks import Field, Search, Source, Table, facts, link
from simulator.console.texts import t
from simulator.console.web import api, argument, show

pages = Blueprint("history", __name__)
ATTRIBUTES = {
    "ReadOnly": "Read-only",
    "EventId": "Event ID",
    "EventName": "Event name",
    "EventSource": "Event source",
    "Username": "User name",
    "ResourceName": "Resource name",
    "ResourceType": "Resource type",
    "AccessKeyId": "AWS access key",
}
"""LookupEvents' attributes and the page's labels. One at a time: the API takes no more."""


@pages.get("/console/cloudtrail/events")
def events() -> Response:
    """Show event history, newest first. As in the AWS console it begins with what changed something."""
    key, value = argument("key", "ReadOnly"), argument("value").strip()
    for name in ATTRIBUTES:
        if argument(name):
            key, value = name, argument(name)
    if key == "ReadOnly" and not value and "key" not in request.args:
        value = "false"
    lookup = (
        {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]} if value and key in ATTRIBUTES else {}
    )
    more = {"NextToken": argument("next")} if argument("next") else {}
    answer = api().call("cloudtrail", "LookupEvents", MaxResults=50, **lookup, **more)
    here = {"key": key, "value": value}
    following = answer.get("NextToken")
    return show(
        t("Event history"),
        Search(
            action="/console/cloudtrail/events",
            submit=t("Look up"),
            clear="/console/cloudtrail/events",
            fields=(
                Field(
                    name="key", label=t("Lookup attribute"), kind="select", value=key,
                    options=tuple((name, t(label)) for name, label in ATTRIBUTES.items()),
                ),
                Field(name="value", label=t("Value"), value=value, help=t("Exactly as it is in the event; empty shows all.")),
            ),
        ),
        Table(
            title=t("Events"),
            columns=(t("Event name"), t("Event time"), t("User name"), t("Event source"), t("Resource type"), t("Resource name")),
            rows=tuple(_row(each) for each in answer["Events"]),
            empty=_nothing(key, value),
            more=links.with_query("/console/cloudtrail/events", {**here, "next": following}) if following else None,
            first=links.with_query("/console/cloudtrail/events", here) if argument("next") else None,
        ),
    )  # fmt: skip


def _nothing(key: str, value: str) -> str:
    """Return what an empty answer tells. LookupEvents finds nothing, silently, for what is almost right."""
    if key == "EventName" and value in (
        "CreateFunction",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
        "DeleteFunction",
    ):
        return t("No event has exactly this name. The names of Lambda's events end in a version of the API.")
    if key == "Username" and value:
        return t("No event has exactly this user name. For a role it is the name of the session, not of the role.")
    return t("No event matches. Events take some minutes to appear.")


def _row(event: dict[str, Any]) -> tuple[Any, ...]:
    resources = event.get("Resources", [])
    return (
        link(event["EventName"], links.event(event["EventId"])),
        blocks.time(event["EventTime"]),
        event.get("Username"),
        event.get("EventSource"),
        ", ".join(dict.fromkeys(each.get("ResourceType", "") for each in resources)),
        ", ".join(dict.fromkeys(each.get("ResourceName", "") for each in resources)),
    )


@pages.get("/console/cloudtrail/events/<event_id>")
def event(event_id: str) -> Response:
    """Show one event: details, the resources it refers to, its record."""
    attribute = {"AttributeKey": "EventId", "AttributeValue": event_id}
    found = api().call("cloudtrail", "LookupEvents", LookupAttributes=[attribute])["Events"]
    if not found:
        raise ApiError("", t("CloudTrail has no event with the ID {id}.", id=event_id))
    shown = found[0]
    record = json.loads(shown["CloudTrailEvent"])
    return show(
        shown["EventName"],
        facts(
            t("Details"),
            (t("Event time"), blocks.time(shown["EventTime"])),
            (t("User name"), shown.get("Username")),
            (t("Event name"), shown["EventName"]),
            (t("Event source"), shown.get("EventSource")),
            (t("AWS access key"), shown.get("AccessKeyId")),
            (t("Source IP address"), record.get("sourceIPAddress")),
            (t("Event ID"), shown["EventId"]),
            (t("Request ID"), record.get("requestID")),
            (t("Event type"), record.get("eventType")),
            (t("AWS Region"), record.get("awsRegion")),
            (t("Error code"), record.get("errorCode")),
            (t("Error message"), record.get("errorMessage")),
            (t("Read-only"), shown.get("ReadOnly")),
        ),
        Table(
            title=t("Resources referenced"),
            columns=(t("Resource type"), t("Resource name"), t("AWS Config resource timeline")),
            rows=tuple(_resource(each) for each in shown.get("Resources", [])),
            empty=t("This event refers to no resource."),
        ),
        Source(title=t("Event record"), text=blocks.json_text(record)),
        crumbs=((t("Event history"), "/console/cloudtrail/events"),),
    )


def _resource(resource: dict[str, str]) -> tuple[Any, ...]:
    kind, name = resource.get("ResourceType", ""), resource.get("ResourceName", "")
    return (
        kind,
        link(name, links.of_resource(kind, name)),
        link(t("View timeline"), links.timeline(name, kind, name)),
    )
