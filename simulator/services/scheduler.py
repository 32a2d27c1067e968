"""EventBridge Scheduler: schedules in groups, each of which assumes a role of the account to call its target.

As with rules, a recorded `tick` alone moves a schedule on; then the target is called as the role's session, so the
role's policies say what a schedule may do and a function's own policy is not asked.

Faces: the trainee. A schedule reaches only its own account, and only as a role that trusts Scheduler.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from simulator import policy, schedule, wire
from simulator.clock import milliseconds, moment
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context, Service, Upcoming
from simulator.services.events import targets
from simulator.services.events.paging import page
from simulator.services.events.pattern import parse_object
from simulator.services.events.service import spread
from simulator.services.events.shaping import compact
from simulator.services.sts import trust_policy, trusts

if TYPE_CHECKING:
    from simulator.world import Lab

PRINCIPAL = "scheduler.amazonaws.com"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
UNIVERSAL_CALLS = {
    "sqs:sendMessage": ("SendMessage", ("QueueUrl", "MessageBody", "MessageGroupId")),
    "sns:publish": ("Publish", ("TopicArn", "Message", "Subject")),
    "events:putEvents": ("PutEvents", ("Entries",)),
}
"""What a universal target may call here beside Lambda's Invoke, and the parameters that are handed on."""
KINDS = ("rate", "cron", "at")
FIRST_RUN_SECONDS = (1, 59)
"""A rate schedule without StartDate first runs within its minute: Scheduler is exact to 60 seconds."""
PayloadOf = Callable[[datetime], str]
"""The moment of a run to what it hands its target."""
RETRIES = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


@dataclass(slots=True, kw_only=True)
class Schedule:
    """A schedule. `settings` are its parameters as given; `due` is the next moment of its expression, `ran` is when it
    last ran. With a flexible window it runs later than it is due.
    """

    name: str
    group: str
    arn: str
    created: datetime
    modified: datetime
    settings: dict[str, Any]
    token: str | None = None
    anchor: datetime | None = None
    due: datetime | None = None
    ran: datetime | None = None

    @property
    def next_run(self) -> datetime | None:
        """When it runs next. Where a window is longer than the interval, a run waits for the one before."""
        if self.due is None:
            return None
        run = self.runs_at(self.due)
        return max(run, self.ran + timedelta(seconds=1)) if self.ran else run

    @property
    def target(self) -> dict[str, Any]:
        """The target, in the shape of CreateSchedule."""
        told: dict[str, Any] = self.settings["Target"]
        return told

    def start(self, now: datetime, ids: Ids) -> None:
        """Begin anew at `now`: a disabled or finished schedule has no next run."""
        begin = (self.settings.get("StartDate") or now).astimezone(UTC)
        phase = timedelta(0) if "StartDate" in self.settings else timedelta(seconds=ids.randint(*FIRST_RUN_SECONDS))
        self.anchor = begin.replace(microsecond=0) + phase
        self.due = self.following(max(begin, now) - timedelta(milliseconds=1))

    def following(self, after: datetime) -> datetime | None:
        """Return the moment of the expression after `after`, None when there is none before the end."""
        if self.settings.get("State", "ENABLED") == "DISABLED" or self.anchor is None:
            return None
        zone = self.settings.get("ScheduleExpressionTimezone")
        found = schedule.next_after(self.settings["ScheduleExpression"], self.anchor, after, zone)
        end = self.settings.get("EndDate")
        return None if found is None or (end and found > end) else found

    def runs_at(self, at: datetime) -> datetime:
        """Return when the run of moment `at` happens: anywhere in the flexible window, the same each time asked."""
        minutes = self.settings["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0)
        return at + timedelta(seconds=Ids.of(self.arn, milliseconds(at)).randrange(60 * minutes) if minutes else 0)

    def describe(self) -> dict[str, Any]:
        """Return the schedule in the shape of GetSchedule."""
        told = {"ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "ActionAfterCompletion": "NONE"}
        target = {"RetryPolicy": RETRIES} | self.target
        identity = {"Arn": self.arn, "GroupName": self.group, "Name": self.name}
        dates = {"CreationDate": self.created, "LastModificationDate": self.modified}
        return told | self.settings | {"Target": target} | identity | dates

    def summary(self) -> dict[str, Any]:
        """Return the schedule in the shape of ListSchedules."""
        told = self.describe()
        names = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
        return {name: told[name] for name in names} | {"Target": {"Arn": self.target["Arn"]}}


@dataclass(slots=True, kw_only=True)
class Group:
    """A schedule group with its schedules by name."""

    name: str
    arn: str
    created: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return the group in the shape of GetScheduleGroup."""
        told: dict[str, Any] = {"Arn": self.arn, "Name": self.name, "State": "ACTIVE"}
        return told | ({"CreationDate": self.created, "LastModificationDate": self.created} if self.created else {})


class Scheduler(Service):
    """Scheduler of one lab, a set of groups a Region."""

    name = "scheduler"

    def __init__(self, lab: "Lab") -> None:
        super().__init__(lab)
        self._groups: dict[str, dict[str, Group]] = {}

    # Schedules

    def create_schedule(
        self, ctx: Context, *, Name: str, GroupName: str = "default", ClientToken: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """Create a schedule. Source: EventBridge Scheduler API, CreateSchedule."""
        group = self._group(ctx.region, GroupName)
        if (old := group.schedules.get(Name)) is not None:
            if ClientToken is not None and old.token == ClientToken:
                return {"ScheduleArn": old.arn}
            raise AwsError("ConflictException", f"Schedule {Name} already exists.")
        self._check(ctx, GroupName, settings)
        one = Schedule(
            name=Name,
            group=GroupName,
            arn=self._arn(ctx.region, f"schedule/{GroupName}/{Name}"),
            created=ctx.now,
            modified=ctx.now,
            settings=settings,
            token=ClientToken,
        )
        one.start(ctx.now, ctx.ids)
        group.schedules[Name] = one
        return {"ScheduleArn": one.arn}

    def update_schedule(
        self, ctx: Context, *, Name: str, GroupName: str = "default", ClientToken: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """Replace all that is set of a schedule, which begins anew. Source: EventBridge Scheduler API, UpdateSchedule."""
        one = self._schedule(ctx.region, Name, GroupName)
        self._check(ctx, GroupName, settings)
        one.settings, one.modified = settings, ctx.now
        one.start(ctx.now, ctx.ids)
        return {"ScheduleArn": one.arn}

    def get_schedule(self, ctx: Context, *, Name: str, GroupName: str = "default") -> dict[str, Any]:
        """Return a schedule."""
        return self._schedule(ctx.region, Name, GroupName).describe()

    def delete_schedule(
        self, ctx: Context, *, Name: str, GroupName: str = "default", ClientToken: str | None = None
    ) -> dict[str, Any]:
        """Delete a schedule."""
        self._schedule(ctx.region, Name, GroupName)
        del self._group(ctx.region, GroupName).schedules[Name]
        return {}

    def list_schedules(
        self,
        ctx: Context,
        *,
        GroupName: str | None = None,
        NamePrefix: str = "",
        State: str | None = None,
        NextToken: str | None = None,
        MaxResults: int = 100,
    ) -> dict[str, Any]:
        """Return the schedules of a group, or of all, by group and name."""
        groups = [self._group(ctx.region, GroupName)] if GroupName else self._region(ctx.region).values()
        found = [
            one
            for group in groups
            for one in group.schedules.values()
            if one.name.startswith(NamePrefix) and State in (None, one.settings.get("State", "ENABLED"))
        ]
        told, token = page(sorted(found, key=lambda one: one.arn), lambda one: one.arn, NextToken, MaxResults)
        return {"Schedules": [one.summary() for one in told], **({"NextToken": token} if token else {})}

    # Groups

    def create_schedule_group(
        self, ctx: Context, *, Name: str, Tags: Sequence[Mapping[str, str]] = (), ClientToken: str | None = None
    ) -> dict[str, Any]:
        """Create a schedule group."""
        groups = self._region(ctx.region)
        if Name in groups:
            raise AwsError("ConflictException", f"Schedule group {Name} already exists.")
        group = Group(name=Name, arn=self._arn(ctx.region, f"schedule-group/{Name}"), created=ctx.now)
        group.tags.update({tag["Key"]: tag["Value"] for tag in Tags})
        groups[Name] = group
        return {"ScheduleGroupArn": group.arn}

    def get_schedule_group(self, ctx: Context, *, Name: str) -> dict[str, Any]:
        """Return a schedule group."""
        return self._group(ctx.region, Name).describe()

    def list_schedule_groups(
        self, ctx: Context, *, NamePrefix: str = "", NextToken: str | None = None, MaxResults: int = 100
    ) -> dict[str, Any]:
        """Return the schedule groups by name."""
        found = [group for name, group in sorted(self._region(ctx.region).items()) if name.startswith(NamePrefix)]
        told, token = page(found, lambda group: group.name, NextToken, MaxResults)
        return {"ScheduleGroups": [group.describe() for group in told], **({"NextToken": token} if token else {})}

    def delete_schedule_group(self, ctx: Context, *, Name: str, ClientToken: str | None = None) -> dict[str, Any]:
        """Delete a schedule group with its schedules."""
        if Name == "default":
            _invalid("Cannot delete the default schedule group.")
        self._group(ctx.region, Name)
        del self._region(ctx.region)[Name]
        return {}

    def tag_resource(self, ctx: Context, *, ResourceArn: str, Tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        """Add tags to a schedule group."""
        self._tagged(ctx.region, ResourceArn).tags.update({tag["Key"]: tag["Value"] for tag in Tags})
        return {}

    def untag_resource(self, ctx: Context, *, ResourceArn: str, TagKeys: Sequence[str]) -> dict[str, Any]:
        """Remove tags from a schedule group."""
        group = self._tagged(ctx.region, ResourceArn)
        group.tags = {key: value for key, value in group.tags.items() if key not in set(TagKeys)}
        return {}

    def list_tags_for_resource(self, ctx: Context, *, ResourceArn: str) -> dict[str, Any]:
        """Return the tags of a schedule group."""
        tags = self._tagged(ctx.region, ResourceArn).tags
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    # Runs

    def next_due(self) -> datetime | None:
        """Return when the next schedule of any Region runs."""
        return min((one.next_run for _, one in self._started() if one.next_run), default=None)

    def run_due(self, ctx: Context) -> None:
        """Run every schedule that is due: record the tick, then call the target as the schedule's role."""
        due = [
            (one.due, region, one)
            for region, one in self._started()
            if one.due and one.next_run and one.next_run <= ctx.now
        ]
        for at, region, one in sorted(due, key=lambda item: (item[0], item[2].arn)):
            names = {"region": region, "group": one.group, "schedule": one.name}
            ctx.record("scheduler", "tick", {**names, "at": milliseconds(at)})
            self._run(replace(ctx, region=region), one, at)

    def skip_due(self, ctx: Context) -> None:
        """Leave out the runs of every recurring schedule that were due before `ctx.now`: a process."""
        for region, one in self._started():
            if one.due and one.due < ctx.now and not one.settings["ScheduleExpression"].startswith("at("):
                names = {"region": region, "group": one.group, "schedule": one.name}
                ctx.record("scheduler", "skip", {**names, "to": milliseconds(ctx.now)})

    def apply_skip(self, _ctx: Context, data: Mapping[str, Any]) -> None:
        """Move a schedule on to its first run not before the moment that was recorded."""
        one = self._groups[data["region"]][data["group"]].schedules[data["schedule"]]
        one.due = one.following(moment(data["to"] - 1))

    def apply_tick(self, ctx: Context, data: Mapping[str, Any]) -> None:
        """Move a schedule on past the run that was recorded; one that is done may be deleted, as its settings say."""
        group = self._groups[data["region"]][data["group"]]
        one = group.schedules[data["schedule"]]
        one.due, one.ran = one.following(moment(data["at"])), ctx.now
        if one.due is None and one.settings.get("ActionAfterCompletion") == "DELETE":
            del group.schedules[one.name]

    def upcoming(self, until: datetime) -> list[Upcoming]:
        """Return the runs of functions that enabled schedules would cause, oldest first: see the base class."""
        found = [run for region, one in self._started() for run in self._foreseen(region, one, until)]
        return sorted(found, key=lambda run: (run.at, run.function_arn))

    def _foreseen(self, region: str, one: Schedule, until: datetime) -> Iterator[Upcoming]:
        """Yield the runs of functions that one schedule would cause."""
        ctx = targets.looking(self.lab, PRINCIPAL, region)
        refused = self._refusal(ctx, one)
        source = f"schedule {one.group}/{one.name}, {one.settings['ScheduleExpression']}"
        for at in spread(one.due, one.following, until):
            for run in self._reached(ctx, one, at, one.runs_at(at)):
                allowed, why = (False, refused) if refused else (run.allowed, run.why)
                yield replace(run, source=source, allowed=allowed, why=why)

    def _reached(self, ctx: Context, one: Schedule, at: datetime, runs_at: datetime) -> Iterator[Upcoming]:
        arn, payload = one.target["Arn"], self._payload(ctx.region, one, at)
        function_arn, payload_of = self._function(ctx.region, one)
        if function_arn is not None:
            arn, payload = function_arn, payload_of(at)
        if targets.service_of(arn) == "events":
            bridge = one.target.get("EventBridgeParameters", {})
            named = bridge.get("DetailType", ""), bridge.get("Source", "")
            yield from self.lab.service("events").foreseen(ctx.region, arn, *named, _parameters(payload), runs_at)
            return
        for run in targets.foresee(ctx, arn=arn, payload=payload, source_service=PRINCIPAL, source_arn=one.arn):
            yield Upcoming(
                at=runs_at,
                function_arn=run.function_arn,
                payload=run.payload,
                source="",
                allowed=run.allowed,
                why=run.why,
            )

    def _run(self, ctx: Context, one: Schedule, at: datetime) -> None:
        arn, payload = one.target["Arn"], self._payload(ctx.region, one, at)
        try:
            failed = self._call_target(ctx, one, at, self._session(ctx, one), payload)
        except AwsError as refused:
            failed = targets.failure_of(refused.code)
        queue_arn = one.target.get("DeadLetterConfig", {}).get("Arn")
        if failed and queue_arn:
            told = {
                "SCHEDULE_ARN": one.arn,
                "TARGET_ARN": arn,
                "ERROR_CODE": failed,
                "EXECUTION_ID": _execution(one, at),
            }
            principal = Principal.service(PRINCIPAL, ctx.account_id)
            targets.bury(ctx, queue_arn=queue_arn, payload=payload, principal=principal, attributes=told)

    def _call_target(self, ctx: Context, one: Schedule, at: datetime, session: Principal, payload: str) -> str | None:
        """Call the target as the role's session; return None or the code of what went wrong. Raises AwsError."""
        function_arn, payload_of = self._function(ctx.region, one)
        if function_arn is not None:
            _authorise_invoke(ctx, session, function_arn)
            return targets.deliver(
                ctx, arn=function_arn, payload=payload_of(at), principal=session, source_arn=one.arn, settings={}
            )
        if one.target["Arn"].startswith(UNIVERSAL):
            return _call_universal(ctx, session, one.target["Arn"], payload)
        if targets.service_of(one.target["Arn"]) == "events":
            return _put_event(ctx, session, one.target, payload)
        return targets.deliver(
            ctx, arn=one.target["Arn"], payload=payload, principal=session, source_arn=one.arn, settings=one.target
        )

    def _session(self, ctx: Context, one: Schedule) -> Principal:
        """Return the session of the schedule's role. Raises AwsError where the role is not Scheduler's to assume."""
        name = self._role_name(ctx, one.target["RoleArn"], one.group)
        session: Principal = self.lab.service("sts").open_session(ctx, name, Ids.of(one.arn).hex(32), ctx.now)
        return session

    def _role_name(self, ctx: Context, role_arn: str, group: str) -> str:
        """Return the name of a role of the account that trusts Scheduler, for a schedule of `group`.

        Raises AwsError for any other. Source: EventBridge Scheduler user guide, Confused deputy prevention.
        """
        name = role_arn.rsplit("/", 1)[-1]
        role = ctx.read("iam", "GetRole", RoleName=name)["Role"]
        scheduler = Principal.service(PRINCIPAL, ctx.account_id)
        facts = {"aws:sourcearn": self._arn(ctx.region, f"schedule-group/{group}")}
        if role["Arn"] != role_arn or not trusts(trust_policy(role), scheduler, "sts:AssumeRole", facts):
            raise AwsError("AccessDeniedException", f"Scheduler is not authorized to assume {role_arn}.")
        return name

    def _refusal(self, ctx: Context, one: Schedule) -> str:
        """Return why the next run would not get as far as its target; "" where it would."""
        try:
            session = self._session(ctx, one)
        except AwsError:
            return f"Scheduler cannot assume {one.target['RoleArn']}"
        function_arn, _ = self._function(ctx.region, one)
        try:
            if function_arn is not None:
                _authorise_invoke(ctx, session, function_arn)
        except AwsError as denied:
            return denied.message
        return ""

    def _function(self, region: str, one: Schedule) -> tuple[str | None, PayloadOf]:
        """Return the function that a schedule invokes, None for other targets, and what a run hands it."""
        arn = one.target["Arn"]
        if targets.service_of(arn) == "lambda":
            return arn, lambda at: self._payload(region, one, at)
        if arn.lower() != f"{UNIVERSAL}lambda:invoke":
            return None, lambda at: ""
        name = str(_parameters(one.target.get("Input", "")).get("FunctionName", ""))
        if name and not name.startswith("arn:"):
            name = self._lambda_arn(region, name)
        return name or None, lambda at: _invoke_payload(self._payload(region, one, at))

    def _lambda_arn(self, region: str, name: str) -> str:
        name = name.removeprefix(f"{self.lab.account_id}:").removeprefix("function:")
        return f"arn:aws:lambda:{region}:{self.lab.account_id}:function:{name}"

    def _payload(self, region: str, one: Schedule, at: datetime) -> str:
        """Return what the target is handed: its Input with the context attributes filled in, or Scheduler's event.

        Source: EventBridge Scheduler user guide, Adding context attributes.
        """
        when = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        if (given := one.target.get("Input")) is not None:
            attributes = {
                "schedule-arn": one.arn,
                "scheduled-time": when,
                "execution-id": _execution(one, at),
                "attempt-number": "1",
            }
            for name, value in attributes.items():
                given = given.replace(f"<aws.scheduler.{name}>", value)
            return str(given)
        return compact(
            {
                "version": "0",
                "id": _execution(one, at),
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": self.lab.account_id,
                "time": when,
                "region": region,
                "resources": [one.arn],
                "detail": "{}",
            }
        )

    # Finding and checking things

    def _started(self) -> Iterator[tuple[str, Schedule]]:
        """Yield the schedules that have a next run, each with its Region."""
        for region, groups in self._groups.items():
            for group in groups.values():
                yield from ((region, one) for one in group.schedules.values() if one.due is not None)

    def _arn(self, region: str, resource: str) -> str:
        return f"arn:aws:scheduler:{region}:{self.lab.account_id}:{resource}"

    def _region(self, region: str) -> dict[str, Group]:
        """Return the groups of a Region by name; each has its default group from the start."""
        if region not in self._groups:
            self._groups[region] = {"default": Group(name="default", arn=self._arn(region, "schedule-group/default"))}
        return self._groups[region]

    def _group(self, region: str, name: str) -> Group:
        if (group := self._region(region).get(name)) is None:
            raise AwsError("ResourceNotFoundException", f"Schedule group {name} does not exist.")
        return group

    def _schedule(self, region: str, name: str, group: str) -> Schedule:
        if (one := self._group(region, group).schedules.get(name)) is None:
            raise AwsError("ResourceNotFoundException", f"Schedule {name} does not exist.")
        return one

    def _tagged(self, region: str, arn: str) -> Group:
        group = self._group(region, arn.rsplit("/", 1)[-1])
        if group.arn != arn:
            raise AwsError("ResourceNotFoundException", f"Schedule group {group.name} does not exist.")
        return group

    def _check(self, ctx: Context, group: str, settings: Mapping[str, Any]) -> None:
        """Raise AwsError for settings that Scheduler does not take."""
        _check_times(ctx.now, settings)
        target = settings["Target"]
        if not targets.service_of(target["Arn"]):
            _invalid("Provided Arn is not in correct format.")
        if target["Arn"].startswith(UNIVERSAL) and len(target["Arn"].removeprefix(UNIVERSAL).split(":")) != 2:
            _invalid(f"Invalid RequestJson provided. Reason {target['Arn']} is not a valid universal target.")
        try:
            self._role_name(ctx, target["RoleArn"], group)
        except AwsError as error:
            told = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
            raise AwsError("ValidationException", told) from error


def _check_times(now: datetime, settings: Mapping[str, Any]) -> None:
    expression = settings["ScheduleExpression"]
    try:
        schedule.validate(expression, KINDS)
    except ValueError as error:
        raise AwsError("ValidationException", f"Invalid Schedule Expression {expression}.") from error
    try:
        schedule.zone(settings.get("ScheduleExpressionTimezone", "UTC"))
    except ValueError as error:
        raise AwsError("ValidationException", "Invalid Schedule Expression Timezone.") from error
    start, end = settings.get("StartDate"), settings.get("EndDate")
    if start and start < now - timedelta(minutes=5):
        _invalid("The StartDate you specify cannot be earlier than 5 minutes ago.")
    if end and end < now:
        _invalid("The EndDate you specify cannot be earlier than the current time.")
    if start and end and end <= start:
        _invalid("The EndDate you specify must come after the StartDate.")
    if any(date and date.year > schedule.LAST_YEAR for date in (start, end)):
        _invalid(f"The dates of a schedule cannot be later than {schedule.LAST_YEAR}.")
    window = settings["FlexibleTimeWindow"]
    if (window["Mode"] == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        _invalid("MaximumWindowInMinutes must be provided when flexible time window mode is FLEXIBLE, and only then.")


def _authorise_invoke(ctx: Context, session: Principal, function_arn: str) -> None:
    """Raise AwsError where the role's policies do not let it invoke the function."""
    policy.authorise(ctx.lab, replace(ctx, principal=session), "lambda", "Invoke", {"FunctionName": function_arn})


def _call_universal(ctx: Context, session: Principal, arn: str, payload: str) -> str | None:
    """Make the call that a universal target names, with parameters that its author may have made up."""
    called = arn.removeprefix(UNIVERSAL)
    if called not in UNIVERSAL_CALLS:
        return targets.ERROR_FROM_TARGET
    service = called.partition(":")[0]
    operation, names = UNIVERSAL_CALLS[called]
    given = _parameters(payload)
    params = {name: given[name] for name in names if name in given}
    wire.check(service, operation, params, ("ValidationException", None))
    ctx.call(service, operation, principal=session, invoked_by=PRINCIPAL, **params)
    return None


def _put_event(ctx: Context, session: Principal, target: Mapping[str, Any], payload: str) -> str | None:
    bridge = target.get("EventBridgeParameters")
    if bridge is None:
        return targets.ERROR_FROM_TARGET
    entry = {"EventBusName": target["Arn"], "Detail": payload, **bridge}
    answer = ctx.call("events", "PutEvents", principal=session, invoked_by=PRINCIPAL, Entries=[entry])
    return targets.ERROR_FROM_TARGET if answer["FailedEntryCount"] else None


def _parameters(text: str) -> dict[str, Any]:
    """Return the parameters that the Input of a universal target holds; none where it is no JSON object."""
    try:
        return parse_object(text)
    except ValueError:
        return {}


def _invoke_payload(text: str) -> str:
    payload = _parameters(text).get("Payload", "{}")
    return payload if isinstance(payload, str) else compact(payload)


def _execution(one: Schedule, at: datetime) -> str:
    return Ids.of(one.arn, milliseconds(at)).uuid4()


def _invalid(message: str) -> NoReturn:
    raise AwsError("ValidationException", message)
