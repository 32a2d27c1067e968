"""A history is the same, moment for moment, however long a machine takes to play it."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from scenario.load import load
from scenario.variant import variant
from simulator.clock import LabClock
from simulator.functions import Environments
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.story import Story
from simulator.world import Lab, new_meta

START = datetime(2026, 11, 24, 6, tzinfo=UTC)
HISTORY = timedelta(hours=1)


def calls(wall: Callable[[], float]) -> list[tuple[Any, ...]]:
    """Return the calls of a history that is played while the wall clock says `wall`: when, what, and the hash of the answer."""
    scenario = load("lambda-malicious-ip")
    values = variant(scenario, "a-seed", None, HISTORY)
    meta = new_meta(
        seed="a-seed", account_id=values.account_id, scenario_id=scenario.id, ip=None, history=1, versions={}
    )
    environments = Environments()
    lab = Lab(
        meta=meta,
        journal=Journal.create(None, meta),
        moto=Moto(),
        environments=environments,
        clock=LabClock(wall),
    )
    try:
        Story(lab, scenario, values, START).play()
        return [
            (entry.at, entry.body, entry.blob, entry.digest) for entry in lab.journal.entries() if entry.kind == "call"
        ]
    finally:
        lab.close()
        environments.close()


def test_a_slow_machine_plays_the_same_history() -> None:
    """On one the clock stands, on the other a second goes by whenever somebody looks at it."""
    now = (START + HISTORY).timestamp()
    ticking = itertools.count()
    quick, slow = calls(lambda: now), calls(lambda: now - 3600 + next(ticking))
    assert len(quick) > 50
    assert slow == quick
    assert quick[0][0] == (START + timedelta(seconds=5)).timestamp() * 1000
