"""Coverage by folder, and the floors below which no room may fall. They only rise.

Run by `bootstrap.py test --coverage` after the suite: it measures the test processes and all that
they start (daemons, workers, commands), so that what only a real process runs counts as well.
Exits with 3 where a floor does not hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from environments import ROOT

_BAR_MISSED = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines and branches (ways that a line goes on): how many there are, how many were taken."""

    lines: int = 0
    ran: int = 0
    branches: int = 0
    taken: int = 0

    @classmethod
    def of(cls, summary: Mapping[str, int]) -> Counts:
        """A file's, as coverage's JSON has them."""
        return cls(
            summary["num_statements"],
            summary["covered_lines"],
            summary["num_branches"],
            summary["covered_branches"],
        )

    @property
    def line_percent(self) -> float:
        return 100.0 * self.ran / self.lines if self.lines else 100.0

    @property
    def branch_percent(self) -> float:
        return 100.0 * self.taken / self.branches if self.branches else 100.0


@dataclass(frozen=True, slots=True)
class Floor:
    """The least percentages that a room must have."""

    lines: float
    branches: float

    def holds(self, counts: Counts) -> bool:
        return counts.line_percent >= self.lines and counts.branch_percent >= self.branches


FLOORS = {
    "protocol": Floor(95, 95),
    "daemon outside worker": Floor(92, 0),
    "worker": Floor(95, 85),
}
_GPU_ONLY = "/tools/gpu/"
"""What a machine without a GPU cannot run: shown by its folder, in no room."""


def room(file: str) -> str | None:
    """Whose floor a file counts to; None: nobody's."""
    if file.startswith("protocol/"):
        return "protocol"
    if _GPU_ONLY in file:
        return None
    return "worker" if "/worker/" in file else "daemon outside worker"


def total(counts: Iterable[Counts]) -> Counts:
    """Of several files together."""
    rows = [(c.lines, c.ran, c.branches, c.taken) for c in counts]
    return Counts(*(sum(column) for column in zip(*rows, strict=True))) if rows else Counts()


def measured() -> dict[str, Counts]:
    """Each file's counts, from all processes of the run."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q", "--keep"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        subprocess.run([*coverage, "json", "-q", "-o", str(out)], cwd=ROOT, check=True)
        files = json.loads(out.read_text())["files"]
    # Named by their whole paths are copies that tests install elsewhere: they are no rooms of ours.
    ours = {name: found for name, found in files.items() if not Path(name).is_absolute()}
    return {name: Counts.of(found["summary"]) for name, found in ours.items()}


def told(files: Mapping[str, Counts]) -> tuple[list[str], bool]:
    """The lines to print: folders, then rooms; and whether all floors hold."""
    folders, rooms = defaultdict[str, list[Counts]](list), defaultdict[str, list[Counts]](list)
    for name, counts in files.items():
        folders[str(Path(name).parent)].append(counts)
        if (counted := room(name)) is not None:
            rooms[counted].append(counts)
    lines = [_line(name, total(found)) for name, found in sorted(folders.items())]
    holding = True
    for name, floor in FLOORS.items():
        counts = total(rooms[name])
        holds = floor.holds(counts)
        holding = holding and holds
        bar = f"floor {floor.lines:.0f} and {floor.branches:.0f} %"
        lines.append(f"{_line(name, counts)} ({bar}): {'holds' if holds else 'BELOW'}")
    return lines, holding


def _line(name: str, counts: Counts) -> str:
    return f"{counts.line_percent:6.1f} % lines {counts.branch_percent:6.1f} % branches  {name}"


def main() -> int:
    lines, holding = told(measured())
    print("\n".join(lines))
    return 0 if holding else _BAR_MISSED


if __name__ == "__main__":
    sys.exit(main())
