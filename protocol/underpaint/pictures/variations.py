"""Variations of a picture that was painted: more of it, as near to it as is wanted.

The same request with other seeds; below full strength it begins from the picture itself, so that
its layout and colours stay and the rest is painted anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..buffers import Buffers, Kind
from ..errors import ErrorCode, RequestError
from ..requests import ImageRequest, InpaintRequest, Request, TextureRequest

Image8 = npt.NDArray[np.uint8]
STRENGTH = 0.45


def variations(
    request: Request,
    picture: Image8,
    buffers: Buffers,
    *,
    strength: float = STRENGTH,
    count: int = 4,
    seed: int | None = None,
) -> ImageRequest | InpaintRequest:
    """The request that paints `count` variations of what `request` painted.

    `picture`: (h, w, 3 or 4) uint8 sRGB; it goes into `buffers`. `strength`: 0–1, how far they
    leave it; 1 does not begin from it, and the seed alone makes the difference. `seed`: None
    counts on from the request's last. Of an inpainting only the masked spot varies. Raises
    RequestError(BAD_REQUEST) for what was made of another picture, and for textures.
    """
    if not isinstance(request, (ImageRequest, InpaintRequest)):
        raise _no_variations(request)
    beyond = request.sampling.seed + request.batch if seed is None else seed
    sampling = replace(request.sampling, seed=beyond)
    again = replace(request, sampling=sampling, batch=count)
    if strength >= 1:
        return again
    start = buffers.add(Kind.COLOR, picture)
    if isinstance(again, InpaintRequest):
        return replace(again, image=start, strength=strength)
    height, width = picture.shape[:2]
    return replace(again, init=start, strength=strength, width=width, height=height)


def _no_variations(request: Request) -> RequestError:
    if isinstance(request, TextureRequest):
        what, hint = "a texture", "Re-roll its layer (underpaint texture --from FOLDER --seed N)."
    else:
        what, hint = "an enlarged picture", "Vary the picture that it was made of."
    return RequestError(ErrorCode.BAD_REQUEST, f"there are no variations of {what}", hint=hint)
