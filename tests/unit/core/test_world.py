"""A lab between memory and disk: what happens when the disk refuses, when a defect strikes, and when time jumps."""

import contextlib
import json
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.errors import LabError
from simulator import world
from simulator.clock import milliseconds, moment
from simulator.control import Control
from simulator.journal import Journal
from simulator.service import Call, Context, Service
from simulator.services.cloudtrail.service import delivery_delay
from simulator.wire import HttpRequest
from simulator.world import Ask, Lab, decode, encode
from tests.unit.core.small_lab import ACCOUNT, OWNER, ask, made, open_lab

REAL_LOOKING = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the lab's journal is."""
    return tmp_path / "journal.db"


class Disk:
    """SQLite's connection, failing when told to: before it writes, or after it has written."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.fails = ""

    def commit(self) -> None:
        """Commit, unless told to fail."""
        if self.fails == "before":
            raise sqlite3.OperationalError("disk I/O error")
        self._db.commit()
        if self.fails == "after":
            raise sqlite3.OperationalError("disk I/O error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)


@contextlib.contextmanager
def failing(lab: Lab, when: str) -> Iterator[None]:
    """Let the lab's disk fail within."""
    disk = Disk(lab.journal._db)
    lab.journal._db = disk  # type: ignore[assignment]
    disk.fails = when
    yield
    disk.fails = ""


def users(lab: Lab) -> list[str]:
    """Return the names of the lab's users."""
    return sorted(user["UserName"] for user in made(lab, "iam", "ListUsers")["Users"])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_refused_write_is_not_acknowledged_and_settles_before_anything_else(path: Path, when: str) -> None:
    """While the disk fails every call is told so, reads too; afterwards memory and disk say the same, written once."""
    lab = open_lab(path)
    made(lab, "iam", "CreateUser", UserName="first")
    with failing(lab, when):
        with pytest.raises(LabError, match="disk refuses"):
            ask(lab, "iam", "CreateUser", UserName="second")
        if when == "before":
            with pytest.raises(LabError, match="disk refuses"):
                ask(lab, "iam", "ListUsers")
    made(lab, "iam", "CreateUser", UserName="third")
    assert users(lab) == ["first", "second", "third"]
    lab.close()
    again = open_lab(path)
    assert users(again) == ["first", "second", "third"]
    again.close()


def test_what_was_refused_is_gone_after_a_restart(path: Path) -> None:
    """The process ends while the disk fails: what was acknowledged is there, what was refused is not."""
    lab = open_lab(path)
    made(lab, "iam", "CreateUser", UserName="first")
    with failing(lab, "before"):
        for name in ("second", "third"):
            with pytest.raises(LabError):
                ask(lab, "iam", "CreateUser", UserName=name)
        with pytest.raises(LabError):
            lab.close()
    again = open_lab(path)
    assert users(again) == ["first"]
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX's")
@pytest.mark.parametrize("room", [0, 1, 100, 4096, 5000])
def test_a_disk_that_is_full_tears_no_entry(path: Path, room: int, tmp_path: Path) -> None:
    """The system itself refuses a write in its middle: the change is refused, and written whole once there is room."""
    import resource
    import signal

    lab = open_lab(path)
    made(lab, "s3", "CreateBucket", Bucket="bucket")
    size = path.with_name("journal.db-wal").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
        with pytest.raises(LabError, match="nothing acknowledged is lost"):
            ask(lab, "s3", "PutObject", Bucket="bucket", Key="key", Body=b"x" * 20_000)
        copied = tmp_path / "copy"
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        shutil.copytree(path.parent, copied, ignore=shutil.ignore_patterns("copy"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    torn = Journal.open(copied / "journal.db")
    assert [entry.body["operation"] for entry in torn.entries()] == ["CreateBucket"]
    torn.close()
    assert made(lab, "s3", "GetObject", Bucket="bucket", Key="key")["Body"] == b"x" * 20_000
    lab.close()
    again = open_lab(path)
    assert made(again, "s3", "GetObject", Bucket="bucket", Key="key")["Body"] == b"x" * 20_000
    again.close()


def test_an_entry_that_cannot_be_written_stops_the_lab_until_it_is_opened_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory has what the journal has not: nobody is answered any more, and a restart goes on from what was acknowledged."""
    lab = open_lab(path)
    made(lab, "iam", "CreateUser", UserName="first")
    monkeypatch.setattr(world, "_digest", lambda *_: 1 / 0)
    with pytest.raises(LabError, match="cannot be written down"):
        ask(lab, "iam", "CreateUser", UserName="second")
    monkeypatch.undo()
    with pytest.raises(LabError, match="cannot be written down"):
        ask(lab, "iam", "ListUsers")
    lab.close()
    again = open_lab(path)
    assert users(again) == ["first"]
    again.close()


def test_a_lookup_shows_no_read_that_is_not_durable(path: Path, tmp_path: Path) -> None:
    """What LookupEvents answered is in the file by then: a copy of it, as after a power cut, tells the same reads."""
    wall = [1_800_000_000.0]
    lab = open_lab(path, wall=lambda: wall[0])
    made(lab, "iam", "CreateUser", UserName="someone")
    for _ in range(3):
        made(lab, "iam", "ListUsers")
    assert lab.journal.pending == 3
    wall[0] += 900
    shown = made(lab, "cloudtrail", "LookupEvents")["Events"]
    assert [event["EventName"] for event in shown].count("ListUsers") == 3
    assert lab.journal.pending == 0
    shutil.copytree(path.parent, tmp_path / "copy", ignore=shutil.ignore_patterns("copy"))
    copied = Journal.open(tmp_path / "copy" / "journal.db")
    reads = [entry.body["operation"] for entry in copied.entries() if entry.change is None]
    copied.close()
    assert reads == ["ListUsers"] * 3 + ["LookupEvents"]
    lab.close()


def test_no_event_is_shown_before_reads_are_flushed_for_it() -> None:
    """The trail tells of a call no earlier than the lab takes for granted when it keeps reads back."""
    call = Call(
        seq=1, change=None, at=moment(0), service="iam", operation="ListUsers", params={}, response=None, principal=OWNER,
        region="us-east-1", source_ip="", user_agent="", invoked_by=None, request_id="", event_id="", read_only=True,
    )  # fmt: skip
    for number in range(65536):
        delay = delivery_delay(replace(call, event_id=f"{number:04x}"))
        assert delay >= timedelta(milliseconds=world.SHOWN_AFTER_MS)


def test_a_read_that_shows_a_tick_makes_it_durable_first(path: Path) -> None:
    """The run of a schedule that a read was the first to notice is in the file before the read is answered."""
    wall = [1_800_000_000.0]
    lab = open_lab(path, wall=lambda: wall[0])
    made(lab, "events", "PutRule", Name="rule", ScheduleExpression="rate(1 minute)")
    made(lab, "sqs", "CreateQueue", QueueName="queue")
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    made(lab, "sqs", "SetQueueAttributes", QueueUrl=_url(lab), Attributes={"Policy": policy})
    made(lab, "events", "PutTargets", Rule="rule", Targets=[{"Id": "t", "Arn": arn}])
    wall[0] += 150
    made(lab, "iam", "ListUsers")
    assert lab.journal.pending == 0
    entries = list(lab.journal.entries())
    ticks = [entry for entry in entries if entry.kind == "record" and entry.body["kind"] == "tick"]
    assert len(ticks) >= 2
    assert all(entry.cause is None for entry in ticks)
    delivered = [entry for entry in entries if entry.body.get("operation") == "SendMessage"]
    assert {entry.cause for entry in delivered} == {entry.seq for entry in ticks}
    lab.close()


def _url(lab: Lab) -> str:
    return str(made(lab, "sqs", "GetQueueUrl", QueueName="queue")["QueueUrl"])


class Stuck(Service):
    """Is always due and never done."""

    name = "stuck"

    def next_due(self) -> Any:
        """Return a moment long ago."""
        return moment(1_000)


class Diligent(Service):
    """Has one thing due and does it."""

    name = "diligent"
    done = False

    def next_due(self) -> Any:
        """Return a later moment, until it is done."""
        return None if self.done else moment(2_000)

    def run_due(self, ctx: Context) -> None:
        """Do it."""
        self.done = True


def test_a_service_that_leaves_its_work_undone_does_not_hold_up_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """It is passed over, said once, and what others have due is done."""
    lab = open_lab()
    stuck, diligent = Stuck(lab), Diligent(lab)
    lab._due_services = [stuck, diligent]
    lab.tick()
    lab.tick()
    assert diligent.done
    assert caplog.text.count("leaves its work") == 1
    lab.close()


def test_a_message_is_waited_for_outside_the_call() -> None:
    """A queue whose polls wait by default answers at once inside: lab time stands still there and the wait would not end."""
    lab = open_lab()
    url = made(lab, "sqs", "CreateQueue", QueueName="q", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    assert "Messages" not in made(lab, "sqs", "ReceiveMessage", QueueUrl=url)
    assert "Messages" not in made(lab, "sqs", "ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)
    lab.close()


def test_a_real_looking_key_is_never_written_down(path: Path) -> None:
    """Not from a signature's header, not from a presigned address, not from a form that uploads."""
    lab = open_lab(path)
    made(lab, "s3", "CreateBucket", Bucket="bucket")
    credential = f"{REAL_LOOKING}/20261124/us-east-1/s3/aws4_request"
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={credential}", "x-amz-security-token": "secret-token"}
    query = f"X-Amz-Credential={credential.replace('/', '%2F')}&X-Amz-Signature=abc&tagging-is=kept"
    form = {**signed, "content-type": "multipart/form-data; boundary=b"}
    for headers, asked, body in ((signed, query, b"body"), (form, "", f"x-amz-credential: {credential}".encode())):
        http = HttpRequest(
            method="PUT", host="s3.us-east-1.amazonaws.com", path="/bucket/key", query=asked, headers=headers, body=body
        )
        lab.ask(
            Ask(
                service="s3",
                operation="PutObject",
                params={"Bucket": "bucket", "Key": "key"},
                principal=OWNER,
                http=http,
            )
        )
    lab.close()
    raw = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())
    assert REAL_LOOKING.encode() not in raw
    assert b"secret-token" not in raw
    assert b"tagging-is=kept" in raw
    again = open_lab(path)
    assert again.differences == []
    again.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$ms", "$blob", "$map", "a", "b"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@given(value=JSON)
def test_any_parameters_come_back_from_the_journal_as_they_were(value: Any) -> None:
    """Also those whose own names look like the journal's marks."""
    blobs = bytearray()
    encoded = json.loads(json.dumps(encode(value, blobs)))
    assert decode(encoded, bytes(blobs)) == value


def test_lab_time_goes_on_when_the_wall_clock_is_set_back(path: Path) -> None:
    """It never goes back and does not stand still either; a restart with the clock still wrong goes on as well."""
    wall = [1_800_000_000.0]
    lab = open_lab(path, wall=lambda: wall[0])
    made(lab, "iam", "CreateUser", UserName="one")
    before = lab.clock.now()
    wall[0] -= 86_400
    assert lab.clock.now() == before
    wall[0] += 60
    assert lab.clock.now() == before + timedelta(seconds=60)
    made(lab, "iam", "CreateUser", UserName="two")
    lab.close()
    wall[0] -= 3600
    again = open_lab(path, wall=lambda: wall[0])
    again.resume()
    wall[0] += 5
    assert before + timedelta(seconds=64) < again.clock.now() < before + timedelta(seconds=66)
    again.close()


def test_a_lab_that_was_stopped_makes_up_for_a_week_and_says_what_it_left_out(path: Path) -> None:
    """Lab time is not behind the wall clock; of sixty days the runs of seven are made up for, and no replay runs them again."""
    wall = [1_800_000_000.0]
    lab = open_lab(path, wall=lambda: wall[0])
    made(lab, "events", "PutRule", Name="rule", ScheduleExpression="rate(10 minutes)")
    lab.close()
    wall[0] += 60 * 86_400
    again = open_lab(path, wall=lambda: wall[0])
    left_out = again.resume()
    assert again.clock.now() >= moment(int(wall[0] * 1000))
    assert timedelta(days=52) < left_out < timedelta(days=54)
    ticks = _ticks(again)
    assert 7 * 144 - 2 <= ticks <= 7 * 144 + 2
    again.close()
    third = open_lab(path, wall=lambda: wall[0])
    assert third.resume() == timedelta()
    assert _ticks(third) == ticks
    third.close()


def _ticks(lab: Lab) -> int:
    return sum(entry.body.get("kind") == "tick" for entry in lab.journal.entries())


def test_a_paused_lab_stays_paused_and_goes_on_from_where_it_stands(path: Path) -> None:
    """Across a restart, and after an advance while paused; let go on, it is not behind the wall clock."""
    wall = [1_800_000_000.0]
    lab = open_lab(path, wall=lambda: wall[0])
    lab.pause(True)
    stands = lab.clock.now()
    wall[0] += 3600
    assert lab.clock.now() == stands
    lab.advance(timedelta(minutes=5))
    lab.close()
    again = open_lab(path, wall=lambda: wall[0])
    again.resume()
    assert again.clock.paused
    assert again.clock.now() == stands + timedelta(minutes=5)
    again.pause(False)
    assert milliseconds(again.clock.now()) == wall[0] * 1000
    again.close()


FINE = {
    "at": "2026-11-24T09:14:00+00:00", "answers": {"creator": "x"}, "statuses": {"creator": "passed"}, "points": {"creator": 30},
    "score": 30, "passed": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [{}, {"passed": True}, *({**FINE, **wrong} for wrong in (
        {"passed": "yes"}, {"statuses": ["passed"]}, {"statuses": {"creator": ["passed"]}}, {"statuses": {"creator": None}},
        {"at": None}, {"at": "yesterday"}, {"at": "2026-11-24T09:14:00"}, {"score": "30"}, {"points": 30}, {"answers": {"creator": 1}},
    ))],
)  # fmt: skip
def test_an_attempt_that_makes_no_sense_is_not_kept(body: dict[str, Any]) -> None:
    """Reports and pages read attempts: what is in them has been looked at once, where it came in."""
    lab = open_lab()
    control = Control(lab=lab, token="t", stop=lambda: None)
    sent = HttpRequest(
        method="POST",
        host="",
        path="/_lab/attempts",
        query="",
        headers={"x-lab-token": "t"},
        body=json.dumps(body).encode(),
    )
    assert control.answer(sent).status == 400
    assert lab.memory.attempts == []
    assert control.answer(replace(sent, body=json.dumps(FINE).encode())).status == 200
    lab.close()
