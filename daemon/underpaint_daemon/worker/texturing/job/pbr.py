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
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.requests import Pbr, TextureRequest
from underpaint.requests.parts import words_of
from underpaint_daemon.common.job_contract import Artifact
from underpaint_daemon.worker.materials.estimates import FAINTEST, Stuff, stuff_of, surface
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
from ..maps.occlusion import ambient_occlusion
from ..maps.relief import Surface, as_tensor, leaning, leaning_of, relief_of
from ..maps.tangents import texel_frames
from ..projection.gather import PaintedView
from ..projection.gutter import dilate
from ..projection.lookup import textured_view
from ..projection.project import Options, Texture, painted_view, project
from ..projection.tiers import FILLED, GENERATED, Rule
from ..surface.atlas import AtlasTile, build_tile
from ..surface.mesh import Mesh
from .painting import Inputs, Painted
from .pictures import Image8
from .results import composed_all

Array = npt.NDArray[Any]
Views = Sequence[tuple[ViewBuffers, Tensor]]
"""Geometry and picture (h, w, 3) float32 0..1 of each view."""
Images = Sequence[tuple[Texture, Image8]]
"""Provenance and RGBA of each tile."""
_SPREAD = 3.0  # heights beyond so many standard deviations are clipped
_RELIEF_DEPTH = 0.02  # of the object's diameter, from the lowest to the highest
_OCCLUSION_SIDE = 512
_HOW = {
    "base_color": "estimated: light that follows the surface's direction was divided out",
    "height": "estimated: darker is deeper, slow changes left out",
    "normal": "estimated from height, seen from the views",
    "ao": "from the mesh: sky seen from each texel",
}
_MARIGOLD = "Marigold, from the views"


@dataclass(frozen=True, slots=True)
class Estimators:
    """Marigold's pipelines, where their folders are given, and the seed of their noise."""

    intrinsics: Any = None
    normals: Any = None
    seed: int = 0

    @classmethod
    def load(cls, pbr: Pbr, seed: int, models: ModelCache) -> Estimators:
        """Raises RequestError(MODEL_MISSING or MODEL_BROKEN)."""
        found = [
            None if name is None else shared_marigold(models, name, kind)
            for name, kind in ((pbr.model, INTRINSICS), (pbr.normal_model, NORMALS))
        ]
        return cls(found[0], found[1], seed)


def pbr_artifacts(
    inputs: Inputs, painted: Painted, recipe: Mapping[str, Any], tools: Estimators
) -> list[Artifact]:
    """The map files of every tile, named like `roughness.png`, with the tile's number when there
    are several."""
    request, textures = inputs.request, painted.textures
    images = list(zip(textures, composed_all(inputs, painted), strict=True))
    views = _views(inputs, painted, images)
    stuffs = prompts_of(request)
    made = pbr_maps(
        inputs.mesh, views, images, tools, stuffs, tick=inputs.reporter.raise_if_cancelled
    )
    artifacts = list[Artifact]()
    for texture, maps in zip(textures, made, strict=True):
        suffix = f"_{texture.number}" if len(textures) > 1 else ""
        where = {"udim": texture.number}
        artifacts += map_artifacts(maps, recipe, origin_of(request), suffix=suffix, facts=where)
    return artifacts


def _views(inputs: Inputs, painted: Painted, images: Images) -> Views:
    """The views a texture was painted from, or, where it is not theirs alone (older paint,
    symmetry), the finished texture seen from all round."""
    if painted.pictures and not painted.existing and inputs.request.mirror is None:
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
    tick: Callable[[], None] | None = None,
) -> list[Maps]:
    """The maps of each tile. stuffs: what objects are made of (see `prompts_of`). tick: called
    now and then; it may raise to stop."""
    depth = 2 * mesh.radius * _RELIEF_DEPTH
    seen = _seen(views, tools, depth)
    options = Options(size=painted[0][0].size, rule=rule, anchor=None)
    projected = {t.number: t for t in project(mesh, seen.views, options, tick)}
    atlas = [build_tile(mesh, texture.number, texture.size) for texture, _ in painted]
    light = None if tools.intrinsics is not None else _light(mesh, atlas, painted)
    maps = []
    for tile, (texture, image) in zip(atlas, painted, strict=True):
        of_tile = _Tile(mesh, tile, projected[texture.number], image, stuffs, tick)
        maps.append(of_tile.maps(seen, light, depth))
    return maps


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is gathered: the channels' names and counts in their order, the views that show them,
    and how maps came about that are not estimated."""

    channels: tuple[tuple[str, int], ...]
    views: list[PaintedView]
    made: Mapping[str, str]


def _seen(views: Views, tools: Estimators, depth: float) -> _Seen:
    surfaces = [Surface.of(view, (p.shape[0], p.shape[1])) for view, p in views]
    pictures = [picture.float().cpu().numpy() for _, picture in views]
    known = [
        {} if tools.intrinsics is None else intrinsics(tools.intrinsics, _image8(p), tools.seed)
        for _, p in views
    ]
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
        channels = as_tensor(height, lean, *(value.numpy() for value in more.values()))
        result.append(painted_view(view, channels.to(view.position.device)))
    return _Seen(tuple(names), result, dict.fromkeys(by_model, _MARIGOLD))


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


@dataclass(frozen=True, slots=True)
class _Tile:
    """One tile on its way. gathered: the views' channels; image: its painted RGBA."""

    mesh: Mesh
    tile: AtlasTile
    gathered: Texture
    image: Image8
    stuffs: Mapping[int, Stuff]
    tick: Callable[[], None] | None

    def maps(self, seen: _Seen, light: Light | None, depth: float) -> Maps:
        frames = texel_frames(self.mesh, self.tile)
        given = self._channels(seen.channels)
        if light is None:
            color = given["albedo"]
        else:
            color = light.removed(self._colors(), frames.normal.cpu()).numpy()
        height = given["height"][:, 0]
        roughness, metallic = self._stuff(color, height)
        lean = torch.from_numpy(given["leaning"]).to(frames.normal)
        filled = self._tiers() >= FILLED
        # Where no view looked there is nothing to lean: relief from elsewhere would not fit.
        lean[torch.from_numpy(filled).to(lean.device)] = 0
        bent = torch.nn.functional.normalize(frames.normal + lean, dim=1)
        normal = frames.to_tangent(bent).cpu().numpy()
        guess = f"estimated: {'; '.join(sorted({s.said for s in self.stuffs.values()}))}"
        alpha = self.image[..., 3:].astype(np.float32) / 255
        return Maps(
            base_color=np.concatenate([self._whole(color), alpha], -1),
            roughness=self._whole(given.get("roughness", roughness)),
            metallic=self._whole(given.get("metallic", metallic)),
            normal=self._whole(normal),
            height=self._whole(height + 0.5),
            ao=_occlusion(self.mesh, self.tile, self.tick),
            made={**_HOW, "roughness": guess, "metallic": guess, **seen.made},
            height_range=depth,
        )

    def _channels(self, names: Sequence[tuple[str, int]]) -> dict[str, Array]:
        flat = self.gathered.color.reshape(-1, self.gathered.color.shape[2])
        texels = np.nan_to_num(flat[self.tile.index.cpu().numpy()])
        found, at = {}, 0
        for name, count in names:
            found[name] = texels[:, at : at + count]
            at += count
        return found

    def _tiers(self) -> Array:
        return np.asarray(self.gathered.tier.reshape(-1)[self.tile.index.cpu().numpy()])

    def _colors(self) -> Tensor:
        flat = np.ascontiguousarray(self.image[..., :3]).reshape(-1, 3)
        return torch.from_numpy(flat[self.tile.index.cpu().numpy()]).float() / 255

    def _stuff(self, color: Array, height: Array) -> tuple[Array, Array]:
        """Roughness and metallic (N,), object by object."""
        objects = self.tile.points.object_id.cpu().numpy()
        roughness, metallic = np.zeros(len(color), "f4"), np.zeros(len(color), "f4")
        for number in np.unique(objects):
            rows = objects == number
            stuff = self.stuffs.get(int(number), self.stuffs[0])
            found = surface(color[rows][None], height[rows][None], stuff)
            roughness[rows], metallic[rows] = found[0][0], found[1][0]
        return roughness, metallic

    def _whole(self, values: Array) -> Array:
        """Texels (N[, C]) as an image (size, size[, C]) with its gutter."""
        columns = torch.from_numpy(
            np.ascontiguousarray(values, np.float32).reshape(len(values), -1)
        )
        image = self.tile.image(columns.to(self.tile.index.device)).cpu().numpy()
        whole, _ = dilate(image, _used(self.tile))
        return whole[..., 0] if whole.shape[2] == 1 else whole


def _used(tile: AtlasTile) -> Array:
    return tile.image(torch.ones_like(tile.index, dtype=torch.uint8)).cpu().numpy() > 0


def _occlusion(mesh: Mesh, tile: AtlasTile, tick: Callable[[], None] | None) -> Array:
    """(size, size) float32; smooth, so it is worked out at 512 texels at most."""
    small = tile if tile.size <= _OCCLUSION_SIDE else build_tile(mesh, tile.number, _OCCLUSION_SIDE)
    normal = texel_frames(mesh, small).normal
    seen = ambient_occlusion(mesh, small.points.position, normal, tick=tick)
    image, _ = dilate(small.image(seen[:, None]).cpu().numpy(), _used(small))
    size = (tile.size, tile.size)
    return np.asarray(cv2.resize(image[..., 0], size, interpolation=cv2.INTER_LINEAR))
