"""Control images found in pictures, where the form is not known: no weights, no downloads.

Canny, standard line art and shuffle are controlnet-aux's. The package's own `__init__` imports
every detector, and some need torchvision; each is imported here on its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import cv2
import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ControlKind

Image8 = npt.NDArray[np.uint8]
_PACKAGE = "controlnet_aux"
_SHUFFLE_SEED = 1
_SOFT_SIGMA = 1.5
_GREY_MOST = 12
_BLACK = 24
_LINES_MOST = 0.35


def detect(kind: ControlKind, image: Image8) -> Image8:
    """The control image (h, w, 3) uint8 of a picture (h, w, 3) uint8, at the same size. White lines
    drawn on black are what such a network reads: they stay as they are.

    Raises RequestError(DETECTOR_MISSING) for kinds that no picture tells (a pose).
    """
    if kind not in _DETECTORS:
        known = ", ".join(_DETECTORS)
        _missing(f"{kind} cannot be found in a picture; {known} can")
    if kind in _OF_LINES and drawn_lines(image):
        return image
    found = _DETECTORS[kind](image)
    resized = cv2.resize(found, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if resized.ndim == 2:
        resized = np.repeat(resized[..., None], 3, axis=2)
    return np.ascontiguousarray(resized, dtype=np.uint8)


def drawn_lines(image: Image8) -> bool:
    """Whether a picture (h, w, 3) is a drawing of light lines on black: without colour, most of it
    black, and what is light is thinner than a twentieth of the shorter side (of
    small ones, than nine pixels)."""
    if int(np.ptp(image.astype(np.int16), axis=2).max()) > _GREY_MOST:
        return False
    light = (image[..., 0] > _BLACK).astype(np.uint8)
    if not 0 < int(light.sum()) < light.size * _LINES_MOST:
        return False
    thick = max(9, min(light.shape) // 20) | 1
    return not cv2.erode(light, np.ones((thick, thick), np.uint8)).any()


def _canny(image: Image8) -> Any:
    side = min(image.shape[:2])
    detector = _class("canny", "CannyDetector")()
    return detector(image, detect_resolution=side, image_resolution=side, output_type="np")


def _lineart(image: Image8) -> Any:
    detector = _class("lineart_standard", "LineartStandardDetector")()
    return detector(image, detect_resolution=min(image.shape[:2]), output_type="np")


def _softedge(image: Image8) -> Any:
    """The strongest slope of the three colours, smoothed: what HED and PiDi look like."""
    smooth = cv2.GaussianBlur(image, (0, 0), _SOFT_SIGMA).astype(np.float32)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
    slope = np.hypot(across, down).max(-1)
    return (slope / max(float(np.percentile(slope, 99.5)), 32.0) * 255).clip(0, 255)


def _scribble(image: Image8) -> Any:
    edges = cv2.Canny(cv2.GaussianBlur(image, (0, 0), 2.0), 60, 120)
    return cv2.dilate(edges, np.ones((5, 5), np.uint8))


def _shuffle(image: Image8) -> Any:
    """The detector draws from numpy's global generator: seeded for it, then put back."""
    side = min(image.shape[:2])
    detector = _class("shuffle", "ContentShuffleDetector")()
    state = np.random.get_state()
    np.random.seed(_SHUFFLE_SEED)
    try:
        return detector(
            image,
            f=max(16, side // 2),
            detect_resolution=side,
            image_resolution=side,
            output_type="np",
        )
    finally:
        np.random.set_state(state)


_DETECTORS: Mapping[ControlKind, Callable[[Image8], Any]] = {
    ControlKind.CANNY: _canny,
    ControlKind.LINEART: _lineart,
    ControlKind.SOFTEDGE: _softedge,
    ControlKind.SCRIBBLE: _scribble,
    ControlKind.SHUFFLE: _shuffle,
}


_OF_LINES = frozenset(
    {ControlKind.CANNY, ControlKind.LINEART, ControlKind.SOFTEDGE, ControlKind.SCRIBBLE}
)


def _class(module: str, name: str) -> Any:
    if _PACKAGE not in sys.modules:
        _stand_in_for_package()
    try:
        return getattr(importlib.import_module(f"{_PACKAGE}.{module}"), name)
    except (ImportError, NameError, RuntimeError) as error:
        _missing(f"{_PACKAGE}'s {module} cannot be imported: {error}")


def _stand_in_for_package() -> None:
    """A bare parent with the package's path: submodules import without its `__init__`."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        _missing(f"{_PACKAGE} is not installed")
    parent = types.ModuleType(_PACKAGE)
    parent.__path__ = list(spec.submodule_search_locations)
    sys.modules[_PACKAGE] = parent


def _missing(message: str) -> NoReturn:
    raise RequestError(ErrorCode.DETECTOR_MISSING, message)
