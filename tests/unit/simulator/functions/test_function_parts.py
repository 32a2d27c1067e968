"""The parts of the execution environment that need no process."""

import io
import json
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.functions import host, reports
from simulator.functions.child import frames, labtime, paths
from simulator.functions.package import BadPackage, unpack

MESSAGES = st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.text(max_size=9), st.lists), max_size=4)


@given(messages=st.lists(MESSAGES, max_size=4), cut=st.integers(1, 7))
def test_messages_come_out_as_they_went_in(messages: list[frames.Message], cut: int) -> None:
    """However the pipe cuts them."""
    data = b"".join(frames.pack(message) for message in messages)
    inbox = frames.Inbox()
    found = [message for start in range(0, len(data), cut) for message in inbox.feed(data[start : start + cut])]
    assert found == messages


@given(data=st.binary(max_size=200))
def test_rubbish_is_a_broken_frame_or_waits_for_more(data: bytes) -> None:
    """Nothing else comes of bytes that a hostile child writes."""
    inbox = frames.Inbox()
    try:
        found = inbox.feed(data)
    except frames.BrokenFrame:
        return
    assert all(isinstance(message, dict) for message in found)


@pytest.mark.parametrize("body", [b"[]", b"1", b"{", b"\xff\xfe", b"[" * 100_000, b'"x"'])
def test_a_body_that_is_no_object_is_broken(body: bytes) -> None:
    """Deep nesting included."""
    with pytest.raises(frames.BrokenFrame):
        frames.Inbox().feed(struct.pack(">I", len(body)) + body)


def test_a_message_too_large_is_refused_before_it_comes() -> None:
    """Its length alone is enough."""
    with pytest.raises(frames.BrokenFrame):
        frames.Inbox().feed(struct.pack(">I", frames.LARGEST + 1))


def archive(**files: bytes) -> bytes:
    """Return a zip of these files, names with their dots and slashes spelled out by the caller."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return packed.getvalue()


def test_a_package_is_unpacked(tmp_path: Path) -> None:
    """Folders and files as they are named."""
    unpack(archive(**{"app.py": b"1", "pkg/inner.py": b"2", "empty/": b""}), tmp_path)
    assert (tmp_path / "app.py").read_bytes() == b"1"
    assert (tmp_path / "pkg" / "inner.py").read_bytes() == b"2"
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil", "./../evil", "a//../evil"]
)
def test_no_name_leads_outside(tmp_path: Path, name: str) -> None:
    """Parts that would are dropped."""
    folder = tmp_path / "task"
    folder.mkdir()
    unpack(archive(**{name: b"x"}), folder)
    assert [path.name for path in tmp_path.iterdir()] == ["task"]
    assert any(path.name == "evil" for path in folder.rglob("*"))


def test_links_are_left_out(tmp_path: Path) -> None:
    """A link in a package could name anything."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writer:
        link = zipfile.ZipInfo("secret")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        writer.writestr(link, "/etc/passwd")
    unpack(packed.getvalue(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size that counts is the one that comes out."""
    monkeypatch.setattr("simulator.functions.package.LARGEST_UNZIPPED", 1 << 20)
    with pytest.raises(BadPackage, match="smaller than"):
        unpack(archive(bomb=bytes(2 << 20)), tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"", b"no zip", archive(a=b"1")[:-10], archive(a=b"1" * 999).replace(b"a", b"b", 1)],
    ids=["empty", "text", "cut off", "renamed"],  # an archive holds the time it was made: no two workers named it alike
)
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    """With one error for all."""
    with pytest.raises(BadPackage):
        unpack(data, tmp_path)


FOLDERS = paths.Folders("/tmp/x/task", "/tmp/x/tmp", ("/tmp/x", "/tmp/python/lib"))


@pytest.mark.parametrize(
    ("shown", "real"),
    [
        ("/tmp", "/tmp/x/tmp"),
        ("/tmp/a", "/tmp/x/tmp/a"),
        ("/tmpfile", "/tmpfile"),
        ("/var/task/app.py", "/tmp/x/task/app.py"),
        ("/var/tasks", "/var/tasks"),
        ("/tmp/x/task/app.py", "/tmp/x/task/app.py"),
        ("/tmp/python/lib/json.py", "/tmp/python/lib/json.py"),
        ("relative", "relative"),
        (b"/tmp/a", b"/tmp/x/tmp/a"),
        (Path("/tmp/a"), "/tmp/x/tmp/a"),
        (7, 7),
        (None, None),
    ],
)
def test_lambdas_folders_are_where_they_are(shown: object, real: object) -> None:
    """Only whole names are translated, and paths that are real already are not."""
    assert FOLDERS.real(shown) == real


def test_texts_show_lambdas_folders() -> None:
    """In stack traces and messages."""
    assert FOLDERS.shown('File "/tmp/x/task/app.py" /tmp/x/tmp/a') == 'File "/var/task/app.py" /tmp/a'


def test_the_clock_starts_where_it_is_told_and_skips() -> None:
    """Skipping moves it and tells how far; past the deadline the run is over."""
    clock = labtime.Clock()
    told: list[int] = []
    over: list[bool] = []
    clock.on_skip = told.append
    clock.on_deadline = lambda: over.append(True)
    clock.set(1_000_000_000_000, 1_003_000_000_000)
    clock.skip(1)
    assert 1_001_000_000_000 <= clock.now_ns() < 1_001_500_000_000
    assert told == [0, 1_000_000_000]
    assert over == []
    clock.skip(2.5)
    assert over == [True]


def test_the_monotonic_clock_goes_on_with_lab_time() -> None:
    """An hour of lab time between two runs is an hour for the function."""
    clock = labtime.Clock()
    clock.set(10**18, None)
    before = clock.monotonic_ns()
    clock.set(10**18 + 3600 * 10**9, None)
    assert 3599 < (clock.monotonic_ns() - before) / 1e9 < 3601


def test_the_monotonic_clock_never_goes_back() -> None:
    """Not even where a run begins before the last one, which slept long, was over."""
    clock = labtime.Clock()
    clock.set(10**18, None)
    clock.skip(100)
    before = clock.monotonic_ns()
    clock.set(10**18 + 60 * 10**9, None)
    assert 0 < before <= clock.monotonic_ns() < before + 10**9


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (0, "Runtime exited without providing a reason"),
        (None, "Runtime exited without providing a reason"),
        (3 << 8, "Runtime exited with error: exit status 3"),
        (9, "Runtime exited with error: signal: killed"),
        (11 | 0x80, "Runtime exited with error: signal: segmentation fault"),
        (35, "Runtime exited with error: signal: 35"),
    ],
)
def test_exits_are_told_as_lambda_does(status: int | None, reason: str) -> None:
    """By status or signal."""
    assert reports.exit_reason(status) == reason


def test_an_error_document_names_the_request() -> None:
    """As the service's own errors do."""
    assert json.loads(reports.error_document("Sandbox.Timedout", reports.timed_out(3), "r-1")) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 3.00 seconds",
    }


def test_functions_may_read_neither_everything_nor_homes() -> None:
    """The list of readable folders holds no root and no home folder."""
    assert not {"/", "/home", "/root", "/etc", "/proc", "/dev", "/tmp", str(Path.home())} & set(host.readable())


def test_what_lambda_bundles_is_found() -> None:
    """The kit's own SDK stands in for Lambda's."""
    assert {path.name for path in host.bundled()} >= {"boto3", "botocore", "s3transfer", "urllib3"}


def test_a_keeper_starts_with_nothing_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, no home, no path of the user."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert set(host.clean_environment()) <= {"PATH", "LANG", "SYSTEMROOT", "WINDIR", "TEMP", "TMP"}
