"""Named arrays that travel beside a request, addressed by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ErrorCode, RequestError

MAX_SIDE = 16384
MAX_PIXELS = 67_108_864
Array = npt.NDArray[Any]
_HASHERS = 4


class Kind(StrEnum):
    """What an array means: its units and convention (see `cameras` for axes and rows)."""

    DEPTH = "depth"
    """(h, w) float32, metres along the view axis, +inf = background."""
    NORMAL = "normal"
    """(h, w, 3) uint8, camera space, OpenGL axes: round((n*0.5+0.5)*255); background 128,128,255.
    """
    COLOR = "color"
    """(h, w, 3 or 4) uint8, sRGB, straight alpha."""
    OBJECT_ID = "object_id"
    """(h, w) int32; 0 = background."""
    POSITION = "position"
    """(h, w, 3) float32, world metres; NaN on the background."""
    UV = "uv"
    """(h, w, 2) float32, the active UV map; NaN on the background."""
    MASK = "mask"
    """(h, w) uint8; 255 = paint here, 0 = keep."""
    MESH = "mesh"
    """Per triangle corner, float32 or int32; see TextureRequest."""


_SHAPES: Mapping[Kind, tuple[tuple[str, ...], int, tuple[int, ...]]] = {
    Kind.DEPTH: (("float32",), 2, ()),
    Kind.NORMAL: (("uint8",), 3, (3,)),
    Kind.COLOR: (("uint8",), 3, (3, 4)),
    Kind.OBJECT_ID: (("int32",), 2, ()),
    Kind.POSITION: (("float32",), 3, (3,)),
    Kind.UV: (("float32",), 3, (2,)),
    Kind.MASK: (("uint8",), 2, ()),
    Kind.MESH: (("float32", "int32"), 2, ()),
}


@dataclass(frozen=True, slots=True)
class BufferRef:
    """A reference to an array by the sha256 of its raw little-endian C-order bytes."""

    sha256: str
    kind: Kind
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


class Buffers(Mapping[str, Array]):
    """Arrays by sha256. `add` returns the reference that a request carries."""

    def __init__(self) -> None:
        self._arrays: dict[str, Array] = {}

    def add(self, kind: Kind, array: Array) -> BufferRef:
        """Check, store and address one array.

        Raises RequestError(BAD_BUFFER or TOO_LARGE) when it does not fit its kind.
        """
        check(kind, array)
        data = np.ascontiguousarray(array)
        ref = BufferRef(digest(data), kind, data.dtype.name, data.shape)
        self._arrays[ref.sha256] = data
        return ref

    def add_all(self, arrays: Mapping[Kind, Array]) -> dict[Kind, BufferRef]:
        """`add` for the buffers of one view; they are hashed side by side."""
        from concurrent.futures import ThreadPoolExecutor  # a tenth of this module's start

        with ThreadPoolExecutor(_HASHERS) as pool:
            refs = pool.map(self.add, arrays.keys(), arrays.values())
            return dict(zip(arrays, refs, strict=True))

    def take(self, other: Buffers) -> None:
        """Hold another's arrays as well."""
        self._arrays.update(other._arrays)

    def __getitem__(self, sha256: str) -> Array:
        return self._arrays[sha256]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def digest(array: Array) -> str:
    """sha256 (hex) of an array's raw bytes in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).view(np.uint8).data).hexdigest()


def check(kind: Kind, array: Array) -> None:
    """Raise RequestError unless the array fits its kind: dtype, shape, size and values."""
    dtypes, ndim, channels = _SHAPES[kind]
    if array.dtype.name not in dtypes:
        _refuse(f"{kind} must be {' or '.join(dtypes)}, got {array.dtype.name}")
    if array.ndim != ndim or (channels and array.shape[2] not in channels):
        _refuse(f"{kind} has shape {array.shape}; expected {_expected(ndim, channels)}")
    if array.size == 0:
        _refuse(f"{kind} is empty: shape {array.shape}")
    if kind is not Kind.MESH:
        _check_size(kind, array.shape[0], array.shape[1])
    if kind is Kind.DEPTH:
        _check_depth(array)


def _expected(ndim: int, channels: tuple[int, ...]) -> str:
    if ndim == 2:
        return "(height, width)"
    return f"(height, width, {' or '.join(map(str, channels))})"


def _check_size(kind: Kind, height: int, width: int) -> None:
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise RequestError(
            ErrorCode.TOO_LARGE,
            f"{kind} is {width}×{height}; the limit is {MAX_SIDE} a side and {MAX_PIXELS} pixels",
        )


def _check_depth(array: Array) -> None:
    lowest = array.min()  # one pass over good data; NaN if there is any
    if np.isnan(lowest):
        _refuse(f"depth has {int(np.isnan(array).sum())} NaN values; background must be +inf")
    if lowest <= 0:
        _refuse("depth has values of zero or below; it is the distance in metres from the camera")


def _refuse(message: str) -> None:
    raise RequestError(ErrorCode.BAD_BUFFER, message)
