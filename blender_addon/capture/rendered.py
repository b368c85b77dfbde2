"""The scene as F12 would show it, for a while: what renders include and how finely.

Blender's Python evaluates the viewport's scene only. So the switches of the viewport are set to
what those of renders say, and set back afterwards; nothing is pushed to the undo history.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# What a setting of the viewport is called, and where renders have theirs.
_LEVELS = {
    "SUBSURF": ("levels", "render_levels"),
    "MULTIRES": ("levels", "render_levels"),
    "SCREW": ("steps", "render_steps"),
    "OCEAN": ("viewport_resolution", "resolution"),
}
_SIMPLIFY = ("simplify_subdivision", "simplify_child_particles")
# What renders show and a capture of surfaces cannot: the type, and what people call it.
_NOT_SURFACES = {
    "CURVES": "hair curves",
    "POINTCLOUD": "a point cloud",
    "VOLUME": "a volume",
    "GREASEPENCIL": "grease pencil",
    "GPENCIL": "grease pencil",
}


class _Changes:
    """Attributes that were set, and what they were."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []
        self._hidden: list[tuple[Any, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> None:
        present = getattr(owner, name)
        if present != value:
            self._before.append((owner, name, present))
            setattr(owner, name, value)

    def reveal(self, item: Any, layer: Any) -> None:
        """Open an object's eye in a view layer."""
        if item.hide_get(view_layer=layer):
            self._hidden.append((item, layer))
            item.hide_set(False, view_layer=layer)

    def undo(self) -> None:
        for item, layer in reversed(self._hidden):
            item.hide_set(True, view_layer=layer)
        for owner, name, value in reversed(self._before):
            setattr(owner, name, value)


@contextmanager
def as_rendered(data: Any, scene: Any, layer: Any) -> Iterator[None]:
    """`data`: `bpy.data`. The view layer `layer` of `scene` evaluates as renders do."""
    changes = _Changes()
    try:
        _visibility(data, layer, changes)
        _levels(data, changes)
        for name in _SIMPLIFY:
            changes.set(scene.render, name, getattr(scene.render, f"{name}_render"))
        layer.update()
        yield
    finally:
        changes.undo()
        layer.update()


def _visibility(data: Any, layer: Any, changes: _Changes) -> None:
    # Nothing is hidden here, only shown: what is hidden loses its selection. What renders leave
    # out is left out by `view._shown`.
    for block in (*data.collections, *data.objects):
        if not block.hide_render:
            changes.set(block, "hide_viewport", False)
    _open_collections(layer.layer_collection, changes)
    for item in data.objects:
        changes.set(item, "show_instancer_for_viewport", item.show_instancer_for_render)
    layer.update()  # objects of collections that were switched off come into the layer here
    for item in layer.objects:
        if not item.hide_render:
            changes.reveal(item, layer)


def _open_collections(layer: Any, changes: _Changes) -> None:
    for child in layer.children:
        changes.set(child, "hide_viewport", False)
        _open_collections(child, changes)


def _levels(data: Any, changes: _Changes) -> None:
    for item in data.objects:
        for modifier in item.modifiers:
            changes.set(modifier, "show_viewport", modifier.show_render)
            if modifier.type in _LEVELS:
                here, there = _LEVELS[modifier.type]
                changes.set(modifier, here, getattr(modifier, there))
    for curve in data.curves:
        for axis in ("u", "v"):
            finer = getattr(curve, f"render_resolution_{axis}")
            if finer:  # 0: as in the viewport
                changes.set(curve, f"resolution_{axis}", finer)
    for ball in data.metaballs:
        changes.set(ball, "resolution", ball.render_resolution)


def not_captured(depsgraph: Any) -> list[str]:
    """What renders show and a capture lacks, in words: `hair curves (Fur)`, once each."""
    found: dict[str, None] = {}
    for instance in depsgraph.object_instances:
        item = instance.object
        if item.original.hide_render:
            continue
        name = item.original.name
        if item.type in _NOT_SURFACES:
            found[f"{_NOT_SURFACES[item.type]} ({name})"] = None
        for system in item.particle_systems:
            if system.settings.type == "HAIR" and system.settings.render_type == "PATH":
                found[f"particle hair ({name})"] = None
    return list(found)
