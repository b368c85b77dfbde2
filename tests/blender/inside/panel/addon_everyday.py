"""Behaviours of the panel that an artist uses all day: settings, lists, queue. Run by
`addon_behaviours`."""

from __future__ import annotations

import json
import os

import bpy
import recording_layout
from addon_tools import STEPS, addon, asked, begin, draw, live, paint, pump_until, settings

# isort: split
import numpy as np

LONG = "steps=9000 seconds=0.05"


def loras_go_with_the_request_and_come_back():
    group = settings()
    bpy.ops.underpaint.lora_add(name="ink")
    bpy.ops.underpaint.lora_add(directory=os.sep + "loras", files=[{"name": "a.safetensors"}])
    group.loras[0].weight = 0.7
    drawn = draw("UNDERPAINT_PT_loras")
    assert "underpaint.lora_remove" in drawn.operators
    plain = addon("ui.properties").read_settings(group)
    assert [(x.path, x.weight) for x in plain.loras] == [
        ("ink", 0.7),
        (os.path.join(os.sep, "loras", "a.safetensors"), 1.0),
    ]
    group.loras[1].enabled = False
    assert [x.path for x in addon("ui.properties").read_settings(group).loras] == ["ink"]
    group.active_lora = 1
    bpy.ops.underpaint.lora_remove()
    assert len(group.loras) == 1
    addon("ui.properties").write_settings(group, plain)
    assert addon("ui.properties").read_settings(group) == plain


def a_control_can_follow_an_image_and_an_own_network():
    from underpaint.buffers import Buffers

    group = settings()
    image = picture("sketch", (1.0, 0.5, 0.0))
    group.canny_enabled, group.canny_image = True, image
    group.depth_model = "/networks/depth"
    bpy.ops.underpaint.reference_add(image=image.name)
    group.references[0].role = "sketch"
    pictures = Buffers()
    plain = addon("ui.properties").read_settings(group, pictures)
    request = addon("image.request").image_request(plain, None)
    by_kind = {control.kind.value: control for control in request.controls}
    assert by_kind["depth"].model == "/networks/depth"
    array = pictures[by_kind["canny"].image.sha256]
    assert array.shape == (8, 16, 3)
    assert array[0, 0].tolist() == [255, 128, 0]
    assert array[-1, 0].tolist() == [0, 0, 0], "row 0 is the top"
    (reference,) = request.references
    assert reference.image == by_kind["canny"].image
    assert reference.role == "sketch"
    group.references[0].enabled = False
    assert not addon("ui.properties").read_settings(group, pictures).references
    assert "color" not in {k.value for k in addon("image.request").wanted_buffers(plain)}


def parts_have_their_own_words_and_come_in_the_size_of_the_picture():
    """A mask drawn at another size is brought to the view's; one that is off or blank is none."""
    group = settings()
    mask = picture("left", (1.0, 1.0, 1.0))
    pixels = np.zeros((8, 16, 4), np.float32)
    pixels[:, :8] = 1.0
    pixels[..., 3] = 1.0
    mask.pixels.foreach_set(pixels.ravel())
    for words, on, marks in (("moss", True, mask), ("gold", False, mask), ("red", True, None)):
        bpy.ops.underpaint.region_add()
        part = group.regions[group.active_region]
        part.prompt, part.enabled, part.mask = words, on, marks
    drawn = draw("UNDERPAINT_PT_parts")
    assert "underpaint.region_remove" in drawn.operators
    painted = paint(STEPS)
    (region,) = json.loads(asked())["regions"]
    assert region["prompt"]["text"] == "moss"
    assert region["mask"]["shape"] == [painted.size[1], painted.size[0]]
    for _ in range(3):
        bpy.ops.underpaint.region_remove()
    paint(STEPS)
    assert "regions" not in json.loads(asked())


def pictures_of_an_earlier_painting_come_back():
    """Also when their images are gone; images that are still there are taken, not doubled."""
    group = settings()
    group.canny_enabled, group.canny_image = True, picture("sketch", (1.0, 0.5, 0.0))
    look = picture("look", (0.2, 0.4, 0.6))
    bpy.ops.underpaint.reference_add(image=look.name)
    bpy.ops.underpaint.region_add()
    group.regions[0].prompt, group.regions[0].mask = "moss", picture("part", (1.0, 1.0, 1.0))
    first = paint(STEPS)
    before = asked()
    for name in ("sketch", "part"):
        bpy.data.images.remove(bpy.data.images[name])
    bpy.ops.underpaint.reference_remove()
    bpy.ops.underpaint.region_remove()
    paint(STEPS)
    assert asked() != before
    bpy.ops.underpaint.reference_add(image=look.name)
    counts = []
    for _ in range(2):
        assert bpy.ops.underpaint.use_settings(image=first.name) == {"FINISHED"}
        counts.append(len(bpy.data.images))
    assert counts[0] == counts[1]
    assert [item.image for item in group.references] == [look]
    paint(group.prompt)
    assert asked() == before


def what_a_model_cannot_do_is_not_offered_unless_it_is_set():
    from dataclasses import replace

    group, session = settings(), live().session
    paint(STEPS)
    known = session.model_records
    try:
        for abilities, shown in (((), False), (("regions", "curves", "image_guidance"), True)):
            session.model_records = tuple(
                replace(record, abilities=abilities) if record.name == group.model else record
                for record in known
            )
            drawn = draw("UNDERPAINT_PT_sampling").properties
            assert ("guidance_curve" in drawn) == shown
            context = recording_layout.Context()
            assert bpy.types.UNDERPAINT_PT_parts.poll(context) == shown
        session.model_records = tuple(replace(record, abilities=()) for record in known)
        group.guidance_curve = "0-1, 1-0.20"
        assert group.guidance_curve == "0-1,1-0.2", "as the command line writes it"
        assert "guidance_curve" in draw("UNDERPAINT_PT_sampling").properties
    finally:
        session.model_records, group.guidance_curve = known, ""


def a_curve_that_is_none_is_said_and_emptied():
    group = settings()
    group.guidance_curve = "up and down"
    assert "up and down" in live().error.message
    assert group.guidance_curve == ""
    live().error = None


def picture(name: str, colour: tuple[float, float, float]):
    """A byte image, 16 × 8: a colour, black in its lowest row."""
    image = bpy.data.images.new(name, 16, 8)
    pixels = np.ones((8, 16, 4), np.float32)
    pixels[..., :3] = colour
    pixels[0, :, :3] = 0
    image.pixels.foreach_set(pixels.ravel())
    return image


def a_model_brings_its_settings():
    paint(STEPS)
    group = settings()
    group.steps, group.width = 99, 64
    bpy.ops.underpaint.choose_model(name="starter")
    assert group.steps != 99
    assert group.width == 256
    group.steps = 99
    bpy.ops.underpaint.choose_model(name="starter", defaults=False)
    assert group.steps == 99
    assert "underpaint.choose_model" in draw("UNDERPAINT_PT_models").operators


def several_paintings_wait_in_line_and_one_can_be_cancelled():
    first, second, third = begin(LONG), None, None
    settings().prompt = STEPS
    tasks = live().session.tasks
    for _ in range(2):
        assert bpy.ops.underpaint.generate(wait=False) == {"FINISHED"}
    first, second, third = tasks.values()
    drawn = draw("UNDERPAINT_PT_main")
    assert drawn.operators.count("underpaint.cancel") == 4, drawn.operators
    bpy.ops.underpaint.cancel(job=second.id)
    pump_until(lambda: second.ended)
    assert second.error.code == "cancelled"
    assert not first.ended
    bpy.ops.underpaint.cancel(job=first.id)
    pump_until(lambda: third.ended)
    assert third.error is None
    assert not live().failed, "what was cancelled is not offered again"


def what_failed_can_be_tried_again():
    task = begin("fail_at=1")
    pump_until(lambda: task.ended)
    assert live().failed == [task], (task.error, task.files)
    assert "underpaint.retry" in draw("UNDERPAINT_PT_main").operators
    bpy.ops.underpaint.retry(job=task.id)
    assert not live().failed
    (again,) = live().session.tasks.values()
    assert again.request == task.request
    pump_until(lambda: again.ended)
    bpy.ops.underpaint.retry_not(job=again.id)
    assert not live().failed
    live().error = None


BEHAVIOURS = (
    loras_go_with_the_request_and_come_back,
    a_control_can_follow_an_image_and_an_own_network,
    parts_have_their_own_words_and_come_in_the_size_of_the_picture,
    pictures_of_an_earlier_painting_come_back,
    what_a_model_cannot_do_is_not_offered_unless_it_is_set,
    a_curve_that_is_none_is_said_and_emptied,
    a_model_brings_its_settings,
    several_paintings_wait_in_line_and_one_can_be_cancelled,
    what_failed_can_be_tried_again,
)
