"""The screenshots of the documentation's first picture: Blender with its window, painting with the
starter. Linux, root (see `window_blender`).

    python installers/panel_pictures.py [--out docs/images]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from build_extension import build, chosen_platforms, user_cache
from build_wheels import BuildError
from window_blender import WindowUnavailable, make, run

from underpaint.paths import user_paths

ROOT = Path(__file__).resolve().parent.parent
_STORY = ROOT / "tests" / "window" / "window_first.py"
_START_S, _STORY_S, _END_S = 60.0, 900.0, 20.0


def draw(out: Path) -> list[Path]:
    """Make the pictures; their files. Raises WindowUnavailable, BuildError."""
    blender = make(user_cache())
    with tempfile.TemporaryDirectory(prefix="underpaint-pictures-") as name:
        folder = Path(name)
        (extension,) = build(chosen_platforms(["here"]), folder / "extension", user_cache())
        env = {"UNDERPAINT_DATA": f"{folder}/data", "UNDERPAINT_CACHE": f"{folder}/cache"}
        daemon = _daemon(env)
        try:
            pictures = folder / "pictures"
            pictures.mkdir()
            done = run(
                blender,
                _STORY,
                [str(pictures), str(extension)],
                binds=[folder, ROOT],
                env={**env, "BLENDER_USER_RESOURCES": f"{folder}/user"},
                timeout=_STORY_S,
            )
        finally:
            daemon.terminate()
            daemon.wait(_END_S)
        report = pictures / "report.json"
        if not report.exists() or (why := json.loads(report.read_text())["failure"]):
            raise WindowUnavailable(why if report.exists() else done.stdout + done.stderr)
        return [Path(shutil.copy(file, out)) for file in sorted(pictures.glob("*.png"))]


def _daemon(env: dict[str, str]) -> subprocess.Popen[bytes]:
    """One that listens; outside the window's own root, in the same folders."""
    command = [sys.executable, "-m", "underpaint_daemon", "serve"]
    daemon = subprocess.Popen(command, env={**os.environ, **env})
    deadline = time.monotonic() + _START_S
    while not user_paths(env).connection_file.exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise WindowUnavailable("the daemon did not start")
        time.sleep(0.1)
    return daemon


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    args = parser.parse_args()
    try:
        for path in draw(args.out):
            print(path)
    except (WindowUnavailable, BuildError) as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
