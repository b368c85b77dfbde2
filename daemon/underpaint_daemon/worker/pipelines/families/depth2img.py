"""Stable Diffusion 2's depth2img: depth goes into the UNet's own channels, so it needs no
ControlNet. It always begins from a picture; words alone begin from plain grey at full strength."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from .base import Task
from .sd15 import SD15

_DEPTH_MAP = "depth_map"


def _channel(arguments: dict[str, Any]) -> dict[str, Any]:
    """The control image (1, 3, h, w), nearer is lighter, as the pipeline takes depth: (1, h, w)."""
    depth: Tensor = arguments[_DEPTH_MAP].mean(1)
    if float(depth.amax() - depth.amin()) == 0:
        # The pipeline divides by the range: of a plane that faces the camera there is none.
        depth[..., 0, 0] += 1
    return {**arguments, _DEPTH_MAP: depth}


SD2_DEPTH = replace(
    SD15,
    name="sd2_depth",
    pipelines={
        (Task.TEXT, True): "StableDiffusionDepth2ImgPipeline",
        (Task.IMAGE, True): "StableDiffusionDepth2ImgPipeline",
    },
    control_argument={Task.TEXT: _DEPTH_MAP, Task.IMAGE: _DEPTH_MAP},
    fixed={"depth_estimator": None, "feature_extractor": None},
    control_channels=True,
    controlled=_channel,
    needs_picture=True,
)
