"""What pictures and textures are asked for alike, as plain data. No bpy.

Blender keeps numbers as float32, so 0.6 reads back as 0.6000000238; `tidy` gives back what the
artist typed, and so the very request that Python or the command line would make.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from underpaint.requests import (
    STARTER_MODEL,
    Curve,
    ImageRequest,
    Lora,
    Pattern,
    Prompt,
    Reference,
    Sampler,
    Sampling,
    TextureRequest,
)


@dataclass(frozen=True, slots=True)
class PaintingSettings:
    """What both tabs of the panel ask for; ranges as in `underpaint.requests`. `strength`: how far
    to go from what is there, 0–1. `pattern_size`, `pattern_seed`, `own_uv`,
    `pattern_ground`: of the pattern that a guide lays on surfaces
    (`underpaint.requests.Pattern`). `references`: pictures that the model reads."""

    prompt: str = ""
    negative: str = ""
    model: str = STARTER_MODEL
    steps: int | None = None
    guidance: float | None = None
    sampler: Sampler | None = None
    seed: int = 0
    strength: float = 0.6
    pattern_size: float | None = None
    pattern_seed: int = 0
    own_uv: bool = False
    pattern_ground: bool = False
    loras: tuple[Lora, ...] = ()
    guidance_curve: Curve = ()
    references: tuple[Reference, ...] = ()


def asked(settings: PaintingSettings) -> dict[str, Any]:
    """The fields of a request that these settings fill, by name."""
    return {
        "prompt": Prompt(settings.prompt, settings.negative),
        "model": settings.model or STARTER_MODEL,
        "sampling": Sampling(
            settings.sampler,
            settings.steps,
            settings.guidance,
            settings.seed,
            guidance_curve=settings.guidance_curve,
        ),
        "loras": settings.loras,
        "references": settings.references,
        "pattern": Pattern(
            settings.pattern_size,
            settings.pattern_seed,
            settings.own_uv,
            settings.pattern_ground,
        ),
    }


def asked_by(request: ImageRequest | TextureRequest) -> dict[str, Any]:
    """The settings that `asked` made these fields of, by name."""
    sampling = request.sampling
    return {
        "prompt": request.prompt.text,
        "negative": request.prompt.negative,
        "model": request.model,
        "steps": sampling.steps,
        "guidance": sampling.guidance,
        "sampler": sampling.sampler,
        "seed": sampling.seed,
        "loras": request.loras,
        "guidance_curve": sampling.guidance_curve,
        "references": tuple(one for one in request.references if one.image is not None),
        "pattern_size": request.pattern.size,
        "pattern_seed": request.pattern.seed,
        "own_uv": request.pattern.own_uv,
        "pattern_ground": request.pattern.ground,
    }


def tidy(value: float) -> float:
    """A float32 as the decimal number it was typed as, to six digits after the point."""
    return round(float(value), 6)
