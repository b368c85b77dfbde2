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
import numpy as np  # noqa: E402

from blender_addon import demo_scene  # noqa: E402
from blender_addon.capture import (  # noqa: E402
    DEFAULT_WANTS,
    capture_view,
    not_captured,
    object_ids,
)
from blender_addon.following.sighting import sights  # noqa: E402
from blender_addon.plain.painting_settings import tidy  # noqa: E402
from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.buffers import Buffers, Kind  # noqa: E402
from underpaint.errors import ErrorCode, RequestError, UnderpaintError  # noqa: E402
from underpaint.files.viewfile import SceneObject, save_view  # noqa: E402
from underpaint.requests import Lora, View  # noqa: E402
from underpaint.requests.curves import curve_of  # noqa: E402

_OWN_PROMPT, _OWN_LORAS = "underpaint_prompt", "underpaint_loras"
_LEFT = "underpaint_leave"


class OwnLora(bpy.types.PropertyGroup):
    """As the add-on saves one; this reads it where the add-on is not."""


OwnLora.__annotations__ = {
    "path": bpy.props.StringProperty(),
    "weight": bpy.props.FloatProperty(default=1.0),
    "enabled": bpy.props.BoolProperty(default=True),
    "curve": bpy.props.StringProperty(),
}


def main(argv: list[str]) -> int:
    args = _parser().parse_args(argv)
    try:
        open_scene(args)
        camera = camera_named(args.camera)
        scene = bpy.context.scene if camera is None else scene_of(camera)
        with bpy.context.temp_override(scene=scene, view_layer=layer_of(scene)):
            view = _capture(args, camera)
    except UnderpaintError as error:
        print(f"capture: {error}", file=sys.stderr)
        return 2
    print(f"capture: {args.out}: {view.camera.width}×{view.camera.height}")
    return 0


def _capture(args: argparse.Namespace, camera: Any) -> View:
    """Capture the context's scene into the view file."""
    if args.frame is not None:
        bpy.context.scene.frame_set(args.frame)
    wants = DEFAULT_WANTS | ({Kind.POSITION, Kind.UV} if args.surface else frozenset())
    width, height = args.size
    view, buffers = capture_view(bpy.context, camera, width, height, wants, use_gpu=not args.no_gpu)
    save_view(args.out, view, buffers, objects_in(view, buffers), sights(bpy.context, view.camera))
    for lack in not_captured(bpy.context.evaluated_depsgraph_get()):
        print(f"capture: note: {lack} is in the scene and not in the view", file=sys.stderr)
    return view


def objects_in(view: View, buffers: Buffers) -> dict[int, SceneObject]:
    """The objects that a view shows, by their ids, with what the artist has set on them."""
    if view.object_id is None:
        return {}
    if not hasattr(bpy.types.Object, _OWN_PROMPT):  # as the add-on has it, which is not running
        bpy.utils.register_class(OwnLora)
        setattr(bpy.types.Object, _OWN_PROMPT, bpy.props.StringProperty())
        setattr(bpy.types.Object, _OWN_LORAS, bpy.props.CollectionProperty(type=OwnLora))
        setattr(bpy.types.Object, _LEFT, bpy.props.BoolProperty())
    seen = set(np.unique(buffers[view.object_id.sha256]).tolist())
    names = {item.name_full: item for item in bpy.context.scene.objects}
    return {
        number: SceneObject(name) if name not in names else _told(names[name])
        for name, number in object_ids(bpy.context.evaluated_depsgraph_get()).items()
        if number in seen
    }


def _told(item: Any) -> SceneObject:
    """An object's name, words, LoRAs and lock."""
    loras = tuple(
        Lora(
            bpy.path.abspath(one.path, library=item.library),
            tidy(one.weight),
            curve_of("curve", one.curve or None),
        )
        for one in getattr(item, _OWN_LORAS)
        if one.enabled and one.path
    )
    return SceneObject(
        item.name_full, getattr(item, _OWN_PROMPT).strip(), loras, bool(getattr(item, _LEFT))
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="capture_cli.py", description=__doc__)
    scene = parser.add_mutually_exclusive_group(required=True)
    scene.add_argument("--demo", action="store_true", help="build and capture the demo scene")
    scene.add_argument("--blend", type=Path, help="a .blend file to capture")
    parser.add_argument(
        "--camera", help="a camera, in any scene; default: the scene's active camera"
    )
    parser.add_argument("--frame", type=int, help="which frame; default: the one it was saved at")
    parser.add_argument("--size", type=_size, default=(512, 512), help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--surface", action="store_true", help="also world positions and UVs")
    parser.add_argument("--no-gpu", action="store_true", help="draw in numpy")
    parser.add_argument("--out", type=Path, required=True, help="the view file (.npz) to write")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    return int(width), int(height or width)


def open_scene(args: argparse.Namespace) -> None:
    """The demo scene or the .blend that the arguments name. Raises RequestError(FILE)."""
    if args.demo:
        demo_scene.open_in(bpy.context)
        return
    try:
        bpy.ops.wm.open_mainfile(filepath=str(args.blend), use_scripts=False)
    except RuntimeError as error:
        raise RequestError(ErrorCode.FILE, f"cannot open {args.blend}: {error}") from error


def camera_named(name: str | None) -> Any:
    """The object, None for the scene's camera. Raises RequestError(CAPTURE_FAILED)."""
    if name is None:
        return None
    found = [item for item in bpy.data.objects if name in (item.name_full, item.name)]
    if not found:
        cameras = ", ".join(o.name_full for o in bpy.data.objects if o.type == "CAMERA") or "none"
        raise RequestError(
            ErrorCode.CAPTURE_FAILED, f"there is no object {name!r} (cameras: {cameras})"
        )
    # Of a linked and a local one of the same name that which is in the scene is meant.
    here = [item for item in found if item.name_full == name or _holds(bpy.context.scene, item)]
    return (here or found)[0]


def scene_of(camera: Any) -> Any:
    """The scene that a camera stands in: the present one, or the first other."""
    scenes = [bpy.context.scene, *bpy.data.scenes]
    found = next((scene for scene in scenes if _holds(scene, camera)), None)
    if found is None:
        raise RequestError(
            ErrorCode.CAPTURE_FAILED,
            f"camera {camera.name_full!r} is in no scene of the file",
            hint="Link it to a scene, or choose another camera.",
        )
    return found


def _holds(scene: Any, item: Any) -> bool:
    return any(other == item for other in scene.objects)


def layer_of(scene: Any) -> Any:
    """The view layer that is open, or another scene's first."""
    return bpy.context.view_layer if scene == bpy.context.scene else scene.view_layers[0]


if __name__ == "__main__":
    bare.run(lambda: main(script_arguments(sys.argv)))
