"""The request for a texture: mesh, views, what is already there."""

from __future__ import annotations

from underpaint.buffers import BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import MeshRef, Mirror, TextureRequest

from .controls import check_control, check_references, check_view
from .fields import (
    MAX_SIDE,
    MIN_SIDE,
    check_range,
    check_ref,
    check_side,
    refuse,
    refuse_buffer,
    size_text,
)

MAX_VIEWS = 64
MAX_UPSCALE = 2
FIRST_TILE = 1001
LAST_TILE = 2000


def check_texture_request(request: TextureRequest) -> None:
    """Raise RequestError unless the fields that only a texture request has fit."""
    if request.view_size is not None:
        check_side("view_size", request.view_size)
    check_range("size", request.size, MIN_SIDE, MAX_SIDE)
    check_range("view_count", request.view_count, 1, MAX_VIEWS)
    if len(request.views) > MAX_VIEWS:
        refuse("views", f"has {len(request.views)} entries; at most {MAX_VIEWS}")
    _check_mesh(request.mesh)
    for i, view in enumerate(request.views):
        check_view(f"views[{i}]", view)
    _check_texture_images(request)
    check_range("feather", request.feather, 0, 1024)
    check_range("upscale", request.upscale, 1, MAX_UPSCALE)
    if request.upscale > 1 and request.views:
        refuse("upscale", "needs views that the daemon places; capture larger ones instead")
    if request.reroll is not None:
        check_range("reroll", request.reroll, 0, (len(request.views) or request.view_count) - 1)
    if request.mirror is not None:
        _check_mirror(request.mirror)
    for i, control in enumerate(request.controls or ()):
        check_control(i, control)
    check_references(request.references, None)


def _check_texture_images(request: TextureRequest) -> None:
    _check_tile(request, "", request.base, request.lock)
    known = [FIRST_TILE]
    for i, tile in enumerate(request.more_tiles):
        where = f"more_tiles[{i}]"
        if tile.number in known or not FIRST_TILE < tile.number <= LAST_TILE:
            refuse(f"{where}.number", f"is {tile.number}; expected one of its own above 1001")
        known.append(tile.number)
        _check_tile(request, f"{where}.", tile.base, tile.lock)
    if request.base is None and not request.more_tiles:
        _need_no_base(request)


def _check_tile(
    request: TextureRequest, where: str, base: BufferRef | None, lock: BufferRef | None
) -> None:
    for name, ref, kind in (("base", base, Kind.COLOR), ("lock", lock, Kind.MASK)):
        check_ref(f"{where}{name}", ref, kind)
        if ref is not None and ref.shape[:2] != (request.size, request.size):
            refuse_buffer(
                f"{where}{name}",
                f"is {size_text(ref)}; the texture is {request.size}×{request.size}",
            )
    if base is None and lock is not None:
        refuse(f"{where}lock", "is given without base: there is no texture to keep")


def _need_no_base(request: TextureRequest) -> None:
    if request.strength < 1.0:
        refuse("strength", "is below 1 without base: there is no texture to restyle")
    if request.reroll is not None:
        refuse("reroll", "is given without base: there is no texture to paint a view of again")


def _check_mirror(mirror: Mirror) -> None:
    for name, vector in (("point", mirror.point), ("normal", mirror.normal)):
        if len(vector) != 3:
            refuse(f"mirror.{name}", f"has {len(vector)} numbers; expected x, y, z")
    if not any(mirror.normal):
        refuse("mirror.normal", "is zero; expected a direction, e.g. 1, 0, 0")


def _check_mesh(mesh: MeshRef) -> None:
    rows = mesh.position.shape[0]
    columns = {"position": 3, "normal": 3, "uv": 2, "ids": 2}
    for name, width in columns.items():
        ref: BufferRef = getattr(mesh, name)
        check_ref(f"mesh.{name}", ref, Kind.MESH)
        if ref.shape != (rows, width) or rows % 3 or rows == 0:
            raise RequestError(
                ErrorCode.BAD_MESH,
                f"mesh.{name} has shape {ref.shape}; expected (3 × triangles, {width})",
            )
        wanted = "int32" if name == "ids" else "float32"
        if ref.dtype != wanted:
            raise RequestError(ErrorCode.BAD_MESH, f"mesh.{name} is {ref.dtype}, not {wanted}")
