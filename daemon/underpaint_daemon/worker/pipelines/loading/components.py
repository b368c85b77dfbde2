"""A model's components in memory, and what is kept beside them."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from underpaint.requests import Sampler, Spacing
from underpaint_daemon.common.model_files import fingerprint
from underpaint_daemon.common.models import ModelInfo

from .. import samplers
from ..families import Family
from ..families.base import Embedding, Words
from ..families.named import NAMED, Named
from ..families.vocabulary import Reading, Vocabulary
from ..latents import LatentPreview
from ..memory import Tier, frugal
from .controlnets import ControlNets
from .networks import Device, weight_bytes
from .parts import denoiser_of
from .previews import remembered_preview

_Key = tuple[Path, tuple[tuple[str, int, int], ...]]


@dataclass(slots=True, eq=False)
class LoadedModel:
    """A model's components, shared by every pipeline that is made of them.

    `parts`: components by diffusers' names (unet, vae, text_encoder, tokenizer, …), and the
    vectors that prompts may name, as `named.NAMED`. `digest`:
    sha256 over its weights and configs. `models`: the folder that names are looked up in.
    `companions`: networks from elsewhere that work with it, the last used last. `decode_window`,
    `guide_detail`, `smooth_unguided`, `upscales`: see `Wants`. `vocabulary`: its words, if it
    knows few. `said`: the words that it encoded last, as it is itself, and what they became.
    `built`: pipelines of it that take long to build, by task.
    `seen`: latents of the references that its UNet saw last, by picture and size.
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
    models: Path
    decode_window: int | None = None
    smooth_unguided: bool = False
    upscales: bool = True
    guide_detail: float = 0.0
    vocabulary: Vocabulary | None = None
    companions: OrderedDict[_Key, Any] = field(default_factory=OrderedDict)
    said: tuple[Words, Embedding] | None = None
    built: dict[str, Any] = field(default_factory=dict)
    seen: OrderedDict[tuple[str, tuple[int, ...], tuple[int, int]], torch.Tensor] = field(
        default_factory=OrderedDict
    )
    _preview: LatentPreview | None = None

    @property
    def unet(self) -> Any:
        return self.parts["unet"]

    @property
    def denoiser(self) -> Any:
        """The network that denoises: a UNet or a transformer."""
        return denoiser_of(self.parts)

    @property
    def vae(self) -> Any:
        return self.parts["vae"]

    @property
    def flow(self) -> bool:
        """Whether it was trained by flow matching."""
        return samplers.is_flow(self.scheduler_config)

    @property
    def own_schedule(self) -> bool:
        """Whether it paints with the scheduler of its folder."""
        return self.family.foreign and samplers.is_foreign(self.scheduler_config)

    @property
    def tokenizer(self) -> Any:
        return self.parts["tokenizer"]

    @property
    def networks(self) -> list[Any]:
        """Every torch module that is loaded."""
        parts = [part for part in self.parts.values() if isinstance(part, torch.nn.Module)]
        return [*parts, *self.controlnets.loaded.values(), *self.companions.values()]

    def heard(self, prompt: str) -> Reading:
        """A prompt as this model reads it. One that names vectors is written for its user's own
        training: it stays."""
        named: Named | None = self.parts.get(NAMED)
        if self.vocabulary is None or (named is not None and named.used([prompt])):
            return Reading(prompt)
        return self.vocabulary.read(prompt, self.tokenizer)

    def companion(self, path: Path, load: Callable[[], Any]) -> Any:
        """A network from elsewhere, loaded once, and anew when its files change."""
        key = (path, fingerprint(path))
        if key not in self.companions:
            for old in [old for old in self.companions if old[0] == path]:
                del self.companions[old]
            self.companions[key] = load()
        self.companions.move_to_end(key)
        return self.companions[key]

    def at_work(self, network: Any) -> contextlib.AbstractContextManager[None]:
        """For a call of one of its networks before the painting: where they wait, it visits, unless
        it is a guest already."""
        if hasattr(network, "_hf_hook"):
            return contextlib.nullcontext()
        tier = Tier.VISITING if self.place.waits else Tier.FULL
        return frugal(tier, [network], self.place.device, self.place.home)

    @property
    def nbytes(self) -> int:
        """Bytes of all loaded weights."""
        return weight_bytes(self.networks)

    @property
    def preview(self) -> LatentPreview:
        """The latent preview of this model's VAE; fitted once, then kept in the cache folder."""
        if self._preview is None:
            self._preview = remembered_preview(self.digest, self.cache, self.vae)
        return self._preview


def make_scheduler(
    model: LoadedModel,
    sampler: Sampler,
    steps: int = 1,
    spacing: Spacing | None = None,
    strength: float = 1.0,
) -> Any:
    """A fresh diffusers scheduler of this model's noise schedule (see `samplers`)."""
    if model.own_schedule:
        return samplers.as_it_is(model.scheduler_config)
    return samplers.make_scheduler(model.scheduler_config, sampler, steps, spacing, strength)
