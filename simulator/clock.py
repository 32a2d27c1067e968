"""Lab time: one clock a lab, never behind the wall clock unless the lab is paused on purpose.

Bodies of answers carry lab time. HTTP Date, signatures and the expiry of credentials follow the wall clock,
so that clients agree. A wall clock that is set back does not take lab time with it: the lab goes on from where it was.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any


def milliseconds(moment: datetime) -> int:
    """Return `moment` in milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def moment(ms: int) -> datetime:
    """Return the aware UTC datetime of `ms` milliseconds since 1970."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


class LabClock:
    """The time of one lab: the wall clock plus an offset, never before what was already stamped.

    `wall` returns seconds since 1970; tests hand in their own. While `held`, it stands at what was stamped last. While
    `replaying`, the wall clock says what it said when the entry was made: what follows it, such as when credentials
    expire, is what it was.
    """

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.wall_seen_ms = 0
        self.offset_ms = 0
        self.last_ms = 0
        self.frozen_ms: int | None = None
        self.held = False
        self.replaying = False

    @property
    def paused(self) -> bool:
        """Whether time stands still until it is let go on."""
        return self.frozen_ms is not None

    def wall_ms(self) -> int:
        """Return the wall clock in milliseconds since 1970. Where it was set back, lab time is moved as far from it."""
        if self.replaying:
            return self.wall_seen_ms
        now = int(self._wall() * 1000)
        if now < self.wall_seen_ms:
            self.offset_ms += self.wall_seen_ms - now
        self.wall_seen_ms = now
        return now

    def saw_wall(self, ms: int) -> None:
        """Note what the wall clock said when an entry was made that is replayed."""
        self.wall_seen_ms = ms

    def now(self) -> datetime:
        """Return lab time, aware, UTC, in whole milliseconds."""
        return moment(self.now_ms())

    def now_ms(self) -> int:
        """Return lab time in milliseconds since 1970."""
        if self.held:
            return self.last_ms
        if self.frozen_ms is not None:
            return max(self.frozen_ms, self.last_ms)
        wall = self.wall_ms()  # may move the offset
        return max(wall + self.offset_ms, self.last_ms)

    def stamp(self, at: datetime) -> None:
        """Note that something was stamped `at`: lab time does not go back before it."""
        self.last_ms = max(self.last_ms, milliseconds(at))

    def set(self, at: datetime) -> None:
        """Make it `at` now and let time go on from there. What was stamped already stays the earliest `now`."""
        if self.frozen_ms is not None:
            self.frozen_ms = milliseconds(at)
        else:
            wall = self.wall_ms()
            self.offset_ms = milliseconds(at) - wall

    def freeze(self) -> None:
        """Pause: time stands still until `thaw` or an advance."""
        self.frozen_ms = self.now_ms()

    def stand_still(self) -> None:
        """Pause at what was stamped last, whatever time it is."""
        self.frozen_ms = self.last_ms

    def thaw(self) -> None:
        """Go on from where the clock stands, or from the wall clock where that is later."""
        self.last_ms = self.now_ms()
        self.frozen_ms = None
        self.keep_up()

    def keep_up(self) -> None:
        """Let lab time not be behind the wall clock, nor stand until the wall clock gets to what was stamped last."""
        wall = self.wall_ms()
        self.offset_ms = max(self.offset_ms, self.last_ms - wall, 0)

    def state(self) -> dict[str, Any]:
        """Return what an entry keeps of the clock; `restore` takes it back."""
        return {"offset": self.offset_ms, "frozen": self.frozen_ms}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set the clock as it was when `state` was kept."""
        self.offset_ms, self.frozen_ms = int(state["offset"]), state.get("frozen")
