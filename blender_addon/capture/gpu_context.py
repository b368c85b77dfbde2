"""Getting at the GPU, with and without a window.

In the background Blender makes its GPU context late: 5.2 has `gpu.init()` for it; before that,
any GPU render makes the context, and it stays usable for the rest of the process. A Workbench
render of an empty 4×4 picture in a scene of its own is the cheapest one.
"""

from __future__ import annotations

import ctypes
import sys

import bpy
import gpu

from ..plain.own_render import own_render

_SURFACELESS = 0x31DD
"""EGL_PLATFORM_SURFACELESS_MESA: drawing without any display, as Blender does without a window."""


def ready() -> bool:
    """Make the GPU usable for this process. False when there is no way to (no driver)."""
    if not bpy.app.background or _usable():
        return True
    if not _driver_answers():
        return False
    if hasattr(gpu, "init"):
        return _initialise() and _usable()
    return _render_nothing() and _usable()


def _usable() -> bool:
    try:
        gpu.types.GPUOffScreen(4, 4).free()
    except (SystemError, RuntimeError):
        return False
    return True


def _driver_answers() -> bool:
    """Ask EGL for a display, as Blender is about to: without one, Blender does not report an
    error but ends the whole process. Other platforms always have a driver."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        egl = ctypes.CDLL("libEGL.so.1")
        get_display, initialise = egl.eglGetPlatformDisplay, egl.eglInitialize
    except (OSError, AttributeError):
        return False
    get_display.restype = ctypes.c_void_p
    get_display.argtypes = (ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p)
    initialise.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    display = get_display(_SURFACELESS, None, None)
    return bool(display) and bool(initialise(display, None, None))


def _initialise() -> bool:
    try:
        gpu.init()
    except (SystemError, RuntimeError):
        return False
    return True


def _render_nothing() -> bool:
    """Render an empty picture in a temporary scene; the user's data stays as it was."""
    images = set(bpy.data.images)
    scene = bpy.data.scenes.new("underpaint warm-up")
    data = bpy.data.cameras.new("underpaint warm-up")
    camera = bpy.data.objects.new("underpaint warm-up", data)
    try:
        scene.collection.objects.link(camera)
        scene.camera = camera
        scene.render.engine = "BLENDER_WORKBENCH"
        scene.render.resolution_x = scene.render.resolution_y = 4
        scene.render.resolution_percentage = 100
        with own_render():
            bpy.ops.render.render(scene=scene.name)
    except RuntimeError:
        return False
    finally:
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(data)
        bpy.data.scenes.remove(scene)
        for image in set(bpy.data.images) - images:
            bpy.data.images.remove(image)
    return True
