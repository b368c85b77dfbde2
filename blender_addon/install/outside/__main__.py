"""Makes, mends or removes the daemon's environment. Runs in a process of its own, in any Python
from 3.11, mostly Blender's; stdlib only. The add-on starts it and reads what it tells.

    python -E -s outside install --version V --data DIR --cache DIR --constraints FILE --own DIR …
                                 [--wheelhouse DIR] [--hardware auto|cpu|…|index]
                                 [--torch-index URL] [--fresh]
    python -E -s outside remove  --version V --data DIR --cache DIR

It ends when its stdin closes. Started again it goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import hardware
import packages
import places
import trial
from packages import Wanted, Wheel
from places import Places
from running import end_with_the_addon, run
from telling import StepFailed, tell, tell_step

NEEDED_GB, CUDA_GB = 6, 10
_MAKE = "make the daemon's Python"


def main() -> int:
    args = _options().parse_args()
    where = Places(args.data, args.cache)
    end_with_the_addon()
    try:
        with places.alone(where):
            _install(args, where) if args.action == "install" else _remove(where)
    except StepFailed as failure:
        tell(ended="failed", message=failure.message, hint=failure.hint)
        return 1
    except OSError as error:
        tell(
            ended="failed",
            message=f"{error.filename or 'a file'}: {error.strerror or error}",
            hint="Make the folder writable, or choose another Data Folder in the preferences.",
        )
        return 1
    return 0


def _install(args: argparse.Namespace, where: Places) -> None:
    wanted = Wanted(
        args.version,
        args.constraints,
        args.wheelhouse,
        args.own,
        args.hardware,
        where.wheels,
        args.torch_index,
    )
    environment = places.staged(where, args.version, args.hardware, fresh=args.fresh)
    _check_disk(where, environment, NEEDED_GB)
    python = places.python_of(environment)
    if "install" not in places.done(environment):
        _make(environment, python, wanted)
        wheels = _plan(environment, python, wanted)
        if any(wheel.name.startswith("nvidia-") for wheel in wheels):
            _check_disk(where, environment, CUDA_GB)
        files = packages.fetch(python, wheels, where.wheels)
        tell_step("install", "putting the packages in")
        packages.put_in(python, files)
        _mark_done(environment, "install")
    trial.paint(python)
    chosen = places.switch(where, environment)
    shutil.rmtree(where.wheels, ignore_errors=True)
    tell(ended="ready", python=str(chosen))


def _make(environment: Path, python: Path, wanted: Wanted) -> None:
    if "environment" in places.done(environment):
        return
    tell_step("environment", "making the daemon's Python")
    venv = [sys.executable, "-m", "venv", "--clear"]
    pip = packages.offered_pip(wanted)
    if pip is not None:
        run([*venv, "--without-pip", str(places.venv_of(environment))], _MAKE)
        packages.add_pip(python, pip)
    elif importlib.util.find_spec("ensurepip") is not None:
        run([*venv, str(places.venv_of(environment))], _MAKE)
        packages.pip(python, "install", *wanted.source, "--upgrade", "pip", purpose="fetch pip")
    else:
        raise StepFailed(
            "this Blender's Python cannot make environments: it has no ensurepip",
            "Install your system's python3-venv, or choose a wheelhouse that has pip.",
        )
    _mark_done(environment, "environment")


def _plan(environment: Path, python: Path, wanted: Wanted) -> list[Wheel]:
    """The packages, as found before from the same source, or now."""
    file = environment / "wheels.json"
    source = [str(wanted.wheelhouse), wanted.version]
    if file.exists():
        found = json.loads(file.read_text(encoding="utf-8"))
        if found["source"] == source:
            return [Wheel(*wheel) for wheel in found["wheels"]]
    tell_step("resolve", "finding the packages for this machine")
    torch = hardware.torch(python, wanted)
    wheels = packages.resolve(python, wanted, torch, environment)
    rows = [[wheel.name, wheel.url, wheel.sha256] for wheel in wheels]
    file.write_text(json.dumps({"source": source, "wheels": rows}), encoding="utf-8")
    return wheels


def _mark_done(environment: Path, step: str) -> None:
    places.write_mark(environment, done=[*places.done(environment), step])


def _remove(where: Places) -> None:
    left = places.remove(where)
    if left:
        raise StepFailed(
            f"{left[0]} is in use", "Close what paints with it, then press Remove again."
        )
    tell(ended="removed")


def _check_disk(where: Places, environment: Path, needed: int) -> None:
    """`needed`: GB for all of it; what lies here of an interrupted installation counts as free."""
    ours = sum(places.size(folder) for folder in (environment, where.wheels))
    free = (shutil.disk_usage(where.environments).free + ours) / 1e9
    if free < needed:
        raise StepFailed(
            f"{where.data} has {free:.1f} GB free, {needed} GB are needed",
            "Free some space, or choose a Data Folder on another disk in the preferences.",
        )


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("install", "remove"))
    parser.add_argument("--version", required=True)
    for name in ("--data", "--cache"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--constraints", "--wheelhouse"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--own", type=Path, nargs="+", default=[])
    parser.add_argument("--hardware", default="auto")
    parser.add_argument("--torch-index", default="")
    parser.add_argument("--fresh", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
