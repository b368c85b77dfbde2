"""Training by minutes: the guide, the decoder and the words over an exported model.

One deadline, shared among the stages. Windows are rendered by processes of their own from the
first second to the last stage; weights are written after each stage, so that a run that is stopped
leaves the best it had.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from transformers import CLIPTokenizer

from underpaint_starter.networks.models import Networks, channels_last
from underpaint_starter.networks.weights import write_weights
from underpaint_starter.start import read_model
from underpaint_starter.training.checkpoint import Average
from underpaint_starter.training.config import GuidedConfig
from underpaint_starter.training.guided.clock import Clock
from underpaint_starter.training.guided.decoder import teach_decoder
from underpaint_starter.training.guided.patterns import begin_guide, teach_patterns
from underpaint_starter.training.guided.top import painted_codes, teach_top
from underpaint_starter.training.guided.tops import make_tops
from underpaint_starter.training.guided.window_store import WindowStore
from underpaint_starter.training.guided.windows import render_windows
from underpaint_starter.training.guided.words import said_of, teach_words

_STAGES = ("words", "patterns", "tops", "top", "decoder")
_RESERVE = 0.04  # share of the deadline kept for writing the last weights
_EMA = 0.99


@dataclass(frozen=True, slots=True)
class GuidedRun:
    """`model`: the exported model that is begun with; `out`: where weights are written."""

    model: Path
    work: Path
    out: Path
    device: torch.device
    deadline: float  # seconds from the start of the run
    config: GuidedConfig


def train_guided(run: GuidedRun) -> None:
    """Train until the deadline. Raises RequestError(FILE) when `model` is none."""
    ends = time.monotonic() + run.deadline * (1 - _RESERVE)
    networks, vae, tokenizer = read_model(run.model)
    windows = run.work / "windows"
    renderers = _renderers(run, windows)
    try:
        _save(run.out, networks, vae)
        store = WindowStore(windows, run.device)
        _wait_for(store, run.config.first_windows, ends)
        _Stages(run, networks.to(run.device), vae.to(run.device), tokenizer, store, ends).all()
    finally:
        for process in renderers:
            process.terminate()
            process.join()


@dataclass(slots=True)
class _Stages:
    run: GuidedRun
    networks: Networks
    vae: AutoencoderKL
    tokenizer: CLIPTokenizer
    store: WindowStore
    ends: float

    def all(self) -> None:
        """Every stage in its share of the time that is left."""
        channels_last(self.vae)
        for net in (*self.networks.named().values(), self.vae):
            net.requires_grad_(False)
        config, device = self.run.config, self.run.device
        fresh = not (self.run.model / "controlnet_guide").exists()
        if fresh:
            begin_guide(self.networks)
        with self._stage("words") as clock:
            teach_words(self.networks, self.tokenizer, clock, device)
        if fresh:
            with self._stage("patterns") as clock:
                teach_patterns(self.networks, self.store, clock, config.pattern_batch, device)
        _save(self.run.out, self.networks, self.vae)
        painted = self._top()
        _save(self.run.out, self.networks, self.vae)
        mean = Average({"vae": self.vae}, _EMA)
        with self._stage("decoder") as clock:
            teach_decoder(self.vae, self.store, painted, clock, config.decoder_batch, mean)
        _load({"vae": self.vae}, mean)
        _save(self.run.out, self.networks, self.vae)

    def _top(self) -> tuple[Tensor, Tensor]:
        """Train over tops; what is then painted of them."""
        self.store.look()
        with self._stage("tops") as clock:
            tops = make_tops(self.networks, self.tokenizer, self.store, clock)
        said = said_of(self.networks, self.tokenizer, self.store.captions)
        average = Average(self.networks.named(), _EMA)
        batch = self.run.config.top_batch
        with self._stage("top") as clock:
            teach_top(self.networks, said, self.store, tops, clock, batch, average)
        _load(self.networks.named(), average)
        return painted_codes(self.networks, said, self.store, tops)

    @contextmanager
    def _stage(self, name: str) -> Iterator[Clock]:
        """The time of a stage: its share of what is left for it and those after it. What it came to
        is told at its end."""
        shares = self.run.config.shares
        later = _STAGES[_STAGES.index(name) :]
        part = shares[name] / sum(shares[stage] for stage in later)
        clock = Clock(name, part * max(0.0, self.ends - time.monotonic()))
        yield clock
        clock.tell()


def _renderers(run: GuidedRun, folder: Path) -> list[BaseProcess]:
    """Processes that write windows without end, each from seeds of its own, on the processor."""
    context = multiprocessing.get_context("spawn")
    folder.mkdir(parents=True, exist_ok=True)
    processes: list[BaseProcess] = []
    for number in range(run.config.renderers):
        process = context.Process(
            target=render_windows, args=(folder, run.model, number, run.config.size), daemon=True
        )
        process.start()
        processes.append(process)
    return processes


def _wait_for(store: WindowStore, count: int, ends: float) -> None:
    while len(store) < count and time.monotonic() < ends:
        if not store.look():
            time.sleep(0.5)
    sys.stderr.write(f"{len(store)} windows\n")


def _save(folder: Path, networks: Networks, vae: AutoencoderKL) -> None:
    parts: dict[str, nn.Module] = {**networks.named(), "vae": vae}
    write_weights(folder, {name: net.state_dict() for name, net in parts.items()})


def _load(networks: dict[str, nn.Module], average: Average) -> None:
    for name, net in networks.items():
        net.load_state_dict(average.values[name])
