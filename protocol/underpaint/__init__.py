"""Underpaint: what every host speaks. No torch, no bpy."""
