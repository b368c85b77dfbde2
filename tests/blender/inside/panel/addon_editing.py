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


def a_picture_is_sent_into_the_scene():
    image = bpy.data.images.new("wide", 64, 32)
    bpy.ops.underpaint.send(image=image.name, to="REFERENCE")
    empty = bpy.data.objects["wide"]
    assert (empty.empty_display_type, empty.data) == ("IMAGE", image)
    bpy.ops.underpaint.send(image=image.name, to="PLANE")
    plane = next(o for o in bpy.data.objects if o.type == "MESH" and o.name.startswith("wide"))
    assert round(plane.dimensions.x / plane.dimensions.y, 3) == 2.0
    nodes = plane.active_material.node_tree.nodes
    assert [n.image for n in nodes if n.type == "TEX_IMAGE"] == [image]


def a_picture_is_sent_to_the_compositor():
    image = bpy.data.images.new("wide", 64, 32)
    assert bpy.ops.underpaint.send(image=image.name, to="COMPOSITOR") == {"FINISHED"}
    scene = bpy.context.scene
    old = bpy.app.version < (5, 0)
    tree = scene.node_tree if old else scene.compositing_node_group
    assert [node.image for node in tree.nodes if node.type == "IMAGE"] == [image]


def a_picture_is_projected_onto_the_scene_from_its_view():
    """Left red, right blue: a render from the same camera shows them there."""
    plain = bpy.data.images.new("plain", 8, 8)
    said = refusal(lambda: bpy.ops.underpaint.send(image=plain.name, to="PROJECT"))
    assert "Underpaint" in said
    image = paint(STEPS)
    colours = np.ones((image.size[1], image.size[0], 4), np.float32)
    colours[..., :3] = (1, 0, 0)
    colours[:, image.size[0] // 2 :, :3] = (0, 0, 1)
    image.pixels.foreach_set(colours.ravel())
    image.pack()  # renders read it anew
    bpy.ops.object.select_all(action="DESELECT")
    assert bpy.ops.underpaint.send(image=image.name, to="PROJECT") == {"FINISHED"}
    shown = rendered()
    height, width = shown.shape[:2]
    middle = shown[height // 2, width // 2 - 3 : width // 2 + 3]
    assert (middle[:2, 0] > 3 * middle[:2, 2]).all(), middle
    assert (middle[-2:, 2] > 3 * middle[-2:, 0]).all(), middle


def a_projected_picture_does_not_shine_through():
    """Onto what its view sees: neither what stands behind, of the same mesh or another, nor the
    other side of a sheet."""
    scene, camera = facing_scene(), bpy.context.scene.camera
    image = paint(STEPS)
    red = np.tile(np.float32((1, 0, 0, 1)), image.size[0] * image.size[1])
    image.pixels.foreach_set(red)
    image.pack()
    for with_depth in (True, False):
        if not with_depth:
            folder = addon("operators.recall").folder_of(image)
            for kept in folder.glob("inputs-*.npz"):
                kept.unlink()
        assert bpy.ops.underpaint.send(image=image.name, to="PROJECT") == {"FINISHED"}
        stand(camera, (0, -10, 0))
        front = share_of_red(rendered())
        assert front > 0.95, f"all that the view sees: {front}"
        stand(camera, (0, 1, 0))
        behind = rendered()
        assert share_of_red(behind[24:40, 24:40]) == 0, "the cube behind the card"
        assert share_of_red(behind) > 0.05, "the wall beside it"
        stand(camera, (0, 5.5, 0))
        behind = rendered()
        assert share_of_red(behind[28:36, 28:36]) == 0, "the wall of the card's own mesh behind it"
        stand(camera, (0, 5, 0), turned=True)
        assert share_of_red(rendered()) == 0, "the backs of the cube and the card"
    scene.camera.data.type = "ORTHO"
    stand(camera, (0, -10, 0))
    image = paint(STEPS)
    image.pixels.foreach_set(red)
    image.pack()
    assert bpy.ops.underpaint.send(image=image.name, to="PROJECT") == {"FINISHED"}
    assert share_of_red(rendered()) > 0.95, "without perspective"
    scene.camera.data.type = "PERSP"
    stand(camera, (0, 1, 0))
    assert share_of_red(rendered()[24:40, 24:40]) == 0


def facing_scene():
    """A card and a wall of one mesh, a cube between them, straight before the camera."""
    scene, cube = bpy.context.scene, bpy.data.objects["Cube"]
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    far = [(x * 9, 8, z * 9) for x, z in corners]
    mesh = bpy.data.meshes.new("Card and wall")
    mesh.from_pydata([*((x, 0, z) for x, z in corners), *far], [], [(0, 1, 2, 3), (4, 5, 6, 7)])
    scene.collection.objects.link(bpy.data.objects.new("Card and wall", mesh))
    cube.location, cube.scale = (0, 4, 0), (0.6, 0.6, 0.6)
    for light in [o for o in scene.objects if o.type == "LIGHT"]:
        bpy.data.objects.remove(light)
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (1, 1, 1, 1)
    bpy.ops.object.select_all(action="DESELECT")
    stand(scene.camera, (0, -10, 0))
    scene.camera.data.lens = 36
    return scene


def stand(camera, where, *, turned: bool = False) -> None:
    """Put the camera somewhere, looking along Y, or back along it."""
    camera.location = where
    camera.rotation_euler = (np.pi / 2, 0, np.pi if turned else 0)
    bpy.context.view_layer.update()


def share_of_red(picture: np.ndarray) -> float:
    return float((picture[..., 0] > 2 * picture[..., 1] + 0.05).mean())


def rendered(side: int = 64) -> np.ndarray:
    """What the scene's camera sees, (h, w, 4), row 0 at the bottom; quick and rough."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 4
    scene.render.resolution_x = scene.render.resolution_y = side
    scene.render.resolution_percentage = 100
    file = f"{bpy.app.tempdir}/seen.png"
    scene.render.filepath = file
    bpy.ops.render.render(write_still=True)
    return addon("editing.marks").read(bpy.data.images.load(file))


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
    a_picture_is_sent_to_the_compositor,
    a_picture_is_projected_onto_the_scene_from_its_view,
    a_projected_picture_does_not_shine_through,
    a_picture_is_sent_into_the_scene,
)
