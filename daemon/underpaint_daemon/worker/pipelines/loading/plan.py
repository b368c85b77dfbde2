"""Where a model's weights are to be, before they are read: on the GPU, where they fit, else in main
memory, from where they visit it: whole, by blocks or by layers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import torch

from underpaint_daemon.common.contents.blocks import bytes_at_once

from ..memory import Tier
from .networks import Device


def planned(place: Device, needed: Collection[Mapping[str, int]], room: int) -> Device:
    """`place`, with the first tier that fits. `needed`: bytes of each network's weights, by name;
    `room`: bytes for weights."""
    whole = [sum(sizes.values()) for sizes in needed]
    if sum(whole) <= room:
        return place
    first = Tier.VISITING
    if max(whole) > room:
        blocks = max(bytes_at_once(sizes) for sizes in needed)
        first = Tier.BLOCKS if blocks <= room else Tier.OFFLOADED
    return replace(place, first=later(place.first, first))


def later(one: Tier, other: Tier) -> Tier:
    """The more frugal of two tiers."""
    order = list(Tier)
    return order[max(order.index(one), order.index(other))]


def room_for_weights(place: Device, limit: int) -> int | None:
    """Bytes that weights may take on a GPU: `limit`, or less when other programs are on it. None
    of devices whose memory is main memory."""
    if place.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(place.device)
        return min(limit, free + torch.cuda.memory_reserved(place.device))
    return limit if place.device.type == "xpu" else None
