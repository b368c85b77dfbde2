"""The licences that were accepted."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.disk import write_whole

from .catalogue import ModelSet

_ACCEPTED = "licences.json"


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
