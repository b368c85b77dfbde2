"""Runs inside Blender: the installed extension paints with the starter model, a picture of the demo
scene and a texture on a monkey's head.

BLENDER_PYTHON addon_starter.py -- RESULTS.json EXTENSION.zip
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
import bpy
from addon_tools import MODULE, addon, install, live, stop_daemon

# isort: split
import addon_utils
import numpy as np

SIDE = 256


def paint_demo(out: Path) -> dict[str, float]:
    """Build the demo scene, press Generate, measure the picture."""
    scene = addon("demo_scene").build()
    with bpy.context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
        settings = scene.underpaint
        settings.prompt, settings.seed = "a red clay head on sand", 3
        began = time.monotonic()
        assert bpy.ops.underpaint.generate(timeout=800) == {"FINISHED"}
        seconds = time.monotonic() - began
    image = bpy.data.images[live().last_image]
    pixels = read(image)
    height = len(pixels)
    image.save(filepath=str(out))
    middle = pixels[height * 2 // 5 : height * 3 // 5, height * 2 // 5 : height * 3 // 5]
    top = pixels[: height // 12]
    return {
        "seconds": seconds,
        "colours": len(np.unique((pixels.reshape(-1, 3) * 255).astype(np.uint8), axis=0)),
        "inside_outside_difference": float(np.abs(middle.mean((0, 1)) - top.mean((0, 1))).max()),
    }


def paint_texture(out: Path) -> dict[str, float]:
    """Texture a head, repaint the faces in front, and flatten."""
    head = monkey()
    settings = bpy.context.scene.underpaint_texture
    settings.size, settings.view_size, settings.view_count, settings.steps = SIDE, 128, 4, 2
    settings.prompt = "red clay"
    began = time.monotonic()
    assert bpy.ops.underpaint.texture(timeout=800) == {"FINISHED"}
    seconds = time.monotonic() - began
    stack = head.active_material.underpaint
    first = read(stack.layers[0].look.image)
    layer, material = stack.layers[0], head.active_material
    by_click = marked_by_a_click(head, material, layer)
    settings.prompt = "blue paint"
    for part in (head.data.vertices, head.data.edges):
        part.foreach_set("select", np.zeros(len(part), bool))  # else they select their faces
    for face in head.data.polygons:
        face.select = face.center.z > 0.4
    bpy.ops.object.mode_set(mode="EDIT")
    assert bpy.ops.underpaint.repaint(timeout=800) == {"FINISHED"}
    bpy.ops.object.mode_set(mode="OBJECT")
    top = stack.layers[0]
    second, mask = read(top.look.image), read(top.mask)[..., 0] > 0
    bpy.ops.wm.save_as_mainfile(filepath=str(out), copy=True)
    bpy.ops.underpaint.layers_flatten()
    painted = first.sum(-1) > 0
    return {
        "texture_seconds": seconds,
        "marked_by_a_click": by_click,
        "redness": float((first[..., 0] - first[..., 2])[painted].mean()),
        "repainted_fraction": float(mask.mean()),
        "kept_difference": float(np.abs(first - second)[~mask & painted].max()),
        "repainted_blueness": float((second[..., 2] - second[..., 0])[mask & painted].mean()),
        "layers_after_flatten": len(stack.layers),
    }


def marked_by_a_click(head, material, layer) -> float:
    """Which part of the texture the view painted that painted the nose; the mark goes again."""
    item = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    _hit, place, _normal, face = item.ray_cast((0, -9, 0), (0, 1, 0))
    uv = addon("operators.marking").uv_at(item, face, place)
    assert bpy.ops.underpaint.mark_view(uv=uv) == {"FINISHED"}
    part = float((read(material.underpaint.edit_mask)[..., 0] > 0.5).mean())
    bpy.ops.underpaint.mask_clear()
    return part


def monkey():
    for item in list(bpy.context.scene.objects):
        bpy.data.objects.remove(item)
    bpy.ops.mesh.primitive_monkey_add(calc_uvs=False)
    head = bpy.context.view_layer.objects.active
    while head.data.uv_layers:
        head.data.uv_layers.remove(head.data.uv_layers[0])
    bpy.ops.underpaint.unwrap()
    bpy.ops.object.shade_smooth()
    return head


def read(image) -> np.ndarray:
    """(h, w, 3), row 0 on top."""
    return addon("layers.pixels").read(image)[..., :3]


if __name__ == "__main__":
    report, extension = sys.argv[sys.argv.index("--") + 1 :]
    install(Path(extension))
    try:
        measures = paint_demo(Path(report).with_suffix(".png"))
        measures |= paint_texture(Path(report).with_suffix(".blend"))
        Path(report).write_text(json.dumps(measures))
    finally:
        stop_daemon()
        addon_utils.disable(MODULE)
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)
