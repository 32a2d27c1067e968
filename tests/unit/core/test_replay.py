"""A lab rebuilt from its journal is the same lab, whatever was done in it and however often it is rebuilt."""

import itertools
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings

from simulator import state
from simulator.identity import Principal
from simulator.world import Ask, Lab
from tests.unit.core.random_calls import EVERY_CALL, SEQUENCES, Step
from tests.unit.core.small_lab import ACCOUNT, NoCode, ask, made, open_lab


def play(lab: Lab, steps: list[Step | int]) -> None:
    """Make the calls, whatever is answered, and let time go by where a step is a number of seconds."""
    for step in steps:
        if isinstance(step, int):
            lab.advance(timedelta(seconds=step))
        else:
            service, operation, params = step
            done = ask(lab, service, operation, **params)
            assert done.error is None or done.error.code != "InternalFailure", (step, done.error)


def state_of(lab: Lab) -> dict[str, str]:
    """Return what the lab answers to every read, by the read's name."""
    with lab.lock:
        lab.clock.held = True
        told = dict(state.answers(lab))
        lab.clock.held = False
    return told


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return the reads that are answered differently."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


@given(steps=SEQUENCES)
@settings(max_examples=settings().max_examples // 3)
def test_any_sequence_of_calls_replays_to_the_same_state(steps: list[Step | int]) -> None:
    """Every answer of a replay, hours later by the wall clock, has the digest it had, and every read says the same."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        lab = open_lab(path, wall=lambda: 1_800_000_000.0)
        play(lab, steps)
        before = state_of(lab)
        lab.close()
        again = open_lab(path, wall=lambda: 1_800_090_000.5)
        assert again.differences == []
        assert differing(before, state_of(again)) == []
        again.close()


def test_every_kind_of_call_replays_to_the_same_state(tmp_path: Path) -> None:
    """All calls that the random sequences draw from, in their order, with time between them; no function runs in the replay."""
    path = tmp_path / "journal.db"
    lab = open_lab(path)
    play(lab, [step for call in EVERY_CALL for step in (call, 61)])
    before = state_of(lab)
    assert isinstance(lab.environments, NoCode) and lab.environments.runs > 3
    lab.close()
    again = open_lab(path)
    assert again.differences == []
    assert differing(before, state_of(again)) == []
    assert isinstance(again.environments, NoCode) and again.environments.runs == 0
    again.close()


def test_a_key_of_aws_s_that_only_a_read_named_leaves_no_trace(tmp_path: Path) -> None:
    """A read is not played again: the key has the same id whenever it is named, and is listed once a change needed it."""
    lab = open_lab(tmp_path / "journal.db")
    nothing = state_of(lab)
    named = [made(lab, "kms", "DescribeKey", KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"] for _ in range(2)]
    assert differing(nothing, state_of(lab)) == []
    made(lab, "kms", "GenerateDataKey", KeyId="alias/aws/s3", KeySpec="AES_256")
    listed = [key["KeyId"] for key in made(lab, "kms", "ListKeys")["Keys"]]
    assert (named[0], named[1]) == (listed[0], listed[0])
    before = state_of(lab)
    lab.close()
    again = open_lab(tmp_path / "journal.db")
    assert again.differences == []
    assert differing(before, state_of(again)) == []
    again.close()


def test_a_lab_restarted_twenty_times_is_the_same_each_time(tmp_path: Path) -> None:
    """It is written to between restarts, and what was read before in one life does not shift ids in the next."""
    path = tmp_path / "journal.db"
    lab = open_lab(path)
    for life in range(20):
        play(lab, [*EVERY_CALL[life * 7 : life * 7 + 7], 61])
        if life % 3 == 0:
            state_of(lab)
        before = state_of(lab)
        lab.close()
        lab = open_lab(path)
        assert lab.differences == []
        assert differing(before, state_of(lab)) == []
    lab.close()


PROGRAM = """
import json, sys
from pathlib import Path
from tests.unit.core.small_lab import open_lab
from tests.unit.core.test_replay import state_of
lab = open_lab(Path(sys.argv[1]))
print(json.dumps([lab.differences, state_of(lab)]))
"""


def test_another_process_rebuilds_the_same_lab(tmp_path: Path) -> None:
    """In a process of its own, with moto's modules imported in another order, every read says the same."""
    path = tmp_path / "journal.db"
    lab = open_lab(path)
    play(lab, [step for call in EVERY_CALL for step in (call, 7)])
    before = state_of(lab)
    lab.close()
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(Path(__file__).parents[3])}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], env=environ, capture_output=True, text=True, check=True
    )
    differences, after = json.loads(told.stdout)
    assert differences == []
    assert differing(before, after) == []


def test_credentials_expire_when_they_were_to(tmp_path: Path) -> None:
    """A restart, hours later by the wall clock, gives nobody more time, and the trail tells the same of them."""
    path, began = tmp_path / "journal.db", 1_800_000_000.0
    looks = itertools.count()
    lab = open_lab(path, wall=lambda: began + 10 * next(looks))  # it is later at every look
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = made(lab, "iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument=document)["Role"]
    made(lab, "iam", "AttachRolePolicy", RoleName="r", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    session = Principal.session(
        account_id=ACCOUNT,
        role_name="r",
        role_id=role["RoleId"],
        session_name="s",
        access_key_id="",
        created=lab.clock.now(),
    )
    params = {"RoleArn": role["Arn"], "RoleSessionName": "again", "DurationSeconds": 900}
    done = lab.ask(Ask(service="sts", operation="AssumeRole", params=params, principal=session))
    assert done.error is None and done.result is not None, done.error
    given = done.result["Credentials"]
    left = given["Expiration"].timestamp() - began
    lab.advance(timedelta(minutes=10))
    before = state_of(lab)
    lab.close()
    for later, expired in ((left - 1, False), (left + 1, True)):
        again = open_lab(path, wall=lambda later=later: began + later)  # type: ignore[misc]
        assert again.service("sts").has_expired(given["AccessKeyId"]) is expired
        assert differing(before, state_of(again)) == []
        again.close()
