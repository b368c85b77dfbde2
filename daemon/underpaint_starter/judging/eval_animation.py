"""`underpaint eval animation`: does paint stay where it is, and the form with it?

The demo scene in motion, or a .blend, is captured frame by frame and painted twice: as an animation
and each frame by itself. Flicker is the warping error by the scene's true motion.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from underpaint.animation.asking import Asked
from underpaint.animation.captures import SceneCaptures, Taken
from underpaint.animation.folder import Folder, decoded
from underpaint.animation.sequence import PER_FRAME, Animation, Plan
from underpaint.blenders import require_blenders
from underpaint.buffers import Buffers
from underpaint.cli.options import add_json
from underpaint.cli.scene import frames_of
from underpaint.cli.terminal.parser import Parser
from underpaint.measures import Report, at_most
from underpaint.paths import user_paths
from underpaint.requests import STARTER_MODEL, ImageRequest, Prompt, Request, Sampling
from underpaint_daemon.worker.dispatch import PipelineRunner
from underpaint_daemon.worker.pipelines.loading.cache import ModelCache
from underpaint_daemon.worker.quiet import Quiet
from underpaint_starter.judging.judge import load_judge
from underpaint_starter.scenes.shards import Image8, to_unit
from underpaint_starter.training.judge_train import iou
from underpaint_starter.training.sheets import save_grid

_PROMPT = "a mossy stone head, a red brick ball and a blue tiled block on sand"
_OF_PER_FRAME, _OF_FIRST = 0.5, 0.02
_GROUND = "Ground"  # an object so called is no part of the form


def main(argv: Sequence[str]) -> int:
    """Command line; see `--help`."""
    options = _parser().parse_args(argv)
    report = evaluate(options)
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def evaluate(options: argparse.Namespace) -> Report:
    """Paint and measure. Raises UnderpaintErrors."""
    frames = frames_of(options.frames)
    runner = PipelineRunner(ModelCache(user_paths()))

    def paint(request: Request, buffers: Buffers) -> bytes:
        artifacts = runner(request, buffers, Quiet())
        return next(a.data for a in artifacts if a.media == "image/png")

    forms: dict[int, torch.Tensor] = {}
    with (
        tempfile.TemporaryDirectory(prefix="underpaint-") as root,
        closing(SceneCaptures(require_blenders(options.blender)[-1], options.blend)) as captures,
    ):

        def take(frame: int, width: int, height: int) -> Taken:
            taken = captures.take(frame, width, height)
            forms[frame] = _form(taken)
            return taken

        side = options.size
        request = ImageRequest(
            Prompt(options.prompt),
            options.model,
            side,
            side,
            Sampling(seed=options.seed, steps=options.steps),
        )
        plan = Plan(Asked(request, Buffers(), options.refresh), frames, (side, side), compare=True)
        folder = Folder(Path(root), "")
        animation = Animation(plan, take, paint, folder)
        own = [made.own for made in animation.frames()]
        names = [f"{frame:04d}" for frame in frames]
        rows = [[_picture(folder, f"{room}{n}") for n in names] for room in ("", f"{PER_FRAME}/")]
    save_grid(rows, options.out / "animation.png")
    in_scene = [forms[frame] for frame in frames]
    seen, alone = (_silhouettes(row, in_scene) for row in rows)
    return _report(options, animation, own, seen, alone[-1])


def _report(
    options: argparse.Namespace,
    animation: Animation,
    own: list[float],
    forms: list[float],
    last_alone: float,
) -> Report:
    ours = animation.figures.flicker.warp_error
    alone = animation.figures.per_frame.warp_error
    measures = {
        "warp_error": ours,
        "warp_error_per_frame": alone,
        "warp_error_ratio": ours / alone,
        "silhouette_iou_first": forms[0],
        "silhouette_iou_last": forms[-1],
        "silhouette_iou_last_per_frame": last_alone,
        "painted_anew_fraction": float(np.mean(own[1:])),
    }
    bars = [
        at_most("warp_error_ratio", measures["warp_error_ratio"], _OF_PER_FRAME),
        at_most("silhouette_iou_lost", forms[0] - forms[-1], _OF_FIRST),
    ]
    sheet = str(options.out / "animation.png")
    return Report("eval animation", options.seed, measures, bars, [sheet])


@torch.no_grad()
def _silhouettes(pictures: list[Image8], forms: list[torch.Tensor]) -> list[float]:
    """How far the judge sees the scene's form in each picture."""
    judge = load_judge()
    seen = [judge.look(to_unit(picture[None])).mask[0] > 0.5 for picture in pictures]
    return [iou(mask, form) for mask, form in zip(seen, forms, strict=True)]


def _form(taken: Taken) -> torch.Tensor:
    """(h, w) bool: objects that are not the ground."""
    track = taken.track
    named = [not placing.key.startswith(f"{_GROUND}/") for placing in track.placings]
    return torch.from_numpy(np.array([*named, False])[track.item])


def _picture(folder: Folder, name: str) -> Image8:
    data = folder.done(name)
    assert data is not None
    return decoded(data)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="underpaint eval animation",
        description="Paint a range of frames as an animation and each by itself, and tell how much "
        "either flickers.",
    )
    parser.add_argument("--blend", type=Path, help="a .blend; default: the demo scene in motion")
    parser.add_argument("--blender", metavar="SERIES", help="which Blender; default: the newest")
    parser.add_argument("--frames", default="1:24", metavar="FIRST:LAST[:STEP]")
    parser.add_argument("--prompt", default=_PROMPT)
    parser.add_argument("--model", default=STARTER_MODEL)
    parser.add_argument("--size", type=int, default=256, help="pixels a side (256)")
    parser.add_argument("--steps", type=int, help="default: the model's own")
    parser.add_argument("--refresh", type=float, default=0.0, metavar="STRENGTH")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("eval_out"), help="folder for the sheet")
    add_json(parser)
    return parser
