"""Make a folder with every package that the add-on's Install needs, for machines without network.

    python installers/build_wheelhouse.py FOLDER       for this machine and this Python

Run it in the Python that the Blender of that machine has (3.11 for 4.2 to 5.0, 3.13 for 5.2). Our
own packages are built from this checkout; the others come in the versions tested together.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import build_wheels
from environments import CONSTRAINTS, TORCH

_ALONE = "controlnet-aux"  # its requirements would bring a torchvision that breaks diffusers


def make(folder: Path) -> list[Path]:
    """Fill the folder; its wheels. Raises BuildError, CalledProcessError."""
    for name in ("underpaint", "underpaint-daemon"):
        build_wheels.build_wheel(name, folder)
    own = ["--find-links", str(folder)]
    daemon = f"underpaint-daemon=={build_wheels.version()}"
    _download(folder, *own, daemon, TORCH, "pip", "uv")
    _download(folder, "--no-deps", _ALONE)
    return sorted(folder.glob("*.whl"))


def _download(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    command += ["--only-binary=:all:", "-c", str(CONSTRAINTS), "--dest", str(folder), *words]
    subprocess.run(command, check=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    try:
        wheels = make(folder)
    except build_wheels.BuildError as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 2
    size = sum(wheel.stat().st_size for wheel in wheels)
    print(f"{folder}: {len(wheels)} packages, {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
