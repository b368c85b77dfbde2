"""For scripts inside Blender that test texture layers: objects, what a shader shows, node trees."""

from __future__ import annotations

import bpy

# isort: split
import bmesh
import numpy as np

SIDE = 64


def quad(name="Plane", *, uv=True, at=(0, 0, 0), cell=(0, 0)):
    """A square of 2 m that looks up, its UVs filling one UDIM tile."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
    if uv:
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32) + np.array(cell)
        mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", corners.ravel())
    return linked(name, mesh, at)


def bare_quad():
    """A square without a material, alone in the scene and selected."""
    item = quad()
    only(item)
    return item


def clay_quad(*name, **options):
    """A square in a material of one colour, alone in the scene and selected."""
    item = bare_quad()
    item.data.materials.append(material(*name, **options))
    return item


def two_tiles():
    """Two squares in one mesh, on the UDIM tiles 1001 and 1002, with one material."""
    item, other = quad(), quad("Other", at=(3, 0, 0), cell=(1, 0))
    only(item, other)
    bpy.ops.object.join()
    item.data.materials.append(material())
    return item


def grid(name="Grid", cells=4):
    """A square of cells × cells faces that fills its UV tile."""
    mesh, draft = bpy.data.meshes.new(name), bmesh.new()
    bmesh.ops.create_grid(draft, x_segments=cells, y_segments=cells, size=1, calc_uvs=True)
    draft.loops.layers.uv.verify()
    draft.to_mesh(mesh)
    draft.free()
    corners = np.empty((len(mesh.loops), 3), np.float32)
    vertex = np.empty(len(mesh.loops), np.int32)
    place = np.empty((len(mesh.vertices), 3), np.float32)
    mesh.loops.foreach_get("vertex_index", vertex)
    mesh.vertices.foreach_get("co", place.ravel())
    corners = place[vertex]
    layer = mesh.uv_layers.active or mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", np.ascontiguousarray(corners[:, :2] / 2 + 0.5).ravel())
    return linked(name, mesh)


def linked(name, mesh, at=(0, 0, 0)):
    item = bpy.data.objects.new(name, mesh)
    item.location = at
    bpy.context.scene.collection.objects.link(item)
    return item


def only(*items):
    """Empty the scene of all but these; select them, the first active."""
    for other in list(bpy.context.scene.objects):
        if other not in items:
            bpy.data.objects.remove(other)
    for item in items:
        item.select_set(True)
    bpy.context.view_layer.objects.active = items[0]


def material(name="Clay", colour=(0.2, 0.4, 0.6, 1.0)):
    """A Principled material of one colour."""
    made = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0):
        made.use_nodes = True
    principled(made).inputs["Base Color"].default_value = colour
    return made


def principled(made):
    return next(n for n in made.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def tree_state(made):
    """Everything in a material's node tree that an artist could miss."""
    tree = made.node_tree
    values = {}
    for node in tree.nodes:
        for socket in node.inputs:
            if hasattr(socket, "default_value"):
                value = socket.default_value
                plain = tuple(value) if hasattr(value, "__len__") else value
                values[node.name, socket.identifier] = plain
    links = sorted(
        (k.from_node.name, k.from_socket.identifier, k.to_node.name, k.to_socket.identifier)
        for k in tree.links
    )
    shown = [n.name for n in tree.nodes if getattr(n, "show_texture", False)]
    return {"values": values, "links": links, "shown": shown}


def seen(item, side=SIDE, kind="COLOUR"):
    """What a material's shader is given on an object's UV map: (side, side, 3) linear, row 0 on
    top; baked by Cycles. `kind`: COLOUR (the base colour), ROUGHNESS or NORMAL."""
    target = bpy.data.images.new("bake", side, side, float_buffer=True, is_data=True)
    undo = []
    for slot in item.material_slots:
        undo.append(_bake_into(slot.material, target, glow=kind == "COLOUR"))
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 64, False
    scene.render.bake.margin = 0
    for other in bpy.context.view_layer.objects:
        other.select_set(other == item)
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.bake(type="EMIT" if kind == "COLOUR" else kind)
    flat = np.empty(side * side * 4, np.float32)
    target.pixels.foreach_get(flat)
    for step in undo:
        step()
    bpy.data.images.remove(target)
    return flat.reshape(side, side, 4)[::-1, :, :3].copy()


def _bake_into(made, target, *, glow):
    """Make an image the bake's target, and the colour the surface's light; what undoes it."""
    tree = made.node_tree
    before, node = tree.nodes.active, tree.nodes.new("ShaderNodeTexImage")
    node.image = target
    tree.nodes.active = node
    added = [node]
    if glow:
        colour, light = principled(made).inputs["Base Color"], tree.nodes.new("ShaderNodeEmission")
        light.inputs["Color"].default_value = colour.default_value
        if colour.is_linked:
            tree.links.new(colour.links[0].from_socket, light.inputs["Color"])
        surface = tree.get_output_node("ALL").inputs["Surface"]
        tree.links.new(light.outputs[0], surface)
        added.append(light)

    def undo():
        for each in added:
            tree.nodes.remove(each)
        tree.nodes.active = before
        if glow:
            tree.links.new(principled(made).outputs[0], surface)

    return undo
