"""What enters the denoiser's last block, worked out once for every training window.

All below the last block is given by noise, form and prompt, and stays as it is while the guide is
trained: it need not be worked out again for every practice.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import LATENT_FACTOR, Networks, make_scheduler
from underpaint_starter.networks.tokenizer import tokenize
from underpaint_starter.training.guided.clock import Clock
from underpaint_starter.training.guided.window_store import WindowStore
from underpaint_starter.training.losses import noised

_BATCH = 10
_NORMALS = 6  # one batch in so many is seen by its normals instead of its depth
_LATER = 7  # one in so many is at any time instead of the first
_FIRST_TIME, _LAST_TIME = 999, 60
Tops = dict[str, Tensor]  # noisy, hidden, skip0, skip1 (n, c, h, w) half; times, window (n,)


@torch.no_grad()
def make_tops(
    networks: Networks, tokenizer: CLIPTokenizer, store: WindowStore, clock: Clock
) -> Tops:
    """Tops of windows in random order, until the time is over or all windows are done; at least
    one batch."""
    order = torch.randperm(len(store)).tolist()
    found: list[Tops] = []
    for number, start in enumerate(range(0, len(order), _BATCH)):
        if clock.done and found:
            break
        rows = order[start : start + _BATCH]
        found.append(_batch(networks, tokenizer, store, rows, number))
        clock.tick({})
    return {key: torch.cat([part[key] for part in found]) for key in found[0]}


def _batch(
    networks: Networks, tokenizer: CLIPTokenizer, store: WindowStore, rows: list[int], number: int
) -> Tops:
    device = networks.unet.device
    window = torch.tensor(rows, device=device)
    clean = store["codes"][window].float()
    times = torch.full((len(rows),), _FIRST_TIME, device=device)
    if number % _LATER == 1:
        times = torch.randint(_LAST_TIME, _FIRST_TIME, (len(rows),), device=device)
    alpha_bar = make_scheduler().alphas_cumprod.to(device)
    noisy = noised(clean, torch.randn_like(clean), alpha_bar[times])
    name = "normal" if number % _NORMALS == 0 else "depth"
    tokens = tokenize(tokenizer, [store.captions[row] for row in rows]).to(device)
    top = _caught(networks, noisy, times, tokens, name, store.images(name, window))
    halves = {key: value.half() for key, value in (top | {"noisy": noisy}).items()}
    return halves | {"times": times, "window": window}


def _caught(
    networks: Networks, noisy: Tensor, times: Tensor, tokens: Tensor, name: str, control: Tensor
) -> Tops:
    """Run the denoiser under one control and catch what its last block is given."""
    caught: Tops = {}

    def catch(_: Any, __: Any, given: Any) -> None:
        first, second = given["res_hidden_states_tuple"]
        caught.update(hidden=given["hidden_states"], skip0=first, skip1=second)

    context = networks.text(tokens).last_hidden_state
    down, middle = networks.controls[name](noisy, times, context, control, return_dict=False)
    handle = networks.unet.up_blocks[-1].register_forward_pre_hook(catch, with_kwargs=True)
    networks.unet(
        noisy,
        times,
        context,
        down_block_additional_residuals=down,
        mid_block_additional_residual=middle,
    )
    handle.remove()
    return caught


def crops_of(tops: Tops, rows: Tensor, y: int, x: int, side: int) -> Tops:
    """Rows of tops, what is in latents cut to a square at (y, x)."""
    square = (..., slice(y, y + side), slice(x, x + side))
    chosen = {key: value[rows] for key, value in tops.items()}
    return {k: v[square].float().contiguous() if v.dim() == 4 else v for k, v in chosen.items()}


def guide_box(y: int, x: int, side: int) -> tuple[slice, slice]:
    """The same square of a picture, in pixels."""
    box = (slice(LATENT_FACTOR * at, LATENT_FACTOR * (at + side)) for at in (y, x))
    first, second = box
    return first, second
