"""`underpaint-dev random`: 200 random things that an artist does while something is painted.

    python installers/random_actions.py [--seeds 1:5] [--blender 4.2] [--json]

Undo, redo, delete, rename, save, reload, new files and scenes, disable and enable, at random
moments of pictures and textures under way, in each Blender of this machine, without a window. What
breaks is told with the actions before it. See `tests/blender/inside/deeds/addon_random.py`.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from underpaint.blenders import Blender, require_blenders
from underpaint.measures import Report, at_most

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
_SCRIPT = TESTS / "blender" / "inside" / "deeds" / "addon_random.py"


def main(argv: list[str] | None = None) -> int:
    """Play and print; the exit code."""
    parser = argparse.ArgumentParser(
        prog="underpaint-dev random",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=_seeds, default=range(1, 4), metavar="FIRST:LAST")
    parser.add_argument("--blender", metavar="SERIES", help="one of them; default: all there are")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)
    measures: dict[str, float] = {}
    broken: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="underpaint-random-") as name:
        extension = _extension(Path(name))
        for blender in require_blenders(options.blender):
            told = _played(blender, Path(name), extension, options.seeds)
            broken |= {f"{blender.series}, seed {seed}": why for seed, why in told.items() if why}
            measures[f"seeds_{blender.series}"] = float(len(told))
    measures["broken"] = float(len(broken))
    for where, why in broken.items():
        print(f"{where}:\n{why}", file=sys.stderr)
    report = Report("random", options.seeds[0], measures, [at_most("broken", len(broken), 0)])
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _played(blender: Blender, root: Path, extension: Path, seeds: range) -> dict[str, str]:
    """What broke, by seed; a Blender that crashes is told by all its seeds."""
    sys.path.insert(0, str(TESTS))
    running = importlib.import_module("helpers.blender.running")
    folder, words = root / blender.series, [*map(str, seeds)]
    folder.mkdir()
    try:
        told = running.run(blender, _SCRIPT, folder, extension, running.painter(folder), words)
        return dict(told)
    except AssertionError as crashed:
        return dict.fromkeys(map(str, seeds), str(crashed)[-3000:])


def _seeds(text: str) -> range:
    first, _, last = text.partition(":")
    return range(int(first), int(last or first) + 1)


def _extension(folder: Path) -> Path:
    command = [sys.executable, str(ROOT / "installers" / "build_extension.py")]
    subprocess.run([*command, "--out", str(folder / "dist")], check=True, stdout=subprocess.DEVNULL)
    (built,) = (folder / "dist").glob("*.zip")
    return built


if __name__ == "__main__":
    sys.exit(main())
