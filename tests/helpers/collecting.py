"""A pytest plugin: what collecting tests costs each process of a run. All of them import the same
modules, torch and diffusers among them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from underpaint.wire.locks import FileLock


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Nothing that is imported is garbage: Python looks for none meanwhile, nor ever there."""
    gc.disable()
    try:
        if "PYTEST_XDIST_WORKER" not in os.environ:
            return (yield)
        shared = session.config._tmp_path_factory.getbasetemp().parent
        with _one_ahead(shared / "collected"):
            return (yield)
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _one_ahead(place: Path) -> Iterator[None]:
    """One process goes ahead, the others together when it is through: what Python and pytest
    compile is kept, and all would compile the same at the same time."""
    through = place.with_suffix(".through")
    with FileLock(place) as lock:
        while not (through.exists() or lock.try_acquire()):
            time.sleep(0.05)
        yield
        through.touch()
