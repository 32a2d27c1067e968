"""A lab's memory as one JSON file in a folder, for worlds that keep none themselves."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scenario.errors import LabError


class FileMemory:
    """Answers, attempts and hints in `checks.json` of `folder`. Implements `worlds.Memory`.

    Each change is written to a new file and put in place at once, so a stop at any moment leaves the old or the new
    one. Raises LabError where the file is not what was written or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "checks.json"

    def answers(self) -> Mapping[str, str]:
        """Return the remembered answers, task id to text."""
        answers: dict[str, str] = self._read()["answers"]
        return answers

    def remember(self, task: str, text: str) -> None:
        """Keep an answer in place of an earlier one."""
        state = self._read()
        state["answers"][task] = text
        self._write(state)

    def attempts(self) -> Sequence[Mapping[str, Any]]:
        """Return the checks so far, oldest first."""
        attempts: list[Mapping[str, Any]] = self._read()["attempts"]
        return attempts

    def record(self, attempt: Mapping[str, Any]) -> None:
        """Keep a finished check."""
        state = self._read()
        state["attempts"].append(dict(attempt))
        self._write(state)

    def hints_taken(self, task: str) -> int:
        """Return how many hints of a task were shown."""
        taken: int = self._read()["hints"].get(task, 0)
        return taken

    def take_hint(self, task: str) -> int:
        """Count one more hint and return how many that makes."""
        state = self._read()
        state["hints"][task] = state["hints"].get(task, 0) + 1
        self._write(state)
        taken: int = state["hints"][task]
        return taken

    def key_used_at(self) -> str | None:
        """Return None: the key of a lab in an account is the account's own evidence, and nothing prints it."""
        return None

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"answers": {}, "attempts": [], "hints": {}}
        except (OSError, ValueError) as error:
            raise self._broken("reading", str(error)) from error
        kinds = {"answers": dict, "attempts": list, "hints": dict}
        if not isinstance(state, dict) or not all(isinstance(state.get(name), kind) for name, kind in kinds.items()):
            raise self._broken("reading", "it is not a memory of checks")
        return state

    def _write(self, state: Mapping[str, Any]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".checks-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(state, file, ensure_ascii=False, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError as error:
            raise self._broken("writing", str(error)) from error

    def _broken(self, tried: str, happened: str) -> LabError:
        return LabError(
            f"{tried} {self.path}",
            happened,
            "Move the file away to begin with an empty memory; your answers are in it.",
        )
