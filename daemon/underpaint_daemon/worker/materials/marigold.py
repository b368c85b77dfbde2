"""Marigold's pipelines (Ke et al. 2024) from local folders: a picture's albedo, roughness,
metallicity and normals. Loaded from the disk only, safetensors only, like every model here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import diffusers
import numpy as np
import numpy.typing as npt
import torch
import transformers
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint_daemon.common.model_files import INDEX, broken, check_network, read_json
from underpaint_daemon.common.models import model_folder

from ..pipelines.latents import from_image8
from ..pipelines.loading.cache import ModelCache
from ..pipelines.loading.folders import load_network
from ..pipelines.loading.networks import Device, load_tokenizer
from .curves import srgb

Image8 = npt.NDArray[np.uint8]
INTRINSICS = "MarigoldIntrinsicsPipeline"
NORMALS = "MarigoldNormalsPipeline"
ALBEDO = ("albedo",)
ROUGHNESS = ("roughness",)
METALLIC = ("metallicity", "metallic", "metalness")
_OPTIONS = (
    "prediction_type", "target_properties", "use_full_z_range", "default_denoising_steps",
    "default_processing_resolution",
)  # fmt: skip


def shared_marigold(models: ModelCache, name: str, kind: str) -> Any:
    """`load_marigold`'s pipeline, kept loaded between pictures and jobs."""
    return models.tool(name, lambda: load_marigold(models.paths, name, kind, models.place))


def load_marigold(paths: Paths, name: str, kind: str, place: Device) -> Any:
    """A Marigold pipeline (`INTRINSICS` or `NORMALS`) from a folder: a full path, or a name among
    the models. Raises RequestError(MODEL_MISSING or MODEL_BROKEN)."""
    folder = model_folder(paths, name)
    index = read_json(folder / INDEX)
    if index.get("_class_name") != kind:
        broken(folder / INDEX, f"names the pipeline {index.get('_class_name')!r}, not {kind}")
    for part in ("unet", "vae", "text_encoder"):
        check_network(folder / part)
    scheduler = read_json(folder / "scheduler" / "scheduler_config.json")
    scheduler_kind = getattr(diffusers, str(index["scheduler"][1]))
    pipe = getattr(diffusers, kind)(
        unet=load_network(diffusers.UNet2DConditionModel, folder / "unet", place),
        vae=load_network(diffusers.AutoencoderKL, folder / "vae", place),
        text_encoder=load_network(transformers.CLIPTextModel, folder / "text_encoder", place),
        tokenizer=load_tokenizer(folder / "tokenizer"),
        scheduler=scheduler_kind.from_config(scheduler),
        **{key: index[key] for key in _OPTIONS if key in index},
    )
    if kind == INTRINSICS and _layer(pipe.target_properties, ALBEDO) is None:
        broken(folder / INDEX, "predicts no albedo; give an 'appearance' model")
    pipe.set_progress_bar_config(disable=True)
    return pipe


def networks_of(pipe: Any) -> list[Any]:
    """The networks that convolve."""
    return [pipe.unet, pipe.vae]


@torch.no_grad()
def intrinsics(pipe: Any, picture: Image8, seed: int) -> dict[str, Tensor]:
    """`albedo` (h, w, 3) sRGB, and, where the model knows them, `roughness`, `metallic` (h, w);
    float32 0..1 on the CPU."""
    layers = _predict(pipe, picture, seed)
    found = {}
    for name, words in (("albedo", ALBEDO), ("roughness", ROUGHNESS), ("metallic", METALLIC)):
        place = _layer(pipe.target_properties, words)
        if place is None:
            continue
        target, channel = place
        value = layers[target] if channel is None else layers[target, ..., channel]
        found[name] = as_srgb(value, pipe.target_properties.get(words[0], {}), name)
    return found


@torch.no_grad()
def normals(pipe: Any, picture: Image8, seed: int) -> Tensor:
    """(h, w, 3) float32 unit vectors in camera space: +X right, +Y up, +Z to the viewer, which is
    Marigold's frame and ours."""
    return _predict(pipe, picture, seed)[0]


def _predict(pipe: Any, picture: Image8, seed: int) -> Tensor:
    """(targets, h, w, 3) float32 on the CPU."""
    place = pipe.unet
    image = from_image8(picture).to(place.device, place.dtype)
    generator = torch.Generator("cpu").manual_seed(seed)
    try:
        out = pipe(image, generator=generator, output_type="pt")
    except ValueError as error:
        raise RequestError(ErrorCode.MODEL_BROKEN, f"Marigold: {error}") from error
    prediction: Tensor = out.prediction.float().cpu().permute(0, 2, 3, 1)
    return prediction


def _layer(properties: Mapping[str, Any], words: Sequence[str]) -> tuple[int, int | None] | None:
    """Where a modality is: the target's number, and its channel when several are stacked."""
    for number, target in enumerate(properties.get("target_names", ())):
        if target in words:
            return number, None
        for channel, part in enumerate(properties[target].get("sub_target_names") or ()):
            if part in words:
                return number, channel
    return None


def as_srgb(value: Tensor, properties: Mapping[str, Any], name: str) -> Tensor:
    """Albedo is wanted in sRGB; data stays as it is."""
    if name == "albedo" and properties.get("prediction_space") == "linear":
        if properties.get("up_to_scale"):
            value = value / value.amax().clamp(min=1e-6)
        value = srgb(value)
    return value.clamp(0, 1)
