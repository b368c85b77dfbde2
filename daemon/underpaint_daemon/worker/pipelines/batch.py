"""From a prepared request to its pictures: adapters on, prompt in, denoise, decode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from underpaint.requests import ControlKind, ImageRequest, InpaintRequest, RegionPrompt, TileAxes
from underpaint.requests.parts import words_of
from underpaint_daemon.common.defaults.settle import settled
from underpaint_daemon.common.job_contract import Phase, Reporter

from .adapters import with_loras
from .canvas import Canvas, resize
from .controls.networks import Conditioning
from .denoise import Denoising, denoise
from .families import Task
from .families.base import Embedding, Words
from .families.named import NAMED, Named
from .finishing.decoding import decoded, wrapping
from .finishing.detail import detailed
from .finishing.sharpen import sharpened
from .finishing.unguided import Kept, smoothed_unguided
from .latents import to_image8
from .loading.components import LoadedModel
from .making import embedded, tool_pipeline
from .memory import Tier, frugal
from .references.beside import Beside
from .references.image_prompt import ranged, with_reference
from .references.seen import seen_by
from .regions import Region, told
from .spaces import channels_of, laid_out, unpacked
from .tiling import circular
from .watch import StepWatch

Image8 = npt.NDArray[np.uint8]
Finish = Callable[[Image8], Image8]
_PREVIEW_SIDE = 256
# Pixels of live painting's quick pictures, of any shape: detail drawn again cannot be told from
# none there, and would take as long as all else.
_SMALL = 20_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A request ready for denoising. `finish` turns a picture of the canvas's padded size into
    the result; `start`: the pipeline's arguments of the task; `tile`: axes that repeat; `begin`,
    `end`: the part of the noise schedule (see `Denoising`)."""

    request: ImageRequest | InpaintRequest
    task: Task
    canvas: Canvas
    conditioning: Conditioning
    finish: Finish
    strength: float
    start: Mapping[str, Any]
    beside: Beside = field(default_factory=Beside)
    tile: TileAxes = TileAxes.OFF
    regions: tuple[Region, ...] = ()
    begin: float = 0.0
    end: float = 1.0


def half_done(
    model: LoadedModel, plan: Plan, tier: Tier, reporter: Reporter
) -> tuple[list[Tensor], list[Image8]]:
    """Latents with noise in them, one for each seed, of a plan that ends within the schedule; when
    it is enough, the pictures as they are by then in their place.

    Raises JobCancelled and UnderpaintErrors.
    """
    reporter.progress(Phase.ENCODING, 0, 1)
    with ready(model, plan, tier) as job:
        reporter.progress(Phase.ENCODING, 1, 1)
        latents = _denoise_all(job, plan, reporter)
        if not reporter.enough():
            return latents, []
        return [], [finished(job, plan, one, tier) for one in latents[-1:]]


def paint(model: LoadedModel, plan: Plan, tier: Tier, reporter: Reporter) -> list[Image8]:
    """The request's pictures, one for each seed.

    They are denoised one after another, so that each is the same whatever batch it comes in. When
    it is enough, the one at work is the last. A preview of the last step is the picture itself.
    Raises JobCancelled and UnderpaintErrors.
    """
    reporter.progress(Phase.ENCODING, 0, 1)
    with ready(model, plan, tier) as job:
        reporter.progress(Phase.ENCODING, 1, 1)
        latents = _denoise_all(job, plan, reporter)
        steps, pictures = job.taken * plan.request.batch, list[Image8]()
        for i, one in enumerate(latents):
            reporter.raise_if_cancelled()
            reporter.progress(Phase.DECODING, i, len(latents))
            pictures.append(finished(job, plan, one, tier))
            if reporter.wants_preview():
                reporter.preview(steps, pictures[-1][..., :3])
    reporter.progress(Phase.DECODING, len(latents), len(latents))
    return pictures


def finished(job: Denoising, plan: Plan, latents: Tensor, tier: Tier) -> Image8:
    """A denoised picture as its request wants it."""
    picture = decoded(job.model, latents, plan.tile, tier)
    if job.model.smooth_unguided:
        picture = _smoothed(picture, plan)
    plain = sharpened(picture, job.sampling.sharpen * plan.strength, plan.tile)
    guide = plan.conditioning.by_kind.get(ControlKind.GUIDE)
    small = picture[0, 0].numel() <= _SMALL
    amount = 0.0 if small else job.model.guide_detail * plan.strength
    picture = detailed(picture, plain, guide, amount, plan.tile)
    return plan.finish(to_image8(picture[0]))


def _smoothed(picture: Tensor, plan: Plan) -> Tensor:
    """A decoded picture whose unguided parts are smoothed, if it has a guide."""
    seen = plan.conditioning.by_kind
    if ControlKind.GUIDE not in seen:
        return picture
    start = plan.start.get("image")
    kept = None if start is None else Kept(start.float().cpu(), 1 - plan.strength)
    return smoothed_unguided(picture, seen[ControlKind.GUIDE], seen.get(ControlKind.DEPTH), kept)


@contextmanager
def ready(model: LoadedModel, plan: Plan, tier: Tier) -> Iterator[Denoising]:
    """Adapters and memory tier in place, the prompt encoded; all undone afterwards."""
    request, tool, beside = plan.request, tool_pipeline(model), plan.beside
    of_parts = [region.asked.loras for region in plan.regions]
    sampling = settled(request.sampling)
    guided = sampling.guidance > 1
    with (
        with_loras(tool, model, request.loras, of_parts) as turn,
        with_reference(tool, model, beside.adapter, beside.scale, guided, beside.through) as extra,
        frugal(tier, model.networks, model.place.device, model.place.home),
        circular(wrapping(model, tier), plan.tile),
    ):
        text = " ".join(part for part in (request.prompt.text, beside.words) if part)
        words = Words(text, request.prompt.negative, guided, beside.pictures)

        def embed(region: RegionPrompt) -> Embedding:
            said = words_of(region.prompt, request.prompt)
            turn.of_part(region.loras)
            read = embedded(model, tool, Words(said.text, said.negative, guided))
            turn.of_part()
            return read

        yield Denoising(
            model=model,
            task=plan.task,
            sampling=sampling,
            size=plan.canvas.padded,
            embedding=_said(model, tool, words, as_it_is=not request.loras),
            conditioning=plan.conditioning,
            strength=plan.strength,
            start=plan.start,
            extra=extra,
            references=beside.pictures,
            seen=seen_by(model, beside.attended, plan.canvas.padded),
            regions=told(plan.regions, embed),
            turn=ranged(turn, tool, beside),
            begin=plan.begin,
            end=plan.end,
        )


def _said(model: LoadedModel, tool: Any, words: Words, *, as_it_is: bool) -> Embedding:
    """The words as the model takes them; those of the last picture are not encoded again, as live
    painting has the same ones for every view. `as_it_is`: no LoRA changes how they are read."""
    named: Named | None = model.parts.get(NAMED)
    own = named is not None and named.used([words.text, words.negative])
    if not as_it_is or own or words.pictures:
        return embedded(model, tool, words)
    if model.said is None or model.said[0] != words:
        model.said = words, embedded(model, tool, words)
    return {**model.said[1]}


def _denoise_all(job: Denoising, plan: Plan, reporter: Reporter) -> list[Tensor]:
    steps = job.taken
    total = steps * plan.request.batch
    watch = StepWatch(reporter, lambda latents: shown(job.model, plan, latents), 0, total)
    reporter.progress(Phase.DENOISING, 0, total)
    found = []
    for i in range(plan.request.batch):
        if i and reporter.enough():
            break
        reporter.raise_if_cancelled()
        seed = job.sampling.seed + i
        found.append(denoise(job, seed, replace(watch, done=i * steps)))
    return found


def shown(model: LoadedModel, plan: Plan, latents: Tensor) -> Image8 | None:
    """A small picture of what the latents stand for, as the result would look; None of a family
    whose latents cannot be read."""
    size = plan.canvas.padded
    if model.family.foreign:
        image = laid_out(model.parts.get("vae"), latents, size)
    else:
        image = unpacked(latents, model.family.patches, size)
    if image is None or image.shape[1] != channels_of(model.vae):
        return None
    picture = plan.finish(resize(model.preview(image), size))[..., :3]
    scale = min(1.0, _PREVIEW_SIDE / max(picture.shape[:2]))
    small = (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale)))
    return np.ascontiguousarray(resize(picture, small))
