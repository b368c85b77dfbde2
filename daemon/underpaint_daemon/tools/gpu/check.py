"""`underpaint-dev gpu-check`: everything of Underpaint that a GPU can do otherwise than a CPU.

Every family's miniature in half precision, every sampler, every memory tier, a card that is full,
texturing's sparse operators and a whole texture, pictures a second of the live view, compiling.
What the device paints is held against the CPU's float32. One JSON object comes out; `notes` says
of each check that could not run here why. `--device cpu --small` runs the same code in a minute,
in bfloat16. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from underpaint.buffers import Buffers
from underpaint.cli.terminal.parser import Parser
from underpaint.client import connect
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.measures import Report, machine
from underpaint.paths import Paths

from ..bench.harness import finish, own_daemon

_SECONDS = 225.0
# What a library may raise on a device that it does not know; one check must not cost the others.
_WRONG = (
    UnderpaintError, RuntimeError, ValueError, TypeError, LookupError, AttributeError,
    AssertionError, OSError, MemoryError,
)  # fmt: skip


def main(argv: list[str]) -> int:
    """Check, print; exit code 3 when a bar does not hold, 2 when the device is not there."""
    options = _options(argv)
    began = time.monotonic()
    os.environ["HF_HUB_OFFLINE"] = "1"
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # the daemon's worker too
    device = _device(options.device)
    with own_daemon() as paths, connect(paths, start=False, client="gpu-check") as client:
        report = _checked(paths, client, device, options, began)
    return finish(report, as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(
        prog="underpaint-dev gpu-check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", default="cuda", help="cuda (default), xpu, mps or cpu")
    parser.add_argument("--small", action="store_true", help="the least of every check")
    parser.add_argument(
        "--seconds", type=float, default=_SECONDS, help="begin nothing after so many (225)"
    )
    parser.add_argument("--only", nargs="+", metavar="CHECK", help="these checks alone")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write the JSON here after every check"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(argv)


def _device(name: str) -> Any:
    import torch

    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "xpu": torch.xpu.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if name not in there or not there[name]():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            f"--device {name!r} is not there; the computer has "
            + ", ".join(kind for kind, has in there.items() if has()),
            hint="Run it where there is one, or with --device cpu --small.",
        )
    return torch.device(name)


def _checked(
    paths: Paths, client: Any, device: Any, options: argparse.Namespace, began: float
) -> Report:
    bench = _bench(paths, device, options, began)
    facts = machine() | _facts(device)

    def report() -> Report:
        found = bench.found
        return Report("gpu-check", 3, found.measures, found.bars, machine=facts, notes=found.notes)

    for name, check in _checks(client, bench):
        if options.only and name not in options.only:
            continue
        _kept_apart(name, bench, check)
        if options.out is not None:
            options.out.write_text(report().to_json())
    return report()


def _bench(paths: Paths, device: Any, options: argparse.Namespace, began: float) -> Any:
    import torch

    from underpaint_daemon.worker.pipelines.loading.networks import Device

    from ..evals.family_things import Things
    from .bench import Bench, Findings, Painter

    half = torch.bfloat16 if device.type == "cpu" else torch.float16
    place, exact = Device(device, half), Device(torch.device("cpu"), torch.float32)
    buffers = Buffers()
    return Bench(
        paths, place, Painter(paths, place, buffers), Painter(paths, exact, buffers), buffers,
        Things.into(buffers), Findings(), options.small, began + options.seconds,
    )  # fmt: skip


def _checks(client: Any, bench: Any) -> list[tuple[str, Callable[[Any], None]]]:
    """In the order of worth: what comes last is left out when the time is up."""
    from . import memory, pictures, speed, texture, waiting

    live = speed.Live(client, bench)
    return [
        ("operators", texture.operators),
        ("samplers", pictures.samplers),
        ("out_of_memory", memory.out_of_memory),
        ("lease", memory.lease),
        ("texture", texture.job),
        ("live", live.frames),
        ("waiting", waiting.by_blocks),
        ("families", pictures.families),
        ("tiers", memory.tiers),
        ("compile", speed.compiled),
    ]


def _kept_apart(name: str, bench: Any, check: Callable[[Any], None]) -> None:
    """Run a check, with its seconds; what goes wrong in it is told and costs no other."""
    began = time.monotonic()
    print(f"gpu-check: {name}", file=sys.stderr, flush=True)
    try:
        if bench.in_time:
            check(bench)
        else:
            bench.found.cannot(name, "the time was up")
    except _WRONG as error:
        traceback.print_exc()
        bench.found.failed(name, error)
    bench.found.told(f"{name}_s", time.monotonic() - began)


def _facts(device: Any) -> dict[str, Any]:
    import torch

    facts: dict[str, Any] = {"device": str(device), "torch": torch.__version__}
    if device.type == "cuda":
        seen = torch.cuda.get_device_properties(device)
        facts |= {"gpu": seen.name, "gpu_memory_bytes": seen.total_memory}
        facts["gpu_capability"] = f"{seen.major}.{seen.minor}"
    return facts
