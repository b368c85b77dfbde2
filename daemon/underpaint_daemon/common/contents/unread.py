"""Files whose weights lie in a form that is not read here: told by their headers. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .disguises import Told
from .forms import PACKED
from .gguf import UNREAD

PLAIN_HINT = "Take fp16, bf16 or fp8 weights of the same model."
_BLOCKS_HINT = "Take Q4_0, Q4_K, Q5_K, Q6_K or Q8_0, or a .safetensors file."
PLAIN = frozenset({
    "F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "I64", "I32", "I16", "I8", "U8",
    "BOOL",
})  # fmt: skip
"""safetensors' types that are read here."""
_WHOLE_NUMBERS = ("I8", "U8")


def unread_in(tensors: Mapping[str, Any]) -> Told | None:
    """Why the weights of a file with this header cannot be read; None where they can."""
    for name, entry in tensors.items():
        kind = str(entry["dtype"])
        if kind in UNREAD:
            return Told(f"is packed as {kind}, which cannot be read here", _BLOCKS_HINT)
        if kind not in PLAIN and kind not in PACKED:
            return Told(f"holds {name} as {kind}, which is not known here", PLAIN_HINT)
        if kind in _WHOLE_NUMBERS and name.endswith(".weight"):
            return Told(f"is quantised to {kind}; give fp8, fp16 or bf16 weights", PLAIN_HINT)
    return None
