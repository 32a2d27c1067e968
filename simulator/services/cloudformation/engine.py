"""The stack engine: processes that make, change and delete a stack's resources by API calls.

Each process runs after its operation, live only. It tells the service what it did through two kinds of record,
`resource` and `stack`; their `apply_*` alone change the stack, so a replay ends in the same state without a call.
Resources are handled one at a time: AWS works several at once, a client sees the same order of dependencies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from simulator.clock import milliseconds
from simulator.errors import AwsError
from simulator.identity import Principal
from simulator.service import Context
from simulator.services.cloudformation import graph, protection
from simulator.services.cloudformation.intrinsics import Evaluator
from simulator.services.cloudformation.resources import HANDLERS, service_of
from simulator.services.cloudformation.resources.base import INVOKER, Handler, HandlerError, Work, changed, gone, sound
from simulator.services.cloudformation.state import Desired, Resource, Stack, event_properties, secrets, snapshot
from simulator.services.cloudformation.template import ResourceSpec, invalid
from simulator.services.cloudformation.values import Live, dependencies, evaluator, outputs, policies

if TYPE_CHECKING:
    from simulator.services.cloudformation.store import Stacks

STEP_SECONDS: Final = (0.3, 1.4)
"""Lab time that each step of a resource takes, at least and at most: no two take quite the same on AWS either."""

INITIATED: Final = "Resource creation Initiated"
REPLACING: Final = "Requested update requires the creation of a new physical resource; hence creating one."
SETTLED: Final = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})
GONE: Final = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})

_HANDLER_CODES: Final = (
    ("AlreadyExists", ("AlreadyExist", "AlreadyOwned", "ResourceConflict", "NameExists", "Duplicate")),
    ("AccessDenied", ("AccessDenied", "UnauthorizedOperation", "NotAuthorized")),
    ("Throttling", ("Throttl", "TooManyRequests", "RequestLimitExceeded")),
    ("ServiceLimitExceeded", ("LimitExceeded", "MaxNumber", "QuotaExceeded")),
    ("NotFound", ("NotFound", "NoSuch", "NonExistent")),
    ("InvalidRequest", ("Invalid", "Validation", "BadRequest", "Malformed", "MissingParameter")),
)


class ResourceFailedError(Exception):
    """A resource could not be handled; the event that says why is recorded already."""

    def __init__(self, logical_id: str) -> None:
        super().__init__(logical_id)
        self.logical_id = logical_id


def handler_code(error: AwsError) -> str:
    """Return the registry's HandlerErrorCode for a service's error."""
    if "already exists" in error.message:  # GuardDuty says so under BadRequestException (docs/aws-facts.md, part 3)
        return "AlreadyExists"
    for name, parts in _HANDLER_CODES:
        if any(part in error.code for part in parts):
            return name
    return "GeneralServiceException"


def failure(error: AwsError | HandlerError, service: str, request_id: str, token: str) -> str:
    """Return the reason of a failed resource in AWS's words (docs/aws-facts.md, part 3)."""
    if isinstance(error, HandlerError):
        if error.code is None:
            return error.message
        message, code = error.message, error.code
    else:
        code = handler_code(error)
        message = f"{error.message} (Service: {service}, Status Code: {error.status or 400}, Request ID: {request_id})"
    return f'Resource handler returned message: "{message}" (RequestToken: {token}, HandlerErrorCode: {code})'


def names(logical_ids: Collection[str]) -> str:
    """Return logical ids as a stack's reason lists them."""
    return f"[{', '.join(logical_ids)}]"


@dataclass(slots=True, kw_only=True)
class Engine:
    """A process over one stack. `principal` is None for the caller of the stack operation."""

    service: Stacks
    ctx: Context
    stack: Stack
    principal: Principal | None = None

    def assume(self, role_arn: str | None) -> None:
        """Act as the service role's session from here on, where there is one. Raises AwsError when it is refused."""
        if role_arn is None:
            return
        issued = self.ctx.call(
            "sts",
            "AssumeRole",
            principal=Principal.service(INVOKER, self.ctx.account_id),
            RoleArn=role_arn,
            RoleSessionName="AWSCloudFormation",
        )
        path, _, name = role_arn.split(":role", 1)[1].rpartition("/")
        self.principal = Principal.session(
            account_id=self.ctx.account_id,
            role_name=name,
            role_id=issued["AssumedRoleUser"]["AssumedRoleId"].split(":")[0],
            session_name="AWSCloudFormation",
            access_key_id=issued["Credentials"]["AccessKeyId"],
            created=self.ctx.now,
            path=f"{path}/",
        )

    def pause(self) -> None:
        """Let a step's time pass."""
        self.ctx.wait(self.ctx.ids.uniform(*STEP_SECONDS))

    def tell_stack(self, status: str, reason: str | None = None, **more: Any) -> None:
        """Record the stack's new status with its event; `more` are the further members that `apply_stack` knows."""
        data = {"stack": self.stack.id, "status": status, "reason": reason, "at": milliseconds(self.ctx.now)}
        self.ctx.record(self.service.name, "stack", {**data, "event_id": self.ctx.ids.uuid4(), **more})

    def tell(
        self,
        resource: Resource,
        status: str,
        reason: str | None = None,
        *,
        physical_id: str | None = None,
        shown: Mapping[str, Any] | None = None,
        changes: Mapping[str, Any] | None = None,
        remove: bool = False,
        event_only: bool = False,
    ) -> None:
        """Record a resource's new status with its event. `changes` are fields to set, `shown` the event's properties.

        `event_only` leaves the resource as it is: the event is of a predecessor that is being cleaned up.
        """
        data: dict[str, Any] = {
            "stack": self.stack.id,
            "logical": resource.logical_id,
            "type": resource.type,
            "physical": physical_id or resource.physical_id,
            "status": status,
            "reason": reason,
            "at": milliseconds(self.ctx.now),
            "event_id": self.ctx.ids.uuid4(),
        }
        if shown is not None:
            hidden = secrets(self.stack.desired) | (secrets(self.stack.pending) if self.stack.pending else set())
            data["shown"] = event_properties(shown, hidden)
        if changes:
            data["changes"] = dict(changes)
        if remove:
            data["remove"] = True
        if event_only:
            data["event_only"] = True
        self.ctx.record(self.service.name, "resource", data)

    def work(self, resource: Resource, desired: Desired, on_made: Callable[[str], None] = lambda _: None) -> Work:
        """Return what the handler of `resource` is given."""
        return Work(
            ctx=self.ctx,
            principal=self.principal,
            stack_id=self.stack.id,
            stack_name=self.stack.name,
            stack_tags=desired.tags,
            logical_id=resource.logical_id,
            types=frozenset(spec.type for spec in desired.template.resources.values()),
            token=self.ctx.ids.uuid4(),
            capabilities=desired.capabilities,
            on_made=on_made,
        )

    def evaluator(self, desired: Desired) -> Evaluator:
        """Return the evaluator over the stack's resources as they are now."""
        return evaluator(self.ctx, self.stack, desired, Live(self.service, self.ctx, self.stack))

    def properties(self, spec: ResourceSpec, desired: Desired) -> dict[str, Any]:
        """Return a resource's worked-out properties. Raises AwsError and HandlerError."""
        value = self.evaluator(desired).value(dict(spec.properties))
        if not isinstance(value, dict):
            raise HandlerError(
                f"Properties validation failed for resource {spec.logical_id} with message:\n#: expected type: JSONObject"
            )
        return value

    def fail(
        self,
        resource: Resource,
        status: str,
        error: AwsError | HandlerError,
        work: Work,
        shown: Mapping[str, Any],
        **changes: Any,
    ) -> ResourceFailedError:
        """Record that a resource failed and return the exception that says so."""
        reason = failure(error, service_of(resource.type), self.ctx.ids.uuid4(), work.token)
        self.tell(resource, status, reason, shown=shown, changes=changes)
        return ResourceFailedError(resource.logical_id)

    # ------------------------------------------------------------------ create

    def create(self) -> None:
        """Make the stack's resources, or roll back what was made."""
        desired = self.stack.desired
        try:
            self.assume(desired.role_arn)
            needs = dependencies(desired.template, self.evaluator(desired))
            for name in graph.order(needs):
                self._check_timeout()
                self.make(desired.template.resources[name], desired, needs[name])
            settled = self.settled(desired, needs)
        except ResourceFailedError as failed:
            self._create_failed(f"The following resource(s) failed to create: [{failed.logical_id}]. ")
        except AwsError as error:
            self._create_failed(f"{error.message} ")
        else:
            self.tell_stack("CREATE_COMPLETE", settle=True, **settled)

    def _check_timeout(self) -> None:
        minutes = self.stack.timeout_minutes
        if minutes is not None and self.ctx.now - self.stack.created > timedelta(minutes=minutes):
            raise invalid("Stack creation time exceeded the specified timeout.")

    def _create_failed(self, reason: str) -> None:
        on_failure = self.stack.on_failure
        if on_failure == "DO_NOTHING":
            self.tell_stack("CREATE_FAILED", reason)
            return
        deleting = on_failure == "DELETE"
        asked = "Delete requested by user." if deleting else "Rollback requested by user."
        self.tell_stack("DELETE_IN_PROGRESS" if deleting else "ROLLBACK_IN_PROGRESS", reason + asked)
        self.roll_back_create("DELETE" if deleting else "ROLLBACK")

    def roll_back_create(self, ending: str = "ROLLBACK") -> None:
        """Delete what a failed creation made; `ending` is the verb of the stack's last status."""
        if self.principal is None and self.stack.resources:
            try:
                self.assume(self.stack.desired.role_arn)
            except AwsError as refused:
                self.tell_stack(f"{ending}_FAILED", refused.message)
                return
        failed = self.delete_resources(on_create=True)
        if failed:
            self.tell_stack(f"{ending}_FAILED", f"The following resource(s) failed to delete: {names(failed)}. ")
        else:
            self.tell_stack(f"{ending}_COMPLETE", settle=True)

    def settled(self, desired: Desired, needs: Mapping[str, list[str]]) -> dict[str, Any]:
        """Return what the record of a finished create or update holds: outputs and imports, and of the resources their
        dependencies, metadata and policies.

        Raises AwsError for an output without value or an export whose name is taken.
        """
        lookups = Live(self.service, self.ctx, self.stack)
        ev = evaluator(self.ctx, self.stack, desired, lookups)
        for name in needs:
            ev.value(dict(desired.template.resources[name].properties))
        declared = {name: desired.template.resources[name].metadata for name in needs}
        metadata = ev.value({name: value for name, value in declared.items() if value is not None})
        listed = outputs(ev)
        self.service.check_exports(self.ctx, self.stack, listed)
        imports = sorted(set(lookups.imports))
        kept = {name: list(policies(desired.template.resources[name], ev)) for name in needs}
        return {"outputs": listed, "imports": imports, "needs": dict(needs), "metadata": metadata, "policies": kept}

    def make(
        self,
        spec: ResourceSpec,
        desired: Desired,
        needs: list[str],
        *,
        replaced: Resource | None = None,
        fresh: bool = False,
    ) -> None:
        """Create what `spec` declares: a new resource, or the successor of `replaced`.

        Raises ResourceFailedError; what was made by then is in the resource's physical id.
        """
        verb = "CREATE" if replaced is None else "UPDATE"
        resource = replaced or Resource(logical_id=spec.logical_id, type=spec.type)
        handler = HANDLERS[spec.type]
        props: dict[str, Any] = {}

        def made(physical_id: str) -> None:
            self.pause()
            changes = {"physical_id": physical_id}
            self.tell(resource, f"{verb}_IN_PROGRESS", INITIATED, physical_id=physical_id, shown=props, changes=changes)

        work = self.work(resource, desired, made)
        try:
            props = self.properties(spec, desired)
            changes = self._declared(spec, desired, needs, props) | {"fresh": fresh}
            if replaced is not None:
                changes |= {"before": replaced.before or snapshot(replaced), "physical_id": None}
            self.tell(resource, f"{verb}_IN_PROGRESS", REPLACING if replaced else None, shown=props, changes=changes)
            resource = self.stack.resources[spec.logical_id]
            handler.check(spec.logical_id, props)
            physical_id = sound(lambda: handler.create(work, props))
            self.pause()
            attributes = sound(lambda: handler.attributes(work, physical_id, props))
        except (AwsError, HandlerError) as error:
            raise self.fail(resource, f"{verb}_FAILED", error, work, props, fresh=fresh) from error
        done = {"physical_id": physical_id, "attributes": attributes}
        self.tell(resource, f"{verb}_COMPLETE", physical_id=physical_id, shown=props, changes=done)

    def _declared(
        self, spec: ResourceSpec, desired: Desired, needs: list[str], props: Mapping[str, Any]
    ) -> dict[str, Any]:
        on_deletion, on_replacement = policies(spec, self.evaluator(desired))
        return {
            "properties": dict(props),
            "depends_on": needs,
            "deletion_policy": on_deletion,
            "update_replace_policy": on_replacement,
        }

    # ------------------------------------------------------------------ update

    def update(self) -> None:
        """Bring the stack to what is pending, or back to what it was."""
        desired = self.stack.pending
        assert desired is not None
        try:
            self.assume(desired.role_arn)
            needs = dependencies(desired.template, self.evaluator(desired))
            for name, resource in self.stack.resources.items():
                if name not in needs:
                    self._check_policy("Update:Delete", resource)
            for name in graph.order(needs):
                self._bring(desired.template.resources[name], desired, needs[name])
            settled = self.settled(desired, needs)
        except ResourceFailedError as failed:
            verb = "create" if self.stack.resources[failed.logical_id].fresh else "update"
            self._update_failed(desired, f"The following resource(s) failed to {verb}: [{failed.logical_id}]. ")
        except (AwsError, HandlerError) as error:
            self._update_failed(desired, f"{error.message} ")
        else:
            self.tell_stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", **settled)
            self._clean_up(desired, needs)
            self.tell_stack("UPDATE_COMPLETE", settle=True, adopt=True)

    def _check_policy(self, action: str, resource: Resource) -> None:
        policy = self.stack.policy_during_update or self.stack.policy
        sound(lambda: protection.check(policy, action, resource))

    def _bring(self, spec: ResourceSpec, desired: Desired, needs: list[str]) -> None:
        resource = self.stack.resources.get(spec.logical_id)
        if resource is None:
            self.make(spec, desired, needs, fresh=True)
            return
        handler = HANDLERS[spec.type]
        work = self.work(resource, desired)
        props: dict[str, Any] = {}
        try:
            props = self.properties(spec, desired)
            retagged = desired.tags != self.stack.desired.tags and "Tags" in handler.schema.properties
            if not changed(resource.properties, props) and not retagged and resource.status in SETTLED:
                return
            replacing = resource.physical_id is None or handler.replaces(resource.properties, props)
            self._check_policy("Update:Replace" if replacing else "Update:Modify", resource)
            if replacing:
                self._check_custom_name(handler, resource, props)
        except (AwsError, HandlerError) as error:
            before = resource.before or snapshot(resource)
            raise self.fail(resource, "UPDATE_FAILED", error, work, props, before=before) from error
        if replacing:
            self.make(spec, desired, needs, replaced=resource)
        else:
            self._change(handler, resource, self._declared(spec, desired, needs, props), work)

    def _check_custom_name(self, handler: Handler, resource: Resource, props: Mapping[str, Any]) -> None:
        name = handler.custom_name
        if name is not None and name in props and props[name] == resource.properties.get(name):
            raise HandlerError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{props[name]} and update the stack again.",
                "AlreadyExists",
            )

    def _change(self, handler: Handler, resource: Resource, declared: dict[str, Any], work: Work) -> None:
        """Update a resource in place. Raises ResourceFailedError."""
        old, props, physical_id = resource.properties, declared["properties"], str(resource.physical_id)
        changes = {**declared, "before": resource.before or snapshot(resource)}
        self.tell(resource, "UPDATE_IN_PROGRESS", shown=props, changes=changes)
        try:
            handler.check(resource.logical_id, props)
            sound(lambda: handler.update(work, physical_id, old, props))
            self.pause()
            attributes = sound(lambda: handler.attributes(work, physical_id, props))
        except (AwsError, HandlerError) as error:
            raise self.fail(resource, "UPDATE_FAILED", error, work, props) from error
        # What only the creating call told, such as a key's secret, is not read again.
        kept = {**resource.attributes, **attributes}
        self.tell(resource, "UPDATE_COMPLETE", shown=props, changes={"attributes": kept})

    def _clean_up(self, desired: Desired, keep: Collection[str]) -> None:
        """Delete predecessors of replaced resources and what is not declared any more; failures leave events only."""
        for resource in self._reversed():
            before = resource.before
            if resource.logical_id not in keep:
                self._remove(resource, desired)
            elif before and before["physical_id"] and before["physical_id"] != resource.physical_id:
                self._remove_predecessor(resource, before, desired)

    def _remove(self, resource: Resource, desired: Desired) -> None:
        if resource.physical_id is None:
            self.tell(resource, "DELETE_COMPLETE", remove=True)
        elif self._retained(resource.deletion_policy, on_create=resource.fresh):
            self.tell(resource, "DELETE_SKIPPED", remove=True)
        else:
            self._delete_one(resource, desired, remove=True)

    def _remove_predecessor(self, resource: Resource, before: Mapping[str, Any], desired: Desired) -> None:
        physical_id = before["physical_id"]
        if not resource.undone and before["update_replace_policy"] == "Retain":
            self.tell(resource, "DELETE_SKIPPED", physical_id=physical_id, event_only=True)
            return
        self.tell(resource, "DELETE_IN_PROGRESS", physical_id=physical_id, event_only=True)
        work = self.work(resource, desired)
        try:
            sound(lambda: HANDLERS[before["type"]].delete(work, physical_id, before["properties"]))
        except (AwsError, HandlerError) as error:
            if not (isinstance(error, AwsError) and gone(error)):
                reason = failure(error, service_of(resource.type), self.ctx.ids.uuid4(), work.token)
                self.tell(resource, "DELETE_FAILED", reason, physical_id=physical_id, event_only=True)
                return
        self.pause()
        self.tell(resource, "DELETE_COMPLETE", physical_id=physical_id, event_only=True)

    def _update_failed(self, desired: Desired, reason: str) -> None:
        if desired.disable_rollback:
            self.tell_stack("UPDATE_FAILED", reason)
            return
        self.tell_stack("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        self.roll_back()

    def roll_back(self, skip: Collection[str] = ()) -> None:
        """Undo what the failed update did, resources in `skip` excepted, and settle the stack as it was."""
        desired = self.stack.desired
        try:
            if self.principal is None:
                self.assume(desired.role_arn)
            for resource in self._reversed():
                if resource.before is not None and not resource.undone:
                    self._undo(resource, desired, skipped=resource.logical_id in skip)
        except AwsError as refused:
            self.tell_stack("UPDATE_ROLLBACK_FAILED", refused.message)
            return
        except ResourceFailedError as failed:
            reason = f"The following resource(s) failed to update: [{failed.logical_id}]. "
            self.tell_stack("UPDATE_ROLLBACK_FAILED", reason)
            return
        self.tell_stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up(desired, [name for name, resource in self.stack.resources.items() if not resource.fresh])
        self.tell_stack("UPDATE_ROLLBACK_COMPLETE", settle=True)

    def _undo(self, resource: Resource, desired: Desired, *, skipped: bool) -> None:
        before = resource.before
        assert before is not None
        restored = {**before, "before": snapshot(resource), "undone": True}
        work = self.work(resource, desired)
        if before["physical_id"] == resource.physical_id and not skipped:
            shown = before["properties"]
            self.tell(resource, "UPDATE_IN_PROGRESS", shown=shown)
            try:
                if resource.properties != shown:
                    handler, physical_id = HANDLERS[resource.type], str(resource.physical_id)
                    sound(lambda: handler.update(work, physical_id, resource.properties, shown))
                self.pause()
            except (AwsError, HandlerError) as error:
                raise self.fail(resource, "UPDATE_FAILED", error, work, shown) from error
        self.tell(
            resource, "UPDATE_COMPLETE", physical_id=before["physical_id"], shown=before["properties"], changes=restored
        )

    # ------------------------------------------------------------------ delete

    def delete(self, retain: Collection[str] = (), *, force: bool = False) -> None:
        """Delete the stack's resources, those in `retain` excepted; with `force` leave what cannot be deleted."""
        users = self.service.importers(self.ctx, self.stack)
        if users:
            export, user = users[0]
            self.tell_stack(
                "DELETE_FAILED", f"Delete canceled. Cannot delete export {export} as it is in use by {user}."
            )
            return
        try:
            self.assume(self.stack.desired.role_arn)
        except AwsError as error:
            self.tell_stack("DELETE_FAILED", error.message)
            return
        failed = self.delete_resources(retain=retain, force=force)
        if failed:
            self.tell_stack("DELETE_FAILED", f"The following resource(s) failed to delete: {names(failed)}. ")
        else:
            self.tell_stack("DELETE_COMPLETE", settle=True)

    def delete_resources(
        self, *, retain: Collection[str] = (), on_create: bool = False, force: bool = False
    ) -> list[str]:
        """Delete all resources in reverse order and return those that failed; what these depend on is left alone."""
        failed: list[str] = []
        blocked: set[str] = set()
        for resource in self._reversed():
            if resource.status in GONE:
                continue
            if resource.logical_id in blocked:
                blocked.update(resource.depends_on)
            elif resource.physical_id is None:
                self.tell(resource, "DELETE_COMPLETE")
            elif resource.logical_id in retain or self._retained(resource.deletion_policy, on_create=on_create):
                self.tell(resource, "DELETE_SKIPPED", shown=resource.properties)
            elif not self._delete_one(resource, self.stack.desired):
                if force:
                    self.tell(resource, "DELETE_SKIPPED")
                else:
                    failed.append(resource.logical_id)
                    blocked.update(resource.depends_on)
        return failed

    def _delete_one(self, resource: Resource, desired: Desired, *, remove: bool = False) -> bool:
        """Delete a resource and return whether it is gone."""
        self.tell(resource, "DELETE_IN_PROGRESS", shown=resource.properties)
        work = self.work(resource, desired)
        try:
            handler, physical_id = HANDLERS[resource.type], str(resource.physical_id)
            sound(lambda: handler.delete(work, physical_id, resource.properties))
        except (AwsError, HandlerError) as error:
            if not (isinstance(error, AwsError) and gone(error)):
                self.fail(resource, "DELETE_FAILED", error, work, resource.properties)
                if remove:
                    self.tell(resource, "DELETE_FAILED", resource.reason, remove=True)
                return False
        self.pause()
        self.tell(resource, "DELETE_COMPLETE", shown=resource.properties, remove=remove)
        return True

    @staticmethod
    def _retained(policy: str, *, on_create: bool) -> bool:
        return policy == "Retain" or (policy == "RetainExceptOnCreate" and not on_create)

    def _reversed(self) -> list[Resource]:
        """Return the stack's resources so that each comes before what it depends on."""
        resources = self.stack.resources
        try:
            ordered = graph.order({name: resource.depends_on for name, resource in resources.items()})
        except AwsError:
            # Half-way through an update old and new dependencies can form a circle that neither template has.
            ordered = tuple(resources)
        return [resources[name] for name in reversed(ordered)]
