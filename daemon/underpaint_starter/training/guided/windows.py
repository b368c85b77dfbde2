"""Training windows: parts of views in native scale, one geometry painted in many materials.

Shading is the cheap part of a scene, so every view is painted several times, each time elsewhere,
with materials and colours drawn anew: no shape and no colour then stands for a material.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor

from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control
from underpaint_starter.scenes.dataset import encode_normal
from underpaint_starter.scenes.render import painted
from underpaint_starter.scenes.scenes import repainted, sample_scene
from underpaint_starter.scenes.seen import Seen, seen

WINDOW = 128
_SEEDS = 1_000_000  # of one process
_LATENT = 4  # px
_LOOKS = 10  # of one view
_SCENES = 6  # in one file
_LEAST = 0.45  # share of a window that objects take
_SIMPLE = 0.85  # share of views of one object in a studio: there materials are learnt fastest

Image8 = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a painted view: rgb, guide, normal (n, n, 3), depth, object_id (n, n), uint8;
    caption and material of the first object."""

    rgb: Image8
    guide: Image8
    normal: Image8
    depth: Image8
    object_id: Image8
    caption: str
    material: str


def windows(seed: int, size: int = 256, side: int = WINDOW) -> list[Window]:
    """The windows of the scene of a seed."""
    rng = Random(seed)
    spec = sample_scene(seed, simple=rng.random() < _SIMPLE)
    with torch.inference_mode():
        view = seen(spec, size)
        controls = _controls(view)
        out = []
        for _ in range(_LOOKS):
            look = repainted(spec, rng)
            top, left = _place(view.object_id, rng, side)
            rgb = (painted(view, look, (top, left, side)).clamp(0, 1) * 255).round()
            cut = (slice(top, top + side), slice(left, left + side))
            guide, normal, depth, ids = (plane[cut] for plane in controls)
            name = look.objects[0].words.material
            picture = rgb.to(torch.uint8).numpy()
            out.append(Window(picture, guide, normal, depth, ids, look.caption, name))
    return out


def _controls(view: Seen) -> tuple[Image8, ...]:
    """guide, normal, depth, object ids of the whole view: what is near is told by all of it."""
    depth = depth_control(view.depth.numpy())[..., 0]
    return view.guide.numpy(), encode_normal(view.normal.numpy()), depth, view.object_id.numpy()


def _place(ids: Tensor, rng: Random, side: int) -> tuple[int, int]:
    """Top and left of a window on an object, whole latents from the corner."""
    spots = (ids >= 2).nonzero()
    room = len(ids) - side
    for _ in range(12):
        y, x = spots[rng.randrange(len(spots))].tolist() if len(spots) else (0, 0)
        top = min(max(y - rng.randrange(side), 0), room) // _LATENT * _LATENT
        left = min(max(x - rng.randrange(side), 0), room) // _LATENT * _LATENT
        inside = (ids[top : top + side, left : left + side] >= 2).float().mean()
        if inside >= _LEAST:
            break
    return top, left


def write_windows(
    folder: Path, seeds: range, vae: AutoencoderKL, scenes: int = _SCENES, size: int = 256
) -> None:
    """Write the windows of seeds with their latents, some scenes to a file; a file appears only
    once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(seeds.start, seeds.stop, scenes):
        path = folder / f"windows_{start:08d}.npz"
        if path.exists():
            continue
        part = range(start, min(start + scenes, seeds.stop))
        found = [w for seed in part for w in windows(seed, size, size // 2)]
        partial = path.with_suffix(".part")
        with partial.open("wb") as file:
            np.savez(file, codes=_codes(vae, found), **_columns(found))
        os.replace(partial, path)


def _columns(found: list[Window]) -> dict[str, Any]:
    names = Window.__slots__
    return {name: np.stack([np.asarray(getattr(w, name)) for w in found]) for name in names}


@torch.inference_mode()
def _codes(vae: AutoencoderKL, found: list[Window]) -> NDArray[np.float16]:
    """Latents (n, 4, h/4, w/4) of the windows."""
    images = torch.from_numpy(np.stack([w.rgb for w in found])).permute(0, 3, 1, 2)
    parts = (part.float() / 127.5 - 1 for part in torch.split(images, 10))
    codes: Tensor = torch.cat([vae.encode(part).latent_dist.mean for part in parts])
    return codes.half().numpy()


def render_windows(folder: Path, model: Path, number: int, size: int) -> None:
    """Write windows from seeds that belong to this process's number, for as long as the process
    that began it lives: what a process of its own runs."""
    torch.set_num_threads(1)
    parent = os.getppid()
    vae = AutoencoderKL.from_pretrained(model / "vae", local_files_only=True).float().eval()
    for first in range(number * _SEEDS, (number + 1) * _SEEDS, _SCENES):
        if os.getppid() != parent:
            return
        write_windows(folder, range(first, first + _SCENES), vae, size=size)
