"""Build the documentation into dist/docs.

    python installers/build_docs.py [--out dist/docs]

A warning or a dead link is an error.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(out: Path) -> str:
    """Build the site; what mkdocs said. Raises RuntimeError with that where it warned."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q"]
    command += ["-f", str(ROOT / "mkdocs.yml"), "-d", str(out.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    if done.returncode != 0:
        raise RuntimeError(told)
    return told


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "docs")
    args = parser.parse_args()
    try:
        build(args.out)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(args.out / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
