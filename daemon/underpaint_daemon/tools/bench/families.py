"""`bench families`: what each family's picture costs beside diffusers' own pipeline.

Miniatures of the true architectures; in one process by turns, in seconds of the processor, from a
request to its picture: settled, checked, encoded, painted, written as a PNG with its recipe. The
bare side is diffusers alone: a folder, a pipeline, one call, and its picture saved as a PNG, too.
Both read the words each time, though the engine remembers those of its last picture. As a machine
sways by a tenth, pairs are painted until it is decided on which side of the bar their median lies
(the binomial interval of a median), or the miniature's time is over. The way there and back is
`bench daemon`'s.
"""

from __future__ import annotations

import argparse
import inspect
import io
import os
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import torch
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.cli.terminal.parser import Parser
from underpaint.measures import Report, at_most
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, InpaintRequest
from underpaint_daemon.common.models import family_of
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.families import Task
from underpaint_daemon.worker.pipelines.families.base import Ask
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.quiet import Quiet

from ..evals.family_requests import plainest
from ..evals.family_things import Things, picture
from ..miniatures import MINIATURES
from .harness import finish
from .pairs import by_turns

RATIO_LIMIT = 1.05


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench families --help`."""
    options = _options(argv)
    os.environ["HF_HUB_OFFLINE"] = "1"
    torch.set_num_threads(1)
    measures = dict[str, float]()
    with tempfile.TemporaryDirectory() as root:
        paths = Paths(runtime=Path(root, "run"), data=Path(root), cache=Path(root, "cache"))
        for name in options.only or list(MINIATURES):
            measures |= _measured(paths, name, options)
    bars = [
        at_most(name, value, RATIO_LIMIT)
        for name, value in measures.items()
        if name.endswith("_ratio")
    ]
    return finish(Report("bench families", 7, measures, bars), as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="underpaint bench families", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these miniatures alone")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=8, help="pairs of pictures, at least")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each miniature, at most")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(argv)


def _measured(paths: Paths, name: str, options: argparse.Namespace) -> dict[str, float]:
    MINIATURES[name](paths.models / name)
    buffers = Buffers()
    request = plainest(family_of(paths, name), name, Things.into(buffers))
    request = replace(request, sampling=replace(request.sampling, steps=options.steps))
    if isinstance(request, ImageRequest):
        request = replace(request, width=options.side, height=options.side)
    runner = PipelineRunner(ModelCache(paths))
    runner(request, buffers, Quiet())  # loads it
    model = runner.models.load(name)
    bare = _bare(model, request)
    bare()

    def ours_anew() -> None:
        model.said = None
        runner(request, buffers, Quiet())

    pairs = by_turns(ours_anew, bare, RATIO_LIMIT, options.repeats, options.seconds)
    runner.unload()
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return {
        f"{name}_engine_cpu_ms": ours * 1e3,
        f"{name}_pipeline_cpu_ms": theirs * 1e3,
        f"{name}_engine_over_pipeline_ratio": statistics.median(a / b for a, b in pairs),
    }


def _bare(model: LoadedModel, request: Any) -> Callable[[], Any]:
    """diffusers' pipeline of the same task, over the same weights, called as its users call it, and
    its picture saved."""
    if model.family.modular:
        return _bare_blocks(model, request)
    masked = isinstance(request, InpaintRequest)
    begins = not masked and request.init is not None
    task = Task.INPAINT if masked else Task.IMAGE if begins else Task.TEXT
    family, guidance = model.family, request.sampling.guidance
    name = family.pipelines.get((task, False)) or family.pipelines[task, True]
    kind = getattr(diffusers, name)
    known = inspect.signature(kind.__init__).parameters
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler if model.flow else (
        diffusers.EulerDiscreteScheduler
    )  # fmt: skip
    offered = {
        **model.index,
        **family.fixed,
        **model.parts,
        "scheduler": scheduler.from_config(dict(model.scheduler_config)),
    }
    pipe = kind(**{key: value for key, value in offered.items() if key in known})
    pipe.set_progress_bar_config(disable=True)
    arguments = _arguments(family, request, task, guidance)
    takes = inspect.signature(kind.__call__).parameters
    given = {key: value for key, value in arguments.items() if key in takes}

    @torch.no_grad()
    def call() -> Any:
        _save(pipe(**given, generator=torch.Generator("cpu").manual_seed(7)).images)

    return call


def _bare_blocks(model: LoadedModel, request: Any) -> Callable[[], Any]:
    """A modular pipeline as diffusers' users load and call it."""
    pipe = diffusers.ModularPipeline.from_pretrained(str(model.folder), local_files_only=True)
    pipe.load_components(local_files_only=True)
    guidance, known = request.sampling.guidance, {one.name for one in pipe.blocks.inputs}
    if getattr(pipe, "guider", None) is not None:
        asked = {"guidance_scale": guidance, "enabled": True}
        pipe.guider = type(pipe.guider).from_config(pipe.guider.config, **asked)
    arguments = _arguments(model.family, request, Task.TEXT, guidance)
    given = {key: value for key, value in arguments.items() if key in known}
    for unasked in ("strength", "control_image"):
        given.pop(unasked, None)
    given["output"] = "images"
    return lambda: _save(pipe(**given, generator=torch.Generator("cpu").manual_seed(7)))


def _save(pictures: Any) -> None:
    pictures[0].save(io.BytesIO(), "PNG")


def _arguments(family: Any, request: Any, task: Task, guidance: float) -> dict[str, Any]:
    """What the pipeline is called with: the words, and the pictures that the request has."""
    masked = task is Task.INPAINT
    side = request.image.shape[0] if masked else request.width
    shown = Image.fromarray(picture(1)).resize((side, side))
    read = (shown,) if request.references else ()
    depth = torch.linspace(0, 1, side * side).reshape(1, side, side)
    arguments = {
        "prompt": request.prompt.text,
        "negative_prompt": request.prompt.negative,
        "height": side,
        "width": side,
        "num_inference_steps": request.sampling.steps,
        "strength": 1.0 if task is Task.TEXT else request.strength,
        "control_image": shown,
        "depth_map": depth,
        **family.arguments(Ask(task, guidance, (side, side), read)),
    }
    if masked:
        mask = Image.new("L", (side, side))
        mask.paste(255, (side // 4, side // 4, 3 * side // 4, 3 * side // 4))
        arguments |= {"image": shown, "mask_image": mask}
    elif task is Task.IMAGE or family.needs_picture:
        arguments["image"] = shown
    return arguments
