"""`underpaint-dev bench addon`: what the add-on costs Blender's window, in a real one.

    python installers/bench_addon.py [--seconds 60] [--json]

Makes what it needs: a Blender with its window (Linux, root; see `window_blender`), the extension,
and a daemon of its own that paints with the starter model on this machine. In a Blender of your
own, run `blender_addon/scripts/live_bench.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from window_blender import WindowUnavailable, make, run, user_cache

from underpaint.measures import Bar, Report, at_least, at_most
from underpaint.paths import user_paths

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "blender_addon" / "scripts" / "live_bench.py"
TICK_LIMIT_MS, OPERATOR_LIMIT_MS, TEXTURE_LIMIT_MS = 5.0, 50.0, 16.0
LEAST_PER_SECOND = 2.0
_DRAWING = {"LP_NUM_THREADS": "1"}
"""Mesa draws by one thread: it would take both of two cores, where a graphics card takes none."""
_START_S, _STOP_S, _MORE_S = 60.0, 10.0, 900.0


def main(argv: list[str] | None = None) -> int:
    """Measure and print; its exit code."""
    parser = argparse.ArgumentParser(
        prog="underpaint-dev bench addon",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of live painting")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(argv)
    try:
        root = make(user_cache())
    except WindowUnavailable as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 2
    measures = _measure(root, options.seconds)
    report = Report("bench addon", 0, measures, bars(measures))
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def bars(measures: Mapping[str, float]) -> list[Bar]:
    """The limits of the measures that have one."""
    limits = {
        "tick_own_p99_ms": TICK_LIMIT_MS,
        "operator_slowest_own_ms": OPERATOR_LIMIT_MS,
        "texture_tick_slowest_own_ms": TEXTURE_LIMIT_MS,
    }
    found = [at_most(name, measures[name], limit) for name, limit in limits.items()]
    rate = "live_moving_pictures_per_second"
    return [*found, at_least(rate, measures[rate], LEAST_PER_SECOND)]


def _measure(root: Path, seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="underpaint-bench-") as name:
        folder = Path(name)
        with _daemon(folder) as env:
            out, words = folder / "measures.json", [str(seconds), str(_extension(folder))]
            done = run(
                root,
                SCRIPT,
                [str(out), *words],
                binds=[folder, ROOT],
                env={**env, **_DRAWING, "BLENDER_USER_RESOURCES": str(folder / "user")},
                timeout=seconds + _MORE_S,
            )
            if not out.exists():
                raise SystemExit(f"Blender ended early:\n{(done.stdout + done.stderr)[-3000:]}")
            found = json.loads(out.read_text())
    if found["failure"]:
        raise SystemExit(found["failure"])
    return {str(key): float(value) for key, value in found["measures"].items()}


def _extension(folder: Path) -> Path:
    command = [sys.executable, str(ROOT / "installers" / "build_extension.py")]
    subprocess.run([*command, "--out", str(folder / "dist")], check=True, stdout=subprocess.DEVNULL)
    (built,) = (folder / "dist").glob("*.zip")
    return built


@contextmanager
def _daemon(folder: Path) -> Iterator[dict[str, str]]:
    """A daemon outside the window's chroot; both see the same folders at the same place."""
    env = {"UNDERPAINT_DATA": str(folder / "data"), "UNDERPAINT_CACHE": str(folder / "cache")}
    command = [sys.executable, "-m", "underpaint_daemon", "serve"]
    process = subprocess.Popen(command, env={**os.environ, **env}, stdout=sys.stderr)
    try:
        deadline = time.monotonic() + _START_S
        while not user_paths(env).connection_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the daemon did not start")
            time.sleep(0.05)
        yield env
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_S)


if __name__ == "__main__":
    sys.exit(main())
