"""CLIP prompt encoding without a length limit, with weights.

A prompt longer than the tokenizer's window is cut into windows of its own, each with begin and
end tokens; their hidden states are joined along the sequence, which cross-attention takes as is.
`BREAK` starts a window. A word's weight multiplies its hidden states, and the prompt's mean is put
back afterwards (as the web UI that the notation comes from does it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from underpaint.words import pieces


@dataclass(frozen=True, slots=True)
class Windows:
    """`ids` (texts, windows, length) and what each counts, `weights`, of the same shape; None when
    all count 1."""

    ids: Tensor
    weights: Tensor | None = None


def windows(tokenizer: Any, texts: list[str]) -> Windows:
    """Every text in windows of the tokenizer, padded to as many as the longest needs."""
    rows = [_rows(tokenizer, text) for text in texts]
    count = max(len(row) for row in rows)
    padded = [row + [([], [])] * (count - len(row)) for row in rows]
    ids = [[_window(tokenizer, ids) for ids, _ in row] for row in padded]
    length: int = tokenizer.model_max_length
    weights = [[_framed(weights, length) for _, weights in row] for row in padded]
    counts = torch.tensor(weights)
    return Windows(torch.tensor(ids), counts if bool((counts != 1).any()) else None)


_Row = tuple[list[int], list[float]]


def _rows(tokenizer: Any, text: str) -> list[_Row]:
    """A text's windows: token ids and weights, without begin and end."""
    body = tokenizer.model_max_length - 2
    found: list[_Row] = []
    for part in pieces(text):
        ids, weights = list[int](), list[float]()
        for piece in part:
            told = tokenizer(piece.text, add_special_tokens=False, truncation=False).input_ids
            ids += told
            weights += [piece.weight] * len(told)
        starts = range(0, max(len(ids), 1), body)
        found += [(ids[i : i + body], weights[i : i + body]) for i in starts]
    return found


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
    out = encoder(flat, output_hidden_states=layer is not None)
    hidden = out.last_hidden_state if layer is None else out.hidden_states[layer]
    pooled = out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output
    hidden = _emphasised(hidden.reshape(texts, count * length, -1), told.weights)
    return hidden, pooled.reshape(texts, count, -1)[:, 0]


def _emphasised(hidden: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return hidden
    scale = weights.reshape(len(weights), -1, 1).to(hidden)
    louder = hidden * scale
    mean, now = (one.float().mean((1, 2), keepdim=True) for one in (hidden, louder))
    # A mean of nearly nothing says nothing about loudness.
    ratio = torch.where(now.abs() > 1e-6, mean / now, torch.ones_like(now))
    return louder * ratio.to(hidden)
