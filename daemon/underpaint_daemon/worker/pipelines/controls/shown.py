"""What the networks of a request would be shown, as pictures, without any network in memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from underpaint.paths import Paths
from underpaint.requests import Control, ImageRequest, TileAxes
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.control_files import find_control
from underpaint_daemon.common.conventions import convention_of
from underpaint_daemon.common.defaults.settle import image_size
from underpaint_daemon.common.job_contract import Artifact
from underpaint_daemon.common.models import control_folder, family_of, model_folder
from underpaint_daemon.common.refusals import kinds_without_network

from ..canvas import whole
from .guided import with_pattern
from .images import Sources, control_image


def control_artifacts(
    request: ImageRequest,
    arrays: Mapping[str, npt.NDArray[Any]],
    paths: Paths,
    warn: Callable[[str], None],
) -> list[Artifact]:
    """`control_{i}_{kind}.png` for each control of a request that went through `settle`, made by
    what makes them for a painting. `warn` hears what was done to them.

    Raises RequestError: CONTROL_MISSING, DETECTOR_MISSING, MODEL_MISSING, or BAD_REQUEST.
    """
    request = with_pattern(request, arrays)
    family = family_of(paths, request.model)
    canvas = whole(image_size(request), ABILITIES[family].cell)
    flat = request.view is None and request.tile is not TileAxes.OFF
    sources = Sources(
        request.view, arrays, canvas, request.init, pattern=request.pattern, flat=flat
    )
    artifacts = []
    for i, control in enumerate(request.controls or ()):
        network = _network(paths, request.model, family, control)
        image = control_image(
            control, convention_of(control.kind, control.convention, network), sources
        )
        if image.warning:
            warn(image.warning)
        pixels = canvas.back(image.pixels.clip(0, 255).astype(np.uint8))
        size = {"width": pixels.shape[1], "height": pixels.shape[0], "kind": control.kind.value}
        name = f"control_{i}_{control.kind}.png"
        artifacts.append(Artifact(name, "image/png", _png(pixels), size))
    return artifacts


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Without the mark of what a model has painted: none has."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG")
    return stream.getvalue()


def _network(paths: Paths, model: str, family: str, control: Control) -> Path | None:
    """Where a control's network lies; None where it needs none."""
    if control.model is not None:
        return find_control(paths.models, control.model)
    if control.kind in kinds_without_network(family):
        return None
    place = model_folder(paths, model)
    folder = place.with_suffix("") if place.is_file() else place
    return control_folder(folder, control.kind)
