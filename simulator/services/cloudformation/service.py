"""The CloudFormation API: create, update, delete, and what belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.cloudformation import changes
from simulator.services.cloudformation.change_sets import ChangeSets
from simulator.services.cloudformation.engine import Engine
from simulator.services.cloudformation.reads import Reads
from simulator.services.cloudformation.store import check_role
from simulator.services.cloudformation.template import invalid


class CloudFormation(ChangeSets, Reads):
    """Stacks of one lab."""

    def create_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Note a new stack and have its resources made. Returns the StackId.

        Raises AlreadyExistsException, InsufficientCapabilitiesException and ValidationErrors.
        """
        stack = self.find(ctx, StackName)
        if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise AwsError("AlreadyExistsException", f"Stack [{StackName}] already exists")
        if given.get("OnFailure") and given.get("DisableRollback"):
            raise invalid("You can specify either DisableRollback or OnFailure, but not both")
        desired = self.desired(ctx, self.template(ctx, given), given, None)
        if stack is None:
            stack = self.new_stack(ctx, StackName, desired, "CREATE_IN_PROGRESS")
        else:
            self.plan(ctx, stack, desired)
            stack.desired = desired
            stack.make_obsolete()
        stack.on_failure = given.get("OnFailure") or ("DO_NOTHING" if given.get("DisableRollback") else "ROLLBACK")
        stack.timeout_minutes = given.get("TimeoutInMinutes")
        stack.termination_protection = bool(given.get("EnableTerminationProtection", False))
        stack.policy = self.policy(ctx, given)
        self.stacks[stack.id] = stack
        self.begin(ctx, stack, "CREATE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).create())
        return {"StackId": stack.id}

    def update_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Note what the stack should become and have it brought there. Returns the StackId.

        Raises the ValidationError "No updates are to be performed." and those of template, state and parameters.
        """
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        self.check_updatable(stack)
        desired = self.desired(ctx, self.template(ctx, given, stack), given, stack)
        self.check_types(stack, desired)
        self.plan(ctx, stack, desired)
        if stack.status != "UPDATE_FAILED" and not changes.needed(self, ctx, stack, desired):
            raise invalid("No updates are to be performed.")
        stack.policy = self.policy(ctx, given) or stack.policy
        during = {name.replace("DuringUpdate", ""): value for name, value in given.items() if "DuringUpdate" in name}
        stack.policy_during_update = self.policy(ctx, during)
        stack.change_set_id = None
        stack.make_obsolete()
        self.start_update(ctx, stack, desired)
        return {"StackId": stack.id}

    def delete_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Have a stack's resources deleted; a stack that does not exist is no error."""
        stack = self.find(ctx, StackName)
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
            check_role(ctx, given["RoleARN"])
            stack.desired = replace(stack.desired, role_arn=given["RoleARN"])
        self.begin(ctx, stack, "DELETE_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).delete(retain, force=force))
        return {}

    def continue_update_rollback(
        self, ctx: Context, *, StackName: str, ResourcesToSkip: Sequence[str] = (), **given: Any
    ) -> dict[str, Any]:
        """Go on with the rollback of an update that failed to roll back."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        self.begin(ctx, stack, "UPDATE_ROLLBACK_IN_PROGRESS")
        ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).roll_back(ResourcesToSkip))
        return {}

    def rollback_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Bring a stack whose update or creation failed with rollback disabled back to its last stable state."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        if stack.status == "UPDATE_FAILED":
            self.begin(ctx, stack, "UPDATE_ROLLBACK_IN_PROGRESS")
            ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).roll_back())
        elif stack.status == "CREATE_FAILED":
            self.begin(ctx, stack, "ROLLBACK_IN_PROGRESS")
            ctx.after(lambda process: Engine(service=self, ctx=process, stack=stack).roll_back_create())
        else:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        return {"StackId": stack.id}

    def cancel_update_stack(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Refuse: updates here are done before their caller is answered, so there is never one to cancel."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        raise invalid(f"CancelUpdateStack cannot be called from current stack status ({stack.status})")

    def update_termination_protection(
        self, ctx: Context, *, StackName: str, EnableTerminationProtection: bool
    ) -> dict[str, Any]:
        """Set or lift a stack's protection against deletion."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        stack.termination_protection = EnableTerminationProtection
        return {"StackId": stack.id}

    def set_stack_policy(self, ctx: Context, *, StackName: str, **given: Any) -> dict[str, Any]:
        """Set the policy that says which resources an update may change."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        policy = self.policy(ctx, given)
        if policy is None:
            raise invalid("Either StackPolicyURL or StackPolicyBody must be specified.")
        stack.policy = policy
        return {}

    def get_stack_policy(self, ctx: Context, *, StackName: str) -> dict[str, Any]:
        """Return the stack's policy, nothing where none is set."""
        policy = self.stack(ctx, StackName, "Stack [{}] does not exist").policy
        return {} if policy is None else {"StackPolicyBody": policy}
