"""A whole series: a .blend captured, painted frame by frame, and encoded as a movie."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from ..blenders import Blender
from ..buffers import Buffers
from ..client import Client, connect
from ..conversation.usual import DAEMON, captured_as, learn, learned, usual_s
from ..errors import ErrorCode, RequestError
from ..events import Warning_
from ..launcher import running_connection
from ..paths import user_paths
from ..requests import Request
from ..tree import to_json
from ..version import VERSION
from .asking import Asked, unknown, with_models_controls
from .captures import SceneCaptures, Taken
from .folder import Folder
from .scene_parts import Parts, to_plain, unseen_in
from .sequence import Animation, Made, Plan, Take

REPORT, MOVIE = "report.json", "movie.mp4"
OPENING, STARTING = "opening the scene in Blender", "starting the daemon"
FIRST = "painting the first frame"


@dataclass(frozen=True, slots=True)
class Series:
    """`frames`: None is the scene's own range. `size`: width and height to capture, pixels. `out`:
    the folder of its pictures, where it goes on if it was stopped."""

    asked: Asked
    blend: Path
    out: Path
    size: tuple[int, int]
    frames: Sequence[int] | None = None
    camera: str | None = None
    compare: bool = False


class Listener(Protocol):
    """Whoever is told how far it is."""

    def told(self, made: Sequence[Made], total: int, eta_s: float | None) -> None:
        """`made`: the frames that are done, of `total`. `eta_s`: seconds left, once known."""

    def noted(self, text: str) -> None:
        """What the user should know; each text once."""

    def doing(self, text: str, usual_s: float | None) -> None:
        """What goes on before the first frame; the seconds that it usually takes, if known."""


@dataclass(frozen=True, slots=True)
class Painted:
    """`pictures` in order; `movie`: None where Blender has no encoder. `report`: what is known of
    it, as data."""

    pictures: tuple[Path, ...]
    movie: Path | None
    report: dict[str, Any]


def paint_series(series: Series, blender: Blender, listener: Listener) -> Painted:
    """Paint what is missing, and the movie. Ctrl-C cancels the picture under way; what is done
    stays. Raises UnderpaintErrors."""
    began, made, known = time.monotonic(), list[Made](), set[str]()
    paths = user_paths()
    with learned(paths, f"series {captured_as(blender, series.blend)}") as opens_s:
        listener.doing(OPENING, opens_s)
        scene_captures = SceneCaptures(blender, series.blend, series.camera)
    with closing(scene_captures) as captures, _reached(listener) as up:
        reached, scene, frames = time.monotonic(), captures.scene, series.frames
        frames = list(range(scene.first, scene.last + 1)) if frames is None else frames
        folder = Folder(series.out, _digest(series, frames))
        asked = with_models_controls(series.asked, up.models())
        animation = Animation(
            Plan(asked, frames, series.size, series.compare),
            _noting(captures.take, asked, listener, known),
            lambda request, buffers: _painted(up, request, buffers, listener, known),
            folder,
        )
        listener.told(made, len(frames), None)
        first = f"first {asked.request.model} {max(series.size)}"
        listener.doing(FIRST, usual_s(paths, first))
        with room(series.out):
            for done in animation.frames():
                if not (made or done.resumed):
                    learn(paths, first, time.monotonic() - reached)
                made.append(done)
                listener.told(made, len(frames), _left(made, len(frames), began))
        pictures = [folder.picture(f"{frame:04d}") for frame in frames]
        step = frames[1] - frames[0] if len(frames) > 1 else 1
        movie = series.out / MOVIE
        has_movie = captures.movie(movie, pictures, scene.fps / step)
    if not has_movie:
        listener.noted(f"Blender {blender.version} was built without an encoder: no {MOVIE}")
    report = _report(animation, made, time.monotonic() - began)
    (series.out / REPORT).write_text(json.dumps(report, indent=2), encoding="utf-8")
    return Painted(tuple(pictures), movie if has_movie else None, report)


@contextmanager
def _reached(listener: Listener) -> Iterator[Client]:
    """The daemon, started if there is none."""
    paths = user_paths()
    if running_connection(paths) is None:
        with learned(paths, DAEMON) as starts_s:
            listener.doing(STARTING, starts_s)
            connect(paths).close()
    with connect(paths) as up:
        yield up


def _noting(take: Take, asked: Asked, listener: Listener, known: set[str]) -> Take:
    """`take`, which also says what the words name and the scene has not."""

    def taken(frame: int, width: int, height: int) -> Taken:
        found = take(frame, width, height)
        for name in unknown(asked, found.numbers):
            note(f"The scene has no custom property {name}: {{{name}}} stays as it is.")
        for kind, why in unseen_in(asked.parts, asked.request.controls, found.sighted):
            note(f"In some frames {why}: there, {kind} follows nothing.")
        return found

    def note(text: str) -> None:
        if text not in known:
            known.add(text)
            listener.noted(text)

    return taken


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


def _digest(series: Series, frames: Sequence[int]) -> str:
    """Of all that a frame depends on; a longer range goes on where a shorter one ended."""
    asked, scene = series.asked, hashlib.sha256(series.blend.read_bytes()).hexdigest()
    step = frames[1] - frames[0] if len(frames) > 1 else 1
    rest = [
        VERSION,
        scene,
        series.camera,
        frames[0],
        step,
        series.size,
        asked.refresh,
        asked.colours,
        *([] if asked.parts == Parts() else [to_plain(asked.parts)]),
    ]
    return hashlib.sha256((to_json(asked.request) + json.dumps(rest)).encode()).hexdigest()


def _painted(
    up: Client, request: Request, buffers: Buffers, listener: Listener, known: set[str]
) -> bytes:
    """Have one picture painted. Ctrl-C cancels it."""
    job = up.submit(request, buffers)
    try:
        for event in job.events():
            if isinstance(event, Warning_) and event.text not in known:
                known.add(event.text)
                listener.noted(event.text)
    except KeyboardInterrupt:
        job.cancel()
        raise
    return next(file.data for file in job.result() if file.media == "image/png")


def _left(made: Sequence[Made], total: int, began: float) -> float | None:
    new = sum(not done.resumed for done in made)
    return (total - len(made)) * (time.monotonic() - began) / new if new else None


def _report(animation: Animation, made: list[Made], seconds: float) -> dict[str, Any]:
    figures = animation.figures
    errors = {
        "warp_error": figures.flicker.warp_error,
        "warp_error_per_frame": figures.per_frame.warp_error,
    }
    return {
        "frames": [asdict(done) for done in sorted(made, key=lambda done: done.frame)],
        "resumed": sum(done.resumed for done in made),
        "seconds": round(seconds, 1),
        **{name: value for name, value in errors.items() if math.isfinite(value)},
    }
