"""What can be wanted of a denoising, and what is left when wishes are laid over one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from underpaint.requests import Control, Sampler, Spacing


@dataclass(frozen=True, slots=True)
class Wants:
    """Wishes; what is None is left to the next in line.

    `size`: pixels a side. `guidance`: 1 = off. `controls`: for a view, of those that can be had.
    `samplers`: all that the model can do. `spacing`: of the steps in the noise schedule, for
    models whose own scheduler config does not say it. `most_steps`: beyond which its pictures get
    worse; more are taken all the same, with a remark. `sharpen`: see `Sampling`.
    `decode_window`: pixels a side of the pictures that the VAE learnt on, where they were much
    smaller than what is painted: it is given windows of this size. `guide_detail`: how much of the
    detail that its paintings lose is drawn again from their guide, 0–1. `smooth_unguided`: with a
    guide, what it does not lead (ground, sky) is smoothed. `upscales`: false for a model that draws
    noise over a picture without a view: upscaling then enlarges alone. `looks`: false
    for a model that sees nothing of a reference by its own attention. `prediction` ("epsilon",
    "v_prediction") and `zero_snr`: of a single file whose own keys do not say it. `base`: the
    folder that the other parts come from of a file that holds a transformer alone; of a UNet a
    whole checkpoint, too.
    These are the fields of an `underpaint.json`.
    """

    size: int | None = None
    sampler: Sampler | None = None
    steps: int | None = None
    guidance: float | None = None
    controls: tuple[Control, ...] | None = None
    samplers: tuple[Sampler, ...] | None = None
    spacing: Spacing | None = None
    most_steps: int | None = None
    prediction: str | None = None
    zero_snr: bool | None = None
    sharpen: float | None = None
    guide_detail: float | None = None
    decode_window: int | None = None
    smooth_unguided: bool | None = None
    upscales: bool | None = None
    looks: bool | None = None
    base: str | None = None


def layered(wishes: Sequence[Wants]) -> Wants:
    """Each field from the first that says it."""
    result = Wants()
    for wish in wishes:
        missing = [f.name for f in fields(Wants) if getattr(result, f.name) is None]
        result = replace(result, **{name: getattr(wish, name) for name in missing})
    return result
