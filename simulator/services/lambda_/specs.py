"""State -> what the execution environment needs in order to run a version."""

from simulator.functions import FunctionSpec
from simulator.service import Context
from simulator.services.lambda_.base import Base
from simulator.services.lambda_.state import Function, Version


class Specs(Base):
    """Builds the specifications of executable functions, and keeps environments warm."""

    def spec(self, function: Function, version: Version) -> FunctionSpec:
        """Return the specification of a version."""
        config = version.config
        return FunctionSpec(
            key=self._key(function, version),
            code_zip=version.code.zip,
            code_sha256=version.code.sha256,
            runtime=config.runtime,
            handler=config.handler,
            timeout_s=config.timeout,
            memory_mb=config.memory,
            environment=dict(config.environment or {}),
            function_name=function.name,
            function_arn=function.arn(),
            version=version.number,
            log_group=config.logging.get("LogGroup", f"/aws/lambda/{function.name}"),
            region=function.region,
            account_id=function.account_id,
        )

    def what_may_run(self, function_arn: str) -> list[str]:
        """Return the ARNs of all that an invocation may run: an alias with weights means several versions."""
        found = self.at(function_arn)
        if found is None:
            return []
        function, version, qualifier = found
        alias = function.aliases.get(qualifier or "")
        others = [number for number in alias.weights if number in function.versions] if alias else []
        return [function_arn, *(function.arn(number) for number in others if number != version.number)]

    def rehearsal(self, function_arn: str) -> FunctionSpec | None:
        """Return what would run were the function, version or alias invoked now; None where there is none."""
        found = self.at(function_arn)
        return self.spec(found[0], found[1]) if found else None

    def _key(self, function: Function, version: Version) -> str:
        return f"{self.lab.lab_id}/{function.region}/{function.name}/{version.number}"

    def _warm(self, ctx: Context, function: Function) -> None:
        version = function.latest
        ctx.after(lambda process: self.lab.environments.prepare(self.spec(function, version)))

    def _forget(self, ctx: Context, function: Function) -> None:
        keys = [self._key(function, version) for version in function.all_versions()]

        def forget(process: Context) -> None:
            for key in keys:
                self.lab.environments.forget(key)

        ctx.after(forget)
