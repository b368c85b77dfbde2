"""Training: the code is exact, the command trains, resumes and exports on any machine."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from underpaint.errors import UnderpaintError
from underpaint_starter.networks.models import make_scheduler, make_vae
from underpaint_starter.networks.pca import fit_pca, write_encoder
from underpaint_starter.networks.tokenizer import tokenize, train_tokenizer
from underpaint_starter.scenes.dataset import write_shards
from underpaint_starter.train import HELD_SEED, main
from underpaint_starter.training.config import DEFAULT_FILE, load_config
from underpaint_starter.training.losses import noised, psnr, velocity
from underpaint_starter.training.muon import orthogonalised

torch.set_num_threads(1)

TINY = """
[tiny]
precision = "fp32"
compile = false
threads = 1
scenes = 8
held = 4
judge_minutes = 0.0
judge_steps = 2
[tiny.vae]
minutes = 0.0
steps = 2
batch = 2
crop = 32
learning_rate = 1e-3
encoder_rate = 1e-3
adversary = 0.5
alone = 0.3
[tiny.diffusion]
minutes = 0.0
steps = 2
learning_rate = 1e-3
ema = 0.9
[[tiny.diffusion.stages]]
size = 32
batch = 4
share = 0.5
[[tiny.diffusion.stages]]
size = 64
batch = 2
share = 0.5
crops = 0.5
details = 0.5
textures = 0.5
adversary = 0.5
[tiny.reader]
minutes = 0.0
steps = 2
size = 32
batch = 2
learning_rate = 1e-3
[tiny.adapters]
minutes = 0.0
steps = 2
size = 32
batch = 2
learning_rate = 1e-3
"""

SHORT = TINY.replace("[tiny", "[short").replace("steps = 2", "steps = 1")
"""The same for one that goes on, which need not be trained for itself."""


def soft_pictures(count: int) -> torch.Tensor:
    torch.manual_seed(0)
    small = torch.rand(count, 3, 8, 8) * 2 - 1
    return torch.nn.functional.interpolate(small, size=64, mode="bicubic").clamp(-1, 1)


def test_the_encoder_computes_the_principal_components_of_patches() -> None:
    pictures = soft_pictures(8)
    pca = fit_pca(pictures)
    vae = make_vae()
    write_encoder(vae, pca)
    with torch.no_grad():
        code = vae.encode(pictures).latent_dist
    assert float((code.mean - pca.encode(pictures)).abs().max()) < 0.02
    assert float(code.std.max()) < 1e-4
    assert float(psnr(pca.decode(code.mean), pictures)) > 22


def test_muon_turns_every_singular_value_towards_one() -> None:
    torch.manual_seed(0)
    for shape in ((3, 32, 96), (2, 96, 32)):
        values = torch.linalg.svdvals(orthogonalised(torch.randn(shape)).float())
        assert float(values.min()) > 0.6
        assert float(values.max()) < 1.3


def test_velocity_and_noisy_picture_give_the_clean_one_back() -> None:
    clean, noise = torch.randn(3, 4, 8, 8), torch.randn(3, 4, 8, 8)
    alpha = make_scheduler().alphas_cumprod[torch.tensor([10, 500, 999])]
    root = alpha[:, None, None, None].sqrt()
    rest = (1 - alpha)[:, None, None, None].sqrt()
    again = root * noised(clean, noise, alpha) - rest * velocity(clean, noise, alpha)
    assert torch.allclose(again, clean, atol=1e-4)


def test_any_prompt_can_be_written_with_the_trained_vocabulary() -> None:
    tokenizer = train_tokenizer(["a red cube on sand", "a mossy stone head"] * 4)
    ids = tokenize(tokenizer, ["a red cube, Ünïcode 42!", ""])
    assert ids.shape == (2, 77)
    assert int(ids.max()) < len(tokenizer)
    assert int(ids[1, 1]) == tokenizer.eos_token_id


@pytest.mark.parametrize(
    ("text", "preset"),
    [("[a]\n", "b"), ("[a", "a"), ("[a]\nprecision = 'fp8'\n", "a")],
)
def test_a_broken_settings_file_is_told_with_its_name(
    tmp_path: Path, text: str, preset: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UnderpaintError, match=r"mine\.toml"):
        load_config(path, preset)


def test_both_shipped_presets_are_well_formed() -> None:
    for preset in ("cpu", "gpu"):
        assert load_config(DEFAULT_FILE, preset).diffusion.stages[-1].size == 256


def _encoder_of(path: Path) -> torch.Tensor:
    state = torch.load(path, weights_only=True)
    weight: torch.Tensor = state.get("vae", state)["encoder.conv_in.weight"]
    return weight


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with settings, and work whose scenes are rendered and whose autoencoder is done."""
    folder = tmp_path_factory.mktemp("begun")
    (folder / "tiny.toml").write_text(TINY + SHORT)
    # The scenes that are only looked at are there already, small.
    write_shards(folder / "work" / "held", HELD_SEED, 4, held_out=True, size=128)
    assert main([*_given(folder), "data", "vae"]) == 0
    return folder


def _given(folder: Path) -> list[str]:
    settings = ["--config", str(folder / "tiny.toml"), "--preset", "tiny"]
    return ["--work", str(folder / "work"), "--out", str(folder / "model"), *settings]


@pytest.mark.slow
def test_the_training_command_renders_trains_resumes_and_exports(
    begun: Path, tmp_path: Path
) -> None:
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    given, work, out = _given(tmp_path), tmp_path / "work", tmp_path / "model"
    assert main([*given, "reader"]) == 0
    start, now = (_encoder_of(work / name) for name in ("vae_start.pt", "vae.pt"))
    assert not torch.equal(start, now)  # the encoder learns too
    assert main([*given, "diffusion"]) == 0
    assert main(given) == 0  # what is done is not done again
    logged = (work / "diffusion.jsonl").read_text().splitlines()
    assert '"step": 2' in logged[-1]
    assert list((work / "sheets").glob("*.png"))
    assert (work / "diffusion_curves.png").stat().st_size > 1000
    assert {path.name for path in out.iterdir()} >= {
        "model_index.json",
        "unet",
        "vae",
        "text_encoder",
        "tokenizer",
        "scheduler",
        "controlnet_depth",
        "controlnet_normal",
        "README.md",
        "loras",
        "ip_adapter",
    }
    weights = (out / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size
    assert weights < 60e6
    further = tmp_path / "further"
    shutil.copytree(work / "train", further / "train")
    shutil.copytree(work / "held", further / "held")
    again = ["--work", str(further), "--start", str(out), *given[4:], "--preset", "short"]
    assert main([*again, "reader", "diffusion"]) == 0  # goes on from an exported model
    line = (further / "diffusion.jsonl").read_text().splitlines()[0]
    assert json.loads(line)["loss"] < 1.1 * json.loads(logged[0])["loss"]


@pytest.mark.slow
def test_the_denoiser_asks_for_the_part_that_comes_before_it(begun: Path, tmp_path: Path) -> None:
    shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
    with pytest.raises(UnderpaintError, match="run the reader part first"):
        main([*_given(tmp_path), "diffusion"])


def test_starting_from_a_folder_that_is_no_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnderpaintError, match="not an exported starter model"):
        main(["--work", str(tmp_path / "w"), "--start", str(tmp_path), "diffusion"])
