"""Makes the checkout's modules importable in a bare Blender.

Capturing needs only Blender and its numpy. The packages' own `__init__` would also load the
client (ZeroMQ, msgpack) and the add-on's panels, which a Blender without the extension lacks;
so both packages are put in place without running it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def install() -> None:
    """To be called before the first import from either package."""
    for name, folder in (("blender_addon", ROOT), ("underpaint", ROOT / "protocol")):
        package = ModuleType(name)
        package.__path__ = [str(folder / name)]
        sys.modules.setdefault(name, package)
