"""`bench families`: what each family's picture costs beside diffusers' own pipeline.

Miniatures of the true architectures, in seconds of the processor, from a request to its picture:
settled, checked, encoded, painted, written as a PNG with its recipe. The other side is diffusers
alone: a folder, a pipeline, one call, and its picture saved as a PNG, too. Both are in one process,
with the same weights and the settings of a worker, and paint by turns.

What sways is less from picture to picture than from process to process, whose memory lies
otherwise each time. So every round is a fresh process, which measures all in another order; the
ratio is the median of the rounds' medians, its interval (19 times of 20) that of their spread. What
is undecided after `--rounds` is measured again, the highest ratios first, until it is decided on
which side of the bar they lie, or `--minutes` are over. Ctrl-C prints what is known by then.

A miniature's picture takes half a second (as many steps as that is), where a real one takes
seconds or minutes. What the engine does beside the networks, once a picture and once a step, is
milliseconds in both, so a miniature's ratio is rather more than a real model's: 1.05 are 25 ms,
which make 1.005 of a picture of five seconds. Shorter pictures would measure those alone, longer
ones fewer of them. The way there and back is `bench daemon`'s.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from underpaint.cli.terminal.parser import Parser, refuse_word
from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint.measures import Bar, Report, at_most

from .harness import finish
from .pairs import Pairs, Ratio
from .rounds import Found, Plan, Rounds

RATIO_LIMIT = 1.05
ALONE = {
    "HF_HUB_OFFLINE": "1",
    "TQDM_DISABLE": "1",
    "DIFFUSERS_VERBOSITY": "error",
    "TRANSFORMERS_VERBOSITY": "error",
    "PYTHONWARNINGS": "ignore",
}
"""Set before the libraries come: what they tell would be written over the progress, and takes time.
"""
_PROGRAM = "underpaint bench families"


def main(argv: list[str]) -> int:
    """Measure and print; see `underpaint bench families --help`."""
    options = _options(argv)
    os.environ |= ALONE
    found, line = Found(), ProgressLine()
    names = list[str]()
    try:
        with tempfile.TemporaryDirectory(prefix="underpaint-bench-") as root:
            line.doing("making the miniatures")
            names += _made(Path(root), options.only)
            Rounds(_plan(Path(root), names, options), found, line).run()
    except KeyboardInterrupt:
        line.end()
        if found.pairs:
            known = [name for name in names if name in found.pairs]
            finish(report(known, found, options.seed), as_json=options.json)
        raise
    finally:
        line.end()
    return finish(report(names, found, options.seed), as_json=options.json)


def report(names: Sequence[str], found: Found, seed: int) -> Report:
    """Of these miniatures. One that could not be measured holds no bar."""
    measures, bars, notes = dict[str, float](), list[Bar](), dict[str, str]()
    for name in names:
        if why := _unmeasured(name, found):
            bars.append(at_most(_ratio(name), math.nan, RATIO_LIMIT))
            measures[_ratio(name)] = math.nan
            notes[name] = why
            continue
        processes = found.pairs[name]
        ratio = Ratio.of(processes)
        measures |= _measures(name, processes, ratio, found.steps[name])
        bars.append(at_most(_ratio(name), ratio.value, RATIO_LIMIT))
        if not ratio.decides(RATIO_LIMIT):
            notes[name] = _undecided(ratio, len(processes))
    return Report("bench families", seed, measures, bars, notes=notes)


def _options(argv: list[str]) -> argparse.Namespace:
    parser = Parser(prog=_PROGRAM, description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these miniatures alone")
    parser.add_argument("--side", type=int, default=256, help="pixels a side of a picture (256)")
    parser.add_argument("--steps", type=int, default=0, help="(as many as take half a second)")
    for name, told in (
        ("repeats", "a process, of four pictures"),
        ("rounds", "fresh processes, at least"),
    ):
        parser.add_argument(
            f"--{name}", type=int, choices=range(1, 100), default=3, metavar="N", help=f"{told} (3)"
        )
    parser.add_argument("--most-rounds", type=int, default=12, help="of what is undecided (12)")
    parser.add_argument("--minutes", type=float, default=14.0, help="in all, at most (14)")
    parser.add_argument("--seed", type=int, default=7, help="of the rounds' orders (7)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(argv)


def _made(root: Path, only: list[str] | None) -> list[str]:
    """The miniatures' names; they are in `root`."""
    from underpaint.paths import Paths

    from ..miniatures import MINIATURES

    for name in only or ():
        if name not in MINIATURES:
            refuse_word(name, MINIATURES, _PROGRAM)
    names = list(only or MINIATURES)
    for name in names:
        MINIATURES[name](Paths(root / "run", root, root / "cache").models / name)
    return names


def _plan(root: Path, names: Sequence[str], options: argparse.Namespace) -> Plan:
    return Plan(
        root,
        names,
        options.side,
        options.steps,
        options.repeats,
        options.rounds,
        options.most_rounds,
        options.minutes * 60,
        options.seed,
        RATIO_LIMIT,
    )


def _ratio(name: str) -> str:
    return f"{name}_engine_over_pipeline_ratio"


def _measures(name: str, processes: Sequence[Pairs], ratio: Ratio, steps: int) -> dict[str, float]:
    engine, pipeline = (
        statistics.median(statistics.median(pair[side] for pair in pairs) for pairs in processes)
        for side in (0, 1)
    )
    return {
        f"{name}_engine_cpu_ms": engine * 1e3,
        f"{name}_pipeline_cpu_ms": pipeline * 1e3,
        _ratio(name): ratio.value,
        f"{name}_low_ratio": ratio.low,
        f"{name}_high_ratio": ratio.high,
        f"{name}_processes": float(len(processes)),
        f"{name}_steps": float(steps),
    }


def _unmeasured(name: str, found: Found) -> str:
    if name in found.broken:
        return "not measured: its process ended before its time, and what it said is above"
    return "" if name in found.pairs else "not measured: the time was over"


def _undecided(ratio: Ratio, processes: int) -> str:
    between = f"between {ratio.low:.3f} and {ratio.high:.3f}"
    if processes == 1:
        return "undecided: one process says nothing of the next"
    return f"undecided: {between} by {processes} processes"
