"""LoRAs by the layers that they change: one spelling, PEFT's, for every way to write them.

diffusers reads most of them, but not all: what PEFT itself saves, ComfyUI's names of diffusers'
layers, ranks that differ from layer to layer together with alphas, and LyCORIS' LoHa and LoKr for
Stable Diffusion. Where every name in a file is a layer of the network, it is written anew here,
with alpha over the rank within the weights (Yeh et al. 2023, LyCORIS; Liu et al. 2024, DoRA).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers
from torch import Tensor

from underpaint.errors import ErrorCode, RequestError
from underpaint_daemon.common.lora_files import OF_TEXT

from .packing.packed import OWN, PackedLayer, make_plain, weight_shape

State = dict[str, Tensor]
A, B, _ALPHA, _SIZE = "lora_A.weight", "lora_B.weight", "alpha", "lora_magnitude_vector"
_HADA = ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
_KRON = ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b")
_ENDINGS = {
    **{name: A for name in (A, "lora_down.weight", "lora.down.weight")},
    **{name: B for name in (B, "lora_up.weight", "lora.up.weight")},
    **{name: _SIZE for name in (_SIZE, f"{_SIZE}.weight", "dora_scale")},
    **{name: name for name in (_ALPHA, *_HADA, *_KRON)},
}
_PREFIXES = (
    "base_model.model.", "model.diffusion_model.", "diffusion_model.", "lora_unet_",
    "lora_transformer_", "lycoris_", "unet.", "transformer.",
)  # fmt: skip
_OF_CHECKPOINTS = ("input_blocks", "middle_block", "output_blocks")


def respelled(state: State, network: Any, component: str) -> State | None:
    """A LoRA's tensors as `component.layer.lora_A.weight` and so on; None where not all of them
    are layers of the network by name (text encoders; layers that a checkpoint holds as one).

    Raises RequestError(LORA_MISSING) for shapes that are not the layer's.
    """
    layers = dict(network.named_modules())
    known = {name: name for name in layers} | {name.replace(".", "_"): name for name in layers}
    parts: dict[str, State] = {}
    for key, tensor in _by_blocks(state, network).items():
        where, ending = cut(key)
        layer = known.get(_bare(where))
        if ending is None or layer is None:
            return None
        parts.setdefault(layer, {})[ending] = tensor.float()
    for layer, found in parts.items():
        if _reads_weights(found) and getattr(layers[layer], "kind", None) in OWN:
            layers[layer] = make_plain(network, layer)
    return {
        f"{component}.{layer}.{name}": tensor.to(network.dtype)
        for layer, found in parts.items()
        for name, tensor in _plain(layer, found, layers[layer]).items()
    }


def parted(state: State) -> tuple[State, State]:
    """What changes the text encoders, with alpha within the weights, and all else."""
    text = {name: tensor for name, tensor in state.items() if name.startswith(OF_TEXT)}
    return _baked(text), {name: tensor for name, tensor in state.items() if name not in text}


def _baked(state: State) -> State:
    """Plain layers without alphas: diffusers takes them wrongly where ranks differ, too."""
    found = dict(state)
    for key in state:
        where, ending = cut(key)
        alpha = state.get(f"{where}.{_ALPHA}")
        if ending == B and alpha is not None:
            rank = state[key].shape[1]
            found[key] = (state[key].float() * _over_rank(alpha, rank)).to(state[key].dtype)
            del found[f"{where}.{_ALPHA}"]
    return found


def is_idle(state: State) -> bool:
    """Whether nothing of it acts: each alpha, which is multiplied with the rest, is 0."""
    alphas = [tensor for name, tensor in state.items() if name.endswith(f".{_ALPHA}")]
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


def _bare(layer: str) -> str:
    for prefix in _PREFIXES:
        layer = layer.removeprefix(prefix)
    return layer


def _plain(layer: str, parts: State, module: Any) -> State:
    """A layer's LoRA without alpha. `parts`: by our names of endings."""
    alpha = parts.pop(_ALPHA, None)
    if isinstance(module, PackedLayer) and _reads_weights(parts):
        _refuse(layer, "is a DoRA or LoKr: neither goes onto packed (GGUF) weights")
    if any(name in parts for name in _KRON):
        return _kronecker(layer, parts, alpha, module)
    if set(parts) == set(_HADA):
        down, up = _hadamard(parts, alpha, module)
    elif parts.keys() - {_SIZE} == {A, B}:
        down, up = parts[A], parts[B] * _over_rank(alpha, parts[A].shape[0])
    else:
        _refuse(layer, f"has {', '.join(sorted(parts))} and no more")
    wide, narrow = weight_shape(module), (up.shape[0], *down.shape[1:])
    if narrow != wide:
        _refuse(layer, f"changes weights of shape {narrow}; the model's are {wide}")
    size = {_SIZE: _size(layer, parts[_SIZE], module)} if _SIZE in parts else {}
    return {A: down, B: up, **size}


def _reads_weights(parts: State) -> bool:
    """Whether PEFT computes with the layer's own weight."""
    return bool(parts.keys() & {_SIZE, *_KRON})


def _over_rank(alpha: Tensor | None, rank: int) -> float:
    return 1.0 if alpha is None else float(alpha) / rank


def _hadamard(parts: State, alpha: Tensor | None, module: Any) -> tuple[Tensor, Tensor]:
    """(w1a·w1b) ∘ (w2a·w2b) as one product: its columns and rows are those of both, pair by pair,
    so that its rank is theirs multiplied."""
    left1, right1, left2, right2 = (parts[name] for name in _HADA)
    up = (left1[:, :, None] * left2[:, None, :]).flatten(1)
    down = (right1[:, None, :] * right2[None, :, :]).flatten(0, 1)
    up = up * _over_rank(alpha, right1.shape[0])
    if module.weight.dim() > 2:
        return down.reshape(-1, *module.weight.shape[1:]), up[..., None, None]
    return down, up


def _kronecker(layer: str, parts: State, alpha: Tensor | None, module: Any) -> State:
    """As PEFT has it: alpha counts where a factor is itself a product of two."""
    shapes = [_factor(parts, name) for name in ("lokr_w1", "lokr_w2")]
    if None in shapes:
        _refuse(layer, f"is a LoKr of which only {', '.join(sorted(parts))} is there")
    (above, left), (below, right) = (shape for shape in shapes if shape is not None)
    made, wanted = (above * below, left * right), weight_shape(module)[:2]
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


def _size(layer: str, size: Tensor, module: Any) -> Tensor:
    """A DoRA's sizes of the rows of a weight, as PEFT wants them."""
    rows = module.weight.shape[0]
    if size.numel() != rows or (size.dim() > 1 and size.shape[0] != rows):
        _refuse(layer, "is a DoRA over the inputs (LyCORIS, wd_on_output off)")
    return size.reshape(1, rows, 1, 1) if module.weight.dim() > 2 else size.flatten()


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
