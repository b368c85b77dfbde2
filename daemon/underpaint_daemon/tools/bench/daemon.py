"""`bench daemon`: whether the daemon answers while its worker is busy, and what it costs a
generation to go through it."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from underpaint.buffers import Buffers
from underpaint.cli.terminal.parser import Parser
from underpaint.client import Client
from underpaint.errors import ErrorCode, JobFailed, RequestError
from underpaint.events import Preview
from underpaint.measures import Report, at_most
from underpaint.requests import Control, ControlKind, ImageRequest, Prompt, Sampler, Sampling
from underpaint.wire.messages import JobState
from underpaint_daemon.common.model_files import INDEX
from underpaint_daemon.common.models import starter_folder
from underpaint_daemon.server.supervisor import worker_environment

from .harness import finish, own_client
from .views import noise_arrays, view_of

PING_LIMIT_MS = 20.0
RATIO_LIMIT = 1.05
_PING_PAUSE = 0.005
_PATIENCE = 600.0
_PROMPT = "a red stone cube on a blue plane"
# The same work on both sides: LCM takes some per cent longer than the bare side's DPM-Solver.
_SAMPLER, _GUIDANCE = Sampler.DPMPP_2M, 3.0


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench daemon --help`."""
    options = _options(argv)
    model = _model(options.model)
    with own_client() as up, _bare(model, options) as bare:
        pairs, previews = _walls(up, bare, model, options)
        pings = _pings(up, model, options)
    through = statistics.median(pair[0] for pair in pairs)
    alone = statistics.median(pair[1] for pair in pairs)
    ratio = statistics.median(a / b for a, b in pairs)
    p99 = float(np.percentile(pings, 99)) * 1e3
    measures = {
        "ping_p99_ms": p99,
        "ping_median_ms": statistics.median(pings) * 1e3,
        "ping_slowest_ms": max(pings) * 1e3,
        "pings": float(len(pings)),
        "daemon_wall_ms": through * 1e3,
        "pipeline_wall_ms": alone * 1e3,
        "daemon_over_pipeline_ratio": ratio,
        "previews_per_image": previews,
    }
    bars = [
        at_most("ping_p99_ms", p99, PING_LIMIT_MS),
        at_most("daemon_over_pipeline_ratio", ratio, RATIO_LIMIT),
    ]
    return finish(Report("bench daemon", options.seed, measures, bars), as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="underpaint bench daemon")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--model", type=Path, help="a model folder (default: the starter)")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def _model(chosen: Path | None) -> Path:
    folder = (chosen or starter_folder()).resolve()
    if not (folder / INDEX).is_file():
        raise RequestError(ErrorCode.MODEL_MISSING, f"there is no model in {folder}")
    return folder


@contextmanager
def _bare(model: Path, options: argparse.Namespace) -> Iterator[subprocess.Popen[str]]:
    """The bare pipeline in a process of its own, as the worker's is."""
    command = [sys.executable, "-m", "underpaint_daemon.tools.bench.bare", "--model", str(model)]
    command += ["--side", str(options.side), "--steps", str(options.steps), "--prompt", _PROMPT]
    command += ["--guidance", str(_GUIDANCE)]
    pipe = subprocess.PIPE
    env = worker_environment()
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as process:
        try:
            if _line(process) != "ready":
                raise RequestError(ErrorCode.MODEL_BROKEN, f"{model} cannot be loaded bare")
            yield process
        finally:
            process.kill()


def _line(process: subprocess.Popen[str]) -> str:
    return "" if process.stdout is None else process.stdout.readline().strip()


def _walls(
    up: Client, bare: subprocess.Popen[str], model: Path, options: argparse.Namespace
) -> tuple[list[tuple[float, float]], float]:
    """Seconds of each image through the daemon and of each by the bare pipeline, in turns; and
    how many previews an image came with."""
    pairs, previews = [], 0
    for i in range(options.repeats + 1):  # the first loads the model and warms up both
        seed = options.seed + i
        # Which goes first alternates, so that a drift of the machine hits both alike.
        if i % 2:
            alone = _alone(bare, seed)
            through, shown = _through(up, model, seed, options)
        else:
            through, shown = _through(up, model, seed, options)
            alone = _alone(bare, seed)
        if i:
            pairs.append((through, alone))
            previews += shown
    return pairs, previews / options.repeats


def _alone(bare: subprocess.Popen[str], seed: int) -> float:
    if bare.stdin is None:
        raise JobFailed(ErrorCode.INTERNAL, "the bare pipeline has no input")
    bare.stdin.write(f"{seed}\n")
    bare.stdin.flush()
    answer = _line(bare)
    if not answer:
        raise RequestError(ErrorCode.MODEL_BROKEN, "the bare pipeline ended; see above")
    return float(answer)


def _request(
    model: Path, seed: int, options: argparse.Namespace, steps: int
) -> tuple[ImageRequest, Buffers]:
    buffers = Buffers()
    request = ImageRequest(
        Prompt(_PROMPT),
        model=str(model),
        width=options.side,
        height=options.side,
        sampling=Sampling(_SAMPLER, steps, _GUIDANCE, seed),
        view=view_of(noise_arrays(options.side, seed), buffers),
        controls=(Control(ControlKind.DEPTH),),
    )
    return request, buffers


def _through(up: Client, model: Path, seed: int, options: argparse.Namespace) -> tuple[float, int]:
    """Seconds from submit to having the image, previews on, and how many there were."""
    request, buffers = _request(model, seed, options, options.steps)
    began = time.perf_counter()
    job = up.submit(request, buffers, previews=True)
    previews = sum(isinstance(event, Preview) for event in job)
    job.result(_PATIENCE)
    return time.perf_counter() - began, previews


def _pings(up: Client, model: Path, options: argparse.Namespace) -> list[float]:
    """Seconds of each ping during one long generation."""
    request, buffers = _request(model, options.seed, options, min(200, 2 * options.steps))
    job = up.submit(request, buffers, previews=True)
    while not job.ended and (job.info is None or job.info.state is not JobState.RUNNING):
        time.sleep(0.01)
    taken = []
    while not job.ended:
        began = time.perf_counter()
        up.ping()
        taken.append(time.perf_counter() - began)
        job.take()  # keeps previews coming
        time.sleep(_PING_PAUSE)
    job.result(_PATIENCE)
    if not taken:
        raise JobFailed(ErrorCode.INTERNAL, "the generation was over before the first ping")
    return taken
