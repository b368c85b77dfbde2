"""Networks larger than the card: their blocks visit it, one while the one before works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from underpaint.requests import Control, ControlKind, ImageRequest, Lora, Prompt, Sampling, View
from underpaint_daemon.common.contents.blocks import bytes_at_once, in_blocks
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.memory import Tier, frugal
from underpaint_daemon.worker.pipelines.waiting.visiting import whole

from helpers.painting.studio import Recorder, Studio

CPU = torch.device("cpu")
WIDTH = 8
BLOCK = 4 * (WIDTH * WIDTH + WIDTH)


class Chain(torch.nn.Module):
    """Calls its layers in the order it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Linear(WIDTH, WIDTH)
        self.layers = torch.nn.ModuleList(torch.nn.Linear(WIDTH, WIDTH) for _ in range(5))
        self.register_buffer("shift", torch.ones(WIDTH))

    def forward(self, x: torch.Tensor, order: Sequence[int] = range(5)) -> torch.Tensor:
        x = self.first(x) + self.shift
        for i in order:
            x = self.layers[i](x)
        return x


@pytest.fixture
def chain() -> Chain:
    torch.manual_seed(0)
    return Chain().eval().requires_grad_(False)


def there(networks: Sequence[Any]) -> int:
    """Bytes of weights that are somewhere and not only waited for."""
    weights = {id(one): one for net in networks for one in net.parameters() if not one.is_meta}
    return sum(one.numel() * one.element_size() for one in weights.values())


@contextmanager
def watched(networks: Sequence[Any]) -> Iterator[list[int]]:
    """What is there whenever one of the networks' layers is called."""
    found, hooks = list[int](), []
    for network in networks:
        for layer in network.modules():
            note: Callable[..., None] = lambda *_: found.append(there(networks))  # noqa: E731
            hooks.append(layer.register_forward_pre_hook(note))
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def test_two_blocks_are_on_the_card_and_the_next_one_is_the_one_that_came_last_time(chain: Chain):
    x = torch.randn(2, WIDTH)
    orders = (range(5), range(5), (4, 0, 0, 2), (4, 0, 0, 2), (3,), range(5))
    expected = [chain(x, order) for order in orders]
    layers = list(chain.layers)
    with frugal(Tier.BLOCKS, [chain], CPU), watched([chain]) as seen:
        assert torch.equal(chain(x), expected[0])
        assert not layers[1].weight.is_meta or not layers[4].weight.is_meta
        for order, wanted in zip(orders, expected, strict=True):
            assert torch.equal(chain(x, order), wanted)
        # Of the order of last time the first follows the last.
        assert [not layer.weight.is_meta for layer in layers] == [True, False, False, False, True]
    assert max(seen) == 3 * BLOCK


def test_networks_that_take_turns_have_two_blocks_together(chain: Chain):
    other, x = Chain().eval().requires_grad_(False), torch.randn(2, WIDTH)
    expected = chain(x), other(x)
    with frugal(Tier.BLOCKS, [chain, other], CPU), watched([chain, other]) as seen:
        for _ in range(3):
            assert torch.equal(chain(x), expected[0])
            assert torch.equal(other(x), expected[1])
    assert max(seen) == 4 * BLOCK


def test_an_error_in_the_midst_leaves_all_as_it_was(chain: Chain):
    x, before = torch.randn(2, WIDTH), dict(chain.named_parameters())
    expected = chain(x)
    for _ in range(2):
        with frugal(Tier.BLOCKS, [chain], CPU):
            chain(x)
            with pytest.raises(IndexError):
                chain(x, (0, 1, 9))
            assert chain.layers[3].weight.is_meta
        assert all(one is before[name] for name, one in chain.named_parameters())
        assert torch.equal(chain(x), expected)
    with frugal(Tier.BLOCKS, [chain], CPU):
        with pytest.raises(RuntimeError, match="shapes"):
            chain(torch.randn(2, 3))
        assert torch.equal(chain(x), expected)


def test_what_several_blocks_share_belongs_to_none(chain: Chain):
    chain.layers[3].weight = chain.layers[1].weight
    chain.layers[4] = chain.layers[2]
    x = torch.randn(2, WIDTH)
    expected = chain(x)
    with frugal(Tier.BLOCKS, [chain], CPU):
        for _ in range(2):
            assert torch.equal(chain(x), expected)
        assert chain.layers[3].weight is chain.layers[1].weight
        assert not chain.layers[4].weight.is_meta


def test_what_visits_whole_is_never_copied_back(chain: Chain):
    """From a device that keeps no numbers nothing could be."""
    x, before = torch.randn(2, WIDTH), dict(chain.named_parameters())
    expected, guest = chain(x), whole(chain, torch.device("meta"))
    for _ in range(2):
        guest.come()
        guest.come()
        assert all(one.is_meta for one in (*chain.parameters(), *chain.buffers()))
        guest.leave()
        assert all(one is before[name] for name, one in chain.named_parameters())
    guest.come()
    guest.restore()
    assert torch.equal(chain(x), expected)


def test_lists_within_lists_are_parted_where_least_lies_on_the_card():
    inner = {f"down.2.attn.{i}.blocks.{k}.to_out.0.weight": 6 for i in (0, 1) for k in range(10)}
    inner |= {f"down.2.attn.{i}.blocks.{k}.to_q.weight": 6 for i in (0, 1) for k in range(10)}
    sizes = inner | {"down.0.weight": 10, "down.1.weight": 12, "in.weight": 3, "tables.0": 1}
    blocks = in_blocks(sizes)
    assert blocks["down.2.attn.1.blocks.9"] == [
        "down.2.attn.1.blocks.9.to_out.0.weight",
        "down.2.attn.1.blocks.9.to_q.weight",
    ]
    assert blocks[""] == ["in.weight", "tables.0"]
    assert bytes_at_once(sizes) == 3 + 1 + 12 + 12
    assert in_blocks({}) == {"": []}


def test_a_list_that_is_never_called_itself_is_no_block_however_small():
    """As Stable Cascade's UNet has them: lists of layers in a list."""
    sizes = {"down.0.0.weight": 1, "down.0.1.weight": 1, "down.1.0.weight": 1000}
    assert set(in_blocks(sizes)) == {"", "down.0.0", "down.0.1", "down.1.0"}


def test_a_picture_takes_two_blocks_of_its_model(studio: Studio, view: View):
    """As the plan by the headers foresees, beside what a LoRA and two ControlNets add."""
    model = studio.models.load("tiny")
    asked = settle(
        ImageRequest(
            Prompt("a red cube"), "tiny", 64, 64, Sampling(steps=3), view=view,
            controls=(Control(ControlKind.DEPTH, end=0.5), Control(ControlKind.NORMAL, start=0.4)),
            loras=(Lora("style"),),
        ),
        studio.models.paths,
    )  # fmt: skip
    expected, again = (
        run_image(model, asked, studio.buffers, Tier.TILED, Recorder(credit=False))[0]
        for _ in range(2)
    )
    assert np.array_equal(expected, again)
    networks = [model.unet, *model.controlnets.loaded.values()]
    whole = sum(there([one]) for one in networks)
    with watched(networks) as seen:
        made = run_image(model, asked, studio.buffers, Tier.BLOCKS, Recorder(credit=False))[0]
    assert np.array_equal(made, expected)
    sizes = [{n: t.numel() * 4 for n, t in one.named_parameters()} for one in networks]
    rest = sum(sum(one[n] for n in in_blocks(one)[""]) for one in sizes)
    blocks = sorted(sum(one[n] for n in b) for one in sizes for k, b in in_blocks(one).items() if k)
    assert max(seen) < 1.1 * (rest + sum(blocks[-2:])) < whole
