"""Control images derived from pictures, by controlnet-aux's detectors.

Canny, standard line art and shuffle need no weights. The others load theirs from a folder the
user gives. The package's own `__init__` imports every detector, and some need torchvision; each is
imported here on its own.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import numpy.typing as npt

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ControlKind

Image8 = npt.NDArray[np.uint8]
_PACKAGE = "controlnet_aux"
_SHUFFLE_SEED = 1

_WITH_WEIGHTS: Mapping[ControlKind, tuple[str, str]] = {
    ControlKind.HED: ("hed", "HEDdetector"),
    ControlKind.MLSD: ("mlsd", "MLSDdetector"),
    ControlKind.OPENPOSE: ("open_pose", "OpenposeDetector"),
}


def detect(kind: ControlKind, image: Image8, weights: Path | None) -> Image8:
    """The control image (h, w, 3) uint8 of a picture (h, w, 3) uint8, at the same size.

    Raises RequestError(DETECTOR_MISSING) when the detector cannot be had.
    """
    if kind in _WITHOUT_WEIGHTS:
        found = _WITHOUT_WEIGHTS[kind](image)
    else:
        found = _with_weights(kind, image, weights)
    resized = cv2.resize(found, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if resized.ndim == 2:
        resized = np.repeat(resized[..., None], 3, axis=2)
    return np.ascontiguousarray(resized, dtype=np.uint8)


def _canny(image: Image8) -> Any:
    side = min(image.shape[:2])
    detector = _class("canny", "CannyDetector")()
    return detector(image, detect_resolution=side, image_resolution=side, output_type="np")


def _lineart(image: Image8) -> Any:
    detector = _class("lineart_standard", "LineartStandardDetector")()
    return detector(image, detect_resolution=min(image.shape[:2]), output_type="np")


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


_WITHOUT_WEIGHTS: Mapping[ControlKind, Callable[[Image8], Any]] = {
    ControlKind.CANNY: _canny,
    ControlKind.LINEART: _lineart,
    ControlKind.SHUFFLE: _shuffle,
}


def _with_weights(kind: ControlKind, image: Image8, weights: Path | None) -> Any:
    if weights is None or not weights.is_dir():
        where = "no folder was given" if weights is None else f"there is no folder {weights}"
        _missing(f"The {kind} detector needs weights; {where}")
    module, name = _WITH_WEIGHTS[kind]
    try:
        detector = _class(module, name).from_pretrained(str(weights), local_files_only=True)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        _missing(f"The {kind} detector's weights in {weights} cannot be loaded: {error}")
    side = min(image.shape[:2])
    return detector(image, detect_resolution=side, image_resolution=side, output_type="np")


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
