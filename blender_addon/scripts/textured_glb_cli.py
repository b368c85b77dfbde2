"""A painted mesh as a textured .glb, for `underpaint texture`.

    BLENDER_PYTHON textured_glb_cli.py --mesh mesh.npz --textures 1001=texture.png --out mesh.glb

The .npz holds corner arrays: position, normal (3L, 3), uv (3L, 2), and tile (L,): each triangle's
UDIM number. Exit code 2 with the reason on stderr when it cannot be done.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

import bpy  # noqa: E402
import numpy as np  # noqa: E402

from underpaint.blenders import script_arguments  # noqa: E402


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="textured_glb_cli.py", description=__doc__)
    parser.add_argument("--mesh", type=Path, required=True)
    parser.add_argument("--textures", nargs="+", required=True, metavar="NUMBER=FILE")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    files = {int(n): Path(f) for n, _, f in (text.partition("=") for text in args.textures)}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with np.load(args.mesh, allow_pickle=False) as arrays:
        item = _object(arrays, files, args.out.stem)
    bpy.context.scene.collection.objects.link(item)
    bpy.ops.export_scene.gltf(filepath=str(args.out), export_format="GLB")
    if not args.out.is_file():
        print(f"{args.out} was not written", file=sys.stderr)
        return 2
    return 0


def _object(arrays: Mapping[str, Any], files: Mapping[int, Path], name: str) -> Any:
    """An object whose triangles share vertices where corners coincide."""
    points, vertex = np.unique(arrays["position"], axis=0, return_inverse=True)
    faces = vertex.reshape(-1, 3)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], faces.tolist())
    layer = mesh.uv_layers.new(name="UVMap")
    tile = arrays["tile"]
    # Tiles become materials of their own, so that every reader understands them.
    cell = np.stack([(tile - 1001) % 10, (tile - 1001) // 10], 1).repeat(3, axis=0)
    uv = np.asarray(arrays["uv"] - cell, np.float32)
    layer.data.foreach_set("uv", uv.reshape(-1))
    numbers = sorted(files)
    for number in numbers:
        mesh.materials.append(_material(number, files[number]))
    slots = np.searchsorted(numbers, tile).clip(0, len(numbers) - 1).astype(np.int32)
    mesh.polygons.foreach_set("material_index", slots)
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    mesh.normals_split_custom_set(arrays["normal"].tolist())
    mesh.update()
    return bpy.data.objects.new(name, mesh)


def _material(number: int, file: Path) -> Any:
    material = bpy.data.materials.new(f"painted_{number}")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.load(str(file))
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Roughness"].default_value = 0.8
    links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    return material


if __name__ == "__main__":
    try:
        CODE = main(script_arguments(sys.argv))
    except SystemExit as left:
        CODE = left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
        CODE = 1
    bare.leave(CODE)
