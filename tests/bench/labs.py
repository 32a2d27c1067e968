"""The labs that are measured: each a real one, started by the `lab` command in a folder of its own."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAB = str(Path(sys.executable).parent / "lab")


def run(command: list[str], *, home: str | Path | None = None, code: int = 0) -> str:
    """Run a command, on the lab of `home`, and return what it prints. Raises RuntimeError for another exit code than `code`."""
    env = {**os.environ, "LAB_HOME": str(home)} if home else None
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != code:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


@contextmanager
def lab(*options: str) -> Iterator[dict[str, Any]]:
    """Start a new lab and give what `lab start --json` tells, with its `home`; end and forget it afterwards."""
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as home:
        told = run([LAB, "start", "--port", "0", "--seed", "bench", "--json", *options], home=home)
        try:
            yield {**json.loads(told), "home": home}
        finally:
            run([LAB, "stop"], home=home)
