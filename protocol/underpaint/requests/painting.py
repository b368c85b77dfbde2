"""What every request says of painting: words, sampling, LoRAs, patterns, a material's maps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

STARTER_MODEL = "starter"


class Sampler(StrEnum):
    """Samplers; each is a diffusers scheduler with settings (see `underpaint models samplers`)."""

    DDPM = "ddpm"
    DDIM = "ddim"
    EULER = "euler"
    EULER_A = "euler_a"
    DPMPP_2M = "dpmpp_2m"
    DPMPP_2M_KARRAS = "dpmpp_2m_karras"
    DPMPP_2M_SDE = "dpmpp_2m_sde"
    DPMPP_2M_SDE_KARRAS = "dpmpp_2m_sde_karras"
    UNIPC = "unipc"
    LCM = "lcm"


class Spacing(StrEnum):
    """How a sampler's steps lie in the noise schedule (diffusers' `timestep_spacing`). FIRST: all
    in its noisiest tenth, for models that learnt that alone; of LCM from pure noise, else the
    model's own."""

    LEADING = "leading"
    TRAILING = "trailing"
    LINSPACE = "linspace"
    FIRST = "first"


Curve = tuple[tuple[float, float], ...]
"""How a value changes over the steps that are taken: points (part of the steps, 0 is the first and
1 the last; factor, 0–2), the parts rising, straight between; empty is 1 throughout."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA file (.safetensors) or the name of one of the model's own, and its weight (-2–2).

    `curve`: times this over the steps; the words are read with the weight itself.
    """

    path: str
    weight: float = 1.0
    curve: Curve = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to denoise. `guidance` is the classifier-free guidance scale; 1 = off.

    What is None is the model's to say: the daemon puts its value in before the request is stored.
    """

    sampler: Sampler | None = None
    steps: int | None = None
    guidance: float | None = None
    seed: int = 0
    spacing: Spacing | None = None
    """Most models need not be told: their own scheduler config says it."""
    image_guidance: float | None = None
    """How closely the picture to start from is kept, of models that edit it by instruction
    (InstructPix2Pix), 1–50; others take none."""
    guidance_curve: Curve = ()
    """`guidance` times this over the steps, and 1 (off) at least."""
    sharpen: float | None = None
    """How much of what a blur of 1.2 px takes away is put onto the finished picture, 0 (off)–2; in
    image-to-image times the strength. Textures are not sharpened: their views would agree less."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """How patterns lie on surfaces, for models that follow a guide.

    `size`: metres of one pattern unit, about a course of bricks, > 0; None: by the extent of what
    is painted. Of a repeating image without a view: of the image, which is one metre a side; it
    is rounded so that whole courses fit. `seed` moves the pattern. `own_uv`: lay it out by the
    mesh's own UVs, one UV unit being one metre, in place of projecting it along the axes.
    `ground`: the level ground that things in a view stand on wears the pattern, too; else the
    guide leaves it out, since a prompt speaks of the things. `floor`: the height of that ground in
    metres of the world; None: the daemon finds it in the view, and the recipe has what it found.
    """

    size: float | None = None
    seed: int = 0
    own_uv: bool = False
    ground: bool = False
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to paint, and what to keep away from."""

    text: str = ""
    negative: str = ""


@dataclass(frozen=True, slots=True)
class Pbr:
    """Ask for a material's maps beside the colours: `base_color`, `roughness`, `metallic`,
    `normal` (tangent space, OpenGL: +Y up), `height` (16 bit), `ao`, `orm`, as PNG files.

    `model`: a diffusers folder of Marigold's intrinsics (albedo, roughness, metallicity).
    `normal_model`: one of Marigold's normals. Both are full paths, or names of folders among the
    models. What has no model is estimated from the colours, and its files say so.
    """

    model: str | None = None
    normal_model: str | None = None
