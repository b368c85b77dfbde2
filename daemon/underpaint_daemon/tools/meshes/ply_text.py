"""The tables of a PLY file that is text: a row a line, whatever else stands on the line; or, where
lines are broken otherwise, number after number."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .numbers import numbers

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    dtype: str
    count: str | None = None  # the dtype of a list's length


@dataclass(slots=True)
class Element:
    name: str
    rows: int
    properties: list[Property]


@dataclass(frozen=True, slots=True)
class List:
    """A list property: sizes (n,) and all values, row after row."""

    sizes: Array
    values: Array


Table = dict[str, Array | List]


def read_text(elements: list[Element], body: bytes) -> dict[str, Table]:
    """The tables of all elements; `body`: without white space around it. Raises ValueError."""
    flow = numbers(body, np.float64)
    if flow is not None:
        with suppress(ValueError):
            return _in_flow(elements, flow)
    lines = [line for line in body.splitlines() if not line.isspace()]
    tables: dict[str, Table] = {}
    at = 0
    for element in elements:
        rows = lines[at : at + element.rows]
        if len(rows) < element.rows:
            raise ValueError(f"it ends among its {element.name}")
        tables[element.name] = _of_lines(element, rows)
        at += element.rows
    return tables


def _in_flow(elements: list[Element], flow: Array) -> dict[str, Table]:
    """Number after number, wherever lines end. Raises ValueError when they are not as many as the
    header says."""
    tables: dict[str, Table] = {}
    at = 0
    for element in elements:
        starts, at = _row_starts(element, flow, at)
        tables[element.name] = _gathered(element, flow, starts)
    if at != len(flow):
        raise ValueError("there are more numbers than the header says")
    return tables


def _numbers(text: bytes) -> Array:
    values = numbers(text, np.float64)
    if values is None:
        raise ValueError("there is something that is no number among its numbers")
    return values


def _of_lines(element: Element, lines: list[bytes]) -> Table:
    width = len(element.properties)
    values = _numbers(b" ".join(lines))
    if not any(p.count for p in element.properties) and len(values) == width * len(lines):
        rows = values.reshape(len(lines), width)
        return {p.name: rows[:, i] for i, p in enumerate(element.properties)}
    counts = np.fromiter((len(line.split()) for line in lines), np.int64, len(lines))
    ends = np.cumsum(counts)
    starts = [np.zeros(element.rows, np.int64) for _ in element.properties]
    for row, (at, end) in enumerate(zip((ends - counts).tolist(), ends.tolist(), strict=True)):
        _place(element, values, starts, row, at, end)
    return _gathered(element, values, starts)


def _row_starts(element: Element, values: Array, at: int) -> tuple[list[Array], int]:
    """Where each property of each row begins, and the end. Raises ValueError beyond the end."""
    width = len(element.properties)
    if not any(prop.count for prop in element.properties):
        end = at + width * element.rows
        if end > len(values):
            raise ValueError(f"it ends among its {element.name}")
        return [np.arange(at + i, end, width) for i in range(width)], end
    starts = [np.zeros(element.rows, np.int64) for _ in element.properties]
    for row in range(element.rows):
        at = _place(element, values, starts, row, at, len(values))
    return starts, at


def _place(
    element: Element, values: Array, starts: list[Array], row: int, at: int, end: int
) -> int:
    """Where each property of one row begins, from `at` on; its end."""
    for prop, begin in zip(element.properties, starts, strict=True):
        size = float(values[at]) if prop.count and at < end else 0.0
        if at >= end or not 0 <= size <= end - at - 1:
            raise ValueError(f"a row of {element.name} ends too early")
        begin[row] = at
        at += 1 + int(size)
    return at


def _gathered(element: Element, values: Array, starts: list[Array]) -> Table:
    found: Table = {}
    for prop, begin in zip(element.properties, starts, strict=True):
        if not prop.count:
            found[prop.name] = values[begin]
            continue
        sizes = values[begin].astype(np.int64)
        # Of every value: its row's place in `values` less that in the list, and its place there.
        rows = np.repeat((begin + 1 - np.cumsum(sizes) + sizes).astype(np.int32), sizes)
        rows += np.arange(len(rows), dtype=np.int32)
        found[prop.name] = List(sizes, values[rows])
    return found
