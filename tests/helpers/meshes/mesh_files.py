"""Mesh files for tests."""

from __future__ import annotations

from pathlib import Path

from underpaint_daemon.worker.texturing.surface.mesh import Mesh


def write_obj(mesh: Mesh, path: Path, *, uv: bool = True) -> Path:
    """A mesh as an OBJ file, Y up; every corner is a vertex of its own."""
    lines = [f"o {path.stem}"]
    lines += [f"v {x:.9g} {z:.9g} {-y:.9g}" for x, y, z in mesh.position.tolist()]
    if uv:
        lines += [f"vt {u:.9g} {v:.9g}" for u, v in mesh.uv.tolist()]
    for i in range(1, 3 * mesh.triangles, 3):
        words = (f"{n}/{n}" if uv else str(n) for n in (i, i + 1, i + 2))
        lines.append("f " + " ".join(words))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
