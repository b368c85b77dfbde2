"""Running a program of a step, ended when the add-on says so or is gone. Stdlib only."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence

from telling import StepFailed, tell

_KEPT_LINES = 40
_CANCELLED = 130
_RUNNING: list[subprocess.Popen[str]] = []
_UNREACHABLE = re.compile(
    r"Failed to establish|NewConnectionError|Max retries|ConnectionError|ProxyError|Read timed out"
    r"|Temporary failure|Name or service not known|SSLError|Connection (reset|broken|refused)"
    r"|ReadTimeout|ConnectTimeout|IncompleteRead|No route to host|Network is unreachable",
    re.IGNORECASE,
)

_MISSING = re.compile(
    r"no matching distribution(?: found for|s available for your environment:)\s+(\S+)"
    # An older pip says so of what is pinned and not there.
    r"|conflict is caused by:\s+\S+ \S+ depends on (\S+)",
    re.IGNORECASE,
)


def end_with_the_addon() -> None:
    """The add-on holds our stdin open: when it closes, the artist cancelled or Blender is gone."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    sys.stdin.read()
    for process in _RUNNING:
        process.kill()
    tell(ended="cancelled")
    os._exit(_CANCELLED)


def run(
    command: Sequence[str],
    purpose: str,
    *,
    environ: dict[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run a program; its last lines. Raises StepFailed with why it failed."""
    last: deque[str] = deque(maxlen=_KEPT_LINES)
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environ,
    )
    _RUNNING.append(process)
    assert process.stdout is not None
    for line in process.stdout:
        last.append(line.rstrip())
        if on_line is not None:
            on_line(line.rstrip())
    _RUNNING.remove(process)
    code, said = process.wait(), "\n".join(last)
    if code != 0:
        raise StepFailed(*_why(purpose, code, said))
    return said


def _why(purpose: str, code: int, said: str) -> tuple[str, str]:
    """The message and the fix for a program's failure."""
    again = "Then press Install again: what has come is kept."
    missing = _MISSING.search(said)
    if _UNREACHABLE.search(said):
        where = re.search(r"host='([^']+)'", said)
        name = f" ({where.group(1)})" if where else ""
        return (
            f"could not {purpose}: the package index{name} cannot be reached",
            f"Check the network or a proxy (HTTPS_PROXY), or choose a wheelhouse folder. {again}",
        )
    if missing:
        return (
            f"could not {purpose}: {missing.group(1) or missing.group(2)} is not in the package "
            "index or folder for this Python",
            "Choose a wheelhouse folder that has it, made for this Blender's Python.",
        )
    if "No space left" in said or "ENOSPC" in said:
        return (f"could not {purpose}: the disk is full", f"Free some space. {again}")
    words = [line for line in said.splitlines() if line.strip()]
    why = next((line for line in reversed(words) if "error" in line.lower()), "".join(words[-1:]))
    return (
        f"could not {purpose} (exit code {code}): {why}",
        f"Look at what is said there. {again}",
    )
