"""Timing inside a Blender with its window: ticks, captures, operators. Used by `live_bench.py`."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

MODULE = "bl_ext.user_default.underpaint"


@dataclass(slots=True)
class Times:
    """Milliseconds: by the clock, and of this thread alone."""

    wall: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        self.wall.clear()
        self.own.clear()


@dataclass(slots=True)
class Watch:
    """`apart`: what is measured for itself within the tick that is being timed. `between`: from one
    tick to the next, which is Blender's: by the clock, and of all its threads. `late`: from asking
    for a live picture until it is shown."""

    ticks: Times = field(default_factory=Times)
    between: Times = field(default_factory=Times)
    captures: Times = field(default_factory=Times)
    applied: Times = field(default_factory=Times)
    operators: dict[str, tuple[float, float]] = field(default_factory=dict)
    apart: list[tuple[float, float]] = field(default_factory=list)
    late: Times = field(default_factory=Times)
    _ended: tuple[float, float] = (0.0, 0.0)

    def around(self, call: Callable[..., Any], times: Times) -> Callable[..., Any]:
        """The same function, timed, and left out of the tick."""

        def timed(*args: Any, **named: Any) -> Any:
            result, wall, own = clocked(lambda: call(*args, **named))
            times.wall.append(wall)
            times.own.append(own)
            self.apart.append((wall, own))
            return result

        return timed

    def tick(self) -> None:
        """One tick of the pump."""
        if self._ended[0]:
            self.between.wall.append((time.perf_counter() - self._ended[0]) * 1e3)
            self.between.own.append((time.process_time() - self._ended[1]) * 1e3)
        self.apart.clear()
        _, wall, own = clocked(addon("pump").tick)
        self.ticks.wall.append(wall - sum(part[0] for part in self.apart))
        self.ticks.own.append(own - sum(part[1] for part in self.apart))
        self._ended = time.perf_counter(), time.process_time()

    def operator(self, verb: str, /, **named: Any) -> None:
        """Press a button; what capture takes is not its own."""
        self.apart.clear()
        with inside():
            done, wall, own = clocked(lambda: getattr(bpy.ops.underpaint, verb)(**named))
        assert done == {"FINISHED"}, (verb, done)
        wall, own = (x - sum(part[i] for part in self.apart) for i, x in enumerate((wall, own)))
        before = self.operators.get(verb, (0.0, 0.0))
        self.operators[verb] = max(before, (own, wall))


def clocked(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a function gives, and the milliseconds that it took: by the clock, and of its own."""
    began, worked = time.perf_counter(), time.thread_time()
    result = call()
    own = (time.thread_time() - worked) * 1e3
    return result, (time.perf_counter() - began) * 1e3, own


def addon(name: str) -> Any:
    return importlib.import_module(f"{MODULE}.{name}")


def runtime() -> Any:
    return addon("link.runtime").live()


def window() -> Any:
    return bpy.context.window_manager.windows[0]


def viewport() -> Any:
    return next(area for area in window().screen.areas if area.type == "VIEW_3D")


def inside() -> Any:
    """The context of an artist whose pointer is in the viewport."""
    area = viewport()
    region = next(region for region in area.regions if region.type == "WINDOW")
    return bpy.context.temp_override(window=window(), area=area, region=region)


def summed(name: str, times: Times) -> dict[str, float]:
    """Median, 99th percentile and slowest."""
    out = {f"{name}s": float(len(times.wall))}
    for clock, found in (("own", times.own), ("wall", times.wall)):
        if found:
            out[f"{name}_{clock}_median_ms"] = float(np.median(found))
            out[f"{name}_{clock}_p99_ms"] = float(np.percentile(found, 99))
            out[f"{name}_{clock}_slowest_ms"] = max(found)
    return out
