"""How much memory a model's weights need once they are loaded, told by their headers. No torch."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from underpaint.paths import Paths

from .contents.folders import index_of
from .contents.forms import PACKED
from .contents.gguf import BLOCKS, stays_packed
from .contents.headers import header
from .contents.modular import part_place
from .denoisers.files import Denoiser, denoiser_in
from .denoisers.rest import rest_of
from .model_files import weight_files
from .recognition import is_network, parts_of
from .single_files import UNET_PREFIX, VAE_PREFIX

_IDLE = ("safety_checker",)  # published with Stable Diffusion, and never loaded here
_WIDENED = ("F64", "F32", "F16", "BF16")
_KEPT = PACKED - BLOCKS.keys()
# Tables of words, which no layer unpacks when it is used, and what is unpacked as it is read.
_TABLES = (
    "embed_tokens.weight", "shared.weight", "token_embedding.weight", "position_embedding.weight",
    "lm_head.weight", ".DenseReluDense.wo.weight",
)  # fmt: skip
Sizes = dict[str, int]
"""Bytes of a network's weights, by their names in its files."""


def weights_of_parts(paths: Paths, place: Path, wide: int) -> dict[str, Sizes]:
    """Each network of a model, whose numbers are `wide` bytes in memory. `place`: its folder or
    file. Raises RequestError(MODEL_BROKEN)."""
    if place.is_dir():
        index = {name: part for name, part in index_of(place).items() if name not in _IDLE}
        places = {name: part_place(place, index, name) for name in parts_of(place, index)}
        return {
            name: _of_folder(part, wide, name) for name, part in places.items() if is_network(part)
        }
    lone = denoiser_in(place)
    return _of_checkpoint(place, wide) if lone is None else _of_lone(paths, lone, wide)


def _of_folder(folder: Path, wide: int, part: str) -> Sizes:
    """What lies packed in a folder stays so, but in a VAE."""
    entries = (entry for file in weight_files(folder) for entry in header(file).items())
    return {
        name: _bytes(entry, wide, () if part == "vae" else _stays(name, _KEPT))
        for name, entry in entries
    }


def _stays(name: str, kinds: Collection[str]) -> Collection[str]:
    """Of kinds of weights, those that stay packed in one of a name."""
    return () if name.endswith(_TABLES) else kinds


def _of_checkpoint(file: Path, wide: int) -> dict[str, Sizes]:
    """Of what lies packed, the U-Net alone stays so."""
    found: dict[str, Sizes] = {"unet": {}, "vae": {}, "text_encoder": {}}
    for name, entry in header(file).items():
        part = "unet" if name.startswith(UNET_PREFIX) else "text_encoder"
        part = "vae" if name.startswith(VAE_PREFIX) else part
        found[part][name] = _bytes(entry, wide, _KEPT if part == "unet" else ())
    return found


def _of_lone(paths: Paths, lone: Denoiser, wide: int) -> dict[str, Sizes]:
    """What is packed in single files stays so in memory."""
    found = {lone.part: _of_file(lone.path, lone.names, wide)}
    rest = rest_of(paths, lone)
    if rest.checkpoint is not None:
        inside = _of_checkpoint(rest.checkpoint.path, wide)
        return {**inside, **found}
    for name, place in rest.places.items():
        if name in rest.loose:
            found[name] = {
                weight: size
                for one in rest.loose[name].files
                for weight, size in _of_file(one.path, one.names, wide).items()
            }
        elif is_network(place):
            found[name] = _of_folder(place, wide, name)
    return found


def _of_file(file: Path, names: Mapping[str, str], wide: int) -> Sizes:
    """`names`: of its tensors in the file, by those that they were released with."""
    entries = header(file)
    return {name: _bytes(entries[name], wide, _stays(new, PACKED)) for new, name in names.items()}


def _bytes(entry: Mapping[str, Any], wide: int, kept: Collection[str]) -> int:
    begin, end = entry["data_offsets"]
    stays = entry["dtype"] in kept and stays_packed(entry)
    if stays or entry["dtype"] not in (*_WIDENED, *PACKED):
        return int(end - begin)
    return wide * int(math.prod(entry["shape"]))
