"""Mesh files that need no host program: Wavefront OBJ and PLY (ASCII or binary)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.worker.texturing.surface.mesh import Mesh, mesh_from_arrays

from .obj import read_obj
from .ply import read_ply

_READERS = {".obj": read_obj, ".ply": read_ply}


def load_mesh(path: Path, *, y_up: bool = True) -> Mesh:
    """`load_named_mesh` without the names."""
    return load_named_mesh(path, y_up=y_up)[0]


def load_named_mesh(path: Path, *, y_up: bool = True) -> tuple[Mesh, Mapping[int, str]]:
    """Read a mesh file and check it; its objects' names by their ids come with it.

    y_up: the file's up axis is +Y and its front +Z (what OBJ writers do by custom), turned to
    Blender's Z up and front -Y; False takes the coordinates as they are.
    Raises RequestError(FILE) when it cannot be read, RequestError(BAD_MESH) when it cannot be
    painted.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} is no mesh file that can be read here",
            hint="Give an .obj or .ply file; `underpaint texture` also takes .glb, .fbx, .blend.",
        )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RequestError(ErrorCode.FILE, f"{path} cannot be read: {error.strerror}") from error
    try:
        corners = reader(data)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise RequestError(
            ErrorCode.FILE, f"{path} is not a well-formed {path.suffix[1:].upper()} file: {error}"
        ) from error
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32) if y_up else np.eye(3)
    normal = None if corners.normal is None else corners.normal @ turn.T
    mesh = mesh_from_arrays(corners.position @ turn.T, normal, corners.uv, corners.ids)
    return mesh, corners.names
