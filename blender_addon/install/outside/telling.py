"""What the installer says: one JSON object a line on stdout, read by the add-on. Stdlib only."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field

SHARES = {
    "environment": 0.04,
    "resolve": 0.08,
    "download": 0.55,
    "install": 0.18,
    "trial": 0.15,
}
"""The steps in order, and which part of the whole each is."""


class StepFailed(Exception):
    """A step that cannot go on: what, and what the artist can do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def tell(**what: object) -> None:
    """One line for the add-on."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def tell_step(step: str, text: str, part: float = 0.0, **more: object) -> None:
    """Where the whole stands: `part` of this step is done, 0–1."""
    names = list(SHARES)
    before = sum(SHARES[name] for name in names[: names.index(step)])
    tell(step=step, text=text, overall=round(before + SHARES[step] * min(part, 1.0), 4), **more)


@dataclass(slots=True)
class Meter:
    """How many bytes have come, and when the rest will have. `began`: monotonic seconds."""

    files: int
    finished: int = 0
    got: int = 0
    began: float = field(default_factory=time.monotonic)
    told: float = 0.0

    def tell(self, name: str, current: int, total: int) -> None:
        """At most four lines a second, and always the last of a file."""
        now = time.monotonic()
        if now - self.told < 0.25 and current < total:
            return
        self.told = now
        speed = (self.got + current) / max(now - self.began, 0.1)
        part = (self.finished + (current / total if total else 0.0)) / max(self.files, 1)
        eta = (total - current) / speed if speed else None
        text = f"{name} ({self.finished + 1}/{self.files})"
        tell_step("download", text, part, done=current, total=total, eta_s=eta)

    def end_file(self, size: int) -> None:
        self.finished += 1
        self.got += size
