"""For scripts in Blender that test texture layers: paint, and compare with what must be seen."""

from __future__ import annotations

import bpy

# isort: split
import numpy as np
from addon_tools import addon, live, pump_until
from texture_tools import SIDE

QUICK, SLOW = "steps=2 seconds=0.01", "steps=12 seconds=0.05"
BYTE = 1.6 / 255


def settings():
    return bpy.context.scene.underpaint_texture


def begin(prompt=SLOW):
    settings().prompt = prompt
    assert bpy.ops.underpaint.texture(wait=False) == {"FINISHED"}
    return live().current


def texture(seed=0, prompt=QUICK, how=None):
    """Paint to the end; the layer."""
    settings().prompt, settings().seed = prompt, seed
    (how or bpy.ops.underpaint.texture)(timeout=120)
    item = bpy.context.view_layer.objects.active
    return item.active_material.underpaint.layers[0]


def layers(item):
    return list(item.active_material.underpaint.layers)


def expected(seed=0, side=SIDE):
    """What the painter paints, (side, side, 4) 0–1."""
    at = ((np.arange(side) + 0.5) / side * 255).astype(np.uint8) / 255
    blue = np.full((side, side), seed / 255)
    return np.stack([np.tile(at, (side, 1)), np.tile(at[::-1, None], (1, side)), blue,
                     np.ones_like(blue)], 2).astype(np.float32)  # fmt: skip


def linear(pixels):
    return addon("plain.srgb").linear(pixels.astype(np.float32))


def srgb(light):
    return addon("plain.srgb").srgb(light.astype(np.float32))


def encoded(light):
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def same(seen, wanted, tolerance=BYTE):
    """Two linear pictures, compared as they are stored; at the rim the texture repeats."""
    worst = np.abs(encoded(seen) - encoded(wanted))[1:-1, 1:-1].max()
    assert worst <= tolerance, f"differs by {worst * 255:.2f} of 255"


def shadings():
    areas = [a for w in bpy.context.window_manager.windows for a in w.screen.areas]
    return {a.spaces.active.shading.type for a in areas if a.type == "VIEW_3D"}


def live_until_shown():
    pump_until(lambda: not live().drawing, 20)
