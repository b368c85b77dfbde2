"""CLIP prompt encoding without a length limit, with weights.

A prompt longer than the tokenizer's window is cut into windows of its own, each with begin and
end tokens; their hidden states are joined along the sequence, which cross-attention takes as is.
`BREAK` starts a window. Vectors that a prompt names (see `named`) stand among its words. A word's
weight multiplies its hidden states, and the prompt's mean is put
back afterwards (as the web UI that the notation comes from does it).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from underpaint.words import pieces

from .named import Split


@dataclass(frozen=True, slots=True)
class Windows:
    """`ids` (texts, windows, length) and what each counts, `weights`, of the same shape; None when
    all count 1. `vectors`: (window of all texts, position) to what stands there in place of the
    id's own vector, (width,)."""

    ids: Tensor
    weights: Tensor | None = None
    vectors: dict[tuple[int, int], Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    id: int
    weight: float
    vector: Tensor | None = None


def windows(tokenizer: Any, texts: list[str], split: Split | None = None) -> Windows:
    """Every text in windows of the tokenizer, padded to as many as the longest needs. `split`:
    cuts a text into words and the vectors that it names."""
    rows = [_rows(tokenizer, text, split) for text in texts]
    count = max(len(row) for row in rows)
    every = [window for row in rows for window in row + [[]] * (count - len(row))]
    length: int = tokenizer.model_max_length
    shape = (len(texts), count, length)
    ids = torch.tensor([_window(tokenizer, [t.id for t in window]) for window in every])
    weights = torch.tensor([_framed([t.weight for t in window], length) for window in every])
    vectors = {
        (number, place): token.vector
        for number, window in enumerate(every)
        for place, token in enumerate(window, 1)
        if token.vector is not None
    }
    counted = weights.reshape(shape) if bool((weights != 1).any()) else None
    return Windows(ids.reshape(shape), counted, vectors)


def _rows(tokenizer: Any, text: str, split: Split | None) -> list[list[_Token]]:
    """A text's windows, without begin and end."""
    body = tokenizer.model_max_length - 2
    found: list[list[_Token]] = []
    for part in pieces(text):
        tokens = list[_Token]()
        for piece in part:
            for one in (piece.text,) if split is None else split(piece.text):
                tokens += _tokens(tokenizer, one, piece.weight)
        found += [tokens[i : i + body] for i in range(0, max(len(tokens), 1), body)]
    return found


def _tokens(tokenizer: Any, one: str | Tensor, weight: float) -> list[_Token]:
    if isinstance(one, str):
        ids = tokenizer(one, add_special_tokens=False, truncation=False).input_ids
        return [_Token(id, weight) for id in ids]
    # Any id but the end's, by whose place the encoder takes the pooled output.
    return [_Token(tokenizer.bos_token_id, weight, row) for row in one]


def _framed(weights: list[float], length: int) -> list[float]:
    return [1.0, *weights] + [1.0] * (length - 1 - len(weights))


def _window(tokenizer: Any, ids: list[int]) -> list[int]:
    length: int = tokenizer.model_max_length
    framed = [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return framed + [pad] * (length - len(framed))


def home(network: Any) -> torch.device:
    """Where a network computes; its weights may wait elsewhere, on no device, until they are
    needed (accelerate's offloading)."""
    for module in network.modules():
        device = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
        if device is not None:
            return torch.device(device)
    found: torch.device = network.device
    return found


@torch.no_grad()
def encode(encoder: Any, told: Windows, layer: int | None) -> tuple[Tensor, Tensor]:
    """Hidden states (texts, windows * length, width) and the first windows' pooled output.

    `layer`: None takes the normalised last hidden state, -2 the last but one (SDXL).
    """
    texts, count, length = told.ids.shape
    flat = told.ids.reshape(texts * count, length).to(home(encoder))
    with _put_in(encoder, told.vectors):
        out = encoder(flat, output_hidden_states=layer is not None)
    hidden = out.last_hidden_state if layer is None else out.hidden_states[layer]
    pooled = out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output
    hidden = _emphasised(hidden.reshape(texts, count * length, -1), told.weights)
    return hidden, pooled.reshape(texts, count, -1)[:, 0]


@contextmanager
def _put_in(encoder: Any, vectors: dict[tuple[int, int], Tensor]) -> Iterator[None]:
    """Have the encoder read vectors at their places, in this block."""

    def put(_module: Any, _ids: Any, words: Tensor) -> Tensor:
        words = words.clone()
        for at, vector in vectors.items():
            words[at] = vector.to(words)
        return words

    hook = encoder.get_input_embeddings().register_forward_hook(put) if vectors else None
    try:
        yield
    finally:
        if hook is not None:
            hook.remove()


def _emphasised(hidden: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return hidden
    scale = weights.reshape(len(weights), -1, 1).to(hidden)
    louder = hidden * scale
    mean, now = (one.float().mean((1, 2), keepdim=True) for one in (hidden, louder))
    # A mean of nearly nothing says nothing about loudness.
    ratio = torch.where(now.abs() > 1e-6, mean / now, torch.ones_like(now))
    return louder * ratio.to(hidden)
