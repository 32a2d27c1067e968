"""The server's connections: what a client of HTTP sees of them."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from cheroot.connections import ConnectionManager

from simulator import http_server
from simulator import server as server_module
from simulator.server import _listen

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["PATH_INFO"].encode() + environ["wsgi.input"].read(length)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@contextmanager
def _client() -> Iterator[socket.socket]:
    """Give a socket that is connected to a server that says the path and the body of each request."""
    server = _listen("127.0.0.1", 0)
    server.wsgi_app = _echo
    serving = threading.Thread(target=server.serve, daemon=True)
    serving.start()
    try:
        with closing(socket.create_connection(("127.0.0.1", server.bind_addr[1]), timeout=20)) as client:
            yield client
    finally:
        server.stop()
        serving.join(20)


def _until(client: socket.socket, ending: bytes) -> bytes:
    received = b""
    while not received.endswith(ending):
        more = client.recv(65536)
        assert more, received
        received += more
    return received


def test_head_and_body_of_a_small_answer_come_in_one_piece(monkeypatch: Any) -> None:
    """Sent apart they wake a client twice."""
    sent: list[bytes] = []
    write = socket.SocketIO.write

    def noted(self: socket.SocketIO, data: Any) -> int | None:
        sent.append(bytes(data))
        return write(self, data)

    with _client() as client:
        monkeypatch.setattr(socket.SocketIO, "write", noted)
        client.sendall(GET)
        _until(client, b"/a")
        client.sendall(GET)
        _until(client, b"/a")
    assert [piece.startswith(b"HTTP/1.1 200 OK") and piece.endswith(b"/a") for piece in sent] == [True, True]


def test_requests_sent_together_are_answered_in_order() -> None:
    """What came along with an earlier request is not left waiting for a packet that never comes."""
    with _client() as client:
        client.sendall(GET + GET.replace(b"/a", b"/b") + GET.replace(b"/a", b"/c"))
        received = _until(client, b"/c")
    bodies = [answer.rpartition(b"\r\n")[2] for answer in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"/a", b"/b", b"/c"]


def test_a_client_that_waits_to_be_told_to_go_on_is_told() -> None:
    """`Expect: 100-continue`, as the AWS CLI sends with an upload: the body comes only then."""
    with _client() as client:
        client.sendall(b"PUT /up HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert _until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"body")
        assert _until(client, b"/upbody").startswith(b"HTTP/1.1 200 OK")


def test_a_body_and_an_answer_larger_than_any_buffer_arrive_whole() -> None:
    """Several megabytes each way."""
    body = bytes(range(256)) * 20_000
    with _client() as client:
        threading.Thread(
            target=client.sendall,
            args=(b"PUT /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body,),
        ).start()
        received = _until(client, body[-70_000:])
    assert received.endswith(b"\r\n\r\n/b" + body)


def test_thirty_clients_keep_their_connections() -> None:
    """A program has a client for each service: none is told to connect anew for its next call."""
    with _client() as first:
        host, port = first.getpeername()
        others = [socket.create_connection((host, port), timeout=20) for _ in range(29)]
        for _ in range(2):
            for client in (first, *others):
                client.sendall(GET)
                assert b"close" not in _until(client, b"/a").lower()
        for client in others:
            client.close()


def test_what_is_no_request_is_refused_in_words() -> None:
    """cheroot's own refusal reaches the client before the connection ends."""
    with _client() as client:
        client.sendall(b"nonsense\r\n\r\n")
        assert _until(client, b"Malformed Request-Line").startswith(b"HTTP/1.1 400")
        assert client.recv(100) == b""


def test_what_comes_at_once_is_answered_without_handing_the_connection_on(monkeypatch: Any) -> None:
    """A client that makes one call after another is not queued anew for each of them."""
    monkeypatch.setattr(http_server, "AT_ONCE", 20)
    handed_on: list[object] = []
    monkeypatch.setattr(ConnectionManager, "put", lambda _self, connection: handed_on.append(connection))
    with _client() as client:
        for _ in range(5):
            client.sendall(GET)
            _until(client, b"/a")
    assert len(handed_on) <= 1, "at most when it had ended"


def test_a_client_that_never_pauses_lets_others_have_their_turn(monkeypatch: Any) -> None:
    """Even where a single worker answers all."""
    monkeypatch.setattr(http_server, "IN_TURN", 3)
    monkeypatch.setattr(http_server, "AT_ONCE", 10)
    monkeypatch.setattr(server_module, "THREADS", 1)
    answered = threading.Event()
    with _client() as busy:
        host, port = busy.getpeername()

        def go_on() -> None:
            while not answered.is_set():
                busy.sendall(GET)
                _until(busy, b"/a")

        going = threading.Thread(target=go_on)
        going.start()
        try:
            with closing(socket.create_connection((host, port), timeout=20)) as other:
                other.sendall(GET.replace(b"/a", b"/b"))
                assert _until(other, b"/b").startswith(b"HTTP/1.1 200 OK")
        finally:
            answered.set()
            going.join(20)
