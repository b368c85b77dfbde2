"""Views look at each other while they are painted: self-attention reads a neighbour's keys and
values, and for a while those of a reference view.

Views are denoised one after another along a chain in which neighbours stand side by side. Each
sees its own surface and the view before it; in the first steps its answer is mixed with one that
looks at the reference (front) view alone. Prompted and unprompted halves of a batch never mix.
Keys and values of two views are kept, and while there is a reference its own. Reference pictures of
the artist's join what each view sees, from their own bank. Method: after Liu
et al., SyncMVD (SIGGRAPH Asia 2024), there with both neighbours at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from underpaint_daemon.worker.pipelines.memory import waits_in
from underpaint_daemon.worker.pipelines.references.attention import (
    Bank,
    KeyValue,
    attend,
    put_out,
)

_MOST_TOKENS = 96 * 96
_Memory = dict[tuple[int, str], KeyValue]


@dataclass(slots=True)
class AttentionMemory:
    """Keys and values of the reference and the view before, by region and layer.

    reference_weight: how much of each answer looks at the reference alone, 0..1. bank: of the
    artist's pictures. apart: views do not look at each other.
    """

    reference_weight: float = 0.0
    bank: Bank = field(default_factory=Bank)
    apart: bool = False
    region: int = 0
    _reference: _Memory = field(default_factory=dict)
    _previous: _Memory = field(default_factory=dict)
    _current: _Memory = field(default_factory=dict)
    _first: bool = True

    def start_step(self, reference_weight: float) -> None:
        """Forget the last step; the next view is the reference."""
        self.reference_weight = reference_weight
        self._first = True
        self.forget()

    def forget(self) -> None:
        """Let go of what was noted: it weighs as much as a network's activations."""
        for memory in (self._reference, self._previous, self._current):
            memory.clear()
        self.bank.forget()

    def end_view(self) -> None:
        """What was noted becomes the view before (and the reference, if it was the first)."""
        if self._first and self.reference_weight > 0:
            self._reference = dict(self._current)
        self._first = False
        self._previous, self._current = self._current, {}

    def meet(self, layer: str, own: KeyValue) -> tuple[KeyValue, KeyValue | None]:
        """Note a layer's keys and values (B, T, D); returns those to look at, and the
        reference's if it takes part."""
        if self.apart:
            return own, None
        key = (self.region, layer)
        self._current[key] = own
        before = self._previous.get(key)
        if before is not None and before[0].shape[0] == own[0].shape[0]:
            pair = torch.cat((own[0], before[0]), 1), torch.cat((own[1], before[1]), 1)
        else:
            pair = own
        shared = self.reference_weight > 0 and not self._first
        return pair, self._reference.get(key) if shared else None


class SharedAttention:
    """A diffusers attention processor for one self-attention layer."""

    def __init__(self, layer: str, memory: AttentionMemory) -> None:
        self._layer = layer
        self._memory = memory

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        **unused: Any,
    ) -> Tensor:
        """hidden_states (B, T, D); the other arguments are diffusers' and unused here."""
        del encoder_hidden_states, attention_mask, temb, unused
        query = attn.to_q(hidden_states)
        own = (attn.to_k(hidden_states), attn.to_v(hidden_states))
        if self._memory.bank.writing:
            self._memory.bank.note(self._layer, own)
            return put_out(attn, attend(attn, query, own), hidden_states)
        if hidden_states.shape[1] <= _MOST_TOKENS:
            pair, reference = self._memory.meet(self._layer, own)
        else:
            pair, reference = own, None
        seen, bias = self._memory.bank.joined(self._layer, pair, len(query))
        mixed = attend(attn, query, seen, bias)
        if reference is not None:
            share = self._memory.reference_weight
            mixed = (1 - share) * mixed + share * attend(attn, query, reference)
        return put_out(attn, mixed, hidden_states)


@contextmanager
def shared_attention(
    unet: Any, enabled: bool = True, *, seen: bool = False
) -> Iterator[AttentionMemory | None]:
    """Give every self-attention of a UNet a SharedAttention for the block; put back what was.

    seen: pictures are looked at, also where views are not to look at each other (not `enabled`).
    """
    if not (enabled or seen):
        yield None
        return
    before = unet.attn_processors
    memory = AttentionMemory(bank=Bank(waits_in(unet)), apart=not enabled)
    unet.set_attn_processor(
        {
            name: SharedAttention(name, memory) if "attn1" in name else processor
            for name, processor in before.items()
        }
    )
    try:
        yield memory
    finally:
        unet.set_attn_processor(before)
