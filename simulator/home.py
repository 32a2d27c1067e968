"""LAB_HOME: the one folder in which a lab lives, and what is told about a running simulator there.

`journal.db` is the lab; `server.json` (readable by its owner only) says how to reach a running simulator; `server.log` is its log.
"""

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import platformdirs

from scenario.errors import LabError


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How to reach a running simulator. The token opens its control API, the keys are the trainee's, the checker's and
    the account owner's, for the instructor's commands."""

    pid: int
    endpoint_url: str
    token: str
    lab_id: str
    seed: str
    scenario: str
    account_id: str
    region: str
    access_key_id: str
    secret_access_key: str
    session_token: str
    check_access_key_id: str
    check_secret_access_key: str
    check_session_token: str
    owner_access_key_id: str
    owner_secret_access_key: str
    owner_session_token: str
    ip: str | None = None
    hosted: bool = False

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """Return what a file or a starting simulator told; what another version of the kit told beside is left out.

        Raises TypeError where something is missing.
        """
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in raw.items() if name in known})

    @property
    def console_url(self) -> str:
        """Return where the console begins."""
        return f"{self.endpoint_url}/guardduty/home?#/findings?macros=current"


@dataclass(frozen=True, slots=True)
class Home:
    """A LAB_HOME."""

    path: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the folder named by LAB_HOME, or the platform's user state folder."""
        named = (os.environ if environ is None else environ).get("LAB_HOME")
        return cls(Path(named).expanduser() if named else Path(platformdirs.user_state_dir("guardduty-lab", False)))

    @property
    def journal(self) -> Path:
        """Return where the lab's journal is."""
        return self.path / "journal.db"

    @property
    def server_file(self) -> Path:
        """Return where a running simulator says how to reach it."""
        return self.path / "server.json"

    @property
    def log(self) -> Path:
        """Return where the simulator's log is."""
        return self.path / "server.log"

    def prepare(self) -> None:
        """Make the folder, for its owner only. Raises LabError where that cannot be done."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.path / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
            probe.touch()
            probe.unlink()
        except OSError as failure:
            raise LabError(
                f"using {self.path} as LAB_HOME",
                f"it cannot be written ({failure.strerror or failure})",
                "Set LAB_HOME to a folder that you may write to.",
            ) from failure

    def write_running(self, running: Running) -> None:
        """Say how to reach the simulator, in a file that only its owner can read."""
        partial = self.path / f"server.json.{os.getpid()}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(running), file)
        partial.replace(self.server_file)

    def running(self) -> Running | None:
        """Return how to reach the simulator as it was last told; it may be dead. Raises LabError for a damaged file."""
        try:
            return Running.from_json(json.loads(self.server_file.read_text("utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, AttributeError) as damaged:
            raise LabError(
                f"reading {self.server_file}",
                f"it is damaged, or of another version of the kit ({damaged})",
                "Run 'lab stop', then 'lab start'; the lab itself is in journal.db and is not touched.",
            ) from damaged

    def pid(self) -> int | None:
        """Return the process that server.json names, whatever else is in it; None where it names none."""
        try:
            found = re.search(r'"pid"\s*:\s*(\d{1,9})\b', self.server_file.read_text("utf-8", "replace"))
        except OSError:
            return None
        return int(found.group(1)) if found else None

    def forget_running(self) -> None:
        """Remove what was said of a simulator that is gone."""
        with contextlib.suppress(FileNotFoundError):
            self.server_file.unlink()
