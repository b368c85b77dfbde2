"""How a run is going: time or steps left, a line on the terminal, a log, and loss curves."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

REPORT_SECONDS = 60.0


class Progress:
    """Counts steps and seconds across restarts. The run is over at `steps`, or at `minutes`."""

    def __init__(
        self, name: str, work: Path, minutes: float, steps: int, state: Mapping[str, float]
    ) -> None:
        self.name, self.work = name, work
        self.step = int(state.get("step", 0))
        self._seconds = state.get("seconds", 0.0)
        self._limit_seconds, self._limit_steps = minutes * 60, steps
        self._last = time.monotonic()
        self._reported = self._seconds
        self._losses: dict[str, list[float]] = {}
        work.mkdir(parents=True, exist_ok=True)

    @property
    def fraction(self) -> float:
        """How much of the run is behind us, 0..1."""
        parts = [0.0]
        if self._limit_seconds:
            parts.append(self._seconds / self._limit_seconds)
        if self._limit_steps:
            parts.append(self.step / self._limit_steps)
        return min(1.0, max(parts))

    @property
    def done(self) -> bool:
        """True when the run is over."""
        return self.fraction >= 1

    def advance(self, **losses: float | Tensor) -> bool:
        """Count a step with its `loss`, and others by name; True when it is time to report (each
        minute, and at the end)."""
        now = time.monotonic()
        self._seconds += now - self._last
        self._last = now
        self.step += 1
        for name, loss in losses.items():
            self._losses.setdefault(name, []).append(float(loss))
        due = self._seconds - self._reported >= REPORT_SECONDS
        if self.step % 10 == 0 or due:
            self._bar()
        return due or self.done

    def report(self, **figures: float) -> None:
        """Write a line of the log with the mean losses since the last, and redraw the curves."""
        self._reported = self._seconds
        means = {name: sum(losses) / len(losses) for name, losses in self._losses.items()}
        self._losses.clear()
        line = {"step": self.step, "seconds": round(self._seconds, 1), **means, **figures}
        with (self.work / f"{self.name}.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        draw_curves(self.work / f"{self.name}.jsonl", self.work / f"{self.name}_curves.png")
        sys.stderr.write("\n" + json.dumps(line) + "\n")

    def state(self) -> dict[str, float]:
        """What a restart needs."""
        return {"step": float(self.step), "seconds": self._seconds}

    def _bar(self) -> None:
        share = self.fraction
        left = self._seconds / share * (1 - share) if share > 0 else 0.0
        bar = "#" * int(30 * share) + "-" * (30 - int(30 * share))
        sys.stderr.write(
            f"\r{self.name} [{bar}] {100 * share:5.1f} % step {self.step} "
            f"loss {self._losses['loss'][-1]:.4f} ETA {left / 60:.1f} min "
        )
        sys.stderr.flush()


def draw_curves(log: Path, picture: Path) -> None:
    """Loss and every other figure of a log over steps, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    names = [name for name in lines[-1] if name not in ("step", "seconds")]
    figure = Figure(figsize=(4 * len(names), 3), layout="constrained")
    FigureCanvasAgg(figure)
    for column, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), column + 1)
        points = [(line["step"], line[name]) for line in lines if name in line]
        axes.plot(*zip(*points, strict=True))
        axes.set_title(name)
        axes.set_xlabel("step")
    figure.savefig(picture, dpi=80)
