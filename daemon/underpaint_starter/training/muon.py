"""An optimiser that learns more from each picture: Muon for matrices, AdamW for the rest.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks") replaces the
momentum of each weight matrix by the nearest orthogonal matrix. Convolutions count as matrices of
output channels by all their inputs. Updates are scaled to the size of AdamW's (Liu et al. 2025,
"Muon is scalable for LLM training"), so that both share one learning rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration, tuned in the first paper
_ITERATIONS = 3  # 5 in the paper; a third of a step's time on one thread
_FRESH = 2.5  # times the learning rate
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

    def __init__(self, networks: Iterable[nn.Module], lr: float, fresh: str = "-") -> None:
        """`fresh`: part of the names of weights that are new beside trained ones; what AdamW has of
        them learns faster."""
        networks = list(networks)
        matrices, others = split_weights(networks)
        new = {id(w) for net in networks for name, w in net.named_parameters() if fresh in name}
        groups: list[dict[str, Any]] = [{"params": [w for w in others if id(w) not in new]}]
        groups.append({"params": [w for w in others if id(w) in new], "scale": _FRESH})
        rest = torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        self._parts: tuple[torch.optim.Optimizer, ...] = (Muon(matrices, lr), rest)

    def set_rate(self, rate: float) -> None:
        """The learning rate of both."""
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)

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
    def step(self) -> None:  # type: ignore[override]
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
    """(n, rows, columns) to the same shape, every singular value brought near 1.

    All but two products are of small square matrices: a step multiplies from the left by a
    polynomial of the Gram matrix, and the polynomials commute. In float32 unless the machine
    computes bfloat16 fast: a processor without its instructions is ten times slower in it.
    """
    tall = matrices.shape[1] > matrices.shape[2]
    turned: Tensor = (matrices.mT if tall else matrices).float()
    turned = turned / (turned.norm(dim=(1, 2), keepdim=True) + 1e-7)
    first, second, third = _COEFFICIENTS
    gram = turned @ turned.mT
    total: Tensor | None = None
    for _ in range(_ITERATIONS):
        step = second * gram + third * gram @ gram
        step.diagonal(dim1=1, dim2=2).add_(first)
        total = step if total is None else step @ total
        gram = step @ gram @ step
    assert total is not None
    turned = total @ turned
    return turned.mT if tall else turned
