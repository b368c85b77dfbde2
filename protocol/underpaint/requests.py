"""The one request tree: everything about a job, as frozen data.

Panel, Python and command line build these same trees; a request and its seed reproduce its
result. Arrays are `BufferRef`s into a `Buffers` that travels beside the request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .buffers import BufferRef
from .cameras import Camera

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
    """How a sampler's steps lie in the noise schedule (diffusers' `timestep_spacing`)."""

    LEADING = "leading"
    TRAILING = "trailing"
    LINSPACE = "linspace"


class ControlKind(StrEnum):
    """What a ControlNet is conditioned on.

    Depth, normals and object ids come exact from the scene, and the guide (where on its surface
    each pixel lies, see `Pattern`) follows from them; lines are drawn from its form where depth or
    normals are known, else found in its colours. A pose and straight lines (mlsd) are given as an
    image; tile and inpaint take the picture itself.
    """

    DEPTH = "depth"
    NORMAL = "normal"
    CANNY = "canny"
    LINEART = "lineart"
    SOFTEDGE = "softedge"
    SCRIBBLE = "scribble"
    SEGMENT = "segment"
    TILE = "tile"
    INPAINT = "inpaint"
    OPENPOSE = "openpose"
    MLSD = "mlsd"
    SHUFFLE = "shuffle"
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class View:
    """A captured view: a camera and buffers of the evaluated scene (conventions: `Kind`)."""

    camera: Camera
    depth: BufferRef | None = None
    normal: BufferRef | None = None
    color: BufferRef | None = None
    object_id: BufferRef | None = None
    position: BufferRef | None = None
    uv: BufferRef | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """One ControlNet (or T2I-Adapter).

    `scale`: conditioning scale, 0–2. `start`, `end`: the part of the denoising steps in which it
    acts, 0–1. `image`: the control image (colour) when it does not come from the view.
    `model`: its folder or .safetensors file (a full path), or the name of one among the models;
    None takes the model's own. `convention`: how it reads normals (opengl, bae, midas, directx),
    depth (inverse, linear) or holes (minus_one, black); None finds out. `depth_range`: metres from
    white to black, the same for a series of pictures; None looks at this one.
    """

    kind: ControlKind
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0
    image: BufferRef | None = None
    model: str | None = None
    convention: str | None = None
    depth_range: tuple[float, float] | None = None


class ReferenceRole(StrEnum):
    """What a reference picture is there for."""

    STYLE = "style"
    SUBJECT = "subject"
    DEPTH = "depth"
    NORMAL = "normal"
    COLOR = "color"
    SKETCH = "sketch"


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that the model reads beside the words, in the order of the request.

    Models that edit read several, of any role; Stable Diffusion 1.5 and XL read one of style or
    subject through an IP-Adapter, by `scale` (0–1; the others take a picture whole). `image`: None
    takes depth, normal and color from the view.
    """

    role: ReferenceRole = ReferenceRole.STYLE
    image: BufferRef | None = None
    scale: float = 0.6


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA file (.safetensors) or the name of one of the model's own, and its weight (-2–2)."""

    path: str
    weight: float = 1.0


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


@dataclass(frozen=True, slots=True)
class Pattern:
    """How patterns lie on surfaces, for models that follow a guide.

    `size`: metres of one pattern unit, about a course of bricks, > 0; None: by the extent of what
    is painted. Of a repeating image without a view: of the image, which is one metre a side; it
    is rounded so that whole courses fit. `seed` moves the pattern. `own_uv`: lay it out by the
    mesh's own UVs, one UV unit being one metre, in place of projecting it along the axes.
    """

    size: float | None = None
    seed: int = 0
    own_uv: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to paint, and what to keep away from."""

    text: str = ""
    negative: str = ""


class TileAxes(StrEnum):
    """Along which axes an image is to repeat without a seam: x is left to right."""

    OFF = "off"
    X = "x"
    Y = "y"
    XY = "xy"


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


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """Paint an image of a view: text-to-image, or image-to-image when `init` is given.

    `width`, `height`: pixels, 64 and above, multiples of 8 along axes that `tile` repeats; None: as
    many as the model was made for, in the proportions of the view or of `init`. `controls`: None
    is what the model wants for a view; an empty tuple is none. `strength`: denoising strength of
    image-to-image,
    0–1 (0 keeps `init`, 1 ignores it). `batch`: images, seeds count up from `sampling.seed`.
    `tile`: axes along which the image repeats without a seam; with both, a preview on a plane and
    a ball comes with it. `pbr`: the material's maps as well.
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


@dataclass(frozen=True, slots=True)
class InpaintRequest:
    """Repaint the masked spot of `image`; every pixel whose mask is 0 comes back unchanged.

    `mask`: 255 = repaint, 0 = keep, between = blend. `feather`: pixels over which the new paint
    fades in, inside the mask. `padding`: None works on the whole image; a number crops to the
    mask plus so many pixels and works there at full resolution. `controls`: None is what the
    model wants for a view.
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
    """A prompt for one object of the mesh (`object_id` as in `MeshRef.ids`)."""

    object_id: int
    prompt: Prompt


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
    `turntable`: a picture of the painted mesh from all round as well.
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


Request = ImageRequest | InpaintRequest | TextureRequest
REQUEST_KINDS: dict[str, type[ImageRequest] | type[InpaintRequest] | type[TextureRequest]] = {
    "image": ImageRequest,
    "inpaint": InpaintRequest,
    "texture": TextureRequest,
}
