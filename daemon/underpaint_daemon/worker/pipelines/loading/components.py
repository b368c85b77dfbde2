"""Load a model folder into its components: safetensors only, from the disk only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from safetensors import SafetensorError
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.paths import Paths
from underpaint.requests import ControlKind, Sampler, Spacing
from underpaint_daemon.common.models import (
    INDEX,
    ModelInfo,
    broken,
    check_network,
    control_folder,
    inspect,
    model_folder,
    read_json,
    weight_files,
)

from .. import samplers
from ..families import FAMILIES, Family
from ..latents import LatentPreview, fit_preview
from .digests import model_digest
from .single_file import unpacked

_LOAD_ERRORS = (OSError, ValueError, RuntimeError, LookupError, TypeError, SafetensorError)


@dataclass(frozen=True, slots=True)
class Device:
    """Where models live and in which precision."""

    device: torch.device
    dtype: torch.dtype


def best_device() -> Device:
    """CUDA in half precision where there is one, else the CPU in float32.

    Half precision on a CPU is emulated and many times slower than float32.
    """
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.float16)
    return Device(torch.device("cpu"), torch.float32)


class ControlNets(Mapping[str, Any]):
    """A model's own ControlNets by kind (`ControlKind` or its string), each loaded when used."""

    def __init__(self, folder: Path, kinds: tuple[str, ...], device: Device) -> None:
        self._folder, self._kinds, self._device = folder, kinds, device
        self.loaded: dict[str, Any] = {}

    def __getitem__(self, kind: str) -> Any:
        if kind not in self._kinds:
            raise KeyError(kind)
        if kind not in self.loaded:
            folder = control_folder(self._folder, ControlKind(kind))
            self.loaded[kind] = load_controlnet(folder, self._device)
        return self.loaded[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)


@dataclass(slots=True, eq=False)
class LoadedModel:
    """A model's components, shared by every pipeline that is made of them.

    `parts`: components by diffusers' names (unet, vae, text_encoder, tokenizer, …). `digest`:
    sha256 over its weights and configs. `others`: ControlNets from elsewhere, by folder.
    """

    info: ModelInfo
    folder: Path
    family: Family
    place: Device
    digest: str
    index: Mapping[str, Any]
    parts: dict[str, Any]
    scheduler_config: Mapping[str, Any]
    controlnets: ControlNets
    cache: Path
    others: dict[str, Any] = field(default_factory=dict)
    _preview: LatentPreview | None = None

    @property
    def unet(self) -> Any:
        return self.parts["unet"]

    @property
    def vae(self) -> Any:
        return self.parts["vae"]

    @property
    def text_encoder(self) -> Any:
        return self.parts["text_encoder"]

    @property
    def tokenizer(self) -> Any:
        return self.parts["tokenizer"]

    @property
    def networks(self) -> list[Any]:
        """Every torch module that is loaded."""
        parts = [part for part in self.parts.values() if isinstance(part, torch.nn.Module)]
        return [*parts, *self.controlnets.loaded.values(), *self.others.values()]

    @property
    def nbytes(self) -> int:
        """Bytes of all loaded weights."""
        return sum(
            tensor.numel() * tensor.element_size()
            for network in self.networks
            for tensor in network.parameters()
        )

    @property
    def preview(self) -> LatentPreview:
        """The latent preview of this model's VAE; fitted once, then kept in the cache folder."""
        if self._preview is None:
            self._preview = _remembered_preview(self)
        return self._preview


def load_model(paths: Paths, name: str, place: Device | None = None) -> LoadedModel:
    """Load a model by name ("starter", one in `Paths.models`) or absolute path.

    Raises RequestError: MODEL_MISSING, or MODEL_BROKEN with the file named.
    """
    place = place or best_device()
    folder = unpacked(model_folder(paths, name).resolve(), paths.cache)
    info = inspect(name, folder)
    family = FAMILIES[info.family]
    return LoadedModel(
        info=info,
        folder=folder,
        family=family,
        place=place,
        digest=model_digest(folder, paths.cache),
        index=read_json(folder / INDEX),
        parts=_load_parts(folder, family, place),
        scheduler_config=read_json(folder / "scheduler" / "scheduler_config.json"),
        controlnets=ControlNets(folder, info.controls, place),
        cache=paths.cache,
    )


def load_controlnet(folder: Path, place: Device) -> Any:
    """A ControlNetModel from its folder. Raises RequestError(MODEL_BROKEN)."""
    check_network(folder)
    return load_network(diffusers.ControlNetModel, folder, place)


def load_network(kind: Any, folder: Path, place: Device) -> Any:
    """A diffusers or transformers network, whole or not at all, ready for inference.

    Raises RequestError(MODEL_BROKEN) when weights are missing or of other shapes.
    """
    half = all(".fp16" in file.name for file in weight_files(folder))
    try:
        network, report = kind.from_pretrained(
            str(folder),
            dtype=place.dtype,
            variant="fp16" if half else None,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
    except _LOAD_ERRORS as error:
        broken(folder, f"cannot be loaded: {str(error).strip().splitlines()[0]}")
    missing = sorted(report["missing_keys"])
    if missing:
        broken(folder, f"lacks {len(missing)} weights, {missing[0]} among them")
    # Convolutions are about a tenth faster with channels last, on CPUs and GPUs alike.
    network = network.to(place.device, memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)


def make_scheduler(
    model: LoadedModel, sampler: Sampler, steps: int = 1, spacing: Spacing | None = None
) -> Any:
    """A fresh diffusers scheduler of this model's noise schedule (see `samplers`)."""
    return samplers.make_scheduler(model.scheduler_config, sampler, steps, spacing)


def encode_prompt(model: LoadedModel, texts: list[str]) -> Tensor:
    """Prompts to hidden states (texts, tokens, width) for cross-attention, on the model's device.

    Long prompts are not cut: all texts are padded to the windows that the longest needs.
    """
    return model.family.hidden_states(model.parts, texts)


def controlnet(model: LoadedModel, kind: ControlKind, folder: Path | None) -> Any:
    """The model's own ControlNet of a kind, or the one in `folder`.

    Raises RequestError(CONTROL_MISSING) when there is none.
    """
    if folder is None:
        if kind not in model.controlnets:
            has = ", ".join(model.controlnets) or "none"
            raise RequestError(
                ErrorCode.CONTROL_MISSING,
                f"Model {model.info.name!r} has no {kind.value} ControlNet; it has {has}",
            )
        return model.controlnets[kind]
    if not (folder.is_absolute() and folder.is_dir()):
        raise RequestError(
            ErrorCode.CONTROL_MISSING, f"There is no ControlNet folder {folder} (give a full path)"
        )
    key = str(folder)
    if key not in model.others:
        model.others[key] = load_controlnet(folder, model.place)
    return model.others[key]


def _load_parts(folder: Path, family: Family, place: Device) -> dict[str, Any]:
    parts: dict[str, Any] = {
        "unet": load_network(diffusers.UNet2DConditionModel, folder / "unet", place),
        "vae": load_network(diffusers.AutoencoderKL, folder / "vae", place),
    }
    for text in family.text_parts:
        kind = getattr(transformers, text.encoder_class)
        parts[text.encoder] = load_network(kind, folder / text.encoder, place)
        parts[text.tokenizer] = load_tokenizer(folder / text.tokenizer)
    return parts


def load_tokenizer(folder: Path) -> Any:
    try:
        return transformers.CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    except _LOAD_ERRORS as error:
        broken(folder, f"cannot be loaded: {str(error).strip().splitlines()[0]}")


def _remembered_preview(model: LoadedModel) -> LatentPreview:
    file = model.cache / "previews" / f"{model.digest}.npy"
    if file.is_file():
        return LatentPreview(np.load(file, allow_pickle=False))
    preview = fit_preview(model.vae)
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, preview.matrix, allow_pickle=False)
    return preview
