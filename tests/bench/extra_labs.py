"""Print how many MB one more lab in the same process costs, with the account set up and an hour of history."""

import gc
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scenario.load import load
from scenario.variant import variant
from simulator.functions import Environments
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.story import Story, start_of
from simulator.world import Lab, new_meta

COUNT = 6


def resident() -> float:
    """Return this process's resident memory in MB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text("utf-8").split()[1]) * 4096 / 2**20


def make(seed: str, moto: Moto, environments: Environments) -> Lab:
    """Return a lab with an hour of history, its journal in memory."""
    scenario, history = load("lambda-malicious-ip"), timedelta(hours=1)
    values = variant(scenario, seed, None, history)
    meta = new_meta(seed=seed, account_id=values.account_id, scenario_id=scenario.id, ip=None, history=1, versions={})
    lab = Lab(meta=meta, journal=Journal.create(None, meta), moto=moto, environments=environments)
    with lab.lock, lab.journal.one_piece():
        Story(lab, scenario, values, start_of(datetime.now(UTC), history)).play()
    return lab


def main() -> None:
    """Make a few labs, then a few more, and print the average growth."""
    moto, environments = Moto(), Environments()
    labs = [make(f"warm-{number}", moto, environments) for number in range(2)]
    before = resident()
    labs += [make(f"more-{number}", moto, environments) for number in range(COUNT)]
    print(f"{(resident() - before) / COUNT:.2f}")
    environments.close()


if __name__ == "__main__":
    main()
