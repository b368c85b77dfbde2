"""The changelog's section of a release; a release without one is refused.

python installers/release_notes.py --tag v0.2.0
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import build_wheels

ROOT = Path(__file__).resolve().parent.parent


def notes(version: str, changelog: str) -> str:
    """The text below `## VERSION`. Raises ValueError where there is none."""
    found = re.search(rf"^## {re.escape(version)}\n(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if found is None or not found[1].strip():
        raise ValueError(f"CHANGELOG.md has no section {version}: write what is new in it")
    return found[1].strip() + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tag", required=True, help="vVERSION, as pyproject.toml says")
    args = parser.parse_args()
    version = build_wheels.version()
    try:
        if args.tag != f"v{version}":
            raise ValueError(f"the tag is {args.tag}, the packages say {version}: make them equal")
        print(notes(version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")), end="")
    except ValueError as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
