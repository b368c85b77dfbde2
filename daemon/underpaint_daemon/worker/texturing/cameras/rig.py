"""Where the cameras stand: rings and poles about an object, or inside a room.

Start: four around at +20 degrees and the two poles, then greedy: of many candidates, take the one
that adds most to how squarely the surface is seen, the sum of area × root of the best cosine. The
root, so that a place in a cleft that nothing sees yet counts for more than a squarer look at what
is seen already.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..surface.coarse import coarse
from ..surface.mesh import Mesh, face_cross, is_inside_out
from ..surface.sampling import SurfaceSamples, sample_surface
from .coverage import facing
from .placement import Direction, RigView, place
from .room import room_rig

_CANDIDATE_SIZE = 192
_SAMPLES = 20_000
_FLAT = 0.1  # of the surface, that which faces sideways

GREEDY = 6
"""From so many cameras on, the first of an object's rig are the rig of fewer cameras."""

CANONICAL = tuple(Direction(azimuth, 0.0) for azimuth in (0.0, 90.0, 180.0, 270.0))
"""Front, left, back and right, for a 2x2 grid of views."""


def standard_directions(count: int) -> list[Direction]:
    """`count` directions, front first: an upper ring, a lower ring between, top and bottom."""
    if count <= 4:
        return list(CANONICAL[:count])
    poles = 2 if count >= 6 else 0
    upper = math.ceil((count - poles) * 0.6)
    lower = count - poles - upper
    ring = [Direction(360.0 * i / upper, 20.0) for i in range(upper)]
    half = 180.0 / upper
    ring += [Direction(half + 360.0 * i / lower, -20.0) for i in range(lower)]
    return ring + [Direction(0.0, 90.0), Direction(0.0, -90.0)][:poles]


def automatic_rig(
    mesh: Mesh, count: int = 10, size: int = 512, *, square: bool = True, refine: bool = True
) -> list[RigView]:
    """`count` cameras, front first. A closed mesh whose faces point inward is a room: see inside.

    refine: the last third of the cameras is chosen by the surface that the others miss. Of what
    lies flat, few cameras see the top (or the bottom) first.
    """
    if is_inside_out(mesh):
        return room_rig(mesh, count, size)
    if not refine or count < GREEDY:
        directions = [*_poles_of_flat(mesh), *standard_directions(count)][:count]
        return [place(mesh, d, size, square=square) for d in directions]
    return greedy_rig(mesh, count, size, square=square)


def _poles_of_flat(mesh: Mesh) -> list[Direction]:
    """Top and bottom, the one that sees more first, of what lies flat: few views from the sides
    would see next to nothing of it. None for other meshes."""
    cross = face_cross(mesh)
    if float(cross[:, :2].norm(dim=1).sum()) > _FLAT * float(cross.norm(dim=1).sum()):
        return []
    poles = [Direction(0.0, 90.0), Direction(0.0, -90.0)]
    return poles if float(cross[:, 2].sum()) >= 0 else poles[::-1]


def greedy_rig(mesh: Mesh, count: int, size: int, *, square: bool = True) -> list[RigView]:
    """Six fixed directions about the object and the best further ones of 60 candidates."""
    fixed = [Direction(a, 20.0) for a in (0.0, 90.0, 180.0, 270.0)]
    fixed += [Direction(0.0, 90.0), Direction(0.0, -90.0)]
    candidates = _candidates()
    plain = coarse(mesh)
    samples = sample_surface(plain, _SAMPLES)
    best = torch.zeros(len(samples.area), device=samples.area.device)
    for direction in fixed[:count]:
        best = torch.maximum(best, _seen_from(plain, samples, direction))
    scores = [_seen_from(plain, samples, direction) for direction in candidates]
    chosen = _greedy(scores, best, samples.area, count - len(fixed))
    directions = fixed[:count] + [candidates[i] for i in chosen]
    return [place(mesh, d, size, square=square) for d in directions]


def _candidates() -> list[Direction]:
    rings = [(-50.0, 12), (-20.0, 12), (0.0, 12), (25.0, 12), (55.0, 12)]
    return [Direction(360.0 * (i + 0.5 * (e < 0)) / n, e) for e, n in rings for i in range(n)]


def _seen_from(mesh: Mesh, samples: SurfaceSamples, direction: Direction) -> Tensor:
    """(N,) the root of the cosine at which each sample is seen; 0 where it is not."""
    return facing(mesh, samples, place(mesh, direction, _CANDIDATE_SIZE).camera).sqrt()


def _greedy(scores: Sequence[Tensor], best: Tensor, area: Tensor, count: int) -> list[int]:
    """Indices of the scores that, one after another, raise sum(area * best) most."""
    table, chosen = torch.stack(list(scores)), list[int]()
    for _ in range(max(0, count)):
        index = int(((table - best).clamp(min=0) * area).sum(1).argmax())
        chosen.append(index)
        best = torch.maximum(best, table[index])
    return chosen
