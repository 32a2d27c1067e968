"""How `lab` talks to a running simulator: its control API over loopback, with the token from LAB_HOME.

Plain `http.client`: no proxy variable reaches it, and importing it costs nothing.
"""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from scenario.errors import LabError
from simulator.home import Home, Running

NOT_RUNNING = "Run 'lab start' first."


class ControlClient:
    """The control API of one running simulator."""

    def __init__(self, running: Running, timeout: float = 120) -> None:
        self.running = running
        self._timeout = timeout

    def get(self, path: str) -> Any:
        """Return the JSON that GET `path` answers. Raises LabError."""
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON that POST `path` answers. Raises LabError."""
        return self._call("POST", path, body)

    def answers(self) -> bool:
        """Return whether this very simulator answers. Raises LabError where something is there and says nothing.

        It does not wait for what the lab is busy with, and a simulator of an older kit answers, too.
        """
        host = urlsplit(self.running.endpoint_url)
        connection = http.client.HTTPConnection(host.hostname or "127.0.0.1", host.port, timeout=self._timeout)
        try:
            connection.request("GET", "/_lab/ping", headers={"X-Lab-Token": self.running.token})
            answer = connection.getresponse()
            answer.read()
        except TimeoutError as silent:
            raise LabError(
                f"reaching the lab at {self.running.endpoint_url}",
                f"its process {self.running.pid} does not answer",
                "Wait a little, or end it with 'lab stop'; nothing acknowledged is lost.",
            ) from silent
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return answer.status in (200, 404)  # 403: another lab has the port now

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        host = urlsplit(self.running.endpoint_url)
        connection = http.client.HTTPConnection(host.hostname or "127.0.0.1", host.port, timeout=self._timeout)
        try:
            headers = {"X-Lab-Token": self.running.token, "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as failure:
            raise LabError(
                f"reaching the lab at {self.running.endpoint_url}", f"it does not answer ({failure})", NOT_RUNNING
            ) from failure
        finally:
            connection.close()
        try:
            value = json.loads(raw)
        except ValueError as failure:
            raise LabError(
                f"reaching the lab at {self.running.endpoint_url}", "something else answers there", NOT_RUNNING
            ) from failure
        if answer.status == 200:
            return value
        told = value.get("error", "no reason given") if isinstance(value, dict) else "no reason given"
        if answer.status == 400:
            raise LabError("asking the lab", told.rstrip("."), "Mend the command and try again.", exit_code=2)
        raise LabError(
            f"asking the lab for {path}", told.rstrip("."), "'lab stop' and 'lab start' may help; see server.log."
        )


def alive(home: Home) -> ControlClient | None:
    """Return a client of the simulator that runs on `home`; None where none does. A dead one's traces are removed.

    Raises LabError for one that is there and does not answer, and for a damaged server.json.
    """
    running = home.running()
    if running is None:
        return None
    if ControlClient(running, timeout=10).answers():
        return ControlClient(running)
    home.forget_running()
    return None


def required(home: Home) -> ControlClient:
    """Return a client of the simulator that runs on `home`. Raises LabError where none does."""
    client = alive(home)
    if client is None:
        raise LabError("looking for the lab", f"no simulator runs on {home.path}", NOT_RUNNING)
    return client
