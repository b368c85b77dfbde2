"""Picture styles applied after shading: ink outlines and watercolour."""

import torch
from torch import Tensor

from underpaint_starter.scenes.patterns import noise


def ink_lines(image: Tensor, ids: Tensor, depth: Tensor, normal: Tensor) -> Tensor:
    """Dark lines where the object, the depth or the direction of the surface jumps."""
    near = depth.clamp(max=1e3)
    n = normal.reshape(*ids.shape, 3)
    line = torch.zeros_like(near)
    for axis in (0, 1):
        for step in (1, -1):
            other = ids.roll(step, axis)
            edge = (ids != other) & (torch.maximum(ids, other) >= 2)
            jump = (near - near.roll(step, axis)).abs() > 0.08 * near.clamp(min=0.5)
            crease = (n * n.roll(step, axis)).sum(-1) < 0.6
            line += (edge | ((ids >= 2) & (ids == other) & (jump | crease))).float()
    thick = torch.nn.functional.max_pool2d(line.clamp(max=1)[None, None], 3, 1, 1)[0, 0]
    return image * (1 - 0.88 * thick)[..., None]


def watercolour(image: Tensor, seed: int) -> Tensor:
    """Pale washes with dark rims and paper grain; image (h, w, 3) sRGB 0..1."""
    h, w = image.shape[:2]
    y, x = torch.meshgrid(
        torch.arange(h, device=image.device) / h,
        torch.arange(w, device=image.device) / w,
        indexing="ij",
    )
    flat = torch.stack((x, y, torch.full_like(x, (seed % 97) / 97)), -1).reshape(-1, 3)
    wobble = torch.stack((noise(flat * 1.5), noise(flat * 1.5 + 0.5)), -1).reshape(h, w, 2) - 0.5
    at = torch.stack((x, y), -1) * 2 - 1 + 0.035 * wobble
    planes = image.permute(2, 0, 1)[None]
    moved = torch.nn.functional.grid_sample(
        planes, at[None].to(image.dtype), padding_mode="border", align_corners=False
    )
    soft = torch.nn.functional.avg_pool2d(moved, 3, 1, 1, count_include_pad=False)
    wide = torch.nn.functional.avg_pool2d(moved, 9, 1, 4, count_include_pad=False)
    rim = (wide - soft).abs().mean(1, keepdim=True) * 1.6
    pigment = noise(flat * 0.9 + 0.2).reshape(1, 1, h, w) - 0.5
    paper = noise(flat * 7.3).reshape(1, 1, h, w) - 0.5
    out = 1 - (1 - soft) * (0.8 + 0.5 * pigment) * (1 + rim) + 0.09 * paper
    return (out - 0.35 * rim).clamp(0, 1)[0].permute(1, 2, 0)
