"""What the service remembers of stacks, and how the API shows it.

Only operations and `apply_*` change these records, so that a replay of the journal rebuilds them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from simulator.clock import moment
from simulator.services.cloudformation.intrinsics import text
from simulator.services.cloudformation.template import Template

STARS: Final = "****"
"""What is told instead of a NoEcho parameter's value."""


@dataclass(slots=True, kw_only=True)
class Resource:
    """A resource of a stack. `properties` are the worked-out ones of its last success; times are milliseconds.

    `before` is what it was when the running update began (None: not touched), `fresh` that this update made it,
    `undone` that the rollback has brought `before` back already and now `before` is what the update had made.
    """

    logical_id: str
    type: str
    status: str = ""
    reason: str | None = None
    at: int = 0
    physical_id: str | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    depends_on: list[str] = field(default_factory=list)
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    metadata: Any = None
    before: dict[str, Any] | None = None
    fresh: bool = False
    undone: bool = False
    drift: str = "NOT_CHECKED"
    drift_at: int | None = None
    drift_detail: dict[str, Any] = field(default_factory=dict)


REMEMBERED = (
    "type",
    "physical_id",
    "properties",
    "attributes",
    "depends_on",
    "deletion_policy",
    "update_replace_policy",
)
"""What an update that fails must be able to bring back."""


def snapshot(resource: Resource) -> dict[str, Any]:
    """Return what `Resource.before` keeps of a resource."""
    return {name: getattr(resource, name) for name in REMEMBERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What a stack should be: a template with its values.

    `parameters` are texts by name as the API shows them, `values` what Ref of each gives.
    """

    template: Template
    parameters: Mapping[str, str]
    values: Mapping[str, Any]
    tags: tuple[Mapping[str, str], ...] = ()
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    notification_arns: tuple[str, ...] = ()
    disable_rollback: bool = False
    rollback_configuration: Mapping[str, Any] = field(default_factory=dict)
    token: str | None = None


@dataclass(slots=True, kw_only=True)
class ChangeSet:
    """A change set. `changes` are in the API's shape."""

    id: str
    name: str
    kind: str
    at: datetime
    desired: Desired
    description: str | None = None
    status: str = "CREATE_COMPLETE"
    reason: str | None = None
    execution: str = "AVAILABLE"
    changes: list[dict[str, Any]] = field(default_factory=list)
    on_failure: str | None = None

    def summary(self, stack: Stack) -> dict[str, Any]:
        """Return the members that ListChangeSets and DescribeChangeSet share."""
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "ChangeSetId": self.id,
            "ChangeSetName": self.name,
            "ExecutionStatus": self.execution,
            "Status": self.status,
            "StatusReason": self.reason,
            "CreationTime": self.at,
            "Description": self.description,
            "IncludeNestedStacks": False,
        }


@dataclass(slots=True, kw_only=True)
class Stack:
    """A stack. `pending` is what a running update aims at, `events` the API's events, oldest first.

    `change_sets` are those that can be executed, by name; the `executed` ones are listed no more, and their names are free.
    """

    id: str
    name: str
    status: str
    created: datetime
    desired: Desired
    reason: str | None = None
    on_failure: str = "ROLLBACK"
    timeout_minutes: int | None = None
    pending: Desired | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    termination_protection: bool = False
    policy: str | None = None
    policy_during_update: str | None = None
    outputs: list[dict[str, Any]] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    executed: list[ChangeSet] = field(default_factory=list)
    change_set_id: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    drift: str = "NOT_CHECKED"
    drift_at: datetime | None = None
    drift_id: str | None = None

    @property
    def region(self) -> str:
        """The Region of the stack, as its id says."""
        return self.id.split(":")[3]

    @property
    def live(self) -> bool:
        """Whether the stack still exists: a deleted one is found by its id only."""
        return self.status != "DELETE_COMPLETE"

    def make_obsolete(self) -> None:
        """Note that the stack is no longer what its change sets were worked out for."""
        for change_set in self.change_sets.values():
            change_set.execution = "OBSOLETE"

    def describe(self) -> dict[str, Any]:
        """Return the stack as DescribeStacks shows it."""
        desired = self.desired
        shown: dict[str, Any] = {
            "StackId": self.id,
            "StackName": self.name,
            "ChangeSetId": self.change_set_id,
            "Description": desired.template.description,
            "Parameters": shown_parameters(desired),
            "CreationTime": self.created,
            "LastUpdatedTime": self.updated,
            "DeletionTime": self.deleted,
            "RollbackConfiguration": dict(desired.rollback_configuration),
            "StackStatus": self.status,
            "StackStatusReason": self.reason,
            "DisableRollback": desired.disable_rollback,
            "NotificationARNs": list(desired.notification_arns),
            "TimeoutInMinutes": self.timeout_minutes,
            "Capabilities": list(desired.capabilities),
            "Outputs": self.outputs,
            "RoleARN": desired.role_arn,
            "Tags": [dict(tag) for tag in desired.tags],
            "EnableTerminationProtection": self.termination_protection if self.live else None,
            "ParentId": self.parent_id,
            "RootId": self.root_id,
            "DriftInformation": self._drift(),
        }
        if self.status == "REVIEW_IN_PROGRESS":  # its template is the change set's still
            of_template = ("Description", "Parameters", "Capabilities", "RoleARN", "TimeoutInMinutes")
            shown |= dict.fromkeys(of_template) | {"Tags": [], "NotificationARNs": []}
        return {key: value for key, value in shown.items() if value is not None and value != []} | {
            "Tags": shown["Tags"],
            "NotificationARNs": shown["NotificationARNs"],
        }

    def summary(self) -> dict[str, Any]:
        """Return the stack as ListStacks shows it."""
        shown = {
            "StackId": self.id,
            "StackName": self.name,
            "TemplateDescription": None if self.status == "REVIEW_IN_PROGRESS" else self.desired.template.description,
            "CreationTime": self.created,
            "LastUpdatedTime": self.updated,
            "DeletionTime": self.deleted,
            "StackStatus": self.status,
            "StackStatusReason": self.reason,
            "ParentId": self.parent_id,
            "RootId": self.root_id,
            "DriftInformation": self._drift(),
        }
        return {key: value for key, value in shown.items() if value is not None}

    def resource(self, resource: Resource, time_name: str) -> dict[str, Any]:
        """Return a resource as the three operations that show resources share it; they name its time differently."""
        drift: dict[str, Any] = {"StackResourceDriftStatus": resource.drift}
        if resource.drift_at is not None:
            drift["LastCheckTimestamp"] = moment(resource.drift_at)
        shown = {
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            time_name: moment(resource.at),
            "ResourceStatus": resource.status,
            "ResourceStatusReason": resource.reason,
            "DriftInformation": drift,
        }
        return {key: value for key, value in shown.items() if value is not None}

    def _drift(self) -> dict[str, Any]:
        checked = {"LastCheckTimestamp": self.drift_at} if self.drift_at else {}
        return {"StackDriftStatus": self.drift, **checked}


def shown_parameters(desired: Desired) -> list[dict[str, str]]:
    """Return parameters as the API shows them: those with NoEcho starred, those of Systems Manager with what they hold."""
    listed = []
    for name, value in desired.parameters.items():
        spec = desired.template.parameters[name]
        shown = {"ParameterKey": name, "ParameterValue": STARS if is_hidden(spec) else value}
        if str(spec["Type"]).startswith("AWS::SSM::Parameter::Value<"):
            held = desired.values[name]
            shown["ResolvedValue"] = ",".join(held) if isinstance(held, list) else str(held)
        listed.append(shown)
    return listed


def is_hidden(spec: Mapping[str, Any]) -> bool:
    """Say whether a declared parameter is NoEcho."""
    return text(spec.get("NoEcho", False)) == "true"


def secrets(desired: Desired) -> set[str]:
    """Return the values of the NoEcho parameters."""
    declared = desired.template.parameters
    return {value for name, value in desired.parameters.items() if value and is_hidden(declared[name])}


def as_texts(value: Any, hidden: Collection[str] = ()) -> Any:
    """Return properties with every scalar as text, as events show them (`"Timeout":"3"`), what is `hidden` starred."""
    if isinstance(value, dict):
        return {key: as_texts(child, hidden) for key, child in value.items()}
    if isinstance(value, list):
        return [as_texts(child, hidden) for child in value]
    told = text(value)
    for secret in hidden:
        told = told.replace(secret, STARS)
    return told


def event_properties(properties: Mapping[str, Any], hidden: Collection[str] = ()) -> str:
    """Return the text of an event's ResourceProperties."""
    return json.dumps(as_texts(dict(properties), sorted(hidden, key=len, reverse=True)), separators=(",", ":"))
