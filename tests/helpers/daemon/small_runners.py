"""Small real runners: they do what a model does to the daemon, without a model.

The prompt is a little program: `steps=8 seconds=0.02 kill_at=3 …`.
"""

from __future__ import annotations

import ctypes
import hashlib
import io
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from underpaint.errors import ErrorCode, JobFailed
from underpaint.paths import Paths
from underpaint.requests import Request, TextureRequest
from underpaint_daemon.common.job_contract import Artifact, Phase, Reporter
from underpaint_daemon.tools.meshes.layout import tile_numbers


def build_runner(paths: Paths):
    """A runner that takes steps as its prompt says."""
    return Walker(paths)


def build_when_let(paths: Paths):
    """The same, after somebody wrote into the pipe `gate`; meanwhile no other thread of the process
    gets its turn, as while a large library is loaded. `bringing` says that it waits."""
    (paths.data / "bringing").touch()
    libc = ctypes.PyDLL(None)
    libc.open(os.fsencode(paths.data / "gate"), os.O_RDONLY)
    return Walker(paths)


class Walker:
    """Steps through a job; notes each run it begins in `runs.log`, so that tests can count."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def __call__(self, request: Request, buffers: Mapping[str, Any], reporter: Reporter):
        orders = dict(word.split("=") for word in request.prompt.text.split() if "=" in word)
        with (self._paths.data / "runs.log").open("a") as log:
            log.write(f"{request.prompt.text}|{request.sampling.seed}\n")
        steps, seconds = int(orders.get("steps", 3)), float(orders.get("seconds", 0.01))
        reporter.progress(Phase.LOADING, 0, 1)
        if "pipe" in orders:
            (self._paths.data / orders["pipe"]).read_bytes()
        time.sleep(float(orders.get("deaf", 0)))
        for step in range(1, steps + 1):
            reporter.raise_if_cancelled()
            time.sleep(seconds)
            if step == int(orders.get("kill_at", 0)):
                self._die_once(orders)
            if "mallocs" in orders:
                _allocate_or_abort(int(orders["mallocs"]))
            if step == int(orders.get("fail_at", 0)):
                raise JobFailed(ErrorCode.MODEL_BROKEN, "the model is broken, as it was told")
            if step == int(orders.get("bug_at", 0)):
                raise ZeroDivisionError("an error nobody foresaw")
            if reporter.wants_preview():
                reporter.preview(step, np.full((64, 48, 3), step, np.uint8))
            reporter.progress(Phase.DENOISING, step, steps)
            if reporter.enough():
                break
        if "warn" in orders:
            reporter.warn(f"warned of {orders['warn']}")
        picture = [_picture(orders["picture"])] if "picture" in orders else []
        if isinstance(request, TextureRequest):
            return _textures(request, buffers)
        return [*picture, _result(request, buffers, int(orders.get("bytes", 1000)))]

    def let_go(self) -> None:
        with (self._paths.data / "let_go.log").open("a") as log:
            log.write("once\n")

    def _die_once(self, orders: Mapping[str, str]) -> None:
        marker = Path(self._paths.data / f"died-{orders.get('name', '')}")
        if orders.get("always") or not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)


def _textures(request: TextureRequest, buffers: Mapping[str, Any]) -> list[Artifact]:
    """A plain texture for each tile of the mesh, and what a report has; UVs in a row where there
    are none."""
    uv, made = np.array(buffers[request.mesh.uv.sha256]), []
    bare = np.isnan(uv).reshape(-1, 6).any(axis=1)
    if bare.any():
        uv[bare.repeat(3)] = np.tile([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]], (int(bare.sum()), 1))
        data = io.BytesIO()
        np.savez(data, uv=uv)
        made = [Artifact("unwrapped.npz", "application/octet-stream", data.getvalue())]
    tiles = np.unique(tile_numbers(uv))
    picture = _picture("16x16").data
    images = [
        Artifact(f"texture.{tile}.png", "image/png", picture, {"tile": tile})
        for tile in tiles.tolist()
    ]
    facts = {"coverage_fraction": 1.0}
    return [*images, *made, Artifact("quality.json", "application/json", b"{}", facts)]


def _picture(size: str) -> Artifact:
    """A picture, red above blue, of WIDTHxHEIGHT pixels."""
    width, height = map(int, size.split("x"))
    image = Image.new("RGB", (width, height), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, width, height // 2))
    data = io.BytesIO()
    image.save(data, "PNG")
    return Artifact("image-0.png", "image/png", data.getvalue())


def _allocate_or_abort(nbytes: int) -> None:
    """What C++ libraries do when `new` finds no memory and nobody catches it."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, (ctypes.c_size_t,)
    if libc.malloc(nbytes) is None:
        os.abort()


def _result(request: Request, buffers: Mapping[str, Any], nbytes: int) -> Artifact:
    sums = {sha: hashlib.sha256(array.tobytes()).hexdigest() for sha, array in buffers.items()}
    facts = {"buffers_intact": all(a == b for a, b in sums.items()), "count": len(buffers)}
    seed = request.sampling.seed
    return Artifact("image_0.bin", "application/octet-stream", bytes([seed % 256]) * nbytes, facts)
