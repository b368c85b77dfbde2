"""The prompt's way to the guide: text encoder and pooled text, taught to say the codes of words."""

from __future__ import annotations

import copy
import math
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import Networks
from underpaint_starter.networks.tokenizer import tokenize
from underpaint_starter.scenes.captions import bare
from underpaint_starter.scenes.scenes import sample_scene
from underpaint_starter.training.guided.clock import Clock
from underpaint_starter.training.guided.word_codes import ALOUD, WordCodes, labels_of

_CAPTIONS = 6400
_BARE = 0.35  # share of captions that name a material alone
_BATCH = 40
_RATE = 2e-3
_TEXT = 0.4  # learning rate of the encoder, over that of what pools its words


def teach_words(
    networks: Networks, tokenizer: CLIPTokenizer, clock: Clock, device: torch.device
) -> None:
    """Train text encoder and the guide's `TextTimeEmbedding` on captions of single objects.

    What the encoder says to all other networks is held to what it said before.
    """
    guide: Any = networks.controls["guide"]
    text, pooling = networks.text, guide.add_embedding
    before = copy.deepcopy(text)
    say_aloud(pooling, 1.0)
    text.requires_grad_(True)
    pooling.requires_grad_(True)
    pooling.norm2.requires_grad_(False)
    weights = [w for w in pooling.parameters() if w.requires_grad]
    groups = [{"params": list(text.parameters()), "scale": _TEXT}, {"params": weights, "scale": 1}]
    optimiser = torch.optim.AdamW(groups, lr=_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    tokens, labels = _examples(tokenizer, device)
    codes = WordCodes(pooling.norm2.normalized_shape[0], device)
    while not clock.done:
        for group in optimiser.param_groups:
            group["lr"] = clock.rate(_RATE) * group["scale"]
        rows = torch.randint(0, len(tokens), (_BATCH,), device=device)
        with torch.no_grad():
            old = before(tokens[rows]).last_hidden_state
        states = text(tokens[rows]).last_hidden_state
        said = pooled(pooling, states)
        fit = F.mse_loss(said, codes.of(labels[rows]))
        drift = F.mse_loss(states, old) / old.var()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(fit + drift)
        torch.nn.utils.clip_grad_norm_([*text.parameters(), *weights], 1.0)
        optimiser.step()
        right = (codes.named(said) == labels[rows, 0]).float().mean()
        clock.tick({"fit": fit, "drift": drift, "named": right})
    say_aloud(pooling, ALOUD)
    text.requires_grad_(False)


@torch.no_grad()
def say_aloud(pooling: Any, strength: float) -> None:
    """Set the root mean square of what pooled text adds to the time embedding."""
    pooling.norm2.weight.fill_(strength)
    pooling.norm2.bias.zero_()


def pooled(pooling: Any, states: Tensor) -> Tensor:
    """A `TextTimeEmbedding` of (n, length, width), (n, width): only its one query is worked out,
    where the module attends from every word and drops all but the first."""
    pool = pooling.pool
    words = pooling.norm1(states)
    first = words.mean(1, keepdim=True) + pool.positional_embedding
    words = torch.cat((first, words), 1)
    heads = (len(states), -1, pool.num_heads, pool.dim_per_head)
    query = pool.q_proj(first).view(heads)
    keys, values = pool.k_proj(words).view(heads), pool.v_proj(words).view(heads)
    weight = ((query * keys).sum(-1) / math.sqrt(pool.dim_per_head)).softmax(1)
    gathered = (weight[..., None] * values).sum(1).flatten(1)
    out: Tensor = pooling.norm2(pooling.proj(gathered))
    return out


@torch.no_grad()
def said_of(networks: Networks, tokenizer: CLIPTokenizer, captions: list[str]) -> Tensor:
    """What captions add to the guide's time embedding, (n, width), on the networks' device."""
    guide: Any = networks.controls["guide"]
    device = networks.text.device
    parts = [captions[at : at + 64] for at in range(0, len(captions), 64)]
    states = (networks.text(tokenize(tokenizer, p).to(device)).last_hidden_state for p in parts)
    return torch.cat([pooled(guide.add_embedding, s) for s in states])


def _examples(tokenizer: CLIPTokenizer, device: torch.device) -> tuple[Tensor, Tensor]:
    """Tokens (n, 77) of captions of single objects, some of their material alone, and their labels
    (n, 3)."""
    specs = [sample_scene(seed, simple=True) for seed in range(_CAPTIONS)]
    rng = Random(_CAPTIONS)
    texts = [
        bare(spec.objects[0].words, rng) if rng.random() < _BARE else spec.caption for spec in specs
    ]
    tokens = tokenize(tokenizer, texts)
    labels = torch.tensor([labels_of(spec.objects[0].words) for spec in specs])
    return tokens.to(device), labels.to(device)
