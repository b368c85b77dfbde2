"""The folder of a user who tries what the documentation shows: the files that its lines name, small
and real."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from diffusers import ControlNetModel, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image

from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.tools.miniatures.unet_parts import save_unet_lora
from underpaint_daemon.tools.miniatures.unets import sd15

from .meshes.gltf_draft import Draft
from .meshes.mesh_files import write_obj
from .meshes.sync_scene import torus
from .meshes.wearing import glb
from .painting.ldm_layout import export, export_controlnet
from .processes import ROOT

TEXELS = 64
"""Texels a side of the user's textures."""
_SIDE = 256  # pixels of the starter's pictures


def fill(folder: Path, models: Path) -> None:
    """Make all but what Blender makes. `models`: the folder of the user's models."""
    (folder / "tests").symlink_to(ROOT / "tests")
    _masks(folder)
    _meshes(folder)
    _models(folder, models)


def _masks(folder: Path) -> None:
    across = np.arange(_SIDE) < _SIDE // 2
    left = np.broadcast_to(np.where(across, 255, 0).astype(np.uint8), (_SIDE, _SIDE))
    spot = np.zeros((_SIDE, _SIDE), np.uint8)
    spot[100:140, 90:150] = 255
    eye = spot[96 : 96 + TEXELS, 80 : 80 + TEXELS]
    for name, mask in {"left": left, "right": 255 - left, "mask": spot, "eye": eye}.items():
        Image.fromarray(mask).save(folder / f"{name}.png")


def _meshes(folder: Path) -> None:
    draft = Draft()
    draft.doc["meshes"] = [{"primitives": [draft.primitive()]} for _ in range(2)]
    draft.doc["nodes"] = [
        {"mesh": 0, "name": "Body", "scale": [3, 3, 3]},
        {"mesh": 1, "name": "Eyes", "translation": [0, 0, 2]},
    ]
    draft.doc["scenes"] = [{"nodes": [0, 1]}]
    draft.doc["buffers"] = [{"byteLength": len(draft.binary)}]
    (folder / "robot.glb").write_bytes(glb(draft.doc, bytes(draft.binary)))
    (folder / "assets").mkdir()
    for name in ("ring", "band"):
        write_obj(torus(16, 8), folder / "assets" / f"{name}.obj")
    rows = "file,prompt\nring.obj,red bricks\nband.obj,wooden planks\n"
    (folder / "prompts.csv").write_text(rows, encoding="utf-8")


def _models(folder: Path, models: Path) -> None:
    """A Stable Diffusion 1.5 in small as a folder, among the user's own and as one file, with two
    ControlNets; and LoRAs of the starter."""
    model = sd15(folder / "path" / "to" / "model")
    models.mkdir(parents=True, exist_ok=True)
    (models / "mine").symlink_to(model)
    export(StableDiffusionPipeline.from_pretrained(model), folder / "my.safetensors")
    own = shutil.ignore_patterns("*.safetensors", "controlnet_*", "loras", "ip_adapter")
    shutil.copytree(model, folder / "my", ignore=own)  # how small it is: no usual one
    network = ControlNetModel.from_pretrained(model / "controlnet_depth")
    for name in ("control_v11f1p_sd15_depth", "pose"):
        export_controlnet(network, folder / f"{name}.safetensors")
    starter = UNet2DConditionModel.from_pretrained(starter_folder() / "unet")
    for name in ("delft", "ink"):
        save_unet_lora(starter, folder / f"{name}.safetensors")
