"""A model's parts by what its index calls them: networks, tokenizers and processors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from underpaint_daemon.common.contents.modular import part_place
from underpaint_daemon.common.model_files import broken
from underpaint_daemon.common.recognition import is_network, parts_of

from ..foreign.rooms import part_class
from .encoders.glm import GlmTokenizer
from .encoders.words import load_words
from .networks import weight_bytes
from .pictures import ChatProcessor, PictureProcessor

_LIBRARIES = {"diffusers": diffusers, "transformers": transformers}
_LOAD_ERRORS = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError, ImportError,
)  # fmt: skip
# Qwen's is saved under either name.
_OWN: Mapping[str, Callable[[Path], Any]] = {
    "Qwen2VLProcessor": PictureProcessor.from_folder,
    "Qwen2_5_VLProcessor": PictureProcessor.from_folder,
    "PixtralProcessor": ChatProcessor.from_place,
    "ChatGLMTokenizer": GlmTokenizer.from_folder,
}


def load_parts(
    folder: Path, index: Mapping[str, Any], load_network: Callable[[Any, Path], Any]
) -> dict[str, Any]:
    """Every part but the scheduler, by its name. Raises RequestError(MODEL_BROKEN)."""
    return {
        name: load_part(part_place(folder, index, name), library, kind, load_network)
        for name, (library, kind) in parts_of(folder, index).items()
        if name != "scheduler"
    }


def load_part(
    folder: Path, library: str, kind: str, load_network: Callable[[Any, Path], Any]
) -> Any:
    """One part from its folder. Raises RequestError(MODEL_BROKEN)."""
    inside = library not in _LIBRARIES
    found = part_class(library, kind) if inside else getattr(_LIBRARIES[library], kind, None)
    if found is None:
        broken(folder, f"is a {kind}, which this {library} does not know; update Underpaint")
    if is_network(folder):
        return load_network(found, folder)
    try:
        if kind in _OWN:
            return _OWN[kind](folder)
        return load_words(found, folder)
    except _LOAD_ERRORS as error:
        broken(folder, f"cannot be loaded: {str(error).strip().splitlines()[0]}")


def denoiser_of(parts: Mapping[str, Any]) -> Any:
    """The network that denoises, of a model's parts; the largest where it is called otherwise."""
    for name in ("unet", "transformer"):
        if name in parts:
            return parts[name]
    networks = [part for part in parts.values() if isinstance(part, torch.nn.Module)]
    return max(networks, key=lambda network: weight_bytes([network]))
