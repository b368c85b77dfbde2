"""How long what tells nothing of itself usually takes on this machine, from run to run: so that the
wait for it can be shown with its end."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..blenders import Blender
from ..paths import Paths

DAEMON, PAINTER = "daemon", "painter"
_REMEMBERED, _MOST = 5, 0.95
_FILE = "usual.json"


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that goes on. `began`: by a monotonic clock; `usual_s`: seconds that it usually
    takes, None before it was ever measured."""

    began: float
    usual_s: float | None = None

    def part(self, now: float) -> float | None:
        """How much of it is probably over, 0 to 0.95; None while that is not known."""
        return None if not self.usual_s else min((now - self.began) / self.usual_s, _MOST)

    def left_s(self, now: float) -> float | None:
        """Seconds that are probably left; None where that is not known, or it takes longer."""
        left = (self.usual_s or 0.0) - (now - self.began)
        return left if left > 0 else None


def captured_as(blender: Blender, blend: Path | None) -> str:
    """What it is called that a Blender opens a file and captures it: by the file's size, since
    that is what it takes."""
    size = blend.stat().st_size if blend is not None else 0
    return f"capture {blender.series} {size.bit_length()}"


def usual_s(paths: Paths, what: str) -> float | None:
    """Seconds: the median of the last times."""
    times = sorted(_read(paths.cache / _FILE).get(what, []))
    return times[len(times) // 2] if times else None


def learn(paths: Paths, what: str, seconds: float) -> None:
    """Remember how long it took this time. A folder that takes nothing is no trouble."""
    file = paths.cache / _FILE
    known = _read(file)
    known[what] = [*known.get(what, []), round(seconds, 2)][-_REMEMBERED:]
    draft = file.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(known), encoding="utf-8")
        os.replace(draft, file)


@contextlib.contextmanager
def learned(paths: Paths, what: str) -> Iterator[float | None]:
    """Measure what is within, unless it fails; the seconds that it usually takes."""
    began = time.monotonic()
    yield usual_s(paths, what)
    learn(paths, what, time.monotonic() - began)


def _read(file: Path) -> dict[str, list[float]]:
    """What is known; nothing where the file is damaged."""
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return {str(name): _seconds(times) for name, times in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _seconds(times: Iterable[str | float]) -> list[float]:
    """Those that are a length of time: JSON has numbers that are none."""
    return [seconds for one in times if 0 <= (seconds := float(one)) < math.inf]
