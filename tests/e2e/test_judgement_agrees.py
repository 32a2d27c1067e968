"""Whatever is done to the account: the verdict is what then happens when lab time goes on for a day."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from botocore.exceptions import ClientError
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lab import TrialBench
from tests.e2e.trial import FUNCTION, RULE, SILENT, Trial

CODES = (
    SILENT,
    "def handler(event, context): dial(BAD)",
    "def handler(event, context): dial(FRIEND)",
    "def handler(event, context): dial(SECOND, 8080)",
    "import time\ndef handler(event, context):\n    if time.gmtime().tm_hour in (2, 3): dial(BAD)",
    "n = 0\ndef handler(event, context):\n    global n\n    n += 1\n    if n % 9 == 0: dial(INSIDE)",
    "import time\ndef handler(event, context):\n    time.sleep(5)\n    dial(BAD)",
    "seen = set()\ndef handler(event, context):\n    if context.aws_request_id in seen: dial(BAD)\n    seen.add(context.aws_request_id)\n    raise ValueError",
)
EXPRESSIONS = ("rate(10 minutes)", "rate(4 hours)", "cron(15 3 * * ? *)")


class Account(RuleBasedStateMachine):
    """A trainee who does anything, and a grader who is held to what comes of it."""

    opened: Callable[[], AbstractContextManager[TrialBench]]

    def __init__(self) -> None:
        super().__init__()
        self._manager = type(self).opened()
        self.trial = Trial(self._manager.__enter__())
        self.changed = True
        self.gone = False

    def teardown(self) -> None:
        """Let go of the lab."""
        self._manager.__exit__(None, None, None)

    def _do(self, service: str, operation: str, **params: object) -> None:
        """Make a call; AWS may refuse it, as it does for a function that is gone."""
        self.changed = True
        try:
            getattr(self.trial.aws(service), operation)(**params)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] not in ("InternalFailure", "InternalError"), refused

    @rule(code=st.sampled_from(CODES), function=st.sampled_from((FUNCTION, FUNCTION, "order-webhook")))
    def write_code(self, code: str, function: str) -> None:
        self._do("lambda", "update_function_code", FunctionName=function, ZipFile=self.trial.zipped(code))

    @rule(on=st.booleans(), name=st.sampled_from((RULE, "second")))
    def switch_rule(self, on: bool, name: str) -> None:
        self._do("events", "enable_rule" if on else "disable_rule", Name=name)

    @rule(expression=st.sampled_from(EXPRESSIONS), name=st.sampled_from((RULE, "second")))
    def put_rule(self, expression: str, name: str) -> None:
        self._do("events", "put_rule", Name=name, ScheduleExpression=expression)

    @rule(name=st.sampled_from((RULE, "second")), qualifier=st.sampled_from(("", "", ":1", ":live")))
    def put_target(self, name: str, qualifier: str) -> None:
        self._do(
            "events", "put_targets", Rule=name, Targets=[{"Id": FUNCTION, "Arn": self.trial.function_arn + qualifier}]
        )  # fmt: skip

    @rule(name=st.sampled_from((RULE, "second")))
    def remove_target(self, name: str) -> None:
        self._do("events", "remove_targets", Rule=name, Ids=[FUNCTION])

    @rule(qualifier=st.sampled_from((None, "1", "live")))
    def permit_everybody(self, qualifier: str | None) -> None:
        extra = {"Qualifier": qualifier} if qualifier else {}
        self._do(
            "lambda", "add_permission", FunctionName=FUNCTION, StatementId="any", Action="lambda:InvokeFunction", Principal="*", **extra
        )  # fmt: skip

    @rule()
    def take_permissions_away(self) -> None:
        self._do("lambda", "remove_permission", FunctionName=FUNCTION, StatementId="any")

    @rule(reserved=st.sampled_from((0, 0, 1, None)))
    def limit(self, reserved: int | None) -> None:
        if reserved is None:
            self._do("lambda", "delete_function_concurrency", FunctionName=FUNCTION)
        else:
            self._do(
                "lambda", "put_function_concurrency", FunctionName=FUNCTION, ReservedConcurrentExecutions=reserved
            )  # fmt: skip

    @rule(retries=st.integers(0, 2))
    def retry(self, retries: int) -> None:
        self._do("lambda", "put_function_event_invoke_config", FunctionName=FUNCTION, MaximumRetryAttempts=retries)

    @rule()
    def publish(self) -> None:
        self._do("lambda", "publish_version", FunctionName=FUNCTION)
        self._do("lambda", "create_alias", FunctionName=FUNCTION, Name="live", FunctionVersion="1")

    @rule(handler=st.sampled_from(("index.handler", "index.nothing")), timeout=st.sampled_from((1, 10)))
    def configure(self, handler: str, timeout: int) -> None:
        self._do("lambda", "update_function_configuration", FunctionName=FUNCTION, Handler=handler, Timeout=timeout)

    @precondition(lambda self: not self.gone)
    @rule(inside=st.booleans())
    def move(self, inside: bool) -> None:
        """Into the default VPC, which has no way out, or out of it."""
        ec2 = self.trial.aws("ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]
        groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])[
            "SecurityGroups"
        ]
        self.trial.allow_function("ec2:*")
        config = {
            "SubnetIds": [subnet["SubnetId"]] if inside else [],
            "SecurityGroupIds": [groups[0]["GroupId"]] if inside else [],
        }
        self._do("lambda", "update_function_configuration", FunctionName=FUNCTION, VpcConfig=config)

    @precondition(lambda self: not self.changed)
    @rule()
    def give_up_the_function(self) -> None:
        self.gone = True
        self._do("lambda", "delete_function", FunctionName=FUNCTION)

    @rule(minutes=st.sampled_from((7, 45, 400)))
    def wait(self, minutes: int) -> None:
        self.trial.advance(minutes=minutes)

    @precondition(lambda self: self.changed)
    @rule()
    def check_and_see(self) -> None:
        """The claim: passed is a day without a connection, failed a day with one."""
        self._see()

    def _see(self) -> None:
        task = self.trial.remediation()
        self.changed = False
        happened = self.trial.connects(hours=24.2)
        assert happened == (task["status"] == "failed"), task["why"]

    @invariant()
    def the_lab_is_sound(self) -> None:
        """No replay differs, whatever was done."""
        assert not self.trial.bench.here.lab.differences


@pytest.mark.hypothesis
@pytest.mark.timeout(30 * settings().max_examples)
def test_the_verdict_is_what_then_happens(fresh_lab: Callable[[], AbstractContextManager[TrialBench]]) -> None:
    """Random calls, waits and checks, a few dozen of them."""

    class InLab(Account):
        opened = staticmethod(fresh_lab)

        def teardown(self) -> None:
            try:
                self._see()
            finally:
                super().teardown()

    fewer = settings().max_examples // 3
    bounded = settings(max_examples=fewer, stateful_step_count=9, phases=(Phase.explicit, Phase.generate))
    run_state_machine_as_test(InLab, settings=bounded)
