"""A painted mesh as files that any program opens: OBJ with MTL, and a textured glb."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .assets import a_blender, run_script
from .atlas import tile_numbers
from .mesh import Mesh

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


def write_glb(mesh: Mesh, path: Path, images: Mapping[int, Path]) -> Path | None:
    """Write a textured .glb through a Blender; None when there is no Blender.

    Raises RequestError(FILE) when Blender fails.
    """
    blender = a_blender()
    if blender is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "mesh.npz"
        np.savez(
            arrays,
            position=mesh.position.cpu().numpy(),
            normal=mesh.normal.cpu().numpy(),
            uv=mesh.uv.cpu().numpy(),
            tile=tile_numbers(mesh).cpu().numpy(),
        )
        textures = [f"{number}={file.resolve()}" for number, file in sorted(images.items())]
        arguments = ["--mesh", str(arrays), "--out", str(path.resolve()), "--textures", *textures]
        run_script(blender, "textured_glb_cli.py", arguments)
    return path
