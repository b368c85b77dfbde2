"""How many threads a picture is worth, on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_PIXELS_A_THREAD = 1 << 14


@contextmanager
def threads_for(pixels: int, device: torch.device) -> Iterator[None]:
    """Few for a small picture: the threads wait for each other at every layer. Two take as long
    as one over 128×128 pixels, for twice its time of the CPU; and many times as long where another
    program, as Blender's window, takes one of them away now and then.

    By the picture's size alone, so that the same request gives the same bytes.
    """
    usual = torch.get_num_threads()
    worth = max(1, pixels // _PIXELS_A_THREAD)
    if device.type != "cpu" or worth >= usual:
        yield
        return
    torch.set_num_threads(worth)
    try:
        yield
    finally:
        torch.set_num_threads(usual)
