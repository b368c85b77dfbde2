"""`underpaint render --frames FIRST:LAST`: a range of frames in which paint stays where it is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..animation.asking import Asked
from ..animation.sequence import Made
from ..animation.series import Series, paint_series
from ..blenders import Blender
from ..errors import ErrorCode, RequestError
from ..files.claims import own_folder
from ..requests import ImageRequest
from .generate import build_request
from .options import grouped
from .output import print_result, told_count
from .parts.following import parts_of
from .terminal.progress_line import ProgressLine

_SCALE = " (0 is none; the demo's frames have 0.035 when each is painted by itself)"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of an animation."""
    add = grouped(parser, "a range of frames").add_argument
    add(
        "--refresh",
        type=float,
        default=0.0,
        metavar="STRENGTH",
        help="how much of every frame is painted anew over what was brought along, "
        "0 to 1; default 0: only what no earlier frame saw",
    )
    add(
        "--from-colours",
        type=float,
        metavar="STRENGTH",
        help="begin what is painted from the scene's own colours, kept the more the "
        "nearer to 0, 0 to 1; default: from nothing",
    )
    add(
        "--compare",
        action="store_true",
        help="paint each frame by itself too, and tell how much more that flickers",
    )


def animate(
    args: argparse.Namespace, blender: Blender, frames: Sequence[int] | None, size: tuple[int, int]
) -> int:
    """Paint `frames` (None: the scene's own range) and a movie of them."""
    asked, line = _asked(args), ProgressLine()
    with own_folder(args.out) as out:
        series = Series(asked, args.blend, out, size, frames, args.camera, args.compare)
        try:
            painted = paint_series(series, blender, _Line(line))
        finally:
            line.end()
    movie = [] if painted.movie is None else [str(painted.movie)]
    files, report = [*map(str, painted.pictures), *movie], painted.report
    notes = [] if out == args.out else [f"another run writes into {args.out}; this one wrote {out}"]
    lines = [*files, *_lines(report, len(painted.pictures)), *(f"note: {note}" for note in notes)]
    print_result({**report, "files": files, "notes": notes}, lines, args.json)
    return 0


@dataclass(frozen=True, slots=True)
class _Line:
    """A series told on a terminal."""

    line: ProgressLine

    def told(self, made: Sequence[Made], total: int, eta_s: float | None) -> None:
        self.line.part("painting frames", len(made), total, eta_s)

    def noted(self, text: str) -> None:
        self.line.note(f"note: {text}")

    def doing(self, text: str, usual_s: float | None) -> None:
        self.line.doing(text, usual_s=usual_s)


def _asked(args: argparse.Namespace) -> Asked:
    args.view = args.depth = None
    request, buffers = build_request(args, in_frames=True)
    if not isinstance(request, ImageRequest) or request.batch != 1:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "--mask and --batch are for single pictures, not for a range of frames",
            hint="Leave them out, or give one frame.",
        )
    if not 0 <= args.refresh <= 1:
        raise RequestError(ErrorCode.BAD_REQUEST, f"--refresh is {args.refresh:g}; expected 0 to 1")
    colours = args.from_colours
    if colours is not None and not 0 < colours <= 1:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--from-colours is {colours:g}; expected above 0, up to 1"
        )
    return Asked(request, buffers, args.refresh, colours, parts_of(args))


def _lines(report: dict[str, Any], count: int) -> list[str]:
    """What is to be known of it beside its files."""
    resumed = report["resumed"]
    before = "all" if resumed == count else str(resumed)
    lines = [f"{before} of {told_count(count, 'frame')} were there already"] if resumed else []
    words = {"warp_error": "flicker", "warp_error_per_frame": "flicker, each frame by itself"}
    figures = [f"{words[name]}: {report[name]:.4f}" for name in words if name in report]
    return [*lines, *(f"{figure}{_SCALE}" for figure in figures)]
