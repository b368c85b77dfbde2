"""Where the daemon's environments lie, which one counts, and taking away what is ours.

    DATA/environments/daemon-VERSION-N/     a virtual environment in each, beside a MARK of ours
    DATA/daemon.json                        the Python that counts, read by every host
    CACHE/daemon-wheels/                    what was downloaded

An environment is staged until it has painted. Stdlib only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from telling import StepFailed

MARK = "underpaint-environment.json"
WINDOWS = sys.platform == "win32"


@dataclass(frozen=True)
class Places:
    """`data`, `cache`: the user's Underpaint folders."""

    data: Path
    cache: Path

    @property
    def environments(self) -> Path:
        return self.data / "environments"

    @property
    def wheels(self) -> Path:
        return self.cache / "daemon-wheels"

    @property
    def chosen(self) -> Path:
        return self.data / "daemon.json"


def venv_of(environment: Path) -> Path:
    return environment / "venv"


def python_of(environment: Path) -> Path:
    return venv_of(environment) / ("Scripts/python.exe" if WINDOWS else "bin/python")


def ours(places: Places) -> list[Path]:
    """Every environment that this installer made, oldest first."""
    marks = places.environments.glob(f"*/{MARK}")
    return [mark.parent for mark in sorted(marks, key=lambda mark: mark.stat().st_mtime)]


def read_mark(environment: Path) -> dict[str, object]:
    """What is known of an environment: `state` (staged, ready), `version`, `done` steps."""
    try:
        found = json.loads((environment / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_mark(environment: Path, **what: object) -> None:
    """Change what is known of an environment."""
    _replace(environment / MARK, {**read_mark(environment), **what})


def staged(places: Places, version: str, torch: str, *, fresh: bool) -> Path:
    """An environment to go on with: an unfinished one of the same plan, else a new folder."""
    plan = {"state": "staged", "version": version, "torch": torch}
    for environment in reversed(ours(places)):
        mark = read_mark(environment)
        if not fresh and all(mark.get(key) == value for key, value in plan.items()):
            return environment
    number = 1
    while (environment := places.environments / f"daemon-{version}-{number}").exists():
        number += 1
    environment.mkdir(parents=True)
    write_mark(environment, **plan, done=[])
    return environment


def done(environment: Path) -> list[str]:
    """The steps that need not be done again."""
    steps = read_mark(environment).get("done")
    return [str(step) for step in steps] if isinstance(steps, list) else []


def size(folder: Path) -> int:
    """The bytes of what lies in a folder; 0 where there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def switch(places: Places, environment: Path) -> Path:
    """From now on the daemon is this one; its Python. The others of ours are taken away."""
    write_mark(environment, state="ready")
    python = python_of(environment)
    _replace(places.chosen, {"python": str(python)})
    for other in ours(places):
        if other != environment:
            _take_away(other)  # one in use stays until the next time
    return python


def remove(places: Places) -> list[str]:
    """Take away what this installer made, and nothing else; what could not be removed."""
    python = _chosen_python(places)
    if python is not None and python.is_relative_to(places.environments):
        places.chosen.unlink()
    for environment in ours(places):
        _take_away(environment)
    shutil.rmtree(places.wheels, ignore_errors=True)
    with contextlib.suppress(OSError):
        places.environments.rmdir()
    return [str(environment) for environment in ours(places)]


def _take_away(environment: Path) -> None:
    """The mark goes last: what an interruption leaves is still known as ours."""
    shutil.rmtree(venv_of(environment), ignore_errors=True)
    if not venv_of(environment).exists():
        shutil.rmtree(environment, ignore_errors=True)


@contextlib.contextmanager
def alone(places: Places) -> Iterator[None]:
    """One installer at a time. The lock ends with the process that holds it."""
    places.environments.mkdir(parents=True, exist_ok=True)
    with (places.data / "installing.lock").open("a+") as file:
        try:
            _lock(file.fileno())
        except OSError:
            raise StepFailed(
                "another Blender is installing the daemon",
                "Wait until it has finished there, or cancel it there.",
            ) from None
        yield


def _lock(descriptor: int) -> None:
    if WINDOWS:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _chosen_python(places: Places) -> Path | None:
    try:
        return Path(json.loads(places.chosen.read_text(encoding="utf-8"))["python"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _replace(file: Path, content: dict[str, object]) -> None:
    """Write a file whole or not at all."""
    partial = file.with_suffix(".part")
    partial.write_text(json.dumps(content), encoding="utf-8")
    os.replace(partial, file)
