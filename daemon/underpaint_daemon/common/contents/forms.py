"""The forms in which weights lie packed, and those that ComfyUI's quantised files say theirs have:
in a tensor `LAYER.comfy_quant` beside each, or in one entry of the header for all. No torch.

Sources: ComfyUI, QUANTIZATION.md ("Checkpoint Format"), comfy/utils.py (`convert_old_quants`),
comfy/quant_ops.py (`QUANT_ALGOS`); comfy_kitchen, tensor/nvfp4.py, mxfp8.py and int8.py.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .gguf import BLOCKS

Told = Mapping[str, Any]
EIGHT_BITS = ("F8_E4M3", "F8_E5M2")
"""safetensors' types of eight bits; a scale may stand beside such a weight."""
MICRO: Mapping[str, tuple[int, int]] = {"NVFP4": (16, 9), "MXFP8": (32, 33)}
"""Numbers in blocks, each with a scale of its own: weights in a block, and its bytes."""
TURNED: Mapping[str, int] = {f"INT8_TURNED_{4**i}": 4**i for i in range(1, 7)}
"""Whole numbers whose columns were turned in groups of so many ("convrot")."""
FORMS = frozenset({*MICRO, *TURNED, "INT8"})
"""ComfyUI's that are read here, beside its fp8."""
PACKED = frozenset({*BLOCKS, *EIGHT_BITS, *FORMS})
"""Types that are kept in memory as they are on disk, where that is possible."""
_MARK, _METADATA = ".comfy_quant", "_quantization_metadata"
_FP8 = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"}
_WHOLE = ("int8_tensorwise", "int8_rowwise")
_IN_BYTES = (*EIGHT_BITS, "U8", "I8")
_PREFIXES = ("", "model.diffusion_model.", "diffusion_model.")  # some programs leave theirs out
_LONGEST = 10_000  # of what a mark says
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def with_forms(file: Path, entries: Mapping[str, Any], start: int) -> dict[str, Any]:
    """A safetensors file's tensors, its `entries` without metadata. What ComfyUI says that it
    quantised has its form as `dtype` (of FORMS; what is not read here under ComfyUI's name) and the
    weights' own `shape`. `start`: where the bytes begin.

    What cannot be understood is passed over: whole numbers of no known form are refused elsewhere.
    """
    tensors = {key: entry for key, entry in entries.items() if key != "__metadata__"}
    for layer, told in _told(file, entries, start):
        names = (f"{prefix}{layer}.weight" for prefix in _PREFIXES)
        name = next((name for name in names if name in tensors), None)
        if name is not None and tensors[name]["dtype"] in _IN_BYTES:
            smoothed = f"{name.removesuffix('.weight')}.pre_quant_scale" in tensors
            tensors[name] = _formed(tensors[name], told, smoothed=smoothed)
    return tensors


def _told(file: Path, entries: Mapping[str, Any], start: int) -> Iterator[tuple[str, Told]]:
    """What is said of layers, by their names."""
    with contextlib.suppress(*_DAMAGED):
        layers = json.loads(entries["__metadata__"][_METADATA])["layers"]
        yield from ((str(name), _as_words(told)) for name, told in layers.items())
    marks = [name for name in entries if name.endswith(_MARK)]
    if not marks:
        return
    with file.open("rb") as stream:
        for name in marks:
            begin, end = entries[name]["data_offsets"]
            stream.seek(start + begin)
            with contextlib.suppress(*_DAMAGED):
                said = json.loads(stream.read(min(end - begin, _LONGEST)))
                yield name.removesuffix(_MARK), _as_words(said)


def _as_words(told: Any) -> Told:
    """Some programs say the format alone."""
    said: dict[str, Any] = {"format": told} if isinstance(told, str) else told
    return {**said.get("params", {}), **said}


def _formed(entry: Mapping[str, Any], told: Told, *, smoothed: bool) -> dict[str, Any]:
    """A weight's entry by what is said of it. `smoothed`: its inputs have scales of their own."""
    form, shape = str(told.get("format")), list(entry["shape"])
    if smoothed:
        return {**entry, "dtype": f"{form} with pre_quant_scale"}
    if form in _FP8:
        return {**entry, "dtype": _FP8[form]}
    if form in _WHOLE and entry["dtype"] == "I8":
        return {**entry, "dtype": _whole(form, told, shape)}
    if form == "nvfp4" and entry["dtype"] == "U8" and _parts(shape, MICRO["NVFP4"][0] // 2):
        return {**entry, "dtype": "NVFP4", "shape": [shape[0], 2 * shape[1]]}
    if form == "mxfp8" and _parts(shape, MICRO["MXFP8"][0]):
        return {**entry, "dtype": "MXFP8"}
    return {**entry, "dtype": form}


def _whole(form: str, told: Told, shape: list[int]) -> str:
    """Of whole numbers, what they are: turned ones need a group that the columns have room for."""
    if not told.get("convrot"):
        return "INT8"
    turned = f"INT8_TURNED_{told.get('convrot_groupsize', 256)}"
    return turned if turned in TURNED and _parts(shape, TURNED[turned]) else form


def _parts(shape: list[int], width: int) -> bool:
    """Whether it is that of a matrix, whose columns can be parted by a width."""
    return len(shape) == 2 and shape[1] % width == 0
