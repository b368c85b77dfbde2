"""Runs inside Blender: the installed extension paints an animation with the starter model.

    BLENDER_PYTHON addon_animation.py -- RESULTS.json EXTENSION.zip

Writes {behaviour: "" or the traceback}. `test_addon_animation.py` starts it and reports each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
import bpy
from addon_tools import addon, draw, live, main, pump_until, refusal, settings

# isort: split
import numpy as np

PROMPT, SIDE, SEED, FRAMES = "a red clay box on sand", 64, 7, (1, 3)
_COMMAND = "import sys; from underpaint.cli.main import main; sys.exit(main(sys.argv[1:]))"


def box_that_moves(last: int = FRAMES[1]):
    """The start-up scene, its cube on its way for some frames; small pictures."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = FRAMES[0], last
    box = bpy.data.objects["Cube"]
    for frame, x in ((FRAMES[0], -1.0), (last, 1.0)):
        box.location.x = x
        box.keyframe_insert("location", frame=frame)
    group = settings()
    group.prompt, group.seed, group.width, group.height = PROMPT, SEED, SIDE, SIDE
    return scene


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("[0-9]*.png"))}


def pixels(folder: Path) -> list[np.ndarray]:
    found = [bpy.data.images.load(str(folder / name)) for name in pictures(folder)]
    return [addon("editing.marks").read(image) for image in found]


def command(blend: Path, out: Path, last: int = FRAMES[1], *more: str) -> subprocess.Popen[str]:
    """The same by the command line, in a process group of its own as in a terminal."""
    words = ["render", str(blend), "--frames", f"{FRAMES[0]}:{last}", *more]
    words += ["--camera", "Camera", "--prompt", PROMPT, "--seed", str(SEED)]
    words += ["--size", f"{SIDE}x{SIDE}", "--out", str(out)]
    return subprocess.Popen(
        [os.environ["UNDERPAINT_PYTHON"], "-c", _COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "UNDERPAINT_BLENDER": sys.executable},
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for the end; what it said on stderr."""
    _out, said = process.communicate(timeout=600)
    assert process.returncode == code, (process.returncode, said[-2000:])
    return said


def the_panel_paints_what_the_command_paints():
    scene = box_that_moves()
    scene.frame_set(2)
    assert bpy.ops.underpaint.animate(timeout=600) == {"FINISHED"}
    folder = Path(scene.underpaint_animation.last)
    painted = pictures(folder)
    assert list(painted) == ["0001.png", "0002.png", "0003.png"]
    assert len(set(painted.values())) == 3
    assert scene.frame_current == 2, "the artist's scene stays as it is"
    assert not bpy.data.filepath
    image = next(i for i in bpy.data.images if i.source in ("MOVIE", "SEQUENCE"))
    assert Path(bpy.path.abspath(image.filepath)).parent == folder
    assert "Go On" not in draw("UNDERPAINT_PT_animation").texts
    ended(command(folder / "scene.blend", folder.with_name("by-command")))
    by_command = pixels(folder.with_name("by-command"))
    assert np.array_equal(by_command, pixels(folder))


def what_was_cancelled_goes_on_where_it_was():
    last = 6
    scene = box_that_moves(last)
    assert bpy.ops.underpaint.animate(wait=False) == {"FINISHED"}
    animating = live().animating
    assert not bpy.ops.underpaint.animate.poll(), "one at a time"
    pump_until(lambda: animating.done >= 1 or animating.ended, 600)
    bpy.ops.underpaint.animation_cancel()
    pump_until(lambda: animating.taken, 600)
    assert (animating.ended, live().error) == ("cancelled", None)
    folder = Path(scene.underpaint_animation.last)
    before = pictures(folder)
    assert 1 <= len(before) < last
    bpy.data.objects["Cube"].scale.x = 3
    assert "Go On" in draw("UNDERPAINT_PT_animation").texts
    assert bpy.ops.underpaint.animate(go_on=True, timeout=600) == {"FINISHED"}
    after = pictures(folder)
    assert len(after) == last
    assert {name: after[name] for name in before} == before
    report = json.loads((folder / "report.json").read_text())
    assert report["resumed"] == len(before), "as it was asked for, whatever the scene is now"
    assert "stopped" in refusal(lambda: bpy.ops.underpaint.animate(go_on=True))


def the_command_stopped_by_ctrl_c_goes_on_where_it_was():
    last = 6
    box_that_moves(last)
    folder = Path(bpy.app.tempdir, "stopped")
    blend = Path(bpy.app.tempdir, "stopped.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
    process = command(blend, folder, last)
    pump_until(lambda: pictures(folder) or process.poll() is not None, 600)
    os.killpg(process.pid, signal.SIGINT)
    said = ended(process, 130)
    assert "Traceback" not in said, said
    before = pictures(folder)
    assert 1 <= len(before) < last
    ended(command(blend, folder, last))
    report = json.loads((folder / "report.json").read_text())
    assert report["resumed"] >= len(before) - 1, "the last may have come after its note"
    after = pictures(folder)
    assert len(after) == last
    assert {name: after[name] for name in before} == before


def values_change_over_time():
    scene = box_that_moves()
    settings().seed = 11
    for frame, value in ((1, None), (3, 13)):
        scene.frame_set(frame)
        if value is not None:
            scene["underpaint_seed"] = value
        assert bpy.ops.underpaint.animate_value(name="seed") == {"FINISHED"}
    scene.frame_set(1)
    assert scene["underpaint_seed"] == 11
    scene.frame_set(2)
    assert scene["underpaint_seed"] == 12
    assert addon("animation.operators").animated(scene) == [("underpaint_seed", "Seed")]


def what_is_locked_stays_and_the_first_frame_is_what_the_button_paints():
    """The seed has keyframes on the panel's own field, the box words of its own. No depth is
    followed: its range is that of all frames."""
    scene, group = box_that_moves(), settings()
    group.model_controls = group.depth_enabled = False
    group.normal_enabled, group.normal_scale = True, 1.0
    scene.frame_set(1)
    ball = bpy.data.objects.new("Ball", bpy.data.objects["Cube"].data.copy())
    scene.collection.objects.link(ball)
    ball.location, ball.underpaint_leave = (-1.0, 2.5, 0.0), True
    bpy.data.objects["Cube"].underpaint_prompt, settings().object_prompts = "moss", True
    for frame, seed in ((1, SEED), (3, SEED + 2)):
        settings().seed = seed
        settings().keyframe_insert("seed", frame=frame)
    scene.frame_set(1)
    assert bpy.ops.underpaint.generate(timeout=600) == {"FINISHED"}
    still = addon("editing.marks").read(bpy.data.images[live().last_image])
    assert bpy.ops.underpaint.animate(timeout=600) == {"FINISHED"}
    folder = Path(scene.underpaint_animation.last)
    painted = pixels(folder)
    assert np.array_equal(painted[0], still), "as the button paints it"
    one = folder.with_name("one-frame")
    words = ("--leave-alone", "--object-prompts", "--control", "normal")
    ended(command(folder / "scene.blend", one, FRAMES[0], *words))
    (by_command,) = (recipe(path) for path in one.glob("*.png"))
    assert by_command == recipe(folder / "0001.png")
    series = folder.with_name("by-command-locked")
    ended(command(folder / "scene.blend", series, FRAMES[1], *words))
    for mine, other in zip(painted, pixels(series), strict=True):
        assert np.abs(mine - other).mean() < 0.02
    ids = kept_of(scene)
    assert all(mask.any() and not mask.all() for mask, _ in ids)
    for (mask, colours), picture in zip(ids, painted, strict=True):
        assert np.abs(picture[::-1, :, :3] - colours)[mask].max() <= 3 / 255, (
            "edges come out a level off"
        )


def recipe(picture: Path) -> dict:
    """What a picture was asked by, without the viewport's colours: of its edges a few come out a
    level brighter in one capture of many."""
    from underpaint.files.recipe import recipe_in

    request = recipe_in(picture.read_bytes(), picture.name)["request"]
    assert request.pop("image") == request["view"].pop("color")
    return request


def kept_of(scene) -> list[tuple[np.ndarray, np.ndarray]]:
    """In each frame where the ball is seen, and the scene's own colours, 0 to 1."""
    from underpaint.buffers import Kind

    found = []
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        scene.frame_set(frame)
        wants = frozenset({Kind.COLOR, Kind.OBJECT_ID})
        view, arrays = addon("capture").capture_view(bpy.context, None, SIDE, SIDE, wants)
        number = addon("capture").object_ids(bpy.context.evaluated_depsgraph_get())["Ball"]
        mask = arrays[view.object_id.sha256] == number
        found.append((mask, arrays[view.color.sha256][..., :3] / 255))
    return found


def a_pose_without_people_is_refused_at_once():
    scene = box_that_moves()
    group = settings()
    group.depth_enabled = group.normal_enabled = group.guide_enabled = False
    group.openpose_enabled = True
    assert "bones of a person" in refusal(bpy.ops.underpaint.animate)
    assert not scene.underpaint_animation.last


def without_a_camera_it_says_so():
    scene = box_that_moves()
    scene.camera = None
    assert "camera" in refusal(bpy.ops.underpaint.animate)


BEHAVIOURS = (
    without_a_camera_it_says_so,
    a_pose_without_people_is_refused_at_once,
    what_is_locked_stays_and_the_first_frame_is_what_the_button_paints,
    values_change_over_time,
    the_panel_paints_what_the_command_paints,
    what_was_cancelled_goes_on_where_it_was,
    the_command_stopped_by_ctrl_c_goes_on_where_it_was,
)

if __name__ == "__main__":
    main(BEHAVIOURS)
