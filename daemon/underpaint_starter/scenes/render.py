"""Deferred shading of a scene: rasterise once, evaluate materials per visible sample, light."""

from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

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


@dataclass(frozen=True, slots=True)
class Rendered:
    """rgb (h, w, 3) 0..1 sRGB; depth (h, w) metres, inf = background; normal (h, w, 3) camera
    space, zeros on background; object_id (h, w): 0 background, 1 ground, 2.. objects."""

    rgb: Tensor
    depth: Tensor
    normal: Tensor
    object_id: Tensor


@dataclass(frozen=True, slots=True)
class _Set:
    """A scene ready to be rendered."""

    spec: SceneSpec
    stage: g.Stage
    camera: g.Camera
    light: Light
    own: tuple[s.Mesh, ...]


def render(spec: SceneSpec, size: int, device: str = "cpu", mesh: s.Mesh | None = None) -> Rendered:
    """Render a scene at size x size with four samples per pixel; the buffers are exact at the
    pixel centres.  ``mesh`` replaces the shape of every object."""
    scene, (depth, normal, ids) = _seen_whole(spec, size, device, mesh)
    rgb = _picture(scene, size * 2)
    rgb = torch.nn.functional.avg_pool2d(rgb.permute(2, 0, 1)[None], 2)[0].permute(1, 2, 0)
    if spec.words.style == "watercolour":
        rgb = watercolour(rgb, spec.seed)
    return Rendered(rgb, depth, normal, ids)


def _seen_whole(
    spec: SceneSpec, size: int, device: str, mesh: s.Mesh | None
) -> tuple[_Set, tuple[Tensor, Tensor, Tensor]]:
    """Walk around until no object is hidden behind another: captions must not speak of it."""
    least = 0.006 * size * size
    for step in range(5):
        camera = replace(spec.camera, azimuth=spec.camera.azimuth + 71 * step)
        scene = _build(replace(spec, camera=camera), mesh, device)
        exact = _exact(scene, size)
        counts = torch.bincount(exact[2].reshape(-1).long(), minlength=len(spec.objects) + 2)
        if len(spec.objects) == 1 or int(counts[2 : len(spec.objects) + 2].min()) >= least:
            break
    return scene, exact


def _build(spec: SceneSpec, mesh: s.Mesh | None, device: str) -> _Set:
    pairs = [_placed(entry, mesh, bool(spec.words.ground)) for entry in spec.objects]
    stage = g.assemble(pairs)
    camera = g.frame(spec.camera, stage.points)
    if spec.words.ground and float(camera.position[1]) < 0.08:
        lifted = replace(spec.camera, elevation=spec.camera.elevation + 12, shift=(0.0, 0.1))
        camera = g.frame(lifted, stage.points)
    light = make_light(spec.words.light, g.direction(spec.sun_azimuth, spec.sun_elevation))
    if not spec.words.ground:
        light = _turned_with_camera(light, camera)
    own = tuple(pair[1] for pair in pairs)
    if device == "cpu":
        return _Set(spec, stage, camera, light, own)
    return _on_device(_Set(spec, stage, camera, light, own), device)


def _on_device(scene: _Set, device: str) -> _Set:
    st, cam, li = scene.stage, scene.camera, scene.light
    stage = g.Stage(st.attributes.to(device), st.faces.to(device), st.owner.to(device), st.closed)
    camera = g.Camera(cam.view.to(device), cam.position.to(device), cam.focal)
    return replace(
        scene, stage=stage, camera=camera, light=make_light(li.name, li.sun_direction.to(device))
    )


def _turned_with_camera(light: Light, camera: g.Camera) -> Light:
    """Studio light hangs on the camera when the objects float: never lit from behind."""
    local = light.sun_direction @ camera.view[:3, :3].T
    local = torch.stack((local[0], local[1].abs() * 0.7 + 0.25, local[2].abs() + 0.3))
    turned = torch.nn.functional.normalize(local, dim=0) @ camera.view[:3, :3]
    return replace(light, sun_direction=turned)


def _placed(spec: ObjectSpec, mesh: s.Mesh | None, grounded: bool) -> tuple[s.Mesh, s.Mesh]:
    own = mesh or make_shape(spec.words.shape, Random(spec.seed))
    turn, tilt, lean = spec.turn
    matrix = s.rotation("y", turn) @ s.rotation("x", tilt) @ s.rotation("z", lean)
    world = own.moved(spec.size, rotation=matrix)
    floor = float(world.vertices[:, 1].amin())
    lift = -floor if grounded or spec.spot != (0.0, 0.0) else 0.0
    return world.moved(offset=(spec.spot[0], lift, spec.spot[1])), own


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


def _exact(scene: _Set, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Depth in metres, camera-space normals and ids at the pixel centres."""
    seen = g.surface(scene.stage, scene.camera, size)
    ids, depth, _ = _with_ground(scene, seen, size)
    normal = torch.nn.functional.normalize(seen.attributes[..., 3:6], dim=-1)
    up = torch.tensor([0.0, 1.0, 0.0], device=ids.device)
    normal = torch.where((ids == 1)[..., None], up, normal) @ scene.camera.view[:3, :3].T
    normal = torch.where((ids > 0)[..., None], normal, 0.0)
    return depth * scene.spec.metres, normal, ids.to(torch.uint8)


def _picture(scene: _Set, size: int) -> Tensor:
    """sRGB (size, size, 3), one sample per pixel."""
    seen = g.surface(scene.stage, scene.camera, size)
    ids, depth, rays = _with_ground(scene, seen, size)
    flat_ids = ids.reshape(-1)
    ground = (flat_ids == 1).nonzero()[:, 0]
    solid = (flat_ids >= 2).nonzero()[:, 0]
    colour = _background(scene, rays, flat_ids)
    position = torch.zeros((size * size, 3), device=ids.device)
    normal = torch.zeros_like(position)
    position[solid] = seen.attributes.reshape(-1, 12)[solid, :3]
    normal[solid] = torch.nn.functional.normalize(
        seen.attributes.reshape(-1, 12)[solid, 3:6], dim=-1
    )
    flat_depth = depth.reshape(-1, 1)
    position[ground] = scene.camera.position + rays.reshape(-1, 3)[ground] * flat_depth[ground]
    normal[ground, 1] = 1.0
    parts = _surfaces(scene, seen.attributes.reshape(-1, 12), flat_ids, position, flat_depth)
    height = torch.zeros(size * size, device=ids.device)
    for rows, part, amount in parts:
        if part.height is not None:
            height[rows] = part.height * amount
    view = -torch.nn.functional.normalize(rays.reshape(-1, 3), dim=-1)
    bumped = _bumped(position, normal, height, flat_ids, size)
    shade_maps = g.shadow_map(scene.stage, scene.light.sun_direction), g.sky_cover(scene.stage)
    for rows, part, _ in parts:
        geometry = _Geometry(position[rows], normal[rows], bumped[rows], view[rows])
        colour[rows] = _lit(scene, part, geometry, shade_maps, bool(flat_ids[rows[0]] == 1))
    colour = _hazed(scene, colour, ground, flat_depth[ground, 0])
    image = srgb(_toned(colour)).reshape(size, size, 3)
    return ink_lines(image, ids, depth, normal) if scene.spec.words.style == "toon" else image


def _background(scene: _Set, rays: Tensor, ids: Tensor) -> Tensor:
    colour = torch.zeros((len(ids), 3), device=ids.device)
    empty = (ids == 0).nonzero()[:, 0]
    if scene.spec.words.ground:
        ahead = torch.nn.functional.normalize(rays.reshape(-1, 3)[empty], dim=-1)
        colour[empty] = visible_sky(ahead, scene.light)
        return colour
    size = rays.shape[0]
    back = linear(scene.spec.backdrop).to(ids.device)
    row = (empty // size).float() / size
    colour[empty] = back * (1.06 - 0.14 * row)[:, None]
    return colour


def _surfaces(
    scene: _Set, attributes: Tensor, ids: Tensor, position: Tensor, depth: Tensor
) -> list[tuple[Tensor, Surface, float]]:
    """(rows, surface, size of the object) of the ground and of every visible object."""
    parts: list[tuple[Tensor, Surface, float]] = []
    ground = (ids == 1).nonzero()[:, 0]
    if len(ground):
        at = position[ground]
        footprint = depth[ground, 0] ** 2 / (256 * scene.camera.focal * scene.camera.position[1])
        parts.append((ground, ground_surface(scene.spec, at, footprint.abs()), 1.0))
    for index, spec in enumerate(scene.spec.objects):
        rows = (ids == index + 2).nonzero()[:, 0]
        if len(rows):
            own = attributes[rows, 6:]
            normals = torch.nn.functional.normalize(own[:, 3:], dim=-1)
            samples = Samples(own[:, :3], normals, scene.own[index].mapping)
            look = _look(spec, scene.spec.words.style, ids.device)
            part = MATERIALS[spec.words.material](samples, look)
            if spec.words.colour == "white":  # joints and grain must not turn it grey
                part = replace(part, albedo=part.albedo.clamp(min=0) ** 0.6)
            parts.append((rows, part, spec.size))
    return parts


def _look(spec: ObjectSpec, style: str, device: torch.device) -> Look:
    rng = Random(spec.seed + 1)
    words = spec.words
    base = linear(PALETTE[words.colour] if words.colour else spec.natural)
    if words.colour not in ("", "white", "grey", "black"):
        base = (base * rng.uniform(0.85, 1.12)).clamp(0, 1)
    if style == "clay":
        base = linear(_CLAY)
    second = linear(PALETTE[words.second] if words.second else spec.second)
    offset = torch.tensor([rng.random() for _ in range(3)], device=device)
    return Look(base.to(device), second.to(device), spec.repeats, offset, rng.random())


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


@dataclass(frozen=True, slots=True)
class _Geometry:
    """World position, smooth and bumped normal, and direction to the viewer; (N, 3) each."""

    position: Tensor
    normal: Tensor
    bumped: Tensor
    view: Tensor


def _lit(
    scene: _Set,
    part: Surface,
    at: _Geometry,
    maps: tuple[g.ShadowMap, g.SkyCover],
    is_ground: bool,
) -> Tensor:
    shadow = maps[0].lit(at.position, at.normal)
    open_sky = torch.ones_like(shadow)
    if is_ground:
        open_sky = maps[1].open_sky(at.position)
    elif scene.spec.words.ground:
        near = torch.exp(-2.5 * at.position[:, 1].clamp(min=0))
        open_sky = 1 - 0.35 * near * (1 - 0.5 * at.normal[:, 1])
    if scene.spec.words.style == "toon":
        return shade_toon(part, at.bumped * 0.25 + at.normal * 0.75, scene.light, shadow)
    return shade(part, at.bumped, at.view, scene.light, shadow, open_sky)


def _hazed(scene: _Set, colour: Tensor, ground: Tensor, depth: Tensor) -> Tensor:
    if len(ground):
        haze = 1 - torch.exp(-((depth / 45) ** 2))
        colour[ground] += (scene.light.horizon - colour[ground]) * haze[:, None]
    return colour


def _toned(colour: Tensor) -> Tensor:
    """Soft shoulder above 0.75, straight below: keeps colours saturated."""
    colour = colour * 1.12
    return torch.where(colour < 0.75, colour, 0.75 + 0.25 * (1 - torch.exp((0.75 - colour) * 4)))
