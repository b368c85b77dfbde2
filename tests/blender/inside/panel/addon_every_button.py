"""Behaviours of every button in every state of a scene. Run by `addon_behaviours`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import bpy
from addon_tools import STEPS, addon, live, paint, pump_until, settings

# isort: split
from addon_tooltips import ours

# They make environments, only run from within the others, take minutes, or hold all paintings.
NOT_PRESSED = {
    "queue_pause",
    "install",
    "uninstall",
    "apply_result",
    "apply_flat",
    "apply_animation",
    "animate",
}


def every_button_works_or_says_why_not_in_every_state():
    broken = []
    for state in STATES:
        bpy.ops.wm.read_homefile(use_factory_startup=False)
        state()
        for verb in verbs():
            settings().prompt = STEPS
            small()
            said = pressed(verb)
            if said:
                broken.append(f"{state.__name__}, {verb}: {said}")
            pump_until(lambda: not live().session.tasks and not live().is_animating)
            leave_mode_changes()
        broken += [f"{state.__name__}, {name}: {why}" for name, why in drawn() if why]
    assert not broken, "\n".join(broken)


def small() -> None:
    """Whatever is painted is painted soon."""
    group, texture = settings(), bpy.context.scene.underpaint_texture
    group.width = group.height = 64
    texture.size, texture.view_size, texture.view_count = 64, 64, 2


def verbs() -> Iterator[str]:
    for cls in sorted(ours(bpy.types.Operator), key=lambda cls: cls.bl_idname):
        verb = cls.bl_idname.partition(".")[2]
        if verb not in NOT_PRESSED:
            yield verb


def pressed(verb: str) -> str:
    """Press a button as a script does: what is wrong with its answer."""
    operator = getattr(bpy.ops.underpaint, verb)
    if not operator.poll():
        return greyed(operator)
    waits = "wait" in operator.get_rna_type().properties
    live().error = None
    try:
        operator(**({"wait": False} if waits else {}))
    except RuntimeError as error:
        told = str(error).strip()
        return told if "Traceback" in told or not told else ""
    except TypeError as error:  # an enum without choices now
        return "" if "enum" in str(error) else str(error)
    return ""


def greyed(operator) -> str:
    """A button that cannot be pressed says why."""
    try:
        operator()
    except RuntimeError as error:
        told = str(error)
    why = told.partition("poll() ")[2].strip()
    return "" if ("Underpaint", why) in translated() else f"greyed without a reason: {told}"


@cache
def translated() -> Mapping[tuple[str, str], str]:
    """What the add-on says, in German: the tables are read once, and asked hundreds of times."""
    return addon("languages").translations()["de_DE"]


def leave_mode_changes() -> None:
    """Buttons may add, remove, cancel: each begins with no work under way."""
    live().failed.clear()
    live().works.clear()


def drawn() -> Iterator[tuple[str, str]]:
    """Every panel, drawn in the present state; what it raised."""
    from recording_layout import Context, Drawn

    for cls in ours(bpy.types.Panel):
        if cls.bl_space_type != "VIEW_3D" or cls.bl_region_type != "UI":
            continue
        try:
            getattr(bpy.types, cls.__name__).draw(Drawn(), Context())
        except Exception as error:
            yield cls.__name__, f"{type(error).__name__}: {error}"


def as_it_starts() -> None:
    """The start-up scene."""


def nothing_in_the_scene() -> None:
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)


def no_camera() -> None:
    bpy.context.scene.camera = None


def an_empty_as_camera() -> None:
    empty = bpy.data.objects.new("Empty", None)
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.scene.camera = empty


def edit_mode() -> None:
    bpy.context.view_layer.objects.active = cube()
    bpy.ops.object.mode_set(mode="EDIT")


def sculpt_mode() -> None:
    bpy.context.view_layer.objects.active = cube()
    bpy.ops.object.mode_set(mode="SCULPT")


def texture_paint_mode() -> None:
    bpy.context.view_layer.objects.active = cube()
    bpy.ops.object.mode_set(mode="TEXTURE_PAINT")


def a_hidden_collection() -> None:
    bpy.context.view_layer.layer_collection.children[0].hide_viewport = True


def an_excluded_collection() -> None:
    bpy.context.view_layer.layer_collection.children[0].exclude = True


def everything_hidden() -> None:
    for item in bpy.data.objects:
        item.hide_set(True)
        item.hide_render = True


def a_mesh_without_faces() -> None:
    cube().data = bpy.data.meshes.new("nothing")


def a_material_without_a_shader() -> None:
    bpy.context.view_layer.objects.active = cube()
    material = bpy.data.materials.new("bare")
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    material.node_tree.nodes.clear()
    cube().data.materials.clear()
    cube().data.materials.append(material)


def objects_of_a_library() -> None:
    folder = Path(bpy.app.tempdir)
    file = folder / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file), copy=True)
    bpy.ops.wm.read_homefile(use_factory_startup=False)
    for item in list(bpy.data.objects):
        if item.type == "MESH":
            bpy.data.objects.remove(item)
    with bpy.data.libraries.load(str(file), link=True) as (there, here):
        here.objects = [name for name in there.objects if name == "Cube"]
    for item in here.objects:
        bpy.context.scene.collection.objects.link(item)
        item.select_set(True)
        bpy.context.view_layer.objects.active = item


def overridden_objects_of_a_library() -> None:
    objects_of_a_library()
    linked = bpy.context.view_layer.objects.active
    bpy.context.view_layer.objects.active = linked.override_create(remap_local_usages=True)


def an_object_without_material_slots() -> None:
    bpy.context.view_layer.objects.active = cube()
    cube().data.materials.clear()


def another_scene_of_the_same_objects() -> None:
    scene = bpy.data.scenes.new("Other")
    for item in bpy.context.scene.objects:
        scene.collection.objects.link(item)
    scene.camera = bpy.context.scene.camera
    bpy.context.window.scene = scene


def a_daemon_busy_with_anothers_painting() -> None:
    from underpaint.client import connect
    from underpaint.requests import ImageRequest, Prompt

    live().session.start()
    pump_until(lambda: live().session.told)
    with connect(addon("ui.preferences").daemon_paths()) as another:
        another.submit(ImageRequest(Prompt("steps=40 seconds=0.05")))


def a_painting_and_its_deleted_picture() -> None:
    paint(STEPS)
    bpy.data.images.remove(bpy.data.images[live().last_image])


def results_beside_a_file_that_cannot_be_written() -> None:
    home = Path(bpy.app.tempdir) / "read only"
    home.mkdir(exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(home / "scene.blend"))
    (home / "underpaint").write_text("a file where the folder would be")


def an_unpainted_prompt() -> None:
    settings().prompt = settings().negative = ""
    bpy.context.scene.underpaint_texture.prompt = ""


def cube():
    return next(item for item in bpy.context.scene.objects if item.type == "MESH")


STATES: tuple[Callable[[], None], ...] = (
    as_it_starts,
    nothing_in_the_scene,
    no_camera,
    an_empty_as_camera,
    edit_mode,
    sculpt_mode,
    texture_paint_mode,
    a_hidden_collection,
    an_excluded_collection,
    everything_hidden,
    a_mesh_without_faces,
    a_material_without_a_shader,
    objects_of_a_library,
    overridden_objects_of_a_library,
    an_object_without_material_slots,
    another_scene_of_the_same_objects,
    a_daemon_busy_with_anothers_painting,
    a_painting_and_its_deleted_picture,
    results_beside_a_file_that_cannot_be_written,
    an_unpainted_prompt,
)
BEHAVIOURS = (every_button_works_or_says_why_not_in_every_state,)
