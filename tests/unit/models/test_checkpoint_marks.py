"""What a checkpoint's own marks say of it: v-prediction, zero terminal SNR, EDM's noise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from underpaint.errors import RequestError
from underpaint_daemon.common.model_files import check_schedule
from underpaint_daemon.common.single_files import recognise

from helpers.sparse_files import sparse

XL = {
    "model.diffusion_model.input_blocks.0.0.weight": (320, 4, 3, 3),
    "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight": (768,),
    "conditioner.embedders.1.model.ln_final.weight": (1280,),
    "first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3),
}


def test_an_xl_checkpoint_of_v_prediction_is_told_by_its_marks(tmp_path: Path):
    """As NoobAI-XL's is published: two tensors that hold nothing."""
    marks = {"v_pred": (0,), "ztsnr": (0,)}
    found = recognise(sparse(tmp_path / "noobaiXLNAIXL_vPred10.safetensors", XL | marks))
    assert (found.family, found.prediction, found.zero_snr) == ("sdxl", "v_prediction", True)
    plain = recognise(sparse(tmp_path / "plain.safetensors", XL))
    assert (plain.prediction, plain.zero_snr) == (None, False)


@pytest.mark.parametrize("mark", ["edm_mean", "edm_vpred.sigma_max"])
def test_checkpoints_with_edms_noise_are_refused(tmp_path: Path, mark: str):
    with pytest.raises(RequestError, match="noise levels of EDM") as told:
        recognise(sparse(tmp_path / "playground.safetensors", XL | {mark: (1,)}))
    assert "Playground 2" in told.value.hint


def test_folders_with_edms_noise_are_refused(tmp_path: Path):
    schedule = tmp_path / "scheduler_config.json"
    schedule.write_text(json.dumps({"_class_name": "EDMDPMSolverMultistepScheduler"}))
    with pytest.raises(RequestError, match=r"noise levels of EDM \(EDMDPM"):
        check_schedule(schedule)
