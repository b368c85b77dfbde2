"""A line to the network that a test can cut: an HTTP proxy for CONNECT, on loopback."""

from __future__ import annotations

import select
import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

_PIECE, _LOOK_S = 1 << 16, 0.2


@dataclass
class Line:
    """`port`: of the proxy. `received`: bytes that came from the network through it."""

    port: int
    received: int = 0


@contextmanager
def line(cut: Path) -> Iterator[Line]:
    """A proxy that breaks every connection, and takes no other, while the file `cut` exists."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked = self.request.recv(_PIECE).split(b" ")
            if cut.exists() or asked[0] != b"CONNECT":
                return
            host, _, port = asked[1].decode().rpartition(":")
            try:
                far = socket.create_connection((host, int(port)), timeout=20)
            except OSError:
                self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with far:
                relayed(self.request, far)

    def relayed(near: socket.socket, far: socket.socket) -> None:
        while not cut.exists():
            for source in select.select([near, far], [], [], _LOOK_S)[0]:
                data = source.recv(_PIECE)
                if not data:
                    return
                (far if source is near else near).sendall(data)
                if source is far:
                    told.received += len(data)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_words: object) -> None:
            """A line that broke: that is what it is for."""

    with Server(("127.0.0.1", 0), Relay) as server:
        told = Line(server.server_address[1])
        Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()
