"""Behaviours of what a picture follows: the rows of controls. Run by `addon_behaviours`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import bpy
from addon_tools import STEPS, addon, draw, live, paint, pump_until, refusal, settings
from annotating import annotate

# isort: split
import numpy as np

SIDE = 128


@contextmanager
def model_has(controls: tuple[str, ...], abilities: tuple[str, ...]) -> Iterator[None]:
    """The daemon has told that the chosen model has these."""
    session, name = live().session, settings().model
    known = session.model_records
    try:
        session.model_records = tuple(
            replace(record, controls=controls, abilities=abilities)
            if record.name == name
            else record
            for record in known
        )
        yield
    finally:
        session.model_records = known


def the_controls_that_a_model_can_follow_are_offered_and_no_others():
    paint(STEPS)
    group = settings()
    group.model_controls = False
    every = {f"{kind.value}_enabled" for kind in addon("following.kinds").PANEL_CONTROLS}
    assert len(every) == 12

    def offered() -> set[str]:
        return every & set(draw("UNDERPAINT_PT_controls").properties)

    with model_has(("depth", "scribble"), ()):
        assert offered() == {"depth_enabled", "scribble_enabled", "normal_enabled"}
        group.normal_enabled = False
        assert offered() == {"depth_enabled", "scribble_enabled"}
        assert "more_controls" not in draw("UNDERPAINT_PT_controls").properties
    with model_has(("depth", "scribble"), ("controls",)):
        assert "more_controls" in draw("UNDERPAINT_PT_controls").properties
        assert offered() == {"depth_enabled", "scribble_enabled"}
        group.more_controls = True
        assert offered() == every
        group.openpose_enabled = True
        assert "openpose_model" in draw("UNDERPAINT_PT_controls").properties, "what is lacking"


def a_model_brings_its_controls_of_any_kind():
    paint(STEPS)
    record = addon("link.runtime").record_of(settings().model)
    wants = {**record.defaults, "controls": [{"kind": "softedge", "scale": 0.5}]}
    addon("ui.model_defaults").take_defaults(settings(), replace(record, defaults=wants))
    assert settings().softedge_enabled
    assert not settings().depth_enabled
    settings().model_controls = False
    request = paint(STEPS)["underpaint_request"]
    assert '"kind":"softedge"' in request
    assert '"scale":0.5' in request


def seen_by_the_model(kind: str, source: str) -> np.ndarray:
    """Paint with this control alone; the picture that went with the request."""
    from underpaint.files.inputs import load_inputs
    from underpaint.tree import from_json

    group = settings()
    group.width = group.height = SIDE
    group.depth_enabled = group.normal_enabled = False
    setattr(group, f"{kind}_enabled", True)
    setattr(group, f"{kind}_source", source)
    image = paint(STEPS)
    request = from_json(image["underpaint_request"])
    (control,) = request.controls
    assert control.kind == kind
    folder = addon("operators.recall").folder_of(image)
    return load_inputs(folder, request, (control.image,))[control.image.sha256]


def cube():
    return next(item for item in bpy.context.scene.objects if item.type == "MESH")


def a_control_follows_the_outline_of_an_object_or_a_collection():
    from underpaint.buffers import Kind

    view, arrays = addon("capture").capture_view(
        bpy.context, None, SIDE, SIDE, frozenset({Kind.OBJECT_ID})
    )
    mask = arrays[view.object_id.sha256] > 0
    settings().scribble_object = cube()
    outline = seen_by_the_model("scribble", "OBJECTS")
    on = outline[..., 0] > 0
    assert np.array_equal(outline, np.repeat(on[..., None] * np.uint8(255), 3, axis=2))
    assert 0 < on.sum() < mask.sum() / 2, "its outline and not all of it"
    assert on[mask & ~np.roll(mask, 1, axis=0)].all()
    settings().scribble_enabled, settings().segment_collection = False, cube().users_collection[0]
    flat = seen_by_the_model("segment", "OBJECTS")
    assert np.array_equal(flat.any(axis=2), mask), "a collection as flat colours"
    assert '"object_id"' not in bpy.data.images[live().last_image]["underpaint_request"]
    settings().segment_collection = None
    assert "no object is chosen" in refusal(lambda: bpy.ops.underpaint.generate())
    hidden = bpy.data.objects.new("Elsewhere", cube().data)
    settings().segment_object = hidden
    assert "not seen from here" in refusal(lambda: bpy.ops.underpaint.generate())


def person():
    """An armature with the bones of arms and legs, named as Rigify's, in the camera's view."""
    armature = bpy.data.objects.new("Person", bpy.data.armatures.new("Person"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = {"spine.006": ((0, 0, 1.6), (0, 0, 1.8))}
    for side, x in (("L", 1), ("R", -1)):
        bones[f"upper_arm.{side}"] = (0.2 * x, 0, 1.5), (0.5 * x, 0, 1.5)
        bones[f"forearm.{side}"] = (0.5 * x, 0, 1.5), (0.8 * x, 0, 1.5)
        bones[f"thigh.{side}"] = (0.1 * x, 0, 1.0), (0.1 * x, 0, 0.5)
    for name, (head, tail) in bones.items():
        bone = armature.data.edit_bones.new(name)
        bone.head, bone.tail = head, tail
        if name.startswith("forearm"):
            bone.parent = armature.data.edit_bones[name.replace("forearm", "upper_arm")]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def a_pose_follows_an_armature_as_it_stands():
    assert "bones of a person" in refusal(lambda: seen_by_the_model("openpose", "ARMATURE"))
    armature = person()
    first = seen_by_the_model("openpose", "ARMATURE")
    assert '"view"' not in bpy.data.images[live().last_image]["underpaint_request"]
    colours = {tuple(colour) for colour in first.reshape(-1, 3).tolist()}
    assert {(255, 170, 0), (170, 255, 0), (0, 255, 0)} <= colours, "elbow, wrist, left shoulder"
    bone = armature.pose.bones["upper_arm.L"]
    bone.rotation_mode, bone.rotation_euler = "XYZ", (0.0, 0.0, 0.8)
    bpy.context.view_layer.update()
    moved = seen_by_the_model("openpose", "ARMATURE")
    assert not np.array_equal(first, moved), "posed otherwise"
    bone.rotation_euler = (0.0, 0.0, 0.0)
    settings().openpose_armature = armature
    assert np.array_equal(seen_by_the_model("openpose", "ARMATURE"), first)
    armature.hide_set(True)
    settings().openpose_armature = None
    assert "bones of a person" in refusal(lambda: bpy.ops.underpaint.generate())


def a_scribble_follows_the_strokes_of_annotations():
    assert "no annotation is seen" in refusal(lambda: seen_by_the_model("scribble", "STROKES"))
    annotate(lambda w, h: [(w * (0.45 + n / 100), h * 0.5) for n in range(10)])
    picture = seen_by_the_model("scribble", "STROKES")
    share = (picture[..., 0] > 127).mean()
    assert 0.001 < share < 0.1, share
    assert np.array_equal(picture[..., 0], picture[..., 2]), "white on black"


def what_was_drawn_for_a_control_comes_back_as_a_picture():
    settings().scribble_object = cube()
    seen_by_the_model("scribble", "OBJECTS")
    asked = bpy.data.images[live().last_image]["underpaint_request"]
    settings().scribble_enabled = False
    bpy.ops.underpaint.use_settings(image=live().last_image)
    assert settings().scribble_source == "IMAGE"
    assert paint(settings().prompt)["underpaint_request"] == asked


def each_source_shows_what_belongs_to_it():
    group = settings()
    group.scribble_enabled = group.openpose_enabled = True
    group.scribble_open = group.openpose_open = True
    assert "openpose_armature" in draw("UNDERPAINT_PT_controls").properties
    group.scribble_source = "OBJECTS"
    assert {"scribble_object", "scribble_collection"} <= {
        *draw("UNDERPAINT_PT_controls").properties
    }
    group.scribble_image = bpy.data.images.new("Lines", 8, 8)
    assert group.scribble_source == "IMAGE", "a picture that is chosen is followed"
    assert "scribble_object" not in draw("UNDERPAINT_PT_controls").properties


def what_the_model_sees_is_shown_without_painting():
    """Of this view, by what makes it for a painting; nothing of it is kept."""
    from underpaint.wire.messages import GalleryList

    group = settings()
    group.width = group.height = SIDE
    assert "underpaint.show_controls" in draw("UNDERPAINT_PT_controls").operators
    assert bpy.ops.underpaint.show_controls(timeout=120) == {"FINISHED"}
    wanted = set(addon("ui.model_defaults").wanted_controls(group.model))
    assert wanted
    assert set(live().shown.files) == wanted, "of what the model wants"
    group.normal_enabled = group.canny_enabled = False
    group.scribble_enabled, group.scribble_source = True, "OBJECTS"
    group.scribble_object = cube()
    group.segment_enabled = True
    own = Path(bpy.app.tempdir) / "own.safetensors"
    own.touch()
    group.scribble_model = group.segment_model = str(own)
    assert bpy.ops.underpaint.show_controls(timeout=120) == {"FINISHED"}
    assert set(live().shown.files) == {"depth", "scribble", "segment"}
    depth, scribble = (seen(kind) for kind in ("depth", "scribble"))
    assert depth.shape[:2] == scribble.shape[:2] == (SIDE, SIDE)
    assert depth[SIDE // 2, SIDE // 2] > depth[0, 0] == 0, "near is white"
    drawn = draw("UNDERPAINT_PT_controls").layout.drawn
    assert [name for name, _text, _what in drawn].count("popover") == 3
    assert draw("UNDERPAINT_PT_seen_depth").operators == ["underpaint.show_controls"]
    assert not live().session.kept_tasks
    group.segment_enabled = False
    assert np.array_equal(scribble * 255, seen_by_the_model("scribble", "OBJECTS")[..., 0])
    group.scribble_object = None
    assert "no object is chosen" in refusal(lambda: bpy.ops.underpaint.show_controls())
    assert not live().shown.asking
    found = []
    live().session.ask(lambda up: up.gallery(GalleryList()), found.append, found.append)
    pump_until(lambda: found)
    assert all(not picture.name.startswith("control_") for picture in found[0].pictures)


def seen(kind: str) -> np.ndarray:
    """The first channel of a control's picture, 0 to 1, row 0 at the top."""
    image = bpy.data.images.load(str(live().shown.files[kind]))
    pixels = np.empty(SIDE * SIDE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIDE, SIDE, 4)[::-1, :, 0]


def what_is_left_alone_stays_as_the_view_shows_it_and_the_rest_is_painted():
    from underpaint.buffers import Kind

    group, item = settings(), cube()
    group.width = group.height = SIDE
    item.select_set(True)
    assert "underpaint_leave" in draw("UNDERPAINT_PT_objects").properties
    item.underpaint_leave = True
    try:
        image = paint(STEPS)
        wants = frozenset({Kind.COLOR, Kind.OBJECT_ID})
        view, arrays = addon("capture").capture_view(bpy.context, None, SIDE, SIDE, wants)
        mine = arrays[view.object_id.sha256] > 0
        colour = arrays[view.color.sha256]
        painted = addon("image.pictures").color_of(image)
        assert np.array_equal(painted[mine], colour[mine]), "pixel by pixel"
        assert (painted[~mine] != colour[~mine]).any(), "and the rest is painted"
        asked = image["underpaint_request"]
        group.prompt, group.width, item.underpaint_leave = "else", 64, False
        bpy.ops.underpaint.use_settings(image=image.name)
        item.underpaint_leave = True
        assert paint(group.prompt)["underpaint_request"] == asked
        bpy.context.view_layer.objects.active = item
        assert "left alone" in refusal(lambda: bpy.ops.underpaint.texture(wait=False))
        item.hide_render = True
        assert "nothing is visible" in refusal(bpy.ops.underpaint.generate)
    finally:
        item.underpaint_leave = item.hide_render = False


BEHAVIOURS = (
    the_controls_that_a_model_can_follow_are_offered_and_no_others,
    a_model_brings_its_controls_of_any_kind,
    a_control_follows_the_outline_of_an_object_or_a_collection,
    a_pose_follows_an_armature_as_it_stands,
    a_scribble_follows_the_strokes_of_annotations,
    what_was_drawn_for_a_control_comes_back_as_a_picture,
    each_source_shows_what_belongs_to_it,
    what_the_model_sees_is_shown_without_painting,
    what_is_left_alone_stays_as_the_view_shows_it_and_the_rest_is_painted,
)
