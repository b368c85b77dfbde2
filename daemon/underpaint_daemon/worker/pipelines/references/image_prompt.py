"""Image prompts through IP-Adapters (Ye et al. 2023): put on for one job, taken off without a
trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from torch import Tensor

from underpaint.requests import Lora
from underpaint_daemon.common.adapter_files import (
    AdapterFile,
    Form,
    find_adapter,
    find_encoder,
    recognise_adapter,
)
from underpaint_daemon.common.model_files import broken
from underpaint_daemon.common.models import IP_ADAPTER
from underpaint_daemon.common.refusals import no_adapter

from ..adapters import Turn
from ..canvas import flatten
from ..latents import from_image8
from ..loading.components import LoadedModel
from ..loading.image_encoders import load_image_encoder
from ..loading.networks import LOAD_ERRORS, first_line
from .beside import Beside

Image8 = npt.NDArray[np.uint8]
# What CLIP's image encoders were trained on (Radford et al. 2021).
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@contextmanager
def with_reference(
    pipe: Any,
    model: LoadedModel,
    picture: Image8 | None,
    scale: float,
    guided: bool,
    named: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Put an IP-Adapter on for the block; yields the pipeline call's arguments.

    `picture`: (h, w, 3 or 4) uint8; None does nothing. `named`: an adapter's path or name; None
    takes the model's own. Raises RequestError:
    CONTROL_MISSING (no adapter, no encoder), MODEL_BROKEN.
    """
    if picture is None:
        yield {}
        return
    adapter = adapter_of(model, named)
    pair = _read_picture(model, adapter, picture)
    try:
        _load_ip_adapter(pipe, adapter)
        pipe.unet.to(model.place.home, model.place.dtype)
        pipe.set_ip_adapter_scale(scale)
        yield {"ip_adapter_image_embeds": [torch.cat(pair if guided else pair[1:])]}
    finally:
        pipe.unload_ip_adapter()


class _Ranged(Turn):
    """Another that also has an IP-Adapter act in its part of the steps alone."""

    def __init__(self, inner: Turn, pipe: Any, beside: Beside) -> None:
        self._inner, self._pipe, self._seen = inner, pipe, beside

    def over_steps(self, part: float | None) -> None:
        self._inner.over_steps(part)
        start, end = self._seen.part
        acts = part is None or start <= part <= end
        self._pipe.set_ip_adapter_scale(self._seen.scale if acts else 0.0)

    def of_part(self, loras: tuple[Lora, ...] = ()) -> None:
        self._inner.of_part(loras)


def ranged(turn: Turn, pipe: Any, beside: Beside) -> Turn:
    """`turn`, which also has an IP-Adapter act in its part of the steps alone."""
    start, end = beside.part
    whole = beside.adapter is None or (start <= 0 and end >= 1)
    return turn if whole else _Ranged(turn, pipe, beside)


def adapter_of(model: LoadedModel, named: str | None) -> AdapterFile:
    """The IP-Adapter that a reference goes through. Raises RequestError."""
    width = int(model.unet.config.cross_attention_dim)
    if named is not None:
        found = recognise_adapter(find_adapter(model.models, named))
    elif model.info.ip_adapter:
        found = recognise_adapter(model.folder / IP_ADAPTER)
    else:
        raise no_adapter(model.info.name)
    if found.text_width != width:
        broken(
            found.path,
            f"was made for another family: its words are {found.text_width} wide, this model's "
            f"are {width} (768: SD 1.5; 2048: SDXL)",
        )
    return found


def normalised(images: Tensor) -> Tensor:
    """(n, 3, h, w) in -1..1 as CLIP's image encoders take them."""
    mean, std = (
        torch.tensor(row, device=images.device)[None, :, None, None]
        for row in (_CLIP_MEAN, _CLIP_STD)
    )
    return ((images + 1) / 2 - mean) / std


def _load_ip_adapter(pipe: Any, adapter: AdapterFile) -> None:
    state: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for key, tensor in load_file(adapter.path).items():
        part, _, rest = key.partition(".")
        state.setdefault(part, {})[rest] = tensor
    try:
        pipe.load_ip_adapter(state, subfolder="", weight_name="", image_encoder_folder=None)
    except LOAD_ERRORS as error:
        broken(adapter.path, f"does not fit the model: {first_line(error)}")


@torch.no_grad()
def _read_picture(
    model: LoadedModel, adapter: AdapterFile, picture: Image8
) -> tuple[Tensor, Tensor]:
    """What the adapter reads of no picture and of this one's centre square: (1, 1, width), or
    (1, 1, patches, width) of those that read patches."""
    path = find_encoder(adapter, model.models)
    encoder = model.companion(path, lambda: load_image_encoder(path, model.place))
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = flatten(picture)[top : top + side, left : left + side]
    size = (encoder.config.image_size,) * 2
    small = cv2.resize(np.ascontiguousarray(square), size, interpolation=cv2.INTER_AREA)
    pixels = normalised(2 * from_image8(small) - 1).to(model.place.device, model.place.dtype)
    with model.at_work(encoder):
        if adapter.form is Form.PLAIN:
            embedding: Tensor = encoder(pixels).image_embeds[:, None]
            return torch.zeros_like(embedding), embedding
        # The last layer but one, as these adapters were trained; of no picture: of black ones.
        none, shown = (
            encoder(shows, output_hidden_states=True).hidden_states[-2][:, None]
            for shows in (torch.zeros_like(pixels), pixels)
        )
        return none, shown
