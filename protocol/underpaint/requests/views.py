"""What a request shows the model beside words: views of the scene, ControlNets, references."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..buffers import BufferRef
from ..cameras import Camera


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

    Models that edit read several, of any role; Stable Diffusion 1.5, 2 and XL and what is of their
    make read those of style or subject, one through an IP-Adapter and the others by their own
    attention, by `scale` (0–1; the others take a picture whole). `image`: None takes depth, normal
    and color from the view. `model`: the IP-Adapter's .safetensors file or folder (a full path), or
    the name of one among the models; `BY_ATTENTION`: none, the model looks at the picture itself;
    None takes the model's own, or one among the models that fits, or else its attention.

    `start`, `end`: the part of the denoising steps in which it acts, 0–1. `fidelity`: with
    guidance, how far the unprompted half goes without it, 0–1: 1 keeps closest to the picture.
    """

    role: ReferenceRole = ReferenceRole.STYLE
    image: BufferRef | None = None
    scale: float = 0.6
    model: str | None = None
    start: float = 0.0
    end: float = 1.0
    fidelity: float = 0.5


BY_ATTENTION = "attention"
"""In an IP-Adapter's place: the model's own attention."""
