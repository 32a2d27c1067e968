"""cheroot's connections, in fewer steps: an answer leaves in one packet, what comes in is read by C, and at once.

cheroot sends an answer's head and its body apart, which wakes the client twice, reads lines with the interpreter's own `_pyio`, and
hands a connection from thread to thread between two requests: together that took longer than all the lab does for a small read. It
has a seam for each of them: the class of a connection and its files.
Adversary: a client that sends anything. cheroot's own limits and checks are as they were.
"""

import io
import socket
from typing import Any

from cheroot.server import HTTPConnection, HTTPRequest

BUFFER = 32 * 1024
IDLE = 64
"""How many connections may wait for their next request. A program has one for each of its clients; cheroot keeps ten, and has the
others connect anew for every call."""
AT_ONCE = 0.002
"""Seconds for which a worker waits for a client's next request itself: to hand the connection on and back costs more than to read it."""
IN_TURN = 100
"""How many requests of one connection a worker answers before others have their turn."""


class _Reader(io.BufferedReader):
    """What a client sends."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(socket.SocketIO(sock, "r"), BUFFER)
        self._socket = sock

    def has_data(self) -> bool:
        """Return whether more has come already: cheroot asks before it lets a connection wait among the idle ones."""
        patience = self._socket.gettimeout()
        self._socket.settimeout(0)
        try:
            return bool(self.peek(1))
        except OSError:  # a connection that broke off: whoever reads from it next finds out
            return False
        finally:
            self._socket.settimeout(patience)

    def comes(self, within: float) -> bool:
        """Return whether more comes within so many seconds."""
        if self.has_data():
            return True
        patience = self._socket.gettimeout()
        self._socket.settimeout(within)
        try:  # of the socket itself: a file over it cannot be read any more once it has timed out
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except OSError:
            return False
        finally:
            self._socket.settimeout(patience)


def _file(sock: socket.socket, mode: str, _buffer: int) -> io.BufferedReader | io.BufferedWriter:
    return _Reader(sock) if "r" in mode else io.BufferedWriter(socket.SocketIO(sock, "w"), BUFFER)


class Request(HTTPRequest):
    """A request whose answer is sent when all of it is written."""

    def read_request_headers(self) -> Any:
        """Read the head; a client that waits for `100 Continue` is told so."""
        done = super().read_request_headers()  # type: ignore[no-untyped-call]
        self.conn.wfile.flush()
        return done

    def respond(self) -> None:
        """Answer."""
        super().respond()
        self.conn.wfile.flush()

    def simple_response(self, status: str, msg: str = "") -> None:
        """Answer what cheroot refuses by itself."""
        super().simple_response(status, msg)
        self.conn.wfile.flush()


class Connection(HTTPConnection):
    """A connection with these files and requests."""

    RequestHandlerClass = Request

    def __init__(self, server: Any, sock: socket.socket, _makefile: Any = None) -> None:
        super().__init__(server, sock, _file)

    def communicate(self) -> bool:
        """Answer what comes, for as long as it comes at once; return whether the connection stays open."""
        for _ in range(IN_TURN):
            if not super().communicate():  # type: ignore[no-untyped-call]
                return False
            if not self.rfile.comes(AT_ONCE):
                break
        return True
