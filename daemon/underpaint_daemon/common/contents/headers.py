"""The headers of safetensors and GGUF files: what tensors are in them, and where. No torch."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from underpaint.errors import ErrorCode, RequestError

from .disguises import disguise_of
from .forms import with_forms
from .gguf import MAGIC, gguf_header, is_gguf

Marks = tuple[str, int, int]
_REMEMBERED = 4
_HEADER_LIMIT = 100_000_000
_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 1),
}


def marks_of_file(file: Path) -> Marks:
    """Changes when a file does: its path, size and time. Raises OSError."""
    told = file.stat()
    return str(file), told.st_size, told.st_mtime_ns


def header(file: Path) -> dict[str, Any]:
    """A safetensors or GGUF file's tensors: name → {dtype, shape, data_offsets}, which count from
    `data_start`. Of what is packed, the shape is that of the weights (see `forms`). The last few
    are remembered while their files are unchanged: they are not to be written into.

    Raises RequestError(MODEL_BROKEN) unless the file's length is what its header says, and each
    tensor's bytes are as many as its shape and type need.
    """
    try:
        marks = marks_of_file(file)
    except OSError as error:
        _refuse_disguised(file, error)
    return _read(marks)


@functools.lru_cache(_REMEMBERED)
def _read(marks: Marks) -> dict[str, Any]:
    file = Path(marks[0])
    try:
        if is_gguf(file):
            return gguf_header(file)
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            entries = json.loads(stream.read(min(length, _HEADER_LIMIT)))
        named = ((key, entry) for key, entry in entries.items() if key != "__metadata__")
        end = max((_end(name, entry) for name, entry in named), default=0)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        _refuse_disguised(file, error)
    size = file.stat().st_size
    if size != 8 + length + end:
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{file} is {size} bytes; its header says {8 + length + end}"
        )
    return with_forms(file, entries, 8 + length)


def data_start(file: Path) -> int:
    """Where the bytes begin that `header` counts from."""
    with file.open("rb") as stream:
        length = stream.read(8)
    return 0 if length.startswith(MAGIC) else 8 + int.from_bytes(length, "little")


def _refuse_disguised(file: Path, error: Exception) -> NoReturn:
    """Say what a file is that is no safetensors file."""
    try:
        told = disguise_of(file)
    except OSError:
        told = None
    if told is not None:
        raise RequestError(
            ErrorCode.MODEL_BROKEN, f"{file} {told.problem}", hint=told.hint
        ) from error
    problem = f"{file} is not a safetensors file: {error}"
    raise RequestError(ErrorCode.MODEL_BROKEN, problem) from error


def _end(name: str, entry: Mapping[str, Any]) -> int:
    """Where a tensor's bytes end. Raises ValueError, LookupError, TypeError for what is none."""
    begin, end = entry["data_offsets"]
    shape, wide = entry["shape"], _BYTES.get(entry["dtype"])
    for number in (begin, end, *shape):
        if not isinstance(number, int) or number < 0:
            raise ValueError(f"{name} has the shape {shape}, at {begin} to {end}")
    if wide is not None and end - begin != wide * math.prod(shape):
        raise ValueError(f"{name} of shape {shape} is not {end - begin} bytes long")
    return int(end)
