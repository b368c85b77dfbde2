"""ControlNets, Union networks and T2I-Adapters, from folders and single files of every layout.

A single file carries no config: it has the model's that it is for, with the layers that are there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import diffusers
from diffusers.loaders.single_file_utils import convert_controlnet_checkpoint
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ControlKind
from underpaint_daemon.common.control_files import (
    ORIGINAL_PREFIX,
    ControlFile,
    Form,
    recognise,
)
from underpaint_daemon.common.denoisers.unets import deep_as, layers_per_level, shapes_of
from underpaint_daemon.common.model_files import broken
from underpaint_daemon.common.models import control_folder

from .folders import load_network
from .networks import Device, empty, filled
from .own_controls import load_own
from .weights import WeightFile

_CLASSES = {
    Form.CONTROLNET: diffusers.ControlNetModel,
    Form.UNION: diffusers.ControlNetUnionModel,
    Form.ADAPTER: diffusers.T2IAdapter,
}


_LIGHT = "light_adapter"
_UNET = "UNet2DConditionModel"


class ControlNets(Mapping[str, Any]):
    """A model's own ControlNets by kind (`ControlKind` or its string), each loaded when used."""

    def __init__(self, folder: Path, kinds: tuple[str, ...], device: Device, denoiser: Any) -> None:
        self.folder, self._kinds, self._device, self._denoiser = folder, kinds, device, denoiser
        self.loaded: dict[str, Any] = {}

    def __getitem__(self, kind: str) -> Any:
        if kind not in self._kinds:
            raise KeyError(kind)
        if kind not in self.loaded:
            folder = control_folder(self.folder, ControlKind(kind))
            self.loaded[kind] = load_control(folder, self._denoiser, self._device)
        return self.loaded[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


def load_control(path: Path, denoiser: Any, place: Device) -> Any:
    """The network in a folder or single file, for the model whose network is `denoiser`.

    Raises RequestError(MODEL_BROKEN): not whole, another kind of file, made for another family.
    """
    found = recognise(path)
    _check_make(found, type(denoiser).__name__)
    if found.form is Form.OWN:
        return load_own(found, denoiser, place)
    unet = denoiser
    _check_family(found, unet)
    kind = _CLASSES[found.form]
    if found.config is not None and not found.original:
        return load_network(kind, path, place)
    try:
        config = found.config or _config(found, unet)
    except LookupError as error:
        broken(path, f"is no ControlNet of a kind that is known here: {error.args[0]} is missing")
    state = _state(found, config, place)
    if found.config is None and found.form is not Form.ADAPTER:
        config = _known(kind, deep_as(config, shapes_of(state)))
    return filled(empty(lambda: kind.from_config(config)), state, found.weights, place)


def _state(found: ControlFile, config: Mapping[str, Any], place: Device) -> dict[str, Tensor]:
    file = WeightFile(found.weights)
    prefixed = any(name.startswith(ORIGINAL_PREFIX) for name in found.shapes)
    state: dict[str, Tensor] = file.state(place.dtype, {ORIGINAL_PREFIX: ""} if prefixed else None)
    if not found.original:
        return state
    if found.form is Form.ADAPTER:
        light = config["adapter_type"] == _LIGHT
        return {_adapter_name(name, light=light): tensor for name, tensor in state.items()}
    last = max(_hints(state))
    # diffusers' conversion knows the last layer by the number that released networks have.
    for end in ("weight", "bias"):
        state[f"input_hint_block.14.{end}"] = state.pop(f"input_hint_block.{last}.{end}")
    converted: dict[str, Tensor] = convert_controlnet_checkpoint(state, config)
    return converted


def _adapter_name(name: str, *, light: bool) -> str:
    """The first release numbers all residual blocks in a row, two to a level; in light adapters it
    has levels."""
    head, _, rest = name.partition(".")
    if head != "body":
        return f"adapter.{name}"
    number, _, layer = rest.partition(".")
    if light:
        return f"adapter.body.{number}.{layer.replace('body.', 'resnets.', 1)}"
    level, block = divmod(int(number), 2)
    inner = layer if layer.startswith("in_conv") else f"resnets.{block}.{layer}"
    return f"adapter.body.{level}.{inner}"


def _config(found: ControlFile, unet: Any) -> dict[str, Any]:
    """A single file's config: the UNet's, and what the shapes of the file say."""
    if found.form is Form.ADAPTER:
        return _adapter_config(found, unet)
    kind = _CLASSES[found.form]
    config = _known(kind, unet.config)
    config["in_channels"] = 4
    shapes = {name.removeprefix(ORIGINAL_PREFIX): shape for name, shape in found.shapes.items()}
    config["conditioning_embedding_out_channels"] = _embedding_channels(shapes)
    if found.original:
        config["layers_per_block"] = layers_per_level(shapes)
    if found.form is Form.UNION:
        config["num_control_type"], config["num_trans_channel"] = shapes["task_embedding"]
        config["num_proj_channel"] = shapes["spatial_ch_projs.weight"][0]
        layers = {name.split(".")[1] for name in shapes if name.startswith("transformer_layes.")}
        config["num_trans_layer"] = len(layers)
    return config


def _known(kind: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a network of a kind can be told."""
    known = inspect.signature(kind.__init__).parameters
    return {key: value for key, value in config.items() if key in known}


def _embedding_channels(shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Channels of the levels of the layers that read the control image."""
    if "controlnet_cond_embedding.conv_in.weight" in shapes:
        start = "controlnet_cond_embedding.blocks."
        odd = sorted(
            (int(name.removeprefix(start).split(".")[0]), shape[0])
            for name, shape in shapes.items()
            if name.startswith(start) and name.endswith(".weight")
        )[1::2]
        first = shapes["controlnet_cond_embedding.conv_in.weight"][0]
        return (first, *(channels for _, channels in odd))
    numbers = sorted(_hints(shapes))
    return tuple(shapes[f"input_hint_block.{i}.weight"][0] for i in numbers[:-1:2])


def _hints(names: Mapping[str, Any]) -> set[int]:
    return {int(name.split(".")[1]) for name in names if name.startswith("input_hint_block.")}


def _adapter_config(found: ControlFile, unet: Any) -> dict[str, Any]:
    shapes = {_plain(name, found): shape for name, shape in found.shapes.items()}
    levels = len({name.split(".")[2] for name in shapes if name.startswith("adapter.body.")})
    # Light adapters narrow each level, and have no convolution before the first.
    light = "adapter.conv_in.weight" not in shapes
    first = shapes["adapter.body.0.in_conv.weight" if light else "adapter.conv_in.weight"]
    size = _shuffle(first[1])
    # SDXL's first level has no attention, and its adapters begin after it.
    late = unet.config.down_block_types[0] == "DownBlock2D"
    wide = "out_conv" if light else "resnets.0.block1"
    blocks = {name.split(".")[4] for name in shapes if name.startswith("adapter.body.0.resnets.")}
    return {
        "in_channels": first[1] // size**2,
        # Light adapters have a level more than diffusers says channels of.
        "channels": [shapes[f"adapter.body.{i}.{wide}.weight"][0] for i in range(levels - light)],
        "num_res_blocks": len(blocks),
        "downscale_factor": size,
        "adapter_type": _LIGHT if light else "full_adapter_xl" if late else "full_adapter",
    }


def _plain(name: str, found: ControlFile) -> str:
    light = "conv_in.weight" not in found.shapes
    return _adapter_name(name, light=light) if found.original else name


def _shuffle(channels: int) -> int:
    """Pixels a side that an adapter folds into channels; its image has three colours, or one."""
    for size in (8, 16, 4):
        if channels in (size**2, 3 * size**2):
            return size
    raise RequestError(ErrorCode.MODEL_BROKEN, f"A T2I-Adapter that reads {channels} channels")


def _check_make(found: ControlFile, network: str) -> None:
    """A ControlNet copies layers of its own family's network, and is named like it."""
    config = found.config or {}
    wanted = network.removesuffix("Transformer2DModel")
    unsaid = found.form is Form.OWN and not config and network != _UNET
    named = f"{wanted}ControlNetModel" if unsaid else str(config.get("_class_name", ""))
    own = named.removesuffix("ControlNetModel")
    here = own if found.form is Form.OWN else _UNET
    if here != wanted:
        made = (
            f"a {own or 'flow'} transformer"
            if found.form is Form.OWN
            else "a Stable Diffusion UNet"
        )
        raise RequestError(
            ErrorCode.MODEL_BROKEN,
            f"{found.path} was made for another family: it goes with {made}, and this model has a "
            f"{network}",
            hint="Give a ControlNet made for this model's family.",
        )


def _check_family(found: ControlFile, unet: Any) -> None:
    """Attention over the words is as wide as a family's text; adapters have none."""
    wide = {
        shape[1]
        for name, shape in found.shapes.items()
        if name.endswith("attn2.to_k.weight") and len(shape) == 2
    }
    expected = unet.config.cross_attention_dim
    if wide and wide != {expected}:
        raise RequestError(
            ErrorCode.MODEL_BROKEN,
            f"{found.path} was made for another family: it reads text {max(wide)} wide, this "
            f"model's is {expected} (768: SD 1.5; 1024: SD 2; 2048: SDXL)",
            hint="Give a ControlNet made for this model's family.",
        )
