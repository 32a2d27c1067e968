"""What the API tells of stacks, templates and exports, and drift."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from simulator.service import Context
from simulator.services.cloudformation import drift
from simulator.services.cloudformation.checks import capabilities, checked, declared_parameters, text_of
from simulator.services.cloudformation.state import Stack
from simulator.services.cloudformation.store import PAGE, STACK_LIMIT, UPDATABLE, Stacks, given_only, page_of
from simulator.services.cloudformation.template import Template, invalid, parse

EVENTS_PAGE: Final = 100


class Reads(Stacks):
    """The operations that only tell; detecting drift notes what it found."""

    def describe_stacks(
        self, ctx: Context, *, StackName: str | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return one stack, or all that live, newest first."""
        if StackName:
            return {"Stacks": [self.stack(ctx, StackName).describe()]}
        living = [stack.describe() for stack in reversed(self.here(ctx)) if stack.live]
        page, token = page_of(living, NextToken, PAGE)
        return given_only({"Stacks": page, "NextToken": token})

    def list_stacks(
        self, ctx: Context, *, StackStatusFilter: Sequence[str] = (), NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return summaries of all stacks, deleted ones too, newest first."""
        wanted = set(StackStatusFilter)
        found = [stack.summary() for stack in reversed(self.here(ctx)) if not wanted or stack.status in wanted]
        page, token = page_of(found, NextToken, PAGE)
        return given_only({"StackSummaries": page, "NextToken": token})

    def describe_stack_events(
        self, ctx: Context, *, StackName: str | None = None, NextToken: str | None = None
    ) -> dict[str, Any]:
        """Return a stack's events, newest first."""
        if not StackName:
            raise invalid(
                "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null"
            )
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        page, token = page_of(stack.events[::-1], NextToken, EVENTS_PAGE)
        return given_only({"StackEvents": page, "NextToken": token})

    def describe_stack_resource(self, ctx: Context, *, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
        """Return one resource in detail."""
        stack = self.stack(ctx, StackName, "Stack '{}' does not exist")
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
        stack = self.stack(ctx, StackName) if StackName else self._owner(ctx, str(PhysicalResourceId))
        found = [
            {"StackName": stack.name, "StackId": stack.id} | stack.resource(resource, "Timestamp")
            for name, resource in stack.resources.items()
            if LogicalResourceId in {None, name}
        ]
        return {"StackResources": found[:PAGE]}

    def _owner(self, ctx: Context, physical_id: str) -> Stack:
        for stack in self.here(ctx):
            if stack.live and any(resource.physical_id == physical_id for resource in stack.resources.values()):
                return stack
        raise invalid(f"Stack for {physical_id} does not exist")

    def list_stack_resources(self, ctx: Context, *, StackName: str, NextToken: str | None = None) -> dict[str, Any]:
        """Return summaries of a stack's resources."""
        stack = self.stack(ctx, StackName)
        found = [stack.resource(resource, "LastUpdatedTimestamp") for resource in stack.resources.values()]
        page, token = page_of(found, NextToken, PAGE)
        return given_only({"StackResourceSummaries": page, "NextToken": token})

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
            if not StackName and not ChangeSetName.startswith("arn:"):
                raise invalid("StackName is a required parameter.")
            desired = self.find_change_set(ctx, ChangeSetName, StackName)[1].desired
        elif StackName:
            desired = self.stack(ctx, StackName).desired
        else:
            raise invalid("StackName is required if ChangeSetName is not specified.")
        return {"TemplateBody": desired.template.body, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, ctx: Context, *, StackName: str | None = None, **given: Any) -> dict[str, Any]:
        """Return what a template declares: parameters, types, capabilities."""
        if StackName:
            stack = self.stack(ctx, StackName)
            if stack.status == "REVIEW_IN_PROGRESS":
                raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
            template = stack.desired.template
        else:
            template = parse(text_of(ctx, given.get("TemplateBody"), given.get("TemplateURL")))
        types = sorted({spec.type for spec in template.resources.values()})
        return given_only(
            {
                **_summary(template),
                "Parameters": list(declared_parameters(template)),
                "ResourceTypes": types,
                "Version": template.version or "2010-09-09",
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
        return given_only({**_summary(template), "Parameters": shown})

    def list_exports(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return the Region's exports by name."""
        page, token = page_of(self.exports(ctx), NextToken, PAGE)
        return given_only({"Exports": page, "NextToken": token})

    def list_imports(self, ctx: Context, *, ExportName: str, NextToken: str | None = None) -> dict[str, Any]:
        """Return the names of the stacks that import an export."""
        users = sorted(stack.name for stack in self.here(ctx) if stack.live and ExportName in stack.imports)
        if not users:
            raise invalid(f"Export '{ExportName}' is not imported by any stack.")
        page, token = page_of(users, NextToken, PAGE)
        return given_only({"Imports": page, "NextToken": token})

    def describe_account_limits(self, ctx: Context, *, NextToken: str | None = None) -> dict[str, Any]:
        """Return the account's quotas."""
        limits = {"StackLimit": STACK_LIMIT, "StackOutputsLimit": 200, "ConcurrentResourcesLimit": 2500}
        return {"AccountLimits": [{"Name": name, "Value": value} for name, value in limits.items()]}

    def detect_stack_drift(
        self, ctx: Context, *, StackName: str, LogicalResourceIds: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """Compare the stack's resources with what its template declares. Returns the id of the detection."""
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        if stack.status not in UPDATABLE | {"ROLLBACK_COMPLETE"}:
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
        for stack in self.here(ctx):
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
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
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
        stack = self.stack(ctx, StackName, "Stack [{}] does not exist")
        found = [
            drift.shown(stack, resource)
            for resource in stack.resources.values()
            if resource.drift_at is not None
            and resource.drift != "NOT_CHECKED"
            and (not StackResourceDriftStatusFilters or resource.drift in StackResourceDriftStatusFilters)
        ]
        page, token = page_of(found, NextToken, MaxResults)
        return given_only({"StackResourceDrifts": page, "NextToken": token})


def _summary(template: Template) -> dict[str, Any]:
    needed, types = capabilities(template)
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]" if types else None
    return {
        "Description": template.description,
        "Capabilities": needed or None,
        "CapabilitiesReason": reason,
        "DeclaredTransforms": list(template.transforms) or None,
    }
