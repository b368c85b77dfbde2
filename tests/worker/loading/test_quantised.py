"""Folders that a package has quantised: loaded where it is installed, told of where it is not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from underpaint.errors import RequestError
from underpaint.requests import ImageRequest, Lora, Prompt, Sampler, Sampling
from underpaint_daemon.common.defaults.settle import settle
from underpaint_daemon.worker.pipelines.image import run_image
from underpaint_daemon.worker.pipelines.loading.networks import weight_bytes
from underpaint_daemon.worker.pipelines.memory import Tier

from helpers.painting.quantised import config_of, quantised
from helpers.painting.studio import Recorder, Studio

ASKED = ImageRequest(
    Prompt("a red cube"), model="tiny", width=64, height=64, sampling=Sampling(Sampler.DDIM, 2, 5.0)
)
# Four bits of bitsandbytes need widths of 32s on a CPU, which the tiny model has not.
FORMS = [
    pytest.param(
        form,
        part,
        id=f"{form} {part}",
        marks=pytest.mark.skipif(
            find_spec(form.split()[0]) is None, reason=f"needs the package {form.split()[0]}"
        ),
    )
    for form, part in (
        ("torchao int8", "unet"),
        ("torchao fp8", "unet"),
        ("torchao int8", "text_encoder"),
        ("bitsandbytes eight", "text_encoder"),
    )
]


@pytest.mark.parametrize(("form", "part"), FORMS)
def test_a_quantised_folder_paints_in_every_tier_and_takes_loras(
    studio: Studio, tmp_path: Path, form: str, part: str
) -> None:
    source = studio.models.paths.models / "tiny"
    folder = quantised(source, tmp_path / "made", part, config_of(form, part))
    asked = replace(ASKED, model=str(folder))
    plain, painted = studio.paint(ASKED)[0].astype(int), studio.paint(asked)[0]
    assert np.abs(painted - plain).mean() < 3
    model, whole = studio.models.load(str(folder)), settle(asked, studio.models.paths)
    for tier in (Tier.TILED, Tier.VISITING, Tier.BLOCKS, Tier.OFFLOADED):
        again = run_image(model, whole, {}, tier, Recorder(credit=False))[0]
        assert np.abs(again.astype(int) - painted).mean() < 1
    with_lora = studio.paint(replace(asked, loras=(Lora("style"),)))[0]
    assert np.abs(with_lora.astype(int) - painted).mean() > 5
    studio.runner.let_go()
    assert np.array_equal(studio.paint(asked)[0], painted)


@pytest.mark.parametrize(("form", "part"), FORMS)
def test_its_memory_is_what_it_holds(studio: Studio, tmp_path: Path, form: str, part: str) -> None:
    source = studio.models.paths.models / "tiny"
    folder = quantised(source, tmp_path / "made", part, config_of(form, part))
    held = weight_bytes([studio.models.load(str(folder)).parts[part]])
    assert held < 0.8 * weight_bytes([studio.models.load("tiny").parts[part]])
    # bitsandbytes has tables beside the weights, which are no parameters.
    foreseen = studio.needed(folder)[part]
    assert held <= foreseen < 1.3 * held


@pytest.mark.parametrize("package", ["torchao", "bitsandbytes"])
def test_a_missing_package_is_named_with_what_to_do(
    studio: Studio, tmp_path: Path, package: str
) -> None:
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    folder = tmp_path / "made"
    shutil.copytree(studio.models.paths.models / "tiny", folder)
    config = json.loads((folder / "unet" / "config.json").read_text())
    config["quantization_config"] = {"quant_method": package}
    (folder / "unet" / "config.json").write_text(json.dumps(config))
    with pytest.raises(RequestError) as told:
        studio.run(replace(ASKED, model=str(folder)))
    assert f"quantised by {package}, which is not installed" in told.value.message
    assert f"-m pip install {package}" in told.value.hint
    assert told.value.panel_hint == "Take fp16, bf16 or fp8 weights of the same model."
