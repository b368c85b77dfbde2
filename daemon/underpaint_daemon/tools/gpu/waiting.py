"""A network of FLUX's width, as each tier has it on the card: whole, visiting, by blocks or layers.
What blocks that come while others work are worth can be seen on a GPU alone."""

from __future__ import annotations

import time
from typing import Any

import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from underpaint_daemon.common.contents.blocks import bytes_at_once
from underpaint_daemon.worker.pipelines.loading.networks import tensor_bytes
from underpaint_daemon.worker.pipelines.memory import WAITING, Tier, frugal, release

from .bench import Bench, psnr

_HEADS, _SMALL_HEADS = 24, 1
_SINGLE = 8
_TOKENS, _SMALL_TOKENS, _WORDS = 1024, 16, 64
_STEPS = 3
_SAME_DB = 60.0
_MORE = 1.1
_MIB = 2**20


def by_blocks(bench: Bench) -> None:
    """Every tier's milliseconds a step and peak, and its answer against that of the whole network,
    which is on the card."""
    network = _network(bench)
    asked = _asked(bench, network)
    whole, time_of, peak_of = None, dict[Tier, float](), dict[Tier, float]()
    for tier in (Tier.FULL, *WAITING):
        made, time_of[tier], peak_of[tier] = _stepped(bench, network, asked, tier)
        bench.found.told(f"wide_{tier}_step_ms", time_of[tier])
        if whole is None:
            whole = made
        else:
            alike = psnr(made.numpy(), whole.numpy(), float(whole.abs().max()))
            bench.found.least(f"wide_{tier}_against_full_db", alike, _SAME_DB)
    if not bench.cuda:
        bench.found.cannot("wide_blocks_peak_mib", "weights of the CPU have nowhere to wait")
        return
    sizes = {name: tensor_bytes(weight) for name, weight in network.named_parameters()}
    beside = peak_of[Tier.FULL] - sum(sizes.values()) / _MIB
    foreseen = bytes_at_once(sizes) / _MIB + beside
    bench.found.told("wide_full_peak_mib", peak_of[Tier.FULL])
    bench.found.told("wide_visiting_peak_mib", peak_of[Tier.VISITING])
    bench.found.told("wide_offloaded_peak_mib", peak_of[Tier.OFFLOADED])
    bench.found.most("wide_blocks_peak_mib", peak_of[Tier.BLOCKS], foreseen * _MORE)
    over = time_of[Tier.BLOCKS] / time_of[Tier.OFFLOADED]
    bench.found.most("wide_blocks_over_offloaded", over, 1.0)


def _network(bench: Bench) -> Any:
    """3 GB in half precision; its numbers mean nothing."""
    heads = _SMALL_HEADS if bench.small else _HEADS
    with torch.device("meta"):
        network = FluxTransformer2DModel(
            num_layers=1, num_single_layers=_SINGLE, num_attention_heads=heads,
            joint_attention_dim=heads * 64, pooled_projection_dim=heads * 32,
        )  # fmt: skip
    network = network.to(bench.place.dtype).to_empty(device=bench.place.device)
    generator = torch.Generator(bench.place.device).manual_seed(0)
    for weight in network.parameters():
        weight.data.normal_(0, 0.02, generator=generator)
    return network.eval().requires_grad_(False)


def _asked(bench: Bench, network: Any) -> dict[str, Tensor]:
    tokens = _SMALL_TOKENS if bench.small else _TOKENS
    config, generator = network.config, torch.Generator().manual_seed(1)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(bench.place.device, bench.place.dtype)

    return {
        "hidden_states": drawn(1, tokens, config.in_channels),
        "encoder_hidden_states": drawn(1, _WORDS, config.joint_attention_dim),
        "pooled_projections": drawn(1, config.pooled_projection_dim),
        "timestep": torch.tensor([0.5]).to(bench.place.device, bench.place.dtype),
        "img_ids": torch.zeros(tokens, 3, device=bench.place.device),
        "txt_ids": torch.zeros(_WORDS, 3, device=bench.place.device),
    }


@torch.no_grad()
def _stepped(
    bench: Bench, network: Any, asked: dict[str, Tensor], tier: Tier
) -> tuple[Tensor, float, float]:
    """The network's answer, milliseconds a step, and the peak in MiB; the first step, in which a
    tier settles, is not counted."""
    with frugal(tier, [network], bench.place.device):
        network(**asked)
        bench.sync()
        release()
        if bench.cuda:
            torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        for _ in range(_STEPS):
            made = network(**asked, return_dict=False)[0]
        bench.sync()
        took = (time.perf_counter() - began) * 1e3 / _STEPS
        peak = torch.cuda.max_memory_allocated() / _MIB if bench.cuda else 0.0
    return made.float().cpu(), took, peak
