"""What each view is told: the prompt, from which side it looks, and whose prompt holds where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from underpaint.requests import Lora, ObjectPrompt, Prompt, TextureRequest
from underpaint.requests.parts import words_of
from underpaint_daemon.common.defaults.settle import settled
from underpaint_daemon.worker.pipelines.adapters import Turn
from underpaint_daemon.worker.pipelines.families.base import Words
from underpaint_daemon.worker.pipelines.loading.components import LoadedModel
from underpaint_daemon.worker.pipelines.making import embedded, tool_pipeline

_MAIN = 0


@dataclass(frozen=True, slots=True)
class Region:
    """A prompt and the latent pixels (h, w) bool it holds for; None = all of them.

    key: the object it is for, 0 = the request's own prompt. embedding: the family's arguments.
    loras: what acts there beside the request's own.
    """

    key: int
    embedding: dict[str, Tensor]
    mask: Tensor | None = None
    loras: tuple[Lora, ...] = ()


def view_prompt(prompt: Prompt, word: str | None) -> Prompt:
    """A prompt that names the side it is seen from.

    "front view" goes into the negative prompt of every other side: it keeps faces off backs.
    """
    if word is None:
        return prompt
    text = f"{prompt.text}, {word} view" if prompt.text else f"{word} view"
    if word == "front":
        return Prompt(text, prompt.negative)
    negative = f"{prompt.negative}, front view" if prompt.negative else "front view"
    return Prompt(text, negative)


def understands_views(model: LoadedModel) -> bool:
    """Whether the model's vocabulary has the word; to others it would be noise. Those that read
    through their own pipelines all know it."""
    if model.family.read is not None:
        return True
    return len(model.tokenizer("view", add_special_tokens=False).input_ids) == 1


class PromptBook:
    """Encodes each prompt of a request once, with the LoRAs that act where it holds."""

    def __init__(self, model: LoadedModel, request: TextureRequest, turn: Turn) -> None:
        self._model, self._turn = model, turn
        self._request = request
        self._directional = request.directional_prompts and understands_views(model)
        self._guided = settled(request.sampling).guidance > 1
        self._tool = tool_pipeline(model)
        self._known: dict[tuple[Prompt, str, tuple[Lora, ...]], dict[str, Any]] = {}

    def regions(self, object_ids: Tensor, word: str | None, beside: str = "") -> list[Region]:
        """The prompts of a view whose latent pixels see `object_ids` (h, w) int32. beside: what
        is said of the pictures that are read with them."""
        seen = set(torch.unique(object_ids).tolist())
        own = [item for item in self._request.object_prompts if item.object_id in seen]
        if not own:
            return [Region(_MAIN, self._embedding(self._request.prompt, word, beside))]
        return self._split(own, object_ids, word, beside)

    def _split(
        self, own: Sequence[ObjectPrompt], object_ids: Tensor, word: str | None, beside: str
    ) -> list[Region]:
        regions = [
            Region(
                item.object_id,
                self._embedding(
                    words_of(item.prompt, self._request.prompt), word, beside, item.loras
                ),
                object_ids == item.object_id,
                item.loras,
            )
            for item in own
        ]
        rest = object_ids > 0
        for region in regions:
            assert region.mask is not None
            rest &= ~region.mask
        # The first holds wherever no later one does, the background included.
        if bool(rest.any()):
            return [Region(_MAIN, self._embedding(self._request.prompt, word, beside)), *regions]
        return [replace(regions[0], mask=None), *regions[1:]]

    def _embedding(
        self, prompt: Prompt, word: str | None, beside: str, loras: tuple[Lora, ...] = ()
    ) -> dict[str, Tensor]:
        told = view_prompt(prompt, word if self._directional else None)
        if (told, beside, loras) not in self._known:
            text = " ".join(part for part in (told.text, beside) if part)
            words = Words(text, told.negative, self._guided)
            self._turn.of_part(loras)
            self._known[told, beside, loras] = embedded(self._model, self._tool, words)
            self._turn.of_part()
        return self._known[told, beside, loras]
