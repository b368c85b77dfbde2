"""Blender's part of `underpaint eval capture`: build analytic scenes, capture them, save views.

    BLENDER_PYTHON capture_eval.py -- FOLDER

Reads FOLDER/scenes.json, writes FOLDER/SCENE-MODE.npz (mode gpu or numpy) and FOLDER/done.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

# bmesh can be imported once bpy is.
import bpy  # noqa: E402

# isort: split
import bmesh  # noqa: E402
import numpy as np  # noqa: E402
from mathutils import Matrix  # noqa: E402

from blender_addon.capture import capture_view, gpu_context, object_ids  # noqa: E402
from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.buffers import Kind  # noqa: E402
from underpaint.evals.analytic import Lens, Shape, ShapeKind  # noqa: E402
from underpaint.evals.capture_scenes import TestScene, from_json  # noqa: E402
from underpaint.files.viewfile import save_view  # noqa: E402

WANTS = frozenset({Kind.DEPTH, Kind.NORMAL, Kind.OBJECT_ID, Kind.POSITION})
# Chords of so fine a sphere lie within 5e-5 of its radius.
SPHERE_SUBDIVISIONS = 7


def main(folder: Path) -> int:
    plain = json.loads((folder / "scenes.json").read_text())
    on_gpu = gpu_context.ready()
    ids = {}
    for scene in (from_json(item) for item in plain):
        ids[scene.name] = build(scene)
        for mode in ("gpu", "numpy") if on_gpu else ("numpy",):
            view, buffers = capture_view(
                bpy.context,
                None,
                scene.lens.width,
                scene.lens.height,
                WANTS,
                use_gpu=mode == "gpu",
            )
            save_view(folder / f"{scene.name}-{mode}.npz", view, buffers)
    facts = {"version": bpy.app.version_string, "gpu": on_gpu, "ids": ids}
    (folder / "done.json").write_text(json.dumps(facts))
    return 0


def build(scene: TestScene) -> dict[str, int]:
    """Make the scene in an empty file; the object ids."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    BUILDERS[scene.build](scene.shapes)
    bpy.context.scene.camera = camera(scene.lens)
    return object_ids(bpy.context.evaluated_depsgraph_get())


def camera(lens: Lens) -> Any:
    data = bpy.data.cameras.new("Camera")
    data.lens, data.sensor_fit = lens.lens, lens.sensor_fit
    data.sensor_width, data.sensor_height = lens.sensor
    data.shift_x, data.shift_y = lens.shift
    if lens.ortho_scale is not None:
        data.type, data.ortho_scale = "ORTHO", lens.ortho_scale
    render = bpy.context.scene.render
    render.pixel_aspect_x, render.pixel_aspect_y = lens.pixel_aspect
    item = link(bpy.data.objects.new("Camera", data))
    item.matrix_world = Matrix(lens.to_world().tolist()) @ Matrix.Scale(lens.scale, 4)
    return item


def build_objects(shapes: tuple[Shape, ...]) -> None:
    """One object a shape; those with a parent hang under an empty."""
    for shape in shapes:
        item = link(bpy.data.objects.new(shape.object, mesh(shape.kind)))
        item.matrix_basis = matrix(shape.matrix)
        if matrix(shape.parent) != Matrix.Identity(4):
            item.parent = link(bpy.data.objects.new(f"{shape.object} parent", None))
            item.parent.matrix_basis = matrix(shape.parent)


def build_instances(shapes: tuple[Shape, ...]) -> None:
    """Collections that are in no scene, shown by empties."""
    build_objects(tuple(s for s in shapes if s.kind is ShapeKind.PLANE))
    shown = {}
    for shape in shapes:
        if shape.kind is ShapeKind.PLANE:
            continue
        if shape.object not in shown:
            shown[shape.object] = bpy.data.collections.new(shape.object)
            source = bpy.data.objects.new(shape.object, mesh(shape.kind))
            shown[shape.object].objects.link(source)
        empty = link(bpy.data.objects.new(f"{shape.object} instance", None))
        empty.instance_type, empty.instance_collection = "COLLECTION", shown[shape.object]
        empty.matrix_basis = matrix(shape.matrix)


def build_modifiers(shapes: tuple[Shape, ...]) -> None:
    named = {shape.object: shape for shape in shapes}
    build_objects((named["Ground"],))
    row = under_parent(named["Row"], mesh(ShapeKind.BOX)).modifiers.new("Array", "ARRAY")
    row.count, row.use_relative_offset, row.use_constant_offset = 3, False, True
    row.constant_offset_displace = (3.0, 0.0, 0.0)
    slab = under_parent(named["Slab"], mesh(ShapeKind.PLANE)).modifiers.new("Solid", "SOLIDIFY")
    slab.thickness, slab.offset = 0.2, -1.0
    ball = mesh(ShapeKind.SPHERE)
    ball.transform(Matrix.Translation((1.5, 0.0, 0.0)))
    mirror = under_parent(named["Pair"], ball).modifiers.new("Mirror", "MIRROR")
    mirror.use_mirror_merge = False


def build_nodes(shapes: tuple[Shape, ...]) -> None:
    named = {shape.object: shape for shape in shapes}
    build_objects((named["Ground"],))
    item = under_parent(named["Nodes"], mesh(ShapeKind.PLANE))
    group = bpy.data.node_groups.new("Boxes", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    line = group.nodes.new("GeometryNodeMeshLine")
    line.inputs["Count"].default_value = 3
    line.inputs["Offset"].default_value = (3.0, 0.5, 0.4)
    cube = group.nodes.new("GeometryNodeMeshCube")
    cube.inputs["Size"].default_value = (2.0, 2.0, 2.0)
    spread = group.nodes.new("GeometryNodeInstanceOnPoints")
    out = group.nodes.new("NodeGroupOutput")
    group.links.new(line.outputs["Mesh"], spread.inputs["Points"])
    group.links.new(cube.outputs["Mesh"], spread.inputs["Instance"])
    group.links.new(spread.outputs["Instances"], out.inputs[0])
    item.modifiers.new("Boxes", "NODES").node_group = group


BUILDERS = {
    "objects": build_objects,
    "instances": build_instances,
    "modifiers": build_modifiers,
    "nodes": build_nodes,
}


def under_parent(shape: Shape, data: Any) -> Any:
    """An object where the shape's parent is: modifiers make the rest in its own space."""
    item = link(bpy.data.objects.new(shape.object, data))
    item.matrix_basis = matrix(shape.parent)
    return item


def mesh(kind: ShapeKind) -> Any:
    out = bpy.data.meshes.new(kind.value)
    draft = bmesh.new()
    if kind is ShapeKind.BOX:
        bmesh.ops.create_cube(draft, size=2.0)
    elif kind is ShapeKind.PLANE:
        bmesh.ops.create_grid(draft, x_segments=1, y_segments=1, size=1.0)
    else:
        bmesh.ops.create_icosphere(draft, subdivisions=SPHERE_SUBDIVISIONS, radius=1.0)
    draft.to_mesh(out)
    draft.free()
    if kind is ShapeKind.SPHERE:
        out.polygons.foreach_set("use_smooth", np.ones(len(out.polygons), bool))
    return out


def link(item: Any) -> Any:
    bpy.context.scene.collection.objects.link(item)
    return item


def matrix(values: tuple[float, ...]) -> Matrix:
    return Matrix([values[i : i + 4] for i in range(0, 16, 4)])


if __name__ == "__main__":
    bare.run(lambda: main(Path(script_arguments(sys.argv)[0])))
