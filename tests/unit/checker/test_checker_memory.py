"""The memory as a file: what was written is read, and a broken file is told, not overwritten."""

from pathlib import Path

import pytest

from checker.memory import FileMemory
from scenario.errors import LabError


def test_an_empty_memory_remembers_nothing(tmp_path: Path) -> None:
    """No file is needed to begin, and reading makes none."""
    memory = FileMemory(tmp_path / "new")
    assert (memory.answers(), memory.attempts(), memory.hints_taken("creator")) == ({}, [], 0)
    assert not (tmp_path / "new").exists()


def test_what_is_remembered_is_there_the_next_time(tmp_path: Path) -> None:
    """Answers in their exact text, attempts in order, hints counted."""
    memory = FileMemory(tmp_path / "new")
    memory.remember("creator", " “System” ")
    memory.record({"at": "2026-11-24T09:14:00+00:00", "score": 0})
    memory.record({"at": "2026-11-24T09:15:00+00:00", "score": 15})
    assert [memory.take_hint("creator"), memory.take_hint("creator")] == [1, 2]
    again = FileMemory(tmp_path / "new")
    assert again.answers() == {"creator": " “System” "}
    assert [attempt["score"] for attempt in again.attempts()] == [0, 15]
    assert again.hints_taken("creator") == 2


def test_nothing_half_written_is_left_beside_it(tmp_path: Path) -> None:
    """The new file takes the old one's place."""
    FileMemory(tmp_path).remember("creator", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["checks.json"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"answers": {}}', '{"answers": {}, "attempts": {}, "hints": {}}', "\x00"]
)
def test_a_broken_file_is_told_and_kept(tmp_path: Path, content: str) -> None:
    """A sentence with the path and what to do; the file stays as it is, on a write too."""
    path = tmp_path / "checks.json"
    path.write_text(content)
    with pytest.raises(LabError, match=r"checks\.json"):
        FileMemory(tmp_path).remember("creator", "x")
    assert path.read_text() == content


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError):
        FileMemory(tmp_path / "file").remember("creator", "x")
