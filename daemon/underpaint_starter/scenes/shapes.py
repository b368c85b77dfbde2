"""Triangle meshes of the training scenes: grids, lathes, tubes, extrusions, boxes, merges.

Every mesh has vertex normals that are smooth where the surface is and split at creases, and fits
the unit sphere after :func:`normalised`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import torch
from torch import Tensor


class Mapping(StrEnum):
    """How flat patterns (bricks, tiles) are wrapped around a shape."""

    ROUND = "round"  # angle around the y axis
    PLANAR = "planar"  # projected along the main axis of the normal


@dataclass(frozen=True, slots=True)
class Mesh:
    """vertices (V, 3) and unit normals (V, 3) float32, faces (F, 3) int64, counter-clockwise."""

    vertices: Tensor
    normals: Tensor
    faces: Tensor
    mapping: Mapping = Mapping.PLANAR
    closed: bool = True

    def moved(
        self,
        scale: float | Sequence[float] = 1.0,
        offset: Sequence[float] = (0.0, 0.0, 0.0),
        rotation: Tensor | None = None,
    ) -> "Mesh":
        """Scale, then rotate, then translate; normals follow the inverse transpose."""
        factors = torch.tensor([scale] * 3 if isinstance(scale, int | float) else list(scale))
        vertices, normals = self.vertices * factors, self.normals / factors
        if rotation is not None:
            vertices, normals = vertices @ rotation.T, normals @ rotation.T
        normals = torch.nn.functional.normalize(normals, dim=-1)
        return Mesh(
            vertices + torch.tensor(list(offset)), normals, self.faces, self.mapping, self.closed
        )


def normalised(mesh: Mesh) -> Mesh:
    """Centred on the middle of its bounding box and scaled into the unit sphere."""
    low, high = mesh.vertices.amin(0), mesh.vertices.amax(0)
    vertices = mesh.vertices - (low + high) / 2
    vertices = vertices / vertices.norm(dim=-1).max().clamp(min=1e-9)
    return Mesh(vertices, mesh.normals, mesh.faces, mesh.mapping, mesh.closed)


def merged(parts: Sequence[Mesh], mapping: Mapping = Mapping.PLANAR) -> Mesh:
    """One mesh of several overlapping parts."""
    faces, start = [], 0
    for part in parts:
        faces.append(part.faces + start)
        start += len(part.vertices)
    return Mesh(
        torch.cat([part.vertices for part in parts]),
        torch.cat([part.normals for part in parts]),
        torch.cat(faces),
        mapping,
    )


def rotation(axis: str, degrees: float) -> Tensor:
    """Rotation matrix about a coordinate axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = torch.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


@lru_cache(maxsize=64)
def _grid_faces(rows: int, columns: int) -> Tensor:
    start = (torch.arange(rows - 1)[:, None] * columns + torch.arange(columns - 1)).reshape(-1)
    right, below = start + 1, start + columns
    first = torch.stack((start, below, right), -1)
    second = torch.stack((right, below, below + 1), -1)
    return torch.cat((first, second))


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Area-weighted smooth normals; vertices at the same place share one."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    face_normals = torch.linalg.cross(b - a, c - a)
    _, same = torch.unique((vertices * 1e5).round().long(), dim=0, return_inverse=True)
    total = torch.zeros((int(same.max()) + 1, 3))
    for corner in range(3):
        total.index_add_(0, same[faces[:, corner]], face_normals)
    return torch.nn.functional.normalize(total[same], dim=-1)


def grid_mesh(points: Tensor, mapping: Mapping = Mapping.PLANAR) -> Mesh:
    """Smooth mesh of a (rows, columns, 3) grid; welded where grid points coincide."""
    faces = _grid_faces(points.shape[0], points.shape[1])
    vertices = points.reshape(-1, 3).contiguous()
    return Mesh(vertices, vertex_normals(vertices, faces), faces, mapping)


def lathe(profile: Sequence[tuple[float, float]], sides: int = 72, crease: float = 35.0) -> Mesh:
    """Turn (radius, y) points, top to bottom, about the y axis; corners sharper than ``crease``
    degrees stay sharp."""
    line = torch.tensor(profile)
    step = torch.nn.functional.normalize(line[1:] - line[:-1], dim=-1)
    normals = torch.stack((-step[:, 1], step[:, 0]), -1)  # outward for a downward profile
    cosine = (step[1:] * step[:-1]).sum(-1)
    sharp = (cosine < math.cos(math.radians(crease))).tolist()
    bands: list[tuple[Tensor, Tensor]] = []
    first = 0
    for end in range(1, len(line)):
        if end < len(line) - 1 and not sharp[end - 1]:
            continue
        inner = normals[first:end]
        at = torch.cat((inner[:1], inner[1:] + inner[:-1], inner[-1:]))
        bands.append((line[first : end + 1], torch.nn.functional.normalize(at, dim=-1)))
        first = end
    return merged([_turned(points, at, sides) for points, at in bands], Mapping.ROUND)


def _turned(points: Tensor, normals: Tensor, sides: int) -> Mesh:
    angle = torch.linspace(0, 2 * math.pi, sides + 1)
    x, z = angle.cos(), -angle.sin()

    def turn(line: Tensor) -> Tensor:
        radius, y = line[:, :1], line[:, 1:]
        grid = torch.stack((radius * x, y.expand(-1, sides + 1), radius * z), -1)
        return grid.reshape(-1, 3)

    faces = _grid_faces(len(points), sides + 1)
    return Mesh(turn(points), turn(normals), faces, Mapping.ROUND)


def arc(
    radius: float, centre: tuple[float, float], start: float, end: float, steps: int
) -> list[tuple[float, float]]:
    """Profile points of an arc; angles in degrees from the +y axis, clockwise."""
    angles = [math.radians(start + (end - start) * i / steps) for i in range(steps + 1)]
    return [
        (max(0.0, centre[0] + radius * math.sin(a)), centre[1] + radius * math.cos(a))
        for a in angles
    ]


@lru_cache(maxsize=8)
def sphere(rings: int = 40) -> Mesh:
    """Unit sphere with exact normals."""
    mesh = lathe(arc(1, (0, 0), 0, 180, rings), 2 * rings)
    return Mesh(mesh.vertices, mesh.vertices, mesh.faces, mesh.mapping)


@lru_cache(maxsize=1)
def box() -> Mesh:
    """The cube from -1 to 1 with flat faces."""
    return rounded_box(0.0, 1)


@lru_cache(maxsize=16)
def rounded_box(radius: float, steps: int = 12) -> Mesh:
    """The cube from -1 to 1 with edges rounded by ``radius``."""
    ticks = torch.linspace(-1, 1, steps + 1)
    if radius > 0:
        round_ticks = (torch.linspace(0, 1, 7) - 1) * radius + 1
        ticks = torch.cat((-round_ticks.flip(0), round_ticks))
    u, v = torch.meshgrid(ticks, ticks, indexing="ij")
    faces = _grid_faces(len(ticks), len(ticks))
    parts = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            planes = [torch.empty(0)] * 3
            planes[axis] = torch.full_like(u, sign)
            planes[(axis + 1) % 3], planes[(axis + 2) % 3] = u, v
            points = torch.stack(planes, -1).reshape(-1, 3)
            core = points.clamp(-1 + radius, 1 - radius)
            outward = torch.nn.functional.normalize(points - core, dim=-1)
            if radius == 0:
                outward = torch.zeros_like(points)
                outward[:, axis] = sign
            turned = faces if sign < 0 else faces.flip(-1)
            parts.append(Mesh(core + radius * outward, outward, turned.flip(-1)))
    return _outward(merged(parts))


def _outward(mesh: Mesh) -> Mesh:
    """Wind every face counter-clockwise seen from the side its normals point to."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    flat = torch.linalg.cross(b - a, c - a)
    wrong = (flat * mesh.normals[mesh.faces].sum(1)).sum(-1) < 0
    faces = torch.where(wrong[:, None], mesh.faces.flip(-1), mesh.faces)
    return Mesh(mesh.vertices, mesh.normals, faces, mesh.mapping, mesh.closed)


def faceted(vertices: Tensor, faces: Tensor, mapping: Mapping = Mapping.PLANAR) -> Mesh:
    """Flat-shaded copy of a convex mesh around the origin."""
    corners = vertices[faces]
    flat = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat = torch.nn.functional.normalize(flat, dim=-1)
    inward = (flat * corners.mean(1)).sum(-1, keepdim=True) < 0
    normals = torch.where(inward, -flat, flat)[:, None].expand(-1, 3, -1).reshape(-1, 3)
    soup = corners.reshape(-1, 3)
    return _outward(Mesh(soup, normals, torch.arange(len(soup)).reshape(-1, 3), mapping))


def spire(sides: int, top: float, bottom: float) -> Mesh:
    """A flat-sided pyramid: apex at ``top``, base ring of radius 1 at ``bottom``."""
    angle = (torch.arange(sides) + 0.5) / sides * 2 * math.pi
    ring = torch.stack((angle.cos(), torch.full((sides,), bottom), angle.sin()), -1)
    tips = torch.tensor([[0.0, top, 0.0], [0.0, bottom, 0.0]])
    i = torch.arange(sides)
    j = (i + 1) % sides
    sides_up = torch.stack((i, j, torch.full_like(i, sides)), -1)
    base = torch.stack((i, j, torch.full_like(i, sides + 1)), -1)
    middle = torch.tensor([0.0, (top + 2 * bottom) / 3, 0.0])
    mesh = faceted(torch.cat((ring, tips)) - middle, torch.cat((sides_up, base)))
    return mesh.moved(offset=middle.tolist())


def extruded(outline: Tensor, depth: float, smooth: bool = False) -> Mesh:
    """Prism over an (n, 2) outline that its centre sees entirely, along z from -depth to depth."""
    n = len(outline)
    i = torch.arange(n)
    j = (i + 1) % n
    parts = []
    for z in (depth, -depth):
        points = torch.cat((outline, torch.full((n, 1), z)), 1)
        points = torch.cat((points, torch.tensor([[0.0, 0.0, z]])))
        normals = torch.tensor([[0.0, 0.0, math.copysign(1.0, z)]]).expand(n + 1, 3)
        parts.append(Mesh(points, normals, torch.stack((i, j, torch.full_like(i, n)), -1)))
    edge = outline[j] - outline[i]
    out = torch.nn.functional.normalize(torch.stack((edge[:, 1], -edge[:, 0]), -1), dim=-1)
    out = torch.where((out * (outline[i] + outline[j])).sum(-1, keepdim=True) < 0, -out, out)
    start, end = (out, out) if not smooth else _shared(out)
    parts.append(_wall(outline, outline[j], start, end, depth))
    return _outward(merged(parts))


def _shared(out: Tensor) -> tuple[Tensor, Tensor]:
    before = torch.nn.functional.normalize(out + out.roll(1, 0), dim=-1)
    return before, before.roll(-1, 0)


def _wall(start: Tensor, end: Tensor, n0: Tensor, n1: Tensor, depth: float) -> Mesh:
    n = len(start)
    corners = [(start, n0, depth), (start, n0, -depth), (end, n1, depth), (end, n1, -depth)]
    points = torch.cat([torch.cat((p, torch.full((n, 1), z)), 1) for p, _, z in corners])
    normals = torch.cat([torch.cat((q, torch.zeros((n, 1))), 1) for _, q, _ in corners])
    i = torch.arange(n)
    faces = torch.cat(
        (torch.stack((i, i + n, i + 2 * n), -1), torch.stack((i + n, i + 3 * n, i + 2 * n), -1))
    )
    return Mesh(points, normals, faces)


def tube(curve: Tensor, radius: Tensor | float, sides: int = 28) -> Mesh:
    """A round tube of ``radius`` (n,) or float along a closed (n, 3) curve (last = first)."""
    tangent = torch.nn.functional.normalize(curve.roll(-1, 0) - curve.roll(1, 0), dim=-1)
    tangent[0] = tangent[-1] = torch.nn.functional.normalize(curve[1] - curve[-2], dim=0)
    normal = torch.linalg.cross(tangent, curve + torch.tensor([1e-4, 2e-4, 3e-4]))
    normal = torch.nn.functional.normalize(normal, dim=-1)
    binormal = torch.linalg.cross(tangent, normal)
    angle = torch.linspace(0, 2 * math.pi, sides + 1)
    ring = normal[:, None] * angle.cos()[:, None] + binormal[:, None] * angle.sin()[:, None]
    width = radius[:, None, None] if isinstance(radius, Tensor) else radius
    points = curve[:, None] + ring * width
    faces = _grid_faces(len(curve), sides + 1)
    flat = Mesh(points.reshape(-1, 3), ring.reshape(-1, 3), faces)
    return _outward(flat)


def torus(thickness: float) -> Mesh:
    """A ring of radius 1 about y with a round section."""
    angle = torch.linspace(0, 2 * math.pi, 73)
    curve = torch.stack((angle.cos(), torch.zeros_like(angle), angle.sin()), -1)
    out = curve[:, None]
    turn = torch.linspace(0, 2 * math.pi, 33)
    up = torch.tensor([0.0, 1.0, 0.0])
    ring = out * turn.cos()[:, None] + up * turn.sin()[:, None]
    points = curve[:, None] + thickness * ring
    faces = _grid_faces(73, 33)
    return _outward(Mesh(points.reshape(-1, 3), ring.reshape(-1, 3), faces, Mapping.ROUND))
