"""`underpaint eval texture MESH --prompt …`: do generated views agree, is the result sharp, whole,
and of the colour that was asked for?

The same seed is painted twice, synchronised and not; everything else is equal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.buffers import Buffers
from underpaint.cli.options import add_json, add_sampling, sampling_of
from underpaint.cli.terminal.parser import Parser
from underpaint.measures import Bar, Report, at_least, at_most
from underpaint.paths import user_paths
from underpaint.requests import STARTER_MODEL, Prompt, TextureRequest
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.tools.evals.edges import depth_edges, edge_recall
from underpaint_daemon.worker.pipelines.controls.guided import with_pattern
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.quiet import Quiet
from underpaint_daemon.worker.texturing.job.methods import projected
from underpaint_daemon.worker.texturing.job.painting import (
    Inputs,
    Painted,
    Pass,
    paint,
    stations_of,
    synchroniser,
)
from underpaint_daemon.worker.texturing.job.pictures import Image8, contact_sheet, plain_png
from underpaint_daemon.worker.texturing.job.results import composed, measure
from underpaint_daemon.worker.texturing.job.runner import prepared
from underpaint_daemon.worker.texturing.job.turntable import DIRECTIONS, shots, turntable
from underpaint_daemon.worker.texturing.projection.quality import overlap_psnr
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

from .clocks import TimedHook, timed
from .meshes import load_mesh, mesh_ref
from .shapes import SHAPES

_SIZE = 2048  # a view's pixels must fit: the faces of a chair share 1024 texels coarsely
_SYNC_GAIN_DB = 6.0
_SYNC_COST = 0.05
_EDGE_SLACK = 0.02
_UNSEEN_CAMERAS = 8
_LEAST_SATURATION = 0.25
_HUES = {"red": 0, "orange": 30, "yellow": 58, "green": 120, "cyan": 180, "blue": 225,
         "purple": 280, "pink": 330}  # fmt: skip
_HUE_TOLERANCE = 35.0


Mask = npt.NDArray[np.bool_]
Seen = tuple[Image8, Mask]
"""A picture of the textured mesh and where the mesh is in it."""
Further = Callable[[str, Sequence[Seen]], tuple[dict[str, float], list[Bar]]]
"""More measures and bars, from the prompt and pictures from cameras that painted nothing."""


def main(argv: list[str] | None = None, further: Further | None = None) -> int:
    """Measure one mesh and prompt; exit code 0 when all bars hold, 3 when not."""
    args = _parser().parse_args(argv)
    build = SHAPES.get(str(args.mesh))
    mesh = load_mesh(args.mesh) if build is None else build()
    buffers = Buffers()
    asked = TextureRequest(
        Prompt(args.prompt),
        mesh_ref(mesh, buffers),
        model=args.model,
        sampling=sampling_of(args),
        view_count=args.views,
        view_size=args.view_size,
        size=args.size,
    )
    paths = user_paths()
    request = settle(asked, paths)
    assert isinstance(request, TextureRequest)
    request = with_pattern(request, buffers)
    model = ModelCache(paths).load(args.model)
    report = evaluate(model, request, buffers, args.out, further)
    print(report.to_json() if args.json else report.to_text())
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    request = TextureRequest.__dataclass_fields__
    parser = Parser(prog="underpaint eval texture", description=__doc__)
    shapes = ", ".join(SHAPES)
    told = f"a mesh (.obj .ply .glb .fbx .blend), or one of {shapes}"
    parser.add_argument("mesh", type=Path, help=told)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--model", default=STARTER_MODEL)
    add_sampling(parser)
    parser.add_argument("--views", type=int, default=request["view_count"].default)
    parser.add_argument("--view-size", type=int, help="default: what the model was made for")
    parser.add_argument("--size", type=int, default=_SIZE, help="texels a side (2048)")
    parser.add_argument("--out", type=Path, help="folder for pictures to look at")
    add_json(parser)
    return parser


@torch.no_grad()
def evaluate(
    model: LoadedModel,
    request: TextureRequest,
    buffers: Buffers,
    out: Path | None = None,
    further: Further | None = None,
) -> Report:
    """Paint synchronised and unsynchronised with one seed, and measure both."""
    with prepared(request, buffers, Quiet(), model) as inputs:
        began, cpu = time.perf_counter(), time.process_time()
        synced, network_s, sync_s = _painted(inputs, apart=False)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    with prepared(request, buffers, Quiet(), model, share_attention=False) as plain:
        unsynced, plain_s, _ = _painted(plain, apart=True)
    images = [composed(t) for t in synced.textures]
    quality = measure(plain.mesh, synced, images)
    apart_db = overlap_psnr(plain.mesh, unsynced.views())
    colours = [(t.number, torch.from_numpy(image).float() / 255)
               for t, image in zip(synced.textures, images, strict=True)]  # fmt: skip
    hue, share = dominant_hue(plain.mesh, colours)
    measures = {name: float(value) for name, value in quality.items()} | {
        "overlap_psnr_unsynced_db": apart_db,
        "sync_gain_db": quality["overlap_psnr_db"] - apart_db,
        "dominant_hue_deg": hue,
        "dominant_hue_share_fraction": share,
        "depth_edge_recall_fraction": _adherence(synced),
        "depth_edge_recall_unsynced_fraction": _adherence(unsynced),
        "paint_s": seconds,
        "paint_cpu_s": cpu,
        "sync_overhead_fraction": sync_s / network_s,
        "shared_attention_cost_ratio": network_s / plain_s,
    }
    bars = _bars(measures, request.prompt.text)
    if further is not None:
        more, more_bars = further(request.prompt.text, unseen(plain.mesh, colours))
        measures |= more
        bars += more_bars
    written = [] if out is None else _write(out, plain.mesh, synced, unsynced, colours)
    return Report("eval texture", request.sampling.seed, measures, bars, written)


def _painted(inputs: Inputs, *, apart: bool) -> tuple[Painted, float, float]:
    """The painting, and the seconds that networks and synchronisation took."""
    denoiser = timed(inputs.denoiser)
    inputs = replace(inputs, denoiser=denoiser)
    stations = stations_of(inputs)
    hook = TimedHook(synchroniser(inputs, stations, apart=apart))
    painted = Painted([], stations, paint(inputs, Pass(stations, hook)))
    painted = replace(painted, textures=projected(inputs, painted, inputs.request.size))
    return painted, denoiser.seconds, hook.seconds


def _adherence(painted: Painted) -> float:
    """The share of depth edges at which the views' pictures have an edge too, mean of views."""
    return float(
        np.nanmean(
            [
                edge_recall(image, depth_edges(station.buffers.depth.cpu().numpy()))
                for image, station in zip(_images(painted), painted.stations, strict=True)
            ]
        )
    )


def _bars(measures: dict[str, float], prompt: str) -> list[Bar]:
    bars = [
        at_least("sync_gain_db", measures["sync_gain_db"], _SYNC_GAIN_DB),
        at_least("sharpness_ratio", measures["sharpness_ratio"], 0.8),
        at_most("sharpness_ratio", measures["sharpness_ratio"], 1.1),
        at_most("bare_fraction", measures["bare_fraction"], 0.0),
        at_least(
            "depth_edge_recall_fraction",
            measures["depth_edge_recall_fraction"],
            measures["depth_edge_recall_unsynced_fraction"] - _EDGE_SLACK,
        ),
        at_most("sync_overhead_fraction", measures["sync_overhead_fraction"], _SYNC_COST),
    ]
    named = [hue for word, hue in _HUES.items() if word in prompt.lower().split()]
    if len(named) == 1:
        apart = abs((measures["dominant_hue_deg"] - named[0] + 180) % 360 - 180)
        measures["hue_error_deg"] = apart
        bars.append(at_most("hue_error_deg", apart, _HUE_TOLERANCE))
    return bars


def dominant_hue(mesh: Mesh, textures: Sequence[tuple[int, Tensor]]) -> tuple[float, float]:
    """The hue (degrees) in which most saturated pixels lie, seen from 8 cameras that painted
    nothing, and their share within 30 degrees of it; (nan, 0) when nothing is colourful."""
    seen = shots(mesh, textures, 128, DIRECTIONS[:_UNSEEN_CAMERAS], lit=False)
    pixels = np.concatenate([_inside(picture, view.mask) for picture, view in seen])
    hsv = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2HSV)[0]
    hue = hsv[hsv[:, 1] > _LEAST_SATURATION, 0]
    if len(hue) == 0:
        return float("nan"), 0.0
    count, edges = np.histogram(hue, bins=36, range=(0.0, 360.0))
    smooth = count + np.roll(count, 1) + np.roll(count, -1)
    middle = float(edges[int(smooth.argmax())] + 5)
    near = np.abs((hue - middle + 180) % 360 - 180) < 30
    return middle, float(near.sum() / len(pixels))


def unseen(mesh: Mesh, textures: Sequence[tuple[int, Tensor]]) -> list[Seen]:
    """Lit pictures from 8 cameras that painted nothing, and where the mesh is in them."""
    seen = shots(mesh, textures, 256, DIRECTIONS[:_UNSEEN_CAMERAS])
    return [(picture, _whole(view.mask, picture)) for picture, view in seen]


def _inside(picture: Image8, mask: Tensor) -> Image8:
    """The pixels (N, 3) well inside the outline; the mask is finer than the picture."""
    return np.asarray(picture[_whole(mask, picture)])


def _whole(mask: Tensor, picture: Image8) -> Mask:
    """Pixels of a coarser picture that lie on the mask with all of themselves."""
    size = (picture.shape[0], picture.shape[1])
    coarse = torch.nn.functional.adaptive_avg_pool2d(mask[None, None].float(), size)[0, 0]
    return np.asarray((coarse >= 1).cpu().numpy())


def _write(
    out: Path,
    mesh: Mesh,
    synced: Painted,
    unsynced: Painted,
    colours: Sequence[tuple[int, Tensor]],
) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    pictures = {
        "turntable.png": turntable(mesh, colours),
        "views_synced.png": _sheet(synced),
        "views_unsynced.png": _sheet(unsynced),
    }
    for name, picture in pictures.items():
        (out / name).write_bytes(plain_png(picture))
    return [str(out / name) for name in pictures]


def _sheet(painted: Painted) -> Image8:
    return contact_sheet(_images(painted))


def _images(painted: Painted) -> list[Image8]:
    return [(p.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy() for p in painted.pictures]
