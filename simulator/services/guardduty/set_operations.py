"""The operations on lists, by kind. They differ in names only: the work is in `sets`."""

from __future__ import annotations

from typing import Any

from simulator.service import Context
from simulator.services.guardduty.sets import Sets
from simulator.services.guardduty.state import SetKind


class SetOperations(Sets):
    """Twenty operations: create, get, list, update and delete for each kind of list."""

    def create_ip_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Create a trusted IP list and return its id."""
        return self.create_set(ctx, SetKind.IP, **params)

    def get_ip_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return a trusted IP list."""
        return self.get_set(ctx, SetKind.IP, **params)

    def list_ip_sets(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return the ids of the trusted IP lists."""
        return self.list_sets(ctx, SetKind.IP, **params)

    def update_ip_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Change, activate or deactivate a trusted IP list."""
        return self.update_set(ctx, SetKind.IP, **params)

    def delete_ip_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Delete a trusted IP list."""
        return self.delete_set(ctx, SetKind.IP, **params)

    def create_threat_intel_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Create a threat IP list and return its id."""
        return self.create_set(ctx, SetKind.THREAT_INTEL, **params)

    def get_threat_intel_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return a threat IP list."""
        return self.get_set(ctx, SetKind.THREAT_INTEL, **params)

    def list_threat_intel_sets(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return the ids of the threat IP lists."""
        return self.list_sets(ctx, SetKind.THREAT_INTEL, **params)

    def update_threat_intel_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Change, activate or deactivate a threat IP list."""
        return self.update_set(ctx, SetKind.THREAT_INTEL, **params)

    def delete_threat_intel_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Delete a threat IP list."""
        return self.delete_set(ctx, SetKind.THREAT_INTEL, **params)

    def create_threat_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Create a threat entity list and return its id."""
        return self.create_set(ctx, SetKind.THREAT_ENTITY, **params)

    def get_threat_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return a threat entity list."""
        return self.get_set(ctx, SetKind.THREAT_ENTITY, **params)

    def list_threat_entity_sets(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return the ids of the threat entity lists."""
        return self.list_sets(ctx, SetKind.THREAT_ENTITY, **params)

    def update_threat_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Change, activate or deactivate a threat entity list."""
        return self.update_set(ctx, SetKind.THREAT_ENTITY, **params)

    def delete_threat_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Delete a threat entity list."""
        return self.delete_set(ctx, SetKind.THREAT_ENTITY, **params)

    def create_trusted_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Create a trusted entity list and return its id."""
        return self.create_set(ctx, SetKind.TRUSTED_ENTITY, **params)

    def get_trusted_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return a trusted entity list."""
        return self.get_set(ctx, SetKind.TRUSTED_ENTITY, **params)

    def list_trusted_entity_sets(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Return the ids of the trusted entity lists."""
        return self.list_sets(ctx, SetKind.TRUSTED_ENTITY, **params)

    def update_trusted_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Change, activate or deactivate a trusted entity list."""
        return self.update_set(ctx, SetKind.TRUSTED_ENTITY, **params)

    def delete_trusted_entity_set(self, ctx: Context, **params: Any) -> dict[str, Any]:
        """Delete a trusted entity list."""
        return self.delete_set(ctx, SetKind.TRUSTED_ENTITY, **params)
