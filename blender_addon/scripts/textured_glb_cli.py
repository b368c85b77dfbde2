"""A painted mesh as a textured .glb or .fbx, for `underpaint texture`.

    BLENDER_PYTHON textured_glb_cli.py --job job.json --out mesh.glb [--out mesh.fbx]

The job names, as JSON: `textures`, the image files by tile and map: {"1001": {"base_color": FILE,
"orm": FILE, ...}}; `source`, the file whose objects wear them; and either `slots`, rows of object's
full name, material slot (from 0) and tile, or `materials`, rows of a material's name, the name it
is to have, and its tile. All else of the file stays: objects, hierarchy, modifiers, and what
materials hold besides the maps that are given.
Exit code 2 with the reason on stderr when it cannot be done.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

import bpy  # noqa: E402
import mesh_export_cli  # noqa: E402

from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.errors import UnderpaintError  # noqa: E402

_LABEL = "Underpaint"
_GLTF_GROUP = "glTF Material Output"  # what Blender's exporter reads occlusion from
_USUAL_ROUGHNESS = 0.8
Files = Mapping[str, str]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="textured_glb_cli.py", description=__doc__)
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--out", type=Path, action="append", required=True)
    args = parser.parse_args(argv)
    job = json.loads(args.job.read_text(encoding="utf-8"))
    try:
        worn = _wear(job)
        for out in args.out:
            for material, files in worn:
                _wire(material, files, packed=out.suffix.lower() == ".glb")
            _export(out)
    except (UnderpaintError, RuntimeError) as error:
        print(str(error), file=sys.stderr)
        return 2
    return 0


def _wear(job: Mapping[str, Any]) -> list[tuple[Any, Files]]:
    """Open the file; its materials that are to be painted, each with its images."""
    mesh_export_cli.open_file(Path(job["source"]))
    if "materials" in job:
        return _named(job)
    objects = {item.name_full: item for item in bpy.data.objects}
    local = _made_local(objects)
    wanted = [(local[name], slot, tile) for name, slot, tile in job["slots"]]
    _part_meshes(wanted)
    worn: dict[tuple[int, str], Any] = {}
    for item, slot, tile in wanted:
        place = _slot(item, slot)
        old = place.material
        key = (0 if old is None else old.session_uid, str(tile))
        if old not in worn.values():
            if key not in worn:
                worn[key] = _fresh(old, tile)
            place.link = "DATA"  # what modifiers are applied to is written with the mesh's own
            place.material = worn[key]
    return [(material, job["textures"][tile]) for (_, tile), material in worn.items()]


def _named(job: Mapping[str, Any]) -> list[tuple[Any, Files]]:
    """Materials that the job's file names itself."""
    worn = []
    for name, final, tile in job["materials"]:
        if (material := bpy.data.materials.get(name)) is not None:
            material.name = final
            worn.append((material, job["textures"][tile]))
    return worn


def _made_local(objects: dict[str, Any]) -> dict[str, Any]:
    """The objects by the names they had, all of the file's own: what is linked from other files
    can wear nothing new."""
    kinds = (bpy.data.collections, bpy.data.objects, bpy.data.meshes)
    linked = [block for kind in kinds for block in kind if block.library is not None]
    local = [(block, block.make_local()) for block in linked]
    copied = {block: made for block, made in local if made != block}
    for block, made in copied.items():  # only now: linked users keep what they had
        block.user_remap(made)
    return {name: copied.get(item, item) for name, item in objects.items()}


def _part_meshes(wanted: list[tuple[Any, int, int]]) -> None:
    """Meshes that several objects share stay shared where all wear the same paint, or what the
    objects wear themselves; else each object gets its own."""
    sharing: dict[Any, dict[Any, dict[int, tuple[int, int]]]] = {}
    for item, slot, tile in wanted:
        place = item.material_slots[slot] if slot < len(item.material_slots) else None
        old = 0 if place is None or place.material is None else place.material.session_uid
        sharing.setdefault(item.data, {}).setdefault(item, {})[slot] = (old, tile)
    for mesh, items in sharing.items():
        users = [o for o in bpy.data.objects if o.data == mesh and o.visible_get()]
        looks = [items.get(user) for user in users]
        if all(look == looks[0] for look in looks):
            continue
        for item in items:
            item.data = mesh.copy()


def _slot(item: Any, number: int) -> Any:
    """A material slot of an object, made where there is none yet."""
    while len(item.data.materials) <= number:
        item.data.materials.append(None)
    return item.material_slots[number]


def _fresh(old: Any, tile: int) -> Any:
    """A material to paint: a copy that takes over the name, or a new one where there is none."""
    if old is None:
        return bpy.data.materials.new(f"painted_{tile}")
    copy, name = old.copy(), old.name
    if old.library is None:
        old.name = f"{name} before"
        copy.name = name
    return copy


def _wire(material: Any, files: Files, *, packed: bool) -> None:
    """Link the maps to the material's Principled shader. packed: occlusion, roughness and metal
    from one image, as glTF has them; FBX knows only images of their own."""
    draft = _Draft(material, files)
    draft.link("base_color", "Base Color", "sRGB")
    if packed and "orm" in files:
        draft.packed()
    else:
        draft.link("roughness", "Roughness")
        draft.link("metallic", "Metallic")
    draft.normal()


class _Draft:
    """A material's node tree; what an earlier draft made is taken out first."""

    def __init__(self, material: Any, files: Files) -> None:
        bare_material = material.node_tree is None or not material.use_nodes
        material.use_nodes = True
        self.files = files
        self.tree = material.node_tree
        for node in [n for n in self.tree.nodes if n.label == _LABEL]:
            self.tree.nodes.remove(node)
        found = [n for n in self.tree.nodes if n.type == "BSDF_PRINCIPLED"]
        self.shader = found[0] if found else self._new_shader()
        if bare_material:
            self.shader.inputs["Roughness"].default_value = _USUAL_ROUGHNESS

    def _new_shader(self) -> Any:
        shader = self.tree.nodes.new("ShaderNodeBsdfPrincipled")
        outputs = [n for n in self.tree.nodes if n.type == "OUTPUT_MATERIAL"]
        output = outputs[0] if outputs else self.tree.nodes.new("ShaderNodeOutputMaterial")
        self.tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
        return shader

    def _node(self, kind: str) -> Any:
        node = self.tree.nodes.new(kind)
        node.label = _LABEL
        return node

    def _image(self, name: str, space: str) -> Any:
        node = self._node("ShaderNodeTexImage")
        node.image = bpy.data.images.load(self.files[name], check_existing=True)
        node.image.colorspace_settings.name = space
        return node

    def link(self, name: str, socket: str, space: str = "Non-Color") -> None:
        """One image into one input, when it is given."""
        if name in self.files:
            image = self._image(name, space)
            self.tree.links.new(image.outputs["Color"], self.shader.inputs[socket])

    def packed(self) -> None:
        split = self._node("ShaderNodeSeparateColor")
        image = self._image("orm", "Non-Color")
        self.tree.links.new(image.outputs["Color"], split.inputs["Color"])
        self.tree.links.new(split.outputs["Green"], self.shader.inputs["Roughness"])
        self.tree.links.new(split.outputs["Blue"], self.shader.inputs["Metallic"])
        group = self._node("ShaderNodeGroup")
        group.node_tree = _occlusion_group()
        self.tree.links.new(split.outputs["Red"], group.inputs["Occlusion"])

    def normal(self) -> None:
        if "normal" in self.files:
            turned = self._node("ShaderNodeNormalMap")
            image = self._image("normal", "Non-Color")
            self.tree.links.new(image.outputs["Color"], turned.inputs["Color"])
            self.tree.links.new(turned.outputs["Normal"], self.shader.inputs["Normal"])


def _occlusion_group() -> Any:
    found = bpy.data.node_groups.get(_GLTF_GROUP)
    if found is None:
        found = bpy.data.node_groups.new(_GLTF_GROUP, "ShaderNodeTree")
    sockets = [item.name for item in found.interface.items_tree]
    if "Occlusion" not in sockets:
        found.interface.new_socket("Occlusion", in_out="INPUT", socket_type="NodeSocketFloat")
    return found


def _export(out: Path) -> None:
    """Raises RuntimeError when nothing was written."""
    if out.suffix.lower() == ".fbx":
        _name_packed()
        bpy.ops.export_scene.fbx(
            filepath=str(out), use_visible=True, path_mode="COPY", embed_textures=True
        )
    else:
        bpy.ops.export_scene.gltf(
            filepath=str(out),
            export_format="GLB",
            export_apply=True,
            use_visible=True,
            use_active_scene=True,  # the one that was painted, and none of the file's others
        )
    if not out.is_file():
        raise RuntimeError(f"{out} was not written")


def _name_packed() -> None:
    """FBX's writer tells images by their paths: packed ones without any would become one."""
    for image in bpy.data.images:
        if image.packed_file is not None and not image.filepath:
            image.filepath_raw = f"//{image.name}.png"


if __name__ == "__main__":
    bare.run(lambda: main(script_arguments(sys.argv)))
