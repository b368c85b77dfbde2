"""Prompts for parts of a picture: their words, and where they hold."""

from __future__ import annotations

from collections.abc import Sequence

from underpaint.buffers import BufferRef, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, InpaintRequest, RegionPrompt, View

from .fields import check_range, check_ref, refuse, size_text

MAX_REGIONS = 16
Size = tuple[int, int]


def check_regions(request: ImageRequest | InpaintRequest) -> None:
    """Raise RequestError unless each region has words or LoRAs, a weight in range and one place.

    Codes: BAD_REQUEST (a field), BAD_BUFFER (a mask that is none, or of another size).
    """
    regions = request.regions
    if len(regions) > MAX_REGIONS:
        refuse("regions", f"has {len(regions)} entries; at most {MAX_REGIONS}")
    for i, region in enumerate(regions):
        where = f"regions[{i}]"
        if not (region.prompt.text.strip() or region.loras):
            refuse(f"{where}.prompt", "is empty; say what is to be there, or give it a LoRA")
        check_range(f"{where}.weight", region.weight, 0.0, 1.0)
        _check_place(where, region, request)


def _check_place(where: str, region: RegionPrompt, request: ImageRequest | InpaintRequest) -> None:
    if (region.mask is None) == (region.object_id is None):
        refuse(where, "needs a mask or an object_id, one of the two")
    if region.mask is not None:
        check_ref(f"{where}.mask", region.mask, Kind.MASK)
        _check_size(f"{where}.mask", region.mask, _sizes(request))
    elif region.object_id is not None:
        check_range(f"{where}.object_id", region.object_id, 1, 2**31 - 1)
        if request.view is None or request.view.object_id is None:
            refuse(f"{where}.object_id", "needs a view that has object ids")


def _check_size(where: str, mask: BufferRef, sizes: Sequence[Size]) -> None:
    # Without any, the picture's size is the model's to say: it is held against that later.
    if sizes and mask.shape[:2] not in sizes:
        known = " or ".join(dict.fromkeys(f"{width}×{height}" for height, width in sizes))
        raise RequestError(
            ErrorCode.BAD_BUFFER,
            f"{where} is {size_text(mask)}; expected {known}",
            hint="Draw the mask on the picture itself, or ask for a picture of the mask's size.",
        )


def _sizes(request: ImageRequest | InpaintRequest) -> list[Size]:
    """What a mask may be drawn on (height, width): the picture, the view, the start image."""
    found = [_of_view(request.view), *_of_picture(request)]
    return [size for size in found if size is not None]


def _of_view(view: View | None) -> Size | None:
    return None if view is None else (view.camera.height, view.camera.width)


def _of_picture(request: ImageRequest | InpaintRequest) -> list[Size | None]:
    if isinstance(request, InpaintRequest):
        return [_shape(request.image)]
    known = request.height is not None and request.width is not None
    asked = (request.height or 0, request.width or 0) if known else None
    return [asked, None if request.init is None else _shape(request.init)]


def _shape(ref: BufferRef) -> Size:
    return ref.shape[0], ref.shape[1]
