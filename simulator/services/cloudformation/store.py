"""The stacks of a lab: finding them, what a request wants of one, and the only places where a finished step changes one."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from simulator.clock import milliseconds, moment
from simulator.errors import AwsError
from simulator.service import Context, Service
from simulator.services.cloudformation import graph, protection
from simulator.services.cloudformation.checks import check_capabilities, check_types, checked, text_of
from simulator.services.cloudformation.engine import Engine
from simulator.services.cloudformation.state import ChangeSet, Desired, Resource, Stack
from simulator.services.cloudformation.template import Template, invalid
from simulator.services.cloudformation.values import (
    Ahead,
    Live,
    check_outputs,
    dependencies,
    evaluator,
    parameters,
    policies,
    worked_out,
)

if TYPE_CHECKING:
    from simulator.world import Lab

STACK_LIMIT: Final = 2000
PAGE: Final = 100
_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
UPDATABLE: Final = frozenset(
    [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_FAILED",
    ]
)


class Stacks(Service):
    """What all operations stand on. Nothing here makes a resource: that is the engine's, in processes."""

    name: ClassVar[str] = "cloudformation"
    validation_error = ("ValidationError", None)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.stacks: dict[str, Stack] = {}

    # ------------------------------------------------------------------ finding

    def here(self, ctx: Context) -> list[Stack]:
        """Return the stacks of the caller's Region, oldest first."""
        return [stack for stack in self.stacks.values() if stack.region == ctx.region]

    def find(self, ctx: Context, name: str) -> Stack | None:
        """Return the Region's stack of that id, or its living one of that name."""
        for stack in self.here(ctx):
            if stack.id == name or (stack.name == name and stack.live):
                return stack
        return None

    def stack(self, ctx: Context, name: str, missing: str = "Stack with id {} does not exist") -> Stack:
        """Return what `find` does. Raises the ValidationError `missing`, which each operation words its own way."""
        stack = self.find(ctx, name)
        if stack is None:
            raise invalid(missing.format(name))
        return stack

    def find_change_set(self, ctx: Context, name: str, stack_name: str | None) -> tuple[Stack, ChangeSet]:
        """Return a change set, by its id or by its name and its stack's, with its stack. Raises ChangeSetNotFoundException."""
        candidates = [self.stack(ctx, stack_name, "Stack [{}] does not exist")] if stack_name else self.here(ctx)
        if stack_name is None and not name.startswith("arn:"):
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        for stack in candidates:
            for change_set in (*stack.change_sets.values(), *reversed(stack.executed)):
                if name in {change_set.id, change_set.name}:
                    return stack, change_set
        raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist")

    def exports(self, ctx: Context) -> list[dict[str, str]]:
        """Return the Region's exports, by name, in the API's shape."""
        found = [
            {"ExportingStackId": stack.id, "Name": output["ExportName"], "Value": output["OutputValue"]}
            for stack in self.here(ctx)
            for output in stack.outputs
            if stack.live and "ExportName" in output
        ]
        return sorted(found, key=lambda export: export["Name"])

    def importers(self, ctx: Context, stack: Stack) -> list[tuple[str, str]]:
        """Return (export, stack that imports it) for what others use of `stack`."""
        own = [output["ExportName"] for output in stack.outputs if "ExportName" in output]
        others = [other for other in self.here(ctx) if other is not stack and other.live]
        return [(name, other.name) for name in own for other in others if name in other.imports]

    def check_exports(self, ctx: Context, stack: Stack, outputs: Sequence[Mapping[str, str]]) -> None:
        """Raise the ValidationError for an export whose name is taken, and for a changed one that is in use."""
        wanted = {output["ExportName"]: output["OutputValue"] for output in outputs if "ExportName" in output}
        for export in self.exports(ctx):
            if export["Name"] in wanted and export["ExportingStackId"] != stack.id:
                owner = self.stacks[export["ExportingStackId"]].name
                raise invalid(f"Export with name {export['Name']} is already exported by stack {owner}.")
        values = {output["ExportName"]: output["OutputValue"] for output in stack.outputs if "ExportName" in output}
        for name, user in self.importers(ctx, stack):
            if wanted.get(name) != values[name]:
                verb = "updated" if name in wanted else "deleted"
                raise invalid(f"Export {name} cannot be {verb} as it is in use by {user}.")

    # ------------------------------------------------------------------ what a stack should be

    def desired(
        self,
        ctx: Context,
        template: Template,
        given: Mapping[str, Any],
        previous: Stack | None,
        *,
        reviewed: bool = False,
    ) -> Desired:
        """Return the checked wish of a request; what an update leaves out stays as it was.

        What macros make of a template need not be acknowledged where it can be `reviewed`: in a change set.
        """
        check_capabilities(template, {*(given.get("Capabilities") or ()), *(["CAPABILITY_AUTO_EXPAND"] * reviewed)})
        check_types(template, given.get("ResourceTypes") or ())
        before = previous.desired if previous is not None else None
        shown, values = parameters(ctx, template, given.get("Parameters") or (), before)
        tags = given.get("Tags")
        _check_tags(tags or ())
        role = given.get("RoleARN") or (before.role_arn if before else None)
        if role is not None:
            check_role(ctx, role)
        notified = given.get("NotificationARNs")
        return Desired(
            template=template,
            parameters=shown,
            values=values,
            tags=tuple(tags) if tags is not None else (before.tags if before else ()),
            capabilities=tuple(given.get("Capabilities") or ()),
            role_arn=role,
            notification_arns=tuple(notified) if notified is not None else (before.notification_arns if before else ()),
            disable_rollback=bool(given.get("DisableRollback", False)),
            rollback_configuration=_rollback_configuration(given, before),
            token=given.get("ClientRequestToken") or given.get("ClientToken"),
        )

    def template(self, ctx: Context, given: Mapping[str, Any], previous: Stack | None = None) -> Template:
        """Return the checked template of a request: its own, or the one that the stack has."""
        if given.get("UsePreviousTemplate"):
            if previous is None:
                raise invalid("UsePreviousTemplate cannot be specified for a stack that does not exist.")
            return previous.desired.template
        return checked(text_of(ctx, given.get("TemplateBody"), given.get("TemplateURL")))

    def plan(self, ctx: Context, stack: Stack, desired: Desired) -> None:
        """Raise the ValidationError of a template that cannot be worked out with these parameters.

        Its conditions may leave a circle or a gap; a function that no resource is needed for may have no value.
        """
        now = evaluator(ctx, stack, desired, Live(self, ctx, stack))
        ahead = evaluator(ctx, stack, desired, Ahead(self, ctx, stack))
        needs = dependencies(desired.template, now)
        graph.order(needs)
        check_outputs(desired.template, now, needs)
        for name in needs:
            policies(desired.template.resources[name], now)
            worked_out(desired.template.resources[name].properties, ahead)

    def new_stack(self, ctx: Context, name: str, desired: Desired, status: str) -> Stack:
        """Return a stack that does not belong to the lab yet. Raises for a bad name, a full account, a bad graph."""
        if not _NAME.fullmatch(name):
            raise invalid(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy "
                "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
            )
        if sum(stack.live for stack in self.here(ctx)) >= STACK_LIMIT:
            raise AwsError("LimitExceededException", f"Limit for stack has been exceeded ({STACK_LIMIT})")
        arn = f"arn:aws:cloudformation:{ctx.region}:{ctx.account_id}:stack/{name}/{ctx.ids.uuid1(ctx.now)}"
        stack = Stack(id=arn, name=name, status=status, created=ctx.now, desired=desired)
        self.plan(ctx, stack, desired)
        return stack

    def begin(self, ctx: Context, stack: Stack, status: str) -> None:
        """Note that the caller asked for something: the stack's status and event."""
        token = (stack.pending or stack.desired).token
        self._stack_event(stack, status, "User Initiated", ctx.now, ctx.ids.uuid4(), token)

    def start_update(self, ctx: Context, stack: Stack, desired: Desired) -> None:
        """Note that the stack is to become `desired` and have the engine bring it there."""
        stack.pending = replace(desired, capabilities=desired.capabilities or stack.desired.capabilities)
        stack.updated = ctx.now
        self.begin(ctx, stack, "UPDATE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).update())

    @staticmethod
    def check_updatable(stack: Stack) -> None:
        """Raise the ValidationError of a stack whose status forbids an update."""
        if stack.status not in UPDATABLE:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    @staticmethod
    def check_types(stack: Stack, desired: Desired) -> None:
        """Raise the ValidationError of a resource that would become one of another type."""
        moved = [
            name
            for name, spec in desired.template.resources.items()
            if name in stack.resources and stack.resources[name].type != spec.type
        ]
        if moved:
            raise invalid(
                "Update of resource type is not permitted. The new template modifies resource type of the following "
                f"resources: [{', '.join(moved)}]"
            )

    def policy(self, ctx: Context, given: Mapping[str, Any]) -> str | None:
        """Return the text of a request's stack policy, None where it has none."""
        body, url = given.get("StackPolicyBody"), given.get("StackPolicyURL")
        if body and url:
            raise invalid("You cannot specify both StackPolicyURL and StackPolicyBody")
        if not body and not url:
            return None
        text = text_of(ctx, body, url)
        if not protection.is_policy(text):
            raise invalid("Error validating stack policy: Invalid stack policy")
        return text

    # ------------------------------------------------------------------ consequences

    def apply_stack(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Take in a stack's new status, as the engine recorded it."""
        stack = self.stacks[data["stack"]]
        at = moment(data["at"])
        token = (stack.pending or stack.desired).token
        self._stack_event(stack, data["status"], data["reason"], at, data["event_id"], token)
        if "outputs" in data:
            stack.outputs = list(data["outputs"])
            stack.imports = list(data["imports"])
            for name, needs in data["needs"].items():
                resource = stack.resources[name]
                resource.depends_on, resource.metadata = list(needs), data.get("metadata", {}).get(name)
            for name, (on_deletion, on_replacement) in data.get("policies", {}).items():
                resource = stack.resources[name]
                resource.deletion_policy, resource.update_replace_policy = on_deletion, on_replacement
        if data.get("settle"):
            self._settle(stack, adopt=bool(data.get("adopt")))
        if data["status"] == "DELETE_COMPLETE":
            stack.imports, stack.change_sets = [], {}

    @staticmethod
    def _settle(stack: Stack, *, adopt: bool) -> None:
        if adopt and stack.pending is not None:
            stack.desired = stack.pending
        stack.pending = stack.policy_during_update = None
        for resource in stack.resources.values():
            resource.before, resource.fresh, resource.undone = None, False, False

    def apply_resource(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Take in a resource's new status, as the engine recorded it."""
        stack, name, at = self.stacks[data["stack"]], data["logical"], moment(data["at"])
        event = {
            "LogicalResourceId": name,
            "PhysicalResourceId": data["physical"] or "",
            "ResourceType": data["type"],
            "ResourceProperties": data.get("shown"),
            "EventId": f"{name}-{data['status']}-{_iso(at)}",
        }
        token = (stack.pending or stack.desired).token
        self._event(stack, data["status"], data["reason"], at, token, event)
        if data.get("event_only"):
            return
        resource = stack.resources.setdefault(name, Resource(logical_id=name, type=data["type"]))
        resource.status, resource.reason, resource.at = data["status"], data["reason"], data["at"]
        for field, value in data.get("changes", {}).items():
            setattr(resource, field, value)
        if data.get("remove"):
            del stack.resources[name]

    def apply_nested(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Take in that a stack was made by another one."""
        child, parent = self.stacks[data["stack"]], self.stacks[data["parent"]]
        child.parent_id, child.root_id = parent.id, parent.root_id or parent.id

    def _stack_event(
        self, stack: Stack, status: str, reason: str | None, at: datetime, event_id: str, token: str | None
    ) -> None:
        if status in {"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
            stack.deleted, stack.change_set_id = at, None
        asked = reason == "User Initiated" and status != "REVIEW_IN_PROGRESS"
        stack.status, stack.reason = status, None if asked else reason
        own = {
            "LogicalResourceId": stack.name,
            "PhysicalResourceId": stack.id,
            "ResourceType": "AWS::CloudFormation::Stack",
            "EventId": event_id,
        }
        self._event(stack, status, reason, at, token, own)

    @staticmethod
    def _event(
        stack: Stack, status: str, reason: str | None, at: datetime, token: str | None, own: Mapping[str, Any]
    ) -> None:
        event = {
            "StackId": stack.id,
            "StackName": stack.name,
            **own,
            "Timestamp": at,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "ClientRequestToken": token,
        }
        stack.events.append(given_only(event))


def given_only(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that are there: an answer has no empty ones."""
    return {name: value for name, value in members.items() if value is not None}


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds(at) % 1000:03d}Z"


def page_of(items: Iterable[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """Return a page and the token of the next. Raises the ValidationError of a token that is none of ours."""
    listed = list(items)
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token, validate=True))
        except (ValueError, binascii.Error) as error:
            raise invalid("NextToken is invalid.") from error
        if start < 0:
            raise invalid("NextToken is invalid.")
    following = start + size
    more = following < len(listed)
    return listed[start:following], base64.b64encode(str(following).encode()).decode() if more else None


def _check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    if len(tags) > 50:
        raise invalid(
            "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"
        )
    for tag in tags:
        if str(tag["Key"]).lower().startswith("aws:"):
            raise invalid("Tag keys starting with 'aws:' are reserved for system use")


def _rollback_configuration(given: Mapping[str, Any], before: Desired | None) -> Mapping[str, Any]:
    """Return the alarms that a rollback would follow, for show: none is watched, as every operation is done at once."""
    asked: Mapping[str, Any] | None = given.get("RollbackConfiguration")
    if asked is None:
        return before.rollback_configuration if before else {}
    for trigger in asked.get("RollbackTriggers") or ():
        if trigger["Type"] not in {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"}:
            raise invalid("Rollback Trigger Type not supported")
        if not re.fullmatch(r"arn:aws:cloudwatch:[a-z0-9-]+:\d{12}:alarm:.+", trigger["Arn"]):
            raise invalid("RelativeId of a Rollback Trigger's ARN is incorrect")
    return asked


def check_role(ctx: Context, arn: str) -> None:
    """Raise the ValidationError of a role that is not there or does not trust CloudFormation."""
    refused = invalid(f"Role {arn} is invalid or cannot be assumed")
    try:
        role = ctx.read("iam", "GetRole", RoleName=arn.rpartition("/")[2])["Role"]
    except AwsError as error:
        raise refused from error
    trust = role["AssumeRolePolicyDocument"]
    if role["Arn"] != arn or "cloudformation.amazonaws.com" not in json.dumps(trust):
        raise refused
