"""What the journal costs: a start with thousands of changes to play again, and a change that is durable before its answer."""

import itertools
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import trainee
from tests.bench.labs import LAB, run
from tests.bench.measure import Row, in_turn, paired, since
from tests.contract.labs import trust
from tests.unit.core.small_lab import made, open_lab

CHANGES = 5000
TRUST = trust("lambda.amazonaws.com")


def startup() -> list[Row]:
    """`lab start` on a lab in which 5,000 changes were made, against the same lab before them, and after half of them."""
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as folder:
        none, half, many = (Path(folder, name) for name in ("none", "half", "many"))
        run([LAB, "start", "--port", "0", "--seed", "bench", "--history", "1h"], home=none)
        run([LAB, "stop"], home=none)
        for fewer, more, first in ((none, half, 0), (half, many, CHANGES // 2)):
            shutil.copytree(fewer, more)
            run([LAB, "start", "--port", "0"], home=more)
            _make_changes(more, range(first, first + CHANGES // 2))
            run([LAB, "stop"], home=more)
        mine, other = in_turn(lambda: _start(many), lambda: _start(none), runs=3)
        longer, shorter = in_turn(lambda: _start(many), lambda: _start(half), runs=3)
    what = f"lab start with {CHANGES:,} journalled changes"
    return [
        Row(what=what, against="the same lab with none", mine=mine, other=other),
        Row(what=what, against="the same lab with half of them", mine=longer, other=shorter, budget=2.0),
    ]


def _start(home: Path) -> float:
    began = time.perf_counter()
    run([LAB, "start", "--port", "0"], home=home)
    taken = since(began)
    run([LAB, "stop"], home=home)
    return taken


def durable_write() -> list[Row]:
    """A change through the lab with its journal on disk, against the same in memory, and against the disk's bare fsync."""
    with (
        tempfile.TemporaryDirectory(prefix="lab-bench-") as folder,
        Path(folder, "bare").open("ab", buffering=0) as file,
    ):

        def bare() -> None:
            file.write(b"x" * 1024)
            os.fsync(file.fileno())

        memory, _ = _change_and(bare, None)
        disk, sync = _change_and(bare, Path(folder, "journal.db"))
    what = "a durable change (iam TagRole)"
    return [
        Row(what=what, against="the same without a file", mine=disk, other=memory),
        Row(what=what, against="a bare write and fsync of 1 KB", mine=disk, other=sync),
    ]


MEASURES: tuple[Callable[[], list[Row]], ...] = (startup, durable_write)


def _make_changes(home: Path, numbers: range) -> None:
    """Make changes of several services through boto3, from as many clients as the server has threads to spare."""
    from concurrent.futures import ThreadPoolExecutor

    told = json.loads(run([LAB, "env", "--shell", "json"], home=home))
    sqs, events, s3 = (trainee.client(told, name) for name in ("sqs", "events", "s3"))
    if numbers.start == 0:
        s3.create_bucket(Bucket="bench-bucket")
        sqs.create_queue(QueueName="bench")
    url = sqs.get_queue_url(QueueName="bench")["QueueUrl"]

    def change(number: int) -> None:
        if number % 3 == 0:
            s3.put_object(Bucket="bench-bucket", Key=str(number), Body=b"x" * 500)
        elif number % 3 == 1:
            sqs.tag_queue(QueueUrl=url, Tags={"number": str(number)})
        else:
            events.put_rule(Name=f"rule-{number % 90}", EventPattern='{"source": ["bench"]}', Description=str(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, numbers))


def _change_and(other: Callable[[], None], path: Path | None) -> tuple[float, float]:
    """Return the median milliseconds of a change in a lab of its own, which has moto's account to itself, and of `other`."""
    lab = open_lab(path)
    made(lab, "iam", "CreateRole", RoleName="role", AssumeRolePolicyDocument=TRUST)
    numbers = itertools.count()

    def tag() -> None:
        made(lab, "iam", "TagRole", RoleName="role", Tags=[{"Key": "n", "Value": str(next(numbers))}])

    taken = paired(tag, other, runs=300)
    lab.close()
    return taken
