"""Meshes that are measured: from files of any kind that `underpaint texture` takes."""

from __future__ import annotations

from pathlib import Path

from underpaint.buffers import Buffers, Kind
from underpaint.requests import MeshRef
from underpaint_daemon.worker.texturing.surface.mesh import Mesh
from underpaint_daemon.worker.texturing.surface.reception import Received, received

from ..assets.assets import open_asset


def load_mesh(path: Path, up: str | None = None) -> Mesh:
    """A file's mesh, unwrapped where it has no UVs. Raises RequestError."""
    return load(path, up).mesh


def load(path: Path, up: str | None = None) -> Received:
    """A file's mesh, and the UV map that was made where it has none. Raises RequestError."""
    return received(open_asset(path, up=up).corners)


def mesh_ref(mesh: Mesh, buffers: Buffers) -> MeshRef:
    """A mesh's arrays, added to the buffers of a request."""
    arrays = (mesh.position, mesh.normal, mesh.uv, mesh.ids)
    return MeshRef(*(buffers.add(Kind.MESH, array.cpu().numpy()) for array in arrays))
