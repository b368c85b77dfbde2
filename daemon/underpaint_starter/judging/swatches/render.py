"""`python -m underpaint_starter.judging.swatches.render --out FOLDER`: pictures of every material.

Run it with a Blender's Python (`.blender/5.2/bin/python`, with `daemon/` on PYTHONPATH). Each
picture is an RGBA PNG `MATERIAL_NUMBER.png`, the object in front of nothing; Cycles on the CPU and
its denoiser. Pictures that are there already are kept, so that it can be stopped and carried on.
"""

from __future__ import annotations

import argparse
import colorsys
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import bpy

from . import bodies, coats, drawn_looks, flat_looks, solid_looks, stage
from .nodes import RGB, Tree

_FLAT = ("brick", "tiles", "planks", "woven", "scales", "striped", "zigzag", "checkered", "spotted")
_SOLID = ("plain", "plastic", "clay", "stone", "concrete", "marble", "cracked", "mossy", "rusty",
          "wooden", "bark", "leather", "metal", "chrome", "gold", "copper", "glass", "lava",
          "ice")  # fmt: skip
_DRAWN = ("lava", "cracked", "leaves", "fur", "metal", "leather", "wooden", "planks", "stone",
          "concrete", "clay", "marble", "scales", "ice")  # fmt: skip
LOOKS: dict[str, Callable[[Tree], None]] = {
    **{name: getattr(flat_looks, name) for name in _FLAT},
    **{name: getattr(solid_looks, name) for name in _SOLID},
}
DRAWN: dict[str, Callable[[Tree], None]] = {name: getattr(drawn_looks, name) for name in _DRAWN}
COATS: dict[str, Callable[[Tree, Any], None]] = {"fur": coats.fur, "leaves": coats.leaves}
WORDS = (*LOOKS, *COATS)
_TWO_TONE = frozenset({"striped", "zigzag", "checkered", "spotted", "plain", "plastic"})
# Colours that a material has where no colour is said, linear.
_NATURAL: dict[str, tuple[RGB, ...]] = {
    "brick": ((0.36, 0.09, 0.045), (0.28, 0.07, 0.04), (0.42, 0.16, 0.08)),
    "planks": ((0.36, 0.19, 0.07), (0.22, 0.1, 0.045), (0.5, 0.32, 0.17)),
    "wooden": ((0.42, 0.2, 0.065), (0.25, 0.1, 0.035), (0.55, 0.34, 0.15)),
    "bark": ((0.15, 0.09, 0.05), (0.1, 0.065, 0.04), (0.2, 0.14, 0.09)),
    "marble": ((0.83, 0.81, 0.78), (0.75, 0.74, 0.76), (0.05, 0.05, 0.06)),
    "stone": ((0.3, 0.28, 0.26), (0.2, 0.2, 0.2), (0.4, 0.33, 0.24)),
    "concrete": ((0.42, 0.41, 0.4), (0.3, 0.3, 0.3)),
    "mossy": ((0.25, 0.23, 0.2), (0.18, 0.17, 0.16)),
    "cracked": ((0.3, 0.26, 0.21), (0.43, 0.3, 0.18), (0.22, 0.22, 0.22)),
    "tiles": ((0.65, 0.75, 0.8), (0.1, 0.3, 0.4), (0.6, 0.2, 0.08), (0.8, 0.8, 0.78)),
    "metal": ((0.55, 0.56, 0.58), (0.4, 0.42, 0.45)),
    "leather": ((0.19, 0.058, 0.018), (0.1, 0.03, 0.012), (0.3, 0.12, 0.04)),
    "woven": ((0.55, 0.35, 0.15), (0.45, 0.4, 0.3), (0.3, 0.16, 0.06)),
    "scales": ((0.02, 0.19, 0.06), (0.05, 0.22, 0.15), (0.22, 0.05, 0.02)),
    "fur": ((0.43, 0.22, 0.09), (0.19, 0.09, 0.04), (0.6, 0.46, 0.3), (0.16, 0.15, 0.15)),
    "leaves": ((0.04, 0.22, 0.02), (0.09, 0.26, 0.02), (0.025, 0.14, 0.025)),
    "clay": ((0.49, 0.15, 0.07), (0.58, 0.26, 0.15), (0.4, 0.3, 0.24)),
    "glass": ((0.65, 0.83, 0.8), (0.8, 0.9, 0.92)),
}
_DRAWN_SHARE = 0.75  # of the pictures of a word that others draw in other ways
_COLOURED = 0.6  # share of pictures in which a material that is free takes any colour


def _colour(rng: Random) -> RGB:
    if rng.random() < 0.22:
        grey = rng.choice((0.02, 0.08, 0.22, 0.5, 0.85)) * rng.uniform(0.8, 1.1)
        return (grey, grey, grey)
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.55, 1.0), rng.uniform(0.15, 0.95))


def _colours(word: str, rng: Random) -> tuple[RGB, RGB]:
    """Base and second colour of a material."""
    any_colour = word in _TWO_TONE or word not in _NATURAL or rng.random() < _COLOURED
    base = _colour(rng) if any_colour and word != "mossy" else rng.choice(_NATURAL[word])
    dark = sum(base) < 0.9
    if word == "marble":
        return base, rng.choice(((0.8, 0.75, 0.65), (0.9, 0.9, 0.9)) if dark else
                                ((0.03, 0.03, 0.035), (0.15, 0.13, 0.12)))  # fmt: skip
    contrast = (0.85, 0.85, 0.83) if dark else (0.02, 0.02, 0.022)
    return base, contrast if rng.random() < 0.75 else _colour(rng)


def set_up(size: int, samples: int) -> None:
    """An empty scene that Cycles renders to RGBA pictures on one thread."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.film_transparent = True
    scene.render.threads_mode, scene.render.threads = "FIXED", 1
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.cycles.samples, scene.cycles.use_denoising = samples, True
    scene.cycles.denoiser, scene.cycles.denoising_prefilter = "OPENIMAGEDENOISE", "FAST"
    scene.cycles.denoising_input_passes = "RGB_ALBEDO"
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.max_bounces = 8
    scene.cycles.diffuse_bounces, scene.cycles.glossy_bounces = 1, 3
    scene.cycles.caustics_reflective = scene.cycles.caustics_refractive = False
    scene.cycles.sample_clamp_indirect = 3.0


def swatch(word: str, seed: int, size: int, samples: int, cow: Path | None, unseen: bool) -> None:
    """Build the picture of a seed; `unseen` takes the forms that are kept from training."""
    rng = Random(zlib.crc32(f"{word}|{seed}|{unseen}".encode()))
    set_up(size, samples)
    body = bodies.body_of(rng, unseen, cow)
    base, second = _colours(word, rng)
    material = bpy.data.materials.new(word)
    material.use_nodes = True
    tree = Tree(material, rng, base, second, 2.4 * 3.2 ** rng.random())
    body.data.materials.append(material)
    _dress(word, tree, body)
    stage.sky(rng)
    towards = stage.camera(rng, body)
    stage.lights(rng, towards)
    if rng.random() < 0.7:
        stage.floor(rng, -0.6)
    view = bpy.context.scene.view_settings
    view.view_transform = rng.choice(("Standard", "Standard", "AgX", "Filmic"))
    view.exposure = rng.uniform(-0.3, 0.3)


def _dress(word: str, tree: Tree, body: Any) -> None:
    """One of the word's looks, by chance."""
    if word in DRAWN and tree.rng.random() < _DRAWN_SHARE:
        DRAWN[word](tree)
    elif word in COATS:
        COATS[word](tree, body)
    else:
        LOOKS[word](tree)


def main() -> None:
    """Command line; see the module's text."""
    options = _parser().parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for number in range(options.first, options.first + options.count):
        for word in options.words or WORDS:
            path = options.out / f"{word}_{number:04d}.png"
            if path.exists():
                continue
            swatch(word, number, options.size, options.samples, options.cow, options.unseen)
            bpy.context.scene.render.filepath = str(path)
            bpy.ops.render.render(write_still=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--count", type=int, default=40, help="pictures a material (40)")
    parser.add_argument("--first", type=int, default=0, help="number of the first picture (0)")
    parser.add_argument("--size", type=int, default=160, help="side of a picture, px (160)")
    parser.add_argument("--samples", type=int, default=3, help="Cycles samples a pixel (3)")
    parser.add_argument("--unseen", action="store_true", help="forms that are kept from training")
    parser.add_argument("--cow", type=Path, help="an OBJ file, one of the unseen forms")
    parser.add_argument("--words", nargs="*", choices=WORDS, help="only these materials")
    return parser


if __name__ == "__main__":
    main()
