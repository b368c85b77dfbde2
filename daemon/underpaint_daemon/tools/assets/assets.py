"""Meshes from files of any kind the command line takes: read here, or by a Blender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from underpaint.blenders import Blender, addon_folder, find_blenders, require_blenders
from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import is_file
from underpaint_daemon.common.meshes.normals import weld

from ..meshes.files import GLTF, PLAIN, MeshFile, NeedsBlender, open_mesh, ready
from ..meshes.polygons import Polygons, none_of

OWN = (*PLAIN, *GLTF)
BY_BLENDER = (".fbx", ".blend")
SUFFIXES = OWN + BY_BLENDER
KINDS = ("glb", "fbx")
"""What a painted mesh is exported as, besides OBJ."""
_TIMEOUT_S = 600.0


def open_asset(path: Path, blender: Blender | None = None, *, up: str | None = None) -> MeshFile:
    """Read a file: .obj, .ply, .glb and .gltf here; .fbx and .blend, and glTF with extensions that
    are not understood here, through a Blender (the newest, if none is given). blender: given, it
    reads glTF too. up: `x`, `y` or `z`, for files read here; None = what the file says, else Y.

    Raises RequestError: FILE, BAD_MESH or BLENDER_MISSING.
    """
    if not is_file(path):
        raise RequestError(ErrorCode.FILE, f"there is no file {path}")
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise RequestError(
            ErrorCode.FILE,
            f"{path} is of a kind that is not read here",
            hint=f"Save it as one of {', '.join(SUFFIXES)}.",
        )
    if kind in PLAIN or (kind in GLTF and blender is None):
        try:
            return open_mesh(path, up)
        except NeedsBlender as why:
            newest = a_blender()
            if newest is None:
                raise
            try:
                return _through_blender(path, newest)
            except RequestError:
                raise why from None  # Blender could not either, and has fewer words for it
    return _through_blender(path, blender or require_blenders()[-1])


def _through_blender(path: Path, blender: Blender) -> MeshFile:
    import tempfile  # most meshes need no Blender

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "mesh.npz"
        run_script(blender, "mesh_export_cli.py", ["--mesh", str(path), "--out", str(out)])
        with np.load(out, allow_pickle=False) as arrays:
            return _from_blender(path, arrays)


def _from_blender(path: Path, arrays: Mapping[str, Any]) -> MeshFile:
    """What mesh_export_cli.py wrote."""
    bare = [str(name) for name in arrays["without_uv"]]
    names = dict(zip(arrays["numbers"].tolist(), map(str, arrays["names"]), strict=True))
    unwrapped = len(bare) == len(names)
    file = ready(path, _polygons(arrays, names, unwrapped), "z")
    scene, *others = map(str, arrays["scenes"])
    if others:
        said = (
            f"Only the scene {scene!r} is painted and written; not {', '.join(map(repr, others))}."
        )
        file = replace(file, corners=file.corners.warn(said))
    if unwrapped:
        return file
    if bare:
        said = f"No UV map, so not painted: {', '.join(bare)}. Unwrap to paint them."
        file = replace(file, corners=file.corners.warn(said))
    slots = zip(map(str, arrays["worn"]), *arrays["slots"].reshape(-1, 2).T.tolist(), strict=True)
    return replace(file, slots=tuple(slots))


def _polygons(arrays: Mapping[str, Any], names: Mapping[int, str], unwrapped: bool) -> Polygons:
    """Triangles that share vertices where their corners are in one place. UV spaces are laid out
    already: they are one."""
    position = arrays["position"]
    signs = (np.signbit(position) * np.array([1, 2, 4])).sum(axis=1)  # -0 is a number of its own
    vertex = np.unique(weld(position) * 8 + signs, return_inverse=True)[1].reshape(-1)
    count = int(vertex.max(initial=-1)) + 1
    points = np.zeros((count, 3), np.float32)
    points[vertex] = position
    rows = np.arange(len(position), dtype=np.int32)
    corner = (vertex.astype(np.int32), none_of(len(rows)) if unwrapped else rows, rows)
    part = arrays["ids"][::3].astype(np.int32).copy()
    part[:, 1] = 1
    sizes = np.full(len(position) // 3, 3, np.int32)
    return Polygons(points, arrays["uv"], arrays["normal"], corner, sizes, part, names, up="z")


def run_script(blender: Blender, script: str, arguments: list[str]) -> None:
    """Run one of the add-on's scripts. Raises RequestError(FILE) with what it said."""
    import subprocess

    command = blender.command(_scripts() / script, arguments)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(ErrorCode.FILE, f"Blender could not run {script}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise RequestError(ErrorCode.FILE, f"Blender {blender.version}: {said}")


def a_blender() -> Blender | None:
    """The newest Blender with our scripts at hand, if there is one."""
    found = find_blenders() if addon_folder() is not None else []
    return found[-1] if found else None


def _scripts() -> Path:
    addon = addon_folder()
    if addon is None:
        raise RequestError(
            ErrorCode.BLENDER_MISSING,
            "this installation has no add-on scripts to read such a file with",
            hint="Give an .obj, .ply or .glb file, or install the underpaint-daemon wheel.",
        )
    return addon / "scripts"
