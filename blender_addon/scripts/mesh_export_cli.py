"""A mesh file as corner arrays, for `underpaint texture`: what only a Blender can read.

    BLENDER_PYTHON mesh_export_cli.py --mesh FILE.(glb|gltf|fbx|blend) --out mesh.npz

The .npz holds position, normal, uv, ids as in `MeshRef`; numbers and names of its objects;
without_uv, the names of those that have no UV map; worn and slots, the object's full name, and the
material slot and UDIM tile, of everything that one plain image can be put on.
Exit code 2 with the reason on stderr when it cannot be done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

import bpy  # noqa: E402
import numpy as np  # noqa: E402

from blender_addon.capture.geometry import object_ids  # noqa: E402
from blender_addon.texture.scene_surfaces import surfaces_of, without_uv  # noqa: E402
from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.errors import ErrorCode, RequestError, UnderpaintError  # noqa: E402


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="mesh_export_cli.py", description=__doc__)
    parser.add_argument("--mesh", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        open_file(args.mesh)
        _export(args.out)
    except UnderpaintError as error:
        print(str(error), file=sys.stderr)
        return 2
    return 0


def open_file(path: Path) -> None:
    """Open a scene file in this Blender. Raises RequestError(FILE)."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".blend":
            bpy.ops.wm.open_mainfile(filepath=str(path), use_scripts=False)
            return
        bpy.ops.wm.read_factory_settings(use_empty=True)
        if suffix in (".glb", ".gltf"):
            bpy.ops.import_scene.gltf(filepath=str(path))
        elif suffix == ".fbx" and hasattr(bpy.ops.wm, "fbx_import"):
            bpy.ops.wm.fbx_import(filepath=str(path))
        elif suffix == ".fbx":
            bpy.ops.import_scene.fbx(filepath=str(path))
        else:
            raise RequestError(
                ErrorCode.FILE,
                f"{path.name} is of a kind not known here",
                hint="Give a .glb, .gltf, .fbx or .blend file.",
            )
    except RuntimeError as error:
        raise RequestError(ErrorCode.FILE, f"{path.name} cannot be opened: {error}") from error


def _export(out: Path) -> None:
    objects = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    visible = [item for item in objects if item.visible_get() and item.data.polygons]
    if not visible:
        raise _nothing_to_paint()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    mesh, buffers, surfaces = surfaces_of(visible, depsgraph)
    ids = object_ids(depsgraph)
    worn = [(slot, surface.tiles) for surface in surfaces for slot in surface.slots]
    if any(len(tiles) > 1 for _, tiles in worn):
        worn = []  # a material that spreads over UDIM tiles cannot wear plain images
    np.savez(
        out,
        position=buffers[mesh.position.sha256],
        normal=buffers[mesh.normal.sha256],
        uv=buffers[mesh.uv.sha256],
        ids=buffers[mesh.ids.sha256],
        numbers=np.array([ids[item.name_full] for item in visible], np.int32),
        names=np.array([item.name for item in visible], np.str_),
        without_uv=np.array([item.name for item in without_uv(visible)], np.str_),
        worn=np.array([slot.object.name for slot, _ in worn], np.str_),
        scenes=np.array(_scenes(), np.str_),
        slots=np.array([(slot.index, tiles[0][0]) for slot, tiles in worn], np.int32),
    )


def _scenes() -> list[str]:
    """The names of the scene that is read, and of the others that show meshes."""
    here = bpy.context.scene
    rest = [scene for scene in bpy.data.scenes if scene != here and scene.library is None]
    return [here.name, *(s.name for s in rest if any(o.type == "MESH" for o in s.objects))]


def _nothing_to_paint() -> UnderpaintError:
    instanced = sorted(
        item.name for item in bpy.context.scene.objects if item.instance_type == "COLLECTION"
    )
    if instanced:
        return RequestError(
            ErrorCode.BAD_MESH,
            f"the file has instances of collections only ({', '.join(instanced)}), and no mesh of "
            "its own",
            hint="Object > Apply > Make Instances Real, or open the file that the collection is "
            "from.",
        )
    return RequestError(
        ErrorCode.BAD_MESH,
        "the file has no visible mesh with faces",
        hint="Make the objects to paint visible, and save the file again.",
    )


if __name__ == "__main__":
    bare.run(lambda: main(script_arguments(sys.argv)))
