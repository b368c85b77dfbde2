"""`underpaint render --frames FIRST:LAST`: a range of frames in which paint stays where it is."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..animation.asking import Asked
from ..animation.captures import SceneCaptures
from ..animation.folder import Folder
from ..animation.sequence import Animation, Made, Plan
from ..blenders import Blender
from ..buffers import Buffers
from ..client import Client, connect
from ..errors import ErrorCode, RequestError
from ..events import Warning_
from ..requests import ImageRequest, Request
from ..tree import to_json
from ..version import VERSION
from .generate import build_request
from .output import ProgressLine, print_result

_REPORT, _MOVIE = "report.json", "movie.mp4"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of an animation."""
    parser.add_argument(
        "--refresh",
        type=float,
        default=0.0,
        metavar="STRENGTH",
        help="with --frames: how much of every frame is painted anew over what was brought along, "
        "0 to 1; default 0: only what no earlier frame saw",
    )
    parser.add_argument(
        "--compare",
        action="store_true",
        help="with --frames: paint each frame by itself too, and tell how much more that flickers",
    )


def animate(
    args: argparse.Namespace, blender: Blender, frames: Sequence[int] | None, size: tuple[int, int]
) -> int:
    """Paint `frames` (None: the scene's own range) and a movie of them."""
    asked, line, began = _asked(args), ProgressLine(), time.monotonic()
    made: list[Made] = []
    scene_captures = SceneCaptures(blender, args.blend, args.camera)
    with closing(scene_captures) as captures, connect() as up:
        scene = captures.scene
        frames = list(range(scene.first, scene.last + 1)) if frames is None else frames
        folder = Folder(args.out, _digest(args, asked, frames, size))
        told: set[str] = set()
        animation = Animation(
            Plan(asked, frames, size, args.compare),
            captures.take,
            lambda request, buffers: _painted(up, request, buffers, line, told),
            folder,
        )
        try:
            _show(line, made, len(frames), began)
            with room(args.out):
                for done in animation.frames():
                    made.append(done)
                    _show(line, made, len(frames), began)
            pictures = [folder.picture(f"{frame:04d}") for frame in frames]
            step = frames[1] - frames[0] if len(frames) > 1 else 1
            has_movie = captures.movie(args.out / _MOVIE, pictures, scene.fps / step)
        finally:
            line.end()
    if not has_movie:
        line.note(f"note: Blender {blender.version} was built without an encoder: no {_MOVIE}")
    report = _report(animation, made, time.monotonic() - began)
    files = [*map(str, pictures), *([str(args.out / _MOVIE)] if has_movie else [])]
    (args.out / _REPORT).write_text(json.dumps(report, indent=2), encoding="utf-8")
    print_result({**report, "files": files}, [*files, *_lines(report)], args.json)
    return 0


@contextmanager
def room(out: Path) -> Iterator[None]:
    """Frames are painted. Raises RequestError(NOT_SAVED) when their folder takes no more."""
    try:
        yield
    except OSError as error:
        raise RequestError(
            ErrorCode.NOT_SAVED,
            f"{out} can no longer be written: {error.strerror or error}; the frames that are "
            "there are whole",
            hint="Mend the folder and run the same again: it goes on where it stopped.",
        ) from error


def _asked(args: argparse.Namespace) -> Asked:
    args.view = args.depth = None
    request, buffers = build_request(args)
    if not isinstance(request, ImageRequest) or request.batch != 1:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "--mask and --batch are for single pictures, not for a range of frames",
            hint="Leave them out, or give one frame.",
        )
    if args.object_prompts:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "--object-prompts is for single frames: an object's number may change over a range",
            hint="Leave it out, or give masks: --region MASK=PROMPT.",
        )
    if not 0 <= args.refresh <= 1:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--refresh is {args.refresh:g}; expected 0 to 1")
    return Asked(request, buffers, args.refresh)


def _digest(
    args: argparse.Namespace, asked: Asked, frames: Sequence[int], size: tuple[int, int]
) -> str:
    """Of all that a frame depends on; a longer range goes on where a shorter one ended."""
    scene = hashlib.sha256(args.blend.read_bytes()).hexdigest()
    step = frames[1] - frames[0] if len(frames) > 1 else 1
    rest = [VERSION, scene, args.camera, frames[0], step, size, asked.refresh]
    return hashlib.sha256((to_json(asked.request) + json.dumps(rest)).encode()).hexdigest()


def _painted(
    up: Client, request: Request, buffers: Buffers, line: ProgressLine, told: set[str]
) -> bytes:
    """Have one picture painted. Ctrl-C cancels it."""
    job = up.submit(request, buffers)
    try:
        for event in job.events():
            if isinstance(event, Warning_) and event.text not in told:
                told.add(event.text)
                line.note(f"note: {event.text}")
    except KeyboardInterrupt:
        job.cancel()
        raise
    return next(file.data for file in job.result() if file.media == "image/png")


def _show(line: ProgressLine, made: list[Made], total: int, began: float) -> None:
    new = sum(not done.resumed for done in made)
    left = (total - len(made)) * (time.monotonic() - began) / new if new else None
    line.show(f"frame {made[-1].frame}" if made else "frames", len(made), total, left)


def _report(animation: Animation, made: list[Made], seconds: float) -> dict[str, Any]:
    figures = animation.figures
    errors = {
        "warp_error": figures.flicker.warp_error,
        "warp_error_per_frame": figures.per_frame.warp_error,
    }
    return {
        "frames": [asdict(done) for done in made],
        "resumed": sum(done.resumed for done in made),
        "seconds": round(seconds, 1),
        **{name: value for name, value in errors.items() if math.isfinite(value)},
    }


def _lines(report: dict[str, Any]) -> list[str]:
    words = {"warp_error": "flicker", "warp_error_per_frame": "flicker, each frame by itself"}
    return [f"{words[name]}: {report[name]:.4f}" for name in words if name in report]
