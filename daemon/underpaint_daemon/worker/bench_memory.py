"""`bench memory`: whether many views need more memory than one, on a random-weight model of SDXL's
layout.

The model has SDXL's blocks, transformer depths and latents, a UNet a tenth as wide and a VAE a
quarter. A view's activations shrink with the width, what is kept of it (its geometry, its picture)
does not, so that the bar is stricter than at full width. Each figure is the peak of the resident
memory over what the process held before (Linux).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from underpaint.buffers import Buffers
from underpaint.errors import ErrorCode, RequestError
from underpaint.measures import Report, at_most
from underpaint.paths import Paths
from underpaint.requests import (
    Control,
    ControlKind,
    Prompt,
    Sampler,
    Sampling,
    TextureRequest,
)

from ..bench.harness import finish
from ..models import starter_folder
from .job import Image8, Phase
from .pipelines.cache import ModelCache
from .pipelines.memory import release
from .texturing.assets import mesh_ref
from .texturing.runner import run_texture
from .texturing.shapes import chair

RATIO_LIMIT = 1.0
_CHANNELS = (32, 64, 128)
_VAE_CHANNELS = (32, 64, 128, 128)
_HEADS = (1, 2, 4)
_CROSS, _TIME = 64, 8
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench memory --help`."""
    options = _options(argv)
    if not _CLEAR.exists():
        raise RequestError(
            ErrorCode.BAD_REQUEST,
            "peaks of memory are read from Linux's /proc, which is not here",
            hint="Run it on Linux.",
        )
    with tempfile.TemporaryDirectory(prefix="underpaint-bench-") as root:
        one, many = _peaks(Path(root), options.views, options.side)
    measures = {
        "one_view_mib": one,
        "many_views_mib": many,
        "views": float(options.views),
        "side_px": float(options.side),
        "extra_over_one_ratio": (many - one) / one,
    }
    bars = [at_most("extra_over_one_ratio", measures["extra_over_one_ratio"], RATIO_LIMIT)]
    return finish(Report("bench memory", 0, measures, bars), as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="underpaint bench memory", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--views", type=int, default=12, choices=range(2, 65), metavar="N")
    parser.add_argument("--side", type=int, default=1024, help="pixels a side of a view (1024)")
    return parser.parse_args(argv)


def _peaks(root: Path, views: int, side: int) -> tuple[float, float]:
    """MiB that a texture of one view and one of `views` views need over the loaded model."""
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    build_narrow_xl(paths.models / "narrow")
    buffers = Buffers()
    request = TextureRequest(
        Prompt("red stone"),
        mesh_ref(chair(), buffers),
        model="narrow",
        sampling=Sampling(Sampler.EULER, 1, 3.0, 1),
        controls=(Control(ControlKind.DEPTH),),
        size=64,
    )
    models = ModelCache(paths)
    # The first run brings in what every run needs: libraries, the model, its preview.
    run_texture(replace(request, view_count=1, view_size=64), buffers, _Quiet(), models)
    peaks = list[float]()
    for count in (1, views):
        release()
        _CLEAR.write_text(_RESET_PEAK)  # the peak falls to what is in use now
        before = _peak_mib()
        run_texture(replace(request, view_count=count, view_size=side), buffers, _Quiet(), models)
        peaks.append(_peak_mib() - before)
    return peaks[0], peaks[1]


def _peak_mib() -> float:
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def build_narrow_xl(folder: Path) -> None:
    """Save a narrow model of SDXL's layout with random weights (seeded) and a depth
    ControlNet; its tokenizer is the starter's."""
    from diffusers import (
        AutoencoderKL,
        ControlNetModel,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import (
        CLIPTextConfig,
        CLIPTextModel,
        CLIPTextModelWithProjection,
        CLIPTokenizer,
    )

    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(starter_folder() / "tokenizer")
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=_CROSS // 2,
        intermediate_size=_CROSS,
        projection_dim=_CROSS // 2,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=[1, 2, 10],
        attention_head_dim=_HEADS,  # diffusers' name for the number of heads
        cross_attention_dim=_CROSS,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=_TIME,
        projection_class_embeddings_input_dim=6 * _TIME + _CROSS // 2,
    )
    vae = AutoencoderKL(
        block_out_channels=_VAE_CHANNELS,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=4,
        norm_num_groups=16,
        sample_size=1024,
        scaling_factor=0.13025,
    )
    StableDiffusionXLPipeline(
        vae=vae.eval(),
        text_encoder=CLIPTextModel(text).eval(),
        text_encoder_2=CLIPTextModelWithProjection(text).eval(),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet.eval(),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
        ),
        add_watermarker=False,
    ).save_pretrained(folder)
    ControlNetModel.from_unet(unet).save_pretrained(folder / "controlnet_depth")


@dataclass(slots=True)
class _Quiet:
    """A job's reporter that says nothing but warnings, on stderr, each once."""

    told: set[str] = field(default_factory=set)

    def progress(self, phase: Phase, step: int, total: int) -> None:
        return

    def checkpoint(self) -> None:
        return

    def wants_preview(self) -> bool:
        return False

    def preview(self, step: int, image: Image8, index: int = 0) -> None:
        return

    def warn(self, message: str) -> None:
        if message not in self.told:
            self.told.add(message)
            print(f"underpaint bench memory: {message}", file=sys.stderr)
