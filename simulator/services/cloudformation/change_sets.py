"""Change sets: what an update or a creation would do, kept until it is executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation import changes
from simulator.services.cloudformation.engine import Engine
from simulator.services.cloudformation.state import ChangeSet, Desired, Stack, shown_parameters
from simulator.services.cloudformation.store import PAGE, Stacks, given_only, page_of
from simulator.services.cloudformation.template import invalid

NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class ChangeSets(Stacks):
    """The operations on change sets."""

    def create_change_set(self, ctx: Context, *, StackName: str, ChangeSetName: str, **given: Any) -> dict[str, Any]:
        """Work out what an update or a creation would do and keep it for execution. Returns Id and StackId."""
        kind = given.get("ChangeSetType") or "UPDATE"
        stack = self.find(ctx, StackName)
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
                    f"Stack [{StackName}] already exists and cannot be created again with the changeSet [{ChangeSetName}]."
                )
        elif stack is None or stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{StackName}] does not exist")
        else:
            self.check_updatable(stack)
        if stack is not None and ChangeSetName in stack.change_sets:
            raise AwsError("AlreadyExistsException", f"ChangeSet {ChangeSetName} already exists")
        previous = stack if kind == "UPDATE" else None
        desired = self.desired(ctx, self.template(ctx, given, stack), given, previous, reviewed=True)
        if stack is None:
            stack = self.new_stack(ctx, StackName, desired, "REVIEW_IN_PROGRESS")
            self.begin(ctx, stack, "REVIEW_IN_PROGRESS")
        self.check_types(stack, desired)
        self.plan(ctx, stack, desired)
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
        stack, change_set = self.find_change_set(ctx, ChangeSetName, StackName)
        page, token = page_of(change_set.changes, NextToken, PAGE)
        desired = change_set.desired
        return given_only(
            {
                **change_set.summary(stack),
                "Parameters": shown_parameters(desired) or None,
                "NotificationARNs": list(desired.notification_arns),
                "RollbackConfiguration": dict(desired.rollback_configuration),
                "Capabilities": list(desired.capabilities),
                "Tags": [dict(tag) for tag in desired.tags] or None,
                "OnStackFailure": change_set.on_failure,
                "Changes": page,
                "NextToken": token,
            }
        )

    def list_change_sets(self, ctx: Context, *, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
        """Return the summaries of a stack's change sets that were not executed."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        page, token = page_of([given_only(item.summary(stack)) for item in stack.change_sets.values()], NextToken, PAGE)
        return given_only({"Summaries": page, "NextToken": token})

    def delete_change_set(self, ctx: Context, *, ChangeSetName: str, StackName: str | None = None) -> dict[str, Any]:
        """Forget a change set; one that does not exist is no error."""
        try:
            stack, change_set = self.find_change_set(ctx, ChangeSetName, StackName)
        except AwsError as error:
            if error.code == "ChangeSetNotFoundException":
                return {}
            raise
        if change_set in stack.executed:
            stack.executed.remove(change_set)
        else:
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
        stack, change_set = self.find_change_set(ctx, ChangeSetName, StackName)
        if change_set.execution != "AVAILABLE":
            failed = change_set.status == "FAILED"
            now = f"status of [{change_set.status}]" if failed else f"execution status of [{change_set.execution}]"
            raise AwsError(
                "InvalidChangeSetStatusException",
                f"ChangeSet [{change_set.id}] cannot be executed in its current {now}",
            )
        desired = change_set.desired
        if DisableRollback:
            desired = replace(desired, disable_rollback=True)
        change_set.execution = "EXECUTE_COMPLETE"
        stack.change_sets = {}
        stack.executed.append(change_set)
        stack.change_set_id = change_set.id
        if change_set.kind == "UPDATE":
            self.start_update(ctx, stack, desired)
            return {}
        stack.desired = desired
        stack.updated = ctx.now
        stack.on_failure = change_set.on_failure or ("DO_NOTHING" if DisableRollback else "ROLLBACK")
        self.begin(ctx, stack, "CREATE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).create())
        return {}
