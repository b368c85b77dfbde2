"""A painted texture as files: the texture, where it is weak, where it came from, how good it is."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.requests import Method, TextureRequest
from underpaint_daemon.common.job_contract import Artifact
from underpaint_daemon.worker.pipelines.latents import to_image8
from underpaint_daemon.worker.provenance import encode_png, origin_of, recipe

from ..projection.gutter import renewed
from ..projection.project import Texture
from ..projection.quality import overlap_psnr, sharpness_ratio
from ..projection.tiers import BESIDE, FILLED, GUTTER, KEPT
from ..surface.atlas import build_tile
from ..surface.mesh import Mesh
from .existing import ExistingTile, new_paint
from .painting import Inputs, Painted
from .pictures import Image8, contact_sheet, fitted, heat_map, plain_png
from .remarks import remarks
from .saving import MEASURED, TURNED, WRITTEN, Saving
from .turntable import turntable

_SHEET_SIDE = 2048
_FEW_TRIANGLES = 1000
_SEEN = (1, 2, 3)


def artifacts_of(
    inputs: Inputs, painted: Painted, model: Mapping[str, Any], saving: Saving
) -> list[Artifact]:
    """The result's files; names carry the tile's number when there are several tiles.

    Raises JobCancelled.
    """
    request = inputs.request
    images = composed_all(inputs, painted)
    quality = {**measure(inputs.mesh, painted, images), **uv_measures(inputs)}
    saving.tick(MEASURED)
    # One view, or a spot, is not meant to cover all.
    whole = request.method is not Method.SINGLE and not painted.existing.locked
    quality["remarks"] = said = remarks(quality, covering=whole, uv=inputs.uv)
    for sentence in said:
        inputs.reporter.warn(sentence)
    facts = recipe(request, seed=request.sampling.seed, index=0, model=model)
    many = len(painted.textures) > 1
    files = list[Artifact]()
    for texture, image in zip(painted.textures, images, strict=True):
        suffix = f"_{texture.number}" if many else ""
        files += _tile_files(request, texture, image, facts, suffix)
        saving.tick_texels(WRITTEN)
    files.append(_provenance(painted.textures))
    files += _views(painted)
    files += _asked_for(inputs, painted, images, saving)
    text = json.dumps(_finite(quality), indent=1, sort_keys=True).encode()
    files.append(Artifact("quality.json", "application/json", text, _finite(quality)))
    sidecar = json.dumps(facts, indent=1, sort_keys=True).encode()
    files.append(Artifact("texture.json", "application/json", sidecar))
    return files


def uv_measures(inputs: Inputs) -> dict[str, Any]:
    """Of a UV map that was made here: its charts, their share of the triangles, its stretch."""
    received = inputs.received
    if received is None or received.made is None:
        return {}
    made, triangles = received.made, int(received.bare.sum())
    known = {"uv_charts": made.charts, "uv_stretch": made.stretch}
    if triangles < _FEW_TRIANGLES:  # of a box every side is a chart
        return known
    return {**known, "uv_charts_per_triangle_ratio": made.charts / triangles}


def _asked_for(
    inputs: Inputs, painted: Painted, images: Sequence[Image8], saving: Saving
) -> list[Artifact]:
    """The turntable, and the UVs that were made: `uv` (3L, 2) of the request's triangles, NaN
    where a triangle was left out."""
    files = list[Artifact]()
    if inputs.request.turntable:
        device = inputs.mesh.position.device
        tiles = [
            (t.number, torch.from_numpy(np.ascontiguousarray(image)).to(device).float() / 255)
            for t, image in zip(painted.textures, images, strict=True)
        ]
        files.append(
            Artifact("turntable.png", "image/png", plain_png(turntable(inputs.mesh, tiles)))
        )
        saving.tick(TURNED)
    received = inputs.received
    if received is not None and received.made is not None:
        given = inputs.request.mesh.position.shape[0] // 3
        uv = np.full((given, 3, 2), np.nan, np.float32)
        uv[received.source] = received.mesh.uv.numpy().reshape(-1, 3, 2)
        stream = io.BytesIO()
        np.savez_compressed(stream, uv=uv.reshape(-1, 2))
        files.append(Artifact("unwrapped.npz", "application/octet-stream", stream.getvalue()))
    return files


def composed_all(inputs: Inputs, painted: Painted) -> list[Image8]:
    """The tiles' images; new paint fades in beside what stays."""
    if not painted.existing:
        return [composed(texture) for texture in painted.textures]
    weights = new_paint(painted.existing, inputs.atlas(), inputs.request.feather)
    return [
        composed(texture, painted.existing.tile(texture.number), weights[texture.number])
        for texture in painted.textures
    ]


def composed(
    texture: Texture,
    existing: ExistingTile | None = None,
    weight: npt.NDArray[np.float32] | None = None,
) -> Image8:
    """RGBA (size, size, 4) uint8: new paint over what was there, by weight (size, size) 0..1;
    texels of weight 0, and those that were not painted, are the base's own bytes."""
    painted = (texture.tier > 0) & (texture.tier != KEPT)
    image = _bytes(texture.color, painted)
    if existing is None or weight is None:
        return image
    below = existing.base
    # What was bare has no colour to fade from.
    share = np.where(below[..., 3] == 0, weight > 0, weight)[..., None]
    mixed = (below * (1 - share) + image * share).round().astype(np.uint8)
    changed = painted[..., None] & (share > 0)
    mixed = np.where(changed, mixed, below)
    return np.where(changed, renewed(mixed, texture.tier), mixed)


def _bytes(color: npt.NDArray[Any], painted: npt.NDArray[np.bool_]) -> Image8:
    colour = (np.nan_to_num(color[..., :3]).clip(0, 1) * 255).round().astype(np.uint8)
    return np.dstack([colour, np.where(painted, 255, 0).astype(np.uint8)])


def measure(mesh: Mesh, painted: Painted, images: Sequence[Image8]) -> dict[str, Any]:
    """Coverage, agreement and sharpness of a result (definitions: `quality`); of the texels, those
    that were to be painted count."""
    tiles = [build_tile(mesh, t.number, t.size) for t in painted.textures]
    tiers = np.concatenate(
        [
            t.tier.reshape(-1)[tile.index[tile.core].cpu().numpy()]
            for t, tile in zip(painted.textures, tiles, strict=True)
        ]
    )
    tiers = tiers[tiers != KEPT]
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
        "beside_fraction": float((tiers == BESIDE).sum() / count),
        "filled_fraction": float((tiers == FILLED).sum() / count),
        "bare_fraction": float((tiers == 0).sum() / count),
        "overlap_psnr_db": overlap_psnr(mesh, painted.views()) if len(views) > 1 else math.nan,
        # Of a spot the rest of the views would be measured: old paint against itself.
        "sharpness_ratio": math.nan
        if painted.existing.locked
        else sharpness_ratio(mesh, colours, views, painted.pictures),
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


def _views(painted: Painted) -> list[Artifact]:
    """What each view painted, in the order of their numbers, and their cameras."""
    cameras = [
        {"number": i, "word": station.word, "camera": asdict(station.buffers.camera)}
        for i, station in enumerate(painted.stations)
    ]
    text = json.dumps({"views": cameras}, indent=1).encode()
    files = [Artifact("views.json", "application/json", text)]
    if painted.pictures:
        sheet = contact_sheet([_picture(p) for p in painted.pictures])
        files.append(Artifact("views.png", "image/png", plain_png(fitted(sheet, _SHEET_SIDE))))
    return files


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


def _picture(picture: Tensor) -> Image8:
    return to_image8(picture.permute(2, 0, 1))


def _finite(facts: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN or infinity: they become None."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in facts.items()
    }


__all__ = ["GUTTER", "artifacts_of", "composed", "measure"]
