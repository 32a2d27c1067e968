"""A lab that this process opens for itself: the AWS API through botocore and the control API, without a socket in between.

For trials of fixes and for tests, which need many fresh labs quickly: a history is made once, and each trial opens a copy of its
journal. Requests are what botocore makes of a call and are answered by the very gateway that a server answers with.
Adversary: none of its own; the functions of the lab run behind the same walls as anywhere.
"""

import functools
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session

from scenario.errors import LabError
from simulator.control import Control
from simulator.gateway import Gateway
from simulator.home import Home
from simulator.server import Options, give_keys, open_lab, running_of
from simulator.wire import HttpRequest
from simulator.world import Lab

URL = "http://127.0.0.1:4566"
"""What the lab calls itself. Nothing listens there for it."""


class LabHere:
    """An open lab and the ways to reach it: `client` as somebody, `get` and `post` as `lab` does."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.running = running_of(lab, URL, hosted=False)
        self._control = Control(lab=lab, token=self.running.token, stop=lambda: None)
        self._gateway = Gateway(labs={lab.account_id: lab}, control=self._control)
        give_keys(self._gateway, lab, self.running)
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, who: str = "", user_agent: str = "") -> Any:
        """Return a client, made once: the trainee's, or with `who` "check_" or "owner_" the checker's or the account owner's."""
        key = (service, who, user_agent)
        if key not in self._clients:
            client = _session().create_client(
                service,
                endpoint_url=URL,
                region_name=self.running.region,
                aws_access_key_id=getattr(self.running, f"{who}access_key_id"),
                aws_secret_access_key=getattr(self.running, f"{who}secret_access_key"),
                aws_session_token=getattr(self.running, f"{who}session_token"),
                config=Config(user_agent_extra=user_agent, retries={"total_max_attempts": 1}),
            )
            client.meta.events.register("before-send", self._send)
            self._clients[key] = client
        return self._clients[key]

    def get(self, path: str) -> Any:
        """Return what the control API answers to GET `path`. Raises LabError where it refuses."""
        return self._asked("GET", path, b"")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return what the control API answers to POST `path`. Raises LabError where it refuses."""
        return self._asked("POST", path, json.dumps(body).encode())

    def advance(self, by: timedelta) -> None:
        """Let lab time pass."""
        self.post("/_lab/advance", {"seconds": by.total_seconds()})

    def _asked(self, method: str, path: str, body: bytes) -> Any:
        parts = urlsplit(path)
        request = HttpRequest(
            method=method,
            host="127.0.0.1:4566",
            path=parts.path,
            query=parts.query,
            headers={"x-lab-token": self.running.token},
            body=body,
        )
        answer = self._control.answer(request)
        told = json.loads(answer.body)
        if answer.status != 200:
            raise LabError(f"asking the lab for {path}", str(told.get("error")), "See what the lab logged.")
        return told

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        """Answer a request of botocore's in place of its HTTP connection."""
        body = _bytes(request.body)
        parts = urlsplit(request.url)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "HTTP_HOST": parts.netloc,
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
        }
        for name, value in request.headers.items():
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            upper = name.upper().replace("-", "_")
            if upper == "CONTENT_TYPE":
                environ["CONTENT_TYPE"] = text
            elif upper not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
                environ[f"HTTP_{upper}"] = text
        started: list[tuple[int, dict[str, str]]] = []
        answer = self._gateway(environ, lambda status, given: started.append((int(status.split()[0]), dict(given))))
        status, headers = started[0]
        return AWSResponse(request.url, status, headers, _Raw(b"".join(answer)))


class Mould:
    """A lab with its history, made once, of which copies are opened one after another."""

    def __init__(self, folder: Path, scenario_id: str, seed: str, history: timedelta) -> None:
        self._folder = folder
        hours = history.total_seconds() / 3600
        self._options = Options(scenario=scenario_id, seed=seed, history=hours)
        self._copies = 0
        with self._open(folder):
            pass

    @contextmanager
    def copy(self) -> Iterator[LabHere]:
        """Open a copy, which nothing was done in yet. One at a time: they are the same account."""
        self._copies += 1
        folder = self._folder / str(self._copies)
        folder.mkdir()
        shutil.copy(Home(self._folder).journal, Home(folder).journal)
        try:
            with self._open(folder) as lab:
                yield LabHere(lab)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _open(self, folder: Path) -> Iterator[Lab]:
        lab = open_lab(self._options, Home(folder), URL).lab
        try:
            yield lab
        finally:
            lab.environments.close()
            lab.close()


class _Raw(io.BytesIO):
    """An answer's body, as botocore reads it."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Iterator[bytes]:
        """Yield the body in pieces."""
        while piece := self.read(amt):
            yield piece


def _bytes(body: Any) -> bytes:
    if hasattr(body, "read"):
        return bytes(body.read())
    return body.encode() if isinstance(body, str) else bytes(body or b"")


@functools.cache
def _session() -> Session:
    """Return one session for all clients: it reads each service's model once."""
    return Session()
