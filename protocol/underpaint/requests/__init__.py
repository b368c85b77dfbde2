"""The one request tree: everything about a job, as frozen data.

Panel, Python and command line build these same trees; a request and its seed reproduce its
result. Arrays are `BufferRef`s into a `Buffers` that travels beside the request.
"""

from __future__ import annotations

from .images import (
    HANDOFF,
    ImageRequest,
    InpaintRequest,
    Refiner,
    RegionPrompt,
    TileAxes,
    UpscaleRequest,
)
from .painting import STARTER_MODEL, Curve, Lora, Pattern, Pbr, Prompt, Sampler, Sampling, Spacing
from .textures import MeshRef, Method, Mirror, ObjectPrompt, TextureRequest, TileImages
from .views import BY_ATTENTION, Control, ControlKind, Reference, ReferenceRole, View

__all__ = [
    "BY_ATTENTION",
    "HANDOFF",
    "REQUEST_KINDS",
    "STARTER_MODEL",
    "Control",
    "ControlKind",
    "Curve",
    "ImageRequest",
    "InpaintRequest",
    "Lora",
    "MeshRef",
    "Method",
    "Mirror",
    "ObjectPrompt",
    "Pattern",
    "Pbr",
    "Prompt",
    "Reference",
    "ReferenceRole",
    "Refiner",
    "RegionPrompt",
    "Request",
    "Sampler",
    "Sampling",
    "Spacing",
    "TextureRequest",
    "TileAxes",
    "TileImages",
    "UpscaleRequest",
    "View",
]

Request = ImageRequest | InpaintRequest | UpscaleRequest | TextureRequest
REQUEST_KINDS: dict[str, type[Request]] = {
    "image": ImageRequest,
    "inpaint": InpaintRequest,
    "upscale": UpscaleRequest,
    "texture": TextureRequest,
}
