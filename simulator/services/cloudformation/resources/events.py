"""AWS::Events::* and AWS::Scheduler::*: what runs things."""

from __future__ import annotations

from typing import Any, Final

from simulator.services.cloudformation.resources.base import (
    Handler,
    HandlerError,
    Properties,
    Work,
    as_json,
    pick,
    tag_list,
    tag_map,
)


class Rule(Handler):
    """AWS::Events::Rule; Ref is its name, `bus|name` on a bus of one's own."""

    type = "AWS::Events::Rule"
    custom_name = "Name"

    def create(self, work: Work, props: Properties) -> str:
        """Put the rule, then its targets."""
        name = str(props.get("Name") or work.name())
        bus = _bus_name(props)
        self._put(work, name, props, work.tags(props.get("Tags")) or None)
        physical_id = work.made(name if bus == "default" else f"{bus}|{name}")
        self._target(work, name, {}, props)
        return physical_id

    def _put(self, work: Work, name: str, props: Properties, tags: Any = None) -> None:
        pattern = props.get("EventPattern")
        work.call(
            "events",
            "PutRule",
            Name=name,
            EventPattern=None if pattern is None else as_json(pattern),
            Tags=tags,
            **pick(props, "Description EventBusName RoleArn ScheduleExpression State"),
        )

    def _target(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        where = {"Rule": name, **pick(new or old, "EventBusName")}
        before = {target["Id"]: target for target in old.get("Targets", ())}
        after = {target["Id"]: target for target in new.get("Targets", ())}
        lost = [target for target in before if target not in after]
        if lost:
            _accepted(work.call("events", "RemoveTargets", **where, Ids=lost))
        wanted = [target for key, target in after.items() if before.get(key) != target]
        if wanted:
            _accepted(work.call("events", "PutTargets", **where, Targets=wanted))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the rule anew, put and remove targets."""
        name = physical_id.rpartition("|")[2]
        settings = "Description EventPattern RoleArn ScheduleExpression State"
        if pick(old, settings) != pick(new, settings):
            self._put(work, name, new)
        self._target(work, name, old, new)
        before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
        arn = self.attributes(work, physical_id, new)["Arn"]
        if after and after != before:
            work.call("events", "TagResource", ResourceARN=arn, Tags=tag_list(after))
        lost = [key for key in before if key not in after]
        if lost:
            work.call("events", "UntagResource", ResourceARN=arn, TagKeys=lost)

    def replaces(self, old: Properties, new: Properties) -> list[str]:
        """Return Name and EventBusName where they changed: a rule cannot move."""
        moved = ["EventBusName"] if _bus_name(old) != _bus_name(new) else []
        return super().replaces(old, new) + moved

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Remove the declared targets and delete the rule."""
        name = physical_id.rpartition("|")[2]
        where = pick(props, "EventBusName")
        there = {target["Id"] for target in work.read("events", "ListTargetsByRule", Rule=name, **where)["Targets"]}
        ids = [target["Id"] for target in props.get("Targets", ()) if target["Id"] in there]
        if ids:
            _accepted(work.call("events", "RemoveTargets", Rule=name, Ids=ids, **where))
        work.call("events", "DeleteRule", Name=name, **where)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and RuleName."""
        name = physical_id.rpartition("|")[2]
        return {
            "Arn": work.read("events", "DescribeRule", Name=name, **pick(props, "EventBusName"))["Arn"],
            "RuleName": name,
        }

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return schedule, state, description and the targets' ids and ARNs."""
        name = physical_id.rpartition("|")[2]
        where = pick(props, "EventBusName")
        found = work.read("events", "DescribeRule", Name=name, **where)
        targets = work.read("events", "ListTargetsByRule", Rule=name, **where)["Targets"]
        plain = pick(found, "Name Description RoleArn ScheduleExpression State EventBusName")
        return plain | {"Targets": targets}


def _bus_name(props: Properties) -> str:
    return str(props.get("EventBusName", "default"))


def _accepted(result: dict[str, Any]) -> None:
    """Raise HandlerError where a batch call refused an entry."""
    for entry in result.get("FailedEntries", ()):
        raise HandlerError(f"{entry.get('ErrorMessage')}", "InvalidRequest")


class EventBus(Handler):
    """AWS::Events::EventBus; Ref is its name."""

    type = "AWS::Events::EventBus"
    custom_name = "Name"
    ignored = frozenset({"Policy"})

    def create(self, work: Work, props: Properties) -> str:
        """Create the bus."""
        settings = pick(props, "Name Description EventSourceName KmsKeyIdentifier DeadLetterConfig LogConfig")
        work.call("events", "CreateEventBus", Tags=work.tags(props.get("Tags")) or None, **settings)
        return work.made(str(props["Name"]))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change description, key, dead letters and logs."""
        settings = pick(new, "Description KmsKeyIdentifier DeadLetterConfig LogConfig")
        work.call("events", "UpdateEventBus", Name=physical_id, **settings)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the bus."""
        work.call("events", "DeleteEventBus", Name=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and Name."""
        return {"Arn": work.read("events", "DescribeEventBus", Name=physical_id)["Arn"], "Name": physical_id}


_SCHEDULE: Final = (
    "Description EndDate FlexibleTimeWindow GroupName KmsKeyArn ScheduleExpression ScheduleExpressionTimezone StartDate "
    "State Target"
)


class Schedule(Handler):
    """AWS::Scheduler::Schedule; Ref is its name."""

    type = "AWS::Scheduler::Schedule"
    custom_name = "Name"

    def create(self, work: Work, props: Properties) -> str:
        """Create the schedule."""
        name = props.get("Name") or work.name()
        work.call("scheduler", "CreateSchedule", Name=name, **pick(props, _SCHEDULE))
        return work.made(str(name))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Update the schedule: what is not declared goes back to its default."""
        work.call("scheduler", "UpdateSchedule", Name=physical_id, **pick(new, _SCHEDULE))

    def replaces(self, old: Properties, new: Properties) -> list[str]:
        """Return Name and GroupName where they changed: a schedule cannot move."""
        moved = ["GroupName"] if old.get("GroupName", "default") != new.get("GroupName", "default") else []
        return super().replaces(old, new) + moved

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the schedule."""
        work.call("scheduler", "DeleteSchedule", Name=physical_id, **pick(props, "GroupName"))

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        return {"Arn": work.read("scheduler", "GetSchedule", Name=physical_id, **pick(props, "GroupName"))["Arn"]}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return everything that the template can declare."""
        found = work.read("scheduler", "GetSchedule", Name=physical_id, **pick(props, "GroupName"))
        return pick(found, f"Name {_SCHEDULE}")


class ScheduleGroup(Handler):
    """AWS::Scheduler::ScheduleGroup; Ref is its name."""

    type = "AWS::Scheduler::ScheduleGroup"
    custom_name = "Name"

    def create(self, work: Work, props: Properties) -> str:
        """Create the group."""
        name = props.get("Name") or work.name()
        work.call("scheduler", "CreateScheduleGroup", Name=name, Tags=work.tags(props.get("Tags")) or None)
        return work.made(str(name))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change the tags."""
        arn = self.attributes(work, physical_id, new)["Arn"]
        work.call("scheduler", "TagResource", ResourceArn=arn, Tags=work.tags(new.get("Tags")))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the group with its schedules."""
        work.call("scheduler", "DeleteScheduleGroup", Name=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn and State."""
        return pick(work.read("scheduler", "GetScheduleGroup", Name=physical_id), "Arn State")
