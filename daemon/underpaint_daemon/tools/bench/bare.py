"""The bare pipeline of `bench daemon`: diffusers and a model folder, nothing of ours between.

Run as a program: loads the model, prints "ready", then for each line "SEED" on stdin paints one
image and prints the seconds it took.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch
from diffusers import (
    ControlNetModel,
    DPMSolverMultistepScheduler,
    StableDiffusionControlNetPipeline,
)

from underpaint_daemon.worker.main import NICENESS
from underpaint_daemon.worker.pipelines.loading.networks import best_device


def main() -> int:
    """Serve paintings to the bench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--guidance", type=float, required=True)
    options = parser.parse_args()
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICENESS)  # as the worker's
    # Libraries may print; the bench reads only what is meant for it.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    pipe = load(options.model)
    print("ready", file=out)
    _serve(pipe, options, out)
    return 0


def load(folder: Path) -> Any:
    """The StableDiffusionControlNetPipeline of a model folder with its depth ControlNet."""
    place = best_device()
    control = ControlNetModel.from_pretrained(
        folder / "controlnet_depth", use_safetensors=True, dtype=place.dtype
    )
    pipe = StableDiffusionControlNetPipeline.from_pretrained(
        folder,
        controlnet=control,
        dtype=place.dtype,
        use_safetensors=True,
        safety_checker=None,
        requires_safety_checker=False,
        local_files_only=True,
    )
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    for network in (pipe.unet, pipe.vae, pipe.controlnet):
        network.to(memory_format=torch.channels_last)  # as the worker's: the same kernels
    return pipe.to(place.device)


def _serve(pipe: Any, options: argparse.Namespace, out: TextIO) -> None:
    side = options.side
    depth = torch.from_numpy(np.linspace(0, 1, side * side, dtype=np.float32).reshape(side, side))
    image = depth.expand(1, 3, side, side)
    for line in sys.stdin:
        began = time.perf_counter()
        with torch.no_grad():
            pipe(
                options.prompt,
                image=image,
                height=side,
                width=side,
                num_inference_steps=options.steps,
                guidance_scale=options.guidance,
                generator=torch.Generator("cpu").manual_seed(int(line)),
            )
        print(time.perf_counter() - began, file=out)


if __name__ == "__main__":
    sys.exit(main())
