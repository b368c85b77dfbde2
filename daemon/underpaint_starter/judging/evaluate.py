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

from underpaint.cli.terminal.parser import Parser
from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint.errors import ErrorCode, RequestError
from underpaint.measures import Report
from underpaint_daemon.common.models import starter_folder
from underpaint_starter.judging import columns as c
from underpaint_starter.judging.bars import bars_of
from underpaint_starter.judging.comparison import write_comparison
from underpaint_starter.judging.scores import Scores, joined
from underpaint_starter.judging.subjects import NATIVE_SIZE
from underpaint_starter.judging.tasks import Given, Scenes, tasks_of, work
from underpaint_starter.judging.word_swap import Swap
from underpaint_starter.networks.export import folder_mb
from underpaint_starter.networks.painter import Painter
from underpaint_starter.processes import each, usual_count
from underpaint_starter.scenes.mesh_files import load_obj
from underpaint_starter.scenes.shapes import Mesh
from underpaint_starter.scenes.shards import Image8
from underpaint_starter.training.sheets import save_grid

_FIRST_SEED = 9_000_000  # far from the training scenes' seeds
Confusions = dict[str, dict[str, dict[str, int]]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures, what was taken for what, and rows of pictures."""

    measures: dict[str, float]
    confusions: Confusions
    rows: list[list[Image8]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; `sheet`: where a comparison of 24 fixed scenes goes,
    `against`: another model's folder for it."""

    model: Path
    seed: int
    count: int
    size: int
    out: Path
    processes: int
    mesh: Mesh | None = None
    sheet: Path | None = None
    against: Path | None = None


def run(asked: Asked) -> Report:
    """Render, paint, measure; writes pictures and confusions into `asked.out`."""
    began = time.perf_counter()
    found = evaluate(asked)
    measures = found.measures | {
        "weights_mb": folder_mb(asked.model),
        "eval_seconds": time.perf_counter() - began,
    }
    written = _written(asked.out, found)
    if asked.sheet is not None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        painter = Painter.load(asked.model, device, "depth")
        written += write_comparison(asked.sheet, painter, asked.against, device)
    return Report("eval starter", asked.seed, measures, bars_of(measures), written)


def evaluate(asked: Asked) -> Evaluation:
    """All measures of a model, by as many processes as are asked for."""
    given = Given(
        asked.model, _FIRST_SEED + asked.seed * 100_000, asked.count, asked.size, asked.mesh
    )
    line, began = ProgressLine(), time.perf_counter()

    def told(done: int, total: int) -> None:
        left = (time.perf_counter() - began) * (total / done - 1)
        line.part("measuring", done, total, left)

    try:
        done = each(work, tasks_of(given), asked.processes, told)
    finally:
        line.end()
    (swap,) = (one for one in done if isinstance(one, Swap))
    (sides,) = (one for one in done if isinstance(one, dict))
    scenes = [one for one in done if isinstance(one, Scenes)]
    return _of_scenes(scenes, swap, sides)


def _of_scenes(scenes: Sequence[Scenes], swap: Swap, sides: dict[str, float]) -> Evaluation:
    true = joined([part.true for part in scenes])
    measures = true.measures("_render") | c.sample_measures(true, "_render")
    measures |= c.render_halves(true)
    confusions: Confusions = {"render": true.confusion()}
    columns = scenes[0].columns
    for column in columns:
        tried = [part for part in scenes if column.suffix in part.painted]
        mine = joined([part.painted[column.suffix].scores for part in tried])
        measures |= _measured(mine, true, column)
        confusions[column.suffix.removeprefix("_") or "guided"] = mine.confusion()
        if column.steps is not None:
            few = joined([part.painted[columns[0].suffix].scores for part in tried])
            measures["steps_default_against_20"] = c.largest_change(mine, few)
    measures["seconds_per_image"] = _seconds_an_image(scenes)
    confusions["word_swap"] = swap.confusion
    measures["word_swap_accuracy"] = swap.accuracy
    measures["word_swap_tries"] = float(swap.tries)
    decibels = [value for part in scenes for value in part.decibels]
    through = joined([part.through for part in scenes if part.through is not None])
    measures |= c.vae_measures(decibels, through, true)
    measures |= c.blur_reference([bands for part in scenes for bands in part.soft], true) | sides
    return Evaluation(measures, confusions, scenes[0].rows)


def _seconds_an_image(scenes: Sequence[Scenes]) -> float:
    """By the columns that the model ships with; one process's."""
    counts = [len(part.true.silhouette) for part in scenes]
    seconds = [part.painted[part.columns[0].suffix].seconds for part in scenes]
    return float(np.average(seconds, weights=counts))


def _measured(mine: Scores, true: Scores, column: c.Column) -> dict[str, float]:
    if column.scale == 0:
        return {f"silhouette_iou{column.suffix}": mine.measures("")["silhouette_iou"]}
    figures = mine.measures(column.suffix) | c.sample_measures(mine, column.suffix)
    if column.steps is None:
        figures |= c.texture_measures(mine, true, column.suffix)
    return figures


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
    if not 1 <= options.processes <= 64:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--processes {options.processes} is not from 1 to 64"
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
            options.processes,
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
    told = "how many share the work; the figures are the same for any (one a processor)"
    parser.add_argument("--processes", type=int, default=usual_count(), help=told)
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
