"""The CloudFormation API, and the places where its state changes."""

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
from simulator.services.cloudformation import changes, drift, graph
from simulator.services.cloudformation.checks import (
    capabilities,
    check_capabilities,
    check_types,
    checked,
    declared_parameters,
    text_of,
)
from simulator.services.cloudformation.engine import Engine
from simulator.services.cloudformation.state import ChangeSet, Desired, Resource, Stack, shown_parameters
from simulator.services.cloudformation.template import Template, invalid, parse
from simulator.services.cloudformation.values import Live, dependencies, evaluator, parameters

if TYPE_CHECKING:
    from simulator.world import Lab

STACK_LIMIT: Final = 2000
EVENTS_PAGE: Final = 100
PAGE: Final = 100
_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_UPDATABLE: Final = frozenset(
    [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "UPDATE_FAILED",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    ]
)
NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class CloudFormation(Service):
    """Stacks of one lab. Nothing here makes a resource: that is the engine's, in processes."""

    name: ClassVar[str] = "cloudformation"
    validation_error = ("ValidationError", None)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.stacks: dict[str, Stack] = {}

    # ------------------------------------------------------------------ finding

    def _here(self, ctx: Context) -> list[Stack]:
        """Return the stacks of the caller's Region, oldest first."""
        return [stack for stack in self.stacks.values() if stack.region == ctx.region]

    def _find(self, ctx: Context, name: str) -> Stack | None:
        """Return the Region's stack of that id, or its living one of that name."""
        for stack in self._here(ctx):
            if stack.id == name or (stack.name == name and stack.live):
                return stack
        return None

    def _stack(self, ctx: Context, name: str, missing: str = "Stack with id {} does not exist") -> Stack:
        stack = self._find(ctx, name)
        if stack is None:
            raise invalid(missing.format(name))
        return stack

    def exports(self, ctx: Context) -> list[dict[str, str]]:
        """Return the Region's exports, by name, in the API's shape."""
        found = [
            {"ExportingStackId": stack.id, "Name": output["ExportName"], "Value": output["OutputValue"]}
            for stack in self._here(ctx)
            for output in stack.outputs
            if "ExportName" in output
        ]
        return sorted(found, key=lambda export: export["Name"])

    def importers(self, ctx: Context, stack: Stack) -> list[tuple[str, str]]:
        """Return (export, stack that imports it) for what others use of `stack`."""
        own = [output["ExportName"] for output in stack.outputs if "ExportName" in output]
        others = [other for other in self._here(ctx) if other is not stack and other.live]
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

    def _desired(self, ctx: Context, template: Template, given: Mapping[str, Any], previous: Stack | None) -> Desired:
        """Return the checked wish of a request; what an update leaves out stays as it was."""
        check_capabilities(template, given.get("Capabilities") or ())
        check_types(template, given.get("ResourceTypes") or ())
        before = previous.desired if previous is not None else None
        shown, values = parameters(ctx, template, given.get("Parameters") or (), before)
        tags = given.get("Tags")
        _check_tags(tags or ())
        role = given.get("RoleARN") or (before.role_arn if before else None)
        if role is not None:
            _check_role(ctx, role)
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
            token=given.get("ClientRequestToken") or given.get("ClientToken"),
        )

    def _template(self, ctx: Context, given: Mapping[str, Any], previous: Stack | None = None) -> Template:
        if given.get("UsePreviousTemplate"):
            if previous is None:
                raise invalid("UsePreviousTemplate cannot be specified for a stack that does not exist.")
            return previous.desired.template
        return checked(text_of(ctx, given.get("TemplateBody"), given.get("TemplateURL")))

    def _plan(self, ctx: Context, stack: Stack, desired: Desired) -> None:
        """Raise the ValidationError of a template whose conditions, with these parameters, leave a circle or a gap."""
        graph.order(dependencies(desired.template, evaluator(ctx, stack, desired, Live(self, ctx, stack))))

    def _new_stack(self, ctx: Context, name: str, desired: Desired, status: str) -> Stack:
        if not _NAME.fullmatch(name):
            raise invalid(
                f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy "
                "regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
            )
        if sum(stack.live for stack in self._here(ctx)) >= STACK_LIMIT:
            raise AwsError("LimitExceededException", f"Limit for stack has been exceeded ({STACK_LIMIT})")
        arn = f"arn:aws:cloudformation:{ctx.region}:{ctx.account_id}:stack/{name}/{ctx.ids.uuid1(ctx.now)}"
        stack = Stack(id=arn, name=name, status=status, created=ctx.now, desired=desired)
        self._plan(ctx, stack, desired)
        return stack

    def _begin(self, ctx: Context, stack: Stack, status: str) -> None:
        """Note that the caller asked for something: the stack's status and event."""
        token = (stack.pending or stack.desired).token
        self._stack_event(stack, status, "User Initiated", ctx.now, ctx.ids.uuid4(), token)

    # ------------------------------------------------------------------ create, update, delete

    def create_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Note a new stack and have its resources made. Returns the StackId.

        Raises AlreadyExistsException, InsufficientCapabilitiesException and ValidationErrors.
        """
        if self._find(ctx, StackName) is not None:
            raise AwsError("AlreadyExistsException", f"Stack [{StackName}] already exists")
        if given.get("OnFailure") and given.get("DisableRollback"):
            raise invalid("You can specify either DisableRollback or OnFailure, but not both")
        desired = self._desired(ctx, self._template(ctx, given), given, None)
        stack = self._new_stack(ctx, StackName, desired, "CREATE_IN_PROGRESS")
        stack.on_failure = given.get("OnFailure") or ("DO_NOTHING" if given.get("DisableRollback") else "ROLLBACK")
        stack.timeout_minutes = given.get("TimeoutInMinutes")
        stack.termination_protection = bool(given.get("EnableTerminationProtection", False))
        stack.policy = self._policy(ctx, given)
        self.stacks[stack.id] = stack
        self._begin(ctx, stack, "CREATE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).create())
        return {"StackId": stack.id}

    def update_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Note what the stack should become and have it brought there. Returns the StackId.

        Raises the ValidationError "No updates are to be performed." and those of template, state and parameters.
        """
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        self._check_updatable(stack)
        desired = self._desired(ctx, self._template(ctx, given, stack), given, stack)
        self._check_types(stack, desired)
        self._plan(ctx, stack, desired)
        if stack.status != "UPDATE_FAILED" and not changes.needed(self, ctx, stack, desired):
            raise invalid("No updates are to be performed.")
        stack.policy = self._policy(ctx, given) or stack.policy
        during = {name.replace("DuringUpdate", ""): value for name, value in given.items() if "DuringUpdate" in name}
        stack.policy_during_update = self._policy(ctx, during)
        self._start_update(ctx, stack, desired)
        return {"StackId": stack.id}

    def _start_update(self, ctx: Context, stack: Stack, desired: Desired) -> None:
        stack.pending = desired
        stack.updated = ctx.now
        self._begin(ctx, stack, "UPDATE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).update())

    @staticmethod
    def _check_updatable(stack: Stack) -> None:
        if stack.status not in _UPDATABLE:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    @staticmethod
    def _check_types(stack: Stack, desired: Desired) -> None:
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

    def _policy(self, ctx: Context, given: Mapping[str, Any]) -> str | None:
        if given.get("StackPolicyBody") or given.get("StackPolicyURL"):
            text = text_of(ctx, given.get("StackPolicyBody"), given.get("StackPolicyURL"))
            try:
                if not isinstance(json.loads(text).get("Statement"), list):
                    raise ValueError(text)
            except (ValueError, AttributeError, RecursionError) as error:
                raise invalid("Error validating stack policy: Invalid stack policy") from error
            return text
        return None

    def delete_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Have a stack's resources deleted; a stack that does not exist is no error."""
        stack = self._find(ctx, StackName)
        if stack is None or not stack.live:
            return {}
        if stack.termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        retain = given.get("RetainResources") or []
        force = given.get("DeletionMode") == "FORCE_DELETE_STACK"
        if (retain or force) and stack.status != "DELETE_FAILED":
            what = "RetainResources" if retain else "DeletionMode"
            raise invalid(
                f"Invalid operation on stack [{stack.id}]. {what} can only be specified in DELETE_FAILED state"
            )
        strangers = [name for name in retain if name not in stack.resources]
        if strangers:
            raise invalid(f"Resources to retain [{', '.join(strangers)}] do not exist in stack {stack.name}")
        if given.get("RoleARN"):
            _check_role(ctx, given["RoleARN"])
            stack.desired = replace(stack.desired, role_arn=given["RoleARN"])
        self._begin(ctx, stack, "DELETE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).delete(retain, force=force))
        return {}

    def continue_update_rollback(
        self, ctx: Context, *, StackName: str, ResourcesToSkip: Sequence[str] = (), **given: Any
    ) -> dict[str, Any]:
        """Go on with the rollback of an update that failed to roll back."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        self._begin(ctx, stack, "UPDATE_ROLLBACK_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).roll_back(ResourcesToSkip))
        return {}

    def rollback_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Bring a stack whose update or creation failed with rollback disabled back to its last stable state."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        if stack.status == "UPDATE_FAILED":
            self._begin(ctx, stack, "UPDATE_ROLLBACK_IN_PROGRESS")
            ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).roll_back())
        elif stack.status == "CREATE_FAILED":
            self._begin(ctx, stack, "ROLLBACK_IN_PROGRESS")
            ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).roll_back_create())
        else:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        return {"StackId": stack.id}

    def cancel_update_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Refuse: updates here are done before their caller is answered, so there is never one to cancel."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        raise invalid(f"CancelUpdateStack cannot be called from current stack status ({stack.status})")

    def update_termination_protection(
        self, ctx: Context, *, StackName: str, EnableTerminationProtection: bool
    ) -> dict[str, Any]:
        """Set or lift a stack's protection against deletion."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        stack.termination_protection = EnableTerminationProtection
        return {"StackId": stack.id}

    def set_stack_policy(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Set the policy that says which resources an update may change."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        policy = self._policy(ctx, given)
        if policy is None:
            raise invalid("Either StackPolicyURL or StackPolicyBody must be specified.")
        stack.policy = policy
        return {}

    def get_stack_policy(self, ctx: Context, *, StackName: str) -> dict[str, Any]:
        """Return the stack's policy, nothing where none is set."""
        policy = self._stack(ctx, StackName, "Stack [{}] does not exist").policy
        return {} if policy is None else {"StackPolicyBody": policy}

    # ------------------------------------------------------------------ change sets

    def create_change_set(self, ctx: Context, *, StackName: str, ChangeSetName: str, **given: Any) -> dict[str, Any]:
        """Work out what an update or a creation would do and keep it for execution. Returns Id and StackId."""
        kind = given.get("ChangeSetType") or "UPDATE"
        stack = self._find(ctx, StackName)
        if given.get("ResourcesToImport") or kind == "IMPORT":
            raise invalid("Importing resources is not available in this lab.")
        if not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", ChangeSetName):
            raise invalid(
                f"1 validation error detected: Value '{ChangeSetName}' at 'changeSetName' failed to satisfy constraint: Member "
                "must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise invalid(
                    f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{ChangeSetName}]."
                )
        elif stack is None or stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{StackName}] does not exist")
        else:
            self._check_updatable(stack)
        if stack is not None and ChangeSetName in stack.change_sets:
            raise AwsError("AlreadyExistsException", f"ChangeSet {ChangeSetName} already exists")
        desired = self._desired(ctx, self._template(ctx, given, stack), given, stack if kind == "UPDATE" else None)
        if stack is None:
            stack = self._new_stack(ctx, StackName, desired, "REVIEW_IN_PROGRESS")
            self._begin(ctx, stack, "REVIEW_IN_PROGRESS")
        self._check_types(stack, desired)
        self._plan(ctx, stack, desired)
        change_set = self._change_set(ctx, stack, ChangeSetName, kind, desired, given)
        self.stacks[stack.id] = stack
        stack.change_sets[ChangeSetName] = change_set
        return {"Id": change_set.id, "StackId": stack.id}

    def _change_set(
        self, ctx: Context, stack: Stack, name: str, kind: str, desired: Desired, given: Mapping[str, Any]
    ) -> ChangeSet:
        change_set = ChangeSet(
            id=f"arn:aws:cloudformation:{ctx.region}:{ctx.account_id}:changeSet/{name}/{ctx.ids.uuid4()}",
            name=name,
            kind=kind,
            at=ctx.now,
            desired=desired,
            description=given.get("Description"),
            on_failure=given.get("OnStackFailure"),
            changes=changes.changes(self, ctx, stack, desired),
        )
        if kind == "UPDATE" and not changes.needed(self, ctx, stack, desired):
            change_set.status, change_set.execution, change_set.reason = "FAILED", "UNAVAILABLE", NO_CHANGES
        return change_set

    def _find_change_set(self, ctx: Context, name: str, stack_name: str | None) -> tuple[Stack, ChangeSet]:
        candidates = [self._stack(ctx, stack_name, "Stack [{}] does not exist")] if stack_name else self._here(ctx)
        if stack_name is None and not name.startswith("arn:"):
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        for stack in candidates:
            for change_set in stack.change_sets.values():
                if name in {change_set.id, change_set.name}:
                    return stack, change_set
        raise AwsError("ChangeSetNotFoundException", f"ChangeSet [{name}] does not exist")

    def describe_change_set(
        self,
        ctx: Context,
        *,
        ChangeSetName: str,
        StackName: str | None = None,
        NextToken: str | None = None,
        IncludePropertyValues: bool = False,
    ) -> dict[str, Any]:
        """Return a change set with its changes, a page at a time."""
        stack, change_set = self._find_change_set(ctx, ChangeSetName, StackName)
        page, token = _page(change_set.changes, NextToken, PAGE)
        desired = change_set.desired
        return _given(
            {
                **change_set.summary(stack),
                "Parameters": shown_parameters(desired),
                "NotificationARNs": list(desired.notification_arns),
                "RollbackConfiguration": {},
                "Capabilities": list(desired.capabilities),
                "Tags": [dict(tag) for tag in desired.tags],
                "OnStackFailure": change_set.on_failure,
                "Changes": page,
                "NextToken": token,
            }
        )

    def list_change_sets(self, ctx: Context, *, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
        """Return the summaries of a stack's change sets."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        page, token = _page([_given(item.summary(stack)) for item in stack.change_sets.values()], NextToken, PAGE)
        return _given({"Summaries": page, "NextToken": token})

    def delete_change_set(self, ctx: Context, *, ChangeSetName: str, StackName: str | None = None) -> dict[str, Any]:
        """Forget a change set; one that does not exist is no error."""
        try:
            stack, change_set = self._find_change_set(ctx, ChangeSetName, StackName)
        except AwsError as error:
            if error.code == "ChangeSetNotFoundException":
                return {}
            raise
        del stack.change_sets[change_set.name]
        return {}

    def execute_change_set(
        self,
        ctx: Context,
        *,
        ChangeSetName: str,
        StackName: str | None = None,
        DisableRollback: bool = False,
        **given: Any,
    ) -> dict[str, Any]:
        """Do what a change set says; the stack's other change sets are void then."""
        stack, change_set = self._find_change_set(ctx, ChangeSetName, StackName)
        if change_set.execution != "AVAILABLE":
            raise AwsError(
                "InvalidChangeSetStatusException",
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
            )
        desired = change_set.desired
        if DisableRollback:
            desired = _without_rollback(desired)
        change_set.execution = "EXECUTE_COMPLETE"
        stack.change_sets = {change_set.name: change_set}
        stack.change_set_id = change_set.id
        if change_set.kind == "UPDATE":
            self._start_update(ctx, stack, desired)
            return {}
        stack.desired = desired
        stack.created = ctx.now
        stack.on_failure = change_set.on_failure or ("DO_NOTHING" if DisableRollback else "ROLLBACK")
        self._begin(ctx, stack, "CREATE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).create())
        return {}

    # ------------------------------------------------------------------ reads

    def describe_stacks(
        self, ctx: Context, *, StackName: str | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return one stack, or all that live, newest first."""
        if StackName:
            return {"Stacks": [self._stack(ctx, StackName).describe()]}
        living = [stack.describe() for stack in reversed(self._here(ctx)) if stack.live]
        page, token = _page(living, NextToken, PAGE)
        return _given({"Stacks": page, "NextToken": token})

    def list_stacks(
        self, ctx: Context, *, StackStatusFilter: Sequence[str] = (), NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return summaries of all stacks, deleted ones too, newest first."""
        wanted = set(StackStatusFilter)
        found = [stack.summary() for stack in reversed(self._here(ctx)) if not wanted or stack.status in wanted]
        page, token = _page(found, NextToken, PAGE)
        return _given({"StackSummaries": page, "NextToken": token})

    def describe_stack_events(
        self, ctx: Context, *, StackName: str | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return a stack's events, newest first."""
        if not StackName:
            raise invalid(
                "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null"
            )
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        page, token = _page(stack.events[::-1], NextToken, EVENTS_PAGE)
        return _given({"StackEvents": page, "NextToken": token})

    def describe_stack_resource(self, ctx: Context, *, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
        """Return one resource in detail."""
        stack = self._stack(ctx, StackName, "Stack '{}' does not exist")
        resource = stack.resources.get(LogicalResourceId)
        if resource is None:
            raise invalid(f"Resource {LogicalResourceId} does not exist for stack {stack.name}")
        detail = {"StackName": stack.name, "StackId": stack.id} | stack.resource(resource, "LastUpdatedTimestamp")
        detail["Metadata"] = json.dumps(resource.metadata if resource.metadata is not None else {})
        return {"StackResourceDetail": detail}

    def describe_stack_resources(
        self,
        ctx: Context,
        *,
        StackName: str | None = None,
        LogicalResourceId: str | None = None,
        PhysicalResourceId: str | None = None,
    ) -> dict[str, Any]:
        """Return up to 100 resources of a stack, named by itself or by one of its resources."""
        if (StackName is None) == (PhysicalResourceId is None):
            raise invalid("Either StackName or PhysicalResourceId must be specified, but not both")
        stack = self._stack(ctx, StackName) if StackName else self._owner(ctx, str(PhysicalResourceId))
        found = [
            {"StackName": stack.name, "StackId": stack.id} | stack.resource(resource, "Timestamp")
            for name, resource in stack.resources.items()
            if LogicalResourceId in {None, name}
        ]
        return {"StackResources": found[:PAGE]}

    def _owner(self, ctx: Context, physical_id: str) -> Stack:
        for stack in self._here(ctx):
            if stack.live and any(resource.physical_id == physical_id for resource in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")

    def list_stack_resources(self, ctx: Context, *, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
        """Return summaries of a stack's resources."""
        stack = self._stack(ctx, StackName)
        found = [stack.resource(resource, "LastUpdatedTimestamp") for resource in stack.resources.values()]
        page, token = _page(found, NextToken, PAGE)
        return _given({"StackResourceSummaries": page, "NextToken": token})

    def get_template(
        self,
        ctx: Context,
        *,
        StackName: str | None = None,
        ChangeSetName: str | None = None,
        TemplateStage: str = "Original",
    ) -> dict[str, Any]:
        """Return a stack's or change set's template as it was given."""
        if ChangeSetName:
            desired = self._find_change_set(ctx, ChangeSetName, StackName)[1].desired
        elif StackName:
            desired = self._stack(ctx, StackName).desired
        else:
            raise invalid("Stack name must be specified")
        return {"TemplateBody": desired.template.body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, ctx: Context, *, StackName: str | None = None, **given: Any) -> dict[str, Any]:
        """Return what a template declares: parameters, types, capabilities."""
        if StackName:
            template = self._stack(ctx, StackName).desired.template
        else:
            template = parse(text_of(ctx, given.get("TemplateBody"), given.get("TemplateURL")))
        types = sorted({spec.type for spec in template.resources.values()})
        return _given(
            {
                **_summary(template),
                "Parameters": list(declared_parameters(template)),
                "ResourceTypes": types,
                "Version": template.version,
                "Metadata": None if template.metadata is None else json.dumps(template.metadata),
                "ResourceIdentifierSummaries": [
                    {
                        "ResourceType": kind,
                        "LogicalResourceIds": [name for name, spec in template.resources.items() if spec.type == kind],
                    }
                    for kind in types
                ],
            }
        )

    def validate_template(
        self, ctx: Context, *, TemplateBody: str | None = None, TemplateURL: str | None = None
    ) -> dict[str, Any]:
        """Check a template and return its parameters and capabilities."""
        template = checked(text_of(ctx, TemplateBody, TemplateURL))
        hidden = {"ParameterType", "ParameterConstraints"}
        shown = [
            {key: value for key, value in spec.items() if key not in hidden} for spec in declared_parameters(template)
        ]
        return _given({**_summary(template), "Parameters": shown})

    def list_exports(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return the Region's exports by name."""
        page, token = _page(self.exports(ctx), NextToken, PAGE)
        return _given({"Exports": page, "NextToken": token})

    def list_imports(self, ctx: Context, *, ExportName: str, NextToken: str | None = None) -> dict[str, Any]:
        """Return the names of the stacks that import an export."""
        users = sorted(stack.name for stack in self._here(ctx) if stack.live and ExportName in stack.imports)
        if not users:
            raise invalid(f"Export '{ExportName}' is not imported by any stack.")
        page, token = _page(users, NextToken, PAGE)
        return _given({"Imports": page, "NextToken": token})

    def describe_account_limits(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return the account's quotas."""
        limits = {"StackLimit": STACK_LIMIT, "StackOutputsLimit": 200, "ConcurrentResourcesLimit": 2500}
        return {"AccountLimits": [{"Name": name, "Value": value} for name, value in limits.items()]}

    # ------------------------------------------------------------------ drift

    def detect_stack_drift(
        self, ctx: Context, *, StackName: str, LogicalResourceIds: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Compare the stack's resources with what its template declares. Returns the id of the detection."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        if stack.status not in _UPDATABLE | {"ROLLBACK_COMPLETE"}:
            raise invalid(
                f"Drift detection cannot be performed on stack [{stack.id}] while it is in {stack.status} state"
            )
        for name, resource in stack.resources.items():
            if LogicalResourceIds is None or name in LogicalResourceIds:
                drift.detect(ctx, stack, resource)
        checked_now = [resource.drift for resource in stack.resources.values()]
        stack.drift = "DRIFTED" if {"MODIFIED", "DELETED"} & set(checked_now) else "IN_SYNC"
        stack.drift_at, stack.drift_id = ctx.now, ctx.ids.uuid4()
        return {"StackDriftDetectionId": stack.drift_id}

    def describe_stack_drift_detection_status(self, ctx: Context, *, StackDriftDetectionId: str) -> dict[str, Any]:
        """Return the outcome of a detection."""
        for stack in self._here(ctx):
            if stack.drift_id == StackDriftDetectionId:
                drifted = [item for item in stack.resources.values() if item.drift in {"MODIFIED", "DELETED"}]
                return {
                    "StackId": stack.id,
                    "StackDriftDetectionId": StackDriftDetectionId,
                    "StackDriftStatus": stack.drift,
                    "DetectionStatus": "DETECTION_COMPLETE",
                    "DriftedStackResourceCount": len(drifted),
                    "Timestamp": stack.drift_at,
                }
        raise invalid(f"Stack drift detection with id {StackDriftDetectionId} does not exist.")

    def detect_stack_resource_drift(self, ctx: Context, *, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
        """Compare one resource with its declaration."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        resource = stack.resources.get(LogicalResourceId)
        if resource is None:
            raise invalid(f"Resource {LogicalResourceId} does not exist for stack {stack.name}")
        drift.detect(ctx, stack, resource)
        return {"StackResourceDrift": drift.shown(stack, resource)}

    def describe_stack_resource_drifts(
        self,
        ctx: Context,
        *,
        StackName: str,
        StackResourceDriftStatusFilters: Sequence[str] = (),
        NextToken: str | None = None,
        MaxResults: int = PAGE,
    ) -> dict[str, Any]:
        """Return what the last detections found, of the resources that they could check."""
        stack = self._stack(ctx, StackName, "Stack [{}] does not exist")
        found = [
            drift.shown(stack, resource)
            for resource in stack.resources.values()
            if resource.drift_at is not None
            and resource.drift != "NOT_CHECKED"
            and (not StackResourceDriftStatusFilters or resource.drift in StackResourceDriftStatusFilters)
        ]
        page, token = _page(found, NextToken, MaxResults)
        return _given({"StackResourceDrifts": page, "NextToken": token})

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
                stack.resources[name].depends_on = list(needs)
        if data.get("settle"):
            self._settle(stack, adopt=bool(data.get("adopt")))
        if data["status"] == "DELETE_COMPLETE":
            stack.deleted = at
            stack.outputs, stack.imports, stack.change_sets = [], [], {}

    @staticmethod
    def _settle(stack: Stack, *, adopt: bool) -> None:
        if adopt and stack.pending is not None:
            stack.desired = stack.pending
        stack.pending = stack.policy_during_update = None
        for resource in stack.resources.values():
            resource.before, resource.fresh, resource.undone = None, False, False
            spec = stack.desired.template.resources.get(resource.logical_id)
            if spec is not None:
                resource.metadata = spec.metadata
                resource.deletion_policy = spec.deletion_policy
                resource.update_replace_policy = spec.update_replace_policy

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
        stack.status, stack.reason = status, None if reason == "User Initiated" else reason
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
        stack.events.append(_given(event))


def _summary(template: Template) -> dict[str, Any]:
    needed, types = capabilities(template)
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]" if types else None
    return {
        "Description": template.description,
        "Capabilities": needed or None,
        "CapabilitiesReason": reason,
        "DeclaredTransforms": list(template.transforms) or None,
    }


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{milliseconds(at) % 1000:03d}Z"


def _page(items: Iterable[Any], token: str | None, size: int) -> tuple[list[Any], str | None]:
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


def _check_role(ctx: Context, arn: str) -> None:
    """Raise the ValidationError of a role that is not there or does not trust CloudFormation."""
    refused = invalid(f"Role {arn} is invalid or cannot be assumed")
    try:
        role = ctx.read("iam", "GetRole", RoleName=arn.rpartition("/")[2])["Role"]
    except AwsError as error:
        raise refused from error
    trust = role["AssumeRolePolicyDocument"]
    if role["Arn"] != arn or "cloudformation.amazonaws.com" not in json.dumps(trust):
        raise refused


def _without_rollback(desired: Desired) -> Desired:
    return replace(desired, disable_rollback=True)
