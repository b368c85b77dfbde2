"""Underpaint in Blender: register and unregister, nothing else."""

from __future__ import annotations

import bpy

from . import operators, overlay, panels, preferences, properties, pump, runtime, supervisor

_CLASSES = (preferences.UnderpaintPreferences, *operators.CLASSES, *panels.CLASSES)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    live = runtime.start(preferences.daemon_paths)
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    overlay.register()
    pump.start()
    # A daemon that runs already is shown as ready; none is started before it is wanted.
    if not bpy.app.background and supervisor.is_running(preferences.daemon_paths()):
        live.session.start()


def unregister() -> None:
    """Leaves nothing: no timer, no handler, no thread, no class, no property."""
    pump.stop()
    overlay.unregister()
    properties.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    runtime.stop()
