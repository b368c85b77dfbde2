"""For test_assets.py, inside Blender: writes files as artists have them, and reads painted ones.

asset_files.py make FOLDER            asset.blend, asset.glb, asset.fbx
asset_files.py linked FOLDER          linked.blend: a box of its own and one of library.blend
asset_files.py look OUT FILE ...      what is in the files, as JSON
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import bpy


def picture(name, color, space="sRGB"):
    image = bpy.data.images.new(name, 8, 8)
    image.colorspace_settings.name = space
    image.pixels.foreach_set([*color, 1.0] * 64)
    image.pack()
    return image


def material(name, color=None, bump=None):
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    tree = made.node_tree
    shader = next(n for n in tree.nodes if n.type == "BSDF_PRINCIPLED")
    if color is not None:
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = picture(f"{name}_farbe", color)
        tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    if bump is not None:
        node, turned = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeNormalMap")
        node.image = picture(f"{name}_normal", bump, "Non-Color")
        tree.links.new(node.outputs["Color"], turned.inputs["Color"])
        tree.links.new(turned.outputs["Normal"], shader.inputs["Normal"])
    return made


def make(folder):
    """A rounded box (modifier, turned, stretched, textured), a ball on it with a material of its
    own in the same UV space, and two plates that share a mesh without a material, one mirrored."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(1, 2, 3), rotation=(0.2, 0.3, 0.4))
    box = bpy.context.object
    box.name, box.scale = "W\u00fcrfel", (1.0, 2.0, 0.5)
    box.data.materials.append(material("Stein", (0.2, 0.4, 0.9), (0.4, 0.6, 1.0)))
    box.modifiers.new("Rund", "SUBSURF").levels = 2
    bpy.ops.mesh.primitive_uv_sphere_add(segments=16, ring_count=8, radius=0.3, location=(0, 0, 1))
    ball = bpy.context.object
    ball.name, ball.parent = "\u041a\u0443\u0433\u0435\u043b\u044c", box
    ball.data.materials.append(material("Gold"))
    bpy.ops.mesh.primitive_plane_add(size=2.0, location=(-2, 0, 0))
    plate = bpy.context.object
    plate.name = "Plate"
    other = bpy.data.objects.new("Mirrored plate", plate.data)
    other.location, other.scale = (-2, 3, 0), (-1, 1, 1)
    bpy.context.scene.collection.objects.link(other)
    bpy.ops.mesh.primitive_cube_add(location=(9, 9, 9))
    bpy.context.object.name = "Hidden"
    bpy.context.object.hide_set(True)
    bpy.ops.export_scene.gltf(
        filepath=str(folder / "asset.glb"), export_apply=True, use_visible=True
    )
    for image in bpy.data.images:  # without paths of their own they would become one in the file
        image.filepath_raw = f"//{image.name}.png"
    bpy.ops.export_scene.fbx(
        filepath=str(folder / "asset.fbx"), use_visible=True, path_mode="COPY", embed_textures=True
    )
    for image in bpy.data.images:
        image.filepath_raw = ""
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "asset.blend"))


def linked(folder):
    """Three boxes, two of them called Box: a linked one at -3, with a child, one that overrides
    it at 0 and a local one at 3; a linked camera Eye, and Far eye in a scene of its own."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(-3, 0, 0))
    box = bpy.context.object
    box.name = "Box"
    bpy.ops.mesh.primitive_plane_add(size=0.5, location=(0, 0, 2))
    bpy.context.object.name, bpy.context.object.parent = "Lid", box
    eye = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    eye.location = (-3, 0, 10)
    bpy.context.scene.collection.objects.link(eye)
    library = str(folder / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=library)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=1.0, location=(3, 0, 0))
    bpy.context.object.name = "Box"
    with bpy.data.libraries.load(library, link=True) as (_there, wanted):
        wanted.objects = ["Box", "Lid", "Eye"]
    for item in wanted.objects:
        bpy.context.scene.collection.objects.link(item)
    over = wanted.objects[0].override_create()
    over.location.x = 0
    bpy.context.scene.collection.objects.link(over)
    other = bpy.data.scenes.new("Other")
    eye = bpy.data.objects.new("Far eye", bpy.data.cameras.new("Far eye"))
    eye.location = (0, 0, 40)
    other.collection.objects.link(eye)
    other.collection.objects.link(bpy.data.objects["Box"])
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "linked.blend"))


def look(path):
    """Every mesh object: its bounds in the world, and what feeds its material's shader."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    if path.suffix == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif hasattr(bpy.ops.wm, "fbx_import"):
        bpy.ops.wm.fbx_import(filepath=str(path))
    else:
        bpy.ops.import_scene.fbx(filepath=str(path))
    bpy.context.view_layer.update()
    return {o.name: facts(o) for o in bpy.context.scene.objects if o.type == "MESH"}


def facts(item):
    corners = [item.matrix_world @ vertex.co for vertex in item.data.vertices]
    bounds = [[pick(c[k] for c in corners) for k in range(3)] for pick in (min, max)]
    worn = item.material_slots[0].material if item.material_slots else None
    inputs = {}
    if worn is not None:
        shader = next(n for n in worn.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
        for name in ("Base Color", "Roughness", "Metallic", "Normal"):
            inputs[name] = behind(shader.inputs[name])
    parent = None if item.parent is None else item.parent.name
    return {"bounds": bounds, "inputs": inputs, "parent": parent, "faces": len(item.data.polygons)}


def behind(socket):
    """The middle pixel of the image that feeds a socket."""
    while socket is not None and socket.is_linked:
        node = socket.links[0].from_node
        if node.type == "TEX_IMAGE":
            width, height = node.image.size
            at = 4 * (height // 2 * width + width // 2)
            return [round(v, 3) for v in node.image.pixels[at : at + 3]]
        socket = next((s for s in node.inputs if s.is_linked), None)
    return None


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :]
    if words[0] in ("make", "linked"):
        {"make": make, "linked": linked}[words[0]](Path(words[1]))
    else:
        found = {Path(word).name: look(Path(word)) for word in words[2:]}
        Path(words[1]).write_text(json.dumps(found), encoding="utf-8")
