"""Colour for surface points, gathered from the views that see them. Any channel count: colour,
masks, PBR maps. Never pixels scattered into UV: that leaves holes.

Per point only the best tier that any view reaches counts; within it views blend by weight, broad
colours and detail apart if the rule says so (`bands`). What a view sees only beside an outline
takes clean pixels next to it (`beside`): the last tier where they lie within a pixel, as those do
that bilinear sampling mixes, else a tier of its own.
Where a texel covers more than 1.5 pixels the view is sampled from a mip level in which the
background takes no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..cameras.visibility import Sight, ViewGeometry, looks, sample
from ..surface.points import SurfacePoints
from .bands import broad_colors
from .outline_texels import ONE_SIDED, clean_places_beside
from .sharp_lookup import sharp_colors
from .tiers import BESIDE, Rule, grade, weigh, weigh_broad

_MINIFYING = 1.5
_COARSEST = 6.0
_NO_TIER = 255


@dataclass(frozen=True, slots=True)
class PaintedView:
    """A view's geometry and its picture: image (1, C, h, w) float32, of any resolution with the
    same frame. gain, bias (C,): exposure correction, colour × gain + bias."""

    geometry: ViewGeometry
    image: Tensor
    gain: Tensor | None = None
    bias: Tensor | None = None
    _mips: list[Tensor] = field(default_factory=list, init=False, repr=False, compare=False)
    _broad: dict[float, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def magnification(self) -> float:
        """Image pixels in a pixel of the geometry buffers."""
        return self.image.shape[3] / self.geometry.size[1]

    def mips(self, level: int) -> Tensor:
        """Mip level (1, C + 1, h, w): colour times surface, and surface 0..1. Made when asked."""
        while len(self._mips) <= level:
            self._mips.append(_halved(self._mips[-1]) if self._mips else _surface_only(self))
        return self._mips[level]

    def broad(self, edge: float) -> Tensor:
        """(1, C, h, w): the broad colours of pixels farther than `edge` from outlines. Made when
        asked."""
        if edge not in self._broad:
            inside = self.geometry.image[:, 3:] > edge
            size = self.image.shape[2:]
            if inside.shape[2:] != size:
                inside = torch.nn.functional.interpolate(inside.float(), size=size) > 0
            reach = 2 * edge * self.magnification
            self._broad[edge] = broad_colors(self.image, inside[0, 0], reach)
        return self._broad[edge]


@dataclass(slots=True)
class Gathered:
    """color (N, C) float32, weight (N,) float32 (their sum), tier (N,) uint8 (see `tiers`), view
    (N,) int16: the view that weighs most (-1 = none)."""

    color: Tensor
    weight: Tensor
    tier: Tensor
    view: Tensor


@dataclass(slots=True)
class _Sums:
    """Running sums of one gather; a better tier clears what a worse one gave. color (N, B, C) and
    weight (N, B), of B bands."""

    color: Tensor
    weight: Tensor
    tier: Tensor
    view: Tensor
    largest: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.largest = torch.zeros_like(self.weight[:, 0])

    def add(self, index: Tensor, tier: Tensor, weight: Tensor, color: Tensor, view: int) -> None:
        """Add colours (M, B, C) by weights (M, B) to points `index`, whose tier is no worse than
        before."""
        kept = (self.tier[index] == tier).to(weight)
        largest = self.largest[index] * kept
        self.color[index] = self.color[index] * kept[:, None, None] + color * weight[..., None]
        self.weight[index] = self.weight[index] * kept[:, None] + weight
        self.tier[index] = tier
        wins = weight[:, 0] > largest
        self.largest[index] = torch.maximum(largest, weight[:, 0])
        self.view[index[wins]] = view


def gather(
    points: SurfacePoints, pitch: Tensor, views: Iterable[PaintedView], rule: Rule, channels: int
) -> Gathered:
    """Gather colours for N points; pitch (N,): metres that each texel covers.

    Views are used one after another, so that an iterator may make them as it goes.
    """
    count, device = len(points), points.position.device
    bands = 1 if rule.broad is None else 2
    sums = _Sums(
        torch.zeros((count, bands, channels), device=device),
        torch.zeros((count, bands), device=device),
        torch.full((count,), _NO_TIER, dtype=torch.uint8, device=device),
        torch.full((count,), -1, dtype=torch.int16, device=device),
    )
    least = min(tier.cosine for tier in rule.tiers)
    for number, view in enumerate(views):
        for _, sight in looks(points, view.geometry, least):
            _add_view(sums, number, view, graded(sight, points, view.geometry, rule), pitch, rule)
    seen = sums.tier != _NO_TIER
    color = (sums.color / torch.where(seen[:, None], sums.weight, 1.0)[..., None]).sum(1)
    return Gathered(
        color, sums.weight[:, 0].contiguous(), torch.where(seen, sums.tier, 0), sums.view
    )


def graded(
    sight: Sight, points: SurfacePoints, view: ViewGeometry, rule: Rule
) -> Iterator[tuple[Sight, Tensor]]:
    """The seen part of a sight with its tiers (from 1), then what takes a pixel beside."""
    tier = grade(sight, rule)
    rows = (tier > 0).nonzero()[:, 0]
    yield sight.select(rows), tier[rows]
    moved = clean_places_beside(sight, points, view, tier == 0, rule)
    one_sided = torch.where(moved.error < ONE_SIDED, len(rule.tiers), BESIDE)
    yield moved, one_sided.to(torch.uint8)


def _add_view(
    sums: _Sums,
    number: int,
    view: PaintedView,
    found: Iterable[tuple[Sight, Tensor]],
    pitch: Tensor,
    rule: Rule,
) -> None:
    for sight, tier in found:
        rows = (tier <= sums.tier[sight.index]).nonzero()[:, 0]
        used, level = sight.select(rows), tier[rows]
        weight, color = _bands(view, used, level, pitch[used.index], rule)
        sums.add(used.index, level, weight, color, number)


def _bands(
    view: PaintedView, sight: Sight, tier: Tensor, pitch: Tensor, rule: Rule
) -> tuple[Tensor, Tensor]:
    """Weights (M, B) and colours (M, B, C), whose sum over B is what the view shows: all of it in
    one band, or detail and broad colours."""
    color = view_colors(view, sight, pitch, tier == 1 if rule.sharp else None)
    weight = weigh(sight, tier, rule)
    if rule.broad is None:
        return weight[:, None], color[:, None]
    low = sample(view.broad(rule.tiers[0].edge), sight.pixel, view.geometry.size).T
    low = _exposed(view, low)
    weights = torch.stack((weight, weigh_broad(sight, tier, weight, rule)), 1)
    return weights, torch.stack((color - low, low), 1)


def view_colors(
    view: PaintedView, sight: Sight, pitch: Tensor, sharp: Tensor | None = None
) -> Tensor:
    """(M, C): what a view shows of the points of a sight, its exposure corrected. sharp (M,) bool:
    points whose grain is kept as a texture needs it (see `sharp_colors`)."""
    # A slanted texel is foreshortened one way: the root splits the difference between axes.
    texel = pitch / sight.footprint * view.magnification * sight.cosine.sqrt()
    color = sample(view.image, sight.pixel, view.geometry.size).T
    coarse = (texel > _MINIFYING).nonzero()[:, 0]
    if sharp is not None:
        rows = (sharp & (texel <= _MINIFYING)).nonzero()[:, 0]
        color = color.contiguous()
        color[rows] = sharp_colors(
            view.image, sight.pixel[rows], view.geometry.size, texel[rows], color[rows]
        )
    if len(coarse):
        color = color.contiguous()
        color[coarse] = _mip_colors(view, sight.pixel[coarse], texel[coarse])
    return _exposed(view, color)


def _exposed(view: PaintedView, color: Tensor) -> Tensor:
    """Colours (M, C) with the view's exposure corrected."""
    if view.gain is None or view.bias is None:
        return color
    return color * view.gain + view.bias


def _mip_colors(view: PaintedView, pixel: Tensor, texel: Tensor) -> Tensor:
    """Trilinear samples (M, C), a pixel of the level about a texel; the background is left out."""
    level = (texel / _MINIFYING).log2().clamp(max=_COARSEST)
    color = torch.zeros((len(pixel), view.image.shape[1]), device=pixel.device)
    for number in range(int(level.amax().ceil()) + 1):
        share = (1 - (level - number).abs()).clamp(min=0)
        rows = (share > 0).nonzero()[:, 0]
        both = sample(view.mips(number), pixel[rows], view.geometry.size)
        color[rows] += (both[:-1] / both[-1:].clamp(min=1e-6)).T * share[rows, None]
    return color


def _surface_only(view: PaintedView) -> Tensor:
    """(1, C + 1, h, w): colour times surface, and surface (0 or 1)."""
    surface = (view.geometry.image[:, 3:] > 0).float()
    size = view.image.shape[2:]
    if surface.shape[2:] != size:
        surface = torch.nn.functional.interpolate(surface, size=size, mode="nearest")
    return torch.cat((view.image * surface, surface), 1)


def _halved(image: Tensor) -> Tensor:
    """Half the size by averaging; an odd last row or column is repeated first."""
    odd = [side % 2 for side in image.shape[2:]]
    if any(odd):
        image = torch.nn.functional.pad(image, (0, odd[1], 0, odd[0]), mode="replicate")
    return torch.nn.functional.avg_pool2d(image, 2)
