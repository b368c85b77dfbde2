"""What the command line prints: results on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from ..errors import UnderpaintError
from ..files.decoding import Image8, told_of_frames

_WIDTH = 24
_OPTIONS = {
    **{f"sampling.{name}": f"--{name}" for name in ("steps", "guidance", "seed", "sampler")},
    **{"view_count": "--views", "view_size": "--view-size", "size": "--size"},
    **{name: f"--{name}" for name in ("model", "batch", "strength", "tile")},
}
"""The options that set a request's fields, where they have other names."""


def print_result(data: Mapping[str, Any], lines: list[str], as_json: bool) -> None:
    """One JSON object, or lines for a person."""
    print(json.dumps(data, indent=2, sort_keys=True) if as_json else "\n".join(lines))


def picture(path: Path, read: Callable[[Path], Image8]) -> Image8:
    """A picture, read; a note where it is one of several frames. Raises RequestError."""
    found = read(path)
    if (told := told_of_frames(path)) is not None:
        print(f"note: {told}", file=sys.stderr)
    return found


def print_error(error: UnderpaintError, as_json: bool) -> None:
    """What went wrong and how to mend it."""
    if as_json:
        print(json.dumps({"error": error.to_dict()}, indent=2, sort_keys=True))
    print(f"error: {_optioned(error.message)}\nfix:   {error.terminal_hint}", file=sys.stderr)


def _optioned(message: str) -> str:
    """A message about a field of a request, with the name of the option that sets it."""
    field, is_, rest = message.partition(" is ")
    return f"{_OPTIONS.get(field, field)}{is_}{rest}"


class ProgressLine:
    """One line that is rewritten on a terminal, and printed per phase into a log."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._phase = ""

    def show(self, phase: str, step: int, total: int, eta_s: float | None) -> None:
        if self._live:
            filled = _WIDTH * step // max(total, 1)
            bar = "█" * filled + "·" * (_WIDTH - filled)
            eta = f", {eta_s:.0f} s left" if eta_s is not None else ""
            self._stream.write(f"\r\x1b[K{phase:<11}{bar} {step}/{total}{eta}")
        elif phase != self._phase:
            self._stream.write(f"{phase}\n")
        self._phase = phase
        self._stream.flush()

    def wait(self, before: int) -> None:
        """That others are painted first. `before`: how many."""
        if before > 0:
            self.note(f"waiting: {before} job{'s' if before > 1 else ''} before it")

    def note(self, text: str) -> None:
        """A line of its own, e.g. a warning."""
        self._stream.write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")
        self._stream.flush()

    def end(self) -> None:
        if self._live and self._phase:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
