"""Settings of a training run, read from a TOML file with one table per preset."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch

from underpaint.errors import ErrorCode, RequestError

DEFAULT_FILE = Path(__file__).with_name("presets.toml")


class Precision(StrEnum):
    """Arithmetic of the forward and backward passes; weights are always float32."""

    FP32 = "fp32"
    BF16 = "bf16"


@dataclass(frozen=True, slots=True)
class VaeConfig:
    """`minutes` or `steps` ends the run (0 = not this one); `crop`: training crops in px;
    `learning_rate`, `encoder_rate`: peaks of the decoder's and the encoder's. In the first `alone`
    of the run encoder and decoder learn together; then the encoder is fixed, and `adversary` is
    the weight of the discriminator's gradient, as a share of the reconstruction's."""

    minutes: float
    steps: int
    batch: int
    crop: int
    learning_rate: float
    encoder_rate: float
    adversary: float
    alone: float


@dataclass(frozen=True, slots=True)
class Stage:
    """`size`: image side in px; `share` of the run; `crops`: share of native-scale crops;
    `details`, `textures`, `adversary`: weights of the gradients of local contrast, of what the
    reader sees, and of the discriminator, as shares of the squared error's."""

    size: int
    batch: int
    share: float
    crops: float = 0.0
    details: float = 0.0
    textures: float = 0.0
    adversary: float = 0.0


@dataclass(frozen=True, slots=True)
class DiffusionConfig:
    """`minutes` or `steps` ends the run (0 = not this one); `ema`: decay of averaged weights."""

    minutes: float
    steps: int
    learning_rate: float
    ema: float
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class AdapterConfig:
    """The LoRA, the IP-Adapter and the reader, each: `minutes` or `steps` ends the run (0 = not
    this one); `size`: image side in px."""

    minutes: float
    steps: int
    size: int
    batch: int
    learning_rate: float


@dataclass(frozen=True, slots=True)
class GuidedConfig:
    """Training by minutes over an exported model. `shares`: of the time, by stage; `size`: of views
    in px, windows are half as wide; `renderers`: processes that render; `first_windows`: how many
    are waited for; batches of the stages."""

    renderers: int
    size: int
    first_windows: int
    pattern_batch: int
    top_batch: int
    decoder_batch: int
    shares: dict[str, float]


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One preset. `scenes`: how many are rendered when the data folder is empty; `held`: how many
    at least beside them, to look at and to measure with."""

    precision: Precision
    compile: bool
    threads: int
    scenes: int
    judge_minutes: float
    judge_steps: int
    vae: VaeConfig
    diffusion: DiffusionConfig
    reader: AdapterConfig
    adapters: AdapterConfig
    held: int = 16


def load_guided(path: Path, preset: str) -> GuidedConfig:
    """Read one preset's settings of training by minutes. Errors as of `load_config`."""
    table = _table(path, f"{preset}-guided")
    try:
        return GuidedConfig(**table)
    except TypeError as error:
        raise _malformed(path, f"{preset}-guided", error) from error


def load_config(path: Path, preset: str) -> TrainConfig:
    """Read one preset. Raises RequestError naming the file and key at fault."""
    try:
        return _parse(_table(path, preset))
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(path, preset, error) from error


def _malformed(path: Path, preset: str, error: Exception) -> RequestError:
    text = f"Preset {preset!r} of {path.name} is malformed: {error}"
    return RequestError(ErrorCode.BAD_REQUEST, text)


def _table(path: Path, preset: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise RequestError(ErrorCode.FILE, f"Cannot read {path}: {error}") from error
    if preset not in tables:
        raise RequestError(
            ErrorCode.BAD_REQUEST, f"No preset {preset!r} in {path.name}; it has {sorted(tables)}"
        )
    return dict(tables[preset])


def _parse(table: dict[str, Any]) -> TrainConfig:
    diffusion = dict(table.pop("diffusion"))
    stages = tuple(Stage(**stage) for stage in diffusion.pop("stages"))
    config = TrainConfig(
        precision=Precision(table.pop("precision")),
        vae=VaeConfig(**table.pop("vae")),
        diffusion=DiffusionConfig(stages=stages, **diffusion),
        reader=AdapterConfig(**table.pop("reader")),
        adapters=AdapterConfig(**table.pop("adapters")),
        **table,
    )
    _check(config)
    return config


def _check(config: TrainConfig) -> None:
    for stage in config.diffusion.stages:
        if stage.size % 32 or stage.batch < 1 or not 0 < stage.share <= 1:
            raise ValueError(f"stage {stage}")
    if abs(sum(stage.share for stage in config.diffusion.stages) - 1) > 1e-6:
        raise ValueError("the stages' shares do not add up to 1")
    for name, added in (("reader", config.reader), ("adapters", config.adapters)):
        if added.size % 32:
            raise ValueError(f"{name}.size {added.size} is no multiple of 32")
    for part in (config.vae, config.diffusion, config.reader, config.adapters):
        if part.minutes <= 0 and part.steps <= 0:
            raise ValueError(f"{type(part).__name__} has neither minutes nor steps")


def autocast(device: torch.device, precision: Precision) -> torch.autocast:
    """Mixed precision where the machine computes it fast, else plain float32.

    bfloat16 on a processor without its instructions is many times slower than float32.
    """
    fast = device.type == "cuda" or _cpu_has_bf16()
    enabled = precision is Precision.BF16 and fast
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def _cpu_has_bf16() -> bool:
    capability: Mapping[str, Any] = torch.cpu.get_capabilities()
    return bool(capability.get("avx512_bf16") or capability.get("amx_bf16"))
