"""`underpaint eval starter`: what the model paints for unseen scenes, measured.

Scenes are new ones of the seed (held-out combinations of shape, material and colour, or the mesh
that is given). Judges (see `judge`, `texture`) and plain measures (see `metrics`) look at the
paintings and, for the ceiling, at the renders of the same scenes.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from underpaint.cli.guard import Parser
from underpaint.errors import ErrorCode, RequestError
from underpaint.measures import Bar, Report, at_least, at_most
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control
from underpaint_starter.judging.judge import load_judge
from underpaint_starter.judging.metrics import frechet
from underpaint_starter.judging.scores import Judges, Scores, score
from underpaint_starter.judging.texture import load_texture_judge
from underpaint_starter.networks.models import NATIVE_SIZE
from underpaint_starter.networks.painter import DEFAULT_STEPS, Painter
from underpaint_starter.scenes.dataset import SceneSample, render_scene
from underpaint_starter.scenes.shapes import Mesh, load_obj
from underpaint_starter.scenes.shards import Image8, from_unit, to_unit
from underpaint_starter.training.losses import psnr
from underpaint_starter.training.sheets import save_grid

_FIRST_SEED = 9_000_000  # far from the training scenes' seeds
_BATCH = 4
_SEEN_THROUGH = 64  # renders that go through the autoencoder


@dataclass(frozen=True, slots=True)
class Setting:
    """How paintings are made: sampling steps, control strength, and a name for the measures."""

    name: str
    steps: int
    scale: float
    share: float  # of the scenes


SETTINGS = (
    Setting("", DEFAULT_STEPS, 1.0, 1.0),
    Setting("_uncontrolled", DEFAULT_STEPS, 0.0, 0.25),
    Setting("_4_steps", 4, 1.0, 0.5),
    Setting("_20_steps", 20, 1.0, 0.5),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Paintings of one setting with their scores and the time an image took."""

    images: list[Image8]
    scores: Scores
    seconds: float


def evaluate(
    painter: Painter, judges: Judges, samples: list[SceneSample], seed: int
) -> tuple[dict[str, float], list[list[Image8]]]:
    """All measures over the samples, and rows of a contact sheet."""
    renders = [sample.rgb for sample in samples]
    ceiling = score(judges, renders, samples)
    measures = ceiling.measures("_render")
    main: Outcome | None = None
    rows = [renders[:8], [_control(sample) for sample in samples[:8]]]
    for setting in SETTINGS:
        part = samples[: max(8, round(setting.share * len(samples)))]
        outcome = _paint(painter, judges, part, setting, seed)
        measures |= outcome.scores.measures(setting.name)
        rows.append(outcome.images[:8])
        if main is None:
            main = outcome
    if main is None:
        raise RequestError(ErrorCode.BAD_REQUEST, "Nothing to evaluate")
    measures |= _looks(main, ceiling)
    measures["prompt_change_fraction"] = _prompt_change(painter, samples, main.images, seed)
    return measures | _through_vae(painter, judges, samples[:_SEEN_THROUGH], ceiling), rows


def _looks(main: Outcome, ceiling: Scores) -> dict[str, float]:
    return {
        "seconds_per_image": main.seconds,
        "sharpness_ratio": float(np.mean(main.scores.sharpness) / np.mean(ceiling.sharpness)),
        "feature_distance": frechet(np.stack(main.scores.features), np.stack(ceiling.features)),
        "feature_distance_render_halves": frechet(
            np.stack(ceiling.features[::2]), np.stack(ceiling.features[1::2])
        ),
    }


def _control(sample: SceneSample) -> Image8:
    return depth_control(sample.depth)


def _paint(
    painter: Painter, judges: Judges, samples: list[SceneSample], setting: Setting, seed: int
) -> Outcome:
    images: list[Image8] = []
    began = time.perf_counter()
    for start in range(0, len(samples), _BATCH):
        part = samples[start : start + _BATCH]
        images += painter.paint(
            [sample.caption for sample in part],
            [_control(sample) for sample in part],
            seed + start,
            steps=setting.steps,
            scale=setting.scale,
        )
    seconds = (time.perf_counter() - began) / len(samples)
    return Outcome(images, score(judges, images, samples), seconds)


def _prompt_change(
    painter: Painter, samples: list[SceneSample], images: list[Image8], seed: int
) -> float:
    """Mean absolute difference (0..1) between paintings with an empty prompt and with theirs."""
    part = samples[:_BATCH]
    plain = painter.paint([""] * len(part), [_control(sample) for sample in part], seed)
    pairs = zip(plain, images, strict=False)
    return float(np.mean([np.abs(a.astype(float) - b).mean() / 255 for a, b in pairs]))


@torch.no_grad()
def _through_vae(
    painter: Painter, judges: Judges, samples: list[SceneSample], ceiling: Scores
) -> dict[str, float]:
    """The autoencoder alone: its error, and the measures of renders that went through it, which
    no denoiser can pass."""
    vae = painter.pipeline.vae
    decibels, images = [], []
    for sample in samples:
        target = to_unit(sample.rgb[None]).to(vae.device)
        out = vae.decode(vae.encode(target).latent_dist.mean).sample
        decibels.append(float(psnr(out, target)))
        images.append(from_unit(out)[0])
    scores = score(judges, images, samples)
    sharp = np.mean(scores.sharpness) / np.mean(ceiling.sharpness[: len(samples)])
    return scores.measures("_vae") | {
        "sharpness_ratio_vae": float(sharp),
        "vae_psnr_db": float(np.mean(decibels)),
    }


def bars_of(measures: dict[str, float]) -> list[Bar]:
    """The release bars of the starter model."""
    m = measures
    steps = max(
        abs(m[f"{name}_4_steps"] - m[f"{name}_20_steps"])
        for name in ("silhouette_iou", "colour_accuracy")
    )
    return [
        at_least("silhouette_iou", m["silhouette_iou"], 0.95),
        at_least("depth_edge_recall_fraction", m["depth_edge_recall_fraction"], 0.8),
        at_least("depth_order_fraction", m["depth_order_fraction"], 0.95),
        at_least("colour_accuracy", m["colour_accuracy"], 0.95),
        at_least("material_accuracy", m["material_accuracy"], 0.85),
        at_least("material_accuracy_render", m["material_accuracy_render"], 0.95),
        at_most("steps_4_against_20_fraction", steps, 0.05),
        at_least("sharpness_ratio", m["sharpness_ratio"], 0.6),
        at_most("sharpness_ratio", m["sharpness_ratio"], 1.5),
        at_most("seconds_per_image", m["seconds_per_image"], 6.0),
        at_least("vae_psnr_db", m["vae_psnr_db"], 28.0),
    ]


def main(argv: list[str]) -> int:
    """Command line; see `--help`."""
    options = _parser().parse_args(argv)
    if options.count < 8:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--count {options.count} is below 8")
    if options.size % 64 or not 128 <= options.size <= 1024:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--size {options.size} is no multiple of 64 from 128 to 1024"
        )
    mesh = _mesh(options.mesh)
    report = run(options.model, options.seed, options.count, mesh, options.out, options.size)
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def run(
    model: Path, seed: int, count: int, mesh: Mesh | None, out: Path, size: int = NATIVE_SIZE
) -> Report:
    """Render, paint, measure; writes the contact sheet into `out`."""
    first = _FIRST_SEED + seed * 100_000
    samples = [
        render_scene(first + k, size, held_out=mesh is None, mesh=mesh) for k in range(count)
    ]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    painter = Painter.load(model, "depth", device)
    judges = Judges(load_judge(), load_texture_judge())
    measures, rows = evaluate(painter, judges, samples, seed=first)
    sheet = out / "starter_sheet.png"
    save_grid(rows, sheet)
    return Report("eval starter", seed, measures, bars_of(measures), [str(sheet)])


def _mesh(path: Path | None) -> Mesh | None:
    if path is None:
        return None
    try:
        return load_obj(path)
    except (OSError, ValueError, IndexError) as error:
        raise RequestError(ErrorCode.BAD_MESH, f"Cannot read {path}: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="underpaint eval starter", description="Measure the starter model on unseen scenes."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another set of scenes")
    parser.add_argument("--count", type=int, default=200, help="scenes, at least 8")
    parser.add_argument("--size", type=int, default=NATIVE_SIZE, help="side of a picture, px")
    parser.add_argument("--mesh", type=Path, help="an OBJ file to put into the scenes")
    parser.add_argument("--model", type=Path, default=starter_folder(), help="model folder")
    parser.add_argument("--out", type=Path, default=Path("eval_out"), help="for the contact sheet")
    return parser
