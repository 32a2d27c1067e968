"""A fresh lab in this process, as a test of the judgement uses it: calls as the trainee, checks, and what then happens."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from lab import TrialBench
from scenario import load
from scenario.model import Variant
from scenario.variant import variant
from simulator.service import Context, Flow

SCENARIO = "lambda-malicious-ip"
SEED = "trial"
FUNCTION = "traffic-simulation"
RULE = "traffic-simulation-schedule"
STACK = "guardduty-labs-workload"
DIAL = """import socket
def dial(ip, port=443):
    probe = socket.socket(); probe.settimeout(1)
    probe.connect_ex((ip, port)); probe.close()
"""
SILENT = "def handler(event, context): return None\n"


@dataclass
class Trial:
    """A lab in which nothing was done yet, and the trainee in front of it."""

    bench: TrialBench
    variant: Variant = field(default_factory=lambda: variant(load.load(SCENARIO), SEED))
    flows: list[Flow] = field(default_factory=list)

    def __post_init__(self) -> None:
        lab = self.bench.here.lab
        emit = lab.emit_flow

        def seen(ctx: Context, flow: Flow) -> None:
            self.flows.append(flow)
            emit(ctx, flow)

        lab.emit_flow = seen  # type: ignore[method-assign]

    # --- the account

    def aws(self, service: str) -> Any:
        """Return a client with the trainee's keys."""
        return self.bench.client(service)

    @property
    def ip(self) -> str:
        """The address that the function calls."""
        return self.variant.malicious_ip

    @property
    def inside(self) -> str:
        """An address that no line of the list names, in a range that one does."""
        ranges = [ip_network(line) for line in self.variant.list_entries if "/" in line]
        network = next(each for each in ranges if each.prefixlen < 31)
        return next(str(each) for each in network.hosts() if str(each) not in self.variant.list_entries)

    def listed(self, ip: str) -> bool:
        """Tell whether the list holds an address."""
        return any(ip_address(ip) in ip_network(line) for line in self.variant.list_entries)

    @property
    def function_arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{self.variant.region}:{self.variant.account_id}:function:{FUNCTION}"

    @property
    def role_arn(self) -> str:
        """The function's role."""
        return str(self.aws("lambda").get_function_configuration(FunctionName=FUNCTION)["Role"])

    @property
    def detector(self) -> str:
        """The detector's id."""
        return str(self.aws("guardduty").list_detectors()["DetectorIds"][0])

    def finding(self) -> dict[str, Any]:
        """Return the finding about the function."""
        criteria = {"Criterion": {"resource.resourceType": {"Equals": ["Lambda"]}}}
        guardduty = self.aws("guardduty")
        ids = guardduty.list_findings(DetectorId=self.detector, FindingCriteria=criteria)["FindingIds"]
        found: dict[str, Any] = guardduty.get_findings(DetectorId=self.detector, FindingIds=ids[-1:])["Findings"][0]
        return found

    def zipped(self, source: str) -> bytes:
        """Return a package of `index.py`, with `dial` and names for addresses, listed (BAD, SECOND, INSIDE) and not (FRIEND)."""
        known = {
            "BAD": self.ip,
            "SECOND": self.variant.second_ip,
            "INSIDE": self.inside,
            "FRIEND": self.variant.partner_ip,
        }
        text = DIAL + "".join(f"{name} = {value!r}\n" for name, value in known.items()) + source
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.py", text)
        return packed.getvalue()

    def code(self, source: str, function: str = FUNCTION) -> None:
        """Replace a function's code."""
        self.aws("lambda").update_function_code(FunctionName=function, ZipFile=self.zipped(source))

    def create(self, name: str, source: str) -> str:
        """Create another function with the function's role; return its ARN."""
        made = self.aws("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Handler="index.handler", Role=self.role_arn, Code={"ZipFile": self.zipped(source)}
        )  # fmt: skip
        return str(made["FunctionArn"])

    def disable_rule(self) -> None:
        """Disable the workload's rule."""
        self.aws("events").disable_rule(Name=RULE)

    def rule(self, name: str, expression: str, target: str, **settings: Any) -> str:
        """Make a rule that runs on a schedule and hands over to `target`; return its ARN."""
        events = self.aws("events")
        arn = str(events.put_rule(Name=name, ScheduleExpression=expression)["RuleArn"])
        events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": target, **settings}])
        return arn

    def permit(self, principal: str, source_arn: str, function: str = FUNCTION, **settings: Any) -> None:
        """Let an AWS service invoke the function."""
        self.aws("lambda").add_permission(
            FunctionName=function,
            StatementId=principal.split(".")[0] + str(len(source_arn)),
            Action="lambda:InvokeFunction",
            Principal=principal,
            SourceArn=source_arn,
            **settings,
        )

    def schedule(self, name: str, expression: str, target: str, **settings: Any) -> None:
        """Make a schedule of EventBridge Scheduler with a role of its own."""
        iam = self.aws("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        allow = {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction", "sqs:SendMessage", "sns:Publish"],
            "Resource": "*",
        }
        iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy(allow))
        self.aws("scheduler").create_schedule(
            Name=name, ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"}, Target={"Arn": target, "RoleArn": role}, **settings
        )  # fmt: skip

    def allow_function(self, *actions: str) -> None:
        """Give the function's role more permissions."""
        self.aws("iam").put_role_policy(
            RoleName=self.role_arn.rsplit("/", 1)[1],
            PolicyName="more",
            PolicyDocument=policy({"Effect": "Allow", "Action": list(actions), "Resource": "*"}),
        )

    # --- time and verdict

    def advance(self, **span: float) -> None:
        """Let lab time pass."""
        self.bench.advance(timedelta(**span))

    def check(self) -> Mapping[str, Any]:
        """Return the report of a check."""
        return self.bench.check()

    def remediation(self) -> dict[str, Any]:
        """Return what a check says of the last task."""
        task: dict[str, Any] = self.check()["tasks"][-1]
        return task

    def answer(self, task: str, text: str) -> dict[str, Any]:
        """Answer a task and return what a check says of it."""
        self.bench.world.memory.remember(task, text)
        return next(each for each in self.check()["tasks"] if each["id"] == task)

    def connects(self, **span: float) -> bool:
        """Let lab time pass, a day where nothing else is said, or until a listed address is reached; tell whether one was."""
        self.flows.clear()
        left = timedelta(**(span or {"hours": 24.5}))
        for step in (timedelta(minutes=31), timedelta(hours=4), left):
            self.bench.advance(min(step, left))
            left -= min(step, left)
            if any(flow.permitted and self.listed(flow.ip) for flow in self.flows):
                return True
            if not left:
                break
        return False


def policy(*statements: Mapping[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def points(task: Mapping[str, Any]) -> dict[str, int]:
    """Return the points of a task's parts, by their ids."""
    return {part["id"]: part["score"] for part in task["parts"]}
