"""What artists rely on when something goes wrong: cancelled, failed, killed, closed."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import addon_utils
import bpy
from addon_tools import (
    MODULE,
    SLOW,
    STEPS,
    addon,
    begin,
    daemon_pid,
    draw,
    live,
    lose_daemon,
    paint,
    pump_until,
    refusal,
    settings,
    stop_daemon,
)


def cancel_stops_in_the_middle_and_is_no_error():
    task = begin(SLOW)
    pump_until(lambda: task.step > 1)
    assert bpy.ops.underpaint.cancel() == {"FINISHED"}
    pump_until(lambda: task.ended)
    assert task.error.code == "cancelled"
    assert live().error is None
    assert not len(settings().results)
    paint(STEPS)


def a_failure_is_shown_with_its_fix():
    assert "the model is broken" in refusal(lambda: paint("steps=3 fail_at=2"))
    drawn = draw("UNDERPAINT_PT_main")
    assert any("he model is broken" in text for text in drawn.texts), drawn.texts
    assert any("safetensors" in text for text in drawn.texts), drawn.texts
    bpy.ops.underpaint.dismiss_error()
    assert live().error is None


def a_scene_without_a_camera_is_refused_with_a_hint():
    bpy.context.scene.camera = None
    assert "camera" in refusal(lambda: paint(STEPS))
    assert live().error.hint


def a_part_of_a_model_is_told_where_the_others_are():
    button, base = "underpaint.model_base", Path(tempfile.mkdtemp())
    file = base / "flux1-dev-Q4_K_S.gguf"
    assert button not in draw("UNDERPAINT_PT_image").operators
    settings().model = str(file)
    assert button in draw("UNDERPAINT_PT_image").operators
    file.write_bytes(b"GGUF")
    asked = {"file": str(file), "directory": str(base)}
    assert "is no model's folder" in refusal(lambda: bpy.ops.underpaint.model_base(**asked))
    (base / "model_index.json").write_text("{}")
    assert bpy.ops.underpaint.model_base(**asked) == {"FINISHED"}
    assert str(base) in file.with_suffix(".underpaint.json").read_text()
    settings().model = "starter"


def the_scene_may_be_deleted_while_it_is_painted():
    doomed = bpy.context.scene
    bpy.data.scenes.new("Another")
    task = begin(SLOW.replace("60", "10"))
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.data.scenes.remove(doomed)
    pump_until(lambda: task.ended)
    assert [entry.image.name for entry in settings().results] == [live().last_image]


def a_folder_that_goes_bad_meanwhile_loses_nothing():
    from underpaint.paths import user_paths

    blend = Path(bpy.app.tempdir) / "spoilt" / "scene.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    task = begin(SLOW.replace("60", "20"))
    pump_until(lambda: task.step > 1)
    shutil.rmtree(blend.parent)
    blend.parent.write_text("no folder")
    pump_until(lambda: task.ended and not live().finished)
    (image,) = [entry.image for entry in settings().results]
    file = Path(bpy.path.abspath(image.filepath))
    assert user_paths().data / "unsaved" in file.parents, file
    assert list(file.parent.glob("inputs-*.npz")), "what it takes to run it again lies beside it"
    texts = " ".join(draw("UNDERPAINT_PT_main").texts)
    assert "Nothing is lost" in texts, texts
    assert not live().failed
    assert not live().session.left


def a_painting_that_no_folder_takes_is_offered_until_one_does():

    from underpaint.paths import user_paths

    elsewhere = [Path(tempfile.gettempdir()), Path.home()]
    homes = [
        user_paths().data / "unsaved",
        *(folder / "underpaint-unsaved" for folder in elsewhere),
    ]
    blend = Path(bpy.app.tempdir) / "full" / "scene.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    task = begin(SLOW.replace("60", "20"))
    pump_until(lambda: task.step > 1)
    shutil.rmtree(homes[0], ignore_errors=True)
    shutil.rmtree(blend.parent)
    spoilt = [*homes, blend.parent]
    for folder in spoilt:
        assert not folder.exists(), f"{folder} is another's: this test has a user of its own"
        folder.write_text("no folder")
    try:
        pump_until(lambda: task.ended)
        assert task.error.code == "not_saved", task.error
        assert not live().failed, "it is painted: it need not be asked for again"
        (note,) = live().session.left
    finally:
        for folder in spoilt:
            folder.unlink()
    assert bpy.ops.underpaint.fetch_left(job=note.job) == {"FINISHED"}
    pump_until(lambda: settings().results)
    assert live().session.left == ()


def a_painting_that_the_daemon_never_got_is_asked_for_again():
    for _ in range(3):
        begin(STEPS)
        addon_utils.disable(MODULE)  # at once: as when Blender is quit after the press
        assert addon_utils.enable(MODULE) is not None
    notes = live().session.left
    assert len(notes) == 3
    for note in notes:
        assert bpy.ops.underpaint.fetch_left(job=note.job) == {"FINISHED"}
    pump_until(lambda: len(settings().results) == 3)
    assert live().error is None


def another_file_may_be_opened_while_it_is_painted():
    task = begin(SLOW.replace("60", "10"))
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    pump_until(lambda: task.ended)
    assert len(settings().results) == 1
    assert bpy.data.images[live().last_image].size[0] == 256


def the_daemon_may_be_killed_while_it_paints():
    task = begin("steps=40 seconds=0.05")
    pump_until(lambda: task.step > 1)
    os.kill(daemon_pid(), signal.SIGKILL)
    pump_until(lambda: live().session.state in ("lost", "starting"))
    pump_until(lambda: task.ended)
    assert task.error is None, task.error
    assert len(settings().results) == 1


def a_lost_daemon_can_be_started_again():
    paint(STEPS)
    lose_daemon()
    drawn = draw("UNDERPAINT_PT_main")
    assert "Start Again" in drawn.texts, drawn.texts
    assert bpy.ops.underpaint.start_daemon() == {"FINISHED"}
    pump_until(lambda: live().session.state == "ready")


def a_wrong_python_is_named():
    live().session.close()
    chosen = bpy.context.preferences.addons[MODULE].preferences
    chosen.daemon_python = "/nowhere/python"
    try:
        assert "/nowhere/python" in refusal(bpy.ops.underpaint.start_daemon)
    finally:
        chosen.daemon_python = ""
    paint(STEPS)


def a_daemon_that_cannot_start_is_explained():
    paint(STEPS)
    stop_daemon()
    python = os.environ["UNDERPAINT_PYTHON"]
    os.environ["UNDERPAINT_PYTHON"] = "/bin/false"
    try:
        bpy.ops.underpaint.start_daemon()
        pump_until(lambda: live().session.trouble is not None)
    finally:
        os.environ["UNDERPAINT_PYTHON"] = python
    texts = " ".join(draw("UNDERPAINT_PT_main").texts)
    assert "ended with code 1" in texts, texts
    assert "Look into the log" in texts, texts
    assert live().session.state == "absent"
    paint(STEPS)
    assert live().session.trouble is None


def a_painting_outlives_the_blender_that_asked_for_it():
    begin(SLOW.replace("60", "20"))
    pump_until(lambda: live().current.step > 1)
    addon_utils.disable(MODULE)  # as quitting does: nobody follows the job any more
    assert addon_utils.enable(MODULE) is not None
    (note,) = live().session.left
    assert any(note.title in text for text in draw("UNDERPAINT_PT_main").texts)
    assert bpy.ops.underpaint.fetch_left(job=note.job) == {"FINISHED"}
    assert live().session.left == ()
    pump_until(lambda: settings().results)
    assert settings().results[0].image["underpaint_request"] == note.request
    assert addon("link.left").left_over(live().session._paths(), set()) == ()


def a_painting_that_was_left_can_be_left_for_good():
    begin(SLOW)
    pump_until(lambda: live().current.step > 1)
    bpy.ops.underpaint.cancel()
    addon_utils.disable(MODULE)
    assert addon_utils.enable(MODULE) is not None
    (note,) = live().session.left
    assert bpy.ops.underpaint.drop_left(job=note.job) == {"FINISHED"}
    assert live().session.left == ()


BEHAVIOURS = (
    cancel_stops_in_the_middle_and_is_no_error,
    a_failure_is_shown_with_its_fix,
    a_scene_without_a_camera_is_refused_with_a_hint,
    a_part_of_a_model_is_told_where_the_others_are,
    the_scene_may_be_deleted_while_it_is_painted,
    a_folder_that_goes_bad_meanwhile_loses_nothing,
    a_painting_that_no_folder_takes_is_offered_until_one_does,
    a_painting_that_the_daemon_never_got_is_asked_for_again,
    another_file_may_be_opened_while_it_is_painted,
    the_daemon_may_be_killed_while_it_paints,
    a_lost_daemon_can_be_started_again,
    a_wrong_python_is_named,
    a_daemon_that_cannot_start_is_explained,
    a_painting_outlives_the_blender_that_asked_for_it,
    a_painting_that_was_left_can_be_left_for_good,
)
