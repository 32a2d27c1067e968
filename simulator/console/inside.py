"""How the console reaches the API of the process that it lives in: through the gateway, as every client, without a socket.

A page that asked over loopback would hold one of the server's threads while it waits for another one: enough pages at once
would wait for ever. The gateway routes, authenticates, authorises and journals these requests like any other.
"""

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""Sends method, URL, headers and body; returns the answer."""


def through(gateway: Wsgi) -> Send:
    """Return a way to send requests to `gateway`."""

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        told: dict[str, Any] = {}

        def start_response(status: str, sent: list[tuple[str, str]], _failure: Any = None) -> None:
            told["status"], told["headers"] = int(status.split(" ", 1)[0]), dict(sent)

        pieces = gateway(_environ(method, url, headers, body), start_response)
        content = b"".join(pieces)
        return Answer(told["status"], told["headers"], content)

    return send


def _environ(method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    where = urlsplit(url)
    path = where.path or "/"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote(path),
        "QUERY_STRING": where.query,
        "REQUEST_URI": f"{path}?{where.query}" if where.query else path,
        "HTTP_HOST": where.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": where.scheme,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "HOST"):
            environ[f"HTTP_{key}"] = value
    return environ
