"""Install Underpaint and run it, from a bare Python 3.11 to 3.14.

    python3 installers/bootstrap.py demo      install, paint the demo scene into demo_out/
    python3 installers/bootstrap.py test      install what tests need, run the whole suite
    python3 installers/bootstrap.py test --quick     only what takes seconds
    python3 installers/bootstrap.py install   install only
    python3 installers/bootstrap.py next-blender     what runs in Blender, in the newest alpha

A second run reuses what is there. Stdlib only: nothing needs to be installed before it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from checks import run_checks
from environments import (
    BLENDERS,
    NEXT,
    ROOT,
    InstallError,
    find_newer_python,
    install_blender,
    install_daemon,
    say,
)
from window_blender import install_tools

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
    in_blender = _any_blender()
    if in_blender is None:
        wanted = ", ".join(".".join(map(str, version)) for version in _blender_pythons())
        say(f"the demo needs a Python that Blender runs on: {wanted}. Install one of them")
        return _NO_BLENDER
    environ = {**os.environ, "UNDERPAINT_BLENDER": str(in_blender)}
    command = [str(python), str(ROOT / "installers" / "demo.py"), *arguments]
    return subprocess.run(command, env=environ, check=False).returncode


def _any_blender() -> Path | None:
    """A Blender for the demo: one that runs on this very Python first, then the newest."""
    mine = sys.version_info[:2]
    wanted = sorted(BLENDERS, key=lambda b: (b.python == mine, b.series), reverse=True)
    return next((python for b in wanted if (python := install_blender(b))), None)


def _blender_pythons() -> list[tuple[int, int]]:
    return sorted({blender.python for blender in BLENDERS})


def test(arguments: list[str]) -> int:
    """The linters, the types, then every test that this machine can run."""
    python = install_daemon(dev=True)
    if "--quick" not in arguments:
        for blender in BLENDERS:
            install_blender(blender)
        install_tools()
    return run_checks(python, arguments)


def next_blender(arguments: list[str]) -> int:
    """What runs in Blender, in the newest that can be had: says early what will break."""
    python = install_daemon(dev=True)
    blender = install_blender(NEXT)
    if blender is None:
        return _NO_BLENDER
    asked = "import bpy; print('%d.%d' % bpy.app.version[:2])"
    series = subprocess.run([str(blender), "-c", asked], capture_output=True, text=True, check=True)
    say(f"the newest Blender is {(newest := series.stdout.split()[-1])}")
    environ = {**os.environ, "UNDERPAINT_TEST_BLENDERS": newest}
    command = [str(python), "-m", "pytest", "tests/blender", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode


def _start_again(words: list[str]) -> int:
    """This Python is too old: the same with a newer one that lies on this machine."""
    newer = find_newer_python()
    if newer is None:
        say(
            f"Python 3.11 to 3.14 is needed; this is {sys.version.split()[0]}, and no other was "
            "found on PATH. Install one (python.org, or your system's packages) and run it again."
        )
        return 2
    return subprocess.run([str(newer), *words], check=False).returncode


def main() -> int:
    commands = {"install": install, "demo": demo, "test": test, "next-blender": next_blender}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=commands)
    chosen, rest = parser.parse_known_args()
    if sys.version_info < (3, 11):  # noqa: UP036 (users start this with what they have)
        return _start_again(sys.argv)
    try:
        return commands[chosen.command](rest)
    except InstallError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
