"""Paint a texture onto the selected objects: anew, a part of it, over what is there, or again."""

# No `from __future__ import annotations` here: Blender reads properties from annotations.

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from underpaint.buffers import Buffers
from underpaint.errors import UnderpaintError

from .. import pump
from ..image import results
from ..layers.active import need_layer
from ..link import runtime
from ..link.task import Task
from ..link.work import Work, awaited
from ..texture.job import Begun, Prepared, again, begin, new_layer, over_layers
from ..texture.request import Purpose
from ..ui.painting_properties import choose_seed, new_seed
from ..ui.texture_properties import read_texture_settings
from .failing import refuse
from .painting import Paints


class _OverLayers(Paints):
    """Submits a texture over what is there, for a purpose."""

    purpose = Purpose.RESTYLE

    def execute(self, context: Any) -> set[str]:
        purpose = self.purpose

        def submit() -> Task:
            job = over_layers(context, _begin(context), purpose)
            return _hand_over(_place(context), job)

        return self.paint_sized(context, submit, sized=_is_sized(context))


class UNDERPAINT_OT_texture(Paints, bpy.types.Operator):
    """Paint the selected objects from all sides, into their own UV maps, as a new layer"""

    bl_idname = "underpaint.texture"
    bl_label = "Paint Texture"

    def execute(self, context: Any) -> set[str]:
        live, sized = runtime.live(), _is_sized(context)
        if bpy.app.background or not (sized or live.session.told):

            def submit() -> Task:
                return _hand_over(_place(context), new_layer(_begin(context)))

            return self.paint_sized(context, submit, sized=sized)
        live.error = None
        try:
            begun = _begin(context)
        except UnderpaintError as error:
            return refuse(self, error)
        live.works.append(Work(_later(live, _place(context), begun)))
        pump.start()
        return {"FINISHED"}


class UNDERPAINT_OT_repaint(_OverLayers, bpy.types.Operator):
    """Paint only where the mask is, or the faces selected in Edit Mode, as a new layer"""

    bl_idname = "underpaint.repaint"
    bl_label = "Repaint Here"
    purpose = Purpose.REPAINT


class UNDERPAINT_OT_restyle(_OverLayers, bpy.types.Operator):
    """Paint over what is there, as far as Strength says, as a new layer"""

    bl_idname = "underpaint.restyle"
    bl_label = "Restyle"
    purpose = Purpose.RESTYLE


class UNDERPAINT_OT_reroll(Paints, bpy.types.Operator):
    """Try this layer again with another seed; the old one is kept until you decide"""

    bl_idname = "underpaint.reroll"
    bl_label = "Try Again"

    def execute(self, context: Any) -> set[str]:
        return self.paint(
            lambda: _hand_over(_place(context), again(need_layer(context), new_seed()))
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """`scene`: the name of the one that is painted for; `folder`: where its results go."""

    scene: str
    folder: Path


def _place(context: Any) -> _Place:
    return _Place(context.scene.name, results.results_folder())


def _is_sized(context: Any) -> bool:
    """Whether nothing is captured here at a size that only the model knows."""
    group = context.scene.underpaint_texture
    return group.views == "PLACED" or bool(group.view_size)


def _begin(context: Any) -> Begun:
    group = context.scene.underpaint_texture
    choose_seed(group)
    pictures = Buffers()
    return begin(context, read_texture_settings(group, pictures), group.views, pictures)


def _later(live: runtime.Runtime, place: _Place, begun: Begun) -> Generator[float, None, None]:
    """The sums over all triangles in a thread, so that the window does not wait for them."""
    try:
        job = yield from awaited(live.background.submit(new_layer, begun), 0.0)
        _hand_over(place, job)
    except UnderpaintError as error:
        live.error = error  # for the panel: the operator has ended


def _hand_over(place: _Place, job: Prepared) -> Task:
    return runtime.live().session.submit(
        job.request, job.buffers, scene=place.scene, folder=place.folder, target=job.target
    )
