"""The envelope: magic frame, msgpack header, raw buffers.

Frame 0 is `limits.MAGIC`. Frame 1 is a msgpack map with `t` (type), `id`, `re` (the id answered),
`b` (body) and `f` (one descriptor for each further frame). Frames 2… are the buffers, raw and
never copied here. Whatever bytes arrive, `decode` returns an Envelope or raises ProtocolError.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgpack
import numpy as np
import numpy.typing as npt

from ..buffers import MAX_PIXELS, MAX_SIDE, BufferRef
from ..errors import ErrorCode, ProtocolError
from . import limits
from .codec import dump, load

Bytes = bytes | bytearray | memoryview
Dtype = Literal["uint8", "uint16", "int32", "float32"]
_ITEMSIZE: Mapping[str, int] = {"uint8": 1, "uint16": 2, "int32": 4, "float32": 4}
# msgpack's own errors derive from these; recursion comes from a pure-Python unpacker.
_NO_MSGPACK = (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException)
FILE = "file"
"""The kind of a buffer that is a piece of a file and not an array."""


@dataclass(frozen=True, slots=True)
class BufferInfo:
    """What a raw frame holds: little-endian, C order. `kind` is a `Kind` or `FILE`."""

    kind: str
    dtype: str
    shape: tuple[int, ...]
    sha256: Annotated[str, limits.SHA256] | None = None

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * _ITEMSIZE[self.dtype]


@dataclass(frozen=True, slots=True)
class Buffer:
    """A raw frame and what it holds; `data` is a view into the received frame."""

    info: BufferInfo
    data: Bytes

    def array(self) -> npt.NDArray[Any]:
        """The frame as an array, read-only, not copied."""
        flat = np.frombuffer(self.data, dtype=np.dtype(self.info.dtype).newbyteorder("<"))
        shaped: npt.NDArray[Any] = flat.reshape(self.info.shape)
        return shaped


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message. `body` is plain data; `messages.parse` gives it its type."""

    type: Annotated[str, limits.ID]
    id: Annotated[str, limits.ID]
    re: Annotated[str, limits.ID] | None = None
    body: dict[str, Any] = field(default_factory=dict)
    buffers: tuple[Buffer, ...] = ()


@dataclass(frozen=True, slots=True)
class _Header:
    t: Annotated[str, limits.ID]
    id: Annotated[str, limits.ID]
    re: Annotated[str, limits.ID] | None = None
    b: dict[str, Any] = field(default_factory=dict)
    f: tuple[BufferInfo, ...] = ()


def new_id() -> str:
    """A fresh message, session or job id."""
    return uuid.uuid4().hex


def array_buffer(ref: BufferRef, array: npt.NDArray[Any]) -> Buffer:
    """The wire form of an array of a `Buffers`; not copied."""
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    return Buffer(BufferInfo(ref.kind.value, ref.dtype, ref.shape, ref.sha256), data)


def file_buffer(data: Bytes) -> Buffer:
    """The wire form of a piece of a file."""
    return Buffer(BufferInfo(FILE, "uint8", (len(data),)), data)


def encode(envelope: Envelope) -> list[Bytes]:
    """The frames of a message, buffers uncopied. Raises ProtocolError when it is too large."""
    header = _Header(
        t=envelope.type,
        id=envelope.id,
        re=envelope.re,
        b=envelope.body,
        f=tuple(buffer.info for buffer in envelope.buffers),
    )
    try:
        packed: bytes = msgpack.packb(dump(header), use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"{envelope.type}: header cannot be packed: {error}") from error
    frames: list[Bytes] = [limits.MAGIC, packed, *(buffer.data for buffer in envelope.buffers)]
    _check_frames(frames)
    return frames


def decode(frames: Sequence[Bytes]) -> Envelope:
    """The message in these frames. Raises ProtocolError, and nothing else, on any other bytes.

    Buffers are checked against their descriptors (count, dtype, shape, size) and not copied.
    """
    _check_frames(frames)
    header = load(_Header, _unpack(bytes(frames[1])), "header")
    if len(header.f) != len(frames) - 2:
        raise ProtocolError(f"{len(header.f)} buffers described, {len(frames) - 2} sent")
    buffers = tuple(
        Buffer(_checked(info, _nbytes(data)), data)
        for info, data in zip(header.f, frames[2:], strict=True)
    )
    return Envelope(header.t, header.id, header.re, header.b, buffers)


def id_of(frames: Sequence[Bytes]) -> str | None:
    """The `id` of a message that `decode` refuses, where one can be read: the error answers it."""
    try:
        _check_frames(frames)
        header = msgpack.unpackb(bytes(frames[1]), raw=False, strict_map_key=False)
    except (ProtocolError, *_NO_MSGPACK):
        return None
    found = header.get("id") if isinstance(header, dict) else None
    return found if isinstance(found, str) and limits.ID.fullmatch(found) else None


def _nbytes(frame: Bytes) -> int:
    return frame.nbytes if isinstance(frame, memoryview) else len(frame)


def _check_frames(frames: Sequence[Bytes]) -> None:
    if not 2 <= len(frames) <= limits.MAX_FRAMES:
        raise ProtocolError(f"{len(frames)} frames; expected 2 to {limits.MAX_FRAMES}")
    if _nbytes(frames[0]) != len(limits.MAGIC) or bytes(frames[0]) != limits.MAGIC:
        raise ProtocolError(
            f"first frame is {bytes(frames[0][:8])!r}, expected {limits.MAGIC!r}",
            code=ErrorCode.PROTOCOL_VERSION,
        )
    if _nbytes(frames[1]) > limits.MAX_HEADER:
        _too_large(f"header has {_nbytes(frames[1])} bytes; the limit is {limits.MAX_HEADER}")
    largest = max(_nbytes(frame) for frame in frames)
    if largest > limits.MAX_DATA_FRAME:
        _too_large(f"buffer has {largest} bytes; the limit is {limits.MAX_DATA_FRAME}")
    total = sum(_nbytes(frame) for frame in frames)
    if total > limits.MAX_MESSAGE:
        _too_large(f"message has {total} bytes; the limit is {limits.MAX_MESSAGE}")


def _unpack(packed: bytes) -> Any:
    try:
        tree = msgpack.unpackb(
            packed,
            raw=False,
            strict_map_key=True,
            object_pairs_hook=_pairs,
            ext_hook=_refuse_ext,
            max_str_len=limits.MAX_STRING,
            max_bin_len=0,
            max_ext_len=0,
            max_array_len=limits.MAX_ARRAY,
            max_map_len=limits.MAX_MAP,
        )
    except ProtocolError:
        raise
    except _NO_MSGPACK as error:
        raise ProtocolError(f"header is not msgpack: {type(error).__name__}: {error}") from error
    _check_tree(tree, limits.MAX_DEPTH)
    return tree


def _pairs(pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in pairs:
        if not isinstance(key, str):
            raise ProtocolError("a map key is not text")
        if key in out:
            raise ProtocolError(f"map key {key[:40]!r} appears twice")
        out[key] = value
    return out


def _refuse_ext(code: int, _data: bytes) -> Any:
    raise ProtocolError(f"msgpack extension {code} is not allowed")


def _check_tree(node: Any, depth: int) -> None:
    if depth == 0:
        raise ProtocolError(f"header is nested deeper than {limits.MAX_DEPTH}")
    if isinstance(node, dict):
        for value in node.values():
            _check_tree(value, depth - 1)
    elif isinstance(node, list):
        for value in node:
            _check_tree(value, depth - 1)
    elif isinstance(node, float):
        if not math.isfinite(node):
            raise ProtocolError(f"header holds {node}; numbers must be finite")
    elif not (node is None or isinstance(node, (str, int))):
        raise ProtocolError(f"header holds a {type(node).__name__}")


def _checked(info: BufferInfo, nbytes: int) -> BufferInfo:
    if info.dtype not in _ITEMSIZE:
        raise ProtocolError(f"buffer dtype {info.dtype[:20]!r}; known are {', '.join(_ITEMSIZE)}")
    if not 1 <= len(info.shape) <= limits.MAX_DIMENSIONS or min(info.shape) < 0:
        raise ProtocolError(f"buffer shape {info.shape[:8]} is not a shape")
    if len(info.shape) >= 3 or info.kind in ("depth", "object_id", "mask"):
        _check_image(info.shape[0], info.shape[1] if len(info.shape) > 1 else 1)
    if info.nbytes != nbytes:
        raise ProtocolError(
            f"buffer {info.kind[:20]} of {info.dtype} {info.shape} needs {info.nbytes} bytes, "
            f"its frame has {nbytes}"
        )
    return info


def _check_image(height: int, width: int) -> None:
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        _too_large(f"image of {width}×{height} pixels; the limit is {MAX_SIDE} a side")


def _too_large(message: str) -> None:
    raise ProtocolError(message, code=ErrorCode.TOO_LARGE)
