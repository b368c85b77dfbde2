"""Two views of one thing, and whether paintings of them show the same texture at the same spot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from underpaint_starter.judging.metrics import Mask, agreement, interior
from underpaint_starter.scenes.captions import MATERIAL_WORDS
from underpaint_starter.scenes.dataset import SceneSample, labels_of
from underpaint_starter.scenes.render import painted
from underpaint_starter.scenes.scenes import SceneSpec, sample_scene
from underpaint_starter.scenes.seen import Seen, seen, unit_of
from underpaint_starter.scenes.shapes import Mesh
from underpaint_starter.scenes.shards import Image8

# Nothing on these stays where it is when the camera moves: they are flat, or they mirror.
UNPATTERNED = frozenset({"plain", "plastic", "clay", "chrome", "gold", "copper", "glass", "metal"})
PATTERNED = frozenset(MATERIAL_WORDS) - UNPATTERNED
_STEP = 35.0  # degrees that the camera goes around
_SAME_SPOT = 0.01  # of the depth: nearer is the same surface
_LEAST = 600  # px that both must see


@dataclass(frozen=True, slots=True)
class Pair:
    """Two views of one object. `at`: (h, w, 2) float32, where each pixel of the second lies in the
    first (x, y in px); `shared`: (h, w) bool, pixels of the second that the first sees too."""

    first: SceneSample
    second: SceneSample
    at: npt.NDArray[np.float32]
    shared: Mask

    def agreement(self, first: Image8, second: Image8) -> float:
        """Correlation of two pictures' textures where both see the object, -1..1."""
        moved = np.asarray(cv2.remap(first, self.at, None, cv2.INTER_LINEAR))
        return agreement(moved, second, self.shared)


def pairs_of(
    first_seed: int, count: int, size: int, mesh: Mesh | None = None, held_out: bool = True
) -> list[Pair]:
    """The first `count` patterned objects from a seed on, seen from two sides."""
    found: list[Pair] = []
    for spec in _specs(first_seed, mesh is not None, held_out):
        pair = _pair(spec, size, mesh)
        if pair.shared.sum() >= _LEAST:
            found.append(pair)
        if len(found) == count:
            return found
    raise AssertionError("unreachable: seeds do not end")


def _specs(first: int, whole: bool, held_out: bool) -> Iterator[SceneSpec]:
    seed = first
    while True:
        spec = sample_scene(seed, held_out, "mesh" if whole else "")
        seed += 1
        alone = len(spec.objects) == 1 and spec.words.style == "photo"
        if alone and spec.objects[0].words.material in PATTERNED:
            yield spec


@torch.inference_mode()
def _pair(spec: SceneSpec, size: int, mesh: Mesh | None) -> Pair:
    one = seen(spec, size, mesh)
    camera = replace(one.scene.spec.camera, azimuth=one.scene.spec.camera.azimuth + _STEP)
    moved = replace(spec, camera=camera)
    # the pattern's size hangs on the camera's distance: keep the object's own
    share = spec.pattern_share * one.scene.unit / unit_of(moved, size, mesh)
    other = seen(replace(moved, pattern_share=share), size, mesh)
    at, shared = _correspondence(one, other, spec.metres)
    return Pair(_sample(one, spec, size), _sample(other, spec, size), at, shared)


def _sample(view: Seen, spec: SceneSpec, size: int) -> SceneSample:
    rgb = (painted(view, spec, (0, 0, size)).clamp(0, 1) * 255).round().to(torch.uint8)
    return SceneSample(
        rgb.numpy(),
        view.depth.float().numpy(),
        view.normal.float().numpy(),
        view.object_id.numpy(),
        view.guide.numpy(),
        spec.caption,
        labels_of(spec),
    )


def _correspondence(
    one: Seen, other: Seen, metres: float
) -> tuple[npt.NDArray[np.float32], Mask]:  # fmt: skip
    """Project what the second view sees into the first, and ask whether it is seen there."""
    size = one.depth.shape[0]
    depth = torch.where(other.object_id >= 2, other.depth / metres, 0.0)
    camera = other.scene.camera
    position = camera.position + camera.rays(size) * depth[..., None]
    x, y, _, far = one.scene.camera.clip(position.reshape(-1, 3).float()).unbind(-1)
    at = torch.stack(((x / far + 1) * size / 2 - 0.5, (1 - y / far) * size / 2 - 0.5), -1)
    at = at.reshape(size, size, 2)
    near = at.round().long().clamp(0, size - 1)
    there = (one.depth / metres)[near[..., 1], near[..., 0]]
    whole = torch.from_numpy(interior(one.object_id.numpy()))[near[..., 1], near[..., 0]]
    same = (there / far.reshape(size, size) - 1).abs() < _SAME_SPOT
    framed = ((at >= 0) & (at <= size - 1)).all(-1)
    shared = same & framed & whole & torch.from_numpy(interior(other.object_id.numpy()))
    return at.float().numpy(), shared.numpy()
