"""Capture frames of a scene as they are asked for, in one Blender without a window.

    blender --background --python animation_cli.py -- (--blend FILE | --demo) [--camera NAME]

One JSON object a line on stdin, one answer a line on stdout behind `PREFIX`:
{"frame", "width", "height", "view", "track"} writes a view file and a track, and answers with the
scene's numbers; {"movie", "pictures", "fps"} writes a movie. An error is {"code", "message"}.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

import bpy  # noqa: E402
import capture_cli  # noqa: E402
import movie  # noqa: E402

from blender_addon import demo_scene  # noqa: E402
from blender_addon.animation.numbers import numbers  # noqa: E402
from blender_addon.capture.tracks import track_of  # noqa: E402
from blender_addon.capture.view import capture  # noqa: E402
from blender_addon.following.sighting import sights  # noqa: E402
from underpaint.animation.captures import PREFIX  # noqa: E402
from underpaint.animation.tracks import save_track  # noqa: E402
from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.errors import UnderpaintError  # noqa: E402
from underpaint.files.viewfile import save_view  # noqa: E402

_SIMULATED = {"CLOTH", "SOFT_BODY", "PARTICLE_SYSTEM", "FLUID", "DYNAMIC_PAINT"}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="animation_cli.py", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--demo", action="store_true", help="the demo scene, set into motion")
    which.add_argument("--blend", type=Path, help="a .blend file")
    parser.add_argument("--camera", help="a camera object; default: the scene's active camera")
    args = parser.parse_args(argv)
    try:
        capture_cli.open_scene(args)
        if args.demo:
            demo_scene.animate(bpy.context.scene)
        camera = capture_cli.camera_named(args.camera)
        scene = bpy.context.scene if camera is None else capture_cli.scene_of(camera)
    except UnderpaintError as error:
        _say({"code": error.code, "message": error.message})
        return 2
    _say(_facts(scene))
    if _simulates(scene):
        scene.frame_set(scene.frame_start)
    known: set[str] = set()
    for line in sys.stdin:
        _say(_answer(json.loads(line), scene, camera, known))
    return 0


def _answer(asked: dict[str, Any], scene: Any, camera: Any, known: set[str]) -> dict[str, Any]:
    try:
        if "movie" in asked:
            pictures = [Path(picture) for picture in asked["pictures"]]
            return {"movie": movie.write(Path(asked["movie"]), pictures, asked["fps"])}
        # Not around the movie: Blender ends when another scene is rendered in another's view layer.
        with bpy.context.temp_override(scene=scene, view_layer=capture_cli.layer_of(scene)):
            return _take(asked, camera, known) | {"numbers": numbers(scene)}
    except UnderpaintError as error:
        return {"code": error.code, "message": error.message}


def _take(asked: dict[str, Any], camera: Any, known: set[str]) -> dict[str, Any]:
    _go_to(bpy.context.scene, asked["frame"])
    taken = capture(bpy.context, camera, asked["width"], asked["height"])
    objects = capture_cli.objects_in(taken.view, taken.buffers)
    seen = sights(bpy.context, taken.view.camera)
    save_view(Path(asked["view"]), taken.view, taken.buffers, objects, seen)
    track = track_of(taken.placed, taken.passes, taken.view.camera)
    save_track(Path(asked["track"]), track, known)
    return _facts(bpy.context.scene)


def _go_to(scene: Any, frame: int) -> None:
    """Simulations come to a frame by all that are before it; where they were, they remember."""
    for between in range(scene.frame_current + 1, frame) if _simulates(scene) else ():
        scene.frame_set(between)
    scene.frame_set(frame)


def _simulates(scene: Any) -> bool:
    modifiers = [modifier for item in scene.objects for modifier in item.modifiers]
    return scene.rigidbody_world is not None or any(
        modifier.type in _SIMULATED or (modifier.type == "NODES" and len(modifier.bakes) > 0)
        for modifier in modifiers
    )


def _facts(scene: Any) -> dict[str, Any]:
    render = scene.render
    return {
        "frames": [scene.frame_start, scene.frame_end],
        "present": scene.frame_current,
        "fps": render.fps / render.fps_base,
    }


def _say(answer: dict[str, Any]) -> None:
    # On a line of its own: Blender prints to the same stream.
    sys.stdout.write(f"\n{PREFIX}{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    bare.run(lambda: main(script_arguments(sys.argv)))
