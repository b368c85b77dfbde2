"""The one report of every `eval` and `bench` command: measures, bars, and whether they hold."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .version import VERSION

EXIT_HOLDS = 0
EXIT_BAD_INPUT = 2
EXIT_BAR_MISSED = 3


class Sense(StrEnum):
    """Whether a bar's limit is the largest or the smallest value allowed."""

    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True)
class Bar:
    """A measured value against its limit. A value that is not finite never holds."""

    name: str
    value: float
    limit: float
    sense: Sense

    @property
    def holds(self) -> bool:
        if not math.isfinite(self.value):
            return False
        if self.sense is Sense.MAX:
            return self.value <= self.limit
        return self.value >= self.limit

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": _number(self.value),
            "limit": self.limit,
            "sense": self.sense.value,
            "holds": self.holds,
        }


def at_most(name: str, value: float, limit: float) -> Bar:
    """A bar that holds while value <= limit."""
    return Bar(name, float(value), float(limit), Sense.MAX)


def at_least(name: str, value: float, limit: float) -> Bar:
    """A bar that holds while value >= limit."""
    return Bar(name, float(value), float(limit), Sense.MIN)


@dataclass(frozen=True, slots=True)
class Report:
    """What a measuring command prints.

    `measures`: name to number; the name ends in its unit (`_db`, `_ms`, `_px`, `_deg`, `_ratio`,
    `_fraction`). `artifacts`: paths of files it wrote. `notes`: what could not be measured here or
    went wrong, by its name; in the JSON where there are any. Without bars the report holds.
    """

    command: str
    seed: int
    measures: Mapping[str, float]
    bars: Sequence[Bar] = ()
    artifacts: Sequence[str] = ()
    machine: Mapping[str, Any] = field(default_factory=lambda: machine())
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return all(bar.holds for bar in self.bars)

    @property
    def exit_code(self) -> int:
        return EXIT_HOLDS if self.holds else EXIT_BAR_MISSED

    def to_dict(self) -> dict[str, Any]:
        return {
            "command": self.command,
            "version": VERSION,
            "machine": dict(self.machine),
            "seed": self.seed,
            "measures": {name: _number(value) for name, value in self.measures.items()},
            "bars": [bar.to_dict() for bar in self.bars],
            "holds": self.holds,
            "artifacts": list(self.artifacts),
            **({"notes": dict(self.notes)} if self.notes else {}),
        }

    def to_json(self) -> str:
        """One JSON object; numbers that are not finite become null."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_text(self) -> str:
        """A table for people."""
        lines = [f"underpaint {self.command} {VERSION}"]
        lines += [f"  {name:<36} {value:>12.5g}" for name, value in self.measures.items()]
        lines += [_bar_line(bar) for bar in self.bars]
        lines += [f"  {name}: {note}" for name, note in self.notes.items()]
        lines += [f"  wrote {path}" for path in self.artifacts]
        lines.append("all bars hold" if self.holds else "A BAR DOES NOT HOLD")
        return "\n".join(lines)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "python": platform.python_version(),
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _bar_line(bar: Bar) -> str:
    sign = "<=" if bar.sense is Sense.MAX else ">="
    mark = "ok " if bar.holds else "NO "
    return f"  {mark} {bar.name} = {bar.value:.5g} (bar {sign} {bar.limit:g})"
