"""Whether costs grow linearly with their cause: twice as much of it, against twice the cost of once as much."""

import time
from datetime import timedelta

from tests.bench.extra_labs import make
from tests.bench.measure import Row

DAYS = 5


def history() -> list[Row]:
    """A second stretch of lab time against the first one: each tick costs what the ones before it did, in processor time."""
    from simulator.functions import Environments
    from simulator.services.moto import Moto

    environments = Environments()
    try:
        lab = make("growth", Moto(), environments)
        lab.advance(timedelta(days=1))
        taken = []
        for _ in range(2):
            began = time.process_time()
            lab.advance(timedelta(days=DAYS))
            taken.append((time.process_time() - began) * 1000)
    finally:
        environments.close()
    what = f"lab time, the second {DAYS} days of ticks (CPU)"
    return [Row(what=what, against="the first ones, in the same lab", mine=taken[1], other=taken[0], budget=1.25)]


MEASURES = (history,)
