"""What has happened so far in a story of random actions, and what may never happen in it."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import bpy
from addon_tools import addon, live

_KINDS = ("images", "materials", "meshes", "node_groups", "objects", "textures", "brushes")


@dataclass
class Story:
    """`asked`: each painting by its job; `let_go`: those that the artist cancelled. `orphans`:
    what ours left unused. `done`: the actions so far."""

    chance: random.Random
    asked: dict[str, Any] = field(default_factory=dict)
    let_go: set[str] = field(default_factory=set)
    orphans: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def press(self, verb: str, /, **named: Any) -> None:
        """A button; where it refuses it says why, and nothing else happens."""
        operator, before = getattr(bpy.ops.underpaint, verb), _unused()
        if not operator.poll():
            return
        said = ""
        try:
            operator(**named)
        except RuntimeError as error:
            said = str(error)
        if said:
            assert "Traceback" not in said, said
            assert live().error is not None, said
            self.refused[live().error.code.value] += 1
            live().error = None
        if not verb.startswith("layer"):  # what the artist takes away is not used any more
            self._look_for_orphans(before, verb)
        self.asked |= live().session.tasks

    def _look_for_orphans(self, before: set[str], when: str) -> None:
        self.orphans += [f"{name} ({when}; {len(self.done)})" for name in _unused() - before]

    def tick(self) -> None:
        """One tick of the pump: what it brings into the file is in use there."""
        before, painting = _unused(), list(live().session.tasks.values())
        addon("pump").tick()
        came = [task for task in painting if task.id not in live().session.tasks]
        self._look_for_orphans(before, " ".join(map(_kind, came)))
        error = live().error
        gone = error is not None and error.code == "bad_mesh" and "not in this file" in str(error)
        assert error is None or gone, error
        live().error = None


def _kind(task: Any) -> str:
    return f"{type(task.request).__name__} {task.error or ''} {task.target or ''}"


def _unused() -> set[str]:
    """Data-blocks that nobody uses; marks are used by the Image Editor, where there is one."""
    return {
        f"{kind}/{item.name}"
        for kind in _KINDS
        for item in getattr(bpy.data, kind)
        if not item.users and not item.library and not item.get("underpaint_marks_of")
    }
