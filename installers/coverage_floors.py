"""Coverage by room, and the floors below which none may fall. They only rise.

Run after `bootstrap.py test --coverage`; exits with 3 where a floor does not hold.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from environments import ROOT

FLOORS = {"protocol": 85.0, "daemon outside worker": 80.0, "worker": 75.0}
"""Percent of lines and branches together."""
_BAR_MISSED = 3


def room(file: str) -> str:
    """Which floor a file counts to."""
    if file.startswith("protocol/"):
        return "protocol"
    return "worker" if "/worker/" in file else "daemon outside worker"


def measured() -> dict[str, dict[str, int]]:
    """Each file's counts, from all processes of the run."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q", "--keep"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        subprocess.run([*coverage, "json", "-q", "-o", str(out)], cwd=ROOT, check=True)
        files = json.loads(out.read_text())["files"]
    return {name: dict(found["summary"]) for name, found in files.items()}


def percent(counts: list[dict[str, int]]) -> float:
    """Lines and branches that ran, of all there are."""
    ran = sum(c["covered_lines"] + c["covered_branches"] for c in counts)
    there = sum(c["num_statements"] + c["num_branches"] for c in counts)
    return 100.0 * ran / there if there else 100.0


def main() -> int:
    folders: dict[str, list[dict[str, int]]] = defaultdict(list)
    rooms: dict[str, list[dict[str, int]]] = defaultdict(list)
    for name, counts in measured().items():
        folders[str(Path(name).parent)].append(counts)
        rooms[room(name)].append(counts)
    for folder, found in sorted(folders.items()):
        print(f"{percent(found):6.1f} %  {folder}")
    low = [name for name, floor in FLOORS.items() if percent(rooms[name]) < floor]
    for name, floor in FLOORS.items():
        mark = "BELOW" if name in low else "holds"
        print(f"{percent(rooms[name]):6.1f} %  {name} (floor {floor:.0f} %): {mark}")
    return _BAR_MISSED if low else 0


if __name__ == "__main__":
    sys.exit(main())
