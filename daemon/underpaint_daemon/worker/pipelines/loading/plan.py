"""Where a model's weights are to be, before they are read: on the GPU, where they fit, else in main
memory, from where they visit it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import torch

from ..memory import Tier
from .networks import Device


def planned(place: Device, needed: Collection[int], room: int) -> Device:
    """`place`, with the first tier that fits. `needed`: bytes of each network; `room`: bytes for
    weights."""
    if sum(needed) <= room:
        return place
    first = Tier.VISITING if max(needed) <= room else Tier.OFFLOADED
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
