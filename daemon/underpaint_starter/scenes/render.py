"""Deferred shading of a scene: rasterise once, evaluate materials per visible sample, light.

What belongs to the geometry (`seen`) is kept apart from the paint (`painted`): one view can be
painted in many materials, and only where it is wanted.
"""

from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from underpaint_daemon.worker.guide import (
    GuideFields,
    guide_control,
    guide_fields,
    guide_strength,
    triangle,
)
from underpaint_starter.scenes import geometry as g
from underpaint_starter.scenes import shapes as s
from underpaint_starter.scenes.colours import PALETTE, linear, srgb
from underpaint_starter.scenes.compounds import make_shape
from underpaint_starter.scenes.grounds import ground_surface
from underpaint_starter.scenes.lighting import Light, make_light, shade, shade_toon, visible_sky
from underpaint_starter.scenes.materials import MATERIALS, Look, Samples, Surface
from underpaint_starter.scenes.scenes import ObjectSpec, SceneSpec
from underpaint_starter.scenes.styles import ink_lines, watercolour

_CLAY = (176.0, 168.0, 160.0)
_AA = 2  # samples a pixel, along each axis
Box = tuple[int, int, int]  # top, left, side in px


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


@dataclass(frozen=True, slots=True)
class _Set:
    """A scene ready to be rendered; ``unit`` is the length of a pattern unit."""

    spec: SceneSpec
    stage: g.Stage
    camera: g.Camera
    light: Light
    unit: float


@dataclass(frozen=True, slots=True)
class _Points:
    """Samples of the picture, (n, n) and (n, n, 3): ids, depth, rays from the camera, position and
    normal in the world, light of the sun and of the sky that reaches them, 1 = all of it, and the
    guide: u, v modulo two, noise, and how much of the pattern can be seen, 0..1."""

    ids: Tensor
    depth: Tensor
    rays: Tensor
    position: Tensor
    normal: Tensor
    shadow: Tensor
    open_sky: Tensor
    u: Tensor
    v: Tensor
    noise: Tensor
    strength: Tensor

    def cut(self, box: Box) -> "_Points":
        """The samples of a window of pixels."""
        top, left, side = (_AA * number for number in box)
        rows, columns = slice(top, top + side), slice(left, left + side)
        parts = (getattr(self, name)[rows, columns] for name in self.__slots__)
        return _Points(*parts)


@dataclass(frozen=True, slots=True)
class Seen:
    """A scene as its camera sees it, without paint. depth, normal, object_id and guide are those
    of `Rendered`."""

    scene: _Set
    points: _Points
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


def seen(spec: SceneSpec, size: int, mesh: s.Mesh | None = None) -> Seen:
    """What a camera of size x size pixels sees of a scene."""
    scene, exact = _seen_whole(spec, size, mesh)
    ids, depth, _, position, normal = exact
    fields = _fields(scene, position, normal)
    far = torch.where((ids > 0)[..., None], position, torch.inf)
    turn = _turn(scene)
    guide = guide_control(
        (far @ turn.T).numpy(), (normal @ turn.T).numpy(), scene.unit, _seed(scene)
    )
    strength = torch.from_numpy(guide_strength(fields.u, fields.v, (ids > 0).numpy()))
    camera_normal = torch.where((ids > 0)[..., None], normal @ scene.camera.view[:3, :3].T, 0.0)
    return Seen(
        scene,
        _points(scene, size, strength),
        depth * spec.metres,
        camera_normal,
        ids.to(torch.uint8),
        torch.from_numpy(guide),
    )


def painted(view: Seen, spec: SceneSpec, box: Box) -> Tensor:
    """A window of the view as rgb (side, side, 3) 0..1, in the materials, colours and style of
    ``spec``, a spec of the same geometry."""
    scene = replace(view.scene, spec=replace(spec, camera=view.scene.spec.camera))
    rgb = _picture(scene, view.points.cut(box), box, view.object_id.shape[0])
    rgb = torch.nn.functional.avg_pool2d(rgb.permute(2, 0, 1)[None], _AA)[0].permute(1, 2, 0)
    return watercolour(rgb, spec.seed) if spec.words.style == "watercolour" else rgb


def _seed(scene: _Set) -> int:
    return scene.spec.seed % 9973


def _turn(scene: _Set) -> Tensor:
    """World to the axes of the guide (3, 3): Z up, in some scenes turned."""
    up = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    about, tilt = scene.spec.pattern_turn
    return up @ s.rotation("x", tilt) @ s.rotation("y", about)


def _fields(scene: _Set, position: Tensor, normal: Tensor) -> GuideFields:
    turn = _turn(scene)
    return guide_fields(
        (position @ turn.T).numpy(), (normal @ turn.T).numpy(), scene.unit, _seed(scene)
    )


def _points(scene: _Set, size: int, strength: Tensor) -> _Points:
    ids, depth, rays, position, normal = _surface(scene, size * _AA)
    fields = _fields(scene, position, normal)
    flat_position, flat_normal = position.reshape(-1, 3), normal.reshape(-1, 3)
    shadow = g.shadow_map(scene.stage, scene.light.sun_direction).lit(flat_position, flat_normal)
    open_sky = _open_sky(scene, ids.reshape(-1), flat_position, flat_normal)
    wide = strength.repeat_interleave(_AA, 0).repeat_interleave(_AA, 1)
    return _Points(
        ids,
        depth,
        rays,
        position,
        normal,
        shadow.reshape(ids.shape),
        open_sky.reshape(ids.shape),
        torch.from_numpy(triangle(fields.u)),
        torch.from_numpy(fields.v % 2),
        torch.from_numpy(fields.noise),
        wide,
    )


def _open_sky(scene: _Set, ids: Tensor, position: Tensor, normal: Tensor) -> Tensor:
    if not scene.spec.words.ground:
        return torch.ones(len(ids))
    near = torch.exp(-2.5 * position[:, 1].clamp(min=0))
    above = 1 - 0.35 * near * (1 - 0.5 * normal[:, 1])
    return torch.where(ids == 1, g.sky_cover(scene.stage).open_sky(position), above)


def _seen_whole(
    spec: SceneSpec, size: int, mesh: s.Mesh | None
) -> tuple[_Set, tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """Walk around until no object is hidden behind another: captions must not speak of it."""
    least = 0.006 * size * size
    for step in range(5):
        camera = replace(spec.camera, azimuth=spec.camera.azimuth + 71 * step)
        scene = _build(replace(spec, camera=camera), mesh)
        exact = _surface(scene, size)
        counts = torch.bincount(exact[0].reshape(-1).long(), minlength=len(spec.objects) + 2)
        if len(spec.objects) == 1 or int(counts[2 : len(spec.objects) + 2].min()) >= least:
            break
    return scene, exact


def _build(spec: SceneSpec, mesh: s.Mesh | None) -> _Set:
    pairs = [_placed(entry, mesh, bool(spec.words.ground)) for entry in spec.objects]
    stage = g.assemble(pairs)
    camera = g.frame(spec.camera, stage.points)
    if spec.words.ground and float(camera.position[1]) < 0.08:
        lifted = replace(spec.camera, elevation=spec.camera.elevation + 12, shift=(0.0, 0.1))
        camera = g.frame(lifted, stage.points)
    light = make_light(spec.words.light, g.direction(spec.sun_azimuth, spec.sun_elevation))
    if not spec.words.ground:
        light = _turned_with_camera(light, camera)
    middle = (stage.points.amin(0) + stage.points.amax(0)) / 2
    distance = float((camera.position - middle).norm())
    unit = spec.pattern_share * distance / camera.focal
    return _Set(spec, stage, camera, light, unit)


def _turned_with_camera(light: Light, camera: g.Camera) -> Light:
    """Studio light hangs on the camera when the objects float: never lit from behind."""
    local = light.sun_direction @ camera.view[:3, :3].T
    local = torch.stack((local[0], local[1].abs() * 0.7 + 0.25, local[2].abs() + 0.3))
    turned = torch.nn.functional.normalize(local, dim=0) @ camera.view[:3, :3]
    return replace(light, sun_direction=turned)


def _placed(spec: ObjectSpec, mesh: s.Mesh | None, grounded: bool) -> s.Mesh:
    own = mesh or make_shape(spec.words.shape, Random(spec.seed))
    turn, tilt, lean = spec.turn
    matrix = s.rotation("y", turn) @ s.rotation("x", tilt) @ s.rotation("z", lean)
    world = own.moved(spec.size, rotation=matrix)
    floor = float(world.vertices[:, 1].amin())
    lift = -floor if grounded or spec.spot != (0.0, 0.0) else 0.0
    return world.moved(offset=(spec.spot[0], lift, spec.spot[1]))


def _with_ground(scene: _Set, seen: g.Buffers, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """ids (0 background, 1 ground, 2.. objects), depth, and world rays."""
    rays = scene.camera.rays(size)
    ids = torch.where(seen.owner >= 0, seen.owner + 2, 0)
    if not scene.spec.words.ground:
        return ids, seen.depth, rays
    down = -rays[..., 1]
    far = scene.camera.position[1] / down.clamp(min=1e-6)
    visible = (down > 1e-4) & (far < 150) & (far < seen.depth)
    return torch.where(visible, 1, ids), torch.where(visible, far, seen.depth), rays


def _surface(scene: _Set, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """ids, depth, rays, world position and normal at size x size samples."""
    found = g.surface(scene.stage, scene.camera, size)
    ids, depth, rays = _with_ground(scene, found, size)
    position = found.attributes[..., :3]
    normal = torch.nn.functional.normalize(found.attributes[..., 3:6], dim=-1)
    on_ground = (ids == 1)[..., None]
    reach = scene.camera.position + rays * torch.where(ids == 1, depth, 0.0)[..., None]
    position = torch.where(on_ground, reach, position)
    normal = torch.where(on_ground, torch.tensor([0.0, 1.0, 0.0]), normal)
    return ids, depth, rays, position, torch.where((ids > 0)[..., None], normal, 0.0)


def _picture(scene: _Set, at: _Points, box: Box, whole: int) -> Tensor:
    """sRGB of a window, one colour a sample; ``whole``: height of the view in px."""
    size = len(at.ids)
    ids = at.ids.reshape(-1)
    position, normal = at.position.reshape(-1, 3), at.normal.reshape(-1, 3)
    colour = _background(scene, at.rays, ids, box[0] / whole, whole * _AA)
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


def _background(scene: _Set, rays: Tensor, ids: Tensor, top: float, whole: int) -> Tensor:
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


def _surfaces(scene: _Set, at: _Points, ids: Tensor) -> list[tuple[Tensor, Surface]]:
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


def _hazed(scene: _Set, colour: Tensor, ground: Tensor, depth: Tensor) -> Tensor:
    if len(ground):
        haze = 1 - torch.exp(-((depth / 45) ** 2))
        colour[ground] += (scene.light.horizon - colour[ground]) * haze[:, None]
    return colour


def _toned(colour: Tensor) -> Tensor:
    """Soft shoulder above 0.75, straight below: keeps colours saturated."""
    colour = colour * 1.12
    return torch.where(colour < 0.75, colour, 0.75 + 0.25 * (1 - torch.exp((0.75 - colour) * 4)))
