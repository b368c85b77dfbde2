"""`capture_view`: camera, geometry passes and colour put together into a View."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import bpy
import numpy as np
import numpy.typing as npt

from underpaint.buffers import MAX_PIXELS, MAX_SIDE, Buffers, Kind
from underpaint.cameras import Camera
from underpaint.errors import ErrorCode, RequestError
from underpaint.normals import encode_normal
from underpaint.requests import View

from . import color, geometry, gpu_context, gpu_passes, raster, sources
from .kept import Kept
from .rendered import as_rendered
from .sources import Source, Viewport
from .surfaces import Passes, Placed

DEFAULT_WANTS = frozenset({Kind.DEPTH, Kind.NORMAL, Kind.COLOR, Kind.OBJECT_ID})
_KINDS = DEFAULT_WANTS | {Kind.POSITION, Kind.UV}


@dataclass(frozen=True, slots=True)
class Captured:
    """A view, and the surfaces and passes that it was made of."""

    view: View
    buffers: Buffers
    placed: list[Placed]
    passes: Passes


def capture_view(
    context: Any,
    source: Source = None,
    width: int = 512,
    height: int = 512,
    wants: frozenset[Kind] = DEFAULT_WANTS,
    *,
    use_gpu: bool = True,
    as_renders: bool = True,
    kept: Kept | None = None,
) -> tuple[View, Buffers]:
    """What `source` sees of the context's evaluated scene, width × height pixels.

    `context`: `bpy.context`. `source`: a camera object, a `Viewport`, explicit matrices
    (`underpaint.cameras.Camera`), or None for the scene's active camera. `wants`: the buffers to
    take, of DEPTH, NORMAL, COLOR, OBJECT_ID, POSITION, UV; conventions as in
    `underpaint.buffers.Kind`. Objects hidden in the source are left out: hidden from renders for
    a camera, hidden or drawn as wire or bounds for a viewport. `use_gpu`: False draws in numpy
    even where there is a GPU (it is chosen by itself where there is none). `as_renders`: a camera
    sees what F12 shows, modifiers at render level included; False takes the viewport's geometry,
    which a mesh extracted beside it has as well. `kept`: of an earlier capture of the same kind,
    for this one to build on.

    Must run on Blender's main thread. Leaves the scene as it was. Raises
    RequestError(CAPTURE_FAILED) when there is no camera, nothing is visible, or the size is
    not possible.
    """
    taken = capture(
        *(context, source, width, height, wants), use_gpu=use_gpu, as_renders=as_renders, kept=kept
    )
    return taken.view, taken.buffers


def capture(
    context: Any,
    source: Source,
    width: int,
    height: int,
    wants: frozenset[Kind] = DEFAULT_WANTS,
    *,
    use_gpu: bool = True,
    as_renders: bool = True,
    kept: Kept | None = None,
) -> Captured:
    """`capture_view` with the surfaces that it drew. Raises RequestError(CAPTURE_FAILED)."""
    _check(width, height, wants)
    ids = geometry.object_ids(context.evaluated_depsgraph_get())
    kept = Kept() if kept is None else kept
    if isinstance(source, Viewport) or not as_renders:
        return _capture(context, source, (width, height), wants, ids, use_gpu, kept)
    with as_rendered(bpy.data, context.scene, context.view_layer):
        return _capture(context, source, (width, height), wants, ids, use_gpu, kept)


def _capture(
    context: Any,
    source: Source,
    size: tuple[int, int],
    wants: frozenset[Kind],
    ids: dict[str, int],
    use_gpu: bool,
    kept: Kept,
) -> Captured:
    width, height = size
    depsgraph = context.evaluated_depsgraph_get()
    camera = sources.resolve(source, depsgraph, width, height)
    viewport = source if isinstance(source, Viewport) else None
    shown = _shown(viewport, context.view_layer, depsgraph)
    placed = geometry.read_scene(depsgraph, shown, ids, kept.meshes)
    if camera.orthographic:
        camera = sources.in_front(camera, _nearest(placed, camera))
    on_gpu = use_gpu and gpu_context.ready()
    passes = _render(placed, camera, on_gpu, kept)
    kept.bound()
    arrays = _arrays(passes, camera, wants)
    if Kind.COLOR in wants:
        picture = color.viewport_color(context, camera, viewport) if on_gpu else None
        arrays[Kind.COLOR] = color.shaded(passes) if picture is None else picture
    buffers = Buffers()
    refs = {kind.value: ref for kind, ref in buffers.add_all(arrays).items()}
    return Captured(View(camera, **refs), buffers, placed, passes)


def _check(width: int, height: int, wants: frozenset[Kind]) -> None:
    if min(width, height) < 1 or max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        _refuse(
            f"cannot capture {width}×{height} pixels",
            f"Ask for 1 to {MAX_SIDE} pixels a side and at most {MAX_PIXELS} in all.",
        )
    if unknown := wants - _KINDS:
        _refuse(f"a view has no {', '.join(sorted(unknown))}", "Leave it out.")


def _render(placed: list[Placed], camera: Camera, on_gpu: bool, kept: Kept) -> Passes:
    passes: Passes | None = None
    if placed and on_gpu:
        passes = gpu_passes.render(placed, camera, kept.batches)
    elif placed:
        passes = raster.render(placed, camera)
    if passes is None or not passes.object_id.any():
        _refuse("nothing is visible from here", "Point the camera or the viewport at an object.")
    return passes


def _arrays(passes: Passes, camera: Camera, wants: frozenset[Kind]) -> dict[Kind, npt.NDArray[Any]]:
    seen = passes.object_id > 0
    makers: dict[Kind, Callable[[], npt.NDArray[Any]]] = {
        Kind.DEPTH: lambda: np.where(seen, -passes.position[..., 2], np.float32(np.inf)),
        Kind.NORMAL: lambda: encode_normal(passes.normal * seen[..., None]),
        Kind.OBJECT_ID: lambda: passes.object_id,
        Kind.POSITION: lambda: _world_positions(passes, camera),
        Kind.UV: lambda: np.where(seen[..., None], passes.uv, np.float32(np.nan)),
    }
    return {kind: make() for kind, make in makers.items() if kind in wants}


def _world_positions(passes: Passes, camera: Camera) -> npt.NDArray[np.float32]:
    to_world = np.linalg.inv(camera.view_matrix)
    world = passes.position.astype(np.float64) @ to_world[:3, :3].T + to_world[:3, 3]
    return np.where(passes.object_id[..., None] > 0, world, np.nan).astype(np.float32)


def _shown(
    viewport: Viewport | None, view_layer: Any, depsgraph: Any
) -> Callable[[Any, Any], bool]:
    """Whether an instance is drawn, given its object and the object that it belongs to."""
    if viewport is not None:
        space = viewport.space
        # Asked of the evaluated object: only that one knows what is in Local View.
        return lambda item, owner: (
            item.display_type not in ("WIRE", "BOUNDS")
            and owner.evaluated_get(depsgraph).visible_in_viewport_get(space)
        )
    rendered = _rendered_objects(view_layer.layer_collection)
    return lambda item, owner: (
        not item.hide_render
        and not owner.hide_render
        and item.visible_camera
        and owner.name_full in rendered
    )


def _rendered_objects(layer: Any) -> set[str]:
    """Names of the objects in any collection that takes part in renders."""
    if layer.exclude or layer.collection.hide_render:
        names: set[str] = set()
    else:
        names = {item.name_full for item in layer.collection.objects}
    if not layer.collection.hide_render:
        for child in layer.children:
            names |= _rendered_objects(child)
    return names


def _nearest(placed: list[Placed], camera: Camera) -> float:
    """The smallest depth of any corner, metres."""
    lows = [
        -(item.triangles.position @ row[:3] + row[3]).max()
        for item in placed
        for row in [(camera.view_matrix @ item.to_world)[2]]
    ]
    return float(min(lows, default=1.0))


def _refuse(message: str, hint: str) -> NoReturn:
    raise RequestError(ErrorCode.CAPTURE_FAILED, message, hint=hint)
