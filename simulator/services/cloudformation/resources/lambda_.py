"""AWS::Lambda::*: functions and what hangs on them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from simulator.services.cloudformation.resources.base import (
    Handler,
    HandlerError,
    Properties,
    Work,
    pick,
    tag_map,
)

_CONFIGURATION: Final = (
    "DeadLetterConfig Description Environment EphemeralStorage FileSystemConfigs Handler ImageConfig KmsKeyArn Layers "
    "LoggingConfig MemorySize Role Runtime SnapStart Timeout TracingConfig VpcConfig"
)
_DEFAULTS: Final[Mapping[str, Any]] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "FileSystemConfigs": [],
    "KMSKeyArn": "",
    "Layers": [],
    "MemorySize": 128,
    "SnapStart": {"ApplyOn": "None"},
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
"""What a setting goes back to when the template stops declaring it."""


def _code(props: Properties) -> dict[str, Any]:
    """Return the Code of CreateFunction; inline text becomes a zip with `index.py` or `index.js`, always the same bytes."""
    code = props["Code"]
    if "ZipFile" not in code:
        return pick(code, "S3Bucket S3Key S3ObjectVersion ImageUri")
    suffix = "js" if str(props.get("Runtime", "")).startswith("nodejs") else "py"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(f"index.{suffix}", date_time=(1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, str(code["ZipFile"]))
    return {"ZipFile": buffer.getvalue()}


def _settings(props: Properties) -> dict[str, Any]:
    settings = pick(props, _CONFIGURATION)
    if "VpcConfig" in settings:
        settings["VpcConfig"] = pick(settings["VpcConfig"], "SubnetIds SecurityGroupIds Ipv6AllowedForDualStack")
    if "KmsKeyArn" in settings:
        settings["KMSKeyArn"] = settings.pop("KmsKeyArn")  # the API spells it otherwise
    return settings


class Function(Handler):
    """AWS::Lambda::Function; Ref is its name."""

    type = "AWS::Lambda::Function"
    custom_name = "FunctionName"
    ignored = frozenset(
        {
            "CapacityProviderConfig",
            "DurableConfig",
            "FunctionScalingConfig",
            "PublishToLatestPublished",
            "RecursiveLoop",
            "RuntimeManagementConfig",
            "TenancyConfig",
        }
    )

    def create(self, work: Work, props: Properties) -> str:
        """Create the function, wait until it is active, reserve its concurrency."""
        name = props.get("FunctionName") or work.name()
        work.call(
            "lambda",
            "CreateFunction",
            FunctionName=name,
            Code=_code(props),
            Tags=work.tag_map(props.get("Tags"), system=True),
            **pick(props, "Architectures PackageType CodeSigningConfigArn"),
            **_settings(props),
        )
        work.made(name)
        self._settle(work, name)
        if "ReservedConcurrentExecutions" in props:
            self._reserve(work, name, props["ReservedConcurrentExecutions"])
        return str(name)

    def _settle(self, work: Work, name: str) -> None:
        def ready() -> bool:
            found = work.read("lambda", "GetFunctionConfiguration", FunctionName=name)
            if found.get("State") == "Failed" or found.get("LastUpdateStatus") == "Failed":
                raise HandlerError(
                    str(found.get("StateReason") or found.get("LastUpdateStatusReason")), "NotStabilized"
                )
            return found.get("State") != "Pending" and found.get("LastUpdateStatus") != "InProgress"

        work.until(ready, f"Lambda Function {name}")

    def _reserve(self, work: Work, name: str, number: Any) -> None:
        work.call("lambda", "PutFunctionConcurrency", FunctionName=name, ReservedConcurrentExecutions=number)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Update code, then configuration, concurrency and tags; each only when it changed."""
        who = {"FunctionName": physical_id}
        if old["Code"] != new["Code"] or old.get("Architectures") != new.get("Architectures"):
            work.call("lambda", "UpdateFunctionCode", **who, **_code(new), **pick(new, "Architectures"))
            self._settle(work, physical_id)
        before, after = _settings(old), _settings(new)
        if before != after:
            lost = {name: _DEFAULTS[name] for name in before if name not in after and name in _DEFAULTS}
            work.call("lambda", "UpdateFunctionConfiguration", **who, **lost, **after)
            self._settle(work, physical_id)
        reserved = "ReservedConcurrentExecutions"
        if new.get(reserved) != old.get(reserved):
            if reserved in new:
                self._reserve(work, physical_id, new[reserved])
            else:
                work.call("lambda", "DeleteFunctionConcurrency", **who)
        self._retag(work, physical_id, old, new)

    def _retag(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        arn = work.read("lambda", "GetFunctionConfiguration", FunctionName=name)["FunctionArn"]
        before, after = tag_map(old.get("Tags")), work.tag_map(new.get("Tags"))
        if after and after != before:
            work.call("lambda", "TagResource", Resource=arn, Tags=after)
        lost = [key for key in before if key not in after]
        if lost:
            work.call("lambda", "UntagResource", Resource=arn, TagKeys=lost)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the function with all its versions."""
        work.call("lambda", "DeleteFunction", FunctionName=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Arn."""
        return {"Arn": work.read("lambda", "GetFunctionConfiguration", FunctionName=physical_id)["FunctionArn"]}

    def read(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any] | None:
        """Return the configuration and the reserved concurrency."""
        found = work.read("lambda", "GetFunctionConfiguration", FunctionName=physical_id)
        actual = pick(found, f"{_CONFIGURATION} FunctionName Architectures PackageType")
        if "LoggingConfig" in props and "LoggingConfig" in actual:
            actual["LoggingConfig"] = pick(actual["LoggingConfig"], props["LoggingConfig"])
        if "VpcConfig" in actual:
            actual["VpcConfig"] = pick(actual["VpcConfig"], props.get("VpcConfig", {}))
        if "ReservedConcurrentExecutions" in props:
            reserved = work.read("lambda", "GetFunctionConcurrency", FunctionName=physical_id)
            actual["ReservedConcurrentExecutions"] = reserved.get("ReservedConcurrentExecutions")
        return actual


class Permission(Handler):
    """AWS::Lambda::Permission; Ref is the statement's id."""

    type = "AWS::Lambda::Permission"

    def create(self, work: Work, props: Properties) -> str:
        """Add the statement to the function's policy."""
        statement = work.name(100)
        work.call("lambda", "AddPermission", StatementId=statement, **props)
        return work.made(statement)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Remove the statement."""
        work.call("lambda", "RemovePermission", FunctionName=props["FunctionName"], StatementId=physical_id)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Id."""
        return {"Id": physical_id}


class Version(Handler):
    """AWS::Lambda::Version; Ref is the version's ARN."""

    type = "AWS::Lambda::Version"
    ignored = frozenset({"FunctionScalingConfig", "ProvisionedConcurrencyConfig", "RuntimePolicy"})

    def create(self, work: Work, props: Properties) -> str:
        """Publish a version."""
        made = work.call("lambda", "PublishVersion", **pick(props, "FunctionName Description CodeSha256"))
        return work.made(made["FunctionArn"])

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the version."""
        function, _, version = physical_id.rpartition(":")
        work.call("lambda", "DeleteFunction", FunctionName=function, Qualifier=version)

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return Version and FunctionArn."""
        return {"Version": physical_id.rpartition(":")[2], "FunctionArn": physical_id}


class Alias(Handler):
    """AWS::Lambda::Alias; Ref is its ARN."""

    type = "AWS::Lambda::Alias"
    ignored = frozenset({"ProvisionedConcurrencyConfig"})

    def _body(self, props: Properties) -> dict[str, Any]:
        body = pick(props, "FunctionName Name FunctionVersion Description")
        if "RoutingConfig" in props:
            weights = props["RoutingConfig"].get("AdditionalVersionWeights", ())
            body["RoutingConfig"] = {
                "AdditionalVersionWeights": {item["FunctionVersion"]: item["FunctionWeight"] for item in weights}
            }
        return body

    def create(self, work: Work, props: Properties) -> str:
        """Create the alias."""
        return work.made(work.call("lambda", "CreateAlias", **self._body(props))["AliasArn"])

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Point it elsewhere."""
        reset: dict[str, Any] = {"RoutingConfig": {"AdditionalVersionWeights": {}}} if "RoutingConfig" in old else {}
        work.call("lambda", "UpdateAlias", **(reset | self._body(new)))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the alias."""
        work.call("lambda", "DeleteAlias", FunctionName=props["FunctionName"], Name=props["Name"])

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return AliasArn."""
        return {"AliasArn": physical_id}


class EventInvokeConfig(Handler):
    """AWS::Lambda::EventInvokeConfig."""

    type = "AWS::Lambda::EventInvokeConfig"

    def create(self, work: Work, props: Properties) -> str:
        """Put the configuration for asynchronous invocation."""
        work.call("lambda", "PutFunctionEventInvokeConfig", **props)
        return work.made(work.name(100))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Put the new configuration."""
        work.call("lambda", "PutFunctionEventInvokeConfig", **new)

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the configuration."""
        work.call("lambda", "DeleteFunctionEventInvokeConfig", **pick(props, "FunctionName Qualifier"))


class Url(Handler):
    """AWS::Lambda::Url; Ref is the function's ARN."""

    type = "AWS::Lambda::Url"

    def create(self, work: Work, props: Properties) -> str:
        """Create the function URL."""
        made = work.call(
            "lambda", "CreateFunctionUrlConfig", **self._who(props), **pick(props, "AuthType Cors InvokeMode")
        )
        return work.made(made["FunctionArn"])

    @staticmethod
    def _who(props: Properties) -> dict[str, Any]:
        return {"FunctionName": props["TargetFunctionArn"], **pick(props, "Qualifier")}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> None:
        """Change who may call, CORS and mode."""
        work.call("lambda", "UpdateFunctionUrlConfig", **self._who(new), **pick(new, "AuthType Cors InvokeMode"))

    def delete(self, work: Work, physical_id: str, props: Properties) -> None:
        """Delete the function URL."""
        work.call("lambda", "DeleteFunctionUrlConfig", **self._who(props))

    def attributes(self, work: Work, physical_id: str, props: Properties) -> dict[str, Any]:
        """Return FunctionArn and FunctionUrl."""
        found = work.read("lambda", "GetFunctionUrlConfig", **self._who(props))
        return pick(found, "FunctionArn FunctionUrl")
