"""Files of weights as large as the released ones, which the disk does not hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np


def sparse(file: Path, shapes: dict[str, tuple[int, ...]], prefix: str = "") -> Path:
    """A safetensors file of weights of these shapes, which the disk does not hold."""
    end, entries = 0, dict[str, Any]()
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        entries[prefix + name] = {
            "dtype": "F8_E4M3",
            "shape": shape,
            "data_offsets": [end, end + size],
        }
        end += size
    told = json.dumps(entries).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(told)) + told)
        stream.truncate(8 + len(told) + end)
    return file
