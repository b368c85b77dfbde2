"""`bench memory`: whether many views need more memory than one, on a random-weight model of SDXL's
layout.

The model has SDXL's blocks, transformer depths and latents, a UNet a tenth as wide and a VAE a
quarter. A view's activations shrink with the width, what is kept of it (its geometry, its picture)
does not, so that the bar is stricter than at full width. Each figure is the peak of the resident
memory over what the process held before (Linux).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from underpaint.buffers import Buffers
from underpaint.cli.terminal.parser import Parser
from underpaint.errors import ErrorCode, RequestError
from underpaint.measures import Report, at_most
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    Prompt,
    Sampler,
    Sampling,
    TextureRequest,
)
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.memory import release
from underpaint_daemon.worker.quiet import Quiet
from underpaint_daemon.worker.texturing.job.runner import run_texture

from ..evals.meshes import mesh_ref
from ..evals.shapes import chair
from .harness import finish
from .narrow_xl import build_narrow_xl

RATIO_LIMIT = 1.0
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench memory --help`."""
    options = _options(argv)
    if not _CLEAR.exists():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "peaks of memory are read from Linux's /proc, which is not here",
            hint="Run it on Linux.",
        )
    with tempfile.TemporaryDirectory(prefix="underpaint-bench-") as root:
        one, many = _peaks(Path(root), options.views, options.side)
    measures = {
        "one_view_mib": one,
        "many_views_mib": many,
        "views": float(options.views),
        "side_px": float(options.side),
        "extra_over_one_ratio": (many - one) / one,
    }
    bars = [at_most("extra_over_one_ratio", measures["extra_over_one_ratio"], RATIO_LIMIT)]
    return finish(Report("bench memory", 0, measures, bars), as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="underpaint bench memory", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--views", type=int, default=12, choices=range(2, 65), metavar="N")
    parser.add_argument("--side", type=int, default=1024, help="pixels a side of a view (1024)")
    return parser.parse_args(argv)


def _peaks(root: Path, views: int, side: int) -> tuple[float, float]:
    """MiB that a texture of one view and one of `views` views need over the loaded model."""
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build_narrow_xl(paths.models / "narrow")
    buffers = Buffers()
    request = TextureRequest(
        Prompt("red stone"),
        mesh_ref(chair(), buffers),
        model="narrow",
        sampling=Sampling(Sampler.EULER, 1, 3.0, 1),
        controls=(Control(ControlKind.DEPTH),),
        size=64,
    )
    models, quiet = ModelCache(paths), Quiet()
    # The first run brings in what every run needs: libraries, the model, its preview.
    run_texture(replace(request, view_count=1, view_size=64), buffers, quiet, models)
    peaks = list[float]()
    for count in (1, views):
        release()
        _CLEAR.write_text(_RESET_PEAK)  # the peak falls to what is in use now
        before = _peak_mib()
        run_texture(replace(request, view_count=count, view_size=side), buffers, quiet, models)
        peaks.append(_peak_mib() - before)
    for warning in dict.fromkeys(quiet.warnings):
        print(f"underpaint bench memory: {warning}", file=sys.stderr)
    return peaks[0], peaks[1]


def _peak_mib() -> float:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
