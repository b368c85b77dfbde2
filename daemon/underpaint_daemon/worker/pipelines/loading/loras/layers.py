"""LoRAs by the layers that they change: one spelling, PEFT's, for every way to write them.

diffusers reads most of them, but not all: what PEFT itself saves, ComfyUI's names of diffusers'
layers, ranks that differ from layer to layer together with alphas, LyCORIS' LoHa and LoKr, and
makers' layers in other spellings than each family's usual one. Where the names in a file are
layers of the network, its own or its makers' (see `names`), it is written anew here, with alpha
over the rank within the weights (Yeh et al. 2023, LyCORIS; Liu et al. 2024, DoRA).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NoReturn

import torch
from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.lora_files import OF_TEXT

from ..packing.packed import OWN, PackedLayer, make_plain, weight_shape
from .names import Place, places_in, rows_of, without_prefix

State = dict[str, Tensor]
A, B, ALPHA, _SIZE = "lora_A.weight", "lora_B.weight", "alpha", "lora_magnitude_vector"
_HADA = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
_KRON = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b")
_ENDINGS = {
    **{name: A for name in (A, "lora_down.weight", "lora.down.weight", "down.weight")},
    **{name: B for name in (B, "lora_up.weight", "lora.up.weight", "up.weight")},
    **{name: _SIZE for name in (_SIZE, f"{_SIZE}.weight", "dora_scale")},
    **{name: name for name in (ALPHA, *_HADA, *_KRON)},
}
_OF_CHECKPOINTS = ("input_blocks", "middle_block", "output_blocks")


def respelled(state: State, network: Any, component: str) -> State | None:
    """A LoRA's tensors as `component.layer.lora_A.weight` and so on; None where not all of them
    are layers of the network by name (of a transformer that has names of its makers: not half).

    Raises RequestError(LORA_MISSING) for shapes that are not the layer's.
    """
    layers, known = dict(network.named_modules()), places_in(network)
    parts: dict[str, State] = {}
    unknown = set[str]()
    for key, tensor in _by_blocks(state, network).items():
        where, ending = cut(key)
        name = without_prefix(where)
        if ending is None:
            return None
        if name in known:
            parts.setdefault(name, {})[ending] = tensor.float()
        else:
            unknown.add(where)
    if unknown and (not _has_makers_names(known) or len(unknown) > len(parts)):
        return None
    dtype = network.dtype  # diffusers looks through all of the network for it each time
    return {
        f"{component}.{layer}.{name}": tensor.to(dtype)
        for at, found in parts.items()
        for layer, own in _placed(at, found, known[at], network, layers)
        for name, tensor in own.items()
    }


def _has_makers_names(known: Mapping[str, Place]) -> bool:
    return any(len(place.layers) > 1 for place in known.values())


def _placed(
    at: str, parts: State, place: Place, network: Any, layers: dict[str, Any]
) -> Iterator[tuple[str, State]]:
    """What a LoRA's layer is for each layer of the network that it changes."""
    for layer in place.layers if _reads_weights(parts) else ():
        if getattr(layers[layer], "kind", None) in OWN:
            layers[layer] = make_plain(network, layer)
    first = layers[place.layers[0]]
    rows = rows_of(place, layers)
    packed = any(isinstance(layers[layer], PackedLayer) for layer in place.layers)
    shape = (sum(rows), *weight_shape(first)[1:])
    made = _plain(at, parts, shape, packed=packed)
    if len(rows) > 1 or place.swapped:
        made = _without_kronecker(at, made)
    if place.swapped:
        made = {name: _swapped(name, tensor) for name, tensor in made.items()}
    if len(rows) == 1:
        yield place.layers[0], made
        return
    ends = [sum(rows[:i]) for i in range(len(rows) + 1)]
    for layer, span in zip(place.layers, pairwise(ends), strict=True):
        yield layer, {name: one if name == A else one[slice(*span)] for name, one in made.items()}


def _swapped(name: str, tensor: Tensor) -> Tensor:
    return tensor if name == A else torch.cat(tensor.chunk(2)[::-1])


def _without_kronecker(layer: str, parts: State) -> State:
    """w1 ⊗ (w2a·w2b) as one product, (w1 ⊗ w2a)·(I ⊗ w2b), whose rows can be parted."""
    if not any(name in parts for name in _KRON):
        return parts
    if "lokr_w2_a" not in parts:
        _refuse(layer, "is a LoKr with a whole second factor, of layers that are several here")
    first = parts["lokr_w1"] if "lokr_w1" in parts else parts["lokr_w1_a"] @ parts["lokr_w1_b"]
    each = torch.eye(first.shape[1])
    return {A: torch.kron(each, parts["lokr_w2_b"]), B: torch.kron(first, parts["lokr_w2_a"])}


def parted(state: State) -> tuple[State, State]:
    """What changes the text encoders, with alpha within the weights, and all else."""
    text = {name: tensor for name, tensor in state.items() if name.startswith(OF_TEXT)}
    return _baked(text), {name: tensor for name, tensor in state.items() if name not in text}


def _baked(state: State) -> State:
    """Plain layers without alphas: diffusers takes them wrongly where ranks differ, too."""
    found = dict(state)
    for key in state:
        where, ending = cut(key)
        alpha = state.get(f"{where}.{ALPHA}")
        if ending == B and alpha is not None:
            rank = state[key].shape[1]
            found[key] = (state[key].float() * _over_rank(alpha, rank)).to(state[key].dtype)
            del found[f"{where}.{ALPHA}"]
    return found


def is_idle(state: State) -> bool:
    """Whether nothing of it acts: each alpha, which is multiplied with the rest, is 0."""
    alphas = [tensor for name, tensor in state.items() if name.endswith(f".{ALPHA}")]
    return bool(alphas) and not any(bool(alpha.any()) for alpha in alphas)


def _by_blocks(state: State, network: Any) -> State:
    """With kohya's names of a checkpoint's blocks as those of diffusers."""
    if not any(piece in name for name in state for piece in _OF_CHECKPOINTS):
        return state
    try:
        mapped: State = _maybe_map_sgm_blocks_to_diffusers(dict(state), network.config)
    except (ValueError, LookupError, AttributeError):  # of no kind that diffusers knows
        return state
    return mapped


def cut(key: str) -> tuple[str, str | None]:
    """A tensor's layer, and which part of the LoRA it is."""
    for ending, name in _ENDINGS.items():
        if key.endswith(f".{ending}"):
            return key.removesuffix(f".{ending}"), name
    return key, None


def _plain(layer: str, parts: State, shape: Sequence[int], *, packed: bool) -> State:
    """A layer's LoRA without alpha. `parts`: by our names of endings. `shape`: of the weights."""
    alpha = parts.pop(ALPHA, None)
    if packed and _reads_weights(parts):
        _refuse(layer, "is a DoRA or LoKr: neither goes onto packed (GGUF) weights")
    if any(name in parts for name in _KRON):
        return _kronecker(layer, parts, alpha, shape)
    if set(parts) == set(_HADA):
        down, up = _hadamard(parts, alpha, shape)
    elif parts.keys() - {_SIZE} == {A, B}:
        down, up = parts[A], parts[B] * _over_rank(alpha, parts[A].shape[0])
        if down.dim() != len(shape) and all(side == 1 for side in (*shape[2:], *down.shape[2:])):
            ones = (1,) * (len(shape) - 2)
            down, up = (one.reshape(*one.shape[:2], *ones) for one in (down, up))
    else:
        _refuse(layer, f"has {', '.join(sorted(parts))} and no more")
    wide, narrow = tuple(shape), (up.shape[0], *down.shape[1:])
    if narrow != wide:
        _refuse(layer, f"changes weights of shape {narrow}; the model's are {wide}")
    size = {_SIZE: _size(layer, parts[_SIZE], shape)} if _SIZE in parts else {}
    return {A: down, B: up, **size}


def _reads_weights(parts: State) -> bool:
    """Whether PEFT computes with the layer's own weight."""
    return bool(parts.keys() & {_SIZE, *_KRON})


def _over_rank(alpha: Tensor | None, rank: int) -> float:
    return 1.0 if alpha is None else float(alpha) / rank


def _hadamard(parts: State, alpha: Tensor | None, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """(w1a·w1b) ∘ (w2a·w2b) as one product: its columns and rows are those of both, pair by pair,
    so that its rank is theirs multiplied."""
    left1, right1, left2, right2 = (parts[name] for name in _HADA)
    up = (left1[:, :, None] * left2[:, None, :]).flatten(1)
    down = (right1[:, None, :] * right2[None, :, :]).flatten(0, 1)
    up = up * _over_rank(alpha, right1.shape[0])
    if len(shape) > 2:
        return down.reshape(-1, *shape[1:]), up[..., None, None]
    return down, up


def _kronecker(layer: str, parts: State, alpha: Tensor | None, shape: Sequence[int]) -> State:
    """As PEFT has it: alpha counts where a factor is itself a product of two."""
    shapes = [_factor(parts, name) for name in ("lokr_w1", "lokr_w2")]
    if None in shapes:
        _refuse(layer, f"is a LoKr of which only {', '.join(sorted(parts))} is there")
    (above, left), (below, right) = (shape for shape in shapes if shape is not None)
    made, wanted = (above * below, left * right), tuple(shape[:2])
    if made != wanted:
        _refuse(layer, f"changes weights of shape {made}; the model's are {wanted}")
    inner = next((parts[name] for name in ("lokr_w2_b", "lokr_w1_b") if name in parts), None)
    first = "lokr_w1" if "lokr_w1" in parts else "lokr_w1_a"
    rank = 0 if inner is None else inner.shape[0]
    return {**parts, first: parts[first] * (_over_rank(alpha, rank) if rank else 1.0)}


def _factor(parts: State, name: str) -> tuple[int, int] | None:
    """Rows and columns of a factor, which may be a product of two itself."""
    if name in parts:
        return parts[name].shape[0], parts[name].shape[1]
    if f"{name}_a" in parts and f"{name}_b" in parts:
        return parts[f"{name}_a"].shape[0], parts[f"{name}_b"].shape[1]
    return None


def _size(layer: str, size: Tensor, shape: Sequence[int]) -> Tensor:
    """A DoRA's sizes of the rows of a weight, as PEFT wants them."""
    rows = shape[0]
    if size.numel() != rows or (size.dim() > 1 and size.shape[0] != rows):
        _refuse(layer, "is a DoRA over the inputs (LyCORIS, wd_on_output off)")
    return size.reshape(1, rows, 1, 1) if len(shape) > 2 else size.flatten()


def _refuse(layer: str, problem: str) -> NoReturn:
    raise RequestError(ErrorCode.LORA_MISSING, f"its layer {layer} {problem}")


def check_shapes(state: State, network: Any, component: str) -> None:
    """Raise RequestError(LORA_MISSING) unless plain layers in PEFT's spelling are as wide as the
    network's."""
    layers = dict(network.named_modules())
    for key, tensor in state.items():
        where, ending = cut(key)
        layer = where.removeprefix(f"{component}.")
        if ending in (A, B) and layer in layers:
            shape = weight_shape(layers[layer])
            here, there = (tensor.shape[1], shape[1]) if ending == A else (len(tensor), shape[0])
            if here != there:
                _refuse(layer, f"is {here} wide where the model's is {there}")


def laid_on(networks: Mapping[str, Any], name: str) -> int:
    """How many layers of a pipeline's networks carry the adapter of that name."""
    return sum(name in _adapters(layer) for layer in layers_with_adapters(networks.values()))


def layers_with_adapters(networks: Iterable[Any]) -> list[Any]:
    """The layers of networks that carry adapters: PEFT's."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    modules = (module for network in networks for module in network.modules())
    return [module for module in modules if isinstance(module, BaseTunerLayer)]


def _adapters(module: Any) -> set[str]:
    return {name for group in module.adapter_layer_names for name in getattr(module, group, {})}


def layers_in(state: State) -> int:
    """How many layers a LoRA's file changes."""
    return len({where for where, ending in map(cut, state) if ending is not None})
