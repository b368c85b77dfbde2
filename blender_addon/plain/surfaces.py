"""What a texture job paints: surfaces, each with a UV space of its own. No bpy.

A surface is what one image can hold: all faces that wear one material. When several surfaces use
the same UDIM tile for different faces, each gets tiles of its own in the job, so that one job
paints them all, in agreement; afterwards the tiles go back to where the artist has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from ..texture.request import Purpose
from .udim import FIRST_TILE, Ints, cell_of, cells, tile_numbers

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Named:
    """A data-block: `uid` finds it after a rename, `name` after another file was opened: its
    full name, with the library's where it is linked, since a local one may be called the same."""

    name: str
    uid: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A material slot of an object."""

    object: Named
    index: int


@dataclass(frozen=True, slots=True)
class Surface:
    """`material` is None where the slots have none yet. `uv_map`: empty = the one for renders.
    `tiles`: (UDIM number in the job, the artist's own)."""

    material: Named | None
    slots: tuple[Slot, ...]
    uv_map: str
    tiles: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a job's result goes. `layer`: the uid of the layer that is tried again."""

    surfaces: tuple[Surface, ...]
    purpose: Purpose = Purpose.NEW
    layer: str = ""

    @property
    def objects(self) -> tuple[Named, ...]:
        """Every object painted, once."""
        return tuple(dict.fromkeys(slot.object for s in self.surfaces for slot in s.slots))


def target_to_json(target: Target) -> str:
    """A target as text that can travel with an image."""
    return json.dumps(asdict(target), sort_keys=True)


def target_from_json(text: str) -> Target:
    """The target of `target_to_json`'s text."""
    data = json.loads(text)
    surfaces = tuple(_surface(item) for item in data["surfaces"])
    return Target(surfaces, Purpose(data["purpose"]), data["layer"])


def _surface(data: Mapping[str, object]) -> Surface:
    material, slots, tiles = data["material"], data["slots"], data["tiles"]
    assert isinstance(slots, list)
    assert isinstance(tiles, list)
    return Surface(
        Named(**material) if isinstance(material, dict) else None,
        tuple(Slot(Named(**slot["object"]), slot["index"]) for slot in slots),
        str(data["uv_map"]),
        tuple((int(job), int(own)) for job, own in tiles),
    )


def lay_out(
    uv: Floats, group: Ints, groups: int
) -> tuple[Floats, list[tuple[tuple[int, int], ...]]]:
    """UVs for the job, and each group's tiles as in `Surface.tiles`.

    `uv` (3L, 2): the artist's; `group` (L,): each triangle's surface, from 0. The UVs come back
    unchanged unless two groups share a tile.
    """
    cell = cells(uv)
    own = tile_numbers(cell)
    used = [np.flatnonzero(np.bincount(own[group == g])).tolist() for g in range(groups)]
    if len({n for tiles in used for n in tiles}) == sum(map(len, used)):
        return uv, [tuple((n, n) for n in tiles) for tiles in used]
    shift = np.zeros_like(cell)
    tiles: list[tuple[tuple[int, int], ...]] = []
    free = FIRST_TILE
    for g, numbers in enumerate(used):
        pairs = [(free + i, number) for i, number in enumerate(numbers)]
        free += len(pairs)
        for job, number in pairs:
            here = (group == g) & (own == number)
            shift[here] = cell_of(job) - cell[here]
        tiles.append(tuple(pairs))
    moved = uv + shift.repeat(3, axis=0).astype(np.float32)
    return moved, tiles


def grouped(keys: Sequence[object]) -> tuple[Ints, list[object]]:
    """Numbers from 0 in the order of first appearance, and the distinct keys."""
    order: dict[object, int] = {}
    numbers = [order.setdefault(key, len(order)) for key in keys]
    return np.array(numbers, np.int64), list(order)
