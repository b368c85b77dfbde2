"""README's sheets of the starter model, painted by the daemon like anybody's pictures.

``.venv/bin/python installers/sheets.py --out docs/images``
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from contact_sheet import Panel, grid_sheet
from PIL import Image

import underpaint
from underpaint import (
    Buffers,
    Control,
    ControlKind,
    ImageRequest,
    Kind,
    Prompt,
    Sampler,
    Sampling,
)
from underpaint_daemon.worker.pipelines.controls.conditioning import depth_control
from underpaint_starter.scenes.dataset import SceneSample, rendered_sample
from underpaint_starter.scenes.mesh_files import load_obj
from underpaint_starter.scenes.scenes import CameraSpec, sample_scene
from underpaint_starter.scenes.shapes import Mesh

ROOT = Path(__file__).resolve().parent.parent
FORMS = ("head", "vase", "house", "chair")
PROMPTS = (
    "a red brick {}",
    "a wooden plank {}",
    "a cracked stone {}",
    "a green tiled {}",
)
MATERIALS = (
    "a red brick",
    "a wooden plank",
    "a mossy stone",
    "a lava",
    "a green scaly",
    "a blue tiled",
    "a woven",
    "a rusty",
)
SAMPLERS = (Sampler.LCM, Sampler.DDIM, Sampler.DPMPP_2M)
STEPS = (1, 2, 4, 6, 8, 20)
_CAMERA = CameraSpec(30.0, 14.0, 0.0, 38.0, 0.85, (0.0, 0.05))
_Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Form:
    """A form and its control images, (256, 256, 3) uint8."""

    name: str
    depth: _Pixels
    guide: _Pixels


def form_of(name: str, mesh: Mesh | None = None) -> Form:
    """One object of the renderer's shapes, or a mesh, seen from about eye height."""
    scene = scene_of(name, mesh)
    return Form(name, depth_control(scene.depth), scene.guide)


def scene_of(name: str, mesh: Mesh | None = None) -> SceneSample:
    """The same with all that is known of it."""
    spec = sample_scene(1, mesh_name="mesh" if mesh is not None else "")
    thing = replace(spec.objects[0], turn=(0.0, 0.0, 0.0), spot=(0.0, 0.0), size=1.0)
    if mesh is None:
        thing = replace(thing, words=replace(thing.words, shape=name))
    upright = replace(spec, objects=(thing,), camera=_CAMERA, pattern_turn=(0.0, 0.0))
    return rendered_sample(upright, mesh=mesh)


def paint(up: underpaint.Client, form: Form, text: str, sampling: Sampling) -> Panel:
    """One picture by the default controls."""
    buffers = Buffers()
    depth = buffers.add(Kind.COLOR, form.depth)
    guide = buffers.add(Kind.COLOR, form.guide)
    controls = (
        Control(ControlKind.DEPTH, image=depth),
        Control(ControlKind.GUIDE, image=guide),
    )
    request = ImageRequest(Prompt(text), sampling=sampling, controls=controls)
    (image, *_) = up.submit(request, buffers).result()
    return Panel(text, np.asarray(Image.open(io.BytesIO(image.data)).convert("RGB")))


def prompts_by_forms(up: underpaint.Client, sampling: Sampling) -> list[list[Panel]]:
    """Rows are forms; the first column is the depth that was given."""
    rows = []
    for name in FORMS:
        form = form_of(name)
        texts = [prompt.format(name) for prompt in PROMPTS]
        painted = [paint(up, form, text, sampling) for text in texts]
        rows.append([Panel("depth", form.depth), *painted])
    return rows


def eight_materials(up: underpaint.Client, mesh: Path, sampling: Sampling) -> list[list[Panel]]:
    """One mesh in eight materials."""
    form = form_of("cow", load_obj(mesh))
    painted = [paint(up, form, f"{name} cow", sampling) for name in MATERIALS]
    return [painted[:4], painted[4:]]


def samplers_by_steps(up: underpaint.Client, sampling: Sampling) -> list[list[Panel]]:
    """Rows are samplers, columns step counts; one prompt, one seed."""
    form = form_of("house")
    return [
        [
            replace(
                paint(
                    up,
                    form,
                    "a red brick house",
                    replace(sampling, sampler=sampler, steps=steps),
                ),
                label=f"{sampler.value}, {steps} step" + "s" * (steps > 1),
            )
            for steps in STEPS
        ]
        for sampler in SAMPLERS
    ]


def save(rows: Sequence[Sequence[Panel]], path: Path) -> None:
    """Write a sheet."""
    grid_sheet(rows).quantize(256).save(path, optimize=True)  # a third of the bytes
    print(path)


def main() -> None:
    parser: Any = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--mesh", type=Path, default=ROOT / "tests" / "data" / "spot.obj")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sampling = Sampling(seed=options.seed)
    with underpaint.connect() as up:
        save(prompts_by_forms(up, sampling), options.out / "starter_prompts.png")
        materials = eight_materials(up, options.mesh, sampling)
        save(materials, options.out / "starter_materials.png")
        save(samplers_by_steps(up, sampling), options.out / "starter_samplers.png")


if __name__ == "__main__":
    main()
