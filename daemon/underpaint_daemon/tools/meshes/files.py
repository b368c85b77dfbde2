"""Mesh files: opened, checked and made ready to paint, without torch and without Blender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from underpaint.buffers import Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import MeshRef
from underpaint_daemon.common.meshes.corners import Corners, checked

from .layout import lay_out
from .polygons import Polygons, taken
from .text import require_content
from .turns import to_z_up

if TYPE_CHECKING:  # a reader is loaded for the format that it reads
    from .gltf.file import Gltf
    from .gltf.scene import Scene

Array = npt.NDArray[Any]
PLAIN = (".obj", ".ply")
GLTF = (".glb", ".gltf")
_MALFORMED = (
    ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
"""What a file can raise whose parts are not what they should be."""


class NeedsBlender(RequestError):
    """A file that is well-formed, and needs another reader."""


@dataclass(frozen=True, slots=True)
class MeshFile:
    """A mesh file as it was read. corners: what is painted, Z up, with the job's UVs. polygons: all
    of it, in its own axes. own: the artist's tile of each tile of the job. up: its up axis. obj,
    gltf: what it was read from, where that can wear the paint itself. slots: object name, material
    slot and tile, where Blender can put paint on the file's own objects. uvs_made (l,) bool: of the
    corners' triangles, those whose UVs the file does not have."""

    path: Path
    corners: Corners
    polygons: Polygons
    own: Mapping[int, int]
    up: str
    obj: bytes | None = None
    gltf: tuple[Gltf, Scene] | None = None
    slots: tuple[tuple[str, int, int], ...] = ()
    uvs_made: Array | None = None

    @property
    def names(self) -> Mapping[int, str]:
        """The names of what is painted, by their ids: of a mesh without UVs that is there several
        times, the one that the others wear the paint of."""
        painted = set(np.unique(self.corners.ids[:, 0]).tolist())
        return {n: name for n, name in self.polygons.names.items() if n in painted}


def open_mesh(path: Path, up: str | None = None) -> MeshFile:
    """Read and check an .obj, .ply, .glb or .gltf file. up: `x`, `y` or `z`; None = what the file
    says, else Y.

    Raises RequestError(FILE) when it cannot be read, NeedsBlender when only Blender might, and
    RequestError(BAD_MESH) when it cannot be painted.
    """
    data = read_file(path)
    kind = path.suffix.lower()
    require_content(path, data)
    if kind in GLTF:
        gltf, scene = _gltf(path, data)
        return ready(path, scene.polygons, up, gltf=(gltf, scene))
    if kind not in PLAIN:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} is no mesh file that can be read here",
            hint="Give an .obj, .ply, .glb or .gltf file.",
        )
    try:
        polygons = _plain(kind, data)
    except _MALFORMED as error:
        raise _broken(path, error) from error
    source = data if kind == ".obj" else None
    del data  # what is not needed again does not stay beside what is made of it
    return ready(path, polygons, up, obj=source)


def _plain(kind: str, data: bytes) -> Polygons:
    if kind == ".obj":
        from .obj import read_obj

        return read_obj(data)
    from .ply import read_ply

    return read_ply(data)


def read_file(path: Path) -> bytes:
    """A file's bytes. Raises RequestError(FILE)."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(ErrorCode.FILE, f"{path} cannot be read: {error.strerror}") from error


def _gltf(path: Path, data: bytes) -> tuple[Gltf, Scene]:
    from .gltf.file import PACKED, read_gltf
    from .gltf.scene import read_scene

    try:
        gltf = read_gltf(data, path.parent)
        if (name := gltf.unread) is not None:
            raise _needs_blender(path, name)
        return gltf, read_scene(gltf)
    except OSError as error:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} needs {error.filename}, which cannot be read: {error.strerror}",
            hint="Keep a .gltf file together with the files it names, or save it as .glb.",
        ) from error
    except _MALFORMED as error:
        used = [name for name in PACKED if name.encode() in data]
        raise _needs_blender(path, used[0]) if used else _broken(path, error) from error


def _needs_blender(path: Path, extension: str) -> NeedsBlender:
    return NeedsBlender(
        ErrorCode.FILE,
        f"{path} needs the glTF extension {extension}, which is not read here",
        hint="Save it without compression (and without that extension).",
    )


def _broken(path: Path, error: Exception) -> RequestError:
    said = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    kind = path.suffix[1:].upper()
    return RequestError(ErrorCode.FILE, f"{path} is not a well-formed {kind} file: {said}")


def ready(
    path: Path,
    polygons: Polygons,
    up: str | None,
    *,
    obj: bytes | None = None,
    gltf: tuple[Gltf, Scene] | None = None,
) -> MeshFile:
    """A file's polygons, checked, turned and laid out. Raises RequestError(BAD_MESH)."""
    if not len(polygons.sizes):
        raise RequestError(
            ErrorCode.BAD_MESH,
            f"{path} has {len(polygons.position)} vertices and no faces",
            hint="Points, lines and curves are not painted: make a mesh of them, and save that.",
        )
    axis = up or polygons.up or "y"
    part = polygons.corner_parts
    uv = polygons.corner_uvs
    own: Mapping[int, int] = {1001: 1001}
    if uv is not None:
        layout = lay_out(uv, part[::3, 1])
        uv, own = layout.uv, layout.own
    turned = taken(to_z_up(polygons.position, axis), polygons.rows(0)), _normals(polygons, axis)
    called = partial(_vertex, path, polygons)
    corners = checked(
        *turned,
        uv,
        part,
        partly=True,
        given_away=True,
        called=called,
        places=lambda: polygons.places,
    )
    del turned, uv, part
    if polygons.twin is not None:  # copies are not painted: they wear the paint of the first
        itself = polygons.twin[::3] // 3 == np.arange(len(polygons.twin) // 3)
        corners = corners.select(itself[corners.source])
    for told in polygons.told:
        corners = corners.warn(told)
    return MeshFile(path, corners, polygons, own, axis, obj, gltf)


def _vertex(path: Path, polygons: Polygons, row: int) -> str:
    """What the artist calls the vertex of a triangles' corner."""
    number = int(polygons.rows(0)[row])
    item = int(polygons.triangle_parts[row // 3, 0])
    name = polygons.names.get(item)
    whose = "" if name is None else f" of {name!r}"
    if path.suffix.lower() in PLAIN:
        return f"vertex {number + 1}{whose} (counted from 1 in the file)"
    own = polygons.corner[0][np.repeat(polygons.part[:, 0] == item, polygons.sizes)]
    return f"vertex {number - int(own.min())}{whose} (counted from 0)"


def _normals(polygons: Polygons, axis: str) -> Array | None:
    return polygons.by_corner(to_z_up(polygons.normal, axis), 2)


def mesh_ref(corners: Corners, buffers: Buffers) -> MeshRef:
    """A mesh's arrays, added to the buffers of a request; UVs are NaN where there are none."""
    uv = corners.uv
    if corners.bare.any():
        uv = np.where(corners.bare.repeat(3)[:, None], np.float32(np.nan), uv)
    arrays = (corners.position, corners.normal, uv, corners.ids)
    return MeshRef(*(buffers.add(Kind.MESH, array) for array in arrays))
