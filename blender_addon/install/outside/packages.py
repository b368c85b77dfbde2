"""Which packages, fetching them one by one, and putting them in. Stdlib only; pip does the work.

Each wheel is fetched into a folder that outlives an interruption, checked by its sha256, and put
in from there: the network is used for fetching and for nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from running import run
from telling import Meter, StepFailed, tell_step

ALONE = ("controlnet-aux",)
"""Put in without their own requirements: those would bring a torchvision that breaks diffusers."""
_FETCH = ("--retries", "2", "--timeout", "20")
PLAN = ("--dry-run", "--ignore-installed", "--only-binary=:all:", "--use-feature=fast-deps")
"""An index that tells nothing of its packages is read by parts: else what a package needs is only
known when all of it has come, gigabytes for torch, and again at each look."""
_PIECE = 1 << 20
_CACHE = "fetched"
_LOOK_S = 0.5


@dataclass(frozen=True)
class Wanted:
    """`version`: of Underpaint. `constraints`: the pinned names. `wheelhouse`: a folder that has
    them all; None asks the package index. `own`: folders of wheels in the extension. `hardware`:
    auto, cpu, a name of uv's `--torch-backend`, or index. `kept`: where pip keeps what it has
    fetched: an index without metadata has whole wheels fetched to see what they need.
    `torch_index`: a mirror of PyTorch's own."""

    version: str
    constraints: Path
    wheelhouse: Path | None
    own: list[Path]
    hardware: str = "auto"
    kept: Path | None = None
    torch_index: str = ""

    @property
    def source(self) -> list[str]:
        """pip's words for where packages come from."""
        own = ["-c", str(self.constraints)]
        own += [word for folder in self.own for word in ("--find-links", str(folder))]
        if self.wheelhouse is None:
            return [*own, *_FETCH, *cached(self.kept)]
        return ["--no-index", "--find-links", str(self.wheelhouse), *own]


@dataclass(frozen=True)
class Wheel:
    """One file of the plan. `sha256`: hex, empty where the index tells none."""

    name: str
    url: str
    sha256: str

    @property
    def file_name(self) -> str:
        return urllib.parse.unquote(self.url.rsplit("/", 1)[-1])


def cached(folder: Path | None) -> list[str]:
    """pip's words for a cache of our own, which outlives an interruption and no installation."""
    return [] if folder is None else ["--cache-dir", str(folder / _CACHE)]


def offered_pip(wanted: Wanted) -> Path | None:
    """A wheel of pip, which runs as it lies: of the wheelhouse, else the extension's own."""
    folders = ([] if wanted.wheelhouse is None else [wanted.wheelhouse]) + wanted.own
    found = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return found[0] if found else None


def add_pip(python: Path, wheel: Path) -> None:
    """The pip that was tested into a Python that was made without one: from 24.1 on it tells its
    progress in numbers. Some systems pack a Python without what would bring its own."""
    words = ["install", "--no-index", "--disable-pip-version-check", str(wheel)]
    run([str(python), str(wheel / "pip"), *words], "put pip in")


def resolve(python: Path, wanted: Wanted, torch: list[str], folder: Path) -> list[Wheel]:
    """Every wheel that is needed, in the versions that were tested together. `torch`: pip's words
    for the one of this hardware."""
    names = [f"underpaint-daemon=={wanted.version}", *torch]
    wheels = _planned(python, wanted, folder, names)
    return wheels + _planned(python, wanted, folder, ["--no-deps", *ALONE])


def fetch(python: Path, wheels: list[Wheel], folder: Path) -> list[Path]:
    """Bring every wheel here; those that are here already are only checked."""
    folder.mkdir(parents=True, exist_ok=True)
    meter = Meter(len(wheels))
    return [_fetched(python, wheel, folder, meter) for wheel in wheels]


def put_in(python: Path, files: list[Path]) -> None:
    """Install the wheels, and nothing else. What of them is used is compiled by its first use: the
    test picture."""
    told = threading.Event()
    watcher = threading.Thread(target=_tell_of, args=(python, len(files), told), daemon=True)
    watcher.start()
    words = ["install", "--no-index", "--no-deps", "--no-compile", *map(str, files)]
    try:
        pip(python, *words, purpose="put the packages in")
    finally:
        told.set()
        watcher.join()


def _tell_of(python: Path, total: int, ended: threading.Event) -> None:
    """pip says nothing while it unpacks: what is there already is counted."""
    venv, before = python.parents[1], -1
    homes = [venv / "Lib" / "site-packages", *venv.glob("lib/python*/site-packages")]
    while not ended.wait(_LOOK_S):
        present = sum(len(list(home.glob("*.dist-info"))) for home in homes)
        if present != before:
            tell_step("install", "putting the packages in", min(1.0, present / total))
            before = present


def _planned(python: Path, wanted: Wanted, folder: Path, words: list[str]) -> list[Wheel]:
    report = folder / "plan.json"
    options = [*PLAN, "--report", str(report)]
    pip(python, "install", *options, *wanted.source, *words, purpose="find the packages")
    items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [_wheel(item) for item in items]


def _wheel(item: dict[str, dict[str, object]]) -> Wheel:
    metadata, download = item["metadata"], item["download_info"]
    archive = download.get("archive_info")
    hashes = archive.get("hashes", {}) if isinstance(archive, dict) else {}
    name = f"{metadata['name']} {metadata['version']}"
    return Wheel(name, str(download["url"]), str(hashes.get("sha256", "")))


def _fetched(python: Path, wheel: Wheel, folder: Path, meter: Meter) -> Path:
    if wheel.url.startswith("file:"):
        path = Path(urllib.request.url2pathname(urllib.parse.urlsplit(wheel.url).path))
        meter.tell(wheel.name, 1, 1)
    else:
        path = folder / wheel.file_name
        if not _is_whole(path, wheel):
            _download(python, wheel, folder, meter)
    if not _is_whole(path, wheel):
        path.unlink(missing_ok=True)
        raise StepFailed(
            f"{wheel.name} did not come whole",
            "Press Install again: what has come is kept.",
        )
    meter.end_file(path.stat().st_size)
    return path


def _download(python: Path, wheel: Wheel, folder: Path, meter: Meter) -> None:
    def read(line: str) -> None:
        numbers = re.match(r"Progress (\d+) of (\d+)", line)
        if numbers:
            meter.tell(wheel.name, int(numbers[1]), int(numbers[2]))

    meter.tell(wheel.name, 0, 0)
    words = ["download", "--no-deps", "--progress-bar", "raw", *_FETCH]
    words += [*cached(folder), "--dest", str(folder), f"{wheel.name.split()[0]} @ {wheel.url}"]
    pip(python, *words, purpose=f"download {wheel.name}", on_line=read)


def _is_whole(path: Path, wheel: Wheel) -> bool:
    if not path.is_file():
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return not wheel.sha256 or digest.hexdigest() == wheel.sha256


def pip(
    python: Path, *words: str, purpose: str, on_line: Callable[[str], None] | None = None
) -> None:
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
    run(command, purpose, on_line=on_line)
