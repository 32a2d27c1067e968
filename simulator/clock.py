"""Lab time: one clock a lab, never behind the wall clock unless the lab is paused on purpose.

Bodies of answers carry lab time. HTTP Date, signatures and the expiry of credentials follow the wall clock,
so that clients agree.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def milliseconds(moment: datetime) -> int:
    """Return `moment` in milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """Return the aware UTC datetime of `ms` milliseconds since 1970."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


class LabClock:
    """The time of one lab: the wall clock plus an offset, never before what was already stamped.

    `wall` returns seconds since 1970; tests hand in their own.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.offset_ms = 0
        self.last_ms = 0
        self.frozen_ms: int | None = None

    def wall_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970."""
        return int(self._wall() * 1000)

    def now(self) -> datetime:
        """Return lab time, aware, UTC, in whole milliseconds."""
        return moment(self.now_ms())

    def now_ms(self) -> int:
        """Return lab time in milliseconds since 1970."""
        if self.frozen_ms is not None:
            return max(self.frozen_ms, self.last_ms)
        return max(self.wall_ms() + self.offset_ms, self.last_ms)

    def stamp(self, at: datetime) -> None:
        """Note that something was stamped `at`: lab time does not go back before it."""
        self.last_ms = max(self.last_ms, milliseconds(at))

    def set(self, at: datetime) -> None:
        """Make it `at` now and let time go on from there. What was stamped already stays the earliest `now`."""
        if self.frozen_ms is not None:
            self.frozen_ms = milliseconds(at)
        else:
            self.offset_ms = milliseconds(at) - self.wall_ms()

    def advance(self, by: timedelta) -> datetime:
        """Move lab time on by `by` and return the new lab time."""
        self.set(self.now() + by)
        return self.now()

    def freeze(self) -> None:
        """Pause: time stands still until `thaw` or an advance."""
        self.frozen_ms = self.now_ms()

    def thaw(self) -> None:
        """Go on from where the clock stands, or from the wall clock where that is later."""
        if self.frozen_ms is not None:
            ahead = self.frozen_ms - self.wall_ms()
            self.frozen_ms = None
            self.offset_ms = max(ahead, 0)
