"""`lab check` in a lab with a long journal, against a script that makes the same calls: the ratio must not grow with the journal."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulator.client import required
from simulator.home import Home
from tests.bench.measure import Row, paired

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ENTRIES = 10_000


def check_with_a_long_journal() -> list[Row]:
    """`lab check` with 10,000 entries in the journal, against the same calls by boto3."""
    with _lab() as told:
        _fill(told)
        env = {**os.environ, "LAB_HOME": told["home"]}
        script = str(ROOT / "tests" / "bench" / "same_calls.py")
        mine, other = paired(
            lambda: _run([str(BIN / "lab"), "check", "--no-input"], env=env, code=1),
            lambda: _run([sys.executable, script, json.dumps(told)], env=env),
            runs=5,
        )
    against = "a boto3 script that makes the same calls"
    return [Row(what=f"lab check, {ENTRIES:,} journal entries", against=against, mine=mine, other=other, budget=1.5)]


MEASURES: tuple[Callable[[], list[Row]], ...] = (check_with_a_long_journal,)


def _fill(told: dict[str, Any]) -> None:
    """Make calls until the journal has its entries: reads and changes, by the account's owner."""
    import boto3

    control = required(Home(Path(told["home"])))
    running = control.running
    session = boto3.session.Session(
        aws_access_key_id=running.owner_access_key_id,
        aws_secret_access_key=running.owner_secret_access_key,
        aws_session_token=running.owner_session_token,
        region_name=running.region,
    )
    iam, sqs = (session.client(name, endpoint_url=running.endpoint_url) for name in ("iam", "sqs"))
    url = sqs.create_queue(QueueName="filler")["QueueUrl"]
    while control.get("/_lab/status")["entries"] < ENTRIES:
        sqs.send_message(QueueUrl=url, MessageBody="filler")
        for _ in range(100):
            iam.list_roles(MaxItems=1)


@contextmanager
def _lab() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as home:
        env = {**os.environ, "LAB_HOME": home}
        told = json.loads(_run([str(BIN / "lab"), "start", "--port", "0", "--seed", "bench", "--json"], env=env).stdout)
        try:
            yield {**told, "home": home}
        finally:
            _run([str(BIN / "lab"), "stop"], env=env)


def _run(command: list[str], *, env: dict[str, str], code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != code:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done
