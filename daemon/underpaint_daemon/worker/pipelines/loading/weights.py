"""Read safetensors weights one tensor at a time, in the precision they are used in.

Mapped files count as memory in use, and a converted copy costs the disk the size of the model
again: so each tensor is read and cast by itself, and the peak is the network and one tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from underpaint_daemon.common.model_files import broken
from underpaint_daemon.common.single_files import header

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
# Scaled fp8 as ComfyUI writes it: a factor for a layer's weight, under either name.
_SCALES = (".scale_weight", ".weight_scale")
_NOT_WEIGHTS = (*_SCALES, ".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8")


class WeightFile:
    """A safetensors file's tensors, read when asked for.

    Raises RequestError(MODEL_BROKEN) for files that are cut short or of an unknown precision.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: dict[str, Any] = header(file)
        self._start = 8 + _header_length(file)
        for name, entry in self._entries.items():
            if entry["dtype"] not in _DTYPES:
                broken(file, f"holds {name} as {entry['dtype']}, which is not known here")
            if name.endswith(".weight") and entry["dtype"] in ("I8", "U8"):
                broken(file, f"is quantised to {entry['dtype']}; give fp8, fp16 or bf16 weights")

    @property
    def names(self) -> Iterable[str]:
        """Of everything that is a weight."""
        return [name for name in self._entries if not name.endswith(_NOT_WEIGHTS)]

    @property
    def scaled(self) -> bool:
        """Whether weights are to be multiplied by scales that stand beside them."""
        return any(name.endswith(_SCALES) for name in self._entries)

    def tensor(self, name: str, dtype: torch.dtype | None = None) -> Tensor:
        """One tensor; floating ones as `dtype`, scaled ones times their scale."""
        found = self._raw(name)
        scale = self._scale(name)
        if scale is not None:
            found = found.to(torch.float32) * scale
        return found if dtype is None or not found.is_floating_point() else found.to(dtype)

    def state(self, dtype: torch.dtype, prefixes: Mapping[str, str] | None = None) -> Any:
        """Tensors by name; with `prefixes` only names that start with one, which it replaces."""
        found: dict[str, Tensor] = {}
        for name in self.names:
            for old, new in (prefixes or {"": ""}).items():
                if name.startswith(old):
                    found[new + name.removeprefix(old)] = self.tensor(name, dtype)
                    break
        return found

    def _scale(self, name: str) -> Tensor | None:
        if not name.endswith(".weight"):
            return None
        layer = name.removesuffix(".weight")
        for ending in _SCALES:
            if layer + ending in self._entries:
                scale = self._raw(layer + ending).to(torch.float32)
                return scale.reshape(-1, *(1,) * (len(self._entries[name]["shape"]) - 1))
        return None

    def _raw(self, name: str) -> Tensor:
        entry = self._entries[name]
        begin, end = entry["data_offsets"]
        with self._file.open("rb") as stream:
            stream.seek(self._start + begin)
            data = np.fromfile(stream, np.uint8, end - begin)
        return torch.from_numpy(data).view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])


def _header_length(file: Path) -> int:
    with file.open("rb") as stream:
        return int.from_bytes(stream.read(8), "little")
