"""What the command line prints: results on stdout, errors on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ErrorCode, RequestError, UnderpaintError, why
from ..files.decoding import Image8, told_of_frames

_OPTIONS = {
    **{f"sampling.{name}": f"--{name}" for name in ("steps", "guidance", "seed", "sampler")},
    **{"view_count": "--views", "view_size": "--view-size", "size": "--size"},
    **{name: f"--{name}" for name in ("model", "batch", "strength", "tile", "factor")},
    **{"width": "--size", "height": "--size", "tile_size": "--tile"},
}
"""The options that set a request's fields, where they have other names."""


def print_result(data: Mapping[str, Any], lines: list[str], as_json: bool) -> None:
    """One JSON object, or lines for a person. Raises RequestError(NOT_SAVED), and BrokenPipeError
    where nobody reads it."""
    printed(json.dumps(data, indent=2, sort_keys=True) if as_json else "\n".join(lines))


def printed(text: str = "") -> None:
    """Print, and have all that was printed written. Raises RequestError(NOT_SAVED), and
    BrokenPipeError where nobody reads it."""
    try:
        if text:
            print(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        into_nothing()
        raise RequestError(
            ErrorCode.NOT_SAVED,
            f"what was to be printed could not be written: {why(error)}",
            hint="What was done is done; make room where the output goes.",
        ) from error


def into_nothing() -> None:
    """What is still to be printed goes nowhere; or Python would complain once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def told_count(number: int, what: str) -> str:
    """E.g. `1 job`, `3 jobs`, `no jobs`."""
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def told_seconds(seconds: float) -> str:
    """A length of time, as `5 s`, `12 min`, `3 h`, `4 days`."""
    for name, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{max(seconds, 0):.0f} s"


def picture(path: Path, read: Callable[[Path], Image8]) -> Image8:
    """A picture, read; a note where it is one of several frames. Raises RequestError."""
    found = read(path)
    if (told := told_of_frames(path)) is not None:
        print(f"note: {told}", file=sys.stderr)
    return found


def print_error(error: UnderpaintError, as_json: bool) -> None:
    """What went wrong and how to mend it."""
    if as_json:
        with contextlib.suppress(OSError):  # stderr says it, too
            print(json.dumps({"error": error.to_dict()}, indent=2, sort_keys=True), flush=True)
    print(f"error: {_optioned(error.message)}\nfix:   {error.terminal_hint}", file=sys.stderr)


def _optioned(message: str) -> str:
    """A message about a field of a request, with the name of the option that sets it."""
    field, is_, rest = message.partition(" is ")
    return f"{_OPTIONS.get(field, field)}{is_}{rest}"
