"""How a file is refused: by name, with the reason, as a registered error."""

from __future__ import annotations

from pathlib import Path

from ..buffers import MAX_PIXELS
from ..errors import ErrorCode, RequestError


def refused(path: Path, why: str, hint: str | None = None) -> RequestError:
    """The error of a file that cannot be used."""
    return RequestError(ErrorCode.FILE, f"{path} {why}", hint=hint)


def check_pixels(path: Path, width: int, height: int) -> None:
    """Raise RequestError(TOO_LARGE) for more pixels than a buffer may have, FILE for none."""
    if width * height > MAX_PIXELS:
        raise RequestError(ErrorCode.TOO_LARGE, f"{path} is {width}×{height} pixels")
    if width * height <= 0:
        raise refused(path, "has no pixels")
