"""CloudFormation: stacks with their resources, events, template and parameters."""

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.blocks import Actions, Block, Field, Form, Notice, Source, Table, Tabs, facts, link
from simulator.console.texts import t
from simulator.console.web import api, argument, confirmed, done, not_confirmed, posted, show

pages = Blueprint("stacks", __name__)
STACKS = "/console/cloudformation/stacks"


@pages.get(STACKS)
def stacks() -> Response:
    """Show the stacks, the deleted ones last."""
    more = {"NextToken": argument("next")} if argument("next") else {}
    answer = api().call("cloudformation", "ListStacks", **more)
    following = answer.get("NextToken")
    ordered = sorted(answer["StackSummaries"], key=lambda each: each["StackStatus"] == "DELETE_COMPLETE")
    return show(
        t("CloudFormation stacks"),
        Table(
            title=t("Stacks"),
            columns=(t("Stack name"), t("Status"), t("Created at"), t("Description")),
            rows=tuple(
                (
                    link(each["StackName"], links.stack(each["StackId"])),
                    blocks.state(each["StackStatus"]),
                    blocks.time(each["CreationTime"]),
                    each.get("TemplateDescription"),
                )
                for each in ordered
            ),
            empty=t("There are no stacks."),
            more=links.with_query(STACKS, {"next": following}) if following else None,
            first=STACKS if argument("next") else None,
        ),
    )


@pages.get("/console/cloudformation/stack")
def stack() -> Response:
    """Show a stack, at one of its tabs."""
    which = argument("stackId")
    found = api().call("cloudformation", "DescribeStacks", StackName=which)["Stacks"][0]
    tab = argument("tab", "resources")
    chosen = {"events": _events, "template": _template}.get(tab, _resources)
    items = (("resources", t("Resources")), ("events", t("Events")), ("template", t("Template")))
    return show(
        found["StackName"],
        Actions(
            links=(link(t("Delete"), links.with_query("/console/cloudformation/stack/delete", {"stackId": which})),)
        ),
        facts(
            t("Stack info"),
            (t("Stack ID"), blocks.code(found["StackId"])),
            (t("Status"), blocks.state(found["StackStatus"])),
            (t("Status reason"), found.get("StackStatusReason")),
            (t("Created at"), blocks.time(found["CreationTime"])),
            (t("Description"), found.get("Description")),
            (t("IAM role"), blocks.arn(found["RoleARN"]) if found.get("RoleARN") else None),
        ),
        Tabs(
            label=t("Parts of the stack"),
            items=tuple(
                (label, links.with_query("/console/cloudformation/stack", {"stackId": which, "tab": key}), key == tab)
                for key, label in items
            ),
        ),
        *chosen(which, found),
        crumbs=((t("CloudFormation stacks"), STACKS),),
    )


def _resources(which: str, found: dict[str, Any]) -> tuple[Block, ...]:
    resources = api().pages(
        "cloudformation", "ListStackResources", "StackResourceSummaries", "NextToken", StackName=which
    )
    return (
        Table(
            title=t("Resources"),
            columns=(t("Logical ID"), t("Physical ID"), t("Type"), t("Status"), t("Updated at")),
            rows=tuple(
                (
                    each["LogicalResourceId"],
                    link(
                        each.get("PhysicalResourceId", ""),
                        links.of_resource(each["ResourceType"], each.get("PhysicalResourceId", "")),
                    ),
                    each["ResourceType"],
                    blocks.state(each["ResourceStatus"]),
                    blocks.time(each.get("LastUpdatedTimestamp")),
                )
                for each in resources
            ),
            empty=t("This stack has no resources."),
        ),
        Table(
            title=t("Parameters"),
            columns=(t("Key"), t("Value")),
            rows=tuple((each["ParameterKey"], each.get("ParameterValue")) for each in found.get("Parameters", [])),
            empty=t("This stack has no parameters."),
        ),
        Table(
            title=t("Outputs"),
            columns=(t("Key"), t("Value"), t("Description")),
            rows=tuple(
                (each["OutputKey"], each.get("OutputValue"), each.get("Description"))
                for each in found.get("Outputs", [])
            ),
            empty=t("This stack has no outputs."),
        ),
        blocks.tags(found.get("Tags", [])),
    )


def _events(which: str, _found: dict[str, Any]) -> tuple[Block, ...]:
    more = {"NextToken": argument("next")} if argument("next") else {}
    answer = api().call("cloudformation", "DescribeStackEvents", StackName=which, **more)
    here = {"stackId": which, "tab": "events"}
    following = answer.get("NextToken")
    return (
        Table(
            title=t("Events"),
            columns=(t("Time"), t("Logical ID"), t("Type"), t("Status"), t("Status reason")),
            rows=tuple(
                (
                    blocks.time(each["Timestamp"]),
                    each.get("LogicalResourceId"),
                    each.get("ResourceType"),
                    blocks.state(each.get("ResourceStatus", "")),
                    each.get("ResourceStatusReason"),
                )
                for each in answer["StackEvents"]
            ),
            empty=t("This stack has no events."),
            more=links.with_query("/console/cloudformation/stack", {**here, "next": following}) if following else None,
            first=links.with_query("/console/cloudformation/stack", here) if argument("next") else None,
        ),
    )


def _template(which: str, _found: dict[str, Any]) -> tuple[Block, ...]:
    body = api().call("cloudformation", "GetTemplate", StackName=which)["TemplateBody"]
    return (Source(title=t("Template"), text=blocks.json_text(body)),)


@pages.get("/console/cloudformation/stack/delete")
def ask_to_delete() -> Response:
    """Ask whether to delete a stack."""
    which = argument("stackId")
    found = api().call("cloudformation", "DescribeStacks", StackName=which)["Stacks"][0]
    name = found["StackName"]
    return show(
        t("Delete {name}", name=name),
        Notice(text=t("Deleting a stack deletes all of its resources."), tone="warn"),
        Form(
            action="/console/cloudformation/stack/delete",
            title=t("Delete the stack {name}?", name=name),
            submit=t("Delete"),
            danger=True,
            cancel=links.stack(which),
            fields=(
                Field(name="stackId", label="", kind="hidden", value=which),
                Field(name="confirm", label=t("To confirm deletion, type delete in the field."), required=True),
            ),
        ),
        crumbs=((t("CloudFormation stacks"), STACKS),),
    )


@pages.post("/console/cloudformation/stack/delete")
def delete() -> Response:
    """Delete a stack, once the word was typed."""
    if not confirmed("delete"):
        return not_confirmed("delete")
    api().call("cloudformation", "DeleteStack", StackName=posted("stackId"))
    return done(STACKS, t("The deletion of the stack was started."))
