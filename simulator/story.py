"""How a new lab comes to be: the account is set up, the lab is deployed, and about 40 hours go by.

Nothing here knows an answer: the deployment is the plan that an instructor applies to a real account, played as calls of
WSSystemRole/System, and the background is the scenario's, played as calls of its principals. What follows from them follows.
The whole history is written to the journal in one piece: a start that is interrupted leaves no half-made lab.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from scenario import load, steps
from scenario.errors import LabError
from scenario.model import Scenario, Step, Variant
from scenario.variant import scenery, timeline
from simulator.clock import milliseconds
from simulator.errors import AwsError
from simulator.identity import Ids, Principal
from simulator.service import Context
from simulator.world import Ask, Lab
from templates.deploy import CreateStack, EnableLambdaProtection, Upload, plan
from templates.options import Options

log = logging.getLogger(__name__)
QUANTUM = timedelta(minutes=10)
"""The history's start is rounded to it, so that the same seed makes the same world in labs started close together."""

SETTLED = timedelta(minutes=5, seconds=30)
"""How long ago the function last ran when the history ends: GuardDuty has shown that run by then."""

PARTICIPANT = "WSParticipantRole"
DEPLOYMENT_AGENT = "aws-cli/2.17.13 md/awscrt#0.20.11 ua/2.0 os/linux md/arch#x86_64 lang/python#3.11.8 md/prompt#off"
PAUSES = {"bootstrap": 5, "baseline": 45, "workload": 60, "detection": 150}
"""Seconds between the steps of the deployment, as an instructor's console takes them (docs/aws-facts.md, part 0)."""


@dataclass(slots=True)
class Story:
    """The playing of one lab's history."""

    lab: Lab
    scenario: Scenario
    variant: Variant
    start: datetime
    _known: dict[str, Any] = field(default_factory=dict)

    def play(self) -> None:
        """Set up the account, deploy the lab and let its history go by up to about the wall clock's now."""
        clock = self.lab.clock
        # Time goes by as it is told only: how long this machine takes must not show in the history.
        clock.held = True
        try:
            self._go_to(self.start)
            self._deploy()
            saved = self._background(timeline(self.scenario, self.variant))
            self._load_findings(saved)
            self._end()
        finally:
            clock.held = False

    def _deploy(self) -> None:
        owner = account_owner(self.lab, self.start)
        actions = plan(self.scenario, self.variant, Options())
        for action in actions:
            principal = self._session(action.as_role) if action.as_role else owner
            if isinstance(action, CreateStack):
                part = action.stack_name.rpartition("-")[2]
                self._wait(timedelta(seconds=PAUSES.get(part, 10)))
                self._call(principal, "cloudformation", "CreateStack", _stack_params(action))
                self._expect_complete(principal, action.stack_name)
            elif isinstance(action, Upload):
                self._wait(timedelta(seconds=8))
                params = {
                    "Bucket": action.bucket,
                    "Key": action.key,
                    "Body": action.body,
                    "ContentType": action.content_type,
                }
                self._call(principal, "s3", "PutObject", params)
            elif isinstance(action, EnableLambdaProtection):
                features = [{"Name": "LAMBDA_NETWORK_LOGS", "Status": "ENABLED"}]
                self._call(
                    principal, "guardduty", "UpdateDetector", {"DetectorId": action.detector_id, "Features": features}
                )

    def _expect_complete(self, principal: Principal, stack_name: str) -> None:
        ctx = self._context(principal)
        stack = ctx.read("cloudformation", "DescribeStacks", StackName=stack_name)["Stacks"][0]
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = ctx.read("cloudformation", "DescribeStackEvents", StackName=stack_name)["StackEvents"]
            failed = [each for each in events if each["ResourceStatus"].endswith("_FAILED")]
            first = (
                f"{failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason')}"
                if failed
                else "no reason given"
            )
            raise LabError(
                "deploying the lab",
                f"the stack {stack_name} came to {stack['StackStatus']} ({first})",
                "This is a defect of the kit; please report it with the server's log.",
            )

    def _load_findings(self, saved: Mapping[str, str]) -> None:
        """Load the scenery: its findings name users and keys that the background has made by now (`saved`)."""
        ctx = self._context(Principal.service("guardduty.amazonaws.com", self.lab.account_id))
        for declared in scenery(self.scenario, self.variant):
            finding = steps.finding_shape(declared, {**self.variant.values, **saved}, self.start)
            self.lab.record(ctx, "guardduty", "scenery", {"finding": finding})

    def _background(self, calls: Iterable[Step]) -> dict[str, str]:
        """Play `calls` at their times and return what they saved."""
        saved: dict[str, str] = {}
        zipped = partial(load.zipped, self.scenario.id, self.variant)
        for step in calls:
            self._go_to(self.start + step.at)
            values = {**self.variant.values, **saved, "turn": str(step.turn)}
            principal = self._principal(step.by)
            params = steps.render(step.params, values, zipped)
            result = self._call(
                principal, step.service, step.operation, params,
                source_ip=steps.fill(step.source_ip, values), user_agent=steps.fill(step.user_agent, values), fails=step.fails,
            )  # fmt: skip
            saved |= steps.saved(step.save, result)
        return saved

    def _end(self) -> None:
        """Go to the first moment, not before the wall clock, at which the function's last run is already shown."""
        self._go_to(self.start + self.variant.history)
        wall = datetime.fromtimestamp(self.lab.clock.wall_ms() / 1000, UTC)
        while self.lab.clock.now() < wall:
            self._go_to(min(self.lab.clock.now() + QUANTUM, wall))
        due = [at for service in self.lab.services().values() if (at := service.next_due()) is not None]
        tick = _next_run(self.lab)
        if tick is not None and due:
            self._go_to(
                tick + SETTLED if tick + SETTLED - self.lab.clock.now() <= QUANTUM else tick - QUANTUM + SETTLED
            )

    def _go_to(self, at: datetime) -> None:
        if at > self.lab.clock.now():
            self.lab.clock.stamp(at)
            self.lab.set_time(at)

    def _wait(self, by: timedelta) -> None:
        self._go_to(self.lab.clock.now() + by)

    def _call(
        self,
        principal: Principal,
        service: str,
        operation: str,
        params: Mapping[str, Any],
        *,
        source_ip: str = "",
        user_agent: str = "",
        fails: str | None = None,
    ) -> dict[str, Any]:
        ask = Ask(
            service=service,
            operation=operation,
            params=params,
            principal=principal,
            source_ip=source_ip or self.variant.office_ip,
            user_agent=user_agent or DEPLOYMENT_AGENT,
            origin="scenery",
        )
        if service in ("iam", "cloudformation"):
            self._known.clear()
        done = self.lab.ask(ask)
        code = done.error.code if done.error else None
        if code != fails:
            raise LabError(
                f"playing the lab's history ({service} {operation} by {principal.arn or principal.name})",
                f"it came to {done.error or 'success'}, not to {fails or 'success'}",
                "This is a defect of the kit; please report it with the server's log.",
            )
        return done.result or {}

    def _session(self, role_and_session: str) -> Principal:
        role, _, session = role_and_session.partition("/")
        return session_of(self.lab, self._read("GetRole", RoleName=role)["Role"], session, self.lab.clock.now())

    def _principal(self, by: str) -> Principal:
        if not by.startswith("user:"):
            return self._session(by)
        name = by.removeprefix("user:")
        user = self._read("GetUser", UserName=name)["User"]
        keys = self._read("ListAccessKeys", UserName=name)["AccessKeyMetadata"]
        return Principal(
            type="IAMUser",
            account_id=self.lab.account_id,
            arn=user["Arn"],
            principal_id=user["UserId"],
            name=name,
            access_key_id=keys[0]["AccessKeyId"],
        )

    def _read(self, operation: str, **params: str) -> Any:
        """Return what IAM tells. It is asked once until something may have changed it: who acts in the history acts often."""
        key = f"{operation} {params}"
        if key not in self._known:
            ctx = self._context(Principal.service("iam.amazonaws.com", self.lab.account_id))
            self._known[key] = ctx.read("iam", operation, **params)
        return self._known[key]

    def _context(self, principal: Principal) -> Context:
        return Context(lab=self.lab, principal=principal, now=self.lab.clock.now(), ids=Ids.of(self.lab.seed, "story"))


def session_of(lab: Lab, role: Mapping[str, Any], session_name: str, now: datetime) -> Principal:
    """Return the principal of a session of `role` (IAM's shape). A session lasts an hour: the hour decides its key."""
    opened = now.replace(minute=0, second=0, microsecond=0) - timedelta(seconds=577)
    ids = Ids.of(lab.seed, "session", role["RoleName"], session_name, milliseconds(opened))
    return Principal.session(
        account_id=lab.account_id,
        role_name=role["RoleName"],
        role_id=role["RoleId"],
        session_name=session_name,
        access_key_id=ids.unique_id("ASIA", lab.account_id, 20),
        created=opened,
        path=role.get("Path", "/"),
    )


def start_of(wall: datetime, history: timedelta) -> datetime:
    """Return when the history of a lab begins that is made at the wall clock's `wall`."""
    since = timedelta(seconds=int(wall.timestamp()) % int(QUANTUM.total_seconds()))
    return wall.replace(microsecond=0) - since - history


def account_owner(lab: Lab, now: datetime) -> Principal:
    """Return who sets up the account before its own roles exist: its organisation's access role."""
    ids = Ids.of(lab.seed, "owner")
    return Principal.session(
        account_id=lab.account_id,
        role_name="OrganizationAccountAccessRole",
        role_id=ids.unique_id("AROA", lab.account_id),
        session_name="account-setup",
        access_key_id=ids.unique_id("ASIA", lab.account_id, 20),
        created=now,
    )


def participant_role(lab: Lab) -> Mapping[str, Any]:
    """Return the trainee's role in IAM's shape; what is left of it where somebody deleted it."""
    reader = Principal.service("sts.amazonaws.com", lab.account_id)
    ctx = Context(lab=lab, principal=reader, now=lab.clock.now(), ids=Ids.of(lab.seed, "participant"))
    try:
        return dict(ctx.read("iam", "GetRole", RoleName=PARTICIPANT)["Role"])
    except AwsError:
        return {"RoleName": PARTICIPANT, "RoleId": ctx.ids.unique_id("AROA", lab.account_id)}


def _next_run(lab: Lab) -> datetime | None:
    """Return when the workload's schedule is due next, whatever its name."""
    upcoming = lab.service("events").upcoming(lab.clock.now() + timedelta(hours=1))
    soon = [each for each in upcoming if each.at - lab.clock.now() <= QUANTUM]
    by_rule: dict[str, int] = {}
    for each in upcoming:
        by_rule[each.source] = by_rule.get(each.source, 0) + 1
    return min((each.at for each in soon if by_rule[each.source] > 2), default=None)


def _stack_params(action: CreateStack) -> dict[str, Any]:
    return {
        "StackName": action.stack_name,
        "TemplateBody": action.template_body,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in action.parameters],
        "Capabilities": list(action.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in action.tags],
    }
