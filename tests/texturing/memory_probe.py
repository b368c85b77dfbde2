"""Paints one view, then many, with a wide random-weight SDXL-like model; prints the peaks.

`python memory_probe.py FOLDER VIEWS`: MiB over the loaded model as JSON. In a process of its own,
so that what tests before it have freed does not count (Linux).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "worker"))

import tiny_model
from studio import Studio
from sync_scene import torus

from underpaint.buffers import Buffers
from underpaint.paths import Paths
from underpaint.requests import Sampler, Sampling
from underpaint_daemon.worker.pipelines.cache import ModelCache
from underpaint_daemon.worker.pipelines.memory import release
from underpaint_daemon.worker.texturing.assets import mesh_ref

SIDE = 256
_UNET = {"block_out_channels": (96, 192), "norm_num_groups": 32, "sample_size": SIDE // 4}


def build(folder: Path) -> None:
    """An SDXL-like model whose layers are wide enough for views to weigh something."""
    plain_unet, plain_vae = tiny_model._unet, tiny_model._vae
    tiny_model._unet = lambda cross, **extra: type(plain_unet(cross, **extra)).from_config(
        {**plain_unet(cross, **extra).config, **_UNET}
    )
    tiny_model._vae = lambda: AutoencoderKL.from_config(
        {**plain_vae().config, "block_out_channels": (64, 64, 64), "norm_num_groups": 32}
    )
    tiny_model.build_xl(folder)


def main(folder: Path, views: int) -> None:
    torch.set_num_threads(1)
    paths = Paths(runtime=folder / "run", data=folder, cache=folder / "cache")
    build(paths.models / "wide")
    buffers = Buffers()
    studio = Studio(ModelCache(paths), mesh_ref(torus(24, 12), buffers), buffers)
    settings = {"model": "wide", "sampling": Sampling(Sampler.EULER, 1, 3.0, 1), "size": 64}
    # The first run brings in what every run needs: libraries, the model, its preview.
    studio.run(**settings, view_count=1, view_size=64)
    peaks = {}
    for count in (1, views):
        release()
        Path("/proc/self/clear_refs").write_text("5")  # the peak falls to what is in use now
        before = _mib("VmHWM")
        studio.run(**settings, view_count=count, view_size=SIDE)
        peaks[count] = _mib("VmHWM") - before
    print(json.dumps({"one_mib": peaks[1], "many_mib": peaks[views]}))


def _mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
