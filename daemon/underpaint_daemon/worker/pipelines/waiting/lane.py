"""The way to the card for blocks of networks: one works, the next one comes meanwhile.

Method: two buffers, and an order that each pass writes anew, as the prefetcher of ZeRO-Infinity has
it (Rajbhandari et al. 2021, "overlap-centric design"). diffusers' `hooks.group_offloading` (read in
0.42) is not used. Its order is the first pass's for good, and a block that was fetched and is not
called then (experts, a pass that leaves layers out) stays on the card. It parts a network at its
outermost lists alone: an end of SDXL's UNet is one block. What Python has let go it keeps from
being written over by `record_stream`, with which Python may run ahead and fill the card, or by
waiting for the card after every block. Its hooks know one network; here ControlNets and the network
that they lead take turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .weights import Weights

_STREAMS = ("cuda", "xpu")


class Lane:
    """Has at most two blocks on the card: one at work, and the one that came after it the last
    time. Networks that work in turns share one, and with it what follows what.

    When a block's work has been handed to the card, that of the block before is waited for; then
    its memory is free, and the next block is copied into it while this one works. So the card
    always has work, and Python is never further ahead than a block. Where there are no streams
    the same happens in the same order.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._of_device: Any = None
        self._copies: Any = None
        if device.type in _STREAMS:
            self._of_device = torch.get_device_module(device)
            self._copies = self._of_device.Stream(device)
        self._there: list[Weights] = []
        self._after: dict[Weights, Weights] = {}
        self._last: Weights | None = None
        self._before: Any = None

    @property
    def streams(self) -> bool:
        """Whether blocks are copied while others work."""
        return self._copies is not None

    def enter(self, block: Weights) -> None:
        """Before a block works: it is there, at once if nobody foresaw it."""
        if self._last is not None:
            self._after[self._last] = block
        self._last = block
        self._before = self._issued()
        if block not in self._there:
            self._dismiss(self._there)
            self._fetch(block)
        if self.streams:
            self._of_device.current_stream(self.device).wait_event(block.arrived)

    def leave(self, block: Weights) -> None:
        """When its work has been handed to the card: the one before goes, the next one comes."""
        self._dismiss([one for one in self._there if one is not block], self._before)
        following = self._after.get(block, block)
        if following is not block:
            self._fetch(following)

    def dismiss(self, blocks: Sequence[Weights]) -> None:
        """Those of them that are there go, when what was handed to the card is done."""
        self._dismiss([one for one in self._there if one in blocks])

    def _dismiss(self, blocks: Sequence[Weights], done: Any = None) -> None:
        """`done`: what they are no longer read after; None: all that was handed to the card."""
        if not blocks:
            return
        if self.streams:
            (done or self._issued()).synchronize()
        for block in blocks:
            block.leave()
        self._there = [one for one in self._there if one not in blocks]

    def _fetch(self, block: Weights) -> None:
        self._there.append(block)
        if not self.streams:
            block.come(self.device)
            return
        with self._of_device.stream(self._copies):
            block.come(self.device)
            block.arrived = self._copies.record_event()

    def _issued(self) -> Any:
        """What comes when all that was handed to the card by now is done."""
        return self._of_device.current_stream(self.device).record_event() if self.streams else None
