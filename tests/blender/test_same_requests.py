"""Panel, command line and Python ask a model of any family for the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blender_addon.image.request import ImageSettings, image_request
from underpaint.cli.generate import build_request
from underpaint.cli.main import build_parser
from underpaint.paths import Paths
from underpaint.requests import ImageRequest, Prompt
from underpaint.tree import to_json
from underpaint_daemon.common.abilities import ABILITIES
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.common.denoisers.rest import PIPELINES
from underpaint_daemon.common.models import family_of

UNETS = {
    "sd15": ("StableDiffusionPipeline", 64, 4),
    "sdxl": ("StableDiffusionXLPipeline", 128, 4),
    "sd15_edit": ("StableDiffusionInstructPix2PixPipeline", 64, 8),
    "sdxl_edit": ("StableDiffusionXLInstructPix2PixPipeline", 128, 8),
    "sd2_depth": ("StableDiffusionDepth2ImgPipeline", 64, 5),
    "sdxl_refiner": ("StableDiffusionXLImg2ImgPipeline", 128, 4),
}
OTHERS = {
    **PIPELINES,
    "sana": "SanaPipeline",
    "auto": "PixArtSigmaPipeline",
    "auto_image": "Kandinsky3Pipeline",
    "modular": "FluxModularPipeline",
    "modular_text": "Flux2ModularPipeline",
}


def a_model(folder: Path, family: str) -> None:
    """A model's folder as its configs describe it."""
    name, cells, channels = UNETS.get(family, (OTHERS.get(family), 0, 0))
    part = "unet" if cells else "transformer"
    index = {"_class_name": name, part: ["diffusers", "Any"]}
    if family == "sdxl_refiner":
        index["text_encoder"] = [None, None]
    files = {
        "model_index": index,
        f"{part}/config": {"sample_size": cells, "in_channels": channels, "guidance_embeds": True},
        "vae/config": {"block_out_channels": [1, 2, 4, 4]},
        "scheduler/scheduler_config": {"_class_name": "Any"},
    }
    for place, data in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{place}.json").write_text(json.dumps(data))


@pytest.mark.parametrize("family", ABILITIES)
def test_every_family_is_asked_for_the_same(tmp_path: Path, family: str) -> None:
    paths = Paths(runtime=tmp_path / "run", data=tmp_path, cache=tmp_path / "cache")
    a_model(paths.models / "mine", family)
    assert family_of(paths, "mine") == family
    words = ["generate", "--prompt", "a red cube", "--model", "mine", "--out", "out"]
    by_words, _ = build_request(build_parser().parse_args(words))
    by_panel = image_request(ImageSettings(prompt="a red cube", model="mine"), None)
    by_python = ImageRequest(Prompt("a red cube"), model="mine")
    stored = {to_json(settle(one, paths)) for one in (by_words, by_panel, by_python)}
    assert len(stored) == 1
    assert '"steps"' in stored.pop(), "what the model wants is in it"
