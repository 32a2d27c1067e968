"""The operations of EventBridge, its ticks, and what it delivers."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from simulator import schedule
from simulator.clock import milliseconds, moment
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context, Service, Upcoming
from simulator.services.events import shaping, targets
from simulator.services.events.model import API_CALL, Bus, Rule
from simulator.services.events.paging import page
from simulator.services.events.pattern import compile_pattern, parse_object, undotted

if TYPE_CHECKING:
    from simulator.world import Lab

PRINCIPAL = "events.amazonaws.com"
MAX_TARGETS = 5
MAX_RULES = 300
MAX_TAGS = 50
MAX_REQUEST_BYTES = 262_144
MAX_FORESEEN = 50_000
"""Runs of one rule that a look-ahead names; of more it names the first half and an even choice of the rest."""

EVENT_FIELDS = ("id", "account", "source", "time", "region", "detail-type")
"""What TestEventPattern asks of an event; its page names `resources` too, and AWS does without."""

ROLE_NEEDED = ("kinesis", "states", "ecs", "batch", "codebuild", "codepipeline", "ssm", "firehose", "sagemaker")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """One target of one rule that wants an event."""

    rule: Rule
    target: Mapping[str, Any]
    event: dict[str, Any]


class Events(Service):
    """EventBridge of one lab, a set of buses a Region."""

    name = "events"

    def __init__(self, lab: "Lab") -> None:
        super().__init__(lab)
        self._buses: dict[str, dict[str, Bus]] = {}

    # Event buses

    def create_event_bus(
        self, ctx: Context, *, Name: str, Tags: Sequence[Mapping[str, str]] = (), **settings: Any
    ) -> dict[str, Any]:
        """Create a bus. Source: EventBridge API, CreateEventBus."""
        if "/" in Name or "EventSourceName" in settings:
            raise AwsError(
                "ResourceNotFoundException", f"Event source {settings.get('EventSourceName', Name)} does not exist."
            )
        buses = self._region(ctx.region)
        if Name in buses:
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {Name} already exists.")
        if len(buses) > 100:
            _limit_exceeded()
        bus = Bus(
            name=Name,
            arn=self._arn(ctx.region, f"event-bus/{Name}"),
            created=ctx.now,
            modified=ctx.now,
            settings=settings,
        )
        bus.tags.update(_tags(Tags))
        buses[Name] = bus
        return {"EventBusArn": bus.arn, **settings}

    def update_event_bus(self, ctx: Context, *, Name: str = "default", **settings: Any) -> dict[str, Any]:
        """Change what is given of a bus. Source: EventBridge API, UpdateEventBus."""
        bus = self._bus(ctx.region, Name)
        bus.settings = {**bus.settings, **settings}
        bus.modified = ctx.now
        return {"Arn": bus.arn, "Name": bus.name, **bus.settings}

    def describe_event_bus(self, ctx: Context, *, Name: str = "default") -> dict[str, Any]:
        """Return a bus with its policy."""
        return self._bus(ctx.region, Name).describe()

    def list_event_buses(
        self, ctx: Context, *, NamePrefix: str = "", NextToken: str | None = None, Limit: int = 100
    ) -> dict[str, Any]:
        """Return the buses by name."""
        found = [bus for name, bus in sorted(self._region(ctx.region).items()) if name.startswith(NamePrefix)]
        told, token = page(found, lambda bus: bus.name, NextToken, Limit)
        return _with_token({"EventBuses": [bus.summary() for bus in told]}, token)

    def delete_event_bus(self, ctx: Context, *, Name: str) -> None:
        """Delete a bus that has no rules. One that is not there is no error (EventBridge API reference, DeleteEventBus)."""
        if Name == "default":
            raise AwsError("ValidationException", "Cannot delete event bus default.")
        bus = self._find_bus(ctx.region, Name)
        if bus is None:
            return
        if bus.rules:
            raise AwsError("ValidationException", f"Event bus {Name} can't be deleted since it has rules.")
        del self._region(ctx.region)[bus.name]

    def put_permission(
        self,
        ctx: Context,
        *,
        EventBusName: str = "default",
        Action: str | None = None,
        Principal: str | None = None,
        StatementId: str | None = None,
        Condition: Mapping[str, str] | None = None,
        Policy: str | None = None,
    ) -> None:
        """Add a statement to a bus's policy, or replace the policy. Source: EventBridge API, PutPermission."""
        bus = self._bus(ctx.region, EventBusName)
        if Policy is not None:
            bus.statements = _statements(Policy)
            return
        if Action is None or Principal is None or StatementId is None:
            raise AwsError("ValidationException", "Parameter(s) Action, Principal, StatementId must be specified.")
        if Action != "events:PutEvents":
            raise AwsError("ValidationException", "Provided value in parameter 'action' is not supported.")
        statement: dict[str, Any] = {
            "Sid": StatementId,
            "Effect": "Allow",
            "Principal": "*" if Principal == "*" else {"AWS": f"arn:aws:iam::{Principal}:root"},
            "Action": Action,
            "Resource": bus.arn,
        }
        if Condition:
            statement["Condition"] = {Condition["Type"]: {Condition["Key"]: Condition["Value"]}}
        bus.statements = [*(kept for kept in bus.statements if kept.get("Sid") != StatementId), statement]
        bus.modified = ctx.now if bus.name != "default" else bus.modified

    def remove_permission(
        self,
        ctx: Context,
        *,
        EventBusName: str = "default",
        StatementId: str | None = None,
        RemoveAllPermissions: bool = False,
    ) -> None:
        """Remove a statement, or all, from a bus's policy."""
        bus = self._bus(ctx.region, EventBusName)
        if RemoveAllPermissions:
            bus.statements = []
            return
        kept = [statement for statement in bus.statements if statement.get("Sid") != StatementId]
        if len(kept) == len(bus.statements):
            raise AwsError("ResourceNotFoundException", "Statement with the provided id does not exist.")
        bus.statements = kept

    # Rules

    def put_rule(
        self,
        ctx: Context,
        *,
        Name: str,
        ScheduleExpression: str | None = None,
        EventPattern: str | None = None,
        State: str = "ENABLED",
        Description: str | None = None,
        RoleArn: str | None = None,
        Tags: Sequence[Mapping[str, str]] = (),
        EventBusName: str = "default",
    ) -> dict[str, Any]:
        """Create a rule or replace what is set of an existing one; its targets and tags stay.

        The schedule of an enabled rule begins anew when the expression changed or the rule was disabled, and keeps
        its phase otherwise. Source: EventBridge API, PutRule; docs/aws-facts.md, part 7.
        """
        bus = self._bus(ctx.region, EventBusName)
        _check_rule(bus, ScheduleExpression or None, EventPattern or None)
        old = bus.rules.get(Name)
        if old is None and len(bus.rules) >= MAX_RULES:
            _limit_exceeded()
        path = Name if bus.name == "default" else f"{bus.name}/{Name}"
        rule = Rule(
            name=Name,
            arn=self._arn(ctx.region, f"rule/{path}"),
            bus_name=bus.name,
            state=State,
            expression=ScheduleExpression or None,
            pattern_text=EventPattern or None,
            description=Description,
            role_arn=RoleArn,
            targets=old.targets if old else {},
            tags=old.tags if old else _tags(Tags),
        )
        if old and old.enabled and rule.enabled and old.expression == rule.expression:
            rule.anchor, rule.due = old.anchor, old.due
        else:
            rule.start(ctx.now, ctx.ids)
        bus.rules[Name] = rule
        return {"RuleArn": rule.arn}

    def describe_rule(self, ctx: Context, *, Name: str, EventBusName: str = "default") -> dict[str, Any]:
        """Return a rule."""
        return {**self._rule(ctx.region, Name, EventBusName).describe(), "CreatedBy": ctx.account_id}

    def list_rules(
        self,
        ctx: Context,
        *,
        NamePrefix: str = "",
        EventBusName: str = "default",
        NextToken: str | None = None,
        Limit: int = 100,
    ) -> dict[str, Any]:
        """Return the rules of a bus by name."""
        rules = self._bus(ctx.region, EventBusName).rules
        found = [rule for name, rule in sorted(rules.items()) if name.startswith(NamePrefix)]
        told, token = page(found, lambda rule: rule.name, NextToken, Limit)
        return _with_token({"Rules": [rule.describe() for rule in told]}, token)

    def list_rule_names_by_target(
        self,
        ctx: Context,
        *,
        TargetArn: str,
        EventBusName: str = "default",
        NextToken: str | None = None,
        Limit: int = 100,
    ) -> dict[str, Any]:
        """Return the names of the rules of a bus that hand events to a target."""
        rules = self._bus(ctx.region, EventBusName).rules
        found = [
            name
            for name, rule in sorted(rules.items())
            if any(target["Arn"] == TargetArn for target in rule.targets.values())
        ]
        told, token = page(found, str, NextToken, Limit)
        return _with_token({"RuleNames": told}, token)

    def enable_rule(self, ctx: Context, *, Name: str, EventBusName: str = "default") -> None:
        """Enable a rule; the schedule of one that was disabled begins anew."""
        rule = self._rule(ctx.region, Name, EventBusName)
        if not rule.enabled:
            rule.state = "ENABLED"
            rule.start(ctx.now, ctx.ids)

    def disable_rule(self, ctx: Context, *, Name: str, EventBusName: str = "default") -> None:
        """Disable a rule."""
        rule = self._rule(ctx.region, Name, EventBusName)
        rule.state = "DISABLED"
        rule.start(ctx.now, ctx.ids)

    def delete_rule(self, ctx: Context, *, Name: str, EventBusName: str = "default", Force: bool = False) -> None:
        """Delete a rule without targets; deleting one that is not there succeeds."""
        bus = self._bus(ctx.region, EventBusName)
        if (rule := bus.rules.get(Name)) is None:
            return
        if rule.targets:
            raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
        del bus.rules[Name]

    # Targets

    def put_targets(
        self, ctx: Context, *, Rule: str, Targets: Sequence[dict[str, Any]], EventBusName: str = "default"
    ) -> dict[str, Any]:
        """Add targets to a rule or replace those of the same Id. Source: EventBridge API, PutTargets."""
        rule = self._rule(ctx.region, Rule, EventBusName)
        for target in Targets:
            _check_target(target)
        merged = rule.targets | {target["Id"]: dict(target) for target in Targets}
        if len(merged) > MAX_TARGETS:
            _limit_exceeded()
        rule.targets = merged
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def remove_targets(
        self, ctx: Context, *, Rule: str, Ids: Sequence[str], EventBusName: str = "default", Force: bool = False
    ) -> dict[str, Any]:
        """Remove targets from a rule; the ids that are not there come back as failed entries."""
        rule = self._rule(ctx.region, Rule, EventBusName)
        failed = [
            {
                "TargetId": target_id,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": f"Rule {Rule} does not have a target with the Id {target_id}.",
            }
            for target_id in Ids
            if target_id not in rule.targets
        ]
        rule.targets = {name: target for name, target in rule.targets.items() if name not in set(Ids)}
        return {"FailedEntryCount": len(failed), "FailedEntries": failed}

    def list_targets_by_rule(
        self, ctx: Context, *, Rule: str, EventBusName: str = "default", NextToken: str | None = None, Limit: int = 100
    ) -> dict[str, Any]:
        """Return the targets of a rule by Id."""
        found = sorted(self._rule(ctx.region, Rule, EventBusName).targets.items())
        told, token = page(found, lambda item: item[0], NextToken, Limit)
        return _with_token({"Targets": [target for _, target in told]}, token)

    # Events

    def put_events(
        self, ctx: Context, *, Entries: Sequence[dict[str, Any]], EndpointId: str | None = None
    ) -> dict[str, Any]:
        """Accept events and hand them to the rules that want them. Source: EventBridge API, PutEvents."""
        if EndpointId is not None:
            raise AwsError("ValidationException", f"Endpoint {EndpointId} does not exist.")
        if sum(_entry_bytes(entry) for entry in Entries) > MAX_REQUEST_BYTES:
            raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")
        results: list[dict[str, str]] = []
        accepted: list[tuple[str, dict[str, Any]]] = []
        for entry in Entries:
            if refused := _refusal(entry):
                results.append(refused)
                continue
            event = self._event(
                event_id=ctx.ids.uuid4(),
                region=ctx.region,
                detail_type=entry["DetailType"],
                source=entry["Source"],
                at=entry.get("Time") or ctx.now,
                resources=entry.get("Resources") or [],
                detail=parse_object(entry["Detail"]),
            )
            results.append({"EventId": event["id"]})
            accepted.append((entry.get("EventBusName") or "default", event))
        ctx.after(lambda process: self._receive(process, accepted))
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def test_event_pattern(self, ctx: Context, *, EventPattern: str, Event: str) -> dict[str, Any]:
        """Say whether a pattern wants an event, which must have the mandatory fields of one."""
        pattern = _compiled(EventPattern)
        try:
            event = parse_object(Event)
        except ValueError as error:
            raise AwsError("ValidationException", "Parameter Event is not valid.") from error
        if any(name not in event for name in EVENT_FIELDS):
            _invalid("Parameter Event is not valid.")
        return {"Result": pattern.matches(undotted(event))}

    def put_service_event(
        self, ctx: Context, detail_type: str, source: str, detail: dict[str, Any], resources: list[str], time: datetime
    ) -> None:
        """Hand an event of an AWS service on the default bus to the rules that want it. For processes only."""
        event = self._event(
            event_id=ctx.ids.uuid4(),
            region=ctx.region,
            detail_type=detail_type,
            source=source,
            at=time,
            resources=resources,
            detail=detail,
        )
        self._receive(ctx, [("default", event)])

    def may_want_call(self, region: str, source: str, name: str) -> bool:
        """Return whether a rule of the default bus may want the event of an API call, by CloudTrail's name, whatever its record says."""
        known = {"detail-type": API_CALL, "source": source}
        event = {**known, "detail": {"eventName": name}}
        rules = self._region(region)["default"].rules.values()
        return any(rule.takes(event) and rule.pattern and rule.pattern.may_match(known) for rule in rules)

    # Tags

    def tag_resource(self, ctx: Context, *, ResourceARN: str, Tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Add tags to a rule or bus."""
        tagged = self._tagged(ctx.region, ResourceARN)
        merged = tagged.tags | _tags(Tags)
        if len(merged) > MAX_TAGS:
            _limit_exceeded()
        tagged.tags = merged
        return {}

    def untag_resource(self, ctx: Context, *, ResourceARN: str, TagKeys: Sequence[str]) -> dict[str, Any]:
        """Remove tags from a rule or bus."""
        tagged = self._tagged(ctx.region, ResourceARN)
        tagged.tags = {key: value for key, value in tagged.tags.items() if key not in set(TagKeys)}
        return {}

    def list_tags_for_resource(self, ctx: Context, *, ResourceARN: str) -> dict[str, Any]:
        """Return the tags of a rule or bus."""
        tags = self._tagged(ctx.region, ResourceARN).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    # Ticks

    def next_due(self) -> datetime | None:
        """Return when the next scheduled rule of any Region fires."""
        return min((rule.due for _, rule in self._scheduled() if rule.due), default=None)

    def run_due(self, ctx: Context) -> None:
        """Fire every rule that is due, the earliest first: record the tick, then hand the event to the targets."""
        due = [(rule.due, region, rule) for region, rule in self._scheduled() if rule.due and rule.due <= ctx.now]
        for at, region, rule in sorted(due, key=lambda item: (item[0], item[2].arn)):
            ctx.record("events", "tick", {"rule": rule.name, "region": region, "at": milliseconds(at)})
            event = self._scheduled_event(region, rule, at)
            regional = replace(ctx, region=region)
            for delivery in self._deliveries(region, [rule], event):
                self._deliver(regional, delivery)

    def skip_due(self, ctx: Context) -> None:
        """Leave out the runs of every rule that were due before `ctx.now`: a process."""
        for region, rule in self._scheduled():
            if rule.due and rule.due < ctx.now:
                ctx.record("events", "skip", {"rule": rule.name, "region": region, "to": milliseconds(ctx.now)})

    def apply_skip(self, _ctx: Context, data: Mapping[str, Any]) -> None:
        """Move a rule's schedule on to its first run not before the moment that was recorded."""
        rule = self._region(data["region"])["default"].rules[data["rule"]]
        rule.due = rule.following(moment(data["to"] - 1))

    def apply_tick(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Move a rule's schedule on past the run that was recorded."""
        rule = self._region(data["region"])["default"].rules[data["rule"]]
        rule.due = rule.following(moment(data["at"]))
        self._count(ctx, data, "TriggeredRules", "Invocations")

    def apply_failed(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Count an event that a rule's target did not take."""
        self._count(ctx, data, "FailedInvocations")

    def _count(self, ctx: Context, data: Mapping[str, Any], *metrics: str) -> None:
        """Add to a rule's metrics. Source: EventBridge user guide, Monitoring Amazon EventBridge."""
        rows = [(name, {"RuleName": data["rule"]}, 1.0, "Count") for name in metrics]
        self.lab.moto.put_metrics(replace(ctx, region=data["region"]), "AWS/Events", rows)

    def upcoming(self, until: datetime) -> list[Upcoming]:
        """Return the runs of functions that enabled schedules would cause, oldest first: see the base class."""
        found = [
            foreseen
            for region, rule in self._scheduled()
            for at in spread(rule.due, rule.following, until)
            for foreseen in self._foreseen(region, rule, at)
        ]
        return sorted(found, key=lambda run: (run.at, run.function_arn))

    def foreseen(
        self, region: str, bus_name: str, detail_type: str, source: str, detail: dict[str, Any], at: datetime
    ) -> Iterator[Upcoming]:
        """Yield the runs of functions that an event put on a bus at `at` would cause, were nothing changed."""
        event = self._event(
            event_id=Ids.of(self.lab.seed, bus_name, source, milliseconds(at)).uuid4(),
            region=region,
            detail_type=detail_type,
            source=source,
            at=at,
            resources=[],
            detail=detail,
        )
        for delivery in self._wanted(region, bus_name, event):
            yield from self._foresee(region, delivery, at, f"rule {delivery.rule.name}")

    def told(self, target_arn: str, text: str, at: datetime, source: str) -> Iterator[Upcoming]:
        """Yield the runs of functions that a destination of Lambda's would cause, were it told `text` at `at`."""
        region = target_arn.split(":")[3]
        if targets.service_of(target_arn) == "events":
            told = "Lambda Function Invocation Result", "lambda", json.loads(text)
            yield from self.foreseen(region, target_arn.rpartition("/")[2], *told, at)
            return
        ctx = targets.looking(self.lab, PRINCIPAL, region)
        # the function's own role invokes another function, as Scheduler's does: no policy of that one is asked
        by_role = "scheduler.amazonaws.com"
        for run in targets.foresee(ctx, arn=target_arn, payload=text, source_service=by_role, source_arn=target_arn):
            yield Upcoming(
                at=at,
                function_arn=run.function_arn,
                payload=run.payload,
                source=source,
                allowed=run.allowed,
                why=run.why,
            )

    def _foreseen(self, region: str, rule: Rule, at: datetime) -> Iterator[Upcoming]:
        event = self._scheduled_event(region, rule, at)
        for delivery in self._deliveries(region, [rule], event):
            yield from self._foresee(region, delivery, at, f"rule {rule.name}, {rule.expression}")

    def _foresee(self, region: str, delivery: _Delivery, at: datetime, source: str) -> Iterator[Upcoming]:
        payload = self._payload(delivery, at)
        if shaping.is_spoiled(delivery.target, payload):
            return
        for reached in targets.foresee(
            targets.looking(self.lab, PRINCIPAL, region),
            arn=delivery.target["Arn"],
            payload=payload,
            source_service=PRINCIPAL,
            source_arn=delivery.rule.arn,
        ):
            yield Upcoming(
                at=at,
                function_arn=reached.function_arn,
                payload=reached.payload,
                source=source,
                allowed=reached.allowed,
                why=reached.why,
            )

    def _scheduled(self) -> Iterator[tuple[str, Rule]]:
        """Yield the rules that have a next run, each with its Region; only default buses have schedules."""
        for region, buses in self._buses.items():
            for rule in buses["default"].rules.values():
                if rule.due is not None:
                    yield region, rule

    def _scheduled_event(self, region: str, rule: Rule, at: datetime) -> dict[str, Any]:
        # the id depends on the rule and moment alone, so that a look-ahead foresees the very event
        event_id = Ids.of(self.lab.seed, rule.arn, milliseconds(at)).uuid4()
        return self._event(
            event_id=event_id,
            region=region,
            detail_type="Scheduled Event",
            source="aws.events",
            at=at,
            resources=[rule.arn],
            detail={},
        )

    # Delivery

    def _receive(self, ctx: Context, accepted: Iterable[tuple[str, dict[str, Any]]]) -> None:
        for bus_name, event in accepted:
            for delivery in self._wanted(ctx.region, bus_name, event):
                self._deliver(ctx, delivery)

    def _wanted(self, region: str, bus_name: str, event: dict[str, Any], hops: int = 0) -> Iterator[_Delivery]:
        """Yield the deliveries of an event put on a bus; an event for a bus that is not there is dropped, as on AWS."""
        if (bus := self._find_bus(region, bus_name)) is None:
            return
        told = undotted(event)
        rules = [
            rule
            for _, rule in sorted(bus.rules.items())
            if rule.takes(event) and rule.pattern and rule.pattern.matches(told)
        ]
        yield from self._deliveries(region, rules, event, hops)

    def _deliveries(
        self, region: str, rules: Iterable[Rule], event: dict[str, Any], hops: int = 0
    ) -> Iterator[_Delivery]:
        """Yield what the rules hand on, following targets that are buses of the account once.

        An event does not hop from bus to bus to bus. Source: EventBridge user guide, Sending events between buses.
        """
        for rule in rules:
            for _, target in sorted(rule.targets.items()):
                arn = target["Arn"]
                if targets.service_of(arn) == "events" and ":event-bus/" in arn:
                    if hops == 0:
                        yield from self._wanted(region, arn, event, hops + 1)
                else:
                    yield _Delivery(rule=rule, target=target, event=event)

    def _deliver(self, ctx: Context, delivery: _Delivery) -> None:
        payload = self._payload(delivery, ctx.now)
        principal = Principal.service(PRINCIPAL, ctx.account_id)
        arn, rule_arn = delivery.target["Arn"], delivery.rule.arn
        if shaping.is_spoiled(delivery.target, payload):
            failed: str | None = targets.INVALID_JSON
        else:
            failed = targets.deliver(
                ctx, arn=arn, payload=payload, principal=principal, source_arn=rule_arn, settings=dict(delivery.target)
            )
        if failed is None:
            return
        ctx.record("events", "failed", {"rule": delivery.rule.name, "region": ctx.region})
        if queue_arn := delivery.target.get("DeadLetterConfig", {}).get("Arn"):
            attributes = {"RULE_ARN": rule_arn, "TARGET_ARN": arn, "ERROR_CODE": failed}
            targets.bury(ctx, queue_arn=queue_arn, payload=payload, principal=principal, attributes=attributes)

    def _payload(self, delivery: _Delivery, at: datetime) -> str:
        source = shaping.Source(rule_arn=delivery.rule.arn, rule_name=delivery.rule.name, ingested=at)
        return shaping.payload(delivery.target, delivery.event, source)

    def _event(
        self,
        *,
        event_id: str,
        region: str,
        detail_type: str,
        source: str,
        at: datetime,
        resources: list[str],
        detail: dict[str, Any],
    ) -> dict[str, Any]:
        """Return an event as it is delivered. Source: EventBridge user guide, Event structure."""
        return {
            "version": "0",
            "id": event_id,
            "detail-type": detail_type,
            "source": source,
            "account": self.lab.account_id,
            "time": f"{_in_utc(at):%Y-%m-%dT%H:%M:%SZ}",
            "region": region,
            "resources": resources,
            "detail": detail,
        }

    # Finding things

    def _arn(self, region: str, resource: str) -> str:
        return f"arn:aws:events:{region}:{self.lab.account_id}:{resource}"

    def _region(self, region: str) -> dict[str, Bus]:
        """Return the buses of a Region by name; each has its default bus from the start."""
        if region not in self._buses:
            self._buses[region] = {"default": Bus(name="default", arn=self._arn(region, "event-bus/default"))}
        return self._buses[region]

    def _find_bus(self, region: str, name_or_arn: str) -> Bus | None:
        bus = self._region(region).get(name_or_arn.rsplit("event-bus/", 1)[-1])
        return bus if bus and name_or_arn in (bus.name, bus.arn) else None

    def _bus(self, region: str, name_or_arn: str) -> Bus:
        if (bus := self._find_bus(region, name_or_arn)) is None:
            name = name_or_arn.rsplit("event-bus/", 1)[-1]
            raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return bus

    def _rule(self, region: str, name: str, bus_name: str) -> Rule:
        bus = self._bus(region, bus_name)
        if (rule := bus.rules.get(name)) is None:
            raise AwsError("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus.name}.")
        return rule

    def _tagged(self, region: str, arn: str) -> Rule | Bus:
        for bus in self._region(region).values():
            tagged: list[Rule | Bus] = [bus, *bus.rules.values()]
            for one in tagged:
                if one.arn == arn:
                    return one
        kind, _, path = arn.rsplit(":", 1)[-1].partition("/")
        if kind == "event-bus":
            raise AwsError("ResourceNotFoundException", f"Event bus {path} does not exist.")
        bus_name, _, rule_name = path.rpartition("/")
        raise AwsError(
            "ResourceNotFoundException", f"Rule {rule_name} does not exist on EventBus {bus_name or 'default'}."
        )


def spread(first: datetime | None, following: Callable[[datetime], datetime | None], until: datetime) -> list[datetime]:
    """Return the runs from `first` up to `until`, at least the first, at most MAX_FORESEEN: all of them where they
    are few, the first half and an even choice of the rest where they are many.
    """
    runs: list[datetime] = []
    at = first
    while at is not None and (not runs or at <= until):
        runs.append(at)
        at = following(at)
    if len(runs) <= MAX_FORESEEN:
        return runs
    half = MAX_FORESEEN // 2
    rest = runs[half:]
    return runs[:half] + [rest[at * len(rest) // half] for at in range(half)]


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the first and last day of the calendar, in a zone of a client
        return at


def _limit_exceeded() -> NoReturn:
    raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def _check_rule(bus: Bus, expression: str | None, pattern: str | None) -> None:
    if expression is None and pattern is None:
        raise AwsError("ValidationException", "Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if expression is not None:
        if bus.name != "default":
            raise AwsError("ValidationException", "ScheduleExpression is supported only on the default event bus.")
        try:
            schedule.validate(expression, ("rate", "cron"))
        except ValueError as error:
            raise AwsError("ValidationException", "Parameter ScheduleExpression is not valid.") from error
    if pattern is not None:
        _compiled(pattern)


def _compiled(pattern: str) -> Any:
    try:
        return compile_pattern(pattern)
    except ValueError as error:
        raise AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {error}") from error


def _check_target(target: Mapping[str, Any]) -> None:
    name, service = target["Id"], targets.service_of(target["Arn"])
    if not service:
        _invalid(f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format.")
    if sum(kind in target for kind in ("Input", "InputPath", "InputTransformer")) > 1:
        _invalid(f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}.")
    if service in ROLE_NEEDED and not target.get("RoleArn"):
        _invalid(f"RoleArn is required for target {target['Arn']}.")
    if service == "sqs" and target["Arn"].endswith(".fifo") and not target.get("SqsParameters"):
        _invalid(f"Parameter(s) SqsParameters must be specified for target: {name}.")
    if service == "ecs" and "EcsParameters" not in target:
        _invalid(f"Parameter(s) EcsParameters must be specified for target: {name}.")
    _check_input(name, target)


def _check_input(name: str, target: Mapping[str, Any]) -> None:
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except (ValueError, RecursionError) as error:
            raise AwsError("ValidationException", f"JSON syntax error in input for target {name}") from error
    if "InputPath" in target and not shaping.is_path(target["InputPath"]):
        _invalid(f"Invalid InputPath for target {name}.")
    if transformer := target.get("InputTransformer"):
        if unknown := shaping.unknown_placeholder(transformer):
            _invalid(f"InputTemplate for target {name} contains invalid placeholder {unknown}.")
        if not all(shaping.is_path(path) for path in transformer.get("InputPathsMap", {}).values()):
            _invalid(f"Invalid InputPathsMap for target {name}.")


def _invalid(message: str) -> NoReturn:
    raise AwsError("ValidationException", message)


def _refusal(entry: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the result of an entry that PutEvents does not accept, None for one that it does."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
    if entry["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        parse_object(entry["Detail"])
    except ValueError:
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None


def _entry_bytes(entry: Mapping[str, Any]) -> int:
    """Return the size of an entry. Source: EventBridge user guide, Calculating event entry size."""
    texts = [*(entry.get(name) or "" for name in ("Source", "DetailType", "Detail")), *(entry.get("Resources") or [])]
    return (14 if entry.get("Time") else 0) + sum(len(text.encode("utf-8", "replace")) for text in texts)


def _statements(policy: str) -> list[dict[str, Any]]:
    try:
        document = parse_object(policy)
    except ValueError as error:
        raise AwsError(
            "ValidationException", "Parameter Policy is not valid. Reason: it is not a JSON object."
        ) from error
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    if not statements or not all(isinstance(statement, dict) for statement in statements):
        raise AwsError("ValidationException", "Parameter Policy is not valid. Reason: it has no statements.")
    return statements


def _tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _with_token(answer: dict[str, Any], token: str | None) -> dict[str, Any]:
    return answer | {"NextToken": token} if token else answer
