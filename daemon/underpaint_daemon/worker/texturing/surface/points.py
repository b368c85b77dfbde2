"""Points on a surface: what a view is asked whether it sees."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class SurfacePoints:
    """position (N, 3) float32 world; normal (N, 3) float32 unit; object_id (N,) int32."""

    position: Tensor
    normal: Tensor
    object_id: Tensor

    def __len__(self) -> int:
        return self.position.shape[0]

    def select(self, rows: Tensor | slice) -> SurfacePoints:
        return SurfacePoints(self.position[rows], self.normal[rows], self.object_id[rows])
