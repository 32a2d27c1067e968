"""EventBridge: rules with their targets, and schedules of the Scheduler."""

from typing import Any

from flask import Blueprint
from werkzeug.wrappers import Response

from simulator.console import blocks, links
from simulator.console.blocks import Actions, Field, Form, Source, Table, facts, link
from simulator.console.texts import t
from simulator.console.web import api, argument, done, posted, show

pages = Blueprint("rules", __name__)
RULES, SCHEDULES = "/console/events/rules", "/console/scheduler/schedules"


@pages.get(RULES)
def rules() -> Response:
    """Show the rules of the default event bus."""
    more = {"NextToken": argument("next")} if argument("next") else {}
    answer = api().call("events", "ListRules", Limit=100, **more)
    following = answer.get("NextToken")
    return show(
        t("EventBridge rules"),
        Table(
            title=t("Rules on the default event bus"),
            columns=(t("Name"), t("Status"), t("Schedule or pattern"), t("Description")),
            rows=tuple(
                (
                    link(each["Name"], links.rule(each["Name"])),
                    blocks.state(each["State"]),
                    blocks.code(each.get("ScheduleExpression") or each.get("EventPattern") or ""),
                    each.get("Description"),
                )
                for each in answer["Rules"]
            ),
            empty=t("There are no rules."),
            more=links.with_query(RULES, {"next": following}) if following else None,
            first=RULES if argument("next") else None,
        ),
    )


@pages.get(f"{RULES}/<name>")
def rule(name: str) -> Response:
    """Show a rule and its targets."""
    found = api().call("events", "DescribeRule", Name=name)
    targets = api().pages("events", "ListTargetsByRule", "Targets", "NextToken", Rule=name)
    turn = "disable" if found["State"] != "DISABLED" else "enable"
    pattern = found.get("EventPattern")
    return show(
        name,
        Actions(
            forms=(
                Form(action=f"{links.rule(name)}/{turn}", submit=t("Disable") if turn == "disable" else t("Enable")),
                Form(action=f"{links.rule(name)}/delete", submit=t("Delete"), danger=True),
            )
        ),
        facts(
            t("Rule details"),
            (t("Status"), blocks.state(found["State"])),
            (t("Schedule"), blocks.code(found.get("ScheduleExpression", ""))),
            (t("Description"), found.get("Description")),
            (t("Rule ARN"), blocks.code(found["Arn"])),
            (t("Event bus"), found.get("EventBusName")),
            (t("Managed by"), found.get("ManagedBy")),
        ),
        *([Source(title=t("Event pattern"), text=blocks.json_text(pattern))] if pattern else []),
        Table(
            title=t("Targets"),
            columns=(t("Target ID"), "ARN", t("Input"), ""),
            rows=tuple(_target(name, each) for each in targets),
            empty=t("This rule has no targets: it fires, and nothing happens."),
        ),
        Form(
            action=f"{links.rule(name)}/targets",
            title=t("Add or edit a target"),
            submit=t("Save"),
            intro=t("A target with an ID that is there already is replaced."),
            fields=(
                Field(name="id", label=t("Target ID"), required=True),
                Field(name="arn", label="ARN", required=True),
                Field(name="input", label=t("Input (JSON, optional)"), kind="textarea", rows=3),
            ),
        ),
        crumbs=((t("EventBridge rules"), RULES),),
    )


def _target(rule_name: str, target: dict[str, Any]) -> tuple[Any, ...]:
    drop = Form(
        action=f"{links.rule(rule_name)}/targets/delete",
        submit=t("Remove"),
        danger=True,
        fields=(Field(name="id", label="", kind="hidden", value=target["Id"]),),
    )
    return target["Id"], blocks.arn(target["Arn"]), target.get("Input") or target.get("InputPath"), drop


@pages.post(f"{RULES}/<name>/<any(enable, disable):what>")
def switch(name: str, what: str) -> Response:
    """Enable or disable a rule."""
    api().call("events", "DisableRule" if what == "disable" else "EnableRule", Name=name)
    said = t("The rule was disabled.") if what == "disable" else t("The rule was enabled.")
    return done(links.rule(name), said)


@pages.post(f"{RULES}/<name>/delete")
def delete_rule(name: str) -> Response:
    """Delete a rule. AWS refuses while it has targets."""
    api().call("events", "DeleteRule", Name=name)
    return done(RULES, t("The rule was deleted."))


@pages.post(f"{RULES}/<name>/targets")
def put_target(name: str) -> Response:
    """Add a target, or replace the one with its id."""
    target = {"Id": posted("id").strip(), "Arn": posted("arn").strip()}
    if posted("input").strip():
        target["Input"] = posted("input").strip()
    answer = api().call("events", "PutTargets", Rule=name, Targets=[target])
    return done(links.rule(name), _failed(answer) or t("The target was saved."))


@pages.post(f"{RULES}/<name>/targets/delete")
def remove_target(name: str) -> Response:
    """Remove a target."""
    answer = api().call("events", "RemoveTargets", Rule=name, Ids=[posted("id")])
    return done(links.rule(name), _failed(answer) or t("The target was removed."))


def _failed(answer: dict[str, Any]) -> str:
    """Return what failed of a call that answers well even so; empty for nothing."""
    return "; ".join(f"{each.get('ErrorCode')}: {each.get('ErrorMessage')}" for each in answer.get("FailedEntries", []))


@pages.get(SCHEDULES)
def schedules() -> Response:
    """Show the schedules of all groups."""
    more = {"NextToken": argument("next")} if argument("next") else {}
    answer = api().call("scheduler", "ListSchedules", MaxResults=100, **more)
    following = answer.get("NextToken")
    return show(
        t("EventBridge schedules"),
        Table(
            title=t("Schedules"),
            columns=(t("Name"), t("Group"), t("Status"), t("Target"), t("Last modified")),
            rows=tuple(
                (
                    link(each["Name"], links.schedule(each["GroupName"], each["Name"])),
                    each["GroupName"],
                    blocks.state(each["State"]),
                    blocks.arn(each["Target"]["Arn"]),
                    blocks.time(each.get("LastModificationDate")),
                )
                for each in answer["Schedules"]
            ),
            empty=t("There are no schedules."),
            more=links.with_query(SCHEDULES, {"next": following}) if following else None,
            first=SCHEDULES if argument("next") else None,
        ),
    )


@pages.get(f"{SCHEDULES}/<group>/<name>")
def schedule(group: str, name: str) -> Response:
    """Show a schedule."""
    found = api().call("scheduler", "GetSchedule", GroupName=group, Name=name)
    turn = "disable" if found["State"] == "ENABLED" else "enable"
    here = links.schedule(group, name)
    return show(
        name,
        Actions(
            forms=(
                Form(action=f"{here}/{turn}", submit=t("Disable") if turn == "disable" else t("Enable")),
                Form(action=f"{here}/delete", submit=t("Delete"), danger=True),
            )
        ),
        facts(
            t("Schedule details"),
            (t("Status"), blocks.state(found["State"])),
            (t("Schedule"), blocks.code(found["ScheduleExpression"])),
            (t("Time zone"), found.get("ScheduleExpressionTimezone")),
            (t("Flexible time window"), found.get("FlexibleTimeWindow", {}).get("Mode")),
            (t("Description"), found.get("Description")),
            (t("Target"), blocks.arn(found["Target"]["Arn"])),
            (t("Execution role"), blocks.arn(found["Target"].get("RoleArn", ""))),
            (t("Created at"), blocks.time(found.get("CreationDate"))),
        ),
        Form(
            action=f"{here}/target",
            title=t("Edit target"),
            submit=t("Save"),
            fields=(
                Field(name="arn", label="ARN", value=found["Target"]["Arn"], required=True),
                Field(name="role", label=t("Execution role"), value=found["Target"].get("RoleArn", ""), required=True),
                Field(
                    name="input",
                    label=t("Input (JSON, optional)"),
                    kind="textarea",
                    rows=3,
                    value=found["Target"].get("Input", ""),
                ),
            ),
        ),
        crumbs=((t("EventBridge schedules"), SCHEDULES),),
    )


_KEPT = (
    "Description", "EndDate", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression", "ScheduleExpressionTimezone", "StartDate",
    "State", "Target", "ActionAfterCompletion",
)  # fmt: skip


def _update(group: str, name: str, change: dict[str, Any]) -> None:
    """Change parts of a schedule. UpdateSchedule forgets what it is not told, so the rest is told again."""
    found = api().call("scheduler", "GetSchedule", GroupName=group, Name=name)
    kept = {key: found[key] for key in _KEPT if key in found}
    kept["Target"] = {**kept["Target"], **change.pop("Target", {})}
    api().call("scheduler", "UpdateSchedule", GroupName=group, Name=name, **{**kept, **change})


@pages.post(f"{SCHEDULES}/<group>/<name>/<any(enable, disable):what>")
def switch_schedule(group: str, name: str, what: str) -> Response:
    """Enable or disable a schedule."""
    _update(group, name, {"State": "DISABLED" if what == "disable" else "ENABLED"})
    return done(links.schedule(group, name), t("The schedule was saved."))


@pages.post(f"{SCHEDULES}/<group>/<name>/target")
def retarget(group: str, name: str) -> Response:
    """Change a schedule's target."""
    target = {"Arn": posted("arn").strip(), "RoleArn": posted("role").strip()}
    if posted("input").strip():
        target["Input"] = posted("input").strip()
    _update(group, name, {"Target": target})
    return done(links.schedule(group, name), t("The schedule was saved."))


@pages.post(f"{SCHEDULES}/<group>/<name>/delete")
def delete_schedule(group: str, name: str) -> Response:
    """Delete a schedule."""
    api().call("scheduler", "DeleteSchedule", GroupName=group, Name=name)
    return done(SCHEDULES, t("The schedule was deleted."))
