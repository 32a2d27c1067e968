"""Timing two things side by side: in turn, so that a machine that speeds up or slows down does so for both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what was measured, what it is held against, medians in milliseconds, and what is hoped for.

    `unit` names another unit where it is not a time. `budget` is the ratio to stay under, None where there is none.
    """

    what: str
    against: str
    mine: float
    other: float
    budget: float | None = None
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """Return how many times as much as the other."""
        return self.mine / self.other if self.other else float("inf")


def paired(mine: Callable[[], object], other: Callable[[], object], *, runs: int) -> tuple[float, float]:
    """Return the median milliseconds of each, run in turn `runs` times after one that does not count."""
    return in_turn(_timed(mine), _timed(other), runs=runs)


def in_turn(mine: Callable[[], float], other: Callable[[], float], *, runs: int) -> tuple[float, float]:
    """Do the same with works that time themselves: each returns the milliseconds of the part of it that counts."""
    times: tuple[list[float], list[float]] = ([], [])
    for index in range(runs + 1):
        for work, taken in zip((mine, other), times, strict=True):
            told = work()
            if index:
                taken.append(told)
    return statistics.median(times[0]), statistics.median(times[1])


def since(began: float) -> float:
    """Return the milliseconds since `began`, a value of `time.perf_counter`."""
    return (time.perf_counter() - began) * 1000


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        began = time.perf_counter()
        work()
        return since(began)

    return timed


def heading() -> str:
    """Return the line above the rows."""
    return f"{'what':<52} {'mine':>10} {'other':>10} {'ratio':>7} {'budget':>7}  held against"


def table(rows: list[Row]) -> str:
    """Return the rows as text, a line each; `!` marks one that is over its budget."""
    lines = []
    for row in rows:
        budget = f"{row.budget:.2f}" if row.budget is not None else "-"
        flag = " " if row.budget is None or row.ratio <= row.budget else "!"
        lines.append(
            f"{row.what:<52} {row.mine:>8.1f}{row.unit:>2} {row.other:>8.1f}{row.unit:>2} {row.ratio:>7.2f} {budget:>7}{flag} {row.against}"
        )
    return "\n".join(lines)
