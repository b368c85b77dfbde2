"""Materials that are laid around a form by its UVs: courses, boards, cloth, two-coloured ones."""

from __future__ import annotations

from typing import Any

from .nodes import RGB, Tree, Value

_JOINTS: tuple[RGB, ...] = ((0.55, 0.52, 0.48), (0.4, 0.38, 0.35), (0.72, 0.7, 0.66),
                            (0.1, 0.09, 0.08))  # fmt: skip


def _laid(
    tree: Tree, place: Value, width: float, height: float, joint: float, offset: float
) -> Any:
    """Outputs of Blender's own brick texture: pieces 0..1 by their tint, and where joints are."""
    inputs = {
        "Vector": place, "Color1": (0.0, 0.0, 0.0), "Color2": (1.0, 1.0, 1.0), "Scale": 1.0,
        "Mortar": (0.5, 0.5, 0.5), "Mortar Size": joint, "Mortar Smooth": 0.2,
        "Brick Width": width, "Row Height": height,
    }  # fmt: skip
    return tree.node("TexBrick", inputs, offset=offset, squash=1.0).outputs


def _tints(tree: Tree, share: Value, low: float, high: float) -> Any:
    return tree.shaded(tree.base, tree.blend(share, low, high))


def brick(tree: Tree) -> None:
    rng = tree.rng
    place = tree.wobbled(tree.flat(tree.repeats), 3.0, rng.uniform(0.0, 0.03))
    laid = _laid(tree, place, 1.0, rng.uniform(0.36, 0.5), rng.uniform(0.02, 0.045), 0.5)
    grain = tree.noise(tree.solid(), rng.uniform(12, 30), 4)
    level = tree.math("ADD", tree.blend(laid[0], 0.6, 1.15), tree.math("SUBTRACT", grain, 0.5))
    level = tree.math("MAXIMUM", level, 0.15)
    colour = tree.mix(laid[1], tree.shaded(tree.base, level), rng.choice(_JOINTS))
    height = tree.math(
        "ADD", tree.math("SUBTRACT", 1.0, laid[1]), tree.math("MULTIPLY", grain, 0.4)
    )
    tree.finish(colour, rng.uniform(0.7, 1.0), height, rng.uniform(0.01, 0.03))


def tiles(tree: Tree) -> None:
    rng = tree.rng
    laid = _laid(
        tree,
        tree.flat(tree.repeats * rng.uniform(0.9, 2.0)),
        1.0,
        1.0,
        rng.uniform(0.025, 0.06),
        0.0,
    )
    tint = rng.choice((0.15, 0.3, 0.5))
    glaze = _tints(tree, laid[0], 1.0 - tint, 1.0 + 0.4 * tint)
    colour = tree.mix(laid[1], glaze, rng.choice(_JOINTS))
    rough = tree.blend(laid[1], rng.uniform(0.08, 0.3), 0.9)
    height = tree.math("SUBTRACT", 1.0, laid[1])
    tree.finish(colour, rough, height, rng.uniform(0.008, 0.02))


def planks(tree: Tree) -> None:
    rng = tree.rng
    place = tree.flat(tree.repeats, turned=rng.random() < 0.5)
    width = rng.uniform(2.4, 5.0)
    laid = _laid(tree, place, width, rng.uniform(0.65, 0.85), rng.uniform(0.015, 0.035),
                 rng.choice((0.5, 0.37, 0.23)))  # fmt: skip
    along = tree.vector("MULTIPLY", place, (0.35, 6.0, 1.0))
    along = tree.vector("ADD", along, tree.node("CombineXYZ", {2: laid[0]}).outputs[0])
    grain = tree.noise(along, rng.uniform(0.8, 1.6), 4, 0.6)
    level = tree.math("ADD", tree.blend(laid[0], 0.62, 1.1), tree.math("SUBTRACT", grain, 0.5))
    level = tree.math("MAXIMUM", level, 0.1)
    colour = tree.mix(laid[1], tree.shaded(tree.base, level), (0.02, 0.014, 0.01))
    height = tree.math("SUBTRACT", tree.math("MULTIPLY", grain, 0.3), laid[1])
    tree.finish(colour, rng.uniform(0.4, 0.8), height, rng.uniform(0.008, 0.02))


def woven(tree: Tree) -> None:
    """Strands over and under: cells in which one, two or three of them run, by turns each way."""
    rng = tree.rng
    place = tree.flat(tree.repeats * rng.uniform(1.2, 2.2))
    x, y, _ = tree.parts(place)
    strands = rng.choice((1, 2, 2, 3)) * 3.14159
    warp = tree.math("ABSOLUTE", tree.math("SINE", tree.math("MULTIPLY", x, strands)))
    weft = tree.math("ABSOLUTE", tree.math("SINE", tree.math("MULTIPLY", y, strands)))
    dive_x = tree.math("ABSOLUTE", tree.math("SINE", tree.math("MULTIPLY", x, 3.14159)))
    dive_y = tree.math("ABSOLUTE", tree.math("SINE", tree.math("MULTIPLY", y, 3.14159)))
    flat = tree.node("CombineXYZ", {0: x, 1: y, 2: 0.5}).outputs[0]
    over = tree.node("TexChecker", {"Vector": flat, "Scale": 1.0}).outputs["Fac"]
    strand = tree.math("POWER", tree.blend(over, warp, weft), 0.7)
    ends = tree.math("POWER", tree.blend(over, dive_y, dive_x), 0.6)
    height = tree.math("MULTIPLY", strand, tree.blend(ends, 0.4, 1.0))
    fibre = tree.noise(place, 9.0, 2)
    level = tree.math("MULTIPLY", tree.blend(height, 0.08, 1.1), tree.blend(fibre, 0.8, 1.2))
    shade = tree.blend(over, 1.0, rng.uniform(0.65, 0.9))
    colour = tree.shaded(tree.base, tree.math("MULTIPLY", level, shade))
    tree.finish(colour, 0.9, height, rng.uniform(0.01, 0.025))


def scales(tree: Tree) -> None:
    """Rows of round shields, each half over the row below."""
    rng = tree.rng
    place = tree.flat(tree.repeats * rng.uniform(1.0, 1.7))
    x, y, _ = tree.parts(place)
    row = tree.math("FLOOR", tree.math("MULTIPLY", y, 1.4))
    above = _shield(tree, x, y, tree.math("ADD", row, 1.0))
    below = _shield(tree, x, y, row)
    behind = tree.step(above[0], 0.94, 0.98)
    reach = tree.blend(behind, above[0], below[0])
    tint = tree.blend(behind, above[1], below[1])
    shadow = tree.math("MULTIPLY", behind, tree.step(above[0], 1.35, 0.95))
    level = tree.math("SUBTRACT", tree.blend(tint, 0.65, 1.15), tree.math("MULTIPLY", shadow, 0.6))
    rim = tree.math("MULTIPLY", tree.step(reach, 0.75, 0.95), rng.uniform(-0.3, 0.35))
    level = tree.math("MAXIMUM", tree.math("ADD", level, rim), 0.08)
    height = tree.math("SUBTRACT", reach, tree.math("MULTIPLY", behind, 0.9))
    tree.finish(tree.shaded(tree.base, level), rng.uniform(0.2, 0.5), height,
                rng.uniform(0.015, 0.04))  # fmt: skip


def _shield(tree: Tree, x: Value, y: Value, row: Value) -> tuple[Any, Any]:
    """Distance from the nearest shield's root in a row (1 at its tip), and that shield's tint."""
    odd = tree.math("MULTIPLY", tree.math("FLOORED_MODULO", row, 2.0), 0.5)
    column = tree.math("FLOOR", tree.math("ADD", x, odd))
    middle = tree.math("SUBTRACT", tree.math("ADD", column, 0.5), odd)
    across = tree.math("MULTIPLY", tree.math("SUBTRACT", x, middle), 1.35)
    down = tree.math("SUBTRACT", tree.math("DIVIDE", row, 1.4), y)
    square = tree.math("ADD", tree.math("MULTIPLY", across, across),
                       tree.math("MULTIPLY", down, down))  # fmt: skip
    spot = tree.node("CombineXYZ", {0: column, 1: row}).outputs[0]
    tint = tree.node("TexWhiteNoise", {"Vector": spot}).outputs["Value"]
    return tree.math("MULTIPLY", tree.math("SQRT", square), 1.3), tint


def _two(tree: Tree, share: Value) -> None:
    rng = tree.rng
    tree.finish(tree.mix(share, tree.base, tree.second), rng.uniform(0.15, 0.8))


def striped(tree: Tree) -> None:
    rng = tree.rng
    if rng.random() < 0.5:
        way = rng.choice(((0.0, 0.0, 1.0), (0.7, 0.3, 0.0), (0.35, 0.35, 0.8)))
        along = tree.dot(tree.solid(tree.repeats), way)
    else:
        along = tree.parts(tree.flat(tree.repeats * rng.uniform(0.8, 1.3)))[rng.randrange(2)]
    wide = rng.uniform(0.4, 0.6)
    phase = tree.math("FRACT", along)
    band = tree.math("MULTIPLY", tree.step(phase, wide - 0.01, wide + 0.01),
                     tree.step(phase, 1.0, 0.98))  # fmt: skip
    _two(tree, band)


def zigzag(tree: Tree) -> None:
    rng = tree.rng
    place = tree.flat(tree.repeats * rng.uniform(0.75, 1.2), turned=rng.random() < 0.25)
    x, y, _ = tree.parts(place)
    tooth = tree.math("PINGPONG", x, 0.5)
    wave = tree.math("MULTIPLY_ADD", y, rng.uniform(1.0, 1.6), tooth)
    phase, wide = tree.math("FRACT", wave), rng.uniform(0.42, 0.6)
    band = tree.math("MULTIPLY", tree.step(phase, wide - 0.01, wide + 0.01),
                     tree.step(phase, 1.0, 0.98))  # fmt: skip
    _two(tree, band)


def checkered(tree: Tree) -> None:
    x, y, _ = tree.parts(tree.flat(tree.repeats * tree.rng.uniform(0.9, 2.0)))
    flat = tree.node("CombineXYZ", {0: x, 1: y, 2: 0.5}).outputs[0]
    _two(tree, tree.node("TexChecker", {"Vector": flat, "Scale": 1.0}).outputs["Fac"])


def spotted(tree: Tree) -> None:
    rng = tree.rng
    if rng.random() < 0.35:
        place = tree.flat(tree.repeats)
        x, y, _ = tree.parts(place)
        place = tree.node("CombineXYZ", {0: x, 1: y}).outputs[0]
        reach = tree.cells(place, 1.0, loose=0.0)[0]
        size = rng.uniform(0.25, 0.36)
    else:
        loose = rng.uniform(0.3, 0.9)
        reach = tree.cells(tree.solid(), tree.repeats, loose=loose)[0]
        size = rng.uniform(0.28, 0.4)
    _two(tree, tree.step(reach, size, size - 0.025))
