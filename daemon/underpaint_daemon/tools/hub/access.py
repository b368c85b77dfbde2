"""The token for gated models, and the licences that were accepted."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Callable, Mapping

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.disk import write_whole

from .catalogue import ModelSet

TOKEN_FILE = "hub_token"  # noqa: S105  # its name, not a token
_ACCEPTED = "licences.json"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def hub_token(paths: Paths, environ: Mapping[str, str]) -> str | None:
    """HF_TOKEN, else the data folder's `hub_token`, which nobody else may read.

    Raises RequestError(ACCESS_DENIED) when others may.
    """
    if token := environ.get("HF_TOKEN"):
        return token.strip()
    file = paths.data / TOKEN_FILE
    if not file.is_file():
        return None
    if sys.platform != "win32" and file.stat().st_mode & _OTHERS:
        raise RequestError(
            ErrorCode.ACCESS_DENIED,
            f"Others can read {file}",
            hint=f"Run: chmod 600 {file}",
        )
    return file.read_text("utf-8").strip() or None


def accept_licence(
    paths: Paths, chosen: ModelSet, *, given: bool, ask: Callable[[str], str] | None
) -> None:
    """Once for each licence of each set: shown, and accepted by `--accept-licence` or by typing
    yes. Raises RequestError(ACCESS_DENIED) when it is not."""
    file = paths.data / _ACCEPTED
    accepted = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    if accepted.get(chosen.name, {}).get("licence") == chosen.licence:
        return
    told = f"{chosen.title} comes under: {chosen.licence}\n  {chosen.licence_url}"
    answer = "yes" if given else (ask(f"{told}\nType yes to accept it: ") if ask else "")
    if answer.strip().lower() != "yes":
        raise RequestError(
            ErrorCode.ACCESS_DENIED,
            f"{told}\nIt was not accepted",
            hint="Read it, then add --accept-licence.",
        )
    accepted[chosen.name] = {"licence": chosen.licence, "at_unix_s": round(time.time())}
    write_whole(file, json.dumps(accepted, indent=1).encode())


def terminal() -> Callable[[str], str] | None:
    """How to ask, where somebody can answer."""
    return input if sys.stdin is not None and os.isatty(sys.stdin.fileno()) else None
