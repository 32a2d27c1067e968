"""Published versions, and the aliases that point to them."""

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.lambda_ import names
from simulator.services.lambda_.functions import Functions
from simulator.services.lambda_.names import LATEST
from simulator.services.lambda_.shapes import alias_shape, configuration, page
from simulator.services.lambda_.state import Alias, Function, Shape


class Versions(Functions):
    """Operations on versions and aliases."""

    def publish_version(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        CodeSha256: str | None = None,
        Description: str | None = None,
        RevisionId: str | None = None,
        PublishTo: str | None = None,
    ) -> Shape:
        """Publish `$LATEST` as a version; the last version again where nothing has changed since."""
        function, _ = self.found(ctx, "PublishVersion", FunctionName)
        latest = function.latest
        if PublishTo:
            raise names.invalid("PublishTo is not supported in this lab.")
        if CodeSha256 and CodeSha256 != latest.code.sha256:
            raise names.invalid(
                f"CodeSHA256 ({CodeSha256}) is different from current CodeSHA256 in $LATEST ({latest.code.sha256}). "
                "Please try again with the CodeSHA256 in $LATEST."
            )
        self._check_revision(ctx, latest, RevisionId)
        version = self.publish(ctx, function, Description)
        return configuration(function, version, qualifier=version.number, at=ctx.now)

    def list_versions_by_function(
        self, ctx: Context, *, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
    ) -> Shape:
        """Return `$LATEST` and the published versions, oldest first, at most 50 a page."""
        function, _ = self.found(ctx, "ListVersionsByFunction", FunctionName)
        items = [
            (version.number, self._listed(function, version, version.number)) for version in function.all_versions()
        ]
        return page(items, "Versions", Marker, MaxItems)

    def create_alias(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        Name: str,
        FunctionVersion: str,
        Description: str = "",
        RoutingConfig: Shape | None = None,
    ) -> Shape:
        """Create an alias. Raises ResourceConflictException where the name is taken."""
        function, _ = self.found(ctx, "CreateAlias", FunctionName, FunctionVersion)
        if Name in function.aliases:
            raise names.conflict(f"Alias already exists: {function.arn(Name)}")
        alias = Alias(
            name=Name,
            version=FunctionVersion,
            description=Description,
            revision_id=ctx.ids.uuid4(),
            weights=_weights(function, FunctionVersion, RoutingConfig),
        )
        function.aliases[Name] = alias
        return alias_shape(function, alias)

    def get_alias(self, ctx: Context, *, FunctionName: str, Name: str) -> Shape:
        """Return an alias."""
        function, _ = self.found(ctx, "GetAlias", FunctionName)
        return alias_shape(function, _alias(function, Name))

    def update_alias(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        Name: str,
        FunctionVersion: str | None = None,
        Description: str | None = None,
        RoutingConfig: Shape | None = None,
        RevisionId: str | None = None,
    ) -> Shape:
        """Change an alias: what is not given stays."""
        function, _ = self.found(ctx, "UpdateAlias", FunctionName)
        if Name not in function.aliases:
            raise names.missing(f"Alias not found: {function.arn(Name)}")
        alias = function.aliases[Name]
        if RevisionId is not None and RevisionId != alias.revision_id:
            raise names.stale("GetFunction/GetAlias")
        version = FunctionVersion or alias.version
        routing = RoutingConfig if RoutingConfig is not None else {"AdditionalVersionWeights": alias.weights}
        alias.weights = _weights(function, version, routing)
        alias.version = version
        alias.description = alias.description if Description is None else Description
        alias.revision_id = ctx.ids.uuid4()
        return alias_shape(function, alias)

    def delete_alias(self, ctx: Context, *, FunctionName: str, Name: str) -> Shape:
        """Delete an alias with its policy and URL; one that is not there is deleted already."""
        function, _ = self.found(ctx, "DeleteAlias", FunctionName)
        if function.aliases.pop(Name, None) is not None:
            function.policy_revisions.pop(Name, None)
            for settings in (function.policies, function.event_configs, function.provisioned, function.urls):
                settings.pop(Name, None)
        return {}

    def list_aliases(
        self,
        ctx: Context,
        *,
        FunctionName: str,
        FunctionVersion: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> Shape:
        """Return the aliases by name, with FunctionVersion only those that point to it."""
        function, _ = self.found(ctx, "ListAliases", FunctionName)
        items = [
            (alias.name, alias_shape(function, alias))
            for _, alias in sorted(function.aliases.items())
            if FunctionVersion is None or FunctionVersion in (alias.version, *alias.weights)
        ]
        return page(items, "Aliases", Marker, MaxItems)


def _alias(function: Function, name: str) -> Alias:
    alias = function.aliases.get(name)
    if alias is None:
        raise names.missing(f"Cannot find alias arn: {function.arn(name)}")
    return alias


def _weights(function: Function, version: str, routing: Shape | None) -> dict[str, float]:
    """Return the shares of other versions. Raises AwsError for versions that are missing or cannot be combined."""
    weights = {key: float(value) for key, value in ((routing or {}).get("AdditionalVersionWeights") or {}).items()}
    if len(weights) > 1:
        raise names.invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if version == LATEST and weights:
        raise AwsError(
            "InvalidParameterValueException", "$LATEST is not supported for an alias pointing to more than 1 version"
        )
    for number in (version, *weights):
        if number != LATEST and number not in function.versions:
            raise names.missing(f"Function not found: {function.arn(number)}")
    if version in weights:
        raise names.invalid(
            f"Invalid function version {version}. Function version {version} is already included in routing configuration."
        )
    return weights
