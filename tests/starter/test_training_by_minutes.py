"""Training by minutes: it ends in time, and stopped at any second it leaves a whole set."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from underpaint.errors import UnderpaintError
from underpaint_daemon.common.models import starter_folder
from underpaint_starter.networks.models import CONTROLS
from underpaint_starter.networks.weights import INDEX, SHARD_MIB, join_weights, write_weights
from underpaint_starter.scenes.scenes import sample_scene
from underpaint_starter.start import read_model
from underpaint_starter.train import main
from underpaint_starter.training.config import DEFAULT_FILE, load_guided
from underpaint_starter.training.guided.patterns import FinePath, begin_guide
from underpaint_starter.training.guided.word_codes import WordCodes, labels_of, read_labels
from underpaint_starter.training.muon import orthogonalised

torch.set_num_threads(1)


def _command(tmp_path: Path, seconds: int) -> list[str]:
    code = "import sys; from underpaint_starter.train import main; sys.exit(main(sys.argv[1:]))"
    given = ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")]
    given += ["--preset", "smoke", "--deadline", str(seconds)]
    return [sys.executable, "-c", code, *given]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves that is killed as soon as it has rendered what it begins with."""
    folder = tmp_path_factory.mktemp("killed")
    process = subprocess.Popen(
        _command(folder, 600), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "windows" in line:
                break
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return folder


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_a_whole_set(killed: Path) -> None:
    assert {"unet", "controlnet_guide", "vae"} <= set(join_weights(killed / "out"))


@pytest.mark.slow
def test_the_smoke_preset_runs_every_stage_and_its_weights_join_to_a_model(
    killed: Path, tmp_path: Path
) -> None:
    work, out, model = (tmp_path / name for name in ("work", "out", "model"))
    shutil.copytree(killed / "work", work)  # so its seconds are for training
    run = subprocess.run(_command(tmp_path, 2), capture_output=True, text=True, check=True)
    told = [json.loads(line) for line in run.stderr.splitlines() if line.startswith("{")]
    steps = {line["stage"]: line["step"] for line in told}
    assert steps.keys() == {"words", "tops", "top", "decoder"}, "patterns are in the model already"
    assert min(steps.values()) > 0, "however short the time, each stage makes a step"
    sizes = [path.stat().st_size for path in out.glob("*.safetensors")]
    assert max(sizes) <= SHARD_MIB * 2**20
    index = json.loads((out / INDEX).read_text())
    assert len(index["files"]) == len(sizes)  # nothing of earlier sets is left
    assert index["number"] >= 4  # the start, patterns, last block, decoder
    assert main(["--work", str(tmp_path), "--join", str(out), "--out", str(model)]) == 0
    networks, _, _ = read_model(model)
    assert set(networks.controls) == set(CONTROLS)


def test_a_set_that_was_not_finished_is_never_read(tmp_path: Path) -> None:
    write_weights(tmp_path, {"net": {"w": torch.ones(3)}})
    (tmp_path / "weights_0002_0.safetensors").write_bytes(b"half of a file")
    assert torch.equal(join_weights(tmp_path)["net"]["w"], torch.ones(3))
    write_weights(tmp_path, {"net": {"w": torch.zeros(3)}})
    assert torch.equal(join_weights(tmp_path)["net"]["w"], torch.zeros(3))
    with pytest.raises(UnderpaintError, match=INDEX):
        join_weights(tmp_path / "nowhere")


def test_large_weights_are_spread_over_files_of_sixteen_mib(tmp_path: Path) -> None:
    weights = {f"w{k}": torch.full((2_000_000,), float(k)) for k in range(9)}
    write_weights(tmp_path, {"net": weights})
    files = list(tmp_path.glob("*.safetensors"))
    assert len(files) == 3
    assert max(path.stat().st_size for path in files) <= SHARD_MIB * 2**20
    assert all(float(v[0]) == float(key[1:]) for key, v in join_weights(tmp_path)["net"].items())


def test_captions_are_read_as_their_scenes_were_made() -> None:
    """All but the words that a caption leaves out: a pattern's second colour is said at times."""
    for seed in range(400):
        spec = sample_scene(seed, simple=True)
        words = spec.objects[0].words
        read, true = read_labels(spec.caption, words.material), labels_of(words)
        assert read[:2] == true[:2], spec.caption
        assert read[2] in (0, true[2]), spec.caption


def test_every_material_and_colour_has_a_code_of_its_own() -> None:
    codes = WordCodes(192, torch.device("cpu"))
    labels = torch.tensor([[k, k % 13, 0] for k in range(30)])
    assert codes.named(codes.of(labels)).tolist() == list(range(30))


def test_a_new_guide_says_nothing_but_patterns_and_hangs_on_no_noise() -> None:
    networks, _, _ = read_model(starter_folder())
    begin_guide(networks)
    guide = networks.controls["guide"]
    picture, words = torch.rand(2, 3, 32, 32), torch.randn(2, 5, 192)
    said = [
        guide(torch.randn(2, 4, 8, 8), time, words, picture, return_dict=False)
        for time in (999, 250)
    ]
    first, second = ([*down, middle] for down, middle in said)
    assert [k for k, part in enumerate(first) if part.abs().max() > 0] == [1]
    assert torch.allclose(first[1], second[1], atol=1e-4)
    path = FinePath(guide)
    shown, spoken = path(picture, guide.add_embedding(words))
    assert shown.abs().max() == 0
    assert torch.allclose(spoken, first[1], atol=1e-4)


def test_the_steps_of_training_never_wait_for_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: torch.Tensor) -> float:
        raise AssertionError("a step read a value from its device")

    matrices = torch.randn(2, 32, 96)
    monkeypatch.setattr(torch.Tensor, "item", refuse)
    monkeypatch.setattr(torch.Tensor, "__float__", refuse)
    assert orthogonalised(matrices).dtype == torch.float32


@pytest.mark.parametrize("preset", ["cpu", "gpu", "smoke"])
def test_shipped_presets_by_minutes_are_well_formed(preset: str) -> None:
    config = load_guided(DEFAULT_FILE, preset)
    assert abs(sum(config.shares.values()) - 1) < 1e-6
    assert config.size % 32 == 0
