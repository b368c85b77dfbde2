"""The line between daemon and worker: length-prefixed msgpack maps over stdin and stdout.

Plain pipes work alike on every platform, and their end tells each side that the other is gone.
Both ends are ours, so a malformed message is a bug and not an input.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

import msgpack

STARVED = 12
"""The exit code of a worker that can get no more memory (ENOMEM on Linux)."""

Message = dict[str, Any]
_LENGTH = struct.Struct(">I")


def read_message(file: BinaryIO) -> Message | None:
    """The next message, or None at the end of the line."""
    head = _read(file, _LENGTH.size)
    if head is None:
        return None
    body = _read(file, _LENGTH.unpack(head)[0])
    if body is None:
        return None
    message: Message = msgpack.unpackb(body, raw=False)
    return message


def _read(file: BinaryIO, size: int) -> bytes | None:
    data = file.read(size)
    return data if len(data) == size else None


class Writer:
    """Writes messages whole, from any thread. Raises OSError when the other side is gone."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def send(self, message: Mapping[str, Any]) -> None:
        body: bytes = msgpack.packb(message)
        with self._lock:
            self._file.write(_LENGTH.pack(len(body)) + body)
            self._file.flush()
