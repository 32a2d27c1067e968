"""What the lab keeps beside AWS: lab time, answers, hints, checks. Asked of the control API; checks run as `lab check`.

The console never grades: the checker is another room, and meets the lab only as an AWS client and over the control API.
Every check and debrief is asked for in all languages (`--every-language`) and kept so: which one shows is the page's choice.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scenario.errors import LabError
from simulator import environment
from simulator.console.inside import Send
from simulator.console.texts import in_language, language, t
from simulator.home import Home, Running

CHECK_SECONDS = 180
_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A finished `lab check`: its report in the page's language, and the command that gives it."""

    report: dict[str, Any]
    command: str


class Explained(LabError):
    """A LabError whose words are the page's language; `detail` is what the lab itself said, in English, or empty."""

    def __init__(self, tried: str, happened: str, try_next: str, *, detail: str = "", exit_code: int = 3) -> None:
        super().__init__(tried, happened, try_next, exit_code=exit_code)
        self.detail = detail


class LabSide:
    """The lab beside AWS."""

    def __init__(self, running: Running, home: Home, send: Send) -> None:
        self.running = running
        self._home = home
        self._send = send
        self._checking = threading.Lock()
        self._kept = home.path / "console-report.json"

    def status(self) -> dict[str, Any]:
        """Return the lab's status: lab_time, finding_count, last_attempt and more."""
        return dict(self._ask("GET", "/_lab/status"))

    def time(self) -> str:
        """Return lab time, as AWS writes moments."""
        return str(self._ask("GET", "/_lab/time")["lab_time"])

    def answers(self) -> dict[str, str]:
        """Return the remembered answers by task."""
        return dict(self._ask("GET", "/_lab/answers"))

    def attempts(self) -> list[dict[str, Any]]:
        """Return the checks so far, oldest first."""
        return list(self._ask("GET", "/_lab/attempts"))

    def hints(self) -> dict[str, int]:
        """Return how many hints of each task were shown."""
        return dict(self._ask("GET", "/_lab/hints"))

    def take_hint(self, task: str) -> int:
        """Count one more hint of a task and return how many that makes."""
        return int(self._ask("POST", "/_lab/hints", {"task": task})["taken"])

    def advance(self, seconds: float) -> str:
        """Move lab time on and return it. Due ticks run."""
        return str(self._ask("POST", "/_lab/advance", {"seconds": seconds})["lab_time"])

    def look_ahead(self, hours: float) -> dict[str, Any]:
        """Return what would happen next, were nothing changed."""
        return dict(self._ask("GET", f"/_lab/look-ahead?hours={hours:g}"))

    def fetch(self, address: str) -> bytes | None:
        """Return what a link that the lab itself gave out leads to; None where it is not valid."""
        answer = self._send("GET", address, {}, b"")
        return answer.body if answer.status == 200 else None

    def note_key(self) -> None:
        """Record that the instructor's key was shown."""
        self._ask("POST", "/_lab/key", {})

    def check(self, answers: Mapping[str, str]) -> Graded:
        """Have the lab graded, with new answers by task. Raises LabError for an unreadable answer, or a lab that cannot be asked."""
        arguments = ["check", *(f"--{task}={text}" for task, text in answers.items()), "--no-input"]
        shown = " ".join(["lab", "check", *(f'--{task} "{text}"' for task, text in answers.items())])
        reports = {code: json.loads(text) for code, text in self._lab([*arguments, "--format", "json"]).items()}
        self._kept.write_text(json.dumps(reports), "utf-8")
        return Graded(report=reports[language()], command=in_language(shown))

    def last_report(self, attempts: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the report of the check that was made last, in the page's language, if it was made here; None otherwise."""
        try:
            report: dict[str, Any] = json.loads(self._kept.read_text("utf-8")).get(language(), {})
        except (FileNotFoundError, ValueError):
            return None
        if report.get("lab_id") != self.running.lab_id or not attempts:
            return None
        last = datetime.fromisoformat(attempts[-1]["at"])
        return report if datetime.fromisoformat(report["lab_time"]) == last else None

    def debrief(self) -> dict[str, str]:
        """Return the debrief of the lab as it is now by language: a self-contained HTML page each."""
        return self._lab(["check", "--no-input", "--format", "html"])

    def _lab(self, arguments: list[str]) -> dict[str, str]:
        """Run a check and return its document by language; what it has to say beside that is in the page's."""
        if not self._checking.acquire(blocking=False):
            raise Explained("checking the lab", t("A check is running already"), t("Wait for its end."), exit_code=2)
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "lab", *arguments, "--every-language", "--language", language()],
                capture_output=True,
                encoding="utf-8",
                timeout=CHECK_SECONDS,
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                env={
                    **environment.isolated(os.environ, self._home, self.running),
                    "PYTHONIOENCODING": "utf-8",
                },
            )
        except subprocess.TimeoutExpired as slow:
            raise Explained(
                "checking the lab",
                t("It took longer than {count} seconds", count=CHECK_SECONDS),
                t("Run lab check in a terminal."),
            ) from slow
        finally:
            self._checking.release()
        if ended.returncode not in (0, 1) or not ended.stdout:
            raise _unchecked(ended.returncode, ended.stderr)
        documents: dict[str, str] = json.loads(ended.stdout)
        return documents

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"X-Lab-Token": self.running.token, "Content-Type": "application/json"}
        content = json.dumps(body).encode() if body is not None else b""
        answer = self._send(method, f"{self.running.endpoint_url}{path}", headers, content)
        if answer.status != 200:
            raise Explained(
                f"asking the lab for {path}",
                t("The lab did not do what this page asked of it"),
                t("lab doctor in a terminal tells what is wrong; server.log in LAB_HOME tells more."),
                detail=answer.body.decode("utf-8", "replace"),
                exit_code=2 if answer.status == 400 else 3,
            )
        return json.loads(answer.body)


def _unchecked(code: int, told: str) -> Explained:
    """Return why `lab check` ended with a code and no report, from what it told on stderr.

    An answer that it could not use it tells in the reader's language, a broken environment in English.
    """
    said = (told.strip().splitlines() or [""])[-1].removeprefix("lab: ")
    if code == 2 and said:
        return Explained("checking the lab", said.rstrip("."), t("Nothing was checked."), exit_code=code)
    return Explained(
        "checking the lab",
        t("The check ended with code {code}", code=code),
        t("lab doctor in a terminal tells what is wrong; server.log in LAB_HOME tells more."),
        detail=said,
        exit_code=code or 3,
    )
