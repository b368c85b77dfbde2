"""Which pixels of different views show the same spot of the surface: a sparse averaging operator.

Built once for a set of views at latent resolution; re-weighted at every step. No texture atlas
takes part, so mirrored, overlapping or missing UVs do not matter.

Pixel p of view i shows X with normal n. It lands at q in view j, where it counts when the view's
own position there is X to within a latent pixel, the object is the same, the surface faces view j
and no depth edge is near. Its weight is cos^a x smoothstep(0, 3 px, edge distance); the view's own
pixel takes part without resampling. Pixels that no other view sees stay as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint.requests import Mirror

from ..cameras.render import ViewBuffers
from ..cameras.visibility import Sight, ViewGeometry, look
from ..projection.mirror import mirrored_points
from ..surface.points import SurfacePoints

_LEAST_COSINE = 0.1
_LARGEST_ERROR = 1.0
_LEAST_EDGE = 1.0
_EDGE_RAMP = 3.0
_OWN_COSINE = 1e-2


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Entries of the operator, ordered by row. N: pixels of all views, one view after another.

    sizes: (h, w) of each view. row (E,) int64. column (E, T) int64 and tap (E, T) float32: where
    the entry reads, bilinearly. cosine, fade (E,) float32: what weights are made of. shared (N,)
    bool: pixels that another view sees too; all others are left alone.
    """

    sizes: tuple[tuple[int, int], ...]
    row: Tensor
    column: Tensor
    tap: Tensor
    cosine: Tensor
    fade: Tensor
    shared: Tensor

    @classmethod
    def build(cls, views: Sequence[ViewBuffers], mirror: Mirror | None = None) -> Correspondence:
        """The operator of views at latent resolution (positions, normals, object ids, depth).

        mirror: spots also take part in the average of their mirror images.
        """
        geometry = [ViewGeometry.of(view) for view in views]
        sizes = tuple(view.size for view in views)
        starts = _starts(sizes)
        parts = list[_Entries]()
        for i, view in enumerate(views):
            pixels = view.mask.reshape(-1).nonzero()[:, 0]
            points = _points(view, pixels)
            rows = pixels + starts[i]
            parts.append(_own(points, rows, pixels, geometry[i]))
            for j, other in enumerate(views):
                if j != i:
                    sight = look(points, geometry[j], _LEAST_COSINE)
                    parts.append(_across(points, rows, sight, other, starts[j]))
                if mirror is not None:
                    twins = mirrored_points(points, mirror)
                    sight = look(twins, geometry[j], _LEAST_COSINE)
                    parts.append(_across(twins, rows, sight, other, starts[j]))
        return _assemble(parts, sizes, starts[-1], views[0].mask.device)

    @property
    def pixels(self) -> int:
        return int(self.shared.shape[0])

    @property
    def across(self) -> Tensor:
        """(E,) bool: entries that read another view than their pixel's own."""
        return (self.column[:, 0] != self.row) | (self.tap[:, 0] != 1)

    def matrix(self, exponent: float) -> Tensor:
        """The averaging matrix (N, N), sparse CSR float32; rows sum to one."""
        weight = self.cosine**exponent * self.fade
        total = torch.zeros(self.pixels, device=weight.device).index_add_(0, self.row, weight)
        value = (weight / total[self.row].clamp(min=1e-20))[:, None] * self.tap
        ends = torch.bincount(self.row, minlength=self.pixels).cumsum(0) * self.tap.shape[1]
        with warnings.catch_warnings():
            # torch calls its CSR tensors beta once per process.
            warnings.simplefilter("ignore", UserWarning)
            return torch.sparse_csr_tensor(
                torch.cat((ends.new_zeros(1), ends)),
                self.column.reshape(-1),
                value.reshape(-1),
                (self.pixels, self.pixels),
                check_invariants=False,
            )

    def apply(self, images: Sequence[Tensor], exponent: float) -> list[Tensor]:
        """Average what views show of the same spots. images: (1, C, h, w) float32 each."""
        flat = torch.cat([image[0].flatten(1).T for image in images]).float()
        mixed = torch.where(self.shared[:, None], self.matrix(exponent) @ flat, flat)
        return self.split(mixed)

    def split(self, flat: Tensor) -> list[Tensor]:
        """Rows (N, C) back into images (1, C, h, w)."""
        parts = torch.split(flat, [h * w for h, w in self.sizes])
        return [
            part.T.reshape(1, -1, *size).contiguous()
            for part, size in zip(parts, self.sizes, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Entries:
    row: Tensor
    column: Tensor
    tap: Tensor
    cosine: Tensor
    fade: Tensor
    own: bool


def _starts(sizes: Sequence[tuple[int, int]]) -> list[int]:
    starts = [0]
    for height, width in sizes:
        starts.append(starts[-1] + height * width)
    return starts


def _points(view: ViewBuffers, pixels: Tensor) -> SurfacePoints:
    return SurfacePoints(
        view.position.reshape(-1, 3)[pixels],
        view.normal.reshape(-1, 3)[pixels],
        view.object_id.reshape(-1)[pixels],
    )


def _fade(edge: Tensor) -> Tensor:
    t = (edge / _EDGE_RAMP).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _own(points: SurfacePoints, rows: Tensor, pixels: Tensor, view: ViewGeometry) -> _Entries:
    """Each pixel's own entry; it never weighs nothing, so that every row has a sum."""
    eye = torch.from_numpy(view.camera.position).to(points.position)
    if view.camera.orthographic:
        axis = torch.from_numpy(view.camera.view_matrix[2, :3]).to(points.normal)
        cosine = points.normal @ axis
    else:
        toward = torch.nn.functional.normalize(eye - points.position, dim=1)
        cosine = (toward * points.normal).sum(1)
    edge = view.image[0, 3].reshape(-1)[pixels]
    column = rows[:, None].expand(-1, 4).contiguous()
    tap = torch.zeros(column.shape, device=rows.device)
    tap[:, 0] = 1
    fade = _fade(edge).clamp(min=1e-3)
    return _Entries(rows, column, tap, cosine.clamp(min=_OWN_COSINE), fade, True)


def _across(
    points: SurfacePoints, rows: Tensor, sight: Sight, other: ViewBuffers, start: int
) -> _Entries:
    """The entries of view i's points that view j sees too."""
    keep = (sight.error < _LARGEST_ERROR) & (sight.edge > _LEAST_EDGE)
    sight = sight.select(keep.nonzero()[:, 0])
    index, tap = _taps(sight.pixel, other.size)
    same = other.object_id.reshape(-1)[index] == points.object_id[sight.index][:, None]
    good = same.all(1).nonzero()[:, 0]
    sight = sight.select(good)
    return _Entries(
        rows[sight.index],
        index[good] + start,
        tap[good],
        sight.cosine,
        _fade(sight.edge),
        False,
    )


def _taps(pixel: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flat indices and weights (M, 4) of a bilinear lookup at pixels (x, y), centres at +0.5."""
    at = pixel - 0.5
    low = at.floor()
    part = at - low
    x = torch.stack((low[:, 0], low[:, 0] + 1), 1).long().clamp(0, size[1] - 1)
    y = torch.stack((low[:, 1], low[:, 1] + 1), 1).long().clamp(0, size[0] - 1)
    across = torch.stack((1 - part[:, 0], part[:, 0]), 1)
    down = torch.stack((1 - part[:, 1], part[:, 1]), 1)
    index = y[:, :, None] * size[1] + x[:, None, :]
    weight = down[:, :, None] * across[:, None, :]
    return index.flatten(1), weight.flatten(1)


def _assemble(
    parts: Sequence[_Entries],
    sizes: tuple[tuple[int, int], ...],
    pixels: int,
    device: torch.device,
) -> Correspondence:
    """Entries of all pairs in one list, ordered by row; rows of a lone entry are left out."""
    shared = torch.zeros(pixels, dtype=torch.bool, device=device)
    for part in parts:
        if not part.own:
            shared[part.row] = True
    row = torch.cat([part.row for part in parts])
    kept = shared[row].nonzero()[:, 0]
    order = kept[torch.argsort(row[kept], stable=True)]

    def ordered(name: str) -> Tensor:
        return torch.cat([getattr(part, name) for part in parts])[order]

    return Correspondence(
        sizes,
        row[order],
        ordered("column"),
        ordered("tap"),
        ordered("cosine"),
        ordered("fade"),
        shared,
    )
