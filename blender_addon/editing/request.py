"""What is marked on a picture, as a request. No bpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from underpaint.buffers import BufferRef, Buffers, Kind
from underpaint.errors import ErrorCode, RequestError
from underpaint.pictures.outpaint import Sides, outpaint
from underpaint.requests import InpaintRequest, UpscaleRequest, View

from ..image.request import ImageSettings
from ..plain.painting_settings import asked

Picture = npt.NDArray[np.float32]
RED = np.array([1.0, 0.1, 0.1], np.float32)
_TINT = 0.55
_SEEN = 3 / 255
_MARGIN = 64
_ROOM = 1.25
_BLOCK = 8


def tinted(picture: Picture, box: tuple[float, float, float, float]) -> Picture:
    """A picture, (h, w, 4) 0–1 with row 0 at the bottom, with a box of it marked in red.

    `box`: left, bottom, right, top, as parts of the picture's sides. Raises
    RequestError(BAD_REQUEST) when there is nothing in it.
    """
    height, width = picture.shape[:2]
    left, right = sorted(round(min(max(x, 0.0), 1.0) * width) for x in (box[0], box[2]))
    low, high = sorted(round(min(max(y, 0.0), 1.0) * height) for y in (box[1], box[3]))
    if left == right or low == high:
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "the box has no pixels of the picture in it",
            hint="Draw it over the part that is to be repainted.",
        )
    out = picture.copy()
    part = out[low:high, left:right, :3]
    red = part * (1 - _TINT) + RED * _TINT
    # What is as red already is marked in the other direction.
    alike = np.abs(red - part).max(axis=2, keepdims=True) < 10 * _SEEN
    out[low:high, left:right, :3] = np.where(alike, 1.0 - red, red)
    return out


def marked(picture: Picture, marks: Picture) -> npt.NDArray[np.uint8]:
    """Where two pictures, (h, w, 4) with row 0 at the bottom, differ: (h, w) uint8, 255 = there,
    row 0 at the top. Raises RequestError(BAD_REQUEST) when nowhere."""
    differs = np.abs(picture - marks).max(axis=2) > _SEEN
    if not differs.any():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "nothing is marked on the picture",
            hint="Paint on the picture where it is to be repainted, in any colour, or draw a box.",
        )
    return np.ascontiguousarray(differs[::-1].astype(np.uint8) * 255)


def repaint_request(
    settings: ImageSettings, image: BufferRef, mask: BufferRef, strength: float, native: int
) -> InpaintRequest:
    """Repaint the spot by the panel's words. `native`: the model's own side, pixels; larger
    pictures are cropped to the mask and painted there at full resolution."""
    large = max(image.shape[:2]) > native * _ROOM
    return InpaintRequest(
        **asked(settings),
        image=image,
        mask=mask,
        controls=(),
        strength=strength,
        padding=_MARGIN if large else None,
    )


def enlarge_request(settings: ImageSettings, image: BufferRef, factor: float) -> UpscaleRequest:
    """The picture `factor` times as large, with the detail that the panel's words call for."""
    painting = asked(settings)
    del painting["pattern"], painting["references"]
    return UpscaleRequest(**painting, image=image, factor=factor)


def sides_of(side: str, part: float, size: Sequence[int]) -> Sides:
    """Pixels beyond an edge: LEFT, TOP, RIGHT, BOTTOM, or ALL of them. `part`: how far, of the
    picture's `size`, (width, height)."""
    across, down = (max(_BLOCK, round(n * part / _BLOCK) * _BLOCK) for n in size)
    far = {"LEFT": across, "TOP": down, "RIGHT": across, "BOTTOM": down}
    return Sides(**{name.lower(): n for name, n in far.items() if side in (name, "ALL")})


def outpaint_request(
    settings: ImageSettings,
    picture: npt.NDArray[np.uint8],
    sides: Sides,
    native: int,
    buffers: Buffers,
) -> InpaintRequest:
    """What paints beyond the edges by the panel's words.

    `picture` (h, w, 3 or 4) sRGB, row 0 at the top. `native`: the model's own side, pixels; of
    larger pictures it sees what is nearest. Raises RequestError(TOO_LARGE).
    """
    height, width = picture.shape[:2]
    across, down = max(sides.left, sides.right), max(sides.top, sides.bottom)
    painting = asked(settings)
    large = max(width + across, height + down) > native * _ROOM
    return outpaint(
        picture,
        sides,
        buffers,
        painting.pop("prompt"),
        controls=(),
        padding=native // 2 if large else None,
        **painting,
    )


def over_view(
    request: InpaintRequest, view: View | None, kept: Buffers, buffers: Buffers
) -> InpaintRequest:
    """The same, following the form of the view that the picture was painted over, if its arrays
    are `kept` and it has the picture's proportions; adds them to `buffers`."""
    if view is None or not kept:
        return request
    height, width = request.image.shape[:2]
    if view.camera.width * height != view.camera.height * width:
        return request
    for ref in (view.depth, view.normal, view.color, view.object_id):
        if ref is not None and ref.sha256 in kept:
            buffers.add(Kind(ref.kind), kept[ref.sha256])
    return replace(request, view=view, controls=None)
