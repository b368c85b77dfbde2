"""The beginning and the end of a script that runs in Blender for the command line: from the
checkout, or from the copy that the daemon's package carries.

Capturing needs only Blender and its numpy. The packages' own `__init__` would also load the
client (ZeroMQ, msgpack) and the add-on's panels, which a Blender without the extension lacks;
so both packages are put in place without running it.
"""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
_CHECKOUT = ROOT / "protocol"
# In the wheel: site-packages/underpaint_daemon/for_blender/blender_addon/scripts.
_CLIENT = _CHECKOUT if _CHECKOUT.is_dir() else ROOT.parents[1]


def install() -> None:
    """To be called before the first import from either package."""
    for name, folder in (("blender_addon", ROOT), ("underpaint", _CLIENT)):
        package = ModuleType(name)
        package.__path__ = [str(folder / name)]
        sys.modules.setdefault(name, package)


def run(main: Callable[[], int]) -> NoReturn:
    """Run a script's `main` and end the process with its exit code, or with 1 and a traceback."""
    code = 1
    try:
        code = main()
    except SystemExit as left:  # argparse's
        code = left.code if isinstance(left.code, int) else 1
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        _leave(code)


def _leave(code: int) -> NoReturn:
    """End the process at once: Blender 4.5 can hang and 4.2 crash while its Python module is torn
    down. What it would have cleared away, its temporary folder, goes here."""
    import bpy

    shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
