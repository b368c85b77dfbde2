"""Build the three wheels: underpaint, underpaint-daemon, underpaint-starter.

    python installers/build_wheels.py [--out dist] [NAME …]

Each is built from a copy of what git tracks, so that nothing that lies about gets in; the same
sources give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "underpaint": ROOT / "protocol",
    "underpaint-daemon": ROOT / "daemon",
    "underpaint-starter": ROOT / "daemon" / "underpaint_starter",
}
# What the command line has a Blender run; a folder of its own, with its own licence.
_FOR_BLENDER = Path("underpaint_daemon", "for_blender", "blender_addon")
_EPOCH = "315532800"  # 1980, the first day that a zip can tell


class BuildError(Exception):
    """A step failed; the message says which and how to mend it."""


def project(name: str) -> dict[str, object]:
    """The `[project]` table of one of the packages."""
    text = (FOLDERS[name] / "pyproject.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["project"])


def version() -> str:
    """The one version of all packages. Raises BuildError where they differ."""
    found = {name: str(project(name)["version"]) for name in FOLDERS}
    if len(set(found.values())) != 1:
        raise BuildError(f"the packages' versions differ: {found}. Make them equal.")
    return found["underpaint"]


def build_wheel(name: str, out: Path) -> Path:
    """Build one wheel into `out`; its path. Raises BuildError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="underpaint-wheel-") as folder:
        stage = Path(folder) / FOLDERS[name].name
        _copy_sources(FOLDERS[name], stage)
        if name == "underpaint-daemon":
            _copy_sources(ROOT / "blender_addon", stage / _FOR_BLENDER)
        built = Path(folder) / "built"
        command = [*_builder(), str(built), str(stage)]
        environ = {**os.environ, "SOURCE_DATE_EPOCH": _EPOCH}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BuildError(f"could not build {name}:\n{(done.stdout + done.stderr)[-2000:]}")
        (wheel,) = built.glob("*.whl")
        return Path(shutil.move(wheel, out / wheel.name))


def _builder() -> list[str]:
    beside = Path(sys.executable).with_name("uv.exe" if sys.platform == "win32" else "uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv:
        return [uv, "build", "--wheel", "-q", "--out-dir"]
    return [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir"]


def _copy_sources(folder: Path, stage: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        raise BuildError(f"wheels are built from a git checkout, which {folder} is not in")
    for relative in filter(None, listed.stdout.split("\0")):
        source, target = folder / relative, stage / relative
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FOLDERS)}")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    args = parser.parse_args()
    try:
        version()
        for name in args.names or FOLDERS:
            if name not in FOLDERS:
                raise BuildError(f"no package {name}; there are {', '.join(FOLDERS)}")
            wheel = build_wheel(name, args.out)
            print(f"{wheel} ({wheel.stat().st_size / 1e6:.1f} MB)")
    except BuildError as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
