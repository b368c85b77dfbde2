"""Paint a texture onto the selected objects: anew, a part of it, over what is there, or again."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from typing import Any

import bpy

from ..image import results
from ..layers.active import need_layer
from ..link import runtime
from ..link.task import Task
from ..texture.job import Prepared, again, prepare
from ..texture.request import Purpose
from ..ui.painting_properties import choose_seed, new_seed
from ..ui.texture_properties import read_texture_settings
from .painting import Paints


class _Textures(Paints):
    """Submits a texture from the panel's settings, for a purpose."""

    purpose = Purpose.NEW

    def execute(self, context: Any) -> set[str]:
        return self.paint(lambda: _hand_over(context, _new_job(context, self.purpose)))


class UNDERPAINT_OT_texture(_Textures, bpy.types.Operator):
    """Paint the selected objects from all sides, into their own UV maps, as a new layer"""

    bl_idname = "underpaint.texture"
    bl_label = "Paint Texture"


class UNDERPAINT_OT_repaint(_Textures, bpy.types.Operator):
    """Paint only where the mask is, or the faces selected in Edit Mode, as a new layer"""

    bl_idname = "underpaint.repaint"
    bl_label = "Repaint Here"
    purpose = Purpose.REPAINT


class UNDERPAINT_OT_restyle(_Textures, bpy.types.Operator):
    """Paint over what is there, as far as Strength says, as a new layer"""

    bl_idname = "underpaint.restyle"
    bl_label = "Restyle"
    purpose = Purpose.RESTYLE


class UNDERPAINT_OT_reroll(Paints, bpy.types.Operator):
    """Try this layer again with another seed; the old one is kept until you decide"""

    bl_idname = "underpaint.reroll"
    bl_label = "Try Again"

    def execute(self, context: Any) -> set[str]:
        return self.paint(lambda: _hand_over(context, again(need_layer(context), new_seed())))


def _new_job(context: Any, purpose: Purpose) -> Prepared:
    group = context.scene.underpaint_texture
    choose_seed(group)
    return prepare(context, read_texture_settings(group), group.views, purpose)


def _hand_over(context: Any, job: Prepared) -> Task:
    return runtime.live().session.submit(
        job.request,
        job.buffers,
        scene=context.scene.name,
        folder=results.results_folder(),
        target=job.target,
    )
