"""An optimiser that learns more from each picture: Muon for matrices, AdamW for the rest.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") replaces the
momentum of each weight matrix by the nearest orthogonal matrix. Convolutions count as matrices of
output channels by all their inputs. Updates are scaled to the size of AdamW's (Liu et al. 2025,
"Muon is scalable for LLM training"), so that both share one learning rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, tuned in the first paper
_ITERATIONS = 5
_RMS = 0.2  # root mean square of AdamW's update, over the learning rate


def split_weights(networks: Iterable[nn.Module]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Weights that Muon takes (hidden matrices and convolutions) and those left to AdamW."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for network in networks:
        for name, weight in network.named_parameters():
            hidden = weight.dim() >= 2 and min(weight.shape[0], weight[0].numel()) >= 16
            taken = hidden and "embed" not in name
            (matrices if taken else others).append(weight)
    return matrices, others


class Optimisers:
    """Muon and AdamW over the weights of several networks, as one optimiser."""

    def __init__(self, networks: Iterable[nn.Module], lr: float) -> None:
        matrices, others = split_weights(networks)
        rest = torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        self._parts: tuple[torch.optim.Optimizer, ...] = (Muon(matrices, lr), rest)

    def set_rate(self, rate: float) -> None:
        """The learning rate of both."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)

    def step(self) -> None:
        """One update of every weight that has a gradient."""
        for part in self._parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"parts": [part.state_dict() for part in self._parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        for part, mine in zip(self._parts, state["parts"], strict=True):
            part.load_state_dict(mine)


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum, matrices of one shape at a time in one batch."""

    def __init__(
        self,
        weights: list[nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every weight that has a gradient."""
        for group in self.param_groups:
            shapes: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes[len(weight), weight[0].numel()].append(weight)
            for shape, weights in shapes.items():
                self._update(shape, weights, group)

    def _update(
        self, shape: tuple[int, int], weights: list[nn.Parameter], group: dict[str, Any]
    ) -> None:
        pushes = torch.stack([self._push(weight, group["momentum"]) for weight in weights])
        size = _RMS * max(shape) ** 0.5
        for weight, turn in zip(weights, orthogonalised(pushes), strict=True):
            weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(turn.view_as(weight).to(weight.dtype), alpha=-group["lr"] * size)

    def _push(self, weight: nn.Parameter, momentum: float) -> Tensor:
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        assert weight.grad is not None
        state["momentum"].lerp_(weight.grad, 1 - momentum)
        return weight.grad.lerp(state["momentum"], momentum).flatten(1)


def orthogonalised(matrices: Tensor) -> Tensor:
    """(n, rows, columns) to the same shape, every singular value brought near 1, in bfloat16."""
    tall = matrices.shape[1] > matrices.shape[2]
    turned: Tensor = (matrices.mT if tall else matrices).bfloat16()
    turned = turned / (turned.norm(dim=(1, 2), keepdim=True) + 1e-7)
    first, second, third = _COEFFICIENTS
    for _ in range(_ITERATIONS):
        gram = turned @ turned.mT
        turned = first * turned + (second * gram + third * gram @ gram) @ turned
    return turned.mT if tall else turned
