"""The release bars of the starter model."""

from __future__ import annotations

import math
from collections.abc import Mapping

from underpaint.measures import Bar, at_least, at_most

_NAN = float("nan")
_LEAST: tuple[tuple[str, float], ...] = (
    ("material_accuracy", 0.70),  # by hours of a CPU; 0.85 after a GPU's minutes
    ("sharpness_inside_ratio", 0.6),
    ("vae_sharpness_inside_ratio", 0.7),
    ("vae_psnr_db", 28.0),
    ("colour_accuracy", 0.95),
    ("view_agreement", 0.6),
    ("word_swap_accuracy", 0.7),
)
_LEAST_OF_RENDER: tuple[tuple[str, float], ...] = (
    # of what the same judge makes of the renders themselves
    ("vae_material_accuracy", 0.90),
    ("silhouette_iou", 0.95),
    ("depth_edge_recall", 0.80),
    ("depth_order", 0.95),
)
_MOST: tuple[tuple[str, float], ...] = (
    ("sharpness_inside_ratio", 1.4),
    ("steps_default_against_20", 0.05),
    ("seconds_per_image", 6.0),
    ("weights_mb", 67.0),
    ("eval_seconds", 900.0),
)
_OF_BLUR = 0.3  # of what a blur of 1.5 px costs renders


def bars_of(measures: Mapping[str, float]) -> list[Bar]:
    """Every bar; what was not measured, as guided figures of a model without a guide, misses."""

    def found(name: str) -> float:
        return measures.get(name, _NAN)

    def ceiling(name: str) -> float:
        true = found(f"{name.removeprefix('vae_')}_render")
        return true if math.isfinite(true) else 1.0  # no scene that it applies to

    return [
        *(at_least(name, found(name), limit) for name, limit in _LEAST),
        *(at_least(name, found(name), share * ceiling(name)) for name, share in _LEAST_OF_RENDER),
        at_most("spectrum_distance", found("spectrum_distance"),
                _OF_BLUR * found("spectrum_distance_blur")),
        *(at_most(name, found(name), limit) for name, limit in _MOST),
    ]  # fmt: skip
