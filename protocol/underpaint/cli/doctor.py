"""`underpaint doctor`: check what a working set-up needs, and name the fix of what fails."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ..blenders import find_blenders, looked_in
from ..client import connect
from ..errors import UnderpaintError
from ..launcher import daemon_python, not_started
from ..paths import Paths, user_paths
from ..settings import gpu_environment, read_settings
from ..wire.records import ModelInfo
from .guard import of_a_file
from .options import add_json
from .output import print_result

_MOVE = "Set UNDERPAINT_DATA to a folder you can write to."
_ROOM = "Free 1 GB, or set UNDERPAINT_DATA to another disk."
_NO_GPU = "`underpaint config unset gpu` takes the first there is; `nvidia-smi -L` lists them all."
_NEEDED_GB = 1  # what is installed already is not counted
# What programs print is in whatever encoding they like.
_TEXT: dict[str, Any] = {"check": False, "text": True, "encoding": "utf-8", "errors": "replace"}
# The version, and the name and MiB of the card that would be painted on.
_WORKER_IMPORTS = """\
import torch, diffusers, transformers
print(torch.__version__)
if torch.cuda.is_available():
    seen = torch.cuda.get_device_properties(0)
    print(seen.name, seen.total_memory >> 20, sep="|")
elif torch.xpu.is_available():
    print("an Intel GPU", torch.xpu.get_device_properties(0).total_memory >> 20, sep="|")
elif torch.backends.mps.is_available():
    print("an Apple GPU", torch.mps.recommended_max_memory() >> 20, sep="|")
"""
_WORKING_MIB = 2000  # what a picture needs besides the weights, about


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `fix` is empty when `ok`."""

    name: str
    ok: bool
    found: str
    fix: str = ""


_EXAMPLES = """\
examples:
  underpaint doctor                  each check, and how to mend what fails (exit code 1)
  underpaint doctor --json           the same, for a report of a fault"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor", help="check the set-up and name the fixes", epilog=_EXAMPLES
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    checks = list(examine(user_paths()))
    lines = [_line(check) for check in checks]
    healthy = all(check.ok for check in checks)
    print_result({"ok": healthy, "checks": [asdict(c) for c in checks]}, lines, args.json)
    return 0 if healthy else 1


def examine(paths: Paths) -> Iterator[Check]:
    """Every check, in the order in which a failure would explain the next."""
    yield Check("system", True, f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    yield Check("python", True, platform.python_version())
    yield _disk(paths)
    yield from _guard("data folder", lambda: _writable(paths))
    yield _zmq()
    torch, card = _torch(_chosen_gpu(paths))
    yield torch
    if torch.ok:
        yield _torchvision()
    yield from _guard("daemon", _daemon)
    yield _blender()
    yield from _models(card)


def _line(check: Check) -> str:
    mark = "ok  " if check.ok else "FAIL"
    fix = f"\n     fix: {check.fix}" if check.fix else ""
    return f"{mark} {check.name:<12} {check.found}{fix}"


def _guard(name: str, check: Callable[[], Check]) -> Iterator[Check]:
    try:
        yield check()
    except UnderpaintError as error:
        yield Check(name, False, error.message, error.terminal_hint)
    except OSError as error:
        yield Check(name, False, of_a_file(error).message, _MOVE)


def _disk(paths: Paths) -> Check:
    place = next(p for p in (paths.data, *paths.data.parents) if p.exists())
    free = shutil.disk_usage(place).free / 2**30
    ok = free >= _NEEDED_GB
    return Check("disk", ok, f"{free:.0f} GB free", "" if ok else _ROOM)


def _writable(paths: Paths) -> Check:
    paths.data.mkdir(parents=True, exist_ok=True)
    probe = paths.data / ".doctor"
    probe.write_text("")
    probe.unlink()
    return Check("data folder", True, str(paths.data))


def _zmq() -> Check:
    import zmq

    ok = bool(zmq.has("curve"))
    fix = "" if ok else "Install pyzmq from a wheel; this build has no encryption."
    return Check("zeromq", ok, f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}", fix)


@dataclass(frozen=True, slots=True)
class Card:
    """The GPU that would be painted on."""

    name: str
    mib: int


def _chosen_gpu(paths: Paths) -> str:
    try:
        return str(read_settings(paths)["gpu"])
    except UnderpaintError:
        return ""  # the daemon's check says what is wrong with them


def _torch(gpu: str) -> tuple[Check, Card | None]:
    env = {**os.environ, **gpu_environment(gpu)}
    try:
        python = daemon_python()
        done = subprocess.run(
            [python, "-c", _WORKER_IMPORTS], capture_output=True, env=env, **_TEXT
        )
    except (OSError, UnderpaintError) as found:
        error = not_started(python, found) if isinstance(found, OSError) else found
        return Check("torch", False, error.message, error.hint), None
    if done.returncode == 0:
        version, _, rest = done.stdout.strip().partition("\n")
        name, _, mib = rest.strip().partition("|")
        card = Card(name, int(mib)) if mib and gpu != "cpu" else None
        if card is None and gpu not in ("", "cpu"):
            return Check("torch", False, f"{version}, but there is no GPU {gpu}", _NO_GPU), None
        device = f"{card.name}, {card.mib / 1024:.0f} GiB" if card else "on the CPU"
        return Check("torch", True, f"{version}, {device}"), card
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    fix = "Run `python3 installers/bootstrap.py install` again."
    return Check("torch", False, last, fix), None


def _torchvision() -> Check:
    """A torchvision of another build than torch breaks the import of diffusers' pipelines."""
    command = [daemon_python(), "-c", "import torchvision"]
    done = subprocess.run(command, capture_output=True, **_TEXT)
    if done.returncode == 0 or "ModuleNotFoundError" in done.stderr:
        return Check(
            "torchvision", True, "fits" if done.returncode == 0 else "absent, as it may be"
        )
    return Check("torchvision", False, "does not fit torch", "Uninstall torchvision.")


def _daemon() -> Check:
    with connect() as up:
        began = time.perf_counter()
        up.ping()
        milliseconds = (time.perf_counter() - began) * 1000
        version = up.status().daemon_version
    return Check("daemon", True, f"version {version}, answers in {milliseconds:.1f} ms")


def _blender() -> Check:
    found = ", ".join(blender.version for blender in find_blenders())
    if found:
        return Check("blender", True, found)
    places = "\n     ".join(looked_in())
    fix = "Install Blender 4.2 or newer, or set UNDERPAINT_BLENDER to it."
    return Check("blender", False, f"none found; looked in\n     {places}", fix)


def _models(card: Card | None) -> Iterator[Check]:
    """Each model that was found: how it fits into memory here, what it can be given, or why it
    cannot be used. Somebody's broken file is no fault of the set-up, so none of them fails."""
    try:
        with connect() as up:
            found = up.models()
    except UnderpaintError:
        return  # told of already
    for model in found:
        told = model_line(model, card) if model.ready else f"cannot be used: {model.note}"
        yield Check(f"model {model.name}", True, told)


def model_line(model: ModelInfo, card: Card | None) -> str:
    """A model in words: family, memory, controls."""
    controls = ", ".join(model.controls) or "none"
    if model.size_mb is None:
        return f"{model.family}; controls: {controls}"
    size = f"{model.size_mb / 1000:.1f} GB"
    return f"{model.family}, {size}, {fits(model.size_mb, card)}; controls: {controls}"


def fits(size_mb: int, card: Card | None) -> str:
    """How weights of this size go into a card. A worker that finds less room than this tells of
    it, and goes one lower by itself."""
    if card is None:
        return "in main memory, on the CPU"
    need = size_mb * 1e6 / 2**20 + _WORKING_MIB
    if need <= card.mib:
        return "whole on the GPU"
    if card.mib >= _WORKING_MIB * 2:
        return "its parts by turns on the GPU, from main memory: slower"
    return "too large for the GPU"
