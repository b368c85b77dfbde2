"""Networks from folders and from weights: whole or not at all, ready for inference."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from accelerate import init_empty_weights  # type: ignore[import-untyped]
from safetensors import SafetensorError
from torch import Tensor

from underpaint.settings import SETTINGS
from underpaint_daemon.common.model_files import broken

from ..memory import WAITING, Tier, is_out_of_memory, tiers_for

_OF_VIDEO = 5  # dimensions of a weight that convolves in time too
LOAD_ERRORS = (
    OSError, ValueError, RuntimeError, LookupError, TypeError, SafetensorError, ImportError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Device:
    """Where models work and in which precision. `first`: the first memory tier that is tried with
    them; from `VISITING` on they wait in main memory."""

    device: torch.device
    dtype: torch.dtype
    first: Tier = Tier.FULL

    @property
    def home(self) -> torch.device:
        """Where networks are while they do not work."""
        return torch.device("cpu") if self.waits else self.device

    @property
    def waits(self) -> bool:
        """Whether networks wait in main memory."""
        return self.first in WAITING

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The memory tiers that are tried, one after the other."""
        return tiers_for(self.device, self.first)


def best_device() -> Device:
    """A GPU in half precision where there is one and the settings do not say `cpu`, else the CPU in
    float32.

    CUDA (and ROCm), XPU and MPS, in this order. Half precision on a CPU is emulated and many times
    slower than float32.
    """
    for kind, there in (
        ("cuda", torch.cuda.is_available),
        ("xpu", torch.xpu.is_available),
        ("mps", torch.backends.mps.is_available),
    ):
        if _chosen_gpu() != "cpu" and there():
            return Device(torch.device(kind), torch.float16)
    return Device(torch.device("cpu"), torch.float32)


def missed_gpu(place: Device) -> str | None:
    """The GPU that the settings name, where paintings are on the CPU since it is not there."""
    chosen = _chosen_gpu()
    return chosen if place.device.type == "cpu" and chosen not in ("", "cpu") else None


def _chosen_gpu() -> str:
    return os.environ.get(SETTINGS["gpu"].variable, "")


def exact_device(device: torch.device) -> torch.device:
    """Where sums in float64 and sparse matrices are done, for networks on `device`: there, or on
    the CPU where it has no float64 (Apple's GPUs, whose memory is main memory anyway; some of
    Intel's)."""
    if device.type == "mps":
        return torch.device("cpu")
    if device.type == "xpu" and not torch.xpu.get_device_properties(device).has_fp64:
        return torch.device("cpu")
    return device


def filled(network: Any, state: dict[str, Tensor], file: Path, place: Device) -> Any:
    """A network made without weights (see `empty`), given those of `state`, which is emptied: what
    is laid out anew for the device must not be held twice.

    Raises RequestError(MODEL_BROKEN) when weights are missing or of other shapes.
    """
    wanted = network.state_dict()
    missing = sorted(wanted.keys() - state.keys())
    if missing:
        broken(file, f"lacks {len(missing)} weights, {missing[0]} among them")
    for name, tensor in wanted.items():
        if tensor.shape != state[name].shape:
            here, there = tuple(state[name].shape), tuple(tensor.shape)
            broken(file, f"has {name} of shape {here}, where the model's is {there}")
    network.load_state_dict({name: state[name] for name in wanted}, assign=True)
    state.clear()
    del wanted, tensor
    return ready(network, place)


def empty(make: Any) -> Any:
    """A network without weights, made by `make()`; what is no weight is there."""
    with init_empty_weights(include_buffers=False):
        return make()


def ready(network: Any, place: Device) -> Any:
    """In place, for inference. Convolutions are about a tenth faster with channels last, on CPUs
    and GPUs alike; what is quantised lies as its package has it."""
    network = network.to(place.home)
    video = any(tensor.dim() == _OF_VIDEO for tensor in network.parameters())
    if not (video or is_quantised(network)):
        network = network.to(memory_format=torch.channels_last)
    return network.eval().requires_grad_(False)


def is_quantised(network: Any) -> bool:
    """Whether a package of quantisation (torchao, bitsandbytes) holds the network's weights."""
    return getattr(network, "hf_quantizer", None) is not None


def networks_in(pipe: Any) -> list[torch.nn.Module]:
    """A diffusers pipeline's networks."""
    return [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]


def weight_bytes(networks: Iterable[Any]) -> int:
    """Bytes of the networks' weights."""
    return sum(tensor_bytes(tensor) for network in networks for tensor in network.parameters())


def tensor_bytes(tensor: Any) -> int:
    """Bytes of a tensor. torchao's say how large they would be unpacked; what is in them counts."""
    if type(tensor.data) is not Tensor and hasattr(tensor.data, "__tensor_flatten__"):
        names, _ = tensor.data.__tensor_flatten__()
        return sum(tensor_bytes(getattr(tensor.data, name)) for name in names)
    return int(tensor.numel() * tensor.element_size())


def load_tokenizer(folder: Path) -> Any:
    """CLIP's tokenizer from its folder. Raises RequestError(MODEL_BROKEN)."""
    try:
        return transformers.CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    except LOAD_ERRORS as error:
        broken(folder, f"cannot be loaded: {first_line(error)}")


def refuse_memory(error: BaseException) -> None:
    """Raise `error` again when it says that memory ran out: that is no fault of the file."""
    if is_out_of_memory(error):
        raise error


def first_line(error: BaseException) -> str:
    """The first line of what an error says; the first of a list with what stands above it."""
    first, *more = (str(error).strip() or type(error).__name__).splitlines()
    return f"{first} {more[0].strip()}" if more and first.endswith(":") else first
