"""Shapes put together from several parts: animals, figures, furniture, buildings."""

import math
from random import Random

import torch

from underpaint_starter.scenes import shapes as s
from underpaint_starter.scenes.catalogue import PRIMITIVES, Maker
from underpaint_starter.scenes.shapes import Mapping, Mesh

Point = tuple[float, float, float]


def _ball(size: float | Point, at: Point) -> Mesh:
    return s.sphere(28).moved(size, at)


def _block(size: Point, at: Point) -> Mesh:
    return s.box().moved(size, at)


def _rod(start: Point, end: Point, radius: float, tip: float | None = None) -> Mesh:
    """A round-ended limb between two points, tapering to ``tip``."""
    a, b = torch.tensor(start), torch.tensor(end)
    length = float((b - a).norm())
    last = radius if tip is None else tip
    profile = s.arc(last, (0, length), 0, 90, 6) + s.arc(radius, (0, 0), 90, 180, 6)
    up = (b - a) / max(length, 1e-9)
    side = torch.tensor([1.0, 0.0, 0.0]) if abs(float(up[0])) < 0.8 else torch.eye(3)[2]
    z = torch.nn.functional.normalize(torch.linalg.cross(side, up), dim=0)
    basis = torch.stack((torch.linalg.cross(up, z), up, z), 1)
    return s.lathe(profile, 24).moved(rotation=basis, offset=start)


def _snowman(r: Random) -> Mesh:
    parts = [_ball(0.55, (0, -0.5, 0)), _ball(0.4, (0, 0.2, 0)), _ball(0.28, (0, 0.7, 0))]
    parts.append(_rod((0, 0.7, 0.25), (0, 0.68, 0.52), 0.06, 0.01))
    if r.random() < 0.6:
        parts.append(_rod((0.3, 0.3, 0), (0.8, 0.6, 0.1), 0.05))
        parts.append(_rod((-0.3, 0.3, 0), (-0.8, 0.6, 0.1), 0.05))
    return s.merged(parts)


def _mushroom(r: Random) -> Mesh:
    k = r.uniform(0.6, 0.9)
    cap = [(x, y * k) for x, y in s.arc(1, (0, 0), 0, 95, 24)]
    top = s.lathe([*cap, (0.3, -0.12), (0, -0.12)])
    w = r.uniform(0.22, 0.34)
    stem = s.lathe([(0, 0), (w, 0), (w * 0.9, -0.4), (w * 1.35, -1.0), (0, -1.0)])
    return s.merged([top, stem], Mapping.ROUND)


def _house(r: Random) -> Mesh:
    d = r.uniform(0.6, 1.0)
    roof = s.extruded(torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, r.uniform(0.6, 0.9)]]), d * 1.1)
    parts = [_block((0.85, 0.5, d), (0, -0.5, 0)), roof]
    parts.append(_block((0.12, 0.3, 0.12), (0.45, 0.45, 0.3 * d)))
    parts.append(_block((0.16, 0.28, 0.03), (0.1, -0.72, d)))
    return s.merged(parts)


def _tower(r: Random) -> Mesh:
    w = r.uniform(0.38, 0.5)
    body = s.lathe([(0, 0.6), (w, 0.6), (w * 1.15, -1), (0, -1)])
    top = s.lathe([(0, 0.8), (w * 1.25, 0.8), (w * 1.25, 0.55), (0, 0.55)])
    if r.random() < 0.5:
        hat = s.lathe([(0, 1.5), (w * 1.35, 0.8), (0, 0.8)])
        return s.merged([body, top, hat], Mapping.ROUND)
    count = 8
    teeth = []
    for i in range(count):
        turn = s.rotation("y", 360 / count * i)
        teeth.append(_block((0.1, 0.12, 0.08), (w * 1.13, 0.9, 0)).moved(rotation=turn))
    return s.merged([body, top, *teeth], Mapping.ROUND)


def _table(r: Random) -> Mesh:
    d, t = r.uniform(0.55, 0.9), r.uniform(0.05, 0.1)
    parts = [_block((1, t, d), (0, 0.5, 0))]
    for x in (-0.88, 0.88):
        for z in (-d + 0.12, d - 0.12):
            parts.append(_block((0.08, 0.5, 0.08), (x, 0, z)))
    return s.merged(parts)


def _chair(r: Random) -> Mesh:
    parts = [_block((0.5, 0.06, 0.5), (0, 0, 0)), _block((0.5, 0.45, 0.06), (0, 0.5, -0.44))]
    for x in (-0.42, 0.42):
        for z in (-0.42, 0.42):
            parts.append(_block((0.07, 0.4, 0.07), (x, -0.45, z)))
    return s.merged(parts)


def _tree(r: Random) -> Mesh:
    trunk = s.lathe([(0, 0), (0.12, 0), (0.2, -1.0), (0, -1.0)])
    if r.random() < 0.5:
        levels = [s.lathe([(0, 0.6), (0.62 - 0.12 * i, 0), (0, 0)]) for i in range(3)]
        moved = [level.moved(offset=(0, -0.45 + 0.38 * i, 0)) for i, level in enumerate(levels)]
        return s.merged([trunk, *moved])
    crown = PRIMITIVES["rock"](r).moved(0.75, (0, 0.45, 0))
    return s.merged([trunk, crown])


def _animal(r: Random) -> Mesh:
    """A four-legged animal with random proportions, facing +z."""
    u = r.uniform
    long, fat, leg = u(0.45, 0.75), u(0.28, 0.42), u(0.3, 0.6)
    thick = u(0.08, 0.14)
    head, neck = u(0.22, 0.32), u(0.1, 0.45)
    at = (0.0, fat * 0.6 + neck, long + 0.12)
    parts = [_ball((fat, fat, long + 0.15), (0, 0, 0)), _ball((head, head, head * 1.15), at)]
    parts.append(_rod((0, 0, long * 0.7), at, fat * 0.6, head * 0.7))
    parts.append(_ball((head * 0.6, head * 0.5, head * 0.7), (0, at[1] - 0.07, at[2] + head)))
    for x in (-1, 1):
        for z in (-long * 0.65, long * 0.65):
            foot = (x * fat * 0.65, -fat - leg, z)
            parts.append(_rod((x * fat * 0.6, -0.05, z), foot, thick * 1.4, thick))
        ear = (x * head * 0.7, at[1] + head * u(0.9, 1.7), at[2] - 0.05)
        parts.append(_rod((x * head * 0.5, at[1] + head * 0.6, at[2]), ear, head * 0.3, 0.05))
    tail = (u(-0.3, 0.3), u(-0.3, 0.6), -long - u(0.3, 0.6))
    parts.append(_rod((0, fat * 0.4, -long), tail, 0.08, 0.04))
    return s.merged(parts)


def _figure(r: Random) -> Mesh:
    u = r.uniform
    parts = [_ball(0.2, (0, 0.85, 0)), _ball((0.28, 0.4, 0.18), (0, 0.28, 0))]
    parts += [_ball((0.22, 0.2, 0.17), (0, -0.1, 0)), _rod((0, 0.5, 0), (0, 0.75, 0), 0.08)]
    for x in (-1, 1):
        elbow = (x * u(0.4, 0.6), u(0.0, 0.6), u(-0.1, 0.3))
        hand = (x * u(0.3, 0.8), elbow[1] + u(-0.4, 0.4), elbow[2] + u(-0.1, 0.3))
        parts += [_rod((x * 0.25, 0.52, 0), elbow, 0.1, 0.07), _rod(elbow, hand, 0.08, 0.06)]
        knee = (x * u(0.12, 0.3), -0.52, u(0, 0.25))
        foot = (x * u(0.12, 0.35), -0.98, u(-0.2, 0.15))
        parts += [_rod((x * 0.13, -0.1, 0), knee, 0.13, 0.09), _rod(knee, foot, 0.1, 0.07)]
        parts.append(_ball((0.08, 0.06, 0.16), (foot[0], -1.0, foot[2] + 0.08)))
    if r.random() < 0.4:
        parts.append(_block((0.5, 0.12, 0.4), (0, -1.15, 0)))
    return s.merged(parts)


def _bird(r: Random) -> Mesh:
    u = r.uniform
    parts = [_ball((0.4, 0.42, 0.6), (0, 0, 0)), _ball(0.27, (0, 0.5, 0.42))]
    parts.append(_rod((0, 0.48, 0.62), (0, 0.44, 0.9), 0.09, 0.01))
    parts.append(_ball((0.25, 0.06, 0.4), (0, 0.15, -0.75)))
    for x in (-1, 1):
        wing = s.sphere(28).moved((0.1, 0.28, 0.5), (0, 0, 0), s.rotation("z", x * u(5, 60)))
        parts.append(wing.moved(offset=(x * 0.42, 0.1, -0.1)))
        parts.append(_rod((x * 0.15, -0.35, 0), (x * 0.18, -0.75, 0.05), 0.06))
        parts.append(_ball((0.1, 0.05, 0.18), (x * 0.18, -0.78, 0.12)))
    return s.merged(parts)


def _fish(r: Random) -> Mesh:
    body = _ball((0.22, r.uniform(0.35, 0.5), 0.8), (0, 0, 0))
    tail = s.spire(4, 0.5, 0).moved((0.08, 1, 0.6), (0, 0, -1.15), s.rotation("x", 90))
    fin = s.spire(4, 0.5, 0).moved((0.05, 0.7, 0.35), (0, 0.35, -0.05))
    side = [_ball((0.22, 0.04, 0.12), (x * 0.3, -0.1, 0.2)) for x in (-1, 1)]
    eyes = [_ball(0.06, (x * 0.16, 0.12, 0.55)) for x in (-1, 1)]
    return s.merged([body, tail, fin, *side, *eyes])


def _rocket(r: Random) -> Mesh:
    w = r.uniform(0.25, 0.36)
    nose = [(0.0, 1.1), (w * 0.5, 0.9), (w * 0.9, 0.6), (w, 0.2), (w, -0.6), (w * 0.7, -0.8)]
    parts = [s.lathe([*nose, (0, -0.8)])]
    for i in range(r.choice((3, 4))):
        fin = s.extruded(torch.tensor([[-0.3, 0.4], [-0.3, -0.3], [0.35, -0.5]]), 0.04)
        turn = s.rotation("y", 90 * i + 20)
        parts.append(fin.moved(offset=(w + 0.15, -0.55, 0)).moved(rotation=turn))
    return s.merged(parts, Mapping.ROUND)


def _teapot(r: Random) -> Mesh:
    body = _ball((0.62, r.uniform(0.42, 0.55), 0.62), (0, 0, 0))
    handle = s.torus(0.2).moved(0.34, (-0.7, 0.05, 0), s.rotation("x", 90))
    parts = [body, handle, _ball(0.1, (0, 0.6, 0)), _ball((0.3, 0.12, 0.3), (0, 0.42, 0))]
    parts += [_rod((0.4, -0.1, 0), (0.95, 0.38, 0), 0.17, 0.08)]
    parts.append(s.lathe([(0, -0.3), (0.4, -0.3), (0.42, -0.52), (0, -0.52)]))
    return s.merged(parts)


def _arch(r: Random) -> Mesh:
    t = torch.linspace(0, math.pi, 25)
    d = r.uniform(0.2, 0.4)
    parts = []
    for a, b in zip(t[:-1].tolist(), t[1:].tolist(), strict=True):
        middle = (a + b) / 2
        stone = _block((0.2, math.pi / 48 * 0.9, d), (0.75, 0, 0))
        parts.append(stone.moved(rotation=s.rotation("z", math.degrees(middle))))
    parts += [_block((0.2, 0.4, d), (x, -0.4, 0)) for x in (-0.75, 0.75)]
    return s.merged(parts)


def _stairs(r: Random) -> Mesh:
    n, w = r.choice((4, 5, 6)), r.uniform(0.4, 0.8)
    parts = []
    for i in range(n):
        height = (i + 1) / n
        parts.append(_block((w, height / 1.6, 1 / n), (0, height / 1.6, 1 - 2 * (i + 0.5) / n)))
    return s.merged(parts)


def _dumbbell(r: Random) -> Mesh:
    q = r.uniform(0.35, 0.5)
    bar = _rod((-0.7, 0, 0), (0.7, 0, 0), 0.12)
    return s.merged([bar, _ball(q, (-0.7, 0, 0)), _ball(q, (0.7, 0, 0))])


def _pawn(r: Random) -> Mesh:
    w = r.uniform(0.2, 0.26)
    line = [(0.0, 0.45), (0.3, 0.42), (w, 0.35), (w * 1.2, -0.2), (0.42, -0.6), (0.5, -0.7)]
    body = s.lathe([*line, (0.55, -0.8), (0.55, -1), (0, -1)])
    return s.merged([body, _ball(0.32, (0, 0.68, 0))], Mapping.ROUND)


def _car(r: Random) -> Mesh:
    box = s.rounded_box(0.3)
    parts = [box.moved((1, 0.26, 0.5)), box.moved((0.5, 0.26, 0.44), (-0.08, 0.42, 0))]
    tyre = s.lathe([(0, 0.1), (0.24, 0.1), (0.24, -0.1), (0, -0.1)], 40)
    for x in (-0.6, 0.6):
        for z in (-0.48, 0.48):
            parts.append(tyre.moved(1.0, (x, -0.22, z), s.rotation("x", 90)))
    return s.merged(parts)


def _stack(r: Random) -> Mesh:
    """An abstract sculpture: two or three touching primitives."""
    names = ("sphere", "cube", "cylinder", "cone", "torus", "capsule", "pyramid", "rounded box")
    parts = []
    height = -0.6
    for _ in range(r.choice((2, 3, 3))):
        size = r.uniform(0.3, 0.55)
        mesh = s.normalised(PRIMITIVES[r.choice(names)](r))
        turn = s.rotation("y", r.uniform(0, 360)) @ s.rotation("x", r.choice((0, 0, 90, 40)))
        at = (r.uniform(-0.35, 0.35), height, r.uniform(-0.35, 0.35))
        parts.append(mesh.moved(size, at, turn))
        height += size * 1.1
    return s.merged(parts)


COMPOUNDS: dict[str, Maker] = {
    "snowman": _snowman,
    "mushroom": _mushroom,
    "house": _house,
    "tower": _tower,
    "table": _table,
    "chair": _chair,
    "tree": _tree,
    "animal": _animal,
    "figure": _figure,
    "bird": _bird,
    "fish": _fish,
    "rocket": _rocket,
    "teapot": _teapot,
    "arch": _arch,
    "stairs": _stairs,
    "dumbbell": _dumbbell,
    "pawn": _pawn,
    "car": _car,
    "sculpture": _stack,
}
WALL = "wall"  # fills the picture, as what becomes a tile does
SHAPES: dict[str, Maker] = PRIMITIVES | COMPOUNDS


def make_shape(name: str, rng: Random) -> Mesh:
    """The named shape with random proportions, inside the unit sphere; WALL: upright, facing +z."""
    if name == WALL:
        return s.box().moved([1.0, 1.0, 0.02])
    return s.normalised(SHAPES[name](rng))
