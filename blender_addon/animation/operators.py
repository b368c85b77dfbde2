"""Paint an animation, stop it, go on with it, let its values change over time."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from pathlib import Path
from typing import Any, ClassVar

import bpy
from bpy.props import BoolProperty, EnumProperty

from underpaint.animation.job import load_job
from underpaint.errors import ErrorCode, RequestError, UnderpaintError
from underpaint.tree import to_json

from .. import own_files, pump
from ..following.kinds import PANEL_CONTROLS
from ..following.properties import name_of
from ..link import runtime
from ..link.marks import REQUEST_KEY, image_name
from ..operators.failing import allowed, refuse
from ..operators.painting import Paints
from ..plain import history
from ..ui import preferences
from ..ui.painting_properties import choose_seed
from .animating import start, unfinished
from .asking import ask

_VALUES = (
    ("seed", "Seed", "Another number gives another picture of the same"),
    ("guidance", "Guidance", "How closely to follow the prompt"),
    ("refresh", "Refresh", "How much of every frame is painted anew"),
    ("strength", "Strength", "How far to go from the scene's colours"),
    *((kind.value, name_of(kind), "How strongly it is followed") for kind in PANEL_CONTROLS),
)
_USUAL = {"guidance": 5.0, "refresh": 0.0}
_MOST = {"guidance": 30.0, "refresh": 1.0, "strength": 1.0}


class UNDERPAINT_OT_animate(Paints, bpy.types.Operator):
    """Paint the scene's frames so that paint stays on its surface; Blender can be used meanwhile"""

    bl_idname = "underpaint.animate"
    bl_label = "Paint Animation"

    go_on: BoolProperty(
        options={"HIDDEN", "SKIP_SAVE"},
        description="Go on with the animation that was stopped, as it was asked for then",
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        free = super().poll(context) and not runtime.live().is_animating
        return allowed(cls, free, "An animation is being painted already")

    def execute(self, context: Any) -> set[str]:
        live, scene = runtime.live(), context.scene
        live.error = None
        try:
            folder = _stopped(scene) if self.go_on else _anew(context)
            live.session.start()
            live.animating = animating = start(preferences.daemon_paths(), folder, scene.name)
            pump.start()
            if bpy.app.background and self.wait:
                pump.run_until(lambda: animating.taken, self.timeout)
        except UnderpaintError as error:
            return refuse(self, error)
        except OSError as error:
            return refuse(self, _unwritable(error))
        return {"FINISHED"} if animating.error is None else refuse(self, animating.error)


class UNDERPAINT_OT_animation_cancel(bpy.types.Operator):
    """Stop the animation; the frames that are painted stay, and it can be gone on with"""

    bl_idname = "underpaint.animation_cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return allowed(cls, runtime.live().is_animating, "No animation is being painted")

    def execute(self, _context: Any) -> set[str]:
        animating = runtime.live().animating
        if animating is not None:
            animating.cancel()
        return {"FINISHED"}


class UNDERPAINT_OT_apply_animation(bpy.types.Operator):
    """Bring the painted animation into this file, and show it in an open Image Editor"""

    bl_idname = "underpaint.apply_animation"
    bl_label = "Underpaint: Animation"
    bl_options: ClassVar[set[str]] = {"UNDO", "INTERNAL"}

    def execute(self, context: Any) -> set[str]:
        animating = runtime.live().animating
        if animating is None or not animating.pictures:
            return {"CANCELLED"}
        series, _blender = load_job(animating.folder)
        image = _loaded(animating.pictures, animating.movie)
        image.name = image_name(series.asked.request.prompt.text)
        image[REQUEST_KEY] = to_json(series.asked.request)
        _show(image, len(animating.pictures), context.scene.frame_start)
        return {"FINISHED"}


class UNDERPAINT_OT_animate_value(bpy.types.Operator):
    """Let this value change over time: a property of the scene to set keyframes on"""

    bl_idname = "underpaint.animate_value"
    bl_label = "Animate a Value"
    bl_options: ClassVar[set[str]] = {"REGISTER", "UNDO"}

    name: EnumProperty(name="Value", items=_VALUES, description="Which value changes over time")

    def execute(self, context: Any) -> set[str]:
        scene, group = context.scene, context.scene.underpaint
        key = value_key(self.name)
        if key not in scene:
            usual = {"seed": group.seed, "strength": group.strength, **_USUAL}.get(self.name, 1.0)
            scene[key] = usual
            most = {"seed": 2**31 - 1, **_MOST}.get(self.name, 2.0)
            scene.id_properties_ui(key).update(min=type(usual)(0), max=most)
        scene.keyframe_insert(f'["{key}"]')
        return {"FINISHED"}


CLASSES = (
    UNDERPAINT_OT_animate,
    UNDERPAINT_OT_animation_cancel,
    UNDERPAINT_OT_apply_animation,
    UNDERPAINT_OT_animate_value,
)


def value_key(name: str) -> str:
    """The scene's property that stands for a value."""
    return f"underpaint_{name}"


def animated(scene: Any) -> list[tuple[str, str]]:
    """The scene's properties that stand for values, and what they are called."""
    return [(value_key(name), label) for name, label, _ in _VALUES if value_key(name) in scene]


def _anew(context: Any) -> Path:
    group = context.scene.underpaint
    choose_seed(group)
    history.remember(own_files.prompts_file(), group.prompt)
    return ask(context)


def _stopped(scene: Any) -> Path:
    last = scene.underpaint_animation.last
    if not unfinished(last):
        raise RequestError(
            ErrorCode.FILE,
            "there is no animation of this scene that was stopped",
            hint="Press Paint Animation.",
        )
    return Path(last)


def _unwritable(error: OSError) -> RequestError:
    return RequestError(
        ErrorCode.FILE,
        f"the animation's folder cannot be written: {error}",
        hint="Choose another folder, or free disk space.",
    )


def _loaded(pictures: tuple[Path, ...], movie: Path | None) -> Any:
    image = bpy.data.images.load(str(movie or pictures[0]), check_existing=False)
    image.source = "SEQUENCE" if movie is None else "MOVIE"
    return image


def _show(image: Any, frames: int, first: int) -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                space = area.spaces.active
                space.image = image
                user = space.image_user
                user.frame_start, user.frame_duration, user.use_auto_refresh = first, frames, True
