"""What starts the code: every way in which a function of the account may still run, and every way in which it no longer does."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.e2e.trial import FUNCTION, RULE, SILENT, Trial, policy

Case = Callable[[Trial], None]
GOES_ON: list[Case] = []
"""Each contains the rule and leaves, or makes, another way: refused, and the next day connects."""
SOME_DAY: list[Case] = []
"""The same, with a run that is further away than a day, or may not come."""
STOPPED: list[Case] = []
"""Each ends what runs the function: accepted, and the next day does not connect."""


def goes_on(case: Case) -> Case:
    """Register a case that is no fix."""
    GOES_ON.append(case)
    return case


def some_day(case: Case) -> Case:
    """Register a case that is no fix, as shows later than in a day."""
    SOME_DAY.append(case)
    return case


def stopped(case: Case) -> Case:
    """Register a fix."""
    STOPPED.append(case)
    return case


@pytest.mark.parametrize("case", GOES_ON, ids=lambda case: case.__name__)
def test_what_still_runs_the_code_is_found(trial: Trial, case: Case) -> None:
    """The verdict is that of the next day."""
    case(trial)
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]
    assert trial.connects()


@pytest.mark.parametrize("case", SOME_DAY, ids=lambda case: case.__name__)
def test_a_run_that_is_far_away_is_found_as_well(trial: Trial, case: Case) -> None:
    """The next run of every schedule counts, however far."""
    case(trial)
    task = trial.remediation()
    assert task["status"] == "failed", task["why"]


@pytest.mark.parametrize("case", STOPPED, ids=lambda case: case.__name__)
def test_what_ends_every_run_is_a_fix(trial: Trial, case: Case) -> None:
    """The verdict is that of the next day."""
    case(trial)
    task = trial.remediation()
    assert task["status"] == "passed", task["why"]
    assert not trial.connects()


# --- rules


@goes_on
def a_second_rule_for_the_function(trial: Trial) -> None:
    trial.permit("events.amazonaws.com", trial.rule("second", "rate(4 hours)", trial.function_arn))
    trial.disable_rule()


@stopped
def a_second_rule_that_is_disabled_too(trial: Trial) -> None:
    a_second_rule_for_the_function(trial)
    trial.aws("events").disable_rule(Name="second")


@stopped
def a_second_rule_that_may_not_invoke(trial: Trial) -> None:
    """The function's policy names one rule as the source."""
    trial.rule("second", "rate(4 hours)", trial.function_arn)
    trial.disable_rule()


@some_day
def a_rule_that_runs_once_a_year(trial: Trial) -> None:
    trial.permit("events.amazonaws.com", trial.rule("yearly", "cron(0 0 1 1 ? *)", trial.function_arn))
    trial.disable_rule()


@some_day
def the_rule_slowed_to_once_a_month(trial: Trial) -> None:
    trial.aws("events").put_rule(Name=RULE, ScheduleExpression="rate(30 days)")


@goes_on
def the_rule_disabled_and_put_again(trial: Trial) -> None:
    """PutRule enables where nothing is said of the state."""
    trial.disable_rule()
    trial.aws("events").put_rule(Name=RULE, ScheduleExpression="rate(10 minutes)", Description="disabled")


@goes_on
def another_rule_disabled(trial: Trial) -> None:
    rules = [each["Name"] for each in trial.aws("events").list_rules()["Rules"]]
    others = [name for name in rules if name != RULE]
    for name in others:
        trial.aws("events").disable_rule(Name=name)
    assert others


@goes_on
def the_target_removed_and_put_back(trial: Trial) -> None:
    events = trial.aws("events")
    targets = events.list_targets_by_rule(Rule=RULE)["Targets"]
    events.remove_targets(Rule=RULE, Ids=[each["Id"] for each in targets])
    trial.advance(minutes=20)
    events.put_targets(Rule=RULE, Targets=targets)


@goes_on
def the_target_renamed(trial: Trial) -> None:
    events = trial.aws("events")
    events.put_targets(Rule=RULE, Targets=[{"Id": "x", "Arn": trial.function_arn}])
    events.remove_targets(Rule=RULE, Ids=[FUNCTION])


@goes_on
def the_permission_removed_while_everybody_may_invoke(trial: Trial) -> None:
    awslambda = trial.aws("lambda")
    statement = json.loads(awslambda.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"][0]
    awslambda.add_permission(FunctionName=FUNCTION, StatementId="any", Action="lambda:InvokeFunction", Principal="*")
    awslambda.remove_permission(FunctionName=FUNCTION, StatementId=statement["Sid"])


@goes_on
def a_bus_in_between(trial: Trial) -> None:
    """A schedule that puts an event on another bus, whose rule runs the function."""
    events = trial.aws("events")
    bus = events.create_event_bus(Name="side")["EventBusArn"]
    arn = events.put_rule(Name="side", EventBusName="side", EventPattern='{"source": ["aws.events"]}')["RuleArn"]
    events.put_targets(Rule="side", EventBusName="side", Targets=[{"Id": "f", "Arn": trial.function_arn}])
    trial.permit("events.amazonaws.com", arn)
    trial.rule("feeder", "rate(6 hours)", bus)
    trial.disable_rule()


@goes_on
def a_queue_in_between(trial: Trial) -> None:
    """A rule fills a queue, a mapping empties it into the function."""
    queue = queue_of(trial)
    trial.rule("filler", "rate(3 hours)", queue)
    trial.disable_rule()


@stopped
def a_queue_whose_mapping_is_disabled(trial: Trial) -> None:
    a_queue_in_between(trial)
    awslambda = trial.aws("lambda")
    uuid = awslambda.list_event_source_mappings(FunctionName=FUNCTION)["EventSourceMappings"][0]["UUID"]
    awslambda.update_event_source_mapping(UUID=uuid, Enabled=False)


@goes_on
def a_topic_in_between(trial: Trial) -> None:
    """A rule publishes to a topic, to which the function has subscribed."""
    topic = topic_of(trial, "lambda", trial.function_arn)
    trial.permit("sns.amazonaws.com", topic)
    trial.rule("publisher", "rate(5 hours)", topic)
    trial.disable_rule()


@stopped
def a_topic_nobody_subscribes_to_any_more(trial: Trial) -> None:
    a_topic_in_between(trial)
    sns = trial.aws("sns")
    for each in sns.list_subscriptions()["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])


@goes_on
def a_topic_and_a_queue_in_between(trial: Trial) -> None:
    topic = topic_of(trial, "sqs", queue_of(trial))
    trial.rule("publisher", "rate(5 hours)", topic)
    trial.disable_rule()


@goes_on
def a_rule_that_waits_for_guarddutys_report(trial: Trial) -> None:
    """The finding, told to EventBridge, runs the function once more, and so on."""
    trial.advance(minutes=20)
    events = trial.aws("events")
    events.put_rule(Name="react", EventPattern='{"source": ["aws.guardduty"]}')
    events.put_targets(Rule="react", Targets=[{"Id": "f", "Arn": trial.function_arn}])
    arn = events.describe_rule(Name="react")["Arn"]
    trial.permit("events.amazonaws.com", arn)
    trial.disable_rule()


# --- Scheduler


@goes_on
def a_schedule_of_scheduler(trial: Trial) -> None:
    trial.schedule("hourly", "rate(6 hours)", trial.function_arn)
    trial.disable_rule()


@some_day
def a_schedule_for_one_moment(trial: Trial) -> None:
    at = trial.bench.here.lab.clock.now() + timedelta(days=9)
    trial.schedule("once", f"at({at:%Y-%m-%dT%H:%M:%S})", trial.function_arn)
    trial.disable_rule()


@stopped
def a_schedule_that_is_disabled(trial: Trial) -> None:
    trial.schedule("hourly", "rate(6 hours)", trial.function_arn, State="DISABLED")
    trial.disable_rule()


@stopped
def a_schedule_whose_role_may_not_invoke(trial: Trial) -> None:
    a_schedule_of_scheduler(trial)
    trial.aws("iam").delete_role_policy(RoleName="hourly", PolicyName="invoke")


# --- versions, aliases, copies


@goes_on
def an_alias_on_the_old_code(trial: Trial) -> None:
    """The rule invokes an alias; mending $LATEST changes nothing for it."""
    aim_at_alias(trial, "1")
    trial.code(SILENT)


@stopped
def an_alias_moved_to_mended_code(trial: Trial) -> None:
    an_alias_on_the_old_code(trial)
    awslambda = trial.aws("lambda")
    version = awslambda.publish_version(FunctionName=FUNCTION)["Version"]
    awslambda.update_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=version)


@goes_on
def an_alias_that_sends_a_tenth_to_the_old_code(trial: Trial) -> None:
    an_alias_moved_to_mended_code(trial)
    trial.aws("lambda").update_alias(
        FunctionName=FUNCTION, Name="live", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}}
    )


@goes_on
def a_copy_under_another_name(trial: Trial) -> None:
    copied(trial, "backup")
    trial.aws("lambda").delete_function(FunctionName=FUNCTION)


@goes_on
def the_function_deleted_and_made_again(trial: Trial) -> None:
    role = trial.role_arn
    awslambda = trial.aws("lambda")
    awslambda.delete_function(FunctionName=FUNCTION)
    awslambda.create_function(
        FunctionName=FUNCTION, Runtime="python3.13", Handler="index.handler", Role=role, Code={"ZipFile": trial.zipped(CALLS)}
    )  # fmt: skip
    trial.permit("events.amazonaws.com", trial.aws("events").describe_rule(Name=RULE)["Arn"])


@goes_on
def a_neighbours_code_replaced(trial: Trial) -> None:
    """A function that runs on a schedule of its own is taught to call the address."""
    trial.code(CALLS, "order-webhook")
    trial.disable_rule()


@goes_on
def told_of_the_success_of_another_function(trial: Trial) -> None:
    """The canary runs on schedule and, as its destination, sets the function off."""
    neighbours_destination(trial, "OnSuccess")


@stopped
def told_of_failures_that_do_not_happen(trial: Trial) -> None:
    neighbours_destination(trial, "OnFailure")


@goes_on
def told_of_failures_that_do_happen(trial: Trial) -> None:
    neighbours_destination(trial, "OnFailure")
    trial.code("def handler(event, context): raise ValueError", "order-webhook")


# --- concurrency and what waits


@goes_on
def retries_that_wait_for_the_concurrency(trial: Trial) -> None:
    """No rule runs any more, but what was throttled meanwhile is tried again once the limit is lifted."""
    awslambda = trial.aws("lambda")
    awslambda.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    trial.advance(minutes=45)
    trial.disable_rule()
    awslambda.delete_function_concurrency(FunctionName=FUNCTION)


@stopped
def retries_that_grew_too_old(trial: Trial) -> None:
    """Events are kept for six hours: lifted after that, nothing comes."""
    awslambda = trial.aws("lambda")
    awslambda.put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=0)
    trial.advance(minutes=45)
    trial.disable_rule()
    trial.advance(hours=6.1)
    awslambda.delete_function_concurrency(FunctionName=FUNCTION)


@goes_on
def concurrency_of_one(trial: Trial) -> None:
    trial.aws("lambda").put_function_concurrency(FunctionName=FUNCTION, ReservedConcurrentExecutions=1)


@goes_on
def concurrency_of_another_function(trial: Trial) -> None:
    trial.aws("lambda").put_function_concurrency(FunctionName="order-webhook", ReservedConcurrentExecutions=0)


# --- roles and buckets


@stopped
def the_execution_role_deleted(trial: Trial) -> None:
    """Disputable, decided: Lambda cannot assume it, so the next run fails; on AWS a warm environment may linger."""
    iam = trial.aws("iam")
    name = trial.role_arn.rsplit("/", 1)[1]
    for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=each["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    iam.delete_role(RoleName=name)


@goes_on
def the_execution_role_stripped(trial: Trial) -> None:
    """Opening a connection needs no permission."""
    iam = trial.aws("iam")
    name = trial.role_arn.rsplit("/", 1)[1]
    for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=each["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)


@stopped
def a_bucket_that_could_run_it(trial: Trial) -> None:
    """Nothing that is due puts an object there. Somebody may; the verdict is about what is coming."""
    s3 = trial.aws("s3")
    bucket = f"drop-{trial.variant.account_id}"
    s3.create_bucket(Bucket=bucket)
    trial.permit("s3.amazonaws.com", f"arn:aws:s3:::{bucket}")
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {"LambdaFunctionArn": trial.function_arn, "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    trial.disable_rule()
    s3.put_object(Bucket=bucket, Key="x", Body=b"x")
    trial.advance(minutes=2)


@stopped
def everything_torn_down(trial: Trial) -> None:
    """Workload and baseline: stopped, whatever else is broken."""
    cloudformation = trial.aws("cloudformation")
    for stack in ("guardduty-labs-workload", "guardduty-labs-detection"):
        cloudformation.delete_stack(StackName=stack)


CALLS = "def handler(event, context): dial(BAD)"


def queue_of(trial: Trial) -> str:
    """Make a queue that the function polls; return its ARN."""
    sqs = trial.aws("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    arn = f"arn:aws:sqs:{trial.variant.region}:{trial.variant.account_id}:work"
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(anyone)})
    trial.allow_function("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    trial.aws("lambda").create_event_source_mapping(FunctionName=FUNCTION, EventSourceArn=arn, BatchSize=1)
    return arn


def topic_of(trial: Trial, protocol: str, endpoint: str) -> str:
    """Make a topic with a subscription; return its ARN."""
    sns = trial.aws("sns")
    topic = str(sns.create_topic(Name="ticks")["TopicArn"])
    anyone = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(anyone))
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    return topic


def aim_at_alias(trial: Trial, version: str) -> None:
    """Have the rule invoke the alias `live`, which is a published version."""
    awslambda = trial.aws("lambda")
    assert awslambda.publish_version(FunctionName=FUNCTION)["Version"] == version
    arn = awslambda.create_alias(FunctionName=FUNCTION, Name="live", FunctionVersion=version)["AliasArn"]
    trial.permit("events.amazonaws.com", trial.aws("events").describe_rule(Name=RULE)["Arn"], Qualifier="live")
    trial.aws("events").put_targets(Rule=RULE, Targets=[{"Id": FUNCTION, "Arn": arn}])


def copied(trial: Trial, name: str) -> None:
    """Run a copy of the function under another name, every five hours."""
    arn = trial.create(name, CALLS)
    trial.permit("events.amazonaws.com", trial.rule(name, "rate(5 hours)", arn), name)


def neighbours_destination(trial: Trial, side: str) -> None:
    """Have the function told of a neighbour's runs, and nothing else run it."""
    roles = trial.aws("lambda").get_function_configuration(FunctionName="order-webhook")["Role"]
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
    trial.aws("iam").put_role_policy(RoleName=roles.rsplit("/", 1)[1], PolicyName="tell", PolicyDocument=policy(allow))
    trial.aws("lambda").put_function_event_invoke_config(
        FunctionName="order-webhook", DestinationConfig={side: {"Destination": trial.function_arn}}
    )
    trial.disable_rule()
