"""What a UV map does to painting: overlaps, mirrored islands, faces without UV area, tiles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .atlas import FIRST_TILE, AtlasTile, build_tile, tile_numbers
from .mesh import Mesh, face_cross, select_triangles, uv_double_areas
from .raster import nearest, resolve, triangle_at
from .raster_tiles import NOTHING

_CHECK_SIDE = 512
_NO_AREA = 1e-12
_APART = 4.0  # texels, on the surface, between two places that one texel would paint


@dataclass(frozen=True, slots=True)
class UvReport:
    """Fractions 0..1. overlap: of the used texels, those that paint two places at once. mirrored:
    of the UV area, the part laid out mirrored. empty: of the surface, faces with no UV area.
    tiles: UDIM numbers. wrapped: of the faces, those outside every UDIM tile. crossing: of the UV
    area, what lies over the border of its tile. used: of the tiles, what is covered with UVs."""

    overlap: float
    mirrored: float
    empty: float
    tiles: tuple[int, ...]
    wrapped: float
    crossing: float = 0.0
    used: float = 1.0

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the artist; none when all is well."""
        one = self.tiles == (FIRST_TILE,)
        said = (
            (self.overlap > 1e-3, f"{self.overlap:.1%} of the texels paint two places at once "
             "(overlapping or mirrored UVs): both get what the first one gets. Make a UV map "
             "without overlaps to paint them apart."),
            (self.empty > 1e-4, f"{self.empty:.1%} of the surface has no area in the UV map and "
             "cannot be painted. Unwrap those faces."),
            (self.wrapped > 0 and one, f"{self.wrapped:.1%} of the faces have UVs outside the "
             "square from 0 to 1: they wear what it repeats there."),
            (self.wrapped > 0 and not one, f"{self.wrapped:.1%} of the faces have UVs outside the "
             "UDIM tiles; they repeat the first tile."),
            (self.crossing > 0.01, f"{self.crossing:.0%} of the UV map lies over the borders of "
             "its tile: there the paint repeats what is at the other side. Scale the UVs into the "
             "tile to paint it apart."),
            (self.used < 0.02, f"The UV map covers only {self.used:.2%} of its tile: next to no "
             "texels are left for the surface. Scale the UVs up to fill the tile, or remove the UV "
             "map to have one made."),
        )  # fmt: skip
        return tuple(text for holds, text in said if holds)


def check_uvs(mesh: Mesh, side: int = _CHECK_SIDE) -> UvReport:
    """Measure a mesh's UV map; `side`: texels a tile at which overlaps are looked for."""
    numbers = tile_numbers(mesh)
    areas = uv_double_areas(mesh)
    world = face_cross(mesh).norm(dim=1)
    used, twice = 0, 0
    present = torch.unique(numbers)
    for number in present:
        tile_used, tile_twice = _overlap(select_triangles(mesh, numbers == number), side)
        used, twice = used + tile_used, twice + tile_twice
    mirrored = float(areas.clamp(max=0).abs().sum() / areas.abs().sum().clamp(min=1e-30))
    cell = mesh.uv.reshape(-1, 3, 2).mean(1).floor()
    outside = (cell < 0).any(1) | (cell[:, 0] > 9) | (cell[:, 1] > 99)
    return UvReport(
        twice / max(1, used),
        min(mirrored, 1 - mirrored),
        float(world[areas.abs() <= _NO_AREA].sum() / world.sum()),
        tuple(int(number) for number in present),
        float(outside.double().mean()),
        _crossing(mesh, areas.abs()),
        used / (side * side * len(present)),
    )


def _crossing(mesh: Mesh, areas: Tensor) -> float:
    """Of the UV area, what lies outside its triangles' own tiles (by their bounds)."""
    uv = mesh.uv.double().reshape(-1, 3, 2)
    at = uv - uv.mean(1, keepdim=True).floor()
    low, high = at.amin(1), at.amax(1)
    inside = (high.clamp(max=1) - low.clamp(min=0)) / (high - low).clamp(min=1e-12)
    return float((areas * (1 - inside.prod(1))).sum() / areas.sum().clamp(min=1e-30))


def contested(mesh: Mesh, tile: AtlasTile) -> Tensor:
    """(N,) bool: texels of a tile that two triangles claim for places far apart."""
    order = mesh.faces.flip(0).reshape(-1)
    turned = replace(
        mesh,
        position=mesh.position[order],
        normal=mesh.normal[order],
        uv=mesh.uv[order],
        ids=mesh.ids[order],
    )
    other = build_tile(turned, tile.number, tile.size)
    apart = (other.points.position - tile.points.position).norm(dim=1)
    claimed: Tensor = apart > _APART * torch.maximum(tile.pitch, other.pitch)
    return claimed


def _overlap(mesh: Mesh, side: int) -> tuple[int, int]:
    """Texels used, and those that two triangles claim for places far apart."""
    uv = mesh.uv.double()
    at = (uv - uv.reshape(-1, 3, 2).mean(1).floor().repeat_interleave(3, 0)) * 2 - 1
    clip = torch.cat((at, torch.zeros_like(at[:, :1]), torch.ones_like(at[:, :1])), 1)
    first, last = (nearest(clip, f, (side, side)) for f in (mesh.faces, mesh.faces.flip(0)))
    below, above = triangle_at(first), mesh.triangles - 1 - triangle_at(last)
    # The triangle that is both the first and the last one of a texel is alone there.
    twice = (below >= 0) & (below != above)
    a = _places(mesh, clip, mesh.faces, first, twice, side)
    b = _places(mesh, clip, mesh.faces.flip(0), last, twice, side)
    pitch = (face_cross(mesh).norm(dim=1) / uv_double_areas(mesh).abs().clamp(min=1e-20)).sqrt()
    limit = _APART * pitch[below[twice]].float() / side
    return int((below >= 0).sum()), int(((a - b).norm(dim=1) > limit).sum())


def _places(
    mesh: Mesh, clip: Tensor, faces: Tensor, keys: Tensor, wanted: Tensor, side: int
) -> Tensor:
    """(P, 3): where on the surface the wanted texels lie."""
    seen = resolve(clip, faces, torch.where(wanted, keys, NOTHING), (side, side))
    corners = faces[seen.triangle.reshape(-1)[wanted]]
    weights = seen.barycentric.reshape(-1, 3)[wanted]
    return torch.einsum("pk,pkc->pc", weights, mesh.position[corners])
