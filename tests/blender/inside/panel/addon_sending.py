"""Behaviours of pictures that are sent into the scene. Run by `addon_behaviours`."""

from __future__ import annotations

import bpy
from addon_tools import STEPS, addon, paint, refusal

# isort: split
import numpy as np


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
    a_picture_is_sent_to_the_compositor,
    a_picture_is_projected_onto_the_scene_from_its_view,
    a_projected_picture_does_not_shine_through,
    a_picture_is_sent_into_the_scene,
)
