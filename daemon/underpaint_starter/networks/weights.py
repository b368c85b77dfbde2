"""A set of networks in a few small files: half precision, written as training goes, joined later.

A machine that is lent for minutes returns files of 16 MiB at most, and may stop at any second.
Files of a set are written under a new number; the index, replaced last and at once, names those
that belong together, so that there is always one whole set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError

SHARD_MIB = 16
INDEX = "weights.json"
_ROOM = SHARD_MIB * 2**20 - 2**16  # bytes of weights in a file: the rest is its header


def write_weights(folder: Path, networks: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write the weights of networks by name as files of at most SHARD_MIB, and drop those of the
    set before."""
    folder.mkdir(parents=True, exist_ok=True)
    before = _index(folder)
    number = int(before.get("number", 0)) + 1
    names = []
    for part, shard in enumerate(_shards(networks)):
        names.append(f"weights_{number:04d}_{part}.safetensors")
        save_file(shard, folder / names[-1])
    partial = folder / f"{INDEX}.part"
    partial.write_text(json.dumps({"number": number, "files": names}))
    os.replace(partial, folder / INDEX)
    for name in before.get("files", []):
        (folder / name).unlink(missing_ok=True)


def join_weights(folder: Path) -> dict[str, dict[str, Tensor]]:
    """The weights of networks by name, float32. Raises RequestError(FILE) when none are there."""
    index = _index(folder)
    if not index:
        raise RequestError(ErrorCode.FILE, f"No weights in {folder}: {INDEX} is missing")
    networks: dict[str, dict[str, Tensor]] = {}
    for name in index["files"]:
        for key, value in load_file(folder / name).items():
            network, _, weight = key.partition("/")
            whole = value.float() if value.is_floating_point() else value
            networks.setdefault(network, {})[weight] = whole
    return networks


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    index: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return index


def _shards(networks: Mapping[str, Mapping[str, Tensor]]) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for network, weights in networks.items():
        for key, value in weights.items():
            small = value.detach().to(
                "cpu", torch.float16 if value.is_floating_point() else value.dtype
            )
            bytes_ = small.numel() * small.element_size()
            if size + bytes_ > _ROOM:
                shards.append({})
                size = 0
            shards[-1][f"{network}/{key}"] = small.contiguous()
            size += bytes_
    return shards
