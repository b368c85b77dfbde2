"""`underpaint train-starter`: render, train and export the starter model, or go on with it.

Runs on a CPU and on a GPU; every part keeps checkpoints in the work folder, so the command can be
stopped at any time and given again.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPTokenizer

from underpaint.cli.terminal.parser import Parser
from underpaint_daemon.common.models import starter_folder
from underpaint_starter.card import write_card
from underpaint_starter.guided import GuidedRun, train_guided
from underpaint_starter.judging.judge import save_judge
from underpaint_starter.judging.texture import objects_of, save_texture_judge, train_texture_judge
from underpaint_starter.networks.export import export_model, folder_mb, join_model
from underpaint_starter.networks.models import Networks
from underpaint_starter.networks.tokenizer import load_or_train_tokenizer
from underpaint_starter.scenes.dataset import write_shards
from underpaint_starter.scenes.shards import read_shard, shard_paths
from underpaint_starter.start import start_from
from underpaint_starter.training.codes import load_codes
from underpaint_starter.training.config import DEFAULT_FILE, TrainConfig, load_config, load_guided
from underpaint_starter.training.diffusion_train import (
    DiffusionRun,
    averaged,
    stage_at,
    train_diffusion,
)
from underpaint_starter.training.finetune import RELEASED, FinetuneRun
from underpaint_starter.training.ip_train import (
    make_image_encoder,
    save_ip_adapter,
    train_ip_adapter,
)
from underpaint_starter.training.judge_train import JudgeRun, train_judge
from underpaint_starter.training.lora_train import save_lora, train_lora
from underpaint_starter.training.progress import Progress
from underpaint_starter.training.reader import ReaderRun, train_reader
from underpaint_starter.training.sheets import draw_sheet
from underpaint_starter.training.vae_train import VaeRun, load_vae, train_vae

HELD_SEED = 1_000_000
_SHEET_MINUTES = 5
_LORA, _PICTURES = "lora_weights.pt", "ip_adapter_weights.pt"
PARTS = ("data", "vae", "reader", "diffusion", "lora", "ip_adapter", "judge", "export")


def main(argv: list[str]) -> int:
    """Command line; see `--help`."""
    options = _parser().parse_args(argv)
    if options.deadline is not None:
        return _by_minutes(options)
    if options.join is not None:
        return _join(options)
    config = load_config(options.config, options.preset)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(config.threads)
    torch.backends.cudnn.benchmark = True
    job = TrainingJob(config, options.work, device, options.seed)
    if options.start is not None:
        start_from(options.start, options.work)
    for part in options.parts or PARTS:
        sys.stderr.write(f"\n== {part} ==\n")
        if part == "export":
            size = job.export(options.out)
            print(f"{options.out}: {size:.1f} MB")
        else:
            job.run(part)
    return 0


def _by_minutes(options: argparse.Namespace) -> int:
    """Train guide, decoder and words over an exported model until the deadline."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(options.seed)
    config = load_guided(options.config, options.preset)
    model = options.start or starter_folder()
    train_guided(GuidedRun(model, options.work, options.out, device, options.deadline, config))
    return 0


def _join(options: argparse.Namespace) -> int:
    """Make a model folder of what a run by minutes has left."""
    size = join_model(options.start or starter_folder(), options.join, options.out)
    print(f"{options.out}: {size:.1f} MB")
    return 0


class TrainingJob:
    """The parts of a training run over one work folder: data, cache, checkpoints, sheets."""

    def __init__(self, config: TrainConfig, work: Path, device: torch.device, seed: int) -> None:
        self.config, self.work, self.device, self.seed = config, work, device, seed
        self.data, self.held = work / "train", work / "held"

    def run(self, part: str) -> None:
        """Run one part of PARTS, but for the export."""
        {
            "data": self.render,
            "vae": self.train_vae,
            "reader": self.train_reader,
            "diffusion": self.train_diffusion,
            "lora": self.train_lora,
            "ip_adapter": self.train_ip_adapter,
            "judge": self.train_judge,
        }[part]()

    def render(self) -> None:
        """Render the scenes that are not there yet; a tenth of them, or `held`, held out."""
        held = max(self.config.held, self.config.scenes // 10)
        write_shards(self.data, 0, self.config.scenes)
        write_shards(self.held, HELD_SEED, held, held_out=True)

    def train_vae(self) -> None:
        """Train the autoencoder, beginning with the closed-form code."""
        train_vae(
            VaeRun(self.data, self.held, self.work, self.device, self.config.precision),
            self.config.vae,
        )

    def train_reader(self) -> None:
        """Train the network whose eye for materials the denoiser is taught by."""
        config = self.config
        train_reader(
            ReaderRun(
                self.data,
                self.work,
                load_codes(self.work, self.device),
                self.device,
                config.precision,
                config.reader,
                self.seed,
            )
        )

    def train_diffusion(self) -> None:
        """Train denoiser, ControlNets and text encoder, drawing sheets on the way."""
        run = DiffusionRun(
            self.data,
            self.work,
            self.device,
            self.config.precision,
            self.config.compile,
            self.seed,
        )
        sheets = _Sheets(self)
        codes = load_codes(self.work, self.device)
        trainer = train_diffusion(run, self.config.diffusion, self.tokenizer(), codes, sheets)
        torch.save(
            {name: net.state_dict() for name, net in averaged(trainer).named().items()},
            self.work / RELEASED,
        )

    def train_lora(self) -> None:
        """Train the style LoRA over the finished networks."""
        torch.save(train_lora(self._finetune(), self.tokenizer()), self.work / _LORA)

    def train_ip_adapter(self) -> None:
        """Train the IP-Adapter and its image encoder over the finished networks."""
        weights, encoder = train_ip_adapter(self._finetune(), self.tokenizer())
        torch.save({"adapter": weights, "encoder": encoder.state_dict()}, self.work / _PICTURES)

    def _finetune(self) -> FinetuneRun:
        config = self.config
        codes = load_codes(self.work, self.device)
        return FinetuneRun(
            self.data,
            self.work,
            codes,
            self.device,
            config.precision,
            config.adapters,
            self.seed,
        )

    def train_judge(self) -> None:
        """Train the networks that the evaluation looks at pictures with."""
        minutes, steps = self.config.judge_minutes, self.config.judge_steps
        run = JudgeRun(
            self.data, self.held, self.work, self.device, self.config.precision, minutes, steps
        )
        save_judge(train_judge(run), self.work / "judge.safetensors")
        rows, names = objects_of(read_shard(path) for path in shard_paths(self.data))
        save_texture_judge(train_texture_judge(rows, names), self.work / "texture.safetensors")

    def export(self, out: Path) -> float:
        """Write the diffusers folder with its card; returns its size in MB."""
        from underpaint_starter.networks.models import make_networks

        tokenizer = self.tokenizer()
        networks = make_networks(tokenizer)
        weights = torch.load(self.work / RELEASED, map_location="cpu", weights_only=True)
        for name, net in networks.named().items():
            net.load_state_dict(weights[name])
        export_model(out, networks, load_vae(self.work), tokenizer)
        self._export_adapters(out)
        shutil.copyfile(self.work / "diffusion_curves.png", out / "training_curves.png")
        write_card(out, networks, self.config)
        return folder_mb(out)

    def _export_adapters(self, out: Path) -> None:
        lora, pictures = self.work / _LORA, self.work / _PICTURES
        if lora.exists():
            save_lora(torch.load(lora, map_location="cpu", weights_only=True), out)
        if pictures.exists():
            state = torch.load(pictures, map_location="cpu", weights_only=True)
            encoder = make_image_encoder()
            encoder.load_state_dict(state["encoder"])
            save_ip_adapter(state["adapter"], encoder, out)

    def tokenizer(self) -> CLIPTokenizer:
        """The tokenizer of this run, from the captions of all shards."""
        paths = shard_paths(self.data)
        captions = (str(text) for path in paths for text in np.load(path)["captions"])
        return load_or_train_tokenizer(self.work / "tokenizer", captions)


class _Sheets:
    """Draws a sheet of held-out scenes every few minutes, and one at the end of the run."""

    def __init__(self, job: TrainingJob) -> None:
        shard = read_shard(shard_paths(job.held)[0])
        few = slice(0, 8)
        self._views = replace(
            shard,
            rgb=shard.rgb[few],
            depth=shard.depth[few],
            normal=shard.normal[few],
            object_id=shard.object_id[few],
        )
        self._job, self._reports = job, 0

    def __call__(self, networks: Networks, progress: Progress) -> dict[str, float]:
        self._reports += 1
        if self._reports % _SHEET_MINUTES and not progress.done:
            return {}
        job = self._job
        stage, _ = stage_at(job.config.diffusion.stages, progress.fraction)
        path = job.work / "sheets" / f"step_{progress.step:07d}_{stage.size}.png"
        draw_sheet(networks, load_vae(job.work), job.tokenizer(), self._views, stage.size, path)
        return {}


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="underpaint train-starter", description="Train the starter model, or go on with it."
    )
    parser.add_argument("--work", type=Path, required=True, help="for data and checkpoints")
    parser.add_argument("--out", type=Path, default=Path("starter_model"), help="exported model")
    parser.add_argument(
        "--start", type=Path, metavar="MODEL", help="begin with an exported model's weights"
    )
    parser.add_argument(
        "--deadline",
        type=float,
        metavar="SECONDS",
        help="train guide, decoder and words over a model and end in time; --out gets weights in"
        " files of 16 MiB, for --join",
    )
    parser.add_argument(
        "--join", type=Path, metavar="FOLDER", help="make a model of what --deadline has written"
    )
    parser.add_argument("--config", type=Path, default=DEFAULT_FILE, help="a TOML of presets")
    parser.add_argument("--preset", default="gpu" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", choices=[*PARTS, []], help=" ".join(PARTS)
    )
    return parser
