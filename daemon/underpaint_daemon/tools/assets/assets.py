"""Meshes from files of any kind the command line takes: read here, or by a Blender."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from underpaint.blenders import Blender, checkout_root, find_blenders, require_blenders
from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import MeshRef
from underpaint_daemon.worker.texturing.surface.mesh import Mesh, mesh_from_arrays

from .meshio import load_named_mesh

OWN = (".obj", ".ply")
BY_BLENDER = (".glb", ".gltf", ".fbx", ".blend")
SUFFIXES = OWN + BY_BLENDER
_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class MeshFile:
    """A mesh file as it was read. names: its objects' names by their ids (`Mesh.ids`). slots:
    object name, material slot and tile, where Blender can open the file again and put paint on
    its own objects; empty where it cannot."""

    mesh: Mesh
    names: Mapping[int, str]
    slots: tuple[tuple[str, int, int], ...] = ()


def load_asset(path: Path) -> Mesh:
    """The mesh of a file, see `open_asset`."""
    return open_asset(path).mesh


def open_asset(path: Path, blender: Blender | None = None) -> MeshFile:
    """Read a file: .obj and .ply directly, .glb, .gltf, .fbx and .blend through a Blender (the
    newest, if none is given), where materials that use the same UV space come on tiles of their
    own, as from the panel.

    Raises RequestError: FILE, BAD_MESH or BLENDER_MISSING.
    """
    if not path.is_file():
        raise RequestError(ErrorCode.FILE, f"there is no file {path}")
    if path.suffix.lower() not in BY_BLENDER:
        return MeshFile(*load_named_mesh(path))
    blender = blender or require_blenders()[-1]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mesh.npz"
        run_script(blender, "mesh_export_cli.py", ["--mesh", str(path), "--out", str(out)])
        with np.load(out, allow_pickle=False) as arrays:
            return _from_blender(arrays)


def _from_blender(arrays: Mapping[str, Any]) -> MeshFile:
    """What mesh_export_cli.py wrote."""
    bare = [str(name) for name in arrays["without_uv"]]
    names = dict(zip(arrays["numbers"].tolist(), map(str, arrays["names"]), strict=True))
    unwrapped = len(bare) == len(names)
    uv = None if unwrapped else arrays["uv"]
    mesh = mesh_from_arrays(arrays["position"], arrays["normal"], uv, arrays["ids"])
    if bare and not unwrapped:
        mesh = mesh.warn(f"No UV map, so not painted: {', '.join(bare)}. Unwrap to paint them.")
    slots = zip(map(str, arrays["worn"]), *arrays["slots"].reshape(-1, 2).T.tolist(), strict=True)
    return MeshFile(mesh, names, () if unwrapped else tuple(slots))


def run_script(blender: Blender, script: str, arguments: list[str]) -> None:
    """Run one of the add-on's scripts. Raises RequestError(FILE) with what it said."""
    command = blender.command(_scripts() / script, arguments)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(ErrorCode.FILE, f"Blender could not run {script}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise RequestError(ErrorCode.FILE, f"Blender {blender.version}: {said}")


def a_blender() -> Blender | None:
    """The newest Blender with our scripts at hand, if there is one."""
    found = find_blenders() if checkout_root() is not None else []
    return found[-1] if found else None


def mesh_ref(mesh: Mesh, buffers: Buffers) -> MeshRef:
    """A mesh's arrays, added to the buffers of a request."""
    arrays = (mesh.position, mesh.normal, mesh.uv, mesh.ids)
    return MeshRef(*(buffers.add(Kind.MESH, array.cpu().numpy()) for array in arrays))


def _scripts() -> Path:
    root = checkout_root()
    if root is None:
        raise RequestError(
            ErrorCode.BLENDER_MISSING,
            "this installation has no add-on scripts to read such a file with",
            hint="Give an .obj or .ply file, or run from a checkout.",
        )
    return root / "blender_addon" / "scripts"
