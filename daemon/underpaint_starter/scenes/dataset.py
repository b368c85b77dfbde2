"""Rendered training samples, one by seed or written as shards.

``python -m underpaint_starter.scenes.dataset --out DIR --count N --first-seed S``
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from underpaint_starter.processes import each, usual_count
from underpaint_starter.scenes.render import render
from underpaint_starter.scenes.scenes import SceneSpec, sample_scene
from underpaint_starter.scenes.shapes import Mesh

_WORTH_IT = 48  # scenes below which starting processes takes longer than rendering


@dataclass(frozen=True, slots=True)
class SceneSample:
    """One picture and what is known about it.

    rgb: (h, w, 3) uint8 sRGB.  depth: (h, w) float32 metres along the view axis, inf = background.
    normal: (h, w, 3) float32 camera space (+X right, +Y up, +Z to the viewer), zeros on background.
    object_id: (h, w) uint8, 0 background, 1 ground, 2.. objects.  guide: (h, w, 3) uint8, see
    `guide_control`.  labels: see :func:`labels_of`.
    """

    rgb: NDArray[np.uint8]
    depth: NDArray[np.float32]
    normal: NDArray[np.float32]
    object_id: NDArray[np.uint8]
    guide: NDArray[np.uint8]
    caption: str
    labels: dict[str, object]


def labels_of(spec: SceneSpec) -> dict[str, object]:
    """JSON-ready labels: seed, objects (id, shape, colour, material, second), ground ("" = plain),
    background, style, light, n_objects.  colour "" = the material's natural colour."""
    objects = [{"id": k + 2, **asdict(entry.words)} for k, entry in enumerate(spec.objects)]
    return {
        "seed": spec.seed,
        "objects": objects,
        "ground": spec.words.ground,
        "background": spec.words.background,
        "style": spec.words.style,
        "light": spec.words.light,
        "n_objects": len(objects),
    }


def render_scene(
    seed: int,
    size: int = 256,
    held_out: bool = False,
    mesh: Mesh | None = None,
) -> SceneSample:
    """The scene of a seed, always the same.  ``held_out`` draws only combinations of shape,
    material and colour that training never shows; ``mesh`` takes the place of the shapes."""
    spec = sample_scene(seed, held_out, "mesh" if mesh is not None else "")
    return rendered_sample(spec, size, mesh)


def held_out_scenes(seeds: Sequence[int], size: int) -> list[SceneSample]:
    """The held-out scenes of the seeds, in their order."""
    count = usual_count() if len(seeds) >= _WORTH_IT else 1
    return each(partial(render_scene, size=size, held_out=True), seeds, count)


def rendered_sample(spec: SceneSpec, size: int = 256, mesh: Mesh | None = None) -> SceneSample:
    """Render a given scene."""
    with torch.inference_mode():
        out = render(spec, size, mesh)
        rgb = (out.rgb.clamp(0, 1) * 255).round().to(torch.uint8)
    return SceneSample(
        rgb.cpu().numpy(),
        out.depth.float().cpu().numpy(),
        out.normal.float().cpu().numpy(),
        out.object_id.numpy(),
        out.guide.numpy(),
        spec.caption,
        labels_of(spec),
    )


def encode_normal(normal: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Normals as colours: round((n / 2 + 1 / 2) * 255), background (128, 128, 255)."""
    coded = np.round((normal * 0.5 + 0.5) * 255).clip(0, 255).astype(np.uint8)
    coded[~normal.any(-1)] = (128, 128, 255)
    return coded


def write_shards(
    folder: Path,
    first_seed: int,
    count: int,
    shard_size: int = 256,
    held_out: bool = False,
    size: int = 256,
) -> list[Path]:
    """Write ``count`` scenes from ``first_seed`` as uncompressed .npz shards; finished shards are
    skipped, and a shard appears only once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for start in range(first_seed, first_seed + count, shard_size):
        seeds = range(start, min(start + shard_size, first_seed + count))
        path = folder / f"shard_{start:08d}_{len(seeds):04d}.npz"
        paths.append(path)
        if not path.exists():
            began = time.monotonic()
            _write_shard(path, [render_scene(seed, size, held_out) for seed in seeds])
            pace = (time.monotonic() - began) / len(seeds)
            print(f"{path.name}: {pace:.3f} s per scene", flush=True)
    return paths


def _write_shard(path: Path, samples: list[SceneSample]) -> None:
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(
            file,
            rgb=np.stack([s.rgb for s in samples]),
            depth=np.stack([s.depth for s in samples]).astype(np.float16),
            normal=np.stack([encode_normal(s.normal) for s in samples]),
            object_id=np.stack([s.object_id for s in samples]),
            guide=np.stack([s.guide for s in samples]),
            captions=np.array([s.caption for s in samples]),
            labels=np.array([json.dumps(s.labels) for s in samples]),
        )
    os.replace(partial, path)


def main() -> None:
    """Command line of the data renderer."""
    parser = argparse.ArgumentParser(description="Render training scenes into shards.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--shard-size", type=int, default=256)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    write_shards(
        options.out,
        options.first_seed,
        options.count,
        options.shard_size,
        options.held_out,
        options.size,
    )


if __name__ == "__main__":
    main()
