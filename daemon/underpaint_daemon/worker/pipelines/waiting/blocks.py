"""A network of which blocks visit the card, one while the one before works: of one that is larger
than the card, what belongs to no block and at most two blocks are on it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from accelerate.hooks import ModelHook, add_hook_to_module  # type: ignore[import-untyped]

from underpaint_daemon.common.contents.blocks import in_blocks

from ..loading.networks import tensor_bytes
from .lane import Lane
from .weights import Place, Weights, pin, places_in


class ByBlocks:
    """A guest that comes by blocks (see `visiting.invite`, which takes the hooks off again, too).

    What is on the network when it is made (LoRAs, image prompts) belongs to its blocks. What is
    away then is a block of another guest (Z-Image's ControlNets share layers of the transformer).
    """

    def __init__(self, network: Any, lane: Lane) -> None:
        self.network, self._lane = network, lane
        self._there = False
        self._rest, blocks = _parted(network, pinned=lane.streams)
        self._blocks = list(blocks.values())
        for name, block in blocks.items():
            add_hook_to_module(network.get_submodule(name), _Block(block, lane))

    def come(self) -> None:
        if not self._there:
            self._there = True
            self._rest.come(self._lane.device)

    def leave(self) -> None:
        self._lane.dismiss(self._blocks)
        self._rest.leave()
        self._there = False

    def restore(self) -> None:
        self.leave()


class _Block(ModelHook):  # type: ignore[misc]
    def __init__(self, block: Weights, lane: Lane) -> None:
        self._block, self._lane = block, lane

    def init_hook(self, module: Any) -> Any:
        self._block.leave()
        return module

    def detach_hook(self, module: Any) -> Any:
        self._block.restore()
        return module

    def pre_forward(self, module: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        del module
        self._lane.enter(self._block)
        return args, kwargs

    def post_forward(self, module: Any, output: Any) -> Any:
        del module
        self._lane.leave(self._block)
        return output


def _parted(network: Any, *, pinned: bool) -> tuple[Weights, dict[str, Weights]]:
    """What belongs to no block, or to several, and the blocks by name."""
    places = {name: place for name, place in places_in(network) if not place.own.is_meta}
    bytes_of = {id(place.own): tensor_bytes(place.own) for place in places.values()}
    counted, sizes = set[int](), dict[str, int]()
    for name, place in places.items():
        sizes[name] = 0 if id(place.own) in counted else bytes_of[id(place.own)]
        counted.add(id(place.own))
    block_of = {name: block for block, names in in_blocks(sizes).items() for name in names}
    users = defaultdict[int, set[str]](set)
    for name, place in places.items():
        users[id(place.own)].add(block_of[name])
    rest, blocks = list[Place](), defaultdict[str, list[Place]](list)
    for name, place in places.items():
        alone = block_of[name] and len(users[id(place.own)]) == 1
        (blocks[block_of[name]] if alone else rest).append(place)
    if pinned:
        pin((place for block in blocks.values() for place in block), bytes_of)
    return Weights(rest, hollow=False), {
        name: Weights(block, hollow=True) for name, block in blocks.items()
    }
