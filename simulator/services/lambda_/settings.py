"""Settings beside the configuration: concurrency, asynchronous invocation, tags, runtime updates, account limits."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulator import wire
from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.lambda_ import names
from simulator.services.lambda_.access import Access
from simulator.services.lambda_.code import UNZIPPED, ZIPPED
from simulator.services.lambda_.names import LATEST
from simulator.services.lambda_.shapes import page, runtime_version, updated
from simulator.services.lambda_.state import Function, Shape

CONCURRENCY = 1000
UNRESERVED_MINIMUM = 100
CODE_STORAGE = 80_530_636_800
PROVISIONING = timedelta(seconds=60)


class Settings(Access):
    """Operations on settings of functions and of the account."""

    def put_function_concurrency(self, ctx: Context, *, FunctionName: str, ReservedConcurrentExecutions: int) -> Shape:
        """Reserve concurrency for a function; 0 stops it. Raises AwsError where too little is left for the others."""
        function, qualifier = self.found(ctx, "PutFunctionConcurrency", FunctionName, absent=names.no_version)
        if qualifier:
            raise names.invalid("This operation is permitted on Lambda functions only. Aliases and versions do not "
                                "support this operation. Please specify either a function name or an unqualified "
                                "function ARN.")  # fmt: skip
        provisioned = sum(entry["Requested"] for entry in function.provisioned.values())
        if ReservedConcurrentExecutions < provisioned:
            raise names.invalid(
                f" ReservedConcurrentExecutions  {ReservedConcurrentExecutions} should not be lower than function's total "
                f"provisioned concurrency [{provisioned}]."
            )
        others = self._reserved(ctx) - (function.reserved or 0)
        if ReservedConcurrentExecutions and CONCURRENCY - others - ReservedConcurrentExecutions < UNRESERVED_MINIMUM:
            raise _too_much("ReservedConcurrentExecutions")
        self._reserve(ctx, function, ReservedConcurrentExecutions)
        return {"ReservedConcurrentExecutions": ReservedConcurrentExecutions}

    def get_function_concurrency(self, ctx: Context, *, FunctionName: str) -> Shape:
        """Return the reserved concurrency, nothing where none is reserved."""
        function, _ = self.found(ctx, "GetFunctionConcurrency", FunctionName)
        return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}

    def delete_function_concurrency(self, ctx: Context, *, FunctionName: str) -> Shape:
        """Reserve nothing any more: the function shares the account's concurrency."""
        function, _ = self.found(ctx, "DeleteFunctionConcurrency", FunctionName)
        self._reserve(ctx, function, None)
        return {}

    def put_provisioned_concurrency_config(
        self, ctx: Context, *, FunctionName: str, Qualifier: str, ProvisionedConcurrentExecutions: int
    ) -> Shape:
        """Keep environments of a version or alias ready. It is shown and counted; runs are warm in any case."""
        function, version, qualifier = self.located(
            ctx, "PutProvisionedConcurrencyConfig", FunctionName, Qualifier, absent=names.no_alias
        )
        if qualifier is None or qualifier == LATEST:
            raise names.invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
        if any(function.version(other) is version for other in function.provisioned.keys() - {qualifier}):
            raise names.conflict(
                "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
                if qualifier in function.aliases
                else "Version is pointed by a Provisioned Concurrency alias"
            )
        free = CONCURRENCY - self._reserved(ctx)
        if function.reserved is not None:
            others = sum(entry["Requested"] for key, entry in function.provisioned.items() if key != qualifier)
            if others + ProvisionedConcurrentExecutions > function.reserved:
                raise names.invalid(
                    "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                    "function"
                )
        elif ProvisionedConcurrentExecutions > free:
            raise AwsError(
                "InvalidParameterValueException",
                "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
                f"[{free}].",
            )
        elif ProvisionedConcurrentExecutions > free - UNRESERVED_MINIMUM:
            raise _too_much("ConcurrentExecutions")
        function.provisioned[qualifier] = {
            "Requested": ProvisionedConcurrentExecutions,
            "LastModified": updated(ctx.now),
            "ReadyAt": ctx.now + PROVISIONING,
        }
        return _provisioned(function.provisioned[qualifier], ctx.now)

    def get_provisioned_concurrency_config(self, ctx: Context, *, FunctionName: str, Qualifier: str) -> Shape:
        """Return the provisioned concurrency of a version or alias."""
        function, key = self._provisionable(ctx, "GetProvisionedConcurrencyConfig", FunctionName, Qualifier)
        if key not in function.provisioned:
            raise AwsError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                Type="User",
            )
        return _provisioned(function.provisioned[key], ctx.now)

    def delete_provisioned_concurrency_config(self, ctx: Context, *, FunctionName: str, Qualifier: str) -> Shape:
        """Provision nothing for a version or alias any more."""
        function, key = self._provisionable(ctx, "DeleteProvisionedConcurrencyConfig", FunctionName, Qualifier)
        function.provisioned.pop(key, None)
        return {}

    def list_provisioned_concurrency_configs(
        self, ctx: Context, *, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
    ) -> Shape:
        """Return the provisioned concurrency of every version and alias that has any."""
        function, _ = self.found(ctx, "ListProvisionedConcurrencyConfigs", FunctionName)
        items = [
            (qualifier, {"FunctionArn": function.arn(qualifier), **_provisioned(entry, ctx.now)})
            for qualifier, entry in sorted(function.provisioned.items())
        ]
        return page(items, "ProvisionedConcurrencyConfigs", Marker, MaxItems)

    def put_function_event_invoke_config(
        self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None, **given: Any
    ) -> Shape:
        """Replace the settings of asynchronous invocation: what is not given is AWS's default."""
        return self._set_event_config(ctx, "PutFunctionEventInvokeConfig", FunctionName, Qualifier, {}, given)

    def update_function_event_invoke_config(
        self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None, **given: Any
    ) -> Shape:
        """Change the settings of asynchronous invocation: what is not given stays."""
        function, qualifier = self.found(
            ctx, "UpdateFunctionEventInvokeConfig", FunctionName, Qualifier, absent=_no_invokee
        )
        old = _event_config(function, qualifier)
        return self._set_event_config(ctx, "UpdateFunctionEventInvokeConfig", FunctionName, Qualifier, old, given)

    def get_function_event_invoke_config(
        self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None
    ) -> Shape:
        """Return the settings of asynchronous invocation of a function, version or alias."""
        function, qualifier = self.found(
            ctx, "GetFunctionEventInvokeConfig", FunctionName, Qualifier, absent=_no_event_config
        )
        return dict(_event_config(function, qualifier))

    def delete_function_event_invoke_config(
        self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None
    ) -> Shape:
        """Go back to AWS's defaults for asynchronous invocation. It stops nothing (docs/aws-facts.md, part 7)."""
        function, qualifier = self.found(
            ctx, "DeleteFunctionEventInvokeConfig", FunctionName, Qualifier, absent=_no_event_config
        )
        _event_config(function, qualifier)
        del function.event_configs[qualifier or LATEST]
        return {}

    def list_function_event_invoke_configs(
        self, ctx: Context, *, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
    ) -> Shape:
        """Return the settings of asynchronous invocation of the function, its versions and aliases."""
        function, _ = self.found(ctx, "ListFunctionEventInvokeConfigs", FunctionName, absent=_no_invokee)
        items = [(qualifier, dict(entry)) for qualifier, entry in sorted(function.event_configs.items())]
        return page(items, "FunctionEventInvokeConfigs", Marker, MaxItems)

    def put_function_recursion_config(self, ctx: Context, *, FunctionName: str, RecursiveLoop: str) -> Shape:
        """Say whether recursive loops are stopped. Only shown: nothing in a lab loops through other services."""
        function, _ = self.found(ctx, "PutFunctionRecursionConfig", FunctionName)
        function.recursion = RecursiveLoop
        return {"RecursiveLoop": RecursiveLoop}

    def get_function_recursion_config(self, ctx: Context, *, FunctionName: str) -> Shape:
        """Return whether recursive loops are stopped."""
        function, _ = self.found(ctx, "GetFunctionRecursionConfig", FunctionName)
        return {"RecursiveLoop": function.recursion}

    def put_runtime_management_config(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        UpdateRuntimeOn: str,
        Qualifier: str | None = None,
        RuntimeVersionArn: str | None = None,
    ) -> Shape:
        """Say when a version gets new runtime versions."""
        function, version, qualifier = self.located(ctx, "PutRuntimeManagementConfig", FunctionName, Qualifier)
        if (UpdateRuntimeOn == "Manual") != bool(RuntimeVersionArn):
            raise names.invalid("You must specify a runtime version ARN when UpdateRuntimeOn is Manual, and only then.")
        if RuntimeVersionArn and RuntimeVersionArn != runtime_version(function.region, version.config.runtime):
            raise names.invalid(f"Runtime version {RuntimeVersionArn} is invalid or not compatible with the function.")
        entry: Shape = {"UpdateRuntimeOn": UpdateRuntimeOn}
        if RuntimeVersionArn:
            entry["RuntimeVersionArn"] = RuntimeVersionArn
        function.runtime_updates[qualifier or LATEST] = entry
        return {**entry, "FunctionArn": function.arn(qualifier or LATEST)}

    def get_runtime_management_config(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Return when a version gets new runtime versions."""
        function, _, qualifier = self.located(ctx, "GetRuntimeManagementConfig", FunctionName, Qualifier)
        entry = function.runtime_updates.get(qualifier or LATEST, {"UpdateRuntimeOn": "Auto"})
        return {**entry, "FunctionArn": function.arn(qualifier or LATEST)}

    def get_account_settings(self, ctx: Context) -> Shape:
        """Return the account's limits and what is used of them."""
        functions = [function for function in self.by_name.values() if function.region == ctx.region]
        size = sum(version.code.size for function in functions for version in function.all_versions())
        return {
            "AccountLimit": {
                "TotalCodeSize": CODE_STORAGE,
                "CodeSizeUnzipped": UNZIPPED,
                "CodeSizeZipped": ZIPPED,
                "ConcurrentExecutions": CONCURRENCY,
                "UnreservedConcurrentExecutions": CONCURRENCY - self._reserved(ctx),
            },
            "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(functions)},
        }

    @staticmethod
    def _reserve(ctx: Context, function: Function, number: int | None) -> None:
        if function.reserved == 0 and number != 0:
            function.lifted_at = ctx.now
        function.reserved = number

    def _reserved(self, ctx: Context) -> int:
        return sum(function.reserved or 0 for function in self.by_name.values() if function.region == ctx.region)

    def _set_event_config(
        self,
        ctx: Context,
        action: str,
        FunctionName: str,
        Qualifier: str | None,
        old: Shape,
        given: Shape,
    ) -> Shape:
        wanted = {name: value for name, value in given.items() if value is not None}
        if not wanted:
            raise names.invalid("You must specify at least one of error handling or destination setting.")
        function, _, qualifier = self.located(ctx, action, FunctionName, Qualifier, absent=_no_invokee)
        if "DestinationConfig" in wanted:
            self._check_destinations(function, wanted["DestinationConfig"])
            wanted["DestinationConfig"] = {"OnSuccess": {}, "OnFailure": {}, **wanted["DestinationConfig"]}
        key = qualifier or LATEST
        entry = {
            "LastModified": ctx.now,
            "FunctionArn": function.arn(key),
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
            **{name: value for name, value in old.items() if name not in {"LastModified", "FunctionArn"}},
            **wanted,
        }
        function.event_configs[key] = entry
        return dict(entry)

    def _check_destinations(self, function: Function, destinations: Shape) -> None:
        for side in destinations.values():
            target = (side or {}).get("Destination")
            if not target:
                continue
            kind = target.split(":")[2:3]
            if kind not in (["sqs"], ["sns"], ["lambda"], ["events"], ["s3"]):
                shape = wire.operation_model("lambda", "PutFunctionEventInvokeConfig").input_shape
                shown = wire.in_java(destinations, shape.members["DestinationConfig"])
                raise names.invalid(f"The provided destination config {shown} is invalid.")
            if target == function.arn():
                raise names.invalid("You can't specify the function as a destination for itself.")
            if kind == ["lambda"] and self.at(target) is None:
                raise names.invalid(f"The destination ARN {target} is invalid.")

    def _provisionable(self, ctx: Context, action: str, FunctionName: str, Qualifier: str) -> tuple[Function, str]:
        function, _, qualifier = self.located(ctx, action, FunctionName, Qualifier, absent=names.no_alias)
        if qualifier is None or qualifier == LATEST:
            raise names.invalid("The function resource provided must be an alias or a published version.")
        return function, qualifier


def _event_config(function: Function, qualifier: str | None) -> Shape:
    entry = function.event_configs.get(qualifier or LATEST)
    if entry is None:
        raise _no_event_config_of(function.arn(qualifier or LATEST))
    return entry


def _no_event_config_of(arn: str) -> AwsError:
    return names.missing(f"The function {arn} doesn't have an EventInvokeConfig")


def _no_event_config(named: names.Reference) -> AwsError:
    return _no_event_config_of(replace(named, qualifier=named.qualifier or LATEST).arn)


def _no_invokee(named: names.Reference) -> AwsError:
    return names.missing("The function doesn't exist.")


def _too_much(what: str) -> AwsError:
    return AwsError(
        "InvalidParameterValueException",
        f"Specified {what} for function decreases account's UnreservedConcurrentExecution below its minimum value of "
        f"[{UNRESERVED_MINIMUM}].",
    )


def _provisioned(entry: Shape, now: datetime) -> Shape:
    ready = now >= entry["ReadyAt"]
    count = entry["Requested"] if ready else 0
    return {
        "RequestedProvisionedConcurrentExecutions": entry["Requested"],
        "AvailableProvisionedConcurrentExecutions": count,
        "AllocatedProvisionedConcurrentExecutions": count,
        "Status": "READY" if ready else "IN_PROGRESS",
        "LastModified": entry["LastModified"],
    }
