"""The walled process where there is no fork (Windows): one process that is keeper and child at once.

The simulator ends it when a run takes too long. An audit hook records and refuses; see `audit` for what that is worth.
A dry run happens in a process of its own, which has no state of the warm one.
"""

from __future__ import annotations

import io
import mmap
import os
import sys
from typing import NoReturn

from . import audit, frames, runtime

MOST_LOG_CHARACTERS = 1024 * 1024


class Paper(io.TextIOBase):
    """Keeps what is written, up to what a log holds."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        """Say yes."""
        return True

    def write(self, text: str) -> int:
        """Keep `text`."""
        self.text += text[: max(MOST_LOG_CHARACTERS - len(self.text), 0)]
        return len(text)


class Single:
    """Answers the simulator's requests on the pipe that standard output was."""

    def __init__(self, config: frames.Message) -> None:
        self._requests, self._answers = os.dup(0), os.dup(1)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1):
            os.dup2(nowhere, descriptor)
        self._connections: dict[tuple[str, int, str], frames.Message] = {}
        audit.install(self._note)
        self._runtime = runtime.start(config, self._requests, self._answers, mmap.mmap(-1, runtime.SHARED_BYTES))
        self._runtime.ends_with(self._time_out)
        self._begin()

    def serve(self) -> None:
        """Answer requests until the simulator goes away."""
        frames.write(self._answers, {"kind": "ready"})
        while (request := frames.read(self._requests)) is not None:
            frames.write(self._answers, self._run(request) if request["op"] == "run" else self._rehearse(request))

    def _run(self, request: frames.Message) -> frames.Message:
        self._begin()
        try:
            answer = {"how": "ok", "status": None, **self._runtime.invoke(request)}
        except SystemExit as left:
            answer = {"how": "exited", "status": (left.code if isinstance(left.code, int) else 1) << 8}
        return self._outcome(answer)

    def _rehearse(self, request: frames.Message) -> frames.Message:
        found = []
        ended = {"succeeded": False, "failed": False}
        for invocation in request["invocations"]:
            self._begin()
            ended["failed" if self._runtime.invoke(invocation)["error"] else "succeeded"] = True
            found.append(list(self._connections.values()))
        return {"kind": "rehearsal", "connections": found, "why": "", **ended}

    def _begin(self) -> None:
        self._paper = Paper()
        sys.stdout = sys.stderr = self._paper
        self._connections.clear()

    def _outcome(self, answer: frames.Message) -> frames.Message:
        measured = {"memory_mb": 1, "real_ms": self._runtime.elapsed_ms(), "skipped_ms": 0.0, "log": self._paper.text}
        return {"kind": "outcome", **measured, **answer, "connections": list(self._connections.values())}

    def _note(self, ip: str, port: int, protocol: str) -> None:
        record = {"ip": ip, "port": port, "protocol": protocol, "offset_ms": round(self._runtime.elapsed_ms())}
        self._connections.setdefault((ip, port, protocol), record)

    def _time_out(self) -> NoReturn:
        frames.write(self._answers, self._outcome({"how": "timeout"}))
        os._exit(0)


def main() -> None:
    """Serve one function: its description is the first message on standard input."""
    config = frames.read(0)
    if config is not None:
        Single(config).serve()
