"""The rounds of `bench families`: in each a fresh process measures every miniature, in an order of
its own, so that what a machine drifts hits all alike; then those that are undecided, again, the
highest ratios first."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from underpaint.cli.terminal.progress_line import ProgressLine
from underpaint_daemon.server.supervisor import worker_environment

from .pairs import Pairs, Ratio

_MODULE = "underpaint_daemon.tools.bench.one_process"
_AGAIN = 6
"""Undecided ones of a further round: those whose ratios are the highest matter most."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and how long: `rounds` of all, up to `most_rounds` of what is undecided, in
    `seconds`. `data`: the folder with the miniatures. `steps`: of each picture, 0: by the time that
    a picture takes. `bar`: on which side of it is to be decided."""

    data: Path
    names: Sequence[str]
    side: int
    steps: int
    repeats: int
    rounds: int
    most_rounds: int
    seconds: float
    seed: int
    bar: float


@dataclass(slots=True)
class Found:
    """What has been measured so far: pairs of each process, and the steps, by miniature; and whose
    process ended before its time."""

    pairs: dict[str, list[Pairs]] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def take(self, line: str) -> None:
        """A line of a process."""
        told = json.loads(line)
        name = told["name"]
        self.steps[name] = told["steps"]
        self.pairs.setdefault(name, []).append([(a, b) for a, b in told["pairs"]])

    def undecided(self, names: Sequence[str], bar: float) -> list[str]:
        """Of which it is not known on which side of the bar they are; the highest ratio first."""
        ratios = {name: Ratio.of(self.pairs[name]) for name in names if name not in self.broken}
        open_ones = [name for name, ratio in ratios.items() if not ratio.decides(bar)]
        return sorted(open_ones, key=lambda name: -ratios[name].value)


class Rounds:
    """Measures into `found`, and tells how far it is."""

    def __init__(self, plan: Plan, found: Found, line: ProgressLine) -> None:
        self._plan, self._found, self._line = plan, found, line
        self._began, self._longest, self._round = time.monotonic(), 0.0, 0
        self._done, self._total = 0, plan.rounds * len(plan.names)
        self._order = random.Random(plan.seed)

    def run(self) -> None:
        """All planned rounds; then those of what is undecided, until the time is over."""
        plan = self._plan
        for _ in range(plan.rounds):
            self._measure([name for name in plan.names if name not in self._found.broken])
        while self._round < plan.most_rounds and self._has_time():
            if not (names := self._found.undecided(plan.names, plan.bar)[:_AGAIN]):
                return
            self._total = self._done + len(names)
            self._measure(names)

    def _measure(self, names: list[str]) -> None:
        """One round. A process that ends before its time costs the miniature that it was at."""
        self._round += 1
        self._line.about = f"round {self._round}: "
        self._order.shuffle(names)
        while names and self._has_time():
            left = self._in_one_process(names)
            if left and self._has_time():
                self._found.broken.add(left.pop(0))
            names = left

    def _in_one_process(self, names: Sequence[str]) -> list[str]:
        """What it did not measure: its end came before, or the time was over."""
        with _process(self._plan, names, self._found.steps) as process:
            for done, name in enumerate(names):
                if not self._has_time():
                    return list(names[done:])
                self._tell(name)
                began = time.monotonic()
                if not (answer := _answer(process)):
                    return list(names[done:])
                self._found.take(answer)
                self._done += 1
                self._longest = max(self._longest, time.monotonic() - began)
        return []

    def _has_time(self) -> bool:
        """For one more miniature, too."""
        return time.monotonic() + self._longest < self._began + self._plan.seconds

    def _tell(self, name: str) -> None:
        took = time.monotonic() - self._began
        each = took / self._done if self._done else math.nan
        left = min(each * (self._total - self._done), self._plan.seconds - took)
        told = left if self._done else None
        self._line.part(f"measuring {name}", self._done, self._total, told)


def _answer(process: subprocess.Popen[str]) -> str:
    return "" if process.stdout is None else process.stdout.readline()


@contextmanager
def _process(
    plan: Plan, names: Sequence[str], steps: dict[str, int]
) -> Iterator[subprocess.Popen[str]]:
    """A fresh process, with the allocator's settings of a worker: without them tensors are given to
    the kernel and faulted in again, more often in some memory layouts than in others."""
    asked = [f"{name}:{steps.get(name, plan.steps)}" for name in names]
    command = [sys.executable, "-m", _MODULE, *asked, "--data", str(plan.data)]
    command += ["--side", str(plan.side), "--repeats", str(plan.repeats)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env=worker_environment("cpu"), **_apart()
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _apart() -> dict[str, Any]:
    """Ctrl-C is for us to hear."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
