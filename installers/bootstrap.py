"""Install Underpaint and run it, from a bare Python 3.11.

    python3 installers/bootstrap.py demo      install, paint the demo scene into demo_out/
    python3 installers/bootstrap.py test      install what tests need, run the whole suite
    python3 installers/bootstrap.py install   install only

A second run reuses what is there. Stdlib only: nothing needs to be installed before it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from environments import BLENDERS, ROOT, InstallError, install_blender, install_daemon, say

DEMO_SERIES = "4.5"
_NO_BLENDER = 5


def install(_arguments: list[str]) -> int:
    python = install_daemon()
    _record(python)
    say(f"done; the command line is {python.parent / 'underpaint'}")
    return 0


def _record(python: Path) -> None:
    """Tell the add-on, which runs in Blender's Python, where the daemon's is."""
    code = (
        "import sys; from underpaint import launcher, user_paths; "
        "launcher.record_daemon_python(user_paths(), sys.executable)"
    )
    subprocess.run([str(python), "-c", code], check=True)


def demo(arguments: list[str]) -> int:
    """Paint the demo scene: real Blender, capture, daemon, starter model, contact sheet."""
    python = install_daemon()
    _record(python)
    blender = next(b for b in BLENDERS if b.series == DEMO_SERIES)
    in_blender = install_blender(blender)
    if in_blender is None:
        say("the demo needs Python 3.11, which Blender 4.5 runs on")
        return _NO_BLENDER
    environ = {**os.environ, "UNDERPAINT_BLENDER": str(in_blender)}
    command = [str(python), str(ROOT / "installers" / "demo.py"), *arguments]
    return subprocess.run(command, env=environ, check=False).returncode


def test(arguments: list[str]) -> int:
    """The linters, the types, then every test that this machine can run."""
    python = install_daemon("daemon,dev")
    for blender in BLENDERS:
        install_blender(blender)
    sources = ["protocol", "daemon", "installers", "blender_addon", "tests"]
    checks = [
        ["-m", "ruff", "check", *sources],
        ["-m", "ruff", "format", "--check", *sources],
        ["-m", "mypy"],
        ["-m", "pytest", *arguments],
    ]
    codes = []
    for check in checks:
        say(" ".join(check[1:]))
        codes.append(subprocess.run([str(python), *check], cwd=ROOT, check=False).returncode)
    return next((code for code in codes if code), 0)


def main() -> int:
    commands = {"install": install, "demo": demo, "test": test}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=commands)
    chosen, rest = parser.parse_known_args()
    if sys.version_info < (3, 11):  # noqa: UP036 (users start this with what they have)
        say(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}")
        return 2
    try:
        return commands[chosen.command](rest)
    except InstallError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
