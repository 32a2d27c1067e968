"""Tags, and the parts of Lambda of which a lab has none: layers and code signing."""

from simulator.errors import AwsError
from simulator.service import Context
from simulator.services.lambda_ import names
from simulator.services.lambda_.configure import check_tags
from simulator.services.lambda_.settings import Settings
from simulator.services.lambda_.state import Shape


class Tags(Settings):
    """Operations on tags, and honest answers about layers and code signing configurations."""

    def tag_resource(self, ctx: Context, *, Resource: str, Tags: dict[str, str]) -> Shape:
        """Add tags to a function or an event source mapping."""
        held = self._tags(ctx, "TagResource", Resource)
        if not Tags:
            raise names.invalid("An error occurred and the request cannot be processed.")
        check_tags(ctx, Tags, held)
        held.update(Tags)
        self._tagged(ctx, Resource)
        return {}

    def untag_resource(self, ctx: Context, *, Resource: str, TagKeys: list[str]) -> Shape:
        """Remove tags; those that are not there are ignored."""
        held = self._tags(ctx, "UntagResource", Resource)
        for key in TagKeys:
            held.pop(key, None)
        self._tagged(ctx, Resource)
        return {}

    def list_tags(self, ctx: Context, *, Resource: str) -> Shape:
        """Return the tags of a function or an event source mapping."""
        return {"Tags": dict(self._tags(ctx, "ListTags", Resource))}

    def get_function_code_signing_config(self, ctx: Context, *, FunctionName: str) -> Shape:
        """Return nothing: no function of a lab has a code signing configuration."""
        self.found(ctx, "GetFunctionCodeSigningConfig", FunctionName)
        return {}

    def delete_function_code_signing_config(self, ctx: Context, *, FunctionName: str) -> Shape:
        """Find nothing to remove."""
        self.found(ctx, "DeleteFunctionCodeSigningConfig", FunctionName)
        return {}

    def put_function_code_signing_config(self, ctx: Context, *, FunctionName: str, CodeSigningConfigArn: str) -> Shape:
        """Raise AwsError: there is no such configuration."""
        self.found(ctx, "PutFunctionCodeSigningConfig", FunctionName)
        raise AwsError(
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. Check that the provided code signing configuration is "
            f"not deleted: {CodeSigningConfigArn}.",
            Type="User",
        )

    def list_code_signing_configs(
        self, ctx: Context, *, Marker: str | None = None, MaxItems: int | None = None
    ) -> Shape:
        """Return none."""
        return {"CodeSigningConfigs": []}

    def get_code_signing_config(self, ctx: Context, *, CodeSigningConfigArn: str) -> Shape:
        """Raise AwsError: there is none."""
        raise names.missing(f"The code signing configuration {CodeSigningConfigArn} cannot be found.")

    def list_layers(
        self,
        ctx: Context,
        *,
        CompatibleArchitecture: str | None = None,
        CompatibleRuntime: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> Shape:
        """Return none: layers cannot be published in a lab."""
        return {"Layers": []}

    def list_layer_versions(
        self,
        ctx: Context,
        *,
        LayerName: str,
        CompatibleArchitecture: str | None = None,
        CompatibleRuntime: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> Shape:
        """Return none, as AWS does for a layer that is not there."""
        return {"LayerVersions": []}

    def get_layer_version(self, ctx: Context, *, LayerName: str, VersionNumber: int) -> Shape:
        """Raise AwsError: there is none."""
        raise names.missing("The resource you requested does not exist.")

    def get_layer_version_by_arn(self, ctx: Context, *, Arn: str) -> Shape:
        """Raise AwsError: there is none."""
        raise names.missing("The resource you requested does not exist.")

    def get_layer_version_policy(self, ctx: Context, *, LayerName: str, VersionNumber: int) -> Shape:
        """Raise AwsError: there is none."""
        raise names.missing("No policy is associated with the given resource.")

    def _tagged(self, ctx: Context, resource: str) -> None:
        found = self.at(resource)
        if found is not None:
            found[1].revision_id = ctx.ids.uuid4()

    def _tags(self, ctx: Context, action: str, resource: str) -> dict[str, str]:
        if ":event-source-mapping:" in resource:
            mapping = self.mappings.get(resource.rsplit(":", 1)[-1].lower())
            if mapping is None or mapping["EventSourceMappingArn"].lower() != resource.lower():
                raise names.missing(f"Event source mapping not found: {resource}")
            return self.mapping_tags.setdefault(mapping["UUID"], {})
        if ":function:" not in resource:
            raise names.missing("The resource you requested does not exist.")
        reference = names.reference(ctx, action, resource)
        if reference.qualifier:
            raise names.invalid(
                "Tags on function aliases and versions are not supported. Please specify a function ARN."
            )
        return self.named(reference).tags
