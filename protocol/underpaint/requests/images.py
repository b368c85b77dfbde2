"""Requests for pictures: of a view, of nothing but words, or of a masked spot."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..buffers import BufferRef
from .painting import STARTER_MODEL, Lora, Pattern, Pbr, Prompt, Sampling
from .views import Control, Reference, View


class TileAxes(StrEnum):
    """Along which axes an image is to repeat without a seam: x is left to right."""

    OFF = "off"
    X = "x"
    Y = "y"
    XY = "xy"


@dataclass(frozen=True, slots=True)
class RegionPrompt:
    """A prompt for a part of the picture; the rest keeps the request's own.

    Where: `mask` (255 = here, between = partly), of the size of the picture, of the view or of
    the picture to start from; or `object_id`, what shows that object in the view's `object_id`.
    One of the two. `weight`: how far it takes the place of what is said there otherwise, 0–1.
    `name`: that object's, for a host to find it again; what paints does not read it.
    `loras`: what acts there beside the request's own LoRAs; one that is among those, too, counts
    there by this weight (0: not at all). With LoRAs the prompt's text may be empty: it is then the
    request's. Regions lie over one another in their order, the last on top.
    """

    prompt: Prompt
    mask: BufferRef | None = None
    object_id: int | None = None
    weight: float = 1.0
    name: str = ""
    loras: tuple[Lora, ...] = ()


HANDOFF = 0.8
"""Where SDXL hands over to its refiner (Podell et al. 2023: the last 200 of 1000 noise levels)."""


@dataclass(frozen=True, slots=True)
class Refiner:
    """A second model that finishes each picture: SDXL's refiner, or any that can begin from one.

    It paints over it by `strength` (0–1), with the same words and seed. `handoff`: in place of
    that, the part of the noise schedule (above 0, below 1) after which it takes the picture over as
    it is then, with the noise in it, as SDXL's refiner was published to be used (`HANDOFF`); for
    pictures from words alone. `sampling`: what is None is the second model's to say, with a
    handoff the first one's; its seed is not read.
    """

    model: str
    strength: float = 0.25
    sampling: Sampling = field(default_factory=Sampling)
    handoff: float | None = None


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """Paint an image of a view: text-to-image, or image-to-image when `init` is given.

    `width`, `height`: pixels, 64 and above, multiples of 8 along axes that `tile` repeats; None: as
    many as the model was made for, in the proportions of the view or of `init`. `controls`: None
    is what the model wants for a view; an empty tuple is none. `strength`: denoising strength of
    image-to-image,
    0–1 (0 keeps `init`, 1 ignores it). `batch`: images, seeds count up from `sampling.seed`.
    `tile`: axes along which the image repeats without a seam; with both, a preview on a plane and
    a ball comes with it. `pbr`: the material's maps as well. `regions`: prompts for parts of it.
    `refiner`: a second model that finishes it. `only_controls`: paint nothing; the results are the
    pictures that the controls' networks would be shown, `control_{i}_{kind}.png`.
    """

    prompt: Prompt
    model: str = STARTER_MODEL
    width: int | None = None
    height: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    batch: int = 1
    view: View | None = None
    controls: tuple[Control, ...] | None = None
    pattern: Pattern = field(default_factory=Pattern)
    init: BufferRef | None = None
    strength: float = 0.6
    loras: tuple[Lora, ...] = ()
    references: tuple[Reference, ...] = ()
    tile: TileAxes = TileAxes.OFF
    pbr: Pbr | None = None
    regions: tuple[RegionPrompt, ...] = ()
    refiner: Refiner | None = None
    only_controls: bool = False


@dataclass(frozen=True, slots=True)
class InpaintRequest:
    """Repaint the masked spot of `image`; every pixel whose mask is 0 comes back unchanged.

    `mask`: 255 = repaint, 0 = keep, between = blend. `feather`: pixels over which the new paint
    fades in, inside the mask. `padding`: None works on the whole image; a number crops to the
    mask plus so many pixels and works there at full resolution. `controls`: None is what the
    model wants for a view. `regions`: prompts for parts of the image, masks of its size.
    `refiner`: a second model that finishes the spot.
    """

    prompt: Prompt
    image: BufferRef
    mask: BufferRef
    model: str = STARTER_MODEL
    sampling: Sampling = field(default_factory=Sampling)
    batch: int = 1
    view: View | None = None
    controls: tuple[Control, ...] | None = None
    pattern: Pattern = field(default_factory=Pattern)
    strength: float = 1.0
    feather: int = 4
    padding: int | None = None
    loras: tuple[Lora, ...] = ()
    references: tuple[Reference, ...] = ()
    regions: tuple[RegionPrompt, ...] = ()
    refiner: Refiner | None = None


@dataclass(frozen=True, slots=True)
class UpscaleRequest:
    """Enlarge `image` `factor` times (1–4, best 2–4) and paint the detail that it lacks.

    It is painted over in tiles of `tile` pixels a side (None: what the model was made for), one
    after another, each fading in over `overlap` pixels (at most half a tile) where it lies on
    those before: memory is that of one tile, whatever the size. `strength`: how much of each tile
    is painted anew, 0–1; low keeps what is there. `controls`: None is the tile ControlNet where
    the model has one. What shows through of `image` keeps its alpha, enlarged.
    """

    prompt: Prompt
    image: BufferRef
    model: str = STARTER_MODEL
    factor: float = 2.0
    sampling: Sampling = field(default_factory=Sampling)
    controls: tuple[Control, ...] | None = None
    strength: float = 0.35
    tile: int | None = None
    overlap: int = 64
    loras: tuple[Lora, ...] = ()
