"""CloudWatch Logs: groups, streams, and a stream's events."""

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.blocks import Table, link
from simulator.console.texts import t
from simulator.console.web import api, argument, show

pages = Blueprint("logs", __name__)
GROUPS = "/console/logs/groups"
EVENTS = 200


@pages.get(GROUPS)
def groups() -> Response:
    """Show the log groups."""
    more = {"nextToken": argument("next")} if argument("next") else {}
    answer = api().call("logs", "DescribeLogGroups", limit=50, **more)
    following = answer.get("nextToken")
    return show(
        t("Log groups"),
        Table(
            title=t("Log groups"),
            columns=(t("Log group"), t("Created at"), t("Retention")),
            rows=tuple(
                (
                    link(each["logGroupName"], links.log_group(each["logGroupName"])),
                    blocks.time(each.get("creationTime")),
                    t("{count} days", count=each["retentionInDays"])
                    if each.get("retentionInDays")
                    else t("Never expire"),
                )
                for each in answer["logGroups"]
            ),
            empty=t("There are no log groups."),
            more=links.with_query(GROUPS, {"next": following}) if following else None,
            first=GROUPS if argument("next") else None,
        ),
    )


@pages.get("/console/logs/group")
def group() -> Response:
    """Show a group's streams, the one written last first."""
    name = argument("name")
    more = {"nextToken": argument("next")} if argument("next") else {}
    answer = api().call(
        "logs", "DescribeLogStreams", logGroupName=name, orderBy="LastEventTime", descending=True, limit=50, **more
    )
    following = answer.get("nextToken")
    here = links.log_group(name)
    return show(
        name,
        Table(
            title=t("Log streams"),
            columns=(t("Log stream"), t("First event"), t("Last event")),
            rows=tuple(
                (
                    link(
                        each["logStreamName"],
                        links.with_query("/console/logs/stream", {"group": name, "name": each["logStreamName"]}),
                    ),
                    blocks.time(each.get("firstEventTimestamp")),
                    blocks.time(each.get("lastEventTimestamp")),
                )
                for each in answer["logStreams"]
            ),
            empty=t("There are no log streams."),
            more=links.with_query(here, {"next": following}) if following else None,
            first=here if argument("next") else None,
        ),
        crumbs=((t("Log groups"), GROUPS),),
    )


@pages.get("/console/logs/stream")
def stream() -> Response:
    """Show a stream's events: its last ones, and from there the older ones."""
    group_name, name = argument("group"), argument("name")
    more = {"nextToken": argument("next")} if argument("next") else {}
    answer = api().call(
        "logs", "GetLogEvents", logGroupName=group_name, logStreamName=name, limit=EVENTS, startFromHead=False, **more
    )
    events = answer["events"]
    back = answer.get("nextBackwardToken")
    here = {"group": group_name, "name": name}
    return show(
        name,
        Table(
            title=t("Log events"),
            columns=(t("Timestamp"), t("Message")),
            rows=tuple((blocks.time(each["timestamp"]), blocks.code(each["message"].rstrip("\n"))) for each in events),
            empty=t("There are no older events."),
            more=links.with_query("/console/logs/stream", {**here, "next": back})
            if len(events) == EVENTS and back and back != argument("next")
            else None,
            first=links.with_query("/console/logs/stream", here) if argument("next") else None,
            intro=t("Oldest first; the next page holds older ones."),
        ),
        crumbs=((t("Log groups"), GROUPS), (group_name, links.log_group(group_name))),
    )
