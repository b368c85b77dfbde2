"""`bench transport`: what the way to the daemon and back costs, next to the least it could."""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from underpaint.buffers import Array, Buffers, Kind
from underpaint.cli.terminal.parser import Parser
from underpaint.client import Client
from underpaint.errors import ErrorCode, JobFailed
from underpaint.events import Failed
from underpaint.measures import Report, at_most
from underpaint.requests import ImageRequest, Prompt
from underpaint.wire.messages import JobState

from .echo import WAIT
from .floor import bare_loopback
from .harness import finish, own_client
from .views import noise_arrays, view_of

RUNNER = "underpaint_daemon.tools.bench.echo:build_runner"
RATIO_LIMIT = 1.5
CANCEL_LIMIT_MS = 50.0
_BULK_SHAPE = (4096, 8192, 4)  # 128 MiB
_HEAD_START = 0.05
_PATIENCE = 60.0


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench transport --help`."""
    options = _options(argv)
    trips, floors, uncopied = _round_trips(options.side, options.repeats, options.seed)
    cancels = _cancels(options.cancels)
    roundtrip, floor = statistics.median(trips), statistics.median(floors)
    cancel = statistics.median(cancels)
    measures = {
        "roundtrip_ms": roundtrip * 1e3,
        "floor_ms": floor * 1e3,
        "floor_uncopied_ms": statistics.median(uncopied) * 1e3,
        "roundtrip_over_floor_ratio": roundtrip / floor,
        "roundtrip_slowest_ms": max(trips) * 1e3,
        "cancel_under_bulk_ms": cancel * 1e3,
        "cancel_under_bulk_slowest_ms": max(cancels) * 1e3,
        "repeats": float(options.repeats),
    }
    bars = [
        at_most("roundtrip_over_floor_ratio", measures["roundtrip_over_floor_ratio"], RATIO_LIMIT),
        at_most("cancel_under_bulk_ms", measures["cancel_under_bulk_ms"], CANCEL_LIMIT_MS),
    ]
    report = Report("bench transport", options.seed, measures, bars)
    return finish(report, as_json=options.json)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="underpaint bench transport")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--side", type=int, default=1024, help="pixels a side of the view")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--cancels", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def _round_trips(
    side: int, repeats: int, seed: int
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each round trip through the daemon and of each bare one, taken in turns: as
    pyzmq does it, and without its copies."""
    trips, floors, uncopied = [], [], []
    with own_client(["--runner", RUNNER]) as up, bare_loopback() as floor:
        for i in range(repeats + 2):  # the first two warm up both ways
            # New pixels each time: the daemon would not be sent what it has.
            arrays = noise_arrays(side, seed + i)
            trips.append(_round_trip(up, arrays))
            # All three there, the normals back: the same bytes as through the daemon.
            frames = [arrays[Kind.DEPTH], arrays[Kind.COLOR], arrays[Kind.NORMAL]]
            floors.append(floor.round_trip(frames, copy=True))
            uncopied.append(floor.round_trip(frames, copy=False))
    return trips[2:], floors[2:], uncopied[2:]


def _round_trip(up: Client, arrays: dict[Kind, Array]) -> float:
    """Seconds from submitting a captured view (its buffers addressed, as a capture gives them) to
    having the image, checked against its hash."""
    buffers = Buffers()
    request = ImageRequest(Prompt("echo"), view=view_of(arrays, buffers))
    began = time.perf_counter()
    (file,) = up.submit(request, buffers).result(_PATIENCE)
    took = time.perf_counter() - began
    if file.data != arrays[Kind.NORMAL].tobytes():
        raise JobFailed(ErrorCode.INTERNAL, "the daemon gave other pixels back")
    return took


def _cancels(repeats: int) -> list[float]:
    """Seconds from asking for a cancel to hearing of the job's end, with 128 MiB on their way to
    the daemon all the while."""
    taken: list[float] = []
    with own_client(["--runner", RUNNER]) as up:
        for value in range(256):  # other bytes each time, or they would not be sent
            took = _cancel_under_bulk(up, value)
            taken += [] if took is None else [took]
            if len(taken) == repeats:
                return taken
    raise JobFailed(ErrorCode.INTERNAL, "the bulk was always there before the cancel")


def _cancel_under_bulk(up: Client, value: int) -> float | None:
    """One such time; None when the bulk had arrived before the cancel."""
    bulk = Buffers()
    init = bulk.add(Kind.COLOR, np.full(_BULK_SHAPE, value, np.uint8))
    heavy = ImageRequest(Prompt("echo"), init=init)
    waiting = up.submit(ImageRequest(Prompt(WAIT)))
    while waiting.info is None or waiting.info.state is not JobState.RUNNING:
        time.sleep(0.002)
    sending = up.later(lambda: up.submit(heavy, bulk))
    time.sleep(_HEAD_START)
    began = time.perf_counter()
    waiting.cancel()
    end = list(waiting)[-1]
    took = time.perf_counter() - began
    in_flight = not sending.done()
    sending.result(_PATIENCE).result(_PATIENCE)
    if not isinstance(end, Failed) or end.error.code is not ErrorCode.CANCELLED:
        raise JobFailed(ErrorCode.INTERNAL, "a job did not take its cancel")
    return took if in_flight else None
