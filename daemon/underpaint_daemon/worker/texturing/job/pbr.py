"""PBR maps of a painted mesh, in its own UVs.

Views say what a texture cannot: fine relief, and, where Marigold's models are given, albedo,
roughness, metal and normals. They are gathered by the same code as colour. Light is taken out of
the colours by the mesh's normals, and ambient occlusion comes from the mesh alone. Normals are
carried as what they add to the mesh's own, so that a surface without relief is flat to the bit,
and turned into tangent space texel by texel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.requests import Pbr, TextureRequest
from underpaint.requests.parts import words_of
from underpaint_daemon.common.job_contract import Artifact
from underpaint_daemon.worker.materials.estimates import FAINTEST, Stuff, stuff_of
from underpaint_daemon.worker.materials.maps import Maps, map_artifacts
from underpaint_daemon.worker.materials.marigold import (
    INTRINSICS,
    NORMALS,
    intrinsics,
    normals,
    shared_marigold,
)
from underpaint_daemon.worker.pipelines.latents import to_image8
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.provenance import origin_of

from ..cameras.render import ViewBuffers, render_view
from ..cameras.rig import automatic_rig
from ..maps.delight import Light, fit_light
from ..maps.relief import Surface, as_tensor, leaning, leaning_of, relief_of
from ..maps.tangents import texel_frames
from ..projection.gather import PaintedView
from ..projection.lookup import textured_view
from ..projection.project import Options, Texture, painted_view, project
from ..projection.tiers import FILLED, GENERATED, Rule
from ..surface.atlas import AtlasTile, build_tile
from ..surface.mesh import Mesh
from .painting import Inputs, Painted
from .pbr_tile import MappedTile, Seen
from .pictures import Image8
from .results import composed_all
from .saving import ESTIMATED, GATHERED, MAPPED, Saving

Array = npt.NDArray[Any]
Views = Sequence[tuple[ViewBuffers, Tensor]]
"""Geometry and picture (h, w, 3) float32 0..1 of each view."""
Images = Sequence[tuple[Texture, Image8]]
"""Provenance and RGBA of each tile."""
_SPREAD = 3.0  # heights beyond so many standard deviations are clipped
_RELIEF_DEPTH = 0.02  # of the object's diameter, from the lowest to the highest
_MARIGOLD = "Marigold, from the views"


@dataclass(frozen=True, slots=True)
class Estimators:
    """Marigold's pipelines, where their folders are given, and the seed of their noise."""

    intrinsics: Any = None
    normals: Any = None
    seed: int = 0

    @property
    def models(self) -> int:
        """How many there are."""
        return sum(one is not None for one in (self.intrinsics, self.normals))

    @classmethod
    def load(cls, pbr: Pbr, seed: int, models: ModelCache) -> Estimators:
        """Raises RequestError(MODEL_MISSING or MODEL_BROKEN)."""
        found = [
            None if name is None else shared_marigold(models, name, kind)
            for name, kind in ((pbr.model, INTRINSICS), (pbr.normal_model, NORMALS))
        ]
        return cls(found[0], found[1], seed)


def pbr_artifacts(
    inputs: Inputs,
    painted: Painted,
    recipe: Mapping[str, Any],
    tools: Estimators,
    saving: Saving,
) -> list[Artifact]:
    """The map files of every tile, named like `roughness.png`, with the tile's number when there
    are several.

    Raises JobCancelled.
    """
    request, textures = inputs.request, painted.textures
    images = list(zip(textures, composed_all(inputs, painted), strict=True))
    views = _views(inputs, painted, images)
    stuffs = prompts_of(request)
    made = pbr_maps(inputs.mesh, views, images, tools, stuffs, saving=saving)
    artifacts = list[Artifact]()
    for texture, maps in zip(textures, made, strict=True):
        suffix = f"_{texture.number}" if len(textures) > 1 else ""
        where = {"udim": texture.number}
        artifacts += map_artifacts(
            maps,
            recipe,
            origin_of(request),
            suffix=suffix,
            facts=where,
            tick=partial(saving.tick_texels, MAPPED),
        )
    return artifacts


def view_count(inputs: Inputs, painted: Painted) -> int:
    """From how many views maps are made."""
    own = _by_its_views(inputs, painted)
    return len(painted.stations) if own else inputs.request.view_count


def _by_its_views(inputs: Inputs, painted: Painted) -> bool:
    """Whether a texture is that of its views alone."""
    whole = bool(painted.pictures) and not painted.existing
    return whole and inputs.request.mirror is None


def _views(inputs: Inputs, painted: Painted, images: Images) -> Views:
    """The views a texture was painted from, or, where it is not theirs alone (older paint,
    symmetry), the finished texture seen from all round."""
    if _by_its_views(inputs, painted):
        buffers = [station.buffers for station in painted.stations]
        return list(zip(buffers, painted.pictures, strict=True))
    device = inputs.mesh.position.device
    tiles = [(t.number, torch.from_numpy(i).to(device).float() / 255) for t, i in images]
    rig = automatic_rig(inputs.mesh, inputs.request.view_count, inputs.side)
    seen = [render_view(inputs.mesh, view.camera) for view in rig]
    return [(view, textured_view(inputs.mesh, view, tiles)[..., :3]) for view in seen]


def prompts_of(request: TextureRequest) -> Mapping[int, Stuff]:
    """What each object is made of, by its id; 0 for all others."""
    whole = request.prompt
    own = {
        item.object_id: stuff_of(words_of(item.prompt, whole).text)
        for item in request.object_prompts
    }
    return {0: stuff_of(whole.text), **own}


def pbr_maps(
    mesh: Mesh,
    views: Views,
    painted: Images,
    tools: Estimators,
    stuffs: Mapping[int, Stuff],
    rule: Rule = GENERATED,
    saving: Saving | None = None,
) -> list[Maps]:
    """The maps of each tile. stuffs: what objects are made of (see `prompts_of`). saving: hears
    how far it is. Raises JobCancelled."""
    tick = (lambda _units: None) if saving is None else saving.tick
    gathered = None if saving is None else partial(saving.tick_texels, GATHERED)
    depth = 2 * mesh.radius * _RELIEF_DEPTH
    seen = _seen(views, tools, depth, tick)
    options = Options(size=painted[0][0].size, rule=rule, anchor=None)
    projected = {t.number: t for t in project(mesh, seen.views, options, gathered)}
    atlas = [build_tile(mesh, texture.number, texture.size) for texture, _ in painted]
    light = None if tools.intrinsics is not None else _light(mesh, atlas, painted)
    maps = []
    for tile, (texture, image) in zip(atlas, painted, strict=True):
        of_tile = MappedTile(mesh, tile, projected[texture.number], image, stuffs, tick)
        maps.append(of_tile.maps(seen, light, depth))
    return maps


def _seen(views: Views, tools: Estimators, depth: float, tick: Callable[[int], None]) -> Seen:
    surfaces = [Surface.of(view, (p.shape[0], p.shape[1])) for view, p in views]
    pictures = [picture.float().cpu().numpy() for _, picture in views]
    known: list[dict[str, Tensor]] = [{} for _ in views]
    if tools.intrinsics is not None:
        for (_, p), found in zip(views, known, strict=True):
            found.update(intrinsics(tools.intrinsics, _image8(p), tools.seed))
            tick(ESTIMATED)
    colors = [k["albedo"].numpy() if k else p for k, p in zip(known, pictures, strict=True)]
    reliefs = [relief_of(c, s) for c, s in zip(colors, surfaces, strict=True)]
    on = [relief[shape.mask] for relief, shape in zip(reliefs, surfaces, strict=True)]
    spread = max(FAINTEST, _SPREAD * float(np.concatenate(on).std()))
    result = list[PaintedView]()
    names = [("height", 1), ("leaning", 3), *((k, 3 if k == "albedo" else 1) for k in known[0])]
    by_model = {"base_color" if name == "albedo" else name for name in known[0]}
    by_model |= {"normal"} if tools.normals is not None else set()
    for (view, picture), shape, relief, more in zip(views, surfaces, reliefs, known, strict=True):
        height = (relief / (2 * spread)).clip(-0.5, 0.5)
        if tools.normals is None:
            lean = leaning(height * depth, shape)
        else:
            lean = leaning_of(normals(tools.normals, _image8(picture), tools.seed), view, shape)
            tick(ESTIMATED)
        channels = as_tensor(height, lean, *(value.numpy() for value in more.values()))
        result.append(painted_view(view, channels.to(view.position.device)))
    return Seen(tuple(names), result, dict.fromkeys(by_model, _MARIGOLD))


def _image8(picture: Tensor) -> Image8:
    return to_image8(picture.permute(2, 0, 1))


def _light(mesh: Mesh, atlas: Sequence[AtlasTile], painted: Images) -> Light:
    """The light painted into all tiles together."""
    colors, directions = [], []
    for tile, (texture, image) in zip(atlas, painted, strict=True):
        flat = torch.from_numpy(np.ascontiguousarray(image)).reshape(-1, 4)[tile.index.cpu()]
        tier = torch.from_numpy(texture.tier).reshape(-1)[tile.index.cpu()]
        rows = tile.core.cpu() & (tier > 0) & (tier < FILLED)
        colors.append(flat[rows, :3].float() / 255)
        directions.append(texel_frames(mesh, tile).normal.cpu()[rows])
    return fit_light(torch.cat(colors), torch.cat(directions))
