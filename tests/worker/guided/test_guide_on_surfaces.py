"""The guide's network speaks where the guide shows a surface, and nowhere else."""

import torch
from diffusers import ControlNetModel

from underpaint_daemon.worker.pipelines.controls.on_surfaces import OnSurfaces, shown_of


def a_net() -> ControlNetModel:
    torch.manual_seed(0)
    net = ControlNetModel(
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        layers_per_block=1,
        cross_attention_dim=8,
        attention_head_dim=2,
        norm_num_groups=4,
        conditioning_embedding_out_channels=(4, 4, 8),
    )
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return net.eval()


@torch.no_grad()
def said(net: ControlNetModel, guide: torch.Tensor) -> list[torch.Tensor]:
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    words = torch.randn(1, 3, 8, generator=torch.Generator().manual_seed(2))
    down, middle = net(noise, 999, words, guide, conditioning_scale=0.7, return_dict=False)
    return [*down, middle]


def test_where_nothing_is_shown_nothing_is_said_and_elsewhere_what_was_said_before() -> None:
    guide = torch.full((1, 3, 64, 64), 128 / 255)
    guide[:, :, :, 32:] = torch.rand(1, 3, 64, 32, generator=torch.Generator().manual_seed(3)) / 3
    net = a_net()
    for before, now in zip(said(net, guide), said(OnSurfaces(net), guide), strict=True):
        half = before.shape[-1] // 2
        assert torch.equal(now[..., half:], before[..., half:])
        assert not now[..., :half].any()
        assert before[..., :half].any()


def test_a_pattern_too_small_to_see_is_a_surface_in_half_precision_too() -> None:
    guide = torch.full((1, 3, 4, 4), 128 / 255)
    guide[0, 0, 1:3, 1:3] = 127 / 255
    for kind in (torch.float32, torch.float16, torch.bfloat16):
        assert shown_of(guide.to(kind)).sum() == 4
