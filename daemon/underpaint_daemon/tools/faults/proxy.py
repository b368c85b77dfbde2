"""A TCP proxy between client and daemon that can stall, cut and drip."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from pathlib import Path

from underpaint.wire.connection import Connection, read_connection, write_connection

_PIECE = 65536


class Proxy:
    """Passes bytes on, both ways, for every connection to `port`.

    `flowing`: cleared, nothing passes any more, and nobody is told; `held`: something has come
    meanwhile and waits. `piece`: bytes passed at a time. `cuts`: how many more connections end
    abruptly once the daemon has answered `cut_after` bytes on them.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("tcp://").rpartition(":")
        self._target = (host, int(port))
        self._server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"tcp://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self.flowing = threading.Event()
        self.flowing.set()
        self.held = False
        self.cuts = self.cut_after = self.connections = 0
        self.piece = _PIECE
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection now."""
        while self._open:
            _shut(self._open.pop())

    def close(self) -> None:
        self.flowing.set()
        _shut(self._server)
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                self.connections += 1
                for source, sink, answers in ((near, far, False), (far, near, True)):
                    arguments = (source, sink, answers)
                    threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(self.piece):
                self.held = not self.flowing.is_set()
                self.flowing.wait()
                sink.sendall(data)
                passed += len(data)
                if answers and self.cuts and passed > self.cut_after:
                    self.cuts -= 1
                    break
        _shut(source)
        _shut(sink)


def proxies_before(file: Path) -> tuple[Proxy, Proxy]:
    """Put proxies before `control` and `data` of the daemon of a connection file; nothing is
    shared by memory then, as with a daemon on another machine."""
    real: Connection = read_connection(file)
    control, data = Proxy(real.control), Proxy(real.data)
    write_connection(file, replace(real, control=control.endpoint, data=data.endpoint, shared=""))
    return control, data


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
