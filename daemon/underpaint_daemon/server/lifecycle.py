"""One daemon per user folder: its lock, its identity, its connection file."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from underpaint.errors import ConnectionLost, ErrorCode, RequestError
from underpaint.paths import Paths, private_folder
from underpaint.version import VERSION
from underpaint.wire.envelope import new_id
from underpaint.wire.locks import FileLock
from underpaint.wire.messages import HelloOk

_KEY_LENGTH = 40  # Z85 of 32 bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this daemon is. `epoch` is new at each start."""

    epoch: str
    pid: int
    version: str

    def hello_ok(self) -> HelloOk:
        return HelloOk(self.epoch, self.pid, self.version)


def new_identity() -> Identity:
    """The identity of this process."""
    return Identity(new_id(), os.getpid(), VERSION)


def lock_folder(paths: Paths) -> FileLock:
    """Take the one daemon's place in these folders; held until the process ends.

    Raises ConnectionLost(DAEMON_START_FAILED) when another daemon has it.
    """
    private_folder(paths.data)
    lock = FileLock(paths.runtime / "daemon.lock")
    if not lock.try_acquire():
        raise ConnectionLost(
            ErrorCode.DAEMON_START_FAILED,
            f"another daemon serves {paths.data}",
            hint="Use that one, or stop it first.",
        )
    return lock


def check_bind(address: str) -> str:
    """The address to listen on, as ZeroMQ wants it. Raises RequestError(BAD_REQUEST)."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError as error:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{address!r} is not an address to bind to",
            hint="Give a numeric address, e.g. 127.0.0.1, or 0.0.0.0 for every interface.",
        ) from error
    return f"[{ip}]" if ip.version == 6 else str(ip)


def authorised_keys(paths: Paths, address: str) -> list[str]:
    """Public keys (Z85) of remote clients: the first line of each `authorised_clients/*.pub`.

    None for a loopback address: there the connection file's own key is the only one. Raises
    RequestError(BAD_REQUEST) when another address is asked for and nobody is authorised.
    """
    if ipaddress.ip_address(address).is_loopback:
        return []
    folder = paths.data / "authorised_clients"
    keys = [path.read_text(encoding="ascii").split("\n")[0].strip() for path in _keys_in(folder)]
    if not keys or any(len(key) != _KEY_LENGTH for key in keys):
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"{address} can be reached from outside, and {folder} does not say by whom",
            hint="Put one file NAME.pub with a CURVE public key there for each client.",
        )
    return keys


def _keys_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pub"))
