"""A mesh file as corner arrays, for `underpaint texture`: what only a Blender can read.

    BLENDER_PYTHON mesh_export_cli.py --mesh FILE.(glb|gltf|fbx|blend) --out mesh.npz

The .npz holds position, normal, uv, ids as in `MeshRef`, and without_uv: no object has a UV map.
Exit code 2 with the reason on stderr when it cannot be done.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import bare

bare.install()

import bpy  # noqa: E402
import numpy as np  # noqa: E402

from blender_addon.scene_mesh import extract_mesh  # noqa: E402
from underpaint.blenders import script_arguments  # noqa: E402
from underpaint.errors import ErrorCode, UnderpaintError  # noqa: E402


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="mesh_export_cli.py", description=__doc__)
    parser.add_argument("--mesh", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        _open(args.mesh)
        _export(args.out)
    except UnderpaintError as error:
        print(str(error), file=sys.stderr)
        return 2
    return 0


def _open(path: Path) -> None:
    suffix = path.suffix.lower()
    try:
        if suffix == ".blend":
            bpy.ops.wm.open_mainfile(filepath=str(path))
            return
        bpy.ops.wm.read_factory_settings(use_empty=True)
        if suffix in (".glb", ".gltf"):
            bpy.ops.import_scene.gltf(filepath=str(path))
        elif suffix == ".fbx" and hasattr(bpy.ops.wm, "fbx_import"):
            bpy.ops.wm.fbx_import(filepath=str(path))
        elif suffix == ".fbx":
            bpy.ops.import_scene.fbx(filepath=str(path))
        else:
            raise UnderpaintError(ErrorCode.FILE, f"{path.name} is of a kind not known here")
    except RuntimeError as error:
        raise UnderpaintError(ErrorCode.FILE, f"{path.name} cannot be opened: {error}") from error


def _export(out: Path) -> None:
    objects = [item for item in bpy.context.scene.objects if item.type == "MESH"]
    visible = [item for item in objects if item.visible_get() and item.data.polygons]
    if not visible:
        raise UnderpaintError(ErrorCode.BAD_MESH, "the file has no visible mesh with faces")
    found = extract_mesh(visible, bpy.context.evaluated_depsgraph_get())
    mesh, buffers = found.mesh, found.buffers
    np.savez(
        out,
        position=buffers[mesh.position.sha256],
        normal=buffers[mesh.normal.sha256],
        uv=buffers[mesh.uv.sha256],
        ids=buffers[mesh.ids.sha256],
        without_uv=np.array(len(found.without_uv) == len(visible)),
    )


if __name__ == "__main__":
    try:
        CODE = main(script_arguments(sys.argv))
    except SystemExit as left:
        CODE = left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
        CODE = 1
    bare.leave(CODE)
