"""Where this add-on's daemon lives: its folders and its Python, from the preferences. No bpy."""

from __future__ import annotations

import os
from pathlib import Path

from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.launcher import daemon_python, record_daemon_python, running_connection
from underpaint.paths import Paths, user_paths


def chosen_paths(data_folder: str) -> Paths:
    """The user's folders; `data_folder` (empty: the usual one) moves data and runtime."""
    if not data_folder:
        return user_paths()
    return user_paths({**os.environ, "UNDERPAINT_DATA": data_folder})


def is_running(paths: Paths) -> bool:
    """Whether a daemon's process lives. Reads one small file."""
    try:
        return running_connection(paths) is not None
    except UnderpaintError:
        return False


def is_installed(paths: Paths) -> bool:
    """Whether there is a daemon to start. Reads one small file."""
    try:
        return bool(daemon_python(paths))
    except UnderpaintError:
        return False


def choose_python(paths: Paths, python: str) -> str:
    """Note the daemon's Python for every host of this user; empty: find it. Returns it.

    Raises RequestError(FILE) when there is no such program, ConnectionLost when none is found.
    """
    if not python:
        return daemon_python(paths)
    if not Path(python).is_file():
        raise RequestError(
            ErrorCode.FILE,
            f"there is no Python at {python}",
            hint="Choose the Python inside the daemon's .venv folder.",
        )
    record_daemon_python(paths, python)
    return python
