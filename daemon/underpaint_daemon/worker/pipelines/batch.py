"""From a prepared request to its pictures: adapters on, prompt in, denoise, decode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from underpaint.requests import ImageRequest, InpaintRequest, TileAxes
from underpaint_daemon.common.defaults.settle import settled
from underpaint_daemon.common.job_contract import Phase, Reporter

from .adapters import with_loras, with_reference
from .canvas import Canvas, resize
from .controls.networks import Conditioning
from .denoise import Job, active_steps, denoise, tool_pipeline
from .families import Task
from .latents import decode_latents, to_image8, vae_scale
from .loading.components import LoadedModel
from .memory import Tier, frugal
from .tiling import circular, with_margins
from .watch import StepWatch

Image8 = npt.NDArray[np.uint8]
Finish = Callable[[Image8], Image8]
_PREVIEW_SIDE = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """A request ready for denoising. `finish` turns a picture of the canvas's padded size into
    the result; `start`: the pipeline's arguments of the task; `tile`: axes that repeat."""

    request: ImageRequest | InpaintRequest
    task: Task
    canvas: Canvas
    conditioning: Conditioning
    finish: Finish
    strength: float
    start: Mapping[str, Any]
    reference: Image8 | None = None
    reference_scale: float = 0.0
    tile: TileAxes = TileAxes.OFF


def paint(model: LoadedModel, plan: Plan, tier: Tier, reporter: Reporter) -> list[Image8]:
    """The request's pictures, one for each seed.

    They are denoised one after another, so that each is the same whatever batch it comes in.
    Raises JobCancelled and UnderpaintErrors.
    """
    reporter.progress(Phase.ENCODING, 0, 1)
    with _ready(model, plan, tier) as job:
        reporter.progress(Phase.ENCODING, 1, 1)
        latents = _denoise_all(job, plan, reporter)
        pictures = []
        for i, one in enumerate(latents):
            reporter.checkpoint()
            reporter.progress(Phase.DECODING, i, len(latents))
            pictures.append(plan.finish(to_image8(_decoded(model, one, plan.tile, tier)[0])))
    reporter.progress(Phase.DECODING, len(latents), len(latents))
    return pictures


def _decoded(model: LoadedModel, latents: Tensor, tile: TileAxes, tier: Tier) -> Tensor:
    if tier is Tier.FULL or tile is TileAxes.OFF:
        return decode_latents(model.vae, latents)
    return with_margins(
        latents, tile, lambda wide: decode_latents(model.vae, wide), vae_scale(model.vae)
    )


def _wrapping(model: LoadedModel, tier: Tier) -> list[Any]:
    """The networks that are to wrap: a VAE that works in blocks cannot (see `with_margins`)."""
    return [part for part in model.networks if tier is Tier.FULL or part is not model.vae]


@contextmanager
def _ready(model: LoadedModel, plan: Plan, tier: Tier) -> Iterator[Job]:
    """Adapters and memory tier in place, the prompt encoded; all undone afterwards."""
    request, tool = plan.request, tool_pipeline(model)
    sampling = settled(request.sampling)
    guided = sampling.guidance > 1
    with (
        with_loras(tool, model, request.loras),
        with_reference(tool, model, plan.reference, plan.reference_scale, guided) as extra,
        frugal(tier, model.networks, model.place.device),
        circular(_wrapping(model, tier), plan.tile),
    ):
        texts = (request.prompt.text, request.prompt.negative)
        yield Job(
            model=model,
            task=plan.task,
            sampling=sampling,
            size=plan.canvas.padded,
            embedding=model.family.embed(model.parts, model.index, texts),
            conditioning=plan.conditioning,
            strength=plan.strength,
            start=plan.start,
            extra=extra,
        )


def _denoise_all(job: Job, plan: Plan, reporter: Reporter) -> list[Tensor]:
    steps = active_steps(job.sampling.steps, job.strength)
    total = steps * plan.request.batch
    watch = StepWatch(reporter, lambda latents: _show(job.model, plan, latents), 0, total)
    reporter.progress(Phase.DENOISING, 0, total)
    found = []
    for i in range(plan.request.batch):
        reporter.checkpoint()
        seed = job.sampling.seed + i
        found.append(denoise(job, seed, replace(watch, done=i * steps)))
    return found


def _show(model: LoadedModel, plan: Plan, latents: Tensor) -> Image8:
    """A small picture of what the latents stand for, as the result would look."""
    picture = plan.finish(resize(model.preview(latents), plan.canvas.padded))[..., :3]
    scale = min(1.0, _PREVIEW_SIDE / max(picture.shape[:2]))
    size = (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))
    return np.ascontiguousarray(resize(picture, size))
