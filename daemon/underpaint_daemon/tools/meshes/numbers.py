"""Numbers out of a text file's bytes, many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def numbers(text: bytes, kind: Any, count: int | None = None) -> Array | None:
    """The numbers of a text, separated by white space; None when there is anything else in it, or
    not `count` of them."""
    try:
        found: Array = np.fromstring(text, dtype=kind, sep=" ")
    except ValueError:
        return None
    return found if count is None or len(found) == count else None


def table(rows: Sequence[bytes], columns: int, least: int, what: str) -> Array:
    """The first `columns` numbers of each row: (n, columns) float64; numbers from `least` on may be
    missing and are 0. Raises ValueError that quotes the row that is wrong."""
    width = len(rows[0].split())
    if width >= columns:
        flat = numbers(b" ".join(rows), np.float64, width * len(rows))
        if flat is not None:
            return flat.reshape(-1, width)[:, :columns]
    result = np.zeros((len(rows), columns))
    for i, row in enumerate(rows):
        words = row.split(b"#")[0].split()[:columns]
        if len(words) < least:
            raise ValueError(f"'{what} {quoted(row)}' has {len(words)} numbers, not {columns}")
        result[i, : len(words)] = [number(word, what) for word in words]
    return result


def narrow(values: Array) -> Array:
    """Numbers in single precision."""
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        return np.ascontiguousarray(values, dtype=np.float32)


def number(word: bytes, what: str) -> float:
    """One number. Raises ValueError that says what stands there instead."""
    try:
        if b"_" in word:  # Python's own notation
            raise ValueError
        return float(word)
    except ValueError:
        comma = b"," in word
        why = " (a decimal comma: numbers need a point)" if comma else ""
        raise ValueError(f"a '{what}' line has {quoted(word)!r} for a number{why}") from None


def quoted(text: bytes, most: int = 40) -> str:
    """Some of a text for a message."""
    return text[:most].decode("utf-8", "replace").strip(" \t\r\n")  # other blanks are the fault
