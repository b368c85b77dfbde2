"""Work that is done a piece a tick, so that the window never waits for all of it. No bpy."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Work:
    """`pieces`: gives the part that is done, 0–1, after each piece. It keeps nothing of Blender's
    from one piece to the next: an undo between them frees it. `title`: shown beside its progress;
    empty: not shown."""

    pieces: Generator[float, None, None]
    title: str = ""
    fraction: float = 0.0

    def step(self) -> bool:
        """Do one piece; whether there are more."""
        try:
            self.fraction = next(self.pieces)
        except StopIteration:
            return False
        return True


def awaited(future: Future[T], fraction: float) -> Generator[float, None, T]:
    """Pieces that wait for a thread; returns what it made."""
    while not future.done():
        yield fraction
    return future.result()
