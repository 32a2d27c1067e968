"""The function that calls the listed address, and the rule that runs it."""

from typing import Any

from troposphere import GetAtt, Output, Parameter, Ref, Template
from troposphere.awslambda import Code, Function, LoggingConfig, Permission
from troposphere.events import Rule, Target
from troposphere.iam import Policy, Role
from troposphere.logs import LogGroup

from templates.options import Options
from templates.parts import assumable_by, policy, template

RUNTIME = "python3.13"
TIMEOUT_SECONDS = 3
MEMORY_MB = 128
LOG_RETENTION_DAYS = 14


def workload(options: Options) -> Template:
    """Return the template of traffic-simulation, its role, its log group, its rule and the rule's permission.

    The log group is declared, although Lambda would make it: deleting the stack then leaves no logs behind, and the
    function's role need not be allowed to create any.
    """
    made = template("GuardDuty lab: the function traffic-simulation and the rule that runs it")
    bucket = made.add_parameter(Parameter("AssetsBucketName", Type="String", Description="The bucket with the code"))
    key = made.add_parameter(Parameter("CodeKey", Type="String", Description="The key of the function's zip file"))
    logs = made.add_resource(
        LogGroup(
            "TrafficSimulationLogs",
            LogGroupName=f"/aws/lambda/{options.function_name}",
            RetentionInDays=LOG_RETENTION_DAYS,
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
        )
    )
    role = made.add_resource(_execution_role(logs))
    function = made.add_resource(
        Function(
            "TrafficSimulation",
            FunctionName=options.function_name,
            Description="Function to simulate malicious IP calls",
            Runtime=RUNTIME,
            Handler="index.handler",
            Code=Code(S3Bucket=Ref(bucket), S3Key=Ref(key)),
            Role=GetAtt(role, "Arn"),
            Timeout=TIMEOUT_SECONDS,
            MemorySize=MEMORY_MB,
            LoggingConfig=LoggingConfig(LogGroup=Ref(logs)),
        )
    )
    rule = made.add_resource(_rule(options, function))
    made.add_resource(
        Permission(
            "RuleMayInvoke",
            Action="lambda:InvokeFunction",
            FunctionName=Ref(function),
            Principal="events.amazonaws.com",
            SourceArn=GetAtt(rule, "Arn"),
        )
    )
    made.add_output(Output("FunctionArn", Description="The function", Value=GetAtt(function, "Arn")))
    return made


def _execution_role(logs: LogGroup) -> Role:
    """Return the function's role: it may write to its own log group and nothing else."""
    return Role(
        "TrafficSimulationRole",
        Description="Execution role of traffic-simulation",
        AssumeRolePolicyDocument=assumable_by("lambda.amazonaws.com"),
        Policies=[
            Policy(
                PolicyName="write-own-logs",
                PolicyDocument=policy(
                    {
                        "Effect": "Allow",
                        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                        "Resource": GetAtt(logs, "Arn"),
                    }
                ),
            )
        ],
    )


def _rule(options: Options, function: Any) -> Rule:
    return Rule(
        "TrafficSimulationSchedule",
        Name=options.rule_name,
        Description="Runs traffic-simulation every 10 minutes",
        ScheduleExpression="rate(10 minutes)",
        State="ENABLED",
        Targets=[Target(Id="traffic-simulation", Arn=GetAtt(function, "Arn"))],
    )
