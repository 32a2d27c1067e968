"""Power fails at any moment: what was acknowledged is there, nothing is half made, and the answers are what they were."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("journal_fire.py")
KILLS = 200


@pytest.mark.timeout(1500)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="labs are opened in forks")
def test_two_hundred_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """SIGKILL at random moments under four writing clients, while opening and at rest too; each restart is compared."""
    environ = {**os.environ, "PYTHONPATH": str(PROGRAM.parents[2]), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), str(KILLS), "kills"], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["wrong"] == []
    assert seen["kills"] == KILLS
    assert seen["writes"] > 5 * KILLS
    assert seen["compared"] > KILLS / 20
    assert seen["killed_opening"] > 0
