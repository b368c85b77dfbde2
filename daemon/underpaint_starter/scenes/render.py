"""Deferred shading of a scene that is seen: materials per visible sample, then light.

One view (`seen`) can be painted in many materials, and only where it is wanted.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from underpaint_starter.scenes import shapes as s
from underpaint_starter.scenes.colours import PALETTE, linear, srgb
from underpaint_starter.scenes.grounds import ground_surface
from underpaint_starter.scenes.lighting import shade, shade_toon, visible_sky
from underpaint_starter.scenes.materials import MATERIALS, Look, Samples, Surface
from underpaint_starter.scenes.scenes import ObjectSpec, SceneSpec
from underpaint_starter.scenes.seen import SAMPLES, Box, Points, Seen, StagedScene, seen
from underpaint_starter.scenes.styles import ink_lines, watercolour

_CLAY = (176.0, 168.0, 160.0)


@dataclass(frozen=True, slots=True)
class Rendered:
    """rgb (h, w, 3) 0..1 sRGB; depth (h, w) metres, inf = background; normal (h, w, 3) camera
    space, zeros on background; object_id (h, w): 0 background, 1 ground, 2.. objects; guide
    (h, w, 3) uint8, see `guide_control`."""

    rgb: Tensor
    depth: Tensor
    normal: Tensor
    object_id: Tensor
    guide: Tensor


def render(spec: SceneSpec, size: int, mesh: s.Mesh | None = None) -> Rendered:
    """Render a scene at size x size with four samples per pixel; the buffers are exact at the
    pixel centres.  ``mesh`` replaces the shape of every object."""
    view = seen(spec, size, mesh)
    rgb = painted(view, spec, (0, 0, size))
    return Rendered(rgb, view.depth, view.normal, view.object_id, view.guide)


def painted(view: Seen, spec: SceneSpec, box: Box) -> Tensor:
    """A window of the view as rgb (side, side, 3) 0..1, in the materials, colours and style of
    ``spec``, a spec of the same geometry."""
    scene = replace(view.scene, spec=replace(spec, camera=view.scene.spec.camera))
    rgb = _picture(scene, view.points.cut(box), box, view.object_id.shape[0])
    rgb = torch.nn.functional.avg_pool2d(rgb.permute(2, 0, 1)[None], SAMPLES)[0].permute(1, 2, 0)
    return watercolour(rgb, spec.seed) if spec.words.style == "watercolour" else rgb


def _picture(scene: StagedScene, at: Points, box: Box, whole: int) -> Tensor:
    """sRGB of a window, one colour a sample; ``whole``: height of the view in px."""
    size = len(at.ids)
    ids = at.ids.reshape(-1)
    position, normal = at.position.reshape(-1, 3), at.normal.reshape(-1, 3)
    colour = _background(scene, at.rays, ids, box[0] / whole, whole * SAMPLES)
    parts = _surfaces(scene, at, ids)
    height = torch.zeros(size * size)
    for rows, part in parts:
        if part.height is not None:
            height[rows] = part.height * at.strength.reshape(-1)[rows] * scene.unit
    view = -torch.nn.functional.normalize(at.rays.reshape(-1, 3), dim=-1)
    bumped = _bumped(position, normal, height, ids, size)
    shadow, open_sky = at.shadow.reshape(-1), at.open_sky.reshape(-1)
    toon = scene.spec.words.style == "toon"
    for rows, part in parts:
        if toon:
            soft = bumped[rows] * 0.25 + normal[rows] * 0.75
            colour[rows] = shade_toon(part, soft, scene.light, shadow[rows])
        else:
            light = (scene.light, shadow[rows], open_sky[rows])
            colour[rows] = shade(part, bumped[rows], view[rows], *light)
    ground = (ids == 1).nonzero()[:, 0]
    colour = _hazed(scene, colour, ground, at.depth.reshape(-1)[ground])
    image = srgb(_toned(colour)).reshape(size, size, 3)
    return ink_lines(image, at.ids, at.depth, normal) if toon else image


def _background(scene: StagedScene, rays: Tensor, ids: Tensor, top: float, whole: int) -> Tensor:
    """Sky or backdrop where nothing is; ``top``: where the window begins, 0..1; ``whole``: samples
    of the whole view along an axis."""
    colour = torch.zeros((len(ids), 3))
    empty = (ids == 0).nonzero()[:, 0]
    if scene.spec.words.ground:
        ahead = torch.nn.functional.normalize(rays.reshape(-1, 3)[empty], dim=-1)
        colour[empty] = visible_sky(ahead, scene.light)
        return colour
    row = top + (empty // rays.shape[0]).float() / whole
    colour[empty] = linear(scene.spec.backdrop) * (1.06 - 0.14 * row)[:, None]
    return colour


def _surfaces(scene: StagedScene, at: Points, ids: Tensor) -> list[tuple[Tensor, Surface]]:
    """(rows, surface) of the ground and of every visible object."""
    parts: list[tuple[Tensor, Surface]] = []
    u, v, noise, strength = (plane.reshape(-1) for plane in (at.u, at.v, at.noise, at.strength))
    ground = (ids == 1).nonzero()[:, 0]
    if len(ground):
        x = Samples(u[ground], v[ground], noise[ground])
        parts.append((ground, _faded(ground_surface(scene.spec.words.ground, x), strength[ground])))
    for index, spec in enumerate(scene.spec.objects):
        rows = (ids == index + 2).nonzero()[:, 0]
        if len(rows):
            x = Samples(u[rows], v[rows], noise[rows])
            look = _look(spec, scene.spec.words.style)
            part = _faded(MATERIALS[spec.words.material](x, look), strength[rows])
            if spec.words.colour == "white":  # joints and grain must not turn it grey
                part = replace(part, albedo=part.albedo.clamp(min=0) ** 0.6)
            parts.append((rows, part))
    return parts


def _faded(part: Surface, strength: Tensor) -> Surface:
    """The surface's mean colour where its pattern is too small to be seen."""
    mean = part.albedo.mean(0)
    return replace(part, albedo=mean + (part.albedo - mean) * strength[:, None])


def _look(spec: ObjectSpec, style: str) -> Look:
    words = spec.words
    base = linear(PALETTE[words.colour] if words.colour else spec.natural)
    if style == "clay":
        base = linear(_CLAY)
    return Look(base, linear(PALETTE[words.second] if words.second else spec.second))


def _bumped(position: Tensor, normal: Tensor, height: Tensor, ids: Tensor, size: int) -> Tensor:
    """Normals tilted by the height field, from differences between neighbouring samples
    (Mikkelsen, "Bump Mapping Unparametrized Surfaces on the GPU", 2010)."""
    p, n = position.reshape(size, size, 3), normal.reshape(size, size, 3)
    h, k = height.reshape(size, size), ids.reshape(size, size)

    def differences(axis: int) -> tuple[Tensor, Tensor]:
        same = (k == k.roll(-1, axis)) & (k > 0)
        step = p.roll(-1, axis) - p
        rise = torch.where(same, h.roll(-1, axis) - h, 0.0)
        limit = step.norm(dim=-1)
        return step, torch.maximum(torch.minimum(rise, limit), -limit)

    (across, dx), (down, dy) = differences(1), differences(0)
    first, second = torch.linalg.cross(down, n), torch.linalg.cross(n, across)
    det = (across * first).sum(-1)
    slope = (dx * det.sign())[..., None] * first + (dy * det.sign())[..., None] * second
    tilted = torch.nn.functional.normalize(det.abs()[..., None] * n - slope, dim=-1, eps=1e-20)
    return torch.where((det.abs() > 1e-12)[..., None], tilted, n).reshape(-1, 3)


def _hazed(scene: StagedScene, colour: Tensor, ground: Tensor, depth: Tensor) -> Tensor:
    if len(ground):
        haze = 1 - torch.exp(-((depth / 45) ** 2))
        colour[ground] += (scene.light.horizon - colour[ground]) * haze[:, None]
    return colour


def _toned(colour: Tensor) -> Tensor:
    """Soft shoulder above 0.75, straight below: keeps colours saturated."""
    colour = colour * 1.12
    return torch.where(colour < 0.75, colour, 0.75 + 0.25 * (1 - torch.exp((0.75 - colour) * 4)))
