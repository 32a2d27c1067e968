"""What all parts of the service stand on: the detectors, and how late this lab's findings show."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from simulator.clock import milliseconds
from simulator.detection import Lags
from simulator.identity import Ids
from simulator.service import Context, Service
from simulator.services.guardduty.errors import INVALID_VALUE, not_owned
from simulator.services.guardduty.state import Detector

if TYPE_CHECKING:
    from simulator.world import Lab

CREATED_AFTER_MS = 368_000
UPDATED_AFTER_MS = 250_000
"""Observed: 6 min 08 s and 4 min 10 s (docs/aws-facts.md, part 0); a lab's own lie up to 20 s beside them."""


class Base(Service):
    """State of the service: one detector a region."""

    name: ClassVar[str] = "guardduty"
    validation_error: ClassVar[tuple[str, str | None]] = ("BadRequestException", INVALID_VALUE)

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.detectors: dict[str, Detector] = {}
        ids = Ids.of(lab.seed, "guardduty", "lags")
        self.lags = Lags(
            created=CREATED_AFTER_MS + ids.randrange(-20_000, 20_000),
            updated=UPDATED_AFTER_MS + ids.randrange(-20_000, 20_000),
        )

    def detector(self, ctx: Context, detector_id: str) -> Detector:
        """Return the region's detector if that is its id. Raises BadRequestException otherwise."""
        found = self.detectors.get(ctx.region)
        if found is None or found.id != detector_id:
            raise not_owned()
        return found


def now_ms(ctx: Context) -> int:
    """Return the context's lab time in milliseconds since 1970."""
    return milliseconds(ctx.now)
