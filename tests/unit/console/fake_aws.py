"""A stand-in for the lab: AWS answers from a table, and a control API that remembers."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from simulator.console.app import make_app
from simulator.console.aws import ApiError
from simulator.console.inside import Answer
from simulator.home import Home, Running

DETECTOR = "d" * 32
RUNNING = Running(
    pid=1, endpoint_url="http://127.0.0.1:4566", token="control-token", lab_id="unitlab", seed="unit",
    scenario="lambda-malicious-ip", account_id="111122223333", region="us-east-1", access_key_id="ASIA", secret_access_key="s",
    session_token="t", check_access_key_id="ASIB", check_secret_access_key="s", check_session_token="t",
    owner_access_key_id="ASIC", owner_secret_access_key="s", owner_session_token="t",
)  # fmt: skip
Reply = Callable[[Mapping[str, Any]], dict[str, Any]] | dict[str, Any]


class FakeAws:
    """Answers from a table of (service, operation), and notes what was asked."""

    def __init__(self, replies: Mapping[tuple[str, str], Reply]) -> None:
        self.replies = {("guardduty", "ListDetectors"): {"DetectorIds": [DETECTOR]}, **replies}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the table's answer. Raises ApiError where the table has none."""
        self.asked.append((service, operation, dict(params)))
        reply = self.replies.get((service, operation))
        if reply is None:
            raise ApiError("AccessDeniedException", f"{operation} is not in the table")
        return reply(params) if callable(reply) else reply


class FakeLab:
    """The control API's side: status, answers, hints, attempts. With `broken` it says that and nothing else."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.hints: dict[str, int] = {}
        self.attempts: list[dict[str, Any]] = []
        self.advanced: list[float] = []
        self.keys = 0
        self.broken = ""
        self.outlook: dict[str, Any] = {
            "connections": [], "why": [], "determinable": True, "until": "", "invocations": 0
        }  # fmt: skip

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request as the gateway would."""
        if self.broken:
            return Answer(500, {}, self.broken.encode())
        path = url.partition("4566")[2].partition("?")[0]
        if headers.get("X-Lab-Token") != RUNNING.token:
            return Answer(403, {}, b'{"error": "no token"}')
        told = json.loads(body or b"{}")
        if (method, path) == ("POST", "/_lab/hints"):
            self.hints[told["task"]] = self.hints.get(told["task"], 0) + 1
            return self._ok({"taken": self.hints[told["task"]]})
        if (method, path) == ("POST", "/_lab/advance"):
            self.advanced.append(told["seconds"])
            return self._ok({"lab_time": "2026-11-24T10:50:00Z"})
        if (method, path) == ("POST", "/_lab/key"):
            self.keys += 1
            return self._ok({})
        return self._ok(
            {
                "/_lab/status": {
                    "lab_id": "unitlab", "lab_time": "2026-11-24T10:20:00Z", "last_attempt": None, "entries": 3,
                    "differences": [], "key_used_at": None, "finding_count": 1,
                },
                "/_lab/time": {"lab_time": "2026-11-24T10:20:00Z"},
                "/_lab/answers": self.answers,
                "/_lab/hints": self.hints,
                "/_lab/attempts": self.attempts,
                "/_lab/look-ahead": self.outlook,
            }[path]
        )  # fmt: skip

    def _ok(self, value: Any) -> Answer:
        return Answer(200, {}, json.dumps(value).encode())


class Console:
    """A browser's view of the console: one session, forms with their tokens."""

    def __init__(self, home: Path, replies: Mapping[tuple[str, str], Reply] | None = None) -> None:
        self.aws, self.lab = FakeAws(replies or {}), FakeLab()
        self.app = make_app(RUNNING, Home(home), self.lab.send, self.aws)
        self.client: FlaskClient = self.app.test_client()

    def get(self, path: str, **headers: str) -> str:
        """Return the page of an address, in a session that is begun where there is none."""
        if not self.client.get_cookie(f"lab_console_{RUNNING.lab_id}"):
            self.client.get(path)
        return str(self.client.get(path, headers=headers).get_data(as_text=True))

    def token(self, page: str, action: str) -> str:
        """Return the token of the form on a page that posts to `action`."""
        text = self.get(page)
        start = text.index(f'action="{action}"')
        return text[text.index('name="token" value="', start) + len('name="token" value="') :][:64]

    def post(self, page: str, action: str, **form: Any) -> Any:
        """Send the form of a page and return the answer."""
        return self.client.post(action, data={"token": self.token(page, action), **form})
