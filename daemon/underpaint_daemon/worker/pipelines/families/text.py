"""CLIP prompt encoding without a length limit.

A prompt longer than the tokenizer's window is cut into windows of its own, each with begin and
end tokens; their hidden states are joined along the sequence, which cross-attention takes as is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def windows(tokenizer: Any, texts: list[str]) -> Tensor:
    """Token ids (texts, windows, length): every text padded to as many windows as the longest."""
    length: int = tokenizer.model_max_length
    body = length - 2
    rows = [tokenizer(text, add_special_tokens=False, truncation=False).input_ids for text in texts]
    count = max(1, *(-(-len(row) // body) for row in rows))
    return torch.tensor(
        [
            [_window(tokenizer, row[i * body : (i + 1) * body], length) for i in range(count)]
            for row in rows
        ]
    )


def _window(tokenizer: Any, ids: list[int], length: int) -> list[int]:
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
def encode(encoder: Any, ids: Tensor, layer: int | None) -> tuple[Tensor, Tensor]:
    """Hidden states (texts, windows * length, width) and the first windows' pooled output.

    `layer`: None takes the normalised last hidden state, -2 the last but one (SDXL).
    """
    texts, count, length = ids.shape
    flat = ids.reshape(texts * count, length).to(home(encoder))
    out = encoder(flat, output_hidden_states=layer is not None)
    hidden = out.last_hidden_state if layer is None else out.hidden_states[layer]
    pooled = out.text_embeds if hasattr(out, "text_embeds") else out.pooler_output
    return hidden.reshape(texts, count * length, -1), pooled.reshape(texts, count, -1)[:, 0]
