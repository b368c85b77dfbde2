"""LoRAs and image prompts: put on for one job, taken off without a trace.

They are never fused into the weights, so the model afterwards is bit for bit the model before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import CLIPVisionModelWithProjection

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import Lora
from underpaint_daemon.common.lora_files import check_lora
from underpaint_daemon.common.model_files import broken
from underpaint_daemon.common.models import IP_ADAPTER
from underpaint_daemon.common.single_files import header

from .canvas import flatten
from .latents import from_image8
from .loading.components import LoadedModel
from .loading.networks import load_network

Image8 = npt.NDArray[np.uint8]
_LOAD_ERRORS = (OSError, ValueError, RuntimeError, LookupError, TypeError, SafetensorError)
# What CLIP's image encoders were trained on (Radford et al. 2021).
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def lora_file(model: LoadedModel, lora: Lora) -> Path:
    """A LoRA's file: a path, or the name of one in the model's loras/ folder.

    Raises RequestError(LORA_MISSING).
    """
    given = Path(lora.path)
    own = model.folder / "loras" / f"{given.stem}.safetensors"
    if given.is_absolute() and given.suffix == ".safetensors" and given.is_file():
        return given
    if given.name == lora.path and own.is_file():
        return own
    names = ", ".join(model.info.loras) or "none"
    raise RequestError(
        ErrorCode.LORA_MISSING, f"There is no LoRA {lora.path!r}; the model's own are: {names}"
    )


@contextmanager
def with_loras(pipe: Any, model: LoadedModel, loras: Sequence[Lora]) -> Iterator[None]:
    """Put LoRAs on the components of `pipe` for the time of the block.

    Raises RequestError(LORA_MISSING) when a file is missing or does not fit the model.
    """
    files = [lora_file(model, lora) for lora in loras]
    if not files:
        yield
        return
    try:
        for i, file in enumerate(files):
            _put_on(pipe, file, f"lora_{i}")
        names = [f"lora_{i}" for i in range(len(files))]
        pipe.set_adapters(names, adapter_weights=[lora.weight for lora in loras])
        yield
    finally:
        pipe.unload_lora_weights()


def _put_on(pipe: Any, file: Path, name: str) -> None:
    try:
        if hasattr(pipe, "unet"):
            second = getattr(pipe, "text_encoder_2", None) is not None
            width = pipe.unet.config.cross_attention_dim
            check_lora(file, width, has_second_encoder=second)
        pipe.load_lora_weights(load_file(file), adapter_name=name)
        fits = any(name in names for names in pipe.get_list_adapters().values())
        problem = "" if fits else "none of its layers is in the model"
    except _LOAD_ERRORS as error:
        problem = str(error).strip().splitlines()[0]
    except RequestError as error:
        problem = error.message
    if problem:
        raise RequestError(
            ErrorCode.LORA_MISSING, f"The LoRA {file.name} does not fit the model: {problem}"
        )


@contextmanager
def with_reference(
    pipe: Any, model: LoadedModel, picture: Image8 | None, scale: float, guided: bool
) -> Iterator[dict[str, Any]]:
    """Put the model's IP-Adapter on for the block; yields the pipeline call's arguments.

    `picture`: (h, w, 3 or 4) uint8; None does nothing. Method: Ye et al. 2023.
    Raises RequestError(CONTROL_MISSING) when the model has no IP-Adapter.
    """
    if picture is None:
        yield {}
        return
    folder = model.folder / IP_ADAPTER
    if not model.info.ip_adapter:
        raise RequestError(
            ErrorCode.CONTROL_MISSING, f"Model {model.info.name!r} has no IP-Adapter for references"
        )
    embedding = _embed_picture(model, folder, picture)
    try:
        _load_ip_adapter(pipe, folder)
        pipe.unet.to(model.place.device, model.place.dtype)
        pipe.set_ip_adapter_scale(scale)
        pair = [torch.zeros_like(embedding), embedding] if guided else [embedding]
        yield {"ip_adapter_image_embeds": [torch.cat(pair)]}
    finally:
        pipe.unload_ip_adapter()


def _load_ip_adapter(pipe: Any, folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        broken(folder, "has no safetensors file")
    header(files[0])
    state: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for key, tensor in load_file(files[0]).items():
        part, _, rest = key.partition(".")
        state.setdefault(part, {})[rest] = tensor
    try:
        pipe.load_ip_adapter(state, subfolder="", weight_name="", image_encoder_folder=None)
    except _LOAD_ERRORS as error:
        broken(files[0], f"does not fit the model: {str(error).strip().splitlines()[0]}")


@torch.no_grad()
def _embed_picture(model: LoadedModel, folder: Path, picture: Image8) -> torch.Tensor:
    """CLIP image embedding (1, 1, width) of the picture's centre square."""
    path = folder / "image_encoder"
    encoder = model.companion(
        path, lambda: load_network(CLIPVisionModelWithProjection, path, model.place)
    )
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = flatten(picture)[top : top + side, left : left + side]
    size = (encoder.config.image_size,) * 2
    small = cv2.resize(np.ascontiguousarray(square), size, interpolation=cv2.INTER_AREA)
    pixels = normalised(2 * from_image8(small) - 1).to(model.place.device, model.place.dtype)
    embedding: torch.Tensor = encoder(pixels).image_embeds[:, None]
    return embedding


def normalised(images: torch.Tensor) -> torch.Tensor:
    """(n, 3, h, w) in -1..1 as CLIP's image encoders take them."""
    mean, std = (
        torch.tensor(row, device=images.device)[None, :, None, None]
        for row in (_CLIP_MEAN, _CLIP_STD)
    )
    return ((images + 1) / 2 - mean) / std
