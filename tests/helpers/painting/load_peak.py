"""Load a wide checkpoint in a process of its own and print how far its memory rose: CHECKPOINT,
CONFIGS, FOLDER, F16 or F8_E4M3 (of the U-Net's matrices and convolutions). The file is sparse:
zeros that take no room on the disk."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file

from underpaint.paths import Paths
from underpaint_daemon.common.model_files import INDEX
from underpaint_daemon.worker.pipelines.loading.from_disk import load_model
from underpaint_daemon.worker.pipelines.loading.networks import Device

from .ldm_layout import names_of_one_file


def sparse_file(file: Path, shapes: dict[str, tuple[int, ...]], kind: str) -> int:
    """A safetensors file of zeros in half precision, or eight bits; its size in bytes."""
    header, end = {}, 0
    for name, shape in shapes.items():
        eight = name.startswith("model.diffusion_model.") and len(shape) in (2, 4)
        of = kind if eight else "F16"
        size = (2 if of == "F16" else 1) * int(torch.Size(shape).numel())
        header[name] = {"dtype": of, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with file.open("wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text)
        stream.truncate(8 + len(text) + end)
    return 8 + len(text) + end


def main(checkpoint: Path, configs: Path, folder: Path, kind: str) -> None:
    assert (configs / INDEX).is_file()
    with torch.device("meta"):
        config = json.loads((configs / "unet" / "config.json").read_text())
        unet = UNet2DConditionModel.from_config(config)
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in load_file(checkpoint).items()
        if not name.startswith("model.diffusion_model.")
    }
    shapes |= {name: tuple(tensor.shape) for name, tensor in names_of_one_file(unet).items()}
    file = configs.with_suffix(".safetensors")
    size = sparse_file(file, shapes, kind)
    paths = Paths(folder / "run", folder / "data", folder / "cache")
    StableDiffusionPipeline  # noqa: B018 - imported before the measurement, as a worker has it
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    model = load_model(paths, str(file), Device(torch.device("cpu"), torch.float16))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cache = sum(found.stat().st_size for found in paths.cache.rglob("*") if found.is_file())
    told = {"file_bytes": size, "peak_bytes": after - before, "cache_bytes": cache}
    print(json.dumps(told | {"held_bytes": model.nbytes}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), sys.argv[4])
