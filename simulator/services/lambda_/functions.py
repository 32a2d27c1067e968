"""Functions: create, read, update, delete, list."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from simulator.service import Context
from simulator.services.lambda_ import code, names
from simulator.services.lambda_.configure import check_tags, configure
from simulator.services.lambda_.interfaces import Interfaces
from simulator.services.lambda_.names import LATEST
from simulator.services.lambda_.shapes import configuration, created, listed, page, policy_text, updated
from simulator.services.lambda_.state import (
    CREATING,
    CREATING_IN_VPC,
    UPDATING,
    Code,
    Config,
    Function,
    Shape,
    Version,
)


class Functions(Interfaces):
    """Operations on functions and their code."""

    def create_function(
        self, ctx: Context, *, FunctionName: str, Role: str, Code: Shape, Publish: bool = False, **given: Any
    ) -> Shape:
        """Create a function. Raises ResourceConflictException where its name is taken."""
        named = names.reference(ctx, "CreateFunction", FunctionName)
        if (named.region, named.name) in self.by_name:
            raise names.conflict(f"Function already exist: {named.name}")
        if given.get("PackageType") != "Image" and not (given.get("Runtime") and given.get("Handler")):
            raise names.invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        tags = dict(given.get("Tags") or {})
        check_tags(ctx, tags, {})
        config = configure(ctx, None, {**given, "Role": Role})
        package = code.fetch(ctx, Code)
        taking = CREATING_IN_VPC if config.vpc else CREATING
        latest = Version(
            number=LATEST,
            config=config,
            code=package,
            revision_id=ctx.ids.uuid4(),
            last_modified=created(ctx.now),
            active_from=ctx.now + taking,
        )
        function = Function(
            name=named.name,
            region=named.region,
            account_id=ctx.account_id,
            latest=latest,
            tags=tags,
        )
        self.by_name[named.region, named.name] = function
        self._warm(ctx, function)
        if config.vpc:
            self._attach_later(ctx, function)
        if Publish:
            version = self.publish(ctx, function)
            return configuration(function, version, at=ctx.now)  # AWS answers with the ARN of the function
        return configuration(function, latest, at=ctx.now)

    def get_function(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Return configuration, a link to the code, tags and concurrency of a function."""
        function, version, qualifier = self.located(ctx, "GetFunction", FunctionName, Qualifier)
        answer: Shape = {
            "Configuration": configuration(function, version, qualifier=qualifier, at=ctx.now),
            "Code": {"RepositoryType": "S3", "Location": self._location(version.code)},
        }
        if function.tags:
            answer["Tags"] = dict(function.tags)
        if function.reserved is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
        return answer

    def get_function_configuration(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Return the configuration of a function, version or alias."""
        function, version, qualifier = self.located(ctx, "GetFunctionConfiguration", FunctionName, Qualifier)
        return configuration(function, version, qualifier=qualifier, at=ctx.now)

    def update_function_code(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        Publish: bool = False,
        DryRun: bool = False,
        RevisionId: str | None = None,
        Architectures: list[str] | None = None,
        **source: Any,
    ) -> Shape:
        """Replace the code of `$LATEST`. With DryRun everything is checked and nothing is changed."""
        function, _ = self.found(ctx, "UpdateFunctionCode", FunctionName)
        latest = function.latest
        self._check_revision(ctx, latest, RevisionId)
        package = code.fetch(ctx, source)
        config = replace(latest.config, architecture=Architectures[0]) if Architectures else latest.config
        if DryRun:
            shape = configuration(function, latest, at=ctx.now)
            return {**shape, "CodeSha256": package.sha256, "CodeSize": package.size}
        self._changed(ctx, function, config, package)
        if Publish:
            version = self.publish(ctx, function, active_from=ctx.now + CREATING)
            return configuration(function, version, qualifier=version.number, at=ctx.now)
        return configuration(function, latest, at=ctx.now)

    def update_function_configuration(
        self, ctx: Context, *, FunctionName: str, RevisionId: str | None = None, **given: Any
    ) -> Shape:
        """Change the configuration of `$LATEST`: what is not given stays."""
        function, _ = self.found(ctx, "UpdateFunctionConfiguration", FunctionName)
        self._check_revision(ctx, function.latest, RevisionId)
        before = function.latest.config.vpc
        config = configure(ctx, function.latest.config, given)
        self._changed(ctx, function, config, function.latest.code)
        if config.vpc != before:
            function.latest.updated_at = ctx.now + (CREATING_IN_VPC if config.vpc and config.vpc.vpc_id else UPDATING)
            self._attach_later(ctx, function)
        return configuration(function, function.latest, at=ctx.now)

    def delete_function(self, ctx: Context, *, FunctionName: str, Qualifier: str | None = None) -> Shape:
        """Delete a function with all that belongs to it, or with Qualifier one of its versions."""
        reference = names.reference(ctx, "DeleteFunction", FunctionName, Qualifier)
        qualifier = reference.qualifier
        if qualifier == LATEST:
            raise names.invalid("$LATEST version cannot be deleted without deleting the function.")
        if names.ALIAS.fullmatch(qualifier or ""):
            raise names.invalid("Deletion of aliases is not currently supported.")
        function = self.named(replace(reference, qualifier=None))
        if qualifier is None:
            del self.by_name[function.region, function.name]
            self.waiting = {
                key: entry
                for key, entry in self.waiting.items()
                if (entry.event.region, entry.event.function) != (function.region, function.name)
            }
            self._detach_later(ctx, function)
            self._forget(ctx, function)
        else:
            self._delete_version(function, qualifier)
        return {"StatusCode": 204}

    def list_functions(
        self,
        ctx: Context,
        *,
        MasterRegion: str | None = None,
        FunctionVersion: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> Shape:
        """Return functions by name, at most 50 a page; with FunctionVersion ALL every version of each.

        No function of a lab is a replica of Lambda@Edge, so MasterRegion narrows to those made in that Region.
        """
        functions = [
            function
            for (region, _), function in sorted(self.by_name.items())
            if region == ctx.region and MasterRegion in (None, "ALL", region)
        ]
        if FunctionVersion == "ALL":
            items = [
                (f"{function.name}:{version.number}", self._listed(function, version, version.number))
                for function in functions
                for version in function.all_versions()
            ]
        else:
            items = [(function.name, self._listed(function, function.latest, None)) for function in functions]
        return page(items, "Functions", Marker, MaxItems)

    def function_state(self, arn_or_name: str, at: datetime | None = None) -> Shape | None:
        """Return a function as GetFunctionConfiguration shows it, with ReservedConcurrentExecutions, Policy, Tags.

        For other services. Without `at` creation and updates are shown as settled, whatever the clock says.
        None where there is no such function.
        """
        found = self.at(arn_or_name)
        if found is None:
            return None
        function, version, qualifier = found
        shape = configuration(function, version, qualifier=qualifier, at=at)
        if function.reserved is not None:
            shape["ReservedConcurrentExecutions"] = function.reserved
        statements = function.policies.get(qualifier or LATEST)
        if statements:
            shape["Policy"] = policy_text(statements)
        return {**shape, "Tags": dict(function.tags)}

    def code_for(self, token: str) -> bytes | None:
        """Return the zip that a Code.Location of GetFunction stands for; None for a bad, old or forgotten one."""
        sha256 = code.opened(token, self._secret(), self.lab.clock.wall_ms() // 1000)
        for function in self.by_name.values():
            for version in function.all_versions():
                if version.code.sha256 == sha256:
                    return version.code.zip
        return None

    def publish(
        self,
        ctx: Context,
        function: Function,
        description: str | None = None,
        *,
        active_from: datetime | None = None,
    ) -> Version:
        """Return a new version made of `$LATEST`, or the last one where nothing has changed since.

        It is pending until `active_from`; without one, as long as `$LATEST` is.
        """
        latest = function.latest
        last = function.all_versions()[-1]
        if last is not latest and (last.code.sha256, last.source) == (latest.code.sha256, latest.config):
            return last
        key = (function.region, function.name)
        self.published[key] = number = self.published.get(key, 0) + 1
        text = description if description is not None else latest.config.description
        version = Version(
            number=str(number),
            config=replace(latest.config, description=text),
            code=latest.code,
            revision_id=ctx.ids.uuid4(),
            last_modified=latest.last_modified,
            active_from=active_from or latest.active_from,
            source=latest.config,
        )
        function.versions[version.number] = version
        latest.revision_id = ctx.ids.uuid4()
        return version

    def _changed(self, ctx: Context, function: Function, config: Config, package: Code) -> None:
        latest = function.latest
        latest.config, latest.code = config, package
        latest.revision_id = ctx.ids.uuid4()
        latest.last_modified = updated(ctx.now)
        latest.updated_at = ctx.now + UPDATING
        latest.update_failed = ""
        self._warm(ctx, function)

    def _delete_version(self, function: Function, number: str) -> None:
        using = [alias.name for alias in function.aliases.values() if number in (alias.version, *alias.weights)]
        if using:
            raise names.conflict(f"The following reference aliases still exist: [{', '.join(sorted(using))}]")
        if function.versions.pop(number, None) is not None:
            function.policy_revisions.pop(number, None)
            for settings in (function.policies, function.event_configs, function.provisioned, function.runtime_updates):
                settings.pop(number, None)

    def _location(self, package: Code) -> str:
        expires = self.lab.clock.wall_ms() // 1000 + code.VALID_SECONDS
        token = code.token(self.lab.account_id, self._secret(), package.sha256, expires)
        return f"{self.lab.endpoint_url}/_lambda/code/{token}"

    def _secret(self) -> str:
        return f"{self.lab.lab_id}/{self.lab.seed}/lambda-code"

    @staticmethod
    def _listed(function: Function, version: Version, qualifier: str | None) -> Shape:
        """Return how lists show a version: the same one until its revision is another."""
        of = version.revision_id, qualifier
        if version.listed is None or version.listed[0] != of:
            version.listed = of, listed(configuration(function, version, qualifier=qualifier))
        return version.listed[1]

    @staticmethod
    def _check_revision(ctx: Context, version: Version, revision_id: str | None) -> None:
        if revision_id is not None and revision_id != version.revision(ctx.now):
            raise names.stale("GetFunction/GetAlias")
