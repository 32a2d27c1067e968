"""`lab check` against a script that makes the same calls: in a new lab, and in one with a long journal."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from simulator.client import required
from simulator.home import Home
from tests.bench.labs import LAB, ROOT, lab, run
from tests.bench.measure import Row, paired

ENTRIES = 10_000
SCRIPT = str(ROOT / "tests" / "bench" / "same_calls.py")


def check() -> list[Row]:
    """Both labs: the ratio must not grow with the journal."""
    with lab() as told:
        rows = [_row("lab check", told)]
        _fill(told)
        return [*rows, _row(f"lab check, {ENTRIES:,} journal entries", told)]


def _row(what: str, told: dict[str, Any]) -> Row:
    mine, other = paired(
        lambda: run([LAB, "check", "--no-input"], home=told["home"], code=1),
        lambda: run([sys.executable, SCRIPT, json.dumps(told)], home=told["home"]),
        runs=7,
    )
    return Row(what=what, against="a boto3 script that makes the same calls", mine=mine, other=other, budget=1.5)


def _fill(told: dict[str, Any]) -> None:
    """Make calls until the journal has its entries: reads and changes, by the account's owner."""
    import boto3

    control = required(Home.from_environment({"LAB_HOME": told["home"]}))
    running = control.running
    session = boto3.session.Session(
        aws_access_key_id=running.owner_access_key_id,
        aws_secret_access_key=running.owner_secret_access_key,
        aws_session_token=running.owner_session_token,
        region_name=running.region,
    )
    iam, sqs = (session.client(name, endpoint_url=running.endpoint_url) for name in ("iam", "sqs"))
    url = sqs.create_queue(QueueName="filler")["QueueUrl"]
    with ThreadPoolExecutor(4) as pool:  # as many as the server has threads to spare
        while (missing := ENTRIES - control.get("/_lab/status")["entries"]) > 0:
            sqs.send_message(QueueUrl=url, MessageBody="filler")
            list(pool.map(lambda _: iam.list_roles(MaxItems=1), range(min(missing, 500))))


MEASURES = (check,)
