"""Kills a lab over and over while several clients write to it, and looks at what a restart finds. Run as a program.

The lab is opened in forks of one process that has imported everything, so that 200 restarts cost no imports. A fork writes an
acknowledgement into a pipe only after the lab has answered; the next fork tells what the lab knows. Prints what was seen as JSON.
"""

import gc
import json
import os
import random
import select
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator import state
from simulator.clock import moment
from simulator.identity import Ids
from simulator.service import Context
from simulator.world import Lab
from tests.contract.labs import trust
from tests.unit.core.small_lab import OWNER, ask, made, open_lab

CLIENTS = 4
TURNS = 7
KILLS_A_LAB = 4
"""Fewer kills a lab, more labs: each opening replays all that the earlier rounds left."""
PATIENCE_S = 120
"""Seconds for what comes at once where the machine has nothing else to do."""

BUCKET = "bucket-under-fire"
TRUST = trust("lambda.amazonaws.com")
STACK = json.dumps({"Resources": {"One": {"Type": "AWS::SQS::Queue"}, "Two": {"Type": "AWS::SNS::Topic"}}})


def write(lab: Lab, name: str, turn: int) -> str:
    """Make one change and return what the lab answered of it: an id, an ETag."""
    kind = turn % 4
    if kind == 0:
        return str(made(lab, "iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"])
    if kind == 1:
        return str(made(lab, "s3", "PutObject", Bucket=BUCKET, Key=name, Body=os.urandom(2000))["ETag"])
    if kind == 2:
        return str(made(lab, "cloudformation", "CreateStack", StackName=name, TemplateBody=STACK)["StackId"])
    ask(lab, "cloudtrail", "LookupEvents")
    return str(made(lab, "events", "PutRule", Name=name, ScheduleExpression="rate(1 minute)")["RuleArn"])


def known(lab: Lab) -> dict[str, str]:
    """Return what the lab knows of all that was written: the same ids by the same names; a half-made stack is told as such."""
    ctx = Context(lab=lab, principal=OWNER, now=moment(lab.clock.last_ms), ids=Ids.of("known"))
    found = {role["RoleName"]: role["RoleId"] for role in ctx.read("iam", "ListRoles", MaxItems=1000)["Roles"]}
    if any(bucket["Name"] == BUCKET for bucket in ctx.read("s3", "ListBuckets")["Buckets"]):
        found |= {
            each["Key"]: each["ETag"] for each in ctx.read("s3", "ListObjectsV2", Bucket=BUCKET).get("Contents", [])
        }
    found |= {rule["Name"]: rule["Arn"] for rule in ctx.read("events", "ListRules")["Rules"]}
    queues = set(ctx.read("sqs", "ListQueues").get("QueueUrls", []))
    topics = {topic["TopicArn"] for topic in ctx.read("sns", "ListTopics")["Topics"]}
    for stack in ctx.read("cloudformation", "DescribeStacks")["Stacks"]:
        made_of = ctx.read("cloudformation", "DescribeStackResources", StackName=stack["StackName"])["StackResources"]
        there = {each["PhysicalResourceId"] for each in made_of} & (queues | topics)
        whole = len(there) == 2 and stack["StackStatus"] == "CREATE_COMPLETE"
        found[stack["StackName"]] = stack["StackId"] if whole else f"half-made: {stack['StackStatus']} {sorted(there)}"
        queues, topics = queues - there, topics - there
    found |= {f"left over: {orphan}": "half-made" for orphan in queues | topics}
    return found


def state_of(lab: Lab) -> dict[str, str]:
    """Return what the lab's state digest is made of: the hash of each answer by the name of its read."""
    with lab.lock, lab._one_moment():
        return dict(state.answers(lab))


def child(path: Path, pipe: int, round_: int) -> None:
    """Open the lab, tell what it knows, write to it from several clients, tell its state and wait for the end."""

    def tell(**line: Any) -> None:
        os.write(pipe, json.dumps(line).encode() + b"\n")

    lab = open_lab(path)
    if lab.journal.next_seq == 1:
        made(lab, "s3", "CreateBucket", Bucket=BUCKET)
    tell(known=known(lab), state=state_of(lab), differences=lab.differences)

    def client(number: int) -> None:
        for turn in range(TURNS):
            name = f"r{round_}-c{number}-t{turn}"
            tell(name=name, id=write(lab, name, turn + number))

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    lab.tick()  # as it does every second: it writes the reads that are waiting
    tell(state_at_rest=state_of(lab))
    time.sleep(60)


@dataclass
class Seen:
    """What was seen of one lab over its restarts."""

    kills: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)
    at_rest: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    writes: int = 0
    compared: int = 0
    killed_opening: int = 0

    def told(self, line: dict[str, Any]) -> None:
        """Take a line of the pipe: an acknowledgement, a state, or what a restart knows, which is compared."""
        if "name" in line:
            self.acknowledged[line["name"]] = line["id"]
            self.writes += 1
            self.at_rest = {}
        elif "failed" in line:
            self.wrong.append(line["failed"])
        elif "state_at_rest" in line:
            self.at_rest = line["state_at_rest"]
        else:
            self._compare(line)

    def _compare(self, line: dict[str, Any]) -> None:
        for name, identifier in self.acknowledged.items():
            if line["known"].get(name) != identifier:
                self.wrong.append(f"{name} was acknowledged as {identifier}, found {line['known'].get(name)}")
        self.wrong += [f"{name}: {what}" for name, what in line["known"].items() if "half-made" in what]
        self.wrong += line["differences"]
        if self.at_rest:
            self.compared += 1
            others = sorted(name for name, _ in self.at_rest.items() ^ line["state"].items())
            if others:
                self.wrong.append(f"answers at rest are not those after the restart: {others}")
            self.at_rest = {}  # from here on clients write: a change may become durable and its client never hear of it


def fork(path: Path, round_: int) -> tuple[int, int]:
    """Return a child's pid and the end of its pipe to read from."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    os.close(ours)
    try:
        child(path, theirs, round_)
    except BaseException:
        os.write(theirs, json.dumps({"failed": traceback.format_exc()[-1500:]}).encode() + b"\n")
    os._exit(1)


def lines_until(
    ours: int, end: float, awaited: bytes | None = None, raw: bytes = b""
) -> tuple[list[dict[str, Any]], bytes]:
    """Return what comes out of a pipe after `raw` until `end`, or until `awaited` is in a line; and what is left of a line."""
    while not (awaited is not None and awaited in raw.rpartition(b"\n")[0]):
        left = end - time.monotonic()
        ready, _, _ = select.select([ours], [], [], max(left, 0))
        if not ready:
            break
        got = os.read(ours, 65536)
        if not got:
            break
        raw += got
    whole, _, rest = raw.rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()], rest


def one_round(path: Path, round_: int, seen: Seen, chance: random.Random) -> None:
    """Open the lab in a fork, kill it at a random moment, and take in what it told before."""
    pid, ours = fork(path, round_)
    if chance.random() < 0.1:
        told, rest = lines_until(ours, time.monotonic() + chance.uniform(0, 0.1))
        seen.killed_opening += not told
    else:
        told, rest = lines_until(ours, time.monotonic() + PATIENCE_S, b'"known"')
        if not told:
            seen.wrong.append("the lab could not be opened")
        if chance.random() < 0.5:
            more, rest = lines_until(ours, time.monotonic() + chance.uniform(0, 0.4), raw=rest)
        else:
            more, rest = lines_until(ours, time.monotonic() + PATIENCE_S, b'"state_at_rest"', rest)
        told += more
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    late = rest
    while got := os.read(ours, 65536):
        late += got
    os.close(ours)
    told += [json.loads(line) for line in late.rpartition(b"\n")[0].splitlines()]
    for line in told:
        seen.told(line)
    seen.kills += 1


def main(folder: Path, kills: int, seed: str) -> None:
    """Kill labs in `folder` until there were `kills` kills; print what was seen."""
    chance = random.Random(seed)
    warm = open_lab()
    made(warm, "s3", "CreateBucket", Bucket=BUCKET)
    for turn in range(4):
        write(warm, f"warm-{turn}", turn)
    known(warm)
    state_of(warm)
    warm.close()
    gc.collect()
    gc.freeze()  # or each fork's first collection would copy every page of it
    total = Seen()
    for number in range(-(-kills // KILLS_A_LAB)):
        seen = Seen()
        for round_ in range(min(KILLS_A_LAB, kills - number * KILLS_A_LAB)):
            one_round(folder / f"lab-{number}" / "journal.db", round_, seen, chance)
        total.kills += seen.kills
        total.writes += seen.writes
        total.compared += seen.compared
        total.killed_opening += seen.killed_opening
        total.wrong += [f"lab {number}: {each}" for each in seen.wrong]
    told = {name: getattr(total, name) for name in ("kills", "writes", "compared", "killed_opening", "wrong")}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
