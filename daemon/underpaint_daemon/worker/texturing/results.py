"""A painted texture as files: the texture, where it is weak, where it came from, how good it is."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.requests import Method, TextureRequest

from ..job import Artifact
from ..pipelines.latents import to_image8
from ..provenance import encode_png, origin_of, recipe
from .atlas import FIRST_TILE, build_tile
from .mesh import Mesh
from .pictures import Image8, contact_sheet, fitted, heat_map, plain_png
from .project import Texture
from .quality import overlap_psnr, sharpness_ratio
from .tiers import FILLED, GUTTER
from .work import Painted, Work

_SHEET_SIDE = 2048
_SEEN = (1, 2, 3)


def artifacts_of(work: Work, painted: Painted, model: Mapping[str, str]) -> list[Artifact]:
    """The result's files; names carry the tile's number when there are several tiles."""
    request = work.request
    base, lock = _array(work, "base"), _array(work, "lock")
    images = [composed(t, base, lock) for t in painted.textures]
    quality = measure(work.mesh, painted, images)
    facts = recipe(request, seed=request.sampling.seed, index=0, model=model)
    many = len(painted.textures) > 1
    files = list[Artifact]()
    for texture, image in zip(painted.textures, images, strict=True):
        suffix = f"_{texture.number}" if many else ""
        files += _tile_files(request, texture, image, facts, suffix)
    files.append(_provenance(painted.textures))
    sheet = contact_sheet([_picture(p) for p in painted.pictures])
    files.append(Artifact("views.png", "image/png", plain_png(fitted(sheet, _SHEET_SIDE))))
    text = json.dumps(_finite(quality), indent=1, sort_keys=True).encode()
    files.append(Artifact("quality.json", "application/json", text, _finite(quality)))
    sidecar = json.dumps(facts, indent=1, sort_keys=True).encode()
    files.append(Artifact("texture.json", "application/json", sidecar))
    return files


def composed(texture: Texture, base: Image8 | None, lock: Image8 | None) -> Image8:
    """RGBA (size, size, 4) uint8: paint over the base; texels whose lock is 255 are the base's
    own bytes, between 0 and 255 they blend."""
    painted = texture.tier > 0
    colour = (np.nan_to_num(texture.color[..., :3]).clip(0, 1) * 255).round().astype(np.uint8)
    image = np.dstack([colour, np.where(painted, 255, 0).astype(np.uint8)])
    if base is None or texture.number != FIRST_TILE:
        return image
    below = base if base.shape[2] == 4 else np.dstack([base, np.full(base.shape[:2], 255, "u1")])
    image[~painted] = below[~painted]
    if lock is None:
        return image
    keep = (lock.astype(np.float32) / 255)[..., None]
    mixed = (below * keep + image * (1 - keep)).round().astype(np.uint8)
    image = np.where(lock[..., None] > 0, mixed, image)
    image[lock == 255] = below[lock == 255]
    return image


def measure(mesh: Mesh, painted: Painted, images: Sequence[Image8]) -> dict[str, Any]:
    """Coverage, agreement and sharpness of a result (definitions: `quality`)."""
    tiles = [build_tile(mesh, t.number, t.size) for t in painted.textures]
    tiers = np.concatenate(
        [
            t.tier.reshape(-1)[tile.index[tile.core].cpu().numpy()]
            for t, tile in zip(painted.textures, tiles, strict=True)
        ]
    )
    count = max(1, len(tiers))
    colours = [
        (t.number, torch.from_numpy(np.ascontiguousarray(image)).float() / 255)
        for t, image in zip(painted.textures, images, strict=True)
    ]
    views = [station.buffers for station in painted.stations]
    return {
        "views": len(views),
        "texels": len(tiers),
        "coverage_fraction": float(np.isin(tiers, _SEEN).sum() / count),
        "strict_fraction": float((tiers == 1).sum() / count),
        "filled_fraction": float((tiers == FILLED).sum() / count),
        "bare_fraction": float((tiers == 0).sum() / count),
        "overlap_psnr_db": overlap_psnr(mesh, painted.views()) if len(views) > 1 else math.nan,
        "sharpness_ratio": sharpness_ratio(mesh, colours, views, painted.pictures),
    }


def _tile_files(
    request: TextureRequest, texture: Texture, image: Image8, facts: dict[str, Any], suffix: str
) -> list[Artifact]:
    size = {
        "width": texture.size,
        "height": texture.size,
        "seed": request.sampling.seed,
        "tile": texture.number,
        "whole": request.method is not Method.SINGLE,
    }
    png = encode_png(image, facts, origin_of(request))
    weak = plain_png(heat_map(texture.tier))
    return [
        Artifact(f"texture{suffix}.png", "image/png", png, size),
        Artifact(f"heat_map{suffix}.png", "image/png", weak),
    ]


def _provenance(textures: Sequence[Texture]) -> Artifact:
    """Per texel: tier (see `tiers`), the view that weighs most, the sum of weights."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for texture in textures:
        arrays[f"tier_{texture.number}"] = texture.tier
        arrays[f"view_{texture.number}"] = texture.view
        arrays[f"weight_{texture.number}"] = texture.weight.astype(np.float16)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return Artifact("provenance.npz", "application/octet-stream", stream.getvalue())


def _array(work: Work, name: str) -> npt.NDArray[Any] | None:
    ref = getattr(work.request, name)
    return None if ref is None else work.arrays[ref.sha256]


def _picture(picture: Tensor) -> Image8:
    return to_image8(picture.permute(2, 0, 1))


def _finite(facts: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN or infinity: they become None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in facts.items()
    }


__all__ = ["GUTTER", "artifacts_of", "composed", "measure"]
