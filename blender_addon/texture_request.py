"""The Texture panel's settings to requests and back. No bpy: panel, scripts and tests share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from underpaint.buffers import BufferRef
from underpaint.requests import (
    STARTER_MODEL,
    MeshRef,
    Method,
    Mirror,
    ObjectPrompt,
    Pbr,
    Prompt,
    Sampler,
    Sampling,
    TextureRequest,
    TileImages,
    View,
)

from .request_builder import tidy

_DEFAULT = Sampling()
_FIRST_TILE = 1001
STRENGTH = 0.6
"""Of a restyle, unless the artist says otherwise."""
_FIELDS: Any = TextureRequest.__dataclass_fields__
DEFAULT_VIEWS: int = _FIELDS["view_count"].default
DEFAULT_VIEW_SIZE: int = _FIELDS["view_size"].default
DEFAULT_SIZE: int = _FIELDS["size"].default


class Purpose(StrEnum):
    """What a painting is for, once it is there."""

    NEW = "new"
    """A new layer on top."""
    REROLL = "reroll"
    """Another try at a layer: shown beside the old one until the artist decides."""
    REPAINT = "repaint"
    """A new layer on top, only where the mask is white."""
    RESTYLE = "restyle"
    """A new layer on top, painted over what is there."""


@dataclass(frozen=True, slots=True)
class TextureSettings:
    """What the panel asks for; ranges as in `TextureRequest`. `strength`: of a restyle."""

    prompt: str = ""
    negative: str = ""
    model: str = STARTER_MODEL
    method: Method = Method.SYNC
    view_count: int = DEFAULT_VIEWS
    view_size: int = DEFAULT_VIEW_SIZE
    size: int = DEFAULT_SIZE
    steps: int = _DEFAULT.steps
    guidance: float = _DEFAULT.guidance
    sampler: Sampler = _DEFAULT.sampler
    seed: int = 0
    directional_prompts: bool = True
    upscale: int = 1
    pbr: bool = False
    strength: float = STRENGTH


@dataclass(frozen=True, slots=True)
class Scene:
    """What a request takes from the scene: captured `views`, `object_prompts` (object id to its
    own words), `mirror`: the plane that the texture is symmetric about."""

    views: tuple[View, ...] = ()
    object_prompts: Mapping[int, str] = field(default_factory=dict)
    mirror: Mirror | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """What a tile holds already: `base` and `lock` as in `TextureRequest`."""

    base: BufferRef
    lock: BufferRef | None = None


def texture_request(
    settings: TextureSettings,
    mesh: MeshRef,
    scene: Scene | None = None,
    present: Mapping[int, Present] | None = None,
    *,
    restyle: bool = False,
) -> TextureRequest:
    """The request of these settings over a mesh. `present`: by UDIM number, to go on from."""
    scene, there = scene or Scene(), dict(present or {})
    first = there.pop(_FIRST_TILE, None)
    return TextureRequest(
        prompt=Prompt(settings.prompt, settings.negative),
        mesh=mesh,
        model=settings.model or STARTER_MODEL,
        method=settings.method,
        sampling=Sampling(settings.sampler, settings.steps, tidy(settings.guidance), settings.seed),
        views=scene.views,
        view_count=settings.view_count,
        view_size=settings.view_size,
        size=settings.size,
        base=first.base if first else None,
        lock=first.lock if first else None,
        more_tiles=tuple(TileImages(n, p.base, p.lock) for n, p in sorted(there.items())),
        strength=tidy(settings.strength) if restyle else 1.0,
        directional_prompts=settings.directional_prompts,
        object_prompts=tuple(
            ObjectPrompt(number, Prompt(text, settings.negative))
            for number, text in sorted(scene.object_prompts.items())
        ),
        mirror=scene.mirror,
        upscale=settings.upscale,
        pbr=Pbr() if settings.pbr else None,
    )


def texture_settings_of(request: TextureRequest) -> TextureSettings:
    """The panel settings that make this request again on the present mesh."""
    sampling = request.sampling
    return TextureSettings(
        prompt=request.prompt.text,
        negative=request.prompt.negative,
        model=request.model,
        method=request.method,
        view_count=request.view_count,
        view_size=request.view_size,
        size=request.size,
        steps=sampling.steps,
        guidance=sampling.guidance,
        sampler=sampling.sampler,
        seed=sampling.seed,
        directional_prompts=request.directional_prompts,
        upscale=request.upscale,
        pbr=request.pbr is not None,
        strength=request.strength if request.strength < 1 else STRENGTH,
    )
