"""The connection file: where the daemon listens and the keys to talk to it.

Written by the daemon at each start, removed at its end; readable by its user only. Whoever can
read it may use the daemon, so the folder is private too.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from ..errors import ConnectionLost, ErrorCode, ProtocolError, why
from ..paths import private_folder
from . import limits
from .codec import load

_MOVE = "Choose a data folder that can be written (UNDERPAINT_DATA)."
_KEY_LENGTH = 40  # Z85 of 32 bytes


@dataclass(frozen=True, slots=True)
class Connection:
    """Endpoints, CURVE keys (Z85 text), and the daemon's life. `epoch` is new at each start.
    `shared`: the folder of `shared.py`, empty when there is none."""

    control: str
    data: str
    server_key: str
    client_key: str
    client_secret: str
    pid: int
    epoch: Annotated[str, limits.ID]
    major: int = limits.MAJOR
    minor: int = limits.MINOR
    shared: str = ""

    def __repr__(self) -> str:
        # The secret key must not reach logs and tracebacks.
        return f"Connection({self.control}, {self.data}, pid={self.pid}, epoch={self.epoch})"


def write_connection(path: Path, connection: Connection) -> None:
    """Write the file whole or not at all, for this user only (0600 in a 0700 folder)."""
    private_folder(path.parent)
    handle, name = tempfile.mkstemp(prefix=".connection-", dir=path.parent)  # 0600 by itself
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(connection), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def read_connection(path: Path) -> Connection:
    """Read the file. Raises ConnectionLost: DAEMON_ABSENT when there is none, NOT_AUTHORISED when
    it is damaged or another user's, and ProtocolError for another major version."""
    try:
        _check_owner(path)
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConnectionLost(ErrorCode.DAEMON_ABSENT, "no daemon is running") from error
    except NotADirectoryError as error:
        raise ConnectionLost(
            ErrorCode.DAEMON_ABSENT,
            f"no daemon is running: {path.parent} is in no folder",
            hint=_MOVE,
        ) from error
    except OSError as error:
        raise _unusable(path, why(error)) from error
    except ValueError as error:
        raise _unusable(path, str(error), damaged=True) from error
    return _checked(path, data)


def remove_connection(path: Path, epoch: str) -> None:
    """Remove the file if it is still the one of this epoch."""
    with contextlib.suppress(ConnectionLost, ProtocolError):
        if read_connection(path).epoch == epoch:
            path.unlink(missing_ok=True)


def process_alive(pid: int) -> bool:
    """Whether a process with this id exists (a zombie that nobody collected does not count)."""
    if sys.platform == "win32":
        return _alive_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[:1] == ["Z"]


def _alive_windows(pid: int) -> bool:
    import ctypes

    # os.kill(pid, 0) would end the process on Windows; ask for its handle instead.
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009 - absent on other systems
    synchronize, still_running = 0x0010_0000, 0x102
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == still_running)
    finally:
        kernel.CloseHandle(handle)


def _check_owner(path: Path) -> None:
    if sys.platform == "win32":
        return
    stat = path.stat()
    if stat.st_uid != os.getuid():
        raise OSError("it belongs to another user")
    if stat.st_mode & 0o077:
        raise OSError("other users can read it")


def _checked(path: Path, data: object) -> Connection:
    major = data.get("major") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(major, int) and major != limits.MAJOR:
        pid = data.get("pid")
        raise ProtocolError(
            f"the daemon (process {pid}) speaks protocol {major}, this program {limits.MAJOR}",
            code=ErrorCode.PROTOCOL_VERSION,
            hint="Update add-on and daemon to the same release; then end that process.",
            details={"pid": pid},
        )
    try:
        connection = load(Connection, data, "connection file")
    except ProtocolError as error:
        raise _unusable(path, error.message, damaged=True) from error
    keys = (connection.server_key, connection.client_key, connection.client_secret)
    if any(len(key) != _KEY_LENGTH or not key.isascii() for key in keys):
        raise _unusable(path, "a key is not a CURVE key", damaged=True)
    return connection


def _unusable(path: Path, reason: str, *, damaged: bool = False) -> ConnectionLost:
    """`damaged`: what is in it is no connection, and no daemon can be reached by it."""
    return ConnectionLost(
        ErrorCode.NOT_AUTHORISED,
        f"the connection file {path} cannot be used: {reason}",
        hint="Stop the daemon and start it again; it writes the file anew.",
        details={"damaged": damaged},
    )
