"""`underpaint capture` and `underpaint render`: what a .blend's camera sees, taken and painted
without a window."""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..blenders import Blender, addon_folder, require_blenders
from ..conversation.usual import captured_as, learned
from ..errors import ErrorCode, RequestError
from ..files.saving import ready_folder
from ..paths import user_paths
from . import animate
from .generate import add_painting, build_request, size_of
from .options import add_json, grouped, path_of
from .output import print_result
from .run import run_job, told
from .terminal.progress_line import ProgressLine

_SCRIPT = Path("scripts", "capture_cli.py")
_USUAL_SIZE = "512x512"
_ALL = "all"
_CAPTURE_S = 600.0
_LAST_FRAME = 1_048_574
_BLENDS = (b"BLENDER", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # plain, gzip, Zstandard
_WITH_FIX = re.compile(r"(?P<told>.*) \((?P<fix>[A-Z][^()]*\.)\)", re.DOTALL)
_CAPTURE_EPILOG = """examples:
  underpaint capture scene.blend --out view.npz
  underpaint capture scene.blend --camera Close --frame 12 --size 768x512 --out view.npz"""
_RENDER_EPILOG = """examples:
  underpaint render scene.blend --prompt "a mossy head" --out out
  underpaint render scene.blend --prompt "a yard" --region Wall="red bricks" --out out
  underpaint render scene.blend --frames 1:24 --prompt "ink wash" --out out
  underpaint render scene.blend --frames all --prompt "(moss:{moss}) stone" --out out
A range of frames becomes out/0001.png, out/0002.png, … and movie.mp4. Paint stays on its surface:
each frame brings along what earlier ones painted, by the scene's exact motion, and paints what
none of them saw. Stopped, it goes on where it was when the same is asked again. {moss} is the
scene's custom property of that name, as it is animated; underpaint_seed, underpaint_guidance,
underpaint_refresh and underpaint_depth (or another control) stand for the options."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "capture",
        help="take what a .blend's camera sees, as a view file",
        epilog=_CAPTURE_EPILOG,
    )
    _add_scene(parser)
    parser.add_argument("--frame", type=int, help="which frame; default: the one it was saved at")
    parser.add_argument(
        "--size", default=_USUAL_SIZE, metavar="WIDTHxHEIGHT", help="pixels; default: %(default)s"
    )
    parser.add_argument(
        "--out", type=path_of, required=True, metavar="FILE", help="the view file (.npz) to write"
    )
    add_json(parser)
    parser.set_defaults(run=_capture)
    parser = commands.add_parser(
        "render",
        help="capture and paint a .blend's camera, one frame or many",
        epilog=_RENDER_EPILOG,
    )
    _add_scene(parser)
    group = grouped(parser, "a range of frames")
    group.add_argument(
        "--frames",
        metavar="FIRST:LAST[:STEP]",
        help="one frame or a range, or all: the scene's range; default: the one it was saved at",
    )
    animate.add_options(parser)
    add_painting(parser)
    parser.set_defaults(run=_render)


def frames_of(text: str) -> list[int]:
    """`7`, `1:24`, `1-24` or `1:24:2` as frame numbers. Raises RequestError."""
    match = re.fullmatch(r"(-?\d+)(?:[-:](-?\d+)(?::(\d+))?)?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    step = int(match[3] or 1) if match else 1
    if max(abs(first), abs(last)) > _LAST_FRAME:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--frames {text!r}: Blender's frames end at {_LAST_FRAME}"
        )
    if last < first or step < 1:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--frames {text!r}: expected FIRST:LAST, like 1:24, or all"
        )
    return list(range(first, last + 1, step))


def capture(
    blender: Blender, blend: Path, out: Path, *, camera: str | None, size: str, frame: int | None
) -> None:
    """Write a view file of one frame. Raises RequestError(CAPTURE_FAILED) with Blender's reason."""
    addon = addon_folder()
    if addon is None:
        raise RequestError(
            ErrorCode.BLENDER_MISSING,
            "scenes are captured by the add-on's scripts, which the daemon's package carries",
            hint="Install underpaint-daemon beside this, or capture in Blender's own panel.",
        )
    words = ["--blend", str(blend.absolute()), "--size", size, "--out", str(out.absolute())]
    words += [] if camera is None else ["--camera", camera]
    words += [] if frame is None else ["--frame", str(frame)]
    try:
        done = subprocess.run(
            blender.command(addon / _SCRIPT, words),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_CAPTURE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        told = f"{blend.name}: Blender had not captured it after {_CAPTURE_S / 60:.0f} minutes"
        raise RequestError(ErrorCode.CAPTURE_FAILED, told) from error
    if done.returncode != 0 or not out.exists():
        raise _failed(blend, done.stderr)


@contextmanager
def _capturing(line: ProgressLine, blender: Blender, blend: Path) -> Iterator[None]:
    """That Blender captures, and how long that file usually takes."""
    with learned(user_paths(), captured_as(blender, blend)) as usual_s:
        line.doing("capturing in Blender", usual_s=usual_s)
        yield


def _failed(blend: Path, stderr: str) -> RequestError:
    """Blender's reason; with the script's own fix, where it has one."""
    lines = stderr.strip().splitlines() or ["Blender ended and said nothing"]
    said = [line for line in lines if line.startswith("capture: ")]
    reason = said[-1].removeprefix("capture: ") if said else lines[-1]
    told = _WITH_FIX.fullmatch(reason)
    message, fix = (told["told"], told["fix"]) if told else (reason, None)
    return RequestError(ErrorCode.CAPTURE_FAILED, f"{blend.name}: {message}", hint=fix)


def _add_scene(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("blend", type=path_of, help="a .blend file")
    parser.add_argument(
        "--camera", help="a camera, in any scene; default: the scene's active camera"
    )
    parser.add_argument("--blender", metavar="SERIES", help="which Blender; default: the newest")


def _check(blend: Path) -> None:
    """Raises RequestError(FILE) for what is no .blend."""
    if blend.is_dir():
        raise RequestError(ErrorCode.FILE, f"{blend} is a folder", hint="Give a .blend file in it.")
    if not blend.is_file():
        raise RequestError(ErrorCode.FILE, f"there is no file {blend}")
    with blend.open("rb") as file:
        if not file.read(8).startswith(_BLENDS):
            hint = "Save it as one, in Blender."
            raise RequestError(ErrorCode.FILE, f"{blend} is no .blend file", hint=hint)


def _ready(file: Path) -> None:
    """A place for a view file. Raises OSError, RequestError."""
    if file.is_dir():
        told = f"{file} is a folder"
        raise RequestError(ErrorCode.FILE, told, hint=f"Give a file in it: {file / 'view.npz'}")
    ready_folder(file.absolute().parent)


def _capture(args: argparse.Namespace) -> int:
    width, height = size_of(args.size)
    if args.frame is not None and abs(args.frame) > _LAST_FRAME:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--frame is {args.frame}; expected up to {_LAST_FRAME}"
        )
    _check(args.blend)
    _ready(args.out)
    blender, size = require_blenders(args.blender)[-1], f"{width}x{height}"
    with told() as line, _capturing(line, blender, args.blend):
        capture(blender, args.blend, args.out, camera=args.camera, size=size, frame=args.frame)
    print_result({"view": str(args.out)}, [str(args.out)], args.json)
    return 0


def _render(args: argparse.Namespace) -> int:
    """Capture and paint one frame, or a range of them."""
    every = args.frames == _ALL
    frames = None if every or args.frames is None else frames_of(args.frames)
    width, height = size_of(args.size or _USUAL_SIZE)
    _check(args.blend)
    blender, size = require_blenders(args.blender)[-1], f"{width}x{height}"
    if every or (frames and len(frames) > 1):
        assert width is not None
        assert height is not None
        return animate.animate(args, blender, frames, (width, height))
    frame = frames[0] if frames else None
    with tempfile.TemporaryDirectory(prefix="underpaint-render-") as folder:
        args.depth, args.view = None, Path(folder) / "view.npz"
        with told() as line, _capturing(line, blender, args.blend):
            capture(blender, args.blend, args.view, camera=args.camera, size=size, frame=frame)
        request, buffers = build_request(args)
        return run_job(request, buffers, args.out, as_json=args.json)
