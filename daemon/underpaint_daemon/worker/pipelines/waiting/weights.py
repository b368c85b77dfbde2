"""Weights of a network that come to the card and leave it together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Tensor

_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a module has a weight: in `held`, as `name`. `own`: what is there at home."""

    held: dict[str, Any]
    name: str
    own: Tensor

    def put(self, tensor: Tensor) -> None:
        """Another tensor in its place."""
        self.held[self.name] = tensor


class Weights:
    """Some of a network's weights. Those at home never change, so nothing is copied back: others
    are put in their places, and they again. `hollow`: while they are away nothing is in their
    places, so that whoever reads what was not fetched fails on every device alike.

    Whole tensors are exchanged, not their data: those of torchao are several in one. `arrived`:
    the event of their last copy.
    """

    def __init__(self, places: Sequence[Place], *, hollow: bool) -> None:
        self._places = places
        self._away = {id(place.own): _hollow(place.own) for place in places} if hollow else None
        self.arrived: Any = None

    def come(self, device: torch.device) -> None:
        """Copies on the device, as its stream has come to them; what is tied stays tied."""
        there = dict[int, Tensor]()
        for place in self._places:
            own = place.own
            if id(own) not in there:
                there[id(own)] = _like(own, own.to(device, non_blocking=True))
            place.put(there[id(own)])

    def leave(self) -> None:
        """Off the device."""
        if self._away is None:
            self.restore()
            return
        for place in self._places:
            place.put(self._away[id(place.own)])

    def restore(self) -> None:
        """All that is at home into its place."""
        for place in self._places:
            place.put(place.own)


def _hollow(own: Tensor) -> Tensor:
    return _like(own, torch.empty(own.shape, dtype=own.dtype, device="meta"))


def _like(own: Tensor, tensor: Tensor) -> Tensor:
    """A parameter in a parameter's place."""
    is_one = isinstance(own, torch.nn.Parameter)
    return torch.nn.Parameter(tensor, requires_grad=False) if is_one else tensor


def places_in(network: Any) -> Iterator[tuple[str, Place]]:
    """Every name of a network's weights and buffers; what is tied has several."""
    for above, module in network.named_modules(remove_duplicate=False):
        for held in (module._parameters, module._buffers):
            for name, own in held.items():
                if own is not None:
                    yield f"{above}.{name}" if above else name, Place(held, name, own)


def pin(places: Iterable[Place], sizes: Mapping[int, int]) -> None:
    """Lay weights where the card reads main memory by itself, two to three times as fast, as far as
    half of what is free goes; they stay there for the next job. `sizes`: bytes, by the tensor's id.

    torch rounds what it lays there up to powers of two.
    """
    left = _free() // 2
    for place in places:
        own, room = place.own, 1 << (sizes[id(place.own)] - 1).bit_length()
        if type(own.data) is not Tensor or room > left or own.is_pinned():
            continue  # torchao's tensors cannot be laid there
        try:
            own.data = own.data.pin_memory()
        except RuntimeError:
            return  # the system allows no more
        left -= room


def _free() -> int:
    """Bytes of main memory that are free; in a container, within its limit. What it has read of
    files is given back when others want the room (Linux' cgroup v2, `memory.stat`)."""
    free = int(psutil.virtual_memory().available)
    try:
        limit, used = (
            int((_GROUP / name).read_text()) for name in ("memory.max", "memory.current")
        )
        lines = (_GROUP / "memory.stat").read_text().splitlines()
        of_files = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError, StopIteration):  # no container, or one without a limit
        return free
    return max(min(free, limit - used + of_files), 0)
