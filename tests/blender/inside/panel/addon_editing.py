"""Behaviours of editing in the image. Run by `addon_behaviours`."""

from __future__ import annotations

import bpy
from addon_tools import SLOW, STEPS, addon, live, paint, pump_until, refusal, settings

# isort: split
import numpy as np

BOX = (0.25, 0.5, 0.75, 1.0)


def pixels(image) -> np.ndarray:
    return (addon("editing.marks").read(image)[..., :3] * 255 + 0.5).astype(np.uint8)


def repaint(image, box=BOX, seed=200):
    """Mark a box of an image and repaint it; the new image."""
    settings().repaint_prompt, settings().seed = f"{STEPS} blue", seed
    assert bpy.ops.underpaint.marks_box(image=image.name, box=box) == {"FINISHED"}
    (marks,) = [i for i in bpy.data.images if i.get("underpaint_marks_of") == image]
    assert bpy.ops.underpaint.repaint_here(image=marks.name, timeout=120) == {"FINISHED"}
    return bpy.data.images[live().last_image]


def a_box_is_repainted_and_nothing_else():
    first = paint(f"{STEPS} gold")
    images = len(bpy.data.images)
    second = repaint(first)
    assert len(bpy.data.images) == images + 1, "the marks are gone"
    before, after = pixels(first), pixels(second)
    height, width = before.shape[:2]
    inside = np.zeros((height, width), bool)
    inside[height // 2 :, width // 4 : width * 3 // 4] = True
    assert (after[inside] == (0, 0, 200)).all()
    assert (after[~inside] == before[~inside]).all()


def a_part_is_repainted_by_its_own_words_or_the_pictures_and_the_scenes_stay():
    from underpaint.tree import from_json

    def asked(image) -> str:
        return from_json(image["underpaint_request"]).prompt.text

    first = paint(f"{STEPS} gold")
    settings().prompt = f"{STEPS} of the scene"
    second = repaint(first)
    assert asked(second) == f"{STEPS} blue"
    assert settings().prompt == f"{STEPS} of the scene"
    settings().repaint_prompt = ""
    assert bpy.ops.underpaint.enlarge(image=second.name, timeout=120) == {"FINISHED"}
    assert asked(bpy.data.images[live().last_image]) == f"{STEPS} gold"


def a_repainted_picture_follows_the_form_it_was_painted_over():
    from underpaint.tree import from_json

    first = paint(f"{STEPS} gold")
    request = from_json(repaint(first)["underpaint_request"])
    made_by = from_json(first["underpaint_request"])
    assert request.view == made_by.view
    assert request.controls is None, "what the model wants for a view"
    loose = bpy.data.images.new("from elsewhere", 64, 64)
    request = from_json(repaint(loose)["underpaint_request"])
    assert request.view is None
    assert request.controls == ()


def what_is_as_red_as_the_marks_can_be_marked():
    red = bpy.data.images.new("red", 32, 32)
    red.pixels.foreach_set(np.tile(np.array([1, 0.1, 0.1, 1], np.float32), 32 * 32))
    assert (pixels(repaint(red))[16:, 8:24] == (0, 0, 200)).all()


def before_and_after_know_each_other_and_survive_a_rename():
    marks = addon("editing.marks")
    first = paint(f"{STEPS} gold")
    second = repaint(first)
    first.name = "renamed"
    assert marks.other_side(second) == first
    assert marks.other_side(first) == second


def a_picture_is_enlarged():
    first = paint(f"{STEPS} gold")
    assert bpy.ops.underpaint.enlarge(image=first.name, timeout=120) == {"FINISHED"}
    large = bpy.data.images[live().last_image]
    assert tuple(large.size) == tuple(2 * side for side in first.size)
    assert addon("editing.marks").other_side(large) == first


def outpaint(image, side, seed=200):
    """Paint beyond a side of an image; the new image."""
    settings().repaint_prompt, settings().seed = f"{STEPS} blue", seed
    settings().outpaint_part = 0.25
    done = bpy.ops.underpaint.outpaint(image=image.name, side=side, timeout=120)
    assert done == {"FINISHED"}
    return bpy.data.images[live().last_image]


def a_picture_grows_beyond_the_side_that_is_asked_for():
    first = paint(f"{STEPS} gold")
    before = pixels(first)
    height, width = before.shape[:2]
    more = width // 4
    wide = outpaint(first, "LEFT")
    assert tuple(wide.size) == (width + more, height)
    assert (pixels(wide)[:, more:] == before).all(), "the picture itself is as it was"
    assert (pixels(wide)[:, :more] == (0, 0, 200)).all()
    tall = outpaint(first, "TOP")
    assert (pixels(tall)[:height] == before).all()
    assert (pixels(tall)[height:] == (0, 0, 200)).all()
    around = outpaint(first, "ALL")
    assert tuple(around.size) == (width + 2 * more, height + 2 * more)
    assert (pixels(around)[more:-more, more:-more] == before).all()
    assert {first, wide, tall, around} <= set(bpy.data.images), "each lies beside the others"
    assert addon("editing.marks").other_side(around) == first


def marks_do_not_get_into_what_is_made_of_the_picture():
    first = paint(f"{STEPS} gold")
    bpy.ops.underpaint.marks_box(image=first.name, box=BOX)
    (marks,) = [i for i in bpy.data.images if i.get("underpaint_marks_of") == first]
    grown = outpaint(marks, "RIGHT")
    assert (pixels(grown)[:, : first.size[0]] == pixels(first)).all()
    assert addon("editing.marks").other_side(grown) == first


def outpainting_can_be_cancelled():
    first = paint(f"{STEPS} gold")
    settings().repaint_prompt = SLOW
    images = set(bpy.data.images)
    assert bpy.ops.underpaint.outpaint(image=first.name, side="TOP", wait=False) == {"FINISHED"}
    task = live().current
    pump_until(lambda: task.step > 0)
    bpy.ops.underpaint.cancel()
    pump_until(lambda: task.ended)
    assert set(bpy.data.images) == images
    assert live().error is None


def what_cannot_be_repainted_says_why():
    image = bpy.data.images.new("plain", 32, 32)
    said = refusal(lambda: bpy.ops.underpaint.repaint_here(image=image.name))
    assert "nothing is marked" in said
    said = refusal(lambda: bpy.ops.underpaint.marks_box(image=image.name, box=(2, 2, 3, 3)))
    assert "no pixels" in said
    assert "Open a picture" in refusal(bpy.ops.underpaint.marks_begin)
    assert "Open a picture" in refusal(bpy.ops.underpaint.outpaint)
    assert "nothing to compare" in refusal(lambda: bpy.ops.underpaint.compare(image=image.name))
    live().error = None


def marks_can_be_taken_away():
    image = bpy.data.images.new("plain", 32, 32)
    bpy.ops.underpaint.marks_box(image=image.name, box=BOX)
    (marks,) = [i for i in bpy.data.images if i.get("underpaint_marks_of") == image]
    assert bpy.ops.underpaint.marks_clear(image=marks.name) == {"FINISHED"}
    assert not [i for i in bpy.data.images if i.get("underpaint_marks_of")]


BEHAVIOURS = (
    a_box_is_repainted_and_nothing_else,
    a_part_is_repainted_by_its_own_words_or_the_pictures_and_the_scenes_stay,
    a_repainted_picture_follows_the_form_it_was_painted_over,
    what_is_as_red_as_the_marks_can_be_marked,
    before_and_after_know_each_other_and_survive_a_rename,
    a_picture_is_enlarged,
    a_picture_grows_beyond_the_side_that_is_asked_for,
    marks_do_not_get_into_what_is_made_of_the_picture,
    outpainting_can_be_cancelled,
    what_cannot_be_repainted_says_why,
    marks_can_be_taken_away,
)
