"""The named shapes of the training scenes; each takes a random.Random and returns a Mesh."""

import math
from collections.abc import Callable
from random import Random

import torch
from torch import Tensor

from underpaint_starter.scenes import shapes as s
from underpaint_starter.scenes.patterns import noise
from underpaint_starter.scenes.shapes import Mapping, Mesh

Maker = Callable[[Random], Mesh]


def _cylinder(height: float = 1.0, radius: float = 1.0) -> Mesh:
    return s.lathe([(0, height), (radius, height), (radius, -height), (0, -height)])


def _cone(height: float = 1.0, radius: float = 1.0) -> Mesh:
    return s.lathe([(0, height), (radius, -height), (0, -height)])


def _capsule(half: float, radius: float) -> Mesh:
    top = s.arc(radius, (0, half), 0, 90, 12)
    return s.lathe(top + s.arc(radius, (0, -half), 90, 180, 12), 48)


def _smooth(points: list[tuple[float, float]], steps: int = 8) -> list[tuple[float, float]]:
    """Catmull-Rom through the (radius, y) points."""
    p = [points[0], *points, points[-1]]
    out: list[tuple[float, float]] = []
    for i in range(1, len(p) - 2):
        for k in range(steps):
            t = k / steps
            w = (
                (-t + 2 * t * t - t**3) / 2,
                (2 - 5 * t * t + 3 * t**3) / 2,
                (t + 4 * t * t - 3 * t**3) / 2,
                (t**3 - t * t) / 2,
            )
            x, y = (sum(a * p[i - 1 + m][c] for m, a in enumerate(w)) for c in (0, 1))
            out.append((max(x, 0.0), y))
    return [*out, points[-1]]


def _turned(points: list[tuple[float, float]], lip: bool = False) -> Mesh:
    """A lofted body with a flat base, open (thick-walled) or closed at the top."""
    body = _smooth(points)
    top_r, top_y = body[0]
    inside = [(0.0, top_y - 0.35), (top_r * 0.8, top_y - 0.3), (top_r * 0.86, top_y)]
    start = inside if lip else [(0.0, top_y)]
    return s.lathe([*start, *body, (0.0, body[-1][1])])


def _vase(r: Random) -> Mesh:
    u = r.uniform
    mouth = u(0.25, 0.5)
    profile = [(mouth, 1.0), (u(0.15, 0.3), 0.75), (u(0.45, 0.75), u(0.1, 0.4))]
    return _turned([*profile, (u(0.4, 0.6), -0.4), (u(0.25, 0.4), -1.0)], lip=True)


def _bottle(r: Random) -> Mesh:
    neck, body = r.uniform(0.1, 0.16), r.uniform(0.32, 0.45)
    shoulder = r.uniform(0.1, 0.35)
    lip = [(0.0, 1.0), (neck * 1.3, 1.0), (neck * 1.3, 0.92), (neck, 0.92)]
    slope = _smooth(
        [(neck, shoulder + 0.25), (neck * 1.6, shoulder + 0.08), (body, shoulder - 0.2)]
    )
    return s.lathe([*lip, *slope, (body, -1.0), (0.0, -1.0)])


def _column(r: Random) -> Mesh:
    w = r.uniform(0.22, 0.3)
    flutes = r.choice((0, 0, 12, 16))
    angle = torch.linspace(0, 2 * math.pi, 145)[:-1]
    radius = w * (1 - 0.08 * (angle * flutes / 2).sin().abs()) if flutes else w + 0 * angle
    outline = torch.stack((radius * angle.cos(), radius * angle.sin()), -1)
    shaft = s.extruded(outline, 0.8, smooth=True).moved(rotation=s.rotation("x", 90))
    plinth = s.box().moved((w * 1.45, 0.1, w * 1.45))
    ring = s.torus(0.2).moved((w, w, w))
    parts = [shaft, plinth.moved(offset=(0, 0.93, 0)), plinth.moved(offset=(0, -0.93, 0))]
    parts += [ring.moved(offset=(0, 0.8, 0)), ring.moved(offset=(0, -0.8, 0))]
    return s.merged(parts, Mapping.ROUND)


def _bell(r: Random) -> Mesh:
    flare = r.uniform(0.75, 0.95)
    points = [(0.1, 0.85), (0.38, 0.7), (0.45, 0.2), (0.55, -0.4), (flare, -0.8)]
    body = _turned(points)
    return s.merged([body, s.sphere(20).moved(0.14, (0, 0.95, 0))], Mapping.ROUND)


def _bowl(r: Random) -> Mesh:
    d = r.uniform(0.5, 0.8)
    inner = [(x * 0.9, y) for x, y in s.arc(1, (0, 0), 180, 90, 14)]
    outer = s.arc(1, (0, 0), 90, 165, 14)
    profile = [(x, y * d) for x, y in inner + outer]
    return s.lathe([*profile, (0.26, -d * 1.05), (0.0, -d * 1.05)])


def _mug(r: Random) -> Mesh:
    w = r.uniform(0.5, 0.65)
    profile = [(0, -0.5), (w * 0.85, -0.5), (w * 0.85, 0.7), (w, 0.7), (w, -0.7), (0, -0.7)]
    handle = s.torus(0.25).moved(0.36, (w + 0.12, 0, 0), s.rotation("x", 90))
    return s.merged([s.lathe(profile), handle], Mapping.ROUND)


def _barrel(r: Random) -> Mesh:
    b = r.uniform(0.7, 0.8)
    body = s.lathe([(0, 0.95), *_smooth([(0.56, 0.95), (b, 0.0), (0.56, -0.95)]), (0, -0.95)])
    hoops = [s.torus(0.05).moved((q, q, q), (0, y, 0)) for y, q in ((0.5, 0.69), (-0.5, 0.69))]
    return s.merged([body, *hoops], Mapping.ROUND)


def displaced(r: Random, amount: float, frequency: float, ridged: bool = False) -> Mesh:
    """A unit sphere pushed in and out by smooth noise."""
    ball = s.sphere(48)
    at = ball.vertices * frequency + torch.tensor([r.uniform(0, 1) for _ in range(3)])
    level = noise(at) - 0.5
    level = level.abs() * 2 - 0.3 if ridged else level * 2
    points = ball.vertices * (1 + amount * level)[:, None]
    return Mesh(points, s.vertex_normals(points, ball.faces), ball.faces, Mapping.PLANAR)


def _rock(r: Random) -> Mesh:
    rock = displaced(r, r.uniform(0.5, 0.9), r.uniform(0.12, 0.2), r.random() < 0.4)
    return rock.moved((1, r.uniform(0.55, 0.9), r.uniform(0.75, 1)))


def _blob(r: Random) -> Mesh:
    return displaced(r, r.uniform(0.9, 1.5), r.uniform(0.05, 0.09))


def _egg(r: Random) -> Mesh:
    k = r.uniform(0.15, 0.25)
    profile = [(x * (1 - k * y) * 0.75, y) for x, y in s.arc(1, (0, 0), 0, 180, 40)]
    return s.lathe(profile)


def _head(r: Random) -> Mesh:
    """An oval head with brow, nose, sockets, chin and ears on a neck."""
    p = s.sphere(56).vertices.clone()
    front = p[:, 2].clamp(min=0)

    def bump(x: float, y: float, size: float, height: float) -> Tensor:
        d = (p[:, 0].abs() - x) ** 2 + (p[:, 1] - y) ** 2
        return height * torch.exp(-d / size**2) * (front > 0) * front.sqrt()

    u = r.uniform
    push = bump(0, -0.12, 0.13, u(0.18, 0.34)) + bump(0, -0.75, 0.25, u(0.05, 0.15))
    push += bump(0.34, 0.12, 0.16, -u(0.08, 0.16)) + bump(0.3, 0.3, 0.22, u(0.04, 0.1))
    push += bump(0, -0.45, 0.2, 0.05) - bump(0, -0.47, 0.06, 0.06)
    p[:, 0] *= 0.78 - 0.16 * (-p[:, 1]).clamp(min=0)
    p[:, 2] = p[:, 2] * 0.88 + push
    faces = s.sphere(56).faces
    skull = Mesh(p, s.vertex_normals(p, faces), faces)
    ear = s.sphere(20).moved((0.08, 0.2, 0.14))
    neck = _cylinder(0.35, 0.38).moved(offset=(0, -1.05, -0.1))
    parts = [skull, neck, ear.moved(offset=(0.78, 0, 0)), ear.moved(offset=(-0.78, 0, 0))]
    if r.random() < 0.4:
        parts.append(s.sphere(28).moved((1.0, 0.35, 0.6), (0, -1.45, -0.1)))
    return s.merged(parts)


def _outline(radius: Tensor, turn: float = math.pi / 2) -> Tensor:
    angle = torch.arange(len(radius)) / len(radius) * 2 * math.pi + turn
    return torch.stack((radius * angle.cos(), radius * angle.sin()), -1)


def _star(r: Random) -> Mesh:
    points = r.choice((4, 5, 5, 5, 6, 8))
    inner = r.uniform(0.38, 0.55)
    return s.extruded(_outline(torch.tensor([1.0, inner] * points)), r.uniform(0.12, 0.35))


def _heart(r: Random) -> Mesh:
    t = torch.arange(96) / 96 * 2 * math.pi
    x = 16 * t.sin() ** 3
    y = 13 * t.cos() - 5 * (2 * t).cos() - 2 * (3 * t).cos() - (4 * t).cos()
    return s.extruded(torch.stack((x, y), -1) / 17, r.uniform(0.2, 0.4))


def _gear(r: Random) -> Mesh:
    teeth = r.choice((8, 10, 12))
    k = torch.arange(teeth * 4) % 4
    radius = torch.where(k < 2, 1.0, r.uniform(0.72, 0.8))
    wheel = s.extruded(_outline(radius), r.uniform(0.15, 0.3))
    return s.merged([wheel, _cylinder(0.4, 0.3).moved(rotation=s.rotation("x", 90))])


def _cross(r: Random) -> Mesh:
    w, d = r.uniform(0.2, 0.3), r.uniform(0.18, 0.3)
    return s.merged([s.box().moved((w, 1, d)), s.box().moved((0.7, w, d), (0, 0.25, 0))])


def _crystal(r: Random) -> Mesh:
    n = r.choice((5, 6, 8))
    top = s.spire(n, r.uniform(0.9, 1.4), 0)
    return s.merged([top, s.spire(n, -r.uniform(0.5, 1.4), 0)])


def _knot(r: Random) -> Mesh:
    t = torch.linspace(0, 2 * math.pi, 241)
    x = t.sin() + 2 * (2 * t).sin()
    y = t.cos() - 2 * (2 * t).cos()
    return s.tube(torch.stack((x, y, -(3 * t).sin()), -1) / 3, r.uniform(0.12, 0.2), 24)


def _hourglass(r: Random) -> Mesh:
    w = r.uniform(0.08, 0.16)
    body = _turned([(0.55, 0.85), (0.5, 0.5), (w, 0.0), (0.5, -0.5), (0.55, -0.85)])
    plate = _cylinder(0.08, 0.68)
    return s.merged([body, plate.moved(offset=(0, 0.9, 0)), plate.moved(offset=(0, -0.9, 0))])


PRIMITIVES: dict[str, Maker] = {
    "sphere": lambda r: s.sphere(),
    "cube": lambda r: s.box(),
    "slab": lambda r: s.box().moved((1, r.uniform(0.25, 0.5), r.uniform(0.5, 0.9))),
    "rounded box": lambda r: s.rounded_box(r.choice((0.2, 0.3, 0.45))),
    "cylinder": lambda r: _cylinder(r.uniform(0.5, 1.3)),
    "cone": lambda r: _cone(r.uniform(0.8, 1.3)),
    "torus": lambda r: s.torus(r.uniform(0.25, 0.48)),
    "capsule": lambda r: _capsule(r.uniform(0.5, 1.0), 0.5),
    "pyramid": lambda r: s.spire(r.choice((4, 4, 4, 3)), r.uniform(0.7, 1.1), -0.5),
    "egg": _egg,
    "vase": _vase,
    "bottle": _bottle,
    "column": _column,
    "bell": _bell,
    "bowl": _bowl,
    "mug": _mug,
    "barrel": _barrel,
    "rock": _rock,
    "blob": _blob,
    "head": _head,
    "star": _star,
    "heart": _heart,
    "gear": _gear,
    "cross": _cross,
    "crystal": _crystal,
    "knot": _knot,
    "hourglass": _hourglass,
}
