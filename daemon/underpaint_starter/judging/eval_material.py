"""`underpaint eval material`: can a tile's material be named, and does it repeat?

Ten materials are painted as `underpaint material` paints them; each tile fills a
plane, which the classifier sees from three sides: its patterns are then as large as on the things
that it has learnt from.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.cli.options import add_json
from underpaint.cli.terminal.parser import Parser
from underpaint.measures import Report, at_least, at_most
from underpaint.paths import user_paths
from underpaint.requests import STARTER_MODEL, ImageRequest, Prompt, Sampling, TileAxes
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.quiet import Quiet
from underpaint_starter.judging.materials import MaterialJudge, load_materials, patch_of, read
from underpaint_starter.judging.metrics import Mask
from underpaint_starter.judging.word_swap import WORDS
from underpaint_starter.scenes.captions import MATERIAL_WORDS
from underpaint_starter.scenes.colours import TWO_TONE
from underpaint_starter.scenes.shards import Image8
from underpaint_starter.training.sheets import save_grid

_SIDE = 224  # px of the picture of a plane
_WRAP = 2.0  # deviations
_NAMED = 0.7
# Corners of the plane in the picture (0..1, clockwise from the upper left): from the front, from
# below its middle, from the right.
_CORNERS = (
    ((0.04, 0.04), (0.96, 0.04), (0.96, 0.96), (0.04, 0.96)),
    ((0.2, 0.2), (0.8, 0.2), (0.98, 0.86), (0.02, 0.86)),
    ((0.08, 0.02), (0.86, 0.16), (0.86, 0.84), (0.08, 0.98)),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A painted tile: its word, pixels, and the worse of its wraps in deviations."""

    word: str
    image: Image8
    wrap: float


def prompt_of(word: str) -> str:
    """What an artist types for a material."""
    colours = "red and white " if word in TWO_TONE else ""
    return colours + MATERIAL_WORDS[word][0][0]


def paint_tiles(model: str, size: int, seed: int) -> list[Tile]:
    """Tiles in WORDS, by the very runner that the daemon has."""
    runner = PipelineRunner(ModelCache(user_paths()))
    tiles = []
    for word in WORDS:
        request = ImageRequest(
            Prompt(prompt_of(word)),
            model=model,
            width=size,
            height=size,
            tile=TileAxes.XY,
            sampling=Sampling(seed=seed),
        )
        artifacts = runner(request, Buffers(), Quiet())
        picture = next(a for a in artifacts if a.media == "image/png")
        wraps = [v for a in artifacts for k, v in a.facts.items() if k.endswith("_deviation")]
        image = np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))
        tiles.append(Tile(word, image, max(wraps)))
    return tiles


def laid(tile: Image8) -> list[tuple[Image8, Mask]]:
    """Pictures (n, n, 3) of a plane covered with the tile, and where it is, from three sides."""
    height, width = tile.shape[:2]
    here = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    out = []
    for corners in _CORNERS:
        there = np.array(corners, np.float32) * _SIDE
        matrix = cv2.getPerspectiveTransform(here, there)
        shrunk = cv2.GaussianBlur(tile, (0, 0), max(0.01, 0.35 * width / _SIDE - 0.35))
        image = np.asarray(cv2.warpPerspective(shrunk, matrix, (_SIDE, _SIDE)), np.uint8)
        whole = np.full((height, width), 255, np.uint8)
        out.append((image, np.asarray(cv2.warpPerspective(whole, matrix, (_SIDE, _SIDE))) > 250))
    return out


def named(judge: MaterialJudge, tile: Tile) -> bool:
    """Whether most views of the laid tile are named rightly."""
    names = read(judge, [patch_of(image, mask) for image, mask in laid(tile.image)]).names()
    return 2 * names.count(tile.word) > len(names)


def main(argv: Sequence[str]) -> int:
    """Command line; see `--help`."""
    options = _parser().parse_args(argv)
    tiles = paint_tiles(options.model, options.size, options.seed)
    judge = load_materials()
    right = {tile.word: named(judge, tile) for tile in tiles}
    measures = {f"named_{word}": float(found) for word, found in right.items()} | {
        "material_tile_accuracy": float(np.mean(list(right.values()))),
        "wrap_worst_deviation": max(tile.wrap for tile in tiles),
    }
    sheet = options.out / "material_tiles.png"
    rows = [[view[0] for view in laid(tile.image)] for tile in tiles]
    save_grid([[row[k] for row in rows] for k in range(len(_CORNERS))], sheet)
    bars = [
        at_least("material_tile_accuracy", measures["material_tile_accuracy"], _NAMED),
        at_most("wrap_worst_deviation", measures["wrap_worst_deviation"], _WRAP),
    ]
    report = Report("eval material", options.seed, measures, bars, [str(sheet)])
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="underpaint eval material",
        description="Paint ten materials as tiles and have the classifier name them on a plane.",
    )
    parser.add_argument("--model", default=STARTER_MODEL)
    parser.add_argument("--size", type=int, default=256, help="pixels a side (256)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("eval_out"), help="folder for the sheet")
    add_json(parser)
    return parser
