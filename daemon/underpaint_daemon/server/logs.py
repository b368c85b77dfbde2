"""Rotating log files, and their tail. Nothing secret is ever logged: no keys, no prompts."""

from __future__ import annotations

import logging
import logging.handlers
import time
from pathlib import Path

LOG_NAME = "daemon.log"
_BYTES = 2_000_000
_KEEP = 3
_TAIL_BYTES = 256 * 1024
_LINE = 400


def log_to(folder: Path) -> logging.Handler:
    """Send this process's log to `folder`/daemon.log, rotated at 2 MB. UTC time stamps."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / LOG_NAME, maxBytes=_BYTES, backupCount=_KEEP, encoding="utf-8"
    )
    form = logging.Formatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s")
    form.converter = time.gmtime
    handler.setFormatter(form)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # A full disk must not print a traceback for each line that could not be written.
    logging.raiseExceptions = False
    return handler


def tail(folder: Path, lines: int) -> tuple[str, ...]:
    """The log's last lines, oldest first, each cut at 400 characters."""
    try:
        with (folder / LOG_NAME).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(line[:_LINE] for line in text.splitlines()[-lines:])
