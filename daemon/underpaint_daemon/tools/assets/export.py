"""A painted mesh as files that any program opens: OBJ with MTL, and textured glb and FBX."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from underpaint.blenders import Blender
from underpaint_daemon.worker.texturing.surface.atlas import tile_numbers
from underpaint_daemon.worker.texturing.surface.mesh import Mesh

from .assets import MeshFile, a_blender, run_script

Array = npt.NDArray[Any]


def write_obj(mesh: Mesh, path: Path, images: Mapping[int, str]) -> list[Path]:
    """Write `path` (.obj) and its .mtl. images: file name of each tile's texture, by number.

    OBJ is Y up; UVs stay as they are, so UDIM tiles keep their places.
    """
    material = path.with_suffix(".mtl")
    position = mesh.position.cpu().numpy()
    turned = np.stack([position[:, 0], position[:, 2], -position[:, 1]], 1)
    normal = mesh.normal.cpu().numpy()
    facing = np.stack([normal[:, 0], normal[:, 2], -normal[:, 1]], 1)
    lines = ["# Painted with Underpaint", f"mtllib {material.name}", f"o {path.stem}"]
    indices = []
    for word, rows in (("v", turned), ("vt", mesh.uv.cpu().numpy()), ("vn", facing)):
        unique, index = np.unique(rows, axis=0, return_inverse=True)
        lines += [f"{word} " + " ".join(f"{x:.7g}" for x in row) for row in unique]
        indices.append(index.reshape(-1) + 1)
    lines += _faces(np.stack(indices, 1), tile_numbers(mesh).cpu().numpy(), images)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    material.write_text(_materials(images), encoding="utf-8")
    return [path, material]


def _faces(index: Array, tile: Array, images: Mapping[int, str]) -> list[str]:
    lines = []
    for number in sorted(images):
        lines.append(f"usemtl tile_{number}")
        for corners in index.reshape(-1, 3, 3)[tile == number]:
            lines.append("f " + " ".join("/".join(map(str, corner)) for corner in corners))
    return lines


def _materials(images: Mapping[int, str]) -> str:
    parts = [
        f"newmtl tile_{number}\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {name}\n"
        for number, name in sorted(images.items())
    ]
    return "\n".join(parts)


def write_scenes(
    asset: MeshFile,
    source: Path,
    textures: Mapping[int, Mapping[str, Path]],
    outs: Sequence[Path],
    blender: Blender | None = None,
) -> list[Path]:
    """Write `outs` (.glb, .fbx) through a Blender (the newest, if none is given); none when there
    is no Blender.

    source: the file that `asset` was read from: where Blender can open it, its own objects wear
    the paint. textures: image files by tile and by map (`base_color`, `normal`, …).
    Raises RequestError(FILE) when Blender fails.
    """
    blender = blender or a_blender()
    if blender is None or not outs:
        return []
    job: dict[str, Any] = {
        "textures": {
            str(number): {name: str(file.resolve()) for name, file in maps.items()}
            for number, maps in textures.items()
        }
    }
    with tempfile.TemporaryDirectory() as folder:
        if asset.slots:
            job |= {"source": str(source.resolve()), "slots": asset.slots}
        else:
            job["mesh"] = str(_corners(asset.mesh, Path(folder) / "mesh.npz"))
        file = Path(folder) / "job.json"
        file.write_text(json.dumps(job), encoding="utf-8")
        words = [word for out in outs for word in ("--out", str(out.resolve()))]
        run_script(blender, "textured_glb_cli.py", ["--job", str(file), *words])
    return list(outs)


def _corners(mesh: Mesh, file: Path) -> Path:
    np.savez(
        file,
        position=mesh.position.cpu().numpy(),
        normal=mesh.normal.cpu().numpy(),
        uv=mesh.uv.cpu().numpy(),
        tile=tile_numbers(mesh).cpu().numpy(),
    )
    return file
