"""Scene assembly: placed meshes, the camera, and rasterised surface buffers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_daemon.worker.texturing.surface.raster import Fragments, interpolate, rasterize
from underpaint_starter.scenes.scenes import CameraSpec
from underpaint_starter.scenes.shapes import Mesh

_NEAR, _FAR = 0.05, 400.0


@dataclass(frozen=True, slots=True)
class Camera:
    """Perspective camera: world-to-camera (4, 4), position (3,), and focal length (half frames)."""

    view: Tensor
    position: Tensor
    focal: float

    def clip(self, points: Tensor) -> Tensor:
        """World points (V, 3) to clip space (V, 4)."""
        local = points @ self.view[:3, :3].T + self.view[:3, 3]
        z = -local[:, 2]
        depth = z * ((_FAR + _NEAR) / (_FAR - _NEAR)) - 2 * _FAR * _NEAR / (_FAR - _NEAR)
        return torch.stack((local[:, 0] * self.focal, local[:, 1] * self.focal, depth, z), -1)

    def rays(self, size: int) -> Tensor:
        """World directions (size, size, 3) through the pixel centres, one unit deep."""
        at = (torch.arange(size, device=self.view.device) + 0.5) / size * 2 - 1
        y, x = torch.meshgrid(-at / self.focal, at / self.focal, indexing="ij")
        return torch.stack((x, y, -torch.ones_like(x)), -1) @ self.view[:3, :3]


@dataclass(frozen=True, slots=True)
class Stage:
    """All objects in world space.  attributes (V, 6): position and normal; owner (F,) object
    index of each face."""

    attributes: Tensor
    faces: Tensor
    owner: Tensor
    closed: bool

    @property
    def points(self) -> Tensor:
        return self.attributes[:, :3]


@dataclass(frozen=True, slots=True)
class Buffers:
    """Surface buffers (h, w): owner -1 = none, attributes (h, w, 6), depth along the view axis."""

    owner: Tensor
    attributes: Tensor
    depth: Tensor


def direction(azimuth: float, elevation: float) -> Tensor:
    """Unit vector at degrees of azimuth (from +z towards +x) and elevation."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return torch.tensor([math.cos(e) * math.sin(a), math.sin(e), math.cos(e) * math.cos(a)])


def look_at(eye: Tensor, target: Tensor, roll: float) -> Tensor:
    """World-to-camera matrix (4, 4), looking along -z with +y up."""
    back = torch.nn.functional.normalize(eye - target, dim=0)
    up = torch.tensor([0.0, 1.0, 0.0])
    if float(back[1].abs()) > 0.999:
        up = torch.tensor([0.0, 0.0, 1.0])
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=0)
    top = torch.linalg.cross(back, right)
    c, s = math.cos(math.radians(roll)), math.sin(math.radians(roll))
    rows = torch.stack((c * right + s * top, c * top - s * right, back))
    matrix = torch.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rows, -rows @ eye
    return matrix


def frame(spec: CameraSpec, points: Tensor) -> Camera:
    """An orbit camera that frames the points as the spec asks, never below the ground of a scene
    seen from above."""
    low, high = points.amin(0), points.amax(0)
    middle = (low + high) / 2
    focal = 1 / math.tan(math.radians(spec.field_of_view) / 2)
    back = direction(spec.azimuth, spec.elevation)
    basis = look_at(back, torch.zeros(3), 0.0)[:3, :3]
    local = (points - middle) @ basis.T
    need = local[:, 2] + focal * local[:, :2].abs().amax(-1) / spec.fill
    distance = max(float(need.max()), float(local[:, 2].max()) + 0.3)
    across = distance / focal
    aim = middle + spec.shift[0] * across * basis[0] * 0.5 + spec.shift[1] * across * basis[1] * 0.5
    return Camera(look_at(aim + back * distance, aim, spec.roll), aim + back * distance, focal)


def assemble(placed: Sequence[Mesh]) -> Stage:
    """Join meshes that are placed in the world."""
    attributes, faces, owner, start = [], [], [], 0
    for index, world in enumerate(placed):
        attributes.append(torch.cat((world.vertices, world.normals), 1))
        faces.append(world.faces + start)
        owner.append(torch.full((len(world.faces),), index))
        start += len(world.vertices)
    closed = all(world.closed for world in placed)
    return Stage(torch.cat(attributes), torch.cat(faces), torch.cat(owner), closed)


def surface(stage: Stage, camera: Camera, size: int) -> Buffers:
    """Rasterise the stage; faces turned away are skipped where all meshes are closed."""
    faces, owner = stage.faces, stage.owner
    if stage.closed:
        a, b, c = (stage.points[faces[:, k]] for k in range(3))
        towards = (torch.linalg.cross(b - a, c - a) * (camera.position - a)).sum(-1) > 0
        faces, owner = faces[towards], owner[towards]
    fragments = rasterize(camera.clip(stage.points), faces, (size, size))
    ids = torch.where(fragments.triangle >= 0, owner[fragments.triangle.clamp(min=0)], -1)
    return Buffers(ids, interpolate(fragments, faces, stage.attributes), fragments.depth)


@dataclass(frozen=True, slots=True)
class ShadowMap:
    """Nearest surface seen by the sun: depth (n, n) along -direction, inf = lit through."""

    depth: Tensor
    basis: Tensor
    centre: Tensor
    radius: float

    def lit(self, points: Tensor, normals: Tensor) -> Tensor:
        """Share of nine nearby taps that the sun reaches, (N,) 0..1."""
        n = self.depth.shape[0]
        lifted = points + normals * (self.radius * 5 / n) - self.centre
        local = lifted @ self.basis.T
        at = (local[:, :2] / self.radius * 0.5 + 0.5) * n - 0.5
        total = torch.zeros_like(local[:, 0])
        for dx in (-0.8, 0.0, 0.8):
            for dy in (-0.8, 0.0, 0.8):
                x = (at[:, 0] + dx).round().clamp(0, n - 1).long()
                y = (at[:, 1] + dy).round().clamp(0, n - 1).long()
                total += (-local[:, 2] <= self.depth[y, x] + self.radius * 0.01).float()
        outside = (at < 0).any(-1) | (at > n - 1).any(-1)
        return torch.where(outside, 1.0, total / 9)


def shadow_map(stage: Stage, towards: Tensor, size: int = 320) -> ShadowMap:
    """Look at the stage along a direction with an orthographic camera."""
    low, high = stage.points.amin(0), stage.points.amax(0)
    centre = (low + high) / 2
    radius = float((stage.points - centre).norm(dim=-1).max()) * 1.05
    basis = look_at(towards.cpu(), torch.zeros(3), 0.0)[:3, :3].to(towards.device)
    local = (stage.points - centre) @ basis.T / radius
    clip = torch.stack((local[:, 0], -local[:, 1], -local[:, 2], torch.ones_like(local[:, 0])), -1)
    fragments: Fragments = rasterize(clip, stage.faces, (size, size))
    depth = interpolate(fragments, stage.faces, -local[:, 2:] * radius)[..., 0]
    depth = torch.where(fragments.triangle >= 0, depth, torch.inf)
    return ShadowMap(depth, basis, centre, radius)


@dataclass(frozen=True, slots=True)
class SkyCover:
    """How much the objects hide the sky from the ground below them, a blurred map."""

    cover: Tensor
    centre: Tensor
    radius: float

    def open_sky(self, points: Tensor) -> Tensor:
        """(N,) 0.35..1 for points on the ground."""
        at = (points - self.centre)[:, [0, 2]] / self.radius
        value = torch.nn.functional.grid_sample(
            self.cover[None, None], at[None, None], align_corners=False, padding_mode="zeros"
        )
        return 1 - 0.65 * value.reshape(-1)


def sky_cover(stage: Stage, size: int = 64) -> SkyCover:
    """Seen from below: the lower a surface hangs over the ground, the darker the spot."""
    low, high = stage.points.amin(0), stage.points.amax(0)
    centre = (low + high) / 2
    radius = float((high - low)[[0, 2]].max()) * 0.5 * 1.8
    local = (stage.points - centre) / radius
    clip = torch.stack((local[:, 0], -local[:, 2], local[:, 1], torch.ones_like(local[:, 0])), -1)
    clip[:, 2] = clip[:, 2] / clip[:, 2].abs().max().clamp(min=1.0)
    fragments = rasterize(clip, stage.faces, (size, size))
    height = interpolate(fragments, stage.faces, stage.points[:, 1:2])[..., 0]
    dark = torch.where(fragments.triangle >= 0, torch.exp(-3.0 * height.clamp(min=0)), 0.0)
    for _ in range(3):
        dark = torch.nn.functional.avg_pool2d(dark[None, None], 5, 1, 2)[0, 0]
    return SkyCover(dark, centre, radius)
