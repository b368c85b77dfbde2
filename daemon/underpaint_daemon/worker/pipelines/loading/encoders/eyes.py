"""The part of Qwen 2.5 VL that sees, from the file that llama.cpp keeps it in (mmproj)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from underpaint_daemon.common.denoisers.kinds import EYES
from underpaint_daemon.common.denoisers.loose import Loose

from ..packing.packed import Packed
from ..weights import WeightFile

_QUERIES = ".attn.q."


def eyes_of(part: Loose, dtype: torch.dtype) -> dict[str, Any]:
    """Its weights as they were released: queries, keys and values as one layer, and one first layer
    for both moments. Packed ones stay so."""
    state = WeightFile(part.path).named(part.names, dtype)
    for name in [name for name in state if _QUERIES in name]:
        three = [state.pop(name.replace(_QUERIES, f".attn.{one}.")) for one in ("q", "k", "v")]
        state[name.replace(_QUERIES, ".attn.qkv.")] = _joined(three, dtype)
    later = state.pop(f"{EYES}.1", None)
    if later is not None:
        state[EYES] = torch.stack([state[EYES], later], dim=2)
    return state


def _joined(parts: list[Tensor | Packed], dtype: torch.dtype) -> Tensor | Packed:
    packed = [one for one in parts if isinstance(one, Packed)]
    if len(packed) == len(parts) and len({one.kind for one in packed}) == 1:
        return Packed(torch.cat([one.data for one in packed]), packed[0].kind)
    return torch.cat([one.unpacked(dtype) if isinstance(one, Packed) else one for one in parts])
