"""`bench faults`: random faults over jobs that are accepted, run and fetched meanwhile.

Every fault is drawn from the seed and its own number, so that a run can be taken in slices:
`--first 0 --faults 500`, then `--first 500 --faults 500`. When exactly it hits is the machine's.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import numpy as np

from underpaint.buffers import Buffers, Kind
from underpaint.cli.terminal.parser import Parser
from underpaint.client import Client
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.measures import Report, at_most
from underpaint.requests import ImageRequest, Prompt, Sampling

from .house import House
from .ledger import Entry, Ledger, watch_ends
from .strikes import FAULTS, Scene

BARS = (
    *("accepted_jobs_lost", "ends_doubled", "results_without_file"),
    *("results_wrong", "unforeseen_errors"),
)
_OPEN_JOBS = 4
_SETTLE_EVERY = 10
_STEPS = 40
_SIDE = 64


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench faults --help`."""
    options = _options(argv)
    if sys.platform != "linux":
        raise RequestError(ErrorCode.BAD_REQUEST, "bench faults plays a full disk as Linux does")
    # One that is told to end must end its daemon too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    report = tried(options)
    print(report.to_json() if options.json else report.to_text())
    return report.exit_code


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog="underpaint bench faults", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a new folder for the data and the log")
    return parser.parse_args(argv)


def tried(options: argparse.Namespace) -> Report:
    """Run the faults. Raises ConnectionLost when a daemon does not start again."""
    began, ledger = time.monotonic(), Ledger()
    with _folder(options.keep) as root:
        starts = _run(House(root), ledger, options)
    for told in ledger.told:
        print(told, file=sys.stderr)
    measures = {"faults": float(options.faults), "first_fault": float(options.first)}
    measures |= {name: float(ledger.counts[name]) for name in sorted({*ledger.counts, *BARS})}
    measures |= {"daemon_starts": float(starts), "seconds": time.monotonic() - began}
    bars = [at_most(name, ledger.counts[name], 0) for name in BARS]
    return Report("bench faults", options.seed, measures, bars)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep
        return
    root = Path(tempfile.mkdtemp(prefix="underpaint-faults-"))
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _run(house: House, ledger: Ledger, options: argparse.Namespace) -> int:
    """All the faults, on one data folder; how often a daemon was started."""
    house.start()
    try:
        watch_ends(house.table)
        with house.client() as client:
            for number in range(options.first, options.first + options.faults):
                _strike(house, ledger, client, options.seed, number)
                if (number + 1) % _SETTLE_EVERY == 0:
                    ledger.settle(client)
                    print(f"{number + 1}: {dict(ledger.counts)}", file=sys.stderr)
            ledger.settle(client)
        ledger.count_ends(house.table)
    finally:
        house.end()
    return house.starts


def _strike(house: House, ledger: Ledger, client: Client, seed: int, number: int) -> None:
    """One fault, with jobs before and under it."""
    random = Random(f"{seed}:{number}")
    names = list(FAULTS)
    (name,) = random.choices(names, [FAULTS[known][0] for known in names])

    def submit(by: Client, again: Entry | None) -> Entry | None:
        return _submitted(ledger, by, random, again)

    while len(ledger.open) < _OPEN_JOBS:
        submit(client, None)
    scene = Scene(house, ledger, client, random, submit)
    scene.moment()
    ledger.counts[f"{name}_faults"] += 1
    FAULTS[name][1](scene)


def _submitted(ledger: Ledger, client: Client, random: Random, again: Entry | None) -> Entry | None:
    """A job that was handed over, if it was accepted; one that may have been is looked at too."""
    seed = random.getrandbits(31) if again is None else again.seed
    entry = again or Entry(f"job-{random.getrandbits(64):016x}", seed)
    buffers = Buffers()
    noise = np.random.default_rng(seed).integers(0, 256, (_SIDE, _SIDE, 3), np.uint8)
    init = buffers.add(Kind.COLOR, noise) if seed % 2 else None
    sampling = Sampling(steps=1 + seed % _STEPS, seed=seed)
    request = ImageRequest(Prompt("a fault"), init=init, sampling=sampling)
    try:
        job = client.submit(request, buffers, job_id=entry.id)
    except UnderpaintError as error:
        ledger.counts[f"refused_{error.code.value}"] += 1
        return None
    job.forget()
    if again is None:
        ledger.accept(entry)
    return entry
