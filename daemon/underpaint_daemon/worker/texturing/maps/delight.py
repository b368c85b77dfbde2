"""Light painted into a texture, taken out again: the part of its brightness that the surface's
direction explains.

Diffuse light depends on the normal as spherical harmonics of the second order (Ramamoorthi and
Hanrahan 2001). They are fitted to the logarithm of the painted luminance over the whole object,
robustly, and divided out. What does not depend on direction (patterns, dirt, grain) stays; what
does by its nature (snow on top) is taken for light, so the correction is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from underpaint_daemon.worker.materials.curves import linear, srgb

_DARKEST = 0.004
_RIDGE = 1e-3
_ROUNDS = 4
_TYPICAL = 0.25  # of the logarithm: errors beyond it count less
_BOUND = 0.7  # of the logarithm
_SAMPLES = 60_000
_LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True, slots=True)
class Light:
    """The fitted light: 9 coefficients of the logarithm, the constant is left out."""

    coefficients: Tensor

    def __call__(self, normal: Tensor) -> Tensor:
        """(N,) brightness of unit normals (N, 3) over the mean."""
        log = _harmonics(normal) @ self.coefficients
        return log.clamp(-_BOUND, _BOUND).exp().to(normal)

    def removed(self, color: Tensor, normal: Tensor) -> Tensor:
        """Colours (N, 3) sRGB 0..1 without it; hues stay."""
        return srgb(linear(color) / self(normal)[:, None])


def fit_light(color: Tensor, normal: Tensor) -> Light:
    """The light on a surface whose points have colours (N, 3) sRGB 0..1 and normals (N, 3)."""
    step = max(1, len(color) // _SAMPLES)
    light = linear(color[::step, :3].double())
    log = (light @ torch.tensor(_LUMA).to(light)).clamp(min=_DARKEST).log()
    basis = _harmonics(normal[::step])
    weight = torch.ones_like(log)
    identity = torch.eye(basis.shape[1]).to(basis) * _RIDGE
    identity[0, 0] = 0
    found = torch.zeros(basis.shape[1]).to(basis)
    for _ in range(_ROUNDS):
        weighted = basis * weight[:, None]
        normal_matrix = weighted.T @ basis / len(log) + identity
        found = torch.linalg.solve(normal_matrix, weighted.T @ log / len(log))
        error = (log - basis @ found).abs()
        weight = _TYPICAL / error.clamp(min=_TYPICAL)
    found[0] = 0
    # The mean over the surface is to stay what it was.
    found[0] = -float((basis @ found).mean())
    return Light(found)


def _harmonics(normal: Tensor) -> Tensor:
    """(N, 9) float64: real spherical harmonics up to order 2, without their constants."""
    x, y, z = normal.double().unbind(1)
    rows = [torch.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1]
    return torch.stack(rows, 1)
