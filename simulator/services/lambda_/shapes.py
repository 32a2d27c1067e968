"""State -> the shapes that clients see."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from simulator.jsonify import Settled
from simulator.services.lambda_.names import LATEST, invalid
from simulator.services.lambda_.state import Alias, Config, Function, Shape, Version, Vpc

STATES = ("State", "StateReason", "StateReasonCode", "LastUpdateStatus", "LastUpdateStatusReason")
NOT_LISTED = (*STATES, "LastUpdateStatusReasonCode", "RuntimeVersionConfig")
"""Members that ListFunctions and ListVersionsByFunction leave out (API reference, ListFunctions)."""


def configuration(
    function: Function,
    version: Version,
    *,
    qualifier: str | None = None,
    at: datetime | None = None,
) -> Shape:
    """Return the FunctionConfiguration of a version as it stands at `at` (settled where None).

    `qualifier` is what the ARN shows. Members are in the order of docs/aws-facts.md, part 5.
    """
    config = version.config
    shape: Shape = {
        "FunctionName": function.name,
        "FunctionArn": function.arn(qualifier),
        "Runtime": config.runtime,
        "Role": config.role,
        "Handler": config.handler,
        "CodeSize": version.code.size,
        "Description": config.description,
        "Timeout": config.timeout,
        "MemorySize": config.memory,
        "LastModified": version.last_modified,
        "CodeSha256": version.code.sha256,
        "Version": version.number,
        **optional(config),
        "TracingConfig": {"Mode": config.tracing},
        "RevisionId": version.revision(at),
        **status(version, at),
        "PackageType": "Zip",
        "Architectures": [config.architecture],
        "EphemeralStorage": {"Size": config.storage},
        "SnapStart": {"ApplyOn": config.snap_start, "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": {"RuntimeVersionArn": runtime_version(function.region, config.runtime)},
        "LoggingConfig": logging(function.name, config),
    }
    if version.number != LATEST and config.snap_start == "PublishedVersions":
        shape["SnapStart"]["OptimizationStatus"] = "On"
    return shape


def optional(config: Config) -> Shape:
    """Return the members that show only where they were set."""
    shape: Shape = {}
    if config.vpc is not None:
        shape["VpcConfig"] = vpc_config(config.vpc)
    if config.dead_letter:
        shape["DeadLetterConfig"] = {"TargetArn": config.dead_letter}
    if config.environment is not None:
        shape["Environment"] = {"Variables": dict(config.environment)}
    if config.kms_key:
        shape["KMSKeyArn"] = config.kms_key
    return shape


def vpc_config(vpc: Vpc) -> Shape:
    """Return a VpcConfigResponse."""
    return {
        "SubnetIds": list(vpc.subnet_ids),
        "SecurityGroupIds": list(vpc.group_ids),
        "VpcId": vpc.vpc_id,
        "Ipv6AllowedForDualStack": vpc.ipv6,
    }


def status(version: Version, at: datetime | None) -> Shape:
    """Return the members that tell of creation and the last update."""
    if version.pending(at):
        return {
            "State": "Pending",
            "StateReason": "The function is being created.",
            "StateReasonCode": "Creating",
        }
    if version.update_failed:
        return {
            "State": "Active",
            "LastUpdateStatus": "Failed",
            "LastUpdateStatusReason": version.update_failed,
            "LastUpdateStatusReasonCode": "InvalidConfiguration",
        }
    if version.updating(at):
        return {
            "State": "Active",
            "LastUpdateStatus": "InProgress",
            "LastUpdateStatusReason": "The function is being created.",
            "LastUpdateStatusReasonCode": "Creating",
        }
    return {"State": "Active", "LastUpdateStatus": "Successful"}


def listed(shape: Shape) -> Settled:
    """Return a FunctionConfiguration as lists show it, which is for one revision always the same."""
    return Settled({name: value for name, value in shape.items() if name not in NOT_LISTED})


def runtime_version(region: str, runtime: str) -> str:
    """Return a runtime version ARN, the same for every function of that runtime."""
    return f"arn:aws:lambda:{region}::runtime:{hashlib.sha256(runtime.encode()).hexdigest()}"


def logging(name: str, config: Config) -> Shape:
    """Return the LoggingConfig in force."""
    shape: Shape = {"LogFormat": config.logging.get("LogFormat", "Text")}
    if shape["LogFormat"] == "JSON":
        shape["ApplicationLogLevel"] = config.logging.get("ApplicationLogLevel", "INFO")
        shape["SystemLogLevel"] = config.logging.get("SystemLogLevel", "INFO")
    shape["LogGroup"] = config.logging.get("LogGroup", f"/aws/lambda/{name}")
    return shape


def alias_shape(function: Function, alias: Alias) -> Shape:
    """Return an AliasConfiguration."""
    shape: Shape = {
        "AliasArn": function.arn(alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
    }
    if alias.weights:
        shape["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    shape["RevisionId"] = alias.revision_id
    return shape


def policy_text(statements: list[Shape]) -> str:
    """Return a resource policy as JSON text."""
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps(document, separators=(",", ":"))


def created(at: datetime) -> str:
    """Return LastModified of a new function: with its milliseconds (docs/aws-facts.md, part 5)."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def updated(at: datetime) -> str:
    """Return LastModified of an updated function: whole seconds (docs/aws-facts.md, part 5)."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"


def page(items: Sequence[tuple[str, Any]], name: str, marker: str | None, most: int | None, limit: int = 50) -> Shape:
    """Return one page of `items`, pairs of a marker and a shape in order, under `name`, with NextMarker if more follow.

    The marker of a page is that of its last item. Raises AwsError for a marker that is not one.
    """
    start = 0
    if marker:
        places = [index for index, (key, _) in enumerate(items) if key == marker]
        if not places:
            raise invalid("The provided pagination token is invalid.")
        start = places[0] + 1
    size = min(most or limit, limit)
    chosen = items[start : start + size]
    answer: Shape = {name: [shape for _, shape in chosen]}
    if start + size < len(items):
        answer["NextMarker"] = chosen[-1][0]
    return answer
