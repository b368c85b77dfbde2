"""Hides packages of this Python's environment, as if they had never been installed in it.

A user's Blender has no pyzmq, msgpack or underpaint; the test environments have.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class Hide:
    """A finder that looks for some packages everywhere but in the environment itself."""

    def __init__(self, *names: str) -> None:
        self._names = names
        paths = sysconfig.get_paths()
        self._hidden = {str(Path(paths[key])) for key in ("purelib", "platlib")}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or name not in self._names:
            return None
        elsewhere = [entry for entry in sys.path if entry not in self._hidden]
        found = PathFinder.find_spec(name, elsewhere)
        if found is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found


def hide(*names: str) -> None:
    sys.meta_path.insert(0, Hide(*names))
