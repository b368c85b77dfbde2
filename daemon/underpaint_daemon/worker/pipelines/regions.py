"""Prompts and LoRAs for parts of a picture: at each step the network is asked with each prompt and
the LoRAs of its part, and its answers are put together by the regions' masks.

Source: Bar-Tal et al. 2023, MultiDiffusion, §4.2 (region-based text-to-image generation): every
prediction sees the whole picture, so what the regions hold agrees with its surroundings. The
ControlNets are asked with each prompt as well. A region costs one more pass of the networks; that
its LoRAs act in this pass alone (Zhong et al. 2024, Multi-LoRA Composition, LoRA Composite, with
masks in place of the mean) costs none beside it, and is exact: no layer mixes two of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint.requests import ImageRequest, InpaintRequest, Lora, RegionPrompt

from .adapters import Turn
from .canvas import Canvas
from .families.base import Embedding
from .latents import vae_scale
from .loading.components import LoadedModel
from .wrapping import Forward, wrapped

Array = npt.NDArray[Any]
_HINT = "Mark with white where it is to be, or leave the region out."


@dataclass(frozen=True, slots=True)
class Region:
    """A prompt, and how far it holds in each latent cell: `weight` (1, 1, h, w) float32, 0–1."""

    asked: RegionPrompt
    weight: Tensor
    embedding: Embedding = field(default_factory=dict)


def read_regions(
    model: LoadedModel,
    request: ImageRequest | InpaintRequest,
    arrays: Mapping[str, Array],
    canvas: Canvas,
    warn: Callable[[str], None],
) -> tuple[Region, ...]:
    """Where a request's regions are on the canvas.

    `warn` hears of objects that the view does not show. Raises RequestError(BAD_BUFFER) for a
    mask that marks nothing.
    """
    found = []
    for i, region in enumerate(request.regions):
        held = _held(f"regions[{i}]", region, request, arrays, canvas)
        if region.mask is None and not held.any():
            warn(f"{region.prompt.text!r} is left out: the view does not show its object")
        weight = _in_cells(held.astype(np.float32), vae_scale(model.vae)) * region.weight
        if weight.any():
            found.append(Region(region, torch.from_numpy(weight)[None, None]))
    return tuple(found)


def _held(
    where: str,
    region: RegionPrompt,
    request: ImageRequest | InpaintRequest,
    arrays: Mapping[str, Array],
    canvas: Canvas,
) -> Array:
    """Where a region is on the canvas, 0–1."""
    if region.mask is None:
        assert request.view is not None
        assert request.view.object_id is not None
        ids = canvas.nearest(arrays[request.view.object_id.sha256])
        shows: Array = ids == region.object_id
        return shows
    drawn = arrays[region.mask.sha256]
    if not drawn.any():
        problem = f"{where}.mask marks nothing: {region.prompt.text!r} has no place"
        raise RequestError(ErrorCode.BAD_BUFFER, problem, hint=_HINT)
    return _drawn(drawn, canvas)


def told(
    regions: Sequence[Region], embed: Callable[[RegionPrompt], Embedding]
) -> tuple[Region, ...]:
    """The regions with their prompts encoded."""
    return tuple(replace(region, embedding=embed(region.asked)) for region in regions)


@contextmanager
def regional(pipe: Any, regions: Sequence[Region], turn: Turn | None = None) -> Iterator[None]:
    """Have a pipeline's UNet and ControlNets asked with every prompt in this block, the UNet with
    the LoRAs of each that `turn` knows."""
    if not regions:
        yield
        return
    passes = _Passes(_shares(regions), turn)
    network = getattr(pipe, "controlnet", None)
    with ExitStack() as stack:
        if network is not None:
            stack.enter_context(wrapped(network, passes.controls))
        stack.enter_context(wrapped(pipe.unet, passes.network))
        if turn is not None:
            stack.callback(turn.of_part)
        yield


def _drawn(mask: Array, canvas: Canvas) -> Array:
    """A mask of any size on the canvas, 0–1."""
    size = canvas.full[::-1]
    if mask.shape != canvas.full:
        shrink = mask.size > size[0] * size[1]
        how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
        mask = cv2.resize(mask, size, interpolation=how)
    return canvas.colour(np.repeat(mask[..., None], 3, 2))[..., 0] / np.float32(255)


def _in_cells(held: Array, cell: int) -> Array:
    """The mean over each latent cell."""
    height, width = held.shape
    mean: Array = held.reshape(height // cell, cell, width // cell, cell).mean((1, 3))
    return mean


@dataclass(frozen=True, slots=True)
class _Share:
    """A prompt's part of the answer; `embedding`: None is the request's own prompt. `loras`: what
    acts with it beside the request's own."""

    embedding: Embedding | None
    part: Tensor
    loras: tuple[Lora, ...] = ()


def _shares(regions: Sequence[Region]) -> list[_Share]:
    """What each prompt adds, so that the parts sum to 1; those that add nothing are left out."""
    shares, left = list[_Share](), torch.ones_like(regions[0].weight)
    for region in reversed(regions):
        shares.append(_Share(region.embedding, left * region.weight, region.asked.loras))
        left = left * (1 - region.weight)
    shares.append(_Share(None, left))
    return [share for share in reversed(shares) if bool((share.part > 0).any())]


class _Passes:
    """A step's passes. What the ControlNets say with a prompt goes with the UNet's of it."""

    def __init__(self, shares: Sequence[_Share], turn: Turn | None) -> None:
        self._shares, self._turn = shares, turn
        self._said: list[dict[str, Any]] = [{} for _ in shares]

    def controls(self, forward: Forward) -> Forward:
        """ControlNets that keep what they say with each prompt."""

        def every(*args: Any, **named: Any) -> Any:
            found = [forward(*args, **_with(share, named)) for share in self._shares]
            self._said = [
                {"down_block_additional_residuals": down, "mid_block_additional_residual": middle}
                for down, middle in found
            ]
            return found[0]

        return every

    def network(self, forward: Forward) -> Forward:
        """A UNet whose output is put together."""

        def blended(*args: Any, **named: Any) -> Any:
            total: Tensor | None = None
            for share, said in zip(self._shares, self._said, strict=True):
                if self._turn is not None:
                    self._turn.of_part(share.loras)
                answer: Tensor = forward(*args, **(_with(share, named) | said))[0]
                added = answer * share.part.to(answer)
                total = added if total is None else total + added
            return (total,)

        return blended


def _with(share: _Share, named: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments with a prompt in place of the request's own. Lists are copied: the UNet
    takes features of adapters out of theirs."""
    fresh = {name: list(v) if isinstance(v, list) else v for name, v in named.items()}
    if share.embedding is None:
        return fresh
    hidden = named["encoder_hidden_states"]
    fresh["encoder_hidden_states"] = _pair(share.embedding, "prompt_embeds", hidden)
    added = named.get("added_cond_kwargs") or {}
    if "text_embeds" in added:
        pooled = _pair(share.embedding, "pooled_prompt_embeds", added["text_embeds"])
        fresh["added_cond_kwargs"] = {**added, "text_embeds": pooled}
    return fresh


def _pair(embedding: Embedding, name: str, like: Tensor) -> Tensor:
    """A prompt as the pipeline has its own: behind the negative one where it is guided."""
    parts = (
        [embedding[name]] if len(like) == 1 else [embedding[f"negative_{name}"], embedding[name]]
    )
    return torch.cat(parts).to(like)
