"""Read safetensors and GGUF weights one tensor at a time, in the precision they are used in.

Mapped files count as memory in use, and a converted copy costs the disk the size of the model
again: so each tensor is read and cast by itself, and the peak is the network and one tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor

from underpaint_daemon.common.contents.forms import FORMS, MICRO, PACKED
from underpaint_daemon.common.contents.gguf import BLOCKS, stays_packed
from underpaint_daemon.common.contents.headers import data_start, header
from underpaint_daemon.common.contents.unread import unread_in
from underpaint_daemon.common.model_files import broken

from .packing.comfy import in_blocks, scale_bytes
from .packing.packed import OWN, Packed, unpack

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E8M0": torch.uint8,  # powers of two, which are scales alone
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
# A factor for a layer's weight, or each of its rows, as ComfyUI, transformers and Mistral call it;
# of what has scales by blocks in ComfyUI, what all of them are multiplied by.
_SCALES = (".scale_weight", ".weight_scale", ".weight_scale_inv", ".qscale_weight")
_OF_BLOCKS, _OF_ALL = ".weight_scale", ".weight_scale_2"
_NOT_WEIGHTS = (
    *_SCALES, _OF_ALL, ".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8",
    ".qscale_act", ".activation_scale",
)  # fmt: skip


class WeightFile:
    """A safetensors or GGUF file's tensors, read when asked for.

    Raises RequestError(MODEL_BROKEN) for files that are cut short or of an unknown precision.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._entries: dict[str, Any] = header(file)
        self._start = data_start(file)
        if (told := unread_in(self._entries)) is not None:
            broken(file, told.problem, told.hint)

    @property
    def names(self) -> Iterable[str]:
        """Of everything that is a weight."""
        return [name for name in self._entries if not name.endswith(_NOT_WEIGHTS)]

    @property
    def scaled(self) -> bool:
        """Whether weights are to be multiplied by scales that stand beside them."""
        return any(name.endswith(_SCALES) for name in self._entries)

    def kind(self, name: str) -> str:
        """A tensor's type, as the file calls it."""
        return str(self._entries[name]["dtype"])

    def blocks(self, name: str) -> Tensor:
        """A packed weight's blocks: uint8, (rows, bytes of a row)."""
        *rows, columns = self._entries[name]["shape"]
        if self.kind(name) in MICRO:
            return self._micro(name, rows[0], columns // MICRO[self.kind(name)][0])
        weights, size = BLOCKS.get(self.kind(name), (1, 1))
        return self._bytes(name).reshape(*rows, columns // weights * size)

    def packed(self, name: str, *, convolutions: bool = False) -> Packed | None:
        """A matrix as it lies in the file, where it is packed; None of all others."""
        sides = (2, 4) if convolutions and self.kind(name) in OWN else (2,)
        if self.kind(name) not in PACKED or len(self._entries[name]["shape"]) not in sides:
            return None
        if not stays_packed(self._entries[name]):
            return None
        return Packed(self.blocks(name), self.kind(name), self._scale(name))

    def tensor(self, name: str, dtype: torch.dtype | None = None) -> Tensor:
        """One tensor; floating ones as `dtype`, scaled ones times their scale."""
        if self.kind(name) in BLOCKS and not stays_packed(self._entries[name]):
            # Flattened to be packed: its blocks run on from row to row.
            _, size = BLOCKS[self.kind(name)]
            blocks = self._bytes(name).reshape(-1, size)
            plain = unpack(blocks, self.kind(name), dtype or torch.float32)
            return plain.reshape(self._entries[name]["shape"])
        if self.kind(name) in BLOCKS or self.kind(name) in FORMS:
            data, scale = self.blocks(name), self._scale(name)
            return unpack(data, self.kind(name), dtype or torch.float32, scale)
        found = self._raw(name)
        scale = self._scale(name)
        if scale is not None:
            found = found.to(torch.float32) * scale
        return found if dtype is None or not found.is_floating_point() else found.to(dtype)

    def state(
        self,
        dtype: torch.dtype,
        prefixes: Mapping[str, str] | None = None,
        *,
        keep: bool = False,
    ) -> dict[str, Any]:
        """Tensors by name; with `prefixes` only names that start with one, which it replaces.
        `keep`: those of layers that lie packed as they lie (Packed)."""
        found: dict[str, Any] = {}
        for name in self.names:
            for old, new in (prefixes or {"": ""}).items():
                if name.startswith(old):
                    kept = self.packed(name, convolutions=True) if keep else None
                    found[new + name.removeprefix(old)] = kept or self.tensor(name, dtype)
                    break
        return found

    def named(self, names: Mapping[str, str], dtype: torch.dtype) -> dict[str, Any]:
        """Weights by other names than theirs (the values); packed ones as they lie (Packed)."""
        known = set(self.names)
        return {
            new: self.packed(name) or self.tensor(name, dtype)
            for new, name in names.items()
            if name in known
        }

    def _scale(self, name: str) -> Tensor | None:
        if not name.endswith(".weight"):
            return None
        layer, kind = name.removesuffix(".weight"), self.kind(name)
        for ending in (_OF_ALL,) if kind in MICRO else _SCALES:
            if layer + ending in self._entries:
                scale = self._raw(layer + ending).to(torch.float32)
                rows = self._entries[name]["shape"][0]
                if scale.numel() != 1 and (scale.numel(), scale.shape[0]) != (rows, rows):
                    broken(self._file, "has scales by blocks; give fp8, fp16 or bf16 weights")
                return scale.reshape(-1, *(1,) * (len(self._entries[name]["shape"]) - 1))
        if kind in FORMS and kind != "MXFP8":
            self._lacks(layer + (_OF_ALL if kind in MICRO else _OF_BLOCKS))
        return None

    def _micro(self, name: str, rows: int, blocks: int) -> Tensor:
        """With the scale of each block, which lies in a tensor of its own."""
        told = name.removesuffix(".weight") + _OF_BLOCKS
        if told not in self._entries:
            self._lacks(told)
        scales, wanted = self._bytes(told), scale_bytes(rows, blocks)
        if len(scales) != wanted:
            broken(self._file, f"has {told} of {len(scales)} bytes, where {wanted} are needed")
        return in_blocks(self._bytes(name), scales, rows, blocks)

    def _lacks(self, name: str) -> NoReturn:
        broken(self._file, f"lacks 1 weights, {name} among them")

    def _raw(self, name: str) -> Tensor:
        entry = self._entries[name]
        return self._bytes(name).view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])

    def _bytes(self, name: str) -> Tensor:
        """Into memory of torch's own, which lies as its kernels like it: sums in other memory can
        differ in their last bit."""
        begin, end = self._entries[name]["data_offsets"]
        data = torch.empty(end - begin, dtype=torch.uint8)
        with self._file.open("rb") as stream:
            stream.seek(self._start + begin)
            if stream.readinto(data.numpy().data) != end - begin:
                broken(self._file, "was cut short while it was read")
        return data
