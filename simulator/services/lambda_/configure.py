"""Parameters of CreateFunction and UpdateFunctionConfiguration -> a Config, or AWS's error.

The botocore model's constraints were checked before; here is what it does not say, or says too generously.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from simulator import policy
from simulator.errors import AwsError
from simulator.identity import Principal
from simulator.service import Context
from simulator.services.lambda_.names import SERVICE, broken, invalid
from simulator.services.lambda_.state import Config, Shape, Vpc
from simulator.services.sts import trust_policy, trusts

NOT_ASSUMABLE = "The role defined for the function cannot be assumed by Lambda."

TAGS_LIMIT = 50
"""Tags of a resource (AWS general reference, Tag naming limits)."""

RETIRED = frozenset(
    {
        "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
        "python2.7", "python3.6", "python3.7", "dotnetcore1.0", "dotnetcore2.0",
        "dotnetcore2.1", "dotnetcore3.1", "go1.x", "ruby2.5", "ruby2.7", "java8", "provided",
    }
)  # fmt: skip
"""Runtimes with which no function can be created any more (Lambda developer guide, Lambda runtimes)."""

RESERVED_KEYS = frozenset(
    {
        "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)  # fmt: skip
"""Environment variables that the runtime sets (Lambda developer guide, Defined runtime environment variables)."""

NOT_IN_THE_LAB = (
    "TenancyConfig",
    "CapacityProviderConfig",
    "DurableConfig",
    "RuntimeConfig",
    "AcceleratorConfig",
    "ImageConfig",
    "PublishTo",
)


def configure(ctx: Context, old: Config | None, given: Mapping[str, Any]) -> Config:
    """Return the configuration that `given` makes of `old` (None for a new function).

    A member that is absent from `given`, or None there, stays as it was. Raises AwsError in Lambda's words.
    """
    refuse_unsupported(given)
    check_limits(given)
    changes: Shape = {}
    if given.get("Role") is not None:
        check_role(ctx, given["Role"])
        changes["role"] = given["Role"]
    if given.get("Runtime") is not None:
        check_runtime(given["Runtime"])
        changes["runtime"] = given["Runtime"]
    for member, field in (
        ("Handler", "handler"),
        ("Description", "description"),
        ("Timeout", "timeout"),
        ("MemorySize", "memory"),
        ("KMSKeyArn", "kms_key"),
    ):
        if given.get(member) is not None:
            changes[field] = given[member]
    if given.get("Environment") is not None:
        changes["environment"] = environment(given["Environment"].get("Variables") or {})
    if (given.get("DeadLetterConfig") or {}).get("TargetArn") is not None:
        changes["dead_letter"] = dead_letter(given["DeadLetterConfig"]["TargetArn"])
    if (given.get("TracingConfig") or {}).get("Mode"):
        changes["tracing"] = given["TracingConfig"]["Mode"]
    if given.get("Architectures"):
        changes["architecture"] = given["Architectures"][0]
    if (given.get("EphemeralStorage") or {}).get("Size"):
        changes["storage"] = given["EphemeralStorage"]["Size"]
    if (given.get("SnapStart") or {}).get("ApplyOn"):
        changes["snap_start"] = given["SnapStart"]["ApplyOn"]
    if given.get("LoggingConfig") is not None:
        changes["logging"] = logging(old, given["LoggingConfig"])
    role = changes.get("role") or (old.role if old else "")
    if given.get("VpcConfig") is not None:
        changes["vpc"] = attach(ctx, old.vpc if old else None, given["VpcConfig"], role)
    if old is not None:
        return replace(old, **changes)
    return Config(**{"role": role, "runtime": "", "handler": "", **changes})


def refuse_unsupported(given: Mapping[str, Any]) -> None:
    """Raise AwsError for what this Lambda does not have, or cannot find because nothing of the kind exists."""
    for member in NOT_IN_THE_LAB:
        if given.get(member):
            raise invalid(f"{member} is not supported in this lab.")
    for layer in given.get("Layers") or ():
        raise invalid(f"Layer version {layer} does not exist.")
    for system in given.get("FileSystemConfigs") or ():
        raise invalid(f"EFS access point {system['Arn']} does not exist.")
    if given.get("CodeSigningConfigArn"):
        raise AwsError(
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. Check that the provided code signing configuration is "
            f"not deleted: {given['CodeSigningConfigArn']}.",
            Type="User",
        )


def check_limits(given: Mapping[str, Any]) -> None:
    """Raise AwsError above an account's limits: the model's maxima are those of kinds of functions not offered here."""
    storage = (given.get("EphemeralStorage") or {}).get("Size")
    for value, member, most in (
        (given.get("Timeout"), "timeout", 900),
        (given.get("MemorySize"), "memorySize", 10_240),
        (storage, "ephemeralStorage.size", 10_240),
    ):
        if value is not None and value > most:
            raise broken(value, member, f"Member must have value less than or equal to {most}")


def check_runtime(runtime: str) -> None:
    """Raise AwsError for a runtime that AWS has retired."""
    if runtime in RETIRED:
        raise invalid(
            f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. "
            "We recommend you use a supported runtime while creating or updating functions."
        )


def check_tags(ctx: Context, tags: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Raise AwsError for tags that may not be added to those already held."""
    if any(key.lower().startswith("aws:") for key in tags) and ctx.invoked_by != "cloudformation.amazonaws.com":
        raise invalid("Tag keys starting with 'aws:' are reserved for system use.")
    if len({*held, *tags}) > TAGS_LIMIT:
        raise invalid("Number of tags exceeds resource tag limit.")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables. Raises AwsError for reserved names and more than 4 KB."""
    reserved = [name for name in variables if name in RESERVED_KEYS]
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(reserved)}"
        )
    measured = json.dumps(dict(variables), separators=(",", ":"), ensure_ascii=False)
    if len(measured.encode()) > 4096:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {measured}"
        )
    return dict(variables)


def dead_letter(target: str) -> str:
    """Return the ARN of a dead-letter queue or topic, "" for none. Raises AwsError for another kind of target."""
    if target and not re.match(r"arn:aws[a-z-]*:(sqs|sns):", target):
        raise invalid(f"The provided target arn: {target} is invalid. The target must be an SQS queue or an SNS topic.")
    return target


def logging(old: Config | None, given: Mapping[str, str]) -> dict[str, str]:
    """Return the logging configuration. Levels belong to the JSON format alone."""
    merged = {**(old.logging if old else {}), **given}
    if merged.get("LogFormat", "Text") == "Text":
        if given.get("ApplicationLogLevel") or given.get("SystemLogLevel"):
            raise invalid("You can only use log level with JSON log format. Set LogFormat to JSON to use this setting.")
        merged = {name: value for name, value in merged.items() if not name.endswith("Level")}
    return merged


def check_role(ctx: Context, arn: str) -> None:
    """Raise AwsError where Lambda cannot assume the role: it is not there, or does not trust Lambda."""
    account_id, name = arn.split(":")[4], arn.rsplit("/", 1)[-1]
    if account_id != ctx.account_id:
        raise AwsError("AccessDeniedException", "Cross-account pass role is not allowed.", status=403)
    if not assumable(ctx, name):
        raise invalid(NOT_ASSUMABLE)


def assumable(ctx: Context, role_name: str) -> bool:
    """Return whether a role exists and trusts lambda.amazonaws.com."""
    try:
        role = ctx.read("iam", "GetRole", RoleName=role_name)["Role"]
    except AwsError:
        return False
    return trusts(trust_policy(role), Principal.service(SERVICE, ctx.account_id), "sts:AssumeRole")


def attach(ctx: Context, old: Vpc | None, given: Mapping[str, Any], role: str) -> Vpc | None:
    """Return the attachment that a VpcConfig asks for: None where there was none and is none asked for."""
    subnets = tuple(given["SubnetIds"]) if given.get("SubnetIds") is not None else (old.subnet_ids if old else ())
    groups = (
        tuple(given["SecurityGroupIds"])
        if given.get("SecurityGroupIds") is not None
        else (old.group_ids if old else ())
    )
    if not subnets and not groups:
        return Vpc() if old is not None else None
    if not subnets or not groups:
        raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
    vpc_id = _vpc_of_subnets(ctx, subnets)
    _check_groups(ctx, groups, vpc_id)
    if not may_create_interfaces(ctx, role.rsplit("/", 1)[-1]):
        raise invalid("The provided execution role does not have permissions to call CreateNetworkInterface on EC2")
    return Vpc(vpc_id=vpc_id, subnet_ids=subnets, group_ids=groups, ipv6=bool(given.get("Ipv6AllowedForDualStack")))


def _vpc_of_subnets(ctx: Context, subnet_ids: tuple[str, ...]) -> str:
    try:
        found = ctx.read("ec2", "DescribeSubnets", SubnetIds=list(subnet_ids))["Subnets"]
    except AwsError as error:
        raise invalid(
            f"Error occurred while DescribeSubnets. EC2 Error Code: {error.code}. EC2 Error Message: {error.message}"
        ) from error
    vpcs = {subnet["VpcId"] for subnet in found}
    if len(vpcs) != 1:
        raise invalid("Subnets must all be in the same VPC.")
    return str(vpcs.pop())


def _check_groups(ctx: Context, group_ids: tuple[str, ...], vpc_id: str) -> None:
    try:
        found = ctx.read("ec2", "DescribeSecurityGroups", GroupIds=list(group_ids))["SecurityGroups"]
    except AwsError as error:
        raise invalid(
            "Error occurred while DescribeSecurityGroups. "
            f"EC2 Error Code: {error.code}. EC2 Error Message: {error.message}"
        ) from error
    if any(group.get("VpcId") != vpc_id for group in found):
        raise invalid("Security Groups are required to be in the same VPC.")


def may_create_interfaces(ctx: Context, role_name: str) -> bool:
    """Return whether the role's policies allow ec2:CreateNetworkInterface."""
    request = policy.Request(
        action="ec2:CreateNetworkInterface",
        resource=f"arn:aws:ec2:{ctx.region}:{ctx.account_id}:network-interface/*",
        context=policy.request_context(ctx),
    )
    return policy.evaluate(role_policies(ctx, role_name), request) is policy.Decision.ALLOW


def role_policies(ctx: Context, role_name: str) -> list[Shape]:
    """Return the policy documents of a role: inline and attached ones."""
    documents = []
    for name in ctx.read("iam", "ListRolePolicies", RoleName=role_name).get("PolicyNames", []):
        inline = ctx.read("iam", "GetRolePolicy", RoleName=role_name, PolicyName=name)
        documents.append(document(inline.get("PolicyDocument")))
    for attached in ctx.read("iam", "ListAttachedRolePolicies", RoleName=role_name).get("AttachedPolicies", []):
        arn = attached["PolicyArn"]
        default = ctx.read("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
        version = ctx.read("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=default)
        documents.append(document(version["PolicyVersion"].get("Document")))
    return documents


def document(value: object) -> Shape:
    """Return a policy document that IAM hands out as an object, as JSON or as URL-encoded JSON; {} for none."""
    if isinstance(value, str):
        try:
            value = json.loads(value if value.lstrip().startswith("{") else unquote(value))
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
