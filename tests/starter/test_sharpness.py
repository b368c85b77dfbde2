"""What keeps paintings from being soft: local contrast, the discriminator, and their weights."""

import torch

from underpaint_starter.training.adversary import Adversary, Discriminator, balanced_backward
from underpaint_starter.training.losses import denoising_loss, detail_loss
from underpaint_starter.training.reader import Reader, texture_loss

torch.set_num_threads(1)


def texture(seed: int, count: int = 2) -> torch.Tensor:
    return torch.randn(count, 4, 32, 32, generator=torch.Generator().manual_seed(seed))


def test_another_texture_of_the_same_contrast_is_better_than_none() -> None:
    true, other, mask = texture(0), texture(1), torch.ones(2, 1, 32, 32)
    flat = torch.zeros_like(true)
    assert float(detail_loss(true, true, mask)) == 0
    assert float(detail_loss(other, true, mask)) < 0.4 * float(detail_loss(flat, true, mask))
    assert float(denoising_loss(flat, true, mask)) < float(denoising_loss(other, true, mask))


def test_bricks_in_another_place_read_alike_and_a_flat_wall_or_other_bricks_do_not() -> None:
    torch.manual_seed(0)
    reader, mask = Reader().requires_grad_(False), torch.ones(2, 1, 32, 32)
    bars = (torch.arange(32) % 8 < 4).float() * 2 - 1
    wall = bars[None, None, :, None].expand(2, 4, 32, 32)
    moved, turned, flat = wall.roll(1, 2), wall.mT, torch.zeros_like(wall)
    away = float(texture_loss(reader, moved, wall, mask))
    assert float(texture_loss(reader, wall, wall, mask)) == 0
    assert away < 0.5 * float(texture_loss(reader, flat, wall, mask))
    assert away < 0.7 * float(texture_loss(reader, turned, wall, mask))


def test_every_loss_pulls_with_its_share_of_the_first_ones_strength() -> None:
    weight = torch.ones(8, requires_grad=True)
    first, second = torch.eye(8)[0], torch.eye(8)[1]
    losses = balanced_backward(
        weight * 1.0,
        {"loss": (lambda v: 5 * v @ first, 1.0), "other": (lambda v: 1e-3 * v @ second, 0.5)},
    )
    assert weight.grad is not None
    assert torch.allclose(weight.grad, 5 * first + 2.5 * second, atol=1e-4)
    assert abs(losses["loss"] - 5) < 1e-5
    assert abs(losses["other"] - 1e-3) < 1e-5


def test_the_discriminator_learns_to_tell_soft_from_sharp_and_says_which_way_is_better() -> None:
    torch.manual_seed(0)
    adversary = Adversary(Discriminator(4 + 1, blur=0.1, text=3, width=8), learning_rate=3e-3)
    beside, text = torch.zeros(8, 1, 32, 32), torch.randn(8, 3)
    soft = torch.nn.functional.avg_pool2d(texture(1, 8), 5, 1, 2)
    for seed in range(40):
        told = adversary.learn(texture(seed, 8), soft, beside, text)
    assert told < 1.5
    better = adversary.verdict(texture(99, 8), beside, text)
    assert float(better) < float(adversary.verdict(soft, beside, text))
