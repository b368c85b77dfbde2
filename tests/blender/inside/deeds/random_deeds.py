"""The actions of random stories: what artists do while something is painted."""

from __future__ import annotations

from pathlib import Path

import addon_utils
import bpy
from addon_tools import MODULE, STEPS, live, settings
from random_story import Story

_MOST_TASKS, _MOST_SCENES = 4, 6
_SIDE = 64
_LAYER_VERBS = ("layer_move", "layer_remove", "reroll", "layers_flatten", "layers_restore")
_BLEND = "random.blend"


def forget_file() -> None:
    """No file has been saved yet."""
    (Path(bpy.app.tempdir) / _BLEND).unlink(missing_ok=True)


def picture(story: Story) -> None:
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


ACTIONS = (
    *(picture, picture, _texture, _texture, _repaint_here, _cancel, _layer, _old_settings),
    *(_undo, _undo, _redo, _new_scene, _delete_scene, _delete_object, _add_object),
    *(_delete_painted, _rename, _rename, _edit_mode, _save, _reload, _new_file, _disable),
)
