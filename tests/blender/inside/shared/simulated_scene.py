"""Runs inside Blender: saves the start-up scene with its cube falling, by a simulation.

BLENDER simulated_scene.py -- FILE.blend
"""

from __future__ import annotations

import sys

import bpy

cube = bpy.data.objects["Cube"]
cube.location.z = 3
bpy.context.view_layer.objects.active = cube
cube.select_set(True)
bpy.ops.rigidbody.object_add()
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
