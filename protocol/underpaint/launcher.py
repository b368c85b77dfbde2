"""Find the daemon, or start it: exactly one, however many clients race."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zmq

from .errors import (
    ConnectionLost,
    ErrorCode,
    ProtocolError,
    UnderpaintError,
    error_from_dict,
    why,
)
from .paths import Paths, user_paths
from .wire.connection import Connection, process_alive, read_connection
from .wire.envelope import new_id
from .wire.locks import FileLock
from .wire.message_types import Channel, message, parse
from .wire.messages import Error, Hello, HelloOk
from .wire.security import client_socket, receive, send

START_TIMEOUT_S = 60.0
PROBE_TIMEOUT_S = 5.0
GRACE_S = 1.0
_POLL_S = 0.03
_PRIVATE_OF_HOST = ("PYTHONHOME", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")


def never() -> bool:
    """The default of `cancelled`."""
    return False


def daemon_python(paths: Paths | None = None, environ: Mapping[str, str] | None = None) -> str:
    """The Python that has the daemon: UNDERPAINT_PYTHON, else what the installer wrote into
    `daemon.json` of the data folder, else this Python if the daemon's package is in it.

    Raises ConnectionLost(DAEMON_START_FAILED) when there is none.
    """
    env = os.environ if environ is None else environ
    if chosen := env.get("UNDERPAINT_PYTHON"):
        return chosen
    if installed := _installed_python((paths or user_paths(env)).data / "daemon.json"):
        return installed
    if importlib.util.find_spec("underpaint_daemon") is not None:
        return sys.executable
    raise ConnectionLost(
        ErrorCode.DAEMON_START_FAILED,
        "the daemon is not installed where this program can find it",
        hint="Install it (installers/bootstrap.py; or set UNDERPAINT_PYTHON to its Python).",
    )


def record_daemon_python(paths: Paths, python: str) -> None:
    """What an installer calls so that every host finds the daemon's Python."""
    paths.data.mkdir(parents=True, exist_ok=True)
    target = paths.data / "daemon.json"
    partial = target.with_suffix(".part")
    partial.write_text(json.dumps({"python": python}), encoding="utf-8")
    partial.replace(target)


def _installed_python(file: Path) -> str | None:
    try:
        python = json.loads(file.read_text(encoding="utf-8"))["python"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return python if isinstance(python, str) and Path(python).exists() else None


def running_connection(paths: Paths) -> Connection | None:
    """The connection of a daemon whose process lives, or None; a damaged file leads to none, and
    the next daemon writes it anew.

    Raises ConnectionLost(NOT_AUTHORISED) when the file is not this user's alone, and ProtocolError
    when a living daemon is of another major version.
    """
    try:
        connection = read_connection(paths.connection_file)
    except ConnectionLost as error:
        if error.code is ErrorCode.DAEMON_ABSENT or error.details.get("damaged"):
            return None
        raise
    except ProtocolError as error:
        pid = error.details.get("pid")
        if isinstance(pid, int) and not process_alive(pid):
            return None
        raise
    return connection if process_alive(connection.pid) else None


def probe(connection: Connection, timeout: float = PROBE_TIMEOUT_S) -> bool:
    """Whether the daemon says hello within `timeout` seconds. Raises its refusal."""
    with zmq.Context() as context:
        socket = client_socket(context, Channel.CONTROL, connection)
        with socket:
            deadline = time.monotonic() + timeout
            if not socket.poll(int(timeout * 1000), zmq.POLLOUT):
                return False
            send(socket, message(Hello(new_id(), "probe", "")))
            remaining = max(0.0, deadline - time.monotonic())
            if not socket.poll(int(remaining * 1000), zmq.POLLIN):
                return False
            body = parse(receive(socket))
    if isinstance(body, Error):
        raise error_from_dict(body.error)
    return isinstance(body, HelloOk)


def ensure_daemon(
    paths: Paths | None = None,
    *,
    timeout: float = START_TIMEOUT_S,
    cancelled: Callable[[], bool] = never,
) -> Connection:
    """The running daemon's connection; starts it when there is none.

    A lock lets one client start it while the others wait for the same daemon. `cancelled` is
    asked now and then; when it says True the wait ends.
    Raises ConnectionLost(DAEMON_START_FAILED) with the daemon's last words.
    """
    where = paths or user_paths()
    deadline = time.monotonic() + timeout
    if found := _answering(where):
        return found
    with FileLock(where.runtime / "spawn.lock") as lock:
        while not _taken(lock, where):
            _check_time(where, deadline, cancelled, None)
            if found := _answering(where):
                return found
            time.sleep(_POLL_S)
        # The holder before us may have started it.
        if found := _answering(where):
            return found
        process = _spawn(where)
        return _wait_until_ready(where, process, deadline, cancelled)


def _taken(lock: FileLock, paths: Paths) -> bool:
    try:
        return lock.try_acquire()
    except OSError as error:
        raise _no_room(paths, error) from error


def _no_room(paths: Paths, error: OSError) -> ConnectionLost:
    """The daemon has no folder to live in."""
    return ConnectionLost(
        ErrorCode.DAEMON_START_FAILED,
        f"the daemon's folder {paths.data} cannot be written: {why(error)}",
        hint="Make that folder one that can be written, or choose another (UNDERPAINT_DATA).",
    )


def _answering(paths: Paths) -> Connection | None:
    connection = running_connection(paths)
    return connection if connection and probe(connection) else None


def _wait_until_ready(
    paths: Paths,
    process: subprocess.Popen[bytes],
    deadline: float,
    cancelled: Callable[[], bool],
) -> Connection:
    ended_at: float | None = None
    while True:
        connection = _readable(paths)
        if connection and process_alive(connection.pid) and probe(connection):
            return connection
        if process.poll() is not None:
            # Perhaps another daemon, started by hand, was quicker: it gets a moment to be ready.
            ended_at = ended_at or time.monotonic()
            if time.monotonic() - ended_at > GRACE_S:
                code = process.returncode
                raise _start_failed(paths, f"the daemon ended with code {code} while starting")
        _check_time(paths, deadline, cancelled, process)
        time.sleep(_POLL_S)


def _readable(paths: Paths) -> Connection | None:
    try:
        return read_connection(paths.connection_file)
    except (ConnectionLost, ProtocolError):
        return None


def _check_time(
    paths: Paths,
    deadline: float,
    cancelled: Callable[[], bool],
    process: subprocess.Popen[bytes] | None,
) -> None:
    if cancelled():
        raise ConnectionLost(ErrorCode.DAEMON_ABSENT, "the client was closed while it waited")
    if time.monotonic() >= deadline:
        if process is not None:
            process.kill()
        raise _start_failed(paths, "the daemon did not become ready in time")


def _start_failed(paths: Paths, what: str) -> UnderpaintError:
    last, fix = _last_words(start_log(paths))
    return ConnectionLost(
        ErrorCode.DAEMON_START_FAILED,
        f"{what}: {last}" if last else what,
        hint=fix,
        details={"log": str(start_log(paths))},
    )


def _last_words(file: Path) -> tuple[str, str | None]:
    """What a process said last, and the fix if it named one (see `cli.output.print_error`)."""
    last = last_line(file)
    if not last.startswith("fix:"):
        return last, None
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    return errors[-1].removeprefix("error: ") if errors else "", last.removeprefix("fix:").strip()


def start_log(paths: Paths) -> Path:
    """What the daemon printed since its start: empty when all is well."""
    return paths.logs / "daemon-start.log"


def last_line(file: Path) -> str:
    """The last line of a text file that is not blank; empty when there is none."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _spawn(paths: Paths) -> subprocess.Popen[bytes]:
    python = daemon_python(paths)
    try:
        paths.logs.mkdir(parents=True, exist_ok=True)
        log = start_log(paths).open("wb")
    except OSError as error:
        raise _no_room(paths, error) from error
    try:
        with log:
            process = subprocess.Popen(
                [python, "-m", "underpaint_daemon", "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=paths.data,
                env=daemon_environment(paths, python, os.environ),
                **_detached(),
            )
    except OSError as error:
        raise not_started(python, error) from error
    # Collect its exit code whenever that comes, so that it does not stay a zombie of this host.
    threading.Thread(target=process.wait, name="underpaint-reaper", daemon=True).start()
    return process


def not_started(python: str, error: OSError) -> ConnectionLost:
    """The daemon's Python is none that runs."""
    chosen = "UNDERPAINT_PYTHON" in os.environ
    return ConnectionLost(
        ErrorCode.DAEMON_START_FAILED,
        f"{python} cannot be started: {why(error)}",
        hint="Name the Python that has the daemon (UNDERPAINT_PYTHON)." if chosen else None,
    )


def daemon_environment(paths: Paths, python: str, environ: Mapping[str, str]) -> dict[str, str]:
    """This environment for the daemon's Python: same folders, nothing of the host's Python."""
    env = {key: value for key, value in environ.items() if key not in _PRIVATE_OF_HOST}
    if python != sys.executable:
        env.pop("PYTHONPATH", None)
    return {**env, "UNDERPAINT_DATA": str(paths.data), "UNDERPAINT_CACHE": str(paths.cache)}


def _detached() -> dict[str, Any]:
    """The daemon must outlive its host, and not get its Ctrl-C."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}
