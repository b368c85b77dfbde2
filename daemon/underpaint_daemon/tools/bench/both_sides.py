"""A family's picture in two ways, over the same weights: by the engine, as a job has it painted,
and by diffusers' own pipeline, as its users call it."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import diffusers
import torch
from PIL import Image

from underpaint.buffers import Buffers
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

Painted = Callable[[int], Any]
"""Paints and saves one picture in as many steps."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both read the words each time, though the engine remembers those of its last picture."""

    engine: Painted
    pipeline: Painted


@contextmanager
def both_sides(paths: Paths, name: str, side: int) -> Iterator[Sides]:
    """The miniature `name` of the data folder, loaded while the context lasts. `side`: of the
    picture in pixels; those of families that only fill a hole are as large as what they fill."""
    buffers = Buffers()
    request = plainest(family_of(paths, name), name, Things.into(buffers))
    if isinstance(request, ImageRequest):
        request = replace(request, width=side, height=side)
    runner = PipelineRunner(ModelCache(paths))
    model = runner.models.load(name)

    def engine(steps: int) -> None:
        model.said = None
        asked = replace(request, sampling=replace(request.sampling, steps=steps))
        runner(asked, buffers, Quiet())

    try:
        yield Sides(engine, _bare(model, request))
    finally:
        runner.unload()


def _bare(model: LoadedModel, request: Any) -> Painted:
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
    def call(steps: int) -> None:
        asked = {**given, "num_inference_steps": steps}
        _save(pipe(**asked, generator=torch.Generator("cpu").manual_seed(7)).images)

    return call


def _bare_blocks(model: LoadedModel, request: Any) -> Painted:
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

    def call(steps: int) -> None:
        asked = {**given, "num_inference_steps": steps}
        _save(pipe(**asked, generator=torch.Generator("cpu").manual_seed(7)))

    return call


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
