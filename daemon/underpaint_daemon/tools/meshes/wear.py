"""What a painted mesh wears: for each triangle an image, and UVs where they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .layout import cell_of, tile_numbers
from .polygons import Polygons

Array = npt.NDArray[Any]
Maps = Mapping[str, Path]
"""Image files by what they are: base_color, normal, orm, roughness, metallic, …"""


@dataclass(frozen=True, slots=True)
class Wear:
    """tile (L,) int64: the job's tile of each of the file's triangles. made (L,) bool: those whose
    UVs were made; made_uv (3L, 2) float32: these, in [0, 1]², and the file's own. images: by tile.
    own: the artist's tile of each."""

    tile: Array
    made: Array
    made_uv: Array
    images: Mapping[int, Maps]
    own: Mapping[int, int] = field(default_factory=dict)

    def select(self, rows: slice) -> Wear:
        """That of some triangles."""
        corners = slice(3 * rows.start, 3 * rows.stop)
        made_uv = self.made_uv[corners]
        return Wear(self.tile[rows], self.made[rows], made_uv, self.images, self.own)

    @property
    def tiles(self) -> list[int]:
        """The tiles that are worn, ascending."""
        return [int(number) for number in np.unique(self.tile)]


def wear(
    polygons: Polygons,
    source: Array,
    uv: Array,
    bare: Array,
    images: Mapping[int, Maps],
    own: Mapping[int, int],
) -> Wear:
    """What a file's triangles wear after a job on the triangles `source` (l,) of it, with UVs
    (3l, 2); bare (l,): where they were made. Copies wear what they are copies of, and the rest
    (triangles without area) what its surface does."""
    parts = polygons.triangle_parts
    count = len(parts)
    numbers = tile_numbers(uv)
    tile, made = np.full(count, -1), np.zeros(count, bool)
    tile[source], made[source] = numbers, bare
    # In a table of one file's part all corners have UVs, or none: the others keep theirs.
    given = polygons.corner_uvs if bare.any() else None
    made_uv = np.zeros((count, 3, 2), np.float32)
    if given is not None:
        made_uv = np.nan_to_num(given, posinf=0, neginf=0).reshape(-1, 3, 2)
    cell = np.array([cell_of(int(n)) for n in numbers[bare]], np.float32).reshape(-1, 1, 2)
    made_uv[source[bare]] = uv.reshape(-1, 3, 2)[bare] - cell
    if polygons.twin is not None:
        triangle = polygons.twin[::3] // 3
        tile, made = tile[triangle], made[triangle]
        made_uv = made_uv.reshape(-1, 2)[polygons.twin]
    surface = parts[:, 1]
    for number in np.unique(surface[tile < 0]):
        there = tile[(surface == number) & (tile >= 0)]
        tile[(surface == number) & (tile < 0)] = there[0] if len(there) else numbers[0]
    return Wear(tile, made, made_uv.reshape(-1, 2), images, own)


def material_names(polygons: Polygons, worn: Wear) -> dict[tuple[int, int], str]:
    """A name for what each surface wears on each tile: the artist's, where it is one image."""
    surface = polygons.triangle_parts[:, 1]
    pairs = np.unique(np.stack([surface, worn.tile], axis=1), axis=0).tolist()
    several = {group for group, _ in pairs if sum(g == group for g, _ in pairs) > 1}
    names, taken = {}, set[str]()
    for group, tile in pairs:
        name = polygons.materials.get(group) or f"painted_{tile}"
        name = "_".join(name.split()) or f"painted_{tile}"
        own = worn.own.get(tile, tile)
        name = f"{name}_{own}" if group in several else name
        while name in taken:
            name += "_"
        taken.add(name)
        names[group, tile] = name
    return names
