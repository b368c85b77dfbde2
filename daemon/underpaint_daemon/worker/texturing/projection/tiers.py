"""How far a view is to be trusted at a texel: strict first, laxer only where nothing better is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..cameras.visibility import Sight

UNSEEN = 0
BESIDE = 4
FILLED = 5
GUTTER = 6
KEPT = 7
"""Values of a provenance map: 0 unseen, 1..3 the tier, 4 took the clean pixel beside it (`beside`),
5 filled from its surroundings, 6 gutter, 7 locked: the present texture stayed."""

_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class Tier:
    """cosine: least; edge: least distance to a depth edge in pixels; error: largest position
    error in pixel footprints."""

    cosine: float
    edge: float
    error: float


@dataclass(frozen=True, slots=True)
class Rule:
    """Three tiers, and the weight of a view within one: cos^alpha × smoothstep over `ramp` pixels
    from the tier's edge distance on. clean: pixels farther than this from outlines may stand in for
    those beside them (see `clean_places_beside`). broad: in the strictest tier broad colours (see
    `bands`) blend by this exponent instead of `alpha`; None = they blend as detail does. sharp:
    lookups in the strictest tier keep grain that bilinear lookup would soften (`sharp_colors`)."""

    tiers: tuple[Tier, ...]
    alpha: float = 4.0
    ramp: float = 12.0
    clean: float = 3.0
    broad: float | None = None
    sharp: bool = False


EXACT = Rule((Tier(0.15, 2.0, 0.5), Tier(0.05, 1.0, 1.0), Tier(0.02, 1.0, 3.0)), clean=0.5)
"""For renders and captures: each pixel is where the geometry says. Whatever is no edge pixel itself
is clean: the four pixels about it show the same surface, so it lies on that as a whole."""

GENERATED = Rule((Tier(0.15, 5.0, 0.5), Tier(0.05, 4.0, 1.0), Tier(0.02, 3.0, 2.0)), broad=2.0)
"""For diffused views, whose outlines may stray a few pixels."""


def grade(sight: Sight, rule: Rule) -> Tensor:
    """(M,) uint8: the strictest tier, from 1, that each point passes; 0 = none."""
    tier = torch.zeros(len(sight.index), dtype=torch.uint8, device=sight.index.device)
    for number in range(len(rule.tiers), 0, -1):
        limits = rule.tiers[number - 1]
        passes = (sight.cosine > limits.cosine) & (sight.error < limits.error)
        tier[passes & (sight.edge > limits.edge)] = number
    return tier


def weigh(sight: Sight, tier: Tensor, rule: Rule) -> Tensor:
    """(M,) float32 weights of points of the tiers that `grade` gave (1 or more), or `BESIDE`."""
    edges = [limits.edge for limits in rule.tiers]
    start = sight.edge.new_tensor([0.0, *edges, edges[-1]])[tier.long()]
    t = ((sight.edge - start) / rule.ramp).clamp(0, 1)
    return sight.cosine**rule.alpha * (t * t * (3 - 2 * t)).clamp(min=_LEAST_WEIGHT)


def weigh_broad(sight: Sight, tier: Tensor, weight: Tensor, rule: Rule) -> Tensor:
    """(M,) float32: of the weights that `weigh` gave, those of broad colours."""
    if rule.broad is None:
        return weight
    wider = weight * sight.cosine ** (rule.broad - rule.alpha)
    return torch.where(tier == 1, wider, weight)
