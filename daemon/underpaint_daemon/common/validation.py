"""Checks that a request can be carried out as written, before anything heavy is loaded.

No torch: the server calls `validate` when a job is submitted. What needs the model itself (does it
have that ControlNet?) is checked in the worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from underpaint.buffers import MAX_PIXELS, BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import (
    Control,
    ControlKind,
    ImageRequest,
    InpaintRequest,
    Lora,
    MeshRef,
    Mirror,
    Pattern,
    Pbr,
    Reference,
    ReferenceRole,
    Request,
    Sampling,
    TextureRequest,
    TileAxes,
    View,
)

from .conventions import convention_of

MIN_SIDE = 64
MAX_SIDE = 8192
MAX_STEPS = 200
MAX_REFERENCES = 8
MAX_GUIDANCE = 50.0
MAX_BATCH = 64
MAX_CONTROLS = 8
MAX_VIEWS = 64
MAX_SEED = 2**63 - 1
MAX_UPSCALE = 2
MIN_PATTERN, MAX_PATTERN = 1e-5, 1e5  # metres
FIRST_TILE = 1001
LAST_TILE = 2000
MAX_PROMPT = 20_000
EXACT_KINDS = (ControlKind.DEPTH, ControlKind.NORMAL, ControlKind.GUIDE)
"""Controls that come exact from a scene's form, whatever its colours."""
_FORM = ("depth", "normal", "color")
_PARTS_OF_KIND = {
    ControlKind.DEPTH: ("depth",),
    ControlKind.NORMAL: ("normal",),
    ControlKind.GUIDE: ("position", "depth"),
    ControlKind.SEGMENT: ("object_id",),
    ControlKind.CANNY: _FORM,
    ControlKind.LINEART: _FORM,
    ControlKind.SOFTEDGE: _FORM,
    ControlKind.SCRIBBLE: _FORM,
    ControlKind.TILE: ("color",),
    ControlKind.SHUFFLE: ("color",),
}
"""What of a view tells a kind of control, the best first; others need an image."""


def validate(request: Request) -> None:
    """Raise RequestError unless every field is within its range and the references fit.

    Codes: BAD_REQUEST (a field), BAD_BUFFER (a reference's kind or shape), TOO_LARGE (sizes),
    BAD_MESH (mesh arrays that do not belong together).
    """
    if not request.model:
        _refuse("model", "is empty; name a model, e.g. starter")
    _check_prompts(request)
    _check_sampling(request.sampling)
    _range("strength", request.strength, 0.0, 1.0)
    _check_loras(request.loras)
    _check_pattern(request.pattern)
    if request.controls is not None and len(request.controls) > MAX_CONTROLS:
        _refuse("controls", f"has {len(request.controls)} entries; at most {MAX_CONTROLS}")
    if not isinstance(request, InpaintRequest):
        _check_pbr(request.pbr)
    if isinstance(request, ImageRequest):
        _check_image_request(request)
    elif isinstance(request, InpaintRequest):
        _check_inpaint_request(request)
    else:
        _check_texture_request(request)


def _check_prompts(request: Request) -> None:
    prompts = [("prompt", request.prompt)]
    if isinstance(request, TextureRequest):
        prompts += [
            (f"object_prompts[{i}].prompt", item.prompt)
            for i, item in enumerate(request.object_prompts)
        ]
    for name, prompt in prompts:
        if max(len(prompt.text), len(prompt.negative)) > MAX_PROMPT:
            _refuse(name, f"is longer than {MAX_PROMPT} characters")


def _check_sampling(sampling: Sampling) -> None:
    if sampling.steps is not None:
        _range("sampling.steps", sampling.steps, 1, MAX_STEPS)
    if sampling.guidance is not None:
        _range("sampling.guidance", sampling.guidance, 0.0, MAX_GUIDANCE)
    _range("sampling.seed", sampling.seed, 0, MAX_SEED)


def _check_pattern(pattern: Pattern) -> None:
    if pattern.size is not None:
        _range("pattern.size", pattern.size, MIN_PATTERN, MAX_PATTERN)
    _range("pattern.seed", pattern.seed, 0, MAX_SEED)


def _check_loras(loras: Sequence[Lora]) -> None:
    for i, lora in enumerate(loras):
        _range(f"loras[{i}].weight", lora.weight, -2.0, 2.0)
        if not lora.path:
            _refuse(f"loras[{i}].path", "is empty")


def _check_pbr(pbr: Pbr | None) -> None:
    for name in ("model", "normal_model"):
        if pbr is not None and getattr(pbr, name) == "":
            _refuse(f"pbr.{name}", "is empty; leave it out to estimate without a model")


def _check_image_request(request: ImageRequest) -> None:
    for name, side, repeats in (
        ("width", request.width, TileAxes.X),
        ("height", request.height, TileAxes.Y),
    ):
        # What repeats cannot be padded and cropped: the seam would be cut off.
        if side is not None:
            _check_side(name, side, 8 if request.tile in (repeats, TileAxes.XY) else 1)
    _range("batch", request.batch, 1, MAX_BATCH)
    _check_ref("init", request.init, Kind.COLOR)
    _check_view("view", request.view)
    flat = request.tile is not TileAxes.OFF and request.view is None
    _check_controls(request.controls or (), request.view, request.init, flat=flat)
    _check_references(request.references, request.view)


def _check_inpaint_request(request: InpaintRequest) -> None:
    _range("batch", request.batch, 1, MAX_BATCH)
    _range("feather", request.feather, 0, 1024)
    if request.padding is not None:
        _range("padding", request.padding, 0, MAX_SIDE)
    _check_ref("image", request.image, Kind.COLOR)
    _check_ref("mask", request.mask, Kind.MASK)
    if request.image.shape[:2] != request.mask.shape[:2]:
        _refuse_buffer("mask", f"is {_size(request.mask)}, but the image is {_size(request.image)}")
    if max(request.image.shape[:2]) > MAX_SIDE:
        _too_large("image", request.image.shape[1], request.image.shape[0])
    _check_view("view", request.view)
    _check_controls(request.controls or (), request.view, request.image)
    _check_references(request.references, request.view)


def _check_texture_request(request: TextureRequest) -> None:
    if request.view_size is not None:
        _check_side("view_size", request.view_size)
    _range("size", request.size, MIN_SIDE, MAX_SIDE)
    _range("view_count", request.view_count, 1, MAX_VIEWS)
    if len(request.views) > MAX_VIEWS:
        _refuse("views", f"has {len(request.views)} entries; at most {MAX_VIEWS}")
    _check_mesh(request.mesh)
    for i, view in enumerate(request.views):
        _check_view(f"views[{i}]", view)
    _check_texture_images(request)
    _range("feather", request.feather, 0, 1024)
    _range("upscale", request.upscale, 1, MAX_UPSCALE)
    if request.upscale > 1 and request.views:
        _refuse("upscale", "needs views that the daemon places; capture larger ones instead")
    if request.reroll is not None:
        _range("reroll", request.reroll, 0, (len(request.views) or request.view_count) - 1)
    if request.mirror is not None:
        _check_mirror(request.mirror)
    for i, control in enumerate(request.controls or ()):
        _check_control(i, control)


def _check_texture_images(request: TextureRequest) -> None:
    _check_tile(request, "", request.base, request.lock)
    known = [FIRST_TILE]
    for i, tile in enumerate(request.more_tiles):
        where = f"more_tiles[{i}]"
        if tile.number in known or not FIRST_TILE < tile.number <= LAST_TILE:
            _refuse(f"{where}.number", f"is {tile.number}; expected one of its own above 1001")
        known.append(tile.number)
        _check_tile(request, f"{where}.", tile.base, tile.lock)
    if request.base is None and not request.more_tiles:
        _need_no_base(request)


def _check_tile(
    request: TextureRequest, where: str, base: BufferRef | None, lock: BufferRef | None
) -> None:
    for name, ref, kind in (("base", base, Kind.COLOR), ("lock", lock, Kind.MASK)):
        _check_ref(f"{where}{name}", ref, kind)
        if ref is not None and ref.shape[:2] != (request.size, request.size):
            _refuse_buffer(
                f"{where}{name}", f"is {_size(ref)}; the texture is {request.size}×{request.size}"
            )
    if base is None and lock is not None:
        _refuse(f"{where}lock", "is given without base: there is no texture to keep")


def _need_no_base(request: TextureRequest) -> None:
    if request.strength < 1.0:
        _refuse("strength", "is below 1 without base: there is no texture to restyle")
    if request.reroll is not None:
        _refuse("reroll", "is given without base: there is no texture to paint a view of again")


def _check_mirror(mirror: Mirror) -> None:
    for name, vector in (("point", mirror.point), ("normal", mirror.normal)):
        if len(vector) != 3:
            _refuse(f"mirror.{name}", f"has {len(vector)} numbers; expected x, y, z")
    if not any(mirror.normal):
        _refuse("mirror.normal", "is zero; expected a direction, e.g. 1, 0, 0")


def _check_mesh(mesh: MeshRef) -> None:
    rows = mesh.position.shape[0]
    columns = {"position": 3, "normal": 3, "uv": 2, "ids": 2}
    for name, width in columns.items():
        ref: BufferRef = getattr(mesh, name)
        _check_ref(f"mesh.{name}", ref, Kind.MESH)
        if ref.shape != (rows, width) or rows % 3 or rows == 0:
            raise RequestError(
                ErrorCode.BAD_MESH,
                f"mesh.{name} has shape {ref.shape}; expected (3 × triangles, {width})",
            )
        wanted = "int32" if name == "ids" else "float32"
        if ref.dtype != wanted:
            raise RequestError(ErrorCode.BAD_MESH, f"mesh.{name} is {ref.dtype}, not {wanted}")


def _check_controls(
    controls: Sequence[Control],
    view: View | None,
    picture: BufferRef | None,
    *,
    flat: bool = False,
) -> None:
    """picture: what is started from. flat: the picture repeats and has no view, so it is a plane
    of which all is known."""
    for i, control in enumerate(controls):
        _check_control(i, control)
        known = flat and control.kind in EXACT_KINDS
        if control.kind in (ControlKind.TILE, ControlKind.INPAINT):
            known = picture is not None
        if control.image is None and not known and control_source(control.kind, view) is None:
            parts = _PARTS_OF_KIND.get(control.kind, ())
            or_view = f" or a view with {' or '.join(parts)}" if parts else ""
            _refuse(f"controls[{i}]", f"({control.kind}) needs an image{or_view}")


def _check_references(references: Sequence[Reference], view: View | None) -> None:
    if len(references) > MAX_REFERENCES:
        _refuse("references", f"has {len(references)} entries; at most {MAX_REFERENCES}")
    for i, reference in enumerate(references):
        where = f"references[{i}]"
        _range(f"{where}.scale", reference.scale, 0.0, 1.0)
        _check_ref(f"{where}.image", reference.image, Kind.COLOR)
        if reference.image is None and _shown(reference.role, view) is None:
            _refuse(where, f"({reference.role}) needs an image, or a view that has it")


def _shown(role: ReferenceRole, view: View | None) -> BufferRef | None:
    """What a view holds for a role."""
    held: BufferRef | None = getattr(view, role.value, None)
    return held


def control_source(kind: ControlKind, view: View | None) -> BufferRef | None:
    """The buffer of a view that a control of this kind is made from; None where it lacks."""
    parts = () if view is None else _PARTS_OF_KIND.get(kind, ())
    refs = (getattr(view, part) for part in parts)
    return next((ref for ref in refs if ref is not None), None)


def _check_control(i: int, control: Control) -> None:
    where = f"controls[{i}]"
    _range(f"{where}.scale", control.scale, 0.0, 2.0)
    _range(f"{where}.start", control.start, 0.0, 1.0)
    _range(f"{where}.end", control.end, 0.0, 1.0)
    if control.start >= control.end:
        _refuse(f"{where}.start", f"is {control.start}, not below its end {control.end}")
    if control.depth_range is not None:
        _check_depth_range(f"{where}.depth_range", control.depth_range)
    convention_of(control.kind, control.convention, None)
    exact = {ControlKind.DEPTH: Kind.DEPTH, ControlKind.NORMAL: Kind.NORMAL}.get(control.kind)
    kinds = (Kind.COLOR,) if exact is None else (Kind.COLOR, exact)
    _check_ref(f"{where}.image", control.image, *kinds)


def _check_depth_range(where: str, limits: tuple[float, ...]) -> None:
    if len(limits) != 2 or not 0 < limits[0] < limits[1]:
        _refuse(where, f"is {limits}; expected metres from white to black, e.g. 2, 9")


def _check_view(where: str, view: View | None) -> None:
    if view is None:
        return
    size = (view.camera.height, view.camera.width)
    for kind in (Kind.DEPTH, Kind.NORMAL, Kind.COLOR, Kind.OBJECT_ID, Kind.POSITION, Kind.UV):
        ref: BufferRef | None = getattr(view, kind.value)
        _check_ref(f"{where}.{kind}", ref, kind)
        if ref is not None and ref.shape[:2] != size:
            _refuse_buffer(
                f"{where}.{kind}", f"is {_size(ref)}, but its camera is {size[1]}×{size[0]}"
            )


def _check_ref(where: str, ref: BufferRef | None, *kinds: Kind) -> None:
    if ref is None:
        return
    if ref.kind not in kinds:
        names = " or ".join(kinds)
        _refuse_buffer(where, f"is a {ref.kind} buffer; expected {names}")
    if len(ref.shape) < 2 or min(ref.shape) < 1:
        _refuse_buffer(where, f"has shape {ref.shape}")


def _check_side(name: str, value: int, multiple: int = 1) -> None:
    if value > MAX_SIDE:
        _too_large(name, value)
    if value < MIN_SIDE or value % multiple:
        what = f"a multiple of {multiple}" if multiple > 1 else "pixels"
        _refuse(name, f"is {value}; expected {what} from {MIN_SIDE} to {MAX_SIDE}")


def _range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        _refuse(name, f"is {value}; expected {low} to {high}")


def _size(ref: BufferRef) -> str:
    return f"{ref.shape[1]}×{ref.shape[0]}"


def _too_large(name: str, *sides: int) -> NoReturn:
    given = "×".join(map(str, sides))
    raise RequestError(
        ErrorCode.TOO_LARGE,
        f"{name} is {given}; the limit is {MAX_SIDE} a side, {MAX_PIXELS} pixels",
    )


def _refuse(where: str, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_REQUEST, f"{where} {problem}")


def _refuse_buffer(where: str, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.BAD_BUFFER, f"{where} {problem}")
