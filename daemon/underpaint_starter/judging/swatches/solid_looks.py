"""Materials carved from space: stone, wood, metal, ice."""

from __future__ import annotations

from typing import Any

from .nodes import Tree, Value


def plain(tree: Tree) -> None:
    tree.finish(tree.base, tree.rng.uniform(0.5, 1.0), Specular_IOR_Level=tree.rng.uniform(0, 0.4))


def plastic(tree: Tree) -> None:
    rng = tree.rng
    tree.finish(tree.base, rng.uniform(0.04, 0.25), Coat_Weight=rng.uniform(0.0, 1.0),
                Coat_Roughness=0.05, Specular_IOR_Level=rng.uniform(0.5, 0.8))  # fmt: skip


def clay(tree: Tree) -> None:
    rng = tree.rng
    broad = tree.noise(tree.solid(), rng.uniform(2, 5), 2)
    fine = tree.noise(tree.solid(), rng.uniform(18, 40), 3)
    height = tree.math("MULTIPLY_ADD", fine, rng.uniform(0.06, 0.2), broad)
    colour = tree.shaded(tree.base, tree.blend(broad, 0.8, 1.15))
    tree.finish(colour, rng.uniform(0.75, 1.0), height, rng.uniform(0.03, 0.08))


def stone(tree: Tree) -> None:
    rng = tree.rng
    broad = tree.noise(tree.solid(), rng.uniform(2, 5), 5, 0.65)
    fine = tree.noise(tree.solid(), rng.uniform(8, 22), 5, 0.7)
    speckle = tree.cells(tree.solid(), rng.uniform(25, 60))[1]
    grey = tree.node("RGBToBW", {0: speckle}).outputs[0]
    level = tree.math("ADD", tree.blend(broad, 0.5, 1.2), tree.blend(fine, -0.45, 0.5))
    level = tree.math("ADD", level, tree.math("MULTIPLY", tree.math("SUBTRACT", grey, 0.5),
                                              rng.uniform(0.0, 0.6)))  # fmt: skip
    colour = tree.shaded(tree.base, tree.math("MAXIMUM", level, 0.08))
    height = tree.math("MULTIPLY_ADD", fine, 0.6, broad)
    tree.finish(colour, 0.95, height, rng.uniform(0.05, 0.12))


def concrete(tree: Tree) -> None:
    rng = tree.rng
    stains = tree.noise(tree.solid(), rng.uniform(1.5, 3), 4)
    fine = tree.noise(tree.solid(), rng.uniform(30, 50), 2)
    where = tree.cells(tree.solid(), rng.uniform(8, 24))
    pits = tree.step(where[0], rng.uniform(0.2, 0.3), 0.12)
    level = tree.math("ADD", tree.blend(stains, 0.78, 1.12), tree.blend(fine, -0.1, 0.1))
    level = tree.math("SUBTRACT", level, tree.math("MULTIPLY", pits, rng.uniform(0.35, 0.6)))
    height = tree.math("SUBTRACT", tree.math("MULTIPLY", fine, 0.15), pits)
    tree.finish(tree.shaded(tree.base, level), 0.95, height, rng.uniform(0.004, 0.012))


def marble(tree: Tree) -> None:
    rng = tree.rng
    place = tree.wobbled(tree.solid(), rng.uniform(1.5, 3), rng.uniform(0.4, 0.9))
    veins: list[Any] = []
    for scale, width in ((rng.uniform(1.2, 2.2), 0.055), (rng.uniform(3, 5), 0.03)):
        ridge = tree.math("ABSOLUTE", tree.math("SUBTRACT", tree.noise(place, scale, 4), 0.5))
        veins.append(tree.step(ridge, width, 0.0))
    line = tree.math("MAXIMUM", veins[0], tree.math("MULTIPLY", veins[1], rng.uniform(0.2, 0.7)))
    cloud = tree.shaded(tree.base, tree.blend(tree.noise(place, 1.5, 3), 0.75, 1.15))
    colour = tree.mix(tree.math("MULTIPLY", line, 0.92), cloud, tree.second)
    tree.finish(colour, rng.uniform(0.06, 0.3))


def cracked(tree: Tree) -> None:
    rng = tree.rng
    squat = (1.0, 1.0, rng.choice((1.0, 1.0, 1.8)))
    place = tree.wobbled(tree.solid(squat), rng.uniform(4, 8), rng.uniform(0.03, 0.12))
    scale = tree.repeats * rng.uniform(0.6, 1.1)
    loose = rng.choice((1.0, 1.0, rng.uniform(0.3, 0.7)))  # less: blocks, as of dried mud
    edge = tree.cells(place, scale, "DISTANCE_TO_EDGE", loose)[0]
    label = tree.node("RGBToBW", {0: tree.cells(place, scale, loose=loose)[1]}).outputs[0]
    wide = rng.uniform(0.03, 0.07)
    crack = tree.step(edge, wide, wide * 0.4)
    grain = tree.noise(tree.solid(), rng.uniform(10, 20), 4, 0.65)
    level = tree.math("ADD", tree.blend(label, 0.75, 1.05), tree.blend(grain, -0.35, 0.35))
    colour = tree.mix(crack, tree.shaded(tree.base, level), (0.015, 0.012, 0.01))
    height = tree.math("SUBTRACT", tree.math("MULTIPLY", grain, 0.4), crack)
    tree.finish(colour, 0.95, height, rng.uniform(0.015, 0.04))


def mossy(tree: Tree) -> None:
    rng = tree.rng
    rock = tree.noise(tree.solid(), rng.uniform(4, 9), 5, 0.7)
    grey = tree.shaded(tree.base, tree.blend(rock, 0.3, 1.3))
    up = tree.parts(tree.node("NewGeometry").outputs["Normal"])[2]
    patch = tree.math("MULTIPLY_ADD", up, rng.uniform(0.05, 0.2),
                      tree.noise(tree.solid(), rng.uniform(2, 6), 4, 0.6))  # fmt: skip
    edge = rng.uniform(0.45, 0.54)
    moss = tree.step(patch, edge, edge + rng.uniform(0.03, 0.08))
    tufts = tree.noise(tree.solid(), rng.uniform(22, 40), 3, 0.7)
    green = rng.choice(((0.11, 0.24, 0.025), (0.16, 0.27, 0.04), (0.07, 0.19, 0.03)))
    colour = tree.mix(moss, grey, tree.shaded(green, tree.blend(tufts, 0.1, 1.7)))
    height = tree.math("ADD", rock, tree.math("MULTIPLY", moss, tree.blend(tufts, 0.5, 1.5)))
    tree.finish(colour, 1.0, height, rng.uniform(0.03, 0.07))


def rusty(tree: Tree) -> None:
    rng = tree.rng
    patch = tree.noise(tree.solid(), rng.uniform(1.6, 5), 5, 0.65)
    edge = rng.uniform(0.4, 0.53)
    rust = tree.step(patch, edge, edge + rng.uniform(0.03, 0.1))
    fine = tree.noise(tree.solid(), rng.uniform(14, 30), 5, 0.7)
    brown = tree.mix(tree.step(fine, 0.3, 0.7), (0.42, 0.13, 0.025), (0.07, 0.022, 0.012))
    steel = tree.shaded((0.32, 0.33, 0.35), tree.blend(fine, 0.6, 1.3))
    tree.finish(tree.mix(rust, steel, brown), tree.blend(rust, 0.35, 0.95),
                tree.math("MULTIPLY", rust, tree.blend(fine, 0.5, 1.2)), rng.uniform(0.01, 0.03),
                Metallic=tree.math("SUBTRACT", 1.0, rust))  # fmt: skip


def wooden(tree: Tree) -> None:
    """Year rings about a trunk's middle, and fibres along it."""
    rng = tree.rng
    place = tree.wobbled(tree.solid(moved=False), rng.uniform(1.0, 2.0), rng.uniform(0.1, 0.3))
    middle = (rng.uniform(0.2, 0.9), rng.uniform(-0.5, 0.5), 0.0)
    parts = tree.parts(tree.vector("SUBTRACT", place, middle))
    x, y, z = rng.choice(((0, 1, 2), (0, 1, 2), (1, 2, 0), (2, 0, 1)))
    flat = tree.node(
        "CombineXYZ", {0: parts[x], 1: parts[y], 2: tree.math("MULTIPLY", parts[z], 0.12)}
    ).outputs[0]
    radius = tree.node("VectorMath", {0: flat}, operation="LENGTH").outputs["Value"]
    saw = tree.math("FRACT", tree.math("MULTIPLY", radius, rng.uniform(6, 22)))
    line = tree.math("MULTIPLY", tree.step(saw, 0.0, 0.8), tree.step(saw, 1.0, 0.88))
    way = [20.0, 20.0, 20.0]
    way[z] = 1.4
    fibre = tree.noise(tree.solid((way[0], way[1], way[2])), 1.0, 3, 0.6)
    level = tree.math("SUBTRACT", tree.blend(fibre, 0.75, 1.45),
                      tree.math("MULTIPLY", line, rng.uniform(0.35, 0.6)))  # fmt: skip
    tree.finish(tree.shaded(tree.base, tree.math("MAXIMUM", level, 0.1)), rng.uniform(0.35, 0.7),
                fibre, rng.uniform(0.004, 0.015))  # fmt: skip


def bark(tree: Tree) -> None:
    rng = tree.rng
    scale = tree.repeats * rng.uniform(1.0, 1.6)
    place = tree.wobbled(tree.solid((scale, scale, 0.28 * scale)), 1.2, rng.uniform(0.3, 0.8))
    ridge = tree.cells(place, 1.0, "DISTANCE_TO_EDGE")[0]
    if rng.random() < 0.4:
        folds = tree.math("SUBTRACT", tree.noise(place, 1.2, 3), 0.5)
        ridge = tree.math("MULTIPLY", tree.math("ABSOLUTE", folds), 2.2)
    plate = tree.step(ridge, 0.0, rng.uniform(0.2, 0.35))
    fine = tree.noise(tree.solid((24.0, 24.0, 8.0)), 1.0, 5, 0.7)
    level = tree.math("ADD", tree.blend(plate, 0.12, 1.0), tree.blend(fine, -0.3, 0.4))
    height = tree.math("MULTIPLY_ADD", fine, 0.3, plate)
    tree.finish(tree.shaded(tree.base, tree.math("MAXIMUM", level, 0.03)), 0.95, height,
                rng.uniform(0.03, 0.08))  # fmt: skip


def leather(tree: Tree) -> None:
    rng = tree.rng
    place = tree.wobbled(tree.solid(), 4.0, rng.uniform(0.03, 0.12))
    edge = tree.cells(place, tree.repeats * rng.uniform(3.0, 5.0), "DISTANCE_TO_EDGE")[0]
    crease = tree.step(edge, rng.uniform(0.14, 0.24), 0.0)
    worn = tree.noise(tree.solid(), rng.uniform(1.5, 3), 4)
    level = tree.math("SUBTRACT", tree.blend(worn, 0.7, 1.2), tree.math("MULTIPLY", crease, 0.42))
    height = tree.math("SUBTRACT", 1.0, crease)
    tree.finish(tree.shaded(tree.base, level), rng.uniform(0.32, 0.55), height,
                rng.uniform(0.006, 0.014))  # fmt: skip


def _metallic(tree: Tree, colour: Value, rough: Value, height: Value = None,
              bump: float = 0.0) -> None:  # fmt: skip
    tree.finish(colour, rough, height, bump, Metallic=1.0)


def metal(tree: Tree) -> None:
    """Brushed: fine streaks along one direction."""
    rng = tree.rng
    way = rng.choice(((1.2, 1.2, 45.0), (45.0, 45.0, 1.2), (1.0, 40.0, 40.0)))
    streak = tree.noise(tree.solid(way), 1.0, 4, 0.6)
    pale = tuple(0.25 + 0.75 * part for part in tree.base)
    colour = tree.shaded(pale, tree.blend(streak, 0.5, 1.25))
    rough = tree.blend(streak, rng.uniform(0.15, 0.25), rng.uniform(0.4, 0.5))
    _metallic(tree, colour, rough, streak, rng.uniform(0.001, 0.004))


def chrome(tree: Tree) -> None:
    _metallic(tree, (0.9, 0.91, 0.93), tree.rng.uniform(0.0, 0.06))


def gold(tree: Tree) -> None:
    _cast(tree, tree.rng.choice(((1.0, 0.68, 0.2), (1.0, 0.62, 0.13), (0.95, 0.64, 0.24))))


def copper(tree: Tree) -> None:
    _cast(tree, tree.rng.choice(((0.93, 0.42, 0.26), (0.87, 0.36, 0.2), (0.95, 0.5, 0.36))))


def _cast(tree: Tree, colour: tuple[float, float, float]) -> None:
    rng = tree.rng
    tone = tree.shaded(
        colour, tree.blend(tree.noise(tree.solid(), rng.uniform(2, 5), 3), 0.75, 1.1)
    )
    dents = tree.cells(tree.solid(), tree.repeats)[0] if rng.random() < 0.25 else None
    _metallic(tree, tone, rng.uniform(0.08, 0.32), dents, 0.03)


def glass(tree: Tree) -> None:
    rng = tree.rng
    pale = tuple(0.55 + 0.45 * part for part in tree.base)
    tree.finish(pale, rng.uniform(0.0, 0.05), Transmission_Weight=1.0, IOR=rng.uniform(1.2, 1.5))


def lava(tree: Tree) -> None:
    rng = tree.rng
    squat = (1.0, 1.0, rng.choice((1.0, 1.0, 1.8)))
    place = tree.wobbled(tree.solid(squat), rng.uniform(3, 6), rng.uniform(0.05, 0.2))
    loose = rng.choice((1.0, 1.0, rng.uniform(0.3, 0.7)))  # less: slabs of crust
    edge = tree.cells(place, tree.repeats * rng.uniform(0.6, 1.0), "DISTANCE_TO_EDGE", loose)[0]
    rough = tree.noise(tree.solid(), 12.0, 4, 0.7)
    edge = tree.math("MULTIPLY_ADD", tree.math("SUBTRACT", rough, 0.5), 0.12, edge)
    heat = tree.step(edge, rng.uniform(0.14, 0.26), 0.01)
    hot = tree.mix(tree.math("POWER", heat, 2.5), (0.85, 0.05, 0.002), (1.0, 0.55, 0.07))
    crust = tree.shaded((0.05, 0.035, 0.03), tree.blend(rough, 0.2, 1.8))
    tree.finish(crust, 0.9, tree.math("SUBTRACT", rough, heat), rng.uniform(0.03, 0.07),
                Emission_Color=hot,
                Emission_Strength=tree.math("MULTIPLY", heat, rng.uniform(1.2, 3.0)))  # fmt: skip


def ice(tree: Tree) -> None:
    rng = tree.rng
    place = tree.wobbled(tree.solid(), 3.0, rng.uniform(0.05, 0.2))
    scale = tree.repeats * rng.uniform(0.45, 0.9)
    wide = rng.uniform(0.025, 0.06)
    if rng.random() < 0.5:
        crack = tree.step(tree.cells(place, scale, "DISTANCE_TO_EDGE")[0], wide, 0.0)
    else:
        level = tree.noise(place, rng.uniform(2, 4), 3)
        crack = tree.step(tree.math("ABSOLUTE", tree.math("SUBTRACT", level, 0.5)), wide, 0.0)
    label = tree.node("RGBToBW", {0: tree.cells(place, scale)[1]}).outputs[0]
    frost = tree.step(tree.noise(tree.solid(), rng.uniform(3, 6), 4, 0.65), 0.45, 0.7)
    blue = rng.choice(((0.35, 0.68, 0.85), (0.45, 0.75, 0.9), (0.3, 0.6, 0.82)))
    white = tree.math("MAXIMUM", tree.math("MULTIPLY", crack, 0.8),
                      tree.math("MULTIPLY", frost, rng.uniform(0.4, 0.7)))  # fmt: skip
    colour = tree.mix(white, tree.shaded(blue, tree.blend(label, 0.65, 1.1)), (0.9, 0.96, 1.0))
    tree.finish(colour, tree.blend(frost, 0.05, 0.5), white, rng.uniform(0.005, 0.02),
                Transmission_Weight=rng.choice((0.0, 0.0, 0.3)), IOR=1.31,
                Coat_Weight=0.5)  # fmt: skip
