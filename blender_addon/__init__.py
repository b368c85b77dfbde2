"""Underpaint in Blender: register and unregister, nothing else."""

from __future__ import annotations

import bpy

from . import handlers, languages, operators, pump
from .animation import operators as animation_operators
from .animation import panels as animation_panels
from .animation import properties as animation_properties
from .capture import gpu_passes
from .coverage import operators as coverage_operators
from .coverage import shown as coverage_shown
from .editing import framing, outpainting
from .editing import operators as editing_operators
from .editing import panels as editing_panels
from .following import icons, seeing
from .following import panel as following_panel
from .gallery import operators as gallery_operators
from .gallery import panels as gallery_panels
from .gallery import properties as gallery_properties
from .gallery import samples, thumbnails
from .link import runtime, supervisor
from .parts import operators as part_operators
from .queue import operators as queue_operators
from .queue import rendering
from .ui import (
    image_panels,
    keys,
    layer_properties,
    menus,
    panels,
    part_panels,
    preferences,
    properties,
    texture_panels,
    texture_properties,
)
from .viewport import growing, live_view, overlay
from .writing import operators as writing_operators

_CLASSES = (
    preferences.UnderpaintPreferences,
    *operators.CLASSES,
    *queue_operators.CLASSES,
    *writing_operators.CLASSES,
    *part_operators.CLASSES,
    *seeing.CLASSES,
    *menus.CLASSES,
    *panels.CLASSES,
    *editing_operators.CLASSES,
    *outpainting.CLASSES,
    *framing.CLASSES,
    *editing_panels.CLASSES,
    *gallery_operators.CLASSES,
    *gallery_panels.CLASSES,
    image_panels.UNDERPAINT_PT_image,
    *following_panel.CLASSES,
    *image_panels.CLASSES[1:],
    *part_panels.CLASSES,
    *animation_operators.CLASSES,
    *animation_panels.CLASSES,
    menus.UNDERPAINT_PT_loras,
    *texture_panels.CLASSES,
    *coverage_operators.CLASSES,
)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    live = runtime.start(preferences.daemon_paths)
    for cls in _CLASSES:
        languages.register_class(cls)
    properties.register()
    texture_properties.register()
    layer_properties.register()
    gallery_properties.register()
    animation_properties.register()
    thumbnails.ICONS.register()
    icons.ICONS.register()
    samples.ICONS.register()
    languages.register()
    keys.register()
    handlers.register()
    rendering.register()
    overlay.register()
    growing.register()
    coverage_shown.register()
    pump.start()
    # A daemon that runs already is shown as ready; none is started before it is wanted.
    if not bpy.app.background and supervisor.is_running(preferences.daemon_paths()):
        live.session.start()


def unregister() -> None:
    """Leaves nothing: no timer, no handler, no thread, no class, no property."""
    pump.stop()
    live_view.stop(runtime.live())
    keys.unregister()
    languages.unregister()
    framing.unregister()
    coverage_shown.unregister()
    growing.unregister()
    overlay.unregister()
    rendering.unregister()
    handlers.unregister()
    samples.ICONS.unregister()
    icons.ICONS.unregister()
    thumbnails.ICONS.unregister()
    animation_properties.unregister()
    gallery_properties.unregister()
    layer_properties.unregister()
    texture_properties.unregister()
    properties.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    runtime.stop()
    gpu_passes.free()
