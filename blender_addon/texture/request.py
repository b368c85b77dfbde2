"""The Texture panel's settings to requests and back. No bpy: panel, scripts and tests share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from underpaint.buffers import BufferRef
from underpaint.files.viewfile import SceneObject
from underpaint.requests import (
    MeshRef,
    Method,
    Mirror,
    ObjectPrompt,
    Pbr,
    Prompt,
    TextureRequest,
    TileImages,
    View,
)

from ..plain.painting_settings import PaintingSettings, asked, asked_by
from ..plain.udim import FIRST_TILE

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(TextureRequest)}


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
class TextureSettings(PaintingSettings):
    """What the Texture tab asks for; ranges as in `TextureRequest`. `strength`: of a restyle."""

    method: Method = Method.SYNC
    view_count: int = _DEFAULTS["view_count"]
    view_size: int | None = None
    size: int = _DEFAULTS["size"]
    directional_prompts: bool = True
    upscale: int = 1
    pbr: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What a request takes from the scene: captured `views`, `object_prompts` (by object id, those
    with words or LoRAs of their own), `mirror`: the plane that the texture is symmetric about."""

    views: tuple[View, ...] = ()
    object_prompts: Mapping[int, SceneObject] = field(default_factory=dict)
    mirror: Mirror | None = None


@dataclass(frozen=True, slots=True)
class Existing:
    """What a tile holds already: `base` and `lock` as in `TextureRequest`."""

    base: BufferRef
    lock: BufferRef | None = None


def texture_request(
    settings: TextureSettings,
    mesh: MeshRef,
    scene: Scene | None = None,
    existing: Mapping[int, Existing] | None = None,
    *,
    restyle: bool = False,
) -> TextureRequest:
    """The request of these settings over a mesh. `existing`: by UDIM number, to go on from."""
    scene, there = scene or Scene(), dict(existing or {})
    first = there.pop(FIRST_TILE, None)
    return TextureRequest(
        **asked(settings),
        mesh=mesh,
        method=settings.method,
        views=scene.views,
        view_count=settings.view_count,
        view_size=settings.view_size,
        size=settings.size,
        base=first.base if first else None,
        lock=first.lock if first else None,
        more_tiles=tuple(TileImages(n, p.base, p.lock) for n, p in sorted(there.items())),
        strength=settings.strength if restyle else 1.0,
        directional_prompts=settings.directional_prompts,
        object_prompts=tuple(
            ObjectPrompt(number, Prompt(one.prompt, settings.negative), one.name, one.loras)
            for number, one in sorted(scene.object_prompts.items())
        ),
        mirror=scene.mirror,
        upscale=settings.upscale,
        pbr=Pbr() if settings.pbr else None,
    )


def texture_settings_of(request: TextureRequest) -> TextureSettings:
    """The panel settings that make this request again on the present mesh."""
    return TextureSettings(
        **asked_by(request),
        method=request.method,
        view_count=request.view_count,
        view_size=request.view_size,
        size=request.size,
        directional_prompts=request.directional_prompts,
        upscale=request.upscale,
        pbr=request.pbr is not None,
        strength=request.strength if request.strength < 1 else PaintingSettings().strength,
    )
