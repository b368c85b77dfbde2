"""ControlNets of families with a transformer in place of a UNet: FLUX.1's, Qwen-Image's, Stable
Diffusion 3's, Z-Image's. As one file, as ComfyUI's users have them, they carry no config: it is the
model's that they are for, with the layers that are there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import diffusers
from torch import Tensor

from underpaint_daemon.common.control_files import ControlFile
from underpaint_daemon.common.model_files import broken

from .folders import load_network
from .networks import LOAD_ERRORS, Device, empty, filled, first_line
from .weights import WeightFile

_STANDARD = re.compile(r"diffusion_pytorch_model([.-].*)?\.safetensors(\.index\.json)?")
_EXTRA = {
    "extra_conditioning_channels": "pos_embed_input.proj.weight",
    "extra_condition_channels": "controlnet_x_embedder.weight",
}
_EMBEDDER = re.compile(r"control_all_x_embedder\.\d+-\d+\.weight")
Shapes = Mapping[str, tuple[int, ...]]


def load_own(found: ControlFile, transformer: Any, place: Device) -> Any:
    """The network in a folder, or a file, for the model with that transformer, with the layers
    that it has from there.

    Raises RequestError(MODEL_BROKEN).
    """
    network = _loaded(found, transformer, place)
    if isinstance(network, diffusers.ZImageControlNetModel):
        return network.from_transformer(network, transformer)
    if isinstance(network, diffusers.SD3ControlNetModel) and network.pos_embed is None:
        # Pipelines would make it anew for each picture, where no tier of memory knows of it.
        own = network._get_pos_embed_from_transformer(transformer)
        network.pos_embed = own.to(network.device, network.dtype)
        network.register_to_config(use_pos_embed=True)
    return network


def _loaded(found: ControlFile, transformer: Any, place: Device) -> Any:
    name = f"{type(transformer).__name__.removesuffix('Transformer2DModel')}ControlNetModel"
    kind = getattr(diffusers, name, None)
    if kind is None:
        broken(found.path, f"is a ControlNet, and {type(transformer).__name__} takes none")
    if found.path.is_dir() and any(_STANDARD.fullmatch(one.name) for one in found.path.iterdir()):
        return load_network(kind, found.path, place)
    state = WeightFile(found.weights).state(place.dtype)
    config = found.config or _config(kind, found.shapes, transformer.config)
    if kind is diffusers.ZImageControlNetModel and found.config is None:
        config |= _shared(found, state, transformer.config)
    try:
        network = empty(lambda: kind.from_config(config))
    except LOAD_ERRORS as error:
        broken(found.path, f"cannot be loaded: {first_line(error)}")
    return filled(network, state, found.weights, place)


def _config(kind: Any, shapes: Shapes, model: Mapping[str, Any]) -> dict[str, Any]:
    """A file's config: the transformer's, and what the shapes say."""
    known = inspect.signature(kind.__init__).parameters
    told = {
        "num_layers": _count("transformer_blocks", shapes),
        "num_single_layers": _count("single_transformer_blocks", shapes),
        "guidance_embeds": any(".guidance_embedder." in name for name in shapes),
        "num_mode": shapes.get("controlnet_mode_embedder.weight", (None,))[0],
        "use_pos_embed": "pos_embed.proj.weight" in shapes,
        "dual_attention_layers": tuple(
            i
            for i in range(_count("transformer_blocks", shapes))
            if f"transformer_blocks.{i}.attn2.to_q.weight" in shapes
        ),
    }
    for name, layer in _EXTRA.items():
        told[name] = shapes.get(layer, (0, 0))[1] - int(model.get("in_channels") or 0)
    return {key: value for key, value in {**model, **told}.items() if key in known}


def _shared(
    found: ControlFile, state: Mapping[str, Tensor], model: Mapping[str, Any]
) -> dict[str, Any]:
    """Of a network that shares Z-Image's layers: which of them it adds to, evenly spread as all
    that were published are (6, 15 or 3 of 30), and what it reads. Releases: 1.0 refines the control
    alone; 2.0 was trained without its own refiner by mistake, and begins with its layers, that one
    all zeros or left out; from 2.1 on its own refiner is used.

    Raises RequestError(MODEL_BROKEN) for other networks.
    """
    count = _count("control_layers", state)
    embedder = next((name for name in state if _EMBEDDER.fullmatch(name)), None)
    if not count or embedder is None:
        broken(found.path, "is no ControlNet of Z-Image")
    patch, frames = (int(side) for side in embedder.split(".")[1].split("-"))
    first = state.get("control_noise_refiner.0.before_proj.weight")
    own = first is not None and bool(first.any())
    refines = "control_noise_refiner" if own else "control_layers"
    plain = first is None and _count("control_noise_refiner", state)
    step = max(1, model["n_layers"] // count)
    return {
        "control_layers_places": [step * i for i in range(count)],
        "control_in_dim": state[embedder].shape[1] // (frames * patch * patch),
        "add_control_noise_refiner": None if plain else refines,
        "control_refiner_layers_places": list(range(model["n_refiner_layers"])),
    }


def _count(blocks: str, names: Iterable[str]) -> int:
    return len({name.split(".")[1] for name in names if name.startswith(f"{blocks}.")})
