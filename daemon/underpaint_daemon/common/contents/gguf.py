"""GGUF files' headers, as llama.cpp and ComfyUI write them. No torch, no package.

Source: the format's own document (ggml, docs/gguf.md, versions 2 and 3), and for weights that were
flattened to be quantised ComfyUI-GGUF's `comfy.gguf.orig_shape.NAME`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from underpaint.errors import ErrorCode, RequestError

MAGIC = b"GGUF"
# By ggml's number: name, weights in a block, bytes of a block. F32, F16 and BF16 have no blocks.
_TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4),
    27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
}  # fmt: skip
BLOCKS: Mapping[str, tuple[int, int]] = {
    name: (weights, size) for name, weights, size in _TYPES.values() if weights > 1
}
"""Of packed types: weights in a block, and its bytes."""
UNREAD = frozenset({
    "Q8_1", "Q8_K", "IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S",
})  # fmt: skip
"""Those that diffusers does not unpack."""
_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9
_MATRIX = 2  # sides
_VERSIONS = (2, 3)
_MOST_TENSORS, _MOST_SIDES, _LONGEST = 200_000, 8, 1 << 24
_SHAPE = "comfy.gguf.orig_shape."
_AGAIN = "Fetch the file again."
_DAMAGED = (OSError, ValueError, struct.error, OverflowError, MemoryError, RecursionError)


def is_gguf(file: Path) -> bool:
    """Whether a file begins as GGUF files do. Raises OSError."""
    with file.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def stays_packed(entry: Mapping[str, Any]) -> bool:
    """Whether a packed weight can be kept as it lies: of GGUF's, a matrix whose rows are whole
    blocks. `entry`: of a header."""
    weights, _ = BLOCKS.get(entry["dtype"], (1, 1))
    shape = entry["shape"]
    return weights == 1 or (len(shape) == _MATRIX and shape[-1] % weights == 0)


def gguf_header(file: Path) -> dict[str, Any]:
    """A GGUF file's tensors as `single_files.header` has them: name → {dtype, shape, data_offsets}.

    `dtype`: as ggml calls it. `shape`: in torch's order, of weights, not of bytes. `data_offsets`:
    from the file's beginning. Raises RequestError(MODEL_BROKEN) for what is no whole GGUF file.
    """
    try:
        with file.open("rb") as stream:
            tensors = _read(stream)
    except _DAMAGED as error:
        problem = f"{file} is a damaged GGUF file: {error}"
        raise RequestError(ErrorCode.MODEL_BROKEN, problem, hint=_AGAIN) from error
    end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
    size = file.stat().st_size
    if size < end:
        problem = f"{file} is {size} bytes; its header says {end}"
        raise RequestError(ErrorCode.MODEL_BROKEN, problem, hint=_AGAIN)
    return tensors


def gguf_facts(file: Path) -> dict[str, Any]:
    """What a GGUF file says of itself beside its tensors: its tokens and their merges, for one.

    Raises RequestError(MODEL_BROKEN) for what is no GGUF file.
    """
    try:
        with file.open("rb") as stream:
            return _facts(stream)[0]
    except _DAMAGED as error:
        problem = f"{file} is a damaged GGUF file: {error}"
        raise RequestError(ErrorCode.MODEL_BROKEN, problem, hint=_AGAIN) from error


def _facts(stream: BinaryIO) -> tuple[dict[str, Any], int]:
    """They, and how many tensors follow."""
    magic, version, tensor_count, fact_count = struct.unpack("<4sIQQ", stream.read(24))
    if magic != MAGIC or version not in _VERSIONS:
        raise ValueError(f"its version is {version}; {' and '.join(map(str, _VERSIONS))} are read")
    if tensor_count > _MOST_TENSORS or fact_count > _MOST_TENSORS:
        raise ValueError(f"it claims {tensor_count} tensors and {fact_count} facts")
    return dict(_fact(stream) for _ in range(fact_count)), tensor_count


def _read(stream: BinaryIO) -> dict[str, Any]:
    facts, tensor_count = _facts(stream)
    rows = [_tensor(stream) for _ in range(tensor_count)]
    step = int(facts.get("general.alignment") or 32)
    start = -(-stream.tell() // step) * step
    return {name: _entry(name, shape, kind, start + at, facts) for name, shape, kind, at in rows}


def _tensor(stream: BinaryIO) -> tuple[str, tuple[int, ...], int, int]:
    """Name, shape with the longest stride first (as torch has it), type, offset."""
    name = _text(stream)
    sides = _number(stream, "I")
    if sides > _MOST_SIDES:
        raise ValueError(f"{name} has {sides} dimensions")
    shape = struct.unpack(f"<{sides}Q", stream.read(8 * sides))[::-1]
    kind, at = struct.unpack("<IQ", stream.read(12))
    return name, shape, kind, at


def _entry(
    name: str, shape: tuple[int, ...], kind: int, start: int, facts: Mapping[str, Any]
) -> dict[str, Any]:
    if kind not in _TYPES:
        raise ValueError(f"{name} is of a type that is not known here ({kind})")
    dtype, weights, size = _TYPES[kind]
    count = math.prod(shape)
    if count % weights or (weights > 1 and shape[-1] % weights):
        raise ValueError(f"{name} of shape {list(shape)} is not made of blocks of {weights}")
    true = facts.get(_SHAPE + name)
    if true and math.prod(true) == count:
        shape = tuple(true)
    end = start + count // weights * size
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


def _fact(stream: BinaryIO) -> tuple[str, Any]:
    key = _text(stream)
    return key, _value(stream, _number(stream, "I"))


def _value(stream: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _text(stream)
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", stream.read(12))
        if count > _LONGEST:
            raise ValueError(f"it has a list of {count}")
        return [_value(stream, inner) for _ in range(count)]
    if kind not in _NUMBERS:
        raise ValueError(f"it has a fact of an unknown type ({kind})")
    return _number(stream, _NUMBERS[kind])


def _number(stream: BinaryIO, form: str) -> Any:
    return struct.unpack(f"<{form}", stream.read(struct.calcsize(f"<{form}")))[0]


def _text(stream: BinaryIO) -> str:
    length = _number(stream, "Q")
    if length > _LONGEST:
        raise ValueError(f"it has a text of {length} bytes")
    data = stream.read(length)
    if len(data) < length:
        raise ValueError("it is cut short")
    return data.decode("utf-8", errors="replace")
