"""Capture a view without a window: the demo scene or a .blend file into a view file.

    BLENDER_PYTHON capture_cli.py --demo --size 512x512 --out view.npz
    blender --background --python capture_cli.py -- --blend FILE --camera NAME --out view.npz

`underpaint generate --view view.npz` paints it. Exit code 2 with the reason on stderr when it
cannot be done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

import bpy  # noqa: E402

from blender_addon import demo_scene  # noqa: E402
from blender_addon.capture import DEFAULT_WANTS, capture_view, not_captured  # noqa: E402
from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.buffers import Kind  # noqa: E402
from underpaint.errors import ErrorCode, RequestError, UnderpaintError  # noqa: E402
from underpaint.files.viewfile import save_view  # noqa: E402


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    try:
        _open(args)
        if args.frame is not None:
            bpy.context.scene.frame_set(args.frame)
        wants = DEFAULT_WANTS | ({Kind.POSITION, Kind.UV} if args.surface else frozenset())
        camera, (width, height) = _camera(args.camera), args.size
        view, buffers = capture_view(
            bpy.context, camera, width, height, wants, use_gpu=not args.no_gpu
        )
        save_view(args.out, view, buffers)
        for lack in not_captured(bpy.context.evaluated_depsgraph_get()):
            print(f"capture: note: {lack} is in the scene and not in the view", file=sys.stderr)
    except UnderpaintError as error:
        print(f"capture: {error}", file=sys.stderr)
        return 2
    print(f"capture: {args.out}: {view.camera.width}×{view.camera.height}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="capture_cli.py", description=__doc__)
    scene = parser.add_mutually_exclusive_group(required=True)
    scene.add_argument("--demo", action="store_true", help="build and capture the demo scene")
    scene.add_argument("--blend", type=Path, help="a .blend file to capture")
    parser.add_argument("--camera", help="a camera object; default: the scene's active camera")
    parser.add_argument("--frame", type=int, help="which frame; default: the one it was saved at")
    parser.add_argument("--size", type=_size, default=(512, 512), help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--surface", action="store_true", help="also world positions and UVs")
    parser.add_argument("--no-gpu", action="store_true", help="draw in numpy")
    parser.add_argument("--out", type=Path, required=True, help="the view file (.npz) to write")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    return int(width), int(height or width)


def _open(args: argparse.Namespace) -> None:
    if args.demo:
        demo_scene.open_in(bpy.context)
        return
    try:
        bpy.ops.wm.open_mainfile(filepath=str(args.blend), use_scripts=False)
    except RuntimeError as error:
        raise RequestError(ErrorCode.FILE, f"cannot open {args.blend}: {error}") from error


def _camera(name: str | None) -> Any:
    if name is None:
        return None
    camera = bpy.data.objects.get(name)
    if camera is None:
        cameras = ", ".join(o.name for o in bpy.data.objects if o.type == "CAMERA") or "none"
        raise RequestError(
            ErrorCode.CAPTURE_FAILED, f"there is no object {name!r} (cameras: {cameras})"
        )
    return camera


if __name__ == "__main__":
    bare.run(lambda: main(script_arguments(sys.argv)))
