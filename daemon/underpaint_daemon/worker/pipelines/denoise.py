"""One denoising run: a pipeline made of shared components, called once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor

from underpaint.requests import Spacing
from underpaint.requests.curves import part_of
from underpaint_daemon.common.defaults.settle import Settled

from .adapters import Turn
from .canvas import resize
from .controls.adapters import applied
from .controls.networks import Conditioning
from .families import Task
from .families.base import Ask
from .foreign.calls import in_words, resting, taken_by, tells_of_steps
from .foreign.pictures import pictured
from .latents import from_image8, to_image8
from .loading.components import LoadedModel, make_scheduler
from .making import make_pipeline
from .precision import check_finite
from .references.attention import Seen, drawn, looking
from .regions import Region, regional
from .steps import active_steps
from .watch import StepWatch


@dataclass(frozen=True, slots=True)
class Denoising:
    """What all images of a request share. `start`: the pipeline's own arguments for the task
    (image, mask, strength). `extra`: an image prompt's. `references`: PIL images beside the
    words. `seen`: references that the UNet looks at. `turn`: of LoRAs, over the steps and for
    parts. `begin`, `end`: the part of the noise schedule that is denoised; what ends before 1 has
    noise in it, and what begins after 0 begins from such latents."""

    model: LoadedModel
    task: Task
    sampling: Settled
    size: tuple[int, int]
    embedding: Mapping[str, Tensor]
    conditioning: Conditioning
    strength: float = 1.0
    start: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[Any, ...] = ()
    regions: tuple[Region, ...] = ()
    seen: tuple[Seen, ...] = ()
    turn: Turn | None = None
    begin: float = 0.0
    end: float = 1.0

    @property
    def taken(self) -> int:
        """Steps that are really taken."""
        if self.begin or self.end < 1:
            return handed_steps(self)
        return active_steps(self.sampling.steps, self.strength, flow=self.model.flow)


def handed_steps(job: Denoising) -> int:
    """The steps of a part of the schedule, counted as diffusers' SDXL pipelines part it: by the
    noise level at which one model hands over to the other."""
    sampling = job.sampling
    scheduler = make_scheduler(job.model, sampling.sampler, sampling.steps, sampling.spacing)
    scheduler.set_timesteps(sampling.steps)
    most: int = scheduler.config.num_train_timesteps
    first, last = (round(most * (1 - part)) for part in (job.begin, job.end))
    levels = [int(at) for at in scheduler.timesteps if int(at) >= last]
    return max(1, sum(not job.begin or at < first for at in levels))


@dataclass(frozen=True, slots=True)
class _Part:
    """How a strength is had of a pipeline. `of_schedule`: the part of the noise schedule that its
    scheduler gets. `steps`, `told`: the number of steps and the strength that it is told."""

    steps: int
    of_schedule: float
    told: float


def _part(job: Denoising) -> _Part:
    """Pipelines round a strength to whole steps of the full schedule, which with few steps is far
    from what was asked: theirs begins just there instead. To repaint they begin from pure noise
    when they are told 1, so they get a first step that they leave out."""
    if job.model.flow or job.model.own_schedule:
        # Rounded up to a step, and noise levels that shift with the size, or are its own.
        return _Part(job.sampling.steps, 1.0, job.strength)
    taken = active_steps(job.sampling.steps, job.strength)
    if job.strength >= 1:
        return _Part(job.sampling.steps, 1.0, 1.0)
    if job.task is not Task.INPAINT:
        return _Part(taken, job.strength, 1.0)
    longer = (taken + 1) / taken
    return _Part(taken + 1, min(1.0, job.strength * longer), (taken + 0.5) / (taken + 1))


@contextmanager
def steadied(seed: int, device: torch.device) -> Iterator[None]:
    """Chance that pipelines take from torch's own generators (SD 3's ControlNets encode their
    picture by it) is the seed's in this block, and as it was after it."""
    beside = [] if device.type == "cpu" else [device]
    kind = device.type if beside else "cuda"
    with torch.random.fork_rng(beside, device_type=kind):
        # torch.manual_seed records a stack trace for every GPU backend that is not initialised.
        (torch.manual_seed if beside else torch.default_generator.manual_seed)(seed)
        yield


@torch.no_grad()
def denoise(job: Denoising, seed: int, watch: StepWatch) -> Tensor:
    """Run the denoising; returns scaled latents (1, c, h, w), or the picture (1, 3, h, w), 0–1, of
    a family whose pipelines decode.

    The generator is the CPU's, so that a seed means the same picture on every device. Raises
    JobCancelled from within, Overflowed.
    """
    sampling, part = job.sampling, _part(job)
    left_out = part.told < 1 and sampling.spacing is Spacing.FIRST  # the steps would lie too early
    spacing = None if left_out else sampling.spacing
    scheduler = make_scheduler(job.model, sampling.sampler, part.steps, spacing, part.of_schedule)
    watch.before = lambda running, step: _turned(job, running, step)
    network = job.conditioning.network if job.conditioning.networks else None
    pipe = make_pipeline(job.model, job.task, network, scheduler)
    known = taken_by(pipe)
    watch.attach(scheduler, None if tells_of_steps(known) else pipe)
    arguments = {**_arguments(job, part, seed), **_told_steps(watch, pipe, known)}
    timesteps = scheduler.config.get("num_train_timesteps", 0)  # none of masked patches
    adapters = applied(job.model.denoiser, job.conditioning.adapters, timesteps)
    if job.turn is not None:
        job.turn.over_steps(0.0)
    steady = steadied(seed, job.model.place.device)
    # References go through the UNet without what leads it, once a step, however many regions.
    plain, seen = pipe.unet.forward if job.seen else None, drawn(job.seen, seed)
    bare = job.turn.of_part if job.turn is not None else lambda: None
    look = looking(pipe, plain, seen, job.taken, bare)
    with adapters, regional(pipe, job.regions, job.turn), look, steady:
        made = _called(job, pipe, {k: v for k, v in arguments.items() if k in known}, watch)
    check_finite(made, job.model)
    return _sized(made, job.size) if job.model.family.self_decoding else made


def _called(job: Denoising, pipe: Any, arguments: Mapping[str, Any], watch: StepWatch) -> Tensor:
    """What the pipeline makes of it."""
    stops = hasattr(type(pipe), "interrupt")
    rest = nullcontext() if stops else resting(job.model.denoiser, lambda: watch.ended is not None)
    if not job.model.family.foreign:
        with rest:
            return cast(Tensor, pipe(**arguments)[0])
    with rest, in_words(str(job.model.index["_class_name"]), job.model.info.name):
        return pictured(pipe(**arguments)[0])


def _arguments(job: Denoising, part: _Part, seed: int) -> dict[str, Any]:
    """What pipelines are called with; each takes what it knows."""
    sampling, family = job.sampling, job.model.family
    guidance = sampling.guidance_at(0, job.taken)
    scale = sampling.image_guidance
    ask = Ask(job.task, guidance, job.size, job.references, scale, part.steps)
    return {
        **job.embedding,
        **job.start,
        **job.extra,
        **_controlled(job),
        "height": job.size[0],
        "width": job.size[1],
        "strength": part.told,
        "num_inference_steps": part.steps,
        "output_type": "pt" if family.self_decoding else "latent",
        **family.arguments(ask),
        "generator": torch.Generator("cpu").manual_seed(seed),
        "return_dict": False,
        **({"denoising_start": job.begin} if job.begin else {}),
        **({"denoising_end": job.end} if job.end < 1 else {}),
    }


def _told_steps(watch: StepWatch, pipe: Any, known: Collection[str]) -> dict[str, Any]:
    """How a pipeline tells of its steps; one of them (SDXL's InstructPix2Pix) in the old way."""
    if not tells_of_steps(known):
        return {}
    if "callback_on_step_end" in known:
        return {"callback_on_step_end": watch}

    def after(step: int, timestep: Any, latents: Tensor) -> None:
        watch(pipe, step, timestep, {"latents": latents})

    return {"callback": after, "callback_steps": 1}


def _turned(job: Denoising, pipe: Any, step: int) -> None:
    """Before a step: what changes over the steps."""
    if job.sampling.guidance_curve:
        pipe._guidance_scale = job.sampling.guidance_at(step, job.taken)
    if job.turn is not None:
        job.turn.over_steps(part_of(step, job.taken))


def _controlled(job: Denoising) -> dict[str, Any]:
    family = job.model.family
    arguments = job.conditioning.arguments(family.control_argument[job.task])
    return family.controlled(arguments) if arguments else arguments


def _sized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Some pipelines paint at a size of their own."""
    picture = picture.float().cpu()
    if picture.shape[-2:] == size:
        return picture
    return from_image8(resize(to_image8(picture[0]), size))
