"""`underpaint eval families`: every family on a miniature of its true architecture, through the
real loading code, a real daemon and its worker. Weights are random: what they paint means nothing.

Measures are FAMILY_ABILITY: 1 when what the table of abilities claims runs and shows its effect,
and when what it denies is refused by name; the reason is in the notes. `tiers`: every memory tier
paints the same; `second_job_loads_nothing`: of two jobs with one model. `--only` takes names of
miniatures.
"""

from __future__ import annotations

import argparse
import io
import os
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from underpaint.buffers import Buffers
from underpaint.cli.terminal.parser import Parser
from underpaint.client import Client, connect
from underpaint.errors import ErrorCode
from underpaint.events import Done, Failed, Preview, Progress
from underpaint.job import Job
from underpaint.measures import Report, at_least
from underpaint.paths import Paths
from underpaint_daemon.common.models import family_of
from underpaint_daemon.tools.bench.harness import finish, own_daemon

from .family_probes import probe, reasons
from .family_things import Things

Image8 = npt.NDArray[np.uint8]
_PATIENCE_S = 900.0


class DaemonPainter:
    """Paints on a daemon, as any client does."""

    def __init__(self, client: Client, buffers: Buffers) -> None:
        self._client, self._buffers = client, buffers

    def paint(self, request: Any) -> Image8:
        files = self._submit(request).result(_PATIENCE_S)
        png = next(file.data for file in files if file.media == "image/png")
        return np.asarray(Image.open(io.BytesIO(png)))

    def previews(self, request: Any) -> int:
        job = self._client.submit(request, self._buffers)
        seen = sum(isinstance(event, Preview) for event in job.events(previews=True))
        job.result(_PATIENCE_S)
        return seen

    def cancel(self, request: Any) -> int:
        job, steps = self._submit(request), 0
        for event in job.events():
            if isinstance(event, Progress) and event.phase == "denoising" and event.step >= 1:
                steps = event.step
                job.cancel()
            if isinstance(event, Failed) and event.error.code is not ErrorCode.CANCELLED:
                raise event.error
            if isinstance(event, Done):
                return int(request.sampling.steps)
        return steps

    def _submit(self, request: Any) -> Job:
        return self._client.submit(request, self._buffers)


def main(argv: list[str]) -> int:
    """Measure, print; exit code 3 when a claim does not hold."""
    args = _parser().parse_args(argv)
    os.environ["HF_HUB_OFFLINE"] = "1"
    with own_daemon() as paths:
        measures, notes = _measure(paths, args.only)
    bars = [at_least(name, value, 1.0) for name, value in measures.items()]
    return finish(Report("eval families", 7, measures, bars, notes=notes), as_json=args.json)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="underpaint eval families", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these miniatures alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _measure(paths: Paths, only: list[str] | None) -> tuple[dict[str, float], dict[str, str]]:
    # A client from the start: a daemon that nobody asks anything goes home after a while.
    with connect(paths, start=False, client="eval") as client:
        from underpaint_daemon.tools.miniatures import MINIATURES

        from .family_memory import kept_in_memory

        measures, notes = dict[str, float](), dict[str, str]()
        for name in only or list(MINIATURES):
            MINIATURES[name](paths.models / name)
            found = measured(client, paths, name) | kept_in_memory(paths, name)
            for ability, holds in found.items():
                measures[f"{name}_{ability}"] = float(holds)
            for ability, why in reasons(family_of(paths, name)).items():
                notes[f"{name}_{ability}"] = f"no, because: {why}"
    return measures, notes


def measured(
    client: Client, paths: Paths, name: str, without: Collection[str] = ()
) -> dict[str, bool]:
    """A miniature's abilities, but those of `without`, on the daemon of `paths`."""
    buffers = Buffers()
    painter = DaemonPainter(client, buffers)
    things = Things.into(buffers)
    return probe(family_of(paths, name), name, painter, things, without=without)
