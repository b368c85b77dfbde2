"""Behaviours of what a painting leaves in the file, and of using its settings again. Run by
`addon_behaviours`."""

from __future__ import annotations

from pathlib import Path

import bpy
from addon_tools import STEPS, paint, settings


def results_go_beside_a_saved_file():
    blend = Path(bpy.app.tempdir) / "saved" / "scene.blend"
    blend.parent.mkdir(exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    image = paint(STEPS)
    assert Path(image.filepath).is_relative_to(blend.parent / "underpaint"), image.filepath
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    assert settings().results[0].image["underpaint_request"] == image_request_text()


def image_request_text() -> str:
    return bpy.data.images[settings().results[0].name]["underpaint_request"]


def results_can_stand_behind_the_camera():
    settings().to_background = True
    first = paint(STEPS)
    background = bpy.context.scene.camera.data.background_images
    assert [b.image for b in background] == [first]
    second = paint(STEPS)
    assert [b.image for b in background] == [second], "a new result takes the old one's place"
    bpy.ops.underpaint.set_background(image=first.name)
    assert [b.image for b in background] == [first]


def long_prompts_in_any_script_name_their_image():
    image = paint("steps=1 " + "画" * 60)
    assert image.name.startswith("steps=1 画画")


def settings_of_an_earlier_painting_can_be_used_again():
    group = settings()
    group.seed, group.canny_enabled, group.canny_scale, group.sampler = 77, True, 0.35, "ddim"
    group.repaint, group.strength = True, 0.45
    first = paint(STEPS)
    asked = first["underpaint_request"]
    group.seed, group.canny_enabled, group.sampler = 1, False, "euler"
    group.repaint, group.prompt, group.width = False, "something else", 128
    bpy.ops.underpaint.use_settings(image=first.name)
    again = paint(settings().prompt)
    assert again["underpaint_request"] == asked
    assert len(settings().results) == 2


BEHAVIOURS = (
    results_go_beside_a_saved_file,
    results_can_stand_behind_the_camera,
    long_prompts_in_any_script_name_their_image,
    settings_of_an_earlier_painting_can_be_used_again,
)
