"""`underpaint capture` and `underpaint render`: what a .blend's camera sees, taken and painted
without a window."""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

from ..blenders import Blender, addon_folder, require_blenders
from ..errors import ErrorCode, RequestError
from .generate import add_painting, build_request
from .options import add_json
from .output import print_result
from .run import run_job

_SCRIPT = Path("scripts", "capture_cli.py")
_USUAL_SIZE = "512x512"
_CAPTURE_S = 600.0
_RENDER_EPILOG = """examples:
  underpaint render scene.blend --prompt "a mossy head" --out out
  underpaint render scene.blend --frames 1-24 --prompt "ink wash" --out out
each frame goes into a folder of its own: out/0001, out/0002, …"""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("capture", help="take what a .blend's camera sees, as a view file")
    _add_scene(parser)
    parser.add_argument("--frame", type=int, help="which frame; default: the one it was saved at")
    parser.add_argument("--size", default=_USUAL_SIZE, metavar="WIDTHxHEIGHT")
    parser.add_argument("--out", type=Path, required=True, help="the view file (.npz) to write")
    add_json(parser)
    parser.set_defaults(run=_capture)
    parser = commands.add_parser(
        "render",
        help="capture and paint a .blend's camera, one frame or many",
        epilog=_RENDER_EPILOG,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    _add_scene(parser)
    parser.add_argument("--frames", metavar="FIRST-LAST", help="default: the one it was saved at")
    add_painting(parser)
    parser.set_defaults(run=_render)


def frames_of(text: str | None) -> list[int | None]:
    """`1-24` or `7` as frame numbers; [None] for the frame that the file was saved at.

    Raises RequestError."""
    if text is None:
        return [None]
    match = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?", text.strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if last < first:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"--frames {text!r}: expected FIRST-LAST, like 1-24"
        )
    return list(range(first, last + 1))


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
    done = subprocess.run(
        blender.command(addon / _SCRIPT, words),
        capture_output=True,
        text=True,
        timeout=_CAPTURE_S,
        check=False,
    )
    if done.returncode != 0 or not out.exists():
        said = [line for line in done.stderr.splitlines() if line.startswith("capture: ")]
        why = said[-1].removeprefix("capture: ") if said else done.stderr.strip()[-300:]
        raise RequestError(ErrorCode.CAPTURE_FAILED, f"{blend.name}: {why}")


def _add_scene(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("blend", type=Path, help="a .blend file")
    parser.add_argument(
        "--camera", help="a camera, in any scene; default: the scene's active camera"
    )
    parser.add_argument("--blender", metavar="SERIES", help="which Blender; default: the newest")


def _blender(args: argparse.Namespace) -> Blender:
    if not args.blend.is_file():
        raise RequestError(ErrorCode.FILE, f"there is no file {args.blend}")
    return require_blenders(args.blender)[-1]


def _capture(args: argparse.Namespace) -> int:
    blender = _blender(args)
    capture(blender, args.blend, args.out, camera=args.camera, size=args.size, frame=args.frame)
    print_result({"view": str(args.out)}, [str(args.out)], args.json)
    return 0


def _render(args: argparse.Namespace) -> int:
    """Capture a frame, paint it, then the next."""
    blender, frames = _blender(args), frames_of(args.frames)
    args.depth, out = None, args.out
    with tempfile.TemporaryDirectory(prefix="underpaint-render-") as folder:
        for frame in frames:
            args.view = Path(folder) / "view.npz"
            size = args.size or _USUAL_SIZE
            capture(blender, args.blend, args.view, camera=args.camera, size=size, frame=frame)
            request, buffers = build_request(args)
            place = out if frame is None else out / f"{frame:04d}"
            run_job(request, buffers, place, as_json=args.json)
    return 0
