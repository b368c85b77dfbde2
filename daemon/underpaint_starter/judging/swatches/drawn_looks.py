"""The same words as others draw them: stylised shaders, other layouts, other scales.

A picture takes one of a word's looks by chance, so that no layout stands for the material: lava
glows in slabs as well as in cells, fur is combed flat as well as standing.
"""

from __future__ import annotations

from typing import Any

from .nodes import Tree, Value

_TAU = 6.28318


def _wave(tree: Tree, phase: Value) -> Any:
    """0..1, once a whole number."""
    return tree.math("MULTIPLY_ADD", tree.math("COSINE", tree.math("MULTIPLY", phase, _TAU)), 0.5)


def _tone(tree: Tree, level: Value) -> Any:
    return tree.shaded(tree.base, tree.math("MAXIMUM", level, 0.04))


def _pushed(tree: Tree, value: Value, noise: Value, amount: float) -> Any:
    """A number moved by as much as `amount` of a noise to both sides."""
    return tree.math("MULTIPLY_ADD", tree.math("SUBTRACT", noise, 0.5), amount, value)


def _bands(tree: Tree, scale: float, amount: float, *, coarse: float = 1.0) -> Any:
    """Bands 0..1 across the form that noise bends, level or upright."""
    place = tree.flat(scale, turned=tree.rng.random() < 0.3)
    bend = tree.noise(tree.solid(), coarse * scale, 3)
    return _wave(tree, _pushed(tree, tree.parts(place)[1], bend, amount))


def _slabs(tree: Tree) -> Any:
    """Distance from the joints of slabs in courses, which noise bends."""
    rng = tree.rng
    place = tree.flat(tree.repeats * rng.uniform(0.8, 1.3), turned=rng.random() < 0.2)
    x, y, _ = tree.parts(tree.wobbled(place, rng.uniform(1.5, 5), rng.uniform(0.05, 0.4)))
    high, wide = rng.uniform(0.4, 1.0), rng.uniform(0.8, 1.8)
    tall = tree.math("DIVIDE", y, high)
    shift = tree.math("MULTIPLY", tree.math("FLOOR", tall), rng.choice((0.5, 0.5, 0.37)))
    along = tree.math("ADD", tree.math("DIVIDE", x, wide), shift)
    sides = tree.math("MULTIPLY", tree.math("PINGPONG", along, 0.5), wide)
    return tree.math(
        "MINIMUM", sides, tree.math("MULTIPLY", tree.math("PINGPONG", tall, 0.5), high)
    )


def _veins(tree: Tree) -> Any:
    """Distance from lines that run where noise crosses its middle."""
    rng = tree.rng
    place = tree.wobbled(tree.solid(), 3.0, rng.uniform(0.05, 0.25))
    level = tree.noise(place, tree.repeats * rng.uniform(0.4, 0.8), 3)
    return tree.math("MULTIPLY", tree.math("ABSOLUTE", tree.math("SUBTRACT", level, 0.5)), 2.0)


def _broken(tree: Tree) -> Any:
    """Distance from the gaps of broken ground, roughened."""
    edge = tree.rng.choice((_slabs, _slabs, _veins))(tree)
    rough = tree.noise(tree.solid(), tree.repeats * tree.rng.uniform(1.5, 4), 4, 0.6)
    return _pushed(tree, edge, rough, tree.rng.uniform(0.05, 0.3))


def lava(tree: Tree) -> None:
    rng = tree.rng
    edge, rough = _broken(tree), tree.noise(tree.solid(), rng.uniform(5, 14), 4, 0.65)
    heat = tree.step(edge, rng.uniform(0.12, 0.26), rng.choice((0.0, 0.03)))
    hot = tree.mix(tree.math("POWER", heat, rng.uniform(1.5, 3.5)), (0.9, 0.06, 0.004),
                   (1.0, rng.uniform(0.5, 0.65), 0.07))  # fmt: skip
    crust = tree.shaded((0.05, 0.036, 0.03), tree.blend(rough, 0.3, 1.7))
    tree.finish(crust, 0.9, tree.math("SUBTRACT", rough, heat), rng.uniform(0.01, 0.04),
                Emission_Color=hot,
                Emission_Strength=tree.math("MULTIPLY", heat, rng.uniform(0.9, 2.0)))  # fmt: skip


def cracked(tree: Tree) -> None:
    rng = tree.rng
    edge, grain = _broken(tree), tree.noise(tree.solid(), rng.uniform(4, 14), 4, 0.6)
    wide = rng.uniform(0.05, 0.13)
    crack = tree.step(edge, wide, wide * rng.uniform(0.2, 0.6))
    plate = _tone(tree, tree.blend(grain, 0.65, 1.3))
    height = tree.math("SUBTRACT", tree.math("MULTIPLY", grain, 0.3), crack)
    tree.finish(tree.mix(crack, plate, (0.015, 0.013, 0.012)), 0.9, height,
                rng.uniform(0.01, 0.03))  # fmt: skip


def leaves(tree: Tree) -> None:
    """Ribbed leaves that hang over each other in two layers."""
    rng = tree.rng
    wide = rng.uniform(0.7, 1.2)
    place = tree.flat(tree.repeats * rng.uniform(0.9, 1.8), turned=rng.random() < 0.15)
    x, y, _ = tree.parts(tree.wobbled(place, rng.uniform(0.7, 2), rng.uniform(0.0, 0.35)))
    back, front = (_leaf(tree, tree.math("DIVIDE", x, wide), y, layer) for layer in (0.0, 0.5))
    ground = tree.blend(back[0], rng.uniform(0.08, 0.2), tree.math("MULTIPLY", back[1], 0.75))
    level = tree.blend(front[0], ground, front[1])
    height = tree.math("MAXIMUM", front[0], tree.math("MULTIPLY", back[0], 0.5))
    tree.finish(_tone(tree, level), rng.uniform(0.4, 0.8), height, rng.uniform(0.01, 0.04))


def _leaf(tree: Tree, x: Value, y: Value, layer: float) -> tuple[Any, Any]:
    """Where a row of leaves lies (1), and how light it is there."""
    rng = tree.rng
    y = tree.math("ADD", y, layer)
    row = tree.math("FLOOR", y)
    x = tree.math("MULTIPLY_ADD", row, 0.5, tree.math("ADD", x, layer / 2))
    column = tree.math("FLOOR", x)
    off = tree.math(
        "MULTIPLY", tree.math("ABSOLUTE", _pushed(tree, tree.math("FRACT", x), 0.0, 1)), 2.0
    )
    down = tree.math("FRACT", y)
    belly = tree.math("SINE", tree.math("MULTIPLY", tree.math("POWER", down, 0.7), 3.14159))
    inside = tree.step(tree.math("SUBTRACT", tree.math("MULTIPLY", belly, 0.95), off), 0.0, 0.1)
    spot = tree.node("CombineXYZ", {0: column, 1: row, 2: layer}).outputs[0]
    tint = tree.node("TexWhiteNoise", {"Vector": spot}).outputs["Value"]
    rib = tree.math("MULTIPLY", tree.step(off, 0.12, 0.03), rng.uniform(0.2, 0.6))
    fall = tree.math("MULTIPLY", off, -rng.uniform(0.1, 0.4))
    return inside, tree.math("ADD", tree.blend(tint, 0.6, 1.2), tree.math("ADD", rib, fall))


def fur(tree: Tree) -> None:
    """Combed hair in locks that wave, dark at the roots and pale where light meets it."""
    rng = tree.rng
    x, y, _ = tree.parts(tree.flat(tree.repeats))
    bend = tree.noise(tree.solid(), tree.repeats * rng.uniform(0.4, 1.0), rng.uniform(1, 4))
    lock = _wave(tree, _pushed(tree, tree.math("MULTIPLY", x, rng.uniform(1.2, 2.5)), bend,
                               rng.uniform(1.5, 7)))  # fmt: skip
    drawn = tree.node("CombineXYZ", {
        0: _pushed(tree, tree.math("MULTIPLY", x, rng.uniform(3, 6)), bend, rng.uniform(4, 16)),
        1: tree.math("MULTIPLY", y, rng.uniform(0.4, 1.2))}).outputs[0]  # fmt: skip
    hair = tree.noise(drawn, 1.0, 3, 0.6)
    level = tree.math(
        "ADD", tree.blend(lock, rng.uniform(0.2, 0.6), 1.0), tree.blend(hair, -1.0, 1.0)
    )
    end = tree.math(
        "FRACT", _pushed(tree, tree.math("MULTIPLY", y, rng.uniform(0.5, 1.5)), hair, 1)
    )
    shine = tree.math("MULTIPLY", tree.step(level, 0.7, 1.2), tree.step(end, 0.9, 0.1))
    pale = tuple(0.5 + 0.5 * part for part in tree.base)
    colour = tree.mix(tree.math("MULTIPLY", shine, rng.uniform(0.3, 0.7)), _tone(tree, level), pale)
    tree.finish(colour, 0.95, level, rng.uniform(0.005, 0.02))


def metal(tree: Tree) -> None:
    """Streaks that can be counted, or none: rolled and cast steel."""
    rng = tree.rng
    if rng.random() < 0.65:
        streak = _bands(tree, tree.repeats * rng.uniform(1.2, 3), rng.uniform(0.2, 1.5))
    else:
        streak = tree.noise(tree.solid(), rng.uniform(2, 5), 5, 0.65)
    pale = tuple(0.3 + 0.7 * part for part in tree.base)
    colour = tree.shaded(pale, tree.blend(streak, rng.uniform(0.5, 0.75), 1.1))
    tree.finish(colour, tree.blend(streak, 0.2, rng.uniform(0.3, 0.5)), streak,
                rng.uniform(0.0, 0.003), Metallic=1.0)  # fmt: skip


def leather(tree: Tree) -> None:
    """Rounded grains in soft rows."""
    rng = tree.rng
    place = tree.flat(tree.repeats * rng.uniform(0.8, 1.6))
    bend = tree.noise(tree.solid(), tree.repeats * rng.uniform(0.6, 1.5), 2)
    x, y, _ = tree.parts(place)
    wide = rng.uniform(1.4, 2.4)
    along = _wave(tree, _pushed(tree, tree.math("MULTIPLY", x, wide), bend, rng.uniform(0.6, 4)))
    up = _wave(tree, _pushed(tree, tree.math("MULTIPLY", y, wide), bend, -rng.uniform(0.3, 3)))
    grain = tree.math("POWER", tree.math("MULTIPLY", along, up), rng.uniform(0.3, 0.6))
    level = tree.blend(grain, rng.uniform(0.3, 0.5), 1.1)
    tree.finish(_tone(tree, level), rng.uniform(0.3, 0.55), grain, rng.uniform(0.004, 0.015))


def wooden(tree: Tree) -> None:
    """Grain that runs along the form and wanders."""
    rng = tree.rng
    grain = _bands(tree, tree.repeats * rng.uniform(0.8, 2), rng.uniform(1.5, 8),
                   coarse=rng.uniform(0.25, 0.6))  # fmt: skip
    sharp = tree.math("POWER", grain, rng.choice((0.5, 1.0, 2.0)))
    fibre = tree.noise(tree.solid((20.0, 20.0, 2.0)), 1.0, 3, 0.6)
    level = tree.math("ADD", tree.blend(sharp, rng.uniform(0.5, 0.7), 1.15),
                      tree.blend(fibre, -0.15, 0.15))  # fmt: skip
    tree.finish(_tone(tree, level), rng.uniform(0.35, 0.7), sharp, rng.uniform(0.0, 0.006))


def planks(tree: Tree) -> None:
    """Boards as long as the form, side by side, light and dark."""
    rng = tree.rng
    place = tree.flat(tree.repeats * rng.uniform(0.7, 1.2), turned=rng.random() < 0.4)
    _, y, _ = tree.parts(place)
    board = tree.math("FLOOR", y)
    tint = tree.node("TexWhiteNoise", {"Vector": tree.node("CombineXYZ", {0: board}).outputs[0]})
    by_turns = tree.math("FLOORED_MODULO", board, 2.0)
    light = rng.choice((by_turns, tint.outputs["Value"]))
    bend = tree.noise(tree.solid(), rng.uniform(2, 5), 3)
    grain = _wave(tree, _pushed(tree, tree.math("MULTIPLY", y, rng.choice((2.0, 3.0))), bend, 2.0))
    level = tree.math("ADD", tree.blend(light, rng.uniform(0.65, 0.85), 1.1),
                      tree.blend(grain, -0.25, 0.2))  # fmt: skip
    wide = rng.uniform(0.03, 0.08)
    gap = tree.step(tree.math("PINGPONG", y, 0.5), wide, wide * 0.4)
    tree.finish(tree.mix(gap, _tone(tree, level), (0.02, 0.014, 0.01)), rng.uniform(0.4, 0.8),
                tree.math("SUBTRACT", 1.0, gap), rng.uniform(0.008, 0.02))  # fmt: skip


def stone(tree: Tree) -> None:
    rng = tree.rng
    cloud = tree.noise(tree.solid(), tree.repeats * rng.uniform(0.5, 1.2), rng.uniform(2, 4), 0.55)
    level = tree.blend(tree.step(cloud, 0.15, 0.85), rng.uniform(0.2, 0.45), 1.4)
    tree.finish(_tone(tree, level), 0.95, cloud, rng.uniform(0.04, 0.12))


def concrete(tree: Tree) -> None:
    rng = tree.rng
    cloud = tree.noise(tree.solid(), tree.repeats * rng.uniform(0.6, 1.6), 3, 0.55)
    edge = rng.uniform(0.52, 0.62)
    pits = tree.step(cloud, edge, edge + rng.uniform(0.03, 0.08))
    level = tree.math("MULTIPLY_ADD", pits, -rng.uniform(0.35, 0.6), tree.blend(cloud, 0.8, 1.1))
    tree.finish(_tone(tree, level), 0.95, tree.math("SUBTRACT", 0.0, pits),
                rng.uniform(0.004, 0.02))  # fmt: skip


def clay(tree: Tree) -> None:
    rng = tree.rng
    lumps = tree.noise(tree.solid(), tree.repeats * rng.uniform(0.4, 1.2), 2)
    tree.finish(_tone(tree, tree.blend(lumps, 0.82, 1.12)), rng.uniform(0.75, 1.0), lumps,
                rng.uniform(0.01, 0.05))  # fmt: skip


def marble(tree: Tree) -> None:
    """Long veins that wander side by side."""
    rng = tree.rng
    _, y, _ = tree.parts(tree.flat(tree.repeats * rng.uniform(0.4, 0.8), turned=rng.random() < 0.3))
    bend = tree.noise(tree.solid(), tree.repeats * rng.uniform(0.3, 0.7), 4, 0.55)
    off = tree.math("PINGPONG", _pushed(tree, y, bend, rng.uniform(1.2, 5)), 0.5)
    vein = tree.math("POWER", tree.step(off, rng.uniform(0.08, 0.18), 0.0), rng.uniform(1, 2))
    cloud = _tone(tree, tree.blend(bend, 0.85, 1.1))
    colour = tree.mix(tree.math("MULTIPLY", vein, 0.93), cloud, tree.second)
    tree.finish(colour, rng.uniform(0.06, 0.3))


def scales(tree: Tree) -> None:
    """Rows of scales that hang down, each paler towards its rim and dark where it is covered."""
    rng = tree.rng
    x, y, _ = tree.parts(tree.flat(tree.repeats * rng.uniform(0.9, 1.7)))
    y = tree.math("MULTIPLY", y, rng.uniform(0.9, 1.5))
    row = tree.math("FLOOR", y)
    off = tree.math("PINGPONG", tree.math("MULTIPLY_ADD", row, 0.5, x), 0.5)
    round_ = tree.math(
        "MULTIPLY", tree.math("POWER", off, rng.uniform(1.2, 2.2)), rng.uniform(1.5, 3)
    )
    above = tree.math("SUBTRACT", tree.math("FRACT", y), round_)
    front = tree.step(above, 0.0, 0.06)
    mine = tree.blend(above, rng.uniform(0.45, 0.7), 1.25)
    under = tree.blend(tree.math("FRACT", y), 0.2, 0.5)
    height = tree.math("MULTIPLY", front, tree.blend(above, 1.0, 0.5))
    tree.finish(_tone(tree, tree.blend(front, under, mine)), rng.uniform(0.2, 0.5), height,
                rng.uniform(0.01, 0.04))  # fmt: skip


def ice(tree: Tree) -> None:
    """Clear blue under white frost, with long pale cracks."""
    rng = tree.rng
    edge, cloud = _veins(tree), tree.noise(tree.solid(), tree.repeats * rng.uniform(0.5, 1), 4)
    wide = rng.uniform(0.03, 0.12)
    level = rng.uniform(0.5, 0.62)
    frost = tree.step(cloud, level, level + rng.uniform(0.05, 0.2))
    white = tree.math("MAXIMUM", tree.math("MULTIPLY", tree.step(edge, wide, 0.0), 0.85),
                      tree.math("MULTIPLY", frost, rng.uniform(0.5, 0.9)))  # fmt: skip
    blue = rng.choice(((0.3, 0.64, 0.85), (0.4, 0.7, 0.88), (0.25, 0.58, 0.8)))
    tint = tree.shaded(blue, tree.blend(cloud, 0.7, 1.25))
    tree.finish(tree.mix(white, tint, (0.88, 0.96, 1.0)), tree.blend(frost, 0.06, 0.5), white,
                rng.uniform(0.002, 0.01), Coat_Weight=rng.choice((0.0, 0.5)))  # fmt: skip
