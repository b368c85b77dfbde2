"""A pytest plugin: `assert one == other` of pictures, files or long lists fails at once.

pytest looks for the smallest difference of what it compares, which takes minutes for some hundred
thousand bytes. Of so much only where it differs is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from _pytest.assertion import util

LARGE = 20_000
"""Bytes, letters and items together; a diff of fewer is quick."""


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call() -> Iterator[None]:
    """While a test runs, large comparisons are explained by us, all others as ever."""
    theirs = util._reprcompare

    def explain(op: str, left: Any, right: Any) -> str | None:
        if op == "==" and max(amount(left), amount(right)) > LARGE:
            return "\n~".join(["large things differ:", *differences(left, right)]).replace(
                "%", "%%"
            )
        return theirs(op, left, right)

    util._reprcompare = explain
    try:
        return (yield)
    finally:
        util._reprcompare = theirs


def amount(value: Any) -> int:
    """Bytes, letters and items in a value."""
    if isinstance(value, str | bytes | bytearray | memoryview):
        return len(value)
    if isinstance(value, Mapping):
        return amount(list(value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return len(value) + sum(map(amount, value))
    return 0


def differences(left: Any, right: Any, where: str = "it") -> Iterator[str]:
    """A line for each part that differs: where, and what is there."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        for key in sorted(left.keys() | right.keys(), key=repr):
            if key not in left or key not in right:
                yield f"{where}[{key!r}] is on the {'right' if key not in left else 'left'} only"
            elif left[key] != right[key]:
                yield from differences(left[key], right[key], f"{where}[{key!r}]")
    elif isinstance(left, Sequence) and isinstance(right, Sequence):
        shorter = min(len(left), len(right))
        at = next((i for i in range(shorter) if left[i] != right[i]), shorter)
        yield f"{where}: {_told(left)} and {_told(right)} differ first at {at}"
    else:
        yield f"{where}: {left!r:.200} and {right!r:.200}"


def _told(value: Sequence[Any]) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes ({hashlib.sha256(value).hexdigest()[:8]})"
    return f"{type(value).__name__} of {len(value)}"
