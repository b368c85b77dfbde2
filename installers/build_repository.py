"""Build an extension repository: the zips of all platforms and the index that Blender reads.

    python installers/build_repository.py [--platforms all] [--url https://…/] [--out FOLDER]

Blender's own `extension server-generate` writes `index.json` (and a page whose links can be
dragged into Blender). With --url the archives are named by where they will be downloaded from;
without, beside the index, so that `file://…/index.json` works as a repository.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from build_extension import PLATFORMS, build, chosen_platforms, find_builder, user_cache
from build_wheels import BuildError

ROOT = Path(__file__).resolve().parent.parent


def build_repository(out: Path, words: list[str], url: str) -> Path:
    """Build zips and index into `out`; the index. Raises BuildError."""
    platforms = chosen_platforms(words)
    whole, *split = build(platforms, out, user_cache())
    if split:  # one archive a platform; the zip of all platforms would be listed twice
        whole.unlink()
    builder = find_builder()
    if builder is None:
        raise BuildError("no Blender here to write the index: run installers/bootstrap.py test")
    command = [*builder, "server-generate", "--repo-dir", str(out), "--html"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    index = out / "index.json"
    if done.returncode != 0 or not index.exists():
        raise BuildError(f"Blender did not write the index:\n{done.stdout}{done.stderr}")
    if url:
        text = json.dumps(with_urls(json.loads(index.read_text()), url), indent=2)
        index.write_text(text + "\n", encoding="utf-8")
    return index


def with_urls(index: dict[str, Any], url: str) -> dict[str, Any]:
    """The index with each archive's name put behind `url`."""
    entries = [
        {**entry, "archive_url": urljoin(url, Path(entry["archive_url"]).name)}
        for entry in index["data"]
    ]
    return {**index, "data": entries}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = ", ".join(platform.name for platform in PLATFORMS)
    parser.add_argument("--platforms", nargs="+", default=["all"], help=f"here, all, or {names}")
    parser.add_argument("--url", default="", help="where the zips will lie, ending in /")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "repository")
    args = parser.parse_args()
    try:
        print(build_repository(args.out, args.platforms, args.url))
    except BuildError as error:
        print(f"underpaint: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
