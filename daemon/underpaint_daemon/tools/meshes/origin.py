"""Places far from the origin, as surveys and large scenes have them: single precision holds half a
metre at 5 000 km, and a house is narrowed to steps. They are kept from an origin of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_FAR = 1000.0
_AWAY = 4.0  # times as far from the origin as it is large


def narrowed(places: Array) -> Array:
    """Places (N, 3) in single precision, or, where some are far out, in double until all are
    known (see `near_origin`). What is too large becomes infinite, and is refused as such."""
    if (np.abs(places) > _FAR).any():
        return np.asarray(places, np.float64)
    return np.ascontiguousarray(places, np.float32)


def near_origin(places: Array) -> tuple[Array, tuple[float, float, float]]:
    """Places (N, 3) float32 from an origin of whole metres, and the origin: 0 along each axis that
    does not gain. Of places that were in single precision no bit is lost."""
    origin = np.zeros(3)
    there = places[np.isfinite(places).all(axis=1)] if places.dtype == np.float64 else places[:0]
    if len(there):
        low, high = there.min(axis=0), there.max(axis=0)
        nearest = np.where(low > 0, low, np.where(high < 0, -high, 0))
        far = (nearest > _FAR) & (nearest > _AWAY * (high - low))
        origin = np.where(far, np.round((low + high) / 2), 0)
    x, y, z = origin.tolist()
    with np.errstate(over="ignore"):
        moved = places - origin if origin.any() else places
        return np.ascontiguousarray(moved, np.float32), (x, y, z)


def whole(places: Array, origin: tuple[float, float, float]) -> Array:
    """Places (N, 3) from where the file counts: in double precision where that is far."""
    return places.astype(np.float64) + origin if any(origin) else places
