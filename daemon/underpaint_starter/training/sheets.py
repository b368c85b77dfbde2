"""Sample sheets: what the model in training paints for the same held-out scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from diffusers import AutoencoderKL
from PIL import Image
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import Networks
from underpaint_starter.networks.painter import Painter
from underpaint_starter.scenes.shards import Image8, Shard, view_arrays


def control_images(shard: Shard, index: int, size: int) -> tuple[Image8, Image8, Image8]:
    """rgb, depth and normal pictures of a view at a size."""
    rgb, depth, normal, _ = view_arrays(shard, index, None, size)
    return rgb, depth[..., None].repeat(3, -1), normal


def draw_sheet(
    networks: Networks,
    vae: AutoencoderKL,
    tokenizer: CLIPTokenizer,
    shard: Shard,
    size: int,
    path: Path,
) -> None:
    """Columns are the scenes of a shard; rows: render, depth control, painted by depth, painted by
    normals."""
    columns = [control_images(shard, index, size) for index in range(len(shard.rgb))]
    prompts = shard.captions[: len(columns)]
    rows = [[column[0] for column in columns], [column[1] for column in columns]]
    for name, slot in (("depth", 1), ("normal", 2)):
        painter = Painter.of(networks, vae, tokenizer, name)
        rows.append(painter.paint(prompts, [{name: column[slot]} for column in columns], seed=7))
    save_grid(rows, path)


def save_grid(rows: list[list[Image8]], path: Path) -> None:
    """Write equal-sized images as one PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = np.concatenate([np.concatenate(row, 1) for row in rows], 0)
    Image.fromarray(grid).save(path)
