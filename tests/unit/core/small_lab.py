"""A lab without a history, in this process: for tests of what every lab has."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.clock import LabClock
from simulator.functions import Environments, FunctionSpec, Invocation, Outcome
from simulator.identity import Principal
from simulator.journal import Journal
from simulator.services.moto import Moto
from simulator.world import Ask, Done, Lab, new_meta

ACCOUNT = "486547846362"
OWNER = Principal(
    type="Root", account_id=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", principal_id=ACCOUNT, name="root"
)
META = new_meta(seed="s", account_id=ACCOUNT, scenario_id="none", ip=None, history=0.0, versions={})


class NoCode(Environments):
    """Runs nothing: every function returns null at once and connects to nothing. Counts its runs."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = 0

    def prepare(self, spec: FunctionSpec) -> None:
        """Start nothing."""

    def run(self, spec: FunctionSpec, invocation: Invocation) -> Outcome:
        """Return that the run went well."""
        self.runs += 1
        return Outcome(
            status="ok", payload=b"null", log="", duration_ms=2.0, init_ms=None, max_memory_mb=40, connections=()
        )


def open_lab(path: Path | None = None, *, wall: Callable[[], float] = time.time, moto: Moto | None = None) -> Lab:
    """Return the lab of the journal at `path`, replayed; a new one where there is none."""
    if path is not None and path.exists() and not _is_made(path):
        path.unlink()  # its making was interrupted, before anybody was told of it
    journal = Journal.open(path) if path is not None and path.exists() else Journal.create(path, META)
    lab = Lab(meta=META, journal=journal, moto=moto or Moto(), environments=NoCode(), clock=LabClock(wall))
    lab.replay()
    return lab


def _is_made(path: Path) -> bool:
    journal = Journal.open(path)
    meta = journal.meta()
    journal.close()
    return bool(meta)


def ask(lab: Lab, service: str, operation: str, **params: Any) -> Done:
    """Return what the lab answers to its owner."""
    return lab.ask(Ask(service=service, operation=operation, params=params, principal=OWNER))


def made(lab: Lab, service: str, operation: str, **params: Any) -> dict[str, Any]:
    """Return the result of a call that must go well."""
    done = ask(lab, service, operation, **params)
    assert done.error is None, done.error
    return done.result or {}
