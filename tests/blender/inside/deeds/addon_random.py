"""Random things that artists do while something is painted, at random moments, by seed.

    BLENDER_PYTHON addon_random.py -- REPORT.json EXTENSION.zip SEED …

Writes {seed: "" or what broke, with the actions before it}. Nothing may raise, no error be logged,
no data-block be left that nobody uses, no painting be lost. Used by `underpaint-dev random`. The
actions are in `random_deeds`.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import random
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path

sys.path.extend(map(str, Path(__file__).parents[1].iterdir()))
from addon_tools import live, main, pump_until

# isort: split
import bpy
from random_deeds import ACTIONS, forget_file, picture
from random_story import Story

COUNT = 200


def play(seed: int) -> Story:
    """200 actions; what happened. Raises AssertionError for whatever broke."""
    story, said, told = Story(random.Random(seed)), io.StringIO(), _Told()
    forget_file()
    logging.getLogger().addHandler(told)
    try:
        with redirect_stderr(said):
            picture(story)
            for _ in range(COUNT):
                _act(story)
            _to_the_end(story)
    except Exception as error:
        raise AssertionError(f"seed {seed}, after {', '.join(story.done)}") from error
    finally:
        logging.getLogger().removeHandler(told)
    assert "Traceback" not in said.getvalue(), said.getvalue()
    assert not told.lines, told.lines
    assert not story.orphans, (seed, story.orphans, story.done)
    _nothing_is_lost(story)
    return story


class _Told(logging.Handler):
    """Errors that were logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def _act(story: Story) -> None:
    action = story.chance.choice(ACTIONS)
    story.done.append(action.__name__.strip("_"))
    print(story.done[-1], flush=True)
    action(story)
    bpy.ops.ed.undo_push(message=action.__name__)
    for _ in range(story.chance.randrange(4)):
        story.tick()
        time.sleep(story.chance.random() * 0.02)


def _to_the_end(story: Story) -> None:
    """Fetch what was left behind, and wait for all that is painted."""
    while True:
        for note in live().session.left:
            story.press("fetch_left", job=note.job)
        pump_until(lambda: not live().session.tasks and not live().drawing)
        if not live().session.left:
            return


def _nothing_is_lost(story: Story) -> None:
    for job, task in story.asked.items():
        cancelled = job in story.let_go or getattr(task.error, "code", "") == "cancelled"
        assert cancelled or list(task.folder.glob("*.png")), (job, task.error, story.done)


def _by_seeds(seeds: list[int]):
    def behaviour(seed: int):
        def story() -> None:
            began = time.monotonic()
            told = play(seed)
            seconds = time.monotonic() - began
            print(f"seed {seed}: {len(told.asked)} painted, {seconds:.0f} s, {told.refused}")

        story.__name__ = str(seed)
        return story

    return tuple(map(behaviour, seeds))


if __name__ == "__main__":
    faulthandler.enable()
    at = sys.argv.index("--") + 3
    chosen = [int(word) for word in sys.argv[at:]]
    del sys.argv[at:]
    main(_by_seeds(chosen))
