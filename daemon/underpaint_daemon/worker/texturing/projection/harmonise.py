"""Equal exposure for views that overlap: a gain and a bias per view and channel.

Least squares over points that several views see: each view's corrected colour should equal the
weighted mean of all. One view, the anchor, stays as it is, or the whole would drift. Where views
are generated their grain does not agree, and fitting it would shrink the gains (as noise in a
regression's variable does) and so every other view's contrast: there broad colours are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..cameras.visibility import Sight, look, sample
from ..surface.points import SurfacePoints
from .gather import PaintedView, view_colors
from .tiers import Rule, grade, weigh

_STIFFNESS = 0.02  # of a view's own weight: keeps gain near 1 where there is little to go by
_GAINS = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Observations:
    """What V views show of the same N points: color (V, N, C), weight (V, N); 0 = not seen."""

    color: Tensor
    weight: Tensor

    @property
    def shared(self) -> Tensor:
        """(N,) bool: points that two views or more see."""
        return (self.weight > 0).sum(0) > 1


def observe(
    points: SurfacePoints, views: Sequence[PaintedView], rule: Rule, *, broadly: bool = False
) -> Observations:
    """Colours and weights of the points in every view, by the rule's strictest tier. broadly: where
    the rule blends broad colours apart (see `bands`), only those."""
    count, channels = len(points), views[0].image.shape[1]
    color = torch.zeros((len(views), count, channels), device=points.position.device)
    weight = torch.zeros((len(views), count), device=points.position.device)
    for number, view in enumerate(views):
        sight = look(points, view.geometry, rule.tiers[0].cosine)
        tier = grade(sight, rule)
        rows = (tier == 1).nonzero()[:, 0]
        sight = sight.select(rows)
        weight[number, sight.index] = weigh(sight, tier[rows], rule)
        color[number, sight.index] = _observed(view, sight, rule, broadly)
    return Observations(color, weight)


def _observed(view: PaintedView, sight: Sight, rule: Rule, broadly: bool) -> Tensor:
    if broadly and rule.broad is not None:
        return sample(view.broad(rule.tiers[0].edge), sight.pixel, view.geometry.size).T
    return view_colors(view, sight, torch.zeros_like(sight.footprint))


def harmonise(
    views: Sequence[PaintedView], seen: Observations, anchor: int = 0
) -> list[PaintedView]:
    """The views with gain and bias set so that they agree where they overlap.

    anchor: the view whose exposure stands. Deterministic; gains stay within 0.5..2.
    """
    gains, biases = solve(seen, anchor)
    return [
        replace(view, gain=gain, bias=bias)
        for view, gain, bias in zip(views, gains, biases, strict=True)
    ]


def solve(seen: Observations, anchor: int = 0) -> tuple[Tensor, Tensor]:
    """Gains and biases (V, C) float32."""
    rows = seen.shared.nonzero()[:, 0]
    color, weight = seen.color[:, rows].double(), seen.weight[:, rows].double()
    count, channels = color.shape[0], color.shape[2]
    share = weight / weight.sum(0).clamp(min=1e-30)
    gains = torch.ones((count, channels), dtype=torch.float64, device=color.device)
    biases = torch.zeros_like(gains)
    for channel in range(channels):
        gains[:, channel], biases[:, channel] = _solve_channel(
            color[..., channel], weight, share, anchor
        )
    return gains.clamp(*_GAINS).float(), biases.float()


def _solve_channel(
    color: Tensor, weight: Tensor, share: Tensor, anchor: int
) -> tuple[Tensor, Tensor]:
    """Normal equations of sum w_i (g_i c_i + b_i - mean)², unknowns (g - 1, b) of each view."""
    views = color.shape[0]
    left = torch.zeros((2 * views, 2 * views), dtype=torch.float64, device=color.device)
    right = torch.zeros(2 * views, dtype=torch.float64, device=color.device)
    basis = torch.cat((color, torch.ones_like(color)))  # (2V, N): factors of g and of b
    twice_weight, twice_share = weight.repeat(2, 1), share.repeat(2, 1)
    left -= (basis * twice_weight) @ (basis * twice_share).T
    own = torch.arange(views, device=color.device)
    for a in (0, views):
        for b in (0, views):
            left[own + a, own + b] += (weight * basis[a : a + views] * basis[b : b + views]).sum(1)
    mean = (share * color).sum(0)
    right -= (twice_weight * basis * (color - mean).repeat(2, 1)).sum(1)
    stiffness = _STIFFNESS * weight.sum(1).clamp(min=1e-9)
    left.diagonal().add_(torch.cat((stiffness * 0.1, stiffness)))
    free = torch.ones(2 * views, dtype=torch.bool, device=color.device)
    free[[anchor, anchor + views]] = False
    solved = torch.zeros_like(right)
    solved[free] = torch.linalg.solve(left[free][:, free], right[free])
    return 1 + solved[:views], solved[views:]
