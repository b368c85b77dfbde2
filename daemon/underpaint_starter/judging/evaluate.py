"""`underpaint eval starter`: what the model paints for unseen scenes, measured.

Scenes are new ones of the seed (held-out combinations of shape, material and colour, or the mesh
that is given). Judges and plain measures (see `judge`, `materials`, `metrics`) look at the
paintings and, for the ceiling, at the renders of the same scenes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from underpaint.cli.guard import Parser
from underpaint.errors import ErrorCode, RequestError
from underpaint.measures import Report
from underpaint_daemon.common.models import starter_folder
from underpaint_starter.judging import columns as c
from underpaint_starter.judging.bars import bars_of
from underpaint_starter.judging.comparison import write_comparison
from underpaint_starter.judging.judge import load_judge
from underpaint_starter.judging.materials import load_materials
from underpaint_starter.judging.scenes_of import rendered
from underpaint_starter.judging.scores import Judges, Scores, score
from underpaint_starter.judging.subjects import NATIVE_SIZE, Subject, subject_of
from underpaint_starter.judging.views import Pair, pairs_of
from underpaint_starter.judging.word_swap import Swap, swapped
from underpaint_starter.networks.export import folder_mb
from underpaint_starter.networks.painter import Painter
from underpaint_starter.scenes.shapes import Mesh, load_obj
from underpaint_starter.scenes.shards import Image8
from underpaint_starter.training.sheets import save_grid

_FIRST_SEED = 9_000_000  # far from the training scenes' seeds
_SEEN_THROUGH = 64  # renders that go through the autoencoder
_PAIRS = 24  # objects that are seen from two sides
_SHOWN = 8  # columns of the sheet
Confusions = dict[str, dict[str, dict[str, int]]]


@dataclass(frozen=True, slots=True)
class Test:
    """A model, who judges it, and on what."""

    painter: Painter
    judges: Judges
    subjects: list[Subject]
    pairs: list[Pair]
    seed: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures, what was taken for what, and rows of pictures."""

    measures: dict[str, float]
    confusions: Confusions
    rows: list[list[Image8]]


def evaluate(test: Test) -> Evaluation:
    """All measures of a model."""
    renders = [subject.rgb for subject in test.subjects]
    true = score(test.judges, renders, test.subjects)
    measures = true.measures("_render") | c.sample_measures(true, "_render")
    measures |= c.render_halves(true)
    confusions: Confusions = {"render": true.confusion()}
    shown = test.subjects[:_SHOWN]
    rows = [[subject.sample.rgb for subject in shown], [_depth(subject) for subject in shown]]
    shipped: c.Outcome | None = None
    for column in c.columns_of(tuple(test.painter.nets)):
        outcome = c.tried(test.painter, test.judges, test.subjects, column, test.seed)
        rows.append(outcome.images[:_SHOWN])
        measures |= _measured(outcome.scores, true, column)
        confusions[column.suffix.removeprefix("_") or "guided"] = outcome.scores.confusion()
        if shipped is None:
            shipped = outcome
            measures["seconds_per_image"] = outcome.seconds
        elif column.steps is not None:
            count = len(outcome.images)
            few = score(test.judges, shipped.images[:count], test.subjects[:count])
            measures["steps_default_against_20"] = c.largest_change(outcome.scores, few)
    swap = _swap(test)
    confusions["word_swap"] = swap.confusion
    measures["word_swap_accuracy"] = swap.accuracy
    measures["word_swap_tries"] = float(swap.tries)
    measures |= c.through_vae(test.painter, test.judges, test.subjects[:_SEEN_THROUGH], true)
    measures |= c.blur_reference(test.subjects, true) | _agreement(test)
    return Evaluation(measures, confusions, rows)


def _depth(subject: Subject) -> Image8:
    return c.conditions_of(subject.sample)["depth"]


def _measured(mine: Scores, true: Scores, column: c.Column) -> dict[str, float]:
    if column.scale == 0:
        return {f"silhouette_iou{column.suffix}": mine.measures("")["silhouette_iou"]}
    figures = mine.measures(column.suffix) | c.sample_measures(mine, column.suffix)
    if column.steps is None:
        figures |= c.texture_measures(mine, true, column.suffix)
    return figures


def _shipped(painter: Painter) -> Painter:
    return painter.following(*c.columns_of(tuple(painter.nets))[0].controls)


def _swap(test: Test) -> Swap:
    return swapped(_shipped(test.painter), test.judges.materials, test.subjects, test.seed)


def _agreement(test: Test) -> dict[str, float]:
    """Textures of two sides at the same spots: painted, each from a noise of its own, and true."""
    column = c.columns_of(tuple(test.painter.nets))[0]
    first, _ = c.paint(test.painter, [pair.first for pair in test.pairs], column, test.seed)
    second, _ = c.paint(test.painter, [p.second for p in test.pairs], column, test.seed + 5_000)
    found = zip(test.pairs, first, second, strict=True)
    suffix = "" if "guide" in column.controls else "_unguided"
    return {
        f"view_agreement{suffix}": float(np.mean([p.agreement(a, b) for p, a, b in found])),
        "view_agreement_render": float(
            np.mean([pair.agreement(pair.first.rgb, pair.second.rgb) for pair in test.pairs])
        ),
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; `sheet`: where a comparison of 24 fixed scenes goes,
    `against`: another model's folder for it."""

    model: Path
    seed: int
    count: int
    size: int
    out: Path
    mesh: Mesh | None = None
    sheet: Path | None = None
    against: Path | None = None


def run(asked: Asked) -> Report:
    """Render, paint, measure; writes pictures and confusions into `asked.out`."""
    began = time.perf_counter()
    first = _FIRST_SEED + asked.seed * 100_000
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    painter = Painter.load(asked.model, device, "depth")
    samples = rendered(range(first, first + asked.count), asked.size, asked.mesh)
    pairs = pairs_of(first + 50_000, min(_PAIRS, asked.count), asked.size, asked.mesh)
    judges = Judges(load_judge(), load_materials())
    test = Test(painter, judges, [subject_of(s) for s in samples], pairs, first)
    found = evaluate(test)
    measures = found.measures | {
        "weights_mb": folder_mb(asked.model),
        "eval_seconds": time.perf_counter() - began,
    }
    written = _written(asked.out, found)
    if asked.sheet is not None:
        written += write_comparison(asked.sheet, painter, asked.against, device)
    return Report("eval starter", asked.seed, measures, bars_of(measures), written)


def _written(out: Path, found: Evaluation) -> list[str]:
    sheet, confusion = out / "starter_sheet.png", out / "starter_confusion.json"
    save_grid(found.rows, sheet)
    confusion.write_text(json.dumps(found.confusions, indent=1), "utf-8")
    return [str(sheet), str(confusion)]


def main(argv: Sequence[str]) -> int:
    """Command line; see `--help`."""
    options = _parser().parse_args(argv)
    if options.count < 8:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--count {options.count} is below 8")
    if options.size % 64 or not 128 <= options.size <= 1024:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--size {options.size} is no multiple of 64 from 128 to 1024"
        )
    if options.against is not None and options.sheet is None:
        raise RequestError(ErrorCode.BAD_REQUEST, "--against needs --sheet FILE to show it in")
    report = run(
        Asked(
            options.model,
            options.seed,
            options.count,
            options.size,
            options.out,
            _mesh(options.mesh),
            options.sheet,
            options.against,
        )
    )
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _mesh(path: Path | None) -> Mesh | None:
    if path is None:
        return None
    try:
        return load_obj(path)
    except (OSError, ValueError, IndexError) as error:
        raise RequestError(ErrorCode.BAD_MESH, f"Cannot read {path}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="underpaint eval starter",
        description="Measure the starter model on unseen scenes: guided (depth and guide, as it "
        "ships), by depth alone (_unguided), by depth and normals, and against renders.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another set of scenes")
    parser.add_argument("--count", type=int, default=200, help="scenes, at least 8 (200)")
    parser.add_argument("--size", type=int, default=NATIVE_SIZE, help="side of a picture, px")
    parser.add_argument("--mesh", type=Path, help="an OBJ file to put into the scenes")
    parser.add_argument("--model", type=Path, default=starter_folder(), help="model folder")
    parser.add_argument(
        "--out", type=Path, default=Path("eval_out"), help="for sheet and confusions"
    )
    told = "write a PNG of 24 fixed scenes: render, control, painting"
    parser.add_argument("--sheet", type=Path, metavar="FILE", help=told)
    told = "another model's folder: the sheet shows it too, and a blind one of pairs is written"
    parser.add_argument("--against", type=Path, metavar="MODEL", help=told)
    return parser
