"""The kit's own control API, under `/_lab/`: what `lab` needs of a running simulator and AWS has no call for.

It needs the control token that the simulator wrote into LAB_HOME. It labels nothing as an answer; `lab answers` makes its key
from the scenario, not from here. `/_localstack/health` is open: it says that the simulator runs, and which services.
"""

import functools
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata
from typing import Any
from urllib.parse import parse_qs

from scenario.errors import LabError
from simulator.foresight import look_ahead, unlabelled
from simulator.identity import Ids, Principal
from simulator.service import Context
from simulator.submission import rows_to_json
from simulator.wire import HttpAnswer, HttpRequest
from simulator.world import Lab

MAX_ADVANCE = timedelta(days=90)
MAX_TEXT = 2000
VERSIONED = ("guardduty-lab", "moto", "botocore")


class _Bad(Exception):
    """A control request that makes no sense; its text is for the caller."""


@dataclass(slots=True)
class Control:
    """The control API of one lab in this process. `stop` ends the server once the answer is sent."""

    lab: Lab
    token: str
    stop: Callable[[], None]
    version: str = "0"
    rehearses: bool = True
    """Whether functions may be run to look ahead. A submitted lab's are run behind the kernel's walls only."""

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request to `/_lab/…` or `/_localstack/…`, always in JSON."""
        if request.path in ("/_localstack/health", "/_localstack/info", "/health"):
            return _json(
                200, {"services": dict.fromkeys(self._services(), "running"), "edition": "lab", "version": self.version}
            )
        if not hmac.compare_digest(request.header("x-lab-token").encode(), self.token.encode()):
            return _json(403, {"error": "The control API needs the token that 'lab start' wrote."})
        route = self._routes().get((request.method, request.path))
        if route is None:
            return _json(404, {"error": f"The control API has no {request.method} {request.path}."})
        try:
            query = {key: values[-1] for key, values in parse_qs(request.query).items()}
            return _json(200, route(_body(request), query))
        except _Bad as bad:
            return _json(400, {"error": str(bad)})
        except LabError as broken:
            return _json(503, {"error": str(broken)})

    def _services(self) -> list[str]:
        return sorted({*self.lab.services(), "s3", "iam", "ec2", "sqs", "sns", "logs", "cloudwatch", "kms"})

    def _routes(self) -> Mapping[tuple[str, str], Callable[[dict[str, Any], dict[str, str]], Any]]:
        return {
            ("GET", "/_lab/ping"): self._ping,
            ("GET", "/_lab/status"): self._status,
            ("GET", "/_lab/time"): self._time,
            ("POST", "/_lab/pause"): self._pause,
            ("POST", "/_lab/advance"): self._advance,
            ("GET", "/_lab/answers"): self._answers,
            ("POST", "/_lab/answers"): self._answer,
            ("GET", "/_lab/attempts"): self._attempts,
            ("GET", "/_lab/hints"): self._hints,
            ("POST", "/_lab/hints"): self._hint,
            ("GET", "/_lab/key"): self._key_used,
            ("POST", "/_lab/key"): self._key,
            ("POST", "/_lab/attempts"): self._attempt,
            ("GET", "/_lab/look-ahead"): lambda _, query: self._look_ahead(query, {}),
            ("POST", "/_lab/look-ahead"): self._look_ahead,
            ("GET", "/_lab/journal"): self._journal,
            ("POST", "/_lab/stop"): self._stop,
        }

    def _ping(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        return {"lab_id": self.lab.lab_id}

    def _pause(self, body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        if not isinstance(body.get("paused"), bool):
            raise _Bad("'paused' must be true or false.")
        self.lab.pause(body["paused"])
        self.lab.tick()
        return {"paused": self.lab.clock.paused}

    def _status(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        lab = self.lab
        with lab.lock:
            lab.tick()
            return {
                "lab_id": lab.lab_id,
                "account_id": lab.account_id,
                "region": lab.region,
                "lab_time": f"{lab.clock.now():%Y-%m-%dT%H:%M:%SZ}",
                "paused": lab.clock.paused,
                "entries": lab.journal.next_seq - 1,
                "differences": lab.differences[:5],
                "difference_count": len(lab.differences),
                "rehearses": self.rehearses,
                "versions": versions(),
                "key_used_at": lab.memory.key_used_at,
                "finding_count": self._finding_count(),
                "last_attempt": lab.memory.attempts[-1] if lab.memory.attempts else None,
            }

    def _time(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, str]:
        """Return lab time alone: every page of the console shows it, and the status counts findings."""
        with self.lab.lock:
            self.lab.catch_up()
            return {"lab_time": f"{self.lab.clock.now():%Y-%m-%dT%H:%M:%SZ}"}

    def _finding_count(self) -> int:
        """Return how many current findings the lab's detector shows."""
        lab = self.lab
        ctx = Context(
            lab=lab, principal=Principal.service("lab", lab.account_id), now=lab.clock.now(), ids=Ids.of("status")
        )  # fmt: skip
        current = {"Criterion": {"service.archived": {"Equals": ["false"]}}}
        count, token = 0, ""
        for detector in ctx.read("guardduty", "ListDetectors")["DetectorIds"]:
            while True:
                more = {"NextToken": token} if token else {}
                page = ctx.read("guardduty", "ListFindings", DetectorId=detector, FindingCriteria=current, **more)
                count, token = count + len(page["FindingIds"]), page.get("NextToken") or ""
                if not token:
                    break
        return count

    def _advance(self, body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        seconds = body.get("seconds")
        if (
            not isinstance(seconds, int | float)
            or isinstance(seconds, bool)
            or not 0 < seconds <= MAX_ADVANCE.total_seconds()
        ):
            raise _Bad("Lab time moves on by more than nothing and at most 90 days.")
        now = self.lab.advance(timedelta(seconds=seconds))
        return {"lab_time": f"{now:%Y-%m-%dT%H:%M:%SZ}"}

    def _answers(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        return dict(self.lab.memory.answers)

    def _answer(self, body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        self.lab.remember("answer", {"task": _text(body, "task"), "text": _text(body, "text")})
        return {}

    def _attempts(self, _body: dict[str, Any], _query: dict[str, str]) -> list[dict[str, Any]]:
        return list(self.lab.memory.attempts)

    def _hints(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, int]:
        return dict(self.lab.memory.hints)

    def _hint(self, body: dict[str, Any], _query: dict[str, str]) -> dict[str, int]:
        task = _text(body, "task")
        self.lab.remember("hint", {"task": task})
        return {"taken": self.lab.memory.hints[task]}

    def _key_used(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        return {"used_at": self.lab.memory.key_used_at}

    def _key(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        self.lab.remember("key", {})
        return {}

    def _attempt(self, body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        if not _is_attempt(body):
            raise _Bad(
                "An attempt tells when it was made, the answers, statuses and points of its tasks, a score, and whether all passed."
            )
        self.lab.remember("attempt", body)
        return {}

    def _journal(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        with self.lab.lock:
            self.lab.tick()
            rows = [row for _, row in self.lab.journal.rows()]
            return {"meta": self.lab.journal.meta(), "rows": rows_to_json(rows)}

    def _look_ahead(self, body: Mapping[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        """Return the outlook. Of an address it says only whether it is one of the `addresses` that the caller knows, and which.

        Once the key was used there is nothing left to keep.
        """
        try:
            hours = float(body.get("hours", 24))
        except (ValueError, TypeError) as none:
            raise _Bad("'hours' must be a number.") from none
        if not 0 < hours <= 24 * 31:
            raise _Bad("Looking ahead goes up to 31 days.")
        if not self.rehearses:
            now = f"{self.lab.clock.now():%Y-%m-%dT%H:%M:%SZ}"
            why = ["this machine has no walls for code that somebody else has sent"]
            return {
                "lab_time": now,
                "until": now,
                "determinable": False,
                "why": why,
                "connections": [],
                "invocations": 0,
            }
        outlook = look_ahead(self.lab, timedelta(hours=hours))
        if self.lab.memory.key_used_at:
            return outlook
        try:
            return unlabelled(outlook, [text for text in body.get("addresses", ()) if text])
        except (ValueError, TypeError) as none:
            raise _Bad(f"'addresses' must be addresses or ranges: {none}.") from none

    def _stop(self, _body: dict[str, Any], _query: dict[str, str]) -> dict[str, Any]:
        self.stop()
        return {}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions by which a lab may answer differently, by distribution."""
    found = {}
    for name in VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError as none:
        raise _Bad("The body must be JSON.") from none
    if not isinstance(body, dict):
        raise _Bad("The body must be a JSON object.")
    return body


def _is_attempt(body: Mapping[str, Any]) -> bool:
    members = {"answers": str, "statuses": str, "points": int}
    by_task = [(body.get(member), kind) for member, kind in members.items()]
    told = all(
        isinstance(said, dict) and all(isinstance(each, kind) for each in said.values()) for said, kind in by_task
    )
    try:
        moment = datetime.fromisoformat(body["at"])
    except (KeyError, TypeError, ValueError):
        return False
    return told and bool(moment.tzinfo) and isinstance(body.get("score"), int) and isinstance(body.get("passed"), bool)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise _Bad(f"{name!r} must be a text of 1 to {MAX_TEXT} characters.")
    return value


def _json(status: int, value: Any) -> HttpAnswer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return HttpAnswer(status=status, headers={"Content-Type": "application/json"}, body=body)
