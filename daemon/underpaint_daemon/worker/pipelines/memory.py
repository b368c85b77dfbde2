"""Memory: how hard a job tries when it runs out, and giving memory back."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, TypeVar

import torch

from underpaint.errors import ErrorCode, JobFailed

T = TypeVar("T")
_OUT_OF_MEMORY = (
    "DefaultCPUAllocator",
    # oneDNN: no room for a layer's compiled code or its scratch space.
    "could not create a primitive",
    "could not execute a primitive",
    "MPS backend out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUDA error: out of memory",
    "UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY",
)


class Tier(StrEnum):
    """From fastest to most frugal."""

    FULL = "full"
    TILED = "tiled"
    """The VAE works in tiles. Attention stays as it is: torch's fused kernels need less memory
    than diffusers' sliced attention."""
    VISITING = "visiting"
    """Besides, networks wait in main memory, and visit the GPU while they work."""
    BLOCKS = "blocks"
    """As before, but block by block, each while the one before works."""
    OFFLOADED = "offloaded"
    """As before, but layer by layer."""


WAITING = (Tier.VISITING, Tier.BLOCKS, Tier.OFFLOADED)
"""In these, networks are in main memory while they do not work."""


def tiers_for(device: torch.device, first: Tier = Tier.FULL) -> tuple[Tier, ...]:
    """The tiers that make sense on a device, from `first` on."""
    if first in WAITING:
        return WAITING[WAITING.index(first) :]
    # An Apple GPU's memory is main memory: there is nowhere else for weights to wait.
    return tuple(Tier) if device.type in ("cuda", "xpu") else (Tier.FULL, Tier.TILED)


def within_memory(
    attempt: Callable[[Tier], T], tiers: Sequence[Tier], warn: Callable[[str], None], what: str
) -> T:
    """Run `attempt` at the first tier; out of memory, free what can be freed and go one lower.

    Raises JobFailed(OUT_OF_MEMORY) with figures when the last tier does not suffice.
    """
    for i, tier in enumerate(tiers):
        try:
            return attempt(tier)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).strip().splitlines()[0] if str(error) else "out of memory"
        release()
        if i + 1 < len(tiers):
            warn(f"Memory ran out; trying again with less ({tiers[i + 1]})")
    raise JobFailed(
        ErrorCode.OUT_OF_MEMORY,
        f"{what} does not fit into memory: {reason}",
        details=figures() | {"tiers_tried": [tier.value for tier in tiers]},
    )


def is_out_of_memory(error: BaseException) -> bool:
    """True for failures of the allocators of CUDA, XPU, MPS and the CPU, and of the libraries of
    CUDA and the CPU, which have words of their own."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _OUT_OF_MEMORY)


def figures() -> dict[str, int]:
    """Bytes free and in all on the GPU, where there is one."""
    if not torch.cuda.is_available():
        return {}
    free, total = torch.cuda.mem_get_info()
    return {"gpu_free_bytes": free, "gpu_total_bytes": total}


def release_gpu() -> None:
    """Give the GPU back what no tensor uses. Quick, unlike `release`."""
    for kind, there in (
        (torch.cuda, torch.cuda.is_available),
        (torch.xpu, torch.xpu.is_available),
        (torch.mps, torch.backends.mps.is_available),
    ):
        if there():
            kind.empty_cache()


def release() -> None:
    """Give unused memory back: to the GPU, and to the operating system.

    Collects garbage, which may take most of a second in a process full of libraries.
    """
    gc.collect()
    release_gpu()
    if torch.cuda.is_available() and hasattr(torch.accelerator, "empty_host_cache"):
        torch.accelerator.empty_host_cache()  # main memory that the card reads by itself
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)


@contextmanager
def frugal(
    tier: Tier, networks: Sequence[Any], device: torch.device, kept_on: torch.device | None = None
) -> Iterator[None]:
    """Put networks into a tier, and back afterwards: to `kept_on`, or to `device`, on which they
    work."""
    if tier is Tier.FULL:
        yield
        return
    _set_tiling(networks, on=True)
    try:
        if tier in WAITING:
            _send_away(networks)
            _PUT[tier](networks, device)
        yield
    finally:
        if tier in WAITING:
            _bring_back(networks, kept_on or device)
        _set_tiling(networks, on=False)


def waits_in(network: Any) -> torch.device | None:
    """Main memory, where a network is in a tier in which its weights wait there: what it remembers
    of others between calls can wait there, too. None elsewhere."""
    return torch.device("cpu") if hasattr(network, "_hf_hook") else None


def _set_tiling(networks: Sequence[Any], *, on: bool) -> None:
    """Of what can work in tiles: some decoders (Kandinsky's) have the words for it, and refuse."""
    for network in networks:
        if hasattr(network, "use_tiling"):
            (network.enable_tiling if on else network.disable_tiling)()
        if hasattr(network, "use_slicing"):
            (network.enable_slicing if on else network.disable_slicing)()


def _send_away(networks: Sequence[Any]) -> None:
    for network in networks:
        network.to("cpu")
    release()


def _visit(networks: Sequence[Any], device: torch.device) -> None:
    from .waiting.visiting import invite, whole

    invite([whole(network, device) for network in dict.fromkeys(networks)], device)


def _visit_by_blocks(networks: Sequence[Any], device: torch.device) -> None:
    from .waiting.blocks import ByBlocks
    from .waiting.lane import Lane
    from .waiting.visiting import invite, whole

    lane = Lane(device)
    guests = (
        whole(network, device) if _in_one_piece(network, eight=True) else ByBlocks(network, lane)
        for network in dict.fromkeys(networks)
    )
    invite(list(guests), device)


def _offload(networks: Sequence[Any], device: torch.device) -> None:
    from accelerate import cpu_offload  # type: ignore[import-untyped]

    at_once = [
        network
        for i, network in enumerate(networks)
        if _in_one_piece(network) or any(_share(network, one) for one in networks[:i])
    ]
    _visit(at_once, device)
    for network in networks:
        if network not in at_once:
            cpu_offload(network, device, offload_buffers=True)


_PUT = {Tier.VISITING: _visit, Tier.BLOCKS: _visit_by_blocks, Tier.OFFLOADED: _offload}


def _in_one_piece(network: Any, *, eight: bool = False) -> bool:
    """Whether a network cannot go by parts: a VAE, which is small, and out of which pipelines read
    numbers (FLUX.2's: its running means); what bitsandbytes holds in four bits, whose tables
    accelerate leaves behind. `eight`: in eight, too, which has numbers beside its weights."""
    marks = ("is_loaded_in_4bit", *(["is_loaded_in_8bit"] if eight else []))
    return hasattr(network, "decode") or any(getattr(network, mark, False) for mark in marks)


def _share(network: Any, other: Any) -> bool:
    """Whether two networks have layers in common, as Z-Image's ControlNets with their model."""
    return network is not other and not set(network.modules()).isdisjoint(other.modules())


def _bring_back(networks: Sequence[Any], device: torch.device) -> None:
    from accelerate.hooks import remove_hook_from_module  # type: ignore[import-untyped]

    for network in networks:
        remove_hook_from_module(network, recurse=True)
        network.to(device)
