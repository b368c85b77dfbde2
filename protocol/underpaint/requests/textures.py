"""The request for a texture: the mesh, what is already there, how to paint it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..buffers import BufferRef
from .painting import STARTER_MODEL, Lora, Pattern, Pbr, Prompt, Sampling
from .views import Control, Reference, View


class Method(StrEnum):
    """Texturing methods (DESIGN: sync is the default)."""

    SYNC = "sync"
    GRID_SYNC = "grid_sync"
    SEQUENTIAL = "sequential"
    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class MeshRef:
    """A triangulated mesh as corner arrays, L triangles, 3L rows.

    `position` (3L, 3) float32 world metres; `normal` (3L, 3) float32 world, unit; `uv` (3L, 2)
    float32; `ids` (3L, 2) int32: object index and material index from 1 (the same numbers as the
    views' object_id).
    """

    position: BufferRef
    normal: BufferRef
    uv: BufferRef
    ids: BufferRef


@dataclass(frozen=True, slots=True)
class ObjectPrompt:
    """A prompt for one object of the mesh (`object_id` as in `MeshRef.ids`). `name`: the object's,
    for a host to find it again; what paints does not read it. `loras`: as of a `RegionPrompt`."""

    object_id: int
    prompt: Prompt
    name: str = ""
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True, slots=True)
class TileImages:
    """What is already there on one UDIM tile: `base` and `lock` as in `TextureRequest`.

    `number`: 1002 or above (tile 1001 is the request's own `base` and `lock`).
    """

    number: int
    base: BufferRef
    lock: BufferRef | None = None


@dataclass(frozen=True, slots=True)
class Mirror:
    """A plane of symmetry in world space: a `point` on it (x, y, z in metres) and its `normal`
    (any length). Of an object: its origin, and one of its axes."""

    point: tuple[float, ...] = (0.0, 0.0, 0.0)
    normal: tuple[float, ...] = (1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class TextureRequest:
    """Paint a texture into the mesh's own UVs, one object from all sides.

    `views`: captured views; empty lets the daemon place `view_count` cameras and render the
    geometry itself. `size`: atlas side in texels. `view_size`: pixels a side of placed views;
    None: what the model was made for. `controls`: None is what the model wants.

    What is already there: `base`: the present texture (colour, size×size; alpha = painted).
    `lock` (mask, size×size): 255 stays bit for bit, 0 is open, between blends. With a lock the new
    paint continues what stays around it, seen from views placed before the open spots (at most
    `view_count`); open texels that no view sees are filled from the surface around them. `feather`:
    texels over which new paint fades in beside locked ones. `more_tiles`: the same for UDIM tiles
    beyond 1001. `strength`: 1 paints anew; below 1 restyles `base`. `reroll`: the number of one
    view of the run that made `base` (its `views.json`; from 0): only what that view showed best is
    painted again, so give the same views, another seed, and the result as `base`.

    `mirror`: make the texture symmetric about a plane, where the mesh is. `upscale`: 2 paints each
    view once more at twice `view_size` before it is projected, for textures finer than the views
    (for placed views, and not for open spots: those are seen closely anyway).
    `pbr`: the material's maps as well, in the same UVs.
    `unwrap`: triangles whose UVs are NaN get some, on a UDIM tile of their own; the result then
    has them (`unwrapped.npz`). A mesh whose UVs have no area at all is always unwrapped.
    `turntable`: a picture of the painted mesh from all round as well. `references`: pictures that
    every view is painted after, whose look or subject it takes over; each needs its `image`.
    """

    prompt: Prompt
    mesh: MeshRef
    model: str = STARTER_MODEL
    method: Method = Method.SYNC
    sampling: Sampling = field(default_factory=Sampling)
    controls: tuple[Control, ...] | None = None
    pattern: Pattern = field(default_factory=Pattern)
    views: tuple[View, ...] = ()
    view_count: int = 10
    view_size: int | None = None
    size: int = 1024
    base: BufferRef | None = None
    lock: BufferRef | None = None
    feather: int = 6
    more_tiles: tuple[TileImages, ...] = ()
    strength: float = 1.0
    reroll: int | None = None
    mirror: Mirror | None = None
    upscale: int = 1
    directional_prompts: bool = True
    object_prompts: tuple[ObjectPrompt, ...] = ()
    loras: tuple[Lora, ...] = ()
    pbr: Pbr | None = None
    unwrap: bool = False
    turntable: bool = False
    references: tuple[Reference, ...] = ()
