"""CLIP's image encoders, from a folder or from one file as it is shared for use with IP-Adapters.

A single file carries no config; what its shapes do not tell follows from which CLIP it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from underpaint_daemon.common.model_files import broken

from .folders import load_network
from .networks import Device, empty, filled
from .weights import WeightFile

_PATCHES = "vision_model.embeddings.patch_embedding.weight"
_PLACES = "vision_model.embeddings.position_embedding.weight"
_LAYER = "vision_model.encoder.layers."
# By width: heads, and whose CLIP it is (OpenAI's have an activation of their own): ViT-B and -L
# (Radford et al. 2021); ViT-H and -bigG (Cherti et al. 2022).
_KNOWN = {
    768: (12, "quick_gelu"), 1024: (16, "quick_gelu"), 1280: (16, "gelu"), 1664: (16, "gelu"),
}  # fmt: skip


def load_image_encoder(path: Path, place: Device) -> Any:
    """A CLIPVisionModelWithProjection. Raises RequestError(MODEL_BROKEN)."""
    if path.is_dir():
        return load_network(CLIPVisionModelWithProjection, path, place)
    file = WeightFile(path)
    state = file.state(place.dtype)
    missing = [name for name in (_PATCHES, _PLACES) if name not in state]
    if missing:
        broken(path, f"is no image encoder: it lacks {missing[0]}")
    config = _config(state)
    network = empty(lambda: CLIPVisionModelWithProjection(config))
    return filled(network, _named(state, network.state_dict()), path, place)


def _config(state: Mapping[str, Any]) -> CLIPVisionConfig:
    hidden, _, patch, _ = state[_PATCHES].shape
    heads, activation = _KNOWN.get(hidden, (max(1, hidden // 64), "gelu"))
    cells = round((state[_PLACES].shape[0] - 1) ** 0.5)
    return CLIPVisionConfig(
        hidden_size=hidden,
        intermediate_size=state[f"{_LAYER}0.mlp.fc1.weight"].shape[0],
        projection_dim=state["visual_projection.weight"].shape[0],
        num_hidden_layers=len({n.split(".")[3] for n in state if n.startswith(_LAYER)}),
        num_attention_heads=heads,
        hidden_act=activation,
        image_size=cells * patch,
        patch_size=patch,
    )


def _named(state: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The file's names as this transformers has them: it may have dropped the first part."""
    shorter = {name: name.replace("vision_model.", "", 1) for name in state}
    return {
        name if name in wanted else shorter[name]: tensor
        for name, tensor in state.items()
        if name in wanted or shorter[name] in wanted
    }
