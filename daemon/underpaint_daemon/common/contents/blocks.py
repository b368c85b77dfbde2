"""A network's blocks, told by the names of its weights alone: what stands under a number in a list
of layers. The headers of files and the networks in memory are parted by the same rule. No torch."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

_HALVINGS = 7
Blocks = Mapping[str, list[str]]
"""Names of weights, by the block's own name (`layers.3`); "" has those of no block."""


def in_blocks(sizes: Mapping[str, int]) -> Blocks:
    """Weights by their blocks. `sizes`: bytes, by name.

    There are lists within lists (`down_blocks.2.attentions.0.transformer_blocks.7`): what is larger
    than a part of the whole is parted further, by the part with which least lies on the card at
    once, and the largest such part, since each block costs a copy of its own.
    """
    whole = sum(sizes.values())
    found = (_parted(sizes, whole >> i) for i in range(_HALVINGS))
    return min(found, key=lambda blocks: _at_once(blocks, sizes))


def bytes_at_once(sizes: Mapping[str, int]) -> int:
    """Bytes on the card while a network works block by block: one block that works, one that comes,
    and what belongs to none."""
    return _at_once(in_blocks(sizes), sizes)


def _at_once(blocks: Blocks, sizes: Mapping[str, int]) -> int:
    bytes_of = {block: sum(sizes[name] for name in names) for block, names in blocks.items()}
    rest = bytes_of.pop("", 0)
    return rest + sum(sorted(bytes_of.values())[-2:])


def _parted(sizes: Mapping[str, int], most: int) -> Blocks:
    """Blocks of at most so many bytes, as far as there are lists in them."""
    found: dict[str, list[str]] = {"": []}
    waiting: list[tuple[str, Iterable[str]]] = [("", sizes)]
    while waiting:
        above, names = waiting.pop()
        for block, inside in _below(above, names).items():
            if block == "":
                found[""] += inside
            elif not _is_list(block, inside) and (
                sum(sizes[name] for name in inside) <= most or set(_below(block, inside)) == {""}
            ):
                found[block] = inside
            else:
                waiting.append((block, inside))
    return found


def _is_list(block: str, names: Iterable[str]) -> bool:
    """Whether all in a block stands under numbers again: a list of layers is never called itself,
    only what is in it (Stable Cascade's `down_blocks.0`)."""
    return all(re.match(r"\d+\.", name[len(block) + 1 :]) for name in names)


def _below(above: str, names: Iterable[str]) -> dict[str, list[str]]:
    """Names by the next numbered layer below `above`; "" of those below none. The last word is the
    weight's own: a number there is a list of weights."""
    found = defaultdict[str, list[str]](list)
    depth = above.count(".") + 1 if above else 0
    for name in names:
        words = name.split(".")
        at = next((i for i in range(depth, len(words) - 1) if words[i].isdecimal()), None)
        found["" if at is None else ".".join(words[: at + 1])].append(name)
    return dict(found)
