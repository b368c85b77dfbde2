"""Watching a run of denoising: progress, cancellation and previews, step by step."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from underpaint_daemon.common.job_contract import Phase, Reporter

from .samplers import is_flow

Image8 = npt.NDArray[np.uint8]
_SIGMA_SCALED = ("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler")


@dataclass(slots=True)
class StepWatch:
    """A pipeline's `callback_on_step_end`, and an ear at its scheduler.

    Schedulers hand the pipelines only the next sample; the network's output is noted on the way
    in, so that a preview can show the picture the network has in mind (predicted x0) and not the
    noise around it. `done`, `total`: steps of earlier images of the batch, and of the whole job.
    `before`: is told the pipeline and the number of the step that comes next. `ended`: what it
    believed in when it was enough, in a pipeline that cannot be told so: the scheduler says that
    from then on.
    """

    reporter: Reporter
    show: Callable[[Tensor], Image8 | None]
    done: int
    total: int
    before: Callable[[Any, int], None] | None = None
    ended: Tensor | None = None
    _last: tuple[Tensor, Tensor, Any] | None = None
    _clean: Tensor | None = None

    def attach(self, scheduler: Any, silent: Any = None) -> None:
        """Listen to `scheduler.step`; pipelines read its signature, which is kept. `silent`: a
        pipeline that tells of no steps; they are counted here."""
        step, count = scheduler.step, itertools.count()
        known = inspect.signature(step)

        @functools.wraps(step)
        def noted(*given: Any, **named: Any) -> Any:
            output, timestep, sample = [*known.bind(*given, **named).arguments.values()][:3]
            if self.ended is None:
                self._last = (output, sample, timestep)
            made = step(*given, **named)
            self._clean = _beside(made)
            if silent is not None and self.ended is None:
                self(silent, next(count), timestep, {"latents": made[0]})
            return made if self.ended is None else _with(made, self.ended)

        scheduler.step = noted

    def __call__(self, pipe: Any, index: int, _timestep: Any, tensors: dict[str, Any]) -> Any:
        """After each step. Raises JobCancelled out of the pipeline when the job is to stop; when it
        is enough, the pipeline leaves out the steps that are left and decodes what it believes in.
        """
        self.reporter.raise_if_cancelled()
        if self.ended is not None:
            return {}
        if self.before is not None:
            self.before(pipe, index + 1)
        step = self.done + index + 1
        self.reporter.progress(Phase.DENOISING, step, self.total)
        # The last step is followed by the picture itself.
        wanted = step < self.total and self.reporter.wants_preview()
        enough = self.reporter.enough()
        if self._last is None or not (wanted or enough):
            return {}
        output, sample, at = self._last
        clean = tensors["latents"] if self._clean is None else self._clean
        if tells_of_noise(pipe.scheduler):
            clean = predicted_original(pipe.scheduler, output, sample, at)
        # Pictures of numbered patches are none before they are decoded.
        shown = self.show(clean) if wanted and clean.is_floating_point() else None
        if shown is not None:
            self.reporter.preview(step, shown)
        if not enough:
            return {}
        latents = clean.to(tensors["latents"].dtype)
        if hasattr(type(pipe), "interrupt"):
            pipe._interrupt = True  # diffusers' own word for it
        else:
            self.ended = latents
        return {"latents": latents}


def _beside(made: Any) -> Tensor | None:
    """What some schedulers give beside the next sample: the clean one. Patches that are not painted
    yet (Amused's) are in the next sample as a number that no decoder knows."""
    if isinstance(made, tuple):
        sample, found, *_ = *made, None, None
    else:
        sample, found = made.get("prev_sample"), made.get("pred_original_sample")
    if not (isinstance(found, Tensor) and isinstance(sample, Tensor)):
        return None
    return found if found.shape == sample.shape else None


def _with(made: Any, latents: Tensor) -> Any:
    """What a scheduler says of a step, with other latents."""
    if isinstance(made, tuple):
        return (latents, *made[1:])
    made.prev_sample = latents
    return made


def tells_of_noise(scheduler: Any) -> bool:
    """Whether a schedule says how noisy a step is; some of diffusers' own (of consistency, of
    masked patches) do not."""
    known = is_flow(scheduler.config) or "prediction_type" in scheduler.config
    return known and (hasattr(scheduler, "sigmas") or hasattr(scheduler, "alphas_cumprod"))


def predicted_original(scheduler: Any, output: Tensor, sample: Tensor, timestep: Any) -> Tensor:
    """The clean latents that a network's output implies, just after `scheduler.step`.

    In the variance-preserving form x = a·x0 + s·e with a² + s² = 1: x0 = (x - s·e) / a, or
    a·x - s·v for v-prediction (Salimans & Ho 2022). Euler schedulers hold x / a instead. Flow
    matching mixes x = (1 - s)·x0 + s·e and says e - x0, so x0 = x - s·output. A learnt variance
    comes behind what it implies.
    """
    if sample.ndim == output.ndim and output.shape[1] == 2 * sample.shape[1]:
        output = output[:, : sample.shape[1]]
    if is_flow(scheduler.config):
        s = float(scheduler.sigmas[scheduler.step_index - 1])
        return sample.float() - s * output.float()
    a, s = _signal_and_noise(scheduler, timestep)
    x = sample.float()
    if type(scheduler).__name__ in _SIGMA_SCALED:
        x = x * a
    kind = scheduler.config.prediction_type
    if kind == "v_prediction":
        return a * x - s * output.float()
    if kind == "sample":
        return output.float()
    return (x - s * output.float()) / max(a, 1e-3)


def _signal_and_noise(scheduler: Any, timestep: Any) -> tuple[float, float]:
    index = getattr(scheduler, "step_index", None)
    if index is not None and hasattr(scheduler, "sigmas"):
        sigma = float(scheduler.sigmas[index - 1])
        a = 1.0 / (1.0 + sigma * sigma) ** 0.5
        return a, sigma * a
    kept = float(scheduler.alphas_cumprod[int(timestep)])
    return kept**0.5, (1.0 - kept) ** 0.5
