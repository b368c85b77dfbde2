"""One process of `bench families`: its miniatures one after another, both ways by turns.

Run as a program: for each word NAME:STEPS prints one line of JSON, `{"name", "steps", "pairs"}`;
STEPS 0: as many as make a picture of about half a second. Ends when its stdin does.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import sys
import threading
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch

from underpaint.paths import Paths

from .both_sides import Sides, both_sides
from .pairs import Pairs, by_turns, cpu_seconds

_PICTURE_S = 0.5
_FEW, _MOST = 4, 50


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process found of a miniature. `steps`: of each picture."""

    name: str
    steps: int
    pairs: Pairs


def main() -> int:
    """Measure what is asked for."""
    options = _options()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Libraries may print; the bench reads only what is meant for it.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    torch.set_num_threads(1)
    root = options.data
    paths = Paths(runtime=root / "run", data=root, cache=root / "cache")
    for word in options.asked:
        name, _, steps = word.partition(":")
        with both_sides(paths, name, options.side) as sides:
            found = _measured(name, sides, int(steps), options.repeats)
        print(json.dumps(asdict(found)), file=out)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("asked", nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--side", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    return parser.parse_args()


def _measured(name: str, sides: Sides, steps: int, repeats: int) -> Measured:
    for warm_up in (sides.engine, sides.pipeline):
        warm_up(steps or _FEW)
    steps = steps or _steps_for(sides)
    # What the libraries and the model hold is looked through for garbage once, in no one's picture.
    gc.collect()
    gc.freeze()
    try:
        pairs = by_turns(lambda: sides.engine(steps), lambda: sides.pipeline(steps), repeats)
    finally:
        gc.unfreeze()
    return Measured(name, steps, pairs)


def _steps_for(sides: Sides) -> int:
    """The picture's own seconds and those of each step are told apart by pictures of few steps and
    of twice as many."""
    few = _least_seconds(sides, _FEW)
    if few >= _PICTURE_S:
        return _FEW
    each = max((_least_seconds(sides, 2 * _FEW) - few) / _FEW, _PICTURE_S / _MOST)
    return min(math.ceil(_FEW + (_PICTURE_S - few) / each), _MOST)


def _least_seconds(sides: Sides, steps: int) -> float:
    """Of two pictures: what disturbs one makes it longer, never shorter."""
    return min(cpu_seconds(partial(sides.pipeline, steps)) for _ in range(2))


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
