"""Authorisation: may this principal make this call?"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.service import Context
    from simulator.world import Lab


def authorise(lab: "Lab", ctx: "Context", service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise AwsError AccessDenied where the principal's policies do not allow the call."""
