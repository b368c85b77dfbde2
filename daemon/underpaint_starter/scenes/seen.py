"""What a camera sees of a training scene, without paint: buffers, shadows, and the guide."""

from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from underpaint_daemon.worker.ground import ground_of
from underpaint_daemon.worker.guide import (
    GuideFields,
    guide_control,
    guide_fields,
    guide_strength,
    triangle,
)
from underpaint_starter.scenes import geometry as g
from underpaint_starter.scenes import shapes as s
from underpaint_starter.scenes.compounds import make_shape
from underpaint_starter.scenes.lighting import Light, make_light
from underpaint_starter.scenes.scenes import ObjectSpec, SceneSpec

SAMPLES = 2  # a pixel, along each axis
_UP = (0.0, 1.0, 0.0)
Box = tuple[int, int, int]  # top, left, side in px


@dataclass(frozen=True, slots=True)
class StagedScene:
    """A scene ready to be rendered; ``unit`` is the length of a pattern unit."""

    spec: SceneSpec
    stage: g.Stage
    camera: g.Camera
    light: Light
    unit: float


@dataclass(frozen=True, slots=True)
class Points:
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

    def cut(self, box: Box) -> "Points":
        """The samples of a window of pixels."""
        top, left, side = (SAMPLES * number for number in box)
        rows, columns = slice(top, top + side), slice(left, left + side)
        parts = (getattr(self, name)[rows, columns] for name in self.__slots__)
        return Points(*parts)


@dataclass(frozen=True, slots=True)
class Seen:
    """A scene as its camera sees it, without paint. depth, normal, object_id and guide are those
    of `Rendered`."""

    scene: StagedScene
    points: Points
    depth: Tensor
    normal: Tensor
    object_id: Tensor
    guide: Tensor


def seen(spec: SceneSpec, size: int, mesh: s.Mesh | None = None) -> Seen:
    """What a camera of size x size pixels sees of a scene."""
    scene, exact = _seen_whole(spec, size, mesh)
    ids, depth, _, position, normal = exact
    fields = _fields(scene, position, normal)
    far = torch.where((ids > 0)[..., None], position, torch.inf)
    ground = torch.from_numpy(ground_of(far.numpy(), normal.numpy(), _UP))
    far[ground] = torch.inf
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


def unit_of(spec: SceneSpec, size: int, mesh: s.Mesh | None = None) -> float:
    """The length of a pattern unit in what `seen` would see."""
    return _seen_whole(spec, size, mesh)[0].unit


def _seed(scene: StagedScene) -> int:
    return scene.spec.seed % 9973


def _turn(scene: StagedScene) -> Tensor:
    """World to the axes of the guide (3, 3): Z up, in some scenes turned."""
    up = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    about, tilt = scene.spec.pattern_turn
    return up @ s.rotation("x", tilt) @ s.rotation("y", about)


def _fields(scene: StagedScene, position: Tensor, normal: Tensor) -> GuideFields:
    turn = _turn(scene)
    return guide_fields(
        (position @ turn.T).numpy(), (normal @ turn.T).numpy(), scene.unit, _seed(scene)
    )


def _points(scene: StagedScene, size: int, strength: Tensor) -> Points:
    ids, depth, rays, position, normal = _surface(scene, size * SAMPLES)
    fields = _fields(scene, position, normal)
    flat_position, flat_normal = position.reshape(-1, 3), normal.reshape(-1, 3)
    shadow = g.shadow_map(scene.stage, scene.light.sun_direction).lit(flat_position, flat_normal)
    open_sky = _open_sky(scene, ids.reshape(-1), flat_position, flat_normal)
    wide = strength.repeat_interleave(SAMPLES, 0).repeat_interleave(SAMPLES, 1)
    return Points(
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


def _open_sky(scene: StagedScene, ids: Tensor, position: Tensor, normal: Tensor) -> Tensor:
    if not scene.spec.words.ground:
        return torch.ones(len(ids))
    near = torch.exp(-2.5 * position[:, 1].clamp(min=0))
    above = 1 - 0.35 * near * (1 - 0.5 * normal[:, 1])
    return torch.where(ids == 1, g.sky_cover(scene.stage).open_sky(position), above)


def _seen_whole(
    spec: SceneSpec, size: int, mesh: s.Mesh | None
) -> tuple[StagedScene, tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
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


def _build(spec: SceneSpec, mesh: s.Mesh | None) -> StagedScene:
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
    return StagedScene(spec, stage, camera, light, unit)


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


def _with_ground(scene: StagedScene, seen: g.Buffers, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """ids (0 background, 1 ground, 2.. objects), depth, and world rays."""
    rays = scene.camera.rays(size)
    ids = torch.where(seen.owner >= 0, seen.owner + 2, 0)
    if not scene.spec.words.ground:
        return ids, seen.depth, rays
    down = -rays[..., 1]
    far = scene.camera.position[1] / down.clamp(min=1e-6)
    visible = (down > 1e-4) & (far < 150) & (far < seen.depth)
    return torch.where(visible, 1, ids), torch.where(visible, far, seen.depth), rays


def _surface(scene: StagedScene, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
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
