"""Sheets to look at: the same 24 scenes always, never chosen by hand; and blind pairs."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import torch

from underpaint_starter.judging.columns import Column, columns_of, conditions_of, paint
from underpaint_starter.networks.painter import Painter
from underpaint_starter.scenes.dataset import SceneSample, render_scene
from underpaint_starter.scenes.shards import Image8
from underpaint_starter.training.sheets import save_grid

SEEDS = range(9_900_000, 9_900_024)
_ACROSS = 12
_SIZE = 256


def write_comparison(
    path: Path, painter: Painter, against: Path | None, device: torch.device
) -> list[str]:
    """Write the sheet (rows: render, control, the other model, this one), and with another model
    a blind one beside it: pairs above each other in an order that `…_blind.json` tells, 0 where
    the other model is above."""
    samples = [render_scene(seed, _SIZE, held_out=True) for seed in SEEDS]
    kinds = [[sample.rgb for sample in samples], [_shown(sample, painter) for sample in samples]]
    painted = [_painted(painter, samples)]
    if against is not None:
        painted.insert(0, _painted(Painter.load(against, device, "depth"), samples))
    save_grid(_wrapped(kinds + painted), path)
    if against is None:
        return [str(path)]
    return [str(path), *_blind(path, painted[0], painted[1])]


def _shown(sample: SceneSample, painter: Painter) -> Image8:
    return conditions_of(sample)[_shipped(painter).controls[-1]]


def _shipped(painter: Painter) -> Column:
    return columns_of(tuple(painter.nets))[0]


def _painted(painter: Painter, samples: list[SceneSample]) -> list[Image8]:
    return paint(painter, samples, _shipped(painter), SEEDS[0])[0]


def _wrapped(kinds: list[list[Image8]]) -> list[list[Image8]]:
    """Rows of at most _ACROSS pictures, all kinds of a scene below each other."""
    starts = range(0, len(SEEDS), _ACROSS)
    return [kind[start : start + _ACROSS] for start in starts for kind in kinds]


def _blind(path: Path, one: list[Image8], other: list[Image8]) -> list[str]:
    draw = Random(path.name)
    order = [draw.randrange(2) for _ in one]
    pairs = [
        (a, b) if first == 0 else (b, a) for a, b, first in zip(one, other, order, strict=True)
    ]
    sheet, key = (path.with_name(f"{path.stem}_blind{end}") for end in (".png", ".json"))
    save_grid(_wrapped([[pair[0] for pair in pairs], [pair[1] for pair in pairs]]), sheet)
    key.write_text(json.dumps(dict(zip(map(str, SEEDS), order, strict=True)), indent=1), "utf-8")
    return [str(sheet), str(key)]
