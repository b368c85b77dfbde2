"""`underpaint-dev COMMAND`: test, quick, window, sheets, docs, wheels, extension, bench, eval, …

Each is a program that also runs by itself; `underpaint-dev COMMAND --help` is its own help.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_INSTALLERS = ROOT / "installers"
_PYTEST = ("-m", "pytest")
_DAEMON = ("-m", "underpaint_daemon")

COMMANDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "test": (
        "linters, types, the whole suite (--quick, --coverage)",
        (f"{_INSTALLERS}/bootstrap.py", "test"),
    ),
    "quick": (
        "the part of the suite that takes seconds",
        (f"{_INSTALLERS}/bootstrap.py", "test", "--quick"),
    ),
    "install-test": (
        "Install from the zip in a fresh Blender: gigabytes and many minutes",
        (*_PYTEST, "-m", "install", "tests/blender/test_install.py"),
    ),
    "install-test window": (
        "the same in the window Blender: not in CI, 3 to 9 GB of downloads, an hour",
        (*_PYTEST, "-s", "-m", "install", "tests/window/test_window_install.py"),
    ),
    "window": ("the add-on in a real window; screenshots", (*_PYTEST, "tests/window")),
    "panel-pictures": (
        "the docs' screenshots of the first picture, made in a real window",
        (f"{_INSTALLERS}/panel_pictures.py",),
    ),
    "sheets": ("draw the pictures of README and docs again", (f"{_INSTALLERS}/sheets.py",)),
    "style-pictures": (
        "draw the small pictures of the add-on's styles again",
        (f"{_INSTALLERS}/style_pictures.py",),
    ),
    "docs": ("build the documentation into dist/docs", (f"{_INSTALLERS}/build_docs.py",)),
    "reference": (
        "write docs/reference from the code: commands, panel, errors",
        (f"{_INSTALLERS}/docs_reference.py",),
    ),
    "wheels": ("build the three wheels", (f"{_INSTALLERS}/build_wheels.py",)),
    "extension": ("build the Blender extension", (f"{_INSTALLERS}/build_extension.py",)),
    "repository": ("build the extension repository", (f"{_INSTALLERS}/build_repository.py",)),
    "demo": ("capture the demo scene and paint it", (f"{_INSTALLERS}/demo.py",)),
    "bench": ("measure speed and memory", (*_DAEMON, "bench")),
    "bench addon": (
        "what the add-on costs Blender's window (--seconds, --json)",
        (f"{_INSTALLERS}/bench_addon.py",),
    ),
    "random": (
        "200 random actions of an artist while it paints, in each Blender, by seed",
        (f"{_INSTALLERS}/random_actions.py",),
    ),
    "faults": ("1,000 random faults over a run, by seed", (*_DAEMON, "bench", "faults")),
    "eval": ("measure quality", (*_DAEMON, "eval")),
    "gpu-check": ("everything that needs a GPU, in minutes", (*_DAEMON, "gpu-check")),
    "train-starter": ("train the starter model", (*_DAEMON, "train-starter")),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    known = next((n for n in (2, 1) if " ".join(words[:n]) in COMMANDS), 0)
    if not known:
        asked_for_help = words[:1] in (["-h"], ["--help"])
        print(usage(), file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    _, command = COMMANDS[" ".join(words[:known])]
    return subprocess.run(
        [sys.executable, *command, *words[known:]], cwd=ROOT, check=False
    ).returncode


def usage() -> str:
    """The commands, a line each."""
    lines = [f"  {name:14} {what}" for name, (what, _) in COMMANDS.items()]
    return "usage: underpaint-dev COMMAND …\n\n" + "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
