"""Random things that artists do while something is painted, at random moments, by seed.

    BLENDER_PYTHON addon_random.py -- REPORT.json EXTENSION.zip SEED …

Writes {seed: "" or what broke, with the actions before it}. Nothing may raise, no error be logged,
no data-block be left that nobody uses, no painting be lost. Used by `underpaint-dev random`.
"""

from __future__ import annotations

import faulthandler
import io
import logging
import random
import sys
import time
from collections import Counter
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from addon_tools import MODULE, STEPS, addon, live, main, pump_until, settings

# isort: split
import addon_utils
import bpy

ACTIONS = 200
_MOST_TASKS, _MOST_SCENES = 4, 6
_SIDE = 64
_LAYER_VERBS = ("layer_move", "layer_remove", "reroll", "layers_flatten", "layers_restore")
_BLEND = "random.blend"
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


def play(seed: int) -> Story:
    """200 actions; what happened. Raises AssertionError for whatever broke."""
    story, said, told = Story(random.Random(seed)), io.StringIO(), _Told()
    (Path(bpy.app.tempdir) / _BLEND).unlink(missing_ok=True)
    logging.getLogger().addHandler(told)
    try:
        with redirect_stderr(said):
            _picture(story)
            for _ in range(ACTIONS):
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
    action = story.chance.choice(_ACTIONS)
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


def _picture(story: Story) -> None:
    if len(live().session.tasks) < _MOST_TASKS:
        group = settings()
        group.prompt, group.width, group.height = STEPS, _SIDE, _SIDE
        story.press("generate", wait=False)


def _texture(story: Story) -> None:
    meshes = [item for item in bpy.context.view_layer.objects if item.type == "MESH"]
    if not meshes or len(live().session.tasks) >= _MOST_TASKS:
        return
    for item in meshes:
        item.select_set(True)
    bpy.context.view_layer.objects.active = story.chance.choice(meshes)
    group = bpy.context.scene.underpaint_texture
    group.prompt, group.size, group.view_size, group.view_count = STEPS, 64, 64, 2
    story.press("texture", wait=False)


def _repaint_here(story: Story) -> None:
    images = [entry.image for entry in settings().results if entry.image is not None]
    if images and len(live().session.tasks) < _MOST_TASKS:
        image = story.chance.choice(images)
        story.press("marks_box", image=image.name, box=(0.2, 0.2, 0.7, 0.7))
        marked = [i.name for i in bpy.data.images if i.get("underpaint_marks_of") == image]
        if marked:
            story.press("repaint_here", image=marked[0], wait=False)


def _cancel(story: Story) -> None:
    jobs = list(live().session.tasks)
    if jobs:
        job = story.chance.choice(jobs)
        story.let_go.add(job)
        story.press("cancel", job=job)


def _layer(story: Story) -> None:
    verb = story.chance.choice(_LAYER_VERBS)
    story.press(verb, **({"wait": False} if verb == "reroll" else {}))


def _old_settings(story: Story) -> None:
    if images := [image.name for image in bpy.data.images if image.get("underpaint_request")]:
        story.press("use_settings", image=story.chance.choice(images))


def _undo(_story: Story) -> None:
    if bpy.ops.ed.undo.poll():
        bpy.ops.ed.undo()


def _redo(_story: Story) -> None:
    if bpy.ops.ed.redo.poll():
        bpy.ops.ed.redo()


def _new_scene(_story: Story) -> None:
    if len(bpy.data.scenes) < _MOST_SCENES:
        _leave_edit_mode()
        bpy.ops.scene.new(type="LINK_COPY")


def _delete_scene(_story: Story) -> None:
    if len(bpy.data.scenes) > 1:
        _leave_edit_mode()
        bpy.ops.scene.delete()


def _delete_object(story: Story) -> None:
    if bpy.data.objects:
        _leave_edit_mode()
        bpy.data.objects.remove(story.chance.choice(list(bpy.data.objects)))


def _add_object(_story: Story) -> None:
    if len(bpy.data.objects) < 2 * _MOST_SCENES:
        _leave_edit_mode()
        bpy.ops.mesh.primitive_cube_add()


def _delete_painted(story: Story) -> None:
    found = [*bpy.data.images, *bpy.data.materials]
    if found:
        bpy.data.batch_remove([story.chance.choice(found)])


def _rename(story: Story) -> None:
    things = [*bpy.data.scenes, *bpy.data.objects, *bpy.data.materials, *bpy.data.images]
    story.chance.choice(things).name = f"named {story.chance.randrange(9)}"


def _edit_mode(_story: Story) -> None:
    item = bpy.context.view_layer.objects.active
    if item is not None and item.type == "MESH":
        bpy.ops.object.mode_set(mode="EDIT" if item.mode == "OBJECT" else "OBJECT")


def _leave_edit_mode() -> None:
    """As an artist must before what Blender has no button for in it."""
    if bpy.context.object is not None and bpy.context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def _save(_story: Story) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(bpy.app.tempdir) / _BLEND))


def _reload(_story: Story) -> None:
    blend = Path(bpy.app.tempdir) / _BLEND
    if blend.exists():
        bpy.ops.wm.open_mainfile(filepath=str(blend))
    else:
        _new_file(_story)


def _new_file(_story: Story) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=False)


def _disable(_story: Story) -> None:
    addon_utils.disable(MODULE)
    assert addon_utils.enable(MODULE) is not None


_ACTIONS = (
    *(_picture, _picture, _texture, _texture, _repaint_here, _cancel, _layer, _old_settings),
    *(_undo, _undo, _redo, _new_scene, _delete_scene, _delete_object, _add_object),
    *(_delete_painted, _rename, _rename, _edit_mode, _save, _reload, _new_file, _disable),
)


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
